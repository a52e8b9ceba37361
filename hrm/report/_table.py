"""The table of the swallows on paper; on a new page its head is written again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hrm.plot._labels import Group, groups
from hrm.report import model, swallow_rows, wording
from hrm.report._sheet import INNER, LEFT, SMALL, Line, Sheet, Style, paragraph, wrap

#: Width of each column [pt]; the remarks take what is left. Numbers end at the right.
_WIDTHS = (26.0, 31.0, 37.0, 79.0, 40.0, 50.0, 34.0, 36.0, 37.0, 90.0)
_COLUMNS = tuple(
    (*column, width) for column, width in zip(swallow_rows.COLUMNS, _WIDTHS, strict=True)
)
#: Room for a mark right of a number, so that the digits stay below each other.
_MARK = 9.0
_PADDING = 3.0
_PLAIN = Style(SMALL)
_LINE = Line("", _PLAIN).height


def write_table(sheet: Sheet, result: Mapping[str, Any]) -> None:
    """Write the table; on a new page its head is written again."""
    swallows = result["swallows"]
    sheet.heading(model.SWALLOWS, room=50.0)
    if not swallows:
        sheet.lines(paragraph(model.NO_SWALLOW, INNER))
        return
    letters = swallow_rows.reasons(result)
    _write_head(sheet)
    for group in groups(result):
        row = swallows[group.first]
        if group.test:
            if sheet.need(_LINE + 1.0):
                _write_head(sheet)
            _write_run(sheet, group, result)
            continue
        remarks = wrap("; ".join(swallow_rows.remarks(row)), _remarks_width(), _PLAIN)
        height = len(remarks) * _LINE + 1.0
        if sheet.need(height):
            _write_head(sheet)
        _write_row(sheet, swallow_rows.cells(result, row, letters), remarks)
        sheet.y += height
    sheet.rule(sheet.y + 1.0, width=0.3)
    sheet.y += 3.0
    sheet.lines(paragraph(wording.shares(result), INNER))
    note = swallow_rows.footnote(result, letters)
    sheet.lines(paragraph(note, INNER, Style(SMALL, color="0.25")))


def _write_run(sheet: Sheet, group: Group, result: Mapping[str, Any]) -> None:
    """Write one row for all swallows of a run of a test, which are not read one by one."""
    texts = swallow_rows.run_cells(result, group)
    for text, column, x in zip(texts, _COLUMNS, _places(), strict=False):
        _cell(sheet, text, column, x, sheet.y, _PLAIN)
    sheet.y += _LINE + 1.0


def _places() -> list[float]:
    places = [LEFT]
    for _, _, width in _COLUMNS:
        places.append(places[-1] + width)
    return places


def _remarks_width() -> float:
    return LEFT + INNER - _places()[-1] - _PADDING


def _write_head(sheet: Sheet) -> None:
    headings = [*_COLUMNS, (swallow_rows.REMARKS, "", _remarks_width())]
    for column, x in zip(headings, _places(), strict=True):
        _cell(sheet, column[0], column, x, sheet.y, Style(SMALL, bold=True))
        _cell(sheet, column[1], column, x, sheet.y + 9.0, Style(SMALL, color="0.25"))
    sheet.y += 19.0
    sheet.rule(sheet.y - 0.5, width=0.3)


def _cell(
    sheet: Sheet, text: str, column: tuple[str, str, float], x: float, y: float, style: Style
) -> None:
    name, _, width = column
    if name in swallow_rows.RIGHT:
        end = x + width - (_MARK if name not in ("#", "Onset") else _PADDING)
        sheet.write(text, end, y, replace(style, align="right"))
    else:
        sheet.write(text, x + _PADDING, y, style)


def _write_row(sheet: Sheet, cells: Sequence[tuple[str, str]], remarks: Sequence[str]) -> None:
    for (text, mark), column, x in zip(cells, _COLUMNS, _places(), strict=False):
        style = Style(SMALL, bold=mark in swallow_rows.SIGNS)
        if column[0] in swallow_rows.RIGHT:
            _cell(sheet, text, column, x, sheet.y, style)
            sheet.write(mark, x + column[2] - _MARK + 1.0, sheet.y, style)
        else:
            _cell(sheet, f"{mark} {text}".strip(), column, x, sheet.y, style)
    for k, remark in enumerate(remarks):
        sheet.write(remark, _places()[-1] + _PADDING, sheet.y + k * _LINE, _PLAIN)
