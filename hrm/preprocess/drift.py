"""Drift of the sensors: corrected where its offsets were measured, estimated where not.

A correction is a straight line for each sensor that is taken away and can be put back;
without measured offsets nothing is corrected, and what looks like drift is only said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.errors import ParameterError

MODES = ("none", "offset", "linear")
#: Variables of ``/pressure`` that hold measured offsets.
START, END = "offset_start_mmhg", "offset_end_mmhg"


@dataclass(frozen=True)
class Offsets:
    """Measured error of each sensor at one or two times.

    Attributes
    ----------
    end_mmhg : array (sensor,) [mmHg]
        After the study: what the sensors read at zero pressure and body temperature.
    start_mmhg : array (sensor,) [mmHg] or None
        The same before the study; None if it was not measured.
    start_s, end_s : float [s]
        When, counted from the first sample; a time outside the recording is sound.
    """

    end_mmhg: NDArray[np.float64]
    end_s: float
    start_mmhg: NDArray[np.float64] | None = None
    start_s: float = 0.0

    def at(self, time: NDArray[np.float64], mode: str) -> NDArray[np.float64]:
        """Error of each sensor over time, (sensor, time) or (sensor, 1) [mmHg].

        Raises
        ------
        ParameterError
            If the mode is unknown, or asks for an offset that was not measured.
        """
        if mode not in MODES:
            raise ParameterError(f"drift mode must be one of {', '.join(MODES)}, got {mode!r}")
        if mode == "none":
            return np.zeros((self.end_mmhg.size, 1))
        if mode == "offset":
            return self.end_mmhg[:, None]
        if self.start_mmhg is None:
            raise ParameterError(
                "a linear drift correction needs the offsets of both ends, and those of the start "
                "are missing; use mode offset, or give both"
            )
        share = np.clip((time - self.start_s) / (self.end_s - self.start_s), 0.0, 1.0)
        return np.asarray(
            self.start_mmhg[:, None] + np.outer(self.end_mmhg - self.start_mmhg, share)
        )


def offsets_of(node: xr.Dataset) -> Offsets | None:
    """Take the measured offsets out of the node ``/pressure`` of a study.

    Parameters
    ----------
    node : Dataset
        With ``offset_end_mmhg`` (sensor) and, if measured, ``offset_start_mmhg``; the
        attribute ``time_s`` of each says when.

    Returns
    -------
    Offsets or None
        None if the study holds none.

    Raises
    ------
    ParameterError
        If they cannot be used.
    """
    if END not in node:
        return None
    start = _ends(node, START) if START in node else None
    end, end_s = _ends(node, END)
    if start is None:
        return Offsets(end, end_s)
    if not start[1] < end_s:
        raise ParameterError(
            f"the offsets of the end are from {end_s:g} s, and those of the start from "
            f"{start[1]:g} s; the end must be later"
        )
    return Offsets(end, end_s, start[0], start[1])


def _ends(node: xr.Dataset, name: str) -> tuple[NDArray[np.float64], float]:
    variable = node[name]
    values = np.asarray(variable.values, dtype=np.float64)
    when = float(variable.attrs.get("time_s", np.nan))
    faults = []
    if variable.dims != ("sensor",):
        faults.append(f"dims {variable.dims}, expected ('sensor',)")
    elif not np.isfinite(values).all():
        faults.append("a value that is not a number")
    if variable.attrs.get("units", "mmHg") != "mmHg":
        faults.append("a unit other than mmHg")
    if not np.isfinite(when):
        faults.append("no attribute time_s that says when")
    if faults:
        raise ParameterError(f"the drift offsets {name} of the study have {'; '.join(faults)}")
    return values, when


def chosen_mode(offsets: Offsets | None, compensation: str, parameters: Parameters) -> str:
    """Choose how the drift of a study is corrected.

    Parameters
    ----------
    offsets : Offsets or None
    compensation : str
        The study's ``thermal_compensation``.
    parameters : Parameters
        ``drift.mode``.

    Returns
    -------
    {"none", "offset", "linear"}
        By default: nothing if the vendor's software applied it, or without offsets; a
        straight line with the offsets of both ends; nothing with those of the end only,
        for when they arose is not known (SPEC section 1.1).

    Raises
    ------
    ParameterError
        If a mode is asked for, and its offsets are missing.
    """
    wanted = str(parameters["drift.mode"])
    if wanted in ("offset", "linear") and offsets is None:
        raise ParameterError(
            f"drift.mode is {wanted}, but the study holds no measured offsets; give a table of them"
        )
    if wanted == "linear" and offsets is not None and offsets.start_mmhg is None:
        raise ParameterError("drift.mode is linear, but the offsets of the start are missing")
    if wanted != "auto":
        return wanted
    if offsets is None or offsets.start_mmhg is None or compensation == "applied":
        return "none"
    return "linear"


def correct_drift(pressure: xr.DataArray, offsets: Offsets, *, mode: str) -> xr.DataArray:
    """Take the drift away.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg]
    offsets : Offsets
    mode : {"none", "offset", "linear"}
        The offset of the end from every sample, or a straight line between both ends,
        level outside of them (SPEC section 1.1).

    Returns
    -------
    DataArray (sensor, time) float64 [mmHg]
        In double precision, from which `restore_drift` gives the very numbers back.
    """
    _check_sensors(pressure, offsets)
    values = pressure.values.astype(np.float64)
    values -= offsets.at(pressure["time"].values, mode)
    return pressure.copy(data=values)


def restore_drift(pressure: xr.DataArray, offsets: Offsets, *, mode: str) -> xr.DataArray:
    """Put the drift back: the exact inverse of `correct_drift`.

    Returns
    -------
    DataArray (sensor, time) float32 [mmHg]
        The very numbers that were corrected; what is below a millionth of a mmHg, within
        1e-12 mmHg.
    """
    _check_sensors(pressure, offsets)
    values = pressure.values + offsets.at(pressure["time"].values, mode)
    return pressure.copy(data=values.astype(np.float32))


def _check_sensors(pressure: xr.DataArray, offsets: Offsets) -> None:
    if pressure.sizes["sensor"] != offsets.end_mmhg.size:
        raise ParameterError(
            f"{offsets.end_mmhg.size} drift offsets for {pressure.sizes['sensor']} sensors"
        )


def estimate_drift(pressure: xr.DataArray, parameters: Parameters) -> NDArray[np.float64]:
    """Estimate how much the resting pressure of each sensor rose during the study.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg]
    parameters : Parameters
        ``drift.estimate_share``, ``drift.estimate_least_s``.

    Returns
    -------
    array (sensor,) [mmHg]
        Median of the last part less that of the first; NaN where a part is too short
        or empty. Swallows fill less than half of a part, so a median is at rest. A change of posture,
        or of tone, looks the same: this is a reason to look, never a correction.
    """
    time = pressure["time"].values
    length = parameters["drift.estimate_share"] * float(time[-1] - time[0])
    out = np.full(pressure.sizes["sensor"], np.nan)
    if length < parameters["drift.estimate_least_s"]:
        return out
    first, last = time <= time[0] + length, time >= time[-1] - length
    early, late = (pressure.values[:, part] for part in (first, last))
    known = np.isfinite(early).any(axis=1) & np.isfinite(late).any(axis=1)
    out[known] = np.nanmedian(late[known], axis=1) - np.nanmedian(early[known], axis=1)
    return out
