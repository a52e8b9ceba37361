"""Stability of one study: its diagnoses and the types of its swallows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from hrm import __version__
from hrm.metrics.chicago import VERSIONS
from hrm.metrics.swallow_types import SwallowLimits
from hrm.pipeline.run import measure_recording
from hrm.pipeline.study import Study
from hrm.results import StudyRecord, attach
from hrm.stability.drawn import Drawn, drawn_swallow
from hrm.stability.model import DRAWS, Draws, Model, draw, perturbation_model
from hrm.stability.nodes import Drifted, Place
from hrm.stability.table import Table, swallow_table
from hrm.stability.verdicts import Cast, classifier, tree_stability

NO_LANDMARK = "landmark_missing"


def diagnosis_stability(
    recording: xr.DataTree, *, draws: int = DRAWS, seed: int = 0, **options: Any
) -> xr.DataTree:
    """Measure one recording, and say whether its diagnosis holds.

    Metrics and trees run again with the LES borders, the onsets, the gastric reference
    and the drift of the sensors a little off, contractile integrals and breaks read a
    little wrong between the sensors, and with the swallows drawn anew
    (``stability.*`` of ``hrm/data/parameters.toml``).

    Parameters
    ----------
    recording : DataTree
    draws : int
        How often, from 1 to 100 000.
    seed : int
        The same seed gives the same draws.
    **options
        As of `hrm.analyze`.

    Returns
    -------
    DataTree
        As of `hrm.analyze`. In `hrm.to_dict` each tree of ``classification`` has
        ``stability``, and each swallow ``type_stability``.

    Raises
    ------
    ParameterError
        If `draws` or `seed` is out of range; further as of `hrm.analyze`.

    Notes
    -----
    ``docs/stability.md`` has the model, what is approximated and how well the share is
    calibrated.
    """
    study, record = measure_recording(recording, **options)
    record = with_stability(study, record, draws=draws, seed=seed)
    return attach(recording, record, __version__)


def with_stability(
    study: Study, record: StudyRecord, *, draws: int = DRAWS, seed: int = 0
) -> StudyRecord:
    """Add the stability to the results of a study.

    Parameters
    ----------
    study : Study
    record : StudyRecord
        Of `hrm.pipeline.run.measure_recording`.
    draws : int
    seed : int

    Returns
    -------
    StudyRecord
        Each tree with ``stability``: ``agreement``, ``runner_up``, ``diagnoses``,
        ``drivers``, ``draws``, ``seed`` and ``status``, which is ``ok`` or says why the
        agreement is null.

    Raises
    ------
    ParameterError
        If `draws` or `seed` is out of range.
    """
    model = model_of(study, seed=seed)
    counted = _counted(record)
    drawn = draw(model, counted, len(record.swallows), draws=draws, seed=seed)
    missing = _why_not(study, counted)
    swallows: Sequence[Drawn | None] = [None] * len(record.swallows)
    if not missing:
        swallows = _drawn(_tables(study, record, model), drawn, study.limits)
    cast = Cast(
        swallows=swallows,
        postures=[row.posture for row in record.swallows],
        draws=drawn,
        gastric_bolus=study.parameters["ibp.reference"] == "gastric",
    )
    trees = dict(record.classification)
    for version in VERSIONS:
        trees[version] = {
            **trees[version],
            "stability": _tree(study, trees[version], version, cast, missing, seed),
        }
    rows = [
        replace(row, type_stability=_type(row.type, seen))
        for row, seen in zip(record.swallows, swallows, strict=True)
    ]
    return replace(record, classification=trees, swallows=rows)


def model_of(study: Study, *, seed: int) -> Model:
    """Size the perturbations of a study, with the spacing of its sensors that work."""
    depth = study.pressure["depth"].values
    marks, usable = study.proposal.landmarks, depth[study.usable]
    body = usable[(usable >= marks.ues_lower_cm) & (usable <= marks.les_upper_cm)]
    # Without landmarks nothing is perturbed; the model still has to be made.
    spacing = float(np.mean(np.diff(body if body.size > 1 else depth)))
    return perturbation_model(depth.size, study.parameters, spacing_cm=spacing, seed=seed)


def _counted(record: StudyRecord) -> dict[str, Any]:
    """Swallows that count, by posture."""
    kinds = {row.posture for row in record.swallows if row.evaluable}
    return {
        posture: np.array(
            [k for k, r in enumerate(record.swallows) if r.evaluable and r.posture == posture]
        )
        for posture in sorted(kinds)
    }


def _why_not(study: Study, counted: Mapping[str, Any]) -> str:
    """Why nothing can be perturbed; empty if it can."""
    marks = study.proposal.landmarks
    places = (marks.les_upper_cm, marks.gastric_reference_mmhg, marks.ues_lower_cm)
    if not all(map(math.isfinite, places)):
        return NO_LANDMARK
    return "" if counted else "no_evaluable_swallow"


def _tables(study: Study, record: StudyRecord, model: Model) -> list[Table | None]:
    drifted = Drifted(study, model)
    return [
        swallow_table(Place(drifted, k), study.limits) if row.evaluable else None
        for k, row in enumerate(record.swallows)
    ]


def _drawn(
    tables: Sequence[Table | None], draws: Draws, limits: SwallowLimits
) -> list[Drawn | None]:
    return [
        None if table is None else drawn_swallow(table, draws, k, limits)
        for k, table in enumerate(tables)
    ]


def _tree(
    study: Study,
    found: Mapping[str, Any],
    version: str,
    cast: Cast,
    missing: str,
    seed: int,
) -> dict[str, Any]:
    if not missing and found["diagnosis"] == "not_classified":
        missing = str(found["considerations"][0])
    about = {"draws": len(cast.draws), "seed": seed, "status": missing or "ok"}
    if missing:
        return {"agreement": None, "runner_up": None, "diagnoses": {}, "drivers": [], **about}
    return {**tree_stability(found, classifier(study, version), cast), **about}


def _type(kind: str | None, swallow: Drawn | None) -> dict[str, Any] | None:
    """How often the type of a swallow holds, and the most frequent other one."""
    if kind is None or swallow is None:
        return None
    seen = Counter(swallow.types.tolist())
    others = sorted(
        (name for name in seen if name not in (kind, None)), key=lambda name: (-seen[name], name)
    )
    return {
        "agreement": seen[kind] / swallow.types.size,
        "runner_up": others[0] if others else None,
    }
