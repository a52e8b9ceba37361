"""The plan of a trial, `trial.toml`: what was decided before the data were seen."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrm._toml import load_toml_bounded
from hrm.errors import ParameterError
from hrm.trial.eckardt import COMPARATORS, MISSING_RULES, SuccessRule

FILE_NAME = "trial.toml"
#: Tests whose own interval hrm has; the two are never mixed.
METHODS = ("miettinen-nurminen", "farrington-manning")
#: What becomes of a missing outcome in the intention-to-treat set.
MISSING_OUTCOMES = ("failure", "success", "exclude")
#: What becomes of a visit outside its window.
OUTSIDE = ("use", "missing")


@dataclass(frozen=True, slots=True)
class Visit:
    """A planned visit: its name, and first and last study day of its window."""

    name: str
    first_day: int
    last_day: int


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """What was prespecified; every field is said by the trial team, none has a default."""

    title: str
    test: str
    reference: str
    baseline: Visit
    primary: Visit
    outside_window: str
    rule: SuccessRule
    margin: float
    alpha: float
    method: str
    missing_outcome: str
    excluded_reasons: tuple[str, ...]
    missing_codes: tuple[str, ...]
    seed: int
    sha256: str

    @property
    def level(self) -> float:
        """Two-sided confidence level that goes with the one-sided alpha."""
        return 1.0 - 2.0 * self.alpha


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _one_of(*allowed: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in allowed


def _between(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: type(value) in (int, float) and low < value < high


def _window(value: Any) -> bool:
    days = isinstance(value, list) and len(value) == 2 and all(map(_whole, value))
    return bool(days and value[0] <= value[1])


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value))


_VISIT: dict[str, tuple[Callable[[Any], bool], str]] = {
    "name": (_text, "a name"),
    "window_days": (_window, "[first, last], whole study days in order"),
}
_KEYS: dict[str, dict[str, tuple[Callable[[Any], bool], str]]] = {
    "trial": {
        "title": (_text, "a text"),
        "seed": (_whole, "a whole number"),
        "missing_codes": (_texts, "a list of texts"),
        "excluded_reasons": (_texts, "a list of texts"),
    },
    "arms": {"test": (_text, "a name"), "reference": (_text, "a name")},
    "baseline": _VISIT,
    "primary": _VISIT,
    "success": {
        "cutoff": (_whole, "a whole number"),
        "comparator": (_one_of(*COMPARATORS), " or ".join(COMPARATORS)),
        "missing_items": (_one_of(*MISSING_RULES), " or ".join(MISSING_RULES)),
        "retreatment_is_failure": (lambda v: isinstance(v, bool), "true or false"),
    },
    "analysis": {
        "margin": (_between(0, 1), "a number between 0 and 1"),
        "alpha": (_between(0, 0.5), "a number between 0 and 0.5, one-sided"),
        "method": (_one_of(*METHODS), " or ".join(METHODS)),
        "missing_outcome": (_one_of(*MISSING_OUTCOMES), " or ".join(MISSING_OUTCOMES)),
        "outside_window": (_one_of(*OUTSIDE), " or ".join(OUTSIDE)),
    },
}


def read_plan(path: Path) -> TrialPlan:
    """Read a trial's plan.

    Parameters
    ----------
    path : Path
        The file `trial.toml`.

    Returns
    -------
    TrialPlan

    Raises
    ------
    FormatError
        If it is not TOML.
    ParameterError
        If keys are missing, unknown or unusable; lists them all, and quotes no value.
    """
    content = path.read_bytes()
    tables = load_toml_bounded(content, path=path)
    faults = _faults(tables) or _conflicts(tables)
    if faults:
        raise ParameterError("the plan of the trial cannot be used:\n  " + "\n  ".join(faults))
    return _plan(tables, hashlib.sha256(content).hexdigest())


def _faults(tables: Mapping[str, Any]) -> list[str]:
    unknown = [name for name in tables if name not in _KEYS]
    out = [f"{len(unknown)} unknown tables; known: {', '.join(_KEYS)}"] if unknown else []
    for name, keys in _KEYS.items():
        table = tables.get(name, {})
        if not isinstance(table, dict):
            out.append(f"{name}: expected a table [{name}]")
            continue
        if set(table) - set(keys):
            out.append(f"[{name}]: unknown keys; known: {', '.join(keys)}")
        for key, (sound, expected) in keys.items():
            if key not in table:
                out.append(f"{name}.{key} is missing: expected {expected}")
            elif not sound(table[key]):
                out.append(f"{name}.{key}: expected {expected}")
    return out


def _conflicts(tables: Mapping[str, Any]) -> list[str]:
    out = []
    arms = [tables["arms"]["test"], tables["arms"]["reference"]]
    if arms[0].casefold() == arms[1].casefold():
        out.append("arms.test and arms.reference: expected two different names")
    if tables["baseline"]["name"] == tables["primary"]["name"]:
        out.append("baseline.name and primary.name: expected two different visits")
    said = [tables["baseline"]["name"], tables["primary"]["name"]]
    if any(holds_label(text, arms) for text in said + tables["trial"]["excluded_reasons"]):
        out.append("visits and reasons: expected names that hold no arm, or a report is unblinded")
    return out


def holds_label(text: str, arms: list[str]) -> bool:
    """Whether a text names an arm, as a word of its own and in whatever case."""
    return any(
        re.search(rf"(?<!\w){re.escape(arm)}(?!\w)", text, re.IGNORECASE) is not None
        for arm in arms
    )


def _plan(tables: Mapping[str, Any], sha256: str) -> TrialPlan:
    trial, analysis = tables["trial"], tables["analysis"]
    return TrialPlan(
        title=trial["title"],
        **tables["arms"],
        baseline=_visit(tables["baseline"]),
        primary=_visit(tables["primary"]),
        rule=SuccessRule(**tables["success"]),
        **analysis,
        excluded_reasons=tuple(trial["excluded_reasons"]),
        missing_codes=tuple(trial["missing_codes"]),
        seed=trial["seed"],
        sha256=sha256,
    )


def _visit(table: Mapping[str, Any]) -> Visit:
    return Visit(table["name"], *table["window_days"])
