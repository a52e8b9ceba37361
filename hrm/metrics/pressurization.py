"""Pressurization patterns and intrabolus pressure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.kernels.contour import axial_sd_1d, axial_share_1d, pressed_ahead_1d
from hrm.kernels.integral import column_means_2d
from hrm.metrics._base import (
    LANDMARK_MISSING,
    NO_WAVEFRONT,
    SENSOR_FAILED,
    Cut,
    Field,
    Measurement,
    cut,
    known,
)
from hrm.metrics.dci import keep_long_runs
from hrm.metrics.front import DecelerationPoint, Wavefront

PATTERNS = ("none", "panesophageal", "compartmentalized", "egj")


def pressurization(
    field: Field,
    *,
    onset_s: float,
    stop_s: float,
    ues_lower_cm: float,
    les_upper_cm: float,
    les_lower_cm: float,
    crural_diaphragm_cm: float,
    front: Wavefront | None,
    parameters: Parameters,
) -> tuple[str, str]:
    """Classify the pressurization of a swallow on the 30 mmHg contour.

    Parameters
    ----------
    field : DataArray or Cut (depth, time) [mmHg]
    onset_s, stop_s : float [s]
    ues_lower_cm, les_upper_cm, les_lower_cm, crural_diaphragm_cm : float [cm]
    front : Wavefront or None
    parameters : Parameters

    Returns
    -------
    pattern, status : str
        One of `PATTERNS` (SPEC section 5.5), and ``ok`` or why it is not known.
    """
    if not known(ues_lower_cm, les_upper_cm):
        return "none", LANDMARK_MISSING
    top = ues_lower_cm + parameters["pep.below_ues_cm"]
    bottom = les_upper_cm - parameters["pep.above_les_cm"]
    stop = min(onset_s + parameters["pep.window_s"], stop_s)
    box = cut(field, top, bottom, onset_s, stop)
    if box.empty:
        return "none", LANDMARK_MISSING
    if not np.isfinite(box.values).all():
        return "none", SENSOR_FAILED
    body = les_upper_cm - ues_lower_cm
    smooth_cm = ues_lower_cm + parameters["tz.body_fraction"] * body
    if _panesophageal(box, smooth_cm, parameters):
        return "panesophageal", "ok"
    if front is not None and _compartmentalized(box, front, parameters):
        return "compartmentalized", "ok"
    if _between_les_and_diaphragm(
        field, onset_s, stop, les_lower_cm, crural_diaphragm_cm, parameters
    ):
        return "egj", "ok"
    return "none", "ok"


def _panesophageal(box: Cut, smooth_cm: float, parameters: Parameters) -> bool:
    """Whether the body stands under one pressure that rose everywhere at once.

    The striated part may have contracted after the onset, and stay above the contour until
    the rest rises. Where the smooth part, which begins at `smooth_cm` at the latest, rises
    at once by the same measure, in proportion to its length, that is no contraction.
    """
    level = parameters["pep.mmhg"]
    shortest = max(1, round(parameters["pep.run_s"] / box.step_s))
    uniform = (axial_share_1d(box.values, level) >= parameters["pep.share"]) & (
        axial_sd_1d(box.values) <= parameters["pep.sd_mmhg"]
    )
    uniform = keep_long_runs(uniform, shortest)
    starts = np.flatnonzero(np.diff(uniform.astype(np.int8), prepend=0) == 1)
    if starts.size == 0:
        return False
    above = box.values >= level
    smooth = above[box.depth >= smooth_cm]
    for first in starts:
        # What stood above from the start on has not contracted in this swallow.
        fresh = not above[:, : int(first) + 1].all(axis=1).any()
        for rows in (above, smooth) if fresh else (above,):
            span = _onset_span(rows, int(first), parameters["pep.share"]) * box.step_s
            # The binary rounding of times must not decide.
            if span <= parameters["pep.onset_span_s"] * rows.shape[0] / above.shape[0] + 1e-6:
                return True
    return False


def _onset_span(above: NDArray[np.bool_], column: int, share: float) -> float:
    """Spread of the times at which the rows that are above at `column` became so."""
    rows = above[above[:, column], : column + 1]
    since = np.argmin(rows[:, ::-1], axis=1)
    since[rows.all(axis=1)] = rows.shape[1]
    tail = (1.0 - share) / 2.0
    low, high = np.quantile(since, [tail, 1.0 - tail])
    return float(high - low)


def _compartmentalized(box: Cut, front: Wavefront, parameters: Parameters) -> bool:
    """At least 30 mmHg all the way from the contractile front to the EGJ."""
    arrival = np.interp(box.depth, front.depth, front.arrival, left=np.nan, right=np.nan)
    if not np.isfinite(arrival).any():
        return False
    # Samples of each row that lie ahead of the front; -1 where none passes.
    stop = np.searchsorted(box.time, arrival - parameters["dci.front_margin_s"])
    stop[np.isnan(arrival)] = -1
    rows, above, passed = pressed_ahead_1d(box.values, stop, parameters["pep.mmhg"])
    length, pressed = rows * box.step_cm, above * box.step_cm
    enough = (length >= parameters["compartment.shortest_cm"]) & passed
    mask = enough & (pressed >= parameters["pep.share"] * length)
    shortest = max(1, round(parameters["pep.run_s"] / box.step_s))
    return bool(keep_long_runs(mask, shortest).any())


def _between_les_and_diaphragm(
    field: Field,
    onset_s: float,
    stop_s: float,
    les_lower_cm: float,
    crural_diaphragm_cm: float,
    parameters: Parameters,
) -> bool:
    """Pressurization confined to a hernia, clear of both the LES and the diaphragm."""
    if not known(les_lower_cm, crural_diaphragm_cm):
        return False
    top = les_lower_cm + parameters["pep.below_les_cm"]
    bottom = crural_diaphragm_cm - parameters["pep.above_diaphragm_cm"]
    # A micrometer keeps the binary rounding of depths out.
    if bottom - top < parameters["pep.hernia_least_cm"] - 1e-6:
        return False
    box = cut(field, top, bottom, onset_s, stop_s)
    if box.empty:
        return False
    full = axial_share_1d(box.values, parameters["pep.mmhg"]) >= parameters["pep.share"]
    flat = axial_sd_1d(box.values) <= parameters["pep.sd_mmhg"]
    shortest = max(1, round(parameters["pep.run_s"] / box.step_s))
    return bool(keep_long_runs(full & flat, shortest).any())


def intrabolus_pressure(
    field: Field,
    *,
    front: Wavefront | None,
    point: DecelerationPoint | None,
    les_upper_cm: float,
    gastric_mmhg: float,
    parameters: Parameters,
) -> Measurement:
    """Greatest pressure ahead of the front in the 3 s before the deceleration point.

    Parameters
    ----------
    field : DataArray or Cut (depth, time) [mmHg]
    front : Wavefront or None
    point : DecelerationPoint or None
    les_upper_cm : float [cm]
    gastric_mmhg : float [mmHg]
        Only used when the parameter ``ibp.reference`` is ``gastric``.
    parameters : Parameters

    Returns
    -------
    Measurement [mmHg]
        Maximum over time of the mean over the part of the box 1-3 cm below the
        front that lies above the LES (SPEC section 5.5). Detail: ``mean_mmhg``, and of
        each sample ``means_mmhg`` and ``boxes`` (time, top and bottom).
    """
    if front is None or point is None or not known(les_upper_cm):
        return Measurement.missing(NO_WAVEFRONT)
    start = point.time_s - parameters["ibp.window_s"]
    box = cut(field, float(front.depth[0]), les_upper_cm, start, point.time_s)
    if box.empty:
        return Measurement.missing(NO_WAVEFRONT)
    near, far = parameters["ibp.box_near_cm"], parameters["ibp.box_far_cm"]
    order = np.argsort(front.arrival, kind="stable")  # NaN last
    deepest = np.maximum.accumulate(front.depth[order])
    passed = np.searchsorted(front.arrival[order], box.time, side="right")
    # A micrometer keeps the binary rounding of depths out.
    first = np.searchsorted(box.depth, deepest + near - 1e-6)
    stop = np.searchsorted(box.depth, deepest + far + 1e-6, side="right")
    top, end = np.where(passed > 0, (first[passed - 1], stop[passed - 1]), 0)
    # A sliver of the box that is left above the LES is sphincter, not bolus.
    kept = (end - top) * box.step_cm >= 0.5 * (far - near)
    if not kept.any():
        return Measurement.missing(NO_WAVEFRONT)
    means = column_means_2d(box.values, top, end)[kept]
    places = (box.time[kept], box.depth[top[kept]], box.depth[end[kept] - 1])
    zero = gastric_mmhg if parameters["ibp.reference"] == "gastric" else 0.0
    # A gap anywhere may hide the greatest value.
    value = float(np.max(means)) - zero
    if not np.isfinite(value):
        return Measurement.missing(SENSOR_FAILED)
    detail = {
        "mean_mmhg": float(np.mean(means)) - zero,
        "means_mmhg": means - zero,
        "boxes": np.column_stack(places),
    }
    return Measurement(value, detail=detail)
