"""Text files as bytes that a numeric parser can trust.

Vendors write UTF-8, Big5, cp1252 and UTF-16, with every kind of line end. All of
them become ASCII-compatible bytes with a line feed here, once, and `parse_block` turns
rows of them into numbers: it either reads every cell or names the first bad one.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hrm.errors import CorruptFileError

HEAD_BYTES = 64 * 1024

_NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[nN][aA][nN]")
_NUMERIC_BYTES = b"0123456789+-.eEnNaA,; \t\n"
_BINARY = bytes(byte for byte in range(32) if byte not in b"\t\n\r\x0c\x1a")


@dataclass(frozen=True, slots=True)
class TextFile:
    """Content of a text file: ASCII-compatible, no byte order mark, line feeds only."""

    data: bytes
    encoding: str
    sha256: str

    def lines(self) -> list[bytes]:
        """Lines without their ends; a complete last line leaves no empty one."""
        lines = self.data.split(b"\n")
        return lines[:-1] if lines and not lines[-1] else lines

    @property
    def complete_last_line(self) -> bool:
        """Whether the last line has its line end."""
        return self.data.endswith(b"\n")


@dataclass(frozen=True, slots=True)
class BlockLayout:
    """Where the numbers of a block sit.

    `separator` None is any run of white space. `columns` are the positions to
    read, `n_cells` the number of cells that every row has, `first_line` the
    1-based line of the first row in the file.
    """

    separator: bytes | None
    columns: tuple[int, ...]
    n_cells: int
    first_line: int


def load_text(path: Path, *, reader: str) -> TextFile:
    """Read a text file whole.

    Raises
    ------
    CorruptFileError
        If it holds bytes that no text has.
    """
    raw = path.read_bytes()
    return as_text(raw, reader=reader, sha256=hashlib.sha256(raw).hexdigest())


def as_text(raw: bytes, *, reader: str, sha256: str = "") -> TextFile:
    """Bring bytes to one form: ASCII-compatible, no byte order mark, line feeds.

    Raises
    ------
    CorruptFileError
        If they hold control bytes that no text has, or cannot be UTF-16.
    """
    data, encoding = _without_utf16(raw, reader)
    at = _first_binary_byte(data)
    if at is not None:
        raise CorruptFileError(
            "expected text, found a control byte; the file is binary or damaged: export it again",
            reader=reader,
            where=f"byte {at}",
        )
    data = data.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return TextFile(data, encoding or guess_encoding(data), sha256)


def read_ends(path: Path, *, reader: str) -> tuple[list[bytes], list[bytes], int]:
    """Read the lines of the two ends of a file, cut lines left out.

    Returns
    -------
    head, tail : list of bytes
        Complete lines of the first and of the last 64 KB; the tail is the same
        list when the file is no longer than that.
    size : int
        Bytes of the file.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
        stream.seek(max(0, size - HEAD_BYTES) // 2 * 2)
        tail = stream.read(HEAD_BYTES + 1)
    utf16 = _utf16_codec(head)
    if utf16:
        head = head.decode(utf16, "ignore").encode("utf-8", "replace")
        tail = tail.decode(utf16, "ignore").encode("utf-8", "replace")
    head_lines = as_text(head, reader=reader).lines()
    tail_lines = as_text(tail, reader=reader).lines()
    if size <= HEAD_BYTES:
        return head_lines, head_lines, size
    return head_lines[:-1], tail_lines[1:], size


def head_lines(head: bytes) -> list[str]:
    """Lines of a file's head for a sniffer: never raises, empty if binary."""
    codec = _utf16_codec(head)
    text = head.decode(codec or "latin-1", "ignore")
    if not codec and head.startswith(codecs.BOM_UTF8):
        text = head[3:].decode("latin-1")
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        return []
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _utf16_codec(data: bytes) -> str | None:
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16-le" if data[:2] == codecs.BOM_UTF16_LE else "utf-16-be"
    sample = data[:64]
    if len(sample) < 8:
        return None
    # Without a byte order mark: vendor headers are ASCII, so every other byte is 0.
    if not any(sample[1::2]) and all(sample[::2]):
        return "utf-16-le"
    if not any(sample[::2]) and all(sample[1::2]):
        return "utf-16-be"
    return None


def _without_utf16(raw: bytes, reader: str) -> tuple[bytes, str]:
    codec = _utf16_codec(raw)
    if codec is None:
        return raw.removeprefix(codecs.BOM_UTF8), ""
    # The text of a decoding error quotes the bytes, hence nothing is chained to it.
    text = raw.decode(codec, "replace")
    if "\ufffd" in text:
        raise CorruptFileError(
            "expected UTF-16 text, found bytes that are not; the file is cut or damaged",
            reader=reader,
        )
    return text.removeprefix("\ufeff").encode("utf-8"), "utf-8"


def _first_binary_byte(data: bytes) -> int | None:
    if len(data.translate(None, _BINARY)) == len(data):
        return None
    return next(at for at, byte in enumerate(data) if byte in _BINARY)


def guess_encoding(data: bytes) -> str:
    """Guess how the text cells are encoded: UTF-8, cp950 (Big5) or cp1252.

    Numbers are ASCII in all of them, so a wrong guess can spoil a note only.
    """
    if data.isascii():
        return "ascii"
    if _decodes(data, "utf-8"):
        return "utf-8"
    return "cp950" if _looks_big5(data) and _decodes(data, "cp950") else "cp1252"


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _looks_big5(data: bytes) -> bool:
    # In Big5 most second bytes are high too; in cp1252 a high byte stands alone.
    pairs = re.findall(rb"[\x81-\xfe][\x40-\x7e\xa1-\xfe]", data)
    high = sum(pair[1] >= 0xA1 for pair in pairs)
    return bool(pairs) and high >= 0.3 * len(pairs)


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


def parse_block(lines: Sequence[bytes], layout: BlockLayout, *, reader: str) -> NDArray[np.float64]:
    """Read rows of numbers, every cell or none.

    Parameters
    ----------
    lines : sequence of bytes
        The rows, as from `TextFile.lines`.
    layout : BlockLayout
        Separator, columns to read, cells per row, line of the first row.
    reader : str
        Name of the reader, for errors.

    Returns
    -------
    array (row, column) float64
        NaN only where the file says NaN.

    Raises
    ------
    CorruptFileError
        Naming line and column of the first cell that is not a finite number or
        NaN, or the first row with too few or too many cells.
    """
    _check_cells(lines, layout, reader)
    clean = _decimal_points(lines, layout.separator)
    values = None if clean is None else _fast_parse(clean, layout)
    # Outside any except block: numpy's message quotes the cell, and must not be chained.
    if values is None:
        raise _first_bad_cell(lines, layout, reader)
    return values


def _check_cells(lines: Sequence[bytes], layout: BlockLayout, reader: str) -> None:
    for number, line in enumerate(lines, layout.first_line):
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


def _decimal_points(lines: Sequence[bytes], separator: bytes | None) -> list[str] | None:
    """Rows with decimal points, or None if a byte of them cannot be of a number."""
    block = b"\n".join(lines)
    if block.translate(None, _NUMERIC_BYTES):
        return None
    if separator != b"," and b"," in block:
        if b"." in block or re.search(rb",(?!\d)", block):
            return None
        block = block.replace(b",", b".")
    return block.decode("ascii").split("\n")


def _fast_parse(lines: list[str], layout: BlockLayout) -> NDArray[np.float64] | None:
    separator = None if layout.separator is None else layout.separator.decode("ascii")
    try:
        values: NDArray[np.float64] = np.loadtxt(
            lines, delimiter=separator, usecols=layout.columns, comments=None, ndmin=2
        )
    except ValueError:
        return None
    usable = values.shape == (len(lines), len(layout.columns)) and not np.isinf(values).any()
    return values if usable else None


def _first_bad_cell(lines: Sequence[bytes], layout: BlockLayout, reader: str) -> CorruptFileError:
    comma = layout.separator != b"," and not any(b"." in line for line in lines)
    for number, line in enumerate(lines, layout.first_line):
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
        where=f"lines {layout.first_line} to {layout.first_line + len(lines) - 1}",
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
