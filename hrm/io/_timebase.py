"""The sampling rate that a printed time column states, and nothing made up."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrm.errors import CorruptFileError

_MAX_DECIMALS = 6
_MAX_TIME_S = 1e9
# Steps of two sizes are print rounding only if both are common; one odd step is a gap.
_RARE = 0.1


@dataclass(frozen=True, slots=True)
class TimeGrid:
    """A constant rate: sample `k` is at ``first_s + k / rate_hz``."""

    first_s: float
    last_s: float
    rate_hz: float

    def holds(self, time_s: float) -> bool:
        """Whether a time of the file lies within the samples, give or take one."""
        return self.first_s - 1 / self.rate_hz <= time_s <= self.last_s + 1 / self.rate_hz


def time_grid(times: NDArray[np.float64], *, first_line: int, reader: str) -> TimeGrid:
    """Derive the sampling rate of a printed time column.

    Parameters
    ----------
    times : array (row,) [s]
        As printed, at least two.
    first_line : int
        1-based line of the first row.
    reader : str
        Name of the reader, for errors.

    Returns
    -------
    TimeGrid
        First and last time and the constant rate.

    Raises
    ------
    CorruptFileError
        Naming the row after which a time repeats, goes back, or jumps.

    Notes
    -----
    Times are printed with few decimals, so a constant step may alternate between
    two printed lengths; anything else is a gap or a changing rate.
    """
    odd = ~(np.abs(times) < _MAX_TIME_S)
    if odd.any():
        raise CorruptFileError(
            "expected a time in seconds, found NaN or a number far beyond any recording",
            reader=reader,
            where=f"line {first_line + int(np.argmax(odd))}",
        )
    decimals = _printed_decimals(times)
    steps = np.rint(np.diff(times) * 10.0**decimals).astype(np.int64)
    sizes, counts = np.unique(steps, return_counts=True)
    usual = int(sizes[np.argmax(counts)])
    pair = _rounding_pair(sizes, counts)
    wrong = np.flatnonzero(~np.isin(steps, pair) | (steps < 1))
    if wrong.size:
        raise _step_error(int(steps[wrong[0]]), usual, first_line + int(wrong[0]) + 1, reader)
    rate = _rate(times, usual, decimals, constant=len(pair) == 1)
    drift = np.abs(times - times[0] - np.arange(times.size) / rate)
    # Both the first time and the one compared are rounded to half a printed unit.
    if drift.max() > 1.02 * 10.0**-decimals:
        at = first_line + int(np.argmax(drift))
        raise CorruptFileError(
            "the sampling rate changes within the file; export the parts separately",
            reader=reader,
            where=f"line {at}",
        )
    return TimeGrid(float(times[0]), float(times[-1]), rate)


def _printed_decimals(times: NDArray[np.float64]) -> int:
    for decimals in range(_MAX_DECIMALS):
        scaled = times * 10.0**decimals
        if np.abs(scaled - np.rint(scaled)).max() < 1e-3:
            return decimals
    return _MAX_DECIMALS


def _rounding_pair(sizes: NDArray[np.int64], counts: NDArray[np.int64]) -> list[int]:
    """Step lengths that one constant step can print as."""
    usual = int(np.argmax(counts))
    for other in np.flatnonzero(np.abs(sizes - sizes[usual]) == 1):
        if counts[other] > max(2, _RARE * counts.sum()):
            return [int(sizes[usual]), int(sizes[other])]
    return [int(sizes[usual])]


def _rate(times: NDArray[np.float64], usual: int, decimals: int, *, constant: bool) -> float:
    if constant:
        return float(10**decimals) / usual
    span, n_steps = float(times[-1] - times[0]), times.size - 1
    unit = 10.0**-decimals
    slowest, fastest = n_steps / (span + unit), n_steps / (span - unit)
    whole = round(n_steps / span)
    # Instruments sample at whole rates: take one if the printed times allow just it.
    if slowest <= whole <= fastest and math.floor(fastest) == math.ceil(slowest):
        return float(whole)
    return n_steps / span


def _step_error(step: int, usual: int, line: int, reader: str) -> CorruptFileError:
    kind = "repeats" if step == 0 else "goes back" if step < 0 else "jumps"
    if 0 < step < usual:
        kind = "comes too early"
    return CorruptFileError(
        f"the time {kind}: expected a constant step, as in the rows before; rows are missing, "
        "doubled or out of order: export the file again",
        reader=reader,
        where=f"line {line}",
    )
