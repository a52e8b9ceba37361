"""The swallow table: what the operator knows of each swallow and a recording does not say.

A CSV file with the header ``onset_s,posture,protocol``; the last two columns are
optional, in any order. Onsets are seconds from the first sample of the recording, or,
as lists of long recordings have them, in a column ``start``: whole samples, the first
of which is number 0. A table saved by a spreadsheet with semicolons may write its
decimals with a comma.
"""

from __future__ import annotations

import csv
import difflib
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrm.errors import ParameterError
from hrm.schema import POSTURES, PROTOCOLS

#: Columns of a table that hrm writes.
COLUMNS = ("onset_s", "posture", "protocol")
#: When a swallow begins, in seconds or in samples; a table has one of the two.
ONSETS = {"onset_s": "seconds", "start": "samples"}

_MOST_BYTES = 1 << 20
_MOST_FAULTS = 8


@dataclass(frozen=True, slots=True)
class SwallowTable:
    """A swallow table as it stands; `unit` is ``seconds`` or ``samples``.

    `rows` have the key ``onset_s`` or ``start``.
    """

    unit: str
    rows: tuple[dict[str, Any], ...]

    def in_seconds(self, sampling_rate: float | None) -> list[dict[str, Any]]:
        """Return the rows with ``onset_s`` [s], whatever the table counts in.

        Raises
        ------
        ParameterError
            If it counts samples, and the rate [Hz] is not given.
        """
        if self.unit == "seconds":
            return [dict(row) for row in self.rows]
        if sampling_rate is None or not sampling_rate > 0:
            raise ParameterError(
                "the swallow table counts in samples (its column is start); give the sampling "
                "rate of the recording: sampling_rate="
            )
        return [
            {
                "onset_s": row["start"] / sampling_rate,
                **{name: value for name, value in row.items() if name != "start"},
            }
            for row in self.rows
        ]

    def said(self, sampling_rate: float) -> str:
        """Say in a line how the onsets were taken."""
        onsets = f"{len(self.rows)} onsets in {self.unit}"
        return onsets if self.unit == "seconds" else f"{onsets} at {sampling_rate:g} Hz"


def read_swallow_table(
    path: str | os.PathLike[str], *, sampling_rate: float | None = None
) -> list[dict[str, Any]]:
    r"""Read a swallow table.

    Parameters
    ----------
    path : path-like
        UTF-8, with or without byte order mark; comma, semicolon or tab.
    sampling_rate : float [Hz], optional
        Of the recording; needed for a table that counts in samples.

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
    >>> _ = Path("swallows.csv").write_text("start\n1525\n")
    >>> read_swallow_table("swallows.csv", sampling_rate=50.0)
    [{'onset_s': 30.5}]
    """
    return load_swallow_table(path).in_seconds(sampling_rate)


def load_swallow_table(path: str | os.PathLike[str]) -> SwallowTable:
    """Read a swallow table before the recording is known; else as `read_swallow_table`."""
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
        padded = [cell.strip() for cell in cells] + [""] * (len(names) - len(cells))
        row, found = _row(dict(zip(names, padded, strict=False)), separator)
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
    unit = next(ONSETS[name] for name in names if name in ONSETS)
    return SwallowTable(unit, tuple(row for _, row in rows))


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
    faults = _name_faults(names)
    if faults:
        raise ParameterError(
            f"swallow table line {number}: expected a header with onset_s (seconds) or start "
            "(samples), and optionally posture and protocol, each once and nothing else; "
            f"found: {'; '.join(faults)}"
        )
    return names


def _name_faults(names: Sequence[str]) -> list[str]:
    """Say which columns are wrong, by number: a header may hold a patient's name."""
    known = tuple(dict.fromkeys((*COLUMNS, *ONSETS)))
    faults = []
    for column, name in enumerate(names, 1):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" (perhaps {near[0]} is meant)" if near else ""
            faults.append(f"column {column} has another name{hint}: rename it or take it out")
        elif name in names[: column - 1]:
            faults.append(f"column {column} is a second {name}")
    n_onsets = len({name for name in names if name in ONSETS})
    if n_onsets != 1:
        faults.append("no column onset_s or start" if not n_onsets else "both onset_s and start")
    more = [f"and {len(faults) - _MOST_FAULTS} more"] if len(faults) > _MOST_FAULTS else []
    return faults[:_MOST_FAULTS] + more


def _row(cells: Mapping[str, str], separator: str) -> tuple[dict[str, Any], list[str]]:
    row: dict[str, Any] = {}
    faults = []
    name = next(name for name in ONSETS if name in cells)
    text = cells[name]
    onset = _number(text.replace(",", ".") if separator == ";" else text)
    if onset is None or (name == "start" and not onset.is_integer()):
        kind = "number of seconds" if name == "onset_s" else "whole number of samples"
        faults.append(f"{name} must be a {kind}, 0 or more")
    else:
        row[name] = onset
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
        name = next(name for name in ONSETS if name in row)
        before = seen.setdefault(row[name], number)
        if before != number:
            faults.append(f"line {number}: the same {name} as line {before}")
    return faults
