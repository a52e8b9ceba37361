"""From pressure to a proposal: swallows, baseline and resting landmarks of one study."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.detect.baseline import Baseline, Respiration, contraction_ends, find_baseline
from hrm.detect.landmarks import Landmarks, find_egj, rough_les
from hrm.detect.onset import Onset, date_onset
from hrm.detect.profile import Sphincter, find_ues
from hrm.detect.swallows import Candidate, find_candidates, find_coughs, unanswered_falls
from hrm.kernels.interpolate import depth_grid, interpolate_2d


@dataclass(frozen=True)
class Proposal:
    """What was found in a recording before anything is measured.

    Attributes
    ----------
    onsets : tuple of Onset
        In order of time.
    coughs : tuple of float [s]
    landmarks : Landmarks
    baseline : Baseline or None
    breathing : Respiration or None
    unanswered_s : tuple of float [s]
        Falls of the UES that were not taken for a swallow.
    waves : int
        Swallows with a pharyngeal wave.
    """

    onsets: tuple[Onset, ...]
    coughs: tuple[float, ...]
    landmarks: Landmarks
    baseline: Baseline | None
    breathing: Respiration | None
    unanswered_s: tuple[float, ...] = ()
    waves: int = 0


def propose(
    pressure: xr.DataArray,
    *,
    hints: Sequence[float],
    stated: Sequence[float],
    parameters: Parameters,
) -> Proposal:
    """Find the swallows and the resting landmarks.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg], coord ``depth`` [cm]
        Usable sensors only.
    hints : sequence of float [s]
        Operator markers.
    stated : sequence of float [s]
        Onsets that the user gave; one that no detected swallow matches is kept as
        it is, with method ``stated``.
    parameters : Parameters

    Returns
    -------
    Proposal
    """
    pressure = _bridged(pressure)
    ues = find_ues(pressure, parameters)
    coughs = find_coughs(pressure, parameters)
    candidates = find_candidates(
        pressure, ues, coughs=coughs, hints=[*hints, *stated], parameters=parameters
    )
    below = ues is None and _are_esophageal(candidates, parameters)
    if below:
        candidates = []
    onsets = _date_all(pressure, candidates, ues, parameters)
    onsets = _with_stated(onsets, stated, parameters["swallows.match_s"])
    zone = ues if ues is not None else _ues_from_waves(candidates, parameters)
    depth = pressure["depth"].values
    top = _search_top(depth, zone if ues is not None else None, parameters)
    body = _body_sensors(pressure, zone, top)
    times = [onset.time_s for onset in onsets]
    unanswered = _unanswered(pressure, ues, times, coughs, parameters)
    waves = sum(bool(candidate.arrival_s) for candidate in candidates)
    ends = contraction_ends(pressure, times, body, parameters)
    baseline = find_baseline(pressure, times, ends, body, parameters)
    if baseline is None:
        marks = Landmarks(status={"baseline": "no_baseline"})
        marks = _with_ues(marks, zone, ues, below=below)
        return Proposal(tuple(onsets), tuple(coughs), marks, None, None, unanswered, waves)
    marks, breathing = find_egj(pressure, baseline, top_cm=top, onsets=times, parameters=parameters)
    marks = _with_ues(marks, zone, ues, below=below)
    return Proposal(tuple(onsets), tuple(coughs), marks, baseline, breathing, unanswered, waves)


def _unanswered(
    pressure: xr.DataArray,
    ues: Sphincter | None,
    times: Sequence[float],
    coughs: Sequence[float],
    parameters: Parameters,
) -> tuple[float, ...]:
    if ues is None:
        return ()
    return tuple(unanswered_falls(pressure, ues, times, coughs, parameters))


def markers(events: xr.Dataset) -> list[float]:
    """Times of the operator's markers [s]."""
    chosen = events["label"].values == "marker"
    return [float(onset) for onset in events["onset"].values[chosen]]


