"""Resting pressure along the catheter, and the upper sphincter found in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.detect._signal import crossing, row_medians


@dataclass(frozen=True)
class Sphincter:
    """A high-pressure zone at rest: borders and peak in cm, pressure in mmHg."""

    upper_cm: float
    peak_cm: float
    lower_cm: float
    peak_mmhg: float


def find_ues(pressure: xr.DataArray, parameters: Parameters) -> Sphincter | None:
    """Find the upper esophageal sphincter at rest.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg], coord ``depth`` [cm]
        Usable sensors; the whole recording, of which swallows fill a small part.
    parameters : Parameters

    Returns
    -------
    Sphincter or None
        Borders where the median profile crosses half of its peak above the
        pharyngeal and the esophageal baseline (SPEC section 2.5). None when no
        zone in the upper part of the catheter has resting tone.
    """
    depth = pressure["depth"].values
    profile = resting_profile(pressure)
    limit = depth[0] + parameters["ues.search_fraction"] * (depth[-1] - depth[0])
    inside = np.flatnonzero(depth <= limit)
    if inside.size < 2:
        return None
    peak = _first_prominent_peak(profile, inside, parameters["ues.tone_mmhg"])
    if peak is None:
        return None
    # The esophageal baseline is read below the zone, the pharyngeal one above it.
    below = float(np.min(profile[peak : min(peak + _count_within(depth, peak, 6.0), profile.size)]))
    above = float(np.min(profile[: peak + 1])) if peak > 0 else below
    fraction = parameters["ues.border_fraction"]
    height = float(profile[peak])
    return Sphincter(
        upper_cm=_border(depth, profile, peak, -1, above + fraction * (height - above)),
        peak_cm=float(depth[peak]),
        lower_cm=_border(depth, profile, peak, +1, below + fraction * (height - below)),
        peak_mmhg=height,
    )


def resting_profile(pressure: xr.DataArray) -> NDArray[np.float64]:
    """Median over time of the pressure at each sensor [mmHg], in which the UES is found."""
    return row_medians(pressure.values)


def _count_within(depth: NDArray[np.float64], start: int, length_cm: float) -> int:
    return int(np.searchsorted(depth, depth[start] + length_cm, side="right")) - start


def _first_prominent_peak(
    profile: NDArray[np.float64], inside: NDArray[np.int64], tone: float
) -> int | None:
    peak = int(inside[np.argmax(profile[inside])])
    below = profile[peak + 1 :]
    if below.size == 0 or profile[peak] - np.min(below[: max(6, inside.size)]) < tone:
        return None
    if peak > 0 and profile[peak] - np.min(profile[:peak]) < tone:
        return None
    return peak


def _border(
    depth: NDArray[np.float64],
    profile: NDArray[np.float64],
    peak: int,
    side: int,
    level: float,
) -> float:
    """Walk from the peak until the profile falls below `level`; end sensor if never."""
    k = peak
    while 0 <= k + side < profile.size:
        if profile[k + side] < level:
            step = float(depth[k + side] - depth[k])
            return crossing(
                float(profile[k]), float(profile[k + side]), level, float(depth[k]), step
            )
        k += side
    return float(depth[k])
