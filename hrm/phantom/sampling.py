"""Read a phantom with a catheter: spacing, placement, rate, noise and faults."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from hrm import catalog
from hrm.catalog import default_parameters
from hrm.errors import ParameterError
from hrm.phantom.field import Array, Phantom, Swallow, pharynx_peak
from hrm.phantom.landmarks import find_landmarks
from hrm.schema import make_recording

_COUGH_SD_S = 0.13
_MARKERS_MISSING = 0.08
_CHUNK = 20_000


def sample(
    phantom: Phantom,
    *,
    catheter: str | Sequence[float] = "manoscan-36",
    sampling_rate: float = 100.0,
    offset_cm: float | None = None,
    noise_mmhg: float = 0.0,
    integer: bool = False,
    drift_mmhg: float = 0.0,
    dead_sensors: Sequence[int] = (),
    cough_at_s: Sequence[float] = (),
    markers: bool = True,
    system: str = "manoscan",
    seed: int = 0,
) -> xr.DataTree:
    """Sample a phantom as a recording.

    Parameters
    ----------
    phantom : Phantom
        Drawn by `draw`.
    catheter : str or sequence of float [cm]
        A model of the catheter table, or sensor positions below the first one.
    sampling_rate : float [Hz]
        Of the recording.
    offset_cm : float [cm], optional
        Position of the first sensor on the phantom's axis; by default
        `default_offset`.
    noise_mmhg : float [mmHg]
        SD of white noise in every sample.
    integer : bool
        Round to whole mmHg, after the noise.
    drift_mmhg : float [mmHg]
        Mean offset of the sensors at the end of the study; it starts at 0 and is
        largest where the mean pressure is.
    dead_sensors : sequence of int
        Indices of sensors that give a constant.
    cough_at_s : sequence of float [s]
        Times of coughs, simultaneous at all sensors.
    markers : bool
        Add the operator's button presses as events.
    system : str
        Manometry system to claim, for the limits.
    seed : int
        Of noise, drift, faults and markers.

    Returns
    -------
    DataTree
        A validated study.

    Raises
    ------
    ParameterError
        If an argument cannot be used.
    """
    depths = sensor_depths(catheter)
    _check(depths, sampling_rate, noise_mmhg, drift_mmhg, dead_sensors)
    offset = default_offset(phantom, catheter) if offset_cm is None else float(offset_cm)
    rng = np.random.default_rng([seed & 0xFFFFFFFF, phantom.seed])
    t = np.arange(math.floor(phantom.duration_s * sampling_rate)) / sampling_rate
    values = _pressure(phantom, t, depths + offset)
    values += _coughs(t, depths.size, cough_at_s, rng)
    if drift_mmhg:
        values += _drift(values, t, drift_mmhg, rng)
    if noise_mmhg:
        values += noise_mmhg * rng.standard_normal(values.shape)
    for sensor in dead_sensors:
        values[sensor] = rng.uniform(-4.0, 4.0)
    if integer:
        np.rint(values, out=values)
    return make_recording(
        values,
        sampling_rate=sampling_rate,
        depth=depths,
        dims=("sensor", "time"),
        depth_reference="first_sensor",
        events=_markers(phantom, depths, offset, rng) if markers else (),
        attrs={
            "source_format": "phantom",
            "reader": "hrm.phantom",
            "catheter": catheter if isinstance(catheter, str) else "unknown",
            "system": system,
            "thermal_compensation": "not_applied" if drift_mmhg else "applied",
        },
    )


def swallow_table(phantom: Phantom) -> list[dict[str, Any]]:
    """Tabulate what the operator knows of each swallow: onset, posture and protocol.

    Returns
    -------
    list of dict
        ``onset_s`` [s] is the nominal onset, a few ms from the defined one.
    """
    return [
        {"onset_s": item.onset_s, "posture": item.posture, "protocol": item.protocol}
        for item in phantom.swallows
    ]


def sensor_depths(catheter: str | Sequence[float]) -> Array:
    """Sensor positions below the first sensor [cm].

    Raises
    ------
    ParameterError
        If the model is unknown or has no positions, or positions do not increase.
    """
    if isinstance(catheter, str):
        known = {name: row for name, row in catalog.catheters().items() if row.depths_cm}
        if catheter not in known:
            raise ParameterError(
                f"unknown catheter {catheter!r}; models with positions: {', '.join(known)}"
            )
        return np.array(known[catheter].depths_cm)
    depths = np.asarray(catheter, dtype=np.float64)
    if depths.ndim != 1 or depths.size < 2 or not (np.diff(depths) > 0).all():
        raise ParameterError("expected at least two sensor depths in cm, increasing downwards")
    return np.asarray(depths - depths[0])


def default_offset(phantom: Phantom, catheter: str | Sequence[float] = "manoscan-36") -> float:
    """Place a catheter as a physician would [cm, phantom axis, of the first sensor].

    An evenly spaced catheter keeps about 3.5 cm in the stomach where it is long
    enough, and at least 2 cm of pharynx; one with a dense part gets that part
    across the EGJ. The placement varies by some mm from phantom to phantom.
    """
    depths = sensor_depths(catheter)
    marks = find_landmarks(phantom, default_parameters())
    jitter = float(np.random.default_rng([phantom.seed, 77]).uniform(-0.5, 0.5))
    bottom = max(marks.les_lower, marks.crural)
    steps = np.diff(depths)
    if np.ptp(steps) > 1e-6:
        dense = _dense_part(depths)
        return 0.5 * (marks.les_upper + bottom) - dense + 0.6 * jitter
    slack = float(depths[-1]) - (bottom - marks.ues_upper)
    gastric = 3.5 if slack >= 7.5 else max(0.45 * slack, slack - 3.0)
    return bottom + gastric - float(depths[-1]) + jitter * min(1.0, max(slack, 0.0) / 6.0)


def _dense_part(depths: Array) -> float:
    """Middle of the longest run of the closest spacing [cm]."""
    steps = np.diff(depths)
    close = np.concatenate([[0], (steps <= steps.min() + 1e-6).astype(np.int8), [0]])
    edges = np.flatnonzero(np.diff(close)).reshape(-1, 2)
    start, stop = max(edges.tolist(), key=lambda edge: edge[1] - edge[0])
    return float(0.5 * (depths[start] + depths[stop]))


def _check(
    depths: Array,
    rate: float,
    noise_mmhg: float,
    drift_mmhg: float,
    dead_sensors: Iterable[int],
) -> None:
    faults = []
    if not (math.isfinite(rate) and rate > 0):
        faults.append(f"sampling_rate must be a positive number of Hz, got {rate!r}")
    if not (math.isfinite(noise_mmhg) and noise_mmhg >= 0):
        faults.append(f"noise_mmhg must be >= 0, got {noise_mmhg!r}")
    if not math.isfinite(drift_mmhg):
        faults.append(f"drift_mmhg must be finite, got {drift_mmhg!r}")
    if any(not 0 <= sensor < depths.size for sensor in dead_sensors):
        faults.append(f"dead_sensors must be from 0 to {depths.size - 1}")
    if faults:
        raise ParameterError("cannot sample the phantom: " + "; ".join(faults))


def _pressure(phantom: Phantom, t: Array, z: Array) -> Array:
    """Evaluate in pieces of time, so that intermediate arrays stay small."""
    out = np.empty((z.size, t.size))
    for start in range(0, t.size, _CHUNK):
        out[:, start : start + _CHUNK] = phantom.pressure(t[start : start + _CHUNK], z)
    return out


def _coughs(t: Array, n_sensors: int, at_s: Iterable[float], rng: np.random.Generator) -> Array:
    """Add bursts of two or three short peaks, nearly the same at all sensors."""
    out = np.zeros((n_sensors, t.size))
    for at in at_s:
        gain = rng.uniform(0.9, 1.1, n_sensors)
        height = rng.uniform(55.0, 95.0)
        lo, hi = np.searchsorted(t, (at - 1.0, at + 1.0))
        out[:, lo:hi] += height * np.outer(
            gain, np.exp(-0.5 * ((t[lo:hi] - at) / _COUGH_SD_S) ** 2)
        )
    return out


def _drift(values: Array, t: Array, drift_mmhg: float, rng: np.random.Generator) -> Array:
    """Offsets of mean `drift_mmhg` at the end: a fast step and a slow ramp."""
    exposure = values.mean(axis=1)
    weight = 0.5 + rng.random(values.shape[0]) + 1.5 * exposure / max(exposure.max(), 1.0)
    final = drift_mmhg * weight / weight.mean()
    course = 0.35 * -np.expm1(-t / 40.0) / -np.expm1(-t[-1] / 40.0) + 0.65 * t / t[-1]
    return np.outer(final, course)


def _markers(
    phantom: Phantom, depths: Array, offset: float, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Draw button presses, most just before the pharyngeal peak, some seconds early or missing."""
    rows = []
    for swallow in phantom.swallows:
        missing, delay = rng.random() < _MARKERS_MISSING, _marker_lead(float(rng.standard_normal()))
        if swallow.second or missing:
            continue
        onset = _peak_time(phantom, swallow, depths + offset) - delay
        rows.append({"onset": max(onset, 0.0), "label": "marker", "source": "operator"})
    return rows


def _marker_lead(normal: float) -> float:
    """Time from marker to pharyngeal peak [s]: median 0.35, 5th and 95th centile -0.74 and 4."""
    if normal < 0:
        return 0.35 + 1.09 * normal / 1.645
    return 0.35 + min(3.65 * math.expm1(1.2 * normal) / math.expm1(1.2 * 1.645), 7.0)


def _peak_time(phantom: Phantom, swallow: Swallow, z: Array) -> float:
    """Time of the pharyngeal peak at the most proximal sensor within its reach [s]."""
    anatomy = phantom.anatomy
    top = anatomy.ues_cm - anatomy.ues_half_cm
    inside = z[(z > top - anatomy.pharynx_length_cm + 0.5) & (z < top)]
    place = float(inside[0]) if inside.size else top - 1.0
    return swallow.onset_s + float(pharynx_peak(anatomy, swallow, np.array([place]))[0])
