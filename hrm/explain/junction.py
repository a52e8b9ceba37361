"""Evidence of the EGJ at rest: breaths, boxes and borders."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from hrm.evidence import Box, DepthLine, Entry, Evidence, Mark, Region, Span
from hrm.explain.landmarks import baseline_field
from hrm.explain.request import Answer, Request, none_of, trace
from hrm.metrics._base import Measurement, cut, known
from hrm.pipeline.rest import Rest, at_junction

_EGJ = ("les_upper", "les_lower", "crural_diaphragm")
_LABEL = "greatest pressure between the LES borders"
_UNIT = "mmHg above gastric"


def _found(request: Request) -> Measurement:
    return request.own.at_rest[0][request.name]


def _nothing(request: Request) -> Evidence:
    return Evidence(
        marks=request.landmarks(*_EGJ), field=baseline_field(request), focus_cm=request.junction_cm
    )


def _basal(request: Request) -> Answer:
    found, rest = _found(request), request.own.rest
    if rest is None or "sleeve" not in found.detail:
        return found.value, _nothing(request)
    if request.name == "basal_mean_mmhg":
        return found.value, _basal_mean(request, found, rest)
    return found.value, _by_breath(request, found, rest)


def _basal_mean(request: Request, found: Measurement, rest: Rest) -> Evidence:
    time, used = rest.field["time"].values, found.detail["used"]
    ends = time[rest.inspiration] if found.status == "ok" else np.empty(0)
    marks: list[Mark] = [
        Span(f"breath {k + 1}", float(a), float(b), main=False)
        for k, (a, b) in enumerate(pairwise(ends))
    ]
    shown = _on_baseline(
        request, "mean", marks, [trace(_LABEL, _UNIT, time, found.detail["sleeve"], used)]
    )
    if rest.quiet.all():
        return shown
    note = f"{100.0 * (1.0 - rest.quiet.mean()):.0f} % of the baseline is no rest and left out"
    return replace(shown, notes=(*shown.notes, note))


def _by_breath(request: Request, found: Measurement, rest: Rest) -> Evidence:
    """Mean over breaths, each of which gives a mean or a greatest value."""
    time, sleeve = rest.field["time"].values, found.detail["sleeve"]
    greatest = request.name == "basal_inspiratory_mmhg"
    used, entries, marks = none_of(time.size), [], []
    for k, part in enumerate(found.detail["parts"]):
        values, times = sleeve[part], time[part]
        if greatest:
            used[part.start + int(np.argmax(values))] = True
        else:
            used[part] = True
        number = float(np.max(values) if greatest else np.mean(values))
        entries.append(Entry(f"breath {k + 1}", number))
        marks.append(Span(f"breath {k + 1}", float(times[0]), float(times[-1]), main=False))
    traces = [trace(_LABEL, _UNIT, time, sleeve, used, {"value": found.value})]
    return _on_baseline(request, "entries_mean", marks, traces, entries)


def _on_baseline(
    request: Request,
    rule: str,
    marks: Sequence[Mark],
    traces: Sequence[Any],
    entries: Sequence[Entry] = (),
) -> Evidence:
    landmarks = request.own.study.proposal.landmarks
    rest = request.own.rest
    boxes: list[Mark] = []
    if rest is not None:
        time = rest.field["time"].values
        span = (float(time[0]), float(time[-1]))
        boxes.append(
            Box("LES at rest", *span, landmarks.les_upper_cm, landmarks.les_lower_cm, main=False)
        )
    return Evidence(
        rule,
        (*marks, *boxes, *request.landmarks(*_EGJ)),
        tuple(traces),
        entries=tuple(entries),
        field=baseline_field(request),
        focus_cm=request.junction_cm,
        notes=(f"gastric reference {landmarks.gastric_reference_mmhg:.1f} mmHg is the zero",),
    )


def _integral(request: Request) -> Answer:
    found = _found(request)
    parts = [found, *found.detail.get("parts", ())]
    regions = [
        _region(request, part)
        for part in parts
        if request.own.rest is not None and "box_cm" in part.detail
    ]
    if not regions or not known(found.value):
        return found.value, _nothing(request)
    marks: list[Mark] = [*regions]
    for part in parts:
        if "box_cm" in part.detail:
            marks.append(_box("box", part.detail["breaths_s"], part.detail["box_cm"]))
    span = next(part.detail["breaths_s"] for part in parts if "breaths_s" in part.detail)
    marks.append(Span("most even breaths", span[0], span[1], main=False))
    rule = "excess_per_time" if len(regions) == 1 else "sum_of_regions"
    zero = regions[0].level_mmhg
    return found.value, Evidence(
        rule,
        (*marks, *request.landmarks(*_EGJ)),
        field=request.around(span[0] - _MARGIN_S, span[1] + _MARGIN_S),
        focus_cm=request.junction_cm,
        notes=(f"above {zero:.1f} mmHg, which is gastric and a little more",),
    )


def _region(request: Request, part: Measurement) -> Region:
    rest = request.own.rest
    if rest is None:
        return Region("", *(np.empty(0),) * 2, np.empty((0, 0), np.float32), none_of(0), math.nan)
    box = cut(rest.field, *part.detail["box_cm"], *part.detail["breaths_s"])
    zero = request.own.study.proposal.landmarks.gastric_reference_mmhg
    level = float(zero + request.parameters["egj_ci.above_gastric_mmhg"])
    keep = np.ones(box.values.shape, dtype=np.bool_)
    return Region("pressure that counts", box.depth, box.time, box.values, keep, level)


def _box(label: str, span: tuple[float, float], depths: tuple[float, float]) -> Box:
    return Box(label, span[0], span[1], depths[0], depths[1], main=False)


def _total(request: Request) -> Answer:
    found = _found(request)
    if "spans_s" not in found.detail:
        return found.value, _nothing(request)
    entries = [
        Entry(
            f"{start:.1f}-{stop:.1f} s",
            area,
            "counted" if known(area) else "left_out",
            "" if known(area) else "a sensor failed",
        )
        for (start, stop), area in zip(found.detail["spans_s"], found.detail["values"], strict=True)
    ]
    spans = found.detail["spans_s"]
    marks: list[Mark] = [
        _box(f"breath {k + 1}", span, box)
        for k, span in enumerate(spans)
        for box in found.detail["boxes_cm"]
    ]
    first, last = min(a for a, _ in spans), max(b for _, b in spans)
    marks.append(Span("time of the breaths", first, last, main=False))
    return found.value, Evidence(
        "entries_mean",
        (*marks, *request.landmarks(*_EGJ)),
        entries=tuple(entries),
        focus_cm=request.junction_cm,
        field=request.around(first, last) if last - first <= _LONGEST_S else None,
        notes=("every breath of the recording that no swallow touches, each weighted alike",),
    )


#: Time shown on either side of the breaths [s].
_MARGIN_S = 5.0
#: A field longer than this [s] is not shown: nothing of a breath would be seen in it.
_LONGEST_S = 180.0


def _distance(request: Request) -> Answer:
    marks = request.own.study.proposal.landmarks
    found = at_junction(request.own.study)[request.name]
    if request.name == "les_length_cm":
        ends = {"LES upper border": marks.les_upper_cm, "LES lower border": marks.les_lower_cm}
    else:
        ends = {"LES resting peak": marks.les_peak_cm, "diaphragm": marks.crural_diaphragm_cm}
    lines = tuple(DepthLine(label, cm) for label, cm in ends.items() if known(cm))
    rule = "between_depths" if known(found.value) else "none"
    return found.value, Evidence(
        rule, lines, field=baseline_field(request), focus_cm=request.junction_cm
    )


SOURCES: Mapping[str, Callable[[Request], Answer]] = {
    **dict.fromkeys(
        ("basal_mean_mmhg", "basal_end_expiratory_mmhg", "basal_inspiratory_mmhg"), _basal
    ),
    **dict.fromkeys(
        (
            *("egj_ci_mmhg_cm", "egj_ci_les_mmhg_cm", "egj_ci_crural_mmhg_cm"),
            "egj_ci_sum_mmhg_cm",
        ),
        _integral,
    ),
    "egj_ci_total_mmhg_cm": _total,
    "les_length_cm": _distance,
    "les_cd_separation_cm": _distance,
}
