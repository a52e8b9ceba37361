"""ManoView tables without header: one file per swallow window."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hrm.errors import UnsupportedVersionError
from hrm.io import _lines, _text
from hrm.io._lines import Lines
from hrm.io._raw import Facts
from hrm.io._registry import Match, ReadOptions, Sniff
from hrm.io._source import Source
from hrm.io._stream import read_stream
from hrm.io._variants import Variant
from hrm.io.manoview.table import (
    HEADLESS,
    N_HD,
    N_SEGMENTS,
    VENDOR,
    Columns,
    TableStream,
    hd_catheter,
    peek_result,
    value_dtype,
    whole_times,
)

if TYPE_CHECKING:
    import xarray as xr

_N_PRESSURES = 36
_HEADLESS_COLUMNS = {1 + _N_PRESSURES + n: (_N_PRESSURES, n) for n in (0, N_SEGMENTS)}
_HD_COLUMNS = frozenset(n + N_HD for n in _HEADLESS_COLUMNS)
_MAX_STEP_S = 1.0
_PRINT_S = 0.0101


class ManoViewHeadlessReader:
    """Reader of ManoView tables without header: one file per swallow window."""

    name = HEADLESS
    vendor = VENDOR
    suffixes: tuple[str, ...] = (".txt", ".dat")
    description = "white-space table of time, 36 pressures and optionally 18 impedances"
    variants = (
        Variant(
            "37 or 55 columns", "code", "one file per swallow window; time is that of the study"
        ),
        Variant("ManoBank", "prose", "one swallow a file, of ManoScan: the first sensor on top"),
        Variant(
            "3-D and HD catheters", "prose", "128 columns more, in an unknown order", read=False
        ),
    )

    def sniff(self, head: bytes, source: Source) -> Sniff:  # noqa: ARG002 - the content decides
        """Judge by the shape of the first rows; any such table looks alike."""
        rows = [line for line in _lines.sniff_lines(head)[:4] if line.strip()]
        tables = [_numbers(row) for row in rows]
        n_cells = len(tables[1] or ()) if len(rows) > 1 else 0
        if not n_cells or not tables[0] or n_cells not in {*_HEADLESS_COLUMNS, *_HD_COLUMNS}:
            return Sniff(Match.NO, "not a white-space table of 37 or 55 numeric columns")
        table_start, *times = (table[0] for table in tables if table)
        steps = [after - before for before, after in pairwise(times)]
        if any(not 0 < step <= _MAX_STEP_S for step in steps):
            return Sniff(Match.NO, "a numeric table, but its first column is no time")
        if n_cells in _HD_COLUMNS:
            return Sniff(Match.MAYBE, "a table as 3-D and HD catheters make it, which is refused")
        if table_start == 0 < times[0]:
            return Sniff(Match.YES, "a table of time and pressures below a row that begins 0.0")
        return Sniff(Match.MAYBE, "a numeric table of 37 or 55 columns that begins with a time")

    def peek(self, source: Source) -> dict[str, Any]:
        """Describe the file from its two ends."""
        head, tail = _lines.read_ends(source, reader=HEADLESS)
        rows = _text.strip_blank_end(head)
        columns = _headless_columns(rows)
        rows = rows[_first_data_row(rows) :]
        times = [whole_times(part, None, columns) for part in (rows, tail or [])]
        return peek_result(HEADLESS, columns, times, source.size)

    def stream(self, source: Source, options: ReadOptions) -> HeadlessStream:
        """Look at the first rows, and give the samples as they are asked for."""
        return HeadlessStream(source, options)

    def read(self, source: Source, options: ReadOptions) -> xr.DataTree:
        """Read the whole file into a validated study."""
        return read_stream(self.stream(source, options), options)


class HeadlessStream(TableStream):
    """A table without header, whose first rows have been looked at.

    Raises
    ------
    UnsupportedVersionError
        If it has neither 37 nor 55 columns.
    """

    reader = HEADLESS

    def __init__(self, source: Source, options: ReadOptions) -> None:
        lines = Lines(source, reader=HEADLESS)
        top = _text.strip_blank_end(lines.ahead(3))
        columns = _headless_columns(top)
        if _first_data_row(top):
            lines.line()
        super().__init__(source, options, lines, columns)

    def _layout(self) -> _text.BlockLayout:
        columns = self._columns
        return _text.BlockLayout(None, columns.used, columns.n_cells, dtype=value_dtype(columns))

    def finish(self) -> Facts:
        """Derive the rate from the times."""
        return self._facts(self._grid())


def _numbers(row: str) -> list[float] | None:
    cells = [_text.parse_number(cell.encode("utf-8", "replace")) for cell in row.split()]
    numbers = [cell for cell in cells if cell is not None]
    return numbers if cells and len(numbers) == len(cells) else None


def _headless_columns(rows: list[bytes]) -> Columns:
    n_cells = len(rows[1].split()) if len(rows) > 1 else 0
    if n_cells in _HD_COLUMNS:
        raise hd_catheter(HEADLESS, 2)
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
