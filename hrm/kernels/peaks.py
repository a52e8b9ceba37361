"""Peaks of pressure along time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hrm.kernels._jit import kernel


@kernel
def prominences_1d(values: NDArray[np.float64], peaks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Say how far each peak stands out.

    Parameters
    ----------
    values : array (time,) float64
        Without NaN.
    peaks : array (peak,) int64
        Samples of the peaks.

    Returns
    -------
    array (peak,) float64
        Height above the higher of the lowest values on either side, each sought up to the
        next value that is higher than the peak, or to the end.
    """
    out = np.empty(peaks.size)
    for p in range(peaks.size):
        height = values[peaks[p]]
        left = right = height
        k = peaks[p] - 1
        while k >= 0 and values[k] <= height:
            left = values[k] if values[k] < left else left
            k -= 1
        k = peaks[p] + 1
        while k < values.size and values[k] <= height:
            right = values[k] if values[k] < right else right
            k += 1
        out[p] = height - max(left, right)
    return out


@kernel
def count_peaks_2d(
    field: NDArray[np.float32], prominence: float, level: float, spacing: int
) -> NDArray[np.int64]:
    """Count the peaks along time at each depth.

    Parameters
    ----------
    field : array (depth, time) float32
        Without NaN.
    prominence : float
        Least rise before a peak and fall after it, inside the field.
    level : float
        A lower peak does not count.
    spacing : int
        Least number of samples from one peak that counts to the next.

    Returns
    -------
    array (depth,) int64
        The earliest peak counts first: no other choice keeps more that are far enough
        apart.
    """
    n, m = field.shape
    counts = np.zeros(n, dtype=np.int64)
    for i in range(n):
        last = -spacing
        rising = False
        place = 0
        extreme = np.float64(field[i, 0])
        for k in range(1, m):
            now = np.float64(field[i, k])
            if rising and extreme - now >= prominence:
                # The greatest value since the last trough was a peak, as the fall shows.
                if extreme >= level and place - last >= spacing:
                    counts[i] += 1
                    last = place
                rising = False
            elif not rising and now - extreme >= prominence:
                rising = True
            # A turn is further in the new direction, too: the walk goes on from here.
            if (rising and now > extreme) or (not rising and now < extreme):
                extreme = now
                place = k
    return counts
