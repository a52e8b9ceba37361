"""How sure we are of each layout that a reader reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from hrm.io._registry import Reader

#: What the knowledge of a layout rests on, the surest first.
EVIDENCE: Mapping[str, str] = {
    "own": "hrm's own format, defined here",
    "standard": "a published specification",
    "file": "seen in a real recording",
    "code": "seen in code that parses it",
    "prose": "described in text only",
    "user": "the user describes it",
    "unstated": "its reader does not say",
}


class Variant(NamedTuple):
    """One layout of a format; a reader lists its own as the class attribute ``variants``.

    `evidence` is a key of `EVIDENCE`; `read` is False of a layout that is recognised only to
    be refused with advice.
    """

    name: str
    evidence: str
    note: str
    read: bool = True


def variants_of(reader: Reader) -> tuple[Variant, ...]:
    """Layouts that a reader declares; of a plug-in that declares none, one of which nothing is known."""
    declared = getattr(reader, "variants", ())
    sound = tuple(
        each for each in declared if isinstance(each, Variant) and each.evidence in EVIDENCE
    )
    return sound or (Variant(reader.name, "unstated", reader.description),)
