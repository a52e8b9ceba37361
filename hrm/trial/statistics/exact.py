"""Exact probabilities of the tests of noninferiority, by enumeration of all tables."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from hrm.errors import ParameterError
from hrm.trial.statistics import _checks as check
from hrm.trial.statistics import score

Array = NDArray[np.float64]
Region = NDArray[np.bool_]

#: More tables than this would not fit into the memory of a laptop beside their probabilities.
MOST_TABLES = 4_000_000
#: Statistics closer than this are one: equal tables differ in the last digits.
TIE = 1e-9
#: Points of the first look for the worst nuisance proportion, and refined maxima.
GRID = 1001
REFINED = 8
#: Points whose binomial probabilities are held at a time.
CHUNK = 128


def all_statistics(n1: int, n2: int, margin: float, *, correct: bool) -> Array:
    """Score statistic of every table.

    Returns
    -------
    array (n1 + 1, n2 + 1)
        Entry ``[x1, x2]`` is the statistic of x1 and x2 successes.
    """
    if (n1 + 1) * (n2 + 1) > MOST_TABLES:
        raise ParameterError(
            f"an exact probability enumerates {(n1 + 1) * (n2 + 1)} tables for n1 = {n1} and "
            f"n2 = {n2}; at most {MOST_TABLES} are. Use the farrington-manning or "
            "miettinen-nurminen test"
        )
    first, second = np.arange(n1 + 1)[:, None], np.arange(n2 + 1)[None, :]
    return score.difference_score(first, n1, second, n2, -margin, correct=correct)


def region_probability(region: Region, p1: Array, p2: Array) -> Array:
    """Probability of a set of tables, for several pairs of proportions.

    Parameters
    ----------
    region : array (n1 + 1, n2 + 1)
        Tables that count.
    p1, p2 : array (k,)
        Proportions of group 1 and group 2.

    Returns
    -------
    array (k,)
    """
    n1, n2 = (size - 1 for size in region.shape)
    member = region.astype(np.float64)
    out = np.empty(p1.size)
    for start in range(0, p1.size, CHUNK):
        part = slice(start, start + CHUNK)
        first = stats.binom.pmf(np.arange(n1 + 1), n1, p1[part, None])
        second = stats.binom.pmf(np.arange(n2 + 1), n2, p2[part, None])
        out[part] = np.einsum("ki,ki->k", first @ member, second)
    return out


def worst_probability(region: Region, margin: float) -> float:
    """Largest probability of a set of tables with a true difference of minus the margin.

    The curve over p2 is a polynomial with several hills: a grid finds them, and the highest
    are climbed to the top.
    """
    grid = np.linspace(margin, 1.0, GRID)

    def probability(p2: Array) -> Array:
        return region_probability(region, np.clip(p2 - margin, 0.0, 1.0), p2)

    values = probability(grid)
    around = np.pad(values, 1, constant_values=-1.0)
    hills = np.flatnonzero((values >= around[:-2]) & (values >= around[2:]))
    best = float(values.max())
    for hill in hills[np.argsort(values[hills])[::-1][:REFINED]]:
        best = max(best, _top(probability, grid, int(hill)))
    return min(best, 1.0)


def _top(probability: Callable[[Array], Array], grid: Array, hill: int) -> float:
    """Height of the hill around a point of the grid."""
    bounds = float(grid[max(hill - 1, 0)]), float(grid[min(hill + 1, grid.size - 1)])
    found = optimize.minimize_scalar(
        lambda p2: -float(probability(np.array([p2]))[0]),
        bounds=bounds,
        method="bounded",
        options={"xatol": 1e-9},
    )
    return -float(found.fun)


def unconditional_p_value(x1: int, n1: int, x2: int, n2: int, margin: float) -> float:
    """Exact p-value after Chan: tables in the order of Farrington and Manning's statistic.

    Reference: I. S. F. Chan, Exact tests of equivalence and efficacy with a non-zero lower
    bound for comparative studies, Stat Med 1998;17:1403-1413.
    """
    statistics = all_statistics(n1, n2, margin, correct=False)
    return worst_probability(statistics >= statistics[x1, x2] - TIE, margin)


def _exact_region(n1: int, n2: int, margin: float, alpha: float) -> Region:
    """Tables that the exact test rejects: its p-value falls as the statistic grows."""
    statistics = all_statistics(n1, n2, margin, correct=False)
    steps = np.unique(statistics)
    low, high = 0, steps.size  # the first step whose p-value is at most alpha lies between
    while low < high:
        middle = (low + high) // 2
        if worst_probability(statistics >= steps[middle] - TIE, margin) <= alpha:
            high = middle
        else:
            low = middle + 1
    return statistics >= steps[low] - TIE if low < steps.size else np.zeros_like(statistics, bool)


def rejection_region(n1: int, n2: int, margin: float, alpha: float, method: str) -> Region:
    """Tables for which a test of noninferiority rejects.

    Parameters
    ----------
    n1, n2 : int
        Participants of the groups.
    margin, alpha : float
        Margin and one-sided significance level.
    method : str
        A method of `noninferiority_test`.

    Returns
    -------
    array (n1 + 1, n2 + 1)
        Entry ``[x1, x2]`` says whether x1 and x2 successes reject.
    """
    if method == "exact":
        return _exact_region(n1, n2, margin, alpha)
    statistics = all_statistics(n1, n2, margin, correct=method == "miettinen-nurminen")
    return statistics > -float(special.ndtri(alpha))


def power_noninferiority_exact(
    n1: int,
    n2: int,
    p1: float,
    p2: float,
    *,
    margin: float,
    alpha: float = 0.025,
    method: str = "farrington-manning",
) -> float:
    """Probability that a test of noninferiority rejects, without any approximation.

    Parameters
    ----------
    n1, n2 : int
        Participants of group 1 (posterior, test) and group 2 (anterior, reference).
    p1, p2 : float
        True proportions. With ``p1 - p2 = -margin`` the result is the true type 1 error.
    margin : float
        Margin, a positive difference of proportions.
    alpha : float
        One-sided nominal significance level.
    method : str
        Test whose power is wanted: ``farrington-manning``, ``miettinen-nurminen`` or
        ``exact``.

    Returns
    -------
    float

    Raises
    ------
    ParameterError
        If an argument is out of its range, or there are too many tables to enumerate.

    Notes
    -----
    Sum of the binomial probabilities of all tables that the test rejects. Only the probability
    is exact: with the first two methods the test itself is the large-sample one, and may
    exceed `alpha`. C. P. Farrington and G. Manning, Stat Med 1990;9:1447-1454,
    doi:10.1002/sim.4780091208, section 4; I. S. F. Chan, Stat Med 1998;17:1403-1413.

    Examples
    --------
    >>> round(power_noninferiority_exact(32, 32, 0.2, 0.2, margin=0.2), 7)
    0.5107838
    """
    n1, n2 = check.whole("n1", n1, at_least=1), check.whole("n2", n2, at_least=1)
    p1, p2 = check.probability("p1", p1), check.probability("p2", p2)
    margin, alpha = check.risk_margin(margin), check.open_fraction("alpha", alpha)
    method = check.choice("method", method, ("farrington-manning", "miettinen-nurminen", "exact"))
    region = rejection_region(n1, n2, margin, alpha, method)
    return float(region_probability(region, np.array([p1]), np.array([p2]))[0])
