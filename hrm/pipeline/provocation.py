"""Provocation tests of one study, once all of its swallows are measured."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import xarray as xr

from hrm import catalog
from hrm.catalog import Limit
from hrm.metrics import provocation, provocation_swallows
from hrm.metrics._base import OK, Measurement
from hrm.metrics.provocation import During, Run, Verdict
from hrm.metrics.study import PERCENTAGES
from hrm.metrics.swallow import Anatomy
from hrm.pipeline.missing import during_without
from hrm.pipeline.study import Study
from hrm.results import SwallowRecord

#: Time [s] after the last onset that the field of a run holds; half a second is read.
_TAIL_S = 1.0
_UPRIGHT = (
    *("irp4s_median_mmhg", "dci_median_mmhg_s_cm", "percent_contracting"),
    *(f"percent_{name}" for name in PERCENTAGES),
)


def provocation_block(
    study: Study, rows: Sequence[SwallowRecord], transition_zone_cm: float
) -> dict[str, Any]:
    """Give the provocation tests as the contract has them.

    Parameters
    ----------
    study : Study
    rows : sequence of SwallowRecord
        Every swallow, in the order of their onsets.
    transition_zone_cm : float [cm]
        Of the study; rapid swallows show none of their own.

    Returns
    -------
    dict
        ``mrs``, ``rdc``, ``solid`` and ``upright``; None for a test that was not done.
    """
    return {
        "mrs": _mrs(study, rows, transition_zone_cm),
        "rdc": _rdc(study, rows, transition_zone_cm),
        "solid": _solid(study, rows),
        "upright": _upright(rows),
    }


def provocation_limits(block: Mapping[str, Any]) -> list[str]:
    """Ids of the limit rows that decided in a block of `provocation_block`."""
    runs = [run for name in ("mrs", "rdc") if block[name] for run in block[name]["runs"]]
    used = [row for run in runs for row in run["inhibited_by"]]
    table = {row.id for row in catalog.limit_table()}
    return [row for row in dict.fromkeys(used) if row in table]


def runs_of(study: Study, rows: Sequence[SwallowRecord], protocol: str) -> list[Run]:
    """Put the swallows of a test together to runs (see `hrm.metrics.provocation.runs`)."""
    onsets, protocols = [row.onset_s for row in rows], [row.protocol for row in rows]
    return provocation.runs(onsets, protocols, protocol, study.parameters)


def _mrs(study: Study, rows: Sequence[SwallowRecord], zone: float) -> dict[str, Any] | None:
    runs = runs_of(study, rows, "mrs")
    if not runs:
        return None
    after = [response_of(study, rows, run) for run in runs]
    single = [
        row.metrics["dci_mmhg_s_cm"] for row in rows if row.evaluable and row.posture == "supine"
    ]
    reserve = provocation.contractile_reserve(
        after, single, failed=study.limits.failed, parameters=study.parameters
    )
    mean = Measurement(reserve.single_dci_mean)
    if math.isnan(mean.value):
        mean = Measurement.missing(provocation.NO_SINGLE_SWALLOW)
    numbers = {
        "ratio": reserve.ratio,
        "ratio_of_mean": reserve.ratio_of_mean,
        "single_dci_mean_mmhg_s_cm": mean,
    }
    blocks = []
    for run, response in zip(runs, after, strict=True):
        field, anatomy = run_window(study, rows, run, zone)
        block = _run(study, rows, run, response, field, anatomy, {})
        blocks.append({**block, "remarks": list(provocation.mrs_remarks(run, study.parameters))})
    return {
        "runs": blocks,
        **_values(numbers),
        "reserve": reserve.present.value,
        "rule": reserve.rule,
        "status": _reasons(numbers),
    }


def _rdc(study: Study, rows: Sequence[SwallowRecord], zone: float) -> dict[str, Any] | None:
    blocks = []
    for run in runs_of(study, rows, "rdc"):
        field, anatomy = run_window(study, rows, run, zone)
        low, high = provocation.pressurized_shares(
            field, run, anatomy=anatomy, parameters=study.parameters
        )
        response = response_of(study, rows, run)
        shares = {"pressurized_low_percent": low, "pressurized_high_percent": high}
        block = _run(study, rows, run, response, field, anatomy, shares)
        follows = provocation.contraction_after(response, study.limits.failed)
        blocks.append({**block, "contraction_after": follows.value})
    return {"runs": blocks} if blocks else None


def run_window(
    study: Study, rows: Sequence[SwallowRecord], run: Run, zone: float
) -> tuple[xr.DataArray, Anatomy]:
    """Field of a run, and the landmarks that hold for it."""
    if math.isnan(zone):
        # Where nothing contracts there is no transition zone: the body begins where that of
        # the swallows themselves does.
        own = [row.transition_zone_cm for row in rows if math.isfinite(row.transition_zone_cm)]
        zone = statistics.median(own) if own else math.nan
    window = (run.onsets_s[0], min(run.onsets_s[-1] + _TAIL_S, study.end_s))
    anatomy = study.anatomy(run.onsets_s[0], window)
    field = study.field(window)
    return field, replace(anatomy, transition_zone_cm=zone)


def _run(
    study: Study,
    rows: Sequence[SwallowRecord],
    run: Run,
    response: Measurement,
    field: xr.DataArray,
    anatomy: Anatomy,
    more: Mapping[str, Measurement],
) -> dict[str, Any]:
    """What every run of rapid swallows has in the contract."""
    seen = provocation.during(field, run, anatomy=anatomy, parameters=study.parameters)
    window = (run.onsets_s[0], run.onsets_s[-1] + _TAIL_S)
    seen = during_without(seen, study.missing, study.les_missing, window)
    verdict = _inhibition(study, rows[run.indices[0]].posture, seen)
    box = Measurement.missing(seen.dci.status)
    if seen.dci.status == OK:
        box = Measurement(seen.dci.detail["box"])
    numbers = {
        "dci_during_mmhg_s_cm": seen.dci,
        "dci_during_box_mmhg_s_cm": box,
        "les_during_mmhg": seen.les_median,
        "irp4s_during_mmhg": seen.irp4s,
        **more,
        "dci_after_mmhg_s_cm": response,
    }
    status = _reasons(numbers)
    if verdict.value is None:
        status["inhibited"] = verdict.reason
    return {
        "swallows": [k + 1 for k in run.indices],
        "start_s": run.onsets_s[0],
        "stop_s": run.onsets_s[-1],
        **_values(numbers),
        "inhibited": verdict.value,
        "inhibited_by": list(verdict.rows),
        "status": status,
    }


def _inhibition(study: Study, posture: str, seen: During) -> Verdict:
    return provocation.inhibition(
        seen, failed=study.limits.failed, irp_limit=_irp_limit(study, posture)
    )


def _irp_limit(study: Study, posture: str) -> Limit | None:
    return catalog.find_limit("irp4s", system=study.system, position=posture, cc_version="4.0")


def response_of(study: Study, rows: Sequence[SwallowRecord], run: Run) -> Measurement:
    """Give the contractile integral after the last swallow of a run."""
    last = run.indices[-1]
    row = rows[last]
    following = rows[last + 1].onset_s if last + 1 < len(rows) else math.inf
    name = "dci_mmhg_s_cm"
    return provocation.response(
        Measurement(row.metrics[name], row.status.get(name, OK)),
        onset_s=row.onset_s,
        contraction_stop_s=row.contraction_stop_s,
        stop_s=min(study.end_s, following),
        parameters=study.parameters,
    )


def _solid(study: Study, rows: Sequence[SwallowRecord]) -> dict[str, Any] | None:
    own = [row for row in rows if row.protocol == "solid"]
    if not own:
        return None
    effective = provocation_swallows.solid_effective(
        [row.metrics["dci_mmhg_s_cm"] for row in own],
        [row.metrics["break_cm"] for row in own],
        fragmented=study.limits.fragmented,
        parameters=study.parameters,
    )
    numbers = {"percent_effective": effective}
    return {
        **_values(numbers),
        "counted": effective.detail["counted"],
        "unknown": effective.detail["unknown"],
        "normal": provocation_swallows.solid_normal(effective, study.parameters).value,
        "status": _reasons(numbers),
    }


def _upright(rows: Sequence[SwallowRecord]) -> dict[str, Any] | None:
    if not any(row.posture == "upright" and row.protocol in ("single", "unknown") for row in rows):
        return None
    found = provocation_swallows.upright_summary(rows)
    numbers = {
        name: Measurement(found[name], OK if math.isfinite(found[name]) else "no_evaluable_swallow")
        for name in _UPRIGHT
    }
    return {
        "n_evaluable": int(found["n_evaluable"]),
        **_values(numbers),
        "status": _reasons(numbers),
    }


def _values(numbers: Mapping[str, Measurement]) -> dict[str, float | None]:
    return {name: m.value if math.isfinite(m.value) else None for name, m in numbers.items()}


def _reasons(numbers: Mapping[str, Measurement]) -> dict[str, str]:
    return {name: m.status for name, m in numbers.items() if m.status != OK}
