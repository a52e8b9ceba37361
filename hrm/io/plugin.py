"""What a reader of a third party needs, in one place; see ``docs/readers.md``.

These names stay; everything else in `hrm.io` may move.
"""

from __future__ import annotations

from hrm.io._lines import Lines, Rows, read_ends, sniff_lines, without_blank_end
from hrm.io._raw import Facts, RawEvent, peek_result, recoverable
from hrm.io._registry import Match, Reader, ReadOptions, Sniff, StreamingReader
from hrm.io._source import Source
from hrm.io._stream import Block, RecordingStream, read_stream
from hrm.io._text import BlockLayout, Table, TableParser, parse_number
from hrm.io._variants import EVIDENCE, Variant
from hrm.io.identity import note_to_keep, phi_attr_name

__all__ = [
    "EVIDENCE",
    "Block",
    "BlockLayout",
    "Facts",
    "Lines",
    "Match",
    "RawEvent",
    "ReadOptions",
    "Reader",
    "RecordingStream",
    "Rows",
    "Sniff",
    "Source",
    "StreamingReader",
    "Table",
    "TableParser",
    "Variant",
    "note_to_keep",
    "parse_number",
    "peek_result",
    "phi_attr_name",
    "read_ends",
    "read_stream",
    "recoverable",
    "sniff_lines",
    "without_blank_end",
]
