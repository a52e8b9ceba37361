"""Small signal helpers on plain arrays (scipy.signal costs a second to import)."""

from __future__ import annotations

from bisect import bisect

import numpy as np
from numpy.typing import NDArray

from hrm.kernels.peaks import prominences_1d
from hrm.kernels.scan import row_medians_1d


def runs(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Start and stop (exclusive) of each run of True, as rows."""
    changes = np.flatnonzero(mask[1:] != mask[:-1]) + 1
    first, last = mask[:1].nonzero()[0], mask[-1:].nonzero()[0] + mask.size
    return np.concatenate((first, changes, last)).reshape(-1, 2).astype(np.int64)


def during(
    time: NDArray[np.float64], start_s: float, stop_s: float, *, last: bool = False
) -> slice:
    """Samples from `start_s` to before `stop_s`, or to it if `last`.

    A mask would look at the whole recording for every swallow: the square of its length.
    """
    end = np.searchsorted(time, stop_s, side="right" if last else "left")
    return slice(int(np.searchsorted(time, start_s)), int(end))


def band_pass(
    values: NDArray[np.float64], rate: float, low_hz: float, high_hz: float
) -> NDArray[np.float64]:
    """Keep a band of frequencies of a detrended signal; zero phase, by FFT.

    The signal is mirrored at both ends so that they do not ring.
    """
    n = values.size
    ramp = np.arange(n, dtype=np.float64)
    flat = values - np.polyval(np.polyfit(ramp, values, 1), ramp)
    padded = np.concatenate((flat[::-1], flat, flat[::-1]))
    spectrum = np.fft.rfft(padded)
    frequency = np.fft.rfftfreq(padded.size, 1.0 / rate)
    spectrum[(frequency < low_hz) | (frequency > high_hz)] = 0.0
    return np.asarray(np.fft.irfft(spectrum, padded.size)[n : 2 * n])


def row_medians(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Median of each row (sensor, time), NaN left out; NaN where there is nothing."""
    return row_medians_1d(np.ascontiguousarray(values, dtype=np.float32))


def local_maxima(
    values: NDArray[np.float64], *, prominence: float, spacing: int
) -> NDArray[np.int64]:
    """Indices of maxima that stand out by `prominence`, at least `spacing` apart.

    Of maxima that are too close the higher one stays. Ends are not maxima.
    """
    rising = np.flatnonzero((values[1:-1] > values[:-2]) & (values[1:-1] >= values[2:])) + 1
    standing = rising[prominences_1d(np.ascontiguousarray(values), rising) >= prominence]
    kept: list[int] = []
    for k in standing[np.argsort(-values[standing], kind="stable")].tolist():
        # In order of place, so that only the two neighbors are asked.
        at = bisect(kept, k)
        if all(abs(k - other) >= spacing for other in kept[max(at - 1, 0) : at + 1]):
            kept.insert(at, k)
    return np.array(kept, dtype=np.int64)


def crossing(
    before: float, after: float, level: float, position: float, step: float = 1.0
) -> float:
    """Where a straight line between two neighbors passes `level`."""
    if after == before:
        return position
    return position + step * (level - before) / (after - before)
