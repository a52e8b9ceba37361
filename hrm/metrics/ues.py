"""The upper esophageal sphincter at rest and on swallowing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.metrics._base import (
    LANDMARK_MISSING,
    OK,
    SENSOR_FAILED,
    WINDOW_TRUNCATED,
    Cut,
    Measurement,
    cut,
    index_of_lowest,
    known,
)
from hrm.metrics.relaxation import (
    RATE_TOO_LOW,
    Sleeve,
    integrated_relaxation_pressure,
    stuck,
)

CATHETER_STARTS_IN_UES = "catheter_starts_in_ues"
HIDDEN_BY_WAVE = "hidden_by_pharyngeal_wave"
NO_RECOVERY = "no_recovery"
NO_RELAXATION = "no_relaxation"
NO_UES_TONE = "no_ues_tone"
SATURATED = "sensor_saturated"
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class UesRelaxation:
    """How the UES relaxed in one swallow.

    Attributes
    ----------
    residual, irp : Measurement [mmHg]
        Lowest sleeve pressure, and mean of the lowest 0.2 s; above atmospheric.
    duration, time_to_nadir, recovery : Measurement [s]
        From the fall through the level to the rise through it; from the fall to the
        nadir; from the nadir to the rise.
    sleeve, closing : Sleeve or None
        What falls, and what rises again (its lower half).
    """

    residual: Measurement
    irp: Measurement
    duration: Measurement
    time_to_nadir: Measurement
    recovery: Measurement
    sleeve: Sleeve | None = None
    closing: Sleeve | None = None

    @classmethod
    def missing(cls, status: str) -> UesRelaxation:
        """Return what could not be measured at all."""
        lost = Measurement.missing(status)
        return cls(lost, lost, lost, lost, lost)

    def measurements(self) -> dict[str, Measurement]:
        """Return the numbers by the name they have in the contract."""
        return {
            "ues_residual_mmhg": self.residual,
            "ues_irp02s_mmhg": self.irp,
            "ues_relaxation_s": self.duration,
            "ues_time_to_nadir_s": self.time_to_nadir,
            "ues_recovery_s": self.recovery,
        }


@dataclass(frozen=True)
class _Arrival:
    """When the pharyngeal wave reaches each line of a box [s]; empty `rows` without a wave."""

    depth: NDArray[np.float64]
    when: NDArray[np.float64]

    def at(self, place_cm: float) -> float:
        return float(np.interp(place_cm, self.depth, self.when))


def swallow_window(onset_s: float, stop_s: float, parameters: Parameters) -> tuple[float, float]:
    """Start and end of the recording [s] that `ues_relaxation` wants to see of a swallow."""
    lead = parameters["onset.base_gap_s"] + parameters["onset.base_s"]
    after = parameters["ues.nadir_window_s"] + parameters["ues.recovery_window_s"]
    return max(0.0, onset_s - lead), min(onset_s + after, stop_s)


def ues_resting(
    pressure_field: xr.DataArray,
    quiet: NDArray[np.bool_],
    *,
    ues_upper_cm: float,
    ues_lower_cm: float,
    parameters: Parameters,
    ceiling_mmhg: float = math.inf,
) -> Measurement:
    """UES resting pressure.

    Parameters
    ----------
    pressure_field : DataArray (depth, time) [mmHg]
        The baseline.
    quiet : array (time,) of bool
        Samples of it that count.
    ues_upper_cm, ues_lower_cm : float [cm]
    parameters : Parameters
    ceiling_mmhg : float [mmHg]
        Upper end of the sensors' range, where it is known.

    Returns
    -------
    Measurement [mmHg]
        Mean of the sleeve pressure, above atmospheric (SPEC section 3.4).
        ``sensor_saturated`` when a reading is at the end of the range.
    """
    if not known(ues_upper_cm, ues_lower_cm):
        return Measurement.missing(LANDMARK_MISSING)
    if not quiet.any():
        return Measurement.missing(WINDOW_TRUNCATED)
    if ues_upper_cm <= float(pressure_field["depth"].values[0]) + _TOLERANCE:
        return Measurement.missing(CATHETER_STARTS_IN_UES)
    time = pressure_field["time"].values
    box = _window(pressure_field, ues_upper_cm, ues_lower_cm, float(time[0]), math.inf, parameters)
    if box.depth.size < 2 or box.depth[-1] < ues_lower_cm - 0.1 - _TOLERANCE:
        return Measurement.missing(LANDMARK_MISSING)
    values = box.values.max(axis=0).astype(np.float64)[quiet]
    if values.max() >= ceiling_mmhg:  # False with a gap
        return Measurement.missing(SATURATED)
    if not np.isfinite(values).all() or stuck(box, parameters):
        return Measurement.missing(SENSOR_FAILED)
    detail = {
        "sleeve_cm": (float(box.depth[0]), float(box.depth[-1])),
        "times_s": time[quiet],
        "values_mmhg": values,
    }
    return Measurement(float(np.mean(values)), detail=detail)


def ues_relaxation(
    pressure_field: xr.DataArray,
    *,
    onset_s: float,
    stop_s: float,
    ues_upper_cm: float,
    ues_lower_cm: float,
    parameters: Parameters,
) -> UesRelaxation:
    """Measure the relaxation of the UES in one swallow.

    Parameters
    ----------
    pressure_field : DataArray (depth, time) [mmHg]
        From 4 s before the onset (see `swallow_window`), pharynx included.
    onset_s : float [s]
        Onset of UES relaxation.
    stop_s : float [s]
        Onset of the next swallow or end of the recording.
    ues_upper_cm, ues_lower_cm : float [cm]
        Resting borders.
    parameters : Parameters

    Returns
    -------
    UesRelaxation

    Notes
    -----
    SPEC sections 2.5, 3.4 and 9.3. The level of the times is half of the base before
    the swallow, at most 35 mmHg. The relaxation ends when the lower half of the resting
    sphincter rises through it, where the pharyngeal wave comes last: the sphincter
    closes, or the wave goes through it.
    """
    sleeve = ues_sleeve(
        pressure_field,
        onset_s=onset_s,
        stop_s=stop_s,
        ues_upper_cm=ues_upper_cm,
        ues_lower_cm=ues_lower_cm,
        parameters=parameters,
    )
    near = _relaxed_part(sleeve, onset_s, stop_s, parameters)
    if near.status != OK:
        return UesRelaxation.missing(near.status)
    irp = integrated_relaxation_pressure(near, parameters["ues.irp_s"])
    lowest = index_of_lowest(near.values)
    residual = Measurement(
        float(near.values[lowest]), detail={**near.detail, "time_s": float(near.time[lowest])}
    )
    middle = 0.5 * (ues_upper_cm + ues_lower_cm)
    start = float(sleeve.time[0])
    lower = _window(pressure_field, middle, ues_lower_cm, start, stop_s, parameters)
    half = lower.values[lower.depth >= middle - _TOLERANCE].max(axis=0).astype(np.float64)
    closing = Sleeve(half, sleeve.time, detail=sleeve.detail)
    times = _times(sleeve, closing, onset_s, stop_s, float(near.time[lowest]), parameters)
    return UesRelaxation(residual, irp, *times, sleeve, closing)


def ues_sleeve(
    pressure_field: xr.DataArray,
    *,
    onset_s: float,
    stop_s: float,
    ues_upper_cm: float,
    ues_lower_cm: float,
    parameters: Parameters,
) -> Sleeve:
    """Greatest pressure over the sleeve that the UES moves in, without the pharyngeal wave.

    Parameters
    ----------
    pressure_field : DataArray (depth, time) [mmHg]
    onset_s, stop_s : float [s]
    ues_upper_cm, ues_lower_cm : float [cm]
    parameters : Parameters

    Returns
    -------
    Sleeve [mmHg]
        From 3 cm above to 1 cm below the resting sphincter. A line above the sphincter
        leaves the sleeve when the foot of the wave reaches it, one in or below it when
        the wave does. NaN once the wave has passed the place where a sphincter that is
        3 cm higher than at rest would end, since what is left may be esophagus only.
        Detail: ``sleeve_cm``, and ``wave_s``, when that is (NaN without a wave).

    Notes
    -----
    SPEC section 2.5.
    """
    if not known(onset_s, ues_upper_cm, ues_lower_cm):
        return Sleeve.missing(LANDMARK_MISSING)
    if pressure_field["time"].size < 2:
        return Sleeve.missing(WINDOW_TRUNCATED)
    depth = pressure_field["depth"].values
    if ues_upper_cm - float(depth[0]) < parameters["ues.least_up_cm"] - _TOLERANCE:
        return Sleeve.missing(CATHETER_STARTS_IN_UES)
    start = float(pressure_field["time"].values[0])
    box = _window(pressure_field, ues_upper_cm, ues_lower_cm, start, stop_s, parameters)
    if box.empty or float(depth[-1]) < ues_lower_cm:
        return Sleeve.missing(LANDMARK_MISSING)
    if not np.isfinite(box.values).all() or stuck(box, parameters):
        return Sleeve.missing(SENSOR_FAILED)
    values = box.values.astype(np.float64)
    arrival = _wave(pressure_field, box, onset_s, stop_s, ues_upper_cm, parameters)
    detail = {"sleeve_cm": (float(box.depth[0]), float(box.depth[-1])), "wave_s": math.nan}
    if arrival is None:
        return Sleeve(values.max(axis=0), box.time, detail=detail)
    foot = np.where(box.depth < ues_upper_cm, parameters["onset.wave_foot_s"], 0.0)
    values[box.time[None, :] >= (arrival.when - foot)[:, None]] = -np.inf
    passed = arrival.at(ues_lower_cm - parameters["ues.sleeve_up_cm"])
    sleeve = np.where(box.time >= passed, np.nan, values.max(axis=0))
    return Sleeve(
        np.where(np.isfinite(sleeve), sleeve, np.nan), box.time, detail={**detail, "wave_s": passed}
    )


def _window(
    pressure_field: xr.DataArray,
    ues_upper_cm: float,
    ues_lower_cm: float,
    start_s: float,
    stop_s: float,
    parameters: Parameters,
) -> Cut:
    top = ues_upper_cm - parameters["ues.sleeve_up_cm"]
    return cut(
        pressure_field, top, ues_lower_cm + parameters["ues.sleeve_down_cm"], start_s, stop_s
    )


def _wave(
    pressure_field: xr.DataArray,
    box: Cut,
    onset_s: float,
    stop_s: float,
    ues_upper_cm: float,
    parameters: Parameters,
) -> _Arrival | None:
    """When the pharyngeal wave reaches each line of the sleeve; None without a wave."""
    stop = min(onset_s + parameters["ues.nadir_window_s"], stop_s)
    top = float(pressure_field["depth"].values[0])
    pharynx = cut(pressure_field, top, ues_upper_cm, onset_s, stop)
    seen = _rises(pharynx, box.depth[0], parameters)
    # A sphincter that closes before it has come down also raises the lines just above it.
    if not seen or seen[-1][0] - seen[0][0] < parameters["ues.wave_least_cm"] - _TOLERANCE:
        return None
    where = np.array([depth for depth, _ in seen])
    when = np.array([moment for _, moment in seen])
    slowest = parameters["ues.wave_slowest_s_per_cm"]
    slope = float(np.clip(np.polyfit(where, when, 1)[0], 0.0, slowest))
    arrival = np.interp(box.depth, where, when)
    below = box.depth > where[-1]
    arrival[below] = when[-1] + slope * (box.depth[below] - where[-1])
    return _Arrival(box.depth, arrival)


def _rises(pharynx: Cut, sleeve_top_cm: float, parameters: Parameters) -> list[tuple[float, float]]:
    """Depth and time of the first rise through 30 mmHg, line by line in caudal order.

    A line of the sleeve that is above 30 mmHg at the onset still holds the sphincter,
    which has moved up: there the rise after its fall counts. A rise that precedes the
    one above it, or follows it too late, belongs to something else.
    """
    level, slowest = parameters["onset.pharyngeal_mmhg"], parameters["detect.slowest_s_per_cm"]
    seen: list[tuple[float, float]] = []
    if pharynx.time.size == 0:
        return seen
    high = pharynx.values >= level
    rises = high[:, 1:] & ~high[:, :-1]
    first = rises.argmax(axis=1) if rises.shape[1] else np.zeros(len(rises), dtype=np.int64)
    for i, (place, row) in enumerate(zip(pharynx.depth, pharynx.values, strict=True)):
        k = int(first[i])
        if high[i, 0] and place < sleeve_top_cm - _TOLERANCE:
            moment = float(pharynx.time[0])
        elif rises.shape[1] == 0 or not rises[i, k]:
            continue
        else:
            share = (level - float(row[k])) / float(row[k + 1] - row[k])
            moment = float(pharynx.time[k] + share * (pharynx.time[k + 1] - pharynx.time[k]))
        if seen:
            last_place, last = seen[-1]
            if not last - 0.05 <= moment <= last + slowest * (place - last_place) + 0.05:
                continue
        seen.append((float(place), moment))
    return seen


def _relaxed_part(sleeve: Sleeve, onset_s: float, stop_s: float, parameters: Parameters) -> Sleeve:
    """Sleeve in the 1.5 s after the onset, until the wave hides the sphincter."""
    if sleeve.status != OK:
        return sleeve
    stop = onset_s + parameters["ues.nadir_window_s"]
    inside = (sleeve.time >= onset_s - 5e-7) & (sleeve.time < stop - 5e-7)
    seen = inside & np.isfinite(sleeve.values)
    shown = seen.sum() * sleeve.step_s
    end = min(float(sleeve.time[-1]) + sleeve.step_s, stop_s)
    hidden = float(sleeve.detail["wave_s"]) <= end  # False without a wave
    if sleeve.time[0] > onset_s + sleeve.step_s or (not hidden and end < stop - sleeve.step_s):
        return Sleeve.missing(WINDOW_TRUNCATED)
    if shown < parameters["ues.irp_s"] - 1e-6:
        return Sleeve.missing(HIDDEN_BY_WAVE)
    window = (onset_s, float(sleeve.time[seen][-1]) + sleeve.step_s)
    return Sleeve(
        sleeve.values[seen], sleeve.time[seen], detail={**sleeve.detail, "window_s": window}
    )


def _times(
    sleeve: Sleeve,
    closing: Sleeve,
    onset_s: float,
    stop_s: float,
    nadir_s: float,
    parameters: Parameters,
) -> tuple[Measurement, Measurement, Measurement]:
    """Relaxation time, time to the nadir and recovery time."""

    def lost(status: str) -> tuple[Measurement, Measurement, Measurement]:
        missing = Measurement.missing(status)
        return missing, missing, missing

    if sleeve.step_s > parameters["ues.coarsest_step_s"] + 1e-9:
        return lost(RATE_TOO_LOW)
    base = _base(sleeve, onset_s, parameters)
    if not known(base):
        return lost(WINDOW_TRUNCATED)
    if base < parameters["onset.base_minimum_mmhg"]:
        return lost(NO_UES_TONE)
    level = min(parameters["onset.fall_fraction"] * base, parameters["onset.fall_cap_mmhg"])
    nadir = int(np.searchsorted(sleeve.time, nadir_s - 5e-7))
    earliest = onset_s - parameters["onset.base_gap_s"]
    fall = _crossing(sleeve, nadir, -1, level, earliest)
    if not sleeve.values[nadir] < level or not known(fall):
        return lost(NO_RELAXATION)
    detail = {"level_mmhg": level, "fall_s": fall, "nadir_s": nadir_s}
    to_nadir = Measurement(nadir_s - fall, detail=detail)
    end, reason = _end(closing, nadir, level, stop_s, parameters)
    if reason:
        missing = Measurement.missing(reason)
        return missing, to_nadir, missing
    detail["end_s"] = end
    return (
        Measurement(end - fall, detail=detail),
        to_nadir,
        Measurement(end - nadir_s, detail=detail),
    )


def _base(sleeve: Sleeve, onset_s: float, parameters: Parameters) -> float:
    """Median of the 3 s that end 1 s before the onset; NaN if most of them are missing."""
    stop = onset_s - parameters["onset.base_gap_s"]
    before = (sleeve.time >= stop - parameters["onset.base_s"]) & (sleeve.time < stop)
    # As for the onset: a base cut short by the start of the recording is no base.
    if before.sum() * sleeve.step_s < 0.5 * parameters["onset.base_s"]:
        return math.nan
    return float(np.nanmedian(sleeve.values[before]))


def _end(
    closing: Sleeve,
    nadir: int,
    level: float,
    stop_s: float,
    parameters: Parameters,
) -> tuple[float, str]:
    """When the relaxation is over [s]; or NaN and the reason."""
    latest = float(closing.time[nadir]) + parameters["ues.recovery_window_s"]
    rise = _crossing(closing, nadir, +1, level, latest)
    if known(rise):
        return rise, ""
    seen_to = min(float(closing.time[-1]) + closing.step_s, stop_s)
    return math.nan, WINDOW_TRUNCATED if seen_to < latest - 1e-6 else NO_RECOVERY


def _crossing(sleeve: Sleeve, start: int, side: int, level: float, bound_s: float) -> float:
    """Time at which the sleeve, from sample `start` on, first reaches the level; else NaN."""
    k = start
    if sleeve.values[k] >= level:
        return float(sleeve.time[k])
    while 0 <= k + side < sleeve.time.size:
        here, there = float(sleeve.values[k]), float(sleeve.values[k + side])
        if not math.isfinite(there) or side * (sleeve.time[k + side] - bound_s) > 1e-6:
            return math.nan
        if there >= level:
            share = (level - here) / (there - here)
            return float(sleeve.time[k] + share * (sleeve.time[k + side] - sleeve.time[k]))
        k += side
    return math.nan
