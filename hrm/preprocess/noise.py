"""White sensor noise: its estimate, and the filter that applies where it is high.

Metric definitions work on unfiltered pressure; the filter is applied by the pipeline
only where the noise is estimated above a named limit, and then both values are reported.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.errors import ParameterError
from hrm.kernels.filters import smooth_2d


def sensor_noise(pressure: xr.DataArray) -> NDArray[np.float64]:
    """Estimate the white noise of each sensor from first differences in quiet intervals.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg]

    Returns
    -------
    array (sensor,) [mmHg]
        Standard deviation; NaN if there are too few samples. The median over 1 s
        intervals is taken, which leaves contractions out as long as they fill less than
        half of the time.

    Notes
    -----
    SPEC section 1.3.
    """
    values, time = pressure.values, pressure["time"].values
    length = max(4, round(1.0 / float(time[1] - time[0])))
    n_intervals = (values.shape[1] - 1) // length
    out = np.full(values.shape[0], np.nan)
    if n_intervals == 0:
        return out
    for i, row in enumerate(values):  # one at a time: a copy of all in float64 is large
        squares = np.diff(row.astype(np.float64)) ** 2
        blocks = squares[: n_intervals * length].reshape(n_intervals, length)
        rms = np.sqrt(blocks.mean(axis=1) / 2.0)
        if np.isfinite(rms).any():
            out[i] = np.nanmedian(rms)
    return out


def estimate_noise(pressure: xr.DataArray) -> float:
    """Estimate the white noise of a recording: the median over its sensors.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg]

    Returns
    -------
    float
        Standard deviation [mmHg] (see `sensor_noise`); NaN if there are too few samples.
    """
    each = sensor_noise(pressure)
    each = each[np.isfinite(each)]
    return float(np.median(each)) if each.size else float("nan")


def filter_noise(pressure: xr.DataArray, *, sd_s: float) -> xr.DataArray:
    """Smooth along time with a zero-phase Gaussian.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg]
    sd_s : float [s]
        Standard deviation of the Gaussian; cut at four of them.

    Returns
    -------
    DataArray (sensor, time) [mmHg]
    """
    if not sd_s > 0:
        raise ParameterError(f"sd_s must be positive, got {sd_s}")
    step = float(pressure["time"].values[1] - pressure["time"].values[0])
    lags = np.arange(int(np.ceil(4.0 * sd_s / step)) + 1) * step
    half = np.exp(-0.5 * (lags / sd_s) ** 2)
    values = np.ascontiguousarray(pressure.values, dtype=np.float32)
    return pressure.copy(data=smooth_2d(values, half / (half[0] + 2.0 * half[1:].sum())))
