"""All tables of a report, in the order they are read."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hrm import __version__
from hrm.trial.inputs.clinical import Clinical
from hrm.trial.inputs.plan import TrialPlan
from hrm.trial.records import Measure, Records
from hrm.trial.tables._cells import Arms
from hrm.trial.tables.adverse_events import adverse_events_table
from hrm.trial.tables.agreement import agreement_table
from hrm.trial.tables.continuous import continuous_table, eckardt_total, rank_table
from hrm.trial.tables.described import baseline_table, procedure_table, reflux_table
from hrm.trial.tables.deviations import deviation_table
from hrm.trial.tables.flow import flow_table, missing_table
from hrm.trial.tables.primary import (
    primary_table,
    ratio_table,
    sensitivity_table,
    tipping_table,
)
from hrm.trial.tables.repeated import repeated_table
from hrm.trial.tables.subgroups import subgroup_table
from hrm.trial.tables.table import TrialTable
from hrm.trial.tables.time_to_failure import failure_table


@dataclass(frozen=True, slots=True)
class Made:
    """The tables of a trial, and the titles of those it has no data for."""

    tables: tuple[TrialTable, ...]
    absent: tuple[str, ...]


def all_measures(arms: Arms, records: Records) -> tuple[Measure, ...]:
    """The Eckardt total, and every other number with a value before and after."""
    return (eckardt_total(arms), *records.measures)


def all_tables(
    clinical: Clinical, arms: Arms, plan: TrialPlan, records: Records | None = None
) -> Made:
    """Make every table that the trial has data for, in the order of the report.

    Parameters
    ----------
    clinical : Clinical
    arms : tuple of Arm
        The test arm first; real ones, or dummies.
    plan : TrialPlan
    records : Records, optional
        Everything beyond participants and primary outcome.

    Returns
    -------
    Made
        Each table ends with a note of version and plan, and says so if the data are made up.
    """
    held = Records() if records is None else records
    version = f"hrm {__version__}; plan {plan.sha256[:12]}."
    last = (held.synthetic, version) if held.synthetic else (version,)
    built = [
        *_of_participants(clinical, arms, plan, held),
        *_of_outcomes(arms, plan, held),
        *_of_safety(clinical, arms, plan, held),
    ]
    tables = (table for _, table in built if table is not None)
    return Made(
        tuple(replace(table, notes=(*table.notes, *last)) for table in tables),
        tuple(title for title, table in built if table is None),
    )


Built = list[tuple[str, TrialTable | None]]


def _of_participants(clinical: Clinical, arms: Arms, plan: TrialPlan, records: Records) -> Built:
    return [
        ("Participant flow", flow_table(clinical, arms, plan)),
        ("Baseline", baseline_table(arms, records) if records.characteristics else None),
    ]


def _of_outcomes(arms: Arms, plan: TrialPlan, records: Records) -> Built:
    measures = all_measures(arms, records)
    subgroups, failures, repeated = records.subgroups, records.failures, records.repeated
    return [
        ("Primary outcome", primary_table(arms, plan)),
        ("Ratios", ratio_table(arms, plan, records.strata)),
        ("Sensitivity", sensitivity_table(arms, plan)),
        ("Tipping points", tipping_table(arms, plan)),
        ("Subgroups", subgroup_table(arms, plan, subgroups) if subgroups else None),
        ("Continuous outcomes", continuous_table(arms, plan, measures, records.quantiles)),
        ("Continuous outcomes by ranks", rank_table(arms, plan, measures)),
        ("Repeated measures", repeated_table(arms, plan, repeated) if repeated else None),
        ("Time to failure", failure_table(arms, plan, failures) if failures else None),
    ]


def _of_safety(clinical: Clinical, arms: Arms, plan: TrialPlan, records: Records) -> Built:
    events, deviations = records.adverse_events, records.deviations
    return [
        ("Procedure", procedure_table(arms, plan, records) if records.procedure else None),
        ("Adverse events", adverse_events_table(arms, plan, events) if events else None),
        ("Reflux", reflux_table(arms, plan, records) if records.reflux else None),
        ("Missing data", missing_table(clinical, arms, plan, records.measures)),
        (
            "Protocol deviations",
            None if deviations is None else deviation_table(arms, deviations),
        ),
        (
            "Agreement of readings",
            agreement_table(plan, records.readings) if records.readings else None,
        ),
    ]
