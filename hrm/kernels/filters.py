"""Filters along time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hrm.kernels._jit import kernel


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
    taps = half.size
    out = np.empty((n, m), dtype=np.float32)
    total = np.empty(m, dtype=np.float64)
    weight = np.empty(m, dtype=np.float64)
    clean = np.empty(m, dtype=np.float64)
    valid = np.empty(m, dtype=np.float64)
    for i in range(n):
        for k in range(m):
            missing = np.isnan(values[i, k])
            clean[k] = 0.0 if missing else values[i, k]
            valid[k] = 0.0 if missing else 1.0
            total[k] = half[0] * clean[k]
            weight[k] = half[0] * valid[k]
        for lag in range(1, min(taps, m)):
            w = half[lag]
            for k in range(m - lag):
                total[k] += w * clean[k + lag]
                weight[k] += w * valid[k + lag]
            for k in range(lag, m):
                total[k] += w * clean[k - lag]
                weight[k] += w * valid[k - lag]
        for k in range(m):
            out[i, k] = total[k] / weight[k] if valid[k] > 0.0 else np.nan
    return out
