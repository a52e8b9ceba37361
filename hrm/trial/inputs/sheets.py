"""The CSV files of a trial: read as text, every fault noted with row and column."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hrm.errors import FormatError

#: Key of a row under which its number in the file stands.
NUMBER = ""
#: How yes and no are written.
FLAGS = {"yes": True, "no": False}


@dataclass
class Sheet:
    """Rows of one file, and the faults found in it."""

    name: str
    rows: list[dict[str, str]]
    sha256: str
    faults: list[str] = field(default_factory=list)
    #: What the file itself calls a column, where that is another name.
    aliases: dict[str, str] = field(default_factory=dict)

    def fault(self, row: Mapping[str, str], column: str, expected: str) -> None:
        """Note a fault; the first row below the heading is row 2, as in a spreadsheet."""
        name = self.aliases.get(column, column)
        self.faults.append(f"{self.name} row {row[NUMBER]}, {name}: expected {expected}")


def whole(text: str) -> int | None:
    """Read a whole number of at most six digits; None if it is none."""
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 7 else None


def decimal(text: str) -> float | None:
    """Read a decimal number; None if it is none. No exponent, no infinity."""
    plain = text.isascii() and not set(text) - set("0123456789.-")
    try:
        value = float(text) if plain else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def read_sheet(path: Path, name: str, columns: Sequence[str]) -> Sheet:
    """Read a CSV file with exactly these columns, in any order.

    Parameters
    ----------
    path : Path
    name : str
        What the file is called in a fault.
    columns : sequence of str

    Returns
    -------
    Sheet
        Cells without spaces around them; the key `NUMBER` is the row in the file.
    """
    content = path.read_bytes()
    sheet = Sheet(name, [], hashlib.sha256(content).hexdigest())
    lines = parsed(sheet, content, ",")
    heads = lines[0][1] if lines else []
    if sorted(heads) != sorted(columns):
        if not sheet.faults:
            sheet.faults.append(f"{name} row 1: expected the columns {', '.join(columns)}")
        return sheet
    fill(sheet, heads, lines[1:])
    return sheet


def parsed(sheet: Sheet, content: bytes, separator: str) -> list[tuple[int, list[str]]]:
    """Split CSV into numbered lines that are not empty; none and a fault if it is not CSV."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        sheet.faults.append(f"{sheet.name}: expected UTF-8 text")
        return []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        return [(number, line) for number, line in enumerate(reader, start=1) if line]
    except csv.Error:
        sheet.faults.append(
            f"{sheet.name}: expected CSV with commas; a quote or a field has no end"
        )
        return []


def fill(sheet: Sheet, heads: Sequence[str], lines: Iterable[tuple[int, list[str]]]) -> None:
    """Add lines below a heading to a sheet."""
    for number, line in lines:
        if len(line) != len(heads):
            row = {NUMBER: str(number)}
            sheet.fault(row, "all columns", f"{len(heads)} fields, found {len(line)}")
        else:
            cells = (cell.strip() for cell in line)
            sheet.rows.append({**dict(zip(heads, cells, strict=True)), NUMBER: str(number)})


def raise_faults(faults: Sequence[str]) -> None:
    """Raise one error that lists every fault, if there are any.

    Raises
    ------
    FormatError
        Of which each line is a fault.
    """
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise FormatError(f"{count} in the clinical data:\n  " + "\n  ".join(faults))


def exact(value: float | None) -> str:
    """Write a number so that it reads back as it is; nothing if there is none."""
    if value is None:
        return ""
    return str(int(value)) if value.is_integer() else repr(value)
