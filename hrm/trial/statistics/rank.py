"""Shift between two groups by ranks: the Hodges-Lehmann estimate and its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrm.errors import ParameterError
from hrm.trial.statistics import _checks as check
from hrm.trial.statistics.proportions import NO_WIDTH, OK, two_sided_z

Array = NDArray[np.float64]

#: Groups of this size and more get the normal approximation, as in R's wilcox.test.
LARGE = 50
#: All pairwise differences are held at once.
MOST_PAIRS = 25_000_000


@dataclass(frozen=True, slots=True)
class ShiftEstimate:
    """Location shift of group a against group b.

    Parameters
    ----------
    estimate : float
        Median of all differences a minus b.
    low, high : float
        Limits; both are differences that occur.
    level : float
        Two-sided confidence level that was asked for.
    achieved_level : float
        Level that the exact limits have; NaN with ``normal``.
    method : str
        ``exact`` or ``normal``.
    n_a, n_b : int
    status : str
        ``ok``; ``level_not_reached``: the groups are so small that even all differences
        together do not reach the level; ``no_width``: most differences are equal.
    """

    estimate: float
    low: float
    high: float
    level: float
    achieved_level: float
    method: str
    n_a: int
    n_b: int
    status: str = OK


def hodges_lehmann(a: ArrayLike, b: ArrayLike, *, level: float = 0.95) -> ShiftEstimate:
    """Estimate by how much group a lies above group b.

    Parameters
    ----------
    a, b : array (participant)
        Values of group a (posterior, test) and group b (anterior, reference).
    level : float
        Two-sided confidence level.

    Returns
    -------
    ShiftEstimate

    Raises
    ------
    ParameterError
        If a group is empty, a value is not a finite number, the level is not one, or there are
        more than 25 million pairs.

    Notes
    -----
    J. L. Hodges and E. L. Lehmann, Ann Math Stat 1963;34:598-611,
    doi:10.1214/aoms/1177704172; M. Hollander and D. A. Wolfe, Nonparametric statistical
    methods, section 4.3. The limits are those of R's ``wilcox.test(conf.int = TRUE)``: exact if both
    groups have fewer than 50 values and no two values are equal, else the normal approximation
    with continuity correction and the variance for ties within a group. R searches those
    numerically, to about 1e-4; here they are the differences themselves. The estimate is
    always the median of the differences, where R's search gives another value between two
    neighboring ones.

    Examples
    --------
    >>> shift = hodges_lehmann([1.1, 2.3, 3.8, 5.9], [0.2, 0.7, 1.4, 2.0], level=0.9)
    >>> round(shift.estimate, 2), round(shift.low, 2), round(shift.high, 2), shift.method
    (1.95, -0.3, 5.2, 'exact')
    """
    first, second = check.finite_column("a", a), check.finite_column("b", b)
    level = check.open_fraction("level", level)
    pairs = first.size * second.size
    if pairs > MOST_PAIRS:
        raise ParameterError(f"a and b make {pairs} pairs; at most {MOST_PAIRS} are compared")
    differences = np.sort((first[:, None] - second[None, :]).ravel())
    if not np.isfinite(differences).all():
        raise ParameterError("a and b must not be so large that their difference overflows")
    tied = np.unique(np.concatenate([first, second])).size < first.size + second.size
    method = "normal" if tied or max(first.size, second.size) >= LARGE else "exact"
    if method == "exact":
        rank, achieved = _exact_rank(first.size, second.size, level)
    else:
        rank, achieved = _normal_rank(first, second, level), math.nan
    reached = rank >= 1
    place = max(rank, 1)
    return ShiftEstimate(
        estimate=float(np.median(differences)),
        low=float(differences[place - 1]),
        high=float(differences[pairs - place]),
        level=level,
        achieved_level=achieved,
        method=method,
        n_a=int(first.size),
        n_b=int(second.size),
        status=_standing(differences[place - 1], differences[pairs - place], reached=reached),
    )


def _standing(low: float, high: float, *, reached: bool) -> str:
    if not reached:
        return "level_not_reached"
    return OK if low < high else NO_WIDTH


def rank_sum_distribution(m: int, n: int) -> Array:
    """Probability of each number of pairs in which a exceeds b, if the groups are alike.

    Parameters
    ----------
    m, n : int
        Sizes of the groups.

    Returns
    -------
    array (m * n + 1)
        Of 0, 1, ..., m n pairs (Mann and Whitney's U).
    """
    # Whether the largest value belongs to a or b splits the probability: only sums of
    # positive numbers, so nothing cancels.
    rows = [np.ones(1) for _ in range(n + 1)]
    for i in range(1, m + 1):
        new = [np.ones(1)]
        for j in range(1, n + 1):
            mixed = np.zeros(i * j + 1)
            mixed[j:] += i / (i + j) * rows[j]
            mixed[: i * (j - 1) + 1] += j / (i + j) * new[j - 1]
            new.append(mixed)
        rows = new
    return rows[n]


def _exact_rank(m: int, n: int, level: float) -> tuple[int, float]:
    """Place of the lower limit among the sorted differences (1 = smallest), and its level."""
    below = np.cumsum(rank_sum_distribution(m, n))
    # R's qwilcox allows for the rounding of the sum.
    rank = int(np.searchsorted(below, (1.0 - level) / 2.0 * (1.0 - 1e-14)))
    achieved = 1.0 - 2.0 * float(below[max(rank, 1) - 1])
    return rank, max(0.0, achieved)


def _normal_rank(first: Array, second: Array, level: float) -> int:
    m, n = first.size, second.size
    total = m + n
    # A shift inside the interval makes values of both groups equal by chance only, so that
    # ties count within a group.
    ties = sum(
        float((counts.astype(np.float64) ** 3 - counts).sum())
        for counts in (np.unique(group, return_counts=True)[1] for group in (first, second))
    )
    spread = m * n / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)))
    reach = two_sided_z(level) * math.sqrt(max(0.0, spread)) + 0.5
    return m * n - math.floor(m * n / 2.0 + reach)
