"""A difference of proportions over strata, such as the sites of a trial."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from hrm.trial.statistics import _checks as check
from hrm.trial.statistics import score
from hrm.trial.statistics.proportions import DIFFERENCE, NO_WIDTH, OK, two_sided_z

METHOD = "miettinen-nurminen"
WEIGHTS = ("mantel-haenszel",)


@dataclass(frozen=True, slots=True)
class StratifiedRiskDifference:
    """Common difference of proportions over strata with a two-sided confidence interval.

    Parameters
    ----------
    estimate, low, high : float
    level : float
        Two-sided confidence level.
    method, weights : str
    x1, n1, x2, n2 : tuple of int
        Successes and participants of group 1 and group 2 in each stratum.
    orientation : str
        Which group is compared with which.
    status : str
        ``ok``, or ``no_width`` if the limits are one.
    """

    estimate: float
    low: float
    high: float
    level: float
    method: str
    weights: str
    x1: tuple[int, ...]
    n1: tuple[int, ...]
    x2: tuple[int, ...]
    n2: tuple[int, ...]
    orientation: str = DIFFERENCE
    status: str = OK

    def statistic(self, difference: float = 0.0) -> float:
        """Score statistic of a hypothetical common difference; large if the truth is above it.

        Parameters
        ----------
        difference : float
            0 for the test of no difference, whose square is the statistic of Cochran, Mantel
            and Haenszel without correction; minus the margin for noninferiority.

        Returns
        -------
        float
            Standard normal if `difference` is true.
        """
        at = np.array([check.number("difference", difference)])
        x1, n1, x2, n2 = score.floats(self.x1, self.n1, self.x2, self.n2)
        return float(stratified_score(x1, n1, x2, n2, at)[0])

    def p_value(self, margin: float) -> float:
        """One-sided p-value of the matching test of noninferiority.

        Parameters
        ----------
        margin : float
            Positive; the hypothesis is a common difference of at most minus the margin.

        Returns
        -------
        float
            Below ``(1 - level) / 2`` exactly when `low` is above minus the margin.
        """
        return float(special.ndtr(-self.statistic(-check.risk_margin(margin))))


def stratified_score(
    x1: score.Array, n1: score.Array, x2: score.Array, n2: score.Array, delta: score.Array
) -> score.Array:
    """Score statistic of a common difference with Mantel-Haenszel weights.

    Parameters
    ----------
    x1, n1, x2, n2 : array (stratum,)
        Successes and participants.
    delta : array (k,)
        Hypothetical common differences.

    Returns
    -------
    array (k,)
    """
    weight = n1 * n2 / (n1 + n2)
    weight = weight / weight.sum()
    variance = score.difference_variance(x1, n1, x2, n2, delta[:, None])
    variance = variance * score.corrected(n1, n2)
    return score.standardized((x1 / n1 - x2 / n2) @ weight - delta, variance @ weight**2)


def stratified_risk_difference(
    x1: ArrayLike,
    n1: ArrayLike,
    x2: ArrayLike,
    n2: ArrayLike,
    *,
    weights: str = "mantel-haenszel",
    level: float = 0.95,
) -> StratifiedRiskDifference:
    """Common difference of two proportions over strata, group 1 minus group 2.

    Parameters
    ----------
    x1, n1 : array (stratum,)
        Successes and participants of group 1 (posterior, test).
    x2, n2 : array (stratum,)
        Successes and participants of group 2 (anterior, reference).
    weights : str
        ``mantel-haenszel``: n1 n2 / (n1 + n2).
    level : float
        Two-sided confidence level, between 0 and 1.

    Returns
    -------
    StratifiedRiskDifference

    Raises
    ------
    ParameterError
        If a count is not whole or out of range, a stratum has nobody in a group, the columns
        differ in length, or the weights or level are not known.

    Notes
    -----
    The limits are the common differences at which the weighted score statistic is plus and
    minus the normal quantile; each stratum's variance is taken at its most likely proportions
    with this difference and has the factor N / (N - 1): O. S. Miettinen and M. Nurminen, Stat
    Med 1985;4:213-226, doi:10.1002/sim.4780040211. The weights are fixed, those of N. Mantel
    and W. Haenszel, J Natl Cancer Inst 1959;22:719-748, doi:10.1093/jnci/22.4.719; the paper of
    1985 also has iterated ones, which this is not. The estimate is the weighted mean of the
    strata's differences, where the statistic is 0.
    """
    first = check.count_columns("x1", x1, "n1", n1, of="stratum")
    second = check.count_columns("x2", x2, "n2", n2, of="stratum")
    check.same_length(n1=first[1], n2=second[1])
    weights = check.choice("weights", weights, WEIGHTS)
    level = check.open_fraction("level", level)
    c1, m1, c2, m2 = score.floats(*first, *second)
    weight = m1 * m2 / (m1 + m2)
    estimate = float((c1 / m1 - c2 / m2) @ weight / weight.sum())

    def statistic(delta: score.Array) -> score.Array:
        return stratified_score(c1, m1, c2, m2, delta)

    limits = score.both_limits(statistic, two_sided_z(level), np.asarray(estimate))
    low, high = (float(limit) for limit in limits)
    return StratifiedRiskDifference(
        estimate=estimate,
        low=low,
        high=high,
        level=level,
        method=METHOD,
        weights=weights,
        x1=tuple(first[0].tolist()),
        n1=tuple(first[1].tolist()),
        x2=tuple(second[0].tolist()),
        n2=tuple(second[1].tolist()),
        status=NO_WIDTH if low == high else OK,
    )
