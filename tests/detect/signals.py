"""Simple studies made of closed forms: steady sphincters, breathing, and swallows.

Positions in cm on the catheter: UES 8, LES 30, a stomach below. Nothing is random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from hrm.catalog import default_parameters

PARAMETERS = default_parameters()
UES, LES = 8.0, 30.0
UES_SD = 1.2
BREATH_HZ = 0.25


@dataclass(frozen=True)
class Act:
    """What happens at a swallow; turn parts of it off to see what remains."""

    at: float
    wave: bool = True
    fall: bool = True
    body: float = 70.0
    relaxes: bool = True
    upwards: bool = False


def study(
    *acts: Act,
    duration: float = 60.0,
    rate: float = 50.0,
    depth: np.ndarray | None = None,
    ues: float = 60.0,
    les: float = 25.0,
    les_sd: float = 1.0,
    gastric: float = 8.0,
    thoracic: float = 0.0,
    breath: float = 2.0,
    crural: float = 0.0,
) -> xr.DataArray:
    """Pressure (sensor, time) [mmHg]."""
    z = np.arange(36.0) if depth is None else np.asarray(depth, float)
    t = np.arange(round(duration * rate)) / rate
    z, t = z[:, None], t[None, :]
    below = z > LES
    inspiration = np.cos(2 * np.pi * BREATH_HZ * t)
    swing = np.where(below, 1.0, -1.0 * (z > UES + 2))
    values = np.where(below, gastric, thoracic * (z > UES + 2)) + breath * inspiration * swing
    values = values + crural * np.maximum(inspiration, 0) * np.exp(-0.5 * ((z - LES) / 0.8) ** 2)
    tone, sphincter = np.ones_like(t), np.ones_like(t)
    for act in acts:
        values = values + _contraction(act, t, z)
        tone = tone * (1 - _dip(t - act.at, 0.2, 1.0) * act.fall)
        sphincter = sphincter * (1 - 0.9 * _dip(t - act.at, 1.0, 7.0) * act.relaxes)
    values = values + ues * np.exp(-0.5 * ((z - UES) / UES_SD) ** 2) * tone
    values = values + les * np.exp(-0.5 * ((z - LES) / les_sd) ** 2) * sphincter
    return wrap(values, z.ravel(), t.ravel())


def wrap(values, depth, time) -> xr.DataArray:
    return xr.DataArray(
        values.astype(np.float32),
        dims=("sensor", "time"),
        coords={
            "time": time,
            "depth": ("sensor", np.asarray(depth, float)),
            "sensor_ok": ("sensor", np.ones(len(depth), bool)),
        },
        attrs={"units": "mmHg"},
    )


def _dip(since, fall_s, hold_s):
    """0, straight up to 1 in `fall_s`, held, and back."""
    down = np.clip(since / fall_s, 0, 1)
    back = np.clip((since - hold_s) / (2 * fall_s), 0, 1)
    return down - back * (since > 0)


def _contraction(act, t, z):
    since = t - act.at
    place = 5 - z if act.upwards else z
    pharynx = 80 * np.exp(-0.5 * ((since - 0.4 - 0.08 * place) / 0.12) ** 2) * (z < UES - 2.5)
    body = act.body * np.exp(-0.5 * ((since - 1.5 - (z - UES) / 4) / 1.0) ** 2)
    return act.wave * pharynx + body * (z > UES + 2.5) * (z < LES - 1.5)
