"""The metrics of one swallow by definition, on the noise-free field.

Slow and literal on purpose, with the known course of the contraction in place of
any detection, and sharing no code with the engine: this is the oracle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from hrm.catalog import Parameters, find_limit
from hrm.phantom.field import Array, Phantom, Swallow, amplitudes, pharynx_peak
from hrm.phantom.grid import Field, Mask, connected, front_times, known_front
from hrm.phantom.landmarks import Landmarks
from hrm.phantom.pressurized import (
    intrabolus_pressures,
    pressurization_pattern,
    simultaneous,
    trapped,
)

RATE_HZ = 50.0
STEP_CM = 0.1
_ONSET_RATE_HZ = 250.0
_PHARYNX_FOOT_SD = 2.5


@dataclass(frozen=True, slots=True)
class Measured:
    """Truth of one swallow; depths on the phantom's axis, None where undefined."""

    onset_s: float
    irp4s_mmhg: float | None
    dci_mmhg_s_cm: float
    dci_box_mmhg_s_cm: float
    distal_latency_s: float | None
    transition_cm: float | None
    cdp_cm: float | None
    break_cm: float
    ibp_mmhg: float | None
    pressurization: str
    type: str
    ibp_mean_mmhg: float | None = None
    cfv_cm_s: float | None = None


def measure(
    phantom: Phantom,
    swallow: Swallow,
    marks: Landmarks,
    parameters: Parameters,
    *,
    next_onset_s: float = math.inf,
    pharynx_top_cm: float | None = None,
    rate_hz: float = RATE_HZ,
    step_cm: float = STEP_CM,
    onset_s: float | None = None,
    fitting: bool = False,
) -> Measured:
    """Measure one swallow.

    Parameters
    ----------
    phantom : Phantom
        Holds the field.
    swallow : Swallow
        One of its swallows.
    marks : Landmarks
        Its resting landmarks.
    parameters : Parameters
        Of the definitions.
    next_onset_s : float [s]
        Nominal onset of the following swallow.
    pharynx_top_cm : float [cm], optional
        The first sensor; it dates the onset when the UES has no tone.
    rate_hz, step_cm : float
        The grid; a coarser one serves while a swallow is being fitted.
    onset_s : float [s], optional
        The onset, when it is known already.
    fitting : bool
        Leave out the pressurization and the pressures in the sphincter and the bolus.
    """
    onset = onset_s
    if onset is None:
        onset = find_onset(phantom, swallow, marks, parameters, pharynx_top_cm)
    field = _body_field(
        phantom, swallow, marks, onset, next_onset_s, parameters, (rate_hz, step_cm)
    )
    has_wave = swallow.wave.smooth_mmhg >= 1.0
    tz = _transition_zone(field, marks, parameters) if has_wave else None
    region = field.rows(tz if tz is not None else phantom.anatomy.transition_cm, marks.les_upper)
    front, ahead = front_times(field, region, parameters) if has_wave else (None, np.empty(0))
    wave = _wave_component(field, region, parameters) if has_wave else None
    stop = _window_stop(field, wave, next_onset_s, parameters)
    box, contractile = contractile_integral(field, region, stop, front, ahead, parameters)
    gap = _break(field, swallow, phantom, stop, has_wave)
    kind = "none" if fitting else pressurization_pattern(field, marks, front, parameters)
    cdp = _deceleration(swallow, marks, field, region, front, gap, kind, parameters)
    latency = None
    if front is not None and cdp is not None:
        latency = float(np.interp(cdp, *known_front(field.z[region], front))) - onset
    ibp, ibp_mean = (
        (None, None)
        if fitting
        else intrabolus_pressures(field, region, front, latency, marks, parameters)
    )
    name = swallow_type(contractile, latency, gap)
    wanted = name != "failed" or fitting
    fast = wanted and not fitting and latency is not None
    sleeve = None if fitting else egj_sleeve(phantom, swallow, marks, parameters, onset_s=onset)
    return Measured(
        onset_s=onset,
        irp4s_mmhg=irp(sleeve, parameters),
        dci_mmhg_s_cm=contractile,
        dci_box_mmhg_s_cm=box,
        distal_latency_s=latency if wanted else None,
        transition_cm=tz if wanted else None,
        cdp_cm=cdp if wanted and latency is not None else None,
        break_cm=gap,
        ibp_mmhg=ibp if wanted else None,
        pressurization=kind,
        type=name,
        ibp_mean_mmhg=ibp_mean if wanted else None,
        cfv_cm_s=front_velocity(field.z[region], front, cdp) if fast else None,
    )


