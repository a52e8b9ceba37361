"""What the file itself says of its swallows, for the summary of ``hrm analyze``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_DASH = "–"
_GAP = "  "
#: Key, heading, unit, format.
_COLUMNS = (
    ("vigor", "vigor", "", "{}"),
    ("pattern", "pattern", "", "{}"),
    ("irp4s_mmhg", "IRP4s", "mmHg", "{:.1f}"),
    ("dci_mmhg_s_cm", "DCI", "*", "{:.0f}"),
    ("distal_latency_s", "DL", "s", "{:.2f}"),
    ("large_break_cm", "large break", "cm", "{:.1f}"),
)


def reported_lines(result: Mapping[str, Any]) -> Iterator[str]:
    """Write what the file reports of each swallow; nothing if it reports nothing.

    Parameters
    ----------
    result : mapping
        The published contract, from `hrm.to_dict`.
    """
    rows = [(str(row["id"]), row["reported"]) for row in result["swallows"] if "reported" in row]
    rows += [(_DASH, row) for row in result.get("reported_unmatched", ())]
    if not rows:
        return
    yield "As reported in the file (by the vendor's software or a reader; no part of the results)"
    columns = [each for each in _COLUMNS if any(each[0] in row for _, row in rows)]
    table = [["#", "entered", *(each[1] for each in columns)]]
    table.append(["", "s", *(each[2] for each in columns)])
    for number, row in rows:
        onset = _DASH if row["onset_s"] is None else f"{row['onset_s']:.1f}"
        table.append([number, onset, *(_cell(row, key, form) for key, _, _, form in columns)])
    remarks = ["", "", *(_remark(number) for number, _ in rows)]
    for line, remark in zip(_aligned(table), remarks, strict=True):
        yield f"  {line}{remark}".rstrip()


def _remark(number: str) -> str:
    return f"{_GAP}not among the swallows found" if number == _DASH else ""


def _cell(row: Mapping[str, Any], key: str, form: str) -> str:
    if key not in row:
        return ""
    value = row[key]
    if value is None:
        return f"{_DASH} {row['status'].get(key, '').replace('_', ' ')}".rstrip()
    return form.format(value)


def _aligned(table: list[list[str]]) -> Iterator[str]:
    """Lines of equal columns: words to the left, numbers (those with a unit) to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    right = [k == 0 or unit != "" for k, unit in enumerate(table[1])]
    for row in table:
        cells = [
            text.rjust(width) if numeric else text.ljust(width)
            for text, width, numeric in zip(row, widths, right, strict=True)
        ]
        yield _GAP.join(cells)
