"""The contractile wavefront, the transition zone and the deceleration point."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.kernels.contour import peak_run_2d
from hrm.kernels.hinge import hinge_fits_1d
from hrm.kernels.plateau import plateau_ahead_2d
from hrm.metrics._base import NO_WAVEFRONT, Cut, Field, Measurement, cut, known


@dataclass(frozen=True)
class Wavefront:
    """When the contraction arrives at each depth.

    Attributes
    ----------
    depth : array (depth,) [cm]
    arrival : array (depth,) [s]
        NaN where the contraction does not reach the level.
    level_mmhg : float
        Isobaric contour the front was read on; above 30 mmHg where intrabolus
        pressure would hide the front.
    plateau : array (depth,) [mmHg]
        Pressure ahead of the front where it is a plateau, else NaN.
    """

    depth: NDArray[np.float64]
    arrival: NDArray[np.float64]
    level_mmhg: float
    plateau: NDArray[np.float64]


@dataclass(frozen=True)
class DecelerationPoint:
    """Contractile deceleration point: where, when and by which rule.

    `fit` are time at the surface [s], slope above the knot and change of slope at it
    [s/cm] of the fit of two lines, if it was accepted; `rows_cm` is the stretch of the
    front whose median time a fallback takes.
    """

    depth_cm: float
    time_s: float
    method: str
    speed_cm_s: float
    break_cm: float = math.nan
    fit: tuple[float, ...] = ()
    rows_cm: tuple[float, float] = (math.nan, math.nan)


def transition_zone(
    field: Field,
    *,
    onset_s: float,
    stop_s: float,
    ues_lower_cm: float,
    les_upper_cm: float,
    parameters: Parameters,
) -> float:
    """Depth of the trough between the striated and the smooth muscle contraction.

    Parameters
    ----------
    field : DataArray or Cut (depth, time) [mmHg]
    onset_s, stop_s : float [s]
    ues_lower_cm, les_upper_cm : float [cm]
    parameters : Parameters

    Returns
    -------
    float [cm]
        Where the greatest pressure along the corridor is least, between 2 cm below
        the UES and half of the body; the most caudal of equals (SPEC section 2.7).

    Notes
    -----
    Least at the upper end of the search is the flank of the striated contraction, no
    trough. Where the pressure falls below the front's level again after a peak that stands
    out by as much as one of several peaks must, that is the trough.
    """
    if not known(ues_lower_cm, les_upper_cm):
        return math.nan
    start, stop = corridor(onset_s, stop_s, parameters)
    body = les_upper_cm - ues_lower_cm
    box = cut(
        field,
        ues_lower_cm + parameters["tz.below_ues_cm"],
        ues_lower_cm + parameters["tz.body_fraction"] * body,
        start,
        stop,
    )
    if box.empty:
        return math.nan
    greatest = box.values.max(axis=1)
    least = greatest.size - 1 - int(np.argmin(greatest[::-1]))
    return float(box.depth[least or _trough_after_peak(greatest, parameters)])


def _trough_after_peak(greatest: NDArray[np.float32], parameters: Parameters) -> int:
    """Row of the trough below the first peak; 0 where there is none."""
    depth_mmhg = parameters["peaks.prominence_mmhg"]
    # A peak is one as soon as the pressure has fallen from it by the prominence.
    fallen = np.maximum.accumulate(greatest) - greatest >= depth_mmhg
    if not fallen.any():
        return 0
    below = int(np.argmax(fallen))
    trough = greatest.size - 1 - int(np.argmin(greatest[below:][::-1]))
    return trough if greatest[trough] < parameters["front.level_mmhg"] else 0


def corridor(onset_s: float, stop_s: float, parameters: Parameters) -> tuple[float, float]:
    """Time in which the contraction of a swallow is looked for [s]."""
    return onset_s + parameters["dci.start_s"], min(onset_s + parameters["dci.window_s"], stop_s)


def wavefront(
    field: Field,
    *,
    onset_s: float,
    stop_s: float,
    top_cm: float,
    bottom_cm: float,
    parameters: Parameters,
    level_mmhg: float = math.nan,
) -> Wavefront:
    """Follow the front of the contraction down the esophagus.

    Parameters
    ----------
    field : DataArray or Cut (depth, time) [mmHg]
    onset_s, stop_s : float [s]
    top_cm, bottom_cm : float [cm]
        Transition zone and proximal LES border.
    parameters : Parameters
    level_mmhg : float [mmHg], optional
        A reader's, which is not raised.

    Returns
    -------
    Wavefront
        At each depth the start of the run above the level that holds the local
        peak. The level is raised above a plateau of intrabolus pressure where
        that plateau would be taken for the front (SPEC section 2.8, steps 1-2).
    """
    box = cut(field, top_cm, bottom_cm, *corridor(onset_s, stop_s, parameters))
    own = math.isfinite(level_mmhg)
    level = level_mmhg if own else float(parameters["front.level_mmhg"])
    if box.empty:
        empty = np.full(box.depth.size, np.nan)
        return Wavefront(box.depth, empty, level, empty)
    front = _front_at(box, level, parameters)
    if own:
        return front
    for _ in range(parameters["front.raises"]):
        merged = _merged_plateau(box, front, parameters)
        ahead = np.fmax(front.plateau, merged)
        hidden = ahead >= parameters["front.plateau_mmhg"]
        if not np.mean(hidden) > parameters["front.plateau_share"]:
            break
        level = math.ceil((float(np.quantile(ahead[hidden], 0.95)) + 5.0) / 5.0) * 5.0
        raised = _front_at(box, level, parameters)
        # Above a plateau without a contraction there is no front left to follow.
        if np.isfinite(raised.arrival).sum() < 0.5 * np.isfinite(front.arrival).sum():
            break
        front = raised
    return front


def _front_at(box: Cut, level: float, parameters: Parameters) -> Wavefront:
    shortest = max(1, round(parameters["front.run_s"] / box.step_s))
    start, _, _ = peak_run_2d(box.values, level, shortest)
    arrival = box.time[0] + start * box.step_s
    return Wavefront(box.depth, arrival, level, _plateau_ahead(box, arrival, parameters))


def _plateau_ahead(
    box: Cut, arrival: NDArray[np.float64], parameters: Parameters
) -> NDArray[np.float64]:
    """Median pressure in the half second before the front, where it hardly rises.

    Read in the centimeter below only: where the front is slow, what lies above has
    contracted already and is no plateau. A slow contraction rises more than
    ``front.plateau_halves_mmhg``; a ramp of bolus pressure less.
    """
    below = max(1, round(parameters["front.plateau_half_cm"] / box.step_cm))
    length, rise = parameters["front.plateau_s"], parameters["front.plateau_halves_mmhg"]
    return plateau_ahead_2d(box.values, box.time, arrival, length, below, rise)


def _merged_plateau(box: Cut, front: Wavefront, parameters: Parameters) -> NDArray[np.float64]:
    """Pressure of a plateau that already lies above the level, before a later peak.

    The run that holds the peak then starts with the plateau, not with the
    contraction. It shows in this: over some length the contour is crossed at one
    time, while the peaks travel. In a rapid contraction both are at one time, and in
    one with several peaks both travel.
    """
    out = np.full(box.depth.size, np.nan)
    half = max(1, round(parameters["front.plateau_half_cm"] / box.step_cm))
    shortest = round(parameters["dci.front_plateau_cm"] / box.step_cm)
    peak = np.argmax(box.values, axis=1)
    for a, b in _at_once(front.arrival, half, box.step_cm, parameters):
        if b - a < shortest:
            continue
        slope = float(np.polyfit(box.depth[a:b], box.time[peak[a:b]], 1)[0])
        if slope < parameters["front.peak_s_per_cm"]:
            continue
        for i in range(a, b):
            first = int(
                np.searchsorted(box.time, front.arrival[i] + parameters["dci.front_margin_s"])
            )
            last = first + max(2, round(parameters["front.plateau_s"] / box.step_s))
            height = (
                float(np.median(box.values[i, first:last])) if first < box.time.size else np.nan
            )
            if height <= float(box.values[i, peak[i]]) - parameters["front.plateau_gap_mmhg"]:
                out[i] = height
    return out


def _at_once(
    arrival: NDArray[np.float64], half: int, step_cm: float, parameters: Parameters
) -> NDArray[np.int64]:
    """Start and stop of the rows over which the contour is crossed at one time."""
    n = arrival.size
    rows = np.arange(n)
    low, high = np.maximum(rows - half, 0), np.minimum(rows + half, n - 1)
    spread = np.abs(arrival[high] - arrival[low]) / np.maximum((high - low) * step_cm, step_cm)
    # A comparison with NaN is false: a row without a front is in no stretch.
    together = (spread <= parameters["front.at_once_s_per_cm"]) & np.isfinite(arrival)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], together.view(np.int8), [0]))))
    return edges.reshape(-1, 2)


def deceleration_point(
    front: Wavefront,
    *,
    les_upper_cm: float,
    atypical: bool,
    parameters: Parameters,
) -> DecelerationPoint | None:
    """Find where the front slows.

    Parameters
    ----------
    front : Wavefront
    les_upper_cm : float [cm]
    atypical : bool
        A large break or panesophageal pressurization: the point is then kept
        within 3 cm of the LES.
    parameters : Parameters

    Returns
    -------
    DecelerationPoint or None
        Method ``two_segment``, ``clamped3cm`` or ``fallback3cm``; None when the
        front cannot be placed (SPEC section 2.8, steps 3-6).
    """
    usable = np.isfinite(front.arrival)
    z, t = front.depth[usable], front.arrival[usable]
    limit = les_upper_cm - parameters["cdp.fallback_cm"]
    if z.size < 10 or np.ptp(z) < parameters["cdp.shortest_front_cm"]:
        return _fallback(z, t, limit, parameters)
    fit = _two_segments(z, t, les_upper_cm, parameters)
    if fit is None:
        return _fallback(z, t, limit, parameters)
    knot, coefficients = fit
    clamp = parameters["cdp.clamp"]
    if knot < limit and (clamp == "always" or (clamp == "atypical" and atypical)):
        when = float((_hinge(np.array([limit]), knot) @ coefficients)[0])
        speed = 1.0 / coefficients[1]
        return DecelerationPoint(limit, when, "clamped3cm", speed, knot, tuple(coefficients))
    when = float(coefficients[0] + coefficients[1] * knot)
    speed = 1.0 / coefficients[1]
    return DecelerationPoint(knot, when, "two_segment", speed, knot, tuple(coefficients))


def _hinge(z: NDArray[np.float64], knot: float) -> NDArray[np.float64]:
    return np.column_stack([np.ones_like(z), z, np.maximum(z - knot, 0.0)])


def _two_segments(
    z: NDArray[np.float64], t: NDArray[np.float64], les_upper_cm: float, parameters: Parameters
) -> tuple[float, NDArray[np.float64]] | None:
    """Continuous two-segment fit; None unless it slows and clearly beats one line."""
    first = les_upper_cm - parameters["cdp.search_up_cm"]
    last = les_upper_cm - parameters["cdp.search_down_cm"]
    knots = z[(z >= first - 1e-6) & (z <= last + 1e-6)]
    knots = knots[(knots > z[1]) & (knots < z[-2])]
    line = np.column_stack([np.ones_like(z), z])
    one = float(np.sum((t - line @ np.linalg.lstsq(line, t, rcond=None)[0]) ** 2))
    if one <= z.size * parameters["cdp.resolution_s"] ** 2:
        # Straight to within the reading of a time: nothing to improve on.
        return None
    if knots.size == 0:
        return None
    errors, fits = hinge_fits_1d(z, t, knots)
    best = int(np.argmin(errors))
    if not errors[best] <= (1.0 - parameters["cdp.improvement"]) * one:
        return None
    if knots[best] <= knots[0] + 1e-6 and knots[0] <= first + 1.5 * (z[1] - z[0]):
        # The best knot is where the search was cut off: that is no inflection.
        return None
    slowing = fits[best, 2] > 0.0 and fits[best, 1] > 0.0
    return (float(knots[best]), fits[best]) if slowing else None


def _fallback(
    z: NDArray[np.float64], t: NDArray[np.float64], limit_cm: float, parameters: Parameters
) -> DecelerationPoint | None:
    if z.size == 0:
        return None
    nearest = int(np.argmin(np.abs(z - limit_cm)))
    if abs(z[nearest] - limit_cm) > parameters["cdp.fallback_tolerance_cm"]:
        return None
    around = np.abs(z - z[nearest]) <= 0.3
    when = float(np.median(t[around]))
    rows = (float(z[around][0]), float(z[around][-1]))
    return DecelerationPoint(float(z[nearest]), when, "fallback3cm", math.nan, rows_cm=rows)


def point_at(front: Wavefront, depth_cm: float, parameters: Parameters) -> DecelerationPoint | None:
    """Read the time of the front at a depth that a reader chose.

    Parameters
    ----------
    front : Wavefront
    depth_cm : float [cm]
    parameters : Parameters

    Returns
    -------
    DecelerationPoint or None
        Method ``reader``; None where no front passes nearby.
    """
    usable = np.isfinite(front.arrival)
    z, t = front.depth[usable], front.arrival[usable]
    if z.size == 0 or np.abs(z - depth_cm).min() > parameters["cdp.fallback_tolerance_cm"]:
        return None
    return DecelerationPoint(depth_cm, float(np.interp(depth_cm, z, t)), "reader", math.nan)


def distal_latency(onset_s: float, point: DecelerationPoint | None) -> Measurement:
    """Time from onset to the contractile deceleration point.

    Parameters
    ----------
    onset_s : float [s]
    point : DecelerationPoint or None

    Returns
    -------
    Measurement [s]
        SPEC section 5.4.
    """
    if point is None:
        return Measurement.missing(NO_WAVEFRONT)
    detail = {"cdp_cm": point.depth_cm, "cdp_s": point.time_s, "method": point.method}
    return Measurement(point.time_s - onset_s, detail=detail)
