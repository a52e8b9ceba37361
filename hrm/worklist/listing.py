"""What a worklist says of each study, and in which order a reader gets them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hrm.errors import HrmError, ParameterError
from hrm.readings import AGAIN, Reading, read_reading, readings
from hrm.worklist.order import order_for, reread_by
from hrm.worklist.plan import WorklistPlan
from hrm.worklist.state import Differ, StudyState, state_of
from hrm.worklist.studies import Study


class Listed(NamedTuple):
    """A study, its readings, and where it stands; `fault` says why that is not known."""

    study: Study
    readings: Sequence[Reading]
    state: StudyState | None
    fault: str


def listed(study: Study, plan: WorklistPlan, differ: Differ) -> Listed:
    """Say where a study stands; a recording that cannot be measured hides no other."""
    return standing(read(study), plan, differ)


def read(study: Study, logs: Sequence[tuple[str, Path]] | None = None) -> Listed:
    """Read the readings of a study; where it stands is not said yet.

    Parameters
    ----------
    study : Study
    logs : sequence of (str, Path), optional
        Readers and their logs, if they are known already.
    """
    try:
        if logs is None:
            found = readings(study.sha256, study.settings.review_dir or study.path.parent)
        else:
            found = [read_reading(path, reader) for reader, path in logs]
    except HrmError as err:
        return Listed(study, (), None, f"a log is not sound: {err}")
    return Listed(study, found, None, "")


def standing(row: Listed, plan: WorklistPlan, differ: Differ) -> Listed:
    """Say where a study stands whose readings were read."""
    if row.fault:
        return row
    try:
        state = state_of(row.readings, row.study.readers, plan, differ)
    except HrmError as err:
        return row._replace(fault=str(err))
    return row._replace(state=state)


def of_reader(
    rows: Sequence[Listed], reader: str, plan: WorklistPlan, *, settled: bool = False
) -> list[Listed]:
    """Give what a reader has to read, in the reader's own order.

    Parameters
    ----------
    rows : sequence of Listed
    reader : str
        Code of a reader, the same with ``-R2`` for the second time, or the adjudicator.
    plan : WorklistPlan
    settled : bool
        Give the adjudicator also what is adjudicated already.

    Returns
    -------
    list of Listed

    Raises
    ------
    ParameterError
        If the plan knows no such reader.
    """
    by_digest = {row.study.sha256: row for row in rows}
    if reader and reader == plan.adjudicator:
        mine = [
            digest
            for digest, row in by_digest.items()
            if (row.state and reader in row.state.waits_for)
            or (settled and any(reading.reader == reader for reading in row.readings))
        ]
        return [by_digest[digest] for digest in order_for(reader, mine, plan)]
    code = reader.removesuffix(AGAIN)
    if code not in plan.readers:
        raise ParameterError("this code is no reader of the worklist and not its adjudicator")
    mine = [digest for digest, row in by_digest.items() if code in row.study.readers]
    order = reread_by(code, mine, plan) if reader != code else order_for(code, mine, plan)
    return [by_digest[digest] for digest in order]


def as_dict(row: Listed) -> dict[str, Any]:
    """Give a row of the list for JSON: code, states, and nothing that names the file."""
    state = row.state
    settled = {
        each.reader: "settled" for each in row.readings if each.adjudicates and each.signed_off
    }
    return {
        "code": row.study.code,
        "status": state.status if state else "unknown",
        "readers": dict(state.by_reader if state else dict.fromkeys(row.study.readers)) | settled,
        "waits_for": list(state.waits_for) if state else [],
        "fault": row.fault or None,
    }
