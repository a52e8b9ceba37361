"""What a report holds beside tables and figures: data sets, codebook, provenance."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from hrm import __version__, catalog
from hrm.trial.definitions import Quantity, eckardt, lexicons
from hrm.trial.gather import gather, reading_of
from hrm.trial.inputs.clinical import Clinical
from hrm.trial.inputs.plan import TrialPlan
from hrm.trial.outcome import Arm
from hrm.trial.outputs.adam import SCORE_CODES, SUCCESS_CODE, Field, data_sets, to_csv
from hrm.trial.records import Measure, Records

_CODEBOOK = (
    Field("dataset", "file"),
    Field("variable", "name"),
    Field("label", "label"),
    Field("type", "type"),
    Field("unit", "unit"),
    Field("definition", "definition"),
    Field("source", "source"),
    Field("version", "version"),
    Field("confidence", "confidence"),
)
#: Tables in which the numbers before, after and of the change stand.
_TABLES = {
    "before": ("baseline", "continuous"),
    "after": ("continuous",),
    "change": ("continuous", "ranks"),
}


def data_files(
    plan: TrialPlan, clinical: Clinical, arms: Sequence[Arm], records: Records | None = None
) -> dict[str, str]:
    """Make the data sets, their codebook and the provenance of the tables' manometry.

    Parameters
    ----------
    plan : TrialPlan
    clinical : Clinical
    arms : sequence of Arm
        Dummy ones in a blinded report.
    records : Records, optional
        As `gather` makes them, if they were made already.

    Returns
    -------
    dict of str to str
        ``adsl.csv``, ``adbds.csv``, ``adae.csv``, ``adtte.csv`` (the last two if the plan has
        events and failures), ``codebook.csv`` and ``provenance.json``. The data sets hold the
        codes of participants; the other two hold none.
    """
    made = data_sets(plan, clinical, arms)
    files = {f"{name}.csv": to_csv(fields, rows) for name, (fields, rows) in made.items()}
    files["codebook.csv"] = to_csv(_CODEBOOK, list(_codebook(plan, clinical, made)))
    told = provenance(plan, clinical, arms, records or gather(plan, clinical))
    files["provenance.json"] = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
    return files


def _codebook(
    plan: TrialPlan, clinical: Clinical, made: dict[str, tuple[tuple[Field, ...], Any]]
) -> Iterator[dict[str, str]]:
    columns = {column.adam: column for column in plan.options.columns}
    for name, (fields, _) in made.items():
        for each in fields:
            row = {"dataset": name, "variable": each.name, "label": each.label, "type": each.kind}
            column = columns.get(each.name) if name == "adsl" else None
            if column is not None:
                row |= {"unit": column.unit, "source": f"variables.csv, column {column.name}"}
                row["definition"] = " | ".join(column.levels)
            yield row
    yield from _scores(plan)
    for quantity in clinical.linked.quantities if clinical.linked else ():
        yield _catalogued(quantity, plan)
    if plan.options.adverse_events is not None:
        lexicon = lexicons()[plan.options.adverse_events.lexicon]
        yield {
            "dataset": "adae",
            "variable": "AETOXGR",
            "label": f"Grades of {lexicon.name}",
            "definition": f"{' | '.join(lexicon.grades)}. {lexicon.text}",
            "source": lexicon.source,
            "confidence": lexicon.confidence,
        }


def _scores(plan: TrialPlan) -> Iterator[dict[str, str]]:
    instrument = eckardt()
    start = {"dataset": "adbds", "type": "float", "source": instrument.source}
    start |= {"unit": instrument.unit, "confidence": instrument.confidence}
    labels = ("Eckardt score", *(f"Eckardt: {name.lower()}" for name in instrument.labels))
    for code, label in zip(SCORE_CODES, labels, strict=True):
        yield {**start, "variable": code, "label": label, "definition": instrument.text}
    yield {
        "dataset": "adbds",
        "variable": SUCCESS_CODE,
        "label": "Clinical success",
        "type": "integer",
        "definition": plan.rule.words(),
        "source": "trial.toml",
    }


def _catalogued(quantity: Quantity, plan: TrialPlan) -> dict[str, str]:
    """Describe a quantity as the metric catalogue does."""
    metric = catalog.metrics()[quantity.metric or quantity.swallows]
    choice = plan.options.manometry
    posture = choice.posture if choice else ""
    how = f"Median of the evaluable {posture} swallows. " if quantity.swallows else ""
    return {
        "dataset": "adbds",
        "variable": quantity.code,
        "label": f"{quantity.label}: {metric.long_name}",
        "type": "float",
        "unit": metric.units,
        "definition": f"{how}{metric.definition}",
        "source": f"{metric.name}; {metric.citation}",
        "version": metric.version,
        "confidence": metric.confidence,
    }


def provenance(
    plan: TrialPlan, clinical: Clinical, arms: Sequence[Arm], records: Records
) -> dict[str, Any]:
    """Say of each cell of manometry which recordings, versions and readers it rests on.

    Returns
    -------
    dict
        ``sources`` lists every source once, ``<sha256 of the file>#hrm-<version>#<parameters
        id>+<said>#<who>`` (see `hrm.to_long`); ``cells`` names tables, measure, arm, column and numbers of sources.
        No participant is named.
    """
    found: dict[str, int] = {}
    cells = []
    labels = {each.label: each for each in records.measures}
    for quantity in clinical.linked.quantities if clinical.linked else ():
        measure = labels.get(quantity.label)
        if measure is None:
            continue
        for arm in arms:
            for column, tables in _TABLES.items():
                sources = sorted(_sources(plan, clinical, quantity, measure, arm, column))
                cells.append(
                    {
                        "tables": list(tables),
                        "measure": measure.label,
                        "arm": arm.label,
                        "column": column,
                        "sources": [found.setdefault(each, len(found)) for each in sources],
                    }
                )
    return {
        "hrm": __version__,
        "synthetic": plan.options.synthetic,
        "inputs": dict(sorted(clinical.sha256.items())),
        "unused_recordings": clinical.linked.unused if clinical.linked else 0,
        "failed_recordings": clinical.linked.failed if clinical.linked else 0,
        "sources": list(found),
        "cells": cells,
    }


def _sources(
    plan: TrialPlan,
    clinical: Clinical,
    quantity: Quantity,
    measure: Measure,
    arm: Arm,
    column: str,
) -> set[str]:
    visits = {"before": (plan.baseline,), "after": (plan.primary,)}.get(
        column, (plan.baseline, plan.primary)
    )
    out: set[str] = set()
    for each in arm.people:
        pair = measure.pairs.get(each.person.code)
        if column == "change" and (pair is None or pair.change() is None):
            continue
        for visit in visits:
            reading, reason = reading_of(plan, clinical, each.person.code, visit, quantity.key)
            if reading is not None and not reason:
                out.update(reading.source)
    return out
