"""Analysis of covariance: an outcome compared between arms at the same baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from hrm.errors import ParameterError
from hrm.trial.statistics import _checks as check
from hrm.trial.statistics import _design as designs
from hrm.trial.statistics.pooling import t_p_value, t_quantile

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

WEIGHTS = "numeric covariates at their mean over all rows, equal weight for each level of a factor"


class LeastSquaresMean(float):
    """Adjusted mean of an arm: the number itself, with its error beside it.

    Parameters
    ----------
    estimate, standard_error, low, high : float
        The mean, its standard error and the limits of its interval.
    """

    def __new__(cls, estimate: float, standard_error: float, low: float, high: float) -> Self:
        """The mean as a float."""
        found = super().__new__(cls, estimate)
        found.estimate, found.standard_error = estimate, standard_error
        found.low, found.high = low, high
        return found

    def __getnewargs__(self) -> tuple[float, float, float, float]:  # type: ignore[override]
        return self.estimate, self.standard_error, self.low, self.high

    estimate: float
    standard_error: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ArmDifference:
    """Adjusted mean of one arm minus that of another.

    Parameters
    ----------
    arm, reference : str
    difference, standard_error, low, high : float
    statistic, p_value : float
        t against 0, two-sided.
    """

    arm: str
    reference: str
    difference: float
    standard_error: float
    low: float
    high: float
    statistic: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Ancova:
    """Arms compared at the same baseline.

    Parameters
    ----------
    arms : tuple of str
        The first is the reference.
    ls_means : mapping of arm to LeastSquaresMean
        Adjusted means, see `weights`.
    contrasts : mapping of (arm, reference) to ArmDifference
        Every arm against every other.
    f_statistic, f_p_value : float
        All arms alike (type III).
    coefficients : mapping of name to float
    df : int
        Residual degrees of freedom.
    residual_sd : float
    n : int
        Rows.
    level : float
        Two-sided confidence level.
    outcome, baseline, arm : str
        Columns.
    covariates : tuple of str
    weights : str
        Where the adjusted means are read.
    method : str
    """

    arms: tuple[str, ...]
    ls_means: Mapping[str, LeastSquaresMean]
    contrasts: Mapping[tuple[str, str], ArmDifference]
    f_statistic: float
    f_p_value: float
    coefficients: Mapping[str, float]
    df: int
    residual_sd: float
    n: int
    level: float
    outcome: str
    baseline: str
    arm: str
    covariates: tuple[str, ...]
    weights: str = WEIGHTS
    method: str = field(default="analysis of covariance, ordinary least squares")

    @property
    def contrast(self) -> ArmDifference:
        """The other arm against the reference, if there are two.

        Raises
        ------
        ParameterError
            If there are more than two arms: look into `contrasts`.
        """
        if len(self.arms) == 2:
            return self.contrasts[self.arms[1], self.arms[0]]
        raise ParameterError(
            f"one difference needs two arms; there are {len(self.arms)}. Choose one of contrasts"
        )

    @property
    def difference(self) -> float:
        """Adjusted mean of the test arm minus that of the reference arm."""
        return self.contrast.difference

    @property
    def standard_error(self) -> float:
        """Standard error of the difference."""
        return self.contrast.standard_error

    @property
    def low(self) -> float:
        """Lower limit of the difference."""
        return self.contrast.low

    @property
    def high(self) -> float:
        """Upper limit of the difference."""
        return self.contrast.high

    @property
    def p_value(self) -> float:
        """Two-sided p-value of the difference against 0."""
        return self.contrast.p_value


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """Coefficients with what is needed to judge a mixture of them."""

    beta: Array
    covariance: Array
    df: int
    level: float

    def of(self, contrast: Array) -> tuple[float, float, float, float]:
        """Estimate, standard error and limits."""
        estimate = float(contrast @ self.beta)
        error = float(np.sqrt(contrast @ self.covariance @ contrast))
        reach = t_quantile(self.level, self.df) * error
        return estimate, error, estimate - reach, estimate + reach


def ancova(
    frame: pd.DataFrame,
    *,
    outcome: str,
    baseline: str,
    arm: str,
    covariates: Sequence[str] = (),
    level: float = 0.95,
    reference: Any = None,
) -> Ancova:
    """Compare an outcome between arms, adjusted for its baseline.

    Parameters
    ----------
    frame : DataFrame (participant)
        One row a participant, nothing missing in the columns that are used.
    outcome, baseline : str
        Columns of numbers.
    arm : str
        Column of the arm, two or more.
    covariates : sequence of str
        Further columns; one of numbers is a slope, any other a factor.
    level : float
        Two-sided confidence level.
    reference : optional
        Arm to compare with; otherwise the first category of a categorical column, or the
        first in ascending order whatever its capitals (anterior before posterior). Of arms
        with other names, say which: the sign of every difference depends on it.

    Returns
    -------
    Ancova
        The difference is the other (test) arm minus the reference.

    Raises
    ------
    ParameterError
        If a column is not there, missing in a row or not of numbers, there is one arm only, the
        design is singular or leaves no degrees of freedom, or the outcome has no residual
        variation.
    MissingDependencyError
        If statsmodels is not installed.

    Notes
    -----
    Outcome on arm, baseline and covariates, without interaction, by ordinary least squares.
    Adjusted means are the least-squares means of SAS: see `WEIGHTS`. ICH E9, section 5.7;
    EMA guideline on adjustment for baseline covariates, EMA/CHMP/295050/2013.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame(
    ...     {
    ...         "arm": ["anterior"] * 3 + ["posterior"] * 3,
    ...         "before": [6, 7, 9, 5, 8, 9],
    ...         "after": [1.0, 1.5, 2.0, 0.5, 1.0, 1.5],
    ...     }
    ... )
    >>> result = ancova(frame, outcome="after", baseline="before", arm="arm")
    >>> round(result.difference, 3), result.contrast.arm, result.df
    (-0.5, 'posterior', 3)
    """
    roles = {"outcome": outcome, "baseline": baseline, "arm": arm}
    names = [designs.column_name(role, name) for role, name in roles.items()]
    further = designs.column_names("covariates", covariates)
    level = check.open_fraction("level", level)
    data = designs.table(frame, [*names, *further], roles)
    arms = designs.reference_level(designs.factor(data, arm), reference)
    if len(arms.levels) < 2:
        raise ParameterError(f"column {arm!r} must have at least two arms; it has one")
    design = designs.build(
        [
            [designs.factor_part(arms, "arm")],
            [designs.number_part(baseline, designs.numbers(data, baseline))],
            *([designs.covariate_part(data, name)] for name in further),
        ]
    )
    fit = _fit(design, designs.numbers(data, outcome), level)
    f_statistic, f_p_value = _arms_alike(fit, len(arms.levels) - 1)
    return Ancova(
        arms=arms.levels,
        ls_means=_means(design, arms, fit),
        contrasts=_contrasts(design, arms, fit),
        f_statistic=f_statistic,
        f_p_value=f_p_value,
        coefficients=MappingProxyType(dict(zip(design.names, fit.beta.tolist(), strict=True))),
        df=fit.df,
        residual_sd=_residual_sd(design, fit, data[outcome].to_numpy(dtype=np.float64)),
        n=len(data),
        level=level,
        outcome=outcome,
        baseline=baseline,
        arm=arm,
        covariates=further,
    )


def _fit(design: designs.Design, outcome: Array, level: float) -> _Fit:
    rows, count = design.matrix.shape
    if rows <= count:
        raise ParameterError(
            f"frame must have more rows than the model has coefficients; {rows} for {count}"
        )
    designs.require_full_rank(design)
    try:
        from statsmodels.regression.linear_model import OLS
    except ImportError as err:
        raise check.missing_extra("statsmodels") from err
    fitted = OLS(outcome, design.matrix).fit()
    if fitted.ssr <= 1e-24 * max(1e-300, float(outcome @ outcome)):
        raise ParameterError("outcome must vary beyond what the model explains; it does not")
    return _Fit(
        np.asarray(fitted.params), np.asarray(fitted.cov_params()), int(fitted.df_resid), level
    )


def _residual_sd(design: designs.Design, fit: _Fit, outcome: Array) -> float:
    residual = outcome - design.matrix @ fit.beta
    return float(np.sqrt(residual @ residual / fit.df))


def _means(
    design: designs.Design, arms: designs.Factor, fit: _Fit
) -> Mapping[str, LeastSquaresMean]:
    return MappingProxyType(
        {
            name: LeastSquaresMean(*fit.of(design.row({arms.column: code})))
            for code, name in enumerate(arms.levels)
        }
    )


def _contrasts(
    design: designs.Design, arms: designs.Factor, fit: _Fit
) -> Mapping[tuple[str, str], ArmDifference]:
    rows = [design.row({arms.column: code}) for code in range(len(arms.levels))]
    found = {}
    for i, one in enumerate(arms.levels):
        for j, other in enumerate(arms.levels):
            if i != j:
                estimate, error, low, high = fit.of(rows[i] - rows[j])
                t = estimate / error
                p = t_p_value(t, fit.df)
                found[one, other] = ArmDifference(one, other, estimate, error, low, high, t, p)
    return MappingProxyType(found)


def _arms_alike(fit: _Fit, count: int) -> tuple[float, float]:
    from scipy import special

    # The arms are the first term after the intercept.
    arms = slice(1, 1 + count)
    shift = fit.beta[arms]
    statistic = float(shift @ np.linalg.solve(fit.covariance[arms, arms], shift)) / count
    return statistic, float(special.fdtrc(count, fit.df, statistic))
