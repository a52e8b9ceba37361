"""Pressure and impedance together: the pressure-flow metrics and the bolus flow time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.metrics._base import (
    LANDMARK_MISSING,
    NO_CONTRACTION,
    OK,
    SENSOR_FAILED,
    WINDOW_TRUNCATED,
    Measurement,
    known,
)
from hrm.metrics.impedance import OUT_OF_REACH, Passage, Segments, passage

NADIR_AFTER_PEAK = "nadir_after_peak"
RATE_TOO_LOW = "rate_too_low"

_TOLERANCE = 1e-6
_INSTANT = 5e-7
#: A slope needs this many samples.
_LEAST_SAMPLES = 3


@dataclass(frozen=True)
class LevelFlow:
    """Pressure and impedance at one segment; NaN with a reason in `status`.

    Attributes
    ----------
    depth_cm : float [cm]
    nadir_s, peak_s : float [s]
        Time of least impedance and of peak pressure, from the first sample.
    nadir_mmhg, peak_mmhg : float [mmHg]
        Pressure at these times.
    ibp_mmhg : float [mmHg]
        Median pressure from the nadir to half way to the peak.
    slope_mmhg_s : float [mmHg/s]
        Least-squares slope of the pressure over the same time.
    impedance_ratio : float
        Impedance at the nadir over impedance at the peak pressure.
    status : str
    """

    depth_cm: float
    nadir_s: float = math.nan
    nadir_mmhg: float = math.nan
    peak_s: float = math.nan
    peak_mmhg: float = math.nan
    ibp_mmhg: float = math.nan
    slope_mmhg_s: float = math.nan
    impedance_ratio: float = math.nan
    status: str = OK

    @property
    def nadir_to_peak_s(self) -> float:
        """Time from the nadir to the peak [s]."""
        return self.peak_s - self.nadir_s


@dataclass(frozen=True)
class PressureFlow:
    """Pressure-flow metrics of one swallow: medians over its segments.

    Attributes
    ----------
    nadir : Measurement [s]
        Time of nadir impedance (TNadImp) after the onset.
    nadir_pressure, peak_pressure, ibp : Measurement [mmHg]
        PNadImp, PeakP and intrabolus pressure.
    nadir_to_peak : Measurement [s]
        TNadImp-PeakP.
    ibp_slope : Measurement [mmHg/s]
    impedance_ratio : Measurement
    pressure_flow_index : Measurement [mmHg^2/s^2]
    levels : tuple of LevelFlow
        From the top down.
    """

    nadir: Measurement
    nadir_pressure: Measurement
    peak_pressure: Measurement
    nadir_to_peak: Measurement
    ibp: Measurement
    ibp_slope: Measurement
    impedance_ratio: Measurement
    pressure_flow_index: Measurement
    levels: tuple[LevelFlow, ...] = field(default_factory=tuple)

    @classmethod
    def missing(cls, status: str, levels: tuple[LevelFlow, ...] = ()) -> PressureFlow:
        """Return metrics of which none could be measured."""
        lost = Measurement.missing(status)
        return cls(lost, lost, lost, lost, lost, lost, lost, lost, levels)

    def measurements(self) -> dict[str, Measurement]:
        """Return the numbers by the name they have in the contract."""
        return {
            "nadir_impedance_s": self.nadir,
            "nadir_impedance_pressure_mmhg": self.nadir_pressure,
            "peak_pressure_mmhg": self.peak_pressure,
            "nadir_impedance_to_peak_s": self.nadir_to_peak,
            "flow_ibp_mmhg": self.ibp,
            "flow_ibp_slope_mmhg_s": self.ibp_slope,
            "impedance_ratio": self.impedance_ratio,
            "pressure_flow_index": self.pressure_flow_index,
        }


def pressure_flow(
    pressure_field: xr.DataArray,
    found: Segments,
    seen: Sequence[Passage],
    *,
    onset_s: float,
    stop_s: float,
    top_cm: float,
    bottom_cm: float,
    parameters: Parameters,
) -> PressureFlow:
    """Measure pressure and flow of one swallow in the distal esophagus.

    Parameters
    ----------
    pressure_field : DataArray (depth, time) [mmHg]
    found : Segments
        Impedance over the same time.
    seen : sequence of Passage
        Of its segments (see `hrm.metrics.impedance.passages`).
    onset_s, stop_s : float [s]
        Onset of the swallow; onset of the next one or end of the recording.
    top_cm, bottom_cm : float [cm]
        Transition zone and upper border of the LES.
    parameters : Parameters

    Returns
    -------
    PressureFlow
        Each number is the median over the segments between the two depths that have
        one, which must be half of them; the index is made of these medians, so that it
        can be recomputed. Otherwise the most frequent reason of the others.

    Notes
    -----
    SPEC section 9.2. Pressures are above atmospheric. Intrabolus pressure and its slope
    are read from the nadir half way to the peak: with the upstroke of the contraction in
    it, the slope would be a hundred times what the published index allows (NGU13).
    """
    if not known(top_cm, bottom_cm):
        return PressureFlow.missing(LANDMARK_MISSING)
    inside = [one for one in seen if top_cm - _TOLERANCE <= one.depth_cm <= bottom_cm + _TOLERANCE]
    levels = tuple(
        level_flow(
            pressure_field, found, one, onset_s=onset_s, stop_s=stop_s, parameters=parameters
        )
        for one in inside
    )
    good = [level for level in levels if level.status == OK]
    if not good or len(good) < parameters["flow.least_share"] * len(levels):
        reasons = Counter(level.status for level in levels if level.status != OK)
        status = reasons.most_common(1)[0][0] if reasons else OUT_OF_REACH
        return PressureFlow.missing(status, levels)

    def middle(read: Callable[[LevelFlow], float]) -> Measurement:
        return Measurement(float(np.median([read(level) for level in good])))

    apart = middle(lambda level: level.nadir_to_peak_s)
    ibp, slope = middle(lambda level: level.ibp_mmhg), middle(lambda level: level.slope_mmhg_s)
    return PressureFlow(
        nadir=middle(lambda level: level.nadir_s - onset_s),
        nadir_pressure=middle(lambda level: level.nadir_mmhg),
        peak_pressure=middle(lambda level: level.peak_mmhg),
        nadir_to_peak=apart,
        ibp=ibp,
        ibp_slope=slope,
        impedance_ratio=middle(lambda level: level.impedance_ratio),
        pressure_flow_index=Measurement(ibp.value * slope.value / apart.value),
        levels=levels,
    )


def level_flow(
    pressure_field: xr.DataArray,
    found: Segments,
    bolus: Passage,
    *,
    onset_s: float,
    stop_s: float,
    parameters: Parameters,
) -> LevelFlow:
    """Measure pressure and flow at one segment.

    Parameters
    ----------
    pressure_field : DataArray (depth, time) [mmHg]
    found : Segments
    bolus : Passage
        Of one of its segments.
    onset_s, stop_s : float [s]
    parameters : Parameters

    Returns
    -------
    LevelFlow
        ``no_contraction`` below the 20 mmHg that a contraction reaches;
        ``nadir_after_peak`` when the bolus is there after the contraction.
    """
    place = bolus.depth_cm
    if not known(bolus.nadir_s):
        return LevelFlow(place, status=bolus.status)
    time, pressure = _row(pressure_field, place)
    stop = min(onset_s + parameters["dci.window_s"], stop_s)
    # With less to see the contraction may not have come.
    short = stop - onset_s < parameters["irp.minimum_window_s"] - _INSTANT
    window = (time >= onset_s + parameters["dci.start_s"] - _INSTANT) & (time < stop - _INSTANT)
    if pressure is None or short or window.sum() < _LEAST_SAMPLES:
        return LevelFlow(place, status=OUT_OF_REACH if pressure is None else WINDOW_TRUNCATED)
    if not np.isfinite(pressure[window]).all():
        return LevelFlow(place, status=SENSOR_FAILED)
    peak = int(np.flatnonzero(window)[np.argmax(pressure[window])])
    if pressure[peak] < parameters["dci.threshold_mmhg"]:
        return LevelFlow(place, status=NO_CONTRACTION)
    if time[peak] <= bolus.nadir_s:
        return LevelFlow(place, status=NADIR_AFTER_PEAK)
    halfway = 0.5 * (bolus.nadir_s + float(time[peak]))
    early = (time >= bolus.nadir_s - _INSTANT) & (time <= halfway + _INSTANT)
    if early.sum() < _LEAST_SAMPLES:
        return LevelFlow(place, status=RATE_TOO_LOW)
    if not np.isfinite(pressure[early]).all():
        return LevelFlow(place, status=SENSOR_FAILED)
    row = found.values[int(np.argmin(np.abs(found.depth - place)))]
    return LevelFlow(
        place,
        nadir_s=bolus.nadir_s,
        nadir_mmhg=float(np.interp(bolus.nadir_s, time, pressure)),
        peak_s=float(time[peak]),
        peak_mmhg=float(pressure[peak]),
        ibp_mmhg=float(np.median(pressure[early])),
        slope_mmhg_s=_slope(time[early], pressure[early]),
        impedance_ratio=bolus.nadir_ohm / float(np.interp(time[peak], found.time, row)),
    )


def bolus_flow_time(
    pressure_field: xr.DataArray,
    found: Segments,
    *,
    onset_s: float,
    stop_s: float,
    les_upper_cm: float,
    egj_lower_cm: float,
    gastric_mmhg: float,
    parameters: Parameters,
) -> Measurement:
    """Time during which bolus lies across the EGJ and pressure lets it flow.

    Parameters
    ----------
    pressure_field : DataArray (depth, time) [mmHg]
    found : Segments
        Impedance over the same time, from 3.5 s before the onset.
    onset_s, stop_s : float [s]
    les_upper_cm, egj_lower_cm : float [cm]
        Borders of the junction, the diaphragm included.
    gastric_mmhg : float [mmHg]
    parameters : Parameters

    Returns
    -------
    Measurement [s]
        ``no_bolus`` when the impedance of a level does not fall: nothing passed, or the
        level lies in the stomach, where a bolus makes no difference.

    Notes
    -----
    SPEC section 9.2: a bolus is present while the impedance is below the level of entry
    and exit at every one of three levels of the junction; pressure permits flow while
    esophageal pressure, 2 cm above the LES, is above the greatest pressure of the
    junction and above gastric. Counted in the 15 s after the onset.
    """
    if not known(les_upper_cm, egj_lower_cm, gastric_mmhg):
        return Measurement.missing(LANDMARK_MISSING)
    places = np.linspace(les_upper_cm, egj_lower_cm, parameters["bft.levels"])
    rows = [found.at(float(place)) for place in places]
    if any(row is None for row in rows):
        return Measurement.missing(OUT_OF_REACH)
    time = pressure_field["time"].values
    stop = min(onset_s + parameters["bolus.look_s"], stop_s)
    window = (time >= onset_s - _INSTANT) & (time < stop - _INSTANT)
    if window.sum() < _LEAST_SAMPLES or stop < onset_s + parameters["bolus.look_s"] - _INSTANT:
        return Measurement.missing(WINDOW_TRUNCATED)
    present = np.ones(int(window.sum()), dtype=bool)
    limits = {"onset_s": onset_s, "stop_s": stop_s}
    for place, row in zip(places, rows, strict=True):
        ohm = np.asarray(row)
        bolus = passage(found.time, ohm, depth_cm=float(place), **limits, parameters=parameters)
        if not known(bolus.nadir_s):
            return Measurement.missing(bolus.status)
        level = bolus.nadir_ohm + parameters["bolus.level"] * (bolus.base_ohm - bolus.nadir_ohm)
        present &= np.interp(time[window], found.time, ohm) < level
    above = _row(pressure_field, les_upper_cm - parameters["bft.above_les_cm"])[1]
    depth = pressure_field["depth"].values
    junction = (depth >= les_upper_cm - _TOLERANCE) & (depth <= egj_lower_cm + _TOLERANCE)
    if above is None or not junction.any() or depth[-1] < egj_lower_cm - 0.1 - _TOLERANCE:
        return Measurement.missing(OUT_OF_REACH)
    barrier = pressure_field.values[junction][:, window].max(axis=0)
    esophageal = above[window]
    if not np.isfinite(barrier).all() or not np.isfinite(esophageal).all():
        return Measurement.missing(SENSOR_FAILED)
    open_ = (esophageal > barrier) & (esophageal > gastric_mmhg)
    step = float(time[1] - time[0])
    return Measurement(
        float((present & open_).sum() * step),
        detail={
            "bolus_s": float(present.sum() * step),
            "gradient_s": float(open_.sum() * step),
            "time_s": time[window],
            "present": present,
            "esophageal_mmhg": esophageal,
            "barrier_mmhg": np.maximum(barrier, gastric_mmhg),
            "open": open_,
        },
    )


def _row(
    pressure_field: xr.DataArray, depth_cm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Time, and pressure on the line nearest to a depth; None where no line is near."""
    time, depth = pressure_field["time"].values, pressure_field["depth"].values
    k = int(np.argmin(np.abs(depth - depth_cm)))
    if abs(float(depth[k]) - depth_cm) > max(0.1, float(depth[1] - depth[0])) + _TOLERANCE:
        return time, None
    return time, pressure_field.values[k].astype(np.float64)


def _slope(time: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    """Least-squares slope of `values` over `time`."""
    since = time - time.mean()
    return float((since * values).sum() / (since * since).sum())
