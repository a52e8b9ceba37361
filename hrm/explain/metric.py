"""One number explained: the value of the contract, its definition, and its evidence."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import xarray as xr

from hrm import catalog
from hrm.catalog import Metric, Unimplemented
from hrm.errors import SchemaError
from hrm.evidence import Evidence, Explanation, Held
from hrm.explain import body, flow, junction, landmarks, relaxation, runs, study, upper
from hrm.explain.definition import limits_of, parameters_of, references_of
from hrm.explain.names import (
    OF_RUN,
    OF_SWALLOW,
    UNFILTERED,
    Reported,
    find_metric,
    reported,
    row_of,
)
from hrm.explain.request import Request
from hrm.explain.words import in_words
from hrm.explain.workings import Workings, same_number

#: What gives the evidence of each metric that can be measured.
SOURCES: Mapping[str, Callable[[Request], tuple[Any, Evidence]]] = {
    **relaxation.SOURCES,
    **body.SOURCES,
    **upper.SOURCES,
    **landmarks.SOURCES,
    **junction.SOURCES,
    **runs.SOURCES,
    **flow.SOURCES,
    **study.SOURCES,
}
#: Numbers that are read in the baseline.
_AT_REST = frozenset((*landmarks.SOURCES, *junction.SOURCES, "ues_resting_mmhg"))


def explain_metric(
    result: xr.DataTree,
    metric: str,
    swallow: int | None = None,
    *,
    workings: Workings | None = None,
) -> Explanation:
    """Explain where a number of a result came from.

    Parameters
    ----------
    result : DataTree
        From `hrm.analyze`, or read back from a native file.
    metric : str
        Name of the catalogue, with or without its unit: ``irp4s_mmhg`` or ``irp4s``.
    swallow : int, optional
        Number of the swallow, from 1, for a number of one swallow; of a run of a
        provocation test, any swallow of the run (without, the first run).
    workings : Workings, optional
        Of the same result, to explain several numbers faster.

    Returns
    -------
    Explanation
        Of a number that could not be measured the reason; of a metric that hrm does not
        measure why not.

    Raises
    ------
    ParameterError
        If the metric is unknown, or the swallow missing, superfluous or not there.
    SchemaError
        If the study has not been analyzed, or not by this version.

    Notes
    -----
    The evidence comes from the functions that measured the number, which are run once
    more. If the number does not come out again, nothing is explained.

    Examples
    --------
    >>> import hrm
    >>> from hrm import phantom
    >>> made = phantom.draw("normal", seed=1, n_supine=1, n_upright=0)
    >>> result = hrm.analyze(phantom.sample(made, sampling_rate=20.0))
    >>> why = hrm.explain_metric(result, "irp4s", 1)
    >>> trace = why.evidence.traces[0]
    >>> int(trace.used.sum()), bool(abs(trace.values[trace.used].mean() - why.value) < 1e-6)
    (80, True)
    """
    name = find_metric(metric)
    own = workings or Workings(result)
    said = reported(own.result, name, swallow)
    row = row_of(name)
    engine = own.result["engine"]
    posture = _posture(own.result, name, swallow)
    limits = limits_of(
        name.removesuffix(UNFILTERED),
        said.value,
        system=own.result["recording"]["system"],
        posture=posture,
        irp_limit=engine["irp_limit"],
    )
    parameters = parameters_of(row, own.parameters)
    changed = [used.key for used in parameters if used.changed]
    if changed:
        # A limit was found with the definition that it is for.
        limits = tuple(replace(held, beyond=None) for held in limits)
    missing = row.reason if isinstance(row, Unimplemented) else ""
    return Explanation(
        row=row,
        name=name,
        swallow=swallow if name.removesuffix(UNFILTERED) in (*OF_SWALLOW, *OF_RUN) else None,
        value=tuple(said.value) if isinstance(said.value, list) else said.value,
        status=said.status,
        reason=missing or ("" if said.status == "ok" else in_words(said.status)),
        parameters=parameters,
        limits=limits,
        references=references_of(row.citation, limits),
        evidence=_evidence(own, name, swallow, said),
        study_id=str(own.result["recording"]["study_id"]),
        engine=f"hrm {engine['version']}, parameters {engine['parameters_id']}",
        limit_note=_limit_note(row, limits, changed, own.result["recording"]["system"], posture),
    )


def _limit_note(
    row: Metric | Unimplemented,
    limits: tuple[Held, ...],
    changed: Sequence[str],
    system: str,
    posture: str,
) -> str:
    if limits and changed:
        return f"not judged: the limits are for the default of {', '.join(changed)}"
    if limits or isinstance(row, Unimplemented) or not row.limits:
        return ""
    if posture == "unknown":
        return "none: the posture is unknown, and a limit holds for one posture"
    if system == "unknown":
        return "none: the system is unknown, and a limit holds for one system"
    return f"none in the table for {catalog.systems()[system].name}, {posture}"


def _posture(result: Mapping[str, Any], name: str, swallow: int | None) -> str:
    if name.removesuffix(UNFILTERED) in OF_SWALLOW and swallow is not None:
        return str(result["swallows"][swallow - 1]["posture"])
    return str(result["study"]["primary_posture"])


def _evidence(own: Workings, name: str, swallow: int | None, said: Reported) -> Evidence:
    plain = name.removesuffix(UNFILTERED)
    if plain in catalog.unimplemented_metrics() or said.status in ("not_done", "no_impedance"):
        return Evidence()
    request = Request(
        own,
        plain,
        0 if swallow is None else swallow - 1,
        unfiltered=name.endswith(UNFILTERED),
        run=said.run or 0,
    )
    value, evidence = SOURCES[plain](request)
    again = None if isinstance(value, float) and math.isnan(value) else value
    if not same_number(again, said.value):
        raise SchemaError(
            f"{name} does not come out again as the result has it: the result is not of this "
            "recording, or not of these definitions; analyze the recording again"
        )
    note = _baseline_note(own) if plain in _AT_REST and said.status != "baseline_short" else ""
    return replace(evidence, notes=(*evidence.notes, note)) if note else evidence


def _baseline_note(own: Workings) -> str:
    """Say that a number is read where the study hardly rests; empty where it does."""
    baseline = own.study.proposal.baseline
    if baseline is None or baseline.status == "ok":
        return ""
    return (
        f"the baseline, {baseline.start_s:.1f} to {baseline.stop_s:.1f} s, is short or not clear of "
        "swallows by the full margin: what is read in it is less certain"
    )
