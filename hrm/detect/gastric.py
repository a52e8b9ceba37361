"""The gastric pressure that a swallow is measured against."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.detect._signal import during
from hrm.detect.landmarks import Landmarks
from hrm.detect.proposal import Proposal


def gastric_reference(
    pressure: xr.DataArray, proposal: Proposal, onset_s: float, parameters: Parameters
) -> float:
    """Return the baseline's gastric pressure, or the local one far away from the baseline.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg], coord ``depth`` [cm]
    proposal : Proposal
    onset_s : float [s]
    parameters : Parameters

    Returns
    -------
    float [mmHg]
        The constant of the baseline; the median over the 5 s before onset when the
        baseline is more than 5 minutes away (SPEC section 3.1). NaN without one.
    """
    marks, baseline = proposal.landmarks, proposal.baseline
    if baseline is None or not marks.gastric_sensors_cm:
        return marks.gastric_reference_mmhg  # a reader's, or missing
    away = max(baseline.start_s - onset_s, onset_s - baseline.stop_s)
    if away <= parameters["gastric.baseline_far_s"]:
        return marks.gastric_reference_mmhg
    time = pressure["time"].values
    before = during(time, onset_s - parameters["gastric.local_s"], onset_s)
    values = pressure.values[:, before][_sensors(pressure, marks)]
    return float(np.median(np.nanmedian(values, axis=1)))


def gastric_trace(
    pressure: xr.DataArray, marks: Landmarks, window: tuple[float, float], parameters: Parameters
) -> xr.DataArray | None:
    """Gastric pressure at each time, if the reference is to follow it.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg], coord ``depth`` [cm]
    marks : Landmarks
    window : tuple of float [s]
    parameters : Parameters

    Returns
    -------
    DataArray (time) [mmHg] or None
        None while ``gastric.reference`` is ``constant``.
    """
    chosen = _sensors(pressure, marks)
    if parameters["gastric.reference"] != "dynamic" or not chosen.any():
        return None
    part = pressure.sel(time=slice(*window))
    trace = np.median(part.values[chosen], axis=0)
    return xr.DataArray(trace, dims="time", coords={"time": part["time"]})


def _sensors(pressure: xr.DataArray, marks: Landmarks) -> NDArray[np.bool_]:
    return np.isin(pressure["depth"].values, marks.gastric_sensors_cm)
