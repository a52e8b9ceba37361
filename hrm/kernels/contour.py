"""Isobaric contours of a pressure field: runs, fronts and connected regions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hrm.kernels._jit import kernel

#: Maxima that are kept side by side: one after the other each would wait for the one before.
_LANES = 64


@kernel
def _greatest(row: NDArray[np.float32]) -> np.float32:
    """Greatest number of a row (time,), NaN left out; minus infinity where there is none."""
    lanes = np.full(_LANES, -np.inf, dtype=np.float32)
    whole = row.size - row.size % _LANES
    for k in range(0, whole, _LANES):
        for j in range(_LANES):
            value = row[k + j]
            lanes[j] = value if value > lanes[j] else lanes[j]
    best = np.float32(-np.inf)
    for j in range(_LANES):
        best = lanes[j] if lanes[j] > best else best
    for k in range(whole, row.size):
        best = row[k] if row[k] > best else best
    return best


@kernel
def peak_run_2d(
    field: NDArray[np.float32], level: float, shortest: int
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Find, at each depth, the run at or above `level` that holds the peak.

    Parameters
    ----------
    field : array (depth, time) float32
    level : float
    shortest : int
        Least number of samples of a run.

    Returns
    -------
    start : array (depth,) float64
        Sample index of the upward crossing, interpolated between samples;
        NaN where the peak stays below the level or its run is too short.
    peak : array (depth,) int64
        Index of the maximum, -1 where every sample is NaN.
    stop : array (depth,) int64
        Index one past the run, -1 where there is none.
    """
    n, m = field.shape
    start = np.full(n, np.nan)
    peak = np.full(n, -1, dtype=np.int64)
    stop = np.full(n, -1, dtype=np.int64)
    for i in range(n):
        best = _greatest(field[i])
        if best > -np.inf:
            peak[i] = 0
            while field[i, peak[i]] != best:
                peak[i] += 1
        if peak[i] < 0 or not best >= level:
            continue
        first = peak[i]
        while first > 0 and field[i, first - 1] >= level:
            first -= 1
        last = peak[i] + 1
        while last < m and field[i, last] >= level:
            last += 1
        if last - first < shortest:
            continue
        stop[i] = last
        start[i] = first
        if first > 0:
            below, above = field[i, first - 1], field[i, first]
            if above > below:
                start[i] = first - 1 + (level - below) / (above - below)
    return start, peak, stop


@kernel
def reached_2d(
    mask: NDArray[np.bool_], rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Find what is 4-connected within a mask to one of some places.

    Parameters
    ----------
    mask : array (depth, time) bool
    rows, columns : array (n,) int64
        The places; one outside the mask reaches nothing.

    Returns
    -------
    array (depth, time) bool
    """
    n, m = mask.shape
    reached = np.zeros((n, m), dtype=np.bool_)
    # No two runs of neighboring rows put each other here more than once.
    stack = np.empty((n * (m + 1) + 1, 2), dtype=np.int64)
    for place in range(rows.size):
        if not mask[rows[place], columns[place]]:
            continue
        stack[0, 0], stack[0, 1] = rows[place], columns[place]
        height = 1
        while height > 0:
            height -= 1
            i, first = stack[height, 0], stack[height, 1]
            if reached[i, first]:
                continue
            last = first + 1
            while first > 0 and mask[i, first - 1]:
                first -= 1
            while last < m and mask[i, last]:
                last += 1
            reached[i, first:last] = True
            for side in range(-1, 2, 2):
                if not 0 <= i + side < n:
                    continue
                before = False
                for k in range(first, last):
                    now = mask[i + side, k]
                    if now and not before and not reached[i + side, k]:
                        stack[height, 0], stack[height, 1] = i + side, k
                        height += 1
                    before = now
    return reached


@kernel
def axial_share_1d(field: NDArray[np.float32], level: float) -> NDArray[np.float64]:
    """Share of depths at or above `level`, at each time.

    Parameters
    ----------
    field : array (depth, time) float32
    level : float

    Returns
    -------
    array (time,) float64
        NaN where no depth has a value.
    """
    n, m = field.shape
    above = np.zeros(m)
    known = np.zeros(m)
    for i in range(n):
        for k in range(m):
            if not np.isnan(field[i, k]):
                known[k] += 1.0
            if field[i, k] >= level:
                above[k] += 1.0
    for k in range(m):
        # Written out: 0 / 0 would warn when the kernels run as plain Python.
        above[k] = above[k] / known[k] if known[k] > 0.0 else np.nan
    return above


@kernel
def axial_sd_1d(field: NDArray[np.float32]) -> NDArray[np.float64]:
    """Standard deviation along depth, at each time, NaN left out.

    Parameters
    ----------
    field : array (depth, time) float32

    Returns
    -------
    array (time,) float64
        NaN where no depth has a value.
    """
    n, m = field.shape
    count = np.zeros(m)
    total = np.zeros(m)
    square = np.zeros(m)
    for i in range(n):
        for k in range(m):
            value = np.float64(field[i, k])
            if not np.isnan(value):
                count[k] += 1.0
                total[k] += value
                square[k] += value * value
    out = np.full(m, np.nan)
    for k in range(m):
        if count[k] == 0.0:
            continue
        mean = total[k] / count[k]
        out[k] = np.sqrt(max(square[k] / count[k] - mean * mean, 0.0))
    return out


@kernel
def pressed_ahead_1d(
    field: NDArray[np.float32], stop: NDArray[np.int64], level: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Count, at each time, the depths that a front has not reached yet.

    Parameters
    ----------
    field : array (depth, time) float32
    stop : array (depth,) int64
        Samples before the front; -1 at a depth that it does not pass.
    level : float

    Returns
    -------
    ahead : array (time,) int64
        Depths that it has not reached.
    pressed : array (time,) int64
        Those of them at or above `level`.
    passed : array (time,) bool
        Whether there is a depth that it has reached.
    """
    n, m = field.shape
    ahead = np.zeros(m, dtype=np.int64)
    pressed = np.zeros(m, dtype=np.int64)
    earliest = m
    for i in range(n):
        for k in range(stop[i]):
            ahead[k] += 1
            pressed[k] += 1 if field[i, k] >= level else 0
        if 0 <= stop[i] < earliest:
            earliest = stop[i]
    passed = np.zeros(m, dtype=np.bool_)
    passed[earliest:] = True
    return ahead, pressed, passed
