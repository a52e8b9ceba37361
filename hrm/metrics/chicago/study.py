"""From the swallows of a study to the verdict of one version of the classification."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from hrm.catalog import Limit, Parameters, find_limit, limit_table, systems
from hrm.metrics.chicago import v3, v4
from hrm.metrics.chicago.facts import (
    Clinical,
    Notes,
    Rule,
    Swallow,
    UserLimit,
    Verdict,
    posture_facts,
)
from hrm.metrics.swallow_types import swallow_limits

_TREES = {"ccv4": v4, "ccv3": v3}
_OTHER = {"supine": "upright", "upright": "supine"}


def classify_version(
    name: str,
    swallows: Sequence[Swallow],
    *,
    system: str,
    clinical: Clinical,
    user_limit: UserLimit | None,
    parameters: Parameters,
) -> Verdict:
    """Classify a study by one version.

    Parameters
    ----------
    name : {"ccv4", "ccv3"}
    swallows : sequence of Swallow
        The evaluable single swallows.
    system : str
    clinical : Clinical
    user_limit : UserLimit or None
    parameters : Parameters

    Returns
    -------
    Verdict
        ``not_classified`` with the reason when an operation, the posture, the limit
        or the swallows forbid a label; `provisional` then lists what it would be.
    """
    if clinical.prior_surgery not in ("none", "unknown"):
        # The classification is made for primary disorders (SPEC section 10).
        return _not_classified("prior_surgery", clinical.prior_surgery)
    posture = _primary(swallows)
    if posture is None:
        return _not_classified("no_evaluable_swallow", "")
    if posture == "unknown":
        provisional = tuple(
            _provisional(
                name, swallows, system, user_limit, clinical=clinical, parameters=parameters
            )
        )
        return _not_classified("posture_unknown", "", provisional)
    limit = _limit(name, system, posture, user_limit)
    if limit is None:
        provisional = tuple(
            _provisional(
                name, swallows, system, user_limit, clinical=clinical, parameters=parameters
            )
        )
        reason = "system_unknown" if system == "unknown" else "no_irp_limit_for_system"
        return _not_classified(reason, system, provisional)
    return _run(
        name,
        swallows,
        system,
        posture,
        limit,
        user_limit,
        clinical=clinical,
        parameters=parameters,
    )


def _not_classified(
    reason: str, value: str, provisional: tuple[dict[str, object], ...] = ()
) -> Verdict:
    rule = Rule(reason, value, "", None, "", "", "", met=True)
    return Verdict(
        "not_classified",
        conclusive=False,
        considerations=(reason,),
        rationale=(rule,),
        provisional=provisional,
    )


def _primary(swallows: Sequence[Swallow]) -> str | None:
    seen = {swallow.posture for swallow in swallows}
    return next((posture for posture in ("supine", "upright", "unknown") if posture in seen), None)


def _limit(name: str, system: str, posture: str, user_limit: UserLimit | None) -> Limit | None:
    version = _TREES[name].VERSION
    if user_limit is not None and user_limit.position in ("any", posture):
        return user_limit.as_limit(version, system, posture)
    if system == "unknown":
        return None
    return find_limit("irp4s", system=system, position=posture, cc_version=version)


def _run(
    name: str,
    swallows: Sequence[Swallow],
    system: str,
    posture: str,
    limit: Limit,
    user_limit: UserLimit | None,
    *,
    clinical: Clinical,
    parameters: Parameters,
) -> Verdict:
    tree_module = _TREES[name]
    limits = swallow_limits(system, tree_module.VERSION)
    primary = posture_facts(posture, swallows, limits, limit)
    if not math.isfinite(primary.irp):
        return _not_classified("irp_missing", "")
    second = _OTHER[posture]
    # A number the user gave for the primary posture says nothing about the other one.
    own = None if user_limit is None or user_limit.position == "any" else user_limit
    other_limit = _limit(name, system, second, own)
    other = posture_facts(second, swallows, limits, other_limit)
    tree = v4.Tree(
        system=system,
        primary=primary,
        other=other if other.n else None,
        clinical=clinical,
        parameters=parameters,
        notes=Notes(),
    )
    diagnosis, conclusive = tree_module.decide(tree)
    return _verdict(tree, diagnosis, conclusive=conclusive, limit=limit, parameters=parameters)


def _verdict(
    tree: v4.Tree, diagnosis: str, *, conclusive: bool, limit: Limit, parameters: Parameters
) -> Verdict:
    notes = tree.notes
    if not limit.default:
        # A limit outside the classification supports no conclusive label (SPEC 8.1).
        notes.consider("limit_named_by_user")
        conclusive = False
    if "unknown" in tree.primary.types:
        notes.warnings.append("the type of some swallows could not be told")
        conclusive = False
    borderline = abs(tree.primary.irp - limit.value) <= parameters["irp.borderline_mmhg"]
    if borderline:
        notes.consider("irp_borderline")
    return Verdict(
        diagnosis,
        conclusive=conclusive,
        limited=tree.primary.n < parameters["tree.minimum_swallows"],
        considerations=tuple(notes.considerations),
        rationale=tuple(notes.rules),
        warnings=tuple(notes.warnings),
    )


def _provisional(
    name: str,
    swallows: Sequence[Swallow],
    system: str,
    user_limit: UserLimit | None,
    *,
    clinical: Clinical,
    parameters: Parameters,
) -> Iterator[dict[str, object]]:
    """What the study would be, for each system and posture that it allows."""
    seen = _primary(swallows)
    postures = ("supine", "upright") if seen == "unknown" else (str(seen),)
    for posture in postures:
        moved = [
            replace(swallow, posture=posture) if swallow.posture == "unknown" else swallow
            for swallow in swallows
        ]
        for limit in _candidate_limits(name, system, posture, user_limit):
            verdict = _run(
                name,
                moved,
                limit.system,
                posture,
                limit,
                user_limit,
                clinical=clinical,
                parameters=parameters,
            )
            yield {
                "system": limit.system,
                "posture": posture,
                "row": limit.id,
                "limit_mmhg": limit.value,
                "diagnosis": verdict.diagnosis,
                "conclusive": verdict.conclusive,
            }


def _candidate_limits(
    name: str, system: str, posture: str, user_limit: UserLimit | None
) -> list[Limit]:
    """Return default rows of the possible systems; for one without, its published cuts."""
    if user_limit is not None and user_limit.position in ("any", posture):
        return [user_limit.as_limit(_TREES[name].VERSION, system, posture)]
    allowed = tuple(systems()) if system == "unknown" else (system,)
    version = _TREES[name].VERSION
    rows = [
        row
        for row in limit_table()
        if row.quantity == "irp4s"
        and row.cc_version == version
        and row.position == posture
        and row.system in allowed
    ]
    defaults = [row for row in rows if row.default]
    if defaults or system == "unknown":
        return defaults
    return [row for row in rows if row.confidence in ("seen", "seen-2nd")]
