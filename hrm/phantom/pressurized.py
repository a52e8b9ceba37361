"""Pressurization by definition: patterns, intrabolus pressure, what to leave out of the DCI."""

from __future__ import annotations

import math

import numpy as np

from hrm.catalog import Parameters
from hrm.phantom.field import Array
from hrm.phantom.grid import Field, Mask, known_front, long_runs, run_start
from hrm.phantom.landmarks import Landmarks


def pressurization_pattern(
    field: Field, marks: Landmarks, front: Array | None, parameters: Parameters
) -> str:
    """Pattern of pressurization within 10 s: none, panesophageal or compartmentalized."""
    bottom = marks.les_upper - float(parameters["pep.above_les_cm"])
    columns = field.columns(field.onset_s, field.onset_s + float(parameters["pep.window_s"]))
    rows = field.rows(marks.ues_lower + float(parameters["pep.below_ues_cm"]), bottom)
    if _is_panesophageal(field.p[rows, columns], field, parameters):
        return "panesophageal"
    if front is not None and _is_compartmentalized(
        field, marks, front, columns, bottom, parameters
    ):
        return "compartmentalized"
    return "none"


def _is_panesophageal(p: Array, field: Field, parameters: Parameters) -> bool:
    """Whether the whole body is evenly raised for a while, having risen at once."""
    high = p >= float(parameters["pep.mmhg"])
    flat = (high.mean(axis=0) >= float(parameters["pep.share"])) & (
        p.std(axis=0) <= float(parameters["pep.sd_mmhg"])
    )
    flat = long_runs(flat, field.samples(float(parameters["pep.run_s"])))
    for column in np.flatnonzero(np.diff(np.concatenate([[0], flat.astype(np.int8)])) == 1):
        starts = [run_start(row, int(column)) for row in high if row[column]]
        if np.ptp(starts) <= float(parameters["pep.onset_span_s"]) * field.rate_hz:
            return True
    return False


def _is_compartmentalized(
    field: Field,
    marks: Landmarks,
    front: Array,
    columns: slice,
    bottom: float,
    parameters: Parameters,
) -> bool:
    """Whether the space between front and EGJ (3 cm or more) is at 30 mmHg for a while."""
    first = int(np.searchsorted(field.z, marks.les_upper + 1e-9)) - front.size
    region = field.z[first : first + front.size]
    least = float(parameters["dci.front_plateau_cm"])
    filled = np.zeros(field.t.size, dtype=bool)
    for j in range(columns.start, columns.stop):
        passed = np.flatnonzero(front <= field.t[j])
        if not passed.size or region[passed[-1]] + 0.5 > bottom - least:
            continue
        rows = field.rows(region[passed[-1]] + 0.5, bottom)
        high = field.p[rows, j] >= float(parameters["pep.mmhg"])
        filled[j] = high.mean() >= float(parameters["pep.share"])
    return bool(long_runs(filled, field.samples(float(parameters["pep.run_s"]))).any())


def intrabolus_pressures(
    field: Field,
    region: slice,
    front: Array | None,
    latency: float | None,
    marks: Landmarks,
    parameters: Parameters,
) -> tuple[float | None, float | None]:
    """Highest and mean pressure in the box below the front, in the 3 s before the CDP [mmHg]."""
    if front is None or latency is None:
        return None, None
    z, times = known_front(field.z[region], front)
    stop = field.onset_s + latency
    boxes: list[float] = []
    columns = field.columns(stop - float(parameters["ibp.window_s"]), stop)
    for j in range(columns.start, columns.stop):
        passed = np.flatnonzero(times <= field.t[j])
        if not passed.size:
            continue
        place = z[passed[-1]]
        rows = field.rows(
            place + float(parameters["ibp.box_near_cm"]),
            min(place + float(parameters["ibp.box_far_cm"]), marks.les_upper),
        )
        if rows.stop > rows.start:
            boxes.append(float(field.p[rows, j].mean()))
    return (max(boxes), math.fsum(boxes) / len(boxes)) if boxes else (None, None)


def simultaneous(p: Array, field: Field, parameters: Parameters) -> Mask:
    """Times of a simultaneous plateau: most of the region raised, and evenly so."""
    share = (p >= float(parameters["dci.threshold_mmhg"])).mean(axis=0)
    flat = (share >= float(parameters["dci.plateau_fraction"])) & (
        p.std(axis=0) < float(parameters["dci.plateau_sd_mmhg"])
    )
    return long_runs(flat, field.samples(float(parameters["dci.plateau_s"])))


def trapped(
    field: Field, region: slice, front: Array | None, ahead: Array, parameters: Parameters
) -> Mask:
    """Samples of a plateau ahead of the front, none if there is no such plateau."""
    out = np.zeros((region.stop - region.start, field.t.size), dtype=bool)
    least = float(parameters["dci.front_plateau_cm"]) / field.step_cm
    raised = ahead >= float(parameters["dci.threshold_mmhg"])
    if front is None or not long_runs(raised, round(least)).any():
        return out
    before = front - float(parameters["dci.front_margin_s"])
    return np.asarray(np.isfinite(front)[:, None] & (field.t[None, :] < before[:, None]))
