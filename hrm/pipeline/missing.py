"""What is not measured because a sensor is missing in a sphincter, or beside it.

A sphincter is one peak between a few sensors. Interpolation puts a missing sensor at its
border back well, but cuts the peak off where the missing one lies in its middle: the number
looks sound and is several mmHg too low. There is none then.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.metrics._base import SENSOR_FAILED, Measurement
from hrm.metrics.peaks import hypercontractile_subtype
from hrm.metrics.provocation import During
from hrm.metrics.swallow import SwallowMetrics
from hrm.preprocess import SensorQuality

Mask = NDArray[np.bool_]
#: Gives a number back, or says that it is missing.
Keeper = Callable[[Measurement], Measurement]
_LOST = Measurement.missing(SENSOR_FAILED)
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Missing:
    """Which sensors are missing at which times, and what they leave unknown.

    Attributes
    ----------
    depth : array (sensor,) [cm]
    time : array (time,) [s]
    usable : array (sensor,) of bool
    lost : mapping of int to array (time,) of bool
        Samples that are not the sensor's own, by sensor.
    parameters : Parameters
    """

    depth: NDArray[np.float64]
    time: NDArray[np.float64]
    usable: Mask
    lost: Mapping[int, Mask]
    parameters: Parameters

    def in_sphincter(self, upper_cm: float, lower_cm: float) -> Mask:
        """Times at which a sphincter between these borders [cm] cannot be read, (time,).

        A sensor is missing in the middle part of it, or leaves a hole in it that is too
        wide to bridge. Of a sphincter without a lower border every part is the middle.
        """
        if not math.isfinite(upper_cm):
            return self._none
        ends = math.isfinite(lower_cm)
        bottom = lower_cm if ends else float(self.depth[-1])
        middle, half = 0.5 * (upper_cm + bottom), 0.5 * (bottom - upper_cm)
        reach = half * (float(self.parameters["quality.middle_share"]) if ends else 1.0)
        widest = float(self.parameters["quality.bridge_cm"]) + _TOLERANCE

        def spoils(k: int, above: float, below: float) -> bool:
            central = abs(float(self.depth[k]) - middle) <= reach + _TOLERANCE
            return central or (below - above > widest and above < bottom and below > upper_cm)

        return self._when(spoils)

    def touching(self, upper_cm: float, lower_cm: float) -> Mask:
        """Times at which a missing sensor leaves a hole that reaches between two depths."""
        return self._when(lambda _, above, below: above < lower_cm and below > upper_cm)

    def within(self, start_s: float, stop_s: float) -> slice:
        """Samples from one time to another, the end excluded."""
        return slice(*np.searchsorted(self.time, [start_s - 5e-7, stop_s - 5e-7]))

    @cached_property
    def _none(self) -> Mask:
        return np.zeros(self.time.size, dtype=np.bool_)

    def _when(self, concerned: Callable[[int, float, float], bool]) -> Mask:
        """Times at which a sensor is missing that is concerned, given the hole it leaves."""
        out = self._none
        known = np.flatnonzero(self.usable)
        for k, mask in self.lost.items():
            above, below = known[known < k], known[known > k]
            # Beyond the last good sensor there is no hole: what is measured just ends.
            if above.size and below.size:
                hole = float(self.depth[above[-1]]), float(self.depth[below[0]])
                out = out | mask if concerned(k, *hole) else out
        return out


def missing_sensors(
    recorded: xr.DataArray, sensors: SensorQuality, parameters: Parameters
) -> Missing:
    """Say which sensors are missing when.

    Parameters
    ----------
    recorded : DataArray (sensor, time) [mmHg]
        As recorded: what it lacks is missing too.
    sensors : SensorQuality
    parameters : Parameters
        ``quality.bridge_cm``, ``quality.middle_share``.

    Returns
    -------
    Missing
    """
    gaps = np.isnan(recorded.values)
    lost: dict[int, Mask] = {}
    for k in range(sensors.usable.size):
        if not sensors.usable[k]:
            lost[k] = np.ones(gaps.shape[1], dtype=np.bool_)
        elif sensors.flags[k].any() or gaps[k].any():
            lost[k] = sensors.lost(k) | gaps[k]
    return Missing(
        depth=np.asarray(recorded["depth"].values, dtype=np.float64),
        time=recorded["time"].values,
        usable=sensors.usable,
        lost={k: mask for k, mask in lost.items() if mask.any()},
        parameters=parameters,
    )


def without_les(metrics: SwallowMetrics, keep: Keeper) -> SwallowMetrics:
    """Pass every number of a swallow that is read in the LES through `keep`."""
    body = replace(metrics.body, dci_les=keep(metrics.body.dci_les))
    if not math.isfinite(body.dci_les.value):
        flagged = "hypercontractile" in metrics.type.flags
        subtype = hypercontractile_subtype(body.peaks.value, None, hypercontractile=flagged)
        body = replace(body, after_contraction=None, subtype=subtype)
    return replace(
        metrics,
        irp4s=keep(metrics.irp4s),
        relaxation={name: keep(m) for name, m in metrics.relaxation.items()},
        body=body,
    )


def without_ues(metrics: SwallowMetrics, keep: Keeper) -> SwallowMetrics:
    """Pass every number of a swallow that is read in the UES through `keep`."""
    upper = metrics.upper
    kept = replace(
        upper,
        residual=keep(upper.residual),
        irp=keep(upper.irp),
        duration=keep(upper.duration),
        time_to_nadir=keep(upper.time_to_nadir),
        recovery=keep(upper.recovery),
    )
    return replace(metrics, upper=kept)


def keeper(missing: Missing, when: Mask) -> Keeper:
    """Make a function that leaves a number out if it rests on one of the times in `when`."""

    def keep(m: Measurement) -> Measurement:
        return _LOST if math.isfinite(m.value) and when[_samples(m, missing)].any() else m

    return keep


def _samples(m: Measurement, missing: Missing) -> Any:
    """Samples that a number rests on; all of them where it does not say."""
    detail, parameters = m.detail, missing.parameters
    if "times_s" in detail:
        return np.searchsorted(missing.time, np.asarray(detail["times_s"]) - 5e-7)
    if "time_s" in detail and np.ndim(detail["time_s"]) == 0:
        return missing.within(detail["time_s"], detail["time_s"] + 1e-3)
    if "fall_s" in detail:
        # Its level hangs on the tone before the swallow.
        lead = parameters["onset.base_gap_s"] + parameters["onset.base_s"]
        end = detail.get("end_s", detail["nadir_s"])
        return missing.within(detail["fall_s"] - lead, end)
    if "start_s" in detail:
        return missing.within(
            detail["start_s"], detail["start_s"] + parameters["relaxation.residual_s"]
        )
    if "window_s" in detail:
        return missing.within(*detail["window_s"])
    return slice(None)


def during_without(
    seen: During, missing: Missing, when: Mask, window: tuple[float, float]
) -> During:
    """Leave the LES out of what a run of rapid swallows shows, if it is missing then."""
    if not when[missing.within(*window)].any():
        return seen
    return replace(
        seen,
        les_median=_LOST if math.isfinite(seen.les_median.value) else seen.les_median,
        irp4s=_LOST if math.isfinite(seen.irp4s.value) else seen.irp4s,
    )
