"""From sensors to an even depth grid, one window at a time."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.errors import ParameterError
from hrm.kernels.interpolate import depth_grid, interpolate_2d

KERNELS = ("linear", "pchip", "cubic")


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
