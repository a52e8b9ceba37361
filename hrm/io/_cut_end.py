"""The last row of a text, if the file was cut within it: left out where the caller allows it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Iterator

from hrm.errors import CorruptFileError, DataQualityWarning
from hrm.io._lines import Rows
from hrm.io._registry import ReadOptions
from hrm.io._text import BlockLayout

#: Whether the last number of a row without line end is cut, given that row and the one before.
IsCut = Callable[[bytes, bytes], bool]


def fewer_decimals(last: bytes, before: bytes) -> bool:
    """Whether the last numbers of two rows have another count of decimals.

    Examples
    --------
    >>> fewer_decimals(b"1.25,3.2", b"0.75,2.25"), fewer_decimals(b"1,3", b"2,5")
    (True, False)
    """
    return _decimals(last) != _decimals(before)


def without_cut_end(
    blocks: Iterable[Rows],
    layout: BlockLayout,
    options: ReadOptions,
    *,
    reader: str,
    last_number_is_cut: IsCut = fewer_decimals,
) -> Iterator[Rows]:
    """Give the rows of a table, the last of them only if the file was not cut within it.

    Parameters
    ----------
    blocks : iterable of Rows
        Whole lines; the very last may lack its line end.
    layout : BlockLayout
        Says how many cells a whole row has.
    options : ReadOptions
        Its `strictness` decides.
    reader : str
        Name of the reader, for errors.
    last_number_is_cut : callable
        Judges a row that has all its cells, but no line end.

    Raises
    ------
    CorruptFileError
        Unless ``strictness="warn"``; after the rows above were given, so that a fault of
        theirs is told first, whatever the size of the blocks.
    """
    last, line, above = b"", 0, b""
    for rows in blocks:
        # Held back is the last line only, so that a block is not late.
        data = last + rows.data
        first_line = line or rows.first_line
        start = data.removesuffix(b"\n").rfind(b"\n") + 1
        last, line = data[start:], first_line + data.count(b"\n", 0, start)
        if start:
            above = data[data.rfind(b"\n", 0, start - 1) + 1 : start]
            yield Rows(first_line, data[:start])
    if not last:
        return
    fault = _fault(last, above, layout, last_number_is_cut)
    if fault:
        _tell(fault, line, options, reader)
    else:
        yield Rows(line, last)


def _fault(last: bytes, before: bytes, layout: BlockLayout, is_cut: IsCut) -> str:
    """Say why a last row is taken as cut; empty if it is whole."""
    if not last.strip(b' \t\n"'):
        return ""  # no row of numbers, however short; the parser refuses it
    separator = layout.separator
    n_cells = len(last.split()) if separator is None else last.count(separator) + 1
    fewest = layout.columns[-1] + 1 if layout.may_be_short else layout.n_cells
    if n_cells < fewest:
        return f"expected {layout.n_cells} cells, found {n_cells}"
    if before and not last.endswith(b"\n") and is_cut(last, before):
        return "it has no line end, and its last number is not written like those above"
    return ""


def _tell(fault: str, line: int, options: ReadOptions, reader: str) -> None:
    if options.strictness == "raise":
        raise CorruptFileError(
            f"the last row is cut: {fault}; what should follow it is missing too: export the file "
            'again, or read what is there, without this row, with strictness="warn"',
            reader=reader,
            where=f"line {line}",
        )
    warnings.warn(
        f"[{reader}] line {line}: the last row is cut and left out ({fault}); the end of the "
        "recording is missing: export the file again if you can",
        DataQualityWarning,
        stacklevel=4,
    )


def _decimals(row: bytes) -> int:
    """Digits behind the decimal mark of the last number of a row; -1 if it has no mark."""
    found = re.search(rb"[.,](\d*)\s*$", row)
    return len(found.group(1)) if found else -1
