"""A review laid over what was found automatically, before anything is measured.

The log names a swallow by its automatic onset. Whatever does not fit the recording
any more is refused with the line of the log: an edit is never dropped in silence.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr

from hrm.annotate import Corrections, read_log, replay
from hrm.catalog import Parameters
from hrm.detect.landmarks import Landmarks, resting_profiles
from hrm.detect.onset import Onset
from hrm.detect.proposal import Proposal
from hrm.edits import COMMENT, SWALLOW_LANDMARKS, Edit, swallow_object, swallow_onset
from hrm.errors import AnnotationError
from hrm.results import StudyRecord, SwallowRecord

#: A swallow of the log is the one whose automatic onset is this near [s].
MATCH_S = 0.5

#: Landmarks from top to bottom.
_ORDER = ("ues_upper_cm", "ues_lower_cm", "transition_zone_cm", "les_upper_cm", "les_lower_cm")


@dataclass(frozen=True)
class SwallowReview:
    """What a review says of one swallow.

    Attributes
    ----------
    object : str
        Name of the swallow in a log.
    automatic_s : float [s]
        Automatic onset; of an added swallow, the time at which it was added.
    edits : mapping of str to Edit
        The edits that count, by field.
    """

    object: str
    automatic_s: float
    edits: Mapping[str, Edit] = field(default_factory=dict)

    @property
    def cdp_cm(self) -> float:
        """Depth of the reader's deceleration point [cm]; NaN without one."""
        return float(self.edits["cdp_cm"].new or 0.0) if "cdp_cm" in self.edits else math.nan

    @property
    def contour_mmhg(self) -> float:
        """Level at which the reader follows the wavefront [mmHg]; NaN without one."""
        edit = self.edits.get("contour_mmhg")
        return math.nan if edit is None else float(edit.new or 0.0)

    def landmarks(self, study: Landmarks) -> Landmarks:
        """Give the landmarks that hold for this swallow: the study's, but for the reader's.

        Returns
        -------
        Landmarks
            `study` itself where the reader set none for this swallow.
        """
        own = {name: edit for name, edit in self.edits.items() if name in SWALLOW_LANDMARKS}
        return _replaced(study, own) if own else study

    def word(self, name: str, otherwise: str) -> str:
        """Give the reader's posture or protocol, or else what was known."""
        return str(self.edits[name].new) if name in self.edits else otherwise

    def reason(self, automatic: str) -> str:
        """Give the reason why the swallow does not count; empty if it does."""
        if "include" not in self.edits:
            return automatic
        return "" if self.edits["include"].new else "excluded_by_reader"

    def check_point(self, method: str) -> None:
        """Refuse a deceleration point where the contraction has no front.

        Raises
        ------
        AnnotationError
            Naming the line.
        """
        if "cdp_cm" in self.edits and method != "reader":
            raise _misfit(self.edits["cdp_cm"], "the contraction has no front near this depth")


def unreviewed(onsets: Sequence[Onset]) -> tuple[SwallowReview, ...]:
    """Name the swallows that were found."""
    return tuple(SwallowReview(swallow_object(on.time_s), on.time_s) for on in onsets)


def corrections_of(
    recording: xr.DataTree, review: Sequence[Edit] | str | os.PathLike[str] | None
) -> Corrections | None:
    """Replay a review of a recording.

    Parameters
    ----------
    recording : DataTree
    review : sequence of Edit, path-like or None
        A log, or where it is.

    Returns
    -------
    Corrections or None

    Raises
    ------
    AnnotationError
        If the log is not sound, or of another recording.
    """
    if review is None:
        return None
    edits = read_log(review) if isinstance(review, str | os.PathLike) else review
    corrections = replay(edits)
    if corrections.n_edits and corrections.sha256 != recording.attrs["source_sha256"]:
        raise AnnotationError(
            "review log, line 1: the log is of another recording; its sha256 is not that of the "
            "file that was read"
        )
    return corrections


