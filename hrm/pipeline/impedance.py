"""Impedance and pharynx of one study: what is read of each swallow, and what it amounts to."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from hrm.bolus import MEDIANS, STUDY_METRICS, SWALLOW_METRICS, BolusRecord
from hrm.detect.gastric import gastric_reference
from hrm.metrics import impedance as metric
from hrm.metrics import pharynx
from hrm.metrics._base import OK, SENSOR_FAILED, Measurement, known
from hrm.metrics.pressure_flow import PressureFlow, bolus_flow_time, pressure_flow
from hrm.metrics.study import primary_posture
from hrm.metrics.ues import ues_relaxation
from hrm.pipeline.missing import keeper
from hrm.pipeline.study import Study
from hrm.results import SwallowRecord


def bolus_record(
    study: Study, rows: Sequence[SwallowRecord], swallows: Swallows | None = None
) -> BolusRecord:
    """Measure impedance and pharynx in every swallow of a study.

    Parameters
    ----------
    study : Study
    rows : sequence of SwallowRecord
        Its measured swallows, in the order of their onsets.
    swallows : Swallows, optional
        Gives what is read of each; measured anew without it.

    Returns
    -------
    BolusRecord
    """
    counted, single = _counted(rows), swallows or Swallows()
    throats = [single.pharynx(study, k) for k in range(len(rows))]
    median = _median([throats[k]["phci_mmhg_s_cm"] for k in counted])
    pharynx_blocks: dict[str, Any] = {
        "pharynx": _numbers({"phci_median_mmhg_s_cm": median}),
        "pharynx_swallows": [_numbers(found) for found in throats],
    }
    node = study.recording.children.get("impedance")
    if node is None:
        return BolusRecord(None, **pharynx_blocks)
    recorded = node.to_dataset()["impedance"]
    if not metric.positions_known(recorded):
        nowhere = [_NOWHERE.block() for _ in rows]
        block = {**_numbers(_lost(STUDY_METRICS)), "segments": []}
        return BolusRecord(block, impedance_swallows=nowhere, **pharynx_blocks)
    found = [single.bolus(study, recorded, row, k) for k, row in enumerate(rows)]
    return BolusRecord(
        _study_block(study, recorded, [found[k] for k in counted]),
        impedance_swallows=[one.block() for one in found],
        **pharynx_blocks,
    )


class Swallows:
    """What is read of each swallow, measured anew; the viewer gives one that keeps it."""

    def pharynx(self, study: Study, k: int) -> dict[str, Measurement]:
        """See `measure_pharynx`."""
        return measure_pharynx(study, k).measurements()

    def bolus(
        self, study: Study, recorded: xr.DataArray, row: SwallowRecord, k: int
    ) -> BolusSwallow:
        """See `measure_bolus`."""
        return measure_bolus(study, recorded, row, k)


#: What is read 1 cm above the UES.
_THROAT = (
    *("pharyngeal_ibp_mmhg", "pharyngeal_bolus_presence_s"),
    "pharyngeal_distension_contraction_s",
)


@dataclass(frozen=True)
class BolusSwallow:
    """Impedance of one swallow as it was measured.

    Attributes
    ----------
    transit : BolusTransit
    passages : tuple of Passage
    numbers : mapping of str to Measurement
        By the names of the contract.
    found : Segments or None
    flow : PressureFlow or None
        What the numbers were read from.
    """

    transit: metric.BolusTransit
    passages: tuple[metric.Passage, ...]
    numbers: Mapping[str, Measurement]
    found: metric.Segments | None = None
    flow: PressureFlow | None = None

    def block(self) -> dict[str, Any]:
        """Give it as the contract has it."""
        block = {"transit": self.transit.transit, **_numbers(self.numbers)}
        if self.transit.transit is None:
            block["status"]["transit"] = self.transit.status
        return {
            **block,
            "levels": [_passage_row(level) for level in self.transit.levels],
            "segments": [_passage_row(one) for one in self.passages],
        }


def _lost(names: Iterable[str]) -> dict[str, Measurement]:
    return dict.fromkeys(names, Measurement.missing(metric.POSITIONS_UNKNOWN))


_NOWHERE = BolusSwallow(
    metric.BolusTransit.missing(metric.POSITIONS_UNKNOWN), (), _lost(SWALLOW_METRICS)
)


def measure_bolus(study: Study, recorded: xr.DataArray, row: SwallowRecord, k: int) -> BolusSwallow:
    """Measure impedance, and pressure with it, in swallow `k`.

    Parameters
    ----------
    study : Study
    recorded : DataArray (segment, impedance_time) [ohm]
        With known positions of the segments.
    row : SwallowRecord
        What the pressure gave; only its transition zone is used.
    k : int
        Index of the swallow in time.

    Returns
    -------
    BolusSwallow
    """
    study = study.for_swallow(k)
    marks, parameters = study.proposal.landmarks, study.parameters
    times = swallow_times(study, k)
    start, end = metric.swallow_window(times["onset_s"], times["stop_s"], parameters)
    found = metric.segments(recorded, start, end)
    pressure = study.field((start, end))
    seen = metric.passages(
        found,
        **times,
        top_cm=marks.ues_lower_cm,
        bottom_cm=marks.les_upper_cm,
        parameters=parameters,
    )
    transit = metric.bolus_transit(
        seen,
        **times,
        ues_lower_cm=marks.ues_lower_cm,
        les_upper_cm=marks.les_upper_cm,
        parameters=parameters,
    )
    flow: PressureFlow = pressure_flow(
        pressure,
        found,
        seen,
        **times,
        top_cm=row.transition_zone_cm,
        bottom_cm=marks.les_upper_cm,
        parameters=parameters,
    )
    numbers = {
        "transit_time_s": transit.transit_time,
        **flow.measurements(),
        "bolus_flow_time_s": _bolus_flow_time(study, pressure, found, times),
        **_upper(study, pressure, found, times),
    }
    return BolusSwallow(transit, seen, numbers, found, flow)


def _bolus_flow_time(
    study: Study, pressure: xr.DataArray, found: metric.Segments, times: Mapping[str, float]
) -> Measurement:
    marks = study.proposal.landmarks
    lower = marks.les_lower_cm
    if known(marks.crural_diaphragm_cm):
        lower = max(lower, marks.crural_diaphragm_cm)
    window = study.missing.within(times["onset_s"], times["stop_s"])
    if study.missing.touching(marks.les_upper_cm, lower)[window].any():
        return Measurement.missing(SENSOR_FAILED)
    return bolus_flow_time(
        pressure,
        found,
        **times,
        les_upper_cm=marks.les_upper_cm,
        egj_lower_cm=lower,
        gastric_mmhg=gastric_reference(
            study.pressure, study.proposal, times["onset_s"], study.parameters
        ),
        parameters=study.parameters,
    )


def _upper(
    study: Study, pressure: xr.DataArray, found: metric.Segments, times: Mapping[str, float]
) -> dict[str, Measurement]:
    """Admittance of the UES, and the bolus above it."""
    marks = study.proposal.landmarks
    if study.ues_status:
        names = ("ues_maximum_admittance_millisiemens", *_THROAT)
        return dict.fromkeys(names, Measurement.missing(study.ues_status))
    borders = {"ues_upper_cm": marks.ues_upper_cm, "ues_lower_cm": marks.ues_lower_cm}
    above = pharynx.hypopharyngeal_flow(
        pressure, found, **times, ues_upper_cm=marks.ues_upper_cm, parameters=study.parameters
    )
    relaxed = ues_relaxation(pressure, **times, **borders, parameters=study.parameters).duration
    relaxed = keeper(study.missing, study.ues_missing)(relaxed)
    admittance = Measurement.missing(relaxed.status)
    if known(relaxed.value):
        admittance = pharynx.ues_maximum_admittance(
            found, start_s=relaxed.detail["fall_s"], stop_s=relaxed.detail["end_s"], **borders
        )
    return {"ues_maximum_admittance_millisiemens": admittance, **above.measurements()}


def _study_block(
    study: Study, recorded: xr.DataArray, counted: Sequence[BolusSwallow]
) -> dict[str, Any]:
    """Baselines, and what the evaluable swallows of the primary posture amount to."""
    complete = metric.percent_complete([one.transit.transit for one in counted])
    depth, rest, segments = rest_of(study, recorded)
    numbers = {
        "n_transit_judged": Measurement(float(complete.detail.get("n", 0))),
        "percent_complete_transit": complete,
        "distal_baseline_ohm": rest,
    }
    for name, single in MEDIANS.items():
        numbers[name] = _median([one.numbers[single] for one in counted])
    rows = [
        {"depth_cm": cm, "baseline_ohm": _number(m.value), "status": m.status}
        for cm, m in zip(depth, segments, strict=True)
    ]
    block = _numbers(numbers)
    block["n_transit_judged"] = int(block["n_transit_judged"])
    return {**block, "segments": rows}


def rest_of(
    study: Study, recorded: xr.DataArray
) -> tuple[list[float], Measurement, tuple[Measurement, ...]]:
    """Depths, impedance at rest above the LES, and that of every segment."""
    baseline = study.proposal.baseline
    window = (baseline.start_s, baseline.stop_s) if baseline else (0.0, 0.0)
    found = metric.segments(recorded, *window)
    depth = [float(cm) for cm in found.depth]
    if baseline is None:
        lost = Measurement.missing(metric.NO_BASELINE)
        return depth, lost, tuple(lost for _ in depth)
    # The impedance may have a rate of its own; what is quiet is known at the pressure's.
    nearest = np.rint(found.time * study.rate_hz).astype(np.intp)
    quiet = baseline.quiet[np.clip(nearest, 0, baseline.quiet.size - 1)]
    les = study.proposal.landmarks.les_upper_cm
    rest = metric.baseline_impedance(found, quiet, les_upper_cm=les, parameters=study.parameters)
    return depth, rest, metric.segment_baselines(found, quiet, study.parameters)


def measure_pharynx(study: Study, k: int) -> pharynx.PharyngealIntegrals:
    """Integrate the contraction of the pharynx in swallow `k`."""
    study = study.for_swallow(k)
    times = swallow_times(study, k)
    window = pharynx.swallow_window(times["onset_s"], times["stop_s"], study.parameters)
    return pharynx.pharyngeal_integrals(
        study.field(window),
        onset_s=times["onset_s"],
        stop_s=times["stop_s"],
        ues_upper_cm=study.proposal.landmarks.ues_upper_cm,
        parameters=study.parameters,
    )


def _counted(rows: Sequence[SwallowRecord]) -> list[int]:
    """Indices of the evaluable swallows of the primary posture."""
    primary = primary_posture(rows)
    return [k for k, row in enumerate(rows) if row.evaluable and row.posture == primary]


def swallow_times(study: Study, k: int) -> dict[str, float]:
    """Onset of swallow `k`, and of the next one or the end of the recording [s]."""
    onsets = [onset.time_s for onset in study.proposal.onsets]
    following = onsets[k + 1] if k + 1 < len(onsets) else math.inf
    return {"onset_s": onsets[k], "stop_s": min(study.end_s, following)}


def _median(found: Sequence[Measurement]) -> Measurement:
    values = [m.value for m in found if known(m.value)]
    if values:
        return Measurement(statistics.median(values))
    # Where no swallow has it, the reason of the first one stands for all.
    return Measurement.missing(found[0].status if found else "no_evaluable_swallow")


def _passage_row(one: metric.Passage) -> dict[str, Any]:
    times = {"entry_s": one.entry_s, "exit_s": one.exit_s, "nadir_s": one.nadir_s}
    ohm = {"base_ohm": one.base_ohm, "nadir_ohm": one.nadir_ohm}
    numbers = {name: _number(value) for name, value in {**times, **ohm}.items()}
    return {"depth_cm": one.depth_cm, **numbers, "status": one.status}


def _numbers(found: Mapping[str, Measurement]) -> dict[str, Any]:
    """Numbers by their names, with the reasons of those that are missing."""
    return {
        **{name: _number(m.value) for name, m in found.items()},
        "status": {name: m.status for name, m in found.items() if m.status != OK},
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
