"""EDF and EDF+, the open standard for recorded signals.

A record is read at a time, so memory does not grow with the recording. Gaps are never
closed: a file with any is read one part at a time.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from hrm.errors import CorruptFileError, DataQualityWarning, ParameterError
from hrm.io import _raw
from hrm.io._edf_channels import (
    Channels,
    by_label,
    find_channels,
    is_impedance,
    left_open,
    pressures_of,
)
from hrm.io._edf_header import (
    BDF_MAGIC,
    FIXED_BYTES,
    NAME,
    VERSION_FIELD,
    corrupt,
    counts_of,
    header_bytes,
    parse_header,
    physical_values,
)
from hrm.io._edf_notes import Part, Timekeeper
from hrm.io._notes import event_of
from hrm.io._raw import Facts, RawEvent
from hrm.io._registry import Match, ReadOptions, Sniff
from hrm.io._source import Source
from hrm.io._stream import Block, read_stream
from hrm.io._variants import Variant
from hrm.io.identity import phi_attr_name
from hrm.io.layout import layout_of, with_layout

if TYPE_CHECKING:
    import xarray as xr

VERSION = "1"
_BLOCK_BYTES = 8 << 20
_MOST_PARTS = 8
#: Fields of the fixed header that name patient and recording.
_IDENTITY = {
    "patient_id": slice(8, 88),
    "recording_id": slice(88, 168),
    "start_date": slice(168, 176),
    "start_time": slice(176, 184),
}


class EdfReader:
    """Reader of EDF and EDF+ files."""

    name = NAME
    vendor = "any"
    suffixes: tuple[str, ...] = (".edf",)
    description = "EDF or EDF+ with pressures; labels and order by --layout or --channel-order"
    takes_layout = True
    variants = (
        Variant("EDF, EDF+C", "standard", "16 bit; exact from counts to mmHg; notes as events"),
        Variant("EDF+D", "standard", "with gaps: one part at a time, chosen in the layout file"),
        Variant("BDF", "standard", "24 bit", read=False),
    )

    def sniff(self, head: bytes, source: Source) -> Sniff:  # noqa: ARG002 - the content decides
        """Judge by the fixed header."""
        if head.startswith(BDF_MAGIC):
            return Sniff(Match.YES, "the header of a BDF file, which is refused")
        if not head.startswith(VERSION_FIELD) or len(head) < FIXED_BYTES:
            return Sniff(Match.NO, "it does not begin like EDF")
        try:
            header_bytes(head[:FIXED_BYTES])
        except CorruptFileError:
            return Sniff(Match.NO, "it begins like EDF, but its header has an impossible length")
        return Sniff(Match.YES, "the header of an EDF file")

    def peek(self, source: Source) -> dict[str, Any]:
        """Describe the file from its header and first record."""
        fixed = source.head(FIXED_BYTES)
        header = parse_header(source.head(header_bytes(fixed)))
        try:
            pressure = by_label(header)
        except ParameterError:
            pressure = pressures_of(header)
        counts = {header.signals[number].n_samples for number in pressure}
        each = counts.pop() if len(counts) == 1 else None
        keeper = Timekeeper(header, Fraction(0))
        first = source.head(len(header.raw) + header.record_bytes)[len(header.raw) :]
        if len(first) == header.record_bytes:
            keeper.add(first)
        n_samples = None if each is None else each * (header.n_records or 0)
        return _raw.peek_result(
            name=NAME,
            n_sensors=len(pressure),
            rate_hz=None if each is None else float(each / header.record_s),
            n_samples=n_samples or None,
            first_time_s=float(keeper.parts[0].onset_s) if keeper.parts else None,
            has_impedance=any(map(is_impedance, header.signals.values())),
            needs_catheter=True,
            size=source.size,
        )

    def to_be_said(self, source: Source) -> tuple[str, ...]:
        """Say what this file leaves open, in the words of the layout file and of the options."""
        return left_open(parse_header(source.head(header_bytes(source.head(FIXED_BYTES)))))

    def stream(self, source: Source, options: ReadOptions) -> EdfStream:
        """Read the header, and give the samples as they are asked for."""
        return EdfStream(source, with_layout(options))

    def read(self, source: Source, options: ReadOptions) -> xr.DataTree:
        """Read the whole file into a validated study."""
        return read_stream(self.stream(source, options), with_layout(options))


class EdfStream:
    """An EDF file whose header has been read.

    Raises
    ------
    CorruptFileError, UnsupportedVersionError
        If the header is damaged, or not of pressures in a known unit.
    ParameterError
        If which signals are pressures, or their order, is not said.
    """

    reader = NAME
    default_catheter: str | None = None
    states_catheter = False

    def __init__(self, source: Source, options: ReadOptions) -> None:
        self._source, self._options = source, options
        self._file: BinaryIO = source.open()
        fixed = self._file.read(FIXED_BYTES)
        header = parse_header(fixed + self._file.read(header_bytes(fixed) - FIXED_BYTES))
        layout = layout_of(options)
        self._header = header
        self._layout_sha256 = layout.sha256
        self._channels: Channels = find_channels(header, layout, options)
        self._wanted = layout.part
        self.n_sensors = len(self._channels.pressure)
        self.n_segments = len(self._channels.impedance)
        # Half a sample: what lies closer is the rounding of the writer, and no gap.
        n_samples = header.signals[self._channels.pressure[0]].n_samples
        self._keeper = Timekeeper(header, header.record_s / n_samples / 2)
        self._n_beyond = 0

    @property
    def header_texts(self) -> tuple[str, ...]:
        """What the header says of the patient."""
        return tuple(self._identity().values())

    def blocks(self) -> Iterator[Block]:
        """Pressures in mmHg and impedances in ohm, of the part that was asked for."""
        header = self._header
        wanted = None if self._wanted is None else self._wanted - 1
        for records in self._records():
            parts = [self._keeper.add(record) for record in _split(records, header.record_bytes)]
            keep = np.array(parts) == (wanted or 0)
            if keep.any():
                yield self._block(records, keep)
        self._check_end()

    def _records(self) -> Iterator[bytes]:
        """Whole records, some at a time; what is behind the last whole one is a fault."""
        size = self._header.record_bytes
        while data := self._file.read(max(1, _BLOCK_BYTES // size) * size):
            whole = len(data) // size * size
            if whole:
                yield data[:whole]
            if whole < len(data):
                _raw.recoverable(
                    "the last record is not whole; the file is cut",
                    options=self._options,
                    reader=NAME,
                    where=f"record {self._keeper.n_records + 1}",
                )
        self._file.close()

    def _block(self, records: bytes, keep: NDArray[np.bool_]) -> Block:
        counts = counts_of(self._header, records)
        channels = self._channels
        pressure = self._values(counts, keep, channels.pressure, channels.pressure_factor)
        if not channels.impedance:
            return Block(pressure)
        return Block(
            pressure, self._values(counts, keep, channels.impedance, channels.impedance_factor)
        )

    def _values(
        self,
        counts: dict[int, NDArray[np.int16]],
        keep: NDArray[np.bool_],
        numbers: tuple[int, ...],
        factor: Fraction,
    ) -> NDArray[np.float32]:
        """Values (row, channel) of the records to keep."""
        columns = []
        for number in numbers:
            signal = self._header.signals[number]
            own = counts[number].reshape(-1, signal.n_samples)[keep].ravel()
            values = physical_values(signal, factor)[own.astype(np.int32) + 32768]
            self._n_beyond += int(np.isnan(values).sum())
            columns.append(values)
        return np.column_stack(columns)

    def _check_end(self) -> None:
        """Find the gaps, and compare the records with the header's number of them."""
        parts, stated = self._keeper.parts, self._header.n_records
        found = self._keeper.n_records
        if stated != found:
            said = "was never filled in" if stated is None else f"says {stated}"
            _raw.recoverable(
                f"the file holds {found} records, its header {said}; it is cut, or was not closed",
                options=self._options,
                reader=NAME,
                where="byte 236",
            )
        if self._wanted is None and len(parts) > 1:
            raise corrupt(
                f"the recording has gaps, which are not closed: {self._listed(parts)}. Choose a "
                "part: time.part = 1 (or another) in a layout file (layout=); or",
                f"record {parts[1].first + 1}",
            )
        if self._wanted is not None and self._wanted > len(parts):
            raise ParameterError(
                f"layout file: time.part is {self._wanted}, but the recording has {len(parts)}"
            )

    def _listed(self, parts: list[Part]) -> str:
        rows = [
            f"part {k}: {float(part.onset_s):.10g} to "
            f"{float(part.onset_s + part.n_records * self._header.record_s):.10g} s"
            for k, part in enumerate(parts[:_MOST_PARTS], 1)
        ]
        more = f", and {len(parts) - _MOST_PARTS} more" if len(parts) > _MOST_PARTS else ""
        return ", ".join(rows) + more

    def finish(self) -> Facts:
        """Give the notes of the part as events, and say what else is known."""
        if self._n_beyond:
            _raw.recoverable(
                f"{self._n_beyond} samples lie beyond the digital minimum and maximum of the "
                "header; they count as missing",
                options=self._options,
                reader=NAME,
            )
        header, channels = self._header, self._channels
        part = self._keeper.parts[(self._wanted or 1) - 1]
        attrs: dict[str, str | float | int] = {"file_pressure_unit": channels.units}
        if self._layout_sha256:
            attrs["layout_sha256"] = self._layout_sha256
        n_unread = len(header.signals) - self.n_sensors - self.n_segments
        if n_unread:
            attrs["unread_signals"] = n_unread
        if len(self._keeper.parts) > 1:
            attrs["recording_part"] = f"{self._wanted} of {len(self._keeper.parts)}"
        segments = channels.impedance
        return Facts(
            source_format=NAME,
            reader=NAME,
            reader_version=VERSION,
            sha256=self._source.sha256,
            sampling_rate_hz=channels.rate_hz(header, channels.pressure),
            time_offset_s=float(part.onset_s),
            events=self._events(part),
            attrs={**attrs, **(self._identity() if self._options.keep_phi else {})},
            impedance_rate_hz=channels.rate_hz(header, segments) if segments else None,
        )

    def _events(self, part: Part) -> tuple[RawEvent, ...]:
        start, stop = part.onset_s, part.onset_s + part.n_records * self._header.record_s
        notes = self._keeper.notes
        within = [note for note in notes if start <= note.onset_s < stop]
        if len(within) < len(notes) and len(self._keeper.parts) == 1:
            warnings.warn(
                f"[{NAME}] {len(notes) - len(within)} annotations lie outside of the recording "
                "and are left out",
                DataQualityWarning,
                stacklevel=2,
            )
        return tuple(
            event_of(
                float(note.onset_s - start),
                note.text,
                keep_phi=self._options.keep_phi,
                duration_s=float(note.duration_s),
            )
            for note in within
        )

    def _identity(self) -> dict[str, str]:
        """Header fields that the caller asked to keep."""
        texts = {
            name: self._header.raw[place].decode("latin-1").strip()
            for name, place in _IDENTITY.items()
        }
        texts["start_date"] = _year_first(texts["start_date"])
        return {phi_attr_name(name): text for name, text in texts.items() if text}


def _year_first(text: str) -> str:
    """Date of the header, which EDF writes dd.mm.yy with years from 1985, in an order that sorts."""
    found = re.fullmatch(r"(\d\d)\.(\d\d)\.(\d\d)", text, re.ASCII)
    if found is None:
        return text
    day, month, year = found.groups()
    return f"{19 if int(year) >= 85 else 20}{year}-{month}-{day}"


def _split(records: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(records), size):
        yield records[start : start + size]