def _bridged(pressure: xr.DataArray) -> xr.DataArray:
    """Pressure for detection: gaps in time are bridged so that they are no event."""
    values = pressure.values.copy()
    for row in values:
        missing = np.isnan(row)
        if missing.any():
            where = np.flatnonzero(~missing)
            row[missing] = np.interp(np.flatnonzero(missing), where, row[where])
    return pressure.copy(data=values)


def _date_all(
    pressure: xr.DataArray,
    candidates: Sequence[Candidate],
    ues: Sphincter | None,
    parameters: Parameters,
) -> list[Onset]:
    depth = np.asarray(pressure["depth"].values, dtype=np.float64)
    grid = depth_grid(depth, parameters["interpolation.step_cm"])
    if ues is not None:
        grid = grid[
            (grid >= ues.upper_cm - parameters["ues.sleeve_up_cm"])
            & (grid <= ues.lower_cm + parameters["ues.sleeve_down_cm"])
        ]
    time = pressure["time"].values
    onsets = []
    for candidate in candidates:
        inside = slice(*np.searchsorted(time, [candidate.time_s - 5.0, candidate.time_s + 2.0]))
        values = interpolate_2d(
            pressure.values[:, inside], depth, grid, parameters["interpolation.kernel"]
        )
        field = xr.DataArray(
            values, dims=("depth", "time"), coords={"depth": grid, "time": time[inside]}
        )
        onsets.append(date_onset(field, candidate, ues, parameters))
    return sorted(onsets, key=lambda onset: onset.time_s)


def _with_stated(onsets: Sequence[Onset], stated: Sequence[float], within_s: float) -> list[Onset]:
    extra = [
        Onset(time, "stated")
        for time in stated
        if not any(abs(onset.time_s - time) <= within_s for onset in onsets)
    ]
    return sorted([*onsets, *extra], key=lambda onset: onset.time_s)


def _ues_from_waves(candidates: Sequence[Candidate], parameters: Parameters) -> Sphincter | None:
    """Place an upper sphincter without tone just below the pharyngeal wave."""
    lowest = [max(place for place, _ in c.arrival_s) for c in candidates if c.arrival_s]
    if not lowest:
        return None
    upper = float(np.median(lowest))
    length = parameters["ues.assumed_length_cm"]
    return Sphincter(upper, upper + 0.5 * length, upper + length, math.nan)


def _search_top(depth: NDArray[np.float64], ues: Sphincter | None, parameters: Parameters) -> float:
    if ues is not None:
        return ues.lower_cm + float(parameters["les.search_below_ues_cm"])
    return float(depth[0] + parameters["les.search_fraction"] * (depth[-1] - depth[0]))


def _body_sensors(
    pressure: xr.DataArray, ues: Sphincter | None, top_cm: float
) -> NDArray[np.bool_]:
    depth = pressure["depth"].values
    everything = np.ones(pressure.sizes["time"], dtype=np.bool_)
    les = rough_les(pressure, top_cm, everything)
    bottom = les if math.isfinite(les) else float(depth[-1])
    start = ues.lower_cm + 2.0 if ues is not None else float(depth[0]) + 8.0
    return np.asarray((depth >= start) & (depth <= bottom - 2.5))


def _are_esophageal(candidates: Sequence[Candidate], parameters: Parameters) -> bool:
    """Whether the waves at the top are as slow as peristalsis: the catheter starts below the UES.

    Their time is not that of the swallow, which would make a latency too short.
    """
    arrivals = [c.arrival_s for c in candidates if len(c.arrival_s) > 1]
    slopes = [(a[-1][1] - a[0][1]) / (a[-1][0] - a[0][0]) for a in arrivals]
    return bool(slopes) and statistics.median(slopes) > parameters["ues.wave_slowest_s_per_cm"]


