"""Numbers of the page that lie beyond a limit, as their explanations say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from hrm.catalog import ANY, Limit
from hrm.explain.definition import limits_of
from hrm.results import StudyRecord, SwallowRecord

#: What is held against a limit of the swallow's posture; the other numbers make its type.
_OF_SWALLOW = ("irp4s_mmhg", "ibp_mmhg")
_OF_STUDY = {f"irp4s_median_{posture}_mmhg": posture for posture in ("supine", "upright")}
_VERSION = "4.0"


def beyond_of_swallow(record: StudyRecord, row: SwallowRecord) -> dict[str, str]:
    """Name the numbers of a swallow that lie beyond a limit of version 4.0, with its row."""
    return _beyond(record, {name: (row.metrics[name], row.posture) for name in _OF_SWALLOW})


def beyond_of_study(record: StudyRecord) -> dict[str, str]:
    """Name the medians of a study that lie beyond a limit of version 4.0, with its row."""
    return _beyond(record, {name: (record.study[name], of) for name, of in _OF_STUDY.items()})


def _beyond(record: StudyRecord, values: Mapping[str, tuple[float, str]]) -> dict[str, str]:
    named = tuple(sorted((record.irp_limit or {}).items()))
    found = {}
    for name, (value, posture) in values.items():
        for row in _rows(name, record.system, posture, named):
            if row.crossed_by(value):
                found[name] = row.id
    return found


@lru_cache(maxsize=256)
def _rows(name: str, system: str, posture: str, named: tuple[Any, ...]) -> Sequence[Limit]:
    held = limits_of(name, None, system=system, posture=posture, irp_limit=dict(named) or None)
    rows = [each.limit for each in held if each.limit.cc_version == _VERSION]
    # The user's comes first, and the table's does not decide then.
    return [row for row in rows if row.position in (posture, ANY)][:1]
