"""Medians ahead of a front: where pressure stands before a contraction arrives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hrm.kernels._jit import kernel


@kernel
def median_1d(values: NDArray[np.float32]) -> float:
    """Take the median of some pressures, which are put into another order.

    Parameters
    ----------
    values : array (n,) float32

    Returns
    -------
    float
        As `numpy.median` in float32: NaN if there is a NaN, or nothing.
    """
    n = values.size
    for k in range(n):
        if np.isnan(values[k]):
            return np.nan
    if n == 0:
        return np.nan
    middle = n // 2
    split = np.partition(values, middle)
    if n % 2:
        return float(split[middle])
    below = split[0]
    for k in range(1, middle):
        below = max(below, split[k])
    return float(np.float32(below + split[middle]) / np.float32(2.0))


@kernel
def plateau_ahead_2d(
    field: NDArray[np.float32],
    time: NDArray[np.float64],
    arrival: NDArray[np.float64],
    length_s: float,
    below: int,
    halves_mmhg: float,
) -> NDArray[np.float64]:
    """Find, at each depth, the pressure just before the front where it hardly rises.

    Parameters
    ----------
    field : array (depth, time) float32
    time : array (time,) float64 [s]
    arrival : array (depth,) float64 [s]
        NaN where there is no front.
    length_s : float
        Time before the front that is looked at.
    below : int
        Rows below the own one that a plateau has to reach.
    halves_mmhg : float
        Greatest rise from the median of the first half to that of the second.

    Returns
    -------
    array (depth,) float64
        The lesser of the medians of the row, and of the row with those below it; NaN
        without a plateau.
    """
    n = field.shape[0]
    out = np.full(n, np.nan)
    for i in range(n):
        if not np.isfinite(arrival[i]):
            continue
        first = np.searchsorted(time, arrival[i] - length_s)
        middle = np.searchsorted(time, arrival[i] - 0.5 * length_s)
        last = np.searchsorted(time, arrival[i] - 1e-9)
        if middle - first < 1 or last - middle < 1:
            continue
        later = median_1d(field[i, middle:last].copy())
        earlier = median_1d(field[i, first:middle].copy())
        if not np.float32(later) - np.float32(earlier) <= halves_mmhg:
            continue
        around = median_1d(field[i : i + below + 1, first:last].copy().ravel())
        own = median_1d(field[i, first:last].copy())
        out[i] = own if own < around else around
    return out
