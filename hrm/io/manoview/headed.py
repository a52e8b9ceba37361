"""ManoView ASCII with its ``TIME:`` header and ``Annotations:`` footer."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from hrm.errors import CorruptFileError, DataQualityWarning, UnsupportedVersionError
from hrm.io import _lines, _text
from hrm.io._lines import Lines, Rows
from hrm.io._notes import AnnotationsLeftOut, event_of
from hrm.io._raw import Facts, RawEvent
from hrm.io._registry import Match, ReadOptions, Sniff
from hrm.io._source import Source
from hrm.io._stream import read_stream
from hrm.io._timebase import TimeGrid
from hrm.io._variants import Variant
from hrm.io.manoview.table import (
    HEADED,
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

_FOOTER = b"annotations:"
_FOOTER_LINE = re.compile(rb"(?:[ \t][ \t\x0b\x0c\r]*)?annotations:", re.IGNORECASE)
_MAX_FOOTER_BYTES = 16 << 20


class ManoViewReader:
    """Reader of ManoView ASCII exports with the ``TIME:`` header."""

    name = HEADED
    vendor = VENDOR
    suffixes: tuple[str, ...] = (".txt", ".asc", ".csv")
    description = "ManoView 'Save Selected Data': TIME: header, pressures, optional impedances"
    variants = (
        Variant("36 pressures", "code", "mmHg, channel 1 is the most proximal; 100 Hz is usual"),
        Variant("with impedance", "code", "18 segments in kiloohm after an empty column"),
        Variant("annotations", "code", "times and texts at the end; free text is dropped"),
        Variant(
            "3-D and HD catheters", "prose", "128 columns more, in an unknown order", read=False
        ),
    )

    def sniff(self, head: bytes, source: Source) -> Sniff:  # noqa: ARG002 - the content decides
        """Judge by the first cell."""
        first = next((line for line in _lines.sniff_lines(head) if line.strip()), "")
        cell = first.split("\t")[0].strip().casefold()
        if cell == "time:" and "\t" in first:
            return Sniff(Match.YES, "a tab-separated 'TIME:' header")
        if cell.startswith("time:"):
            return Sniff(Match.MAYBE, "begins with 'TIME:', but not tab-separated")
        return Sniff(Match.NO, "the first cell is not 'TIME:'")

    def peek(self, source: Source) -> dict[str, Any]:
        """Describe the file from its two ends."""
        head, tail = _lines.read_ends(source, reader=HEADED)
        start = next((at for at, line in enumerate(head) if line.strip()), None)
        if start is None or head[start].split(b"\t")[0].strip().lower() != b"time:":
            raise _no_header()
        columns = parse_header(head[start], start + 1)
        first = _text.strip_blank_end(_before_footer(head[start + 1 :]))
        last = None if tail is None else _text.strip_blank_end(_before_footer(tail))
        times = [whole_times(rows, b"\t", columns) for rows in (first, last or [])]
        return peek_result(HEADED, columns, times, source.size)

    def stream(self, source: Source, options: ReadOptions) -> HeadedStream:
        """Read the header, and give the samples as they are asked for."""
        return HeadedStream(source, options)

    def read(self, source: Source, options: ReadOptions) -> xr.DataTree:
        """Read the whole file into a validated study."""
        return read_stream(self.stream(source, options), options)


class HeadedStream(TableStream):
    """An export with a header, which has been read.

    Raises
    ------
    CorruptFileError
        If there is no header.
    UnsupportedVersionError
        If the columns are not of the layouts known.
    """

    reader = HEADED

    def __init__(self, source: Source, options: ReadOptions) -> None:
        lines = Lines(source, reader=HEADED)
        columns = parse_header(_header_line(lines), lines.number - 1)
        super().__init__(source, options, lines, columns)
        self._footer: Rows | None = None

    def _layout(self) -> _text.BlockLayout:
        columns = self._columns
        return _text.BlockLayout(
            b"\t",
            columns.used,
            columns.n_cells,
            may_be_short=columns.n_cells > columns.used[-1] + 1,
            blank=tuple(sorted(set(range(columns.n_cells)) - set(columns.used))),
            dtype=value_dtype(columns),
        )

    def _table_rows(self) -> Iterable[Rows]:
        blocks = self._lines.blocks()
        for rows in blocks:
            at = footer_at(rows.data)
            if at is None:
                yield rows
                continue
            table = Rows(rows.first_line, rows.data[:at])
            footer = Rows(rows.first_line + table.data.count(b"\n"), rows.data[at:])
            if table.data:
                yield table
            self._footer = self._whole_footer(footer, blocks)

    def _whole_footer(self, begun: Rows, blocks: Iterator[Rows]) -> Rows:
        parts = [begun.data]
        for rows in blocks:
            parts.append(rows.data)
            if sum(map(len, parts)) > _MAX_FOOTER_BYTES:
                raise self.corrupt(
                    "found annotations without end; the file is damaged", rows.first_line
                )
        return Rows(begun.first_line, b"".join(parts))

    def finish(self) -> Facts:
        """Derive the rate from the times, and give the annotations as events."""
        if self._footer is None:
            warnings.warn(
                f"[{HEADED}] the file has no 'Annotations:' footer: either it holds no annotations "
                "or rows are missing at its end",
                DataQualityWarning,
                stacklevel=3,
            )
        grid = self._grid()
        if self._footer is None:
            return self._facts(grid)
        lines = self._footer.lines()[1:]
        events = _annotations(
            lines, self._footer.first_line + 1, self._lines.encoding, grid, self._options
        )
        return self._facts(grid, events)


def _header_line(lines: Lines) -> bytes:
    while (line := lines.line()) is not None:
        if line.strip():
            if line.split(b"\t")[0].strip().lower() == b"time:":
                return line
            break
    raise _no_header()


def _no_header() -> CorruptFileError:
    return CorruptFileError(
        "expected a tab-separated header whose first cell is 'TIME:', found none",
        reader=HEADED,
        where="line 1",
    )


def parse_header(line: bytes, number: int) -> Columns:
    """Find the pressure and impedance columns by position.

    Raises
    ------
    UnsupportedVersionError
        If the labels are not 1, 2, 3 ... for the pressures and perhaps 1 to 18 for the impedances.
    """
    cells = [cell.strip() for cell in line.split(b"\t")]
    if sum(map(bool, cells[1:])) >= N_HD:
        raise hd_catheter(HEADED, number)
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
    if len(impedance) not in (0, N_SEGMENTS):
        raise UnsupportedVersionError(
            f"expected {N_SEGMENTS} impedance segments or none, found a second block of "
            f"{len(impedance)} labels: what it holds is not known",
            reader=HEADED,
            where=f"line {number}",
        )
    return Columns(len(blocks[0]), tuple(blocks[0]), impedance, len(cells))


def _has_gap(block: list[int]) -> bool:
    return bool(block) and block[-1] - block[0] != len(block) - 1


def footer_at(data: bytes) -> int | None:
    """Where in whole lines the footer begins; None if it does not."""
    lowered = data.lower()
    at = lowered.find(_FOOTER)
    while at >= 0:
        start = data.rfind(b"\n", 0, at) + 1
        if _FOOTER_LINE.match(data, start):
            return start
        at = lowered.find(_FOOTER, at + 1)
    return None


def _before_footer(lines: list[bytes]) -> list[bytes]:
    for at, line in enumerate(lines):
        if _FOOTER_LINE.match(line):
            return lines[:at]
    return lines


def _annotations(
    lines: list[bytes],
    first_line: int,
    encoding: str,
    grid: TimeGrid,
    options: ReadOptions,
) -> tuple[RawEvent, ...]:
    """Annotations within the recording; free text is dropped unless asked for."""
    rows: list[tuple[float, list[str]]] = []
    for number, line in enumerate(lines, first_line):
        cell, tab, text = line.partition(b"\t")
        time = _text.parse_number(cell)
        if time is not None and np.isfinite(time) and tab:
            rows.append((time, [text.decode(encoding, "replace")]))
        elif rows and not tab and time is None:
            rows[-1][1].append(line.decode(encoding, "replace"))
        elif line.strip():
            raise CorruptFileError(
                "expected 'time<TAB>text' in the annotations, found something else; "
                "the row is cut or damaged",
                reader=HEADED,
                where=f"line {number}",
            )
    events = [
        event_of(time - grid.first_s, " ".join(texts), keep_phi=options.keep_phi)
        for time, texts in rows
        if grid.holds(time)
    ]
    if len(events) < len(rows):
        outside = tuple(time for time, _ in rows if not grid.holds(time))
        message = (
            f"[{HEADED}] {len(outside)} of {len(rows)} annotations lie outside the exported "
            "samples and are left out"
        )
        warnings.warn(AnnotationsLeftOut(message, outside), stacklevel=4)
    return tuple(events)
