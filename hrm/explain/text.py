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
from hrm.explain.words import confidence_words, quantity_words

if TYPE_CHECKING:
    from hrm.plot.explain import Words

WIDTH = 100
_LABEL = 14
#: Digits after the point in a picture; `lines` gives more.
_DIGITS = {"mmHg": 1, "mmHg s cm": 0, "mmHg cm": 1, "cm": 1, "cm/s": 1, "%": 0, "ohm": 0}
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
    return _laid_out(facts_of(explanation))


def facts_of(explanation: Explanation) -> list[tuple[str, str]]:
    """Write an explanation as facts: what each is about, and its text; the heading first."""
    row = explanation.row
    facts: list[tuple[str, str]] = [("", heading(explanation))]
    facts.append(("value", value_text(explanation)))
    if explanation.reason:
        facts.append(("status", explanation.reason))
    facts += [("made of", text) for text in made_of(explanation)]
    if explanation.evidence.marks or explanation.evidence.traces:
        facts.append(("times", _clock(explanation.evidence.onset_s)))
    facts.append(("definition", row.definition))
    if isinstance(row, Metric):
        facts += [
            ("formula", row.formula),
            ("version", f"{row.version} ({confidence_words(row.confidence)})"),
        ]
    else:
        facts.append(("confidence", confidence_words(row.confidence)))
    facts += [("parameters", _parameter(used)) for used in explanation.parameters]
    facts += [("limits", limit_text(held)) for held in explanation.limits]
    if explanation.limit_note:
        facts.append(("limits", explanation.limit_note))
    facts.append(("citation", row.citation))
    facts += [("references", f"{ref.key}: {ref.about}") for ref in explanation.references]
    facts.append(("engine", explanation.engine))
    return facts


def _clock(onset_s: float) -> str:
    text = "in seconds from the first sample of the file"
    return f"{text}; the onset is at {onset_s:.2f} s" if math.isfinite(onset_s) else text


def heading(explanation: Explanation) -> str:
    """Name of the metric, and of what it is a number."""
    whose = f"swallow {explanation.swallow}" if explanation.swallow else "study"
    text = f"{explanation.name} - {explanation.row.long_name} ({whose})"
    # The name may say what was changed: an IRP of 3 s is no IRP4s.
    changed = ", ".join(f"{used.key} = {used.value}" for used in explanation.changed)
    return f"{text}; measured with {changed}" if changed else text


def value_text(explanation: Explanation) -> str:
    """Write the value with its unit."""
    value, unit = explanation.value, explanation.unit
    tail = "" if unit == "1" else f" {unit}"
    if value is None:
        return "not measured"
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
    sure = confidence_words(used.confidence)
    return f"{used.key} = {used.value}{unit}{changed} ({sure}: {used.source})"


def limit_text(held: Held) -> str:
    """Write a limit, whether the number lies beyond it, where it is from, and its row."""
    return f"{_limit_words(held)} [row {held.limit.id}]"


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
    above = [_value_words(explanation)]
    if evidence.rule != "none":
        above[0] += f" = {RULES[evidence.rule]}"
    if explanation.reason:
        above.append(explanation.reason[:1].upper() + explanation.reason[1:])
    above += evidence.notes
    footer = [f"Definition: {row.definition}"]
    if isinstance(row, Metric):
        footer.append(f"Formula: {row.formula}")
    if explanation.parameters:
        values = "; ".join(f"{used.key} = {used.value}" for used in explanation.parameters)
        footer.append(f"Parameters: {values}")
    limits = [_limit_words(held) for held in explanation.limits]
    if explanation.limit_note:
        limits.append(explanation.limit_note)
    if limits:
        footer.append("Limits: " + "; ".join(limits))
    footer.append(f"Source: {row.citation}")
    footer.append(
        f"Study {explanation.study_id} · {explanation.engine} · pressure as it was measured · "
        "for research use only, not for diagnosis or treatment"
    )
    return Words(_title(explanation), tuple(above), tuple(footer))


def _value_words(explanation: Explanation) -> str:
    """The value with the digits that it deserves."""
    value, unit = explanation.value, explanation.unit
    digits = _DIGITS.get(unit, 2)
    tail = "" if unit == "1" else f" {unit}"
    if value is None:
        return "Not measured"
    ends = value if isinstance(value, tuple) else (value,)
    return " to ".join(f"{end:.{digits}f}" if math.isfinite(end) else "-" for end in ends) + tail


def _title(explanation: Explanation) -> str:
    """Head of a picture: what the number is, in words, and by which definition."""
    name = explanation.row.long_name
    whose = f"swallow {explanation.swallow}" if explanation.swallow else "study"
    tail = ", without the noise filter" if explanation.name.endswith("_unfiltered") else ""
    changed = ", ".join(f"{used.key} = {used.value}" for used in explanation.changed)
    by = f"; measured with {changed}" if changed else ""
    return f"{name[:1].upper()}{name[1:]}{tail} ({whose}){by}"


def _limit_words(held: Held) -> str:
    """A limit without codes: what it is a limit of, the limit, how sure it is, whose it is."""
    row = held.limit
    sign = {">=": "≥", "<=": "≤"}.get(row.comparator, row.comparator)
    unit = "" if row.unit == "1" else f" {row.unit}"
    verdict = {None: "", True: ": beyond", False: ": not beyond"}[held.beyond]
    sure = confidence_words(row.confidence)
    name = quantity_words(row.quantity)
    version = "" if row.id == "user" else f", Chicago v{row.cc_version}"
    return f"{name} {sign} {row.value:g}{unit}{version}{verdict} ({sure}: {row.citation})"
