"""ManoView ASCII ("Save Selected Data"), with and without its header text.

What is known about the layouts comes from published code that parses them.
Channel 1 is the most proximal. The impedance block uses the labels of the
pressure block again, so columns are read by position.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hrm.errors import CorruptFileError, DataQualityWarning, UnsupportedVersionError
from hrm.io import _raw, _text, identity
from hrm.io._raw import Raw, RawEvent
from hrm.io._registry import Match, ReadOptions, Sniff
from hrm.io._timebase import TimeGrid, time_grid

if TYPE_CHECKING:
    import xarray as xr

HEADED = "manoview-ascii"
HEADLESS = "manoview-headless"
VERSION = "1"
VENDOR = "Medtronic (Sierra/Given)"
DEFAULT_CATHETER = "manoscan-36"

OHM_PER_KILOOHM = 1000.0
_N_USUAL = 36
_HEADLESS_COLUMNS = {37: (36, 0), 55: (36, 18)}
_FOOTER = b"annotations:"
_MAX_STEP_S = 1.0
_PRINT_S = 0.0101


@dataclass(frozen=True, slots=True)
class Columns:
    """Positions of the columns of a ManoView table, and cells per row."""

    n_pressure: int
    pressure: tuple[int, ...]
    impedance: tuple[int, ...]
    n_cells: int

    @property
    def used(self) -> tuple[int, ...]:
        """Time, pressures, impedances."""
        return (0, *self.pressure, *self.impedance)


class ManoViewReader:
    """Reader of ManoView ASCII exports with the ``TIME:`` header."""

    name = HEADED
    vendor = VENDOR
    suffixes: tuple[str, ...] = (".txt", ".asc", ".csv")
    description = "ManoView 'Save Selected Data': TIME: header, pressures, optional impedances"

    def sniff(self, head: bytes, path: Path) -> Sniff:  # noqa: ARG002 - the content decides
        """Judge by the first cell."""
        first = next((line for line in _text.head_lines(head) if line.strip()), "")
        cell = first.split("\t")[0].strip().casefold()
        if cell == "time:" and "\t" in first:
            return Sniff(Match.YES, "a tab-separated 'TIME:' header")
        if cell.startswith("time:"):
            return Sniff(Match.MAYBE, "begins with 'TIME:', but not tab-separated")
        return Sniff(Match.NO, "the first cell is not 'TIME:'")

    def peek(self, path: Path) -> dict[str, Any]:
        """Describe the file from its two ends."""
        head, tail, size = _text.read_ends(path, reader=HEADED)
        start = _header_at(head)
        columns = parse_header(head[start], start + 1)
        first = _text.strip_blank_end(_before_footer(head[start + 1 :]))
        last = _text.strip_blank_end(_before_footer(tail))
        times = [_whole_times(rows, b"\t", columns) for rows in (first, last)]
        return _peek_result(HEADED, columns, times, size)

    def read(self, path: Path, options: ReadOptions) -> xr.DataTree:
        """Read the whole file into a validated study."""
        raw = parse_headed(_text.load_text(path, reader=HEADED), options)
        return _raw.build(raw, options, default_catheter=DEFAULT_CATHETER)


class ManoViewHeadlessReader:
    """Reader of ManoView tables without header: one file per swallow window."""

    name = HEADLESS
    vendor = VENDOR
    suffixes: tuple[str, ...] = (".txt", ".dat")
    description = "white-space table of time, 36 pressures and optionally 18 impedances"

    def sniff(self, head: bytes, path: Path) -> Sniff:  # noqa: ARG002 - the content decides
        """Judge by the shape of the first rows; any such table looks alike."""
        rows = [line for line in _text.head_lines(head)[:4] if line.strip()]
        tables = [_numbers(row) for row in rows]
        if len(rows) < 2 or not tables[0] or len(tables[1] or ()) not in _HEADLESS_COLUMNS:
            return Sniff(Match.NO, "not a white-space table of 37 or 55 numeric columns")
        table_start, *times = (table[0] for table in tables if table)
        steps = [after - before for before, after in pairwise(times)]
        if any(not 0 < step <= _MAX_STEP_S for step in steps):
            return Sniff(Match.NO, "a numeric table, but its first column is no time")
        if table_start == 0 < times[0]:
            return Sniff(Match.YES, "a table of time and pressures below a row that begins 0.0")
        return Sniff(Match.MAYBE, "a numeric table of 37 or 55 columns that begins with a time")

    def peek(self, path: Path) -> dict[str, Any]:
        """Describe the file from its two ends."""
        head, tail, size = _text.read_ends(path, reader=HEADLESS)
        rows = _text.strip_blank_end(head)
        columns = _headless_columns(rows)
        rows = rows[_first_data_row(rows) :]
        times = [_whole_times(part, None, columns) for part in (rows, tail)]
        return _peek_result(HEADLESS, columns, times, size)

    def read(self, path: Path, options: ReadOptions) -> xr.DataTree:
        """Read the whole file into a validated study."""
        raw = parse_headless(_text.load_text(path, reader=HEADLESS))
        return _raw.build(raw, options, default_catheter=DEFAULT_CATHETER)


def parse_headed(text: _text.TextFile, options: ReadOptions) -> Raw:
    """Parse an export with a header; nothing here needs xarray.

    Parameters
    ----------
    text : TextFile
        The file.
    options : ReadOptions
        ``keep_phi`` is used.

    Returns
    -------
    Raw
        Pressures, impedances [ohm], annotations as events.

    Raises
    ------
    CorruptFileError
        If the file is cut, contradictory or damaged.
    UnsupportedVersionError
        If the columns are not of the layouts known.
    """
    lines = text.lines()
    start = _header_at(lines)
    columns = parse_header(lines[start], start + 1)
    body = lines[start + 1 :]
    table_lines = _before_footer(body)
    rows = _text.strip_blank_end(table_lines)
    first_line = start + 2
    _check_rows(rows, first_line, HEADED)
    if len(table_lines) == len(body):
        _check_complete(rows, text, first_line, HEADED)
        warnings.warn(
            f"[{HEADED}] the file has no 'Annotations:' footer: either it holds no annotations "
            "or rows are missing at its end",
            DataQualityWarning,
            stacklevel=3,
        )
    table = _parse_table(rows, columns, b"\t", first_line, HEADED)
    grid = time_grid(table[:, 0], first_line=first_line, reader=HEADED)
    footer = body[len(table_lines) + 1 :]
    events = _annotations(footer, first_line + len(table_lines) + 1, text.encoding, grid, options)
    return _raw_of(table, columns, grid, text, source=HEADED, events=events)


def parse_headless(text: _text.TextFile) -> Raw:
    """Parse a table without header; nothing here needs xarray.

    Raises
    ------
    CorruptFileError
        If the file is cut or damaged.
    UnsupportedVersionError
        If it has neither 37 nor 55 columns.
    """
    lines = _text.strip_blank_end(text.lines())
    columns = _headless_columns(lines)
    skip = _first_data_row(lines)
    rows = lines[skip:]
    _check_rows(rows, skip + 1, HEADLESS)
    _check_complete(rows, text, skip + 1, HEADLESS)
    table = _parse_table(rows, columns, None, skip + 1, HEADLESS)
    grid = time_grid(table[:, 0], first_line=skip + 1, reader=HEADLESS)
    return _raw_of(table, columns, grid, text, source=HEADLESS, events=())


def _raw_of(
    table: NDArray[np.float64],
    columns: Columns,
    grid: TimeGrid,
    text: _text.TextFile,
    *,
    source: str,
    events: tuple[RawEvent, ...],
) -> Raw:
    split = 1 + columns.n_pressure
    return Raw(
        source_format=source,
        reader=source,
        reader_version=VERSION,
        sha256=text.sha256,
        sampling_rate_hz=grid.rate_hz,
        time_offset_s=grid.first_s,
        pressure=table[:, 1:split],
        impedance=table[:, split:] * OHM_PER_KILOOHM if columns.impedance else None,
        events=events,
    )


def _header_at(lines: list[bytes]) -> int:
    for at, line in enumerate(lines):
        if line.strip():
            if line.split(b"\t")[0].strip().lower() == b"time:":
                return at
            break
    raise CorruptFileError(
        "expected a tab-separated header whose first cell is 'TIME:', found none",
        reader=HEADED,
        where="line 1",
    )


def parse_header(line: bytes, number: int) -> Columns:
    """Find the pressure and impedance columns by position.

    Raises
    ------
    UnsupportedVersionError
        If the labels are not one or two runs of 1, 2, 3 ...
    """
    cells = [cell.strip() for cell in line.split(b"\t")]
    blocks: list[list[int]] = [[]]
    for column, cell in enumerate(cells[1:], 1):
        if cell == b"1" and blocks[-1]:
            blocks.append([])
        if cell:
            blocks[-1].append(column)
    labels = [[cells[column] for column in block] for block in blocks]
    counted = all(
        block == [b"%d" % k for k in range(1, len(block) + 1)] for block in labels
    ) and not any(_has_gap(block) for block in blocks)
    if not counted or len(blocks) > 2 or len(blocks[0]) < 2:
        raise UnsupportedVersionError(
            "expected pressure labels 1, 2, 3 ... and at most one further block of labels "
            "(impedance) that begins again at 1; this variant of the export is not read",
            reader=HEADED,
            where=f"line {number}",
        )
    impedance = tuple(blocks[1]) if len(blocks) == 2 else ()
    return Columns(len(blocks[0]), tuple(blocks[0]), impedance, len(cells))


def _has_gap(block: list[int]) -> bool:
    return bool(block) and block[-1] - block[0] != len(block) - 1


def _before_footer(lines: list[bytes]) -> list[bytes]:
    for at, line in enumerate(lines):
        if line[:1] in b" \taA" and line.strip().lower().startswith(_FOOTER):
            return lines[:at]
    return lines


def _check_rows(rows: list[bytes], first_line: int, reader: str) -> None:
    if len(rows) < 2:
        raise CorruptFileError(
            f"expected at least 2 rows of samples, found {len(rows)}; the file is cut",
            reader=reader,
            where=f"line {first_line}",
        )


def _check_complete(rows: list[bytes], text: _text.TextFile, first_line: int, reader: str) -> None:
    """Refuse a file cut inside its last number: nothing else of it would tell."""
    if not text.complete_last_line and _decimals(rows[-1]) != _decimals(rows[-2]):
        raise CorruptFileError(
            "the last row has no line end and its last number is shorter than in the row "
            "before; the file is cut: export it again",
            reader=reader,
            where=f"line {first_line + len(rows) - 1}",
        )


def _decimals(row: bytes) -> int:
    found = re.search(rb"[.,](\d*)\s*$", row)
    return len(found.group(1)) if found else -1


def _parse_table(
    rows: list[bytes], columns: Columns, separator: bytes | None, first_line: int, reader: str
) -> NDArray[np.float64]:
    layout = _text.BlockLayout(separator, columns.used, columns.n_cells, first_line)
    unnamed = sorted(set(range(columns.n_cells)) - set(columns.used))
    if separator and unnamed:
        rows = [_padded(row, columns) for row in rows]
        _check_unnamed(rows, unnamed, first_line, reader)
    return _text.parse_block(rows, layout, reader=reader)


def _padded(row: bytes, columns: Columns) -> bytes:
    # Cells to the right of the last named column may be left out.
    short = columns.n_cells - 1 - row.count(b"\t")
    return row + b"\t" * short if 0 < short < columns.n_cells - columns.used[-1] else row


def _check_unnamed(rows: list[bytes], unnamed: list[int], first_line: int, reader: str) -> None:
    for number, row in enumerate(rows, first_line):
        cells = row.split(b"\t")
        if any(cells[column].strip() for column in unnamed if column < len(cells)):
            raise CorruptFileError(
                "found a value in a column that has no label; the row is shifted or damaged",
                reader=reader,
                where=f"line {number}",
            )


def _annotations(
    lines: list[bytes],
    first_line: int,
    encoding: str,
    grid: TimeGrid,
    options: ReadOptions,
) -> tuple[RawEvent, ...]:
    """Annotations within the recording; free text is dropped unless asked for."""
    rows: list[tuple[float, str]] = []
    for number, line in enumerate(lines, first_line):
        cell, tab, text = line.partition(b"\t")
        time = _text.parse_number(cell)
        if time is not None and np.isfinite(time) and tab:
            rows.append((time, text.decode(encoding, "replace")))
        elif rows and not tab and time is None:
            rows[-1] = (rows[-1][0], f"{rows[-1][1]} {line.decode(encoding, 'replace')}")
        elif line.strip():
            raise CorruptFileError(
                "expected 'time<TAB>text' in the annotations, found something else; "
                "the row is cut or damaged",
                reader=HEADED,
                where=f"line {number}",
            )
    events = [
        RawEvent(
            time - grid.first_s,
            "annotation",
            identity.note_to_keep(text, keep_phi=options.keep_phi),
        )
        for time, text in rows
        if grid.holds(time)
    ]
    if len(events) < len(rows):
        warnings.warn(
            f"[{HEADED}] {len(rows) - len(events)} of {len(rows)} annotations lie outside the "
            "exported samples and are left out",
            DataQualityWarning,
            stacklevel=4,
        )
    return tuple(events)


def _numbers(row: str) -> list[float] | None:
    cells = [_text.parse_number(cell.encode("utf-8", "replace")) for cell in row.split()]
    numbers = [cell for cell in cells if cell is not None]
    return numbers if cells and len(numbers) == len(cells) else None


def _headless_columns(rows: list[bytes]) -> Columns:
    n_cells = len(rows[1].split()) if len(rows) > 1 else 0
    if n_cells not in _HEADLESS_COLUMNS:
        raise UnsupportedVersionError(
            "expected 37 columns (time, 36 pressures) or 55 (and 18 impedances), "
            f"found {n_cells}; a table of another shape is not read by this reader",
            reader=HEADLESS,
            where="line 2",
        )
    n_pressure, n_segments = _HEADLESS_COLUMNS[n_cells]
    pressure = tuple(range(1, 1 + n_pressure))
    impedance = tuple(range(1 + n_pressure, 1 + n_pressure + n_segments))
    return Columns(n_pressure, pressure, impedance, n_cells)


def _first_data_row(rows: list[bytes]) -> int:
    """0 if the first row holds samples, 1 if it is the dummy that begins 0.0."""
    times = [_text.parse_number(row.split()[0]) for row in rows[:3] if row.split()]
    if times[0] != 0:
        return 0
    # A window that starts at time 0 begins the same way, but then its rows follow on.
    _, second, third = (*times, None, None)[:3]
    steady = (
        second is not None
        and third is not None
        and second > 0
        and abs(third - 2 * second) <= _PRINT_S
    )
    values = _numbers(rows[0].decode("latin-1")) or []
    dummy = not any(values[1:]) or values[1:4] == [1.0, 2.0, 3.0]
    return 1 if dummy or not steady or len(values) != len(rows[1].split()) else 0


def _whole_times(rows: list[bytes], separator: bytes | None, columns: Columns) -> list[float]:
    """Times of those rows that are whole."""
    cells = [row.split(separator) for row in rows]
    times = [_text.parse_number(row[0]) for row in cells if len(row) > columns.used[-1]]
    return [time for time in times if time is not None]


def _peek_result(
    name: str, columns: Columns, times: list[list[float]], size: int
) -> dict[str, Any]:
    head, tail = times
    grid = time_grid(np.array(head), first_line=1, reader=name) if len(head) > 1 else None
    n_samples = None
    if grid is not None and tail:
        n_samples = round((tail[-1] - grid.first_s) * grid.rate_hz) + 1
    return _raw.peek_result(
        name=name,
        n_sensors=columns.n_pressure,
        rate_hz=None if grid is None else grid.rate_hz,
        n_samples=n_samples,
        first_time_s=head[0] if head else None,
        has_impedance=bool(columns.impedance),
        needs_catheter=columns.n_pressure != _N_USUAL,
        size=size,
    )
