"""An estimate with its interval, and the interval that several pairs of a subject need."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from hrm.agreement.definitions import rules
from hrm.errors import ParameterError

#: Words for what is missing in an estimate.
OK = "ok"
TOO_FEW_PAIRS = "too_few_pairs"
TOO_FEW_SUBJECTS = "too_few_subjects"
NO_VARIATION = "no_variation"
ONE_CATEGORY = "one_category"
NO_DISAGREEMENT = "no_disagreement"
NOT_POSITIVE = "not_positive"

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its confidence interval.

    NaN where it is not defined, with the reason in `status`. `no_disagreement` leaves the
    number and takes the interval: an interval without width would claim to be certain.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    status: str = OK

    def mapped(self, function: Callable[[float], float]) -> Estimate:
        """Apply a rising function to the number and both ends."""
        low, high = function(self.low), function(self.high)
        return Estimate(function(self.value), low, high, self.status)


def missing(status: str) -> Estimate:
    """Estimate that is not defined, with the reason."""
    return Estimate(math.nan, status=status)


def minimum_pairs() -> int:
    """Fewest pairs, and subjects, that a statistic is given for."""
    return int(rules()["minimum.pairs"].value)


def default_level() -> float:
    """Level of a confidence interval."""
    return float(rules()["interval.level"].value)


def paired(a: ArrayLike, b: ArrayLike) -> tuple[Array, Array]:
    """Check two columns of numbers that belong together.

    Raises
    ------
    ParameterError
        If they are not two finite columns of one length.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        raise ParameterError(
            f"expected two columns of one length, got shapes {first.shape} and {second.shape}"
        )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ParameterError("expected finite numbers; leave out the pairs that miss one")
    return first, second


def checked_level(level: float | None) -> float:
    """Level of the interval, the default if none is given."""
    chosen = default_level() if level is None else level
    if not 0.0 < chosen < 1.0:
        raise ParameterError(f"the level of an interval lies between 0 and 1, got {chosen}")
    return chosen


def subject_codes(subjects: ArrayLike, n_pairs: int) -> NDArray[np.intp]:
    """Number the subjects of the pairs from 0."""
    names = np.asarray(subjects)
    if names.shape != (n_pairs,):
        raise ParameterError(f"expected a subject for each of {n_pairs} pairs, got {names.shape}")
    codes: NDArray[np.intp] = np.unique(names, return_inverse=True)[1]
    return codes


def jackknifed(
    codes: NDArray[np.intp],
    statistic: Callable[[NDArray[np.intp]], float],
    level: float,
) -> Estimate:
    """Estimate a number with an interval that takes whole subjects as the unit.

    Parameters
    ----------
    codes : array (pair,)
        Subject of each pair, from 0.
    statistic : callable
        Gives the number for the pairs that it is handed, as their indices.
    level : float

    Returns
    -------
    Estimate
        Interval by leaving out one subject at a time: t distribution with one degree of
        freedom less than there are subjects.

    Notes
    -----
    Pairs of one subject are alike, and an interval that takes them as independent is too
    narrow. Delete-one-group jackknife: B. Efron and R. J. Tibshirani, An Introduction to
    the Bootstrap, 1993, chapter 11; for kappa J. L. Fleiss and M. Davies, Am J Epidemiol
    1982;115:841.
    """
    value = statistic(np.arange(codes.size))
    n_subjects = int(codes.max()) + 1 if codes.size else 0
    if math.isnan(value) or n_subjects < minimum_pairs():
        return Estimate(value, status=TOO_FEW_SUBJECTS)
    left_out = np.array([statistic(np.flatnonzero(codes != k)) for k in range(n_subjects)])
    if np.isnan(left_out).any():
        # Without one subject there is nothing to estimate from.
        return Estimate(value, status=TOO_FEW_SUBJECTS)
    spread = float(np.sum((left_out - left_out.mean()) ** 2))
    error = math.sqrt((n_subjects - 1) / n_subjects * spread)
    if error == 0.0:
        return Estimate(value, status=NO_DISAGREEMENT)
    reach = error * float(stats.t.ppf((1.0 + level) / 2.0, n_subjects - 1))
    return Estimate(value, value - reach, value + reach)
