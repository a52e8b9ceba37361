"""Evidence of the relaxation of the LES, and of the times that a swallow is measured in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from hrm.evidence import Box, Evidence, Instant, Mark, Span, Trace
from hrm.explain.request import Answer, Request, at_times, none_of, trace
from hrm.metrics.relaxation import IRP_PARAMETERS, Sleeve

_UNIT = "mmHg above gastric"
_LABEL = "e-sleeve: greatest pressure over its depths"


def _irp(request: Request) -> Answer:
    found = request.seen.metrics.measurements()[request.name]
    sleeve = request.seen.metrics.sleeve
    if sleeve is None or sleeve.status != "ok" or "times_s" not in found.detail:
        return found.value, _nothing(request)
    used = at_times(sleeve.time, found.detail["times_s"])
    key = IRP_PARAMETERS.get(request.name, "irp.duration_s")
    note = (
        f"{int(used.sum())} samples of {sleeve.step_s:g} s make {request.parameters[key]:g} s; they "
        "need not be contiguous"
    )
    if request.name == "irp4s_mmhg":
        note += "; the limit is for the median of the swallows"
    return found.value, _of_sleeve(request, sleeve, used, "mean", note, found.value)


def _nadir(request: Request) -> Answer:
    found = request.seen.metrics.relaxation[request.name]
    sleeve = request.seen.metrics.sleeve
    if sleeve is None or "time_s" not in found.detail:
        return found.value, _nothing(request)
    used = at_times(sleeve.time, np.array([found.detail["time_s"]]))
    return found.value, _of_sleeve(request, sleeve, used, "least", "", found.value)


def _residual(request: Request) -> Answer:
    found = request.seen.metrics.relaxation[request.name]
    sleeve = request.seen.metrics.sleeve
    if sleeve is None or "start_s" not in found.detail:
        return found.value, _nothing(request)
    start = float(found.detail["start_s"])
    count = max(1, round(request.parameters["relaxation.residual_s"] / sleeve.step_s))
    first = int(np.searchsorted(sleeve.time, start - 1e-6))
    used = none_of(sleeve.time.size)
    used[first : first + count] = True
    return found.value, _of_sleeve(request, sleeve, used, "mean", "", found.value)


def _of_sleeve(
    request: Request, sleeve: Sleeve, used: np.ndarray, rule: str, note: str, value: float
) -> Evidence:
    top, bottom = sleeve.detail["sleeve_cm"]
    start, stop = sleeve.detail["window_s"]
    marks = (
        Box("e-sleeve in the relaxation window", start, stop, top, bottom),
        *(
            Box("", first, last, top, bottom)
            for first, last in _runs(sleeve.time, used, sleeve.step_s)
        ),
        Instant("onset", request.onset_s, main=False),
        *request.landmarks("les_upper", "les_lower"),
    )
    gastric = request.seen.anatomy.gastric_mmhg
    zero = f"gastric reference {gastric:.1f} mmHg is the zero"
    study = request.own.result["landmarks"]["gastric_reference_mmhg"]
    if study is not None and abs(gastric - study) >= 0.05:
        zero = (
            f"the gastric pressure before this swallow, {gastric:.1f} mmHg, is the zero; the "
            f"study's reference is {study:.1f} mmHg"
        )
    if request.seen.anatomy.gastric_trace is not None:
        zero = "the zero follows the gastric pressure (gastric.reference=dynamic)"
    return Evidence(
        rule=rule,
        marks=marks,
        traces=(
            trace(_LABEL, _UNIT, sleeve.time, sleeve.values, used, {"value": value}),
            *_gastric(request),
        ),
        field=request.swallow_field(),
        notes=tuple(text for text in (note, zero) if text),
        onset_s=request.onset_s,
    )


def _gastric(request: Request) -> Iterator[Trace]:
    follows = request.seen.anatomy.gastric_trace
    if follows is not None:
        time = follows["time"].values
        yield trace("gastric pressure", "mmHg", time, follows.values, none_of(time.size))


def _runs(time: np.ndarray, used: np.ndarray, step_s: float) -> Iterator[tuple[float, float]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], used.astype(np.int8), [0]))))
    for first, last in edges.reshape(-1, 2):
        yield float(time[first]), float(time[last - 1]) + step_s


def _nothing(request: Request) -> Evidence:
    return Evidence(
        marks=(
            Instant("onset", request.onset_s, main=False),
            *request.landmarks("les_upper", "les_lower"),
        ),
        field=request.swallow_field(),
        onset_s=request.onset_s,
    )


def _window(request: Request) -> Answer:
    record = request.own.row(request.k)
    start, stop = record.window_s
    marks: tuple[Mark, ...] = (
        Span("relaxation window", start, stop),
        Instant("onset", start, main=False),
    )
    notes: tuple[str, ...] = ()
    if stop < start + request.parameters["irp.window_s"] - 1e-6:
        notes = ("the next swallow, or the end of the recording, cuts it short",)
    return (start, stop), Evidence(
        "span", marks, field=request.swallow_field(), notes=notes, onset_s=start
    )


def _onset(request: Request) -> Answer:
    onset = request.own.study.proposal.onsets[request.k]
    automatic = request.own.automatic_onset(request.k)
    fall = automatic.trace if automatic else None
    mark = Instant("onset", onset.time_s)
    field = request.swallow_field()
    if fall is None:
        notes = {
            "pharyngeal_wave": "the UES shows no base to fall from: dated by the pharyngeal wave",
            "stated": "the time is from the swallow table; the recording shows no swallow there",
            "reader": "the time is a reader's",
        }
        text = notes.get(onset.method, f"dated by {onset.method.replace('_', ' ')}")
        marks = (mark, *request.landmarks("ues_upper", "ues_lower"))
        return onset.time_s, Evidence("time", marks, field=field, notes=(text,))
    marks = (
        mark,
        Span("base before the swallow", *fall.base_s, main=False),
        *request.landmarks("ues_upper", "ues_lower"),
    )
    near = fall.time >= onset.time_s - 2.0 * request.parameters["onset.base_s"]
    step = float(fall.time[1] - fall.time[0])
    used = np.abs(fall.time - onset.time_s) <= step
    levels = {"level": fall.level_mmhg, "base": fall.base_mmhg}
    seen = trace(
        "UES sleeve, cut where the pharyngeal wave arrives",
        "mmHg",
        *(fall.time[near], fall.sleeve[near], used[near], levels),
    )
    return onset.time_s, Evidence("on_level", marks, (seen,), field=field)


SOURCES: Mapping[str, Callable[[Request], Answer]] = {
    "onset_s": _onset,
    "window_s": _window,
    "irp4s_mmhg": _irp,
    **dict.fromkeys(IRP_PARAMETERS, _irp),
    "les_nadir_mmhg": _nadir,
    "les_residual_mmhg": _residual,
}
