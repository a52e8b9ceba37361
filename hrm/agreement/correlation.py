"""Intraclass correlation of single measurements: ICC(2,1) and ICC(3,1)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from hrm.agreement.estimate import (
    NO_DISAGREEMENT,
    NO_VARIATION,
    TOO_FEW_PAIRS,
    Array,
    Estimate,
    checked_level,
    minimum_pairs,
    missing,
)
from hrm.errors import ParameterError

FORMS = ("2,1", "3,1")
_ROUNDING = 1e-12


def icc(ratings: ArrayLike, form: str, *, level: float | None = None) -> Estimate:
    """Intraclass correlation of one measurement by each of several raters.

    Parameters
    ----------
    ratings : array (target, rater)
        Finite, in one unit.
    form : {"2,1", "3,1"}
        ICC(2,1): absolute agreement of raters drawn at random, so that a constant
        difference between them counts. ICC(3,1): consistency of these very raters.
    level : float, optional
        Of the interval; 0.95.

    Returns
    -------
    Estimate
        NaN with a status for fewer than three targets, or if nothing varies.

    Notes
    -----
    From the mean squares of the two-way analysis of variance without replication: P. E.
    Shrout and J. L. Fleiss, Psychol Bull 1979;86:420. Intervals by F quantiles, for
    ICC(2,1) with Satterthwaite's degrees of freedom: K. O. McGraw and S. P. Wong, Psychol
    Methods 1996;1:30.

    Examples
    --------
    >>> round(icc([[2, 4], [4, 6], [6, 8]], "2,1").value, 4)
    0.6667
    """
    table = _checked(ratings, form)
    level = checked_level(level)
    if table.shape[0] < minimum_pairs():
        return missing(TOO_FEW_PAIRS)
    squares = mean_squares(table)
    value = _value(squares, table.shape, form)
    if math.isnan(value):
        return missing(NO_VARIATION)
    if value >= 1.0 - _ROUNDING:
        return Estimate(1.0, status=NO_DISAGREEMENT)
    interval = _agreement_interval if form == "2,1" else _consistency_interval
    low, high = interval(squares, table.shape, value, level)
    return Estimate(value, low, high)


def icc_value(ratings: ArrayLike, form: str) -> float:
    """Intraclass correlation without its interval; NaN if nothing varies.

    Parameters
    ----------
    ratings : array (target, rater)
    form : {"2,1", "3,1"}
    """
    table = _checked(ratings, form)
    return _value(mean_squares(table), table.shape, form) if table.shape[0] > 1 else math.nan


def _checked(ratings: ArrayLike, form: str) -> Array:
    if form not in FORMS:
        raise ParameterError(f"form must be one of {' or '.join(FORMS)}; got {form!r}")
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ParameterError(f"expected targets by at least two raters, got shape {table.shape}")
    if not np.isfinite(table).all():
        raise ParameterError("expected finite numbers; leave out the targets that miss one")
    return table


def mean_squares(table: Array) -> tuple[float, float, float]:
    """Mean squares of targets, raters and error.

    Parameters
    ----------
    table : array (target, rater)

    Returns
    -------
    targets, raters, error : float
        What is less than rounding makes is 0.
    """
    n, k = table.shape
    grand, rows, columns = table.mean(), table.mean(axis=1), table.mean(axis=0)
    residual = table - rows[:, None] - columns[None, :] + grand
    squares = np.array(
        [
            k * np.sum((rows - grand) ** 2) / (n - 1),
            n * np.sum((columns - grand) ** 2) / (k - 1),
            np.sum(residual**2) / ((n - 1) * (k - 1)),
        ]
    )
    noise = (64.0 * np.finfo(np.float64).eps * np.abs(table).max()) ** 2
    squares[squares <= noise] = 0.0
    return float(squares[0]), float(squares[1]), float(squares[2])


def _value(squares: tuple[float, float, float], shape: tuple[int, ...], form: str) -> float:
    targets, raters, error = squares
    n, k = shape
    below = targets + (k - 1) * error
    if form == "2,1":
        below += k * (raters - error) / n
    return (targets - error) / below if targets + error > 0.0 and below > 0.0 else math.nan


def _consistency_interval(
    squares: tuple[float, float, float], shape: tuple[int, ...], _value: float, level: float
) -> tuple[float, float]:
    targets, _, error = squares
    n, k = shape
    ratio, tail = targets / error, (1.0 + level) / 2.0
    low = ratio / float(stats.f.ppf(tail, n - 1, (n - 1) * (k - 1)))
    high = ratio * float(stats.f.ppf(tail, (n - 1) * (k - 1), n - 1))
    return (low - 1.0) / (low + k - 1.0), (high - 1.0) / (high + k - 1.0)


def _agreement_interval(
    squares: tuple[float, float, float], shape: tuple[int, ...], value: float, level: float
) -> tuple[float, float]:
    targets, raters, error = squares
    n, k = shape
    a = k * value / (n * (1.0 - value))
    b = 1.0 + k * value * (n - 1) / (n * (1.0 - value))
    of_raters, of_error = a * raters, b * error
    freedom = (of_raters + of_error) ** 2 / (
        of_raters**2 / (k - 1) + of_error**2 / ((n - 1) * (k - 1))
    )
    tail = (1.0 + level) / 2.0
    f_low = float(stats.f.ppf(tail, n - 1, freedom))
    f_high = float(stats.f.ppf(tail, freedom, n - 1))
    spread = k * raters + (k * n - k - n) * error
    low = n * (targets - f_low * error) / (f_low * spread + n * targets)
    high = n * (f_high * targets - error) / (spread + n * f_high * targets)
    return low, high
