"""What people said of a study, in words: its clinical context, and each change by a reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hrm import catalog
from hrm.report import wording

NOT_ASKED = "not stated"


def clinical_context(result: Mapping[str, Any]) -> str:
    """List what the trees were told of the patient, and what they were not.

    Parameters
    ----------
    result : mapping
        From `hrm.to_dict`.

    Returns
    -------
    str
        A label rests on these facts as much as on the pressures, so that each is named.
    """
    said = result["engine"]["clinical"]
    facts = {
        "symptoms": _symptoms(said["symptoms"]),
        "barium esophagram": said["tbe"],
        "FLIP": said["flip"],
        "opioids": {True: "yes", False: "no"}.get(said["opioids"], "unknown"),
        "prior foregut operation": wording.in_words(said["prior_surgery"]),
    }
    known = [f"{name}: {text}" for name, text in facts.items() if text != "unknown"]
    asked = [name for name, text in facts.items() if text == "unknown"]
    rest = [f"{NOT_ASKED}: {', '.join(asked)}"] if asked else []
    return f"{'; '.join([*known, *rest])}."


def _symptoms(said: Sequence[str] | None) -> str:
    if said is None:
        return "unknown"
    return ", ".join(wording.in_words(symptom) for symptom in said) or "none"


def reader_edits(result: Mapping[str, Any]) -> list[str]:
    """Say of each change by a reader what it is, and what was found automatically.

    Parameters
    ----------
    result : mapping
        From `hrm.to_dict`.

    Returns
    -------
    list of str
        Empty without a review.
    """
    review = result.get("review") or {"applied": []}
    names = {swallow["id"]: swallow for swallow in result["swallows"]}
    return [
        f"{_where(edit, names)}{_field(edit['field'])}: {_value(edit['value'])} by {edit['reader']}, "
        f"automatic {_value(edit['automatic'])}"
        for edit in review["applied"]
        if edit["object"] != "study"
    ]


def _where(edit: Mapping[str, Any], swallows: Mapping[int, Mapping[str, Any]]) -> str:
    """Name the swallow by its number in the report; a log names it by its automatic onset."""
    if edit["object"] == "landmarks":
        return ""
    at = float(str(edit["object"]).partition("@")[2])
    moved = edit["value"] if edit["field"] == "onset_s" else at
    for number in _nearest(swallows, (at, float(moved))):
        return f"swallow {number}, "
    return f"swallow at {at:g} s, "


def _nearest(swallows: Mapping[int, Mapping[str, Any]], times: Sequence[float]) -> Iterator[int]:
    for number, swallow in swallows.items():
        if any(abs(swallow["onset_s"] - at) <= 0.5 for at in times):
            yield number


def _field(name: str) -> str:
    known = catalog.metrics().get(name)
    return known.long_name if known else wording.in_words(name)


def _value(value: Any) -> str:
    if value is None:
        return wording.DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.2f}" if isinstance(value, float) else wording.in_words(str(value))
