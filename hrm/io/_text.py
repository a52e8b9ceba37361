"""Rows of text as numbers: every cell of them, or the first bad one by line and column."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from hrm.errors import CorruptFileError
from hrm.io._lines import Rows, split_lines

# One way only to match any text: two would take hours to refuse a line of digits.
_NUMBER = re.compile(rb"[+-]?(\d+(?:\.\d*)?|\.\d+)([eE][+-]?\d+)?|[nN][aA][nN]")
_NUMERIC_BYTES = b"0123456789+-.eEnNaA,; \t\n"
# From a block of this size on the compiled parser is worth its start: measured, 0.4 s to
# load it against 14 ms/MB with the library, which only a long file earns back; but 20 ms
# once the process has loaded other kernels.
_COMPILED_BYTES = 4 << 20
_COMPILED_BYTES_LOADED = 1 << 20
_COMPILED_SEPARATORS = {b"\t", b",", b";", None}
_COMPILED_TYPES = {np.dtype(np.float32), np.dtype(np.float64)}


@dataclass(frozen=True, slots=True)
class BlockLayout:
    """Where the numbers of a row sit.

    `separator` None is any run of blanks or tabs. `columns` are the positions to read,
    ascending; the first is the sample number or time. `n_cells` is the number of cells of a
    row; those to the right of the last column read may be left out if `may_be_short`.
    Cells of the columns `blank` must be empty. `dtype` is that of the values, for a caller
    that goes on calculating with them.
    """

    separator: bytes | None
    columns: tuple[int, ...]
    n_cells: int
    may_be_short: bool = False
    blank: tuple[int, ...] = ()
    dtype: DTypeLike = np.float32


class Table(NamedTuple):
    """Numbers of a block: `first` (row,) float64 and `values` (row, column) of the layout's type.

    `values` may be the transposed view of an array with the rows side by side.
    """

    first: NDArray[np.float64]
    values: NDArray[Any]


def parse_number(cell: bytes) -> float | None:
    """One cell as a number, decimal point or comma; None if it is not one."""
    text = re.sub(rb",(?=\d)", b".", cell.strip(b" \t"), count=1)
    return float(text) if _NUMBER.fullmatch(text) else None


def strip_blank_end(lines: Sequence[bytes], separator: bytes = b"") -> list[bytes]:
    """Lines without the empty ones at the end (or those of separators only)."""
    stop = len(lines)
    while stop and not lines[stop - 1].strip(b" \t" + separator):
        stop -= 1
    return list(lines[:stop])


class TableParser:
    """Parses the blocks of one table; what holds for a file as a whole is checked here.

    The decimal mark is one such thing: a comma in one block and a point in another is a
    file of which some numbers would be misread.
    """

    def __init__(self, layout: BlockLayout, *, reader: str) -> None:
        self._layout = layout
        self._reader = reader
        self._points = False
        self._compiled = False
        self._first_comma: CorruptFileError | None = None

    def parse(self, rows: Rows) -> Table:
        """Read a block of rows, as `parse_block` does."""
        if self._layout.separator != b",":
            self._check_mark(rows)
        # The last block may be small, but by then the compiled parser is there.
        loaded = "hrm.kernels._jit" in sys.modules
        enough = _COMPILED_BYTES_LOADED if loaded else _COMPILED_BYTES
        self._compiled = self._compiled or len(rows.data) >= enough
        return parse_block(
            rows.data,
            self._layout,
            first_line=rows.first_line,
            reader=self._reader,
            compiled=self._compiled,
        )

    def _check_mark(self, rows: Rows) -> None:
        self._points = self._points or b"." in rows.data
        if self._first_comma is None and b"," in rows.data:
            lines = _whole_lines(rows.data, self._layout)
            _check_cells(lines, self._layout, rows.first_line, self._reader)
            self._first_comma = _first_bad_cell(
                lines, self._layout, rows.first_line, self._reader, comma=False
            )
        if self._points and self._first_comma is not None:
            raise self._first_comma


def parse_block(
    block: bytes, layout: BlockLayout, *, first_line: int, reader: str, compiled: bool = False
) -> Table:
    """Read rows of numbers, every cell or none.

    Parameters
    ----------
    block : bytes
        Whole lines with line feeds, as from `Rows.data`.
    layout : BlockLayout
        Separator, columns to read, cells of a row.
    first_line : int
        1-based line of the first row in the file.
    reader : str
        Name of the reader, for errors.
    compiled : bool
        Whether to try the compiled parser first. It changes nothing but the time taken.

    Returns
    -------
    Table
        NaN only where the file says NaN.

    Raises
    ------
    CorruptFileError
        Naming line and column of the first cell that is not a finite number or NaN, or the
        first row with too few or too many cells.
    """
    table = _by_kernel(block, layout) if compiled else None
    if table is not None:
        return table
    lines = _whole_lines(block, layout)
    _check_cells(lines, layout, first_line, reader)
    _check_blank(lines, layout, first_line, reader)
    clean = _decimal_points(lines, layout.separator)
    values = None if clean is None else _by_library(clean, layout)
    # Outside any except block: numpy's message quotes the cell, and must not be chained.
    if values is None:
        comma = layout.separator != b"," and b"." not in block
        raise _first_bad_cell(lines, layout, first_line, reader, comma=comma)
    return Table(values[:, 0].copy(), narrowed(values[:, 1:], layout.dtype))


def _by_kernel(block: bytes, layout: BlockLayout) -> Table | None:
    """Read usual rows; None if anything is unusual, right or wrong."""
    n_cells = _cells_of_rows(block, layout)
    unread = set(range(n_cells)) - set(layout.columns)
    blank = unread and unread <= set(layout.blank)
    plain = _with_points(block, layout.separator)
    known = layout.separator in _COMPILED_SEPARATORS and np.dtype(layout.dtype) in _COMPILED_TYPES
    if plain is None or not known or b"\r" in block:
        return None
    # The kernel would pass over text in cells that nobody asked for.
    if unread and not blank and (layout.blank or block.translate(None, _NUMERIC_BYTES)):
        return None
    from hrm.io._compiled import read_rows  # not before a long file is read

    data = np.frombuffer(plain, np.uint8)
    separator = 0 if layout.separator is None else layout.separator[0]
    columns = np.array(layout.columns, dtype=np.int64)
    read = read_rows(data, separator, columns, n_cells, blank=bool(blank), dtype=layout.dtype)
    return None if read is None else Table(read[0], read[1].T)


def _cells_of_rows(block: bytes, layout: BlockLayout) -> int:
    """Count the cells that every row has, if all rows are like the first."""
    if not layout.may_be_short or layout.separator is None:
        return layout.n_cells
    stop = block.find(b"\n")
    n_cells = _count_cells(block if stop < 0 else block[:stop], layout.separator)
    return min(n_cells, layout.n_cells)


def _with_points(block: bytes, separator: bytes | None) -> bytes | None:
    """Bring a block to decimal points; None if it has both marks, or a comma without decimals."""
    if separator == b"," or b"," not in block:
        return block
    if b"." in block or re.search(rb",(?!\d)", block):
        return None
    return block.replace(b",", b".")


def narrowed(values: NDArray[Any], dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """Values in a type; beyond its range they are infinite, which `check_range` refuses."""
    with np.errstate(over="ignore"):
        return values.astype(dtype)


def _whole_lines(block: bytes, layout: BlockLayout) -> list[bytes]:
    lines = split_lines(block)
    return [_padded(line, layout) for line in lines] if layout.may_be_short else lines


def _padded(line: bytes, layout: BlockLayout) -> bytes:
    separator = layout.separator or b""
    short = layout.n_cells - 1 - line.count(separator) if separator else 0
    return line + separator * short if 0 < short < layout.n_cells - layout.columns[-1] else line


def _check_cells(lines: list[bytes], layout: BlockLayout, first_line: int, reader: str) -> None:
    for number, line in enumerate(lines, first_line):
        n_cells = _count_cells(line, layout.separator)
        if n_cells != layout.n_cells:
            found = "an empty line" if not line.strip() else f"{n_cells}"
            raise CorruptFileError(
                f"expected {layout.n_cells} cells, found {found}; the row is cut or damaged: "
                "export the file again",
                reader=reader,
                where=f"line {number}",
            )


def _count_cells(line: bytes, separator: bytes | None) -> int:
    return len(line.split()) if separator is None else line.count(separator) + 1


def _check_blank(lines: list[bytes], layout: BlockLayout, first_line: int, reader: str) -> None:
    if not layout.blank:
        return
    for number, line in enumerate(lines, first_line):
        cells = line.split(layout.separator)
        if any(cells[column].strip() for column in layout.blank):
            raise CorruptFileError(
                "found a value in a column that has no label; the row is shifted or damaged",
                reader=reader,
                where=f"line {number}",
            )


def _decimal_points(lines: list[bytes], separator: bytes | None) -> list[str] | None:
    """Rows with decimal points, or None if a byte of them cannot be of a number."""
    block = b"\n".join(lines)
    if block.translate(None, _NUMERIC_BYTES):
        return None
    plain = _with_points(block, separator)
    return None if plain is None else plain.decode("ascii").split("\n")


def _by_library(lines: list[str], layout: BlockLayout) -> NDArray[np.float64] | None:
    separator = None if layout.separator is None else layout.separator.decode("ascii")
    if not any(map(str.strip, lines)):
        return None  # numpy would warn that there is no data, and quote the lines
    try:
        values: NDArray[np.float64] = np.loadtxt(
            lines, delimiter=separator, usecols=layout.columns, comments=None, ndmin=2
        )
    except ValueError:
        return None
    usable = values.shape == (len(lines), len(layout.columns)) and not np.isinf(values).any()
    return values if usable else None


def _first_bad_cell(
    lines: list[bytes], layout: BlockLayout, first_line: int, reader: str, *, comma: bool
) -> CorruptFileError:
    for number, line in enumerate(lines, first_line):
        cells = line.split(layout.separator)
        for column in layout.columns:
            fault = _cell_fault(cells[column], comma=comma)
            if fault:
                return CorruptFileError(
                    f"expected a number, found {fault}; correct the cell or export the file again",
                    reader=reader,
                    where=f"line {number}, column {column + 1}",
                )
    return CorruptFileError(
        "the numbers cannot be read; export the file again",
        reader=reader,
        where=f"lines {first_line} to {first_line + len(lines) - 1}",
    )


def _cell_fault(cell: bytes, *, comma: bool) -> str:
    """Say what is wrong with a cell, without quoting it; empty if nothing is."""
    text = cell.strip(b" \t")
    if not text:
        return "an empty cell (write NaN for a missing sample)"
    if comma and re.fullmatch(rb"[^,]*,\d[^,]*", text):
        text = text.replace(b",", b".")
    if not _NUMBER.fullmatch(text):
        return f"{len(text)} characters that are no number"
    return "" if np.isfinite(float(text)) or text.lower() == b"nan" else "a number out of range"
