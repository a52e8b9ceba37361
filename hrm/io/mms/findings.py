"""What the vendor's software, or a reader, found in each swallow: cells to rows."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hrm import reported
from hrm.errors import DataQualityWarning
from hrm.io import _text, identity
from hrm.io.mms.columns import CATHETER, KNOWN
from hrm.io.mms.header import NAME
from hrm.reported import CONTRADICTORY, NO_DATA, UNRECOGNIZED, ReportedSwallow

#: How such files say that there is nothing to say.
NO_DATA_TEXT = "無數據"
#: A table that is filled from the first row of samples downward is no longer than this.
_MOST_ROWS = 100
_WET_SWALLOW = re.compile(
    # Blanks all or not at all: the parts of a long run of them would be tried in pairs.
    r"(leg\s++)?(?:\d{1,3}\s*+ml\s*+)?(?:ws|wet\s*+swallow|water\s*+swallow)"
    r"\s*+(?:[#:.]\s*+)?(\d{1,2})?",
    re.IGNORECASE | re.ASCII,
)
_SPELLINGS = {"hypercontraction": "hypercontractile", "hypercontractility": "hypercontractile"}


@dataclass
class _Row:
    """What one row of the file says, while it is put together."""

    sample: int | None
    number: int = 0
    label: str = ""
    cells: dict[str, list[str]] = field(default_factory=dict)
    why_no_time: str = ""


def reported_swallows(
    rows: Sequence[tuple[int, Sequence[str]]],
    columns: Mapping[int, str],
    labels: Mapping[int, str],
    rate_hz: float,
) -> tuple[ReportedSwallow, ...]:
    """Collect what the known columns say, in the order of the file.

    Parameters
    ----------
    rows : sequence of (int, sequence of str)
        Rows that have text after Marker: samples before the row, and the cells.
    columns : mapping of int to str
        Known columns, from `known_columns`.
    labels : mapping of int to str
        What the operator wrote, by the samples before the rows. Only words of the protocol's
        vocabulary are handed on.
    rate_hz : float
        Sampling rate [Hz].
    """
    merged: dict[tuple[str, int], _Row] = {}
    for family in ("contraction_", "ws_n_"):
        for row in _family(
            rows, {k: v for k, v in columns.items() if v.startswith(family)}, labels
        ):
            key = ("row", row.sample) if row.sample is not None else ("number", row.number)
            whole = merged.setdefault(key, row)
            if whole is not row:
                whole.number = whole.number or row.number
                for name, cells in row.cells.items():
                    whole.cells.setdefault(name, []).extend(cells)
    held = dict.fromkeys(KNOWN[name] for name in columns.values() if name != CATHETER)
    made = [_made(row, tuple(held), rate_hz) for row in merged.values()]
    _warn(made)
    return tuple(sorted(made, key=lambda row: (math.isnan(row.onset_s), row.onset_s, row.number)))


def _family(
    rows: Sequence[tuple[int, Sequence[str]]],
    columns: Mapping[int, str],
    labels: Mapping[int, str],
) -> Iterator[_Row]:
    """Rows of columns that were filled in one way: at the events, or from the top down."""
    filled = []
    for sample, texts in rows:
        cells = {KNOWN[name]: [texts[k]] for k, name in columns.items() if k < len(texts)}
        cells = {name: found for name, found in cells.items() if found[0]}
        if cells:
            filled.append((sample, cells))
    at_events = all(sample in labels for sample, _ in filled)
    from_the_top = not at_events and all(sample < _MOST_ROWS for sample, _ in filled)
    for sample, cells in filled:
        if from_the_top:
            yield _numbered(sample + 1, cells, labels)
        else:
            label = labels.get(sample, "")
            yield _Row(sample, _number_in(label), label, cells)


def _numbered(number: int, cells: dict[str, list[str]], labels: Mapping[int, str]) -> _Row:
    """Find the event of the swallow of that number; without numbers the order counts."""
    wet = [sample for sample, label in sorted(labels.items()) if _is_plain_wet(label)]
    numbers = {sample: _number_in(labels[sample]) for sample in wet}
    if any(numbers.values()):
        wet = [sample for sample in wet if numbers[sample] == number]
    else:
        wet = wet[number - 1 : number]
    if len(wet) != 1:
        why = reported.SEVERAL_EVENTS if wet else reported.NO_EVENT
        return _Row(None, number, "", cells, why)
    return _Row(wet[0], number, labels[wet[0]], cells)


def _is_plain_wet(label: str) -> bool:
    found = _WET_SWALLOW.fullmatch(label.strip())
    return found is not None and not found[1]


def _number_in(label: str) -> int:
    found = _WET_SWALLOW.fullmatch(label.strip())
    return int(found[2]) if found and found[2] else 0


def _made(row: _Row, names: Sequence[str], rate_hz: float) -> ReportedSwallow:
    words: dict[str, str] = {}
    metrics: dict[str, float] = {}
    status = {"onset": row.why_no_time} if row.why_no_time else {}
    for name in names:
        cells = [cell for cell in row.cells.get(name, []) if cell]
        if name in reported.WORDS:
            words[name], why = _word(cells, reported.WORDS[name])
        else:
            metrics[name], why = _metric(cells, may_be_negative=name == "irp4s_mmhg")
        if why:
            status[name] = why
    return ReportedSwallow(
        onset_s=math.nan if row.sample is None else row.sample / rate_hz,
        number=row.number,
        label=identity.note_to_keep(row.label, keep_phi=False),
        words=words,
        metrics=metrics,
        status=status,
    )


def _word(cells: Sequence[str], vocabulary: frozenset[str]) -> tuple[str, str]:
    """Code of a cell, and why there is none; a slip in a word is not guessed at."""
    found = {_code(cell, vocabulary) for cell in cells if cell != NO_DATA_TEXT}
    if not found:
        return ("", NO_DATA) if cells else ("", "")
    code = found.pop() if len(found) == 1 else CONTRADICTORY
    return code, code if code in (UNRECOGNIZED, CONTRADICTORY) else ""


def _code(cell: str, vocabulary: frozenset[str]) -> str:
    word = re.sub(r"[\s_-]+", "", cell.casefold())
    word = _SPELLINGS.get(word, word)
    return word if word in vocabulary else UNRECOGNIZED


def _metric(cells: Sequence[str], *, may_be_negative: bool) -> tuple[float, str]:
    found = {
        _value(cell, may_be_negative=may_be_negative) for cell in cells if cell != NO_DATA_TEXT
    }
    if not found:
        return math.nan, NO_DATA if cells else ""
    if len(found) > 1:
        return math.nan, CONTRADICTORY
    value = found.pop()
    return (math.nan, UNRECOGNIZED) if value is None else (value, "")


def _value(cell: str, *, may_be_negative: bool) -> float | None:
    # "1,250" may be a thousand or one and a quarter.
    if re.fullmatch(r"[+-]?\d{1,3}(?:,\d{3})+", cell, re.ASCII):
        return None
    value = _text.parse_number(cell.encode("utf-8"))
    if value is None or not math.isfinite(value) or (value < 0 and not may_be_negative):
        return None
    return value


def _warn(rows: Sequence[ReportedSwallow]) -> None:
    for why, said in (
        (UNRECOGNIZED, "cannot be understood (a slip in a word?)"),
        (CONTRADICTORY, "are said twice and differ"),
    ):
        names = [name for row in rows for name, given in row.status.items() if given == why]
        if names:
            which = ", ".join(f"{names.count(name)} of {name}" for name in dict.fromkeys(names))
            warnings.warn(
                f"[{NAME}] reported results that {said}: {which}; they are kept as '{why}'",
                DataQualityWarning,
                stacklevel=2,
            )
