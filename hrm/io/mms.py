"""Laborie/MMS CSV, as the vendor writes it and as a spreadsheet saves it again.

What is known about the layout was seen in real exports. P1 is the most distal
sensor, Pn the most proximal; the file names the patient but no sensor position.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hrm.errors import CorruptFileError, UnsupportedVersionError
from hrm.io import _raw, _text, identity
from hrm.io._raw import Raw, RawEvent
from hrm.io._registry import Match, ReadOptions, Sniff

if TYPE_CHECKING:
    import xarray as xr

NAME = "mms-csv"
VERSION = "1"

_HEADER_CELL = "sample number"
_MAX_PREAMBLE = 64
_HEADER = re.compile(rb'\s*"?sample number"?\s*([,;\t])', re.IGNORECASE)
# Columns after Marker that hold the reader's own results, not events on their rows.
_RESULTS = re.compile(r"ws[ _]\d|mrs[ _]\d|leg[ _]|contraction|catheter", re.IGNORECASE)
_NO_DATA = "無數據"


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


class MmsReader:
    """Reader of Laborie/MMS CSV exports."""

    name = NAME
    vendor = "Laborie/MMS"
    suffixes: tuple[str, ...] = (".csv", ".txt")
    description = "Solar GI HRM export: preamble Name=, Channels=, Sf=, Min=, Max=, then samples"

    def sniff(self, head: bytes, path: Path) -> Sniff:  # noqa: ARG002 - the content decides
        """Judge by the first cell and the header row."""
        lines = [line.strip().strip('"') for line in _text.head_lines(head)[:_MAX_PREAMBLE]]
        keyed = any(line.casefold().startswith(("name=", "channels=", "sf=")) for line in lines[:8])
        table = any(line.casefold().startswith(_HEADER_CELL) for line in lines)
        if keyed and table:
            return Sniff(Match.YES, "preamble and a 'Sample number' header")
        if keyed:
            return Sniff(Match.MAYBE, "a preamble, but no 'Sample number' header")
        return Sniff(Match.NO, "the first cell is not 'Name=' and no preamble row follows")

    def peek(self, path: Path) -> dict[str, Any]:
        """Describe the file from its two ends."""
        head, tail, size = _text.read_ends(path, reader=NAME)
        header = parse_header(head, keep_phi=False)
        first = _first_cell(head[header.first_line - 1 :], header.separator)
        # A cut last row, or the preamble in a file without samples, says nothing.
        whole = [row for row in tail if row.count(header.separator) >= len(header.channels)]
        last = _first_cell(whole[::-1], header.separator)
        return _raw.peek_result(
            name=NAME,
            n_sensors=header.n_pressure,
            rate_hz=header.rate_hz,
            n_samples=_n_samples(first, last),
            first_time_s=None if first is None else first / header.rate_hz,
            has_impedance=False,
            needs_catheter=True,
            size=size,
        )

    def read(self, path: Path, options: ReadOptions) -> xr.DataTree:
        """Read the whole file into a validated study."""
        raw = parse(_text.load_text(path, reader=NAME), options)
        return _raw.build(raw, options)


def _n_samples(first: float | None, last: float | None) -> int | None:
    return (
        int(last - first) + 1 if first is not None and last is not None and last >= first else None
    )


def _first_cell(lines: list[bytes], separator: bytes) -> float | None:
    return _text.parse_number(lines[0].split(separator)[0]) if lines else None


def parse(text: _text.TextFile, options: ReadOptions) -> Raw:
    """Parse an export; nothing here needs xarray.

    Parameters
    ----------
    text : TextFile
        The file.
    options : ReadOptions
        ``keep_phi`` and ``strictness`` are used.

    Returns
    -------
    Raw
        Pressures proximal to distal, markers and procedure labels as events.

    Raises
    ------
    CorruptFileError
        If the file is cut, contradictory or damaged.
    UnsupportedVersionError
        If the channels are not of the layouts seen.
    """
    lines = text.lines()
    header = parse_header(lines, keep_phi=options.keep_phi, encoding=text.encoding)
    rows = _text.strip_blank_end(lines[header.first_line - 1 :], header.separator)
    if len(rows) < 2:
        raise _corrupt("expected at least 2 rows of samples; the file is cut", header.first_line)
    numbers, extras = _split_rows(rows, header, text.encoding)
    layout = _text.BlockLayout(
        header.separator,
        tuple(range(len(header.channels) + 1)),
        len(header.channels) + 1,
        header.first_line,
    )
    table = _text.parse_block(numbers, layout, reader=NAME)
    first = _check_samples(table[:, 0], header.first_line)
    _check_no_nan(table[:, header.n_pressure + 1 :], header.first_line)
    _check_last_marker(table, header, text, len(rows) == len(lines) - header.first_line + 1)
    checked = _check_limits(table[:, 1:], header, options)
    n = header.n_pressure
    columns = _event_columns(extras, header)
    markers = table[:, -1] if header.has_marker else None
    attrs: dict[str, str | float | int] = {
        "first_sample_index": first,
        "integrity_check": checked,
        **_unread(table, header, columns),
        **header.phi,
    }
    return Raw(
        source_format=NAME,
        reader=NAME,
        reader_version=VERSION,
        sha256=text.sha256,
        sampling_rate_hz=header.rate_hz,
        time_offset_s=first / header.rate_hz,
        pressure=table[:, n:0:-1],
        events=_events(markers, extras, columns, header, keep_phi=options.keep_phi),
        attrs=attrs,
    )


def _corrupt(message: str, line: int | None = None) -> CorruptFileError:
    return CorruptFileError(message, reader=NAME, where=None if line is None else f"line {line}")


def parse_header(lines: list[bytes], *, keep_phi: bool, encoding: str = "cp1252") -> Header:
    """Parse the preamble and the column names.

    Raises
    ------
    CorruptFileError
        If a row is missing, doubled, misplaced or contradicts the columns.
    """
    at, separator = _find_header(lines)
    rows, phi = _preamble(lines[:at], separator, keep_phi=keep_phi, encoding=encoding)
    cells = [_cell(cell, encoding) for cell in lines[at].split(separator)]
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


def _cell(cell: bytes, encoding: str) -> str:
    return cell.decode(encoding, "replace").strip(' \t"')


def _find_header(lines: list[bytes]) -> tuple[int, bytes]:
    for at, line in enumerate(lines[:_MAX_PREAMBLE]):
        found = _HEADER.match(line)
        if found:
            return at, found.group(1)
    raise _corrupt(
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
        if not line.strip(b" \t" + separator):
            continue
        key, equals, rest = line.partition(b"=")
        name = _cell(key, encoding).casefold()
        if not equals or separator in key:
            raise _corrupt("expected 'key=' in the preamble, found something else", number)
        if name in rows:
            raise _corrupt(f"the preamble row '{name.capitalize()}=' is there twice", number)
        if name in identity.MMS_HEADER_KEYS:
            rows[name] = (number, _values(rest, separator))
        elif keep_phi:
            text = ", ".join(_cell(cell, encoding) for cell in rest.split(separator))
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
        raise _corrupt("expected the columns P1, P2, ... Pn, in this order and without gaps", line)
    for column, name in enumerate(known[n_pressure:], n_pressure + 2):
        if not re.fullmatch(r"(resp|swallow)\d*|marker", name) or known.count(name) > 1:
            raise UnsupportedVersionError(
                "expected P, Resp, Swallow and Marker columns, each once, found another one; "
                "this variant of the export is not read",
                reader=NAME,
                where=f"line {line}, column {column}",
            )
    if "marker" in lowered[stop:]:
        raise _corrupt("the column Marker is there twice", line)
    return tuple(names[:stop]), n_pressure


def _row(rows: dict[str, tuple[int, list[bytes]]], key: str, n_channels: int) -> tuple[float, ...]:
    number, cells = rows[key]
    values = [_text.parse_number(cell) for cell in cells]
    if len(values) != n_channels or any(value is None for value in values):
        raise _corrupt(
            f"expected {n_channels} numbers after '{key.capitalize()}=', one for each column, "
            f"found {len(values)} cells; the columns and the preamble contradict each other",
            number,
        )
    return tuple(value for value in values if value is not None)


def _rate(rows: dict[str, tuple[int, list[bytes]]], n_channels: int) -> float:
    if "sf" not in rows:
        raise _corrupt("expected a preamble row 'Sf=' (sampling rate), found none")
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
        raise _corrupt(
            f"'Channels=' contradicts the header row, which has {n_channels} columns after "
            "'Sample number'",
            number,
        )
    return n_channels


def _split_rows(
    rows: list[bytes], header: Header, encoding: str
) -> tuple[list[bytes], list[tuple[int, list[str]]]]:
    """Numeric part of every row, and the text cells of those rows that have any."""
    n_numeric = len(header.channels) + 1
    if header.n_columns == n_numeric:
        return rows, []
    numbers: list[bytes] = []
    extras: list[tuple[int, list[str]]] = []
    for at, row in enumerate(rows):
        cells = row.split(header.separator, n_numeric)
        numbers.append(header.separator.join(cells[:n_numeric]))
        rest = cells[n_numeric] if len(cells) > n_numeric else b""
        if not rest.strip(b" \t" + header.separator):
            continue
        texts = [_cell(cell, encoding) for cell in rest.split(header.separator)]
        if any(texts[len(header.extras) :]):
            raise _corrupt(
                "found a cell to the right of the last named column (a quoted separator, "
                "or a shifted row); correct the row",
                header.first_line + at,
            )
        extras.append((at, texts))
    return numbers, extras


def _check_samples(samples: NDArray[np.float64], first_line: int) -> int:
    """Sample numbers must be whole and rise by one; returns the first."""
    first = samples[0]
    if not (first >= 0 and first == np.floor(first)):
        raise _corrupt("expected a whole, non-negative sample number", first_line)
    steps = np.diff(samples)
    wrong = np.flatnonzero(~(steps == 1))
    if wrong.size:
        step = steps[wrong[0]]
        kind = "repeats" if step == 0 else "goes back" if step < 0 else "jumps"
        raise _corrupt(
            f"the sample number {kind}: expected one more than in the row before; rows are "
            "missing, doubled or out of order: export the file again",
            first_line + int(wrong[0]) + 1,
        )
    return int(first)


def _check_no_nan(others: NDArray[np.float64], first_line: int) -> None:
    missing = np.isnan(others).any(axis=1)
    if missing.any():
        raise _corrupt(
            "only a pressure may be NaN, found one in a Resp, Swallow or Marker column",
            first_line + int(np.argmax(missing)),
        )


def _check_last_marker(
    table: NDArray[np.float64], header: Header, text: _text.TextFile, at_end: bool
) -> None:
    # A file cut inside its last cell shows "1" or "10" for the marker value 100.
    cut = at_end and not text.complete_last_line and header.has_marker and not header.extras
    if cut and table[-1, -1] not in (0, 100):
        raise _corrupt(
            "the last row has no line end and its last cell is cut; export the file again",
            header.first_line + len(table) - 1,
        )


def _check_limits(table: NDArray[np.float64], header: Header, options: ReadOptions) -> str:
    """Compare the columns with the preamble's Min and Max rows."""
    missing = [name for name in ("min", "max") if name not in header.limits]
    if missing or header.count is None:
        rows = " and ".join(
            f"'{name.capitalize()}='" for name in [*missing, *["channels"] * (header.count is None)]
        )
        _raw.recoverable(
            f"the preamble has no row {rows}, so a cut file cannot be told from a whole one",
            options=options,
            reader=NAME,
        )
    wrong = np.zeros(table.shape[1], dtype=bool)
    usable = ~np.isnan(table).all(axis=0)
    for name, values in header.limits.items():
        found = (np.fmin if name == "min" else np.fmax).reduce(table, axis=0)
        wrong |= usable & ~(np.abs(found - np.array(values)) < 1e-6)
    if wrong.any():
        names = [header.channels[k] for k in np.flatnonzero(wrong)]
        listed = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        _raw.recoverable(
            f"the preamble's Min/Max rows contradict the samples of {listed}: the file was "
            "truncated or altered after the export; export it again",
            options=options,
            reader=NAME,
        )
    return "failed" if wrong.any() else "not_available" if missing else "passed"


