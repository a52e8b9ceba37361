"""Studies made one: inverse-variance meta-analysis and the Mantel-Haenszel risk ratio."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from hrm.errors import ParameterError
from hrm.trial.statistics import _checks as check
from hrm.trial.statistics.proportions import (
    NO_WIDTH,
    NOT_ESTIMABLE,
    OK,
    ZERO_CELL,
    two_sided_z,
)

METHODS = ("fixed", "dersimonian-laird")


@dataclass(frozen=True, slots=True)
class MetaAnalysis:
    """Pooled estimate of several studies, with their heterogeneity.

    Parameters
    ----------
    estimate, standard_error, low, high : float
        On the scale of the studies (a logarithm stays one); normal limits.
    p_value : float
        Two-sided, against 0.
    tau2 : float
        Variance between the studies; 0 with the method ``fixed``, which assumes none.
    i2 : float
        Share of the variation that is not chance, from 0 to 1 (0.92, not 92).
    q, q_p_value : float
        Cochran's Q and its p-value.
    weights : tuple of float
        Share of each study in the estimate; they add up to 1.
    studies : int
    level : float
        Two-sided confidence level.
    method : str
    """

    estimate: float
    standard_error: float
    low: float
    high: float
    p_value: float
    tau2: float
    i2: float
    q: float
    q_p_value: float
    weights: tuple[float, ...]
    studies: int
    level: float
    method: str


@dataclass(frozen=True, slots=True)
class PooledRiskRatio:
    """Risk ratio over strata or studies.

    Parameters
    ----------
    estimate, low, high : float
    log_standard_error : float
        Standard error of the logarithm of `estimate`.
    strata : int
    level : float
        Two-sided confidence level.
    method : str
    status : str
        ``ok``; ``zero_cell``: one group has no events at all, the limits are 0 and infinity;
        ``not_estimable``: neither has, the estimate is NaN; ``no_width``: everybody has an
        event, so that no spread can be estimated.
    """

    estimate: float
    low: float
    high: float
    log_standard_error: float
    strata: int
    level: float
    method: str = "mantel-haenszel"
    status: str = OK


def meta_analysis(
    estimates: ArrayLike,
    variances: ArrayLike,
    *,
    method: str = "dersimonian-laird",
    level: float = 0.95,
) -> MetaAnalysis:
    """Pool the estimates of several studies by the inverse of their variance.

    Parameters
    ----------
    estimates : array (study)
        A difference, or the logarithm of a ratio, of each study.
    variances : array (study)
        Squared standard errors, in the same order.
    method : str
        ``fixed`` or ``dersimonian-laird`` (random effects).
    level : float
        Two-sided confidence level.

    Returns
    -------
    MetaAnalysis

    Raises
    ------
    ParameterError
        If there are fewer than two studies, an entry is not a finite number, a variance is not
        above 0, the columns differ in length, or the method or level is not one.

    Notes
    -----
    R. DerSimonian and N. Laird, Control Clin Trials 1986;7:177-188,
    doi:10.1016/0197-2456(86)90046-2. I squared: J. P. T. Higgins and S. G. Thompson, Stat Med
    2002;21:1539-1558, doi:10.1002/sim.1186; it is max(0, 1 - (k - 1) / Q) with either method.

    Examples
    --------
    >>> pooled = meta_analysis([0.1, 0.5, 0.9], [0.04, 0.04, 0.04])
    >>> round(pooled.estimate, 2), round(pooled.tau2, 2), round(pooled.i2, 2)
    (0.5, 0.12, 0.75)
    """
    values = check.finite_column("estimates", estimates, at_least=2)
    errors = check.positive_column("variances", variances)
    check.same_length(estimates=values, variances=errors)
    method = check.choice("method", method, METHODS)
    level = check.open_fraction("level", level)
    weights = 1.0 / errors
    if not (np.isfinite(weights).all() and math.isfinite(weights.sum())):
        raise ParameterError("variances must not be so small that their inverse overflows")
    center = float(weights @ values / weights.sum())
    q, df = float(weights @ (values - center) ** 2), values.size - 1
    tau2 = 0.0
    if method == "dersimonian-laird":
        scale = weights.sum() - (weights @ weights) / weights.sum()
        tau2 = max(0.0, float((q - df) / scale)) if scale > 0.0 else 0.0
        weights = 1.0 / (errors + tau2)
    estimate = float(weights @ values / weights.sum())
    error = 1.0 / math.sqrt(weights.sum())
    reach = two_sided_z(level) * error
    return MetaAnalysis(
        estimate=estimate,
        standard_error=error,
        low=estimate - reach,
        high=estimate + reach,
        p_value=float(2.0 * special.ndtr(-abs(estimate / error))),
        tau2=tau2,
        i2=max(0.0, 1.0 - df / q) if q > 0.0 else 0.0,
        q=q,
        q_p_value=float(special.chdtrc(df, q)),
        weights=tuple((weights / weights.sum()).tolist()),
        studies=int(values.size),
        level=level,
        method=method,
    )


def mantel_haenszel_risk_ratio(
    a: ArrayLike, n1: ArrayLike, c: ArrayLike, n2: ArrayLike, *, level: float = 0.95
) -> PooledRiskRatio:
    """Risk ratio of group 1 over group 2, pooled over strata or studies.

    Parameters
    ----------
    a, n1 : array (stratum)
        Events and participants of group 1 (posterior, test).
    c, n2 : array (stratum)
        Events and participants of group 2 (anterior, reference).
    level : float
        Two-sided confidence level.

    Returns
    -------
    PooledRiskRatio
        A stratum without events in either group adds nothing to it.

    Raises
    ------
    ParameterError
        If a count is not whole or out of range, a group of a stratum is empty, the columns
        differ in length, or the level is not one.

    Notes
    -----
    Variance of the logarithm: S. Greenland and J. M. Robins, Estimation of a common effect
    parameter from sparse follow-up data, Biometrics 1985;41:55-68, doi:10.2307/2530643.

    Examples
    --------
    >>> pooled = mantel_haenszel_risk_ratio([4, 6], [123, 306], [11, 29], [139, 303])
    >>> round(pooled.estimate, 3), round(pooled.low, 3), round(pooled.high, 3)
    (0.259, 0.131, 0.509)
    """
    events1, sizes1 = check.count_columns("a", a, "n1", n1, of="stratum")
    events2, sizes2 = check.count_columns("c", c, "n2", n2, of="stratum")
    check.same_length(n1=sizes1, n2=sizes2)
    level = check.open_fraction("level", level)
    x1, x2 = events1.astype(np.float64), events2.astype(np.float64)
    m1, m2 = sizes1.astype(np.float64), sizes2.astype(np.float64)
    total = m1 + m2
    top, bottom = float((x1 * m2 / total).sum()), float((x2 * m1 / total).sum())
    if top == 0.0 or bottom == 0.0:
        return _without_events(top, bottom, int(total.size), level)
    spread = ((m1 * m2 / total) * ((x1 + x2) / total) - x1 * x2 / total).sum()
    # With everybody an event the two terms cancel, which rounding may turn negative.
    error = math.sqrt(max(0.0, float(spread)) / (top * bottom))
    reach = two_sided_z(level) * error
    return PooledRiskRatio(
        estimate=top / bottom,
        low=top / bottom * math.exp(-reach),
        high=top / bottom * math.exp(reach),
        log_standard_error=error,
        strata=int(total.size),
        level=level,
        status=OK if error > 0.0 else NO_WIDTH,
    )


def _without_events(top: float, bottom: float, strata: int, level: float) -> PooledRiskRatio:
    none = top == bottom
    return PooledRiskRatio(
        estimate=math.nan if none else (0.0 if top == 0.0 else math.inf),
        low=0.0,
        high=math.inf,
        log_standard_error=math.nan if none else math.inf,
        strata=strata,
        level=level,
        status=NOT_ESTIMABLE if none else ZERO_CELL,
    )
