"""An explanation in words, as the command line prints it."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hrm.catalog import Metric
from hrm.evidence import (
    RULES,
    Box,
    DepthLine,
    Entry,
    Explanation,
    Held,
    Instant,
    Points,
    Profile,
    Region,
    Span,
    Trace,
    Used,
)

if TYPE_CHECKING:
    from hrm.plot.explain import Words

WIDTH = 100
_LABEL = 14
#: More entries than this are only counted.
_MOST_ENTRIES = 40


def lines(explanation: Explanation) -> list[str]:
    """Write an explanation as lines of text.

    Parameters
    ----------
    explanation : Explanation

    Returns
    -------
    list of str
        Value and status, what made it, definition, formula, parameters, limits, sources.
    """
    row = explanation.row
    facts: list[tuple[str, str]] = [("", heading(explanation))]
    facts.append(("value", value_text(explanation)))
    if explanation.reason:
        facts.append(("status", f"{explanation.status}: {explanation.reason}"))
    facts += [("made of", text) for text in made_of(explanation)]
    facts.append(("definition", row.definition))
    if isinstance(row, Metric):
        facts += [("formula", row.formula), ("version", f"{row.version} ({row.confidence})")]
    else:
        facts.append(("confidence", row.confidence))
    facts += [("parameters", _parameter(used)) for used in explanation.parameters]
    facts += [("limits", limit_text(held)) for held in explanation.limits]
    facts.append(("citation", row.citation))
    facts += [("references", f"{ref.key}: {ref.about}") for ref in explanation.references]
    facts.append(("engine", explanation.engine))
    return _laid_out(facts)


def heading(explanation: Explanation) -> str:
    """Name of the metric, and of what it is a number."""
    whose = f"swallow {explanation.swallow}" if explanation.swallow else "study"
    return f"{explanation.name} - {explanation.row.long_name} ({whose})"


def value_text(explanation: Explanation) -> str:
    """Write the value with its unit."""
    value, unit = explanation.value, explanation.unit
    tail = "" if unit == "1" else f" {unit}"
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return f"{_number(value[0])} to {_number(value[1])}{tail}"
    return f"{_number(value)}{tail}"


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "-"
    if abs(value) >= 100:
        return f"{value:.1f}"
    return f"{value:.3f}".rstrip("0").rstrip(".")


def made_of(explanation: Explanation) -> Iterator[str]:
    """Say what was read, when and where."""
    evidence = explanation.evidence
    if evidence.rule != "none":
        yield RULES[evidence.rule]
    for mark in evidence.marks:
        if mark.main and mark.label:
            text = _mark(mark)
            if text:
                yield text
    for trace in evidence.traces:
        yield _trace(trace)
    for profile in evidence.profiles:
        yield _profile(profile)
    yield from _entries(evidence.entries)
    yield from evidence.notes


def _mark(mark: Any) -> str:
    match mark:
        case Instant():
            return f"{mark.label}: {mark.time_s:.3f} s"
        case Span():
            return f"{mark.label}: {mark.start_s:.2f} to {mark.stop_s:.2f} s"
        case DepthLine():
            return f"{mark.label}: {mark.depth_cm:.2f} cm"
        case Box():
            depths = f"{mark.top_cm:.1f} to {mark.bottom_cm:.1f} cm"
            return f"{mark.label}: {mark.start_s:.2f} to {mark.stop_s:.2f} s, {depths}"
        case Points() if mark.time.size == 1:
            return f"{mark.label}: {mark.time[0]:.3f} s, {mark.depth[0]:.2f} cm"
        case Points():
            return f"{mark.label}: {mark.time.size} points"
        case Region():
            return _region(mark)
        case _:
            return ""


def _region(mark: Region) -> str:
    if not mark.inside.any():
        return f"{mark.label}: nothing"
    share = 100.0 * float(mark.inside.mean())
    return (
        f"{mark.label}: {mark.time[0]:.2f} to {mark.time[-1]:.2f} s, {mark.depth[0]:.1f} to "
        f"{mark.depth[-1]:.1f} cm, {share:.0f} % of it, above {mark.level_mmhg:.1f} mmHg"
    )


def _trace(trace: Trace) -> str:
    used = int(trace.used.sum())
    levels = "".join(f"; {name} {level:.1f}" for name, level in trace.levels.items())
    if not used:
        return f"{trace.label} [{trace.unit}]{levels}"
    times = trace.time[trace.used]
    when = f"at {times[0]:.2f} s" if used == 1 else f"from {times[0]:.2f} to {times[-1]:.2f} s"
    values = trace.values[trace.used]
    span = f"{values.min():.1f} to {values.max():.1f}"
    number = f"{values[0]:.1f}" if used == 1 else span
    many = "1 sample" if used == 1 else f"{used} samples"
    return f"{trace.label}: {many} {when}, {number} {trace.unit}{levels}"


def _profile(profile: Profile) -> str:
    levels = "".join(
        f"; {name} {level:.1f} {profile.unit}" for name, level in profile.levels.items()
    )
    if not profile.used.any():
        return f"{profile.label}{levels}"
    places = ", ".join(
        f"{value:.1f} at {cm:g} cm"
        for cm, value in zip(
            profile.depth[profile.used][:8], profile.values[profile.used][:8], strict=True
        )
    )
    more = int(profile.used.sum()) - 8
    return f"{profile.label} [{profile.unit}]: {places}{f' and {more} more' if more > 0 else ''}"


def _entries(entries: tuple[Entry, ...]) -> Iterator[str]:
    for entry in entries[:_MOST_ENTRIES]:
        role = "" if entry.role == "counted" else f" ({entry.role.replace('_', ' ')})"
        note = f" - {entry.note}" if entry.note else ""
        yield f"{entry.label}: {_number(entry.value)}{role}{note}"
    if len(entries) > _MOST_ENTRIES:
        yield f"and {len(entries) - _MOST_ENTRIES} more"


def _parameter(used: Used) -> str:
    unit = "" if used.unit == "1" else f" {used.unit}"
    changed = f" (default {used.default}{unit})" if used.changed else ""
    return f"{used.key} = {used.value}{unit}{changed} [{used.confidence}, {used.source}]"


def limit_text(held: Held) -> str:
    """Write a limit, whether the number lies beyond it, and where it is from."""
    row = held.limit
    verdict = {None: "", True: ": beyond", False: ": not beyond"}[held.beyond]
    return (
        f"{row.id}: {row.comparator} {row.value:g} {row.unit}{verdict} "
        f"[{row.confidence}, {row.citation}]"
    )


def _laid_out(facts: list[tuple[str, str]]) -> list[str]:
    out: list[str] = []
    last = None
    for label, text in facts:
        lead = "" if not label else (label if label != last else "").ljust(_LABEL)
        indent = " " * _LABEL if label else ""
        out += textwrap.wrap(
            text,
            WIDTH,
            initial_indent=lead,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        last = label
    return out


def words_of(explanation: Explanation) -> Words:
    """Give the texts of the picture of an explanation.

    Parameters
    ----------
    explanation : Explanation

    Returns
    -------
    Words
        For `hrm.plot.explain.explanation_figure`.
    """
    from hrm.plot.explain import Words

    row, evidence = explanation.row, explanation.evidence
    above = [f"{value_text(explanation)}"]
    if evidence.rule != "none":
        above[0] += f" = {RULES[evidence.rule]}"
    if explanation.reason:
        above.append(f"{explanation.status}: {explanation.reason}")
    above += evidence.notes
    footer = [f"Definition: {row.definition}"]
    if isinstance(row, Metric):
        footer.append(f"Formula: {row.formula}")
    if explanation.parameters:
        values = "; ".join(f"{used.key} = {used.value}" for used in explanation.parameters)
        footer.append(f"Parameters: {values}")
    if explanation.limits:
        footer.append("Limits: " + "; ".join(limit_text(held) for held in explanation.limits))
    footer.append(f"Source: {row.citation}")
    footer.append(
        f"Study {explanation.study_id} · {explanation.engine} · pressure as it was measured · "
        "for research use only, not for diagnosis or treatment"
    )
    return Words(heading(explanation), tuple(above), tuple(footer))