def front_velocity(z: Array, front: Array | None, cdp_cm: float | None) -> float | None:
    """Velocity of the front above the deceleration point, by a straight line [cm/s]."""
    if front is None or cdp_cm is None:
        return None
    depth, times = known_front(z, front)
    upper = depth <= cdp_cm
    if upper.sum() < 3:
        return None
    depth, times = depth[upper] - depth[upper].mean(), times[upper] - times[upper].mean()
    slope = float((depth @ times) / (depth @ depth))
    return 1.0 / slope if slope > 0 else None


def find_onset(
    phantom: Phantom,
    swallow: Swallow,
    marks: Landmarks,
    parameters: Parameters,
    pharynx_top_cm: float | None = None,
) -> float:
    """Onset of the UES relaxation [s], or of the pharyngeal wave without UES tone."""
    nominal = swallow.onset_s
    gap, length = float(parameters["onset.base_gap_s"]), float(parameters["onset.base_s"])
    z = np.arange(
        marks.ues_upper - float(parameters["ues.sleeve_up_cm"]),
        marks.ues_lower + float(parameters["ues.sleeve_down_cm"]),
        STEP_CM,
    )
    rest = np.arange(nominal - gap - length, nominal - gap, 1 / RATE_HZ)
    base = float(np.median(phantom.pressure(rest, z).max(axis=0)))
    if base < float(parameters["onset.base_minimum_mmhg"]):
        return _pharyngeal_onset(phantom, swallow, marks, parameters, pharynx_top_cm)
    t = np.arange(nominal - 0.6, nominal + 1.4, 1 / _ONSET_RATE_HZ)
    field = phantom.pressure(t, z)
    foot = pharynx_peak(phantom.anatomy, swallow, z) - _PHARYNX_FOOT_SD * swallow.pharynx_sd_s
    field[t[None, :] - nominal >= foot[:, None]] = np.nan
    # Once the wave is past the middle of the UES, what is left of the sleeve is esophagus.
    middle = float(np.interp(0.5 * (marks.ues_upper + marks.ues_lower), z, foot))
    seen = t - nominal < middle
    t, pressure = t[seen], np.nanmax(field[:, seen], axis=0)
    level = min(
        float(parameters["onset.fall_fraction"]) * base, float(parameters["onset.fall_cap_mmhg"])
    )
    before = np.flatnonzero(pressure[: int(pressure.argmin()) + 1] >= level)
    if not before.size:
        return _pharyngeal_onset(phantom, swallow, marks, parameters, pharynx_top_cm)
    i = int(before[-1])
    return float(np.interp(-level, -pressure[i : i + 2], t[i : i + 2]))


def _pharyngeal_onset(
    phantom: Phantom,
    swallow: Swallow,
    marks: Landmarks,
    parameters: Parameters,
    pharynx_top_cm: float | None,
) -> float:
    highest = marks.ues_upper - phantom.anatomy.pharynx_length_cm + 1.0
    top = max(highest, marks.ues_upper - 4.0 if pharynx_top_cm is None else pharynx_top_cm)
    t = np.arange(swallow.onset_s - 0.6, swallow.onset_s + 1.4, 1 / _ONSET_RATE_HZ)
    pressure = phantom.pressure(t, np.arange(top, marks.ues_upper - 0.5, STEP_CM)).max(axis=0)
    level = float(parameters["onset.pharyngeal_mmhg"])
    i = int(np.flatnonzero(pressure >= level)[0])
    crossing = float(np.interp(level, pressure[i - 1 : i + 1], t[i - 1 : i + 1]))
    return crossing - float(parameters["onset.pharyngeal_lead_s"])


