"""Who was assessed, randomized, treated, followed and analyzed; and what is missing, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hrm.errors import ParameterError
from hrm.trial.inputs.clinical import Clinical
from hrm.trial.inputs.plan import TrialPlan
from hrm.trial.outcome import Followed, used
from hrm.trial.records import Measure
from hrm.trial.tables._cells import Arms, Holds, codes, counts, heads, set_name, set_note
from hrm.trial.tables.table import TrialTable


def treated(each: Followed) -> bool:
    """Whether the participant was treated at all."""
    return each.person.treated


def per_protocol(each: Followed) -> bool:
    """Whether the participant is in the per-protocol set with a known outcome."""
    return each.person.per_protocol and each.success is not None


def _flagged(each: Followed) -> bool:
    return each.person.per_protocol


def _known(each: Followed) -> bool:
    return each.success is not None


def _unknown(each: Followed) -> bool:
    return each.success is None


#: Why an outcome is missing, as far as the clinical data say it.
MISSING = ("no visit", "visit outside its window", "item missing")
NOT_FLAGGED, NOT_KNOWN = "not in the set", "outcome missing"


@dataclass(frozen=True, slots=True)
class ArmFlow:
    """Boxes of one arm, as numbers of participants."""

    label: str
    randomized: int
    treated: int
    not_treated: int
    outcome_known: int
    outcome_missing: int
    analyzed: int
    not_analyzed: int
    per_protocol: int
    not_per_protocol: int
    #: Why the outcome is missing, and why somebody is not in the per-protocol analysis.
    missing: Mapping[str, int]
    left: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Flow:
    """All boxes of the participant flow; `participant_flow` checks that they add up."""

    assessed: int
    reasons: Mapping[str, int]
    randomized: int
    arms: tuple[ArmFlow, ArmFlow]


def participant_flow(clinical: Clinical, arms: Arms, plan: TrialPlan) -> Flow:
    """Count the boxes.

    Raises
    ------
    ParameterError
        If they do not add up: then somebody was counted twice or not at all.
    """
    reasons = Counter(each.excluded for each in clinical.participants if each.excluded)
    flow = Flow(
        assessed=len(clinical.participants),
        reasons={name: reasons[name] for name in plan.excluded_reasons},
        randomized=sum(not each.excluded for each in clinical.participants),
        arms=(_of_arm(clinical, arms, 0, plan), _of_arm(clinical, arms, 1, plan)),
    )
    sums = [
        (flow.assessed, sum(flow.reasons.values()) + flow.randomized),
        (flow.randomized, sum(arm.randomized for arm in flow.arms)),
    ]
    for arm in flow.arms:
        sums += [
            (arm.randomized, arm.treated + arm.not_treated),
            (arm.randomized, arm.outcome_known + arm.outcome_missing),
            (arm.randomized, arm.analyzed + arm.not_analyzed),
            (arm.randomized, arm.per_protocol + arm.not_per_protocol),
            (arm.outcome_missing, sum(arm.missing.values())),
            (arm.not_per_protocol, sum(arm.left.values())),
        ]
    wrong = sum(whole != parts for whole, parts in sums)
    if wrong:
        raise ParameterError(
            f"{wrong} boxes of the participant flow do not add up: somebody was counted twice "
            "or in no box"
        )
    return flow


def _of_arm(clinical: Clinical, arms: Arms, place: int, plan: TrialPlan) -> ArmFlow:
    arm = arms[place]
    excluded = _unknown if plan.missing_outcome == "exclude" else _nobody
    missing = Counter(_why_missing(clinical, plan, x) for x in arm.people if _unknown(x))
    left = Counter(
        NOT_KNOWN if _flagged(each) else NOT_FLAGGED
        for each in arm.people
        if not per_protocol(each)
    )

    def size(holds: Holds) -> int:
        return len(codes(arm, holds))

    return ArmFlow(
        label=arm.label,
        randomized=len(arm.people),
        treated=size(treated),
        not_treated=size(_not(treated)),
        outcome_known=size(_known),
        outcome_missing=size(_unknown),
        analyzed=size(_not(excluded)),
        not_analyzed=size(excluded),
        per_protocol=size(per_protocol),
        not_per_protocol=size(_not(per_protocol)),
        missing={why: missing[why] for why in MISSING},
        left={why: left[why] for why in (NOT_FLAGGED, NOT_KNOWN)},
    )


def _why_missing(clinical: Clinical, plan: TrialPlan, each: Followed) -> str:
    seen = clinical.visits.get((each.person.code, plan.primary.name))
    if seen is None:
        return MISSING[0]
    return MISSING[1] if used(seen, plan) is None else MISSING[2]


def _nobody(_: Followed) -> bool:
    return False


def _not(holds: Holds) -> Holds:
    return lambda each: not holds(each)


def flow_table(clinical: Clinical, arms: Arms, plan: TrialPlan) -> TrialTable:
    """Count the participants from assessment to analysis."""
    flow = participant_flow(clinical, arms, plan)
    rows: list[tuple[str, ...]] = [
        ("Assessed", "", "", str(flow.assessed)),
        ("Excluded", "", "", str(sum(flow.reasons.values()))),
        *((f"Excluded: {name}", "", "", str(count)) for name, count in flow.reasons.items()),
    ]
    for name, field in (
        ("Randomized", "randomized"),
        ("Treated", "treated"),
        ("Not treated", "not_treated"),
        ("Primary outcome known", "outcome_known"),
        ("Primary outcome missing", "outcome_missing"),
        (f"Analyzed: {set_name(plan).lower()}", "analyzed"),
        ("Analyzed: per protocol", "per_protocol"),
        ("Not analyzed: per protocol", "not_per_protocol"),
    ):
        numbers = [int(getattr(arm, field)) for arm in flow.arms]
        rows.append((name, *map(str, numbers), str(sum(numbers))))
        rows += _reasons(name, [_REASONS[field](arm) for arm in flow.arms if field in _REASONS])
    flagged = counts(arms, "", _flagged)[3]
    notes = (
        f"Participants. Primary outcome at visit {plan.primary.name}.",
        f"{set_note(plan)} Flagged: {flagged}.",
    )
    return TrialTable("flow", "Participant flow", heads(arms), tuple(rows), notes)


#: The rows below which the reasons stand.
_REASONS: Mapping[str, Callable[[ArmFlow], Mapping[str, int]]] = {
    "outcome_missing": lambda arm: arm.missing,
    "not_per_protocol": lambda arm: arm.left,
}


def _reasons(name: str, found: Sequence[Mapping[str, int]]) -> Iterator[tuple[str, ...]]:
    """One row for each reason that somebody has."""
    for why in found[0] if found else ():
        numbers = [each[why] for each in found]
        if any(numbers):
            yield (f"{name}: {why}", *map(str, numbers), str(sum(numbers)))


def missing_table(
    clinical: Clinical, arms: Arms, plan: TrialPlan, measures: tuple[Measure, ...]
) -> TrialTable:
    """Missing scores, outcomes, visits and measurements by arm, with the reasons."""

    def visit(name: str, *, outside: bool) -> Holds:
        def holds(each: Followed) -> bool:
            seen = clinical.visits.get((each.person.code, name))
            return (seen is not None and not seen.inside) if outside else seen is None

        return holds

    rows = [counts(arms, "Randomized", lambda _: True)]
    for planned in (plan.baseline, plan.primary):
        rows.append(counts(arms, f"{planned.name}: no visit", visit(planned.name, outside=False)))
        rows.append(
            counts(arms, f"{planned.name}: outside window", visit(planned.name, outside=True))
        )
    rows += [
        counts(arms, f"{plan.baseline.name}: no total score", lambda x: x.before is None),
        counts(arms, f"{plan.primary.name}: no total score", lambda x: x.after is None),
        counts(arms, "Primary outcome missing", _unknown),
    ]
    for measure in measures:
        rows += _of_measure(arms, plan, measure)
    notes = (
        f"All randomized. A visit outside its window: {plan.outside_window}.",
        "Nothing missing is filled in here; a missing measurement never counts as 0.",
    )
    return TrialTable("missing", "Missing data", heads(arms), tuple(rows), notes)


_NOT_RECORDED = "reason not recorded"


def _of_measure(arms: Arms, plan: TrialPlan, measure: Measure) -> list[tuple[str, ...]]:
    rows = []
    for visit, at, why in (
        (plan.baseline.name, "before", "before_reason"),
        (plan.primary.name, "after", "after_reason"),
    ):

        def reason(each: Followed, at: str = at, why: str = why) -> str | None:
            pair = measure.pairs.get(each.person.code)
            if pair is None:
                return _NOT_RECORDED
            return (getattr(pair, why) or _NOT_RECORDED) if getattr(pair, at) is None else None

        rows += _by_reason(arms, f"{measure.label}, {visit}: missing", reason)

    def excluded(each: Followed) -> str | None:
        pair = measure.pairs.get(each.person.code)
        whole = pair is not None and pair.before is not None and pair.after is not None
        return (pair.excluded or None) if pair is not None and whole else None

    if any(excluded(each) for arm in arms for each in arm.people):
        rows += _by_reason(arms, f"{measure.label}: pair excluded", excluded)
    return rows


def _by_reason(
    arms: Arms, name: str, why: Callable[[Followed], str | None]
) -> list[tuple[str, ...]]:
    """Row of a count, and one for each reason; a single one stands beside the count."""
    found = sorted({text for arm in arms for each in arm.people if (text := why(each))})
    only = f" ({found[0]})" if len(found) == 1 else ""
    rows = [counts(arms, f"{name}{only}", lambda each: bool(why(each)))]
    for text in found if len(found) > 1 else []:

        def same(each: Followed, text: str = text) -> bool:
            return why(each) == text

        rows.append(counts(arms, f"{name}: {text}", same))
    return rows
