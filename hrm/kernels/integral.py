"""Integrals of a pressure field over depth and time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hrm.kernels._jit import kernel


@kernel
def excess_2d(
    field: NDArray[np.float32],
    keep: NDArray[np.bool_],
    threshold: float,
    depth_step: float,
    time_step: float,
) -> float:
    """Integrate the pressure above a threshold, which is subtracted.

    The field is taken as continuous along depth (trapezoids between grid lines)
    and as one value for each sampling interval along time.

    Parameters
    ----------
    field : array (depth, time) float32
    keep : array (depth, time) bool
        Samples that count.
    threshold : float
    depth_step, time_step : float
        Grid steps.

    Returns
    -------
    float
        In units of field x depth x time; NaN if a sample that counts is NaN.
    """
    n, m = field.shape
    if n < 2:
        return 0.0  # one grid line has no extent
    total = 0.0
    for i in range(n):
        weight = 0.5 if (i == 0 or i == n - 1) else 1.0
        row = 0.0
        for k in range(m):
            if keep[i, k]:
                excess = np.float64(field[i, k]) - threshold
                # Written so that NaN falls through and spoils the sum visibly.
                row += 0.0 if excess <= 0.0 else excess
        total += weight * row
    return total * depth_step * time_step


@kernel
def column_means_2d(
    field: NDArray[np.float32], first: NDArray[np.int64], stop: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Average each column over rows of its own.

    Parameters
    ----------
    field : array (depth, time) float32
    first, stop : array (time,) int64
        First row, and one past the last.

    Returns
    -------
    array (time,) float64
        NaN where there are no rows, and where one of them is NaN.
    """
    out = np.full(first.size, np.nan)
    for k in range(first.size):
        if stop[k] > first[k]:
            total = 0.0
            for i in range(first[k], stop[k]):
                total += np.float64(field[i, k])
            out[k] = total / (stop[k] - first[k])
    return out
