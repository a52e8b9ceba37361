"""What is no swallow, or spoils one: belches, a catheter that moved or did not cross the EGJ.

Coughs are found with the swallows (`hrm.detect.swallows.find_coughs`). Talking and
retching are not looked for: the specification gives no rule for them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.detect._signal import during, row_medians
from hrm.detect.baseline import Baseline
from hrm.detect.landmarks import Landmarks
from hrm.detect.profile import Sphincter
from hrm.detect.response import all_rose, rise_before
from hrm.detect.swallows import ues_falls

_STEP_CM = 0.1


def find_belches(pressure: xr.DataArray, marks: Landmarks, parameters: Parameters) -> list[float]:
    """Find belches: the UES opens on a common cavity, and no pharyngeal wave follows.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg], coord ``depth`` [cm]
        Usable sensors only.
    marks : Landmarks
        Resting landmarks; without UES, LES or gastric sensors nothing can be told.
    parameters : Parameters

    Returns
    -------
    list of float [s]
        When the UES opens (SPEC section 11). Empty also where no sensor lies in the
        pharynx, since a swallow could not be told from a belch then.
    """
    depth = pressure["depth"].values
    pharynx = depth < marks.ues_upper_cm
    body = (depth > marks.ues_lower_cm + 1.0) & (depth < marks.les_upper_cm - 1.0)
    gastric = np.isin(depth, marks.gastric_sensors_cm)
    seen = "ues_upper_cm" not in marks.status
    if not (seen and pharynx.any() and body.sum() >= 3 and gastric.any()):
        return []
    middle = 0.5 * (marks.ues_upper_cm + marks.ues_lower_cm)
    zone = Sphincter(marks.ues_upper_cm, middle, marks.ues_lower_cm, math.nan)
    found: list[float] = []
    for fall in ues_falls(pressure, zone, parameters):
        if found and fall - found[-1] < parameters["detect.refractory_s"]:
            continue
        if _common_cavity(pressure, body, gastric, fall, parameters) and not _wave(
            pressure, pharynx, fall, parameters
        ):
            found.append(fall)
    return found


def _common_cavity(
    pressure: xr.DataArray,
    body: NDArray[np.bool_],
    gastric: NDArray[np.bool_],
    fall_s: float,
    parameters: Parameters,
) -> bool:
    """Whether the esophagus rose to gastric pressure, all of it at once, before `fall_s`."""
    found = rise_before(pressure, body, fall_s, parameters)
    if found is None:
        return False
    within, rise = found
    esophagus = float(np.median(np.median(within[body], axis=1)))
    near = abs(esophagus - float(np.median(within[gastric]))) <= parameters["artefact.cavity_mmhg"]
    return near and all_rose(rise, parameters)


def _wave(
    pressure: xr.DataArray, pharynx: NDArray[np.bool_], fall_s: float, parameters: Parameters
) -> bool:
    time = pressure["time"].values
    near = during(time, fall_s - 1.0, fall_s + parameters["detect.merge_s"], last=True)
    peaks = pressure.values[:, near][pharynx].max(axis=1)
    rest = row_medians(pressure.values[pharynx]).astype(np.float32)
    level = np.maximum(
        parameters["onset.pharyngeal_mmhg"], rest + parameters["detect.pulse_rise_mmhg"]
    )
    return bool((peaks >= level).any())


def catheter_shifts(
    pressure: xr.DataArray,
    marks: Landmarks,
    baseline: Baseline | None,
    onsets: Sequence[float],
    parameters: Parameters,
) -> list[float]:
    """Say how far the catheter lies from where it was in the baseline, before each swallow.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg], coord ``depth`` [cm]
        Usable sensors only.
    marks : Landmarks
        Of the baseline.
    baseline : Baseline or None
    onsets : sequence of float [s]
    parameters : Parameters

    Returns
    -------
    list of float [cm]
        Positive where the catheter moved down, so that the sphincters lie at smaller
        depths on it. NaN where it cannot be told: both sphincters must be seen to move
        together, since each of them alone can rise or lose its tone (SPEC section 7).
    """
    unknown = [math.nan] * len(onsets)
    borders = (marks.ues_upper_cm, marks.ues_lower_cm, marks.les_upper_cm, marks.les_lower_cm)
    if baseline is None or not all(math.isfinite(border) for border in borders):
        return unknown
    time, depth = pressure["time"].values, pressure["depth"].values
    rest = np.median(pressure.values[:, baseline.quiet].astype(np.float64), axis=1)
    zones = (borders[:2], borders[2:])
    out = []
    for onset in onsets:
        stop = onset - parameters["baseline.before_swallow_s"]
        ends = np.searchsorted(time, [stop - parameters["artefact.shift_window_s"], stop])
        window = pressure.values[:, slice(*ends)]
        if not window.size:
            out.append(math.nan)
            continue
        now = np.median(window.astype(np.float64), axis=1)
        moves = [_move(depth, rest, now, zone, parameters) for zone in zones]
        together = max(moves) - min(moves) <= parameters["artefact.shift_cm"]
        out.append(-float(np.mean(moves)) if together else math.nan)
    return out


def _move(
    depth: NDArray[np.float64],
    rest: NDArray[np.float64],
    now: NDArray[np.float64],
    zone: tuple[float, float],
    parameters: Parameters,
) -> float:
    """How far a sphincter lies below its resting place [cm]; NaN if it does not stand out.

    The profile around it is moved until it fits best, level and height left free, and the
    fit must be far better than without a move.
    """
    reach = parameters["artefact.shift_search_cm"]
    around = np.arange(zone[0] - 1.0, zone[1] + 1.0, _STEP_CM)
    wanted = np.interp(around, depth, rest)
    if np.ptp(wanted) < parameters["ues.tone_mmhg"]:
        return math.nan
    moves = np.arange(-reach, reach + 0.5 * _STEP_CM, _STEP_CM)
    left = np.array([_misfit(wanted, np.interp(around + move, depth, now)) for move in moves])
    best = int(np.argmin(left))
    if best in (0, moves.size - 1):
        return math.nan
    at_home = left[int(np.argmin(np.abs(moves)))]
    if not left[best] <= parameters["artefact.shift_gain"] * at_home:
        return 0.0
    return float(moves[best])


def _misfit(wanted: NDArray[np.float64], seen: NDArray[np.float64]) -> float:
    """Share of a profile that another one does not explain, up to level and (positive) height."""
    a, b = wanted - wanted.mean(), seen - seen.mean()
    power = float(a @ a) * float(b @ b)
    fit = float(a @ b)
    return 1.0 - fit * fit / power if power > 0 and fit > 0 else 1.0


def egj_crossed(marks: Landmarks, baseline: Baseline | None) -> bool | None:
    """Whether the catheter passes the EGJ.

    Parameters
    ----------
    marks : Landmarks
    baseline : Baseline or None

    Returns
    -------
    bool or None
        False with neither a pressure inversion point nor a gastric sensor (SPEC section
        4); None without a baseline, in which neither could be seen.
    """
    if baseline is None:
        return None
    return bool(math.isfinite(marks.pressure_inversion_point_cm) or marks.gastric_sensors_cm)


def why_spoiled(
    onset_s: float, belches: Sequence[float], shift_cm: float, parameters: Parameters
) -> str:
    """Give the artefact for which a swallow leaves the denominators; empty if there is none.

    Parameters
    ----------
    onset_s : float [s]
    belches : sequence of float [s]
    shift_cm : float [cm]
        From the place of the landmarks; NaN where unknown.
    parameters : Parameters

    Returns
    -------
    str
        SPEC section 7.
    """
    if any(onset_s - 1.0 <= at <= onset_s + parameters["irp.window_s"] for at in belches):
        return "belch"
    return "catheter_shift" if abs(shift_cm) > parameters["artefact.shift_cm"] else ""
