"""Limits of agreement after Bland and Altman, also with several pairs a subject."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from hrm.agreement.definitions import rules
from hrm.agreement.estimate import (
    NO_DISAGREEMENT,
    OK,
    TOO_FEW_PAIRS,
    TOO_FEW_SUBJECTS,
    Array,
    Estimate,
    checked_level,
    jackknifed,
    minimum_pairs,
    missing,
    paired,
    subject_codes,
)
from hrm.errors import ParameterError

INTERVALS = ("exact", "approximate")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bias and limits of agreement of A minus B, in the unit of the metric.

    `sd` is the standard deviation that the limits rest on; `sd_between` and `sd_within`
    subjects are NaN where each subject has one pair.
    """

    n: int
    n_subjects: int
    bias: Estimate
    lower: Estimate
    upper: Estimate
    sd: float
    sd_between: float = math.nan
    sd_within: float = math.nan
    method: str = "independent"
    status: str = OK


def bland_altman(
    a: ArrayLike,
    b: ArrayLike,
    *,
    level: float | None = None,
    multiplier: float | None = None,
    interval: str = "exact",
) -> Limits:
    """Bias and limits of agreement of independent pairs.

    Parameters
    ----------
    a, b : array (pair,)
        Finite, in one unit.
    level : float, optional
        Of the intervals; 0.95.
    multiplier : float, optional
        Standard deviations from the bias to a limit; 1.96 if not given.
    interval : {"exact", "approximate"}
        Of the limits: from the noncentral t distribution, or the normal approximation of
        1999 with a t quantile.

    Returns
    -------
    Limits
        With NaN and a status if there are fewer than three pairs.

    Notes
    -----
    J. M. Bland and D. G. Altman, Lancet 1986;i:307 and Stat Methods Med Res 1999;8:135:
    bias +/- 1.96 SD of the differences. The variance of a limit is
    ``SD^2 (1/n + z^2 / (2 (n - 1)))``; exactly, a limit is a quantile of a normal
    distribution (A. Carkeet, Optom Vis Sci 2015;92:e71).

    Examples
    --------
    >>> found = bland_altman([1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 3.0, 5.0])
    >>> found.bias.value
    -0.5
    """
    first, second = paired(a, b)
    level = checked_level(level)
    if interval not in INTERVALS:
        raise ParameterError(f"interval must be one of {', '.join(INTERVALS)}; got {interval!r}")
    n = first.size
    if n < minimum_pairs():
        return _undefined(n, n, "independent", TOO_FEW_PAIRS)
    z = _multiplier(multiplier)
    difference = first - second
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    if sd <= _rounding(first, second):
        return _without_scatter(n, n, bias, "independent")
    reach = float(stats.t.ppf((1.0 + level) / 2.0, n - 1)) * sd / math.sqrt(n)
    near, far = _reaches(n, sd, z, level, interval)
    return Limits(
        n=n,
        n_subjects=n,
        bias=Estimate(bias, bias - reach, bias + reach),
        lower=Estimate(bias - z * sd, bias - far, bias - near),
        upper=Estimate(bias + z * sd, bias + near, bias + far),
        sd=sd,
    )


def _multiplier(given: float | None) -> float:
    coverage = float(rules()["limits.coverage"].value)
    return float(stats.norm.ppf((1.0 + coverage) / 2.0)) if given is None else given


def _rounding(first: Array, second: Array) -> float:
    """Scatter that rounding alone makes."""
    return 64.0 * float(np.finfo(np.float64).eps * max(np.abs(first).max(), np.abs(second).max()))


def _reaches(n: int, sd: float, z: float, level: float, interval: str) -> tuple[float, float]:
    """Distances of the near and the far end of a limit's interval from the bias."""
    tails = ((1.0 - level) / 2.0, (1.0 + level) / 2.0)
    if interval == "exact":
        root = math.sqrt(n)
        near, far = (float(stats.nct.ppf(tail, n - 1, z * root)) for tail in tails)
        if math.isfinite(near) and math.isfinite(far):
            return sd * near / root, sd * far / root
        # For very many pairs the quantile may not be found; both intervals agree by then.
    error = sd * math.sqrt(1.0 / n + z * z / (2.0 * (n - 1)))
    reach = error * float(stats.t.ppf(tails[1], n - 1))
    return z * sd - reach, z * sd + reach


