"""The swallow table: what the operator knows of each swallow and a recording does not say.

A CSV file with the header ``onset_s,posture,protocol``; the last two columns are
optional, in any order. Onsets are seconds from the first sample of the recording.
A table saved by a spreadsheet with semicolons may write its decimals with a comma.
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hrm.errors import ParameterError
from hrm.schema import POSTURES, PROTOCOLS

COLUMNS = ("onset_s", "posture", "protocol")

_MOST_BYTES = 1 << 20
_MOST_FAULTS = 8


def read_swallow_table(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    r"""Read a swallow table.

    Parameters
    ----------
    path : path-like
        UTF-8, with or without byte order mark; comma, semicolon or tab.

    Returns
    -------
    list of dict
        ``onset_s`` [s], and ``posture`` and ``protocol`` where they are said, in the
        order of the file; `hrm.analyze` takes it as ``swallows``.

    Raises
    ------
    ParameterError
        Naming each line that cannot be used. Cells are not quoted: a file given by
        mistake may hold a patient's identity.

    Examples
    --------
    >>> from pathlib import Path
    >>> _ = Path("swallows.csv").write_text("onset_s,posture\n30.5,supine\n")
    >>> read_swallow_table("swallows.csv")
    [{'onset_s': 30.5, 'posture': 'supine'}]
    """
    lines = _text(Path(path)).splitlines()
    if not any(line.strip() for line in lines):
        raise ParameterError(
            "the swallow table is empty; expected a header onset_s,posture,protocol"
        )
    first = next(k for k, line in enumerate(lines) if line.strip())
    separator = _separator(lines[first])
    names = _names(lines[first], separator, first + 1)
    rows, faults = [], []
    for number, line in enumerate(lines[first + 1 :], first + 2):
        cells = next(csv.reader([line], delimiter=separator), [])
        if not any(cell.strip() for cell in cells):
            continue
        row, found = _row(dict(zip(names, (c.strip() for c in cells), strict=False)), separator)
        if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
            found.append(f"{len(cells)} cells, but the header has {len(names)}")
        faults += [f"line {number}: {fault}" for fault in found]
        rows.append((number, row))
    faults += _repeated(rows) if not faults else []
    if faults:
        more = f"; and {len(faults) - _MOST_FAULTS} more" if len(faults) > _MOST_FAULTS else ""
        raise ParameterError("swallow table: " + "; ".join(faults[:_MOST_FAULTS]) + more)
    if not rows:
        raise ParameterError("the swallow table has a header but no row")
    return [row for _, row in rows]


def _text(path: Path) -> str:
    with path.open("rb") as stream:
        data = stream.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES or b"\0" in data:
        raise ParameterError(
            "this is not a swallow table: expected a small CSV file with the header "
            "onset_s,posture,protocol"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        raise ParameterError(
            f"the swallow table is not UTF-8 (byte {err.start}); save it as CSV UTF-8"
        ) from err


def _separator(header: str) -> str:
    return next((mark for mark in (";", "\t") if mark in header), ",")


def _names(header: str, separator: str, number: int) -> list[str]:
    names = [cell.strip().casefold() for cell in next(csv.reader([header], delimiter=separator))]
    while names and not names[-1]:
        names.pop()
    known = all(name in COLUMNS for name in names) and len(set(names)) == len(names)
    if not known or "onset_s" not in names:
        raise ParameterError(
            f"swallow table line {number}: expected a header with onset_s, and optionally "
            "posture and protocol, each once and nothing else"
        )
    return names


def _row(cells: Mapping[str, str], separator: str) -> tuple[dict[str, Any], list[str]]:
    row: dict[str, Any] = {}
    faults = []
    text = cells.get("onset_s", "")
    onset = _number(text.replace(",", ".") if separator == ";" else text)
    if onset is None:
        faults.append("onset_s must be a number of seconds, 0 or more")
    else:
        row["onset_s"] = onset
    for name, words in (("posture", POSTURES), ("protocol", PROTOCOLS)):
        word = cells.get(name, "").casefold()
        if word in words:
            row[name] = word
        elif word:
            faults.append(f"{name} must be one of {', '.join(words)}, or empty")
    return row, faults


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _repeated(rows: Sequence[tuple[int, Mapping[str, Any]]]) -> list[str]:
    seen: dict[float, int] = {}
    faults = []
    for number, row in rows:
        before = seen.setdefault(row["onset_s"], number)
        if before != number:
            faults.append(f"line {number}: the same onset_s as line {before}")
    return faults
