"""Distal contractile integral and breaks in the 20 mmHg contour."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.kernels.contour import axial_sd_1d, axial_share_1d, peak_run_2d, reached_2d
from hrm.kernels.integral import excess_2d
from hrm.metrics._base import LANDMARK_MISSING, SENSOR_FAILED, Cut, Field, Measurement, cut, known
from hrm.metrics.front import Wavefront


@dataclass(frozen=True)
class Contraction:
    """The contraction of one swallow inside its contour.

    Attributes
    ----------
    start_s, stop_s : float [s]
        Contraction window.
    box : Cut
        The field of the region over the window.
    """

    start_s: float
    stop_s: float
    box: Cut


def contraction(
    field: Field,
    *,
    onset_s: float,
    stop_s: float,
    top_cm: float,
    bottom_cm: float,
    parameters: Parameters,
) -> Contraction | None:
    """Find the contraction window of a swallow.

    Parameters
    ----------
    field : DataArray or Cut (depth, time) [mmHg]
    onset_s, stop_s : float [s]
        `stop_s` is the end of the recording or the next onset.
    top_cm, bottom_cm : float [cm]
        Transition zone and proximal LES border.
    parameters : Parameters

    Returns
    -------
    Contraction or None
        From 0.5 s after onset to 0.5 s after the last sample of the connected
        20 mmHg region that holds the wave, at most 15 s after onset, or 25 s
        while it continues (SPEC section 5.1). None without landmarks.
    """
    if not known(top_cm, bottom_cm) or bottom_cm <= top_cm:
        return None
    start = onset_s + parameters["dci.start_s"]
    usual = min(onset_s + parameters["dci.window_s"], stop_s)
    box = cut(field, top_cm, bottom_cm, start, usual)
    end = math.inf if box.empty else _end_of_wave(box, usual, parameters)
    # Nearly all end early. What does not touch the end of a box does not go on behind it.
    if end > usual:
        longest = min(onset_s + parameters["dci.window_repetitive_s"], stop_s)
        box = cut(field, top_cm, bottom_cm, start, longest)
        if box.empty:
            return None
        end = min(_end_of_wave(box, usual, parameters), longest)
        # Peaks that repeat without a pause reach past the usual window; nothing else may.
        if end > usual and not _reaches(box, usual, parameters):
            end = usual
    return Contraction(start, end, cut(box, top_cm, bottom_cm, start, end))


def unfinished(
    wave: Contraction | None, *, onset_s: float, stop_s: float, parameters: Parameters
) -> bool:
    """Whether a swallow is cut off before its contraction can have ended.

    Parameters
    ----------
    wave : Contraction or None
    onset_s, stop_s : float [s]
        `stop_s` is the end of the recording or the next onset.
    parameters : Parameters

    Returns
    -------
    bool
        True with less than ``irp.minimum_window_s`` to see, and in a contraction that
        still goes on at `stop_s`, if that is earlier than the usual window: more than
        ``dci.cut_off_share`` of the integral falls in the last ``dci.tail_s``. What was
        seen by then is a part of the contraction only, or even nothing of it.
    """
    if stop_s >= onset_s + parameters["dci.window_s"] - 1e-6:
        return False
    if stop_s - onset_s < parameters["irp.minimum_window_s"] - 1e-6:
        return True
    if wave is None or wave.box.empty or wave.stop_s < stop_s - 1e-6:
        return False
    excess = np.maximum(wave.box.values - parameters["dci.threshold_mmhg"], 0.0).sum(axis=0)
    late = wave.box.time >= stop_s - parameters["dci.tail_s"] - 1e-6
    return bool(excess[late].sum() > parameters["dci.cut_off_share"] * excess.sum())


def _wave_mask(box: Cut, latest_s: float, parameters: Parameters) -> NDArray[np.bool_]:
    """Connected regions above 20 mmHg that hold the peak run of some depth."""
    level = parameters["dci.threshold_mmhg"]
    usual = int(np.searchsorted(box.time, latest_s))
    early = np.ascontiguousarray(box.values[:, :usual])
    shortest = max(1, round(parameters["front.run_s"] / box.step_s))
    start, peak, _ = peak_run_2d(early, level, shortest)
    rows = np.flatnonzero(np.isfinite(start))
    return reached_2d(box.values >= level, rows, peak[rows])


def _end_of_wave(box: Cut, latest_s: float, parameters: Parameters) -> float:
    active = np.flatnonzero(_wave_mask(box, latest_s, parameters).any(axis=0))
    last = float(box.time[active[-1]]) if active.size else float(box.time[0])
    return last + float(parameters["dci.tail_s"])


def _reaches(box: Cut, time_s: float, parameters: Parameters) -> bool:
    column = min(int(np.searchsorted(box.time, time_s)), box.time.size - 1)
    return bool((box.values[:, column] >= parameters["dci.threshold_mmhg"]).any())


def dci(
    wave: Contraction | None, *, front: Wavefront | None, parameters: Parameters
) -> Measurement:
    """Distal contractile integral.

    Parameters
    ----------
    wave : Contraction or None
    front : Wavefront or None
        With a front, pressurization is left out (``DCI_contractile``); without,
        everything above 20 mmHg in the box counts (``DCI_box``).
    parameters : Parameters

    Returns
    -------
    Measurement [mmHg s cm]
        20 mmHg is subtracted. Detail: ``masked`` share of the samples left out.

    Notes
    -----
    SPEC section 5.1.
    """
    if wave is None:
        return Measurement.missing(LANDMARK_MISSING)
    box = wave.box
    if box.empty:
        return Measurement(0.0, detail={"masked": 0.0})
    keep = counted(box, front, parameters)
    level = parameters["dci.threshold_mmhg"]
    value = excess_2d(box.values, keep, level, box.step_cm, box.step_s)
    if not np.isfinite(value):
        return Measurement.missing(SENSOR_FAILED)
    return Measurement(float(value), detail={"masked": float(1.0 - keep.mean())})


def counted(box: Cut, front: Wavefront | None, parameters: Parameters) -> NDArray[np.bool_]:
    """Samples whose pressure counts in the distal contractile integral.

    Parameters
    ----------
    box : Cut
        Of a `Contraction`.
    front : Wavefront or None
        Without a front everything counts.
    parameters : Parameters

    Returns
    -------
    array (depth, time) of bool
    """
    keep = np.ones(box.values.shape, dtype=np.bool_)
    if front is not None:
        keep &= ~simultaneous_plateau(box, parameters)[None, :]
        keep &= ~_ahead_of_front(box, front, parameters)
    return keep


def simultaneous_plateau(box: Cut, parameters: Parameters) -> NDArray[np.bool_]:
    """Times at which the region stands under one pressure (SPEC section 5.1, case a).

    Parameters
    ----------
    box : Cut
    parameters : Parameters

    Returns
    -------
    array (time,) of bool
    """
    raised = (
        axial_share_1d(box.values, parameters["dci.threshold_mmhg"])
        >= (parameters["dci.plateau_fraction"])
    )
    sd = axial_sd_1d(box.values)
    core = keep_long_runs(
        raised & (sd < parameters["dci.plateau_sd_mmhg"]),
        round(parameters["dci.plateau_s"] / box.step_s),
    )
    # One moment of noise must not bring a plateau back: once it stands it holds to a
    # wider limit, as long as it lasts without a pause.
    return runs_that_touch(raised & (sd < parameters["dci.plateau_hold_sd_mmhg"]), core)


def keep_long_runs(mask: NDArray[np.bool_], shortest: int) -> NDArray[np.bool_]:
    """Clear the runs of True that are shorter than `shortest` samples.

    Parameters
    ----------
    mask : array (time,) of bool
    shortest : int

    Returns
    -------
    array (time,) of bool
    """
    out = mask.copy()
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.view(np.int8), [0]))))
    for a, b in edges.reshape(-1, 2):
        if b - a < shortest:
            out[a:b] = False
    return out


def runs_that_touch(mask: NDArray[np.bool_], core: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the runs of True that hold at least one True of `core`.

    Parameters
    ----------
    mask, core : array (time,) of bool

    Returns
    -------
    array (time,) of bool
    """
    out = np.zeros_like(mask)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.view(np.int8), [0]))))
    for a, b in edges.reshape(-1, 2):
        out[a:b] = core[a:b].any()
    return out


