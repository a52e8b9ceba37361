"""Header of an EDF or EDF+ file, and the exact way from its counts to mmHg.

The field texts are read by the library edfio; what a damaged header can do to it is found
before, because its messages quote the file. The layout is the published specification:
Kemp B, Olivan J. European data format 'plus' (EDF+). Clin Neurophysiol 2003;114:1755-61,
doi:10.1016/S1388-2457(03)00123-8.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hrm.errors import CorruptFileError, UnsupportedVersionError

NAME = "edf"
VERSION_FIELD = b"0       "
BDF_MAGIC = b"\xffBIOSEMI"
ANNOTATIONS = "EDF Annotations"
FIXED_BYTES = 256

#: A record is at most 61440 bytes by the recommendation; some writers heed it not.
_MAX_RECORD_BYTES = 32 << 20
_COUNTS = slice(236, 244)
#: Within float32 by far, and beyond every measured value by far.
_MOST_PHYSICAL = 10**30
#: Where the fields of the signals begin, in bytes for each signal.
_SAMPLES_AT = 216
_FAULTS = (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, NameError)


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal: `start` is the first of its `n_samples` in a record, counted in samples."""

    label: str
    dimension: str
    physical: tuple[Fraction, Fraction]
    digital: tuple[int, int]
    n_samples: int
    start: int


@dataclass(frozen=True, slots=True)
class Header:
    """What an EDF header says; `n_records` is None while the file was never closed.

    `raw` is the header itself, which holds the patient's identity. `signals` are those with
    samples, by their number in the file from 1; `notes` are (start, length) of the signals
    of annotations in a record, in bytes.
    """

    raw: bytes
    kind: str
    n_records: int | None
    record_s: Fraction
    record_bytes: int
    signals: dict[int, Signal]
    notes: tuple[tuple[int, int], ...]

    def with_count(self, n_records: int) -> bytes:
        """Return the header of so many records: some records below it are a file of their own."""
        return self.raw[: _COUNTS.start] + b"%-8d" % n_records + self.raw[_COUNTS.stop :]


def header_bytes(fixed: bytes) -> int:
    """Length of the whole header.

    Raises
    ------
    UnsupportedVersionError
        If it is that of a BDF file.
    CorruptFileError
        If it is no EDF header.
    """
    if fixed.startswith(BDF_MAGIC):
        raise UnsupportedVersionError(
            "this is a BDF file (24 bit), which no manometry system known to us writes and which "
            "is not read; export EDF or EDF+",
            reader=NAME,
        )
    n_bytes, n_signals = _whole(fixed[184:192]), _whole(fixed[252:256])
    if len(fixed) < FIXED_BYTES or not fixed.startswith(VERSION_FIELD):
        raise corrupt("expected the 256 bytes that every EDF file begins with", "byte 0")
    if n_signals is None or n_signals < 1 or n_bytes != FIXED_BYTES * (n_signals + 1):
        raise corrupt(
            "the number of signals and the length of the header contradict each other", "byte 184"
        )
    return n_bytes


def parse_header(raw: bytes) -> Header:
    """Read a whole header.

    Raises
    ------
    CorruptFileError
        If a field is no number, or the fields contradict each other; texts are not quoted.
    UnsupportedVersionError
        If it is a BDF file, or a file of annotations only.
    """
    if len(raw) < header_bytes(raw[:FIXED_BYTES]):
        raise corrupt("the file ends within its header", f"byte {len(raw)}")
    n_signals = int(raw[252:256])
    labels = [_field(raw, 0, 16, k) for k in range(n_signals)]
    counts = [_whole(_field(raw, _SAMPLES_AT * n_signals, 8, k)) for k in range(n_signals)]
    numbers = [count for count in counts if count is not None and count > 0]
    if len(numbers) != n_signals or 2 * sum(numbers) > _MAX_RECORD_BYTES:
        raise corrupt("a signal has no whole number of samples in a record", "the header")
    is_note = [label.decode("latin-1").rstrip() == ANNOTATIONS for label in labels]
    starts = [sum(numbers[:k]) for k in range(n_signals)]
    n_records = _whole(raw[_COUNTS])
    if n_records is None or n_records < -1:
        raise corrupt("the number of records is no whole number", f"byte {_COUNTS.start}")
    record_s, signals = _by_library(raw)
    places = [k for k in range(n_signals) if not is_note[k]]
    if record_s is None or len(signals) != len(places):
        raise corrupt("a number of the header cannot be read", "the header")
    if not places or record_s <= 0:
        raise UnsupportedVersionError(
            "the file holds annotations only, no signal with samples", reader=NAME
        )
    kind = raw[192:197].decode("latin-1").rstrip()
    return Header(
        raw=raw,
        kind=kind if kind in ("EDF+C", "EDF+D") else "EDF",
        n_records=None if n_records == -1 else n_records,
        record_s=record_s,
        record_bytes=2 * sum(numbers),
        signals={
            k + 1: _signal(fields, numbers[k], starts[k], k + 1)
            for k, fields in zip(places, signals, strict=True)
        },
        notes=tuple((2 * starts[k], 2 * numbers[k]) for k in range(n_signals) if is_note[k]),
    )


