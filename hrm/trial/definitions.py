"""Instruments and lexicons of a trial, as hrm/data/trial.toml has them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from hrm.errors import ParameterError

#: Which LES pressure a plan may choose; the keys of hrm/data/trial.toml.
LES_PRESSURES = ("end_expiratory", "respiratory_mean")
POSTURES = ("supine", "upright")


@dataclass(frozen=True, slots=True)
class Instrument:
    """A score: its items in order, their labels and their range."""

    items: tuple[str, ...]
    labels: tuple[str, ...]
    lowest: int
    highest: int
    unit: str
    text: str
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Grades of adverse events, from mild to grave."""

    name: str
    grades: tuple[str, ...]
    text: str
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Quantity:
    """What the manometry of a trial compares: a number of a study, by the plan's choice.

    `metric` is a number of the study; where it is empty, `swallows` is one of the evaluable
    swallows in the plan's posture, and their median is taken. `kind` is how it is described over
    participants: a skewed one by its median.
    """

    key: str
    code: str
    label: str
    metric: str
    swallows: str
    drawn: bool
    digits: int
    kind: str = "mean"


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(files("hrm.data").joinpath("trial.toml").read_text(encoding="utf-8"))


@cache
def eckardt() -> Instrument:
    """Give the Eckardt score as an instrument."""
    row = dict(_data()["eckardt"])
    items, labels = tuple(row.pop("items")), tuple(row.pop("labels"))
    return Instrument(items, labels, **row)


@cache
def lexicons() -> dict[str, Lexicon]:
    """Give the lexicons of adverse events by name."""
    rows = {name: dict(row) for name, row in _data()["lexicon"].items()}
    return {name: Lexicon(name, tuple(row.pop("grades")), **row) for name, row in rows.items()}


def quantities(les_pressure: str, posture: str) -> tuple[Quantity, ...]:
    """Give what is compared, under a plan's choice of LES pressure and posture.

    Raises
    ------
    ParameterError
        If one of the choices is unknown.
    """
    if les_pressure not in LES_PRESSURES or posture not in POSTURES:
        raise ParameterError(
            f"expected an LES pressure of {', '.join(LES_PRESSURES)} and a posture of "
            f"{', '.join(POSTURES)}"
        )
    return tuple(
        Quantity(
            key=row["key"],
            code=row["code"],
            label=row["label"],
            metric=row.get("metric") or row.get(les_pressure) or row.get(posture) or "",
            swallows=row.get("swallows", ""),
            drawn=row.get("drawn", False),
            digits=row["digits"],
            kind=row.get("kind", "mean"),
        )
        for row in _data()["manometry"]
    )
