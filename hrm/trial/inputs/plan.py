"""The plan of a trial, `trial.toml`: what was decided before the data were seen."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hrm._toml import load_toml_bounded
from hrm.errors import ParameterError
from hrm.trial.eckardt import COMPARATORS, MISSING_RULES, SuccessRule
from hrm.trial.inputs.plan_options import (
    SEVERAL,
    SINGLE,
    VISIT,
    Check,
    Options,
    Visit,
    faults_of,
    one_of,
    option_conflicts,
    option_faults,
    options_of,
    text,
    texts,
    visit_of,
    whole,
)
from hrm.trial.inputs.redcap_choice import RedcapChoice, redcap_choice, redcap_faults

FILE_NAME = "trial.toml"
#: Tests whose own interval hrm has; the two are never mixed.
METHODS = ("miettinen-nurminen", "farrington-manning")
#: What becomes of a missing outcome in the intention-to-treat set.
MISSING_OUTCOMES = ("failure", "success", "exclude")
#: What becomes of a visit outside its window.
OUTSIDE = ("use", "missing")


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
    options: Options = field(default_factory=Options)
    redcap: RedcapChoice | None = None

    @property
    def level(self) -> float:
        """Two-sided confidence level that goes with the one-sided alpha."""
        return 1.0 - 2.0 * self.alpha

    @property
    def visits(self) -> tuple[Visit, ...]:
        """Every planned visit: baseline, the further ones by their first day, the primary."""
        further = sorted(self.options.further, key=lambda visit: (visit.first_day, visit.name))
        planned = sorted((*further, self.primary), key=lambda visit: visit.first_day)
        return (self.baseline, *planned)


def _between(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: type(value) in (int, float) and low < value < high


_KEYS: dict[str, dict[str, Check]] = {
    "trial": {
        "title": (text, "a text"),
        "seed": (whole, "a whole number"),
        "missing_codes": (texts, "a list of texts"),
        "excluded_reasons": (texts, "a list of texts"),
        "synthetic": (lambda v: isinstance(v, str), "a text, said on every page; empty for data"),
    },
    "arms": {"test": (text, "a name"), "reference": (text, "a name")},
    "baseline": VISIT,
    "primary": VISIT,
    "success": {
        "cutoff": (whole, "a whole number"),
        "comparator": one_of(*COMPARATORS),
        "missing_items": one_of(*MISSING_RULES),
        "retreatment_is_failure": (lambda v: isinstance(v, bool), "true or false"),
    },
    "analysis": {
        "margin": (_between(0, 1), "a number between 0 and 1"),
        "alpha": (_between(0, 0.5), "a number between 0 and 0.5, one-sided"),
        "method": one_of(*METHODS),
        "missing_outcome": one_of(*MISSING_OUTCOMES),
        "outside_window": one_of(*OUTSIDE),
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
    known = (*_KEYS, *SINGLE, *SEVERAL, "redcap")
    unknown = [name for name in tables if name not in known]
    out = [f"{len(unknown)} unknown tables; known: {', '.join(known)}"] if unknown else []
    for name, keys in _KEYS.items():
        table = tables.get(name, {})
        if name == "trial" and isinstance(table, dict):
            table = {"synthetic": "", **table}
        out += faults_of(table, keys, name)
    if "redcap" in tables:
        out += redcap_faults(tables["redcap"])
    return out + option_faults(tables)


def _conflicts(tables: Mapping[str, Any]) -> list[str]:
    out = []
    arms = [tables["arms"]["test"], tables["arms"]["reference"]]
    if arms[0].casefold() == arms[1].casefold():
        out.append("arms.test and arms.reference: expected two different names")
    options = options_of(tables, "")
    said = [tables[name]["name"] for name in ("baseline", "primary")]
    said += [visit.name for visit in options.further]
    if len(set(said)) < len(said):
        out.append("baseline.name and primary.name: expected two different visits")
    if any(holds_label(name, arms) for name in [*said, *tables["trial"]["excluded_reasons"]]):
        out.append("visits and reasons: expected names that hold no arm, or a report is unblinded")
    words = [word for each in options.columns for word in (each.name, each.label, *each.levels)]
    if any(holds_label(word, arms) for word in words):
        out.append("variable: expected texts that hold no arm, or a report is unblinded")
    return out + option_conflicts(options)


def holds_label(said: str, arms: list[str]) -> bool:
    """Whether a text names an arm, as a word of its own and in whatever case."""
    return any(
        re.search(rf"(?<!\w){re.escape(arm)}(?!\w)", said, re.IGNORECASE) is not None
        for arm in arms
    )


def _plan(tables: Mapping[str, Any], sha256: str) -> TrialPlan:
    trial, analysis = tables["trial"], tables["analysis"]
    return TrialPlan(
        title=trial["title"],
        **tables["arms"],
        baseline=visit_of(tables["baseline"]),
        primary=visit_of(tables["primary"]),
        rule=SuccessRule(**tables["success"]),
        **analysis,
        excluded_reasons=tuple(trial["excluded_reasons"]),
        missing_codes=tuple(trial["missing_codes"]),
        seed=trial["seed"],
        sha256=sha256,
        options=options_of(tables, trial.get("synthetic", "")),
        redcap=redcap_choice(tables["redcap"]) if "redcap" in tables else None,
    )
