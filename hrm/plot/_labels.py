"""Texts of the figure, and where labels go so that they do not overlap."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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


#: Tests whose swallows follow each other too closely to be read one by one.
TESTS: Mapping[str, str] = {"mrs": "multiple rapid swallows", "rdc": "rapid drinking"}


@dataclass(frozen=True)
class Group:
    """Swallows that are shown together: a single one, or all those of one run of a test.

    Attributes
    ----------
    first, last : int
        Places in the list of swallows, the last one included.
    test : str
        ``"mrs"`` or ``"rdc"``; empty for a single swallow.
    run : mapping
        What was measured in the run; empty for a single swallow.
    """

    first: int
    last: int
    test: str
    run: Mapping[str, Any]

    def number(self, swallows: Sequence[Mapping[str, Any]]) -> str:
        """Write the number of the swallow, or those of the first and the last."""
        first, last = swallows[self.first]["id"], swallows[self.last]["id"]
        return str(first) if first == last else f"{first}–{last}"


def groups(result: Mapping[str, Any]) -> list[Group]:
    """Put the swallows of each run of a test together; every other one stands alone.

    Parameters
    ----------
    result : mapping
        The published contract.

    Returns
    -------
    list of Group
        In order of time. A swallow that counts as a single one, because a reader says so,
        stands alone.
    """
    swallows = result["swallows"]
    starts = {first: (last, test, run) for first, last, test, run in _runs(result)}
    out, k = [], 0
    while k < len(swallows):
        last, test, run = starts.get(k, (k, "", {}))
        out.append(Group(k, last, test, run))
        k = last + 1
    return out


def _runs(result: Mapping[str, Any]) -> Iterator[tuple[int, int, str, Mapping[str, Any]]]:
    swallows = result["swallows"]
    places = {row["id"]: k for k, row in enumerate(swallows)}
    for test in TESTS:
        block = (result.get("provocation") or {}).get(test) or {"runs": []}
        for run in block["runs"]:
            first, last = (places.get(run["swallows"][end], -1) for end in (0, -1))
            between = swallows[first : last + 1] if 0 <= first < last else []
            if between and not any(row["evaluable"] for row in between):
                yield first, last, test, run


def spread(
    places: Sequence[float],
    gap: float | Sequence[float],
    *,
    within: tuple[float, float] | None = None,
) -> list[float]:
    """Move labels apart until neighbors are far enough away from each other.

    Parameters
    ----------
    places : sequence of float
        Wanted positions, in any order.
    gap : float or sequence of float
        Room that each label takes: neighbors are half of both their rooms apart.
    within : (float, float), optional
        Ends that no label goes beyond, if all of them have room between the two.

    Returns
    -------
    list of float
        In the order of `places`; clusters stay centered on what they label.
    """
    room = [gap] * len(places) if isinstance(gap, int | float) else list(gap)
    order = sorted(range(len(places)), key=lambda i: places[i])
    clusters: list[tuple[float, list[int]]] = []
    for i in order:
        clusters.append((places[i], [i]))
        while len(clusters) > 1 and _touch(clusters[-2], clusters[-1], room):
            (_, lower), (_, upper) = clusters[-2:]
            members = lower + upper
            center = sum(places[k] for k in members) / len(members)
            clusters[-2:] = [(center, members)]
    out = [math.nan] * len(places)
    for center, members in clusters:
        left = center - 0.5 * sum(room[i] for i in members)
        for i in members:
            out[i] = left + 0.5 * room[i]
            left += room[i]
    return out if within is None else _inside(out, room, order, within)


def _touch(
    lower: tuple[float, list[int]], upper: tuple[float, list[int]], room: Sequence[float]
) -> bool:
    reach = 0.5 * sum(room[i] for i in (*lower[1], *upper[1]))
    return upper[0] - lower[0] < reach - 1e-9


def _inside(
    places: Sequence[float],
    room: Sequence[float],
    order: Sequence[int],
    within: tuple[float, float],
) -> list[float]:
    """Push labels back from both ends; the first end wins where there is too little room."""
    out = list(places)
    end = within[1]
    for i in reversed(order):
        out[i] = min(out[i], end - 0.5 * room[i])
        end = out[i] - 0.5 * room[i]
    start = within[0]
    for i in order:
        out[i] = max(out[i], start + 0.5 * room[i])
        start = out[i] + 0.5 * room[i]
    return out


def run_title(group: Group, swallows: Sequence[Mapping[str, Any]], *, width: int) -> str:
    """Write the title of one run of a test: which, and what it shows."""
    first, run = swallows[group.first], group.run
    posture = "posture unknown" if first["posture"] == "unknown" else first["posture"]
    inhibited = {True: "inhibited", False: "NOT inhibited"}.get(
        run["inhibited"], "inhibition not known"
    )
    after = run["dci_after_mmhg_s_cm"]
    lines = [
        f"#{group.number(swallows)}  {first['onset_s']:.1f} s · {posture} · {TESTS[group.test]}",
        f"{inhibited} · DCI after {'not measured' if after is None else f'{after:.0f}'}",
    ]
    return "\n".join(textwrap.shorten(line, width, placeholder=" …") for line in lines)


def panel_title(
    swallow: Mapping[str, Any], *, width: int, bolus: Mapping[str, Any] | None = None
) -> str:
    """Write the title of one swallow: what it is, the numbers, and why one is missing."""
    protocol = swallow["protocol"]
    posture = "posture unknown" if swallow["posture"] == "unknown" else swallow["posture"]
    head = f"#{swallow['id']}  {swallow['onset_s']:.1f} s · {posture}"
    if protocol not in ("single", "unknown"):
        head += f" · {protocol}"
    verdict = _verdict(swallow)
    if bolus:
        reason = in_words(bolus["status"].get("transit", "reason unknown"))
        verdict += f" · bolus {bolus['transit'] or f'not measured: {reason}'}"
    lines = [head, verdict, _numbers(swallow)]
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
