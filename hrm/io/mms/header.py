"""Preamble and column names of an MMS export."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hrm.errors import CorruptFileError, UnsupportedVersionError
from hrm.io import _text, identity
from hrm.io._lines import Lines

NAME = "mms-csv"
VERSION = "1"

HEADER_CELL = "sample number"
MAX_PREAMBLE = 64
_HEADER = re.compile(rb'\s*"?sample number"?\s*([,;\t])', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Header:
    """Preamble and column names of an MMS export.

    `first_line` is the 1-based line of the first row of samples; `channels` are
    the numeric columns after ``Sample number``, as far as ``Marker``.
    """

    separator: bytes
    first_line: int
    channels: tuple[str, ...]
    n_pressure: int
    n_columns: int
    extras: tuple[str, ...]
    rate_hz: float
    count: int | None
    limits: dict[str, tuple[float, ...]]
    phi: dict[str, str] = field(default_factory=dict)

    @property
    def has_marker(self) -> bool:
        """Whether the last numeric column is that of the operator's button."""
        return self.channels[-1].casefold() == "marker"


def corrupt(message: str, line: int | None = None) -> CorruptFileError:
    """Fault of an MMS file, at a line of it."""
    return CorruptFileError(message, reader=NAME, where=None if line is None else f"line {line}")


def header_lines(lines: Lines) -> list[bytes]:
    """Take the lines as far as the column names off the beginning of a file.

    Raises
    ------
    CorruptFileError
        If there are no column names.
    """
    found: list[bytes] = []
    while len(found) < MAX_PREAMBLE and (line := lines.line()) is not None:
        found.append(line)
        if _HEADER.match(line):
            break
    _find_header(found)
    return found


def parse_header(lines: list[bytes], *, keep_phi: bool, encoding: str = "cp1252") -> Header:
    """Parse the preamble and the column names.

    Raises
    ------
    CorruptFileError
        If a row is missing, doubled, misplaced or contradicts the columns.
    """
    at, separator = _find_header(lines)
    rows, phi = _preamble(lines[:at], separator, keep_phi=keep_phi, encoding=encoding)
    cells = [text_of(cell, encoding) for cell in lines[at].split(separator)]
    names = cells[: max(k for k, cell in enumerate(cells) if cell) + 1]
    channels, n_pressure = _channels(names[1:], at + 1)
    return Header(
        separator=separator,
        first_line=at + 2,
        channels=channels,
        n_pressure=n_pressure,
        n_columns=len(cells),
        extras=tuple(names[1 + len(channels) :]),
        rate_hz=_rate(rows, len(channels)),
        count=_count(rows, len(channels)),
        limits={key: _row(rows, key, len(channels)) for key in ("min", "max") if key in rows},
        phi=phi,
    )


def text_of(cell: bytes, encoding: str) -> str:
    """Text of a cell without blanks and quotes around it."""
    return cell.decode(encoding, "replace").strip(' \t"')


def _find_header(lines: list[bytes]) -> tuple[int, bytes]:
    for at, line in enumerate(lines[:MAX_PREAMBLE]):
        found = _HEADER.match(line)
        if found:
            return at, found.group(1)
    raise corrupt(
        "expected a header row that begins with 'Sample number', found none; "
        "the file is cut or is not an MMS export"
    )


def _preamble(
    lines: list[bytes], separator: bytes, *, keep_phi: bool, encoding: str
) -> tuple[dict[str, tuple[int, list[bytes]]], dict[str, str]]:
    """Rows of the preamble that hold signal facts, with their lines; identity on request."""
    rows: dict[str, tuple[int, list[bytes]]] = {}
    phi: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip(b' \t"' + separator):
            continue
        key, equals, rest = line.partition(b"=")
        name = text_of(key, encoding).casefold()
        if not equals or separator in key:
            raise corrupt("expected 'key=' in the preamble, found something else", number)
        if name in rows:
            raise corrupt(f"the preamble row '{name.capitalize()}=' is there twice", number)
        if name in identity.MMS_HEADER_KEYS:
            rows[name] = (number, _values(rest, separator))
        elif keep_phi:
            text = ", ".join(text_of(cell, encoding) for cell in rest.split(separator))
            phi[identity.phi_attr_name(name)] = text.strip(" ,")
    return rows, phi


def _values(rest: bytes, separator: bytes) -> list[bytes]:
    cells = [cell.strip(b' \t"') for cell in rest.split(separator)]
    while cells and not cells[-1]:
        cells.pop()
    return cells[1:] if cells and not cells[0] else cells


def _channels(names: list[str], line: int) -> tuple[tuple[str, ...], int]:
    """Numeric columns as far as Marker, and how many of them are pressures."""
    lowered = [name.casefold() for name in names]
    stop = lowered.index("marker") + 1 if "marker" in lowered else len(names)
    known = lowered[:stop]
    n_pressure = sum(re.fullmatch(r"p\d+", name) is not None for name in known)
    if n_pressure < 2 or known[:n_pressure] != [f"p{k}" for k in range(1, n_pressure + 1)]:
        raise corrupt("expected the columns P1, P2, ... Pn, in this order and without gaps", line)
    for column, name in enumerate(known[n_pressure:], n_pressure + 2):
        if not re.fullmatch(r"(resp|swallow)\d*|marker", name) or known.count(name) > 1:
            raise UnsupportedVersionError(
                "expected P, Resp, Swallow and Marker columns, each once, found another one; "
                "this variant of the export is not read",
                reader=NAME,
                where=f"line {line}, column {column}",
            )
    if "marker" in lowered[stop:]:
        raise corrupt("the column Marker is there twice", line)
    return tuple(names[:stop]), n_pressure


def _row(rows: dict[str, tuple[int, list[bytes]]], key: str, n_channels: int) -> tuple[float, ...]:
    number, cells = rows[key]
    values = [_text.parse_number(cell) for cell in cells]
    if len(values) != n_channels or any(value is None for value in values):
        raise corrupt(
            f"expected {n_channels} numbers after '{key.capitalize()}=', one for each column, "
            f"found {len(values)} cells; the columns and the preamble contradict each other",
            number,
        )
    return tuple(value for value in values if value is not None)


def _rate(rows: dict[str, tuple[int, list[bytes]]], n_channels: int) -> float:
    if "sf" not in rows:
        raise corrupt("expected a preamble row 'Sf=' (sampling rate), found none")
    rates = set(_row(rows, "sf", n_channels))
    where = f"line {rows['sf'][0]}"
    if len(rates) > 1:
        raise UnsupportedVersionError(
            "the channels have unequal sampling rates; resample them to one rate at export",
            reader=NAME,
            where=where,
        )
    rate = rates.pop()
    if not 0 < rate <= 10_000:
        raise CorruptFileError("expected a positive sampling rate in Hz", reader=NAME, where=where)
    return rate


def _count(rows: dict[str, tuple[int, list[bytes]]], n_channels: int) -> int | None:
    if "channels" not in rows:
        return None
    number, cells = rows["channels"]
    count = _text.parse_number(cells[0]) if len(cells) == 1 else None
    if count != n_channels:
        raise corrupt(
            f"'Channels=' contradicts the header row, which has {n_channels} columns after "
            "'Sample number'",
            number,
        )
    return n_channels
