"""Where the columns of a plain table are: what the layout says, held against the first lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hrm.errors import CorruptFileError, ParameterError
from hrm.io._registry import PLAIN_TABLE
from hrm.io._text import parse_number
from hrm.io.layout import SEPARATORS, Layout

#: What `separator_of` gives if nothing separates numbers.
NOT_FOUND = b""
_MOST_FAULTS = 8


@dataclass(frozen=True, slots=True)
class Columns:
    """Positions from 0, pressures and impedances proximal to distal."""

    separator: bytes | None
    header_lines: int
    n_cells: int
    pressure: tuple[int, ...]
    impedance: tuple[int, ...] = ()
    time: int | None = None
    marker: int | None = None
    text: int | None = None

    @property
    def numbers(self) -> tuple[int, ...]:
        """Every column that is read as numbers, ascending."""
        single = (column for column in (self.time, self.marker) if column is not None)
        return tuple(sorted({*self.pressure, *self.impedance, *single}))

    @property
    def ignored(self) -> tuple[int, ...]:
        """Columns that may hold anything."""
        used = set(self.numbers)
        return tuple(k for k in range(self.n_cells) if k not in used)


def separator_of(row: bytes, missing: Sequence[str] = ()) -> bytes | None:
    """Separator that makes a row two or more numbers: None is blanks, `NOT_FOUND` none does."""
    for separator in SEPARATORS.values():
        cells = row.replace(b'"', b"").split(separator)
        if len(cells) > 1 and are_numbers(cells, missing, comma=separator != b","):
            return separator
    return NOT_FOUND


def are_numbers(cells: Sequence[bytes], missing: Sequence[str], *, comma: bool) -> bool:
    """Whether all cells are numbers, or what stands where one is missing."""
    codes = {code.encode("utf-8") for code in missing}
    return all(
        cell.strip() in codes or (parse_number(cell) is not None and (comma or b"," not in cell))
        for cell in cells
    )


def find_columns(top: Sequence[bytes], layout: Layout, order: str, encoding: str) -> Columns:
    """Find the columns that a layout names.

    Parameters
    ----------
    top : sequence of bytes
        The first lines of the table: those above the numbers, and some rows.
    layout : Layout
        What the user says.
    order : str
        Which end of the catheter the first pressure column is.
    encoding : str
        Of the names in the header.

    Raises
    ------
    ParameterError
        If the layout names a column that is not there.
    CorruptFileError
        If there are no rows of numbers.
    """
    n_header, separator = _start(top, layout)
    rows = top[n_header:]
    n_cells = len(rows[0].split(separator))
    names = _names(top[n_header - 1], separator, encoding) if n_header else []
    where = _Finder(n_cells, names)
    time, marker, text = (
        where.one(column, what)
        for column, what in (
            (layout.time_column, "time.column"),
            (layout.marker, "events.marker"),
            (layout.text, "events.text"),
        )
    )
    impedance = _impedance(layout, where)
    others = [*impedance, *(column for column in (time, marker, text) if column is not None)]
    if layout.pressure.columns is not None:
        pressure = where.all(layout.pressure.columns, "pressure.columns")
    else:
        pressure = tuple(k for k in range(n_cells) if k not in others)
    where.check()
    if len({*pressure, *others}) < len(pressure) + len(others):
        raise ParameterError("layout file: a column is given for two things")
    if order == "distal_first":
        pressure = pressure[::-1]
    return Columns(separator, n_header, n_cells, pressure, impedance, time, marker, text)


def _impedance(layout: Layout, where: _Finder) -> tuple[int, ...]:
    if layout.impedance is None or layout.impedance.columns is None:
        return ()
    found = where.all(layout.impedance.columns, "impedance.columns")
    return found[::-1] if layout.impedance.order == "distal_first" else found


def _start(top: Sequence[bytes], layout: Layout) -> tuple[int, bytes | None]:
    """Lines above the first row of numbers, and the separator of that row."""
    n_header = layout.header_lines
    if n_header is None:
        # Not said: a first line that is not all numbers is a header, and nothing else is.
        n_header = 0 if top and _is_row(top[0], layout) else 1
    if len(top) <= n_header:
        raise _corrupt("the file ends above the first row of numbers", len(top) + 1)
    separator = _separator(top[n_header], layout, n_header + 1)
    if layout.header_lines is None and n_header and _looks_like_a_row(top[0], separator):
        raise _corrupt(
            "some of the first line are numbers and some are not: a damaged row, or the names of "
            "columns? Correct it, or say header_lines in the layout file",
            1,
        )
    return n_header, separator


def _looks_like_a_row(line: bytes, separator: bytes | None) -> bool:
    """Whether half of the cells are numbers that are no count: names of columns are 1, 2, 3."""
    cells = [cell.strip(b' \t"') for cell in line.split(separator)]
    numbers = [cell for cell in cells if parse_number(cell) is not None]
    return 2 * len(numbers) >= len(cells) and not all(cell.isdigit() for cell in numbers)


def _is_row(line: bytes, layout: Layout) -> bool:
    if layout.separator == "auto":
        return separator_of(line, layout.missing) != NOT_FOUND
    separator = SEPARATORS[layout.separator]
    cells = line.replace(b'"', b"").split(separator)
    return are_numbers(cells, layout.missing, comma=separator != b",")


def _separator(row: bytes, layout: Layout, line: int) -> bytes | None:
    if layout.separator != "auto":
        return SEPARATORS[layout.separator]
    found = separator_of(row, layout.missing)
    if found == NOT_FOUND:
        raise _corrupt(
            "expected numbers apart by tabs, semicolons, commas or blanks; if there are more lines "
            "above them, or texts among them, say header_lines and separator in a layout file "
            "(layout=; 'hrm layout --init layout.toml' writes one to fill in)",
            line,
        )
    return found


def _names(line: bytes, separator: bytes | None, encoding: str) -> list[str]:
    cells = (cell.decode(encoding, "replace") for cell in line.split(separator))
    return [cell.strip(" \t\"'").casefold() for cell in cells]


class _Finder:
    """Columns by number or name; every fault is told at once, and no name is quoted."""

    def __init__(self, n_cells: int, names: Sequence[str]) -> None:
        self._n_cells, self._names = n_cells, names
        self._faults: list[str] = []

    def one(self, column: int | str | None, what: str) -> int | None:
        return None if column is None else self._position(column, what)

    def all(self, columns: Sequence[int | str], what: str) -> tuple[int, ...]:
        return tuple(
            self._position(column, f"{what}, entry {number}")
            for number, column in enumerate(columns, 1)
        )

    def check(self) -> None:
        """Refuse a layout that names columns which are not there."""
        if self._faults:
            n_more = len(self._faults) - _MOST_FAULTS
            more = f"; and {n_more} more" if n_more > 0 else ""
            raise ParameterError(f"layout file: {'; '.join(self._faults[:_MOST_FAULTS])}{more}")

    def _position(self, column: int | str, what: str) -> int:
        if isinstance(column, int):
            if column > self._n_cells:
                self._faults.append(f"{what} is {column}, but the rows have {self._n_cells} cells")
            return column - 1
        n_found = self._names.count(column.strip().casefold())
        if n_found == 1 and len(self._names) == self._n_cells:
            return self._names.index(column.strip().casefold())
        found = (
            f"there {n_found} times"
            if len(self._names) == self._n_cells
            else f"of no use: the line above the numbers has {len(self._names)} cells, "
            f"the rows have {self._n_cells}"
        )
        self._faults.append(
            f"{what} is a name, and as the name of a column it is {found}; "
            "correct it, say header_lines, or give the columns by number"
        )
        return -1


def _corrupt(message: str, line: int) -> CorruptFileError:
    return CorruptFileError(message, reader=PLAIN_TABLE, where=f"line {line}")
