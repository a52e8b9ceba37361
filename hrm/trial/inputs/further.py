"""What a trial records beside visits: variables, adverse events, deviations; by participant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hrm.trial.inputs.plan import TrialPlan
from hrm.trial.inputs.plan_options import AdverseChoice, Column
from hrm.trial.inputs.sheets import FLAGS, Sheet
from hrm.trial.records import YES_NO, AdverseEvents, Deviation, Event, Variable


@dataclass(frozen=True, slots=True)
class Further:
    """What was read beside participants, visits and arms."""

    #: Values of each column of the plan, by participant.
    values: Mapping[str, Mapping[str, float | str]] = field(default_factory=dict)
    adverse_events: AdverseEvents | None = None
    deviations: tuple[Deviation, ...] | None = None
    #: Days after the procedure of each event, in the order of `adverse_events.events`.
    event_days: tuple[int | None, ...] = ()


def variable_of(column: Column, values: Mapping[str, float | str]) -> Variable:
    """Make a column of the plan a variable of the tables."""
    return Variable(column.label, column.kind, values, column.unit, column.levels)


def read_variables(sheet: Sheet, plan: TrialPlan) -> dict[str, dict[str, float | str]]:
    """Take the variables of a sheet without faults.

    Returns
    -------
    dict of str to dict
        By name of the column, then by participant; a missing value is not in it.
    """
    missing = {"", *plan.missing_codes}
    return {
        column.name: {
            row["participant"]: _value(row[column.name], column)
            for row in sheet.rows
            if row[column.name] not in missing
        }
        for column in plan.options.columns
    }


def _value(text: str, column: Column) -> float | str:
    if column.kind == YES_NO:
        return float(FLAGS[text])
    return text if column.levels else float(text)


def timings(early_days: int) -> tuple[str, ...]:
    """Name the times of adverse events, from early to late."""
    return ("during the procedure", f"to day {early_days}", f"after day {early_days}")


def read_events(
    sheet: Sheet, choice: AdverseChoice, grades: Sequence[str]
) -> tuple[AdverseEvents, tuple[int | None, ...]]:
    """Take the adverse events and incidents of a sheet without faults, and their days."""
    names = timings(choice.early_days)
    events: list[Event] = []
    days: list[int | None] = []
    for row in sheet.rows:
        day, timing = _timing(row, names, choice.early_days)
        events.append(
            Event(
                *(row["participant"], row["term"], row["grade"] or None, timing),
                FLAGS.get(row["serious"]),
                FLAGS.get(row["related"]),
                FLAGS[row["incident"]],
            )
        )
        days.append(day)
    return AdverseEvents(choice.lexicon, tuple(grades), names, tuple(events)), tuple(days)


def _timing(
    row: Mapping[str, str], names: Sequence[str], early_days: int
) -> tuple[int | None, str | None]:
    """Day after the procedure and its name; None where it was not said."""
    if FLAGS[row["during_procedure"]]:
        return 0, names[0]
    if not row["days_after"]:
        return None, None
    day = int(row["days_after"])
    return day, names[1] if day <= early_days else names[2]


def read_deviations(sheet: Sheet) -> tuple[Deviation, ...]:
    """Take the departures from the protocol of a sheet without faults."""
    return tuple(
        Deviation(row["participant"], row["kind"], FLAGS[row["leaves_set"]]) for row in sheet.rows
    )
