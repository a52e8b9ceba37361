"""Score statistics of two binomials for a difference, a ratio and an odds ratio, and their roots.

A score statistic compares what was observed with a hypothetical value, with the variance at
the most likely proportions that obey this value. All functions take arrays and broadcast; the
tipping grid and the enumerations use them on thousands of tables at once.

References
----------
O. S. Miettinen and M. Nurminen, Comparative analysis of two rates, Stat Med 1985;4:213-226,
doi:10.1002/sim.4780040211 (all three statistics, with the variance correction N / (N - 1)).
R. W. Mee, Confidence bounds for the difference between two probabilities, Biometrics
1984;40:1175-1176 and C. P. Farrington and G. Manning, Stat Med 1990;9:1447-1454,
doi:10.1002/sim.4780091208 (difference, without the correction). P. A. R. Koopman, Confidence
intervals for the ratio of two binomial proportions, Biometrics 1984;40:513-517,
doi:10.2307/2531405 (ratio, without it).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

#: Halvings of a bracket. An interval of length 2 ends below 1e-18: as near as a double gets.
HALVINGS = 62
#: Newton steps that take the closed form of the cubic to the last digits.
POLISHING = 3


def floats(*values: ArrayLike) -> list[Array]:
    """Each argument as an array of doubles."""
    return [np.asarray(value, dtype=np.float64) for value in values]


def corrected(n1: Array, n2: Array) -> Array:
    """Factor N / (N - 1) of Miettinen and Nurminen."""
    total = n1 + n2
    return np.asarray(total / (total - 1.0))


def restricted_difference(
    x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, delta: ArrayLike
) -> tuple[Array, Array]:
    """Most likely proportions whose difference is `delta`.

    Parameters
    ----------
    x1, n1, x2, n2 : array
        Successes and participants. They need not be whole: a sample size is planned with
        expected proportions.
    delta : array
        Difference p1 - p2, from -1 to 1.

    Returns
    -------
    tuple of array
        p1 and p2.

    Notes
    -----
    The likelihood equation is a cubic whose middle root lies where both proportions are
    possible (Miettinen and Nurminen 1985, appendix 1; Farrington and Manning 1990). A root on
    the border is found to half of the digits only by the closed form, so Newton steps follow.
    """
    x1, n1, x2, n2, delta = floats(x1, n1, x2, n2, delta)
    total, successes = n1 + n2, x1 + x2
    c3 = total
    c2 = (n1 + 2.0 * n2) * delta - total - successes
    c1 = (n2 * delta - total - 2.0 * x2) * delta + successes
    c0 = x2 * delta * (1.0 - delta)
    low, high = np.maximum(0.0, -delta), np.minimum(1.0, 1.0 - delta)
    p2 = np.clip(_middle_root(c3, c2, c1, c0), low, high)
    for _ in range(POLISHING):
        value = ((c3 * p2 + c2) * p2 + c1) * p2 + c0
        slope = (3.0 * c3 * p2 + 2.0 * c2) * p2 + c1
        # Around the middle root the cubic falls; where it does not, the step is not trusted.
        step = np.divide(value, slope, out=np.zeros_like(value), where=slope < 0.0)
        p2 = np.clip(p2 - step, low, high)
    return np.clip(p2 + delta, 0.0, 1.0), p2


def _middle_root(c3: Array, c2: Array, c1: Array, c0: Array) -> Array:
    """Middle one of the three real roots, by the cosine form."""
    shift = c2 / (3.0 * c3)
    half = shift**3 - c1 * c2 / (6.0 * c3**2) + c0 / (2.0 * c3)
    spread = np.sqrt(np.maximum(shift**2 - c1 / (3.0 * c3), 0.0))
    spread = np.where(half < 0.0, -spread, spread)
    cosine = np.divide(half, spread**3, out=np.zeros_like(half), where=spread != 0.0)
    angle = (np.pi + np.arccos(np.clip(cosine, -1.0, 1.0))) / 3.0
    return np.asarray(2.0 * spread * np.cos(angle) - shift)


def difference_variance(
    x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, delta: ArrayLike
) -> Array:
    """Variance of the difference of two proportions if the true difference is `delta`."""
    x1, n1, x2, n2, delta = floats(x1, n1, x2, n2, delta)
    p1, p2 = restricted_difference(x1, n1, x2, n2, delta)
    return np.asarray(p1 * (1.0 - p1) / n1 + p2 * (1.0 - p2) / n2)


def difference_score(
    x1: ArrayLike,
    n1: ArrayLike,
    x2: ArrayLike,
    n2: ArrayLike,
    delta: ArrayLike,
    *,
    correct: bool,
) -> Array:
    """Score statistic of a difference: falls from plus to minus infinity as `delta` grows.

    Parameters
    ----------
    x1, n1, x2, n2 : array
        Successes and participants of group 1 and group 2.
    delta : array
        Hypothetical difference p1 - p2.
    correct : bool
        With the factor N / (N - 1) of Miettinen and Nurminen; without it, Mee's and
        Farrington and Manning's.

    Returns
    -------
    array
        Standard normal if `delta` is true. 0 where the observed difference is `delta`.
    """
    x1, n1, x2, n2, delta = floats(x1, n1, x2, n2, delta)
    variance = difference_variance(x1, n1, x2, n2, delta)
    if correct:
        variance = variance * corrected(n1, n2)
    return standardized(x1 / n1 - x2 / n2 - delta, variance)


def standardized(deviation: Array, variance: Array) -> Array:
    """Deviation over its standard error: 0 for no deviation, infinite for no variance."""
    with np.errstate(divide="ignore", invalid="ignore"):
        value = deviation / np.sqrt(variance)
    return np.where(deviation == 0.0, 0.0, value)


def ratio_score(
    x1: ArrayLike,
    n1: ArrayLike,
    x2: ArrayLike,
    n2: ArrayLike,
    log_ratio: ArrayLike,
    *,
    correct: bool,
) -> Array:
    """Score statistic of the ratio p1 / p2: falls as `log_ratio` grows.

    The most likely p2 solves a quadratic (Miettinen and Nurminen 1985, equation 12). Its
    discriminant is written as a sum of terms that are never negative, so that nothing
    cancels when all participants of an arm succeed.
    """
    x1, n1, x2, n2 = floats(x1, n1, x2, n2)
    ratio = np.exp(np.asarray(log_ratio, dtype=np.float64))
    first, second = (n1 + x2) * ratio, n2 + x1
    root = np.sqrt((first - second) ** 2 + 4.0 * ratio * (n1 - x1) * (n2 - x2))
    p2 = np.clip(2.0 * (x1 + x2) / (first + second + root), 0.0, 1.0)
    p1 = np.clip(ratio * p2, 0.0, 1.0)
    variance = p1 * (1.0 - p1) / n1 + ratio**2 * p2 * (1.0 - p2) / n2
    if correct:
        variance = variance * corrected(n1, n2)
    return standardized(x1 / n1 - ratio * (x2 / n2), variance)


def odds_score(
    x1: ArrayLike,
    n1: ArrayLike,
    x2: ArrayLike,
    n2: ArrayLike,
    log_odds: ArrayLike,
    *,
    correct: bool,
) -> Array:
    """Score statistic of the odds ratio: falls as `log_odds` grows.

    Notes
    -----
    The most likely p2 and its complement each solve a quadratic (Miettinen and Nurminen 1985,
    equation 14), in a form without cancellation.
    """
    x1, n1, x2, n2 = floats(x1, n1, x2, n2)
    odds = np.exp(np.asarray(log_odds, dtype=np.float64))
    p2 = _odds_proportion(x1 + x2, n1, n2, odds)
    q2 = _odds_proportion(n1 + n2 - x1 - x2, n1, n2, 1.0 / odds)
    scale = q2 + odds * p2
    p1, q1 = odds * p2 / scale, q2 / scale
    with np.errstate(divide="ignore"):
        variance = 1.0 / (1.0 / (n1 * p1 * q1) + 1.0 / (n2 * p2 * q2))
    if correct:
        variance = variance * corrected(n1, n2)
    return standardized(x1 - n1 * p1, variance)


def _odds_proportion(successes: Array, n1: Array, n2: Array, odds: Array) -> Array:
    """Most likely proportion of group 2 for an odds ratio and a total of successes."""
    total = n1 + n2
    linear = odds * (n1 - successes) + n2 + successes
    root = np.sqrt(
        (odds * (n1 - successes) + n2 - successes) ** 2
        + 4.0 * odds * successes * (total - successes)
    )
    # Two forms of one root: whichever adds numbers of one sign.
    leading = 2.0 * n2 * (odds - 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(
            linear >= 0.0, 2.0 * successes / (linear + root), (root - linear) / leading
        )
    return np.clip(value, 0.0, 1.0)


def crossing(
    falling: Callable[[Array], Array], target: ArrayLike, low: ArrayLike, high: ArrayLike
) -> Array:
    """Where a falling function passes `target`, by halving the bracket, on whole arrays.

    Parameters
    ----------
    falling : callable
        Takes an array and gives one of the same shape, not rising; may be infinite.
    target : array
    low, high : array
        Bracket. Where the function is below the target all along it the answer is `low`,
        where it is above it is `high`.

    Returns
    -------
    array
        Midpoint of what is left of the bracket.
    """
    target, low, high = floats(target, low, high)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        above = falling(middle) > target
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.asarray(0.5 * (low + high))


def both_limits(
    falling: Callable[[Array], Array], z: float, observed: Array
) -> tuple[Array, Array]:
    """Where a statistic of a difference is `z` and minus `z`, on either side of the observed.

    Parameters
    ----------
    falling : callable
        Statistic of hypothetical differences of shape (2, ...).
    z : float
        Normal quantile.
    observed : array (...)
        Observed difference.

    Returns
    -------
    tuple of array
        Lower and upper limit, from -1 to 1.
    """
    bottom = np.stack([np.full_like(observed, -1.0), observed])
    top = np.stack([observed, np.ones_like(observed)])
    target = np.array([z, -z]).reshape(2, *[1] * observed.ndim)
    limits = crossing(falling, target, bottom, top)
    return limits[0], limits[1]


def difference_limits(
    x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, z: float, *, correct: bool
) -> tuple[Array, Array]:
    """Differences at which the score statistic is `z` and minus `z`.

    Returns
    -------
    tuple of array
        Lower and upper limit, from -1 to 1 and on either side of the observed difference.
    """
    x1, n1, x2, n2 = floats(x1, n1, x2, n2)

    def statistic(delta: Array) -> Array:
        return difference_score(x1, n1, x2, n2, delta, correct=correct)

    return both_limits(statistic, z, np.asarray(x1 / n1 - x2 / n2))
