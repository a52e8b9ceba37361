"""Breathing between the swallows of a whole recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.detect._signal import runs
from hrm.detect.baseline import Baseline, find_respiration
from hrm.detect.landmarks import Landmarks


@dataclass(frozen=True)
class Stretch:
    """A part of the recording without swallows.

    Attributes
    ----------
    start_s, stop_s : float [s]
    inspiration : array of int
        Samples of its inspiratory peaks, from its first one.
    """

    start_s: float
    stop_s: float
    inspiration: NDArray[np.int64]


def breaths_between_swallows(
    pressure: xr.DataArray,
    *,
    onsets: Sequence[float],
    marks: Landmarks,
    parameters: Parameters,
) -> list[Stretch]:
    """Find the breaths that no swallow touches.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg]
        Usable sensors.
    onsets : sequence of float [s]
        Of every swallow.
    marks : Landmarks
        The LES and the sensors in the stomach say which sensors breathe.
    parameters : Parameters

    Returns
    -------
    list of Stretch
        In order of time; those with a whole breath. A stretch starts 15 s after an onset
        and ends 1 s before the next (SPEC section 3.3); what lies between is bridged, so
        that all breaths are judged by one scale.
    """
    time, depth = pressure["time"].values, pressure["depth"].values
    clear = np.ones(time.size, dtype=np.bool_)
    for onset in onsets:
        start = np.searchsorted(time, onset - parameters["egj_ci.before_swallow_s"], side="right")
        stop = np.searchsorted(time, onset + parameters["egj_ci.after_swallow_s"])
        clear[start:stop] = False
    if not clear.any() or not np.isfinite(marks.les_peak_cm):
        return []
    breathing = find_respiration(
        pressure,
        Baseline(float(time[0]), float(time[-1]), "ok", clear),
        thoracic=(depth <= marks.les_peak_cm - 3.0) & (depth >= marks.les_peak_cm - 10.0),
        abdominal=np.isin(depth, marks.gastric_sensors_cm),
        parameters=parameters,
    )
    step = float(time[1] - time[0])
    out = []
    for first, stop in runs(clear):
        inside = breathing.inspiration[
            (breathing.inspiration >= first) & (breathing.inspiration < stop)
        ]
        if inside.size > 1:
            out.append(Stretch(float(time[first]), float(time[stop - 1]) + step, inside - first))
    return out
