"""The table of the swallows: every number, with what is beyond a limit marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hrm.plot._labels import TESTS, Group, groups
from hrm.report import wording
from hrm.report._panels import MARKS
from hrm.report._sheet import INNER, LEFT, SMALL, Line, Sheet, Style, paragraph, wrap

NOT_NORMAL = "●"
#: Columns: heading, unit, width [pt]; the last takes what is left. Numbers end at the right.
_COLUMNS = (
    ("#", "", 26.0),
    ("Onset", "s", 31.0),
    ("Posture", "", 37.0),
    ("Type", "", 79.0),
    ("IRP4s", "mmHg", 40.0),
    ("DCI", "mmHg s cm", 50.0),
    ("DL", "s", 34.0),
    ("Break", "cm", 36.0),
    ("IBP", "mmHg", 37.0),
    ("Pressurization", "", 90.0),
)
_NUMBERS = (
    ("irp4s_mmhg", "IRP4s", "{:.1f}"),
    ("dci_mmhg_s_cm", "DCI", "{:.0f}"),
    ("distal_latency_s", "DL", "{:.2f}"),
    ("break_cm", "break", "{:.1f}"),
    ("ibp_mmhg", "IBP", "{:.1f}"),
)
_RIGHT = {"#", "Onset", "IRP4s", "DCI", "DL", "Break", "IBP"}
#: Room for a mark right of a number, so that the digits stay below each other.
_MARK = 9.0
_PADDING = 3.0
_SIGNS = {*MARKS.values(), NOT_NORMAL}
_PLAIN = Style(SMALL)
_LINE = Line("", _PLAIN).height


def write_table(sheet: Sheet, result: Mapping[str, Any]) -> None:
    """Write the table; on a new page its head is written again."""
    swallows = result["swallows"]
    sheet.heading("Swallows", room=50.0)
    if not swallows:
        sheet.lines(paragraph("No swallow was found: there is nothing to measure.", INNER))
        return
    letters = _letters([swallows[each.first] for each in groups(result) if not each.test])
    _write_head(sheet)
    for group in groups(result):
        row = swallows[group.first]
        if group.test:
            if sheet.need(_LINE + 1.0):
                _write_head(sheet)
            _write_run(sheet, group, swallows)
            continue
        remarks = wrap("; ".join(_remarks(row)), _remarks_width(), _PLAIN)
        height = len(remarks) * _LINE + 1.0
        if sheet.need(height):
            _write_head(sheet)
        _write_row(sheet, _cells(result, row, letters), remarks)
        sheet.y += height
    sheet.rule(sheet.y + 1.0, width=0.3)
    sheet.y += 3.0
    sheet.lines(paragraph(wording.shares(result), INNER))
    sheet.lines(paragraph(_footnote(result, letters), INNER, Style(SMALL, color="0.25")))


def _write_run(sheet: Sheet, group: Group, swallows: Sequence[Mapping[str, Any]]) -> None:
    """Write one row for all swallows of a run of a test, which are not read one by one."""
    row = swallows[group.first]
    texts = (
        group.number(swallows),
        f"{row['onset_s']:.1f}",
        row["posture"],
        f"{TESTS[group.test]}: see Provocation tests",
    )
    for text, column, x in zip(texts, _COLUMNS, _places(), strict=False):
        _cell(sheet, text, column, x, sheet.y, _PLAIN)
    sheet.y += _LINE + 1.0


def _letters(swallows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Letter for each reason why a number is missing, in the order in which they occur."""
    reasons = dict.fromkeys(reason for row in swallows for reason in _missing(row).values())
    return {reason: chr(ord("a") + k) for k, reason in enumerate(reasons)}


def _missing(row: Mapping[str, Any]) -> dict[str, str]:
    """Reason for each number of a row that is missing, and for its pressurization."""
    status = row["status"]
    out = {key: status.get(key, "not measured") for key, _, _ in _NUMBERS if row[key] is None}
    if "pressurization" in status:
        out["pressurization"] = status["pressurization"]
    return out


def _places() -> list[float]:
    places = [LEFT]
    for _, _, width in _COLUMNS:
        places.append(places[-1] + width)
    return places


def _remarks_width() -> float:
    return LEFT + INNER - _places()[-1] - _PADDING


