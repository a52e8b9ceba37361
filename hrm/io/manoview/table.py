"""What both kinds of ManoView tables share: time, pressures, and perhaps impedances."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrm.errors import CorruptFileError, UnsupportedVersionError
from hrm.io import _raw, _text
from hrm.io._lines import Lines, Rows, without_blank_end
from hrm.io._raw import Facts, RawEvent
from hrm.io._registry import ReadOptions
from hrm.io._source import Source
from hrm.io._stream import Block
from hrm.io._timebase import TimeGrid, time_grid

HEADED = "manoview-ascii"
HEADLESS = "manoview-headless"
VERSION = "1"
VENDOR = "Medtronic (Sierra/Given)"
DEFAULT_CATHETER = "manoscan-36"

OHM_PER_KILOOHM = 1000.0
_N_USUAL = 36
#: Segments of the impedance block.
N_SEGMENTS = 18
#: Columns that 3-D and HD catheters add.
N_HD = 128


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


class TableStream(ABC):
    """Rows of a ManoView table; the two kinds differ in what stands above and below them."""

    reader: str
    default_catheter: str | None = DEFAULT_CATHETER
    states_catheter = False

    def __init__(
        self, source: Source, options: ReadOptions, lines: Lines, columns: Columns
    ) -> None:
        self.n_sensors = columns.n_pressure
        self.n_segments = len(columns.impedance)
        self._source, self._options = source, options
        self._lines, self._columns = lines, columns
        self._first_line = lines.number
        self._times: list[NDArray[np.float64]] = []
        self._last_rows: list[bytes] = []
        self._ends_in_a_line_end = True

    def _table_rows(self) -> Iterable[Rows]:
        """Rows of the table, footer left out."""
        return self._lines.blocks()

    @abstractmethod
    def _layout(self) -> _text.BlockLayout:
        """Where the numbers of a row sit."""

    def blocks(self) -> Iterator[Block]:
        """Pressures, and impedances in ohm."""
        parser = _text.TableParser(self._layout(), reader=self.reader)
        n_rows = 0
        for rows in without_blank_end(self._table_rows(), reader=self.reader):
            table = parser.parse(rows)
            self._times.append(table.first)
            self._last_rows = [*self._last_rows, *_last_two(rows.data)][-2:]
            self._ends_in_a_line_end = rows.data.endswith(b"\n")
            n_rows += len(table.first)
            yield self._block(table.values)
        if n_rows < 2:
            raise self.corrupt(
                f"expected at least 2 rows of samples, found {n_rows}; the file is cut",
                self._first_line,
            )

    def _block(self, values: NDArray[Any]) -> Block:
        split = self.n_sensors
        pressure = _text.narrowed(values[:, :split])
        if not self.n_segments:
            return Block(pressure)
        # Scaled before it is rounded, so that a whole number of ohms stays one.
        with np.errstate(over="ignore"):
            ohms = values[:, split:] * OHM_PER_KILOOHM
        return Block(pressure, _text.narrowed(ohms))

    def _grid(self) -> TimeGrid:
        return time_grid(
            np.concatenate(self._times), first_line=self._first_line, reader=self.reader
        )

    def _facts(self, grid: TimeGrid, events: tuple[RawEvent, ...] = ()) -> Facts:
        return Facts(
            source_format=self.reader,
            reader=self.reader,
            reader_version=VERSION,
            sha256=self._source.sha256,
            sampling_rate_hz=grid.rate_hz,
            time_offset_s=grid.first_s,
            events=events,
        )

    def _check_complete(self) -> None:
        """Refuse a file cut inside its last number: nothing else of it would tell."""
        last, before = self._last_rows[-1], self._last_rows[0]
        if not self._ends_in_a_line_end and decimals_of(last) != decimals_of(before):
            n_rows = sum(map(len, self._times))
            raise self.corrupt(
                "the last row has no line end and its last number is shorter than in the row "
                "before; the file is cut: export it again",
                self._first_line + n_rows - 1,
            )

    def corrupt(self, message: str, line: int) -> CorruptFileError:
        """Fault of the file, at a line of it."""
        return CorruptFileError(message, reader=self.reader, where=f"line {line}")


def hd_catheter(reader: str, line: int) -> UnsupportedVersionError:
    """Refusal of an export with the columns of a 3-D or HD catheter."""
    return UnsupportedVersionError(
        f"the rows have {N_HD} columns or more beyond a usual export, as a 3-D or HD catheter "
        "makes them; which of them are the sensors along the axis is not known, so none is "
        "taken. If you know it, name these columns in a layout file ('hrm layout --init "
        "layout.toml' writes one to fill in; layout= (--layout))",
        reader=reader,
        where=f"line {line}",
    )


def value_dtype(columns: Columns) -> type[np.floating[Any]]:
    """Type to parse to: impedances are multiplied first, pressures taken as they are."""
    return np.float64 if columns.impedance else np.float32


def _last_two(data: bytes) -> list[bytes]:
    return data.removesuffix(b"\n").rsplit(b"\n", 2)[-2:]


def decimals_of(row: bytes) -> int:
    """Digits behind the decimal mark of the last number of a row; -1 if it has no mark."""
    found = re.search(rb"[.,](\d*)\s*$", row)
    return len(found.group(1)) if found else -1


def whole_times(rows: list[bytes], separator: bytes | None, columns: Columns) -> list[float]:
    """Times of those rows that are whole."""
    cells = [row.split(separator) for row in rows]
    times = [_text.parse_number(row[0]) for row in cells if len(row) > columns.used[-1]]
    return [time for time in times if time is not None]


def peek_result(
    name: str, columns: Columns, times: list[list[float]], size: int | None
) -> dict[str, Any]:
    """Describe a table by the times of the whole rows at its two ends."""
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
