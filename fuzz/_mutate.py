"""Mutations that know rows and cells, header fields, and packed files.

Plain bytes hardly get past a header; these keep most of a file whole and spoil one thing.
"""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from collections.abc import Callable

_ENDS = (b"\n", b"\r\n", b"\r", b"\r\r\n", b"\n\r", b"\x0b", b"\x0c", b"\x1a")
_SEPARATORS = (b"\t", b";", b", ", b",", b"  ", b" ")
_CELLS = (
    *(b"", b" ", b"0", b"-0", b"1", b"2", b"100", b"0.01", b"-1.5", b"1,5", b"1.5.5", b"1e308"),
    *(b"-1e308", b"1e309", b"1e-320", b"NaN", b"nan", b"inf", b"-inf", b"0x10", b"1_0", b"+"),
    *(b"9" * 25, b"9" * 400, b"1e5", b"100001", b"2147483648", b"9007199254740993", b'"', b'"1"'),
    *(b'"1, 2"', b"\xff", b"\xff\xfe", b"\0", b"\xa4@", b"\xc3\xa4", b"\xa0", b"DOE JANE 1961"),
)


def text_mutator(tokens: tuple[bytes, ...]) -> Callable[[bytes, random.Random], bytes]:
    """Make a mutator of tables as text; `tokens` are words of the format."""

    def mutate(data: bytes, rng: random.Random) -> bytes:
        if not data:
            return data
        if rng.random() < 0.03:
            return bytes([rng.randrange(256)]) + data[1:]
        return data[:1] + rng.choice(_TEXT)(data[1:], rng, tokens)

    return mutate


def _of_lines(data: bytes, rng: random.Random, tokens: tuple[bytes, ...]) -> bytes:
    lines = data.split(b"\n")
    at, to = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(6)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(to, lines[at])
    elif kind == 2:
        lines[at], lines[to] = lines[to], lines[at]
    elif kind == 3:
        lines.insert(to, rng.choice((b"", b"\t\t", b" ", rng.choice(tokens + _CELLS))))
    elif kind == 4:
        lines[at] = lines[at][: rng.randrange(len(lines[at]) + 1)]
    else:
        lines[at : at + 1] = [lines[at]] * rng.randrange(2, 9)
    return b"\n".join(lines)


def _of_cells(data: bytes, rng: random.Random, tokens: tuple[bytes, ...]) -> bytes:
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    separator = max(_SEPARATORS, key=lambda mark: (lines[at].count(mark), len(mark)))
    cells = lines[at].split(separator)
    k = rng.randrange(len(cells))
    kind = rng.randrange(6)
    if kind == 0:
        del cells[k]
    elif kind == 1:
        cells.insert(k, rng.choice(tokens + _CELLS))
    elif kind == 2:
        separator = rng.choice(_SEPARATORS)
    else:
        cells[k] = rng.choice(tokens if kind == 3 else _CELLS)
    lines[at] = separator.join(cells)
    return b"\n".join(lines)


def _of_column(data: bytes, rng: random.Random, tokens: tuple[bytes, ...]) -> bytes:
    """Remove, double or fill a column in every line that has it."""
    lines = data.split(b"\n")
    separator = max(_SEPARATORS, key=lambda mark: (data.count(mark), len(mark)))
    k, kind, cell = rng.randrange(12), rng.randrange(3), rng.choice(tokens + _CELLS)
    out = []
    for line in lines:
        cells = line.split(separator)
        if k < len(cells):
            cells[k : k + 1] = ([], cells[k : k + 1] * 2, [cell])[kind]
        out.append(separator.join(cells))
    return b"\n".join(out)


def _of_ends(data: bytes, rng: random.Random, tokens: tuple[bytes, ...]) -> bytes:  # noqa: ARG001 - as the others
    end = rng.choice(_ENDS)
    plain = data.replace(b"\r\n", b"\n")
    if rng.random() < 0.5:
        return plain.replace(b"\n", end)
    return plain.replace(b"\n", end, rng.randrange(1, 6))


def _of_encoding(data: bytes, rng: random.Random, tokens: tuple[bytes, ...]) -> bytes:  # noqa: ARG001 - as the others
    kind = rng.randrange(5)
    if kind == 0:
        return b"\xef\xbb\xbf" + data
    if kind == 1:
        return b"\xff\xfe" + data.decode("latin-1").encode("utf-16-le")
    if kind == 2:
        return data.decode("latin-1").encode("utf-16-be")
    if kind == 3:
        return data.replace(b".", b",")
    return data.replace(b",", b".")


def _of_bytes(data: bytes, rng: random.Random, tokens: tuple[bytes, ...]) -> bytes:
    at = rng.randrange(len(data) + 1)
    kind = rng.randrange(4)
    if kind == 0:
        return data[:at]
    if kind == 1:
        return data[:at] + data[at + rng.randrange(1, 40) :]
    if kind == 2:
        return data[:at] + rng.choice(tokens + _CELLS) + data[at:]
    return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]


