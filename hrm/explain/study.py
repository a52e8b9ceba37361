"""Evidence of the numbers of a study: the swallows that enter, and those that do not."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hrm import bolus
from hrm.evidence import Entry, Evidence, Profile, Span
from hrm.explain.request import Answer, Request
from hrm.explain.words import in_words, why_not
from hrm.metrics._base import known
from hrm.metrics.peaks import SUBTYPES
from hrm.metrics.study import PERCENTAGES, percentages
from hrm.preprocess import sensor_noise
from hrm.results import UES_MEDIANS

#: Medians: the number of one swallow, its block, and the posture (empty: the primary one).
_MEDIANS: Mapping[str, tuple[str, str, str]] = {
    **{name: (single, "swallows", "") for name, single in UES_MEDIANS.items()},
    **{
        f"irp4s_median_{posture}_mmhg": ("irp4s_mmhg", "swallows", posture)
        for posture in ("supine", "upright", "unknown")
    },
    "upright_irp4s_median_mmhg": ("irp4s_mmhg", "swallows", "upright"),
    "upright_dci_median_mmhg_s_cm": ("dci_mmhg_s_cm", "swallows", "upright"),
    **{name: (single, "impedance", "") for name, single in bolus.MEDIANS.items()},
    "phci_median_mmhg_s_cm": ("phci_mmhg_s_cm", "pharynx", ""),
}


def _why_not(row: Mapping[str, Any], posture: str) -> str:
    """Why a swallow does not count in a posture; empty if it does."""
    if not row["evaluable"]:
        return why_not(row)
    return "" if row["posture"] == posture else f"posture {row['posture']}"


def _primary(request: Request) -> str:
    return str(request.own.result["study"]["primary_posture"])


def _median(request: Request) -> Answer:
    single, place, posture = _MEDIANS[request.name]
    result = request.own.result
    rows = result["swallows"]
    block = rows if place == "swallows" else (result[place] or {"swallows": []})["swallows"]
    entries = []
    for row, own in zip(rows, block, strict=False):
        value = math.nan if own[single] is None else float(own[single])
        note = _why_not(row, posture or _primary(request))
        if not note and not known(value):
            note = in_words(own["status"].get(single, "not_measured"))
        role = "left_out" if note else "counted"
        entries.append(Entry(f"swallow {row['id']}", value, role, note, row["id"]))
    counted = [entry.value for entry in entries if entry.role == "counted"]
    again = float(np.median(counted)) if counted else math.nan
    note = f"{len(counted)} of {len(rows)} swallows count"
    rule = "entries_median" if counted else "none"
    return again, Evidence(rule, entries=tuple(entries), notes=(note,))


@dataclass(frozen=True)
class _Row:
    """A swallow of the contract as the percentages ask for it."""

    evaluable: bool
    posture: str
    type: str | None
    flags: tuple[str, ...]
    pressurization: str
    metrics: Mapping[str, float] = field(default_factory=dict)


def _percent(request: Request) -> Answer:
    upright = request.name.startswith("upright_")
    posture = "upright" if upright else _primary(request)
    kind = request.name.removeprefix("upright_").removeprefix("percent_")
    entries = []
    for row in request.own.result["swallows"]:
        note = _why_not(row, posture)
        plain = _Row(
            *(row["evaluable"], row["posture"], row["type"]),
            *(tuple(row["flags"]), row["pressurization"]),
        )
        shares = percentages([plain], posture)
        shares["contracting"] = 100.0 - shares["failed"]
        label = f"swallow {row['id']}"
        role = "left_out" if note else "counted"
        entries.append(Entry(label, shares[kind], role, note or _kind(row), row["id"]))
    counted = [entry.value for entry in entries if entry.role == "counted"]
    again = float(np.mean(counted)) if counted else math.nan
    rule = "entries_mean" if counted else "none"
    return again, Evidence(rule, entries=tuple(entries), notes=("100 is yes, 0 is no",))


def _kind(row: Mapping[str, Any]) -> str:
    words = [row["type"] or "no type", *(flag for flag in row["flags"] if flag != row["type"])]
    if row["pressurization"] != "none":
        words.append(f"{row['pressurization']} pressurization")
    return ", ".join(word.replace("_", " ") for word in words)


def _count(request: Request) -> Answer:
    entries = []
    for row in request.own.result["swallows"]:
        note = _not_counted(request, row)
        label = f"swallow {row['id']}"
        entries.append(Entry(label, 1.0, "left_out" if note else "counted", note, row["id"]))
    total = float(sum(entry.role == "counted" for entry in entries))
    return total, Evidence("entries_sum", entries=tuple(entries))


def _not_counted(request: Request, row: Mapping[str, Any]) -> str:
    """Why a swallow is not among those that a count counts; empty if it is."""
    name, posture = request.name, _primary(request)
    if name == "n_swallows":
        return ""
    if name == "n_evaluable":
        return _why_not(row, row["posture"])
    if name == "upright_n_evaluable":
        return _why_not(row, "upright")
    if name == "n_transit_judged":
        own = request.own.result["impedance"]["swallows"][row["id"] - 1]
        judged = "" if own["transit"] else in_words(own["status"].get("transit", "not judged"))
        return _why_not(row, posture) or judged
    kind = name.removeprefix("hypercontractile_subtypes_")
    if "hypercontractile" not in row["flags"]:
        return _why_not(row, posture) or "not hypercontractile"
    own_kind = row["hypercontractile_subtype"] or "unknown"
    same = "" if own_kind == kind else own_kind.replace("_", " ")
    return _why_not(row, posture) or same


def _transit(request: Request) -> Answer:
    entries = []
    for row in request.own.result["swallows"]:
        own = request.own.result["impedance"]["swallows"][row["id"] - 1]
        note = _why_not(row, _primary(request))
        if not note and own["transit"] is None:
            note = in_words(own["status"].get("transit", "not judged"))
        value = math.nan if own["transit"] is None else 100.0 * (own["transit"] == "complete")
        role = "left_out" if note else "counted"
        entries.append(
            Entry(f"swallow {row['id']}", value, role, note or own["transit"], row["id"])
        )
    counted = [entry.value for entry in entries if entry.role == "counted"]
    again = float(np.mean(counted)) if counted else math.nan
    return again, Evidence(
        "entries_mean" if counted else "none",
        entries=tuple(entries),
        notes=("100 is complete, 0 is incomplete",),
    )


def _noise(request: Request) -> Answer:
    study = request.own.study
    pressure = study.cleaned.pressure[study.usable]
    each = sensor_noise(pressure)
    known_ones = np.isfinite(each)
    depth = np.asarray(pressure["depth"].values, dtype=np.float64)
    shown = Profile("white noise of each sensor", "mmHg", depth, each, known_ones)
    rule = "median" if known_ones.any() else "none"
    return study.noise_mmhg, Evidence(rule, profiles=(shown,))


def _baseline(request: Request) -> Answer:
    baseline = request.own.study.proposal.baseline
    if baseline is None:
        return math.nan, Evidence(notes=("no swallow-free stretch was long enough",))
    start = request.name == "baseline_start_s"
    at = baseline.start_s if start else baseline.stop_s
    notes = () if baseline.status == "ok" else (in_words(baseline.status),)
    around = request.around(baseline.start_s - _MARGIN_S, baseline.stop_s + _MARGIN_S)
    marks = (Span("baseline", baseline.start_s, baseline.stop_s),)
    return at, Evidence("span_start" if start else "span_stop", marks, field=around, notes=notes)


#: Time shown on either side of the baseline [s].
_MARGIN_S = 5.0

SOURCES: Mapping[str, Callable[[Request], Answer]] = {
    **dict.fromkeys(_MEDIANS, _median),
    **{f"percent_{name}": _percent for name in PERCENTAGES},
    **{f"upright_percent_{name}": _percent for name in (*PERCENTAGES, "contracting")},
    **dict.fromkeys(("n_swallows", "n_evaluable", "upright_n_evaluable"), _count),
    **{f"hypercontractile_subtypes_{name}": _count for name in (*SUBTYPES, "unknown")},
    "n_transit_judged": _count,
    "percent_complete_transit": _transit,
    "noise_mmhg": _noise,
    "baseline_start_s": _baseline,
    "baseline_stop_s": _baseline,
}