def correct(
    proposal: Proposal,
    corrections: Corrections,
    *,
    pressure: xr.DataArray,
    parameters: Parameters,
) -> tuple[Proposal, tuple[SwallowReview, ...]]:
    """Replace what a review changes.

    Parameters
    ----------
    proposal : Proposal
        As it was found; it is not changed.
    corrections : Corrections
    pressure : DataArray (sensor, time) [mmHg], coord ``depth`` [cm]
        Usable sensors.
    parameters : Parameters

    Returns
    -------
    Proposal
        What is to be measured.
    tuple of SwallowReview
        Of each of its swallows.

    Raises
    ------
    AnnotationError
        Naming the line that cannot be applied.
    """
    swallows = _assigned(corrections.of("swallow"), proposal.onsets)
    methods = {swallow_object(onset.time_s): onset.method for onset in proposal.onsets}
    dated = [(_onset(each, methods.get(each.object, "reader")), each) for each in swallows]
    dated.sort(key=lambda pair: pair[0].time_s)
    _check_onsets(dated, float(pressure["time"].values[-1]))
    _check_moves(swallows, parameters["review.onset_move_s"])
    marks = _landmarks(proposal, corrections.of("landmarks"), pressure, parameters)
    depth = pressure["depth"].values.tolist()
    for each in swallows:
        own = {name: edit for name, edit in each.edits.items() if name in SWALLOW_LANDMARKS}
        _check_marks(each.landmarks(marks), own, depth, parameters)
    onsets = tuple(onset for onset, _ in dated)
    return replace(proposal, onsets=onsets, landmarks=marks), tuple(each for _, each in dated)


def _misfit(edit: Edit, why: str) -> AnnotationError:
    return AnnotationError(
        f"review log, line {edit.seq}: {edit.object} {edit.field} cannot be applied, {why}; "
        f"set it to automatic, or to a value that fits"
    )


def _assigned(edits: Sequence[Edit], onsets: Sequence[Onset]) -> list[SwallowReview]:
    """Give each swallow, found or added, its edits; a later line wins."""
    found = list(unreviewed(onsets))
    named = {edit.object: edit for edit in edits if edit.field == "added"}
    for edit in named.values():
        if edit.new is True:
            at = _time(edit)
            if _nearest(at, found) is not None:
                raise _misfit(edit, f"there is a swallow within {MATCH_S:g} s of it")
            found.append(SwallowReview(edit.object, at))
    chosen: dict[str, dict[str, Edit]] = {each.object: {} for each in found}
    for edit in edits:
        target = _nearest(_time(edit), found)
        taken_back = edit.object in named and named[edit.object].new is not True
        if target is not None:
            chosen[target.object][edit.field] = edit
        elif edit.new is not None and not taken_back:
            raise _misfit(
                edit,
                f"no swallow is found within {MATCH_S:g} s of this onset (if it came from a "
                "swallow table, give that table)",
            )
    return [
        replace(each, edits={name: e for name, e in chosen[each.object].items() if _counts(e)})
        for each in found
    ]


def _counts(edit: Edit) -> bool:
    # A comment stays in the log, like a reason: nobody knows what was typed there.
    return (
        edit.new is not None
        and edit.field != COMMENT
        and (edit.field, edit.new) != ("added", False)
    )


def _time(edit: Edit) -> float:
    at = swallow_onset(edit.object)
    return math.nan if at is None else at


def _nearest(time_s: float, swallows: Sequence[SwallowReview]) -> SwallowReview | None:
    near = [each for each in swallows if abs(each.automatic_s - time_s) <= MATCH_S + 0.005]
    return min(near, key=lambda each: abs(each.automatic_s - time_s)) if near else None


def _onset(swallow: SwallowReview, method: str) -> Onset:
    edit = swallow.edits.get("onset_s")
    if edit is None or edit.new is None:
        return Onset(swallow.automatic_s, method)
    return Onset(float(edit.new), "reader")


def _check_moves(swallows: Sequence[SwallowReview], farthest_s: float) -> None:
    """Refuse an onset that belongs to another swallow: numbers of this one would be of that."""
    for each in swallows:
        edit = each.edits.get("onset_s")
        if edit is not None and abs(float(edit.new or 0.0) - each.automatic_s) > farthest_s:
            raise _misfit(
                edit,
                f"an onset moves by at most {farthest_s:g} s; if the swallow is elsewhere, exclude "
                "this one (include=false) and add one where it is (added=true)",
            )


