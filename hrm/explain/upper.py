"""Evidence of the relaxation of the UES and of its pressure at rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from hrm.evidence import Box, Evidence, Instant, Mark, Trace
from hrm.explain.request import Answer, Request, at_times, none_of, trace
from hrm.metrics._base import known
from hrm.metrics.relaxation import Sleeve

_BORDERS = ("ues_upper", "ues_lower")


def _field(request: Request) -> Evidence:
    before = request.parameters["onset.base_s"] + request.parameters["onset.base_gap_s"]
    after = request.parameters["ues.nadir_window_s"] + request.parameters["ues.recovery_window_s"]
    return Evidence(
        marks=(Instant("onset", request.onset_s, main=False), *request.landmarks(*_BORDERS)),
        field=request.around(request.onset_s - before, request.onset_s + after),
        onset_s=request.onset_s,
    )


def _with(
    request: Request, rule: str, marks: tuple[Mark, ...], traces: tuple[Trace, ...]
) -> Evidence:
    shown = _field(request)
    return Evidence(
        rule,
        (*marks, *shown.marks),
        traces,
        field=shown.field,
        notes=("above atmospheric pressure; the field is not filtered for it",)
        if request.own.study.unfiltered is not None
        else (),
        onset_s=request.onset_s,
    )


def _sleeve(sleeve: Sleeve, label: str, used: np.ndarray, levels: Mapping[str, float]) -> Trace:
    return trace(label, "mmHg", sleeve.time, sleeve.values, used, levels)


def _pressure(request: Request) -> Answer:
    upper = request.seen.metrics.upper
    found, sleeve = upper.measurements()[request.name], upper.sleeve
    if sleeve is None or not known(found.value):
        return found.value, _field(request)
    nadir = request.name == "ues_residual_mmhg"
    times = np.array([found.detail["time_s"]]) if nadir else found.detail["times_s"]
    used = at_times(sleeve.time, times)
    box = Box(
        "UES sleeve until the wave hides it", *found.detail["window_s"], *found.detail["sleeve_cm"]
    )
    label = "UES sleeve, without the pharyngeal wave"
    traces = (_sleeve(sleeve, label, used, {"value": found.value}),)
    return found.value, _with(request, "least" if nadir else "mean", (box,), traces)


def _time(request: Request) -> Answer:
    upper = request.seen.metrics.upper
    found, sleeve, closing = upper.measurements()[request.name], upper.sleeve, upper.closing
    if sleeve is None or closing is None or not known(found.value):
        return found.value, _field(request)
    detail = found.detail
    moments = {
        "fall through the level": detail["fall_s"],
        "nadir": detail["nadir_s"],
        "rise through the level": detail.get("end_s"),
    }
    ends = {
        "ues_relaxation_s": ("fall through the level", "rise through the level"),
        "ues_time_to_nadir_s": ("fall through the level", "nadir"),
        "ues_recovery_s": ("nadir", "rise through the level"),
    }[request.name]
    marks = [Instant(name, float(moments[name] or 0.0)) for name in ends]
    marks += [
        Instant(name, float(at), main=False)
        for name, at in moments.items()
        if at is not None and name not in ends
    ]
    levels = {"level": detail["level_mmhg"]}
    nothing = none_of(sleeve.time.size)
    traces = (
        _sleeve(sleeve, "UES sleeve, without the pharyngeal wave", nothing, levels),
        _sleeve(closing, "lower half of the UES", nothing, levels),
    )
    return found.value, _with(request, "between_times", tuple(marks), traces)


def _resting(request: Request) -> Answer:
    _, found = request.own.at_rest
    rest = request.own.rest
    if rest is None or "times_s" not in found.detail:
        return found.value, Evidence(marks=request.landmarks(*_BORDERS))
    times, values = found.detail["times_s"], found.detail["values_mmhg"]
    start, stop = (float(rest.field["time"].values[k]) for k in (0, -1))
    box = Box("UES sleeve over the baseline", start, stop, *found.detail["sleeve_cm"])
    label = "greatest pressure over the UES sleeve, samples that count"
    return found.value, Evidence(
        "mean",
        (box, *request.landmarks(*_BORDERS)),
        (trace(label, "mmHg", times, values, None, {"value": found.value}),),
        field=request.around(start, stop),
    )


SOURCES: Mapping[str, Callable[[Request], Answer]] = {
    "ues_residual_mmhg": _pressure,
    "ues_irp02s_mmhg": _pressure,
    "ues_relaxation_s": _time,
    "ues_time_to_nadir_s": _time,
    "ues_recovery_s": _time,
    "ues_resting_mmhg": _resting,
}
