"""Two proportions compared: difference, ratio and odds ratio with their intervals."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from hrm.trial.statistics import _checks as check
from hrm.trial.statistics import score

DIFFERENCE = "group 1 (posterior, test) minus group 2 (anterior, reference)"
RATIO = "group 1 (posterior, test) over group 2 (anterior, reference)"

#: What is to be known of an interval beside its numbers.
OK = "ok"
NOT_ESTIMABLE = "not_estimable"
NO_WIDTH = "no_width"
ZERO_CELL = "zero_cell"

#: Method names of statsmodels for the intervals of a difference that it gets right.
_STATSMODELS = {"newcombe": "newcomb", "wald": "wald", "agresti-caffo": "agresti-caffo"}
#: Score intervals of a difference, and whether they have the factor N / (N - 1).
SCORE_DIFFERENCE = {"miettinen-nurminen": True, "mee": False}
DIFFERENCE_METHODS = (*SCORE_DIFFERENCE, *_STATSMODELS)
RATIO_METHODS = ("miettinen-nurminen", "koopman", "katz")
ODDS_METHODS = ("miettinen-nurminen", "woolf")
#: A logarithm beyond which no ratio of counts lies.
_FAR = 80.0


@dataclass(frozen=True, slots=True)
class ProportionInterval:
    """Comparison of two proportions with a two-sided confidence interval.

    Parameters
    ----------
    measure : str
        ``risk difference``, ``risk ratio`` or ``odds ratio``.
    estimate, low, high : float
        Observed value and limits. A ratio may be infinite.
    level : float
        Two-sided confidence level.
    method : str
        Method of the interval.
    x1, n1, x2, n2 : int
        Successes and participants of group 1 and group 2.
    orientation : str
        Which group is compared with which.
    status : str
        ``ok``; ``not_estimable``: no estimate (NaN), and every ratio from 0 to infinity is
        compatible with the counts; ``no_width``: the method's standard error is 0, so its
        interval claims a certainty that is not there; ``zero_cell``: a logarithm of 0 leaves
        the method without a finite standard error, and the limits are 0 and infinity.
    """

    measure: str
    estimate: float
    low: float
    high: float
    level: float
    method: str
    x1: int
    n1: int
    x2: int
    n2: int
    orientation: str
    status: str = OK


def two_sided_z(level: float) -> float:
    """Standard normal quantile of a two-sided level."""
    return float(-special.ndtri((1.0 - level) / 2.0))


def risk_difference(
    x1: int,
    n1: int,
    x2: int,
    n2: int,
    *,
    method: str = "miettinen-nurminen",
    level: float = 0.95,
) -> ProportionInterval:
    """Difference of two success proportions, group 1 minus group 2, with its interval.

    Parameters
    ----------
    x1, n1 : int
        Successes and participants of group 1 (posterior, test).
    x2, n2 : int
        Successes and participants of group 2 (anterior, reference).
    method : str
        ``miettinen-nurminen``, ``mee``, ``newcombe``, ``wald`` or ``agresti-caffo``.
    level : float
        Two-sided confidence level, between 0 and 1.

    Returns
    -------
    ProportionInterval
        The limits lie from -1 to 1, with any counts, also where all or none succeed.

    Raises
    ------
    ParameterError
        If a count is not whole or out of range, nobody was counted in a group, or the method
        or level is not one.
    MissingDependencyError
        For the last three methods, if statsmodels is not installed.

    Notes
    -----
    ``miettinen-nurminen`` inverts the score test with the variance factor N / (N - 1):
    O. S. Miettinen and M. Nurminen, Stat Med 1985;4:213-226, doi:10.1002/sim.4780040211. It
    belongs with the test of that name in `noninferiority_test`. ``mee`` is the same without
    the factor, and belongs with the test of Farrington and Manning: R. W. Mee, Biometrics
    1984;40:1175-1176. ``newcombe`` combines two Wilson intervals (method 10, without
    continuity correction): R. G. Newcombe, Stat Med 1998;17:873-890,
    doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I. ``wald`` is the
    normal approximation with separate variances (same paper, method 1); ``agresti-caffo`` adds
    a success and a failure to each group first: A. Agresti and B. Caffo, Am Stat
    2000;54:280-288, doi:10.1080/00031305.2000.10474560. Limits of the last two that overshoot
    are cut at -1 and 1.

    Examples
    --------
    >>> tan = risk_difference(32, 32, 31, 31)
    >>> round(tan.estimate, 4), round(tan.low, 4), round(tan.high, 4)
    (0.0, -0.1087, 0.1118)
    """
    x1, n1, x2, n2 = check.two_arms(x1, n1, x2, n2)
    method = check.choice("method", method, DIFFERENCE_METHODS)
    level = check.open_fraction("level", level)
    if method in SCORE_DIFFERENCE:
        low, high = _score_difference(x1, n1, x2, n2, method, level)
    else:
        low, high = _statsmodels_difference(x1, n1, x2, n2, method, level)
    return ProportionInterval(
        measure="risk difference",
        estimate=x1 / n1 - x2 / n2,
        low=low,
        high=high,
        level=level,
        method=method,
        x1=x1,
        n1=n1,
        x2=x2,
        n2=n2,
        orientation=DIFFERENCE,
        status=NO_WIDTH if low == high else OK,
    )


def _score_difference(
    x1: int, n1: int, x2: int, n2: int, method: str, level: float
) -> tuple[float, float]:
    limits = score.difference_limits(
        x1, n1, x2, n2, two_sided_z(level), correct=SCORE_DIFFERENCE[method]
    )
    return float(limits[0]), float(limits[1])


def _statsmodels_difference(
    x1: int, n1: int, x2: int, n2: int, method: str, level: float
) -> tuple[float, float]:
    """Limits that statsmodels computes; its score limits are wrong and not used."""
    try:
        from statsmodels.stats.proportion import confint_proportions_2indep
    except ImportError as err:
        raise check.missing_extra("statsmodels") from err
    limits = confint_proportions_2indep(
        x1, n1, x2, n2, method=_STATSMODELS[method], compare="diff", alpha=1.0 - level
    )
    low, high = (float(np.clip(limit, -1.0, 1.0)) for limit in limits)
    return low, high


def risk_ratio(
    x1: int,
    n1: int,
    x2: int,
    n2: int,
    *,
    method: str = "miettinen-nurminen",
    level: float = 0.95,
) -> ProportionInterval:
    """Ratio of two success proportions, group 1 over group 2, with its interval.

    Parameters
    ----------
    x1, n1, x2, n2 : int
        Successes and participants of group 1 (posterior, test) and group 2 (anterior,
        reference).
    method : str
        ``miettinen-nurminen``, ``koopman`` or ``katz``.
    level : float
        Two-sided confidence level, between 0 and 1.

    Returns
    -------
    ProportionInterval
        Without a success in group 2 the estimate and the upper limit are infinite; without
        any success the estimate is NaN, the limits are 0 and infinity, and `status` says so.

    Raises
    ------
    ParameterError
        As `risk_difference`.

    Notes
    -----
    ``miettinen-nurminen`` inverts the score test with the factor N / (N - 1): Stat Med
    1985;4:213-226, doi:10.1002/sim.4780040211. ``koopman`` is the same without the factor:
    P. A. R. Koopman, Biometrics 1984;40:513-517, doi:10.2307/2531405. ``katz`` takes the
    logarithm as normal: D. Katz et al., Biometrics 1978;34:469-474, doi:10.2307/2530610; it
    says nothing if a group has no success, and is too sure if both have no failure.
    """
    x1, n1, x2, n2 = check.two_arms(x1, n1, x2, n2)
    method = check.choice("method", method, RATIO_METHODS)
    level = check.open_fraction("level", level)
    z = two_sided_z(level)
    estimate = _quotient(x1 * n2, x2 * n1)
    if method == "katz":
        variance = _inverse(x1) - 1.0 / n1 + _inverse(x2) - 1.0 / n2
        low, high = _log_limits(estimate, variance, z)
    else:
        low, high = _score_ratio(
            lambda logarithm: score.ratio_score(
                x1, n1, x2, n2, logarithm, correct=method == "miettinen-nurminen"
            ),
            z,
            rising_from_zero=x1 > 0,
            ending=x2 > 0,
        )
    return ProportionInterval(
        measure="risk ratio",
        estimate=estimate,
        low=low,
        high=high,
        level=level,
        method=method,
        x1=x1,
        n1=n1,
        x2=x2,
        n2=n2,
        orientation=RATIO,
        status=_ratio_status(estimate, low, high),
    )


def odds_ratio(
    x1: int,
    n1: int,
    x2: int,
    n2: int,
    *,
    method: str = "miettinen-nurminen",
    level: float = 0.95,
) -> ProportionInterval:
    """Ratio of the odds of success, group 1 over group 2, with its interval.

    Parameters
    ----------
    x1, n1, x2, n2 : int
        Successes and participants of group 1 (posterior, test) and group 2 (anterior,
        reference).
    method : str
        ``miettinen-nurminen`` or ``woolf``.
    level : float
        Two-sided confidence level, between 0 and 1.

    Returns
    -------
    ProportionInterval
        If all or none of both groups succeed the estimate is NaN, the limits are 0 and
        infinity, and `status` says so.

    Raises
    ------
    ParameterError
        As `risk_difference`.

    Notes
    -----
    ``miettinen-nurminen`` inverts the score test with the factor N / (N - 1): Stat Med
    1985;4:213-226, doi:10.1002/sim.4780040211. ``woolf`` takes the logarithm as normal and
    says nothing if a cell is 0: B. Woolf, Ann Hum Genet 1955;19:251-253,
    doi:10.1111/j.1469-1809.1955.tb01348.x.
    """
    x1, n1, x2, n2 = check.two_arms(x1, n1, x2, n2)
    method = check.choice("method", method, ODDS_METHODS)
    level = check.open_fraction("level", level)
    z = two_sided_z(level)
    estimate = _quotient(x1 * (n2 - x2), x2 * (n1 - x1))
    if method == "woolf":
        variance = sum(_inverse(cell) for cell in (x1, n1 - x1, x2, n2 - x2))
        low, high = _log_limits(estimate, variance, z)
    else:
        low, high = _score_ratio(
            lambda logarithm: score.odds_score(x1, n1, x2, n2, logarithm, correct=True),
            z,
            rising_from_zero=x1 > 0 and x2 < n2,
            ending=x2 > 0 and x1 < n1,
        )
    return ProportionInterval(
        measure="odds ratio",
        estimate=estimate,
        low=low,
        high=high,
        level=level,
        method=method,
        x1=x1,
        n1=n1,
        x2=x2,
        n2=n2,
        orientation=RATIO,
        status=_ratio_status(estimate, low, high),
    )


def _score_ratio(
    statistic: Callable[[score.Array], score.Array],
    z: float,
    *,
    rising_from_zero: bool,
    ending: bool,
) -> tuple[float, float]:
    """Limits of a ratio: 0 and infinity where the counts do not rule them out."""
    low = float(np.exp(score.crossing(statistic, z, -_FAR, _FAR))) if rising_from_zero else 0.0
    high = float(np.exp(score.crossing(statistic, -z, -_FAR, _FAR))) if ending else math.inf
    return low, high


def _log_limits(estimate: float, variance: float, z: float) -> tuple[float, float]:
    """Limits of a ratio whose logarithm is taken as normal."""
    if not math.isfinite(variance):
        return 0.0, math.inf
    # Both groups without a failure: the difference of equal terms is not quite 0.
    factor = math.exp(z * math.sqrt(max(variance, 0.0)))
    return estimate / factor, estimate * factor


def _quotient(above: int, below: int) -> float:
    if below == 0:
        return math.nan if above == 0 else math.inf
    return above / below


def _inverse(count: int) -> float:
    return 1.0 / count if count else math.inf


def _ratio_status(estimate: float, low: float, high: float) -> str:
    if math.isnan(estimate):
        return NOT_ESTIMABLE
    if low == 0.0 and math.isinf(high):
        return ZERO_CELL
    return NO_WIDTH if low == high else OK
