"""Texts of the figure, and where labels go so that they do not overlap."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

DASH = "–"

#: Resting landmarks by their borders, each with its short label, from top to bottom.
LANDMARKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("UES", ("ues_upper_cm", "ues_lower_cm")),
    ("TZ", ("transition_zone_cm",)),
    ("LES", ("les_upper_cm", "les_lower_cm")),
    ("PIP", ("pressure_inversion_point_cm",)),
    ("CD", ("crural_diaphragm_cm",)),
)

#: Numbers in the title of a panel: key, short name, format with the unit.
_NUMBERS = (
    ("irp4s_mmhg", "IRP", "{:.1f} mmHg"),
    ("dci_mmhg_s_cm", "DCI", "{:.0f}"),
    ("distal_latency_s", "DL", "{:.2f} s"),
    ("break_cm", "break", "{:.1f} cm"),
)


def in_words(code: str) -> str:
    """Write a status code as words."""
    return code.replace("_", " ")


def spread(places: Sequence[float], gap: float) -> list[float]:
    """Move labels apart until neighbors are at least `gap` away from each other.

    Parameters
    ----------
    places : sequence of float
        Wanted positions, in any order.
    gap : float

    Returns
    -------
    list of float
        In the order of `places`; clusters stay centered on what they label.
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    clusters: list[tuple[float, list[int]]] = []
    for i in order:
        clusters.append((places[i], [i]))
        while len(clusters) > 1 and _touch(clusters[-2], clusters[-1], gap):
            (_, lower), (_, upper) = clusters[-2:]
            members = lower + upper
            center = sum(places[k] for k in members) / len(members)
            clusters[-2:] = [(center, members)]
    out = [math.nan] * len(places)
    for center, members in clusters:
        for rank, i in enumerate(members):
            out[i] = center + (rank - 0.5 * (len(members) - 1)) * gap
    return out


def _touch(lower: tuple[float, list[int]], upper: tuple[float, list[int]], gap: float) -> bool:
    reach = 0.5 * gap * (len(lower[1]) + len(upper[1]))
    return upper[0] - lower[0] < reach - 1e-9


def panel_title(swallow: Mapping[str, Any], *, width: int) -> str:
    """Write the title of one swallow: what it is, the numbers, and why one is missing."""
    protocol = swallow["protocol"]
    posture = "posture unknown" if swallow["posture"] == "unknown" else swallow["posture"]
    head = f"#{swallow['id']}  {swallow['onset_s']:.1f} s · {posture}"
    if protocol not in ("single", "unknown"):
        head += f" · {protocol}"
    lines = [head, _verdict(swallow), _numbers(swallow)]
    reasons = missing_reasons(swallow)
    if reasons:
        lines.append(textwrap.shorten(reasons, width, placeholder=" …"))
    return "\n".join(textwrap.shorten(line, width, placeholder=" …") for line in lines)


def _verdict(swallow: Mapping[str, Any]) -> str:
    if not swallow["evaluable"]:
        return f"not evaluable: {in_words(swallow['reason'] or 'unknown reason')}"
    parts = [swallow["type"] or "no type"]
    parts += [in_words(flag) for flag in swallow["flags"] if flag != swallow["type"]]
    if swallow["pressurization"] != "none":
        parts.append(f"{swallow['pressurization']} pressurization")
    parts += [f"{name} borderline" for key, name, _ in _NUMBERS if key in swallow["borderline"]]
    return " · ".join(parts)


def _numbers(swallow: Mapping[str, Any]) -> str:
    return " · ".join(
        f"{name} {DASH if swallow[key] is None else form.format(swallow[key])}"
        for key, name, form in _NUMBERS
    )


def missing_reasons(swallow: Mapping[str, Any]) -> str:
    """Say why numbers of a swallow are missing, names with the same reason together."""
    reasons: dict[str, list[str]] = {}
    for key, name, _ in _NUMBERS:
        if swallow[key] is None:
            reason = in_words(swallow["status"].get(key, "not measured"))
            reasons.setdefault(reason, []).append(name)
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in reasons.items())


def study_heading(result: Mapping[str, Any]) -> str:
    """First line of the figure: the recording, by its code only."""
    recording = result["recording"]
    return " · ".join(
        (
            f"Study {recording['study_id']}",
            f"catheter {recording['catheter']}",
            f"system {recording['system']}",
            f"{recording['n_sensors']} sensors",
            f"{recording['sampling_rate_hz']:g} Hz",
            f"{recording['duration_s']:.0f} s",
        )
    )


def study_summary(result: Mapping[str, Any]) -> str:
    """Second line of the figure: how many swallows count, and the median IRP."""
    study = result["study"]
    parts = [f"{study['n_evaluable']} of {study['n_swallows']} swallows evaluable"]
    for posture in ("supine", "upright", "unknown"):
        median = study[f"irp4s_median_{posture}_mmhg"]
        if median is not None:
            name = "posture unknown" if posture == "unknown" else posture
            parts.append(f"median IRP {median:.1f} mmHg ({name})")
    if result["landmarks"]["gastric_reference_mmhg"] is not None:
        parts.append(f"gastric {result['landmarks']['gastric_reference_mmhg']:.1f} mmHg")
    return " · ".join(parts)
