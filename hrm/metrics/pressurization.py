"""Pressurization patterns and intrabolus pressure."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.kernels.contour import axial_sd_1d, axial_share_1d
from hrm.metrics._base import (
    LANDMARK_MISSING,
    NO_WAVEFRONT,
    SENSOR_FAILED,
    Cut,
    Measurement,
    cut,
    known,
)
from hrm.metrics.dci import keep_long_runs
from hrm.metrics.front import DecelerationPoint, Wavefront

PATTERNS = ("none", "panesophageal", "compartmentalized", "egj")


def pressurization(
    field: xr.DataArray,
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
    field : DataArray (depth, time) [mmHg]
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
    if _panesophageal(box, parameters):
        return "panesophageal", "ok"
    if front is not None and _compartmentalized(box, front, parameters):
        return "compartmentalized", "ok"
    if _between_les_and_diaphragm(
        field, onset_s, stop, les_lower_cm, crural_diaphragm_cm, parameters
    ):
        return "egj", "ok"
    return "none", "ok"


def _panesophageal(box: Cut, parameters: Parameters) -> bool:
    level = parameters["pep.mmhg"]
    shortest = max(1, round(parameters["pep.run_s"] / box.step_s))
    uniform = (axial_share_1d(box.values, level) >= parameters["pep.share"]) & (
        axial_sd_1d(box.values) <= parameters["pep.sd_mmhg"]
    )
    uniform = keep_long_runs(uniform, shortest)
    above = box.values >= level
    for first in np.flatnonzero(np.diff(uniform.astype(np.int8), prepend=0) == 1):
        if (
            _onset_span(above, int(first), parameters["pep.share"]) * box.step_s
            <= parameters["pep.onset_span_s"]
        ):
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
    known_rows = np.isfinite(arrival)
    if not known_rows.any():
        return False
    margin = parameters["dci.front_margin_s"]
    ahead = known_rows[:, None] & (box.time[None, :] < arrival[:, None] - margin)
    length = ahead.sum(axis=0) * box.step_cm
    pressed = (ahead & (box.values >= parameters["pep.mmhg"])).sum(axis=0) * box.step_cm
    passed = (known_rows[:, None] & ~ahead).any(axis=0)
    enough = (length >= parameters["compartment.shortest_cm"]) & passed
    mask = enough & (pressed >= parameters["pep.share"] * length)
    shortest = max(1, round(parameters["pep.run_s"] / box.step_s))
    return bool(keep_long_runs(mask, shortest).any())


def _between_les_and_diaphragm(
    field: xr.DataArray,
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
    field: xr.DataArray,
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
    field : DataArray (depth, time) [mmHg]
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
    usable = np.isfinite(front.arrival)
    means, places = [], []
    for k, now in enumerate(box.time):
        passed = front.depth[usable & (front.arrival <= now)]
        if passed.size == 0:
            continue
        place = float(passed.max())
        # A micrometer keeps the binary rounding of depths out.
        rows = (box.depth >= place + parameters["ibp.box_near_cm"] - 1e-6) & (
            box.depth <= place + parameters["ibp.box_far_cm"] + 1e-6
        )
        # A sliver of the box that is left above the LES is sphincter, not bolus.
        if rows.sum() * box.step_cm >= 0.5 * (
            parameters["ibp.box_far_cm"] - parameters["ibp.box_near_cm"]
        ):
            means.append(float(np.mean(box.values[rows, k])))
            places.append((float(now), float(box.depth[rows][0]), float(box.depth[rows][-1])))
    if not means:
        return Measurement.missing(NO_WAVEFRONT)
    zero = gastric_mmhg if parameters["ibp.reference"] == "gastric" else 0.0
    # A gap anywhere may hide the greatest value.
    value = float(np.max(means)) - zero
    if not np.isfinite(value):
        return Measurement.missing(SENSOR_FAILED)
    detail = {
        "mean_mmhg": float(np.mean(means)) - zero,
        "means_mmhg": np.array(means) - zero,
        "boxes": np.array(places),
    }
    return Measurement(value, detail=detail)
