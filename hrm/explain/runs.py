"""Evidence of the provocation tests: runs of rapid swallows, solid and upright swallows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from hrm.evidence import Box, Contour, Entry, Evidence, Instant, Mark, Region, Span
from hrm.explain import body
from hrm.explain.names import OF_RUN
from hrm.explain.request import LEAD_S, Answer, Request, at_times, trace
from hrm.explain.words import in_words, why_not
from hrm.metrics import provocation, provocation_swallows
from hrm.metrics._base import OK, Cut, Measurement, known
from hrm.metrics.provocation import During, Run
from hrm.metrics.swallow import Anatomy
from hrm.pipeline.provocation import response_of, run_window, runs_of


def _zone(request: Request) -> float:
    zone = request.own.result["landmarks"]["transition_zone_cm"]
    return math.nan if zone is None else float(zone)


def _run(request: Request) -> Run:
    test, _ = OF_RUN[request.name]
    return runs_of(request.own.study, request.own.rows, test)[request.run]


def _during(request: Request) -> tuple[Run, Anatomy, Any, During]:
    run = _run(request)
    field, anatomy = run_window(request.own.study, request.own.rows, run, _zone(request))
    seen = provocation.during(field, run, anatomy=anatomy, parameters=request.parameters)
    return run, anatomy, field, seen


def _evidence(
    request: Request, run: Run, rule: str, marks: Sequence[Mark], **more: Any
) -> Evidence:
    onsets = [
        Instant(f"onset {k + 1}", at, main=False)
        for k, at in zip(run.indices, run.onsets_s, strict=True)
    ]
    notes = [*more.pop("notes", ())]
    test, _ = OF_RUN[request.name]
    count = len(runs_of(request.own.study, request.own.rows, test))
    if count > 1:
        held = f"swallows {run.indices[0] + 1} to {run.indices[-1] + 1}"
        notes.append(f"run {request.run + 1} of {count}, {held}")
    return Evidence(
        rule,
        (*marks, *onsets, *request.landmarks("ues_lower", "les_upper")),
        field=request.around(run.onsets_s[0] - LEAD_S, run.onsets_s[-1] + LEAD_S),
        notes=tuple(notes),
        onset_s=run.onsets_s[0],
        **more,
    )


def _edge(request: Request) -> Answer:
    run = _run(request)
    first = request.name.endswith("start_s")
    at = run.onsets_s[0 if first else -1]
    label = "first onset of the run" if first else "last onset of the run"
    return at, _evidence(request, run, "time", [Instant(label, at)])


def _body(request: Request) -> Answer:
    run, _, _, seen = _during(request)
    whole = "box" in request.name
    box: Cut | None = seen.dci.detail.get("field")
    value = seen.dci.detail.get("box", math.nan) if whole else seen.dci.value
    if box is None or not known(value):
        return value, _evidence(request, run, "none", [])
    level = float(request.parameters["dci.threshold_mmhg"])
    keep = seen.dci.detail["counted"]
    inside = np.ones_like(keep) if whole else keep
    marks: list[Mark] = [
        Region("pressure that counts", box.depth, box.time, box.values, inside, level),
        Contour(f"{level:g} mmHg contour", level),
    ]
    return value, _evidence(request, run, "excess", marks)


def _les(request: Request) -> Answer:
    run, _, _, seen = _during(request)
    median = request.name.endswith("les_during_mmhg")
    found = seen.les_median if median else seen.irp4s
    if "sleeve" not in found.detail:
        return found.value, _evidence(request, run, "none", [])
    time, sleeve = found.detail["time_s"], found.detail["sleeve"]
    used = None if median else at_times(time, found.detail["times_s"])
    marks = [Box("e-sleeve during the run", time[0], time[-1], *found.detail["sleeve_cm"])]
    label = "e-sleeve: greatest pressure over its depths"
    seen_trace = trace(label, "mmHg above gastric", time, sleeve, used, {"value": found.value})
    rule = "median" if median else "mean"
    return found.value, _evidence(request, run, rule, marks, traces=(seen_trace,))


def _after(request: Request) -> Answer:
    run = _run(request)
    found = response_of(request.own.study, request.own.rows, run)
    last = Request(request.own, "dci_mmhg_s_cm", run.indices[-1])
    _, evidence = body.SOURCES["dci_mmhg_s_cm"](last)
    note = f"of swallow {run.indices[-1] + 1}, the last one of the run"
    if not known(found.value):
        evidence = Evidence("none", evidence.marks, field=evidence.field, onset_s=evidence.onset_s)
    return found.value, _with_note(evidence, note)


def _with_note(evidence: Evidence, note: str) -> Evidence:
    return Evidence(
        evidence.rule,
        evidence.marks,
        evidence.traces,
        evidence.profiles,
        evidence.entries,
        evidence.field,
        (*evidence.notes, note),
        evidence.onset_s,
    )


def _pressurized(request: Request) -> Answer:
    run, anatomy, field, _ = _during(request)
    low, high = provocation.pressurized_shares(
        field, run, anatomy=anatomy, parameters=request.parameters
    )
    found = low if "low" in request.name else high
    if "kept" not in found.detail:
        return found.value, _evidence(request, run, "none", [])
    box, kept, level = found.detail["field"], found.detail["kept"], found.detail["level_mmhg"]
    marks: list[Mark] = [
        Box("esophageal body", box.time[0], box.time[-1], box.depth[0], box.depth[-1]),
        Contour(f"{level:g} mmHg contour", float(level)),
    ]
    edges = np.flatnonzero(np.diff(np.concatenate(([0], kept.astype(np.int8), [0]))))
    for a, b in edges.reshape(-1, 2):
        marks.append(Span("pressurized", box.time[a], box.time[b - 1] + box.step_s, main=False))
    seen = trace("pressurized (100) or not (0)", "%", box.time, 100.0 * kept)
    return found.value, _evidence(request, run, "mean", marks, traces=(seen,))


def _reserve(request: Request) -> Answer:
    own = request.own
    runs = runs_of(own.study, own.rows, "mrs")
    after = [response_of(own.study, own.rows, run) for run in runs]
    single = [row for row in own.rows if row.evaluable and row.posture == "supine"]
    sizes = [row.metrics["dci_mmhg_s_cm"] for row in single]
    reserve = provocation.contractile_reserve(
        after, sizes, failed=own.study.limits.failed, parameters=request.parameters
    )
    mean_only = request.name == "mrs_single_dci_mean_mmhg_s_cm"
    above = [] if mean_only else [_run_entry(run, m) for run, m in zip(runs, after, strict=True)]
    entries = [*above, *_single_entries(request, "counted" if mean_only else "denominator")]
    if mean_only:
        value, rule = reserve.single_dci_mean, "entries_mean"
    elif request.name == "mrs_ratio":
        value, rule = reserve.ratio.value, "entries_ratio_greatest"
    else:
        value, rule = reserve.ratio_of_mean.value, "entries_ratio_mean"
    notes = (reserve.rule,) if request.name == "mrs_ratio" else ()
    return value, Evidence(rule if known(value) else "none", entries=tuple(entries), notes=notes)


def _run_entry(run: Run, found: Measurement) -> Entry:
    label = f"after swallows {run.indices[0] + 1}-{run.indices[-1] + 1}"
    role = "numerator" if known(found.value) else "left_out"
    note = "" if found.status == OK else in_words(found.status)
    return Entry(label, found.value, role, note, run.indices[-1] + 1)


def _single_entries(request: Request, role: str) -> list[Entry]:
    out = []
    for row in request.own.result["swallows"]:
        value = row["dci_mmhg_s_cm"]
        number = math.nan if value is None else float(value)
        counts = row["evaluable"] and row["posture"] == "supine" and known(number)
        if row["protocol"] in ("mrs", "rdc"):
            continue
        note = "" if counts else _why_left_out(row, "supine")
        label = f"swallow {row['id']}"
        out.append(Entry(label, number, role if counts else "left_out", note, row["id"]))
    return out


def _why_left_out(row: Mapping[str, Any], posture: str) -> str:
    if not row["evaluable"]:
        return why_not(row)
    return "not measured" if row["posture"] == posture else f"posture {row['posture']}"


def _solid(request: Request) -> Answer:
    own = request.own
    rows = [row for row in own.result["swallows"] if row["protocol"] == "solid"]

    def numbers(name: str) -> list[float]:
        return [math.nan if row[name] is None else float(row[name]) for row in rows]

    found = provocation_swallows.solid_effective(
        numbers("dci_mmhg_s_cm"),
        numbers("break_cm"),
        fragmented=own.study.limits.fragmented,
        parameters=request.parameters,
    )
    told = found.detail["told"]
    unknown = request.name == "solid_unknown"
    share = request.name == "solid_percent_effective"
    entries = []
    for row, effective in zip(rows, told, strict=True):
        counts = (effective is None) == unknown
        value = (100.0 if effective else 0.0) if share else 1.0
        gap = "no break measured" if row["break_cm"] is None else f"break {row['break_cm']:.1f} cm"
        size = row["dci_mmhg_s_cm"]
        note = f"DCI {'not measured' if size is None else format(size, '.0f')}, {gap}"
        role = "counted" if counts else "left_out"
        entries.append(Entry(f"swallow {row['id']}", value, role, note, row["id"]))
    key = request.name.removeprefix("solid_")
    number = found.value if share else float(found.detail[key])
    rule = "entries_mean" if share and known(number) else "entries_sum"
    return number, Evidence("none" if math.isnan(number) else rule, entries=tuple(entries))


SOURCES: Mapping[str, Callable[[Request], Answer]] = {
    **{
        f"{test}_{name}": source
        for test in ("mrs", "rdc")
        for name, source in {
            "start_s": _edge,
            "stop_s": _edge,
            "dci_during_mmhg_s_cm": _body,
            "dci_during_box_mmhg_s_cm": _body,
            "les_during_mmhg": _les,
            "irp4s_during_mmhg": _les,
            "dci_after_mmhg_s_cm": _after,
        }.items()
    },
    "rdc_pressurized_low_percent": _pressurized,
    "rdc_pressurized_high_percent": _pressurized,
    **dict.fromkeys(("mrs_ratio", "mrs_ratio_of_mean", "mrs_single_dci_mean_mmhg_s_cm"), _reserve),
    **dict.fromkeys(("solid_percent_effective", "solid_counted", "solid_unknown"), _solid),
}
