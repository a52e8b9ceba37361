"""What a plan may say beyond the primary outcome: visits, variables, manometry, events.

A table that is not there is a part that the trial does not have. A table that is there has
no defaults: each of its keys is a decision.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hrm.trial.definitions import LES_PRESSURES, POSTURES, lexicons

Check = tuple[Callable[[Any], bool], str]

VARIABLE_KINDS = ("mean", "median", "category", "yes-no")
GROUPS = ("baseline", "procedure", "reflux")
#: Scales of the limits of a survival curve.
INTERVALS = ("log-log", "log", "plain")
#: A name of ADaM: at most 8 characters, a letter first.
ADAM_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,7}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Visit:
    """A planned visit: its name, and first and last study day of its window."""

    name: str
    first_day: int
    last_day: int


@dataclass(frozen=True, slots=True)
class Column:
    """A variable of each participant, a column of `variables.csv`."""

    name: str
    adam: str
    label: str
    kind: str
    unit: str
    levels: tuple[str, ...]
    group: str
    subgroup: bool
    stratum: bool


@dataclass(frozen=True, slots=True)
class Manometry:
    """Which recordings, and what is read from them."""

    batches: tuple[str, ...]
    les_pressure: str
    posture: str
    same_system: bool


@dataclass(frozen=True, slots=True)
class AdverseChoice:
    """Whose grades, and until which day after the procedure an event is early."""

    lexicon: str
    early_days: int


@dataclass(frozen=True, slots=True)
class FailureChoice:
    """Where the curve of time to failure is read [days], and the horizon of its mean."""

    times_days: tuple[int, ...]
    horizon_days: int
    interval: str


@dataclass(frozen=True, slots=True)
class Options:
    """Everything beyond the primary outcome; None or empty: the trial does not have it."""

    further: tuple[Visit, ...] = ()
    columns: tuple[Column, ...] = ()
    manometry: Manometry | None = None
    adverse_events: AdverseChoice | None = None
    failure: FailureChoice | None = None
    synthetic: str = ""


def text(value: Any) -> bool:
    """Whether a value is a text that says something."""
    return isinstance(value, str) and bool(value.strip())


def whole(value: Any) -> bool:
    """Whether a value is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def texts(value: Any) -> bool:
    """Whether a value is a list of texts, each once."""
    return isinstance(value, list) and all(map(text, value)) and len(set(value)) == len(value)


def one_of(*allowed: str) -> Check:
    """Make the check that a value is one of some words."""
    return lambda value: isinstance(value, str) and value in allowed, " or ".join(allowed)


def window(value: Any) -> bool:
    """Whether a value is a first and a last day, in order."""
    days = isinstance(value, list) and len(value) == 2 and all(map(whole, value))
    return bool(days and value[0] <= value[1])


def _days(value: Any) -> bool:
    rising = (
        isinstance(value, list) and bool(value) and all(whole(day) and day > 0 for day in value)
    )
    return rising and sorted(set(value)) == value


_TRUTH: Check = (lambda value: isinstance(value, bool), "true or false")
_DAY: Check = (lambda value: whole(value) and value > 0, "a whole number above 0")

VISIT: dict[str, Check] = {
    "name": (text, "a name"),
    "window_days": (window, "[first, last], whole study days in order"),
}
#: Tables that may be there once; then all of their keys are.
SINGLE: dict[str, dict[str, Check]] = {
    "manometry": {
        "batches": (lambda v: texts(v) and bool(v), "a list of folders of hrm batch"),
        "les_pressure": one_of(*LES_PRESSURES),
        "posture": one_of(*POSTURES),
        "same_system": _TRUTH,
    },
    "adverse_events": {"lexicon": one_of(*lexicons()), "early_days": _DAY},
    "failure": {
        "times_days": (_days, "a list of whole days above 0, rising"),
        "horizon_days": _DAY,
        "interval": one_of(*INTERVALS),
    },
}
#: Tables that may be there several times.
SEVERAL: dict[str, dict[str, Check]] = {
    "further_visit": VISIT,
    "variable": {
        "name": (lambda v: text(v) and v != "participant", "the name of a column of variables.csv"),
        "adam": (
            lambda v: isinstance(v, str) and ADAM_NAME.fullmatch(v) is not None,
            "a name of ADaM: at most 8 of A-Z, 0-9 and _, a letter first",
        ),
        "label": (text, "a text"),
        "kind": one_of(*VARIABLE_KINDS),
        "unit": (lambda v: isinstance(v, str), "a text, empty for none"),
        "levels": (texts, "a list of texts, empty unless the kind is category"),
        "group": one_of(*GROUPS),
        "subgroup": _TRUTH,
        "stratum": _TRUTH,
    },
}


def faults_of(table: Any, keys: Mapping[str, Check], name: str) -> Iterator[str]:
    """Say what is missing, unknown or unusable in one table; quotes no value."""
    if not isinstance(table, dict):
        yield f"{name}: expected a table [{name}]"
        return
    if set(table) - set(keys):
        yield f"[{name}]: unknown keys; known: {', '.join(keys)}"
    for key, (sound, expected) in keys.items():
        if key not in table:
            yield f"{name}.{key} is missing: expected {expected}"
        elif not sound(table[key]):
            yield f"{name}.{key}: expected {expected}"


def option_faults(tables: Mapping[str, Any]) -> list[str]:
    """Say what is wrong with the tables that a plan need not have."""
    out: list[str] = []
    for name, keys in SINGLE.items():
        if name in tables:
            out += faults_of(tables[name], keys, name)
    for name, keys in SEVERAL.items():
        rows = tables.get(name, [])
        if not isinstance(rows, list):
            out.append(f"{name}: expected tables [[{name}]]")
            continue
        for number, row in enumerate(rows, start=1):
            out += faults_of(row, keys, f"{name} {number}")
    return out


def options_of(tables: Mapping[str, Any], synthetic: str) -> Options:
    """Take the options from tables without faults."""
    said = {name: tables.get(name) for name in SINGLE}
    manometry, events, failure = (said[name] for name in SINGLE)
    return Options(
        further=tuple(visit_of(row) for row in tables.get("further_visit", [])),
        columns=tuple(
            Column(**{**row, "levels": tuple(row["levels"])}) for row in tables.get("variable", [])
        ),
        manometry=Manometry(**{**manometry, "batches": tuple(manometry["batches"])})
        if manometry
        else None,
        adverse_events=AdverseChoice(**events) if events else None,
        failure=FailureChoice(**{**failure, "times_days": tuple(failure["times_days"])})
        if failure
        else None,
        synthetic=synthetic,
    )


def visit_of(table: Mapping[str, Any]) -> Visit:
    """Take a visit from a table without faults."""
    return Visit(table["name"], *table["window_days"])


def option_conflicts(options: Options) -> list[str]:
    """Say where the options contradict each other."""
    out = []
    for what, names in (
        ("variable.name", [column.name for column in options.columns]),
        ("variable.adam", [column.adam for column in options.columns]),
    ):
        if len(set(names)) < len(names):
            out.append(f"{what}: expected each once")
    for number, column in enumerate(options.columns, start=1):
        if (column.kind == "category") != bool(column.levels):
            out.append(f"variable {number}.levels: expected levels of a category, and only of one")
        if (column.subgroup or column.stratum) and column.kind not in ("category", "yes-no"):
            out.append(f"variable {number}: expected a category or yes-no as subgroup or stratum")
    if sum(column.stratum for column in options.columns) > 1:
        out.append("variable.stratum: expected at most one")
    return out
