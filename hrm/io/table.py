"""Plain sensor tables: rows of numbers of no vendor's format, described by the user.

Nothing about such a table is assumed: unit, order, rate and positions are said in a layout
file (`hrm.io.layout`) or by options, or the table is not read.
"""

from __future__ import annotations

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
from hrm.io._table_head import TableHead, table_head
from hrm.io._table_stream import PlainTableStream
from hrm.io._variants import Variant
from hrm.io.layout import with_layout

if TYPE_CHECKING:
    import xarray as xr

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
        found = table_head(head)
        if found is None:
            return Sniff(Match.NO, "not rows of 3 or more numbers")
        if any(
            _claims(reader, head, source) for reader in all_readers() if reader.name != self.name
        ):
            return Sniff(Match.NO, "a table, but another reader knows it; layout= reads it here")
        return Sniff(Match.MAYBE, f"rows of numbers{_said_of(found)}; {HOW}")

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

    def to_be_said(self, source: Source) -> tuple[str, ...]:
        """Say what only the user knows: which column is which; and what its begin shows."""
        head = table_head(source.head())
        out = ["which column is which, the unit, the order, the rate, and the sensor positions"]
        if head is not None and head.in_layout:
            out.append(f"how it is written; seen in it: numbers{_said_of(head)}")
        if head is not None and head.signature:
            out.append(
                "its first line begins as if it named a format: if there is a plug-in that reads "
                "it, that is not installed here ('hrm formats' lists the readers)"
            )
        return tuple(out)

    def stream(self, source: Source, options: ReadOptions) -> PlainTableStream:
        """Find the columns, and give the samples as they are asked for."""
        said = with_layout(options)
        if said.layout is None and (said.pressure_unit is None or said.channel_order is None):
            found = table_head(source.head())
            raise ParameterError(f"a table of numbers{_said_of(found) if found else ''}: {HOW}")
        return PlainTableStream(source, said)

    def read(self, source: Source, options: ReadOptions) -> xr.DataTree:
        """Read the whole file into a validated study."""
        return read_stream(self.stream(source, options), with_layout(options))


def _said_of(head: TableHead) -> str:
    """Say where the numbers begin and what is among them, in the words of the layout file."""
    where = f" from line {head.n_above + 1} on, below {head.n_above} lines of text"
    among = f", with texts in {_columns(head.texts)}"
    said = f"{where if head.n_above > 1 else ''}{among if head.texts else ''}"
    return f"{said} (in a layout file: {head.in_layout})" if head.in_layout else ""


def _columns(numbers: tuple[int, ...]) -> str:
    listed = ", ".join(map(str, numbers))
    return f"column{'s' if len(numbers) > 1 else ''} {listed}"


def _claims(reader: Reader, head: bytes, source: Source) -> bool:
    # Also of a plug-in, which may break the contract that a sniffer never raises.
    try:
        return reader.sniff(head, source).match is not Match.NO
    except Exception:  # noqa: BLE001 - code of others; the choice of a reader reports it
        return False
