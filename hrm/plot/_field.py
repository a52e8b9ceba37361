"""Pressure as it is drawn: pooled in time, interpolated between the real sensor positions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

STEP_CM = 0.2


@dataclass(frozen=True)
class Field:
    """Pressure to draw.

    Attributes
    ----------
    values : array (depth, time) [mmHg]
        NaN where nothing was measured.
    depth : array (depth,) [cm]
    time : array (time,) [s]
    extent : (left, right, bottom, top) [s, s, cm, cm]
        Of the image, edges of the outer cells.
    """

    values: NDArray[np.float64]
    depth: NDArray[np.float64]
    time: NDArray[np.float64]
    extent: tuple[float, float, float, float]


def usable_sensors(pressure: xr.DataArray, *, dead_variance: float) -> NDArray[np.bool_]:
    """Say which sensors measure anything: not marked bad, not empty, not constant.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg], coord ``sensor_ok``
    dead_variance : float [mmHg^2]

    Returns
    -------
    array (sensor,) of bool
    """
    marked = pressure["sensor_ok"].values.astype(bool)
    variance = [
        np.var(row[np.isfinite(row)], dtype=np.float64) if np.isfinite(row).any() else -1.0
        for row in pressure.values
    ]
    return marked & (np.array(variance) >= dead_variance)


def field_of(
    pressure: xr.DataArray,
    usable: NDArray[np.bool_],
    *,
    start_s: float,
    stop_s: float,
    columns: int,
    peaks: bool,
) -> Field | None:
    """Prepare a window for drawing.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg], coord ``depth`` [cm]
    usable : array (sensor,) of bool
    start_s, stop_s : float [s]
    columns : int
        The most columns to draw.
    peaks : bool
        Draw the highest pressure of each column, so that a short contraction is
        still seen in an overview; otherwise the mean.

    Returns
    -------
    Field or None
        None if the window holds fewer than two samples.
    """
    time, depth = pressure["time"].values, pressure["depth"].values
    inside = slice(*np.searchsorted(time, [start_s - 5e-7, stop_s - 5e-7]))
    if inside.stop - inside.start < 2:
        return None
    values = pressure.values[:, inside].astype(np.float64)
    values[~usable] = np.nan
    pooled, center = _pooled(values, columns, peaks=peaks)
    step = float(time[1] - time[0])
    grid = np.linspace(depth[0], depth[-1], max(2, round((depth[-1] - depth[0]) / STEP_CM) + 1))
    half = 0.5 * float(grid[1] - grid[0])
    left = float(time[inside.start]) - 0.5 * step
    return Field(
        values=_interpolated(pooled, depth, grid),
        depth=grid,
        time=float(time[inside.start]) + center * step,
        extent=(
            left,
            left + values.shape[1] * step,
            float(grid[-1]) + half,
            float(grid[0]) - half,
        ),
    )


def _pooled(
    values: NDArray[np.float64], columns: int, *, peaks: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pool samples into at most `columns` columns; also the center of each [samples]."""
    n_samples = values.shape[1]
    edges = np.linspace(0, n_samples, min(columns, n_samples) + 1).astype(np.intp)
    starts, sizes = edges[:-1], np.diff(edges)
    center = starts + 0.5 * (sizes - 1)
    if peaks:
        return np.fmax.reduceat(values, starts, axis=1), center
    return np.add.reduceat(values, starts, axis=1) / sizes, center


def _interpolated(
    values: NDArray[np.float64], depth: NDArray[np.float64], grid: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Interpolate along depth; a single missing sensor is bridged, a wider gap stays NaN."""
    missing = np.isnan(values)
    alone = np.pad(missing, ((1, 1), (0, 0)), constant_values=True)
    spoiled = missing & (alone[:-2] | alone[2:])
    kept = ~missing.all(axis=1)
    if np.count_nonzero(kept) < 2:
        return np.full((grid.size, values.shape[1]), np.nan)
    inner = depth[kept]
    curve = PchipInterpolator(inner, _filled(values[kept], inner), axis=0)
    drawn: NDArray[np.float64] = curve(np.clip(grid, inner[0], inner[-1]))
    nearest = np.abs(grid[:, None] - depth[None, :]).argmin(axis=1)
    drawn[spoiled[nearest]] = np.nan
    drawn[(grid < inner[0] - 1e-6) | (grid > inner[-1] + 1e-6)] = np.nan
    return drawn


def _filled(values: NDArray[np.float64], depth: NDArray[np.float64]) -> NDArray[np.float64]:
    filled = values.copy()
    missing = np.isnan(values)
    for column in np.flatnonzero(missing.any(axis=0)):
        known = ~missing[:, column]
        if known.any():
            filled[:, column] = np.interp(depth, depth[known], values[known, column])
        else:
            filled[:, column] = 0.0  # drawn as missing in any case
    return filled