def bland_altman_repeated(
    a: ArrayLike,
    b: ArrayLike,
    subjects: ArrayLike,
    *,
    level: float | None = None,
    multiplier: float | None = None,
) -> Limits:
    """Bias and limits of agreement with several pairs a subject, whose true value varies.

    Parameters
    ----------
    a, b : array (pair,)
        Finite, in one unit.
    subjects : array (pair,)
        Code of the subject of each pair.
    level, multiplier : float, optional
        As in `bland_altman`.

    Returns
    -------
    Limits
        For a single pair of a further subject. Intervals by leaving out one subject at a
        time; with fewer than three subjects only the bias, without an interval.

    Notes
    -----
    J. M. Bland and D. G. Altman, J Biopharm Stat 2007;17:571, section 3: the variance of a
    difference is that between subjects plus that within, from a one-way analysis of
    variance of the differences. The bias is the mean over the pairs.
    """
    first, second = paired(a, b)
    level = checked_level(level)
    codes = subject_codes(subjects, first.size)
    n, n_subjects = first.size, int(codes.max()) + 1 if first.size else 0
    z, difference = _multiplier(multiplier), first - second
    if n < minimum_pairs():
        return _undefined(n, n_subjects, "repeated", TOO_FEW_PAIRS)
    if n_subjects < minimum_pairs():
        # How one or two subjects differ is a fact; the limits speak of a further subject.
        none, mean = missing(TOO_FEW_SUBJECTS), float(difference.mean())
        bias = Estimate(mean, status=TOO_FEW_SUBJECTS)
        return Limits(
            n, n_subjects, bias, none, none, math.nan, method="repeated", status=TOO_FEW_SUBJECTS
        )
    if difference.std(ddof=1) <= _rounding(first, second):
        return _without_scatter(n, n_subjects, float(difference.mean()), "repeated")

    def limit(kept: NDArray[np.intp], sign: float) -> float:
        between, within = components(difference[kept], codes[kept])
        return float(difference[kept].mean()) + sign * z * math.sqrt(between + within)

    between, within = components(difference, codes)
    repeats = n > n_subjects
    return Limits(
        n=n,
        n_subjects=n_subjects,
        bias=jackknifed(codes, lambda kept: float(difference[kept].mean()), level),
        lower=jackknifed(codes, lambda kept: limit(kept, -1.0), level),
        upper=jackknifed(codes, lambda kept: limit(kept, 1.0), level),
        sd=math.sqrt(between + within),
        sd_between=math.sqrt(between) if repeats else math.nan,
        sd_within=math.sqrt(within) if repeats else math.nan,
        method="repeated",
    )


def components(difference: Array, codes: NDArray[np.intp]) -> tuple[float, float]:
    """Variance between and within groups, by a one-way analysis of variance.

    Parameters
    ----------
    difference : array (pair,)
    codes : array (pair,)
        Whole numbers that name the group of each pair.

    Returns
    -------
    between, within : float
        Between is 0 where the groups differ by less than their scatter explains. With one
        pair a group nothing can be told apart, and everything is between.
    """
    _, group, counts = np.unique(codes, return_inverse=True, return_counts=True)
    n, n_groups = difference.size, counts.size
    means = np.bincount(group, weights=difference) / counts
    ss_within = float(np.sum((difference - means[group]) ** 2))
    ss_between = float(np.sum(counts * (means - difference.mean()) ** 2))
    if n == n_groups:
        return ss_between / (n_groups - 1), 0.0
    within = ss_within / (n - n_groups)
    divisor = (n**2 - float(np.sum(counts.astype(np.float64) ** 2))) / ((n_groups - 1) * n)
    return max((ss_between / (n_groups - 1) - within) / divisor, 0.0), within


def _undefined(n: int, n_subjects: int, method: str, status: str) -> Limits:
    none = missing(status)
    return Limits(n, n_subjects, none, none, none, math.nan, method=method, status=status)


def _without_scatter(n: int, n_subjects: int, bias: float, method: str) -> Limits:
    same = Estimate(bias, status=NO_DISAGREEMENT)
    return Limits(n, n_subjects, same, same, same, 0.0, method=method, status=NO_DISAGREEMENT)
