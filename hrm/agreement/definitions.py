"""The rules of a comparison, from ``hrm/data/agreement.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from hrm import catalog

#: Edges of the relaxation window, which the catalogue holds as one metric.
_WINDOW = ("window_start_s", "window_stop_s")


@dataclass(frozen=True, slots=True)
class Rule:
    """One number that a comparison rests on."""

    key: str
    value: Any
    unit: str
    confidence: str
    source: str
    text: str


@dataclass(frozen=True, slots=True)
class Label:
    """A label of a swallow or a study; `order` holds the codes that have a place in an order."""

    name: str
    scope: str
    long_name: str
    categories: tuple[str, ...]
    order: tuple[str, ...]
    confidence: str
    source: str
    text: str


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((files("hrm") / "data" / "agreement.toml").read_text(encoding="utf-8"))


@cache
def rules() -> Mapping[str, Rule]:
    """Every rule, by key."""
    return MappingProxyType({row["key"]: Rule(**row) for row in _table()["rule"]})


@cache
def labels() -> Mapping[str, Label]:
    """Every label that is compared, by name."""
    rows = [
        Label(**{**row, "categories": tuple(row["categories"]), "order": tuple(row["order"])})
        for row in _table()["label"]
    ]
    return MappingProxyType({row.name: row for row in rows})


def headline() -> tuple[str, ...]:
    """Metrics that are compared when none is named."""
    return tuple(_table()["headline"]["metrics"])


def statuses_with_a_number() -> tuple[str, ...]:
    """Statuses that a number may have."""
    return tuple(_table()["status"]["with_a_number"])


def by_ratio(metric: str) -> bool:
    """Whether a metric varies over orders of magnitude."""
    return metric in _table()["headline"]["ratio"]


def metric_of(name: str) -> catalog.Metric | None:
    """Look up a number of the tidy table in the catalogue; None if it is not there."""
    plain = "window_s" if name in _WINDOW else name.removesuffix("_unfiltered")
    return catalog.metrics().get(plain)


def title_of(name: str) -> str:
    """Write out what a number or a label is."""
    if name in labels():
        return labels()[name].long_name
    metric = metric_of(name)
    title = metric.long_name if metric else name
    return f"{title}, unfiltered" if name.endswith("_unfiltered") else title