def irp(sleeve: Array | None, parameters: Parameters, *, rate_hz: float = RATE_HZ) -> float | None:
    """Integrated relaxation pressure over the lowest 4 s of a sleeve [mmHg above the stomach]."""
    if sleeve is None:
        return None
    return lowest_mean(sleeve, round(float(parameters["irp.duration_s"]) * rate_hz))


def lowest_mean(values: Array, count: int) -> float:
    """Mean of the `count` lowest samples, which need not be contiguous."""
    return float(np.sort(values)[:count].mean())


def egj_sleeve(
    phantom: Phantom,
    swallow: Swallow,
    marks: Landmarks,
    parameters: Parameters,
    *,
    onset_s: float,
    rate_hz: float = RATE_HZ,
    step_cm: float = STEP_CM,
) -> Array | None:
    """Highest pressure of the e-sleeve over the 10 s after an onset [mmHg above the stomach]."""
    window = min(float(parameters["irp.window_s"]), phantom.duration_s - onset_s)
    if window < float(parameters["irp.minimum_window_s"]):
        return None
    top = marks.les_upper - float(parameters["irp.sleeve_above_cm"])
    length = float(parameters["irp.sleeve_length_cm"])
    z = np.linspace(top, top + length, round(length / step_cm) + 1)
    t = onset_s + np.arange(round(window * rate_hz)) / rate_hz
    return np.asarray(phantom.pressure(t, z).max(axis=0) - marks.gastric(swallow.posture))


def swallow_type(dci: float, latency: float | None, gap: float) -> str:
    """Type of a swallow by the precedence of the classification (4.0)."""
    if _beyond("dci_failed", dci):
        return "failed"
    weak = _beyond("dci_weak", dci)
    if not weak and latency is not None and _beyond("dl_premature", latency):
        return "premature"
    if _beyond("dci_hypercontractile", dci):
        return "hypercontractile"
    if not weak and _beyond("break_fragmented", gap):
        return "fragmented"
    return "weak" if weak else "normal"


def _beyond(quantity: str, value: float) -> bool:
    limit = find_limit(quantity, system="manoscan", position="supine", cc_version="4.0")
    return limit is not None and limit.crossed_by(value)


def _body_field(
    phantom: Phantom,
    swallow: Swallow,
    marks: Landmarks,
    onset: float,
    next_onset_s: float,
    parameters: Parameters,
    grid: tuple[float, float],
) -> Field:
    end = float(swallow.wave.front(np.array([marks.les_upper]))[0]) + 5 * swallow.wave.fall_s
    end += max((delay for delay, _ in swallow.wave.repeats), default=0.0)
    longest = float(parameters["dci.window_s"])
    if end > longest:
        longest = float(parameters["dci.window_repetitive_s"])
    stop = min(onset + longest, next_onset_s, phantom.duration_s)
    rate_hz, step_cm = grid
    t = np.arange(onset, stop, 1 / rate_hz)
    count = round((marks.les_upper - marks.ues_lower) / step_cm)
    z: Array = marks.les_upper - step_cm * np.arange(count, -1, -1, dtype=np.float64)
    smooth = amplitudes(phantom.anatomy, swallow.wave, z)[1]
    ridge = swallow.onset_s + swallow.wave.peak_time(z, smooth)
    index = np.clip(np.searchsorted(t, ridge), 0, t.size - 1)
    course = swallow.onset_s + swallow.wave.front(z)
    return Field(t, z, phantom.pressure(t, z), index, course, onset, rate_hz, step_cm)


def _transition_zone(field: Field, marks: Landmarks, parameters: Parameters) -> float:
    """Most caudal minimum of the pressure along the wave, in the proximal body."""
    start = marks.ues_lower + float(parameters["tz.below_ues_cm"])
    length = marks.les_upper - marks.ues_lower
    stop = marks.ues_lower + float(parameters["tz.body_fraction"]) * length
    rows = field.rows(start, stop)
    columns = field.columns(field.onset_s + 0.5, field.onset_s + float(parameters["dci.window_s"]))
    along = field.p[rows, columns].max(axis=1)
    return float(field.z[rows][::-1][int(along[::-1].argmin())])


