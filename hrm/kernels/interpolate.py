"""Interpolation of the sensor column onto a depth grid, one time sample at a time.

All three rules have one form: between two neighboring sensors the value is a weighted
sum of their pressures and of one bend at each, which is the slope (PCHIP), the second
derivative (cubic spline) or nothing (linear). The weights depend on depth only, so the
inner loops run along time, without branches, and the compiler makes vectors of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hrm.kernels._jit import kernel

_STRAIGHT, _MONOTONE, _SPLINE = 0, 1, 2
_RULES = {"linear": _STRAIGHT, "pchip": _MONOTONE, "cubic": _SPLINE}

#: Samples done at a time: pressures and bends of 36 sensors then stay in a cache of 2 MB.
_BLOCK = 2048


@kernel
def _end_slope(h0: float, h1: float, d0: float, d1: float) -> float:
    # One-sided three-point estimate, limited so that the end interval stays monotone.
    slope = ((2.0 * h0 + h1) * d0 - h0 * d1) / (h0 + h1)
    limited = 3.0 * d0 if d0 * d1 <= 0.0 and abs(slope) > 3.0 * abs(d0) else slope
    return 0.0 if slope * d0 <= 0.0 else limited


@kernel
def _secants_2d(
    values: NDArray[np.float32], depth: NDArray[np.float64], start: int, out: NDArray[np.float64]
) -> None:
    # Of the samples from `start` on, as many as `out` is long.
    for i in range(depth.size - 1):
        width = depth[i + 1] - depth[i]
        for k in range(out.shape[1]):
            out[i, k] = (values[i + 1, start + k] - values[i, start + k]) / width


@kernel
def _slopes_2d(
    secant: NDArray[np.float64], depth: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    # Monotone (Fritsch-Carlson) slopes, kept with the digits of a float32.
    n, m = out.shape
    if n == 2:
        for k in range(m):
            out[0, k] = out[1, k] = np.float32(secant[0, k])
        return
    for i in range(1, n - 1):
        h0, h1 = depth[i] - depth[i - 1], depth[i + 1] - depth[i]
        w0, w1 = (2.0 * h1 + h0) / (3.0 * (h0 + h1)), (h1 + 2.0 * h0) / (3.0 * (h0 + h1))
        for k in range(m):
            d0, d1 = secant[i - 1, k], secant[i, k]
            product = d0 * d1
            # The compiler divides anyway and chooses then, so that nothing branches. NaN must
            # survive: a comparison with NaN is false and keeps the quotient.
            mean = 0.0 if product <= 0.0 else product / (w0 * d1 + w1 * d0)
            out[i, k] = np.float32(mean)
    h0, h1 = depth[1] - depth[0], depth[2] - depth[1]
    g0, g1 = depth[n - 1] - depth[n - 2], depth[n - 2] - depth[n - 3]
    for k in range(m):
        out[0, k] = np.float32(_end_slope(h0, h1, secant[0, k], secant[1, k]))
        out[n - 1, k] = np.float32(_end_slope(g0, g1, secant[n - 2, k], secant[n - 3, k]))


@kernel
def _curvatures_2d(
    values: NDArray[np.float32], depth: NDArray[np.float64], start: int, out: NDArray[np.float64]
) -> None:
    # Second derivatives of the natural spline: one tridiagonal system (Thomas algorithm),
    # whose factors are the same at all times. The end rows of `out` are 0 already.
    n, m = out.shape
    above = np.zeros(n)
    for i in range(1, n - 1):
        h0, h1 = depth[i] - depth[i - 1], depth[i + 1] - depth[i]
        share = 1.0 / (2.0 * (h0 + h1) - h0 * above[i - 1])
        above[i] = h1 * share
        w0, w1, back = 6.0 / h0 * share, 6.0 / h1 * share, h0 * share
        for k in range(m):
            here = np.float64(values[i, start + k])
            fall = here - np.float64(values[i - 1, start + k])
            rise = np.float64(values[i + 1, start + k]) - here
            out[i, k] = w1 * rise - w0 * fall - back * out[i - 1, k]
    for i in range(n - 3, 0, -1):
        for k in range(m):
            out[i, k] -= above[i] * out[i + 1, k]


@kernel
def _row_1d(
    upper: NDArray[np.float32],
    lower: NDArray[np.float32],
    upper_bend: NDArray[np.float64],
    lower_bend: NDArray[np.float64],
    weights: NDArray[np.float64],
    out: NDArray[np.float32],
) -> None:
    a, b, c, d = weights[0], weights[1], weights[2], weights[3]
    for k in range(out.size):
        out[k] = a * upper[k] + b * lower[k] + c * upper_bend[k] + d * lower_bend[k]


@kernel
def _five_rows_1d(
    upper: NDArray[np.float32],
    lower: NDArray[np.float32],
    upper_bend: NDArray[np.float64],
    lower_bend: NDArray[np.float64],
    weights: NDArray[np.float64],
    out0: NDArray[np.float32],
    out1: NDArray[np.float32],
    out2: NDArray[np.float32],
    out3: NDArray[np.float32],
    out4: NDArray[np.float32],
) -> None:
    # As `_row_1d`, five rows from one reading of the inputs: half the time of five calls.
    a0, b0, c0, d0 = weights[0, 0], weights[0, 1], weights[0, 2], weights[0, 3]
    a1, b1, c1, d1 = weights[1, 0], weights[1, 1], weights[1, 2], weights[1, 3]
    a2, b2, c2, d2 = weights[2, 0], weights[2, 1], weights[2, 2], weights[2, 3]
    a3, b3, c3, d3 = weights[3, 0], weights[3, 1], weights[3, 2], weights[3, 3]
    a4, b4, c4, d4 = weights[4, 0], weights[4, 1], weights[4, 2], weights[4, 3]
    for k in range(out0.size):
        x, y = np.float64(upper[k]), np.float64(lower[k])
        u, v = upper_bend[k], lower_bend[k]
        out0[k] = a0 * x + b0 * y + c0 * u + d0 * v
        out1[k] = a1 * x + b1 * y + c1 * u + d1 * v
        out2[k] = a2 * x + b2 * y + c2 * u + d2 * v
        out3[k] = a3 * x + b3 * y + c3 * u + d3 * v
        out4[k] = a4 * x + b4 * y + c4 * u + d4 * v


@kernel
def _rows_2d(
    values: NDArray[np.float32],
    bend: NDArray[np.float64],
    above: NDArray[np.int64],
    weights: NDArray[np.float64],
    start: int,
    out: NDArray[np.float32],
) -> None:
    # Rows are cut from whole arrays, as only these are known to lie without gaps.
    n, stop, g = above.size, start + bend.shape[1], 0
    while g < n:
        i = above[g]
        if i < 0:
            out[g, start:stop] = np.nan
            g += 1
            continue
        x, y = values[i, start:stop], values[i + 1, start:stop]
        if g + 4 < n and above[g + 4] == i:
            _five_rows_1d(
                *(x, y, bend[i], bend[i + 1], weights[g : g + 5]),
                *(out[g, start:stop], out[g + 1, start:stop], out[g + 2, start:stop]),
                *(out[g + 3, start:stop], out[g + 4, start:stop]),
            )
            g += 5
        else:
            _row_1d(x, y, bend[i], bend[i + 1], weights[g], out[g, start:stop])
            g += 1


@kernel
def rows_into_2d(
    values: NDArray[np.float32],
    depth: NDArray[np.float64],
    rule: int,
    above: NDArray[np.int64],
    weights: NDArray[np.float64],
    own: NDArray[np.int64],
    out: NDArray[np.float32],
) -> None:
    """Fill a grid from the sensors; bends and sums are float64.

    Parameters
    ----------
    values : array (sensor, time) float32
    depth : array (sensor,) float64, strictly increasing, at least 2
    rule : int
        0 linear, 1 PCHIP with limited three-point slopes at the ends, 2 cubic spline with
        natural ends.
    above : array (depth,) int64
        Index of the sensor at or above each grid point, increasing; -1 outside.
    weights : array (depth, 4) float64
        Of the pressure above and below, and of the bend above and below.
    own : array (depth,) int64
        Index of the sensor whose pressure is taken as it is; -1 for none.
    out : array (depth, time) float32
        Filled; NaN outside the sensors.
    """
    n, m = values.shape
    for start in range(0, m, _BLOCK):
        stop = min(start + _BLOCK, m)
        bend = np.zeros((n, stop - start))
        if rule == _MONOTONE:
            secant = np.empty((n - 1, stop - start))
            _secants_2d(values, depth, start, secant)
            _slopes_2d(secant, depth, bend)
        elif rule == _SPLINE:
            _curvatures_2d(values, depth, start, bend)
        _rows_2d(values, bend, above, weights, start, out)
        for g in range(own.size):
            if own[g] >= 0:
                out[g, start:stop] = values[own[g], start:stop]


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
    out: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Interpolate along depth with the kernel of that name, at each time by itself.

    Parameters
    ----------
    values : array (sensor, time)
        Converted to C-contiguous float32.
    depth : array (sensor,), strictly increasing
    grid : array (depth,), increasing
    kernel_name : {"linear", "pchip", "cubic"}
    out : array (depth, time) float32, C-contiguous, optional
        Where to write; a new array costs as much again as filling it.

    Returns
    -------
    array (depth, time) float32
        NaN outside the sensors; a single sensor is known at its own depth only. PCHIP at
        a sensor needs its neighbors too, the others do not.
    """
    data = np.ascontiguousarray(values, dtype=np.float32)
    places = np.ascontiguousarray(depth, dtype=np.float64)
    points = np.asarray(grid, dtype=np.float64)
    if out is None:
        out = np.empty((points.size, data.shape[1]), dtype=np.float32)
    rule = _RULES[kernel_name]
    own = np.searchsorted(places, points)
    own[places[np.minimum(own, places.size - 1)] != points] = -1
    if places.size == 1:
        out[:] = np.where(own[:, None] == 0, data[0], np.float32(np.nan))
        return out
    above, weights = _weights(places, points, rule)
    if rule == _MONOTONE:
        own[:] = -1
    rows_into_2d(data, places, rule, above, weights, own, out)
    return out


def _weights(
    depth: NDArray[np.float64], grid: NDArray[np.float64], rule: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Sensor above each grid point, and what the two neighbors and their bends count."""
    above = np.clip(np.searchsorted(depth, grid, side="right") - 1, 0, depth.size - 2)
    width = (depth[above + 1] - depth[above]) if grid.size else grid
    s = (grid - depth[above]) / width
    r = 1.0 - s
    if rule == _MONOTONE:
        pressures = (1.0 + 2.0 * s) * r**2, s * s * (3.0 - 2.0 * s)
        bends = width * s * r**2, width * s * s * (s - 1.0)
    elif rule == _SPLINE:
        pressures, scale = (r, s), width**2 / 6.0
        bends = (r**3 - r) * scale, (s**3 - s) * scale
    else:
        s = (1.0 / width) * (grid - depth[above])  # as np.interp has it, to the last bit
        pressures, bends = (1.0 - s, s), (0.0 * s, 0.0 * s)
    above[(grid < depth[0]) | (grid > depth[-1])] = -1
    return above, np.ascontiguousarray(np.column_stack((*pressures, *bends)))
