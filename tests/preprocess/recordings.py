"""Closed-form pressure with faults whose place is known."""

import numpy as np
import xarray as xr

from hrm.catalog import default_parameters

PARAMETERS = default_parameters()
RATE = 20.0
DURATION = 200.0
N = 24
LES = 18


def resting(*, noise=0.4, quantum=0.0, seed=3, duration=DURATION):
    """Breathing everywhere, a steady sphincter, and a wave that passes every 30 s [mmHg]."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(duration * RATE)) / RATE
    z = np.arange(float(N))[:, None]
    values = 2.0 * np.cos(2 * np.pi * 0.25 * t) * np.where(z > LES, 1.0, -1.0)
    values = values + 35.0 * np.exp(-0.5 * ((z - LES) / 1.0) ** 2)
    for at in np.arange(10.0, duration - 15.0, 30.0):
        values = values + 80.0 * np.exp(-0.5 * ((t - at - z / 4.0) / 1.0) ** 2) * (z < LES - 1)
    values = values + noise * rng.standard_normal(values.shape)
    return quantum * np.rint(values / quantum) if quantum else values


def wrap(values, *, depth=None, sensor_ok=None):
    """As the preprocessing wants it: (sensor, time) float32 [mmHg]."""
    n = values.shape[0]
    return xr.DataArray(
        values.astype(np.float32),
        dims=("sensor", "time"),
        coords={
            "time": np.arange(values.shape[1]) / RATE,
            "depth": ("sensor", np.arange(float(n)) if depth is None else np.asarray(depth, float)),
            "sensor_ok": ("sensor", np.ones(n, bool) if sensor_ok is None else sensor_ok),
        },
        attrs={"units": "mmHg"},
    )
