"""What the page draws over the pressure: landmarks, onsets, sleeves, boxes, blocks of tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hrm.corrections import SwallowReview
from hrm.edits import COMMENT, SWALLOW_LANDMARKS
from hrm.explain.marks import Told, bands, known, regions
from hrm.pipeline.one_swallow import SeenSwallow
from hrm.pipeline.study import Study
from hrm.results import LANDMARKS, StudyRecord, SwallowRecord
from hrm.viewer.beyond import beyond_of_study, beyond_of_swallow

#: What a reader may set for one swallow alone.
_OWN = (*SWALLOW_LANDMARKS, "contour_mmhg")

if TYPE_CHECKING:
    from hrm.viewer.live import Measured

#: Marks of one swallow, ready for JSON.
SwallowMarks = Mapping[str, Any]


def swallow_marks(study: Study, k: int, seen: SeenSwallow, row: SwallowRecord) -> SwallowMarks:
    """Say where the numbers of swallow `k` were read.

    Parameters
    ----------
    study : Study
    k : int
    seen : SeenSwallow
        As it was measured.
    row : SwallowRecord

    Returns
    -------
    dict
        As in the protocol of the viewer, without the swallow's number.
    """
    return {
        "key": row.object,
        "onset_s": row.onset_s,
        "automatic_onset_s": study.reviews[k].automatic_s,
        "window_s": list(row.window_s),
        "own": [name for name in _OWN if name in study.reviews[k].edits],
        **regions(seen),
    }


def marks_of(now: Measured, automatic: StudyRecord) -> dict[str, Any]:
    """Give all marks of a study.

    Parameters
    ----------
    now : Measured
    automatic : StudyRecord
        What was found without a reader.

    Returns
    -------
    dict
        ``study``, ``swallows``, ``protocol``, ``beyond``; ready for JSON.
    """
    record = now.record
    study = {
        name: {
            "value": known(record.landmarks[name]),
            "automatic": known(automatic.landmarks[name]),
            "reviewed": name in record.landmark_source,
        }
        for name in LANDMARKS
    }
    swallows = [
        {**marks, "number": k + 1, "set": _set(review), "beyond": beyond_of_swallow(record, row)}
        for k, (marks, review, row) in enumerate(
            zip(now.swallows, now.study.reviews, record.swallows, strict=True)
        )
    ]
    told = [Told(r.posture, r.protocol, r.onset_s, r.window_s[1]) for r in record.swallows]
    return {
        "study": study,
        "swallows": swallows,
        "protocol": bands(told),
        "beyond": beyond_of_study(record),
    }


def _set(review: SwallowReview) -> dict[str, dict[str, Any]]:
    """What a reader set of a swallow, with the reason and the value before."""
    return {
        name: {"reason": edit.reason, "before": edit.old}
        for name, edit in review.edits.items()
        if edit.new is not None and name != COMMENT
    }


def no_marks() -> dict[str, Any]:
    """Marks of a recording that cannot be analyzed: none."""
    return {"study": {}, "swallows": [], "protocol": [], "beyond": {}}
