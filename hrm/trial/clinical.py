"""The clinical data of a trial: plain CSV, read as text, every fault listed at once."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hrm.errors import FormatError
from hrm.trial.eckardt import HIGHEST, ITEMS, LOWEST
from hrm.trial.plan import TrialPlan, Visit

PARTICIPANTS, VISITS, ALLOCATION = "participants.csv", "visits.csv", "allocation.csv"
PARTICIPANT_COLUMNS = ("participant", "excluded", "treated", "per_protocol")
VISIT_COLUMNS = ("participant", "visit", "study_day", *ITEMS, "retreated")
ALLOCATION_COLUMNS = ("participant", "arm")
_FLAGS = {"yes": True, "no": False}


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


@dataclass
class _Sheet:
    """Rows of one file, and the faults found in it."""

    name: str
    rows: list[dict[str, str]]
    sha256: str
    faults: list[str] = field(default_factory=list)

    def fault(self, number: int, column: str, expected: str) -> None:
        """Note a fault; the first row below the heading is row 2, as in a spreadsheet."""
        self.faults.append(f"{self.name} row {number}, {column}: expected {expected}")


def read_clinical(folder: Path, plan: TrialPlan, allocation: Path | None) -> Clinical:
    """Read the clinical data of a trial.

    Parameters
    ----------
    folder : Path
        Holds `participants.csv` and `visits.csv`.
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
    people = _sheet(folder / PARTICIPANTS, PARTICIPANTS, PARTICIPANT_COLUMNS)
    visits = _sheet(folder / VISITS, VISITS, VISIT_COLUMNS)
    sheets = [people, visits]
    participants = _participants(people, plan)
    randomized = {each.code for each in participants if not each.excluded}
    seen = _visits(visits, plan, randomized)
    arms = None
    if allocation is not None:
        sheet = _sheet(allocation, "allocation", ALLOCATION_COLUMNS)
        sheets.append(sheet)
        arms = _arms(sheet, plan, randomized)
    faults = [fault for sheet in sheets for fault in sheet.faults]
    if faults:
        raise FormatError(f"{len(faults)} faults in the clinical data:\n  " + "\n  ".join(faults))
    return Clinical(participants, seen, arms, {sheet.name: sheet.sha256 for sheet in sheets})


def _sheet(path: Path, name: str, columns: Sequence[str]) -> _Sheet:
    content = path.read_bytes()
    sheet = _Sheet(name, [], hashlib.sha256(content).hexdigest())
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        sheet.faults.append(f"{name}: expected UTF-8 text")
        return sheet
    try:
        read = enumerate(csv.reader(io.StringIO(text, newline=""), strict=True), start=1)
        lines = [(number, line) for number, line in read if line]
    except csv.Error:
        sheet.faults.append(f"{name}: expected CSV with commas; a quote or a field has no end")
        return sheet
    heads = lines[0][1] if lines else []
    if sorted(heads) != sorted(columns):
        sheet.faults.append(f"{name} row 1: expected the columns {', '.join(columns)}")
        return sheet
    for number, line in lines[1:]:
        if len(line) != len(columns):
            sheet.fault(number, "all columns", f"{len(columns)} fields, found {len(line)}")
        else:
            cells = (cell.strip() for cell in line)
            sheet.rows.append({**dict(zip(heads, cells, strict=True)), "": str(number)})
    return sheet


def _flag(sheet: _Sheet, row: Mapping[str, str], column: str) -> bool:
    if row[column] not in _FLAGS:
        sheet.fault(int(row[""]), column, "yes or no")
    return _FLAGS.get(row[column], False)


def _whole(text: str) -> int | None:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 7 else None


def _participants(sheet: _Sheet, plan: TrialPlan) -> tuple[Participant, ...]:
    found: dict[str, Participant] = {}
    for row in sheet.rows:
        number, code, reason = int(row[""]), row["participant"], row["excluded"]
        if not code or code in found:
            sheet.fault(number, "participant", "a code that stands once in the file")
        if reason and reason not in plan.excluded_reasons:
            sheet.fault(number, "excluded", "nothing, or one of trial.excluded_reasons")
        treated, kept = (_flag(sheet, row, name) for name in ("treated", "per_protocol"))
        if reason and (treated or kept):
            sheet.fault(number, "excluded", "who was excluded to be neither treated nor analyzed")
        found[code] = Participant(code, reason, treated, kept)
    return tuple(found[code] for code in sorted(found))


def _visits(sheet: _Sheet, plan: TrialPlan, randomized: set[str]) -> dict[tuple[str, str], Seen]:
    planned = {visit.name: visit for visit in (plan.baseline, plan.primary)}
    found: dict[tuple[str, str], Seen] = {}
    for row in sheet.rows:
        number, key = int(row[""]), (row["participant"], row["visit"])
        if key[0] not in randomized:
            sheet.fault(number, "participant", f"somebody randomized in {PARTICIPANTS}")
        if key[1] not in planned:
            sheet.fault(number, "visit", "baseline.name or primary.name of the plan")
            continue
        if key in found:
            sheet.fault(number, "visit", "each visit of a participant once")
        found[key] = _seen(sheet, row, plan, planned[key[1]])
    return found


def _seen(sheet: _Sheet, row: Mapping[str, str], plan: TrialPlan, visit: Visit) -> Seen:
    day = _whole(row["study_day"])
    if day is None:
        sheet.fault(int(row[""]), "study_day", "a whole number of days since randomization")
    items = tuple(_item(sheet, row, name, plan) for name in ITEMS)
    inside = visit.first_day <= (day or 0) <= visit.last_day
    return Seen(day or 0, items, _flag(sheet, row, "retreated"), inside)


def _item(sheet: _Sheet, row: Mapping[str, str], name: str, plan: TrialPlan) -> int | None:
    if not row[name] or row[name] in plan.missing_codes:
        return None
    value = _whole(row[name])
    if value is None or not LOWEST <= value <= HIGHEST:
        sheet.fault(int(row[""]), name, f"a whole number from {LOWEST} to {HIGHEST}, or missing")
        return None
    return value


def _arms(sheet: _Sheet, plan: TrialPlan, randomized: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in sheet.rows:
        number, code = int(row[""]), row["participant"]
        if code not in randomized or code in found:
            sheet.fault(number, "participant", "somebody randomized, once")
        if row["arm"] not in (plan.test, plan.reference):
            sheet.fault(number, "arm", "arms.test or arms.reference of the plan")
        found[code] = row["arm"]
    absent = len(randomized - set(found))
    if absent:
        sheet.faults.append(f"allocation: {absent} randomized participants have no arm")
    return found
