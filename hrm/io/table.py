"""Plain sensor tables: rows of numbers of no vendor's format, described by the user.

Nothing about such a table is assumed: unit, order, rate and positions are said in a layout
file (`hrm.io.layout`) or by options, or the table is not read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hrm.errors import ParameterError
from hrm.io import _lines, _raw
from hrm.io._registry import (
    PLAIN_TABLE,
    Match,
    Reader,
    ReadOptions,
    Sniff,
    all_readers,
)
from hrm.io._source import Source
from hrm.io._stream import read_stream
from hrm.io._table_columns import NOT_FOUND, separator_of
from hrm.io._table_stream import PlainTableStream
from hrm.io._variants import Variant
from hrm.io.layout import with_layout

if TYPE_CHECKING:
    import xarray as xr

_LOOKED_AT = 6
_FEWEST_COLUMNS = 3
#: Lines of text that may stand above the numbers, and rows of numbers that show that they begin.
_MOST_TEXT_LINES = 60
_FEWEST_ROWS = 3
HOW = (
    "a plain table says nothing of unit, order, rate and sensor positions: describe it in a "
    "layout file ('hrm layout --init layout.toml' writes one to fill in; layout=), or "
    "give sampling_rate=, pressure_unit=, channel_order= and "
    "depths= or catheter="
)


class PlainTableReader:
    """Reader of tables of numbers that the user describes."""

    name = PLAIN_TABLE
    vendor = "any"
    suffixes: tuple[str, ...] = (".csv", ".txt", ".tsv", ".dat")
    description = "table of numbers, a column a sensor, described by --layout or by options"
    takes_layout = True
    variants = (
        Variant("described by a layout file", "user", "'hrm layout --init' writes one to fill in"),
        Variant("pressures only, described by options", "user", "rate, unit, order, positions"),
    )

    def sniff(self, head: bytes, source: Source) -> Sniff:
        """Judge by the first rows; whatever another reader claims is no plain table."""
        n_text = _lines_of_text(head)
        if n_text is None:
            return Sniff(Match.NO, f"not rows of {_FEWEST_COLUMNS} or more numbers")
        if any(
            _claims(reader, head, source) for reader in all_readers() if reader.name != self.name
        ):
            return Sniff(Match.NO, "a table, but another reader knows it; layout= reads it here")
        return Sniff(Match.MAYBE, f"rows of numbers{_below(n_text)}; {HOW}")

    def peek(self, source: Source) -> dict[str, Any]:
        """Describe what can be seen: neither rate nor which column is a sensor."""
        _lines.read_ends(source, reader=PLAIN_TABLE)  # refuses what is no text
        return {
            **_raw.peek_result(
                name=PLAIN_TABLE,
                n_sensors=0,
                rate_hz=None,
                n_samples=None,
                first_time_s=None,
                has_impedance=False,
                needs_catheter=True,
                size=source.size,
            ),
            "n_sensors": None,
        }

    def stream(self, source: Source, options: ReadOptions) -> PlainTableStream:
        """Find the columns, and give the samples as they are asked for."""
        said = with_layout(options)
        if said.layout is None and (said.pressure_unit is None or said.channel_order is None):
            n_text = _lines_of_text(source.head())
            raise ParameterError(f"a table of numbers{_below(n_text or 0)}: {HOW}")
        return PlainTableStream(source, said)

    def read(self, source: Source, options: ReadOptions) -> xr.DataTree:
        """Read the whole file into a validated study."""
        return read_stream(self.stream(source, options), with_layout(options))


def _lines_of_text(head: bytes) -> int | None:
    """Lines above the rows of numbers; 0 for none or one of names, None if there are no rows."""
    lines = [line.encode("utf-8", "replace") for line in _lines.sniff_lines(head)]
    rows = [line for line in lines[:_LOOKED_AT] if line.strip()]
    if len(rows) < 2:
        return None
    if _is_numeric(rows[1:2] if len(rows) == 2 else rows[1:-1]):
        return 0
    for n_text in range(2, min(_MOST_TEXT_LINES, len(lines) - _FEWEST_ROWS) + 1):
        if _is_numeric(lines[n_text : n_text + _FEWEST_ROWS]):
            return n_text
    return None


def _below(n_text: int) -> str:
    """Say what stands above the numbers, in the word of the layout file."""
    if not n_text:
        return ""
    return (
        f" from line {n_text + 1} on, below {n_text} lines of text (in a layout file: "
        f"header_lines = {n_text})"
    )


def _is_numeric(rows: list[bytes]) -> bool:
    """Whether all rows are numbers, as many in each; the first and last lines are not judged."""
    separator = separator_of(rows[0])
    if separator == NOT_FOUND:
        return False
    cells = [row.replace(b'"', b"").split(separator) for row in rows]
    return len({len(row) for row in cells}) == 1 and all(
        len(row) >= _FEWEST_COLUMNS and not re.search(rb"[^0-9+\-.,;eEnNaA \t]", b"".join(row))
        for row in cells
    )


def _claims(reader: Reader, head: bytes, source: Source) -> bool:
    # Also of a plug-in, which may break the contract that a sniffer never raises.
    try:
        return reader.sniff(head, source).match is not Match.NO
    except Exception:  # noqa: BLE001 - code of others; the choice of a reader reports it
        return False
