"""Analytic pressure fields for the metric tests."""

import math

import numpy as np
import xarray as xr

from hrm.catalog import default_parameters

PARAMETERS = default_parameters()
INF = math.inf


def depths(bottom=30.0, step=0.1):
    return np.round(np.arange(round(bottom / step) + 1) * step, 6)


def times(stop, rate=50.0):
    return np.arange(round(stop * rate)) / rate


def field(pressure, depth=None, time=None):
    """Field of a function of (t, z), broadcast over both."""
    depth = depths() if depth is None else depth
    time = times(20.0) if time is None else time
    values = np.broadcast_to(pressure(time[None, :], depth[:, None]), (depth.size, time.size))
    return xr.DataArray(
        values.astype(np.float32),
        dims=("depth", "time"),
        coords={"depth": depth, "time": time},
        attrs={"units": "mmHg"},
    )


def between(x, low, high):
    """1 inside [low, high), with room for binary rounding."""
    return ((x >= low - 1e-9) & (x < high - 1e-9)).astype(float)


def ramp(x, width):
    """0 up to 0, 1 from `width` on, straight between."""
    return np.clip(x / width, 0.0, 1.0)


def broken_front(z, *, top, start_s, knot, fast=4.0, slow=1.0):
    """Time of a front that runs at `fast` cm/s down to `knot` and at `slow` beyond."""
    return start_s + np.minimum(z - top, knot - top) / fast + np.maximum(z - knot, 0.0) / slow


def wave(front, *, peak, duration=2.0, rise=0.2, level=30.0):
    """Contraction that crosses `level` exactly at the front, in a straight rise."""

    def pressure(t, z):
        since = t - front(z)
        up = level + (peak - level) * since / rise
        return np.clip(up, 0.0, peak) * (since < duration)

    return pressure
