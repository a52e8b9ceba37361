"""From the recording to the pressure that is measured, and what is said of it afterwards."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.detect.artefacts import catheter_shifts, egj_crossed, find_belches
from hrm.detect.landmarks import Landmarks
from hrm.detect.proposal import Proposal
from hrm.metrics import chicago
from hrm.metrics._base import SENSOR_FAILED, Measurement
from hrm.metrics.swallow import SwallowMetrics
from hrm.pipeline.missing import missing_sensors, without_les, without_ues
from hrm.preprocess import (
    FLAGS,
    Offsets,
    SensorQuality,
    correct_drift,
    estimate_drift,
    judge_sensors,
    repair_sensors,
)
from hrm.preprocess.drift import chosen_mode, offsets_of
from hrm.quality import Artefact, QualityRecord

if TYPE_CHECKING:
    from hrm.pipeline.study import Study

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Cleaned:
    """Pressure that can be measured, and how it came from the recording.

    `recorded` is untouched; `pressure` is corrected for drift and repaired.
    """

    recorded: xr.DataArray
    pressure: xr.DataArray
    sensors: SensorQuality
    offsets: Offsets | None
    drift_mode: str

    @property
    def usable(self) -> Mask:
        """Sensors that can be used, (sensor,)."""
        return self.sensors.usable


def clean(recording: xr.DataTree, parameters: Parameters) -> Cleaned:
    """Correct the drift and repair the sensors of a recording.

    Parameters
    ----------
    recording : DataTree
    parameters : Parameters

    Returns
    -------
    Cleaned

    Raises
    ------
    ParameterError
        If the drift offsets of the study cannot be used as ``drift.mode`` asks.
    """
    node = recording["pressure"].to_dataset()
    recorded = node["pressure"]
    offsets = offsets_of(node)
    mode = chosen_mode(offsets, str(recording.attrs["thermal_compensation"]), parameters)
    pressure = recorded
    if offsets is not None and mode != "none":
        pressure = correct_drift(recorded, offsets, mode=mode).astype(np.float32)
    sensors = judge_sensors(recorded, parameters)
    pressure = repair_sensors(pressure, sensors, kernel=parameters["interpolation.kernel"])
    return Cleaned(recorded, pressure, sensors, offsets, mode)


@dataclass(frozen=True)
class Doubts:
    """What speaks against single swallows and sphincters, once the landmarks are known.

    Attributes
    ----------
    belches : tuple of float [s]
    shifts_cm : tuple of float [cm]
        Of the catheter before each swallow.
    failed_zones : tuple of str
        ``ues``, ``les``: a sensor is missing in the middle of it, or more than may be bridged.
    bridged_zones : tuple of str
        A sensor of it is missing, at least for some time, and was bridged.
    """

    belches: tuple[float, ...] = ()
    shifts_cm: tuple[float, ...] = ()
    failed_zones: tuple[str, ...] = ()
    bridged_zones: tuple[str, ...] = ()


def doubts(
    cleaned: Cleaned, pressure: xr.DataArray, proposal: Proposal, parameters: Parameters
) -> Doubts:
    """Look for artefacts, and for sphincters that cannot be trusted.

    Parameters
    ----------
    cleaned : Cleaned
    pressure : DataArray (sensor, time) [mmHg]
        That is measured.
    proposal : Proposal
    parameters : Parameters
    """
    marks, baseline = proposal.landmarks, proposal.baseline
    usable = pressure[cleaned.usable]
    onsets = [onset.time_s for onset in proposal.onsets]
    missing = missing_sensors(cleaned.recorded, cleaned.sensors, parameters)
    failed, bridged = [], []
    for name, zone in _zones(marks).items():
        if missing.in_sphincter(*zone).all():
            failed.append(name)
        elif missing.touching(*zone).any():
            bridged.append(name)
    return Doubts(
        belches=tuple(find_belches(usable, marks, parameters)),
        shifts_cm=tuple(catheter_shifts(usable, marks, baseline, onsets, parameters)),
        failed_zones=tuple(failed),
        bridged_zones=tuple(bridged),
    )


def _zones(marks: Landmarks) -> dict[str, tuple[float, float]]:
    """Sphincters of which both borders are known [cm]."""
    zones = {
        "ues": (marks.ues_upper_cm, marks.ues_lower_cm),
        "les": (marks.les_upper_cm, marks.les_lower_cm),
    }
    return {name: zone for name, zone in zones.items() if all(map(math.isfinite, zone))}


def bell_bridged(study: Study) -> tuple[xr.DataArray, Mask] | None:
    """Give the pressure with the missing sensors of the LES as high as a bell shape makes them.

    Parameters
    ----------
    study : Study

    Returns
    -------
    DataArray (sensor, time) [mmHg] and array (sensor,) of bool, or None
        The pressure, and the sensors that can be used with it; None unless a sensor of the
        LES is bridged. What is missing is read off the
        Gaussian through the two sensors on each side, above gastric pressure, and is never
        below the interpolation: a peak between two sensors is otherwise lost, and with it a
        high relaxation pressure.
    """
    if "les" not in study.doubts.bridged_zones:
        return None
    marks, sensors = study.proposal.landmarks, study.cleaned.sensors
    depth = np.asarray(study.pressure["depth"].values, dtype=np.float64)
    out, usable = study.pressure.values.copy(), sensors.usable.copy()
    near = (depth >= marks.les_upper_cm - 1.0) & (depth <= marks.les_lower_cm + 1.0)
    for k in np.flatnonzero(near).tolist():
        lost = sensors.lost(k) if sensors.usable[k] else np.ones(out.shape[1], dtype=np.bool_)
        sides = [j for j in (k - 2, k - 1, k + 1, k + 2) if 0 <= j < depth.size]
        sides = [j for j in sides if sensors.usable[j]]
        if not lost.any() or not {k - 1, k + 1} <= set(sides):
            continue
        gastric = marks.gastric_reference_mmhg
        bell = (
            _bell(depth[sides], out[sides][:, lost].astype(np.float64) - gastric, float(depth[k]))
            + gastric
        )
        out[k, lost] = np.fmax(bell, out[k, lost]) if usable[k] else bell
        usable[k] = True
    return study.pressure.copy(data=out), usable


def _bell(
    depth: NDArray[np.float64], above: NDArray[np.float64], place: float
) -> NDArray[np.float64]:
    """Height at `place` of the Gaussian through some sensors, (time,) [mmHg]."""
    height = np.log(np.maximum(above, 1.0))
    offset = depth - place
    shape = np.vander(offset, 3 if depth.size > 2 else 2)
    fitted = np.linalg.lstsq(shape, height, rcond=None)[0][-1]
    highest = above.max(axis=0)
    # Twice the higher neighbor is what the narrowest sphincter makes of 1 cm spacing.
    line = np.minimum(np.exp(np.minimum(fitted, 6.0)), 2.0 * np.maximum(highest, 1.0))
    return np.asarray(np.maximum(line, 0.5 * (above[offset < 0][-1] + above[offset > 0][0])))


def without_failed(metrics: SwallowMetrics, failed_zones: Sequence[str]) -> SwallowMetrics:
    """Leave out what rests on a sphincter in which too many sensors failed.

    Parameters
    ----------
    metrics : SwallowMetrics
    failed_zones : sequence of str

    Returns
    -------
    SwallowMetrics
        With status ``sensor_failed`` in place of these numbers (SPEC section 1.2).
    """

    def lost(_: Measurement) -> Measurement:
        return Measurement.missing(SENSOR_FAILED)

    if "les" in failed_zones:
        metrics = without_les(metrics, lost)
    if "ues" in failed_zones:
        metrics = without_ues(metrics, lost)
    return metrics


def quality_record(study: Study) -> QualityRecord:
    """Bring together what is to be said of the quality of a study.

    Parameters
    ----------
    study : Study

    Returns
    -------
    QualityRecord
    """
    cleaned, found = study.cleaned, study.doubts
    sensors = cleaned.sensors
    time = cleaned.recorded["time"].values
    proposal = study.proposal
    shifted = [
        Artefact("catheter_shift", onset.time_s, shift)
        for onset, shift in zip(proposal.onsets, found.shifts_cm, strict=False)
        if abs(shift) > study.parameters["artefact.shift_cm"]
    ]
    artefacts = [
        *(Artefact("cough", at) for at in proposal.coughs),
        *(Artefact("belch", at) for at in found.belches),
        *shifted,
    ]
    offsets, count = cleaned.offsets, sensors.usable.size
    unknown = np.full(count, np.nan)
    start = unknown if offsets is None or offsets.start_mmhg is None else offsets.start_mmhg
    rested = _resting(study)
    lost_some = sensors.flags.any(axis=1)
    change = estimate_drift(cleaned.recorded, study.parameters)
    return QualityRecord(
        flags=sensors.flags,
        flag_names=FLAGS,
        window_start_s=time[sensors.edges[:-1]],
        status=sensors.status,
        usable=sensors.usable,
        repaired=lost_some & _bridgeable(sensors),
        numbers={
            "share": sensors.share,
            "rest_recorded_mmhg": rested(cleaned.recorded),
            "rest_mmhg": np.where(sensors.usable, rested(cleaned.pressure), np.nan),
            "offset_start_mmhg": start,
            "offset_end_mmhg": unknown if offsets is None else offsets.end_mmhg,
            "rest_change_mmhg": change,
        },
        drift=drift_block(cleaned, change, proposal.landmarks, study.parameters),
        failed_zones=found.failed_zones,
        bridged_zones=found.bridged_zones,
        egj_crossed=egj_crossed(proposal.landmarks, proposal.baseline),
        artefacts=sorted(artefacts, key=lambda one: one.time_s),
    )


def _resting(study: Study) -> Any:
    """Median of each sensor over the baseline, or over all where there is none."""
    baseline = study.proposal.baseline

    def median(pressure: xr.DataArray) -> NDArray[np.float64]:
        values = pressure.values if baseline is None else pressure.values[:, baseline.quiet]
        out = np.full(values.shape[0], np.nan)
        known = np.isfinite(values).any(axis=1)
        out[known] = np.nanmedian(values[known], axis=1)
        return out

    return median


def _bridgeable(sensors: SensorQuality) -> Mask:
    """Sensors of which both neighbors can be used."""
    good = sensors.usable
    out = np.zeros_like(good)
    out[1:-1] = good[:-2] & good[2:]
    return out


def drift_block(
    cleaned: Cleaned, change: NDArray[np.float64], marks: Landmarks, parameters: Parameters
) -> dict[str, Any]:
    """Say how large the drift is, and what was done about it.

    Parameters
    ----------
    cleaned : Cleaned
    change : array (sensor,) [mmHg]
        From `estimate_drift`.
    marks : Landmarks
    parameters : Parameters

    Returns
    -------
    dict
        ``mode``, ``mean_mmhg`` and ``max_mmhg`` of the offsets at the end over the usable
        sensors, ``flag``; and the same of the change at rest, which may be drift, posture
        or tone. Null where unknown.
    """
    usable, offsets = cleaned.usable, cleaned.offsets
    block: dict[str, Any] = {
        "mode": cleaned.drift_mode,
        "mean_mmhg": None,
        "max_mmhg": None,
        "flag": None,
        "rest_change_mean_mmhg": None,
        "rest_change_max_mmhg": None,
    }
    if offsets is not None:
        size = np.abs(offsets.end_mmhg)
        depth = cleaned.recorded["depth"].values
        inside = np.zeros_like(usable)
        for upper, lower in _zones(marks).values():
            inside |= (depth >= upper) & (depth <= lower)
        high = size[usable & inside] > parameters["drift.flag_sphincter_mmhg"]
        mean = float(size[usable].mean())
        block |= {"mean_mmhg": mean, "max_mmhg": float(size[usable].max())}
        block["flag"] = bool(mean > parameters["drift.flag_mean_mmhg"] or high.any())
    known = np.abs(change[usable & np.isfinite(change)])
    if known.size:
        block["rest_change_mean_mmhg"] = float(known.mean())
        block["rest_change_max_mmhg"] = float(known.max())
    return block


def quality_warnings(record: QualityRecord, parameters: Parameters) -> list[str]:
    """Say in words what of the quality a reader must know.

    Parameters
    ----------
    record : QualityRecord
    parameters : Parameters

    Returns
    -------
    list of str
    """
    out = _drift_warnings(record.drift, parameters)
    names = {"ues": "UES", "les": "LES"}
    out += [
        f"a sensor in the middle of the {names[zone]} failed, or several side by side: it cannot "
        "be measured"
        for zone in record.failed_zones
    ]
    out += [
        f"a sensor of the {names[zone]} is missing for at least some time and was bridged: the "
        "resting and relaxation pressures there may read low by several mmHg"
        for zone in record.bridged_zones
    ]
    if record.egj_crossed is False:
        out.append(
            "the catheter did not cross the EGJ: there is neither a pressure inversion point nor "
            "a gastric sensor"
        )
    kinds = [one.kind for one in record.artefacts]
    if "catheter_shift" in kinds:
        out.append(
            f"the catheter lies more than {parameters['artefact.shift_cm']:g} cm from the place of "
            f"the landmarks at {kinds.count('catheter_shift')} swallows, which are left out"
        )
    return out


def _drift_warnings(drift: Mapping[str, Any], parameters: Parameters) -> list[str]:
    if drift["flag"]:
        done = {
            "none": "not corrected",
            "offset": "taken away as one offset",
            "linear": "taken away as a straight line",
        }[drift["mode"]]
        text = (
            f"DRIFT: the sensors were off by {drift['mean_mmhg']:.1f} mmHg on average, at most "
            f"{drift['max_mmhg']:.1f} mmHg, at the end; {done}"
        )
        return [text]
    change = drift["rest_change_mean_mmhg"]
    if drift["mean_mmhg"] is None and change and change > parameters["drift.flag_mean_mmhg"]:
        text = (
            f"the resting pressure of the sensors changed by {change:.1f} mmHg on average from the "
            "first to the last part of the recording: drift, or posture; offsets of the sensors "
            "were not given, and nothing was corrected"
        )
        return [text]
    return []


def with_doubt(classification: dict[str, Any], study: Study) -> dict[str, Any]:
    """Take the certainty from a label that a missing LES sensor may have decided.

    Parameters
    ----------
    classification : dict
        From `hrm.metrics.chicago.classify`.
    study : Study

    Returns
    -------
    dict
        The same, not conclusive where the IRP as a bell-shaped sphincter would have it
        lies across its limit, or near it.
    """
    if "les" not in study.doubts.bridged_zones:
        return classification
    out = dict(classification)
    for version in chicago.VERSIONS:
        verdict = out[version]
        rules = [str(rule["rule"]) for rule in verdict["rationale"]]
        if any(rule.endswith("with kernel bridged") for rule in rules):
            noted = [*verdict["considerations"], "les_sensor_failed"]
            out[version] = {**verdict, "conclusive": False, "considerations": noted}
    return out


def bridged_remarks(study: Study, names: Sequence[str]) -> dict[str, str]:
    """Remark on resting pressures of an LES that lacks a sensor."""
    if "les" not in study.doubts.bridged_zones:
        return {}
    return dict.fromkeys((n for n in names if n.endswith(("_mmhg", "_mmhg_cm"))), "sensor_bridged")
