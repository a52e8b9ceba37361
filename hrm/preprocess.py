"""What happens to the pressure before any metric: usable sensors, noise, depth grid.

Metric definitions work on unfiltered pressure; the filter here is applied by the
pipeline only where the white sensor noise is estimated above a named limit, and
then both values are reported.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.errors import ParameterError
from hrm.kernels.filters import smooth_2d
from hrm.kernels.interpolate import depth_grid, interpolate_2d

KERNELS = ("linear", "pchip", "cubic")


def estimate_noise(pressure: xr.DataArray) -> float:
    """Estimate the white sensor noise from first differences in quiet intervals.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg]

    Returns
    -------
    float
        Standard deviation [mmHg], the median over sensors; NaN if there are too
        few samples. In each sensor the median over 1 s intervals is taken, which
        leaves contractions out as long as they fill less than half of the time.

    Notes
    -----
    SPEC section 1.3.
    """
    values = np.asarray(pressure.values, dtype=np.float64)
    step = float(pressure["time"].values[1] - pressure["time"].values[0])
    length = max(4, round(1.0 / step))
    squares = np.diff(values, axis=1) ** 2
    n_intervals = squares.shape[1] // length
    if n_intervals == 0:
        return float("nan")
    blocks = squares[:, : n_intervals * length].reshape(values.shape[0], n_intervals, length)
    rms = np.sqrt(blocks.mean(axis=2) / 2.0)
    known = rms[np.isfinite(rms).any(axis=1)]
    if known.size == 0:
        return float("nan")
    return float(np.median(np.nanmedian(known, axis=1)))


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


def usable_sensors(pressure: xr.DataArray, *, dead_variance: float) -> NDArray[np.bool_]:
    """Say which sensors can be used: neither marked bad, nor constant, nor empty.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg], coord ``sensor_ok``
    dead_variance : float [mmHg^2]
        A sensor that varies less over the whole recording is dead.

    Returns
    -------
    array (sensor,) of bool
    """
    values = pressure.values
    variance = np.full(values.shape[0], np.nan)
    known = np.isfinite(values).any(axis=1)
    variance[known] = np.nanvar(values[known].astype(np.float64), axis=1)
    return np.asarray(pressure["sensor_ok"].values & known & (variance >= dead_variance))


def interpolate_depth(
    pressure: xr.DataArray, *, step_cm: float = 0.1, kernel: str = "pchip"
) -> xr.DataArray:
    """Interpolate sensor pressure onto an even depth grid.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg], coord ``depth`` [cm]
        Only usable sensors; give a window of the recording, not all of it.
    step_cm : float [cm]
    kernel : {"linear", "pchip", "cubic"}

    Returns
    -------
    DataArray (depth, time) [mmHg]

    Notes
    -----
    SPEC section 1.4: along depth only, evaluated at each time sample, no
    extrapolation past the end sensors.
    """
    depth = np.asarray(pressure["depth"].values, dtype=np.float64)
    if kernel not in KERNELS:
        raise ParameterError(f"kernel must be one of {', '.join(KERNELS)}, got {kernel!r}")
    grid = depth_grid(depth, step_cm)
    field = interpolate_2d(pressure.values, depth, grid, kernel)
    return xr.DataArray(
        field,
        dims=("depth", "time"),
        coords={"depth": ("depth", grid, {"units": "cm"}), "time": pressure["time"]},
        attrs={"units": "mmHg", "long_name": "pressure", "interpolation": kernel},
        name="pressure",
    )


def window_field(
    pressure: xr.DataArray,
    usable: NDArray[np.bool_],
    start_s: float,
    stop_s: float,
    parameters: Parameters,
) -> xr.DataArray:
    """Interpolate one window of a recording onto the depth grid.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg], coord ``depth`` [cm]
    usable : array (sensor,) of bool
    start_s, stop_s : float [s]
    parameters : Parameters

    Returns
    -------
    DataArray (depth, time) [mmHg]
        A bad sensor between two good ones is bridged by the interpolation; of
        neighbors that are bad together the gap stays NaN and spoils whatever needs
        it (SPEC section 1.2).
    """
    columns = slice(*np.searchsorted(pressure["time"].values, [start_s - 5e-7, stop_s - 5e-7]))
    window = pressure[:, columns].copy()
    bad = ~usable | np.isnan(window.values).any(axis=1)
    above, below = np.roll(bad, 1), np.roll(bad, -1)
    above[0] = below[-1] = False
    gap = bad & (above | below)
    good = np.flatnonzero(~bad)
    if good.size < 2:
        gap[:] = bad[:] = True
    else:
        # Beyond the last good sensor there is nothing to bridge: the grid just ends.
        gap[: good[0]] = gap[good[-1] + 1 :] = False
    window.values[gap] = np.nan
    return interpolate_depth(
        window[~bad | gap],
        step_cm=parameters["interpolation.step_cm"],
        kernel=parameters["interpolation.kernel"],
    )
