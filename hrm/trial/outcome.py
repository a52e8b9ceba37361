"""Who is in which arm, and what became of each at the primary visit."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from hrm.errors import ParameterError
from hrm.trial.eckardt import ITEMS, total
from hrm.trial.inputs.clinical import Clinical, Participant, Seen
from hrm.trial.inputs.plan import TrialPlan

#: Names of arms that were drawn, for a report before unblinding.
DUMMIES = ("Dummy 1", "Dummy 2")


@dataclass(frozen=True, slots=True)
class Followed:
    """One randomized participant; None is not known."""

    person: Participant
    success: bool | None
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm with everybody randomized to it."""

    label: str
    people: tuple[Followed, ...]

    def successes(self) -> int:
        """How many are known to be a success."""
        return sum(each.success is True for each in self.people)

    def missing(self) -> int:
        """How many have no outcome."""
        return sum(each.success is None for each in self.people)

    def per_protocol(self) -> Arm:
        """Those of the per-protocol set whose outcome is known."""
        kept = [x for x in self.people if x.person.per_protocol and x.success is not None]
        return Arm(self.label, tuple(kept))


def arms_of(clinical: Clinical, plan: TrialPlan) -> tuple[Arm, Arm]:
    """Follow everybody randomized, the test arm first.

    Raises
    ------
    ParameterError
        If nobody is in one of the arms.
    """
    people = [each for each in clinical.participants if not each.excluded]
    if clinical.arms is None:
        labels, allocated = DUMMIES, drawn([each.code for each in people], plan.seed)
    else:
        labels, allocated = (plan.test, plan.reference), dict(clinical.arms)
    first, second = (
        Arm(
            label, tuple(_followed(x, clinical, plan) for x in people if allocated[x.code] == label)
        )
        for label in labels
    )
    if not first.people or not second.people:
        raise ParameterError(
            "a comparison needs somebody randomized in each of the two arms; "
            f"found {len(first.people)} and {len(second.people)}"
        )
    return first, second


def drawn(codes: Sequence[str], seed: int) -> dict[str, str]:
    """Draw dummy arms of equal size, one more in the first if the number is odd.

    The order is that of a digest of seed and code, the same on every machine, so that it
    does not depend on the order in the file, which may follow the allocation.
    """
    order = sorted(codes, key=lambda code: hashlib.sha256(f"{seed}:{code}".encode()).digest())
    return {code: DUMMIES[place % 2] for place, code in enumerate(order)}


def _followed(person: Participant, clinical: Clinical, plan: TrialPlan) -> Followed:
    before = used(clinical.visits.get((person.code, plan.baseline.name)), plan)
    after = used(clinical.visits.get((person.code, plan.primary.name)), plan)
    success = _success(person.code, after, clinical, plan)
    return Followed(
        person,
        success,
        total(before.items) if before else None,
        total(after.items) if after else None,
    )


def _success(code: str, after: Seen | None, clinical: Clinical, plan: TrialPlan) -> bool | None:
    """Outcome at the primary visit; a retreatment before its end is known from any visit."""
    # A visit past its window that the plan uses is the end, if it is later.
    end = max(plan.primary.last_day, after.study_day if after else plan.primary.last_day)
    retreated = any(
        seen.retreated and seen.study_day <= end
        for (whose, _), seen in clinical.visits.items()
        if whose == code
    )
    items = after.items if after else (None,) * len(ITEMS)
    return plan.rule.outcome(items, retreated=retreated)


def used(seen: Seen | None, plan: TrialPlan) -> Seen | None:
    """A visit that counts under the plan's rule for windows."""
    if seen is None or seen.inside or plan.outside_window == "use":
        return seen
    return None
