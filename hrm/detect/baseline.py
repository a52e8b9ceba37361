"""The resting segment and the breathing in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.detect._signal import band_pass, during, local_maxima


@dataclass(frozen=True)
class Baseline:
    """A swallow-free stretch.

    Attributes
    ----------
    start_s, stop_s : float [s]
    status : str
        ``ok``; ``baseline_short`` when shorter than wanted or nearer to a swallow.
    quiet : array (time,) of bool
        Samples of the recording inside the stretch during which the esophageal
        body does not contract.
    """

    start_s: float
    stop_s: float
    status: str
    quiet: NDArray[np.bool_]


@dataclass(frozen=True)
class Respiration:
    """Breathing during the baseline.

    Attributes
    ----------
    signal : array (time,)
        Abdominal minus thoracic pressure, z-scored; over the baseline samples.
    inspiration, end_expiration : array of int
        Sample indices into the recording.
    status : str
        ``ok`` or ``respiration_not_found``.
    """

    signal: NDArray[np.float64]
    inspiration: NDArray[np.int64]
    end_expiration: NDArray[np.int64]
    status: str


def contraction_ends(
    pressure: xr.DataArray,
    onsets: Sequence[float],
    body: NDArray[np.bool_],
    parameters: Parameters,
) -> list[float]:
    """When the esophageal body comes to rest after each swallow.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg]
    onsets : sequence of float [s]
    body : array (sensor,) of bool
        Sensors of the esophageal body, away from both sphincters.
    parameters : Parameters

    Returns
    -------
    list of float [s]
        Last time, within 25 s and before the next onset, at which a body sensor
        is above 20 mmHg and clearly above its own median.
    """
    time = pressure["time"].values
    values = pressure.values[body]
    if values.shape[0] == 0:
        return list(onsets)
    rest = np.nanmedian(values, axis=1, keepdims=True)
    level = np.maximum(parameters["dci.threshold_mmhg"], rest + parameters["baseline.rise_mmhg"])
    active = (values >= level).any(axis=0)
    longest = parameters["dci.window_repetitive_s"]
    ends = []
    for onset, following in zip(onsets, [*onsets, float("inf")][1:], strict=True):
        inside = during(time, onset, min(onset + longest, following))
        last = np.flatnonzero(active[inside])
        ends.append(float(time[inside][last[-1]]) if last.size else float(onset))
    return ends


def find_baseline(
    pressure: xr.DataArray,
    onsets: Sequence[float],
    ends: Sequence[float],
    body: NDArray[np.bool_],
    parameters: Parameters,
) -> Baseline | None:
    """Choose the resting segment.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg]
    onsets, ends : sequence of float [s]
        Of every swallow.
    body : array (sensor,) of bool
    parameters : Parameters

    Returns
    -------
    Baseline or None
        The earliest stretch of 30 s that starts 15 s after a contraction and ends
        1 s before the next onset, which is the baseline of the study protocol; if
        there is none, the longest such stretch, then the longest between a
        contraction and the next onset, then the longest between swallows. None
        when even that is shorter than 5 s (SPEC section 2).
    """
    time = pressure["time"].values
    start, stop = float(time[0]), float(time[-1])
    shortest, gap = parameters["baseline.minimum_s"], parameters["baseline.before_swallow_s"]
    settle = parameters["baseline.after_contraction_s"]
    past_onset = [onset + parameters["baseline.after_onset_s"] for onset in onsets]
    rules = ([end + settle for end in ends], list(ends), past_onset)
    for rule, resumes in enumerate(rules):
        free = _free_stretches(start, stop, [onset - gap for onset in onsets], resumes)
        wanted = [pair for pair in free if pair[1] - pair[0] >= parameters["baseline.wanted_s"]]
        protocol = rule == 0 and bool(wanted)
        longest = max(free, key=lambda pair: pair[1] - pair[0], default=(0.0, 0.0))
        a, b = wanted[0] if protocol else longest
        if b - a >= shortest:
            status = "ok" if protocol else "baseline_short"
            return Baseline(a, b, status, _quiet(pressure, body, a, b, parameters))
    return None


def _free_stretches(
    start: float, stop: float, blocked_from: Sequence[float], blocked_to: Sequence[float]
) -> list[tuple[float, float]]:
    stretches, here = [], start
    for a, b in zip(blocked_from, blocked_to, strict=True):
        if a > here:
            stretches.append((here, a))
        here = max(here, b)
    if stop > here:
        stretches.append((here, stop))
    return stretches


def _quiet(
    pressure: xr.DataArray,
    body: NDArray[np.bool_],
    start_s: float,
    stop_s: float,
    parameters: Parameters,
) -> NDArray[np.bool_]:
    time = pressure["time"].values
    inside = (time >= start_s) & (time <= stop_s)
    if not body.any():
        return inside
    # The esophagus can contract without a swallow; such samples are not rest.
    level = np.median(pressure.values[body], axis=0)
    rest = np.quantile(level[inside], 0.2)
    quiet = inside & (level <= rest + parameters["baseline.rise_mmhg"])
    return quiet if quiet.sum() >= 0.3 * inside.sum() else inside


def find_respiration(
    pressure: xr.DataArray,
    baseline: Baseline,
    *,
    thoracic: NDArray[np.bool_],
    abdominal: NDArray[np.bool_],
    parameters: Parameters,
) -> Respiration:
    """Find the breaths of the baseline.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg]
    baseline : Baseline
    thoracic, abdominal : array (sensor,) of bool
        Body sensors 3-10 cm above the LES; sensors below it (may be none).
    parameters : Parameters

    Returns
    -------
    Respiration
        Inspiratory peaks of the band-passed abdominal-minus-thoracic pressure,
        and the minima between them (SPEC section 2.1).
    """
    time = pressure["time"].values
    rate = 1.0 / float(time[1] - time[0])
    inside = np.flatnonzero((time >= baseline.start_s) & (time <= baseline.stop_s))
    quiet = baseline.quiet[inside]
    swing = _group_median(pressure.values, abdominal, inside) - _group_median(
        pressure.values, thoracic, inside
    )
    # A contraction inside the stretch is no breath: it is bridged before the band-pass.
    swing[~quiet] = np.interp(np.flatnonzero(~quiet), np.flatnonzero(quiet), swing[quiet])
    raw = band_pass(
        swing,
        rate,
        parameters["respiration.band_low_hz"],
        parameters["respiration.band_high_hz"],
    )
    sd = float(np.std(raw[quiet]))
    empty = np.array([], dtype=np.int64)
    if not sd >= parameters["respiration.minimum_mmhg"]:
        return Respiration(np.zeros(inside.size), empty, empty, "respiration_not_found")
    signal = raw / sd
    spacing = max(1, round(parameters["respiration.spacing_s"] * rate))
    peaks = local_maxima(
        signal, prominence=parameters["respiration.prominence_sd"], spacing=spacing
    )
    peaks = peaks[quiet[peaks]]
    troughs = np.array([a + np.argmin(signal[a:b]) for a, b in pairwise(peaks)], dtype=np.int64)
    troughs = troughs[quiet[troughs]]
    # Fewer breaths than a baseline needs could be anything that goes up and down.
    if troughs.size < parameters["baseline.breaths"]:
        return Respiration(signal, empty, empty, "respiration_not_found")
    first = int(inside[0])
    return Respiration(signal, peaks + first, troughs + first, "ok")


def _group_median(
    values: NDArray[np.float32], sensors: NDArray[np.bool_], inside: NDArray[np.int64]
) -> NDArray[np.float64]:
    if not sensors.any():
        return np.zeros(inside.size)
    trace = np.median(values[sensors][:, inside].astype(np.float64), axis=0)
    return np.asarray(np.nan_to_num(trace, nan=float(np.nanmedian(trace))))
