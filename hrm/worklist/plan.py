"""The plan of a reading: readers, their order, who settles a disagreement."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrm._files import new_file
from hrm._toml import MOST_BYTES, load_toml_bounded
from hrm.edits import READER
from hrm.errors import ParameterError
from hrm.readings import AGAIN

FILE_NAME = "worklist.toml"
#: What two readings may disagree on; each must be equal for them to agree.
DISAGREEMENTS = ("diagnosis", "swallow_types", "n_swallows")
_KEYS = ("readers", "adjudicator", "double", "reread", "seed", "disagreement")
_MOST_READERS = 20


@dataclass(frozen=True, slots=True)
class WorklistPlan:
    """Who reads what.

    Attributes
    ----------
    readers : tuple of str
        Codes of those who read.
    adjudicator : str
        Code of the reader who settles disagreements; empty if nobody does.
    double : bool
        Every study is read by two of the readers; otherwise by one.
    reread : float
        Share of the studies that a reader reads once more, 0 to 1.
    seed : int
        Of assignment and order; the same seed gives the same.
    disagreement : tuple of str
        Of `DISAGREEMENTS`.
    """

    readers: tuple[str, ...]
    adjudicator: str = ""
    double: bool = False
    reread: float = 0.0
    seed: int = 0
    disagreement: tuple[str, ...] = DISAGREEMENTS

    def __post_init__(self) -> None:
        """Refuse a plan that cannot be carried out, naming every fault."""
        faults = [*_faults(self)]
        if faults:
            raise ParameterError(f"{FILE_NAME}: {'; '.join(faults)}")


def _faults(plan: WorklistPlan) -> list[str]:
    codes = [*plan.readers, *([plan.adjudicator] if plan.adjudicator else [])]
    faults = []
    if not 1 <= len(plan.readers) <= _MOST_READERS:
        faults.append(f"readers must be a list of 1 to {_MOST_READERS} codes")
    if any(not re.fullmatch(READER, code) or code.endswith(AGAIN) for code in codes):
        # The code that was given is not quoted: it may be a name.
        faults.append(
            "a reader is a code of 2 to 12 of the characters A-Z, 0-9, - and _, not a name, "
            f"and does not end in {AGAIN}"
        )
    if any(len(code + AGAIN) > 12 for code in plan.readers) and plan.reread:
        faults.append(f"with reread a reader's code has at most {12 - len(AGAIN)} characters")
    if len(set(codes)) < len(codes):
        faults.append("each reader is named once, and the adjudicator is none of the readers")
    if plan.double and len(plan.readers) < 2:
        faults.append("double needs two readers")
    if not 0.0 <= plan.reread <= 1.0:
        faults.append("reread must be a share from 0 to 1")
    if plan.seed < 0:
        faults.append("seed must be a whole number from 0")
    if not plan.disagreement or not set(plan.disagreement) <= set(DISAGREEMENTS):
        faults.append(f"disagreement must name some of {', '.join(DISAGREEMENTS)}")
    return faults


def read_plan(folder: Path) -> WorklistPlan:
    """Read the plan of a folder.

    Raises
    ------
    ParameterError
        If there is none, or it cannot be carried out; every fault is named.
    FormatError
        If it is no TOML.
    """
    path = folder / FILE_NAME
    try:
        with path.open("rb") as file:
            said = load_toml_bounded(file.read(MOST_BYTES + 1), path=path)
    except FileNotFoundError as err:
        raise ParameterError(
            f"this folder has no {FILE_NAME}; make one with hrm worklist FOLDER --init"
        ) from err
    faults = _type_faults(said)
    if faults:
        raise ParameterError(f"{FILE_NAME}: {'; '.join(faults)}")
    lists: dict[str, Any] = {
        name: tuple(said[name]) for name in ("readers", "disagreement") if name in said
    }
    rest: dict[str, Any] = {name: value for name, value in said.items() if name not in lists}
    if "reread" in rest:
        rest["reread"] = float(rest["reread"])
    return WorklistPlan(**lists, **rest)


def _type_faults(said: Mapping[str, Any]) -> list[str]:
    unknown = sum(name not in _KEYS for name in said)
    faults = [f"{unknown} unknown keys; expected {', '.join(_KEYS)}"] if unknown else []
    if "readers" not in said:
        faults.append("readers is missing")
    for name in ("readers", "disagreement"):
        value = said.get(name, [])
        if not isinstance(value, list) or any(not isinstance(item, str) for item in value):
            faults.append(f"{name} must be a list of texts")
    kinds: Mapping[str, tuple[type | tuple[type, ...], str]] = {
        "adjudicator": (str, "a text"),
        "double": (bool, "true or false"),
        "reread": ((int, float), "a number"),
        "seed": (int, "a whole number"),
    }
    for name, (kind, words) in kinds.items():
        value = said.get(name)
        wrong = not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)
        if name in said and wrong:
            faults.append(f"{name} must be {words}")
    return faults


def write_plan(plan: WorklistPlan, folder: Path, *, overwrite: bool = False) -> Path:
    """Write a plan with comments; a folder has one."""
    path = folder / FILE_NAME

    def listed(values: tuple[str, ...]) -> str:
        return "[" + ", ".join(json.dumps(value) for value in values) + "]"

    text = f"""# Who reads the recordings of this folder. Codes, never names.
readers = {listed(plan.readers)}
# Settles what two readers disagree on; "" if nobody does.
adjudicator = {json.dumps(plan.adjudicator)}
# Every study is read by two readers, neither of whom sees the other's reading.
double = {str(plan.double).lower()}
# Share of the studies that each reader reads once more, for the agreement with oneself.
reread = {plan.reread!r}
# Of the order, which is another for each reader, and of who reads what.
seed = {plan.seed}
# Two readings disagree if one of these differs.
disagreement = {listed(plan.disagreement)}
"""
    with new_file(path, overwrite=overwrite) as place:
        place.write_text(text, encoding="utf-8")
    return path
