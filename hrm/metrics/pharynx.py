"""The pharynx, where the catheter spans it, and the bolus in it and in the UES."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import xarray as xr

from hrm.catalog import Parameters
from hrm.kernels.integral import excess_2d
from hrm.metrics._base import (
    LANDMARK_MISSING,
    OK,
    SENSOR_FAILED,
    WINDOW_TRUNCATED,
    Cut,
    Measurement,
    cut,
    known,
)
from hrm.metrics.impedance import OUT_OF_REACH, Segments, passage

BORDERS_UNKNOWN = "pharyngeal_borders_unknown"
CATHETER_STARTS_IN_PHARYNX = "catheter_starts_in_pharynx"
NO_SEGMENT_IN_UES = "no_segment_in_ues"

_MILLISIEMENS_OHM = 1000.0
_TOLERANCE = 1e-6
_INSTANT = 5e-7


@dataclass(frozen=True)
class PharyngealBorders:
    """Where the parts of the pharynx begin [cm]; NaN where a reader has not said it.

    Attributes
    ----------
    velopharynx_cm, mesopharynx_cm, hypopharynx_cm : float [cm]
        Upper border of each part. The hypopharynx ends at the UES.
    """

    velopharynx_cm: float = math.nan
    mesopharynx_cm: float = math.nan
    hypopharynx_cm: float = math.nan


@dataclass(frozen=True)
class PharyngealIntegrals:
    """Contractile integrals of the pharynx and of its parts.

    Attributes
    ----------
    whole, velopharynx, mesopharynx, hypopharynx : Measurement [mmHg s cm]
    """

    whole: Measurement
    velopharynx: Measurement
    mesopharynx: Measurement
    hypopharynx: Measurement

    def measurements(self) -> dict[str, Measurement]:
        """Return the numbers by the name they have in the contract."""
        return {
            "phci_mmhg_s_cm": self.whole,
            "vci_mmhg_s_cm": self.velopharynx,
            "mci_mmhg_s_cm": self.mesopharynx,
            "hpci_mmhg_s_cm": self.hypopharynx,
        }


@dataclass(frozen=True)
class HypopharyngealFlow:
    """Pressure and bolus 1 cm above the UES.

    Attributes
    ----------
    ibp : Measurement [mmHg]
        Pressure when the admittance is greatest.
    bolus_presence : Measurement [s]
        From entry to exit of the bolus.
    distension_to_contraction : Measurement [s]
        From the greatest admittance to the peak pressure.
    """

    ibp: Measurement
    bolus_presence: Measurement
    distension_to_contraction: Measurement

    def measurements(self) -> dict[str, Measurement]:
        """Return the numbers by the name they have in the contract."""
        return {
            "pharyngeal_ibp_mmhg": self.ibp,
            "pharyngeal_bolus_presence_s": self.bolus_presence,
            "pharyngeal_distension_contraction_s": self.distension_to_contraction,
        }


def swallow_window(onset_s: float, stop_s: float, parameters: Parameters) -> tuple[float, float]:
    """Start and end of the recording [s] in which the pharynx contracts."""
    start = max(0.0, onset_s - parameters["pharynx.before_s"])
    return start, min(onset_s + parameters["pharynx.after_s"], stop_s)


def pharyngeal_integrals(
    pressure_field: xr.DataArray,
    *,
    onset_s: float,
    stop_s: float,
    ues_upper_cm: float,
    borders: PharyngealBorders | None = None,
    parameters: Parameters,
) -> PharyngealIntegrals:
    """Integrate the contraction of the pharynx.

    Parameters
    ----------
    pressure_field : DataArray (depth, time) [mmHg]
        From half a second before the onset, from the first sensor down.
    onset_s, stop_s : float [s]
    ues_upper_cm : float [cm]
        Upper border of the resting UES.
    borders : PharyngealBorders, optional
        A reader's. Nothing in the recording tells the parts of the pharynx apart, so
        without them the parts are ``pharyngeal_borders_unknown``.
    parameters : Parameters

    Returns
    -------
    PharyngealIntegrals
        Above 20 mmHg, which is subtracted. ``catheter_starts_in_pharynx`` for what the
        catheter does not span.

    Notes
    -----
    SPEC section 9.3. Without a reader's border, the whole pharynx begins where nothing
    reaches 20 mmHg: the integral from the first sensor is then the same. The first sensor
    must show that it lies above, and lie 8 cm or more above the UES.
    """
    borders = borders or PharyngealBorders()
    if not known(onset_s, ues_upper_cm):
        return _all_missing(LANDMARK_MISSING)
    start, stop = swallow_window(onset_s, stop_s, parameters)
    top = float(pressure_field["depth"].values[0])
    box = cut(pressure_field, top, ues_upper_cm, start, stop)
    if box.time.size < 2 or stop < onset_s + parameters["pharynx.after_s"] - box.step_s:
        return _all_missing(WINDOW_TRUNCATED)
    whole_top = borders.velopharynx_cm if known(borders.velopharynx_cm) else top
    parts = (borders.velopharynx_cm, borders.mesopharynx_cm, borders.hypopharynx_cm, ues_upper_cm)
    whole = _unspanned(box, ues_upper_cm, borders, parameters)
    return PharyngealIntegrals(
        whole or _integral(box, whole_top, ues_upper_cm, parameters),
        *(_part(box, *pair, parameters) for pair in pairwise(parts)),
    )


def ues_maximum_admittance(
    found: Segments,
    *,
    start_s: float,
    stop_s: float,
    ues_upper_cm: float,
    ues_lower_cm: float,
) -> Measurement:
    """Greatest admittance of the UES while it is relaxed.

    Parameters
    ----------
    found : Segments
    start_s, stop_s : float [s]
        Start and end of the relaxation.
    ues_upper_cm, ues_lower_cm : float [cm]
        Resting borders; segments between them count.

    Returns
    -------
    Measurement [mS]
        1000 over the least impedance in ohm (SPEC section 9.3). Detail: ``depth_cm`` and
        ``time_s``.
    """
    if not known(start_s, stop_s, ues_upper_cm, ues_lower_cm):
        return Measurement.missing(LANDMARK_MISSING)
    rows = found.between(ues_upper_cm, ues_lower_cm)
    if rows.size == 0:
        return Measurement.missing(NO_SEGMENT_IN_UES)
    inside = (found.time >= start_s - _INSTANT) & (found.time <= stop_s + _INSTANT)
    ohm = found.values[rows][:, inside]
    if ohm.shape[1] == 0:
        return Measurement.missing(WINDOW_TRUNCATED)
    if not (np.isfinite(ohm) & (ohm > 0)).all():
        return Measurement.missing(SENSOR_FAILED)
    row, column = np.unravel_index(int(np.argmin(ohm)), ohm.shape)
    detail = {
        "depth_cm": float(found.depth[rows[row]]),
        "time_s": float(found.time[inside][column]),
    }
    return Measurement(_MILLISIEMENS_OHM / float(ohm[row, column]), detail=detail)


def hypopharyngeal_flow(
    pressure_field: xr.DataArray,
    found: Segments,
    *,
    onset_s: float,
    stop_s: float,
    ues_upper_cm: float,
    parameters: Parameters,
) -> HypopharyngealFlow:
    """Measure pressure and bolus 1 cm above the UES.

    Parameters
    ----------
    pressure_field : DataArray (depth, time) [mmHg]
    found : Segments
        Impedance over the same time, from 3.5 s before the onset.
    onset_s, stop_s : float [s]
    ues_upper_cm : float [cm]
    parameters : Parameters

    Returns
    -------
    HypopharyngealFlow
        ``no_bolus`` where the impedance does not fall.

    Notes
    -----
    SPEC section 9.3. Greatest admittance is least impedance, in the time in which the
    pharynx contracts. Entry and exit as in the esophagus, at half of the fall.
    """
    place = ues_upper_cm - parameters["pharynx.above_ues_cm"]
    ohm = found.at(place)
    if not known(onset_s, ues_upper_cm):
        return _no_flow(LANDMARK_MISSING)
    if ohm is None or float(pressure_field["depth"].values[0]) > place + _TOLERANCE:
        return _no_flow(OUT_OF_REACH)
    window = {"onset_s": onset_s, "stop_s": stop_s}
    bolus = passage(found.time, ohm, depth_cm=place, **window, parameters=parameters)
    if not known(bolus.nadir_s):
        return _no_flow(bolus.status)
    start, stop = swallow_window(onset_s, stop_s, parameters)
    line = cut(pressure_field, place - 0.06, place + 0.06, start, stop)
    seen = (found.time >= start - _INSTANT) & (found.time < stop - _INSTANT)
    if not line.values.size or not seen.any():
        return _no_flow(WINDOW_TRUNCATED)
    pressure = line.values[0].astype(np.float64)
    if not np.isfinite(pressure).all():
        return _no_flow(SENSOR_FAILED)
    widest = float(found.time[seen][int(np.argmin(ohm[seen]))])
    peak = float(line.time[int(np.argmax(pressure))])
    stays = Measurement.missing(WINDOW_TRUNCATED if bolus.status != OK else "no_bolus_exit")
    left = known(bolus.entry_s, bolus.exit_s)
    return HypopharyngealFlow(
        Measurement(
            float(np.interp(widest, line.time, pressure)),
            detail={"time_s": widest, "depth_cm": place, "line": line},
        ),
        Measurement(bolus.exit_s - bolus.entry_s, detail={"passage": bolus}) if left else stays,
        Measurement(peak - widest, detail={"peak_s": peak, "widest_s": widest, "line": line}),
    )


def _no_flow(status: str) -> HypopharyngealFlow:
    return HypopharyngealFlow(*[Measurement.missing(status)] * 3)


def _all_missing(status: str) -> PharyngealIntegrals:
    return PharyngealIntegrals(*[Measurement.missing(status)] * 4)


def _unspanned(
    box: Cut, ues_upper_cm: float, borders: PharyngealBorders, parameters: Parameters
) -> Measurement | None:
    """Why the catheter does not show the whole pharynx; None if it does."""
    top = float(box.depth[0]) if box.depth.size else math.inf
    if known(borders.velopharynx_cm):
        starts_in = top > borders.velopharynx_cm + _TOLERANCE
        return Measurement.missing(CATHETER_STARTS_IN_PHARYNX) if starts_in else None
    near = ues_upper_cm - top < parameters["pharynx.least_span_cm"] - _TOLERANCE
    if near or bool((box.values[0] >= parameters["pharynx.threshold_mmhg"]).any()):
        return Measurement.missing(CATHETER_STARTS_IN_PHARYNX)
    return None


def _part(box: Cut, top_cm: float, bottom_cm: float, parameters: Parameters) -> Measurement:
    if not known(top_cm, bottom_cm) or not top_cm < bottom_cm:
        return Measurement.missing(BORDERS_UNKNOWN)
    if not box.depth.size or float(box.depth[0]) > top_cm + _TOLERANCE:
        return Measurement.missing(CATHETER_STARTS_IN_PHARYNX)
    return _integral(box, top_cm, bottom_cm, parameters)


def _integral(box: Cut, top_cm: float, bottom_cm: float, parameters: Parameters) -> Measurement:
    """Pressure above the threshold over depth (trapezoids) and time [mmHg s cm]."""
    rows = (box.depth >= top_cm - _TOLERANCE) & (box.depth <= bottom_cm + _TOLERANCE)
    values = np.ascontiguousarray(box.values[rows])
    if rows.sum() < 2:
        return Measurement.missing(SENSOR_FAILED)
    threshold = float(parameters["pharynx.threshold_mmhg"])
    every = np.ones(values.shape, dtype=bool)
    value = float(excess_2d(values, every, threshold, box.step_cm, box.step_s))
    if not known(value):
        return Measurement.missing(SENSOR_FAILED)
    return Measurement(
        value,
        detail={
            "from_cm": float(box.depth[rows][0]),
            "to_cm": float(box.depth[rows][-1]),
            "window_s": (float(box.time[0]), float(box.time[-1]) + box.step_s),
        },
    )
