"""The clinical data of a trial: plain CSV, read as text, every fault listed at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from hrm.trial.definitions import lexicons
from hrm.trial.eckardt import ITEMS
from hrm.trial.inputs import further, layout, schemas
from hrm.trial.inputs.further import Further
from hrm.trial.inputs.manometry import Linked, read_manometry
from hrm.trial.inputs.plan import TrialPlan
from hrm.trial.inputs.sheets import FLAGS, Sheet, raise_faults, read_sheet
from hrm.trial.inputs.source import Source


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody who was assessed; `excluded` is the reason, empty for who was randomized."""

    code: str
    excluded: str
    treated: bool
    per_protocol: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """One participant at one visit; None is a missing item."""

    study_day: int
    items: tuple[int | None, ...]
    retreated: bool
    inside: bool


@dataclass(frozen=True, slots=True)
class Clinical:
    """Everything read: participants, visits by participant and visit, arms, digests."""

    participants: tuple[Participant, ...]
    visits: Mapping[tuple[str, str], Seen]
    #: Arm of each randomized participant; None: not given, the report is blinded.
    arms: Mapping[str, str] | None
    sha256: Mapping[str, str]
    further: Further = field(default_factory=Further)
    linked: Linked | None = None


def read_clinical(folder: Path, plan: TrialPlan, allocation: Path | None) -> Clinical:
    """Read the clinical data of a trial.

    Parameters
    ----------
    folder : Path
        Holds `participants.csv` and `visits.csv`, or the REDCap export that the plan names.
    plan : TrialPlan
    allocation : Path, optional
        Which participant is in which arm; None for a blinded report.

    Returns
    -------
    Clinical

    Raises
    ------
    FormatError
        If anything in the files is at fault; lists all, with row and column, and quotes nothing.
    """
    sheets = _sheets(folder, plan, allocation)
    people, visits = sheets.read[layout.PARTICIPANTS], sheets.read[layout.VISITS]
    seen = {(row["participant"], row["visit"]) for row in visits.rows}
    assessed = {row["participant"] for row in people.rows}
    linked, unlinked = read_manometry(folder, plan, seen, assessed, sheets.randomized)
    faults = [fault for sheet in (*sheets.files, *sheets.read.values()) for fault in sheet.faults]
    raise_faults(faults + unlinked)
    digests = {
        sheet.name: sheet.sha256 for sheet in (*sheets.files, *sheets.read.values()) if sheet.sha256
    }
    digests |= linked.sha256 if linked else {}
    arms = sheets.read.get(layout.ALLOCATION)
    return Clinical(
        _participants(people),
        _visits(visits, plan),
        {row["participant"]: row["arm"] for row in arms.rows} if arms else None,
        digests,
        _further(sheets.read, plan),
        linked,
    )


@dataclass
class _Sheets:
    """What was read and validated: whole files, sheets by name, who was randomized."""

    files: list[Sheet]
    read: dict[str, Sheet] = field(default_factory=dict)
    randomized: set[str] = field(default_factory=set)


def _sheets(folder: Path, plan: TrialPlan, allocation: Path | None) -> _Sheets:
    """Read every sheet that the plan asks for, each with its faults."""
    source = Source(folder, plan)
    out = _Sheets(source.whole_files())
    flags = ("treated", "per_protocol")
    people = source.sheet(layout.PARTICIPANTS, layout.PARTICIPANT_COLUMNS, flags=flags)
    schemas.validate(people, schemas.participants(plan))
    out.read[layout.PARTICIPANTS] = people
    out.randomized = {row["participant"] for row in people.rows if not row["excluded"]}
    excluded = {row["participant"] for row in people.rows if row["excluded"]}
    numbers = ("study_day", *ITEMS)
    visits = source.sheet(
        layout.VISITS, layout.VISIT_COLUMNS, numbers=numbers, flags=("retreated",)
    )
    # Who was screened and then excluded may have been seen once.
    before = plan.baseline.name
    visits.rows = [
        x for x in visits.rows if (x["participant"] in excluded, x["visit"]) != (True, before)
    ]
    schemas.validate(visits, schemas.visits(plan, out.randomized))
    out.read[layout.VISITS] = visits
    if allocation is not None:
        arms = read_sheet(allocation, "allocation", layout.ALLOCATION_COLUMNS)
        schemas.validate(arms, schemas.allocation(plan, out.randomized))
        absent = len(out.randomized - {row["participant"] for row in arms.rows})
        if absent:
            arms.faults.append(f"allocation: {absent} randomized participants have no arm")
        out.read[layout.ALLOCATION] = arms
    _read_further(source, plan, out, excluded)
    return out


def _read_further(source: Source, plan: TrialPlan, out: _Sheets, excluded: set[str]) -> None:
    """Read the sheets that the plan asks for, and deviations if there are any."""
    options = plan.options
    if options.columns:
        columns = ("participant", *(column.name for column in options.columns))
        numbers = [column.name for column in options.columns if column.kind in ("mean", "median")]
        flags = [column.name for column in options.columns if column.kind == "yes-no"]
        sheet = source.sheet(layout.VARIABLES, columns, numbers=numbers, flags=flags)
        # Described are those who were randomized.
        sheet.rows = [row for row in sheet.rows if row["participant"] not in excluded]
        schemas.validate(sheet, schemas.variables(plan, out.randomized))
        out.read[layout.VARIABLES] = sheet
    if options.adverse_events:
        sheet = source.sheet(
            layout.EVENTS, layout.EVENT_COLUMNS, numbers=("days_after",), flags=layout.EVENT_FLAGS
        )
        grades = lexicons()[options.adverse_events.lexicon].grades
        schemas.validate(sheet, schemas.events(grades, out.randomized))
        out.read[layout.EVENTS] = sheet
    if source.has(layout.DEVIATIONS):
        sheet = source.sheet(layout.DEVIATIONS, layout.DEVIATION_COLUMNS, flags=("leaves_set",))
        schemas.validate(sheet, schemas.deviations(out.randomized))
        out.read[layout.DEVIATIONS] = sheet


def _further(read: Mapping[str, Sheet], plan: TrialPlan) -> Further:
    """Take what stands in sheets without faults."""
    out = Further()
    if layout.VARIABLES in read:
        out = replace(out, values=further.read_variables(read[layout.VARIABLES], plan))
    choice = plan.options.adverse_events
    if choice is not None:
        grades = lexicons()[choice.lexicon].grades
        events, days = further.read_events(read[layout.EVENTS], choice, grades)
        out = replace(out, adverse_events=events, event_days=days)
    if layout.DEVIATIONS in read:
        out = replace(out, deviations=further.read_deviations(read[layout.DEVIATIONS]))
    return out


def _participants(sheet: Sheet) -> tuple[Participant, ...]:
    found = [
        Participant(
            *(row["participant"], row["excluded"]),
            *(FLAGS[row[name]] for name in ("treated", "per_protocol")),
        )
        for row in sheet.rows
    ]
    return tuple(sorted(found, key=lambda each: each.code))


def _visits(sheet: Sheet, plan: TrialPlan) -> dict[tuple[str, str], Seen]:
    planned = {visit.name: visit for visit in plan.visits}
    missing = {"", *plan.missing_codes}
    found = {}
    for row in sheet.rows:
        day, visit = int(row["study_day"]), planned[row["visit"]]
        items = tuple(None if row[name] in missing else int(row[name]) for name in ITEMS)
        inside = visit.first_day <= day <= visit.last_day
        key = (row["participant"], row["visit"])
        found[key] = Seen(day, items, FLAGS[row["retreated"]], inside)
    return found