_Fields = tuple[str, str, float, float, int, int]


def _by_library(raw: bytes) -> tuple[Fraction | None, list[_Fields]]:
    """Fields as edfio reads them; (None, []) if it cannot: its reasons quote the file."""
    import edfio

    try:
        file = edfio.read_edf(raw[: _COUNTS.start] + b"0       " + raw[_COUNTS.stop :])
        signals = [
            (
                signal.label,
                signal.physical_dimension,
                signal.physical_min,
                signal.physical_max,
                signal.digital_min,
                signal.digital_max,
            )
            for signal in file.signals
        ]
        # A text of eight characters is one number of 15 digits: repr gives it back.
        return Fraction(repr(file.data_record_duration)), signals
    except _FAULTS:
        return None, []


def _signal(fields: _Fields, n_samples: int, start: int, number: int) -> Signal:
    label, dimension, low, high, lowest, highest = fields
    if not (math.isfinite(low) and math.isfinite(high)) or low == high:
        raise corrupt(f"the physical minimum and maximum of signal {number} span nothing", "header")
    if not -32768 <= lowest < highest <= 32767:
        raise corrupt(
            f"the digital minimum of signal {number} is not below its maximum, within 16 bits",
            "the header",
        )
    physical = Fraction(repr(low)), Fraction(repr(high))
    return Signal(label.strip(), dimension.strip(), physical, (lowest, highest), n_samples, start)


def counts_of(header: Header, records: bytes) -> dict[int, NDArray[np.int16]]:
    """Samples of whole records as edfio gives them: counts, by the number of the signal."""
    import edfio

    n_records = len(records) // header.record_bytes
    file = edfio.read_edf(header.with_count(n_records) + records)
    return {number: s.digital for number, s in zip(header.signals, file.signals, strict=True)}


def physical_values(signal: Signal, factor: Fraction) -> NDArray[np.float32]:
    """Value of every count from -32768 to 32767, in the unit that `factor` leads to.

    Returns
    -------
    array (65536,) float32
        The digital minimum is the physical minimum, the digital maximum the physical maximum,
        and what lies between is on the line through both: each exact, and rounded once.
        NaN beyond the two.

    Raises
    ------
    CorruptFileError
        If the physical minimum or maximum is beyond what any instrument measures.
    """
    low, high = (limit * factor for limit in signal.physical)
    if max(abs(low), abs(high)) > _MOST_PHYSICAL:
        raise corrupt(
            "the physical minimum or maximum of a signal is beyond what any instrument measures",
            "the header",
        )
    return _table(*signal.digital, low, high)


@lru_cache(maxsize=128)
def _table(lowest: int, highest: int, low: Fraction, high: Fraction) -> NDArray[np.float32]:
    step = (high - low) / (highest - lowest)
    bottom = math.lcm(low.denominator, step.denominator)
    first, each = int(low * bottom), int(step * bottom)
    tops = [first + k * each for k in range(highest - lowest + 1)]
    out = np.full(65536, np.nan, dtype=np.float32)
    out[lowest + 32768 : highest + 32769] = _nearest(tops, bottom)
    out.setflags(write=False)
    return out


def _nearest(tops: list[int], bottom: int) -> NDArray[np.float32]:
    """Quotients of whole numbers, rounded once to float32."""
    # A quotient of Python's integers is rounded once; half way between two float32 it may
    # have been rounded to the half, and then the remainder decides.
    double = np.array([top / bottom for top in tops])
    single = double.astype(np.float32)
    toward = np.where(double > single, np.float32(np.inf), np.float32(-np.inf))
    other = np.nextafter(single, toward.astype(np.float32))
    half = (single.astype(np.float64) + other.astype(np.float64)) / 2
    for k in np.flatnonzero((double == half) & (double != single)):
        rest = Fraction(tops[k], bottom) - Fraction(float(double[k]))
        if rest != 0:
            pair = sorted((single[k], other[k]))
            single[k] = pair[1] if rest > 0 else pair[0]
    return single


def _field(raw: bytes, start: int, width: int, k: int) -> bytes:
    at = FIXED_BYTES + start + width * k
    return raw[at : at + width]


def _whole(field: bytes) -> int | None:
    text = field.rstrip(b" ")
    return int(text) if re.fullmatch(rb" *[+-]?\d{1,8}", text) else None


def corrupt(message: str, where: str) -> CorruptFileError:
    """Fault of the file, at a place of it."""
    return CorruptFileError(message + "; export the file again", reader=NAME, where=where)
