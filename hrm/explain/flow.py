"""Evidence of impedance and pharynx: the bolus, and the pressure that drives it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from hrm import bolus
from hrm.evidence import (
    Box,
    DepthLine,
    Entry,
    Evidence,
    FieldWindow,
    Instant,
    Mark,
    Points,
    Region,
    Trace,
)
from hrm.explain.request import Answer, Request, none_of, trace
from hrm.explain.words import in_words
from hrm.metrics import impedance as metric
from hrm.metrics._base import OK, Measurement, cut, known
from hrm.metrics.impedance import Passage
from hrm.metrics.pressure_flow import LevelFlow
from hrm.metrics.ues import ues_relaxation
from hrm.pipeline.impedance import BolusSwallow, measure_pharynx, rest_of, swallow_times

#: What each pressure-flow metric takes of a level.
_LEVELS: Mapping[str, Callable[[LevelFlow, float], float]] = {
    "nadir_impedance_s": lambda level, onset: level.nadir_s - onset,
    "nadir_impedance_pressure_mmhg": lambda level, _: level.nadir_mmhg,
    "peak_pressure_mmhg": lambda level, _: level.peak_mmhg,
    "nadir_impedance_to_peak_s": lambda level, _: level.nadir_to_peak_s,
    "flow_ibp_mmhg": lambda level, _: level.ibp_mmhg,
    "flow_ibp_slope_mmhg_s": lambda level, _: level.slope_mmhg_s,
    "impedance_ratio": lambda level, _: level.impedance_ratio,
}


def _measured(request: Request) -> tuple[BolusSwallow | None, Measurement]:
    found = request.own.bolus(request.k)
    if found is None:
        return None, Measurement.missing(metric.POSITIONS_UNKNOWN)
    return found, found.numbers[request.name]


def _field(request: Request) -> FieldWindow | None:
    start, stop = metric.swallow_window(
        **swallow_times(request.own.study, request.k), parameters=request.parameters
    )
    return request.around(start, stop)


def _evidence(
    request: Request,
    rule: str,
    marks: Sequence[Mark] = (),
    *,
    traces: Sequence[Trace] = (),
    entries: Sequence[Entry] = (),
    notes: Sequence[str] = (),
) -> Evidence:
    lines = request.landmarks("ues_upper", "ues_lower", "les_upper", "les_lower")
    # The onset is a mark of its own where it makes the number.
    onset = () if any(getattr(m, "label", "") == "onset" for m in marks) else (request.onset_s,)
    return Evidence(
        rule,
        (*marks, *(Instant("onset", at, main=False) for at in onset), *lines),
        tuple(traces),
        entries=tuple(entries),
        field=_field(request),
        notes=tuple(notes),
        onset_s=request.onset_s,
    )


def _points(label: str, places: Sequence[tuple[float, float]]) -> Points:
    time, depth = (np.array(axis, dtype=np.float64) for axis in zip(*places, strict=True))
    return Points(label, time, depth, main=False)


def _passage_marks(passages: Sequence[Passage]) -> list[Mark]:
    kinds = {"entry": "entry_s", "nadir impedance": "nadir_s", "exit": "exit_s"}
    out: list[Mark] = []
    for label, name in kinds.items():
        places = [(getattr(one, name), one.depth_cm) for one in passages]
        places = [place for place in places if known(*place)]
        if places:
            out.append(_points(f"{label}, each segment", places))
    return out


def _transit(request: Request) -> Answer:
    seen, found = _measured(request)
    if seen is None:
        return found.value, _evidence(request, "none")
    marks = _passage_marks(seen.passages)
    for level in seen.transit.levels:
        marks.append(DepthLine("level for transit", level.depth_cm, main=False))
    if not known(found.value):
        return found.value, _evidence(request, "none", marks)
    highest, lowest = seen.transit.levels[-1], seen.transit.levels[0]
    ends = [Instant("entry above", highest.entry_s), Instant("exit below", lowest.exit_s)]
    return found.value, _evidence(request, "between_times", [*ends, *marks])


def _level(request: Request) -> Answer:
    seen, found = _measured(request)
    if seen is None or seen.flow is None:
        return found.value, _evidence(request, "none")
    read, entries = _LEVELS[request.name], []
    good = [level for level in seen.flow.levels if level.status == OK]
    for level in seen.flow.levels:
        counts = level.status == OK and known(found.value)
        note = "" if level.status == OK else in_words(level.status)
        value = read(level, request.onset_s) if level.status == OK else math.nan
        role = "counted" if counts else "left_out"
        entries.append(Entry(f"segment at {level.depth_cm:.1f} cm", value, role, note))
    marks: list[Mark] = []
    if good:
        marks = [
            _points("nadir impedance", [(level.nadir_s, level.depth_cm) for level in good]),
            _points("peak pressure", [(level.peak_s, level.depth_cm) for level in good]),
        ]
    rule = "entries_median" if known(found.value) else "none"
    return found.value, _evidence(request, rule, marks, entries=entries)


def _flow_index(request: Request) -> Answer:
    seen, found = _measured(request)
    if seen is None or seen.flow is None or not known(found.value):
        return found.value, _evidence(request, "none")
    flow = seen.flow
    entries = [
        Entry("intrabolus pressure [mmHg]", flow.ibp.value, "numerator"),
        Entry("its slope [mmHg/s]", flow.ibp_slope.value, "numerator"),
        Entry("nadir impedance to peak pressure [s]", flow.nadir_to_peak.value, "denominator"),
    ]
    _, levels = _level(Request(request.own, "flow_ibp_mmhg", request.k))
    marks = [mark for mark in levels.marks if isinstance(mark, Points)]
    return found.value, _evidence(request, "product_over", marks, entries=entries)


def _flow_time(request: Request) -> Answer:
    _, found = _measured(request)
    if "time_s" not in found.detail:
        return found.value, _evidence(request, "none")
    detail = found.detail
    time, used = detail["time_s"], detail["present"] & detail["open"]
    traces = (
        trace("pressure above the LES", "mmHg", time, detail["esophageal_mmhg"], used),
        trace(
            "greatest pressure of the EGJ, or gastric",
            "mmHg",
            time,
            detail["barrier_mmhg"],
            none_of(time.size),
        ),
        trace("bolus at every level (1) or not (0)", "1", time, detail["present"], used),
    )
    note = (
        f"bolus for {detail['bolus_s']:.2f} s, pressure lets it flow for "
        f"{detail['gradient_s']:.2f} s"
    )
    return found.value, _evidence(request, "time_used", traces=traces, notes=[note])


def _admittance(request: Request) -> Answer:
    seen, found = _measured(request)
    if seen is None or seen.found is None or "depth_cm" not in found.detail:
        return found.value, _evidence(request, "none")
    row = int(np.argmin(np.abs(seen.found.depth - found.detail["depth_cm"])))
    used = np.abs(seen.found.time - found.detail["time_s"]) < 1e-6
    label = f"impedance of the segment at {seen.found.depth[row]:.1f} cm"
    traces = (trace(label, "ohm", seen.found.time, seen.found.values[row], used),)
    place = Points(
        "greatest admittance",
        np.array([found.detail["time_s"]]),
        np.array([found.detail["depth_cm"]]),
    )
    marks = [place, *_relaxed(request)]
    return found.value, _evidence(request, "thousand_over_least", marks, traces=traces)


def _relaxed(request: Request) -> list[Mark]:
    """Box of the relaxed UES, in which the admittance is looked for."""
    study = request.own.study.for_swallow(request.k)
    landmarks = study.proposal.landmarks
    times = swallow_times(study, request.k)
    window = metric.swallow_window(**times, parameters=request.parameters)
    borders = (landmarks.ues_upper_cm, landmarks.ues_lower_cm)
    field = study.field(window, parameters=request.parameters)
    found = ues_relaxation(
        field,
        **times,
        ues_upper_cm=borders[0],
        ues_lower_cm=borders[1],
        parameters=request.parameters,
    ).duration
    if not known(found.value):
        return []
    span = (found.detail["fall_s"], found.detail["end_s"])
    return [Box("UES while it is relaxed", *span, *borders, main=False)]


def _pharyngeal_bolus(request: Request) -> Answer:
    _, found = _measured(request)
    detail = found.detail
    if request.name == "pharyngeal_bolus_presence_s" and "passage" in detail:
        one: Passage = detail["passage"]
        marks: list[Mark] = [Instant("entry", one.entry_s), Instant("exit", one.exit_s)]
        marks.append(DepthLine("1 level above the UES", one.depth_cm, main=False))
        return found.value, _evidence(request, "between_times", marks)
    if "line" not in detail:
        return found.value, _evidence(request, "none")
    line = detail["line"]
    label = f"pressure at {line.depth[0]:.1f} cm"
    shown = trace(label, "mmHg", line.time, line.values[0], none_of(line.time.size))
    if request.name == "pharyngeal_ibp_mmhg":
        marks = [Instant("greatest admittance", detail["time_s"])]
        return found.value, _evidence(request, "value_at", marks, traces=(shown,))
    marks = [
        Instant("greatest admittance", detail["widest_s"]),
        Instant("peak pressure", detail["peak_s"]),
    ]
    return found.value, _evidence(request, "between_times", marks, traces=(shown,))


def _pharynx(request: Request) -> Answer:
    found = measure_pharynx(request.own.study, request.k).measurements()[request.name]
    if "window_s" not in found.detail:
        return found.value, _evidence(request, "none")
    study = request.own.study.for_swallow(request.k)
    (start, stop), detail = found.detail["window_s"], found.detail
    field = study.field((start, stop), parameters=request.parameters)
    box = cut(field, detail["from_cm"], detail["to_cm"], start, stop)
    level = float(request.parameters["pharynx.threshold_mmhg"])
    inside = np.ones(box.values.shape, dtype=np.bool_)
    region = Region("pressure that counts", box.depth, box.time, box.values, inside, level)
    return found.value, _evidence(request, "excess", [region])


def _baseline(request: Request) -> Answer:
    recorded = request.own.impedance
    if recorded is None:
        return math.nan, Evidence()
    _, found, _ = rest_of(request.own.study, recorded)
    if "times_s" not in found.detail:
        return found.value, Evidence()
    marks = request.own.study.proposal.landmarks
    above = request.parameters["impedance.baseline_above_les_cm"]
    times, values = found.detail["times_s"], found.detail["values_ohm"]
    line = DepthLine("where the impedance is read", marks.les_upper_cm - above)
    label = "impedance there, samples that count"
    return found.value, Evidence(
        "mean",
        (line, *request.landmarks("les_upper")),
        (trace(label, "ohm", times, values, None, {"value": found.value}),),
        field=request.around(float(times[0]), float(times[-1])),
    )


SOURCES: Mapping[str, Callable[[Request], Answer]] = {
    "transit_time_s": _transit,
    **dict.fromkeys(_LEVELS, _level),
    "pressure_flow_index": _flow_index,
    "bolus_flow_time_s": _flow_time,
    "ues_maximum_admittance_millisiemens": _admittance,
    "pharyngeal_ibp_mmhg": _pharyngeal_bolus,
    "pharyngeal_bolus_presence_s": _pharyngeal_bolus,
    "pharyngeal_distension_contraction_s": _pharyngeal_bolus,
    **dict.fromkeys(bolus.PHARYNX_METRICS, _pharynx),
    "distal_baseline_ohm": _baseline,
}
