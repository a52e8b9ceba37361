"""What every metric shares: the measurement it returns and the cut it looks at."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import xarray as xr
from numpy.typing import NDArray

OK = "ok"
LANDMARK_MISSING = "landmark_missing"
SENSOR_FAILED = "sensor_failed"
WINDOW_TRUNCATED = "window_truncated"
EXCLUDED = "excluded"
NO_WAVEFRONT = "no_wavefront"
NO_CONTRACTION = "no_contraction"


@dataclass(frozen=True)
class Measurement:
    """A number, or why there is none.

    Attributes
    ----------
    value : float
        NaN unless `status` is ``ok`` or a remark that leaves the number usable.
    status : str
    detail : mapping
        Where the number came from: places, times, levels.
    """

    value: float
    status: str = OK
    detail: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def missing(cls, status: str) -> Measurement:
        """Return a measurement that could not be made."""
        return cls(math.nan, status)


@dataclass(frozen=True)
class Cut:
    """Part of a pressure field as plain arrays.

    Attributes
    ----------
    values : array (depth, time) float32 [mmHg], C-contiguous where it was cut
    depth : array (depth,) [cm]
    time : array (time,) [s]
    """

    values: NDArray[np.float32]
    depth: NDArray[np.float64]
    time: NDArray[np.float64]

    @property
    def step_s(self) -> float:
        """Sampling interval [s]."""
        return float(self.time[1] - self.time[0]) if self.time.size > 1 else math.nan

    @property
    def step_cm(self) -> float:
        """Grid step [cm]."""
        return float(self.depth[1] - self.depth[0]) if self.depth.size > 1 else math.nan

    @property
    def empty(self) -> bool:
        """Whether fewer than two grid lines or samples are inside."""
        return self.depth.size < 2 or self.time.size < 2


#: A pressure field, with labels or as plain arrays.
Field: TypeAlias = xr.DataArray | Cut


def plain(field: Field) -> Cut:
    """Give a field (depth, time) [mmHg] as plain arrays, without a copy."""
    if isinstance(field, Cut):
        return field
    # Asked of the coordinates' variables: `field["depth"]` takes ten times as long.
    places = field.coords.variables
    return Cut(field.values, places["depth"].values, places["time"].values)


def cut(field: Field, top_cm: float, bottom_cm: float, start_s: float, stop_s: float) -> Cut:
    """Cut a box out of a field: depth both ends included, time start included.

    Parameters
    ----------
    field : DataArray or Cut (depth, time) [mmHg]
    top_cm, bottom_cm : float [cm]
    start_s, stop_s : float [s]

    Returns
    -------
    Cut
    """
    whole = plain(field)
    depth, time = whole.depth, whole.time
    # Half a microsecond and a micrometer keep binary rounding of times and depths out.
    rows = slice(*np.searchsorted(depth, [top_cm - 1e-6, bottom_cm + 1e-6]))
    columns = slice(*np.searchsorted(time, [start_s - 5e-7, stop_s - 5e-7]))
    values = np.ascontiguousarray(whole.values[rows, columns], dtype=np.float32)
    return Cut(values, depth[rows], time[columns])


def known(*numbers: float) -> bool:
    """Whether all numbers are finite."""
    return all(math.isfinite(number) for number in numbers)


def index_of_lowest(values: NDArray[np.float64]) -> int:
    """Index of the least value; the middle of its first run where it stands for a while."""
    first = int(np.argmin(values))
    other = np.flatnonzero(values[first:] > values[first])
    length = int(other[0]) if other.size else values.size - first
    return first + (length - 1) // 2
