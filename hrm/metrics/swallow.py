"""All metrics of one swallow, measured in the order in which they need each other."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import xarray as xr

from hrm.catalog import Parameters
from hrm.metrics import dci as dci_metric
from hrm.metrics import front as front_metric
from hrm.metrics._base import LANDMARK_MISSING, NO_CONTRACTION, Measurement, known
from hrm.metrics.chicago import SwallowLimits, SwallowType, swallow_type
from hrm.metrics.irp import irp
from hrm.metrics.pressurization import intrabolus_pressure, pressurization


@dataclass(frozen=True)
class Anatomy:
    """The resting landmarks that swallow metrics need [cm, mmHg]; NaN where unknown."""

    ues_lower_cm: float
    les_upper_cm: float
    crural_diaphragm_cm: float
    gastric_mmhg: float
    gastric_trace: xr.DataArray | None = None


@dataclass(frozen=True)
class SwallowMetrics:
    """What was measured in one swallow.

    Attributes
    ----------
    irp4s, dci, dci_box, distal_latency, break_length, ibp : Measurement
    cdp : DecelerationPoint or None
    transition_zone_cm : float [cm]
    pressurization : str
    type : SwallowType
    contraction_stop_s : float [s]
    status : dict
        Reasons that belong to no single number.
    """

    irp4s: Measurement
    dci: Measurement
    dci_box: Measurement
    distal_latency: Measurement
    break_length: Measurement
    ibp: Measurement
    cdp: front_metric.DecelerationPoint | None
    transition_zone_cm: float
    pressurization: str
    type: SwallowType
    contraction_stop_s: float
    status: dict[str, str] = field(default_factory=dict)

    def measurements(self) -> dict[str, Measurement]:
        """Return the numbers by the name they have in the contract."""
        place = Measurement.missing(self.distal_latency.status)
        if self.cdp is not None and known(self.distal_latency.value):
            place = Measurement(self.cdp.depth_cm)
        return {
            "irp4s_mmhg": self.irp4s,
            "dci_mmhg_s_cm": self.dci,
            "dci_box_mmhg_s_cm": self.dci_box,
            "distal_latency_s": self.distal_latency,
            "cdp_cm": place,
            "break_cm": self.break_length,
            "ibp_mmhg": self.ibp,
        }


def measure_swallow(
    pressure_field: xr.DataArray,
    *,
    onset_s: float,
    stop_s: float,
    anatomy: Anatomy,
    limits: SwallowLimits,
    parameters: Parameters,
) -> SwallowMetrics:
    """Measure one swallow.

    Parameters
    ----------
    pressure_field : DataArray (depth, time) [mmHg]
        From the onset (or before) to 25 s after it, or to `stop_s`.
    onset_s : float [s]
    stop_s : float [s]
        Onset of the next swallow or end of the recording.
    anatomy : Anatomy
    limits : SwallowLimits
    parameters : Parameters

    Returns
    -------
    SwallowMetrics
    """
    relaxation = irp(
        pressure_field,
        onset_s=onset_s,
        stop_s=stop_s,
        les_upper_cm=anatomy.les_upper_cm,
        gastric_mmhg=anatomy.gastric_mmhg,
        gastric_trace=anatomy.gastric_trace,
        parameters=parameters,
    )
    if not known(anatomy.ues_lower_cm, anatomy.les_upper_cm):
        return _without_body(relaxation)
    zone = front_metric.transition_zone(
        pressure_field,
        onset_s=onset_s,
        stop_s=stop_s,
        ues_lower_cm=anatomy.ues_lower_cm,
        les_upper_cm=anatomy.les_upper_cm,
        parameters=parameters,
    )
    span = {"onset_s": onset_s, "stop_s": stop_s, "top_cm": zone, "bottom_cm": anatomy.les_upper_cm}
    front = front_metric.wavefront(pressure_field, **span, parameters=parameters)
    wave = dci_metric.contraction(pressure_field, **span, parameters=parameters)
    integral = dci_metric.dci(wave, front=front, parameters=parameters)
    gap = dci_metric.longest_break(
        pressure_field,
        onset_s=onset_s,
        wave=wave,
        ues_lower_cm=anatomy.ues_lower_cm,
        les_upper_cm=anatomy.les_upper_cm,
        parameters=parameters,
    )
    pattern, pattern_status = pressurization(
        pressure_field,
        onset_s=onset_s,
        stop_s=stop_s,
        ues_lower_cm=anatomy.ues_lower_cm,
        les_upper_cm=anatomy.les_upper_cm,
        crural_diaphragm_cm=anatomy.crural_diaphragm_cm,
        front=front,
        parameters=parameters,
    )
    atypical = pattern == "panesophageal" or limits.fragmented.crossed_by(gap.value)
    point = front_metric.deceleration_point(
        front, les_upper_cm=anatomy.les_upper_cm, atypical=atypical, parameters=parameters
    )
    latency = front_metric.distal_latency(onset_s, point)
    if limits.failed.crossed_by(integral.value):
        # What is left of a failed contraction has no front that could be timed.
        latency, point = Measurement.missing(NO_CONTRACTION), None
    bolus = intrabolus_pressure(
        pressure_field,
        front=front,
        point=point,
        les_upper_cm=anatomy.les_upper_cm,
        gastric_mmhg=anatomy.gastric_mmhg,
        parameters=parameters,
    )
    kind = swallow_type(integral.value, latency.value, gap.value, limits)
    return SwallowMetrics(
        irp4s=relaxation,
        dci=integral,
        dci_box=dci_metric.dci(wave, front=None, parameters=parameters),
        distal_latency=latency,
        break_length=gap,
        ibp=bolus,
        cdp=point,
        transition_zone_cm=zone,
        pressurization=pattern,
        type=kind,
        contraction_stop_s=wave.stop_s if wave else math.nan,
        status={} if pattern_status == "ok" else {"pressurization": pattern_status},
    )


def _without_body(relaxation: Measurement) -> SwallowMetrics:
    missing = Measurement.missing(LANDMARK_MISSING)
    return SwallowMetrics(
        irp4s=relaxation,
        dci=missing,
        dci_box=missing,
        distal_latency=missing,
        break_length=missing,
        ibp=missing,
        cdp=None,
        transition_zone_cm=math.nan,
        pressurization="none",
        type=SwallowType(None, (), LANDMARK_MISSING),
        contraction_stop_s=math.nan,
        status={"pressurization": LANDMARK_MISSING},
    )
