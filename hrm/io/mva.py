"""ManoView's own binary file (``.mva``): recognized, and answered with how to export text.

What is known of it is one description by others, which decodes the pressures only roughly.
A reader that cannot be held against a real file and its text export would give numbers that
nobody should trust, so there is none.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

from hrm.errors import UnsupportedVersionError
from hrm.io._registry import Match, ReadOptions, Sniff
from hrm.io._source import Source
from hrm.io._variants import Variant
from hrm.io.manoview.table import VENDOR

if TYPE_CHECKING:
    import xarray as xr

NAME = "manoview-mva"

# The two bytes that begin a zlib stream, by its level of compression.
_STREAM = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
# Random bytes hold one such pair in 16 KB; more are a content made to keep us busy.
_MAX_STREAMS = 64
_MAX_PACKED = 4096
_MAX_UNPACKED = 1024
_DECLARATION = rb"\s*(?:<\?xml[^>]*>\s*)?"
_INFO = re.compile(_DECLARATION + rb"<info[\s/>]", re.IGNORECASE)
_XML = re.compile(_DECLARATION + rb"<[a-z]", re.IGNORECASE)
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


class MvaReader:
    """Recognizes studies in ManoView's own binary form, to say how to export them."""

    name = NAME
    vendor = VENDOR
    suffixes: tuple[str, ...] = (".mva",)
    description = "ManoView study in its own binary form; export it with 'Save Selected Data'"
    variants = (Variant("study", "code", "'File > Save Selected Data' writes text", read=False),)

    def sniff(self, head: bytes, source: Source) -> Sniff:
        """Judge by the texts packed in it, of which 1 KB each is looked at and nothing kept."""
        texts = list(_packed_texts(head))
        if any(_INFO.match(text) for text in texts):
            return Sniff(Match.YES, "packed XML that begins with <info>, which is refused")
        if source.suffixes[-1:] == self.suffixes and any(_XML.match(text) for text in texts):
            return Sniff(Match.MAYBE, "named .mva and holds packed XML, which is refused")
        return Sniff(Match.NO, "no packed XML that begins with <info>")

    def peek(self, source: Source) -> dict[str, Any]:  # noqa: ARG002 - nothing of it is read
        """Refuse, with what to do."""
        _refuse()

    def read(self, source: Source, options: ReadOptions) -> xr.DataTree:  # noqa: ARG002
        """Refuse, with what to do."""
        _refuse()


def _refuse() -> NoReturn:
    raise UnsupportedVersionError(
        "ManoView's own binary file (.mva) is not read: its pressures cannot be decoded for sure. "
        "Export it as text: open the study in ManoView, select the part to export, choose "
        "'File > Save Selected Data', and read the file that this writes",
        reader=NAME,
    )


def _packed_texts(head: bytes) -> Iterator[bytes]:
    """Begin of each zlib stream, as far as it unpacks; UTF-16 without its zero bytes."""
    for found in islice(_STREAM.finditer(head), _MAX_STREAMS):
        packed = head[found.start() : found.start() + _MAX_PACKED]
        try:
            text = zlib.decompressobj().decompress(packed, _MAX_UNPACKED)
        except zlib.error:
            continue
        for mark in _BYTE_ORDER_MARKS:
            text = text.removeprefix(mark)
        yield text.replace(b"\0", b"")
