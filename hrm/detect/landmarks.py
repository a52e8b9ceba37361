"""Resting landmarks of the esophagogastric junction.

Everything here works on profiles over the baseline segment: mean pressure at end
expiration E(z), at inspiratory peaks I(z), and the slope of pressure on breathing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.detect._signal import crossing, during, local_maxima, row_medians
from hrm.detect.baseline import Baseline, Respiration, find_respiration
from hrm.kernels.interpolate import depth_grid, interpolate_2d

NAN = math.nan
#: Status of a gastric reference that no sensor in the stomach, but one in the sphincter gives.
_ON_SLOPE = "gastric_on_slope"


@dataclass(frozen=True)
class Landmarks:
    """Resting landmarks on the catheter's axis [cm] and the gastric reference [mmHg].

    NaN where not found; `status` says why, by field name.
    """

    ues_upper_cm: float = NAN
    ues_lower_cm: float = NAN
    transition_zone_cm: float = NAN
    les_upper_cm: float = NAN
    les_peak_cm: float = NAN
    les_lower_cm: float = NAN
    crural_diaphragm_cm: float = NAN
    pressure_inversion_point_cm: float = NAN
    gastric_reference_mmhg: float = NAN
    gastric_sensors_cm: tuple[float, ...] = ()
    status: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RestingProfiles:
    """Profiles over the baseline on the depth grid [mmHg], and the breathing slope.

    Those that start with `sensor` are at the sensors themselves.
    """

    depth: NDArray[np.float64]
    end_expiratory: NDArray[np.float64]
    inspiratory: NDArray[np.float64]
    slope: NDArray[np.float64]
    sensor_slope: NDArray[np.float64]
    sensor_rest: NDArray[np.float64]
    sensor_depth: NDArray[np.float64]
    sensor_end_expiratory: NDArray[np.float64]
    sensor_inspiratory: NDArray[np.float64]


def rough_les(pressure: xr.DataArray, top_cm: float, quiet: NDArray[np.bool_]) -> float:
    """Depth of the highest resting peak below `top_cm` [cm]; NaN if there is none.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg]
    top_cm : float [cm]
    quiet : array (time,) of bool
    """
    depth = pressure["depth"].values
    profile = row_medians(pressure.values[:, quiet])
    inner = np.arange(depth.size)[1:-1]
    peaks = inner[
        (depth[1:-1] >= top_cm) & (profile[1:-1] > profile[:-2]) & (profile[1:-1] >= profile[2:])
    ]
    if peaks.size == 0:
        return NAN
    return float(depth[peaks[np.argmax(profile[peaks])]])


def find_egj(
    pressure: xr.DataArray,
    baseline: Baseline,
    *,
    top_cm: float,
    onsets: Sequence[float],
    parameters: Parameters,
) -> tuple[Landmarks, Respiration]:
    """Find the LES borders, crural diaphragm, inversion point and gastric reference.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg]
        Usable sensors.
    baseline : Baseline
    top_cm : float [cm]
        The EGJ is looked for below this depth.
    onsets : sequence of float [s]
        Of the swallows, for the fallback to deglutitive relaxation.
    parameters : Parameters

    Returns
    -------
    Landmarks, Respiration
        SPEC sections 2.1-2.4 and 3.1.
    """
    depth = pressure["depth"].values
    peak = rough_les(pressure, top_cm, baseline.quiet)
    center = peak if math.isfinite(peak) else float(depth[-1])
    breathing = find_respiration(
        pressure,
        baseline,
        thoracic=(depth <= center - 3.0) & (depth >= center - 10.0),
        abdominal=depth >= center + parameters["gastric.rough_below_les_cm"],
        parameters=parameters,
    )
    profiles = resting_profiles(pressure, baseline, breathing, parameters)
    marks = _les(profiles, depth, top_cm, parameters)
    if not math.isfinite(marks.les_upper_cm) and "gastric_reference_mmhg" not in marks.status:
        marks = _les_by_relaxation(pressure, profiles, depth, top_cm, onsets, parameters)
    marks = _diaphragm(profiles, marks, parameters)
    if breathing.status != "ok":
        lost = dict.fromkeys(
            ("crural_diaphragm_cm", "pressure_inversion_point_cm"), breathing.status
        )
        marks = replace(
            marks,
            crural_diaphragm_cm=NAN,
            pressure_inversion_point_cm=NAN,
            status={**marks.status, **lost},
        )
    return marks, breathing


def resting_profiles(
    pressure: xr.DataArray,
    baseline: Baseline,
    breathing: Respiration,
    parameters: Parameters,
) -> RestingProfiles:
    """Average the baseline at end expiration and at inspiratory peaks.

    Without breaths both profiles are the mean over the quiet samples.
    """
    time = pressure["time"].values
    values = pressure.values.astype(np.float64)
    depth = np.asarray(pressure["depth"].values, dtype=np.float64)
    half = max(1, round(parameters["respiration.half_width_s"] / float(time[1] - time[0])))
    rest = np.nanmean(values[:, baseline.quiet], axis=1)
    expiratory, inspiratory, slope = rest, rest, np.zeros(depth.size)
    if breathing.status == "ok":
        expiratory = _mean_around(values, breathing.end_expiration, half, baseline.quiet, rest)
        inspiratory = _mean_around(values, breathing.inspiration, half, baseline.quiet, rest)
        slope = _breathing_slope(values, time, baseline, breathing)
    grid = depth_grid(depth, parameters["interpolation.step_cm"])

    def on_grid(profile: NDArray[np.float64]) -> NDArray[np.float64]:
        column = profile.astype(np.float32)[:, None]
        kernel = parameters["interpolation.kernel"]
        return interpolate_2d(column, depth, grid, kernel)[:, 0].astype(np.float64)

    return RestingProfiles(
        *(grid, on_grid(expiratory), on_grid(inspiratory), on_grid(slope), slope, rest),
        *(depth, expiratory, inspiratory),
    )


def _mean_around(
    values: NDArray[np.float64],
    centers: NDArray[np.int64],
    half: int,
    quiet: NDArray[np.bool_],
    otherwise: NDArray[np.float64],
) -> NDArray[np.float64]:
    pick = [k for k in centers if quiet[k]]
    if not pick:
        return otherwise
    last = values.shape[1]
    columns = [
        np.nanmean(values[:, max(0, k - half) : min(last, k + half + 1)], axis=1) for k in pick
    ]
    return np.asarray(np.mean(columns, axis=0))


def _breathing_slope(
    values: NDArray[np.float64],
    time: NDArray[np.float64],
    baseline: Baseline,
    breathing: Respiration,
) -> NDArray[np.float64]:
    inside = np.flatnonzero((time >= baseline.start_s) & (time <= baseline.stop_s))
    keep = baseline.quiet[inside]
    signal = breathing.signal[keep] - breathing.signal[keep].mean()
    data = values[:, inside[keep]]
    data = data - np.nanmean(data, axis=1, keepdims=True)
    return np.asarray(np.nansum(data * signal, axis=1) / np.sum(signal**2))


def _les(
    profiles: RestingProfiles,
    depth: NDArray[np.float64],
    top_cm: float,
    parameters: Parameters,
) -> Landmarks:
    """Borders by the border rule; twice, since the gastric reference depends on them."""
    zone = profiles.depth >= top_cm
    peaks = local_maxima(
        np.where(zone, profiles.end_expiratory, np.min(profiles.end_expiratory)),
        prominence=parameters["les.prominence_mmhg"],
        spacing=1,
    )
    peaks = peaks[profiles.depth[peaks] >= top_cm]
    if peaks.size == 0:
        return Landmarks(status={"les": "no_high_pressure_zone"})
    peak = int(peaks[np.argmax(profiles.end_expiratory[peaks])])
    lower = float(profiles.depth[peak]) + 1.0
    marks = Landmarks()
    for _ in range(3):
        gastric, sensors, status = _gastric(
            profiles, depth, lower, float(profiles.depth[peak]), parameters
        )
        if not math.isfinite(gastric):
            break
        marks = _borders(profiles, peak, gastric, parameters)
        marks = replace(
            marks,
            gastric_reference_mmhg=gastric,
            gastric_sensors_cm=sensors,
            status=marks.status
            if status == "ok"
            else {**marks.status, "gastric_reference_mmhg": status},
        )
        if not math.isfinite(marks.les_lower_cm) or abs(marks.les_lower_cm - lower) < 0.05:
            break
        lower = marks.les_lower_cm
    if not math.isfinite(marks.gastric_reference_mmhg):
        return Landmarks(
            les_peak_cm=float(profiles.depth[peak]),
            status={"gastric_reference_mmhg": "no_gastric_sensor", "les": "no_gastric_sensor"},
        )
    return _without_slope(marks)


def _without_slope(marks: Landmarks) -> Landmarks:
    """Leave out what hangs on a reference from the slope of the sphincter.

    The upper border moves little with it, and the body needs it.
    """
    if marks.status.get("gastric_reference_mmhg") != _ON_SLOPE:
        return marks
    lost = dict.fromkeys(("gastric_reference_mmhg", "les_lower_cm"), "no_gastric_sensor")
    return replace(
        marks,
        gastric_reference_mmhg=NAN,
        gastric_sensors_cm=(),
        les_lower_cm=NAN,
        status={**marks.status, **lost},
    )


def _gastric(
    profiles: RestingProfiles,
    depth: NDArray[np.float64],
    lower_cm: float,
    peak_cm: float,
    parameters: Parameters,
) -> tuple[float, tuple[float, ...], str]:
    """Gastric reference: median over the sensors clearly below the EGJ (SPEC 3.1).

    Of a hernia the diaphragm ends the EGJ; where no sensor lies below it, those in the
    hernia are used, with a remark.
    """
    crural = _crural_end(profiles, peak_cm, parameters)
    if crural > lower_cm:
        found = _gastric_below(profiles, depth, crural, parameters)
        if math.isfinite(found[0]):
            return found
    value, sensors, status = _gastric_below(profiles, depth, lower_cm, parameters)
    if crural > lower_cm and math.isfinite(value) and status != _ON_SLOPE:
        status = "gastric_in_hernia"
    return value, sensors, status


def _crural_end(profiles: RestingProfiles, peak_cm: float, parameters: Parameters) -> float:
    """Depth of a diaphragm below the LES; NaN unless it stands out from both its sides."""
    z, gain = profiles.depth, profiles.inspiratory - profiles.end_expiratory
    near = np.flatnonzero((z >= peak_cm) & (z <= peak_cm + parameters["egj.search_cm"]))
    if near.size < 2:
        return NAN
    at = int(near[np.argmax(gain[near])])
    least = float(gain[at]) - parameters["les.prominence_mmhg"]
    stands = gain[near[0] : at + 1].min() <= least and gain[at:].min() <= least
    return float(z[at]) if stands else NAN


def _gastric_below(
    profiles: RestingProfiles,
    depth: NDArray[np.float64],
    lower_cm: float,
    parameters: Parameters,
) -> tuple[float, tuple[float, ...], str]:
    thoracic = profiles.sensor_slope < -parameters["gastric.polarity_mmhg"]
    low = profiles.sensor_rest <= parameters["gastric.median_max_mmhg"]
    clear = depth >= lower_cm + parameters["gastric.below_egj_cm"]
    chosen = clear & ~thoracic & low
    if chosen.any():
        return float(np.median(profiles.sensor_rest[chosen])), tuple(depth[chosen].tolist()), "ok"
    near = depth >= lower_cm + parameters["gastric.single_below_egj_cm"]
    abdominal = near & low & (profiles.sensor_slope > 0.0)
    if abdominal.any():
        last = int(np.flatnonzero(abdominal)[-1])
        status = "gastric_single" if _levels_off(profiles, last, parameters) else _ON_SLOPE
        return float(profiles.sensor_rest[last]), (float(depth[last]),), status
    return NAN, (), "no_gastric_sensor"


def _levels_off(profiles: RestingProfiles, sensor: int, parameters: Parameters) -> bool:
    """Whether the pressure has come down to that of the stomach at a sensor.

    On the slope of the sphincter it would stand in for the stomach some mmHg too high, and
    the border, which hangs on it, would follow.
    """
    rest, depth = profiles.sensor_rest, profiles.sensor_depth
    if sensor == 0:
        return True
    fall = float(rest[sensor - 1] - rest[sensor]) / float(depth[sensor] - depth[sensor - 1])
    return fall <= float(parameters["gastric.single_fall_mmhg_cm"])


def _borders(
    profiles: RestingProfiles, peak: int, gastric: float, parameters: Parameters
) -> Landmarks:
    z, e = profiles.depth, profiles.end_expiratory - gastric
    part = parameters["les.border_fraction"] * e[peak]
    floor = parameters["les.border_floor_mmhg"]
    above = (z <= z[peak] - 3.0) & (z >= z[peak] - 10.0)
    thoracic = float(np.median(e[above])) if above.any() else float(e[0])
    upper = _walk(z, e, peak, -1, max(thoracic + floor, part))
    lower = _walk(z, e, peak, +1, max(floor, part))
    status = {}
    if not math.isfinite(upper):
        status["les_upper_cm"] = "border_not_crossed"
    if not math.isfinite(lower):
        # The sphincter reaches the last sensor: its end is not on the catheter.
        status["les_lower_cm"] = "catheter_ends_in_les"
    return Landmarks(
        les_upper_cm=upper,
        les_peak_cm=_between_sensors(profiles, profiles.sensor_end_expiratory, float(z[peak])),
        les_lower_cm=lower,
        status=status,
    )


def _between_sensors(
    profiles: RestingProfiles, values: NDArray[np.float64], peak_cm: float
) -> float:
    """Depth of a peak between sensors: the vertex of a parabola through the nearest three.

    An interpolation that stays within the readings puts every peak at a sensor, and two
    such peaks up to a whole spacing nearer to or farther from each other than they are.
    """
    depth = profiles.sensor_depth
    k = int(np.argmin(np.abs(depth - peak_cm)))
    if not 0 < k < depth.size - 1:
        return peak_cm
    curve, slope, _ = np.polyfit(depth[k - 1 : k + 2] - depth[k], values[k - 1 : k + 2], 2)
    if not curve < 0.0:
        return peak_cm
    low, high = (0.5 * (depth[k + side] - depth[k]) for side in (-1, 1))
    return float(depth[k] + np.clip(-slope / (2.0 * curve), low, high))


def _walk(
    z: NDArray[np.float64], values: NDArray[np.float64], peak: int, side: int, level: float
) -> float:
    k = peak
    while 0 <= k + side < z.size:
        if values[k + side] < level:
            return crossing(
                float(values[k]),
                float(values[k + side]),
                level,
                float(z[k]),
                float(z[k + side] - z[k]),
            )
        k += side
    return NAN


def _les_by_relaxation(
    pressure: xr.DataArray,
    profiles: RestingProfiles,
    depth: NDArray[np.float64],
    top_cm: float,
    onsets: Sequence[float],
    parameters: Parameters,
) -> Landmarks:
    """Locate a sphincter without resting peak by its relaxation on swallowing (SPEC 2.3)."""
    time, values = pressure["time"].values, pressure.values
    drops = []
    for onset in onsets:
        before, after = (
            values[:, during(time, onset + first, onset + last)].astype(np.float64)
            for first, last in ((-2.0, 0.0), (1.0, 3.0))
        )
        if before.size and after.size:
            drops.append(np.nanmean(before, axis=1) - np.nanmean(after, axis=1))
    status = {"les": "not_definable_by_pressure"}
    if not drops:
        return Landmarks(status=status)
    drop = np.where(depth >= top_cm, np.median(drops, axis=0), -np.inf)
    at = int(np.argmax(drop))
    if not drop[at] > parameters["les.relaxation_drop_mmhg"]:
        return Landmarks(status=status)
    level = parameters["les.border_fraction"] * float(drop[at])
    finite = np.where(np.isfinite(drop), drop, 0.0)
    upper, lower = (_walk(depth, finite, at, side, level) for side in (-1, +1))
    end = lower if math.isfinite(lower) else float(depth[-1])
    gastric, sensors, how = _gastric(profiles, depth, end, float(depth[at]), parameters)
    status = {"les": "les_uncertain"} | ({} if how == "ok" else {"gastric_reference_mmhg": how})
    marks = Landmarks(
        les_upper_cm=upper,
        les_peak_cm=float(depth[at]),
        les_lower_cm=lower,
        gastric_reference_mmhg=gastric,
        gastric_sensors_cm=sensors,
        status=status,
    )
    return _without_slope(marks)


def _diaphragm(profiles: RestingProfiles, marks: Landmarks, parameters: Parameters) -> Landmarks:
    """Crural diaphragm and pressure inversion point near the EGJ (SPEC 2.2, 2.3)."""
    if not math.isfinite(marks.les_peak_cm):
        return marks
    z = profiles.depth
    near = np.flatnonzero(np.abs(z - marks.les_peak_cm) <= parameters["egj.search_cm"])
    gain = (profiles.inspiratory - profiles.end_expiratory)[near]
    cd = NAN
    if gain.max() > 0:
        rise = profiles.sensor_inspiratory - profiles.sensor_end_expiratory
        cd = _between_sensors(profiles, rise, float(z[near[np.argmax(gain)]]))
    pip = _inversion_point(profiles, float(z[near[-1]]), marks.les_peak_cm - 10.0)
    status = dict(marks.status)
    if not math.isfinite(cd):
        status["crural_diaphragm_cm"] = "no_inspiratory_augmentation"
    if not math.isfinite(pip):
        status["pressure_inversion_point_cm"] = "no_inversion"
    return replace(marks, crural_diaphragm_cm=cd, pressure_inversion_point_cm=pip, status=status)


def _inversion_point(profiles: RestingProfiles, start_cm: float, stop_cm: float) -> float:
    """Most caudal change of the breathing slope from positive to negative going up."""
    z, slope = profiles.depth, profiles.slope
    rows = np.flatnonzero((z >= stop_cm) & (z <= start_cm))
    for k in rows[:0:-1]:
        if slope[k] > 0 >= slope[k - 1]:
            return crossing(
                float(slope[k - 1]), float(slope[k]), 0.0, float(z[k - 1]), float(z[k] - z[k - 1])
            )
    return NAN
