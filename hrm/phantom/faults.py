"""What a catheter does to the pressures that it reads: drift, rails, coarse steps."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from hrm.errors import ParameterError
from hrm.phantom.field import Array

DRIFT_COURSES = ("step", "linear")
OFFSET_COLUMNS = (
    *("sensor", "depth_cm", "offset_start_mmhg", "offset_end_mmhg"),
    *("time_start_s", "time_end_s"),
)
_START_SD_MMHG = 1.5


@dataclass(frozen=True, slots=True)
class Offsets:
    """Error of each sensor [mmHg] at two times [s]; it changes evenly between them."""

    start_mmhg: Array
    end_mmhg: Array
    start_s: float
    end_s: float

    def at(self, t: Array) -> Array:
        """Error of each sensor over time, (sensor, time) [mmHg]."""
        share = (t - self.start_s) / (self.end_s - self.start_s)
        return np.asarray(
            self.start_mmhg[:, None] + np.outer(self.end_mmhg - self.start_mmhg, share)
        )


def linear_drift(values: Array, t: Array, mean_mmhg: float, rng: np.random.Generator) -> Offsets:
    """Draw the offsets of a linear drift.

    It starts near 0, has the asked mean over the sensors at the end, and is largest where
    the mean pressure is, which is the UES (SPEC 1.1).
    """
    exposure = np.maximum(values.mean(axis=1), 0.0)
    weight = 0.4 + 0.4 * rng.random(values.shape[0]) + 1.6 * exposure / max(exposure.max(), 1.0)
    start = np.asarray(_START_SD_MMHG * rng.standard_normal(values.shape[0]))
    end = np.asarray(mean_mmhg * weight / weight.mean())
    return Offsets(start, end, float(t[0]), float(t[-1]))


def attach_offsets(study: xr.DataTree, offsets: Offsets) -> None:
    """Say in a study what the offsets of its sensors are, as a measurement in air would."""
    ends = (
        ("offset_start_mmhg", offsets.start_mmhg, offsets.start_s, "start"),
        ("offset_end_mmhg", offsets.end_mmhg, offsets.end_s, "end"),
    )
    node = study["pressure"].to_dataset()
    for name, values, at, which in ends:
        attrs = {"units": "mmHg", "long_name": f"offset at the {which}", "time_s": at}
        node[name] = ("sensor", values, attrs)
    study["pressure"].dataset = node


def write_offsets(study: xr.DataTree, path: str | os.PathLike[str]) -> None:
    """Write the offsets of a study's sensors as a table (CSV).

    Parameters
    ----------
    study : DataTree
        Sampled with a linear drift.
    path : path-like
        Sensors count from 0, the most proximal one; depths are those of the study.

    Raises
    ------
    ParameterError
        If the study says nothing of offsets.
    """
    node = study["pressure"].to_dataset()
    if "offset_end_mmhg" not in node:
        raise ParameterError("the study has no offsets; sample it with drift_course='linear'")
    start, end = node["offset_start_mmhg"], node["offset_end_mmhg"]
    times = f"{start.attrs['time_s']:.3f},{end.attrs['time_s']:.3f}"
    rows = zip(node["depth"].values, start.values, end.values, strict=True)
    lines = [f"{i},{z:g},{a:.3f},{b:.3f},{times}" for i, (z, a, b) in enumerate(rows)]
    Path(path).write_text("\n".join([",".join(OFFSET_COLUMNS), *lines]) + "\n", encoding="utf-8")


def clip(values: Array, sensors: Sequence[int], rail_mmhg: float) -> None:
    """Let sensors go no further than the rail of their amplifier, in place."""
    rows = list(sensors)
    values[rows] = np.clip(values[rows], -rail_mmhg, rail_mmhg)
