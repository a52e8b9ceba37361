"""Text as complete lines that a numeric parser can trust, block by block.

Vendors write UTF-8, Big5, cp1252 and UTF-16, with every kind of line end. All of them
become ASCII-compatible bytes with line feeds here, once, whatever the size of the blocks.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from hrm.errors import CorruptFileError
from hrm.io._source import HEAD_BYTES, Source

#: Bytes of text that are handled at a time.
BLOCK_BYTES = 8 << 20
#: Longest line: ten thousand columns take a tenth of it.
MAX_LINE_BYTES = 1 << 20

_MAX_BLANK_BYTES = 1 << 20
_BINARY = bytes(byte for byte in range(32) if byte not in b"\t\n\r\x0c\x1a")
#: What is looked at for UTF-16 without a byte order mark.
_PROBE_BYTES = 64


class Rows(NamedTuple):
    """Complete lines; the very last of a file may lack its line feed.

    `first_line` is the 1-based number of the first of them in the file.
    """

    first_line: int
    data: bytes

    @property
    def n_rows(self) -> int:
        """Number of lines."""
        return self.data.count(b"\n") + (not self.data.endswith(b"\n"))

    def lines(self) -> list[bytes]:
        """Return the lines without their ends."""
        return split_lines(self.data)


class Normalizer:
    """Bring bytes to one form: ASCII-compatible, no byte order mark, line feeds.

    Where the bytes are cut into parts makes no difference.
    """

    def __init__(self, *, reader: str) -> None:
        self._reader = reader
        self._begun = False
        self._waiting = b""
        self._decoder: codecs.IncrementalDecoder | None = None
        self._offset = 0
        self._returns = b""

    @property
    def is_utf16(self) -> bool:
        """Whether the text was UTF-16, and is UTF-8 now."""
        return self._decoder is not None

    def feed(self, raw: bytes, *, last: bool = False) -> bytes:
        """Take the next part, and give what of it is settled; all of it after the `last`.

        Raises
        ------
        CorruptFileError
            If it holds control bytes that no text has, or cannot be UTF-16.
        """
        if not self._begun:
            self._waiting += raw
            if len(self._waiting) < _PROBE_BYTES and not last:
                return b""
            self._begun, raw = True, self._waiting
            data = self._begin(raw, last=last)
        else:
            data = self._decoded(raw, last=last) if self._decoder else raw
        self._check_text(data)
        return self._with_line_feeds(self._returns + data, last=last)

    def _begin(self, raw: bytes, *, last: bool) -> bytes:
        codec = utf16_codec(raw)
        if codec is None:
            return raw.removeprefix(codecs.BOM_UTF8)
        self._decoder = codecs.getincrementaldecoder(codec)("replace")
        return self._decoded(raw, last=last).removeprefix(codecs.BOM_UTF8)

    def _decoded(self, raw: bytes, *, last: bool) -> bytes:
        text = "" if self._decoder is None else self._decoder.decode(raw, last)
        # The text of a decoding error quotes the bytes, hence nothing is chained to it.
        if "\ufffd" in text:
            raise CorruptFileError(
                "expected UTF-16 text, found bytes that are not; the file is cut or damaged",
                reader=self._reader,
            )
        return text.encode("utf-8")

    def _check_text(self, data: bytes) -> None:
        if len(data.translate(None, _BINARY)) != len(data):
            at = next(at for at, byte in enumerate(data) if byte in _BINARY)
            raise CorruptFileError(
                "expected text, found a control byte; the file is binary or damaged: "
                "export it again",
                reader=self._reader,
                where=f"byte {self._offset + at}",
            )
        self._offset += len(data)

    def _with_line_feeds(self, data: bytes, *, last: bool) -> bytes:
        # Up to two returns belong to a line feed that may come with the next part. A third
        # is held, because of three before a line feed the first has no line of its own.
        n_returns = len(data) - len(data.rstrip(b"\r"))
        keep = len(data) if last else len(data) - min(3, n_returns)
        data, self._returns = data[:keep], data[keep:]
        if b"\r" not in data:
            return data
        return data.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")


class EncodingGuess:
    """Guess how text cells are encoded: UTF-8, cp950 (Big5) or cp1252.

    Numbers are ASCII in all of them, so a wrong guess can spoil a note only.
    """

    def __init__(self) -> None:
        self._ascii = self._utf8 = self._cp950 = True
        self._pairs = self._high = 0

    def add(self, lines: bytes) -> None:
        """Look at further whole lines."""
        if lines.isascii():
            return
        self._ascii = False
        self._utf8 = self._utf8 and _decodes(lines, "utf-8")
        self._cp950 = self._cp950 and _decodes(lines, "cp950")
        # In Big5 most second bytes are high too; in cp1252 a high byte stands alone.
        pairs = re.findall(rb"[\x81-\xfe][\x40-\x7e\xa1-\xfe]", lines)
        self._pairs += len(pairs)
        self._high += sum(pair[1] >= 0xA1 for pair in pairs)

    @property
    def name(self) -> str:
        """The encoding that the lines so far are taken for."""
        if self._ascii or self._utf8:
            return "ascii" if self._ascii else "utf-8"
        big5 = self._cp950 and self._pairs and self._high >= 0.3 * self._pairs
        return "cp950" if big5 else "cp1252"


class Lines:
    """Lines of a text source, one by one or in blocks.

    `number` is the 1-based number of the line that comes next. `encoding` is a guess from
    what was read so far, and final at the end.
    """

    def __init__(self, source: Source, *, reader: str) -> None:
        self.number = 1
        self._reader = reader
        self._stream = _open(source)
        self._normalizer = Normalizer(reader=reader)
        self._guess = EncodingGuess()
        self._lines = b""
        self._at = 0
        self._cut = b""
        self._ended = False

    @property
    def encoding(self) -> str:
        """How the text cells are encoded."""
        return "utf-8" if self._normalizer.is_utf16 else self._guess.name

    def line(self) -> bytes | None:
        """Take the next line without its end; None after the last."""
        if not self._left() and not self._fill():
            return None
        stop = self._lines.find(b"\n", self._at)
        stop = len(self._lines) if stop < 0 else stop
        line = self._lines[self._at : stop]
        self._at = min(stop + 1, len(self._lines))
        self.number += 1
        return line

    def ahead(self, n: int) -> list[bytes]:
        """Look at up to `n` next lines without taking them."""
        while self._lines.count(b"\n", self._at) < n and self._fill():
            pass
        lines = self._lines[self._at :].split(b"\n", n)
        return lines[:n] if lines[-1] else lines[:-1][:n]

    def blocks(self) -> Iterator[Rows]:
        """Take the rest, in blocks of whole lines."""
        while self._left() or self._fill():
            rows = Rows(self.number, self._lines[self._at :])
            self._lines, self._at = b"", 0
            self.number += rows.n_rows
            yield rows

    def _left(self) -> int:
        return len(self._lines) - self._at

    def _fill(self) -> bool:
        """Read on until there is a further line; False at the end of the file."""
        parts = [self._cut]
        while not self._ended:
            raw = self._stream.read(BLOCK_BYTES)
            self._ended = not raw
            data = self._normalizer.feed(raw, last=self._ended)
            stop = len(data) if self._ended else data.rfind(b"\n") + 1
            if stop or self._ended:
                return self._settle(b"".join([*parts, data[:stop]]), data[stop:])
            parts.append(data)
            self._check_length(sum(map(len, parts)))
        return False

    def _settle(self, lines: bytes, cut: bytes) -> bool:
        self._check_length(len(cut))
        self._cut = cut
        self._guess.add(lines)
        self._lines, self._at = self._lines[self._at :] + lines, 0
        if self._ended:
            self._stream.close()
        return bool(lines)

    def _check_length(self, n_bytes: int) -> None:
        if n_bytes > MAX_LINE_BYTES:
            raise CorruptFileError(
                f"expected lines, found one of more than {MAX_LINE_BYTES} bytes; "
                "the file is no recording, or is damaged",
                reader=self._reader,
                where=f"line {self.number + self._lines.count(10, self._at)}",
            )


def _open(source: Source) -> BinaryIO:
    return source.open()


def split_lines(data: bytes) -> list[bytes]:
    """Lines without their ends; a complete last line leaves no empty one."""
    lines = data.split(b"\n")
    return lines[:-1] if not lines[-1] else lines


def without_blank_end(
    blocks: Iterable[Rows], *, separator: bytes = b"", reader: str
) -> Iterator[Rows]:
    """Leave out the empty lines at the end of a file (or those of separators only).

    Empty lines elsewhere stay, for the parser to refuse.
    """
    blank = b" \t\n" + separator
    held: Rows | None = None
    for rows in blocks:
        whole = rows if held is None else Rows(held.first_line, held.data + rows.data)
        n_bytes = len(whole.data.rstrip(blank))
        stop = whole.data.find(b"\n", n_bytes) + 1 if n_bytes else 0
        stop = stop or (len(whole.data) if n_bytes else 0)
        kept = Rows(whole.first_line, whole.data[:stop])
        rest = whole.data[stop:]
        if len(rest) > _MAX_BLANK_BYTES:
            raise CorruptFileError(
                "found blank lines without end; the file is damaged: export it again",
                reader=reader,
                where=f"line {whole.first_line + kept.data.count(10)}",
            )
        held = Rows(whole.first_line + kept.data.count(10), rest) if rest else None
        if kept.data:
            yield kept


def read_ends(source: Source, *, reader: str) -> tuple[list[bytes], list[bytes] | None]:
    """Read the lines of the two ends of a text, cut lines left out.

    Returns
    -------
    head, tail : list of bytes
        Complete lines of the first and of the last 64 KB; the tail is the same list when
        the text is no longer than that, and None when only unpacking all of it leads there.
    """
    head = source.head(HEAD_BYTES)
    size = source.size
    whole = size is not None and size <= HEAD_BYTES
    # UTF-16 can be cut at even places only.
    tail = None if size is None else source.tail(size - max(0, size - HEAD_BYTES) // 2 * 2)
    codec = utf16_codec(head)
    if codec:
        head = head.decode(codec, "ignore").encode("utf-8", "replace")
        tail = None if tail is None else tail.decode(codec, "ignore").encode("utf-8", "replace")
    first = split_lines(as_text(head, reader=reader))
    if whole or tail is None:
        return (first, first) if whole else (first[:-1], None)
    return first[:-1], split_lines(as_text(tail, reader=reader))[1:]


def as_text(raw: bytes, *, reader: str) -> bytes:
    """Bring bytes at hand to one form, as `Normalizer` does."""
    return Normalizer(reader=reader).feed(raw, last=True)


def sniff_lines(head: bytes) -> list[str]:
    """Lines of a file's head for a sniffer: never raises, empty if binary."""
    codec = utf16_codec(head)
    text = head.decode(codec or "latin-1", "ignore")
    if not codec and head.startswith(codecs.BOM_UTF8):
        text = head[3:].decode("latin-1")
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        return []
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def utf16_codec(data: bytes) -> str | None:
    """Codec of a text that begins like UTF-16; None of any other."""
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16-le" if data[:2] == codecs.BOM_UTF16_LE else "utf-16-be"
    sample = data[:_PROBE_BYTES]
    if len(sample) < 8:
        return None
    # Without a byte order mark: vendor headers are ASCII, so every other byte is 0.
    if not any(sample[1::2]) and all(sample[::2]):
        return "utf-16-le"
    if not any(sample[::2]) and all(sample[1::2]):
        return "utf-16-be"
    return None


def guess_encoding(data: bytes) -> str:
    """Guess how the text cells of whole lines are encoded."""
    guess = EncodingGuess()
    guess.add(data)
    return guess.name


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
