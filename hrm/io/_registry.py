"""Which reader reads a file: the protocol, the list, the choice by content."""

from __future__ import annotations

import enum
import math
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from hrm.errors import (
    AmbiguousFormatError,
    FormatError,
    HrmWarning,
    ParameterError,
    UnknownFormatError,
)
from hrm.io._kinds import kind_of
from hrm.io._source import HEAD_BYTES, Source

if TYPE_CHECKING:
    import xarray as xr

    from hrm.io._stream import RecordingStream

ENTRY_POINT_GROUP = "hrm.readers"
STRICTNESS = ("raise", "warn")
#: Name of the reader of tables that are of no vendor's format.
PLAIN_TABLE = "plain-table"
#: Which end of the catheter the first channel of a file is.
CHANNEL_ORDERS = ("proximal_first", "distal_first")
# No spaces: what holds a name or a sentence is no code. Also safe in a file name.
PARTICIPANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")


class Match(enum.Enum):
    """How sure a sniffer is."""

    NO = 0
    MAYBE = 1
    YES = 2


class Sniff(NamedTuple):
    """Verdict of one reader on one file; the reason never quotes the file."""

    match: Match
    reason: str


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a caller may say about a file; one object, so that plug-ins outlive additions.

    The fields are the options of `hrm.io.open_recording`. `sampling_rate` [Hz] and `layout`
    (a TOML file) describe a table that does not say how it was sampled and what its
    columns are; a file that states its rate and is told another one is refused.
    `pressure_unit` and `channel_order` say what neither a plain table nor every EDF file does.

    Raises
    ------
    ParameterError
        If `strictness` or `channel_order` is unknown, `participant` is not a code, or
        `sampling_rate` is not a positive number.
    """

    catheter: str | None = None
    depths: tuple[float, ...] | None = None
    catheter_file: Path | None = None
    system: str | None = None
    participant: str | None = None
    keep_phi: bool = False
    strictness: str = "raise"
    sampling_rate: float | None = None
    layout: Path | None = None
    pressure_unit: str | None = None
    channel_order: str | None = None

    def __post_init__(self) -> None:
        """Check the fields that have a fixed form."""
        if self.strictness not in STRICTNESS:
            raise ParameterError(
                f"strictness must be one of {', '.join(STRICTNESS)}, got {self.strictness!r}"
            )
        if self.channel_order not in (None, *CHANNEL_ORDERS):
            raise ParameterError(
                f"channel_order must be one of {', '.join(CHANNEL_ORDERS)}, "
                f"got {self.channel_order!r}"
            )
        rate = self.sampling_rate
        if rate is not None and not 0 < rate < math.inf:
            raise ParameterError(f"sampling_rate must be a positive number of Hz, got {rate!r}")
        if self.participant is not None and not PARTICIPANT.fullmatch(str(self.participant)):
            # Not quoted: what was given instead of a code may be a name.
            raise ParameterError(
                "a participant code is 1 to 32 of the characters A-Z a-z 0-9 . _ - without "
                "spaces, and starts with a letter or digit, like P-07; it must not be a name"
            )


@runtime_checkable
class Reader(Protocol):
    """One file format.

    A reader takes a `Source`: the content, packed or not, of a file or of a file object.
    """

    name: str
    vendor: str
    suffixes: tuple[str, ...]
    description: str

    def sniff(self, head: bytes, source: Source) -> Sniff:
        """Judge the first 64 KB of the content; never raises, content before suffix."""

    def peek(self, source: Source) -> dict[str, Any]:
        """Describe the file from its two ends, without xarray or pandas."""

    def read(self, source: Source, options: ReadOptions) -> xr.DataTree:
        """Read the whole file into a validated study."""


@runtime_checkable
class StreamingReader(Reader, Protocol):
    """A reader that can hand a recording on block by block, in bounded memory."""

    def stream(self, source: Source, options: ReadOptions) -> RecordingStream:
        """Read the header, and give the samples as they are asked for."""


def builtin_readers() -> tuple[Reader, ...]:
    """Return the readers that ship with hrm, in the order they are listed to users."""
    from hrm.io.edf import EdfReader
    from hrm.io.manoview import ManoViewHeadlessReader, ManoViewReader
    from hrm.io.mms import MmsReader
    from hrm.io.mva import MvaReader
    from hrm.io.native import NativeReader
    from hrm.io.table import PlainTableReader

    return (
        NativeReader(),
        MmsReader(),
        ManoViewReader(),
        ManoViewHeadlessReader(),
        MvaReader(),
        EdfReader(),
        PlainTableReader(),
    )


@cache
def all_readers() -> tuple[Reader, ...]:
    """Return the readers of hrm, then those of installed plug-ins."""
    found = list(builtin_readers())
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        plugin = _load_plugin(entry)
        if plugin is not None and plugin.name in {known.name for known in found}:
            _warn_plugin(entry, "its name is taken")
        elif plugin is not None:
            found.append(plugin)
    return tuple(found)


def _load_plugin(entry: EntryPoint) -> Reader | None:
    # A broken plug-in must not take the built-in readers with it.
    try:
        loaded = entry.load()
        plugin = loaded() if isinstance(loaded, type) else loaded
    except Exception as err:  # noqa: BLE001 - code of others, reported by name
        _warn_plugin(entry, f"{type(err).__name__} while loading it")
        return None
    if not isinstance(plugin, Reader):
        _warn_plugin(entry, "it is not a Reader")
        return None
    return plugin


def _warn_plugin(entry: EntryPoint, why: str) -> None:
    warnings.warn(f"reader plug-in {entry.name!r} is left out: {why}", HrmWarning, stacklevel=3)


def choose_reader(source: Source, name: str | None = None, *, has_layout: bool = False) -> Reader:
    """Choose the reader of a content, or the one of that `name`.

    Exactly one YES wins; failing that, exactly one MAYBE. With a layout file, only the readers
    that follow one (``takes_layout``) are asked, and what none of them knows is a plain table.

    Raises
    ------
    ParameterError
        If `name` is not a reader.
    UnknownFormatError
        If nobody recognises the file; lists each reader with its reason.
    AmbiguousFormatError
        If more than one does.
    """
    head = source.head(HEAD_BYTES)
    readers = all_readers()
    if name is not None:
        return _by_name(readers, name)
    if not head:
        raise UnknownFormatError("the file is empty (0 bytes); export it again")
    if has_layout:
        readers = tuple(each for each in readers if getattr(each, "takes_layout", False))
    verdicts = [(reader, _sniff(reader, head, source)) for reader in readers]
    if has_layout and all(sniff.match is not Match.YES for _, sniff in verdicts):
        return _by_name(readers, PLAIN_TABLE)
    _check_kind(head, verdicts)
    return choose(verdicts)


def _check_kind(head: bytes, verdicts: Sequence[tuple[Reader, Sniff]]) -> None:
    """Name what a file is that nobody claims, where its first bytes say so."""
    kind = kind_of(head)
    if kind and all(sniff.match is Match.NO for _, sniff in verdicts):
        raise UnknownFormatError(
            f"the file is {kind}, and no recording; export the recording from the manometry system "
            "('hrm formats' lists what is read)"
        )


def check_said(reader: Reader, options: ReadOptions) -> None:
    """Refuse what was said of a file whose format says it itself, rather than not heed it.

    Raises
    ------
    ParameterError
        If a layout, unit or order is given for a reader that takes none.
    """
    said = [name for name in _OF_TABLES if getattr(options, name) is not None]
    if said and not getattr(reader, "takes_layout", False):
        names = ", ".join(f"{name}=" for name in said)
        raise ParameterError(
            f"{names}: only of a plain table or an EDF file; the format {reader.name} says it "
            "itself, leave it out"
        )


#: Options that only readers with ``takes_layout`` heed.
_OF_TABLES = ("layout", "pressure_unit", "channel_order")


def _by_name(readers: Sequence[Reader], name: str) -> Reader:
    for reader in readers:
        if reader.name == name:
            return reader
    known = ", ".join(reader.name for reader in readers)
    raise ParameterError(f"unknown reader {name!r}; known readers: {known}")


def _sniff(reader: Reader, head: bytes, source: Source) -> Sniff:
    # The contract says that a sniffer never raises; a plug-in may break it.
    try:
        return reader.sniff(head, source)
    except Exception as err:  # noqa: BLE001 - code of others, reported by name
        return Sniff(Match.NO, f"its sniffer failed ({type(err).__name__})")


def choose(verdicts: Sequence[tuple[Reader, Sniff]]) -> Reader:
    """Apply the choice rule to the verdicts of all readers."""
    for match in (Match.YES, Match.MAYBE):
        claims = [(reader, sniff) for reader, sniff in verdicts if sniff.match is match]
        if len(claims) == 1:
            return claims[0][0]
        if claims:
            raise _listing_error(
                AmbiguousFormatError,
                claims,
                "more than one reader claims the file; pass reader= to choose",
            )
    raise _listing_error(
        UnknownFormatError,
        verdicts,
        "no reader recognises the file; export it again in one of these formats",
    )


def _listing_error(
    kind: type[FormatError], verdicts: Sequence[tuple[Reader, Sniff]], message: str
) -> FormatError:
    rows = "; ".join(f"{reader.name}: {sniff.reason}" for reader, sniff in verdicts)
    return kind(f"{message} ({rows})")