def _unread(
    table: NDArray[np.float64], header: Header, event_columns: list[int]
) -> dict[str, str | float | int]:
    """Say which columns of the file have no place in a study; silent signals need none."""
    names = [
        name
        for column, name in enumerate(header.channels, 1)
        if column > header.n_pressure and name.casefold() != "marker" and table[:, column].any()
    ]
    out: dict[str, str | float | int] = {"unread_channels": " ".join(names)} if names else {}
    n_results = len(header.extras) - len(event_columns)
    if n_results:
        out["unread_columns"] = n_results
    return out


def _event_columns(extras: list[tuple[int, list[str]]], header: Header) -> list[int]:
    """Which of the columns after Marker hold what happened on their rows.

    The reader's results stand in such columns too, some of them filled from the
    first row down; a column counts only if a cell of it is a procedure label.
    """
    return [
        k
        for k, name in enumerate(header.extras)
        if not _RESULTS.match(name)
        and any(k < len(texts) and identity.is_protocol_text(texts[k]) for _, texts in extras)
    ]


def _events(
    markers: NDArray[np.float64] | None,
    extras: list[tuple[int, list[str]]],
    columns: list[int],
    header: Header,
    *,
    keep_phi: bool,
) -> tuple[RawEvent, ...]:
    events = []
    if markers is not None:
        pressed = markers != 0
        starts = np.flatnonzero(pressed & ~np.concatenate(([False], pressed[:-1])))
        events += [RawEvent(int(at) / header.rate_hz, "marker") for at in starts]
    for at, texts in extras:
        events += [
            _procedure_event(at / header.rate_hz, texts[k], keep_phi=keep_phi)
            for k in columns
            if k < len(texts) and texts[k] and texts[k] != _NO_DATA
        ]
    return tuple(events)


def _procedure_event(onset_s: float, text: str, *, keep_phi: bool) -> RawEvent:
    # The label says what the operator wrote; it is no proof of a swallow, hence "protocol".
    note = identity.note_to_keep(text, keep_phi=keep_phi)
    if not identity.is_protocol_text(text):
        return RawEvent(onset_s, "annotation", note)
    word = text.casefold()
    label = next((name for name in ("landmark", "resting") if word.startswith(name)), "protocol")
    return RawEvent(onset_s, label, note)