def _check_onsets(dated: Sequence[tuple[Onset, SwallowReview]], end_s: float) -> None:
    def edit_of(swallow: SwallowReview) -> Edit | None:
        return swallow.edits.get("onset_s") or swallow.edits.get("added")

    for onset, swallow in dated:
        edit = edit_of(swallow)
        if edit is not None and not 0.0 <= onset.time_s <= end_s:
            raise _misfit(edit, f"the recording lasts from 0 to {end_s:.1f} s")
    for (first, a), (second, b) in pairwise(dated):
        moved = [edit for edit in (edit_of(a), edit_of(b)) if edit is not None]
        if moved and second.time_s - first.time_s <= MATCH_S:
            last = max(moved, key=lambda edit: edit.seq)
            raise _misfit(last, f"another swallow begins within {MATCH_S:g} s")


def _landmarks(
    proposal: Proposal, edits: Sequence[Edit], pressure: xr.DataArray, parameters: Parameters
) -> Landmarks:
    marks = proposal.landmarks
    chosen = {edit.field: edit for edit in edits if edit.new is not None}
    if not chosen:
        return marks
    marks = _replaced(marks, chosen)
    _check_marks(marks, chosen, pressure["depth"].values.tolist(), parameters)
    return replace(marks, les_peak_cm=_les_peak(proposal, marks, pressure, parameters))


def _replaced(marks: Landmarks, chosen: Mapping[str, Edit]) -> Landmarks:
    """Put a reader's landmarks in the place of those that were found."""
    values: dict[str, Any] = {name: edit.new for name, edit in chosen.items()}
    status = {name: why for name, why in marks.status.items() if name not in chosen}
    if {"les_upper_cm", "les_lower_cm"} <= chosen.keys():
        status.pop("les", None)
    if "gastric_reference_mmhg" in chosen:
        # Without sensors the reader's number holds at all times.
        values["gastric_sensors_cm"] = ()
    return replace(marks, **values, status=status)


def _check_marks(
    marks: Landmarks, edits: Mapping[str, Edit], depth: Sequence[float], parameters: Parameters
) -> None:
    _check_landmarks(marks, edits, depth)
    _check_plausible(marks, edits, parameters)


def _check_landmarks(marks: Landmarks, edits: Mapping[str, Edit], depth: Sequence[float]) -> None:
    for name, edit in edits.items():
        if name.endswith("_cm") and not depth[0] <= getattr(marks, name) <= depth[-1]:
            raise _misfit(edit, f"the catheter reaches from {depth[0]:g} to {depth[-1]:g} cm")
    known = [name for name in _ORDER if math.isfinite(getattr(marks, name))]
    for above, below in pairwise(known):
        moved = [edits[name] for name in (above, below) if name in edits]
        if moved and getattr(marks, above) >= getattr(marks, below):
            last = max(moved, key=lambda edit: edit.seq)
            raise _misfit(last, f"{above} has to be less than {below}")


def _check_plausible(marks: Landmarks, edits: Mapping[str, Edit], parameters: Parameters) -> None:
    """Refuse what no patient has: every number of the study would follow it."""
    gastric = edits.get("gastric_reference_mmhg")
    low, high = -parameters["review.gastric_lowest_mmhg"], parameters["review.gastric_highest_mmhg"]
    if gastric is not None and not low <= marks.gastric_reference_mmhg <= high:
        raise _misfit(gastric, f"a resting stomach has {low:g} to {high:g} mmHg")
    border = edits.get("les_upper_cm") or edits.get("les_lower_cm")
    shortest = parameters["review.les_shortest_cm"]
    if border is not None and marks.les_lower_cm - marks.les_upper_cm < shortest - 1e-6:
        raise _misfit(border, f"a resting LES is at least {shortest:g} cm long")
    diaphragm = edits.get("crural_diaphragm_cm")
    if diaphragm is not None and marks.crural_diaphragm_cm < marks.les_upper_cm:
        raise _misfit(diaphragm, "the diaphragm does not lie above the LES")
    inversion = edits.get("pressure_inversion_point_cm")
    if inversion is not None and marks.pressure_inversion_point_cm <= marks.ues_lower_cm:
        raise _misfit(inversion, "the pressure inversion point lies below the UES")


