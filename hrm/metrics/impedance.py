"""The bolus as impedance shows it: when it comes and goes, transit, impedance at rest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.metrics._base import (
    LANDMARK_MISSING,
    OK,
    SENSOR_FAILED,
    WINDOW_TRUNCATED,
    Measurement,
    index_of_lowest,
    known,
)

NO_BASELINE = "no_baseline"
NO_BOLUS = "no_bolus"
NO_EXIT = "no_bolus_exit"
NO_ENTRY = "no_bolus_entry"
OUT_OF_REACH = "segments_do_not_reach"
POSITIONS_UNKNOWN = "segment_positions_unknown"

COMPLETE, INCOMPLETE = "complete", "incomplete"
_TOLERANCE = 1e-6
_INSTANT = 5e-7


@dataclass(frozen=True)
class Segments:
    """Impedance of the segments whose position is known, over a stretch of time.

    Attributes
    ----------
    values : array (segment, time) [ohm]
    depth : array (segment,) [cm]
        Middle of each segment on the axis of the sensors, increasing.
    time : array (time,) [s]
    """

    values: NDArray[np.float64]
    depth: NDArray[np.float64]
    time: NDArray[np.float64]

    def between(self, top_cm: float, bottom_cm: float) -> NDArray[np.intp]:
        """Indices of the segments that lie between two depths, both included."""
        inside = (self.depth >= top_cm - _TOLERANCE) & (self.depth <= bottom_cm + _TOLERANCE)
        return np.flatnonzero(inside)

    def at(self, depth_cm: float) -> NDArray[np.float64] | None:
        """Impedance at a depth [ohm], straight between two segments; None beyond them."""
        if not self.depth.size or not known(depth_cm):
            return None
        if not self.depth[0] - _TOLERANCE <= depth_cm <= self.depth[-1] + _TOLERANCE:
            return None
        low = int(np.searchsorted(self.depth, depth_cm, side="right")) - 1
        low = min(max(low, 0), max(self.depth.size - 2, 0))
        if self.depth.size == 1 or abs(self.depth[low] - depth_cm) <= _TOLERANCE:
            return np.asarray(self.values[low])
        share = (depth_cm - self.depth[low]) / (self.depth[low + 1] - self.depth[low])
        return np.asarray((1 - share) * self.values[low] + share * self.values[low + 1])


@dataclass(frozen=True)
class Passage:
    """What one bolus did at one place.

    Attributes
    ----------
    depth_cm : float [cm]
    entry_s, exit_s, nadir_s : float [s]
        Time of entry, exit and least impedance; NaN where not seen.
    base_ohm, nadir_ohm : float [ohm]
        Impedance before the swallow, and the least one.
    status : str
        ``ok``; ``no_bolus`` where the impedance does not fall, ``sensor_failed``, or
        ``window_truncated`` where the baseline is too short, or the next swallow comes
        before it is known whether the bolus has left.
    """

    depth_cm: float
    entry_s: float = math.nan
    exit_s: float = math.nan
    nadir_s: float = math.nan
    base_ohm: float = math.nan
    nadir_ohm: float = math.nan
    status: str = OK


@dataclass(frozen=True)
class BolusTransit:
    """Whether, and how fast, a bolus left the esophagus.

    Attributes
    ----------
    transit : str or None
        ``complete`` or ``incomplete``; None where it cannot be judged.
    status : str
        ``ok``, or why `transit` is None.
    transit_time : Measurement [s]
        From the entry at the highest level to the exit at the lowest one.
    levels : tuple of Passage
        At 5, 10 and 15 cm above the LES.
    """

    transit: str | None
    status: str
    transit_time: Measurement
    levels: tuple[Passage, ...] = field(default_factory=tuple)

    @classmethod
    def missing(cls, status: str, levels: tuple[Passage, ...] = ()) -> BolusTransit:
        """Return a transit that cannot be judged."""
        return cls(None, status, Measurement.missing(status), levels)


def positions_known(impedance: xr.DataArray) -> bool:
    """Whether the position of any segment is known (an export never says it)."""
    return bool(np.isfinite(impedance["segment_depth"].values).any())


def segments(impedance: xr.DataArray, start_s: float, stop_s: float) -> Segments:
    """Cut a stretch of time out of an impedance recording.

    Parameters
    ----------
    impedance : DataArray (segment, impedance_time) [ohm], coord ``segment_depth`` [cm]
    start_s, stop_s : float [s]
        Start included.

    Returns
    -------
    Segments
        Those with a known position, from the top down.
    """
    time = impedance["impedance_time"].values
    columns = slice(*np.searchsorted(time, [start_s - _INSTANT, stop_s - _INSTANT]))
    depth = np.asarray(impedance["segment_depth"].values, dtype=np.float64)
    rows = np.argsort(depth, kind="stable")[: int(np.isfinite(depth).sum())]
    values = np.asarray(impedance[:, columns].values, dtype=np.float64)[rows]
    return Segments(values, depth[rows], np.asarray(time[columns], dtype=np.float64))


def swallow_window(onset_s: float, stop_s: float, parameters: Parameters) -> tuple[float, float]:
    """Start and end of the recording [s] that a bolus is looked for in."""
    lead = parameters["bolus.base_gap_s"] + parameters["bolus.base_s"]
    after = parameters["bolus.look_s"] + parameters["bolus.stay_s"]
    return max(0.0, onset_s - lead), min(onset_s + after, stop_s)


def passage(
    time: NDArray[np.float64],
    ohm: NDArray[np.float64],
    *,
    depth_cm: float,
    onset_s: float,
    stop_s: float,
    parameters: Parameters,
) -> Passage:
    """Find entry, nadir and exit of a bolus at one place.

    Parameters
    ----------
    time : array (time,) [s]
    ohm : array (time,) [ohm]
        From 3.5 s before the onset (see `swallow_window`).
    depth_cm : float [cm]
        Noted in the result.
    onset_s, stop_s : float [s]
        Onset of the swallow; onset of the next one or end of the recording.
    parameters : Parameters

    Returns
    -------
    Passage

    Notes
    -----
    SPEC section 9.1 (TUT03): entry is the last fall, before the nadir, through the level
    half way from the baseline down to the nadir; exit the first rise through it that
    lasts 5 s. The nadir is looked for in 15 s, the baseline is the median of the 3 s that
    end half a second before the onset.
    """
    gap, span = parameters["bolus.base_gap_s"], parameters["bolus.base_s"]
    before = (time >= onset_s - gap - span - _INSTANT) & (time < onset_s - gap - _INSTANT)
    _, end = swallow_window(onset_s, stop_s, parameters)
    after = np.flatnonzero((time >= onset_s - gap - _INSTANT) & (time < end - _INSTANT))
    look = (time >= onset_s - _INSTANT) & (time < onset_s + parameters["bolus.look_s"] - _INSTANT)
    look = np.flatnonzero(look & (time < end - _INSTANT))
    step = float(time[1] - time[0]) if time.size > 1 else math.nan
    if look.size < 2 or before.sum() * step < 0.5 * span:
        return Passage(depth_cm, status=WINDOW_TRUNCATED)
    seen = np.concatenate([ohm[before], ohm[after]])
    if not (np.isfinite(seen) & (seen > 0)).all():
        return Passage(depth_cm, status=SENSOR_FAILED)
    base, low = float(np.median(ohm[before])), look[0] + index_of_lowest(ohm[look])
    nadir = float(ohm[low])
    where = {"base_ohm": base, "nadir_ohm": nadir, "nadir_s": float(time[low])}
    if nadir > (1 - parameters["bolus.least_fall"]) * base:
        return Passage(depth_cm, base_ohm=base, nadir_ohm=nadir, status=NO_BOLUS)
    level = nadir + parameters["bolus.level"] * (base - nadir)
    entry = _entry(time, ohm, int(after[0]), low, level)
    stop = int(after[-1]) + 1
    cut_short = end < onset_s + parameters["bolus.look_s"] + parameters["bolus.stay_s"] - step
    leave, sure = _exit(time[:stop], ohm[:stop], low, level, parameters["bolus.stay_s"])
    status = OK if sure or not cut_short else WINDOW_TRUNCATED
    return Passage(depth_cm, entry_s=entry, exit_s=leave, status=status, **where)


def passages(
    found: Segments,
    *,
    onset_s: float,
    stop_s: float,
    top_cm: float,
    bottom_cm: float,
    parameters: Parameters,
) -> tuple[Passage, ...]:
    """Follow the bolus through the segments between two depths.

    Parameters
    ----------
    found : Segments
    onset_s, stop_s : float [s]
    top_cm, bottom_cm : float [cm]
        Lower border of the UES and upper border of the LES.
    parameters : Parameters

    Returns
    -------
    tuple of Passage
        From the top down.
    """
    return tuple(
        passage(
            found.time,
            found.values[i],
            depth_cm=float(found.depth[i]),
            onset_s=onset_s,
            stop_s=stop_s,
            parameters=parameters,
        )
        for i in found.between(top_cm, bottom_cm)
    )


def bolus_transit(
    seen: Sequence[Passage],
    *,
    onset_s: float,
    stop_s: float,
    ues_lower_cm: float,
    les_upper_cm: float,
    parameters: Parameters,
) -> BolusTransit:
    """Judge bolus transit of one swallow.

    Parameters
    ----------
    seen : sequence of Passage
        Of the segments of the esophageal body, from the top down (see `passages`).
    onset_s, stop_s : float [s]
    ues_lower_cm, les_upper_cm : float [cm]
    parameters : Parameters

    Returns
    -------
    BolusTransit

    Notes
    -----
    SPEC section 9.1 (TUT03): complete with an entry at the highest level and an exit at
    all of them, 5, 10 and 15 cm above the LES. A level lies between two segments, whose
    times are interpolated; where only one of the two has a time, the nearer one speaks.
    A swallow that leaves less than 15 s is not judged, nor one in which no level shows a
    bolus: it may have been dry, or the lumen was full before.
    """
    if not known(ues_lower_cm, les_upper_cm):
        return BolusTransit.missing(LANDMARK_MISSING)
    if stop_s - onset_s < parameters["bolus.look_s"] - _INSTANT:
        return BolusTransit.missing(WINDOW_TRUNCATED)
    heights = [parameters[key] for key in _LEVELS]
    if les_upper_cm - heights[-1] < ues_lower_cm:
        return BolusTransit.missing(OUT_OF_REACH)
    levels = tuple(at_level(seen, les_upper_cm - cm, parameters) for cm in heights)
    for reason in (OUT_OF_REACH, SENSOR_FAILED):
        if any(level.status == reason for level in levels):
            return BolusTransit.missing(reason, levels)
    if all(level.status == NO_BOLUS for level in levels):
        return BolusTransit.missing(NO_BOLUS, levels)
    highest, lowest = levels[-1], levels[0]
    entered = known(highest.entry_s)
    stays = any(level.status == OK and not known(level.exit_s) for level in levels)
    cut_off = any(level.status == WINDOW_TRUNCATED for level in levels)
    # Without its baseline an entry cannot be seen: it does not follow that there was none.
    unseen = highest.status == WINDOW_TRUNCATED and not entered
    if unseen or (entered and not stays and cut_off):
        return BolusTransit.missing(WINDOW_TRUNCATED, levels)
    if entered and all(known(level.exit_s) for level in levels):
        return BolusTransit(COMPLETE, OK, Measurement(lowest.exit_s - highest.entry_s), levels)
    reason = NO_EXIT if entered else NO_ENTRY
    return BolusTransit(INCOMPLETE, OK, Measurement.missing(reason), levels)


def at_level(seen: Sequence[Passage], depth_cm: float, parameters: Parameters) -> Passage:
    """Interpolate what a bolus did at a depth between two segments.

    Parameters
    ----------
    seen : sequence of Passage
        From the top down.
    depth_cm : float [cm]
    parameters : Parameters

    Returns
    -------
    Passage
        ``segments_do_not_reach`` if none lies near enough.
    """
    reach = parameters["transit.reach_cm"] + _TOLERANCE
    above = [one for one in seen if depth_cm - reach <= one.depth_cm <= depth_cm + _TOLERANCE]
    below = [one for one in seen if depth_cm + _TOLERANCE < one.depth_cm <= depth_cm + reach]
    pair = [one for one in (*above[-1:], *below[:1]) if one.status != SENSOR_FAILED]
    pair.sort(key=lambda one: abs(one.depth_cm - depth_cm))
    if not pair:
        failed = bool(above or below)
        return Passage(depth_cm, status=SENSOR_FAILED if failed else OUT_OF_REACH)
    near, far = pair[0], pair[-1]
    share = 0.0
    if far is not near:
        share = (depth_cm - near.depth_cm) / (far.depth_cm - near.depth_cm)

    def between(mine: float, other: float) -> float:
        both = known(mine, other) and near.status == far.status == OK
        return mine + share * (other - mine) if both else mine

    return Passage(
        depth_cm,
        between(near.entry_s, far.entry_s),
        between(near.exit_s, far.exit_s),
        between(near.nadir_s, far.nadir_s),
        between(near.base_ohm, far.base_ohm),
        between(near.nadir_ohm, far.nadir_ohm),
        near.status,
    )


def baseline_impedance(
    found: Segments, quiet: NDArray[np.bool_], *, les_upper_cm: float, parameters: Parameters
) -> Measurement:
    """Impedance at rest 3 cm above the LES.

    Parameters
    ----------
    found : Segments
        Of the baseline of the study.
    quiet : array (time,) of bool
        Samples of it that count.
    les_upper_cm : float [cm]
    parameters : Parameters

    Returns
    -------
    Measurement [ohm]
        Mean over the time that counts (SPEC section 9.2). No more than a surrogate of the
        mean nocturnal baseline impedance: its limits do not hold here.
    """
    if not known(les_upper_cm):
        return Measurement.missing(LANDMARK_MISSING)
    ohm = found.at(les_upper_cm - parameters["impedance.baseline_above_les_cm"])
    if ohm is None:
        return Measurement.missing(OUT_OF_REACH)
    return _mean(ohm, found, quiet, parameters)


def segment_baselines(
    found: Segments, quiet: NDArray[np.bool_], parameters: Parameters
) -> tuple[Measurement, ...]:
    """Impedance of each segment at rest [ohm].

    Parameters
    ----------
    found : Segments
        Of the baseline of the study.
    quiet : array (time,) of bool
    parameters : Parameters

    Returns
    -------
    tuple of Measurement [ohm]
        In the order of `found`.
    """
    return tuple(_mean(row, found, quiet, parameters) for row in found.values)


def percent_complete(transits: Sequence[str | None]) -> Measurement:
    """Share of the judged swallows with complete transit.

    Parameters
    ----------
    transits : sequence of str or None
        Of the evaluable swallows of one posture.

    Returns
    -------
    Measurement [%]
        Detail: ``n``, how many were judged.
    """
    judged = [transit for transit in transits if transit is not None]
    if not judged:
        return Measurement.missing("no_evaluable_swallow")
    share = 100.0 * judged.count(COMPLETE) / len(judged)
    return Measurement(share, detail={"n": len(judged)})


_LEVELS = ("transit.level_low_cm", "transit.level_middle_cm", "transit.level_high_cm")


def _mean(
    ohm: NDArray[np.float64], found: Segments, quiet: NDArray[np.bool_], parameters: Parameters
) -> Measurement:
    step = float(found.time[1] - found.time[0]) if found.time.size > 1 else math.nan
    if not quiet.sum() * step >= parameters["baseline.minimum_s"] - step:  # False with NaN
        return Measurement.missing(NO_BASELINE)
    counted = ohm[quiet]
    if not (np.isfinite(counted) & (counted > 0)).all():
        return Measurement.missing(SENSOR_FAILED)
    return Measurement(
        float(np.mean(counted)), detail={"times_s": found.time[quiet], "values_ohm": counted}
    )


def _entry(
    time: NDArray[np.float64], ohm: NDArray[np.float64], first: int, low: int, level: float
) -> float:
    """Last fall through the level before the nadir [s]; NaN if it was below all along."""
    above = np.flatnonzero(ohm[first:low] >= level)
    if above.size == 0:
        return math.nan
    return _crossing(time, ohm, first + int(above[-1]), level)


def _exit(
    time: NDArray[np.float64], ohm: NDArray[np.float64], low: int, level: float, stay_s: float
) -> tuple[float, bool]:
    """First rise through the level that lasts [s], and whether the window tells it."""
    high = np.concatenate([[0], (ohm[low:] >= level).astype(np.int8), [0]])
    edges = np.flatnonzero(np.diff(high)).reshape(-1, 2) + low
    step = float(time[1] - time[0])
    for start, stop in edges:
        if (stop - start) * step >= stay_s - _TOLERANCE:
            return _crossing(time, ohm, int(start) - 1, level), True
    # Up at the end for a shorter time: whether the bolus has left would show later.
    return math.nan, not bool(ohm[-1] >= level)


def _crossing(time: NDArray[np.float64], ohm: NDArray[np.float64], k: int, level: float) -> float:
    """Time between samples `k` and ``k + 1`` at which the level is crossed [s]."""
    share = (level - float(ohm[k])) / float(ohm[k + 1] - ohm[k])
    return float(time[k] + share * (time[k + 1] - time[k]))
