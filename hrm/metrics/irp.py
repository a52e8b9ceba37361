"""Integrated relaxation pressure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.metrics._base import (
    LANDMARK_MISSING,
    SENSOR_FAILED,
    WINDOW_TRUNCATED,
    Measurement,
    cut,
    known,
)


def irp(
    field: xr.DataArray,
    *,
    onset_s: float,
    stop_s: float,
    les_upper_cm: float,
    gastric_mmhg: float,
    gastric_trace: xr.DataArray | None = None,
    parameters: Parameters,
) -> Measurement:
    """Mean of the lowest 4 s of e-sleeve pressure in the 10 s after onset.

    Parameters
    ----------
    field : DataArray (depth, time) [mmHg]
    onset_s : float [s]
        Onset of UES relaxation.
    stop_s : float [s]
        End of the recording or onset of the next swallow.
    les_upper_cm : float [cm]
        Proximal LES border at rest; places the e-sleeve.
    gastric_mmhg : float [mmHg]
    gastric_trace : DataArray (time) [mmHg], optional
        A reference that changes with time, on the times of `field`; replaces the
        constant one.
    parameters : Parameters

    Returns
    -------
    Measurement [mmHg]
        The 4 s need not be contiguous. Detail: ``sleeve_cm``, ``window_s`` and
        the ``times_s`` of the samples averaged.

    Notes
    -----
    SPEC section 4; GHO07. The sleeve is 6 cm long from 2 cm above the LES.
    """
    if not known(onset_s, les_upper_cm, gastric_mmhg):
        return Measurement.missing(LANDMARK_MISSING)
    top = les_upper_cm - parameters["irp.sleeve_above_cm"]
    stop = min(onset_s + parameters["irp.window_s"], stop_s)
    box = cut(field, top, top + parameters["irp.sleeve_length_cm"], onset_s, stop)
    if box.empty or box.time.size * box.step_s < parameters["irp.minimum_window_s"] - 1e-6:
        return Measurement.missing(WINDOW_TRUNCATED)
    sleeve = box.values.max(axis=0).astype(np.float64)
    sleeve -= gastric_mmhg if gastric_trace is None else _at(gastric_trace, box.time)
    if not np.isfinite(sleeve).all():
        return Measurement.missing(SENSOR_FAILED)
    count = round(parameters["irp.duration_s"] / box.step_s)
    lowest = np.argpartition(sleeve, count - 1)[:count]
    return Measurement(
        float(np.mean(sleeve[lowest])),
        detail={
            "sleeve_cm": (float(box.depth[0]), float(box.depth[-1])),
            "window_s": (float(onset_s), float(stop)),
            "times_s": np.sort(box.time[lowest]),
        },
    )


def irp_readings(
    field: xr.DataArray,
    others: Mapping[str, xr.DataArray],
    *,
    onset_s: float,
    stop_s: float,
    les_upper_cm: float,
    les_lower_cm: float,
    gastric_mmhg: float,
    gastric_trace: xr.DataArray | None = None,
    parameters: Parameters,
) -> dict[str, float]:
    """IRP by the other admissible placements of the sleeve and interpolation kernels.

    Parameters
    ----------
    field : DataArray (depth, time) [mmHg]
        By the kernel that the IRP is reported with.
    others : mapping of str to DataArray (depth, time) [mmHg]
        The same swallow by other kernels, by their names.
    onset_s, stop_s, les_upper_cm, gastric_mmhg, gastric_trace, parameters
        As for `irp`.
    les_lower_cm : float [cm]
        Distal LES border at rest.

    Returns
    -------
    dict of str to float [mmHg]
        ``kernel_<name>`` by each other kernel; ``sleeve_centered`` on the middle of the
        LES; ``border_higher`` and ``border_lower`` with the proximal border shifted by
        ``irp.borderline_shift_cm``. What cannot be measured is left out.

    Notes
    -----
    SPEC section 3.2: where the IRP crosses its limit between placements it is borderline.
    """
    shift = parameters["irp.borderline_shift_cm"]
    above, length = parameters["irp.sleeve_above_cm"], parameters["irp.sleeve_length_cm"]
    # The border that would put the sleeve's middle on the middle of the LES.
    centered = (les_upper_cm + les_lower_cm) / 2.0 - length / 2.0 + above
    wanted = {f"kernel_{name}": (other, les_upper_cm) for name, other in others.items()}
    wanted |= {
        "sleeve_centered": (field, centered),
        "border_higher": (field, les_upper_cm - shift),
        "border_lower": (field, les_upper_cm + shift),
    }
    found = {
        name: irp(
            pressure,
            onset_s=onset_s,
            stop_s=stop_s,
            les_upper_cm=border,
            gastric_mmhg=gastric_mmhg,
            gastric_trace=gastric_trace,
            parameters=parameters,
        ).value
        for name, (pressure, border) in wanted.items()
    }
    return {name: value for name, value in found.items() if known(value)}


def _at(trace: xr.DataArray, time: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.interp(time, trace["time"].values, trace.values.astype(np.float64))
