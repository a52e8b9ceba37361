"""How bad must the missing outcomes be to overturn the verdict: every way to fill them in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hrm.trial.statistics import _checks as check
from hrm.trial.statistics import exact, noninferiority, score
from hrm.trial.statistics.proportions import (
    DIFFERENCE_METHODS,
    OK,
    SCORE_DIFFERENCE,
    risk_difference,
    two_sided_z,
)

#: Score methods by the name of the test or of the interval; both give one verdict.
_SCORE = SCORE_DIFFERENCE | {"farrington-manning": False}
METHODS = tuple(dict.fromkeys((*noninferiority.METHODS, *DIFFERENCE_METHODS)))


def tipping_point_binary(
    x1: int,
    n1: int,
    m1: int,
    x2: int,
    n2: int,
    m2: int,
    *,
    margin: float,
    method: str,
    level: float,
) -> NDArray[np.bool_]:
    """Verdict of noninferiority for every number of successes among the missing.

    Parameters
    ----------
    x1, n1, m1 : int
        Group 1 (posterior, test): successes, participants with an outcome, and participants
        whose outcome is missing. `n1` does not count the missing.
    x2, n2, m2 : int
        The same for group 2 (anterior, reference).
    margin : float
        Margin, a positive difference of proportions.
    method : str
        A test of `noninferiority_test` or an interval of `risk_difference`. A score test and
        its own interval give the same verdict.
    level : float
        Two-sided confidence level; a test is held at ``(1 - level) / 2``, one-sided.

    Returns
    -------
    array (m1 + 1, m2 + 1)
        Entry ``[i, j]`` is True if noninferiority holds with i of the missing in group 1 and
        j of the missing in group 2 taken as successes: the p-value is below
        ``(1 - level) / 2``, or the lower limit above minus the margin. An interval without
        width (``wald`` where all outcomes are alike) shows nothing: False.

    Raises
    ------
    ParameterError
        If a count is not whole or out of range, or the margin, method or level is not one.

    Notes
    -----
    G. Campbell, G. Pennello and L. Yue, Missing data in the regulation of medical devices, J
    Biopharm Stat 2011;21:180-195, doi:10.1080/10543406.2011.550094.

    Examples
    --------
    >>> grid = tipping_point_binary(
    ...     63, 71, 6, 60, 67, 6, margin=0.15, method="miettinen-nurminen", level=0.95
    ... )
    >>> print("".join("Y" if holds else "." for holds in grid[0]))
    YY.....
    """
    x1, n1, x2, n2 = check.two_arms(x1, n1, x2, n2)
    m1, m2 = check.whole("m1", m1), check.whole("m2", m2)
    margin = check.risk_margin(margin)
    method = check.choice("method", method, METHODS)
    level = check.open_fraction("level", level)
    total1, total2 = n1 + m1, n2 + m2
    filled1, filled2 = np.meshgrid(x1 + np.arange(m1 + 1), x2 + np.arange(m2 + 1), indexing="ij")
    if method in _SCORE:
        statistic = score.difference_score(
            filled1, total1, filled2, total2, -margin, correct=_SCORE[method]
        )
        return np.asarray(statistic > two_sided_z(level))

    if method == "exact":
        region = exact.rejection_region(total1, total2, margin, (1.0 - level) / 2.0, method)
        return np.asarray(region[filled1, filled2])

    def holds(successes1: int, successes2: int) -> bool:
        limits = risk_difference(successes1, total1, successes2, total2, method=method, level=level)
        return limits.status == OK and limits.low > -margin

    verdicts = [holds(int(a), int(b)) for a, b in zip(filled1.flat, filled2.flat, strict=True)]
    return np.array(verdicts, dtype=np.bool_).reshape(filled1.shape)
