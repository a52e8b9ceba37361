"""Relaxation of the LES: integrated relaxation pressures, nadir, residual pressure.

All of them read one e-sleeve, which is computed once for each swallow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.metrics._base import (
    LANDMARK_MISSING,
    OK,
    SENSOR_FAILED,
    WINDOW_TRUNCATED,
    Cut,
    Field,
    Measurement,
    cut,
    known,
    plain,
)

NO_GASTRIC_SENSOR = "no_gastric_sensor"
CATHETER_ENDS_IN_LES = "catheter_ends_in_les"
RATE_TOO_LOW = "rate_too_low"

#: Integrated relaxation pressures by the name they have in the contract; the one over
#: 4 s is `hrm.metrics.irp.irp`.
IRP_PARAMETERS: Mapping[str, str] = {
    "irp02s_mmhg": "irp.duration_02_s",
    "irp1s_mmhg": "irp.duration_1_s",
    "irp2s_mmhg": "irp.duration_2_s",
    "irp3s_mmhg": "irp.duration_3_s",
    "irp5s_mmhg": "irp.duration_5_s",
}


@dataclass(frozen=True)
class Sleeve:
    """Greatest pressure over a stretch of the catheter at each time, or why there is none.

    Attributes
    ----------
    values : array (time,) [mmHg]
        NaN where the sleeve holds nothing of the sphincter.
    time : array (time,) [s]
    status : str
        ``ok``, or why `values` is empty.
    detail : mapping
        Places and times that the values come from.
    """

    values: NDArray[np.float64]
    time: NDArray[np.float64]
    status: str = OK
    detail: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def missing(cls, status: str) -> Sleeve:
        """Return a sleeve that could not be read."""
        return cls(np.empty(0), np.empty(0), status)

    @property
    def step_s(self) -> float:
        """Sampling interval [s]."""
        return float(self.time[1] - self.time[0]) if self.time.size > 1 else math.nan


def relaxation_sleeve(
    pressure_field: Field,
    *,
    onset_s: float,
    stop_s: float,
    les_upper_cm: float,
    les_lower_cm: float,
    gastric_mmhg: float,
    gastric_trace: xr.DataArray | None = None,
    parameters: Parameters,
) -> Sleeve:
    """Read the e-sleeve of one swallow in the 10 s after its onset.

    Parameters
    ----------
    pressure_field : DataArray or Cut (depth, time) [mmHg]
    onset_s : float [s]
        Onset of UES relaxation.
    stop_s : float [s]
        End of the recording or onset of the next swallow.
    les_upper_cm, les_lower_cm : float [cm]
        Borders at rest: the upper one places the sleeve, the lower one must be on
        the catheter; where it is not known, the end of the sleeve must be.
    gastric_mmhg : float [mmHg]
    gastric_trace : DataArray (time) [mmHg], optional
        A reference that changes with time; replaces the constant one.
    parameters : Parameters

    Returns
    -------
    Sleeve [mmHg above gastric]
        Empty with ``landmark_missing``, ``no_gastric_sensor``,
        ``catheter_ends_in_les``, ``window_truncated`` (less than 8 s) or
        ``sensor_failed`` (missing or stuck).

    Notes
    -----
    SPEC sections 3.2 and 4: 6 cm from 2 cm above the LES, in the 10 s after the onset.
    """
    deepest = float(plain(pressure_field).depth[-1])
    if not known(onset_s, les_upper_cm):
        return Sleeve.missing(LANDMARK_MISSING)
    top = les_upper_cm - parameters["irp.sleeve_above_cm"]
    # Of a sphincter whose end is not known the whole sleeve must be seen.
    end = les_lower_cm if known(les_lower_cm) else top + parameters["irp.sleeve_length_cm"]
    unplaced = not known(les_lower_cm) and not known(gastric_mmhg)
    if end > deepest + 1e-6 and not unplaced:
        return Sleeve.missing(CATHETER_ENDS_IN_LES)
    if not known(gastric_mmhg):
        return Sleeve.missing(NO_GASTRIC_SENSOR)
    stop = min(onset_s + parameters["irp.window_s"], stop_s)
    box = cut(pressure_field, top, top + parameters["irp.sleeve_length_cm"], onset_s, stop)
    if _truncated(box, onset_s, parameters):
        return Sleeve.missing(WINDOW_TRUNCATED)
    if box.empty or box.depth[0] > les_upper_cm + 1e-6:
        return Sleeve.missing(LANDMARK_MISSING)
    values = box.values.max(axis=0).astype(np.float64)
    if not np.isfinite(values).all() or stuck(box, parameters):
        return Sleeve.missing(SENSOR_FAILED)
    values -= gastric_mmhg if gastric_trace is None else _at(gastric_trace, box.time)
    if not np.isfinite(values).all():
        return Sleeve.missing(NO_GASTRIC_SENSOR)
    return Sleeve(
        values,
        box.time,
        detail={
            "sleeve_cm": (float(box.depth[0]), float(box.depth[-1])),
            "window_s": (float(onset_s), float(stop)),
        },
    )


def _truncated(box: Cut, onset_s: float, parameters: Parameters) -> bool:
    if box.time.size < 2 or box.time[0] > onset_s + box.step_s + 1e-6:
        return True
    seen_s = box.time.size * box.step_s
    return seen_s < float(parameters["irp.minimum_window_s"]) - 1e-6


def stuck(box: Cut, parameters: Parameters) -> bool:
    """Whether a sensor in the box stands still while pressure moves around it.

    Parameters
    ----------
    box : Cut (depth, time) [mmHg]
    parameters : Parameters

    Returns
    -------
    bool
        True where a line of the grid has one value although both sides of it, 1 cm
        away, move by more than ``quality.stuck_mmhg``, or lie below
        ``quality.stuck_share`` of it while it makes the whole sleeve stand, as at the
        end of a sensor's range. Coarse numbers in a quiet place, which also repeat,
        are not taken for it (SPEC section 1.2).
    """
    low, high = box.values.min(axis=1), box.values.max(axis=1)
    away = max(1, round(1.0 / box.step_cm))
    if high.size <= 2 * away:
        return False
    span = high - low
    still = span[away:-away] == 0.0
    around = np.minimum(span[: -2 * away], span[2 * away :])
    moving = around > parameters["quality.stuck_mmhg"]
    beside = np.maximum(high[: -2 * away], high[2 * away :])
    alone = beside < parameters["quality.stuck_share"] * high[away:-away]
    tops = low[away:-away] >= high.max()
    return bool((still & (moving | (tops & alone))).any())


def integrated_relaxation_pressure(sleeve: Sleeve, duration_s: float) -> Measurement:
    """Mean of the lowest sleeve pressures that add up to a duration.

    Parameters
    ----------
    sleeve : Sleeve [mmHg above gastric]
    duration_s : float [s]

    Returns
    -------
    Measurement [mmHg]
        Over round(duration times rate) samples, contiguous or not (SPEC section 4,
        GHO07); ``rate_too_low`` if the duration is less than half a sample. Detail: that
        of the sleeve, and the ``times_s`` of these samples.
    """
    if sleeve.status != OK:
        return Measurement.missing(sleeve.status)
    finite = np.isfinite(sleeve.values)
    values, time = sleeve.values[finite], sleeve.time[finite]
    count = round(duration_s / sleeve.step_s)
    if count < 1:
        return Measurement.missing(RATE_TOO_LOW)
    if values.size < count:
        return Measurement.missing(WINDOW_TRUNCATED)
    lowest = np.argpartition(values, count - 1)[:count]
    return Measurement(
        float(np.mean(values[lowest])), detail={**sleeve.detail, "times_s": np.sort(time[lowest])}
    )


def irp_family(sleeve: Sleeve, parameters: Parameters) -> dict[str, Measurement]:
    """Integrated relaxation pressures over 0.2, 1, 2, 3 and 5 s, by contract name [mmHg]."""
    return {
        name: integrated_relaxation_pressure(sleeve, parameters[key])
        for name, key in IRP_PARAMETERS.items()
    }


def nadir(sleeve: Sleeve) -> Measurement:
    """Lowest sleeve pressure after the onset [mmHg above gastric] (SPEC section 3.2).

    Detail: ``time_s``, the first time at which it is reached.
    """
    if sleeve.status != OK:
        return Measurement.missing(sleeve.status)
    lowest = int(np.argmin(sleeve.values))
    return Measurement(
        float(sleeve.values[lowest]), detail={**sleeve.detail, "time_s": float(sleeve.time[lowest])}
    )


def residual(sleeve: Sleeve, parameters: Parameters) -> Measurement:
    """Residual pressure: lowest mean over 3 s on end [mmHg above gastric].

    Parameters
    ----------
    sleeve : Sleeve [mmHg above gastric]
    parameters : Parameters

    Returns
    -------
    Measurement [mmHg]
        Unlike the integrated relaxation pressure, of contiguous time. Detail:
        ``start_s`` of the earliest such stretch.

    Notes
    -----
    The field has no one rule for the residual pressure; this one is the parameter
    ``relaxation.residual_s``.
    """
    if sleeve.status != OK:
        return Measurement.missing(sleeve.status)
    count = max(1, round(parameters["relaxation.residual_s"] / sleeve.step_s))
    if sleeve.values.size < count:
        return Measurement.missing(WINDOW_TRUNCATED)
    means = np.lib.stride_tricks.sliding_window_view(sleeve.values, count).mean(axis=1)
    lowest = int(np.argmin(means))
    return Measurement(
        float(means[lowest]), detail={**sleeve.detail, "start_s": float(sleeve.time[lowest])}
    )


def relaxation_measurements(sleeve: Sleeve, parameters: Parameters) -> dict[str, Measurement]:
    """Give everything that one sleeve gives, by the names of the contract [mmHg]."""
    return {
        **irp_family(sleeve, parameters),
        "les_nadir_mmhg": nadir(sleeve),
        "les_residual_mmhg": residual(sleeve, parameters),
    }


def _at(trace: xr.DataArray, time: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.interp(time, trace["time"].values, trace.values.astype(np.float64))
