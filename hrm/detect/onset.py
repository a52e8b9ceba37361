"""Onset of the deglutitive UES relaxation: clock zero of every swallow metric."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.detect._signal import crossing
from hrm.detect.profile import Sphincter
from hrm.detect.swallows import Candidate


@dataclass(frozen=True, eq=False)
class Fall:
    """What an onset by relaxation was read from.

    Attributes
    ----------
    time : array (time,) [s]
    sleeve : array (time,) [mmHg]
    level_mmhg, base_mmhg : float [mmHg]
    base_s : tuple of float [s]
        Start and end of the base.
    """

    time: NDArray[np.float64]
    sleeve: NDArray[np.float64]
    level_mmhg: float
    base_mmhg: float
    base_s: tuple[float, float]


@dataclass(frozen=True)
class Onset:
    """When a swallow starts, and by which rule (``ues_relaxation``, ``pharyngeal_wave``)."""

    time_s: float
    method: str
    trace: Fall | None = None


def date_onset(
    field: xr.DataArray, candidate: Candidate, ues: Sphincter | None, parameters: Parameters
) -> Onset:
    """Date the onset of one swallow.

    Parameters
    ----------
    field : DataArray (depth, time) [mmHg]
        Depth-interpolated pressure from 5 s before the candidate to 2 s after.
    candidate : Candidate
    ues : Sphincter or None
    parameters : Parameters

    Returns
    -------
    Onset
        The last time before the nadir at which the UES sleeve falls through half
        of its base (at most 35 mmHg); without a base of 20 mmHg, 0.2 s before the
        pharyngeal wave (SPEC section 2.6).
    """
    lead = parameters["onset.pharyngeal_lead_s"] if candidate.arrival_s else 0.0
    by_wave = Onset(candidate.time_s - lead, "pharyngeal_wave" if lead else "ues_relaxation")
    if ues is None:
        return by_wave
    time = field["time"].values
    sleeve = ues_sleeve(field, candidate, ues, parameters, foot_in_sphincter=True)
    base_stop = candidate.time_s - parameters["onset.base_gap_s"]
    before = (time >= base_stop - parameters["onset.base_s"]) & (time < base_stop)
    # A base cut short by the start of the recording is no base.
    if before.sum() * (time[1] - time[0]) < 0.5 * parameters["onset.base_s"]:
        return by_wave
    base = float(np.nanmedian(sleeve[before]))
    if not base >= parameters["onset.base_minimum_mmhg"]:
        return by_wave
    level = min(parameters["onset.fall_fraction"] * base, parameters["onset.fall_cap_mmhg"])
    fall = _last_fall(sleeve, time, level, candidate.time_s)
    seen = sleeve
    if fall is None:
        # A relaxation that only just precedes the wave shows up to the wave itself.
        seen = ues_sleeve(field, candidate, ues, parameters)
        fall = _last_fall(seen, time, level, candidate.time_s)
    if fall is None:
        return by_wave
    span = (float(base_stop - parameters["onset.base_s"]), float(base_stop))
    return Onset(fall, "ues_relaxation", Fall(time, seen, level, base, span))


def ues_sleeve(
    field: xr.DataArray,
    candidate: Candidate,
    ues: Sphincter,
    parameters: Parameters,
    *,
    foot_in_sphincter: bool = False,
) -> NDArray[np.float64]:
    """Greatest pressure over the UES sleeve, cut where the pharyngeal wave has arrived.

    Parameters
    ----------
    field : DataArray (depth, time) [mmHg]
    candidate : Candidate
    ues : Sphincter
    parameters : Parameters
    foot_in_sphincter : bool
        Cut the foot of the wave, below 30 mmHg, out of the sphincter too and not
        only out of the pharynx.

    Returns
    -------
    array (time,) [mmHg]
        NaN once the wave has passed the whole sleeve (SPEC section 2.5).
    """
    depth, time = field["depth"].values, field["time"].values
    rows = (depth >= ues.upper_cm - parameters["ues.sleeve_up_cm"]) & (
        depth <= ues.lower_cm + parameters["ues.sleeve_down_cm"]
    )
    values = field.values[rows].astype(np.float64)
    arrival = _arrival(depth[rows], candidate, parameters)
    # The foot of the wave would hide the relaxation before the wave counts as arrived.
    foot = (depth[rows] < ues.upper_cm) | foot_in_sphincter
    arrival[foot] -= parameters["onset.wave_foot_s"]
    values[time[None, :] >= arrival[:, None]] = -np.inf
    # Once the wave is in the sphincter, what is left of the sleeve is esophagus.
    values[:, time >= float(np.interp(ues.peak_cm, depth[rows], arrival))] = -np.inf
    sleeve = values.max(axis=0) if values.size else np.full(time.size, -np.inf)
    return np.where(np.isfinite(sleeve), sleeve, np.nan)


def _arrival(
    depth: NDArray[np.float64], candidate: Candidate, parameters: Parameters
) -> NDArray[np.float64]:
    """Time at which the pharyngeal wave reaches each depth of the sleeve."""
    if not candidate.arrival_s:
        return np.full(depth.size, np.inf)
    where = np.array([place for place, _ in candidate.arrival_s])
    when = np.array([moment for _, moment in candidate.arrival_s])
    slope = 1.0 / parameters["onset.wave_speed_cm_s"]
    if np.ptp(where) >= 1.0:
        slope = float(np.clip(np.polyfit(where, when, 1)[0], 0.0, 0.2))
    low = int(np.argmax(where))
    arrival = when[low] + slope * (depth - where[low])
    above = depth < where[low]
    arrival[above] = np.interp(depth[above], where[np.argsort(where)], when[np.argsort(where)])
    return np.asarray(arrival)


def _last_fall(
    sleeve: NDArray[np.float64], time: NDArray[np.float64], level: float, about_s: float
) -> float | None:
    """Last downward crossing of `level` before the nadir near `about_s`."""
    near = np.flatnonzero((time >= about_s - 1.0) & (time <= about_s + 1.0) & np.isfinite(sleeve))
    if near.size == 0:
        return None
    nadir = int(near[np.argmin(sleeve[near])])
    if not sleeve[nadir] < level:
        return None
    for k in range(nadir, 0, -1):
        if sleeve[k - 1] >= level > sleeve[k]:
            step = float(time[1] - time[0])
            return crossing(float(sleeve[k - 1]), float(sleeve[k]), level, float(time[k - 1]), step)
    return None
