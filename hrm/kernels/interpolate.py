"""Interpolation of the sensor column onto a depth grid, one time sample at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hrm.kernels._jit import kernel


@kernel
def _end_slope(h0: float, h1: float, d0: float, d1: float) -> float:
    # One-sided three-point estimate, limited so that the end interval stays monotone.
    slope = ((2.0 * h0 + h1) * d0 - h0 * d1) / (h0 + h1)
    if slope * d0 <= 0.0:
        return 0.0
    if d0 * d1 <= 0.0 and abs(slope) > 3.0 * abs(d0):
        return 3.0 * d0
    return slope


@kernel
def pchip_slopes_2d(values: NDArray[np.float32], depth: NDArray[np.float64]) -> NDArray[np.float32]:
    """Monotone (Fritsch-Carlson) slope at each sensor and time.

    Parameters
    ----------
    values : array (sensor, time) float32
    depth : array (sensor,) float64, strictly increasing, at least 2

    Returns
    -------
    array (sensor, time) float32
        Slope per unit of depth.
    """
    n, m = values.shape
    out = np.zeros((n, m), dtype=np.float32)
    if n == 2:
        for k in range(m):
            out[0, k] = out[1, k] = (values[1, k] - values[0, k]) / (depth[1] - depth[0])
        return out
    for i in range(1, n - 1):
        h0 = depth[i] - depth[i - 1]
        h1 = depth[i + 1] - depth[i]
        w0 = (2.0 * h1 + h0) / (3.0 * (h0 + h1))
        w1 = (h1 + 2.0 * h0) / (3.0 * (h0 + h1))
        for k in range(m):
            d0 = (values[i, k] - values[i - 1, k]) / h0
            d1 = (values[i + 1, k] - values[i, k]) / h1
            product = d0 * d1
            # NaN must survive: a comparison with NaN is false and keeps the quotient.
            out[i, k] = 0.0 if product <= 0.0 else product / (w0 * d1 + w1 * d0)
    h0, h1 = depth[1] - depth[0], depth[2] - depth[1]
    g0, g1 = depth[n - 1] - depth[n - 2], depth[n - 2] - depth[n - 3]
    for k in range(m):
        d0 = (values[1, k] - values[0, k]) / h0
        d1 = (values[2, k] - values[1, k]) / h1
        out[0, k] = _end_slope(h0, h1, d0, d1)
        d0 = (values[n - 1, k] - values[n - 2, k]) / g0
        d1 = (values[n - 2, k] - values[n - 3, k]) / g1
        out[n - 1, k] = _end_slope(g0, g1, d0, d1)
    return out


@kernel
def pchip_2d(
    values: NDArray[np.float32], depth: NDArray[np.float64], grid: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Shape-preserving cubic along depth; NaN outside the end sensors.

    Parameters
    ----------
    values : array (sensor, time) float32
    depth : array (sensor,) float64, strictly increasing, at least 2
    grid : array (depth,) float64

    Returns
    -------
    array (depth, time) float32
    """
    n, m = values.shape
    slopes = pchip_slopes_2d(values, depth)
    out = np.empty((grid.size, m), dtype=np.float32)
    for g in range(grid.size):
        z = grid[g]
        if not (z >= depth[0] and z <= depth[n - 1]):
            out[g, :] = np.nan
            continue
        i = min(max(np.searchsorted(depth, z, side="right") - 1, 0), n - 2)
        h = depth[i + 1] - depth[i]
        s = (z - depth[i]) / h
        a0 = (1.0 + 2.0 * s) * (1.0 - s) ** 2
        a1 = s * s * (3.0 - 2.0 * s)
        b0 = h * s * (1.0 - s) ** 2
        b1 = h * s * s * (s - 1.0)
        for k in range(m):
            out[g, k] = (
                a0 * values[i, k]
                + a1 * values[i + 1, k]
                + b0 * slopes[i, k]
                + b1 * slopes[i + 1, k]
            )
    return out


