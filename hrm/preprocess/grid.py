"""From sensors to an even depth grid, one window at a time."""

from __future__ import annotations

import math

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
    return _on_grid(pressure.values, pressure["depth"].values, pressure["time"], step_cm, kernel)


def window_field(
    pressure: xr.DataArray,
    usable: NDArray[np.bool_],
    start_s: float,
    stop_s: float,
    parameters: Parameters,
    *,
    les_upper_cm: float = math.nan,
) -> xr.DataArray:
    """Interpolate one window of a recording onto the depth grid.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg], coord ``depth`` [cm]
    usable : array (sensor,) of bool
    start_s, stop_s : float [s]
    parameters : Parameters
        ``interpolation.kernel``, and ``interpolation.les_kernel`` for the LES.
    les_upper_cm : float [cm], optional
        Proximal border of the LES: from the last sensor above it downwards the kernel is
        that of the LES. Both kernels pass through the sensor, so the field has no step.

    Returns
    -------
    DataArray (depth, time) [mmHg]
        A bad sensor between two good ones is bridged by the interpolation; of
        neighbors that are bad together the gap stays NaN and spoils whatever needs
        it (SPEC section 1.2).

    Notes
    -----
    Between sensors PCHIP never exceeds them: the peak of a sphincter that is narrow for
    their distance is cut off. A cubic spline rebuilds more of it, but it also swings beside
    a contraction where sensors are far apart, so it is kept to the LES (SPEC section 1.4).
    """
    places = pressure.coords.variables
    columns = slice(*np.searchsorted(places["time"].values, [start_s - 5e-7, stop_s - 5e-7]))
    # On plain arrays: each selection of a DataArray costs as much as the interpolation.
    window = np.array(pressure.values[:, columns], dtype=np.float32, order="C")
    bad = ~usable | np.isnan(window).any(axis=1)
    above, below = np.roll(bad, 1), np.roll(bad, -1)
    above[0] = below[-1] = False
    gap = bad & (above | below)
    good = np.flatnonzero(~bad)
    if good.size < 2:
        gap[:] = bad[:] = True
    else:
        # Beyond the last good sensor there is nothing to bridge: the grid just ends.
        gap[: good[0]] = gap[good[-1] + 1 :] = False
    window[gap] = np.nan
    chosen = ~bad | gap
    return _two_kernels(
        window[chosen],
        places["depth"].values[chosen],
        places["time"][columns],
        les_upper_cm,
        parameters,
    )


def _two_kernels(
    values: NDArray[np.float32],
    depth: NDArray[np.float64],
    time: xr.Variable,
    les_upper_cm: float,
    parameters: Parameters,
) -> xr.DataArray:
    """By the kernel of the LES from the last sensor above it downwards."""
    kernel, les_kernel = (parameters[f"interpolation.{key}"] for key in ("kernel", "les_kernel"))
    if not les_upper_cm > depth[0]:
        les_kernel = kernel
    if les_kernel == kernel:
        return _on_grid(values, depth, time, parameters["interpolation.step_cm"], kernel)
    grid = depth_grid(depth, parameters["interpolation.step_cm"])
    border = depth[np.searchsorted(depth, les_upper_cm, side="right") - 1]
    cut = int(np.searchsorted(grid, border))
    out = np.empty((grid.size, values.shape[1]), dtype=np.float32)
    interpolate_2d(values, depth, grid[:cut], kernel, out[:cut])
    # A spline is one piece: a gap would spoil it all the way, so each side has its own.
    seen = np.flatnonzero(np.isfinite(values).all(axis=1))
    if seen.size < depth.size:
        out[cut:] = np.nan
    for side in np.split(seen, np.flatnonzero(np.diff(seen) > 1) + 1) if seen.size else ():
        rows = slice(*np.searchsorted(grid, [max(border, depth[side[0]]), depth[side[-1]] + 1e-9]))
        if rows.stop > rows.start:
            part = slice(side[0], side[-1] + 1)
            interpolate_2d(values[part], depth[part], grid[rows], les_kernel, out[rows])
    return _labelled(out, grid, time, f"{kernel}, {les_kernel} from {border:g} cm")


def _on_grid(
    values: NDArray[np.float32],
    depth: NDArray[np.float64],
    time: xr.DataArray | xr.Variable,
    step_cm: float,
    kernel: str,
) -> xr.DataArray:
    places = np.asarray(depth, dtype=np.float64)
    if kernel not in KERNELS:
        raise ParameterError(f"kernel must be one of {', '.join(KERNELS)}, got {kernel!r}")
    grid = depth_grid(places, step_cm)
    return _labelled(interpolate_2d(values, places, grid, kernel), grid, time, kernel)


def _labelled(
    values: NDArray[np.float32],
    grid: NDArray[np.float64],
    time: xr.DataArray | xr.Variable,
    kernel: str,
) -> xr.DataArray:
    return xr.DataArray(
        values,
        dims=("depth", "time"),
        coords={"depth": ("depth", grid, {"units": "cm"}), "time": time},
        attrs={"units": "mmHg", "long_name": "pressure", "interpolation": kernel},
        name="pressure",
    )
