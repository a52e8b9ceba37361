"""Read a phantom with a catheter: spacing, placement, rate, noise and faults."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from hrm.errors import ParameterError
from hrm.phantom.faults import DRIFT_COURSES, Offsets, attach_offsets, clip, linear_drift
from hrm.phantom.field import Array, Phantom, Swallow, pharynx_peak
from hrm.phantom.impedance import impedance as impedance_field
from hrm.phantom.impedance import segment_depths
from hrm.phantom.placement import default_offset, sensor_depths
from hrm.phantom.provocation import runs_of
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
    quantum_mmhg: float = 0.0,
    drift_mmhg: float = 0.0,
    drift_course: str = "step",
    dead_sensors: Sequence[int] = (),
    saturated_sensors: Sequence[int] = (),
    rail_mmhg: float = 30.0,
    impedance: bool = False,
    impedance_noise: float = 0.005,
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
    quantum_mmhg : float [mmHg]
        Round to multiples of this, after the noise; 0 for no rounding.
    drift_mmhg : float [mmHg]
        Mean offset of the sensors at the end of the study, largest where the mean
        pressure is.
    drift_course : {"step", "linear"}
        A fast step from 0 and a slow ramp; or a straight line from a small offset, with
        the offsets of both ends in the study: ``offset_start_mmhg`` and
        ``offset_end_mmhg`` (sensor) of ``/pressure``.
    dead_sensors : sequence of int
        Indices of sensors that give a constant.
    saturated_sensors : sequence of int
        Indices of sensors that cannot go beyond the rail.
    rail_mmhg : float [mmHg]
        The rail, up and down.
    impedance : bool
        Add 18 impedance segments at 2 cm, at the rate of the pressure.
    impedance_noise : float
        SD of their noise, as a share of the impedance.
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
    _check_options(quantum_mmhg, drift_course, rail_mmhg, impedance_noise)
    _check_sensors("saturated_sensors", saturated_sensors, depths.size)
    offset = default_offset(phantom, catheter) if offset_cm is None else float(offset_cm)
    rng = np.random.default_rng([seed & 0xFFFFFFFF, phantom.seed])
    t = np.arange(math.floor(phantom.duration_s * sampling_rate)) / sampling_rate
    values = _pressure(phantom, t, depths + offset)
    values += _coughs(t, depths.size, cough_at_s, rng)
    offsets: Offsets | None = None
    if drift_mmhg and drift_course == "linear":
        offsets = linear_drift(values, t, drift_mmhg, _child(phantom, seed, 601))
        values += offsets.at(t)
    elif drift_mmhg:
        values += _drift(values, t, drift_mmhg, rng)
    if noise_mmhg:
        values += noise_mmhg * rng.standard_normal(values.shape)
    for sensor in dead_sensors:
        values[sensor] = rng.uniform(-4.0, 4.0)
    clip(values, saturated_sensors, rail_mmhg)
    if quantum_mmhg:
        values = quantum_mmhg * np.rint(values / quantum_mmhg)
    if integer:
        np.rint(values, out=values)
    ohm = {} if not impedance else _impedance(phantom, t, offset, impedance_noise, seed)
    study = make_recording(
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
        **ohm,
    )
    if offsets is not None:
        attach_offsets(study, offsets)
    return study


def _child(phantom: Phantom, seed: int, tag: int) -> np.random.Generator:
    """Make a generator of its own, so that an option leaves all other numbers as they were."""
    return np.random.default_rng([seed & 0xFFFFFFFF, phantom.seed, tag])


def _impedance(
    phantom: Phantom, t: Array, offset_cm: float, noise: float, seed: int
) -> dict[str, Any]:
    depths = segment_depths()
    ohm = impedance_field(phantom, t, depths + offset_cm)
    if noise:
        ohm *= 1 + noise * _child(phantom, seed, 607).standard_normal(ohm.shape)
    return {"impedance": ohm, "impedance_depth": depths}


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


def _check_options(quantum: float, course: str, rail_mmhg: float, impedance_noise: float) -> None:
    faults = []
    if not (math.isfinite(quantum) and quantum >= 0):
        faults.append(f"quantum_mmhg must be >= 0, got {quantum!r}")
    if course not in DRIFT_COURSES:
        faults.append(f"drift_course must be one of {', '.join(DRIFT_COURSES)}, got {course!r}")
    if not rail_mmhg > 0:
        faults.append(f"rail_mmhg must be > 0, got {rail_mmhg!r}")
    if not 0 <= impedance_noise <= 0.2:
        faults.append(f"impedance_noise must be from 0 to 0.2, got {impedance_noise!r}")
    if faults:
        raise ParameterError("cannot sample the phantom: " + "; ".join(faults))


def _check_sensors(name: str, sensors: Iterable[int], count: int) -> None:
    if any(not 0 <= sensor < count for sensor in sensors):
        raise ParameterError(f"cannot sample the phantom: {name} must be from 0 to {count - 1}")


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
    rows = _test_events(phantom)
    for swallow in phantom.swallows:
        if swallow.protocol != "single":
            continue
        missing, delay = rng.random() < _MARKERS_MISSING, _marker_lead(float(rng.standard_normal()))
        if swallow.second or missing:
            continue
        onset = _peak_time(phantom, swallow, depths + offset) - delay
        rows.append({"onset": max(onset, 0.0), "label": "marker", "source": "operator"})
    return rows


def _test_events(phantom: Phantom) -> list[dict[str, Any]]:
    """Tabulate what an operator notes of the provocation tests: one event for each run."""
    rows = []
    for protocol in ("mrs", "rdc"):
        for run in runs_of(phantom, protocol):
            first, last = phantom.swallows[run[0]].onset_s, phantom.swallows[run[-1]].onset_s
            event = {"label": "protocol", "source": "operator", "note": protocol.upper()}
            rows.append({"onset": first, "duration": last - first, **event})
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
