"""Where each study of a worklist stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hrm.readings import Reading
from hrm.worklist.plan import WorklistPlan

NEW, IN_REVIEW, SIGNED, DISAGREEMENT = "new", "in_review", "signed", "disagreement"
STATES = (NEW, IN_REVIEW, SIGNED, DISAGREEMENT)
#: Whether two signed readings of a study disagree; None is what was found automatically.
Differ = Callable[[Reading, Reading | None], bool]


@dataclass(frozen=True, slots=True)
class StudyState:
    """Where a study stands.

    Attributes
    ----------
    status : str
        ``new``: nobody has begun; ``in_review``; ``signed``: all its readers have signed and
        agree, or the adjudicator has signed; ``disagreement``: they differ, or two agree on
        something else than was found automatically, and nobody has settled it.
    by_reader : tuple of tuple of str
        Each assigned reader's own state: ``new``, ``in_review`` or ``signed``.
    waits_for : tuple of str
        Readers who still have to read.
    """

    status: str
    by_reader: tuple[tuple[str, str], ...]
    waits_for: tuple[str, ...]


def state_of(
    found: Sequence[Reading], readers: Sequence[str], plan: WorklistPlan, differ: Differ
) -> StudyState:
    """Say where a study stands.

    Parameters
    ----------
    found : sequence of Reading
        All of its readings.
    readers : sequence of str
        Who is to read it.
    plan : WorklistPlan
    differ : callable
        Called with signed readings only, and with None.

    Returns
    -------
    StudyState
    """
    own = {reading.reader: reading for reading in found if not reading.again}
    # With one reader, the log that all share is that reader's too.
    if len(readers) == 1 and readers[0] not in own and "" in own:
        own[readers[0]] = own[""]
    by_reader = tuple((code, _own_state(own.get(code))) for code in readers)
    unsigned = tuple(code for code, state in by_reader if state != SIGNED)
    third = own.get(plan.adjudicator)
    if third is not None and third.signed_off and third.adjudicates:
        return StudyState(SIGNED, by_reader, ())
    if not unsigned:
        signed = [own[code] for code in readers]
        # Of two signed readings neither counts: unless it is settled, the automatic result does.
        others: list[Reading | None] = [*signed[1:], None] if len(signed) > 1 else []
        if any(differ(signed[0], other) for other in others):
            waits = (plan.adjudicator,) if plan.adjudicator else ()
            return StudyState(DISAGREEMENT, by_reader, waits)
        return StudyState(SIGNED, by_reader, ())
    status = NEW if all(state == NEW for _, state in by_reader) else IN_REVIEW
    return StudyState(status, by_reader, unsigned)


def _own_state(reading: Reading | None) -> str:
    if reading is None or not reading.edits:
        return NEW
    return SIGNED if reading.signed_off else IN_REVIEW