def _les_peak(
    proposal: Proposal, marks: Landmarks, pressure: xr.DataArray, parameters: Parameters
) -> float:
    """Resting peak of the LES, looked for again where the borders no longer hold it."""
    upper, peak, lower = marks.les_upper_cm, marks.les_peak_cm, marks.les_lower_cm
    if math.isfinite(peak) and not (peak < upper or peak > lower):
        return peak
    if proposal.baseline is None or proposal.breathing is None or not upper < lower:
        return math.nan
    rest = resting_profiles(pressure, proposal.baseline, proposal.breathing, parameters)
    inside = (rest.depth >= upper) & (rest.depth <= lower)
    if not np.isfinite(rest.end_expiratory[inside]).any():
        return math.nan
    return float(rest.depth[inside][np.nanargmax(rest.end_expiratory[inside])])


def with_review(
    record: StudyRecord,
    automatic: StudyRecord,
    corrections: Corrections,
    swallows: Sequence[SwallowReview],
) -> StudyRecord:
    """Say in a result what readers changed, beside the automatic values.

    Parameters
    ----------
    record, automatic : StudyRecord
        With and without the review.
    corrections : Corrections
    swallows : sequence of SwallowReview

    Returns
    -------
    StudyRecord
    """
    marks = [edit for edit in corrections.of("landmarks") if edit.new is not None]
    rows = {row.object: row for row in automatic.swallows}
    before = automatic.landmarks
    applied = [_applied(edit, edit.object, automatic.landmarks.get(edit.field)) for edit in marks]
    for each in swallows:
        for name, edit in each.edits.items():
            known = _automatic(rows.get(each.object), name, before)
            applied.append(_applied(edit, each.object, known))
    if corrections.signed_off:
        signed = [edit for edit in corrections.of("study") if edit.field != COMMENT]
        applied += [_applied(edit, edit.object, None) for edit in signed]
    review = {
        "n_edits": corrections.n_edits,
        "readers": list(corrections.readers),
        "signed_off": corrections.signed_off,
        "head_hash": corrections.head_hash,
        "applied": sorted(applied, key=lambda row: int(row["seq"])),
    }
    source = {edit.field: f"reader:{edit.reader}" for edit in marks}
    warnings = [*record.warnings, *_in_baseline(record)]
    return replace(record, review=review, landmark_source=source, warnings=warnings)


def _in_baseline(record: StudyRecord) -> list[str]:
    start, stop = (float(record.baseline.get(edge, math.nan)) for edge in ("start_s", "stop_s"))
    inside = [
        f"{row.onset_s:.1f}"
        for row in record.swallows
        if row.onset_method == "reader" and start <= row.onset_s <= stop
    ]
    text = (
        f"a reader's swallow at {', '.join(inside)} s lies in the baseline: the resting values "
        "were measured over it"
    )
    return [text] if inside else []


def _automatic(row: SwallowRecord | None, name: str, landmarks: Mapping[str, Any]) -> Any:
    if name == "added":
        return False
    if name == "transition_zone_cm" and row is not None:
        return row.transition_zone_cm
    if name in SWALLOW_LANDMARKS:
        return landmarks.get(name)
    if name == "contour_mmhg":
        return None  # it is found with the front, and follows the pressure ahead of it
    if row is None:
        return None
    if name == "include":
        return row.evaluable
    return row.metrics["cdp_cm"] if name == "cdp_cm" else getattr(row, name)


def _applied(edit: Edit, name: str, automatic: Any) -> dict[str, Any]:
    missing = isinstance(automatic, float) and not math.isfinite(automatic)
    return {
        "object": name,
        "field": edit.field,
        "automatic": None if missing else automatic,
        "value": edit.new,
        "reader": edit.reader,
        "seq": edit.seq,
    }
