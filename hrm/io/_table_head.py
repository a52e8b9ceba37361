"""What the first lines of a table show: where its numbers begin, and whether texts are among them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hrm.io import _lines
from hrm.io._table_columns import NOT_FOUND, separator_of
from hrm.io._text import parse_number
from hrm.io.layout import SEPARATORS

_LOOKED_AT = 6
_FEWEST_COLUMNS = 3
#: Lines of text that may stand above the numbers, and rows of numbers that show that they begin.
_MOST_TEXT_LINES = 60
_FEWEST_ROWS = 3
#: Columns of numbers for one of texts, at the least: lists of patients have more texts.
_NUMBERS_A_TEXT = 3
#: A first line that names a format, as ``#TALLY 1`` or ``%HEADER`` do.
_SIGNATURE = re.compile(r"[#%!@$&*]+ ?[A-Za-z]{2}")


@dataclass(frozen=True, slots=True)
class TableHead:
    """The begin of a table.

    `n_above` counts the lines above the first row of numbers; `separator` is the layout file's
    word for it if `texts`, the numbers of columns from 1 that hold texts or nothing, is not
    empty; `signature` says whether the first line begins as if it named a format.
    """

    n_above: int
    texts: tuple[int, ...] = ()
    separator: str = ""
    signature: bool = False

    @property
    def in_layout(self) -> str:
        """What a layout file has to say of it, in its words; empty if it sees that itself."""
        said = [f"header_lines = {self.n_above}"] if self.n_above > 1 or self.texts else []
        if self.texts:
            said.insert(0, f'separator = "{self.separator}"')
        return ", ".join(said)


def table_head(head: bytes) -> TableHead | None:
    """Look for rows of numbers, with few columns of texts at most.

    Parameters
    ----------
    head : bytes
        The first bytes of a file.

    Returns
    -------
    TableHead or None
        None if it holds no such rows.
    """
    lines = [line.encode("utf-8", "replace") for line in _lines.sniff_lines(head)]
    rows = [line for line in lines[:_LOOKED_AT] if line.strip()]
    if len(rows) < 2:
        return None
    signed = bool(_SIGNATURE.match(lines[0].decode("latin-1")))
    begin = rows[1:2] if len(rows) == 2 else rows[1:-1]
    if _is_numeric(begin):
        return TableHead(0 if _is_numeric(rows[:1]) else 1, signature=signed)
    if found := _with_texts(begin):
        own = _with_texts(rows[:1])
        is_row = _is_numeric(rows[:1]) or (own is not None and set(own[0]) <= set(found[0]))
        return TableHead(0 if is_row else 1, *found, signed)
    for n_above in range(2, min(_MOST_TEXT_LINES, len(lines) - _FEWEST_ROWS) + 1):
        begin = lines[n_above : n_above + _FEWEST_ROWS]
        if _is_numeric(begin):
            return TableHead(n_above, signature=signed)
        if found := _with_texts(begin):
            # A row with texts in other columns is no line above the table.
            return (
                None
                if _with_texts(lines[n_above - 1 : n_above])
                else TableHead(n_above, *found, signed)
            )
    return None


def _is_numeric(rows: Sequence[bytes]) -> bool:
    """Whether all rows are numbers, as many in each; the first and last lines are not judged."""
    separator = separator_of(rows[0])
    if separator == NOT_FOUND:
        return False
    cells = [row.replace(b'"', b"").split(separator) for row in rows]
    return len({len(row) for row in cells}) == 1 and all(
        len(row) >= _FEWEST_COLUMNS and not re.search(rb"[^0-9+\-.,;eEnNaA \t]", b"".join(row))
        for row in cells
    )


def _with_texts(rows: Sequence[bytes]) -> tuple[tuple[int, ...], str] | None:
    """Columns of texts among those of numbers, and the separator; None if these are no such rows."""
    for word, separator in SEPARATORS.items():
        if separator is None:
            continue
        cells = [row.replace(b'"', b"").split(separator) for row in rows]
        if len({len(row) for row in cells}) != 1:
            continue
        texts = tuple(
            number
            for number, column in enumerate(zip(*cells, strict=True), 1)
            if not _is_of_numbers(column, separator)
        )
        n_numbers = len(cells[0]) - len(texts)
        if texts and n_numbers >= max(_FEWEST_COLUMNS, _NUMBERS_A_TEXT * len(texts)):
            return texts, word
    return None


def _is_of_numbers(column: Sequence[bytes], separator: bytes) -> bool:
    """Whether a column holds numbers, and else only what often stands where one is missing."""
    cells = [cell for cell in column if cell.strip().upper() not in _MISSING]
    return bool(cells) and all(_is_number(cell, separator) for cell in cells)


_MISSING = frozenset((b"", b"NA", b"N/A", b"-", b"*"))


def _is_number(cell: bytes, separator: bytes) -> bool:
    return parse_number(cell) is not None and (separator != b"," or b"," not in cell)
