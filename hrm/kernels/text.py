"""Rows of plain decimal numbers, from bytes to float32 or float64, in one pass.

Most cells of an export have at most seven characters. Such a cell is found, checked
and converted inside one 64-bit word, all its bytes at once; any other cell is read byte
by byte. What is not a plain decimal number (sign, digits, one point) is never guessed
at: reading stops with a status, and the caller decides with its slower, exact means.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrm.kernels._jit import kernel
from hrm.kernels._words import (
    EACH,
    PAST_CONTROLS,
    PAST_NINE,
    PAST_NOTHING,
    PAST_SPACE,
    aligned,
    beyond,
    bits_before,
    eight_digits,
    ends_in,
    without_point,
    word_at,
)

#: Status of `parse_rows`: every row was read.
OK = 0
#: A row has fewer or more cells than it must have.
WRONG_CELLS = 1
#: A cell that is asked for is empty.
EMPTY_CELL = 2
#: A cell is no plain decimal number: an exponent, NaN, a decimal comma, a control byte ...
NOT_PLAIN = 3
#: A number has too many digits to be converted exactly here.
TOO_LONG = 4
#: A number lies so near the middle of two float32 that float64 cannot tell which is nearer.
NEAR_TIE = 5
#: The output arrays do not have the room, or not the shape, for what is asked.
NO_ROOM = 6

_U = np.uint64
_SPACE, _TAB, _LF, _CR = 32, 9, 10, 13
_MINUS, _PLUS, _POINT, _ZERO = 45, 43, 46, 48
_MOST = _U(1 << 53)  # up to here every integer is a float64
_MOST_DECIMALS = 22  # up to here every power of ten is a float64
_SIGNS = np.array([1, -1], np.float32)
# From Python's integers: a power function may be off in the last bit.
_POWERS = np.array([float(10**k) for k in range(_MOST_DECIMALS + 1)])
_MOST_DECIMALS_32 = 10  # up to here every power of ten is a float32


@kernel
def count_rows(data: NDArray[np.uint8]) -> int:
    """Count the rows of a block: its line feeds, and a last row that has none.

    Parameters
    ----------
    data : array (byte,) uint8

    Returns
    -------
    int
        The rows that `parse_rows` needs room for.
    """
    size, count, step = data.size, 0, 128
    for block in range(size // step):
        # A sum that fits a byte lets the compiler compare many bytes at once.
        part = np.uint8(0)
        for i in range(step):
            part = np.uint8(part + np.uint8(data[block * step + i] == _LF))
        count += _signed(part)
    for i in range(size - size % step, size):
        if data[i] == _LF:
            count += 1
    if size > 0 and data[size - 1] != _LF:
        count += 1
    return count


@kernel
def parse_rows(
    data: NDArray[np.uint8],
    separator: int,
    columns: NDArray[np.int64],
    n_cells: int,
    blank: bool,
    out_first: NDArray[np.float64],
    out: NDArray[Any],
) -> tuple[int, int, int, int]:
    """Read rows of numbers, each correctly rounded, or stop at the first unusual cell.

    A row ends in LF, after one or two CR if any; the end of the data ends the last row.
    Spaces and tabs around a cell do not count, unless they are the separator. Cells
    that are not asked for may hold any text but control bytes, or nothing if `blank`.

    Parameters
    ----------
    data : array (byte,) uint8
        Whole rows.
    separator : int
        The byte between cells, no byte of a number or of a line end; 0 for any run
        of spaces and tabs.
    columns : array (asked,) int64
        The cells to read, counted from 0, ascending.
    n_cells : int
        Cells that every row must have.
    blank : bool
        Whether the cells that are not asked for must be empty.
    out_first : array (row,) float64
        Filled with the first of `columns`: sample number or time.
    out : array (row, asked - 1) float32 or float64
        Filled with the others. Any memory layout will do: the transposed view of a
        (asked - 1, row) array spares the caller a transposition.

    Returns
    -------
    n_rows : int
        Rows read. What the outputs hold counts only if the status is `OK`.
    status : int
        `OK`, or why reading stopped.
    row, column : int
        Where it stopped, counted from 0 in rows and cells of the data; for
        `WRONG_CELLS` the first cell that is missing or in excess. -1 if `OK`.

    Notes
    -----
    A decimal is an integer divided by a power of ten. Where both are exact in a binary
    format, one IEEE 754 division gives the correctly rounded quotient (Clinger 1990,
    https://doi.org/10.1145/93542.93557). It is done in the format of `out` where they
    are; a longer number for float32 is divided in float64 and rounded once more, which
    can go wrong at ties only (`NEAR_TIE`).
    """
    if out.shape[1] + 1 < columns.size or out_first.size < out.shape[0]:
        return 0, NO_ROOM, 0, 0
    column = _impossible_column(columns, n_cells)
    if column >= 0:
        return 0, NO_ROOM, 0, column
    # What a plain cell needs of the powers of ten, in the format of the output.
    powers = _POWERS[: _MOST_DECIMALS_32 + 1].astype(out.dtype)
    row, at, row_end = 0, 0, _row_end(data)
    while at < data.size:
        row, at = _plain_rows(
            data, at, separator, columns, n_cells, blank, out_first, out, row, row_end, powers
        )
        if at == data.size:
            break
        if row == out.shape[0]:
            return row, NO_ROOM, row, 0
        at, status, column = _any_row(
            data, at, separator, columns, n_cells, blank, out_first, out, row
        )
        if status != OK:
            return row, status, row, column
        row += 1
    return row, OK, -1, -1


@kernel
def _row_end(data: NDArray[np.uint8]) -> int:
    """Find the byte that follows the last cell of the first row: LF or CR."""
    for i in range(1, data.size):
        if data[i] == _LF:
            return _CR if data[i - 1] == _CR else _LF
    return _LF


@kernel
def _signed(value: Any) -> int:
    """Make an int64 of an integer: Numba would add int64 and uint64 as float64."""
    return int(np.int64(value))


@kernel
def _impossible_column(columns: NDArray[np.int64], n_cells: int) -> int:
    """Find the first column that is out of order or that no row has; -1 if all is well."""
    before = -1
    for column in columns:
        if column <= before or column >= n_cells:
            return 0 if column < 0 else _signed(column)
        before = _signed(column)
    return -1 if n_cells > 0 else 0


@kernel
def _plain_rows(
    data: NDArray[np.uint8],
    at: int,
    separator: int,
    columns: NDArray[np.int64],
    n_cells: int,
    blank: bool,
    out_first: NDArray[np.float64],
    out: NDArray[Any],
    row: int,
    row_end: int,
    powers: NDArray[Any],
) -> tuple[int, int]:
    """Read rows while all cells are short and plain; the first other row, and where it is.

    Whatever is only a little unusual is left to `_any_row`. The loop over the cells has
    to fit the registers of the processor: twice the code here is half the speed.
    """
    size = _U(data.size)
    one, other, tab, ends, past = _separators(separator)
    row_ends = ends if separator == 0 else _U(row_end) * EACH
    while row < out.shape[0]:
        column = columns[0] + 1
        i = _past_cells(data, _U(at), columns[0], separator, blank)
        while i < size and (data[i] == _SPACE or data[i] == tab):
            i += _U(1)
        i, minus, mantissa, decimals = _long_cell(data, i)
        if decimals > _U(_MOST_DECIMALS):
            return row, at
        out_first[row] = np.float64(mantissa) / _POWERS[decimals] * _SIGNS[minus]
        if column < n_cells:
            if i >= size or (data[i] != one and data[i] != other):
                return row, at
            i += _U(1)
        for k in range(1, columns.size):
            if column < columns[k]:
                i = _past_cells(data, i, columns[k] - column, separator, blank)
            column = columns[k] + 1
            if i + _U(8) > size:
                return row, at
            word = word_at(data, i)
            # One comparison for the usual cell, which begins with no blank.
            if word & _U(255) <= _U(_SPACE):
                while word & _U(255) == _U(_SPACE) or word & _U(255) == _U(tab):
                    i += _U(1)
                    if i + _U(8) > size:
                        return row, at
                    word = word_at(data, i)
            minus = _U((word & _U(255)) == _U(_MINUS))
            n_bits = bits_before(ends_in(word, row_ends if column == n_cells else ends, past))
            if n_bits == _U(64) or n_bits <= _U(7) + _U(8) * minus:
                return row, at
            digits, decimals = aligned(word, n_bits - _U(7), minus), _U(0)
            others = beyond(digits, PAST_NINE)
            if others != _U(0):
                digits, decimals = without_point(digits, others)
                if decimals > _U(7):
                    return row, at
            value = out.dtype.type(eight_digits(digits)) / powers[decimals]
            out[row, k - 1] = value * _SIGNS[minus]
            i += n_bits >> _U(3)
            if column < n_cells:
                # A word that was read up to its separator has it.
                if separator == 0 and data[i] != one and data[i] != other:
                    return row, at
                i += _U(1)
        if column < n_cells:
            i = _past_cells(data, i, n_cells - 1 - column, separator, blank)
            i = _past_cell(data, i, tab, ends, past, blank)
        while i < size and (data[i] == _SPACE or data[i] == tab):
            i += _U(1)
        if i < size and data[i] == _CR:
            i += _U(1)
        if i >= size or data[i] != _LF:
            return row, at
        at = _signed(i) + 1
        row += 1
    return row, at


@kernel
def _separators(separator: int) -> tuple[int, int, int, np.uint64, np.uint64]:
    """Say what separates: two bytes, a blank besides the space, and a mask for words."""
    if separator == 0:
        return _SPACE, _TAB, _TAB, _U(0), PAST_SPACE
    tab = _SPACE if separator == _TAB else _TAB
    return separator, separator, tab, _U(separator) * EACH, PAST_NOTHING


@kernel
def _long_cell(
    data: NDArray[np.uint8], i: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Read up to 15 digits: where they end, sign, number, decimals (99 if not plain)."""
    size = _U(data.size)
    minus = _U(i < size and data[i] == _MINUS)
    i += minus
    mantissa, digits, decimals, point = _U(0), 0, _U(0), _U(0)
    while i < size and digits < 16:
        byte = data[i]
        if _ZERO <= byte <= _ZERO + 9:
            mantissa = mantissa * _U(10) + (_U(byte) - _U(_ZERO))
            digits += 1
            decimals += point
        elif byte == _POINT and point == _U(0):
            point = _U(1)
        else:
            break
        i += _U(1)
    return i, minus, mantissa, decimals if 0 < digits < 16 else _U(99)


@kernel
def _past_cells(
    data: NDArray[np.uint8], i: np.uint64, n: int, separator: int, blank: bool
) -> np.uint64:
    """Where the cell begins after n that nobody asked for; past the data if not clear."""
    one, other, tab, ends, past = _separators(separator)
    for _ in range(n):
        i = _past_cell(data, i, tab, ends, past, blank)
        if i >= _U(data.size) or (data[i] != one and data[i] != other):
            return _U(data.size)
        i += _U(1)
    return i


@kernel
def _past_cell(
    data: NDArray[np.uint8], i: np.uint64, tab: int, ends: np.uint64, past: np.uint64, blank: bool
) -> np.uint64:
    """Where a cell ends that is not asked for; past the data if that is not clear."""
    size, stops = _U(data.size), _U(0)
    while i < size and (data[i] == _SPACE or data[i] == tab):
        i += _U(1)
    if blank:
        return i
    while stops == _U(0):
        if i + _U(8) > size:
            return size
        word = word_at(data, i)
        stops = ends_in(word, ends, past) | ends_in(word, _U(0), PAST_CONTROLS)
        i += bits_before(stops) >> _U(3)
    return i


@kernel
def _any_row(
    data: NDArray[np.uint8],
    at: int,
    separator: int,
    columns: NDArray[np.int64],
    n_cells: int,
    blank: bool,
    out_first: NDArray[np.float64],
    out: NDArray[Any],
    row: int,
) -> tuple[int, int, int]:
    """Read one row byte by byte: where the next begins, status, column of a fault."""
    one, _, tab, _, _ = _separators(separator)
    k = 0
    for column in range(n_cells):
        at = _after_blanks(data, at, tab)
        if separator == 0 and _after_row(data, at) >= 0:
            return at, WRONG_CELLS, column
        if k < columns.size and columns[k] == column:
            at, status, minus, mantissa, decimals = _number(data, at, one)
            if status == OK and k == 0:
                out_first[row] = np.float64(mantissa) / _POWERS[decimals] * _SIGNS[minus]
            elif status == OK:
                wide = np.float64(mantissa) / _POWERS[decimals]
                status = _doubt(wide, mantissa, decimals) if out.itemsize == 4 else OK
                out[row, k - 1] = out.dtype.type(wide) * _SIGNS[minus]
            if status != OK:
                return at, status, column
            k += 1
        elif not blank:
            while at < data.size and data[at] >= _SPACE and data[at] != one:
                at += 1
        stop = at
        at = _after_blanks(data, stop, tab)
        if column == n_cells - 1:
            at = _after_row(data, at)
        elif separator != 0:
            at = at + 1 if at < data.size and data[at] == separator else -1
        elif at == stop:
            at = -1
        if at < 0:
            status = _fault(data, stop, separator, tab)
            return stop, status, column + (status == WRONG_CELLS)
    return at, OK, -1


@kernel
def _number(
    data: NDArray[np.uint8], at: int, separator: int
) -> tuple[int, int, int, np.uint64, int]:
    """Read one number byte by byte: where it stops, status; sign, digits and decimals."""
    start, size = at, data.size
    minus = 1 if at < size and data[at] == _MINUS else 0
    if minus == 1 or (at < size and data[at] == _PLUS):
        at += 1
    mantissa, digits, decimals, point = _U(0), 0, 0, False
    while at < size:
        byte = data[at]
        if _ZERO <= byte <= _ZERO + 9:
            mantissa = mantissa * _U(10) + _U(byte - _ZERO)
            if mantissa > _MOST:
                return at, TOO_LONG, minus, mantissa, 0
            digits += 1
            decimals += point
        elif byte == _POINT and not point:
            point = True
        else:
            break
        at += 1
    if digits == 0:
        empty = start == size or data[start] == separator or _after_row(data, start) >= 0
        return at, EMPTY_CELL if empty else NOT_PLAIN, minus, mantissa, 0
    if decimals > _MOST_DECIMALS:
        return at, TOO_LONG, minus, mantissa, 0
    return at, OK, minus, mantissa, decimals


@kernel
def _doubt(wide: np.float64, mantissa: np.uint64, decimals: int) -> int:
    """Say whether rounding the float64 of mantissa / 10**decimals to float32 may go wrong."""
    # float64 keeps 29 bits more: 1000... in them is halfway between two float32. All
    # values here but 0 are above 1e-23, so no float32 is subnormal and keeps fewer bits.
    if np.float64(wide).view(np.int64) & 0x1FFFFFFF != 0x10000000:
        return OK
    # Halfway has 25 bits, 10**12 without its twos 28: their product is exact.
    exact = decimals <= 12 and wide * _POWERS[decimals] == np.float64(mantissa)
    return OK if exact else NEAR_TIE


@kernel
def _after_blanks(data: NDArray[np.uint8], at: int, tab: int) -> int:
    """Where the blanks end: spaces, and tabs unless they separate."""
    while at < data.size and (data[at] == _SPACE or data[at] == tab):
        at += 1
    return at


@kernel
def _after_row(data: NDArray[np.uint8], at: int) -> int:
    """Where the next row begins if the present one ends here, -1 if it does not."""
    size = data.size
    if at == size:
        return size
    # A file that was translated twice has two CR; a lone CR is left to the caller.
    for _ in range(2):
        if data[at] != _CR:
            break
        at += 1
        if at == size:
            return size
    return at + 1 if data[at] == _LF else -1


@kernel
def _fault(data: NDArray[np.uint8], stop: int, separator: int, tab: int) -> int:
    """Why nothing that may follow a cell follows it."""
    at = _after_blanks(data, stop, tab)
    another = at > stop if separator == 0 else at < data.size and data[at] == separator
    return WRONG_CELLS if another or _after_row(data, at) >= 0 else NOT_PLAIN
