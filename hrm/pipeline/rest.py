"""Resting values of one study: the junction over the baseline and between swallows, the UES."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.detect.baseline import Baseline, Respiration
from hrm.detect.breaths import breaths_between_swallows
from hrm.metrics import barrier, egj, ues
from hrm.metrics._base import SENSOR_FAILED, Measurement, known
from hrm.metrics.relaxation import NO_GASTRIC_SENSOR
from hrm.pipeline.study import Study

NO_BASELINE = "no_baseline"
JUNCTION = (
    *("basal_mean_mmhg", "basal_end_expiratory_mmhg", "basal_inspiratory_mmhg"),
    *("egj_ci_mmhg_cm", "egj_ci_les_mmhg_cm", "egj_ci_crural_mmhg_cm", "egj_ci_sum_mmhg_cm"),
    "egj_ci_total_mmhg_cm",
)
#: Sensors on either side of the junction that an interpolation inside it asks for.
_NEIGHBORS = 3


@dataclass(frozen=True)
class Rest:
    """The baseline as the metrics want it; samples count from its first one.

    Attributes
    ----------
    field : DataArray (depth, time) [mmHg]
    quiet : array (time,) of bool
    inspiration, end_expiration : array of int
    respiration : str
    """

    field: xr.DataArray
    quiet: NDArray[np.bool_]
    inspiration: NDArray[np.int64]
    end_expiration: NDArray[np.int64]
    respiration: str


def at_rest(study: Study) -> tuple[dict[str, Measurement], Measurement]:
    """Measure the junction and the upper sphincter at rest.

    Parameters
    ----------
    study : Study

    Returns
    -------
    dict of str to Measurement
        By the names of `JUNCTION`; ``no_baseline`` without a baseline.
    Measurement [mmHg]
        Resting pressure of the UES.
    """
    baseline, breathing = study.proposal.baseline, study.proposal.breathing
    if baseline is None or breathing is None:
        missing = Measurement.missing(NO_BASELINE)
        return dict.fromkeys(JUNCTION, missing), missing
    rest = resting(study, baseline, breathing)
    found = {**_basal_pressures(study, rest), **_contractile_integrals(study, rest)}
    return {name: found[name] for name in JUNCTION}, _upper_sphincter(study, rest)


def at_junction(study: Study) -> dict[str, Measurement]:
    """Measure the lengths of the junction.

    Parameters
    ----------
    study : Study

    Returns
    -------
    dict of str to Measurement [cm]
        ``les_length_cm`` and ``les_cd_separation_cm``; ``sensor_failed`` where a missing
        sensor leaves a hole at one of the places that they are measured between.
    """
    marks, baseline = study.proposal.landmarks, study.proposal.baseline
    window = (baseline.start_s, baseline.stop_s) if baseline else (0.0, math.inf)
    borders = (marks.les_upper_cm, marks.les_lower_cm)
    peaks = sorted((marks.les_peak_cm, marks.crural_diaphragm_cm))
    length = egj.les_length(*borders)
    separation = egj.les_cd_separation(marks.les_peak_cm, marks.crural_diaphragm_cm)
    return {
        "les_length_cm": _unless_missing(study, length, window, *((cm, cm) for cm in borders)),
        "les_cd_separation_cm": _unless_missing(study, separation, window, (peaks[0], peaks[1])),
    }


def _unless_missing(
    study: Study, found: Measurement, window: tuple[float, float], *places: tuple[float, float]
) -> Measurement:
    """Leave a number out if a hole reaches into one of its places [cm] during a window [s]."""
    holes = any(_missing(study, study.missing.touching(*place), window) for place in places)
    return Measurement.missing(SENSOR_FAILED) if holes and known(found.value) else found


def _missing(study: Study, when: NDArray[np.bool_], window: tuple[float, float]) -> bool:
    return bool(when[study.missing.within(*window)].any())


def _span(rest: Rest) -> tuple[float, float]:
    """Start and end of the baseline [s]."""
    time = rest.field["time"].values
    return float(time[0]), float(time[-1]) + 1e-3


def resting(study: Study, baseline: Baseline, breathing: Respiration) -> Rest:
    """Cut the baseline out of a study, on the depth grid.

    Parameters
    ----------
    study : Study
    baseline : Baseline
    breathing : Respiration

    Returns
    -------
    Rest
    """
    window = (baseline.start_s, baseline.stop_s)
    field = study.field(window)
    first = int(np.searchsorted(study.pressure["time"].values, baseline.start_s - 5e-7))
    size = field.sizes["time"]
    peaks, ends = (
        samples[samples < first + size] - first
        for samples in (breathing.inspiration, breathing.end_expiration)
    )
    return Rest(field, baseline.quiet[first : first + size], peaks, ends, breathing.status)


def _basal_pressures(study: Study, rest: Rest) -> dict[str, Measurement]:
    marks, parameters = study.proposal.landmarks, study.parameters
    place = {
        "les_upper_cm": marks.les_upper_cm,
        "les_lower_cm": marks.les_lower_cm,
        "gastric_mmhg": marks.gastric_reference_mmhg,
    }
    sleeve = egj.resting_sleeve(rest.field, **place)
    half = round(parameters["respiration.half_width_s"] * study.rate_hz)
    found = {
        "basal_mean_mmhg": egj.basal_mean(sleeve, rest.inspiration, rest.quiet, parameters),
        "basal_end_expiratory_mmhg": egj.basal_end_expiratory(
            sleeve, rest.end_expiration, half, rest.quiet
        ),
        "basal_inspiratory_mmhg": barrier.basal_inspiratory(
            rest.field, rest.inspiration, rest.quiet, **place, parameters=parameters
        ),
    }
    if not known(marks.gastric_reference_mmhg):
        return dict.fromkeys(found, Measurement.missing(NO_GASTRIC_SENSOR))
    # At inspiration the diaphragm may be the highest, which lies at the border of the LES.
    name, borders = "basal_inspiratory_mmhg", (marks.les_upper_cm, marks.les_lower_cm)
    found[name] = _unless_missing(study, found[name], _span(rest), borders)
    if not _missing(study, study.les_missing, _span(rest)):
        return found
    lost = Measurement.missing(SENSOR_FAILED)
    return {name: lost if known(m.value) else m for name, m in found.items()}


def _contractile_integrals(study: Study, rest: Rest) -> dict[str, Measurement]:
    marks, parameters = study.proposal.landmarks, study.parameters
    deepest = float(rest.field["depth"].values[-1])
    boxes = barrier.egj_boxes(
        les_upper_cm=marks.les_upper_cm,
        les_lower_cm=marks.les_lower_cm,
        les_peak_cm=marks.les_peak_cm,
        crural_diaphragm_cm=marks.crural_diaphragm_cm,
        crural_cm=barrier.crural_borders(
            rest.field,
            inspiration=rest.inspiration,
            end_expiration=rest.end_expiration,
            crural_diaphragm_cm=marks.crural_diaphragm_cm,
            parameters=parameters,
        ),
        deepest_cm=deepest,
        parameters=parameters,
    )
    gastric = marks.gastric_reference_mmhg
    breaths = barrier.quietest_breaths(
        rest.inspiration, rest.quiet, 1.0 / study.rate_hz, parameters
    )
    total = barrier.total_egj_contractile_integral(
        _stretches(study, boxes) if boxes.status == "ok" else (),
        onsets_s=[onset.time_s for onset in study.proposal.onsets],
        boxes=boxes,
        respiration=rest.respiration,
        gastric_mmhg=gastric,
        parameters=parameters,
    )
    found = barrier.egj_contractile_integrals(
        rest.field,
        boxes=boxes,
        breaths=breaths,
        respiration=rest.respiration,
        gastric_mmhg=gastric,
        parameters=parameters,
    )
    place, span = boxes.whole, _span(rest)
    found = {name: _unless_missing(study, m, span, place) for name, m in found.items()}
    return {**found, "egj_ci_total_mmhg_cm": total}


def _stretches(
    study: Study, boxes: barrier.Boxes
) -> Iterator[tuple[xr.DataArray, NDArray[np.int64]]]:
    """Parts of the recording between swallows, near the junction only, one at a time."""
    depth = study.pressure["depth"].values
    first = max(0, int(np.searchsorted(depth, boxes.whole[0])) - _NEIGHBORS)
    near = slice(first, int(np.searchsorted(depth, boxes.whole[1])) + _NEIGHBORS)
    missing = study.missing.touching(*boxes.whole)
    for stretch in breaths_between_swallows(
        study.pressure[study.usable],
        onsets=[onset.time_s for onset in study.proposal.onsets],
        marks=study.proposal.landmarks,
        parameters=study.parameters,
    ):
        window = (stretch.start_s, stretch.stop_s)
        field = study.field(window, near=near)
        if _missing(study, missing, window):
            # What is bridged inside the box makes the integral up to a sixth wrong.
            field = field.copy(data=np.full_like(field.values, np.nan))
        yield field, stretch.inspiration


def _upper_sphincter(study: Study, rest: Rest) -> Measurement:
    if study.ues_status:
        return Measurement.missing(study.ues_status)
    found = ues.ues_resting(
        rest.field,
        rest.quiet,
        ues_upper_cm=study.proposal.landmarks.ues_upper_cm,
        ues_lower_cm=study.proposal.landmarks.ues_lower_cm,
        parameters=study.parameters,
    )
    lost = known(found.value) and _missing(study, study.ues_missing, _span(rest))
    return Measurement.missing(SENSOR_FAILED) if lost else found