def _write_head(sheet: Sheet) -> None:
    headings = [*_COLUMNS, ("Remarks", "", _remarks_width())]
    for column, x in zip(headings, _places(), strict=True):
        _cell(sheet, column[0], column, x, sheet.y, Style(SMALL, bold=True))
        _cell(sheet, column[1], column, x, sheet.y + 9.0, Style(SMALL, color="0.25"))
    sheet.y += 19.0
    sheet.rule(sheet.y - 0.5, width=0.3)


def _cell(
    sheet: Sheet, text: str, column: tuple[str, str, float], x: float, y: float, style: Style
) -> None:
    name, _, width = column
    if name in _RIGHT:
        end = x + width - (_MARK if name not in ("#", "Onset") else _PADDING)
        sheet.write(text, end, y, replace(style, align="right"))
    else:
        sheet.write(text, x + _PADDING, y, style)


def _cells(
    result: Mapping[str, Any], row: Mapping[str, Any], letters: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Text and mark of each cell but the remarks; a mark is a sign, or the letter of a reason."""
    beyond = wording.abnormal(result, row) if row["evaluable"] else {}
    absent = {key: letters[reason] for key, reason in _missing(row).items()}
    kind = (row["type"], "" if row["type"] == "normal" else NOT_NORMAL)
    cells = [
        (str(row["id"]), ""),
        (f"{row['onset_s']:.1f}", ""),
        (row["posture"], ""),
        kind if row["evaluable"] else ("not evaluable", ""),
    ]
    for key, _, form in _NUMBERS:
        mark = absent.get(key, MARKS.get(beyond.get(key, ""), ""))
        cells.append((wording.DASH if row[key] is None else form.format(row[key]), mark))
    pattern = row["pressurization"]
    if "pressurization" in absent:
        return [*cells, (f"{wording.DASH} {absent['pressurization']}", "")]
    return [*cells, (wording.pressurization(pattern), "" if pattern == "none" else NOT_NORMAL)]


def _write_row(sheet: Sheet, cells: Sequence[tuple[str, str]], remarks: Sequence[str]) -> None:
    for (text, mark), column, x in zip(cells, _COLUMNS, _places(), strict=False):
        style = Style(SMALL, bold=mark in _SIGNS)
        if column[0] in _RIGHT:
            _cell(sheet, text, column, x, sheet.y, style)
            sheet.write(mark, x + column[2] - _MARK + 1.0, sheet.y, style)
        else:
            _cell(sheet, f"{mark} {text}".strip(), column, x, sheet.y, style)
    for k, remark in enumerate(remarks):
        sheet.write(remark, _places()[-1] + _PADDING, sheet.y + k * _LINE, _PLAIN)


def _remarks(row: Mapping[str, Any]) -> Iterator[str]:
    if not row["evaluable"]:
        yield wording.out_of(row["reason"])
    named = row["reason"] == f"protocol_{row['protocol']}"
    if row["protocol"] not in ("single", "unknown") and not named:
        yield row["protocol"]
    if row["onset_method"] == "stated":
        yield "onset as stated"
    for flag in row["flags"]:
        if flag not in (row["type"], row["reason"]):
            yield wording.in_words(flag)
    if row.get("hypercontractile_subtype"):
        yield wording.in_words(row["hypercontractile_subtype"])
    names = {key: name for key, name, _ in _NUMBERS}
    for key in row["borderline"]:
        yield f"{names.get(key, key)} borderline"


def _footnote(result: Mapping[str, Any], letters: Mapping[str, str]) -> str:
    reasons = [f"{letter} {wording.in_words(reason)}" for reason, letter in letters.items()]
    absent = f"; {wording.DASH} not measured: {', '.join(reasons)}" if reasons else ""
    text = (
        f"▲ above, ▼ below its limit, {NOT_NORMAL} not normal (bold){absent}. The limit of the "
        "IRP is meant for the median of a posture. IRP4s: integrated relaxation pressure, 4 s; "
        "DCI: distal contractile integral; DL: distal latency; break: longest gap in the 20 mmHg "
        "contour; IBP: intrabolus pressure."
    )
    if result["study"]["filtered"]:
        text += " All are from the filtered pressure."
    return text
