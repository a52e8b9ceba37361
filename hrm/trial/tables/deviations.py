"""Departures from the protocol, cross-overs among them."""

from __future__ import annotations

from collections.abc import Sequence

from hrm.trial.records import Deviation
from hrm.trial.tables._cells import Arms, codes, only_randomized
from hrm.trial.tables.rounding import count_percent
from hrm.trial.tables.table import TrialTable


def deviation_table(arms: Arms, found: Sequence[Deviation]) -> TrialTable:
    """Participants with each kind of deviation, and those who leave the per-protocol set.

    Raises
    ------
    ParameterError
        If a deviation is of somebody who was not randomized.
    """
    only_randomized([each.participant for each in found], arms, "protocol deviations")
    rows = [_row(arms, "Any deviation", found)]
    leaving = [each for each in found if each.leaves]
    rows.append(_row(arms, "Leaves the per-protocol set", leaving))
    for kind in sorted({each.kind for each in found}):
        rows.append(_row(arms, kind, [each for each in found if each.kind == kind]))
    heads: list[str] = [""]
    for arm in arms:
        heads += [f"{arm.label}: participants", f"{arm.label}: deviations"]
    flagged = _not_flagged(arms, leaving)
    notes = (
        (
            "All randomized, in the arm they were randomized to: participants with at least one "
            "(%), and numbers of deviations."
        ),
        f"Recorded as leaving the per-protocol set, and yet flagged as in it: {flagged}.",
    )
    return TrialTable("deviations", "Protocol deviations", tuple(heads), tuple(rows), notes)


def _row(arms: Arms, name: str, found: Sequence[Deviation]) -> tuple[str, ...]:
    cells: list[str] = []
    for arm in arms:
        people = set(codes(arm))
        those = [each for each in found if each.participant in people]
        who = len({each.participant for each in those})
        cells += [count_percent(who, len(people)), str(len(those))]
    return (name, *cells)


def _not_flagged(arms: Arms, leaving: Sequence[Deviation]) -> int:
    flagged = {code for arm in arms for code in codes(arm, lambda x: x.person.per_protocol)}
    return len({each.participant for each in leaving} & flagged)
