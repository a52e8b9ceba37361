"""What follows a swallow further down: a contraction that runs down, an LES that relaxes.

A fall of the UES without a pharyngeal wave, in a pharynx that is in view, may be a swallow
or a belch. It is taken for a swallow only by what a belch does not do (SPEC section 11).
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.detect._signal import during, runs
from hrm.detect.landmarks import rough_les
from hrm.detect.profile import Sphincter


def is_deglutitive(
    pressure: xr.DataArray,
    ues: Sphincter,
    fall_s: float,
    parameters: Parameters,
    *,
    les_cm: float | None = None,
) -> bool:
    """Whether a fall of the UES is followed as a swallow is, and not preceded as a belch is.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg], coord ``depth`` [cm]
        Usable sensors only.
    ues : Sphincter
        At rest.
    fall_s : float [s]
    parameters : Parameters
    les_cm : float, optional
        From `les_below`, to find it once for many falls.

    Returns
    -------
    bool
        A contraction runs down the body, or the LES relaxes, within
        ``detect.activity_s``; and no common cavity came before. A simultaneous rise is
        no contraction: straining makes one too.
    """
    depth = pressure["depth"].values
    les = les_below(pressure, ues, parameters) if les_cm is None else les_cm
    bottom = les if math.isfinite(les) else float(depth[-1]) + 1.0
    body = (depth > ues.lower_cm + parameters["tz.below_ues_cm"]) & (depth < bottom - 1.0)
    if cavity_before(pressure, body, fall_s, parameters):
        return False
    return contraction_follows(pressure, body, fall_s, parameters) or les_relaxes(
        pressure, les, fall_s, parameters
    )


def les_below(pressure: xr.DataArray, ues: Sphincter, parameters: Parameters) -> float:
    """Find about where the LES lies in the whole recording [cm]; NaN if it does not show."""
    top = ues.lower_cm + parameters["les.search_below_ues_cm"]
    return rough_les(pressure, top, np.ones(pressure.sizes["time"], dtype=np.bool_))


def rise_before(
    pressure: xr.DataArray, body: NDArray[np.bool_], fall_s: float, parameters: Parameters
) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Pressures just before `fall_s`, and how far the body had risen to them.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg]
    body : array (sensor,) of bool
    fall_s : float [s]
    parameters : Parameters

    Returns
    -------
    within : array (sensor, time) [mmHg]
        Of all sensors, the last third of ``artefact.cavity_before_s``.
    rise : array (body sensor,) [mmHg]
        Median of the body within, less that of the time before the cavity can have begun.
        None instead of both where the recording does not reach that far back.
    """
    time, values = pressure["time"].values, pressure.values
    length = parameters["artefact.cavity_before_s"]
    within = values[:, during(time, fall_s - length / 3.0, fall_s - 0.1)]
    before = values[:, during(time, fall_s - 3.0 * length, fall_s - length)]
    if not (body.any() and within.size and before.size):
        return None
    return within, np.median(within[body], axis=1) - np.median(before[body], axis=1)


def cavity_before(
    pressure: xr.DataArray, body: NDArray[np.bool_], fall_s: float, parameters: Parameters
) -> bool:
    """Whether the whole body rose at once and stayed up until `fall_s` (a common cavity).

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg]
    body : array (sensor,) of bool
    fall_s : float [s]
    parameters : Parameters

    Returns
    -------
    bool
    """
    found = rise_before(pressure, body, fall_s, parameters)
    return found is not None and all_rose(found[1], parameters)


def all_rose(rise: NDArray[np.float32], parameters: Parameters) -> bool:
    """Whether so many sensors of the body rose that it was one cavity."""
    risen = np.mean(rise >= parameters["artefact.cavity_rise_mmhg"])
    return bool(risen >= parameters["artefact.cavity_share"])


