"""The esophagogastric junction at rest."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.metrics._base import LANDMARK_MISSING, SENSOR_FAILED, Measurement, cut, known

RESPIRATION_MISSING = "respiration_not_found"


def resting_sleeve(
    field: xr.DataArray, *, les_upper_cm: float, les_lower_cm: float, gastric_mmhg: float
) -> NDArray[np.float64]:
    """Greatest pressure between the LES borders above the gastric reference.

    Parameters
    ----------
    field : DataArray (depth, time) [mmHg]
    les_upper_cm, les_lower_cm : float [cm]
    gastric_mmhg : float [mmHg]

    Returns
    -------
    array (time,) [mmHg]
    """
    time = field["time"].values
    box = cut(field, les_upper_cm, les_lower_cm, float(time[0]), float(time[-1]) + 1.0)
    if box.depth.size == 0:
        return np.full(time.size, np.nan)
    return np.asarray(box.values.max(axis=0).astype(np.float64) - gastric_mmhg)


def basal_mean(
    sleeve: NDArray[np.float64],
    breaths: NDArray[np.int64],
    quiet: NDArray[np.bool_],
    parameters: Parameters,
) -> Measurement:
    """LES resting pressure as the mean over whole breaths.

    Parameters
    ----------
    sleeve : array (time,) [mmHg]
        From `resting_sleeve`, over the baseline.
    breaths : array of int
        Samples of the inspiratory peaks, indices into `sleeve`.
    quiet : array (time,) of bool
    parameters : Parameters

    Returns
    -------
    Measurement [mmHg]
        Over the breaths between the first and the last peak; with fewer breaths
        than wanted, over all quiet samples with status ``baseline_short``
        (SPEC section 3.1).
    """
    if not np.isfinite(sleeve).any():
        return Measurement.missing(LANDMARK_MISSING)
    n_breaths = max(0, breaths.size - 1)
    if n_breaths >= parameters["baseline.breaths"]:
        inside = np.zeros(sleeve.size, dtype=np.bool_)
        inside[breaths[0] : breaths[-1]] = True
        used, status = inside & quiet, "ok"
    else:
        used, status = quiet, "baseline_short"
    chosen = sleeve[used]
    if chosen.size == 0 or not np.isfinite(chosen).all():
        return Measurement.missing(SENSOR_FAILED)
    detail = {"breaths": n_breaths, "sleeve": sleeve, "used": used}
    return Measurement(float(np.mean(chosen)), status, detail)


def basal_end_expiratory(
    sleeve: NDArray[np.float64],
    end_expiration: NDArray[np.int64],
    half_width: int,
    quiet: NDArray[np.bool_],
) -> Measurement:
    """LES resting pressure at end expiration.

    Parameters
    ----------
    sleeve : array (time,) [mmHg]
    end_expiration : array of int
        Samples of end expiration, indices into `sleeve`.
    half_width : int
        Samples averaged either side of each.
    quiet : array (time,) of bool

    Returns
    -------
    Measurement [mmHg]
        Mean over breaths; NaN without breathing (SPEC section 3.1).
    """
    if not np.isfinite(sleeve).any():
        return Measurement.missing(LANDMARK_MISSING)
    around = [slice(max(0, k - half_width), k + half_width + 1) for k in end_expiration]
    around = [part for part in around if quiet[part].all()]
    means = [float(np.mean(sleeve[part])) for part in around]
    if not means:
        return Measurement.missing(RESPIRATION_MISSING)
    if not np.isfinite(means).all():
        return Measurement.missing(SENSOR_FAILED)
    detail = {"breaths": len(means), "sleeve": sleeve, "parts": around}
    return Measurement(float(np.mean(means)), detail=detail)


def les_length(les_upper_cm: float, les_lower_cm: float) -> Measurement:
    """Length of the high-pressure zone between its borders [cm]."""
    if not known(les_upper_cm, les_lower_cm):
        return Measurement.missing(LANDMARK_MISSING)
    return Measurement(les_lower_cm - les_upper_cm)


def les_cd_separation(les_peak_cm: float, crural_diaphragm_cm: float) -> Measurement:
    """Distance from the LES peak down to the crural diaphragm [cm] (SPEC section 2.3)."""
    if not known(les_peak_cm, crural_diaphragm_cm):
        return Measurement.missing(LANDMARK_MISSING)
    return Measurement(crural_diaphragm_cm - les_peak_cm)


def morphology(
    separation: Measurement,
    *,
    pressure_inversion_point_cm: float,
    les_peak_cm: float,
    crural_diaphragm_cm: float,
    parameters: Parameters,
) -> str | None:
    """EGJ morphology by the Chicago Classification v3.0 wording.

    Parameters
    ----------
    separation : Measurement [cm]
    pressure_inversion_point_cm, les_peak_cm, crural_diaphragm_cm : float [cm]
    parameters : Parameters

    Returns
    -------
    {"I", "II", "IIIa", "IIIb"} or None
        None when not measured; IIIa with the inversion point nearer to the
        diaphragm than to the LES, IIIb otherwise (SPEC section 2.4).
    """
    if not known(separation.value):
        return None
    if separation.value <= parameters["egj.type_2_cm"]:
        return "I"
    if separation.value <= parameters["egj.hernia_cm"]:
        return "II"
    if not known(pressure_inversion_point_cm):
        return None
    middle = 0.5 * (les_peak_cm + crural_diaphragm_cm)
    return "IIIa" if pressure_inversion_point_cm > middle else "IIIb"


def contractile_integral(
    field: xr.DataArray,
    *,
    les_upper_cm: float,
    egj_lower_cm: float,
    start_s: float,
    stop_s: float,
    gastric_mmhg: float,
    parameters: Parameters,
) -> Measurement:
    """EGJ contractile integral over a stretch of quiet breathing.

    Parameters
    ----------
    field : DataArray (depth, time) [mmHg]
    les_upper_cm, egj_lower_cm : float [cm]
    start_s, stop_s : float [s]
        Three consecutive breaths.
    gastric_mmhg : float [mmHg]
    parameters : Parameters

    Returns
    -------
    Measurement [mmHg cm]
        Excess over 2 mmHg above gastric, divided by the time (SPEC section 3.3).
    """
    if not known(les_upper_cm, egj_lower_cm, gastric_mmhg):
        return Measurement.missing(LANDMARK_MISSING)
    box = cut(field, les_upper_cm, egj_lower_cm, start_s, stop_s)
    if box.empty:
        return Measurement.missing(LANDMARK_MISSING)
    zero = gastric_mmhg + parameters["egj_ci.above_gastric_mmhg"]
    excess = np.maximum(box.values.astype(np.float64) - zero, 0.0)
    weights = np.ones(box.depth.size)
    weights[[0, -1]] = 0.5
    value = float(np.mean(weights @ excess) * box.step_cm)
    if not np.isfinite(value):
        return Measurement.missing(SENSOR_FAILED)
    return Measurement(value)
