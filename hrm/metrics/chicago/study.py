"""From the swallows of a study to the verdict of one version of the classification."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from hrm.catalog import Limit, Parameters, find_limit, limit_table, systems
from hrm.metrics.chicago import v3, v4
from hrm.metrics.chicago.facts import (
    Clinical,
    Swallow,
    UserLimit,
    Verdict,
    posture_facts,
    stated_rule,
)
from hrm.metrics.chicago.tree import Tree
from hrm.metrics.swallow_types import swallow_limits

_TREES = {"ccv4": v4, "ccv3": v3}
_OTHER = {"supine": "upright", "upright": "supine"}
_NEAR = "irp.borderline_mmhg"
#: Published cuts that may stand in a provisional result; what is only recalled may not.
_PUBLISHED = ("seen", "seen-2nd")


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
    return Verdict(
        "not_classified",
        conclusive=False,
        considerations=(reason,),
        rationale=(stated_rule(reason, value, met=True),),
        provisional=provisional,
    )


def _primary(swallows: Sequence[Swallow]) -> str | None:
    seen = {swallow.posture for swallow in swallows}
    return next((posture for posture in ("supine", "upright", "unknown") if posture in seen), None)


def _limit(name: str, system: str, posture: str, user_limit: UserLimit | None) -> Limit | None:
    version = _TREES[name].VERSION
    own = find_limit("irp4s", system=system, position=posture, cc_version=version)
    if user_limit is None or user_limit.position not in ("any", posture):
        return own
    # Naming the row that holds anyway changes nothing.
    same = own is not None and own.id == user_limit.row
    return own if same else user_limit.as_limit(version, system, posture)


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
    tree = Tree(
        system=system,
        primary=primary,
        # Version 3.0 looks at one posture only.
        other=other if other.n and tree_module is v4 else None,
        clinical=clinical,
        parameters=parameters,
    )
    diagnosis, conclusive = tree_module.decide(tree)
    return _verdict(tree, diagnosis, conclusive=conclusive, limit=limit, parameters=parameters)


def _verdict(
    tree: Tree, diagnosis: str, *, conclusive: bool, limit: Limit, parameters: Parameters
) -> Verdict:
    notes = tree.notes
    if not limit.default:
        # A limit outside the classification supports no conclusive label (SPEC 8.1).
        notes.consider("limit_named_by_user")
        conclusive = False
    if "unknown" in tree.primary.types:
        notes.warnings.append("the type of some swallows could not be told")
        conclusive = False
    _note_borderline(tree, parameters[_NEAR])
    return Verdict(
        diagnosis,
        conclusive=conclusive,
        limited=tree.primary.n < parameters["tree.minimum_swallows"],
        considerations=tuple(notes.considerations),
        rationale=tuple(notes.rules),
        warnings=tuple(notes.warnings),
    )


def _note_borderline(tree: Tree, near_mmhg: float) -> None:
    """Note each median IRP that lies close to its limit (SPEC 4.1)."""
    for posture in tree.postures:
        if posture.limit is None:
            continue
        distance = abs(posture.irp - posture.limit.value)
        if distance <= near_mmhg:
            rule = f"median IRP, {posture.name}, distance to its limit"
            tree.notes.choose(rule, distance, "<=", near_mmhg, _NEAR)
            tree.notes.consider("irp_borderline")


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
        # Where some posture is known, swallows of unknown posture stay out, as in the tree.
        moved = (
            [replace(swallow, posture=posture) for swallow in swallows]
            if seen == "unknown"
            else swallows
        )
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
    """Rows to try: for each possible system its default, or else its published cuts."""
    version = _TREES[name].VERSION
    if user_limit is not None and user_limit.position in ("any", posture):
        return [user_limit.as_limit(version, system, posture)]
    allowed = tuple(systems()) if system == "unknown" else (system,)
    return [row for key in allowed for row in _irp_rows(key, posture, version)]


def _irp_rows(system: str, posture: str, version: str) -> list[Limit]:
    rows = [
        row
        for row in limit_table()
        if (row.quantity, row.system, row.position, row.cc_version)
        == ("irp4s", system, posture, version)
    ]
    return [row for row in rows if row.default] or [
        row for row in rows if row.confidence in _PUBLISHED
    ]
