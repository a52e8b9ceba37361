"""EDF and EDF+ files written byte by byte from the specification; shares no code with hrm."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

PATIENT = "X F 01-JAN-1961 Doe_Jane"
RECORDING = "Startdate 02-MAR-2024 4711 Dr_Doe HRM"


def tal(onset, *texts, duration=None):
    lasting = "" if duration is None else f"\x15{duration}"
    return f"{onset:+g}{lasting}\x14{''.join(text + chr(20) for text in texts)}\0".encode()


@dataclass
class Signal:
    """`counts` are (record, sample); a signal of annotations has bytes instead."""

    label: str
    counts: np.ndarray | None = None
    unit: str = "mmHg"
    physical: tuple[str, str] = ("-50", "450")
    digital: tuple[int, int] = (-32768, 32767)
    tals: list[bytes] | None = None
    note_bytes: int = 64

    @property
    def per_record(self):
        return self.note_bytes // 2 if self.counts is None else self.counts.shape[1]

    def record(self, k):
        if self.counts is None:
            return self.tals[k].ljust(self.note_bytes, b"\0")
        return self.counts[k].astype("<i2").tobytes()


@dataclass
class Edf:
    """A file; `n_stated` is the number of records in its header."""

    signals: list[Signal]
    reserved: str = ""
    record_s: str = "1"
    n_stated: int | None = None
    version: bytes = b"0       "
    patient: str = PATIENT
    recording: str = RECORDING
    n_records: int = field(init=False)

    def __post_init__(self):
        first = self.signals[0]
        self.n_records = len(first.tals if first.counts is None else first.counts)

    def header(self):
        n = len(self.signals)
        stated = self.n_records if self.n_stated is None else self.n_stated
        fixed = (
            self.version
            + self.patient.encode().ljust(80)
            + self.recording.encode().ljust(80)
            + b"02.03.2410.15.30"
            + b"%-8d" % (256 * (n + 1))
            + self.reserved.encode().ljust(44)
            + b"%-8d" % stated
            + self.record_s.encode().ljust(8)
            + b"%-4d" % n
        )
        rows = [
            (
                *(s.label, "Doe sensor", "" if s.counts is None else s.unit),
                *(s.physical if s.counts is not None else ("-1", "1")),
                *map(str, s.digital),
                *("", str(s.per_record), ""),
            )
            for s in self.signals
        ]
        widths = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
        columns = [row[k].encode().ljust(width) for k, width in enumerate(widths) for row in rows]
        return fixed + b"".join(columns)

    def bytes(self):
        records = [
            b"".join(signal.record(k) for signal in self.signals) for k in range(self.n_records)
        ]
        return self.header() + b"".join(records)


def pressures(n_sensors=6, n_records=4, per_record=50, seed=0, **options):
    rng = np.random.default_rng(seed)
    return [
        Signal(f"P{k}", rng.integers(-3000, 9000, (n_records, per_record)), **options)
        for k in range(1, n_sensors + 1)
    ]


def clock(onsets, notes=None):
    """The signal of annotations that says when each record begins."""
    notes = notes or {}
    return Signal(
        "EDF Annotations",
        tals=[tal(at, "") + notes.get(k, b"") for k, at in enumerate(onsets)],
    )


def mmhg(signal):
    """Naive twin: one count after the other, in the exact numbers of the specification."""
    from fractions import Fraction

    low, high = map(Fraction, signal.physical)
    first, last = signal.digital
    step = (high - low) / (last - first)
    flat = signal.counts.ravel().tolist()
    return np.array([float(low + (count - first) * step) for count in flat], dtype=np.float32)
