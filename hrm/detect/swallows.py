"""Swallow detection: a caudally ordered pharyngeal wave, a fall of the UES, or both.

Operator markers are hints only: they never make or date a swallow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.detect._signal import crossing, during, row_medians, runs
from hrm.detect.profile import Sphincter
from hrm.detect.response import is_deglutitive, les_below
from hrm.kernels.scan import below_habit_1d, rising_share_1d


@dataclass(frozen=True)
class Candidate:
    """A possible swallow.

    Attributes
    ----------
    time_s : float [s]
        First sign: arrival of the pharyngeal wave, or the fall of the UES.
    arrival_s : tuple of (depth [cm], time [s])
        Where and when the pharyngeal wave passed; empty without a wave.
    ues_fell : bool
    """

    time_s: float
    arrival_s: tuple[tuple[float, float], ...]
    ues_fell: bool


@dataclass(frozen=True)
class _Pulse:
    sensor: int
    start_s: float
    peak_s: float
    height_mmhg: float


def find_coughs(pressure: xr.DataArray, parameters: Parameters) -> list[float]:
    """Find coughs: a short rise at nearly every sensor at the same time.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg]
    parameters : Parameters

    Returns
    -------
    list of float
        Time of each cough [s] (SPEC section 11).
    """
    values = pressure.values
    time = pressure["time"].values
    rate = 1.0 / float(time[1] - time[0])
    lag = max(1, round(parameters["cough.rise_within_s"] * rate))
    plain = np.ascontiguousarray(values, dtype=np.float32)
    rise = rising_share_1d(plain, lag, parameters["cough.rise_mmhg"])
    spans = runs(rise >= parameters["cough.share"])
    # A cough is over within a second; a plateau that begins at once stays.
    longest = round(parameters["cough.longest_s"] * rate)
    found = []
    for a, _ in spans:
        before, after = values[:, max(0, a - lag)], values[:, min(a + longest, values.shape[1] - 1)]
        over = np.mean(after - before < 0.5 * parameters["cough.rise_mmhg"])
        if over >= parameters["cough.share"]:
            found.append(float(time[a]))
    return found


def find_candidates(
    pressure: xr.DataArray,
    ues: Sphincter | None,
    *,
    coughs: Sequence[float],
    hints: Sequence[float],
    parameters: Parameters,
) -> list[Candidate]:
    """Find possible swallows.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg], coord ``depth`` [cm]
        Usable sensors only.
    ues : Sphincter or None
        Resting zone; None when the UES has no tone.
    coughs : sequence of float [s]
    hints : sequence of float [s]
        Operator markers: near one, a lone sign needs no activity below.
    parameters : Parameters

    Returns
    -------
    list of Candidate
        In order of time (SPEC section 11).
    """
    depth = pressure["depth"].values
    pharynx = _pharyngeal_sensors(depth, ues, parameters)
    waves = _pharyngeal_waves(pressure, pharynx, parameters)
    waves = [wave for wave in waves if not _near(wave[0].start_s, coughs, 0.5)]
    if ues is not None:
        waves = _without_ues_images(pressure, waves, ues)
    falls = ues_falls(pressure, ues, parameters) if ues is not None else []
    found: list[Candidate] = []
    for wave in waves:
        fell = _near(wave[0].start_s, falls, 1.0)
        if (
            len(wave) < 2
            and not fell
            and not _supported(pressure, ues, wave[0].start_s, hints, parameters)
        ):
            continue
        arrival = tuple((float(depth[p.sensor]), p.start_s) for p in wave)
        found.append(Candidate(wave[0].start_s, arrival, fell))
    times = [candidate.time_s for candidate in found]
    les = cache(lambda zone: les_below(pressure, zone, parameters))
    # A marker speaks for one swallow: one that has its wave backs nothing else.
    hints = [hint for hint in hints if not _near(hint, times, parameters["detect.hint_s"])]
    for fall in falls_without_wave(falls, times, coughs, parameters):
        hinted = _near(fall, hints, parameters["detect.hint_s"])
        # A pharynx that is in view and saw no wave speaks against a swallow: what follows
        # must then be what a belch has not.
        if ues is not None and pharynx.size >= 2 and not hinted:
            followed = _own_response(pressure, ues, fall, times, parameters, les)
        else:
            followed = _supported(pressure, ues, fall, hints, parameters)
        if followed:
            found.append(Candidate(fall, (), ues_fell=True))
    return _merge(sorted(found, key=lambda c: c.time_s), falls, parameters)


def falls_without_wave(
    falls: Sequence[float],
    waves: Sequence[float],
    coughs: Sequence[float],
    parameters: Parameters,
) -> list[float]:
    """Falls of the UES that neither a pharyngeal wave nor a cough goes with.

    Parameters
    ----------
    falls, waves, coughs : sequence of float [s]
    parameters : Parameters

    Returns
    -------
    list of float [s]
    """
    apart = parameters["detect.merge_s"]
    return [fall for fall in falls if not (_near(fall, waves, apart) or _near(fall, coughs, 1.0))]


def _own_response(
    pressure: xr.DataArray,
    ues: Sphincter,
    fall: float,
    waves: Sequence[float],
    parameters: Parameters,
    les: Callable[[Sphincter], float],
) -> bool:
    """Whether body or LES answer to a fall, and not to a swallow with a wave before it."""
    if any(0.0 <= fall - wave <= parameters["detect.activity_s"] for wave in waves):
        return False
    if not _opens(pressure, ues, fall, parameters):
        return False
    return is_deglutitive(pressure, ues, fall, parameters, les_cm=les(ues))


def _opens(pressure: xr.DataArray, ues: Sphincter, fall: float, parameters: Parameters) -> bool:
    """Whether the UES falls below its tone at rest, and not only from an after-contraction."""
    time = pressure["time"].values
    soon = pressure[:, during(time, fall, fall + 1.0, last=True)]
    lowest = float(_ues_trace(soon, ues).min())
    return bool(lowest < (1.0 - parameters["detect.ues_drop_fraction"]) * ues.peak_mmhg)


def unanswered_falls(
    pressure: xr.DataArray,
    ues: Sphincter,
    onsets: Sequence[float],
    coughs: Sequence[float],
    parameters: Parameters,
) -> list[float]:
    """Falls of the UES that were not taken for a swallow.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg]
        Usable sensors only.
    ues : Sphincter
    onsets, coughs : sequence of float [s]
        Swallows and coughs that were found.
    parameters : Parameters

    Returns
    -------
    list of float [s]
        Each at least ``detect.activity_s`` after the one before, and after any swallow.
    """
    found: list[float] = []
    apart = parameters["detect.activity_s"]
    for fall in falls_without_wave(
        ues_falls(pressure, ues, parameters), onsets, coughs, parameters
    ):
        earlier = [*onsets, *found]
        if any(0.0 <= fall - other <= apart for other in earlier):
            continue
        if _opens(pressure, ues, fall, parameters):
            found.append(fall)
    return found


def _near(time: float, others: Sequence[float], within: float) -> bool:
    return any(abs(time - other) <= within for other in others)


def _pharyngeal_sensors(
    depth: NDArray[np.float64], ues: Sphincter | None, parameters: Parameters
) -> NDArray[np.int64]:
    if ues is not None:
        return np.flatnonzero(depth < ues.upper_cm)
    # Without tone the UES cannot be seen: the topmost sensors stand for the pharynx.
    return np.flatnonzero(depth <= depth[0] + parameters["detect.pharynx_cm"])


def _pulses(
    values: NDArray[np.float32],
    sensor: int,
    time: NDArray[np.float64],
    parameters: Parameters,
) -> list[_Pulse]:
    level = _pulse_level(values, parameters)
    longest = parameters["detect.pulse_longest_s"]
    found = []
    for a, b in runs(values >= level):
        if time[b - 1] - time[a] > longest:
            continue
        step = float(time[1] - time[0])
        start = float(time[a])
        if a > 0:
            start = crossing(
                float(values[a - 1]), float(values[a]), level, float(time[a - 1]), step
            )
        top = a + int(np.argmax(values[a:b]))
        found.append(_Pulse(sensor, start, float(time[top]), float(values[top])))
    return found


def _pulse_level(values: NDArray[np.float32], parameters: Parameters) -> float:
    """Pressure that a pulse must reach: well above the rest of its sensor."""
    lowest = float(parameters["onset.pharyngeal_mmhg"])
    rise = float(parameters["detect.pulse_rise_mmhg"])
    # A median below half of the samples cannot count, and counting is a tenth of the work.
    if 2 * np.count_nonzero(values > lowest - rise) < np.count_nonzero(np.isfinite(values)):
        return lowest
    return max(lowest, float(np.float32(row_medians(values[None, :])[0])) + rise)


def _pharyngeal_waves(
    pressure: xr.DataArray, sensors: NDArray[np.int64], parameters: Parameters
) -> list[list[_Pulse]]:
    """Group pulses of neighboring times into waves that run downwards."""
    time, depth = pressure["time"].values, pressure["depth"].values
    pulses = [
        pulse
        for sensor in sensors
        for pulse in _pulses(pressure.values[sensor], int(sensor), time, parameters)
    ]
    pulses.sort(key=lambda p: p.peak_s)
    groups: list[list[_Pulse]] = []
    for pulse in pulses:
        if groups and pulse.peak_s - groups[-1][-1].peak_s <= parameters["detect.refractory_s"]:
            groups[-1].append(pulse)
        else:
            groups.append([pulse])
    step = float(time[1] - time[0])
    waves = [_one_per_sensor(group) for group in groups]
    waves = [wave for wave in waves if _runs_down(wave, depth, step, parameters)]
    return waves if sensors.size >= 2 else groups


def _without_ues_images(
    pressure: xr.DataArray, waves: list[list[_Pulse]], ues: Sphincter
) -> list[list[_Pulse]]:
    """Leave out pulses of the closing UES that sensors just above it see as their own.

    When the pharynx contracts the UES is open. A pulse that peaks with the UES, which
    itself rises more than the pulse above its rest, is the border of that contraction.
    """
    time = pressure["time"].values
    step = float(time[1] - time[0])
    sphincter = _ues_trace(pressure, ues)
    rest: dict[int, float] = {}

    def image(pulse: _Pulse) -> bool:
        # Cut out first: the whole recording would be searched for each pulse.
        around = slice(*np.searchsorted(time, [pulse.peak_s - 0.5, pulse.peak_s + 0.5]))
        near = np.flatnonzero(np.abs(time[around] - pulse.peak_s) <= 0.25) + around.start
        top = int(near[np.argmax(sphincter[near])])
        if not abs(float(time[top]) - pulse.peak_s) <= 1.5 * step:
            return False
        if pulse.sensor not in rest:
            rest[pulse.sensor] = float(np.median(pressure.values[pulse.sensor]))
        rise = float(sphincter[top]) - ues.peak_mmhg
        return bool(rise >= pulse.height_mmhg - rest[pulse.sensor])

    return [wave for wave in waves if not all(map(image, wave))]


def _one_per_sensor(group: list[_Pulse]) -> list[_Pulse]:
    highest: dict[int, _Pulse] = {}
    for pulse in group:
        if pulse.sensor not in highest or pulse.height_mmhg > highest[pulse.sensor].height_mmhg:
            highest[pulse.sensor] = pulse
    return sorted(highest.values(), key=lambda p: p.start_s)


def _runs_down(
    wave: list[_Pulse], depth: NDArray[np.float64], step: float, parameters: Parameters
) -> bool:
    if len(wave) < 2:
        return False
    where = np.array([depth[p.sensor] for p in wave])
    when = np.array([p.peak_s for p in wave])
    slope = np.polyfit(where - where[0], when, 1)[0]
    # One sampling interval over the extent seen cannot be told from simultaneous.
    slack = step / float(np.ptp(where))
    return bool(-slack <= slope <= parameters["detect.slowest_s_per_cm"])


def ues_falls(pressure: xr.DataArray, ues: Sphincter, parameters: Parameters) -> list[float]:
    """Times at which the resting UES zone loses half of a base of at least 20 mmHg."""
    time = pressure["time"].values
    rate = 1.0 / float(time[1] - time[0])
    low = below_habit_1d(
        _ues_trace(pressure, ues),
        max(2, round(parameters["onset.base_s"] * rate)),
        round(parameters["onset.base_gap_s"] * rate),
        max(1, round(0.25 * rate)),
        1.0 - parameters["detect.ues_drop_fraction"],
        parameters["onset.base_minimum_mmhg"],
    )
    shortest = max(1, round(parameters["detect.ues_fall_s"] * rate))
    return [float(time[a]) for a, b in runs(low) if b - a >= shortest]


def _ues_trace(pressure: xr.DataArray, ues: Sphincter) -> NDArray[np.float64]:
    """Greatest pressure of the resting UES zone, (time,) [mmHg]."""
    depth = pressure["depth"].values
    zone = (depth >= ues.upper_cm) & (depth <= ues.lower_cm)
    if not zone.any():
        zone[int(np.argmin(np.abs(depth - ues.peak_cm)))] = True
    return np.asarray(pressure.values[zone].max(axis=0), dtype=np.float64)


def _supported(
    pressure: xr.DataArray,
    ues: Sphincter | None,
    time_s: float,
    hints: Sequence[float],
    parameters: Parameters,
) -> bool:
    """Whether a lone sign is backed by a marker or by activity further down."""
    if _near(time_s, hints, parameters["detect.hint_s"]):
        return True
    time, depth = pressure["time"].values, pressure["depth"].values
    top = ues.lower_cm if ues is not None else depth[0] + parameters["detect.pharynx_cm"]
    body = depth > top + parameters["tz.below_ues_cm"]
    end_s = time_s + parameters["detect.activity_s"]
    soon = pressure.values[:, during(time, time_s + 0.5, end_s, last=True)][body]
    before = pressure.values[:, during(time, time_s - 3.0, time_s)][body]
    if soon.size == 0 or before.size == 0:
        return False
    rest = np.median(before, axis=1)
    rise = soon.max(axis=1) - rest
    fall = rest - soon.min(axis=1)
    activity = parameters["detect.activity_mmhg"]
    return bool(np.mean(rise >= activity) >= 0.2 or fall.max() >= activity)


def _merge(
    found: list[Candidate], falls: Sequence[float], parameters: Parameters
) -> list[Candidate]:
    """Join candidates too close to be two swallows."""
    kept: list[Candidate] = []
    for candidate in found:
        if kept:
            gap = candidate.time_s - kept[-1].time_s
            between = [f for f in falls if kept[-1].time_s + 0.7 < f <= candidate.time_s + 0.5]
            one_relaxation = bool(falls) and not between
            if gap <= parameters["detect.refractory_s"] or (
                gap <= parameters["detect.merge_s"] and one_relaxation
            ):
                continue
        kept.append(candidate)
    return kept
