"""What both kinds of ManoView tables share: time, pressures, and perhaps impedances."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrm.errors import CorruptFileError, UnsupportedVersionError
from hrm.io import _raw, _text
from hrm.io._cut_end import without_cut_end
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

    def _table_rows(self) -> Iterable[Rows]:
        """Rows of the table, footer left out."""
        return self._lines.blocks()

    @abstractmethod
    def _layout(self) -> _text.BlockLayout:
        """Where the numbers of a row sit."""

    def blocks(self) -> Iterator[Block]:
        """Pressures, and impedances in ohm."""
        layout, reader = self._layout(), self.reader
        parser = _text.TableParser(layout, reader=reader)
        n_rows = 0
        whole = without_blank_end(self._table_rows(), reader=reader)
        for rows in without_cut_end(whole, layout, self._options, reader=reader):
            table = parser.parse(rows)
            self._times.append(table.first)
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

    def corrupt(self, message: str, line: int) -> CorruptFileError:
        """Fault of the file, at a line of it."""
        return CorruptFileError(message, reader=self.reader, where=f"line {line}")


def hd_catheter(reader: str, line: int) -> UnsupportedVersionError:
    """Refusal of an export with the columns of a 3-D or HD catheter."""
    return UnsupportedVersionError(
        f"the rows have {N_HD} columns or more beyond a usual export, as a 3-D or HD catheter "
        "makes them; which of them are the sensors along the axis is not known, so none is "
        "taken. If you know it, name these columns in a layout file ('hrm layout --init "
        "layout.toml' writes one to fill in; layout=)",
        reader=reader,
        where=f"line {line}",
    )


def value_dtype(columns: Columns) -> type[np.floating[Any]]:
    """Type to parse to: impedances are multiplied first, pressures taken as they are."""
    return np.float64 if columns.impedance else np.float32


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
