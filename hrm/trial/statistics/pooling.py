"""Estimates of several imputed data sets made one: Rubin's rules."""

from __future__ import annotations

import math
from dataclasses import dataclass

from numpy.typing import ArrayLike
from scipy import special

from hrm.errors import ParameterError
from hrm.trial.statistics import _checks as check


@dataclass(frozen=True, slots=True)
class PooledEstimate:
    """Estimate over imputations with its interval.

    Parameters
    ----------
    estimate, standard_error : float
        Mean over the imputations, and the root of the total variance.
    df : float
        Degrees of freedom; infinite if the imputations agree and `df_complete` is not given.
    low, high : float
        Limits of the interval.
    p_value : float
        Two-sided, against 0.
    within, between : float
        Mean variance inside an imputation, and variance of the estimates.
    missing_information : float
        Fraction of missing information, (r + 2 / (df + 3)) / (r + 1) with Rubin's own df, as
        SAS PROC MIANALYZE prints it; r is the relative increase of the variance.
    missing_variance : float
        Share of the total variance that is due to the missing values, r / (r + 1) (lambda).
    imputations : int
    df_complete : float or None
        Degrees of freedom that the complete data would have had.
    level : float
        Two-sided confidence level.
    method : str
    """

    estimate: float
    standard_error: float
    df: float
    low: float
    high: float
    p_value: float
    within: float
    between: float
    missing_information: float
    missing_variance: float
    imputations: int
    df_complete: float | None
    level: float
    method: str


def rubin_pool(
    estimates: ArrayLike,
    variances: ArrayLike,
    *,
    df_complete: float | None = None,
    level: float = 0.95,
) -> PooledEstimate:
    """Pool the estimates of several imputed data sets.

    Parameters
    ----------
    estimates : array (imputation)
        Estimate in each imputed data set, on a scale where it is about normal.
    variances : array (imputation)
        Squared standard errors, in the same order.
    df_complete : float, optional
        Degrees of freedom of the analysis if nothing were missing. With it the degrees of
        freedom are those of Barnard and Rubin, which never exceed it; without, Rubin's of 1987.
    level : float
        Two-sided confidence level.

    Returns
    -------
    PooledEstimate

    Raises
    ------
    ParameterError
        If there are fewer than two imputations, an entry is not a finite number, a variance or
        `df_complete` is not above 0, or the columns differ in length.

    Notes
    -----
    D. B. Rubin, Multiple imputation for nonresponse in surveys, Wiley 1987, chapter 3;
    J. Barnard and D. B. Rubin, Biometrika 1999;86:948-955, doi:10.1093/biomet/86.4.948.

    Examples
    --------
    >>> pooled = rubin_pool([1.0, 2.0, 3.0], [0.5, 0.5, 0.5], df_complete=50)
    >>> pooled.estimate, round(pooled.standard_error, 3), round(pooled.df, 2)
    (2.0, 1.354, 2.94)
    """
    values = check.finite_column("estimates", estimates, at_least=2)
    errors = check.positive_column("variances", variances)
    check.same_length(estimates=values, variances=errors)
    level = check.open_fraction("level", level)
    complete = None if df_complete is None else check.positive("df_complete", df_complete)
    count = values.size
    within, between = float(errors.mean()), float(values.var(ddof=1))
    extra = (1.0 + 1.0 / count) * between
    total = within + extra
    if not math.isfinite(total):
        raise ParameterError("estimates and variances are too large to be added up")
    share = extra / total
    df = _degrees(count, share, complete)
    estimate, error = float(values.mean()), math.sqrt(total)
    reach = t_quantile(level, df) * error
    return PooledEstimate(
        estimate=estimate,
        standard_error=error,
        df=df,
        low=estimate - reach,
        high=estimate + reach,
        p_value=t_p_value(estimate / error, df),
        within=within,
        between=between,
        missing_information=_information(count, share),
        missing_variance=share,
        imputations=count,
        df_complete=complete,
        level=level,
        method="rubin-1987" if complete is None else "barnard-rubin",
    )


def t_quantile(level: float, df: float) -> float:
    """Half-width of a two-sided interval in standard errors; normal if `df` is infinite."""
    tail = (1.0 - level) / 2.0
    return float(-special.ndtri(tail) if math.isinf(df) else -special.stdtrit(df, tail))


def t_p_value(statistic: float, df: float) -> float:
    """Two-sided p-value of a t statistic; normal if `df` is infinite."""
    tail = -abs(statistic)
    return float(2.0 * (special.ndtr(tail) if math.isinf(df) else special.stdtr(df, tail)))


def _information(count: int, share: float) -> float:
    df = _degrees(count, share, None)
    return share + (1.0 - share) * 2.0 / (df + 3.0)


def _degrees(count: int, share: float, complete: float | None) -> float:
    """Degrees of freedom from the share of the variance that is due to missing values."""
    # Imputations that agree, or differ by rounding, carry no information on what is missing.
    old = (count - 1) / share**2 if share > 1e-150 else math.inf
    if complete is None:
        return old
    observed = (complete + 1.0) / (complete + 3.0) * complete * (1.0 - share)
    if observed <= 0.0:
        raise ParameterError(
            "variances must not be negligible beside the spread of the estimates if df_complete "
            "is given: no degrees of freedom are left"
        )
    return observed if math.isinf(old) else old * observed / (old + observed)