_TEXT = (_of_cells, _of_cells, _of_cells, _of_lines, _of_lines, _of_column, _of_ends, _of_encoding)
_TEXT += (_of_bytes, _of_bytes)

#: Widths of the fields of an EDF header: once, and for each signal.
_FIXED = (8, 80, 80, 8, 8, 8, 44, 8, 8, 4)
_EACH = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
_FIELDS = (
    *(b"", b"0", b"-1", b"1", b"2", b"3", b"0.02", b"1e9", b"-32768", b"32767", b"32768", b"nan"),
    *(b"inf", b"1e308", b"-1e-30", b"1e-30", b"99999999", b"+1", b"1.0", b" 1", b"mmHg", b"MMHG"),
    *(b"kPa", b"ohm", b"cmH2O", b"P1", b"p 01", b"P2", b"EDF Annotations", b"EDF+C", b"EDF+D"),
    *(b"1,5", b"\xb5V", b"512", b"0x1", b"1_0", b"\0"),
)
_TALS = (
    *(b"+0\x14\x14\0", b"+1\x14\x14\0", b"+5\x14\x14\0", b"-1\x14\x14\0", b"+0.5\x1510\x14a\x14\0"),
    *(
        b"+999999999999\x14\x14\0",
        b"+1e5\x14\x14\0",
        b"\x14\x14\0",
        b"+0\x14\xff\x14\0",
        b"+0",
        b"\0",
    ),
)


def edf_mutator(data: bytes, rng: random.Random) -> bytes:
    """Spoil a field of the header, the records, or the annotations of an EDF file."""
    if len(data) < 257:
        return data + b" " * (257 - len(data))
    kind = rng.random()
    if kind < 0.03:
        return bytes([rng.randrange(256)]) + data[1:]
    if kind < 0.6:
        return _with_field(data, rng)
    body = bytearray(data)
    if kind < 0.75:
        return bytes(body[: rng.randrange(1, len(body) + 1)])
    at = rng.randrange(1, len(body))
    if kind < 0.9:
        tal = rng.choice(_TALS)
        places = [k for k in range(257, len(body)) if body[k] in b"\x14+"] or [at]
        at = rng.choice(places)
        body[at : at + len(tal)] = tal
    else:
        body[at] = rng.randrange(256)
    return bytes(body)


def _with_field(data: bytes, rng: random.Random) -> bytes:
    count = data[253:257].strip()
    n_signals = min(int(count), 40) if count.isdigit() and len(count) < 4 else 1
    widths = [*_FIXED, *(width for width in _EACH for _ in range(n_signals))]
    k = rng.randrange(len(widths))
    start = 1 + sum(widths[:k])
    return (
        data[:start] + rng.choice(_FIELDS)[: widths[k]].ljust(widths[k]) + data[start + widths[k] :]
    )


def packed_mutator(data: bytes, rng: random.Random) -> bytes:
    """Spoil a packed file, or pack what it holds anew in an odd way."""
    if len(data) < 2:
        return data + b"PK"
    kind = rng.random()
    body = bytearray(data)
    at = rng.randrange(1, len(body))
    if kind < 0.03:
        return bytes([rng.randrange(256)]) + data[1:]
    if kind < 0.35:
        for _ in range(rng.choice((1, 1, 2, 6))):
            body[rng.randrange(1, len(body))] = rng.choice((0, 1, 255, rng.randrange(256)))
        return bytes(body)
    if kind < 0.5:
        return bytes(body[:at])
    if kind < 0.65:
        marks = [k for k in range(1, len(body) - 1) if body[k : k + 2] == b"PK"] or [at]
        place = rng.choice(marks) + rng.randrange(46)
        body[place : place + 4] = rng.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x01\0\0\0"))
        return bytes(body)
    if kind < 0.8:
        return data[:1] + data[1 : at + 1] + data[1:]
    return data[:1] + _packed(data[1:], rng)


def _packed(content: bytes, rng: random.Random) -> bytes:
    inner = rng.choice((content[:300], b"1,2,3\n" * 9, b"\0" * 5000, b"", b"0" * 100_000))
    if rng.random() < 0.4:
        one = gzip.compress(inner, mtime=0)
        return one * rng.choice((1, 2, 3)) + rng.choice((b"", b"\0" * 9, b"x"))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(rng.choice((0, 1, 1, 2))):
            name = rng.choice(
                ("a.csv", "b/", "DOE JANE.txt", "__MACOSX/a", "ä.csv", "../x", "a" * 300)
            )
            info = zipfile.ZipInfo(name if number == 0 else f"{number}{name}")
            info.compress_type = rng.choice((0, 8, 8, 12, 14))
            archive.writestr(info, inner)
    return out.getvalue()
