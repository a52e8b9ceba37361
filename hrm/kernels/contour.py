"""Isobaric contours of a pressure field: runs, fronts and connected regions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hrm.kernels._jit import kernel


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
        best = -np.inf
        for k in range(m):
            if field[i, k] > best:
                best = field[i, k]
                peak[i] = k
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
def label_2d(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Number the 4-connected regions of a mask from 1; 0 outside.

    Parameters
    ----------
    mask : array (depth, time) bool

    Returns
    -------
    array (depth, time) int32
        Regions are numbered in the order of their first element, row by row.
    """
    n, m = mask.shape
    labels = np.zeros((n, m), dtype=np.int32)
    stack = np.empty((n * m, 2), dtype=np.int64)
    count = 0
    for i in range(n):
        for k in range(m):
            if not mask[i, k] or labels[i, k] != 0:
                continue
            count += 1
            labels[i, k] = count
            stack[0, 0], stack[0, 1] = i, k
            depth = 1
            while depth > 0:
                depth -= 1
                a, b = stack[depth, 0], stack[depth, 1]
                for side in range(4):
                    c = a + (1 if side == 0 else -1 if side == 1 else 0)
                    d = b + (1 if side == 2 else -1 if side == 3 else 0)
                    if 0 <= c < n and 0 <= d < m and mask[c, d] and labels[c, d] == 0:
                        labels[c, d] = count
                        stack[depth, 0], stack[depth, 1] = c, d
                        depth += 1
    return labels


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
