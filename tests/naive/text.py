"""Twin of the text kernel: split, match and round with Python's own exact numbers."""

import re
from fractions import Fraction

import numpy as np

OK, WRONG_CELLS, EMPTY_CELL, NOT_PLAIN, TOO_LONG, NEAR_TIE, NO_ROOM = range(7)


def nearest_float32(exact):
    """Find the float32 nearest to a fraction; of two equally near ones the even one."""
    about = np.float32(float(exact))
    down = np.nextafter(about, np.float32(-np.inf))
    up = np.nextafter(about, np.float32(np.inf))

    def rank(value):
        return abs(Fraction(float(value)) - exact), int(value.view(np.uint32)) % 2

    return min([down, about, up], key=rank)


def halfway(value):
    """Whether a float64 lies in the middle of two float32."""
    if value == 0:
        return False
    near = np.float32(value)
    gaps = [
        abs(Fraction(float(np.nextafter(near, np.float32(s)))) - Fraction(value))
        for s in (-np.inf, np.inf)
    ]
    return min(gaps) == abs(Fraction(float(near)) - Fraction(value))


def number(cell):
    """Status, and a cell's value as a fraction and as correctly rounded float64 and float32."""
    found = re.match(rb"([+-]?)(\d+\.?\d*|\.\d+)", cell)
    if not found:
        return (NOT_PLAIN if cell else EMPTY_CELL), None
    sign, digits = found.groups()
    whole, _, decimals = digits.partition(b".")
    mantissa = int(whole + decimals)
    if mantissa > 2**53 or len(decimals) > 22:
        return TOO_LONG, None
    exact = Fraction(mantissa, 10 ** len(decimals))
    # Fraction to float is rounded correctly, and does not know -0.
    minus = -1.0 if sign == b"-" else 1.0
    status = OK if found.end() == len(cell) else NOT_PLAIN
    return status, (
        exact,
        np.float64(minus * float(exact)),
        np.float32(minus) * nearest_float32(exact),
    )


def parse_rows(data, separator, columns, n_cells, n_rows, *, blank=False, wide=False):
    """Status, row, column, and rows read before any fault: float64, then float32 unless `wide`."""
    ends = re.compile(rb"\r?\r?\n|\r?\r?\Z")
    blanks = b" " if separator == 9 else b" \t"
    done, at = [], 0
    while at < len(data):
        if len(done) == n_rows:
            return NO_ROOM, len(done), 0, done
        end = ends.search(data, at)
        line, at = data[at : end.start()], end.end()
        cells = line.split(bytes([separator])) if separator else re.findall(rb"[^ \t]+", line)
        values = []
        for column in range(n_cells):
            if column >= len(cells):
                return WRONG_CELLS, len(done), column, done
            cell = cells[column].strip(blanks)
            if column not in columns:
                if re.search(rb"[\x00-\x1f]", cell) or (blank and cell):
                    return NOT_PLAIN, len(done), column, done
                continue
            status, known = number(cell)
            narrow = known and values and not wide
            if narrow and halfway(float(known[0])) and float(known[0]) != known[0]:
                status = NEAR_TIE
            if status != OK:
                return status, len(done), column, done
            values.append(known[2] if narrow else known[1])
        if len(cells) > n_cells:
            return WRONG_CELLS, len(done), n_cells, done
        done.append(values)
    return OK, -1, -1, done
