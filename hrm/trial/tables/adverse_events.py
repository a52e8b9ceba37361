"""Adverse events: who had one and how many there were, by type, grade and timing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hrm.trial.inputs.plan import TrialPlan
from hrm.trial.records import AdverseEvents, Event
from hrm.trial.tables._cells import (
    ROUNDING,
    Arms,
    codes,
    difference_cells,
    difference_note,
    only_randomized,
    percent,
)
from hrm.trial.tables.flow import treated
from hrm.trial.tables.rounding import count_percent
from hrm.trial.tables.table import TrialTable

Chosen = Callable[[Event], bool]


def adverse_events_table(arms: Arms, plan: TrialPlan, recorded: AdverseEvents) -> TrialTable:
    """Participants with an event and numbers of events; incidents stand apart.

    Raises
    ------
    ParameterError
        If an event is of somebody who was not randomized.
    """
    only_randomized([event.participant for event in recorded.events], arms, "adverse events")
    people = {code for arm in arms for code in codes(arm, treated)}
    counted = [event for event in recorded.events if event.participant in people]
    rows = [_row(arms, plan, counted, *line) for line in _lines(recorded, counted)]
    outside = len(recorded.events) - len(counted)
    ungraded = sum(event.grade is None and not event.incident for event in counted)
    heads = [""]
    for arm in arms:
        heads += [f"{arm.label}: participants", f"{arm.label}: events"]
    heads += ["Difference, points", f"{percent(plan.level)} CI"]
    notes = (
        (
            "All treated, in the arm they were randomized to: participants with at least one, of "
            "all treated (%), and numbers of events. A participant counts once in a row, and may "
            "count in several."
        ),
        (
            f"Grades: {recorded.lexicon}; without a grade: {ungraded}. An incident is of no "
            "consequence to the participant and is no adverse event."
        ),
        f"Records of participants who were not treated, not counted: {outside}.",
        (
            f"{difference_note(arms, plan)} No tests; the intervals are not adjusted for the number "
            f"of rows, and nothing is claimed of a row by itself. {ROUNDING}"
        ),
    )
    return TrialTable("adverse_events", "Adverse events", tuple(heads), tuple(rows), notes)


def _lines(recorded: AdverseEvents, counted: Sequence[Event]) -> list[tuple[str, Chosen]]:
    """Name of each row and the events that count in it."""
    events = [event for event in counted if not event.incident]
    lines: list[tuple[str, Chosen]] = [("Any adverse event", _adverse)]
    lines += [
        ("Serious", lambda event: _adverse(event) and event.serious is True),
        ("Related to the procedure", lambda event: _adverse(event) and event.related is True),
    ]
    lines += [(f"Type: {term}", _of_term(term, incident=False)) for term in _terms(events)]
    lines += [(f"Grade: {grade}", _of_grade(grade)) for grade in recorded.grades]
    if any(event.grade is None for event in events):
        lines.append(("Grade: not said", _of_grade(None)))
    lines += [(f"Timing: {timing}", _at(timing)) for timing in recorded.timings]
    if any(event.timing is None for event in events):
        lines.append(("Timing: not said", _at(None)))
    lines.append(("Any incident", lambda event: event.incident))
    noted = [event for event in counted if event.incident]
    lines += [(f"Incident: {term}", _of_term(term, incident=True)) for term in _terms(noted)]
    return lines


def _adverse(event: Event) -> bool:
    return not event.incident


def _terms(events: Sequence[Event]) -> list[str]:
    return sorted({event.term for event in events})


def _of_term(term: str, *, incident: bool) -> Chosen:
    return lambda event: event.incident is incident and event.term == term


def _of_grade(grade: str | None) -> Chosen:
    return lambda event: not event.incident and event.grade == grade


def _at(timing: str | None) -> Chosen:
    return lambda event: not event.incident and event.timing == timing


def _row(
    arms: Arms, plan: TrialPlan, events: Sequence[Event], name: str, chosen: Chosen
) -> tuple[str, ...]:
    found: list[int] = []
    cells: list[str] = []
    for arm in arms:
        people = set(codes(arm, treated))
        those = [event for event in events if event.participant in people and chosen(event)]
        who = len({event.participant for event in those})
        found += [who, len(people)]
        cells += [count_percent(who, len(people)), str(len(those))]
    return (name, *cells, *difference_cells(found, plan))
