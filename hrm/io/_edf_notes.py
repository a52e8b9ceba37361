"""Annotations of EDF+: when each record begins, and what was written down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from hrm.io._edf_header import Header, corrupt

# Time-stamped annotation list: onset, perhaps a duration, texts, each ended by a byte 20.
_LIST = re.compile(
    rb"([+-]\d{1,12}(?:\.\d{0,12})?)(?:\x15(\d{1,12}(?:\.\d{0,12})?))?\x14((?:[^\x14]*\x14)*)"
)


class Note(NamedTuple):
    """A text; times in seconds from the file's start time."""

    onset_s: Fraction
    duration_s: Fraction
    text: str


@dataclass(slots=True)
class Part:
    """A stretch of records without a gap; the first is number `first`, counted from 0."""

    first: int
    onset_s: Fraction
    n_records: int = 0


@dataclass(slots=True)
class Timekeeper:
    """Follows the records of a file: their parts between gaps, and their notes.

    A record that begins within `tolerance_s` of the end of the one before follows on.
    """

    header: Header
    tolerance_s: Fraction
    parts: list[Part] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    n_records: int = 0

    def add(self, record: bytes) -> int:
        """Take a record; the number of its part, counted from 0.

        Raises
        ------
        CorruptFileError
            If its annotations are damaged.
        """
        onset = self._onset(record)
        if not self.parts or abs(onset - self._expected()) > self.tolerance_s:
            self.parts.append(Part(self.n_records, onset))
        self.parts[-1].n_records += 1
        self.n_records += 1
        return len(self.parts) - 1

    def _expected(self) -> Fraction:
        part = self.parts[-1]
        return part.onset_s + part.n_records * self.header.record_s

    def _onset(self, record: bytes) -> Fraction:
        if not self.header.notes:
            if self.header.kind == "EDF+D":
                raise self._corrupt("nothing says when the records of this file with gaps begin")
            return self.n_records * self.header.record_s
        onset = None
        for k, (start, length) in enumerate(self.header.notes):
            found = list(self._lists(record[start : start + length]))
            if k == 0:
                if not found or found[0][2] != [""]:
                    raise self._corrupt("the annotations do not say when the record begins")
                onset = found.pop(0)[0]
            self.notes += [
                Note(at, lasting, text) for at, lasting, texts in found for text in texts if text
            ]
        return onset if onset is not None else self.n_records * self.header.record_s

    def _lists(self, raw: bytes) -> Iterator[tuple[Fraction, Fraction, list[str]]]:
        for part in raw.rstrip(b"\0").split(b"\0"):
            if not part:
                continue
            match = _LIST.fullmatch(part)
            if match is None:
                raise self._corrupt("an annotation is damaged")
            onset, lasting, texts = match.groups()
            words = texts.decode("utf-8", "replace").split("\x14")[:-1]
            yield _number(onset), _number(lasting or b"0"), words or [""]

    def _corrupt(self, message: str) -> Exception:
        return corrupt(message, f"record {self.n_records + 1}")


def _number(text: bytes) -> Fraction:
    return Fraction(text.decode("ascii").rstrip("."))
