"""What a report says, set on paper block by block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hrm._page import RESEARCH_USE
from hrm.report import model
from hrm.report._sheet import (
    BODY,
    INNER,
    LEFT,
    RIGHT,
    SMALL,
    TITLE,
    WIDTH,
    Line,
    Sheet,
    Style,
    pair,
    paragraph,
    wrap,
)
from hrm.report.provoked import provocation_lines

_GAP = 14.0
_HALF = (INNER - _GAP) / 2.0
_THIRD = (INNER - 2 * _GAP) / 3.0
_GREY = Style(color="0.25")
_BOLD = Style(bold=True)
#: Where the values of the three columns at rest begin [pt].
_VALUES_AT = (94.0, 96.0, 84.0)

Result = Mapping[str, Any]


def write_head(sheet: Sheet, result: Result) -> None:
    """Title, and which recording this is; no name, no file."""
    sheet.write(model.TITLE, LEFT, sheet.y, Style(TITLE, bold=True))
    use = Style(BODY, bold=True, align="right")
    sheet.write(RESEARCH_USE, WIDTH - RIGHT, sheet.y + 5.0, use)
    sheet.y += 18.0
    for fact in model.sources(result):
        sheet.lines(paragraph(fact, INNER))
    changed = model.changed_parameters(result)
    if changed:
        sheet.lines(paragraph(changed, INNER, _BOLD))


def write_fields(
    sheet: Sheet, result: Result, *, reason_for_referral: str, clinical_diagnosis: str
) -> None:
    """What only the physician can say, and what the trees were told of it."""
    sheet.y += 3.0
    for label, text in model.fields(
        result, reason_for_referral=reason_for_referral, clinical_diagnosis=clinical_diagnosis
    ):
        sheet.lines(pair(label, text, INNER, at=92.0))


def write_diagnosis(sheet: Sheet, result: Result, keys: Mapping[str, int]) -> None:
    """Both versions side by side: label, standing, what to weigh, rules; and why they differ."""
    columns = [
        [
            *paragraph(verdict.version, _HALF, _GREY),
            *paragraph(verdict.label, _HALF, Style(11.0, bold=True)),
            *paragraph(verdict.standing, _HALF, _BOLD),
            *_bullets(verdict.remarks, _HALF),
            *_rationale(verdict),
            *_provisional(verdict),
        ]
        for verdict in model.verdicts(result, keys)
    ]
    sheet.heading(model.DIAGNOSIS, room=60.0)
    sheet.columns(_aligned(columns), [LEFT, LEFT + _HALF + _GAP])
    why = model.why_differ(result)
    if why:
        sheet.y += 2.0
        sheet.lines(pair(model.DIFFER, why, INNER, at=92.0))
    described, note = model.treated(result)
    if described:
        _write_treated(sheet, described, note)


def _aligned(columns: Sequence[list[Line]]) -> list[list[Line]]:
    """Fill up so that the lines of both columns share their heights."""
    rows = max(len(column) for column in columns)
    return [[*column, *([Line("")] * (rows - len(column)))] for column in columns]


def _bullets(texts: Sequence[str], width: float) -> Iterator[Line]:
    for text in texts:
        yield from paragraph(f"• {text}", width, hanging=7.0)


def _rationale(verdict: model.Verdict) -> Iterator[Line]:
    yield from paragraph(model.RULES, _HALF, Style(SMALL, color="0.25"))
    for met, text in verdict.rules:
        style = Style(SMALL, bold=met)
        first, *rest = paragraph(text, _HALF - 18.0, style, indent=0.0, hanging=6.0)
        inside = [Line(line.text, style, line.indent + 18.0) for line in (first, *rest)]
        yield Line("yes" if met else "no", style, also=inside[0])
        yield from inside[1:]


def _provisional(verdict: model.Verdict) -> Iterator[Line]:
    if verdict.provisional:
        yield from paragraph(model.PROVISIONAL, _HALF, Style(SMALL, bold=True))
        for text in verdict.provisional:
            yield from paragraph(f"• {text}", _HALF, Style(SMALL), hanging=7.0)


def _write_treated(sheet: Sheet, described: Sequence[tuple[str, str]], note: str) -> None:
    sheet.heading(model.TREATED)
    columns = [
        [line for label, value in part for line in pair(label, value, _HALF, at=150.0)]
        for part in model.halves(described)
    ]
    sheet.columns(columns, [LEFT, LEFT + _HALF + _GAP])
    sheet.lines(paragraph(note, INNER))


def write_summary(sheet: Sheet, result: Result) -> None:
    """The study in a few sentences, and whether it is complete."""
    sheet.heading(model.SUMMARY)
    sheet.lines(paragraph(model.summary(result), INNER))


def write_quality(sheet: Sheet, result: Result) -> None:
    """Whether a reader has looked at it, and everything that makes a number less certain."""
    sheet.heading(model.REVIEW)
    sheet.lines([*_bullets(model.warnings(result), INNER)])


def write_rest(sheet: Sheet, result: Result) -> None:
    """Resting values: landmarks, the junction, the upper sphincter."""
    columns = [
        [*_resting(block, at)] for block, at in zip(model.rest(result), _VALUES_AT, strict=True)
    ]
    columns = _aligned(columns)
    sheet.heading(model.REST, room=sum(line.height for line in columns[0]))
    sheet.columns(columns, [LEFT + k * (_THIRD + _GAP) for k in range(3)])


def _resting(block: model.Resting, at: float) -> Iterator[Line]:
    yield from paragraph(block.heading, _THIRD, _BOLD)
    for each in block.pairs:
        yield from pair(*each, _THIRD, at=at)
    for line in block.lines:
        yield from paragraph(line, _THIRD, hanging=6.0)


def write_provocation(sheet: Sheet, result: Result) -> None:
    """Provocation tests, where there were any."""
    said = provocation_lines(result)
    if said:
        sheet.heading(model.PROVOCATION)
        sheet.lines([line for each in said for line in pair(*each, INNER, at=112.0)])


def write_limits(sheet: Sheet, result: Result, keys: Mapping[str, int]) -> None:
    """Every row that decided, with its source and how sure it is."""
    sheet.heading(model.LIMITS)
    style = Style(SMALL)
    lines = [
        [
            Line(f"[{number}]", style, also=line) if not k else line
            for k, line in enumerate(paragraph(text, _HALF - 20.0, style, indent=0.0))
        ]
        for number, text in model.limits(result, keys)
    ]
    shifted = [[_shift(line) for line in each] for each in lines]
    columns = [[line for each in part for line in each] for part in model.halves(shifted)]
    sheet.columns(_aligned(columns), [LEFT, LEFT + _HALF + _GAP])
    sheet.y += 2.0
    sheet.lines(paragraph(model.limits_note(result), INNER, Style(SMALL, color="0.25")))


def _shift(line: Line) -> Line:
    """Move the text of a row right of its number."""
    if line.also is None:
        return Line(line.text, line.style, line.indent + 20.0)
    also = Line(line.also.text, line.also.style, 20.0)
    return Line(line.text, line.style, 0.0, also)


def foot(result: Result) -> tuple[str, str]:
    """Left and right part of the foot of each page."""
    short = wrap(model.foot(result), INNER - 60.0, Style(SMALL))[0]
    return short, "page {page} of {pages}"
