"""Lines through points: two that meet at a knot, and those through each pair."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hrm.kernels._jit import kernel


@kernel
def hinge_fits_1d(
    x: NDArray[np.float64], y: NDArray[np.float64], knots: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit ``a + b x + c max(x - knot, 0)`` for each of some knots.

    Parameters
    ----------
    x, y : array (n,) float64
    knots : array (knot,) float64
        Each with points on both sides.

    Returns
    -------
    error : array (knot,) float64
        Sum of squared residuals; infinite where the points settle no such fit.
    coefficients : array (knot, 3) float64
        a, b and c.
    """
    n = x.size
    error = np.full(knots.size, np.inf)
    coefficients = np.full((knots.size, 3), np.nan)
    # About their means the normal equations are of two unknowns, and keep their digits.
    x0, y0 = x.mean() if n else 0.0, y.mean() if n else 0.0
    for k in range(knots.size):
        h0 = 0.0
        for i in range(n):
            h0 += max(x[i] - knots[k], 0.0) / n
        xx = xh = hh = xy = hy = 0.0
        for i in range(n):
            u, v, w = x[i] - x0, max(x[i] - knots[k], 0.0) - h0, y[i] - y0
            xx += u * u
            xh += u * v
            hh += v * v
            xy += u * w
            hy += v * w
        determinant = xx * hh - xh * xh
        if determinant <= 1e-12 * xx * hh:
            continue
        b = (xy * hh - hy * xh) / determinant
        c = (hy * xx - xy * xh) / determinant
        coefficients[k, 0] = y0 - b * x0 - c * h0
        coefficients[k, 1] = b
        coefficients[k, 2] = c
        total = 0.0
        for i in range(n):
            left = (y[i] - y0) - b * (x[i] - x0) - c * (max(x[i] - knots[k], 0.0) - h0)
            total += left * left
        error[k] = total
    return error, coefficients


@kernel
def pair_slopes_1d(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slopes of the lines through all pairs of points.

    Parameters
    ----------
    x, y : array (n,) float64
        No two of `x` the same.

    Returns
    -------
    array (n (n - 1) / 2,) float64
    """
    n = x.size
    slopes = np.empty(n * (n - 1) // 2)
    at = 0
    for i in range(n):
        for k in range(i + 1, n):
            slopes[at] = (y[k] - y[i]) / (x[k] - x[i])
            at += 1
    return slopes