def _ahead_of_front(box: Cut, front: Wavefront, parameters: Parameters) -> NDArray[np.bool_]:
    """Samples before the front, if a plateau lies ahead of it (SPEC 5.1, case b)."""
    mask = np.zeros(box.values.shape, dtype=np.bool_)
    level = parameters["dci.threshold_mmhg"]
    shortest = round(parameters["dci.front_plateau_cm"] / box.step_cm)
    raised = front.level_mmhg > parameters["front.level_mmhg"]
    if not raised and not keep_long_runs(front.plateau >= level, shortest).any():
        return mask
    arrival = np.interp(box.depth, front.depth, front.arrival, left=np.nan, right=np.nan)
    limit = arrival - parameters["dci.front_margin_s"]
    # A comparison with NaN is false: where there is no front nothing is masked.
    return np.asarray(box.time[None, :] < limit[:, None])


def longest_break(
    field: Field,
    *,
    onset_s: float,
    wave: Contraction | None,
    ues_lower_cm: float,
    les_upper_cm: float,
    parameters: Parameters,
) -> Measurement:
    """Length of the longest gap in the 20 mmHg contour between UES and LES.

    Parameters
    ----------
    field : DataArray or Cut (depth, time) [mmHg]
    onset_s : float [s]
    wave : Contraction or None
    ues_lower_cm, les_upper_cm : float [cm]
    parameters : Parameters

    Returns
    -------
    Measurement [cm]
        Detail: ``from_cm`` and ``to_cm`` of the gap, and ``gaps_cm`` of all gaps.

    Notes
    -----
    SPEC section 5.3; GYA21 for the contour.
    """
    if wave is None or not known(ues_lower_cm, les_upper_cm):
        return Measurement.missing(LANDMARK_MISSING)
    box = cut(field, ues_lower_cm, les_upper_cm, onset_s, wave.stop_s)
    if box.empty:
        return Measurement.missing(LANDMARK_MISSING)
    if not np.isfinite(box.values).all():
        return Measurement.missing(SENSOR_FAILED)
    covered = _wave_mask(box, wave.stop_s, parameters).any(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate(([1], covered.view(np.int8), [1]))))
    if edges.size == 0:
        return Measurement(0.0)
    # A gap runs between the last covered grid line above it and the first below.
    spans = [
        (float(box.depth[max(a - 1, 0)]), float(box.depth[min(b, box.depth.size - 1)]))
        for a, b in edges.reshape(-1, 2)
    ]
    top, bottom = max(spans, key=lambda span: span[1] - span[0])
    return Measurement(bottom - top, detail={"from_cm": top, "to_cm": bottom, "gaps_cm": spans})
