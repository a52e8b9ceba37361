"""How a plan maps a REDCap export: its table [redcap]."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hrm.trial.inputs.plan_options import Check, faults_of, one_of, text

#: The parts of the table [redcap] that map columns of hrm to fields; those with an instrument
#: have one row a repeat of it.
PARTS = ("participants", "visits", "variables", "events", "deviations")
REPEATED = ("events", "deviations")
_MAP: Check = (
    lambda value: isinstance(value, dict) and all(map(text, value.values())),
    "a table of column = field of the export",
)
KEYS: dict[str, Check] = {
    "export": (text, "the name of a file"),
    "dictionary": (text, "the name of a file"),
    "separator": one_of(",", ";"),
    "decimal": one_of(".", ","),
    "record": (text, "the name of a field"),
    "events": (
        lambda v: isinstance(v, dict) and all(isinstance(each, str) for each in v.values()),
        "a table of event = visit of the plan, empty for none",
    ),
}


@dataclass(frozen=True, slots=True)
class RedcapChoice:
    """How a plan maps an export: files, way of writing, events, and the fields of each part."""

    export: str
    dictionary: str
    separator: str
    decimal: str
    record: str
    events: Mapping[str, str]
    parts: Mapping[str, Mapping[str, str]]


def redcap_faults(table: Any) -> Iterator[str]:
    """Say what is wrong with the table [redcap] of a plan."""
    keys = dict(KEYS)
    if isinstance(table, dict):
        keys |= {f"{name}_fields": _MAP for name in PARTS if f"{name}_fields" in table}
    yield from faults_of(table, keys, "redcap")
    if not isinstance(table, dict):
        return
    for name in PARTS[:2]:
        if f"{name}_fields" not in table:
            yield f"redcap.{name}_fields is missing: expected {_MAP[1]}"
    for name in REPEATED:
        part = table.get(f"{name}_fields", {"instrument": ""})
        if isinstance(part, dict) and "instrument" not in part:
            yield f"redcap.{name}_fields.instrument is missing: expected a repeated instrument"


def redcap_choice(table: Mapping[str, Any]) -> RedcapChoice:
    """Take the table [redcap] of a plan without faults."""
    parts = {name: table[f"{name}_fields"] for name in PARTS if f"{name}_fields" in table}
    return RedcapChoice(**{name: table[name] for name in KEYS}, parts=parts)