def _wave_component(field: Field, region: slice, parameters: Parameters) -> Mask | None:
    """Samples at or above 20 mmHg that are connected with the ridge of the wave."""
    mask = field.p[region] >= float(parameters["dci.threshold_mmhg"])
    seed = np.zeros_like(mask)
    rows = np.arange(mask.shape[0])
    seed[rows, field.ridge[region]] = mask[rows, field.ridge[region]]
    return connected(mask, seed) if seed.any() else None


def _window_stop(
    field: Field, wave: Mask | None, next_onset_s: float, parameters: Parameters
) -> float:
    """End of the contraction window [s]."""
    stop = min(field.onset_s + float(parameters["dci.window_s"]), next_onset_s, float(field.t[-1]))
    if wave is None:
        return stop
    active = field.t[wave.any(axis=0)]
    if active[-1] > field.onset_s + float(parameters["dci.window_s"]):
        stop = min(
            field.onset_s + float(parameters["dci.window_repetitive_s"]), next_onset_s, field.t[-1]
        )
    return float(min(stop, active[-1] + float(parameters["dci.tail_s"])))


def contractile_integral(
    field: Field,
    region: slice,
    stop: float,
    front: Array | None,
    ahead: Array,
    parameters: Parameters,
) -> tuple[float, float]:
    """Contractile integral of the box, and without pressurization [mmHg s cm]."""
    columns = field.columns(field.onset_s + float(parameters["dci.start_s"]), stop)
    p = field.p[region, columns]
    excess = np.maximum(p - float(parameters["dci.threshold_mmhg"]), 0.0)
    cell = field.step_cm / field.rate_hz
    masked = trapped(field, region, front, ahead, parameters)[:, columns]
    keep = ~masked & ~simultaneous(p, field, parameters)[None, :]
    # Trapezoid along depth: the grid ends exactly on the two borders.
    weight = np.ones(p.shape[0])
    weight[[0, -1]] = 0.5
    return (
        float((weight @ excess).sum() * cell),
        float((weight @ (excess * keep)).sum() * cell),
    )


def _break(field: Field, swallow: Swallow, phantom: Phantom, stop: float, has_wave: bool) -> float:
    """Longest gap in the 20 mmHg contour of the contraction [cm]."""
    striated, _ = amplitudes(phantom.anatomy, swallow.wave, field.z)
    seen = field.t <= stop
    early = field.t <= swallow.onset_s + 3.5
    covered = ((field.p >= 20.0) & (early & seen)[None, :]).any(axis=1) & (striated >= 5.0)
    if has_wave:
        reach = np.abs(field.t[None, :] - field.t[field.ridge][:, None]) <= swallow.wave.fall_s
        covered |= ((field.p >= 20.0) & reach & seen[None, :]).any(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (~covered).astype(np.int8), [0]])))
    return float(np.diff(edges.reshape(-1, 2)).max(initial=0) * field.step_cm)


def _deceleration(
    swallow: Swallow,
    marks: Landmarks,
    field: Field,
    region: slice,
    front: Array | None,
    gap: float,
    pressurization: str,
    parameters: Parameters,
) -> float | None:
    """Depth of the modelled deceleration point, where the front exists [cm]."""
    if front is None:
        return None
    known, _ = known_front(field.z[region], front)
    fallback = marks.les_upper - float(parameters["cdp.fallback_cm"])
    atypical = pressurization == "panesophageal" or _beyond("break_fragmented", gap)
    cdp = max(swallow.wave.cdp_cm, fallback) if atypical else swallow.wave.cdp_cm
    nearest = float(known[np.abs(known - cdp).argmin()])
    if abs(nearest - cdp) > float(parameters["cdp.fallback_tolerance_cm"]):
        return None
    return cdp if abs(nearest - cdp) <= field.step_cm else nearest


def shifted(measured: Measured, offset_cm: float) -> Measured:
    """Return `measured` with its depths on the axis of a catheter."""
    return replace(
        measured,
        transition_cm=None
        if measured.transition_cm is None
        else measured.transition_cm - offset_cm,
        cdp_cm=None if measured.cdp_cm is None else measured.cdp_cm - offset_cm,
    )
