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
_NEAR, _ERROR = "irp.borderline_mmhg", "irp.borderline_error_mmhg"
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
    limits_fit: bool = True,
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
    limits_fit : bool
        Whether the catheter is of the kind that the system's limits were found with.

    Returns
    -------
    Verdict
        ``not_classified`` with the reason when an operation, the posture, the limit
        or the swallows forbid a label; `provisional` then lists what it would be.
    """
    verdict = _decided(name, swallows, system, clinical, user_limit, parameters)
    count = sum(swallow.posture == _primary(swallows) for swallow in swallows)
    verdict = replace(verdict, limited=0 < count < parameters["tree.minimum_swallows"])
    if verdict.diagnosis == "not_classified":
        return verdict
    doubts = {
        "posture_partly_unknown": any(swallow.posture == "unknown" for swallow in swallows),
        "catheter_contradicts_system": not limits_fit,
    }
    found = tuple(doubt for doubt, holds in doubts.items() if holds)
    return replace(
        verdict,
        conclusive=verdict.conclusive and not found,
        considerations=(*found, *verdict.considerations),
        warnings=(*verdict.warnings, *_elsewhere(user_limit, system, swallows)),
    )


def _elsewhere(
    user_limit: UserLimit | None, system: str, swallows: Sequence[Swallow]
) -> Iterator[str]:
    """Say where the row that the user named is not of this system, or of no posture here."""
    row = next((row for row in limit_table() if user_limit and row.id == user_limit.row), None)
    if row is None:
        return
    if row.system != system:
        yield f"the IRP limit named is of {row.system}, the study of {system}"
    if row.position not in ("any", *(swallow.posture for swallow in swallows)):
        yield f"the IRP limit named is for {row.position} swallows, and there are none"


def _decided(
    name: str,
    swallows: Sequence[Swallow],
    system: str,
    clinical: Clinical,
    user_limit: UserLimit | None,
    parameters: Parameters,
) -> Verdict:
    if clinical.prior_surgery not in ("none", "unknown"):
        # The classification is made for primary disorders (SPEC section 10).
        return _not_classified("prior_surgery", clinical.prior_surgery)
    posture = _primary(swallows)
    if posture is None:
        return _not_classified("no_evaluable_swallow", "")
    if posture == "unknown" or _mostly_unknown(swallows, posture, parameters):
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


def _mostly_unknown(swallows: Sequence[Swallow], posture: str, parameters: Parameters) -> bool:
    """Whether the few swallows of known posture would speak for more that are left out."""
    known = sum(swallow.posture == posture for swallow in swallows)
    unknown = sum(swallow.posture == "unknown" for swallow in swallows)
    return known < parameters["tree.minimum_swallows"] and unknown > known


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
    _note_borderline(tree, parameters[_NEAR], parameters[_ERROR])
    return Verdict(
        diagnosis,
        conclusive=conclusive,
        considerations=tuple(notes.considerations),
        rationale=tuple(notes.rules),
        warnings=tuple(notes.warnings),
    )


def _note_borderline(tree: Tree, near_mmhg: float, error_mmhg: float) -> None:
    """Note each median IRP that lies close to its limit (SPEC 4.1), or may (SPEC 3.2)."""
    for posture in tree.postures:
        limit, before = posture.limit, len(tree.notes.rules)
        if limit is None or not posture.measured:
            continue
        rule = f"median IRP, {posture.name}"
        distance = abs(posture.irp - limit.value)
        if distance <= near_mmhg:
            tree.notes.choose(f"{rule}, distance to its limit", distance, "<=", near_mmhg, _NEAR)
        for name, value in posture.irp_readings.items():
            read = name.replace("_", " ")
            far, wider = abs(value - limit.value), near_mmhg + error_mmhg
            if limit.crossed_by(value) != posture.raised:
                tree.notes.check(f"{rule}, across its limit with {read}", value, limit)
            # Another kernel reads the same thing, so near is enough, and the engine's error
            # counts; another placement reads something else and must cross.
            elif name.startswith("kernel_") and far <= wider and distance > near_mmhg:
                where = f"{rule}, distance to its limit with {read}"
                tree.notes.choose(where, far, "<=", wider, _ERROR)
        if len(tree.notes.rules) > before:
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
    seen = str(_primary(swallows))
    unsure = seen == "unknown" or _mostly_unknown(swallows, seen, parameters)
    for posture in ("supine", "upright") if unsure else (seen,):
        # Where enough postures are known, swallows of unknown posture stay out, as in the tree.
        moved = [
            replace(swallow, posture=posture)
            if unsure and swallow.posture == "unknown"
            else swallow
            for swallow in swallows
        ]
        count = sum(swallow.posture == posture for swallow in moved)
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
                "limited": count < parameters["tree.minimum_swallows"],
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
