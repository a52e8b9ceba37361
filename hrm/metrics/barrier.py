"""The EGJ as a barrier: contractile integral over breaths, inspiratory pressure, hernia."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.metrics._base import (
    LANDMARK_MISSING,
    OK,
    SENSOR_FAILED,
    Cut,
    Measurement,
    cut,
    known,
)
from hrm.metrics.egj import RESPIRATION_MISSING, resting_sleeve
from hrm.metrics.relaxation import CATHETER_ENDS_IN_LES, NO_GASTRIC_SENSOR, stuck

BASELINE_SHORT = "baseline_short"
NOT_SEPARATED = "not_separated"
CATHETER_ENDS_IN_EGJ = "catheter_ends_in_egj"
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Boxes:
    """Stretches of depth over which the EGJ is integrated, as (top, bottom) [cm].

    `crural` is None while LES and diaphragm are not separated. `status` is ``ok``, or
    why there are no boxes.
    """

    whole: tuple[float, float]
    les: tuple[float, float]
    crural: tuple[float, float] | None
    status: str = OK

    @classmethod
    def missing(cls, status: str) -> Boxes:
        """Return boxes that could not be placed."""
        nowhere = (math.nan, math.nan)
        return cls(nowhere, nowhere, None, status)


def quietest_breaths(
    inspiration: NDArray[np.int64], quiet: NDArray[np.bool_], step_s: float, parameters: Parameters
) -> tuple[int, int] | None:
    """Find the three consecutive breaths whose lengths differ least.

    Parameters
    ----------
    inspiration : array of int
        Samples of the inspiratory peaks, in order.
    quiet : array (time,) of bool
        A breath with a sample that is not quiet is no candidate.
    step_s : float [s]
        Sampling interval.
    parameters : Parameters

    Returns
    -------
    tuple of int or None
        Samples of the first and the last peak; of equals the earliest (SPEC section
        3.3). None with fewer than three such breaths on end.
    """
    wanted = parameters["egj_ci.breaths"]
    longest = 1.0 / parameters["respiration.band_low_hz"]
    best: tuple[float, int] | None = None
    for k in range(inspiration.size - wanted):
        ends = inspiration[k : k + wanted + 1]
        lengths = np.diff(ends) * step_s
        if lengths.max() > longest + _TOLERANCE or not quiet[ends[0] : ends[-1]].all():
            continue
        spread = float(np.var(lengths))
        if best is None or spread < best[0] - 1e-9:
            best = (spread, k)
    if best is None:
        return None
    return int(inspiration[best[1]]), int(inspiration[best[1] + wanted])


def crural_borders(
    pressure_field: xr.DataArray,
    *,
    inspiration: NDArray[np.int64],
    end_expiration: NDArray[np.int64],
    crural_diaphragm_cm: float,
    parameters: Parameters,
) -> tuple[float, float]:
    """Where the crural diaphragm begins and ends.

    Parameters
    ----------
    pressure_field : DataArray (depth, time) [mmHg]
        The baseline.
    inspiration, end_expiration : array of int
        Samples of `pressure_field`.
    crural_diaphragm_cm : float [cm]
    parameters : Parameters

    Returns
    -------
    tuple of float [cm]
        On either side the depth at which the rise with inspiration has fallen to a
        fifth of the way from its least value within 2 cm up to its peak, as at the
        borders of the LES; NaN where the catheter ends within these 2 cm.
    """
    depth = pressure_field["depth"].values
    values = pressure_field.values
    count = values.shape[1]
    half = round(parameters["respiration.half_width_s"] / _step(pressure_field))

    def mean_at(samples: NDArray[np.int64]) -> NDArray[np.float64]:
        # In float64 only what is read: the field of a baseline is large.
        near = [
            values[:, max(0, k - half) : k + half + 1].astype(np.float64, order="C").mean(axis=1)
            for k in samples
        ]
        return np.asarray(np.mean(near, axis=0))

    inspiration = inspiration[(inspiration >= 0) & (inspiration < count)]
    end_expiration = end_expiration[(end_expiration >= 0) & (end_expiration < count)]
    if not known(crural_diaphragm_cm) or not inspiration.size or not end_expiration.size:
        return math.nan, math.nan
    rise = mean_at(inspiration) - mean_at(end_expiration)
    reach = parameters["egj_ci.crural_search_cm"]
    upper, lower = (
        _border(depth, rise, crural_diaphragm_cm, side * reach, parameters) for side in (-1, 1)
    )
    return upper, lower


def _border(
    depth: NDArray[np.float64],
    rise: NDArray[np.float64],
    peak_cm: float,
    reach_cm: float,
    parameters: Parameters,
) -> float:
    """First place within `reach_cm` (signed) of the peak at or below the border level."""
    low, high = sorted((peak_cm, peak_cm + reach_cm))
    rows = np.flatnonzero((depth >= low - _TOLERANCE) & (depth <= high + _TOLERANCE))
    if rows.size < 2 or not np.isfinite(rise[rows]).all():
        return math.nan
    if reach_cm < 0:
        rows = rows[::-1]
    step = abs(float(depth[rows[1]] - depth[rows[0]]))
    if abs(float(depth[rows[-1]]) - peak_cm) < abs(reach_cm) - step - _TOLERANCE:
        return math.nan  # the border may lie beyond the catheter's end
    peak, base = float(rise[rows[0]]), float(rise[rows].min())
    level = base + parameters["les.border_fraction"] * (peak - base)
    return float(depth[rows[np.argmax(rise[rows] <= level)]])


def egj_boxes(
    *,
    les_upper_cm: float,
    les_lower_cm: float,
    les_peak_cm: float,
    crural_diaphragm_cm: float,
    crural_cm: tuple[float, float],
    deepest_cm: float,
    parameters: Parameters,
) -> Boxes:
    """Place the boxes of the EGJ contractile integral.

    Parameters
    ----------
    les_upper_cm, les_lower_cm, les_peak_cm, crural_diaphragm_cm : float [cm]
    crural_cm : tuple of float [cm]
        From `crural_borders`.
    deepest_cm : float [cm]
        Last line of the depth grid.
    parameters : Parameters

    Returns
    -------
    Boxes
        ``whole`` from the LES to the diaphragm, both included; ``crural`` apart from
        ``les`` where they are separated by more than ``egj_ci.separate_cm`` (SPEC
        section 3.3). The two never overlap.
    """
    if not known(les_upper_cm, les_peak_cm):
        return Boxes.missing(LANDMARK_MISSING)
    if not known(les_lower_cm) or les_lower_cm > deepest_cm + _TOLERANCE:
        return Boxes.missing(CATHETER_ENDS_IN_LES)
    if not known(crural_diaphragm_cm):
        return Boxes.missing(LANDMARK_MISSING)
    top, bottom = crural_cm
    if not known(bottom):
        ends = deepest_cm < crural_diaphragm_cm + parameters["egj_ci.crural_search_cm"]
        return Boxes.missing(CATHETER_ENDS_IN_EGJ if ends else SENSOR_FAILED)
    whole = (les_upper_cm, max(les_lower_cm, bottom))
    if crural_diaphragm_cm - les_peak_cm <= parameters["egj_ci.separate_cm"] + _TOLERANCE:
        return Boxes(whole, (les_upper_cm, les_lower_cm), None)
    upper = top if known(top) else crural_diaphragm_cm
    # A LES border found beyond the diaphragm's peak is the diaphragm's, not the LES's.
    end = les_lower_cm if les_lower_cm < crural_diaphragm_cm else max(upper, les_peak_cm)
    start = max(upper, end)
    return Boxes(whole, (les_upper_cm, end), (start, bottom))


def egj_contractile_integrals(
    pressure_field: xr.DataArray,
    *,
    boxes: Boxes,
    breaths: tuple[int, int] | None,
    respiration: str,
    gastric_mmhg: float,
    parameters: Parameters,
) -> dict[str, Measurement]:
    """EGJ contractile integral over the quietest three breaths.

    Parameters
    ----------
    pressure_field : DataArray (depth, time) [mmHg]
        The baseline.
    boxes : Boxes
        From `egj_boxes`.
    breaths : tuple of int or None
        From `quietest_breaths`, samples of `pressure_field`.
    respiration : str
        Status of the search for breaths.
    gastric_mmhg : float [mmHg]
    parameters : Parameters

    Returns
    -------
    dict of str to Measurement [mmHg cm]
        ``egj_ci_mmhg_cm`` of the whole box; ``egj_ci_les_mmhg_cm``,
        ``egj_ci_crural_mmhg_cm`` and their sum ``egj_ci_sum_mmhg_cm`` where LES and
        diaphragm are separated, else ``not_separated``. Detail: ``box_cm`` and
        ``breaths_s``.

    Notes
    -----
    Mean over time of the integral along depth of max(P - (gastric + 2), 0) (SPEC
    section 3.3, NIC14).
    """
    names = ("egj_ci_mmhg_cm", "egj_ci_les_mmhg_cm", "egj_ci_crural_mmhg_cm", "egj_ci_sum_mmhg_cm")
    found = respiration if respiration != OK or breaths is not None else BASELINE_SHORT
    reason = _why_not(boxes, found, gastric_mmhg)
    if reason or breaths is None:
        return dict.fromkeys(names, Measurement.missing(reason))
    time, step = pressure_field["time"].values, _step(pressure_field)
    start = float(time[breaths[0]])
    span = (start, start + (breaths[1] - breaths[0]) * step)

    def over(box: tuple[float, float]) -> Measurement:
        part = cut(pressure_field, *box, *span)
        values = excess(part, gastric_mmhg, parameters)
        if not np.isfinite(values).all() or stuck(part, parameters):
            return Measurement.missing(SENSOR_FAILED)
        return Measurement(float(np.mean(values)), detail={"box_cm": box, "breaths_s": span})

    whole = over(boxes.whole)
    if boxes.crural is None:
        return dict.fromkeys(names, Measurement.missing(NOT_SEPARATED)) | {names[0]: whole}
    les, crural = over(boxes.les), over(boxes.crural)
    both = Measurement(les.value + crural.value, detail={"parts": (les, crural)})
    if not known(both.value):
        both = Measurement.missing(SENSOR_FAILED)
    return dict(zip(names, (whole, les, crural, both), strict=True))


def _why_not(boxes: Boxes, respiration: str, gastric_mmhg: float) -> str:
    """Reason for which no integral can be given, most basic first; empty if there is none."""
    if not known(gastric_mmhg):
        return NO_GASTRIC_SENSOR
    if respiration != OK:
        return respiration
    return "" if boxes.status == OK else boxes.status


def excess(box: Cut, gastric_mmhg: float, parameters: Parameters) -> NDArray[np.float64]:
    """Integral along depth of what exceeds 2 mmHg above gastric, at each time.

    Parameters
    ----------
    box : Cut (depth, time) [mmHg]
    gastric_mmhg : float [mmHg]
    parameters : Parameters

    Returns
    -------
    array (time,) [mmHg cm]
        By trapezoids along depth. NaN without two grid lines.
    """
    if box.empty:
        return np.full(max(1, box.time.size), np.nan)
    zero = gastric_mmhg + parameters["egj_ci.above_gastric_mmhg"]
    above = np.maximum(box.values.astype(np.float64) - zero, 0.0)
    return np.asarray(np.trapezoid(above, dx=box.step_cm, axis=0))


def total_egj_contractile_integral(
    stretches: Iterable[tuple[xr.DataArray, NDArray[np.int64]]],
    *,
    onsets_s: Sequence[float],
    boxes: Boxes,
    respiration: str,
    gastric_mmhg: float,
    parameters: Parameters,
) -> Measurement:
    """EGJ contractile integral as a mean over all breaths clear of swallows.

    Parameters
    ----------
    stretches : iterable of (DataArray (depth, time) [mmHg], array of int)
        Parts of the recording between swallows, one at a time, each with the samples of
        its inspiratory peaks; only the depths of the EGJ are needed.
    onsets_s : sequence of float [s]
        Of every swallow.
    boxes : Boxes
        From `egj_boxes`; of separated boxes the sum counts.
    respiration : str
        Status of the search for breaths in the baseline, which places the boxes.
    gastric_mmhg : float [mmHg]
    parameters : Parameters

    Returns
    -------
    Measurement [mmHg cm]
        Mean over breaths, each weighted alike, that keep 1 s before and 15 s after
        every onset (SPEC section 3.3). Detail: ``breaths``, and ``left_out`` for
        breaths in which a sensor failed.
    """
    reason = _why_not(boxes, respiration, gastric_mmhg)
    if reason:
        return Measurement.missing(reason)
    places = [boxes.whole] if boxes.crural is None else [boxes.les, boxes.crural]
    values: list[float] = []
    spans: list[tuple[float, float]] = []
    for pressure_field, inspiration in stretches:
        parts = [cut(pressure_field, *box, -math.inf, math.inf) for box in places]
        failed = any(part.empty or stuck(part, parameters) for part in parts)
        for span in _clear_breaths(pressure_field, inspiration, onsets_s, parameters):
            parts = [cut(pressure_field, *box, *span) for box in places]
            area = sum(float(np.mean(excess(part, gastric_mmhg, parameters))) for part in parts)
            values.append(math.nan if failed else area)
            spans.append(span)
    lost = [value for value in values if not math.isfinite(value)]
    good = [value for value in values if math.isfinite(value)]
    if len(good) < parameters["egj_ci.breaths"]:
        return Measurement.missing(SENSOR_FAILED if lost else BASELINE_SHORT)
    detail = {
        "breaths": len(good),
        "left_out": len(lost),
        "spans_s": spans,
        "values": values,
        "boxes_cm": places,
    }
    return Measurement(math.fsum(good) / len(good), detail=detail)


def _clear_breaths(
    pressure_field: xr.DataArray,
    inspiration: NDArray[np.int64],
    onsets_s: Sequence[float],
    parameters: Parameters,
) -> Iterable[tuple[float, float]]:
    """Start and end [s] of the breaths that no swallow touches."""
    start, step = float(pressure_field["time"].values[0]), _step(pressure_field)
    before = parameters["egj_ci.before_swallow_s"]
    after = parameters["egj_ci.after_swallow_s"]
    longest = 1.0 / parameters["respiration.band_low_hz"]
    for first, last in pairwise(inspiration.tolist()):
        a, b = start + first * step, start + last * step
        clear = all(b <= onset - before or a >= onset + after for onset in onsets_s)
        if clear and b - a <= longest + _TOLERANCE:
            yield a, b


def basal_inspiratory(
    pressure_field: xr.DataArray,
    inspiration: NDArray[np.int64],
    quiet: NDArray[np.bool_],
    *,
    les_upper_cm: float,
    les_lower_cm: float,
    gastric_mmhg: float,
    parameters: Parameters,
) -> Measurement:
    """LES resting pressure at inspiration.

    Parameters
    ----------
    pressure_field : DataArray (depth, time) [mmHg]
        The baseline.
    inspiration : array of int
        Samples of the inspiratory peaks, indices into `pressure_field`.
    quiet : array (time,) of bool
    les_upper_cm, les_lower_cm : float [cm]
    gastric_mmhg : float [mmHg]
    parameters : Parameters

    Returns
    -------
    Measurement [mmHg above gastric]
        Mean over breaths of the greatest pressure between the LES borders during
        inspiration, which is taken to be the half of the breath around its peak (SPEC
        section 3.1); ``respiration_not_found`` without breaths, ``baseline_short`` with
        fewer than three.

    Notes
    -----
    Over the whole breath the greatest pressure of an LES above the diaphragm, which falls
    with inspiration, would be the expiratory one.
    """
    if not known(les_upper_cm):
        return Measurement.missing(LANDMARK_MISSING)
    if not known(les_lower_cm) or les_lower_cm > _deepest(pressure_field) + _TOLERANCE:
        return Measurement.missing(CATHETER_ENDS_IN_LES)
    if not known(gastric_mmhg):
        return Measurement.missing(NO_GASTRIC_SENSOR)
    if inspiration.size < 2:
        return Measurement.missing(RESPIRATION_MISSING)
    breath = float(np.median(np.diff(inspiration)))
    side = int(parameters["barrier.inspiration_share"] * breath / 2.0)
    around = [
        slice(k - side, k + side + 1)
        for k in inspiration
        if k - side >= 0 and k + side < quiet.size and quiet[k - side : k + side + 1].all()
    ]
    if len(around) < parameters["baseline.breaths"]:
        return Measurement.missing(BASELINE_SHORT)
    place = {"les_upper_cm": les_upper_cm, "les_lower_cm": les_lower_cm}
    sleeve = resting_sleeve(pressure_field, **place, gastric_mmhg=gastric_mmhg)
    peaks = [float(np.max(sleeve[part])) for part in around]
    if not np.isfinite(peaks).all():
        return Measurement.missing(SENSOR_FAILED)
    detail = {"breaths": len(peaks), "sleeve": sleeve, "parts": around}
    return Measurement(float(np.mean(peaks)), detail=detail)


def hernia_labels(separation: Measurement, parameters: Parameters) -> Mapping[str, str | None]:
    """Whether there is a hiatal hernia, by both cut-offs in use.

    Parameters
    ----------
    separation : Measurement [cm]
        Of LES and crural diaphragm.
    parameters : Parameters

    Returns
    -------
    mapping of str to str or None
        ``CCv3`` and ``alternative``: ``hernia`` or ``none`` by each cut-off, reached
        counts; ``alternative_type``: ``I``, ``II`` or ``III`` by 1 and 3 cm. None when
        not measured. No cut-off is agreed on (SPEC section 2.4, KAH21).
    """
    cuts = {"CCv3": "egj.hernia_cm", "alternative": "egj.hernia_alternative_cm"}
    if not known(separation.value):
        return dict.fromkeys([*cuts, "alternative_type"])
    length = separation.value + _TOLERANCE
    labels = {name: "hernia" if length >= parameters[key] else "none" for name, key in cuts.items()}
    if separation.value <= parameters["egj.type_2_cm"] + _TOLERANCE:
        kind = "I"
    else:
        kind = "III" if labels["alternative"] == "hernia" else "II"
    return {**labels, "alternative_type": kind}


def _deepest(pressure_field: xr.DataArray) -> float:
    return float(pressure_field["depth"].values[-1])


def _step(pressure_field: xr.DataArray) -> float:
    time = pressure_field["time"].values
    return float(time[1] - time[0]) if time.size > 1 else math.nan
