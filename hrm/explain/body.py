"""Evidence of what the esophageal body does: integral, front, latency, breaks, bolus pressure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from hrm.evidence import (
    Box,
    Contour,
    DepthLine,
    Evidence,
    Instant,
    Mark,
    Points,
    Polyline,
    Region,
)
from hrm.explain.request import Answer, Request, none_of, trace
from hrm.metrics._base import Cut, Measurement, cut, known
from hrm.metrics.dci import counted
from hrm.metrics.front import DecelerationPoint, Wavefront


def _evidence(request: Request, rule: str, *marks: Mark, **more: object) -> Evidence:
    """Evidence on the field of the swallow, with its onset."""
    onset = Instant("onset", request.onset_s, main=False)
    return Evidence(
        rule=rule,
        marks=(*marks, onset),
        field=request.swallow_field(),
        onset_s=request.onset_s,
        **more,  # type: ignore[arg-type]
    )


def region_of(label: str, box: Cut, inside: np.ndarray, level_mmhg: float) -> Region:
    """Make a region of a cut of the field."""
    return Region(label, box.depth, box.time, box.values, inside, float(level_mmhg))


def _dci(request: Request) -> Answer:
    metrics = request.seen.metrics
    whole = request.name == "dci_box_mmhg_s_cm"
    found = metrics.dci_box if whole else metrics.dci
    wave = metrics.wave
    if wave is None or not known(found.value):
        return found.value, _missing(request)
    level = float(request.parameters["dci.threshold_mmhg"])
    top, bottom = metrics.transition_zone_cm, request.seen.anatomy.les_upper_cm
    marks: list[Mark] = [
        Box("contraction window", wave.start_s, wave.stop_s, top, bottom, main=False),
        Contour(f"{level:g} mmHg contour", level),
        DepthLine(_upper_edge(request), top, main=False),
        DepthLine("LES upper border", bottom, main=False),
    ]
    notes = [_window_note(request, wave.start_s, wave.stop_s)]
    if not wave.box.empty:
        keep = counted(wave.box, None if whole else metrics.front, request.parameters)
        marks.insert(0, region_of("pressure that counts", wave.box, keep, level))
        if not keep.all():
            notes.append(
                f"{100.0 * (1.0 - keep.mean()):.0f} % of the window is left out as simultaneous "
                "pressurization or as a plateau ahead of the front"
            )
    return found.value, _evidence(request, "excess", *marks, notes=tuple(notes))


def _window_note(request: Request, start_s: float, stop_s: float) -> str:
    """Say where the contraction window ends, and why."""
    onset, tail = request.onset_s, request.parameters["dci.tail_s"]
    text = f"the window runs from {start_s - onset:.1f} to {stop_s - onset:.1f} s after the onset"
    if stop_s >= request.seen.stop_s - 1e-6:
        return f"{text}, where the recording ends or the next swallow begins"
    longest = (request.parameters[f"dci.window{kind}_s"] for kind in ("", "_repetitive"))
    if stop_s <= start_s + tail + 1e-6:
        return f"{text}: nothing in it contracts"
    if any(abs(stop_s - onset - length) < 1e-6 for length in longest):
        return f"{text}, the longest that it may last"
    return f"{text}, {tail:g} s after the last pressure that belongs to the contraction"


def _upper_edge(request: Request) -> str:
    """Name the upper edge of the window: a transition zone only where one was found."""
    found = request.own.result["landmarks"]["transition_zone_cm"] is not None
    return "transition zone" if found else "window top (no zone found)"


def _dci_les(request: Request) -> Answer:
    found, anatomy = request.seen.metrics.body.dci_les, request.seen.anatomy
    if "window_s" not in found.detail:
        return found.value, _missing(request)
    level = float(request.parameters["dci.threshold_mmhg"])
    box = cut(
        request.seen.field, anatomy.les_upper_cm, anatomy.les_lower_cm, *found.detail["window_s"]
    )
    keep = np.ones(box.values.shape, dtype=np.bool_)
    return found.value, _evidence(
        request,
        "excess",
        region_of("LES during the contraction", box, keep, level),
        Contour(f"{level:g} mmHg contour", level),
        *request.landmarks("les_upper", "les_lower"),
    )


def _missing(request: Request) -> Evidence:
    return _evidence(request, "none", *request.landmarks("ues_lower", "les_upper"))


def _front(request: Request, front: Wavefront | None) -> tuple[Mark, ...]:
    if front is None:
        return ()
    contour = Contour(f"{front.level_mmhg:g} mmHg contour", front.level_mmhg)
    if not np.isfinite(front.arrival).any():
        return (contour,)
    row = request.own.result["swallows"][request.k]
    if row["pressurization"] != "none":
        what = "first rise, in a pressurized swallow,"
    elif "cfv_rapid" in row["flags"]:
        what = "first rise, almost at one time,"
    else:
        what = "contractile front"
    label = f"{what} at {front.level_mmhg:g} mmHg"
    return (Polyline(label, front.arrival, front.depth, main=False), contour)


def _fit(point: DecelerationPoint, front: Wavefront) -> tuple[Mark, ...]:
    """The two lines, or what a fallback took."""
    reached = front.depth[np.isfinite(front.arrival)]
    if point.fit and reached.size:
        start, slope, bend = point.fit
        depth = np.array([reached[0], point.break_cm, reached[-1]])
        time = start + slope * depth + bend * np.maximum(depth - point.break_cm, 0.0)
        return (Polyline("fit of two lines", time, depth, main=False),)
    if known(*point.rows_cm):
        rows = (front.depth >= point.rows_cm[0] - 1e-6) & (front.depth <= point.rows_cm[1] + 1e-6)
        rows &= np.isfinite(front.arrival)
        label = "front near the fallback point"
        return (Points(label, front.arrival[rows], front.depth[rows], main=False),)
    return ()


_METHODS = {
    "two_segment": "where a fit of two lines bends",
    "clamped3cm": "the fit bends farther away; kept within the fallback distance of the LES",
    "fallback3cm": "two lines fit no better than one: the fallback distance above the LES",
    "reader": "the depth is a reader's, the time is that of the front there",
}


def _deceleration(request: Request) -> Answer:
    metrics = request.seen.metrics
    found = metrics.measurements()[request.name]
    point, front = metrics.cdp, metrics.front
    if point is None or front is None or not known(found.value):
        return found.value, _evidence(request, "none", *_front(request, front))
    here = Points("deceleration point", np.array([point.time_s]), np.array([point.depth_cm]))
    shared = (*_fit(point, front), *_front(request, front), *request.landmarks("les_upper"))
    notes = (f"deceleration point: {_METHODS.get(point.method, point.method)}",)
    if request.name == "cdp_cm":
        marks: tuple[Mark, ...] = (DepthLine("deceleration point", point.depth_cm), here, *shared)
        return found.value, _evidence(request, "depth", *marks, notes=notes)
    times = (Instant("onset", request.onset_s), Instant("deceleration point", point.time_s))
    return found.value, Evidence(
        "between_times",
        (*times, here, *shared),
        field=request.swallow_field(),
        notes=notes,
        onset_s=request.onset_s,
    )


def _velocity(request: Request) -> Answer:
    metrics = request.seen.metrics
    found, front, point = metrics.body.velocity, metrics.front, metrics.cdp
    if front is None or "from_cm" not in found.detail:
        return found.value, _evidence(request, "none", *_front(request, front))
    rows = (front.depth >= found.detail["from_cm"] - 1e-6) & np.isfinite(front.arrival)
    rows &= front.depth <= found.detail["to_cm"] + 1e-6
    z, t, slope = front.depth[rows], front.arrival[rows], found.detail["slope_s_per_cm"]
    # The median slope through the median point: drawn only, it makes no number.
    line = np.median(t) + slope * (z[[0, -1]] - np.median(z))
    marks: list[Mark] = [
        Points("front that counts", t, z),
        Polyline("median slope", line, z[[0, -1]], main=False),
        *_front(request, front),
    ]
    if point is not None:
        where = (np.array([point.time_s]), np.array([point.depth_cm]))
        marks.append(Points("deceleration point", *where, main=False))
    rule = "velocity" if known(found.value) else "none"
    return found.value, _evidence(request, rule, *marks)


_GAPS = ("gap", "longest gap")


def _break(request: Request) -> Answer:
    metrics = request.seen.metrics
    found, wave = metrics.break_length, metrics.wave
    level = float(request.parameters["dci.threshold_mmhg"])
    contour = Contour(f"{level:g} mmHg contour", level)
    borders = request.landmarks("ues_lower", "les_upper")
    if wave is None or not known(found.value):
        return found.value, _evidence(request, "none", contour, *borders)
    start, stop = request.onset_s, wave.stop_s
    marks: list[Mark] = []
    if "from_cm" in found.detail:
        top, bottom = found.detail["from_cm"], found.detail["to_cm"]
        marks += [DepthLine("longest gap, top", top), DepthLine("longest gap, bottom", bottom)]
        marks += [
            Box(_GAPS[(a, b) == (top, bottom)], start, stop, a, b, main=False)
            for a, b in found.detail["gaps_cm"]
        ]
        return found.value, _evidence(request, "between_depths", *marks, contour, *borders)
    note = "the contour has no gap between UES and LES"
    return found.value, _evidence(request, "nothing_found", contour, *borders, notes=(note,))


def _bolus_pressure(request: Request) -> Answer:
    metrics = request.seen.metrics
    found = metrics.measurements()[request.name]
    detail = metrics.ibp.detail
    if "boxes" not in detail or not known(found.value):
        return found.value, _evidence(request, "none", *_front(request, metrics.front))
    boxes, means = detail["boxes"], detail["means_mmhg"]
    greatest = request.name == "ibp_mmhg"
    used = np.ones(means.size, dtype=np.bool_)
    if greatest:
        used = none_of(means.size)
        used[int(np.argmax(means))] = True
    step = 1.0 / request.own.study.rate_hz
    marks = [
        Box("box below the front" if k == 0 else "", now, now + step, top, bottom)
        for k, (now, top, bottom) in enumerate(boxes[used])
    ]
    outline = Polyline(
        "reach of the box",
        np.concatenate([boxes[:, 0], boxes[::-1, 0], boxes[:1, 0]]),
        np.concatenate([boxes[:, 1], boxes[::-1, 2], boxes[:1, 1]]),
        main=False,
    )
    unit = "mmHg above gastric" if request.parameters["ibp.reference"] == "gastric" else "mmHg"
    label = "mean pressure in the box below the front"
    levels = {"value": float(found.value)}
    more = {"traces": (trace(label, unit, boxes[:, 0], means, used, levels),)}
    shared = (*_front(request, metrics.front), *request.landmarks("les_upper"))
    rule = "greatest" if greatest else "mean"
    return found.value, _evidence(request, rule, *marks, outline, *shared, **more)


def _peaks(request: Request) -> Answer:
    found: Measurement = request.seen.metrics.body.peaks
    wave = request.seen.metrics.wave
    if wave is None or wave.box.empty or "from_cm" not in found.detail:
        return found.value, _missing(request)
    level = float(request.parameters["dci.threshold_mmhg"])
    rows = [
        int(np.argmin(np.abs(wave.box.depth - found.detail[key]))) for key in ("from_cm", "to_cm")
    ]
    traces = tuple(
        trace(
            f"pressure at {wave.box.depth[row]:.1f} cm",
            "mmHg",
            wave.box.time,
            wave.box.values[row],
            none_of(wave.box.time.size),
            {"least peak": level},
        )
        for row in rows
    )
    names = ("upper level", "lower level")
    lines = [
        DepthLine(name, float(wave.box.depth[row])) for name, row in zip(names, rows, strict=True)
    ]
    note = f"at both depths the pressure has {found.value:.0f} peaks or more"
    return found.value, _evidence(
        request,
        "count_peaks",
        *lines,
        Contour(f"{level:g} mmHg contour", level),
        traces=traces,
        notes=(note,),
    )


SOURCES: Mapping[str, Callable[[Request], Answer]] = {
    "dci_mmhg_s_cm": _dci,
    "dci_box_mmhg_s_cm": _dci,
    "dci_les_mmhg_s_cm": _dci_les,
    "distal_latency_s": _deceleration,
    "cdp_cm": _deceleration,
    "break_cm": _break,
    "ibp_mmhg": _bolus_pressure,
    "ibp_mean_mmhg": _bolus_pressure,
    "cfv_cm_s": _velocity,
    "peaks": _peaks,
}
