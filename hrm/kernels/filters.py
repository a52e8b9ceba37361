"""Filters along time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hrm.kernels._jit import kernel


@kernel
def _convolve_1d(
    values: NDArray[np.float64], half: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    # Nothing lies beyond the ends. At each sample the same sums in the same order, whether
    # both sides are added in one loop, as inside, or one after the other, as at the ends.
    m = values.size
    for k in range(m):
        out[k] = half[0] * values[k]
    for lag in range(1, half.size):
        w = half[lag]
        inside = max(lag, m - lag)
        for k in range(min(lag, m - lag)):
            out[k] += w * values[k + lag]
        for k in range(lag, m - lag):
            out[k] += w * values[k + lag]
            out[k] += w * values[k - lag]
        for k in range(inside, m):
            out[k] += w * values[k - lag]


@kernel
def smooth_2d(values: NDArray[np.float32], half: NDArray[np.float64]) -> NDArray[np.float32]:
    """Convolve each row with a symmetric kernel, renormalised at ends and gaps.

    Parameters
    ----------
    values : array (sensor, time) float32
        NaN samples stay NaN and take no part in their neighbors' values.
    half : array (taps,) float64
        Weights at lags 0, 1, 2 ...; the mirror image is implied.

    Returns
    -------
    array (sensor, time) float32
    """
    n, m = values.shape
    taps = min(half.size, m)
    out = np.empty((n, m), dtype=np.float32)
    total = np.empty(m, dtype=np.float64)
    weight = np.empty(m, dtype=np.float64)
    clean = np.empty(m, dtype=np.float64)
    valid = np.empty(m, dtype=np.float64)
    _convolve_1d(np.ones(m), half[:taps], weight)
    whole = weight.copy()
    for i in range(n):
        gaps = 0
        for k in range(m):
            missing = np.isnan(values[i, k])
            clean[k] = 0.0 if missing else values[i, k]
            valid[k] = 0.0 if missing else 1.0
            gaps += missing
        _convolve_1d(clean, half[:taps], total)
        # Without gaps the weights are those of every other row without gaps.
        weight[:] = whole
        if gaps:
            _convolve_1d(valid, half[:taps], weight)
        for k in range(m):
            out[i, k] = total[k] / weight[k] if valid[k] > 0.0 else np.nan
    return out