def _with_ues(
    marks: Landmarks, zone: Sphincter | None, seen: Sphincter | None, *, below: bool
) -> Landmarks:
    status = dict(marks.status)
    if zone is None:
        why = "catheter_starts_below_ues" if below else "no_ues_tone"
        status["ues_upper_cm"] = status["ues_lower_cm"] = why
        return replace(marks, status=status)
    if seen is None:
        status["ues_upper_cm"] = status["ues_lower_cm"] = "estimated_from_pharyngeal_wave"
    return replace(marks, ues_upper_cm=zone.upper_cm, ues_lower_cm=zone.lower_cm, status=status)


def named_landmarks(
    marks: Landmarks, zones: Sequence[float]
) -> tuple[dict[str, float], dict[str, str]]:
    """Give the resting landmarks by their names in the contract.

    Parameters
    ----------
    marks : Landmarks
    zones : sequence of float [cm]
        Transition zones of the swallows that contract; NaN where unknown.

    Returns
    -------
    dict
        Values [cm, mmHg].
    dict
        The reason of each value that is missing, and remarks.
    """
    known = [zone for zone in zones if math.isfinite(zone)]
    zone = statistics.median(known) if known else math.nan
    values = {
        "ues_upper_cm": marks.ues_upper_cm,
        "ues_lower_cm": marks.ues_lower_cm,
        # A reader's holds for all swallows, whether they contract or not.
        "transition_zone_cm": zone
        if math.isnan(marks.transition_zone_cm)
        else marks.transition_zone_cm,
        "les_upper_cm": marks.les_upper_cm,
        "les_lower_cm": marks.les_lower_cm,
        "crural_diaphragm_cm": marks.crural_diaphragm_cm,
        "pressure_inversion_point_cm": marks.pressure_inversion_point_cm,
        "gastric_reference_mmhg": marks.gastric_reference_mmhg,
    }
    status = dict(marks.status)
    # The reason of the junction as a whole stands for each of its parts.
    whole = status.get("les") or status.get("baseline") or "landmark_missing"
    for name, value in values.items():
        if math.isnan(value):
            reason = "no_contraction" if name == "transition_zone_cm" else whole
            status.setdefault(name, reason)
    return values, status


def baseline_block(baseline: Baseline | None) -> dict[str, float | str]:
    """Give the baseline as the contract has it: borders [s] and status."""
    if baseline is None:
        return {"status": "no_baseline"}
    return {"start_s": baseline.start_s, "stop_s": baseline.stop_s, "status": baseline.status}


def proposal_warnings(proposal: Proposal) -> list[str]:
    """Say in words what of a proposal is uncertain.

    Parameters
    ----------
    proposal : Proposal

    Returns
    -------
    list of str
    """
    found, baseline = [], proposal.baseline
    if baseline is None:
        found.append("no swallow-free stretch of 5 s: resting landmarks could not be found")
    elif baseline.status != "ok":
        found.append(
            f"the baseline is {baseline.stop_s - baseline.start_s:.1f} s and not clear of "
            "swallows by the full margin: resting values are less certain"
        )
    found += [
        f"landmark {name}: {reason}"
        for name, reason in proposal.landmarks.status.items()
        if name in ("les", "gastric_reference_mmhg", "les_lower_cm", "ues_upper_cm")
    ]
    falls = len(proposal.unanswered_s)
    # A belch or two beside many swallows is no news. Where the pharynx shows nothing, swallows
    # of an LES that stays shut may be among them, and those that were found are a selection.
    if falls > proposal.waves:
        found.append(
            f"the UES falls {falls} times without a pharyngeal wave, a contraction that runs down "
            "or a relaxation of the LES: these are not taken for swallows; if they are, mark "
            "them, or state them in a swallow table"
        )
    unseen = sum(onset.method == "stated" for onset in proposal.onsets)
    if unseen:
        found.append(
            f"{unseen} of {len(proposal.onsets)} swallows are only stated: the recording shows no "
            "pharyngeal wave and no UES relaxation there; check that the times count from its "
            "first sample"
        )
    return found
