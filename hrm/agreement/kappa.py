"""Agreement of labels beyond chance: Cohen's kappa, plain and weighted."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from hrm.agreement.estimate import (
    NO_DISAGREEMENT,
    NO_VARIATION,
    ONE_CATEGORY,
    TOO_FEW_PAIRS,
    Array,
    Estimate,
    checked_level,
    minimum_pairs,
    missing,
)
from hrm.errors import ParameterError

WEIGHTS = ("none", "linear", "quadratic")
_ROUNDING = 1e-7


def confusion(a: Sequence[str], b: Sequence[str], categories: Sequence[str]) -> NDArray[np.int64]:
    """Count how often each label of A meets each of B.

    Parameters
    ----------
    a, b : sequence of str
        Labels of the same things.
    categories : sequence of str
        Rows (A) and columns (B) of the table, in this order.

    Returns
    -------
    array (category, category)

    Raises
    ------
    ParameterError
        If the lengths differ, or a label is not among the categories.
    """
    if len(a) != len(b):
        raise ParameterError(f"expected labels of the same things, got {len(a)} and {len(b)}")
    place = {name: k for k, name in enumerate(categories)}
    if not {*a, *b} <= place.keys():
        raise ParameterError("a label is not among the categories")
    table = np.zeros((len(place), len(place)), dtype=np.int64)
    for first, second in zip(a, b, strict=True):
        table[place[first], place[second]] += 1
    return table


def cohen_kappa(table: ArrayLike, *, weights: str = "none", level: float | None = None) -> Estimate:
    """Cohen's kappa of a square table of counts.

    Parameters
    ----------
    table : array (category, category)
        Counts; for weights the categories stand in their order.
    weights : {"none", "linear", "quadratic"}
        How much a disagreement counts: all alike, by the distance of the two categories
        in their order, or by its square.
    level : float, optional
        Of the interval; 0.95.

    Returns
    -------
    Estimate
        NaN with a status for fewer than three pairs, or if both always give the same one
        category, which chance alone would do too.

    Notes
    -----
    J. Cohen, Educ Psychol Meas 1960;20:37 and Psychol Bull 1968;70:213; large-sample
    standard error of J. L. Fleiss, J. Cohen and B. S. Everitt, Psychol Bull 1969;72:323.
    With few pairs the interval is too narrow; where nobody disagrees there is none.

    Examples
    --------
    >>> round(cohen_kappa([[0, 4, 1], [0, 8, 0], [0, 1, 5]]).value, 4)
    0.4842
    """
    counts = _checked(table)
    level = checked_level(level)
    if counts.sum() < minimum_pairs():
        return missing(TOO_FEW_PAIRS)
    agreement = 1.0 - _disagreement(len(counts), weights)
    value = kappa_value(counts, weights=weights)
    if math.isnan(value):
        return missing(ONE_CATEGORY)
    if np.trace(counts) == counts.sum():
        return Estimate(1.0, status=NO_DISAGREEMENT)
    error = _standard_error(counts, agreement, value)
    if error <= _ROUNDING:
        # One of the two never changes the label: kappa is 0 whatever the other does.
        return Estimate(value, status=NO_VARIATION)
    reach = float(stats.norm.ppf((1.0 + level) / 2.0)) * error
    return Estimate(value, max(value - reach, -1.0), min(value + reach, 1.0))


def kappa_value(table: ArrayLike, *, weights: str = "none") -> float:
    """Cohen's kappa without its interval; NaN if there is only one category.

    Parameters
    ----------
    table : array (category, category)
    weights : {"none", "linear", "quadratic"}
    """
    counts = _checked(table)
    distance = _disagreement(len(counts), weights)
    total = counts.sum()
    if total == 0:
        return math.nan
    share = counts / total
    chance = float(np.sum(distance * np.outer(share.sum(axis=1), share.sum(axis=0))))
    return 1.0 - float(np.sum(distance * share)) / chance if chance > 0.0 else math.nan


def _checked(table: ArrayLike) -> Array:
    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ParameterError(f"expected a square table of counts, got shape {counts.shape}")
    if not (counts >= 0.0).all() or not np.isfinite(counts).all():
        raise ParameterError("expected counts from 0")
    return counts


def _disagreement(n: int, weights: str) -> Array:
    if weights not in WEIGHTS:
        raise ParameterError(f"weights must be one of {', '.join(WEIGHTS)}; got {weights!r}")
    steps = np.abs(np.subtract.outer(np.arange(n), np.arange(n))) / max(n - 1, 1)
    powers = {"none": np.sign(steps), "linear": steps, "quadratic": steps**2}
    return np.asarray(powers[weights], dtype=np.float64)


def _standard_error(counts: Array, agreement: Array, value: float) -> float:
    """Large-sample standard error of kappa, not under the null hypothesis."""
    total = counts.sum()
    share = counts / total
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    chance = float(rows @ agreement @ columns)
    mean = (agreement @ columns)[:, None] + (rows @ agreement)[None, :]
    spread = float(np.sum(share * (agreement - mean * (1.0 - value)) ** 2))
    variance = spread - (value - chance * (1.0 - value)) ** 2
    return math.sqrt(max(variance, 0.0) / total) / (1.0 - chance)
