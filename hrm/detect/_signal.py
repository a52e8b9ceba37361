"""Small signal helpers on plain arrays (scipy.signal costs a second to import)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def runs(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Start and stop (exclusive) of each run of True, as rows."""
    padded = np.concatenate(([False], mask, [False])).astype(np.int8)
    edges = np.flatnonzero(np.diff(padded))
    return edges.reshape(-1, 2).astype(np.int64)


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


def local_maxima(
    values: NDArray[np.float64], *, prominence: float, spacing: int
) -> NDArray[np.int64]:
    """Indices of maxima that stand out by `prominence`, at least `spacing` apart.

    Of maxima that are too close the higher one stays. Ends are not maxima.
    """
    rising = np.flatnonzero((values[1:-1] > values[:-2]) & (values[1:-1] >= values[2:])) + 1
    standing = [k for k in rising.tolist() if _prominence(values, k) >= prominence]
    kept: list[int] = []
    for k in sorted(standing, key=lambda index: -values[index]):
        if all(abs(k - other) >= spacing for other in kept):
            kept.append(k)
    return np.array(sorted(kept), dtype=np.int64)


def _prominence(values: NDArray[np.float64], peak: int) -> float:
    height = values[peak]
    left_higher = np.flatnonzero(values[:peak] > height)
    right_higher = np.flatnonzero(values[peak + 1 :] > height)
    left = values[(left_higher[-1] + 1 if left_higher.size else 0) : peak + 1]
    right = values[peak : (peak + 1 + right_higher[0] if right_higher.size else values.size)]
    return float(height - max(left.min(), right.min()))


def crossing(
    before: float, after: float, level: float, position: float, step: float = 1.0
) -> float:
    """Where a straight line between two neighbors passes `level`."""
    if after == before:
        return position
    return position + step * (level - before) / (after - before)
