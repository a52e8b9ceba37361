"""Cells of a table of reported numbers: read, checked, and never quoted."""

from __future__ import annotations

import math
import re
from typing import Any

from hrm import catalog
from hrm.agreement.definitions import metric_of, statuses_with_a_number
from hrm.errors import CorruptFileError, FormatError, UnitsError

READER = "agreement"
_EMPTY = ("", "NA", "NaN", "nan", "<NA>", "None")
#: A code, like those of `hrm analyze --participant`; a name with spaces or commas is none.
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_STATUS = re.compile(r"[a-z0-9_]{1,60}")


class TableUnitsError(FormatError, UnitsError):
    """A number of a table has another unit than the catalogue; names line and file."""


def code_of(text: str, what: str, where: str | None = None) -> str:
    """Check that a subject or a visit is a code, and no name."""
    if not _CODE.fullmatch(text):
        raise FormatError(
            f"{what} must be a code of 1 to 32 of the characters A-Z a-z 0-9 . _ - without "
            "spaces, and not a name; replace it by a pseudonym",
            reader=READER,
            where=where,
        )
    return text


def text_of(cell: Any) -> str:
    """Text of a cell; empty for all ways to write that nothing is there."""
    text = "" if cell is None else str(cell).strip()
    return "" if text in _EMPTY else text


def status_of(text: str, where: str) -> str:
    """Check the form of a status."""
    if text and not _STATUS.fullmatch(text):
        raise CorruptFileError(
            "status must be a code of lower-case letters, digits and _",
            reader=READER,
            where=where,
        )
    return text


def swallow_of(text: str, where: str) -> int | None:
    """Number of the swallow; None for a number of the study."""
    if not text:
        return None
    number = number_of(text)
    if number is None or not number.is_integer() or not 1 <= number < 10**6:
        raise CorruptFileError(
            "swallow must be a whole number from 1, or empty for a number of the study",
            reader=READER,
            where=where,
        )
    return int(number)


def number_of(text: str) -> float | None:
    """Finite number of a cell, or None."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def check_unit(metric: str, unit: str, where: str) -> None:
    """Refuse another unit than that of the catalogue."""
    known = metric_of(metric)
    expected = known.units if known else ""
    if _spelled(unit) != expected:
        found = "another unit" if unit else "no unit"
        raise TableUnitsError(
            f"expected {metric} in {expected}, found {found}; convert the numbers, and write the "
            "unit as 'hrm metrics' does",
            reader=READER,
            where=where,
        )


def check_remark(status: str, where: str) -> None:
    """Refuse a status under which a number might not be meant to count."""
    if status not in statuses_with_a_number():
        raise CorruptFileError(
            "expected beside a number the status ok, excluded, or a remark that leaves it usable "
            "(docs/results.md), found another; write ok if the number counts, excluded if it does "
            "not, NA in place of the number if it was not measured",
            reader=READER,
            where=where,
        )


def _spelled(unit: str) -> str:
    """Write a unit as the catalogue does: vendors join its parts in many ways."""
    parts = re.split(r"[\s·⋅.*×]+", unit.strip())
    known = {"mmhg": "mmHg", "sec": "s", "ohms": "ohm", "percent": "%"}
    return " ".join(known.get(part.lower(), part) for part in parts)


def catalogued(metric: str) -> str:
    """Take a name without its unit, like ``irp4s``, for the metric of that name."""
    if metric_of(metric) is not None:
        return metric
    plain = metric.lower()
    return next((name for name in catalog.metrics() if catalog.without_unit(name) == plain), metric)