def contraction_follows(
    pressure: xr.DataArray, body: NDArray[np.bool_], fall_s: float, parameters: Parameters
) -> bool:
    """Whether the contour of a contraction runs down neighboring sensors after `fall_s`.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg], coord ``depth`` [cm]
    body : array (sensor,) of bool
    fall_s : float [s]
    parameters : Parameters

    Returns
    -------
    bool
        Over at least ``detect.contraction_cm`` the onsets go down in order, not faster
        than ``detect.contraction_fastest_cm_s`` in all and not slower than
        ``detect.contraction_slowest_cm_s`` from one sensor to the next.
    """
    depth = pressure["depth"].values[body]
    onsets = _contour_onsets(pressure, body, fall_s, parameters)
    time = pressure["time"].values
    # Onsets one sampling interval out of order cannot be told from simultaneous.
    slack = 1.5 * float(time[1] - time[0])
    first = 0
    for k, (above, here) in enumerate(pairwise(onsets), start=1):
        slowest = (depth[k] - depth[k - 1]) / parameters["detect.contraction_slowest_cm_s"]
        if not -slack <= here - above <= slowest:
            first = k
            continue
        extent = float(depth[k] - depth[first])
        delay = float(here - onsets[first])
        if (
            extent >= parameters["detect.contraction_cm"] - 1e-6
            and delay * parameters["detect.contraction_fastest_cm_s"] >= extent
        ):
            return True
    return False


def _contour_onsets(
    pressure: xr.DataArray, body: NDArray[np.bool_], fall_s: float, parameters: Parameters
) -> NDArray[np.float64]:
    """When each sensor first stays above its contour after `fall_s` [s]; NaN if it does not."""
    time = pressure["time"].values
    rate = 1.0 / float(time[1] - time[0])
    shortest = max(1, round(parameters["detect.contraction_s"] * rate))
    window = during(time, fall_s, fall_s + parameters["detect.activity_s"], last=True)
    following = pressure.values[:, window][body]
    preceding = pressure.values[:, during(time, fall_s - 3.0, fall_s)][body]
    onsets = np.full(int(body.sum()), np.nan)
    if following.shape[1] < 2 or not preceding.shape[1]:
        return onsets
    for k, (values, earlier) in enumerate(zip(following, preceding, strict=True)):
        level = float(np.median(earlier)) + parameters["detect.contraction_mmhg"]
        # What is up already when the UES falls belongs to an earlier swallow.
        spans = [(a, b) for a, b in runs(values >= level) if a > 0 and b - a >= shortest]
        if spans:
            onsets[k] = time[window][spans[0][0]]
    return onsets


def les_relaxes(
    pressure: xr.DataArray, les_cm: float, fall_s: float, parameters: Parameters
) -> bool:
    """Whether the LES opens after `fall_s`, and was not open before.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg], coord ``depth`` [cm]
    les_cm : float [cm]
        Its peak at rest; NaN if there is none.
    fall_s : float [s]
    parameters : Parameters

    Returns
    -------
    bool
        The lowest mean over ``detect.les_mean_s`` of the e-sleeve falls by at least
        ``detect.activity_mmhg`` from what it was in as long a time before; of a weak LES,
        by ``detect.les_drop_fraction`` of its height above the stomach and at least
        ``detect.les_least_mmhg``. Lowest with lowest: the swing of breathing is in both.
    """
    if math.isnan(les_cm):
        return False
    time, depth = pressure["time"].values, pressure["depth"].values
    length = parameters["detect.activity_s"]
    before = pressure.values[:, during(time, fall_s - length, fall_s)]
    after = pressure.values[:, during(time, fall_s, fall_s + length, last=True)]
    width = round(parameters["detect.les_mean_s"] / float(time[1] - time[0]))
    if min(before.shape[1], after.shape[1]) < 2 * width or width < 1:
        return False
    half = 0.5 * parameters["irp.sleeve_length_cm"]
    sleeve = np.abs(depth - les_cm) <= half
    tone = _lowest_mean(before[sleeve].max(axis=0).astype(np.float64), width)
    fall = tone - _lowest_mean(after[sleeve].max(axis=0).astype(np.float64), width)
    if fall >= parameters["detect.activity_mmhg"]:
        return True
    stomach = depth > les_cm + half
    if not stomach.any():
        return False
    height = tone - float(np.median(before[stomach]))
    share = parameters["detect.les_drop_fraction"]
    return bool(fall >= parameters["detect.les_least_mmhg"] and fall >= share * height)


def _lowest_mean(values: NDArray[np.float64], width: int) -> float:
    total = np.cumsum(np.concatenate(([0.0], values)))
    return float(np.min(total[width:] - total[:-width])) / width
