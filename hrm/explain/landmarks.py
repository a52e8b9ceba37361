"""Evidence of the resting landmarks: the profiles that they were found in."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hrm.detect.landmarks import RestingProfiles
from hrm.detect.profile import resting_profile
from hrm.evidence import Box, DepthLine, Entry, Evidence, FieldWindow, Mark, Profile
from hrm.explain.request import LABELS, Answer, Request, none_of
from hrm.explain.words import why_not

_NOT_FOUND = "not found in the profile"
_BY_PROFILE = ("ues_upper_cm", "ues_lower_cm")


def baseline_field(request: Request) -> FieldWindow | None:
    """Pressure of the baseline."""
    baseline = request.own.study.proposal.baseline
    return None if baseline is None else request.around(baseline.start_s, baseline.stop_s)


def _value(request: Request) -> float:
    return float(getattr(request.own.study.proposal.landmarks, request.name))


def _by_reader(request: Request) -> bool:
    node = request.own.tree["landmarks"].to_dataset()
    if request.name == "gastric_reference_mmhg":
        return str(node["gastric_reference"].attrs["source"]).startswith("reader")
    source = node["source"].sel(landmark=request.name)
    return str(source.values).startswith("reader")


def _line(request: Request, value: float) -> DepthLine:
    return DepthLine(LABELS[request.name.removesuffix("_cm")], value)


def _simple(request: Request, value: float, note: str) -> Answer:
    marks: tuple[Mark, ...] = () if math.isnan(value) else (_line(request, value),)
    rule = "depth" if marks else "none"
    return value, Evidence(rule, marks, field=baseline_field(request), notes=(note,))


def _without(request: Request, value: float) -> str:
    """Why there is no profile to show; empty where there is."""
    if _by_reader(request):
        return "set by a reader"
    status = request.own.result["landmarks"]["status"].get(request.name, "")
    if status == "estimated_from_pharyngeal_wave":
        return "the UES has no tone: estimated from where the pharyngeal wave passes"
    whole = request.own.study.proposal.landmarks.status.get("les", "")
    if whole == "les_uncertain" and request.name.startswith("les_"):
        return "the LES has no resting peak: placed by its relaxation on swallowing"
    if request.own.profiles is None and request.name not in _BY_PROFILE:
        return "no baseline, so no resting profile"
    if status == "respiration_not_found":
        return "without breathing in the baseline there is no profile to show"
    return "" if math.isfinite(value) else _NOT_FOUND


def _profile(
    label: str, depth: Any, values: Any, used: Any = None, levels: Mapping[str, float] | None = None
) -> Profile:
    numbers = np.asarray(values, dtype=np.float64)
    marked = none_of(numbers.size) if used is None else np.asarray(used, dtype=np.bool_)
    return Profile(
        label, "mmHg", np.asarray(depth, dtype=np.float64), numbers, marked, levels or {}
    )


def _ues(request: Request) -> Answer:
    value = _value(request)
    why = _without(request, value)
    if why:
        return _simple(request, value, why)
    study = request.own.study
    pressure = study.pressure[study.usable]
    depth, profile = pressure["depth"].values, resting_profile(pressure)
    level = {"half of the peak": float(np.interp(value, depth, profile))}
    shown = _profile("median pressure of the recording", depth, profile, levels=level)
    marks = (_line(request, value), *_others(request, ("ues_upper", "ues_lower")))
    if value in (depth[0], depth[-1]):
        note = "the profile does not fall to the level before the catheter ends"
        return value, Evidence("depth", marks, (), (shown,), (), baseline_field(request), (note,))
    return value, Evidence(
        "on_profile_level", marks, profiles=(shown,), field=baseline_field(request)
    )


def _others(request: Request, names: tuple[str, ...]) -> tuple[Mark, ...]:
    own = request.name.removesuffix("_cm")
    return request.landmarks(*(name for name in names if name != own))


_EGJ = ("les_upper", "les_lower", "crural_diaphragm", "pressure_inversion_point")


def _les(request: Request) -> Answer:
    value, profiles = _value(request), request.own.profiles
    why = _without(request, value)
    if profiles is None or (why and math.isnan(value) is False):
        return _simple(request, value, why)
    marks = request.own.study.proposal.landmarks
    levels = {"gastric reference": marks.gastric_reference_mmhg}
    if math.isfinite(value):
        levels["border level"] = float(np.interp(value, profiles.depth, profiles.end_expiratory))
    levels = {name: level for name, level in levels.items() if math.isfinite(level)}
    shown = _profile(
        "resting pressure at end expiration", profiles.depth, profiles.end_expiratory, None, levels
    )
    lines = () if math.isnan(value) else (_line(request, value),)
    evidence = Evidence(
        "on_profile_level" if lines else "none",
        (*lines, *_others(request, _EGJ)),
        profiles=(shown,),
        field=baseline_field(request),
        focus_cm=request.junction_cm,
        notes=(why,) if why else (),
    )
    return value, evidence


def _diaphragm(request: Request) -> Answer:
    value, profiles = _value(request), request.own.profiles
    why = _without(request, value)
    if profiles is None or (why and why != _NOT_FOUND):
        return _simple(request, value, why)
    rise = profiles.sensor_inspiratory - profiles.sensor_end_expiratory
    used = none_of(rise.size)
    if math.isfinite(value):
        middle = int(np.argmin(np.abs(profiles.sensor_depth - value)))
        used[max(0, middle - 1) : middle + 2] = True
    shown = (
        _profile("rise with inspiration at the sensors", profiles.sensor_depth, rise, used),
        _profile(
            "rise with inspiration", profiles.depth, profiles.inspiratory - profiles.end_expiratory
        ),
    )
    return _on_profiles(request, value, "vertex", shown, why)


def _inversion(request: Request) -> Answer:
    value, profiles = _value(request), request.own.profiles
    why = _without(request, value)
    if profiles is None or (why and why != _NOT_FOUND):
        return _simple(request, value, why)
    label = "change of pressure with inspiration, for one SD of the breathing"
    shown = _profile(label, profiles.depth, profiles.slope, None, {"no change": 0.0})
    return _on_profiles(request, value, "on_profile_level", (shown,), why)


def _on_profiles(
    request: Request, value: float, rule: str, shown: tuple[Profile, ...], why: str
) -> Answer:
    lines = () if math.isnan(value) else (_line(request, value),)
    return value, Evidence(
        rule if lines else "none",
        (*lines, *_others(request, _EGJ)),
        profiles=shown,
        field=baseline_field(request),
        focus_cm=request.junction_cm,
        notes=(why,) if why else (),
    )


def gastric_evidence(request: Request, profiles: RestingProfiles) -> Evidence:
    """Resting pressure of each sensor, with those that make the gastric reference."""
    sensors = request.own.study.proposal.landmarks.gastric_sensors_cm
    used = np.isin(profiles.sensor_depth, sensors)
    shown = _profile(
        "resting pressure of the sensors", profiles.sensor_depth, profiles.sensor_rest, used
    )
    baseline = request.own.study.proposal.baseline
    marks: list[Mark] = [*request.landmarks("les_lower", "crural_diaphragm")]
    if baseline is not None and sensors:
        half = 0.5 * float(np.median(np.diff(profiles.sensor_depth)))
        span = (baseline.start_s, baseline.stop_s)
        marks += [Box("gastric sensor", *span, cm - half, cm + half) for cm in sensors]
    return Evidence(
        "median" if sensors else "none",
        tuple(marks),
        profiles=(shown,),
        field=baseline_field(request),
        focus_cm=request.junction_cm,
    )


def _gastric(request: Request) -> Answer:
    value, profiles = _value(request), request.own.profiles
    if _by_reader(request):
        return value, Evidence(
            "none",
            field=baseline_field(request),
            focus_cm=request.junction_cm,
            notes=("set by a reader",),
        )
    if profiles is None:
        return value, Evidence(notes=("no baseline, so no resting profile",))
    return value, gastric_evidence(request, profiles)


def _transition_zone(request: Request) -> Answer:
    value = request.own.result["landmarks"]["transition_zone_cm"]
    number = math.nan if value is None else float(value)
    if _by_reader(request):
        return number, Evidence("depth", (_line(request, number),), notes=("set by a reader",))
    node = request.own.tree["swallows"].to_dataset()
    entries = []
    for row, zone in zip(
        request.own.result["swallows"], node["transition_zone"].values.tolist(), strict=True
    ):
        counts = row["type"] not in (None, "failed") and math.isfinite(zone)
        note = "" if counts else _why_left_out(row)
        role = "counted" if counts else "left_out"
        entries.append(Entry(f"swallow {row['id']}", zone, role, note, row["id"]))
    median = [entry.value for entry in entries if entry.role == "counted"]
    again = float(np.median(median)) if median else math.nan
    marks = () if math.isnan(again) else (_line(request, again),)
    return again, Evidence(
        "entries_median" if median else "none",
        (*marks, *request.landmarks("ues_lower", "les_upper")),
        entries=tuple(entries),
        field=baseline_field(request),
    )


def _why_left_out(row: Mapping[str, Any]) -> str:
    if row["type"] == "failed":
        return "the contraction failed"
    return "no contraction that counts" if row["evaluable"] else why_not(row)


SOURCES: Mapping[str, Callable[[Request], Answer]] = {
    "ues_upper_cm": _ues,
    "ues_lower_cm": _ues,
    "transition_zone_cm": _transition_zone,
    "les_upper_cm": _les,
    "les_lower_cm": _les,
    "crural_diaphragm_cm": _diaphragm,
    "pressure_inversion_point_cm": _inversion,
    "gastric_reference_mmhg": _gastric,
}
