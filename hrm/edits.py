"""What a reader may change, and the rules that an edit has to keep.

Neither needs a recording: whether an edit fits one is found out when it is applied
(`hrm.corrections`). Messages never quote a value, because anything may have been
typed where a code was asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256 as _sha256
from typing import Any

from hrm import catalog
from hrm.errors import AnnotationError

#: Value of an edit; None is the automatic value.
Value = float | str | bool | None

DIGEST = re.compile(r"[0-9a-f]{64}")
_MOST_REASON = 1000
#: Pattern of the code of a reader.
READER = r"[A-Z0-9_-]{2,12}"
_READER = re.compile(READER)
_ENGINE = re.compile(r"[A-Za-z0-9.+_-]{1,40}")
_SWALLOW = re.compile(r"swallow@(-?\d{1,6}\.\d{2})")
_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


@dataclass(frozen=True, slots=True)
class _Number:
    low: float
    high: float
    unit: str

    def fault(self, value: Value) -> str:
        good = isinstance(value, int | float) and not isinstance(value, bool)
        # A comparison with NaN is false, and one with a huge integer is exact.
        if good and isinstance(value, int | float) and self.low <= value <= self.high:
            return ""
        return f"expected a number from {self.low:g} to {self.high:g} {self.unit}, or null"


@dataclass(frozen=True, slots=True)
class _Word:
    name: str

    def words(self) -> list[str]:
        # From the result contract: hrm.schema would import xarray.
        return list(catalog.result_schema()["$defs"]["swallow"]["properties"][self.name]["enum"])

    def fault(self, value: Value) -> str:
        return "" if value in self.words() else f"expected {', '.join(self.words())}, or null"


@dataclass(frozen=True, slots=True)
class _Flag:
    def fault(self, value: Value) -> str:
        return "" if isinstance(value, bool) else "expected true, false or null"


@dataclass(frozen=True, slots=True)
class _Text:
    def fault(self, value: Value) -> str:
        if isinstance(value, str) and len(value.strip()) > 0 and _is_text(value):
            return ""
        return f"expected a text of at most {_MOST_REASON} characters, or null"


_Kind = _Number | _Word | _Flag | _Text
_CM, _SECONDS = _Number(-50.0, 150.0, "cm"), _Number(-10.0, 999_999.0, "s")
#: What a reader remarks on a study or a swallow; it stays in the log.
COMMENT = "comment"
#: Landmarks that a reader may set for the study, or for one swallow alone.
_OF_BOTH: Mapping[str, _Kind] = {
    "ues_upper_cm": _CM,
    "ues_lower_cm": _CM,
    "les_upper_cm": _CM,
    "les_lower_cm": _CM,
    "crural_diaphragm_cm": _CM,
    "gastric_reference_mmhg": _Number(-100.0, 200.0, "mmHg"),
    "transition_zone_cm": _CM,
}
SWALLOW_LANDMARKS: tuple[str, ...] = tuple(_OF_BOTH)
_FIELDS: Mapping[str, Mapping[str, _Kind]] = {
    "landmarks": {**_OF_BOTH, "pressure_inversion_point_cm": _CM},
    "swallow": {
        "onset_s": _SECONDS,
        "posture": _Word("posture"),
        "protocol": _Word("protocol"),
        "include": _Flag(),
        "cdp_cm": _CM,
        "contour_mmhg": _Number(10.0, 150.0, "mmHg"),
        **_OF_BOTH,
        "added": _Flag(),
        COMMENT: _Text(),
    },
    "study": {"signed_off": _Flag(), "adjudicates": _Flag(), COMMENT: _Text()},
}
#: Fields by kind of object; a swallow is called ``swallow@<automatic onset>``.
FIELDS: Mapping[str, tuple[str, ...]] = {kind: tuple(rows) for kind, rows in _FIELDS.items()}


@dataclass(frozen=True, slots=True)
class Change:
    """What a reader wants changed: a value of an object, and what it was before.

    `new` is None to go back to the automatic value; `old` is the value before the
    first edit of this field.
    """

    object: str
    field: str
    new: Value
    old: Value = None


@dataclass(frozen=True, slots=True)
class Edit:
    """One line of a review log; an edit that breaks a rule cannot be made.

    Attributes
    ----------
    seq : int
        Number of the line, from 1.
    utc : str
        Time of the edit, ISO 8601 with Z.
    reader : str
        Code of the reader: 2 to 12 of A-Z, 0-9, - and _.
    object, field : str
        What was changed, see `FIELDS`.
    old, new : float, str, bool or None
        Value before and after; None is the automatic value.
    reason : str
        Kept in the log only.
    engine : str
        Version of hrm.
    sha256 : str
        Of the recording.
    prev_hash : str
        SHA-256 of the line before, without its line end.
    hash : str
        SHA-256 of this line; not part of it.

    Raises
    ------
    AnnotationError
        Naming every fault; values are not quoted.
    """

    seq: int
    utc: str
    reader: str
    object: str
    field: str
    old: Value
    new: Value
    reason: str
    engine: str
    sha256: str
    prev_hash: str
    hash: str = ""

    def __post_init__(self) -> None:
        """Refuse what breaks a rule; complete the digest."""
        faults = [*_type_faults(self)] or [*_form_faults(self), *_value_faults(self)]
        if faults:
            raise AnnotationError("; ".join(faults))
        for name in ("old", "new"):
            value = getattr(self, name)
            if isinstance(value, int) and not isinstance(value, bool):
                # JSON may say 41 for 41.0.
                object.__setattr__(self, name, float(value))
        if not self.hash:
            object.__setattr__(self, "hash", _sha256(self.line()).hexdigest())

    def line(self) -> bytes:
        """Line of the log, without its end."""
        content = asdict(self)
        del content["hash"]
        return json.dumps(content, separators=(",", ":"), allow_nan=False).encode("ascii")


#: Keys of a line.
KEYS = frozenset(Edit.__dataclass_fields__) - {"hash"}


def _type_faults(edit: Edit) -> Iterator[str]:
    """What came out of JSON may be of any type."""
    for name in ("utc", "reader", "object", "field", "reason", "engine", "sha256", "prev_hash"):
        if not isinstance(getattr(edit, name), str):
            yield f"{name} must be a text"
    number: Any = edit.seq
    if type(number) is not int or number < 1:
        yield "seq must be a whole number from 1"


def _form_faults(edit: Edit) -> Iterator[str]:
    if not _is_utc(edit.utc):
        yield "utc must be a time like 2026-01-31T09:30:00Z"
    if not _READER.fullmatch(edit.reader):
        yield (
            "reader must be a code of 2 to 12 of the characters A-Z, 0-9, - and _, "
            "not a name: a log names nobody"
        )
    if not _is_text(edit.reason):
        yield f"reason must be valid text of at most {_MOST_REASON} characters"
    if not _ENGINE.fullmatch(edit.engine):
        yield "engine must be a version number"
    if not (DIGEST.fullmatch(edit.sha256) and DIGEST.fullmatch(edit.prev_hash)):
        yield "sha256 and prev_hash must be 64 hexadecimal digits"


def _value_faults(edit: Edit) -> Iterator[str]:
    try:
        kind = _kind_of(edit.object, edit.field)
    except AnnotationError as err:
        yield str(err)
        return
    for name in ("old", "new"):
        value = getattr(edit, name)
        fault = "" if value is None else kind.fault(value)
        if fault:
            yield f"{edit.field}: {name} cannot be used, {fault}"


def _kind_of(name: str, field: str) -> _Kind:
    kind = "swallow" if _SWALLOW.fullmatch(name) else name
    if kind not in _FIELDS or (kind == "swallow" and name == "swallow"):
        raise AnnotationError(
            "unknown object; expected landmarks, study, or swallow@ and the automatic onset "
            "in s with two decimals, like swallow@31.20"
        )
    if field not in _FIELDS[kind]:
        raise AnnotationError(f"unknown field of {kind}; expected {', '.join(_FIELDS[kind])}")
    return _FIELDS[kind][field]


def _is_utc(text: str) -> bool:
    try:
        return bool(_UTC.fullmatch(text) and datetime.fromisoformat(text))
    except ValueError:
        return False


def _is_text(text: str) -> bool:
    if len(text) > _MOST_REASON:
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def swallow_object(onset_s: float) -> str:
    """Name of a swallow in a log: its automatic onset, since numbers shift.

    Examples
    --------
    >>> swallow_object(31.204)
    'swallow@31.20'
    """
    # Rounded first, so that a hair below zero is not "-0.00".
    return f"swallow@{round(onset_s, 2) + 0.0:.2f}"


def swallow_onset(name: str) -> float | None:
    """Onset [s] in the name of a swallow; None if `name` is no swallow's."""
    match = _SWALLOW.fullmatch(name)
    return float(match[1]) if match else None


def value_of(name: str, field: str, text: str) -> Value:
    """Take the value of a field from what somebody typed.

    Parameters
    ----------
    name, field : str
        Object and field.
    text : str
        ``automatic`` (or ``null``) goes back to the automatic value.

    Returns
    -------
    float, str, bool or None

    Raises
    ------
    AnnotationError
        If object, field or value cannot be used.
    """
    kind, word = _kind_of(name, field), text.strip().lower()
    value: Value = word
    if word in ("automatic", "null"):
        return None
    if isinstance(kind, _Text):
        value = text.strip()
    elif isinstance(kind, _Flag):
        value = {"true": True, "false": False}.get(word)
    elif isinstance(kind, _Number):
        try:
            value = float(word)
        except ValueError:
            value = None
    fault = kind.fault(value)
    if fault:
        raise AnnotationError(f"{field}: {fault.replace('null', 'automatic')}")
    return value
