"""Provocation tests in runs: multiple rapid swallows and rapid drinking.

What is recalled of their limits without certainty (an IRP above 12 mmHg, or pressurization
above 20 mmHg in rapid drinking, as support of an obstruction) makes no verdict here: the
values are reported, and a reader judges them.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Limit, Parameters
from hrm.kernels.contour import axial_sd_1d, axial_share_1d
from hrm.kernels.integral import excess_2d
from hrm.metrics._base import (
    LANDMARK_MISSING,
    SENSOR_FAILED,
    WINDOW_TRUNCATED,
    Cut,
    Measurement,
    cut,
    known,
)
from hrm.metrics.dci import keep_long_runs, simultaneous_plateau
from hrm.metrics.swallow import Anatomy

NO_RUN = "no_run"
NO_SINGLE_SWALLOW = "no_supine_single_swallow"
NO_SINGLE_CONTRACTION = "single_swallows_without_contraction"
NO_IRP_LIMIT = "no_irp_limit_for_system"

#: What the contractile reserve is, in words that stand beside the number.
RESERVE_RULE = (
    "largest contractile integral after a run, over the mean of the evaluable supine single "
    "swallows"
)


@dataclass(frozen=True)
class Run:
    """Swallows of one provocation test, in a row.

    Attributes
    ----------
    indices : tuple of int
        Of the swallows in the study.
    onsets_s : tuple of float [s]
    """

    indices: tuple[int, ...]
    onsets_s: tuple[float, ...]

    @property
    def length_s(self) -> float:
        """From the first to the last onset [s]."""
        return self.onsets_s[-1] - self.onsets_s[0]

    @property
    def largest_gap_s(self) -> float:
        """Longest time between two onsets [s]; 0 for one swallow."""
        return max((b - a for a, b in pairwise(self.onsets_s)), default=0.0)


@dataclass(frozen=True)
class Verdict:
    """Yes, no or not known, and on what it rests.

    Attributes
    ----------
    value : bool or None
    reason : str
        Why it is not known; empty otherwise.
    rows : tuple of str
        Ids of the limits, or keys of the parameters, that decided.
    """

    value: bool | None
    reason: str = ""
    rows: tuple[str, ...] = ()


def runs(
    onsets_s: Sequence[float], protocols: Sequence[str], protocol: str, parameters: Parameters
) -> list[Run]:
    """Put the swallows of a test together to runs.

    Parameters
    ----------
    onsets_s : sequence of float [s]
        Of every swallow of the study, increasing.
    protocols : sequence of str
        Of every swallow; one of `hrm.schema.PROTOCOLS`.
    protocol : str
        The test.
    parameters : Parameters

    Returns
    -------
    list of Run
        A swallow of another protocol, or ``provocation.gap_s`` without one, ends a run.
    """
    groups: list[list[int]] = []
    for k in [k for k, name in enumerate(protocols) if name == protocol]:
        last = groups[-1][-1] if groups else -2
        near = k == last + 1 and onsets_s[k] - onsets_s[last] <= parameters["provocation.gap_s"]
        if not near:
            groups.append([])
        groups[-1].append(k)
    return [Run(tuple(group), tuple(float(onsets_s[k]) for k in group)) for group in groups]


def mrs_remarks(run: Run, parameters: Parameters) -> tuple[str, ...]:
    """Say how a run differs from what multiple rapid swallows should be.

    Parameters
    ----------
    run : Run
    parameters : Parameters

    Returns
    -------
    tuple of str
        ``few_swallows`` (fewer than ``detect.mrs_count``), ``slow_swallows`` (a gap above
        ``detect.mrs_gap_s``), ``long_run`` (longer than ``mrs.longest_s``).
    """
    found = {
        "few_swallows": len(run.indices) < parameters["detect.mrs_count"],
        "slow_swallows": run.largest_gap_s > parameters["detect.mrs_gap_s"] + 1e-6,
        "long_run": run.length_s > parameters["mrs.longest_s"] + 1e-6,
    }
    return tuple(name for name, true in found.items() if true)


@dataclass(frozen=True)
class During:
    """What body and LES do during a run.

    Attributes
    ----------
    dci : Measurement [mmHg s cm]
        Contractile integral of the body without simultaneous pressurization. Detail:
        ``box``, with it.
    les_median : Measurement [mmHg]
        Median of the e-sleeve above gastric pressure.
    irp4s : Measurement [mmHg]
        Mean of its lowest 4 s.
    """

    dci: Measurement
    les_median: Measurement
    irp4s: Measurement


def during(field: xr.DataArray, run: Run, *, anatomy: Anatomy, parameters: Parameters) -> During:
    """Measure body and LES during a run of rapid swallows.

    Parameters
    ----------
    field : DataArray (depth, time) [mmHg]
        From the first onset to at least half a second after the last.
    run : Run
    anatomy : Anatomy
        With the transition zone, of which a run shows none of its own: the median of the
        single swallows.
    parameters : Parameters

    Returns
    -------
    During
        From 0.5 s after the first to 0.5 s after the last onset, where the contraction
        window of the last swallow starts: no sample counts in both (SPEC section 6).
    """
    les = _les(field, run, anatomy, parameters)
    return During(_body(field, run, anatomy, parameters), *les)


def _span(
    field: xr.DataArray, run: Run, top_cm: float, bottom_cm: float, parameters: Parameters
) -> Cut | str:
    """Cut the time of the swallows out, or say why it is not there."""
    if not known(top_cm, bottom_cm) or bottom_cm <= top_cm:
        return LANDMARK_MISSING
    delay = parameters["dci.start_s"]
    box = cut(field, top_cm, bottom_cm, run.onsets_s[0] + delay, run.onsets_s[-1] + delay)
    if box.time.size < 2 or box.time.size * box.step_s < run.length_s - 1.5 * box.step_s:
        return WINDOW_TRUNCATED
    if box.depth.size < 2 or not np.isfinite(box.values).all():
        return SENSOR_FAILED
    return box


def _body(field: xr.DataArray, run: Run, anatomy: Anatomy, parameters: Parameters) -> Measurement:
    box = _span(field, run, anatomy.transition_zone_cm, anatomy.les_upper_cm, parameters)
    if isinstance(box, str):
        return Measurement.missing(box)
    keep = np.ones(box.values.shape, dtype=np.bool_)
    level = parameters["dci.threshold_mmhg"]
    everything = excess_2d(box.values, keep, level, box.step_cm, box.step_s)
    keep &= ~simultaneous_plateau(box, parameters)[None, :]
    contractile = excess_2d(box.values, keep, level, box.step_cm, box.step_s)
    detail = {"box": float(everything), "field": box, "counted": keep}
    return Measurement(float(contractile), detail=detail)


def _les(
    field: xr.DataArray, run: Run, anatomy: Anatomy, parameters: Parameters
) -> tuple[Measurement, Measurement]:
    top = anatomy.les_upper_cm - parameters["irp.sleeve_above_cm"]
    box = _span(field, run, top, top + parameters["irp.sleeve_length_cm"], parameters)
    if not isinstance(box, str) and not known(anatomy.gastric_mmhg):
        box = LANDMARK_MISSING
    if isinstance(box, str):
        return Measurement.missing(box), Measurement.missing(box)
    sleeve = box.values.max(axis=0) - _gastric(anatomy, box.time)
    if not np.isfinite(sleeve).all():
        return Measurement.missing(SENSOR_FAILED), Measurement.missing(SENSOR_FAILED)
    count = round(parameters["irp.duration_s"] / box.step_s)
    order = np.argsort(sleeve, kind="stable")
    detail = {
        "sleeve_cm": (float(box.depth[0]), float(box.depth[-1])),
        "sleeve": sleeve,
        "time_s": box.time,
    }
    lowest = (
        Measurement(
            float(np.mean(sleeve[order][:count])),
            detail={**detail, "times_s": np.sort(box.time[order[:count]])},
        )
        if sleeve.size >= count
        else Measurement.missing(WINDOW_TRUNCATED)
    )
    return Measurement(float(np.median(sleeve)), detail=detail), lowest


def _gastric(anatomy: Anatomy, time: NDArray[np.float64]) -> NDArray[np.float64]:
    trace = anatomy.gastric_trace
    if trace is None:
        return np.full(time.size, anatomy.gastric_mmhg)
    return np.interp(time, trace["time"].values, trace.values.astype(np.float64))


def inhibition(seen: During, *, failed: Limit, irp_limit: Limit | None) -> Verdict:
    """Whether body and LES are inhibited during a run.

    Parameters
    ----------
    seen : During
    failed : Limit
        Row of the contractile integral below which nothing contracts.
    irp_limit : Limit or None
        Row of the IRP for the system and the posture of the test; None where the
        classification has none.

    Returns
    -------
    Verdict
        Body below `failed`, and the median of the sleeve not beyond `irp_limit`. That the
        LES counts as open by its IRP limit is a choice: SPEC section 6 asks for complete
        inhibition and gives no number. A body that contracts decides alone.
    """
    if known(seen.dci.value) and not failed.crossed_by(seen.dci.value):
        return Verdict(value=False, rows=(failed.id,))
    if irp_limit is not None and irp_limit.crossed_by(seen.les_median.value):
        return Verdict(value=False, rows=(irp_limit.id,))
    for part in (seen.dci, seen.les_median):
        if not known(part.value):
            return Verdict(None, part.status)
    if irp_limit is None:
        return Verdict(None, NO_IRP_LIMIT)
    return Verdict(value=True, rows=(failed.id, irp_limit.id))


def response(
    dci: Measurement,
    *,
    onset_s: float,
    contraction_stop_s: float,
    stop_s: float,
    parameters: Parameters,
) -> Measurement:
    """Contractile integral after the last swallow of a run, if it could unfold.

    Parameters
    ----------
    dci : Measurement [mmHg s cm]
        Of the last swallow, as measured for any swallow.
    onset_s : float [s]
        Of the last swallow.
    contraction_stop_s : float [s]
        End of its contraction window.
    stop_s : float [s]
        Onset of the next swallow or end of the recording.
    parameters : Parameters

    Returns
    -------
    Measurement [mmHg s cm]
        NaN where a next swallow or the end of the recording comes within
        ``irp.window_s``, or cuts the contraction off.
    """
    if not known(dci.value):
        return Measurement.missing(dci.status)
    short = stop_s - onset_s < parameters["irp.window_s"] - 1e-6
    if short or contraction_stop_s >= stop_s - 1e-6:
        return Measurement.missing(WINDOW_TRUNCATED)
    return dci


def contraction_after(after: Measurement, failed: Limit) -> Verdict:
    """Whether a contraction follows a run.

    Parameters
    ----------
    after : Measurement [mmHg s cm]
        From `response`.
    failed : Limit
        Row of the contractile integral below which nothing contracts.

    Returns
    -------
    Verdict
        After rapid drinking it may be present or absent in health (SPEC section 6).
    """
    if not known(after.value):
        return Verdict(None, after.status)
    return Verdict(not failed.crossed_by(after.value), rows=(failed.id,))


@dataclass(frozen=True)
class Reserve:
    """Contractile reserve by multiple rapid swallows.

    Attributes
    ----------
    ratio : Measurement [1]
        By `rule`. Detail: ``runs`` and ``single_swallows``, numbers of those used.
    ratio_of_mean : Measurement [1]
        The variant: mean over the runs instead of the largest.
    single_dci_mean : float [mmHg s cm]
    present : Verdict
        Whether `ratio` is above ``mrs.reserve_ratio``.
    rule : str
        In words. More runs find a reserve more often, so it belongs to the result.
    """

    ratio: Measurement
    ratio_of_mean: Measurement
    single_dci_mean: float
    present: Verdict
    rule: str = RESERVE_RULE


def contractile_reserve(
    after: Sequence[Measurement],
    single_dci: Sequence[float],
    *,
    failed: Limit,
    parameters: Parameters,
) -> Reserve:
    """Compare the contraction after multiple rapid swallows with single swallows.

    Parameters
    ----------
    after : sequence of Measurement [mmHg s cm]
        From `response`, one a run; runs that could not be measured are left out.
    single_dci : sequence of float [mmHg s cm]
        Of the evaluable supine single swallows; NaN is left out.
    failed : Limit
        Row of the contractile integral below which nothing contracts.
    parameters : Parameters

    Returns
    -------
    Reserve
        SPEC section 6. NaN without a run, without a supine single swallow (posture is
        never guessed), and where the single swallows do not contract: a mean beyond
        `failed` is what the field makes of no contraction, and a ratio to it is of any size.
    """
    found = [run.value for run in after if known(run.value)]
    single = [value for value in single_dci if known(value)]
    mean = statistics.fmean(single) if single else math.nan
    status = _why_no_ratio(after, found, mean, failed)
    if status:
        missing = Measurement.missing(status)
        return Reserve(missing, missing, mean, Verdict(None, status))
    detail = {"runs": len(found), "single_swallows": len(single)}
    ratio = max(found) / mean
    key = "mrs.reserve_ratio"
    return Reserve(
        Measurement(ratio, detail=detail),
        Measurement(statistics.fmean(found) / mean, detail=detail),
        mean,
        Verdict(ratio > parameters[key], rows=(key,)),
    )


def _why_no_ratio(
    after: Sequence[Measurement], found: Sequence[float], mean: float, failed: Limit
) -> str:
    if not after:
        return NO_RUN
    if not found:
        return after[0].status
    if not known(mean):
        return NO_SINGLE_SWALLOW
    return NO_SINGLE_CONTRACTION if failed.crossed_by(mean) else ""


def pressurized_shares(
    field: xr.DataArray, run: Run, *, anatomy: Anatomy, parameters: Parameters
) -> tuple[Measurement, Measurement]:
    """Shares of a run in which the whole esophagus is pressurized, on two contours.

    Parameters
    ----------
    field : DataArray (depth, time) [mmHg]
    run : Run
        Of rapid drinking.
    anatomy : Anatomy
    parameters : Parameters

    Returns
    -------
    low, high : Measurement [%]
        Of the time of `during`: at least ``rdc.pressurization_low_mmhg`` or
        ``rdc.pressurization_high_mmhg`` uniformly from UES to EGJ, by the rule of
        panesophageal pressurization but for the level and the onsets (SPEC sections 5.5
        and 6; norms in MAR17). No verdict: which share is too much is not settled.
    """
    top = anatomy.ues_lower_cm + parameters["pep.below_ues_cm"]
    bottom = anatomy.les_upper_cm - parameters["pep.above_les_cm"]
    box = _span(field, run, top, bottom, parameters)
    if isinstance(box, str):
        return Measurement.missing(box), Measurement.missing(box)
    return (
        _share(box, parameters["rdc.pressurization_low_mmhg"], parameters),
        _share(box, parameters["rdc.pressurization_high_mmhg"], parameters),
    )


def _share(box: Cut, level_mmhg: float, parameters: Parameters) -> Measurement:
    uniform = axial_share_1d(box.values, level_mmhg) >= parameters["pep.share"]
    uniform &= axial_sd_1d(box.values) <= parameters["pep.sd_mmhg"]
    shortest = max(1, round(parameters["pep.run_s"] / box.step_s))
    kept = keep_long_runs(uniform, shortest)
    detail = {"level_mmhg": level_mmhg, "field": box, "kept": kept}
    return Measurement(100.0 * float(np.mean(kept)), detail=detail)