@kernel
def weighted_2d(values: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.float32]:
    """Apply a linear kernel given as weights of each sensor on each grid point.

    Parameters
    ----------
    values : array (sensor, time) float32
    weights : array (depth, sensor) float64
        A row of NaN marks a grid point outside the sensors.

    Returns
    -------
    array (depth, time) float32
    """
    out = np.empty((weights.shape[0], values.shape[1]), dtype=np.float32)
    row = np.empty(values.shape[1], dtype=np.float64)
    for g in range(weights.shape[0]):
        row[:] = 0.0
        for i in range(values.shape[0]):
            w = weights[g, i]
            if w == 0.0:
                continue
            for k in range(values.shape[1]):
                row[k] += w * values[i, k]
        for k in range(values.shape[1]):
            out[g, k] = row[k]
    return out


def depth_grid(depth: NDArray[np.float64], step_cm: float) -> NDArray[np.float64]:
    """Grid from the first sensor to the last, never beyond.

    Parameters
    ----------
    depth : array (sensor,) [cm]
    step_cm : float [cm]

    Returns
    -------
    array (depth,) [cm]
    """
    count = int(np.floor((depth[-1] - depth[0]) / step_cm + 1e-9)) + 1
    return np.asarray(depth[0] + step_cm * np.arange(count))


def interpolate_2d(
    values: NDArray[np.float32],
    depth: NDArray[np.float64],
    grid: NDArray[np.float64],
    kernel_name: str,
) -> NDArray[np.float32]:
    """Interpolate along depth with the kernel of that name, at each time by itself.

    Parameters
    ----------
    values : array (sensor, time)
        Converted to C-contiguous float32.
    depth : array (sensor,), strictly increasing
    grid : array (depth,)
    kernel_name : {"linear", "pchip", "cubic"}

    Returns
    -------
    array (depth, time) float32
        NaN outside the sensors; a single sensor is known at its own depth only.
    """
    data = np.ascontiguousarray(values, dtype=np.float32)
    places = np.ascontiguousarray(depth, dtype=np.float64)
    if kernel_name == "linear" or places.size == 1:
        return weighted_2d(data, _linear_weights(places, grid))
    if kernel_name == "cubic":
        return weighted_2d(data, _cubic_weights(places, grid))
    return pchip_2d(data, places, grid)


def _linear_weights(depth: NDArray[np.float64], grid: NDArray[np.float64]) -> NDArray[np.float64]:
    units = np.eye(depth.size)
    columns = [np.interp(grid, depth, row, left=np.nan, right=np.nan) for row in units]
    return np.ascontiguousarray(np.column_stack(columns))


def _cubic_weights(depth: NDArray[np.float64], grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of the cubic spline with natural ends (second derivative zero)."""
    n, h = depth.size, np.diff(depth)
    system, rhs = np.eye(n), np.zeros((n, n))
    for i in range(1, n - 1):
        system[i, i - 1 : i + 2] = h[i - 1], 2.0 * (h[i - 1] + h[i]), h[i]
        rhs[i, i - 1 : i + 2] = 6.0 / h[i - 1], -6.0 / h[i - 1] - 6.0 / h[i], 6.0 / h[i]
    curvature = np.linalg.solve(system, rhs)
    left = np.clip(np.searchsorted(depth, grid, side="right") - 1, 0, n - 2)
    width = h[left]
    b = (grid - depth[left]) / width
    a = 1.0 - b
    weights = np.zeros((grid.size, n))
    rows = np.arange(grid.size)
    weights[rows, left] += a
    weights[rows, left + 1] += b
    scale = width**2 / 6.0
    weights += ((a**3 - a) * scale)[:, None] * curvature[left]
    weights += ((b**3 - b) * scale)[:, None] * curvature[left + 1]
    weights[(grid < depth[0]) | (grid > depth[-1])] = np.nan
    return weights
