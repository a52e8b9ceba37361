"""Impedance and pressure flow on paper: the study in two columns, then swallow by swallow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hrm.report import bolus, wording
from hrm.report._sheet import INNER, LEFT, SMALL, Line, Sheet, Style, pair, paragraph

_GAP = 14.0
_HALF = (INNER - _GAP) / 2.0
_PLAIN, _BOLD, _GREY = Style(SMALL), Style(SMALL, bold=True), Style(SMALL, color="0.25")
_LINE = Line("", _PLAIN).height
#: Columns before the numbers: heading and width [pt].
_FIRST = (("#", 22.0), ("Transit", 52.0))


def write_bolus(sheet: Sheet, result: Mapping[str, Any]) -> None:
    """Write what the impedance says, where the recording has any."""
    if not bolus.has_impedance(result):
        return
    said = bolus.impedance_lines(result)
    sheet.heading(bolus.HEADING, room=60.0)
    half = (len(said) + 1) // 2
    columns = [
        [line for each in part for line in pair(*each, _HALF, at=124.0)]
        for part in (said[:half], said[half:])
    ]
    sheet.columns([column for column in columns if column], [LEFT, LEFT + _HALF + _GAP])
    rows = [] if bolus.nowhere(result) else bolus.shown_swallows(result)
    if rows:
        sheet.y += 3.0
        _write_table(sheet, rows)


def _write_table(sheet: Sheet, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = bolus.shown_columns(rows)
    sheet.need(19.0 + 3 * _LINE)
    _write_head(sheet, columns)
    for row in rows:
        if sheet.need(_LINE):
            _write_head(sheet, columns)
        cells = [str(row["id"]), row["transit"] or wording.DASH]
        _write_row(sheet, [*cells, *(column.text(row) for column in columns)], _PLAIN)
        sheet.y += _LINE
    sheet.rule(sheet.y + 1.0, width=0.3)
    sheet.y += 3.0
    for note in bolus.missing_notes(rows):
        sheet.lines(paragraph(f"{wording.DASH} {note}", INNER, _PLAIN, hanging=7.0))
    sheet.lines(paragraph(f"{bolus.ABBREVIATIONS} {bolus.TESTS_NOTE}", INNER, _GREY))


def _write_head(sheet: Sheet, columns: Sequence[bolus.Column]) -> None:
    names = [name for name, _ in _FIRST]
    _write_row(sheet, [*names, *(column.heading for column in columns)], _BOLD)
    sheet.y += 9.0
    _write_row(sheet, ["", "", *(column.unit for column in columns)], _GREY)
    sheet.y += 10.0
    sheet.rule(sheet.y - 0.5, width=0.3)


def _write_row(sheet: Sheet, cells: Sequence[str], style: Style) -> None:
    place = LEFT
    for text, (_, width) in zip(cells, _FIRST, strict=False):
        sheet.write(text, place + 3.0, sheet.y, style)
        place += width
    numbers = cells[len(_FIRST) :]
    step = min((LEFT + INNER - place) / max(len(numbers), 1), 48.0)
    for k, text in enumerate(numbers):
        sheet.write(text, place + (k + 1) * step - 2.0, sheet.y, replace(style, align="right"))
