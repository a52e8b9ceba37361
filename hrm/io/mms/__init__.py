"""Laborie/MMS CSV, as the vendor writes it and as a spreadsheet saves it again.

What is known about the layout was seen in real exports. P1 is the most distal
sensor, Pn the most proximal; the file names the patient but no sensor position.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hrm.io import _lines, _raw, _text
from hrm.io._lines import Rows
from hrm.io._registry import Match, ReadOptions, Sniff
from hrm.io._source import Source
from hrm.io._stream import read_stream
from hrm.io._variants import Variant
from hrm.io.mms.columns import has_catheter_column
from hrm.io.mms.header import HEADER_CELL, MAX_PREAMBLE, NAME, Header, parse_header
from hrm.io.mms.labels import names_catheter, split_rows
from hrm.io.mms.samples import MmsStream

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["MmsReader"]


class MmsReader:
    """Reader of Laborie/MMS CSV exports."""

    name = NAME
    vendor = "Laborie/MMS"
    suffixes: tuple[str, ...] = (".csv", ".txt")
    description = "Solar GI HRM export: preamble Name=, Channels=, Sf=, Min=, Max=, then samples"
    variants = (
        Variant("vendor's export", "file", "comma and blank; P1 is the most distal sensor"),
        Variant("saved again by a spreadsheet", "file", "padded rows, Big5, columns of events"),
        Variant("with results", "file", "Contraction vigor and pattern, on the rows of events"),
        Variant(
            "with a table of results", "code", "ws_10_... from the first row down, catheter_type"
        ),
        Variant("colonic", "code", "40 pressures at 10 Hz; read, the metrics are of the esophagus"),
    )

    def sniff(self, head: bytes, source: Source) -> Sniff:  # noqa: ARG002 - the content decides
        """Judge by the first cell and the header row."""
        lines = [line.strip().strip('"') for line in _lines.sniff_lines(head)[:MAX_PREAMBLE]]
        keyed = any(line.casefold().startswith(("name=", "channels=", "sf=")) for line in lines[:8])
        table = any(line.casefold().startswith(HEADER_CELL) for line in lines)
        if keyed and table:
            return Sniff(Match.YES, "preamble and a 'Sample number' header")
        if keyed:
            return Sniff(Match.MAYBE, "a preamble, but no 'Sample number' header")
        return Sniff(Match.NO, "the first cell is not 'Name=' and no preamble row follows")

    def peek(self, source: Source) -> dict[str, Any]:
        """Describe the file from its two ends."""
        head, tail = _lines.read_ends(source, reader=NAME)
        header = parse_header(head, keep_phi=False)
        first = _first_cell(head[header.first_line - 1 :], header.separator)
        # A cut last row, or the preamble in a file without samples, says nothing.
        whole = [row for row in tail or () if row.count(header.separator) >= len(header.channels)]
        last = _first_cell(whole[::-1], header.separator)
        return _raw.peek_result(
            name=NAME,
            n_sensors=header.n_pressure,
            rate_hz=header.rate_hz,
            n_samples=_n_samples(first, last),
            first_time_s=None if first is None else first / header.rate_hz,
            has_impedance=False,
            needs_catheter=not _names_catheter(head, header),
            size=source.size,
        )

    def stream(self, source: Source, options: ReadOptions) -> MmsStream:
        """Read the preamble, and give the samples as they are asked for."""
        return MmsStream(source, options)

    def read(self, source: Source, options: ReadOptions) -> xr.DataTree:
        """Read the whole file into a validated study."""
        return read_stream(self.stream(source, options), options)


def _names_catheter(head: list[bytes], header: Header) -> bool:
    """Whether the first row of samples names a known catheter, as far as one line can tell."""
    rows = Rows(header.first_line, b"\n".join(head[header.first_line - 1 : header.first_line]))
    if not has_catheter_column(header) or not rows.data:
        return False
    return names_catheter(split_rows(rows, header, 0)[1], header)


def _n_samples(first: float | None, last: float | None) -> int | None:
    return (
        int(last - first) + 1 if first is not None and last is not None and last >= first else None
    )


def _first_cell(lines: list[bytes], separator: bytes) -> float | None:
    return _text.parse_number(lines[0].split(separator)[0]) if lines else None
