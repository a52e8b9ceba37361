"""All metrics of one swallow, measured in the order in which they need each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import xarray as xr

from hrm.catalog import Parameters
from hrm.metrics import dci as dci_metric
from hrm.metrics import front as front_metric
from hrm.metrics._base import LANDMARK_MISSING, NO_CONTRACTION, Measurement, known
from hrm.metrics.borderline import dci_readings
from hrm.metrics.irp import irp, irp_readings
from hrm.metrics.pressurization import intrabolus_pressure, pressurization
from hrm.metrics.swallow_types import SwallowLimits, SwallowType, swallow_type

#: One swallow by other interpolation kernels, by their names; None where nothing asks for it.
OtherFields = Mapping[str, xr.DataArray] | None


@dataclass(frozen=True)
class Anatomy:
    """The resting landmarks that swallow metrics need [cm, mmHg]; NaN where unknown.

    `transition_zone_cm` and `cdp_cm` are a reader's, which are used instead of being
    looked for in the swallow.
    """

    ues_lower_cm: float
    les_upper_cm: float
    crural_diaphragm_cm: float
    gastric_mmhg: float
    gastric_trace: xr.DataArray | None = None
    transition_zone_cm: float = math.nan
    cdp_cm: float = math.nan
    les_lower_cm: float = math.nan


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
    other_fields: OtherFields = None,
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
    other_fields : mapping of str to DataArray (depth, time) [mmHg], optional
        The same field by other interpolation kernels. With it (it may be empty) IRP and
        DCI carry in their detail ``readings`` what they are by other admissible readings.

    Returns
    -------
    SwallowMetrics
    """
    window = _Window(pressure_field, other_fields, onset_s, stop_s, anatomy, limits, parameters)
    relaxation = _relaxation(window)
    if not known(anatomy.ues_lower_cm, anatomy.les_upper_cm):
        return _without_body(relaxation)
    return _with_body(window, relaxation)


@dataclass(frozen=True)
class _Window:
    """The arguments that the metrics share."""

    field: xr.DataArray
    others: OtherFields
    onset_s: float
    stop_s: float
    anatomy: Anatomy
    limits: SwallowLimits
    parameters: Parameters

    def times(self) -> dict[str, float]:
        return {"onset_s": self.onset_s, "stop_s": self.stop_s}

    def borders(self) -> dict[str, float]:
        return {
            "ues_lower_cm": self.anatomy.ues_lower_cm,
            "les_upper_cm": self.anatomy.les_upper_cm,
        }


def _relaxation(window: _Window) -> Measurement:
    anatomy = window.anatomy
    place = {
        **window.times(),
        "les_upper_cm": anatomy.les_upper_cm,
        "gastric_mmhg": anatomy.gastric_mmhg,
    }
    trace, parameters = anatomy.gastric_trace, window.parameters
    found = irp(window.field, **place, gastric_trace=trace, parameters=parameters)
    if window.others is None or not known(found.value):
        return found
    readings = irp_readings(
        window.field,
        window.others,
        **place,
        les_lower_cm=anatomy.les_lower_cm,
        gastric_trace=trace,
        parameters=parameters,
    )
    return replace(found, detail={**found.detail, "readings": readings})


def _integral(
    window: _Window, wave: dci_metric.Contraction | None, front: front_metric.Wavefront
) -> Measurement:
    found = dci_metric.dci(wave, front=front, parameters=window.parameters)
    if window.others is None or wave is None or not known(found.value):
        return found
    fields = (window.field, *window.others.values())
    readings = dci_readings(fields, wave, front, window.parameters)
    return replace(found, detail={**found.detail, "readings": readings})


def _with_body(window: _Window, relaxation: Measurement) -> SwallowMetrics:
    field, anatomy, parameters = window.field, window.anatomy, window.parameters
    zone = anatomy.transition_zone_cm
    if not known(zone):
        zone = front_metric.transition_zone(
            field, **window.times(), **window.borders(), parameters=parameters
        )
    if not known(zone):
        # Borders so near to each other leave no body in which anything could be measured.
        return _without_body(relaxation)
    span = {**window.times(), "top_cm": zone, "bottom_cm": anatomy.les_upper_cm}
    front = front_metric.wavefront(field, **span, parameters=parameters)
    wave = dci_metric.contraction(field, **span, parameters=parameters)
    integral = _integral(window, wave, front)
    gap = dci_metric.longest_break(
        field, onset_s=window.onset_s, wave=wave, **window.borders(), parameters=parameters
    )
    pattern, pattern_status = pressurization(
        field,
        **window.times(),
        **window.borders(),
        crural_diaphragm_cm=anatomy.crural_diaphragm_cm,
        front=front,
        parameters=parameters,
    )
    atypical = pattern == "panesophageal" or window.limits.fragmented.crossed_by(gap.value)
    point, latency = _timing(window, front, integral, atypical=atypical)
    kind = swallow_type(integral.value, latency.value, gap.value, window.limits)
    if kind.type == "failed":
        # Without a contraction its contour has no gap; pressurization would fill one.
        gap = Measurement.missing(NO_CONTRACTION)
    return SwallowMetrics(
        irp4s=relaxation,
        dci=integral,
        dci_box=dci_metric.dci(wave, front=None, parameters=parameters),
        distal_latency=latency,
        break_length=gap,
        ibp=intrabolus_pressure(
            field,
            front=front,
            point=point,
            les_upper_cm=anatomy.les_upper_cm,
            gastric_mmhg=anatomy.gastric_mmhg,
            parameters=parameters,
        ),
        cdp=point,
        transition_zone_cm=zone,
        pressurization=pattern,
        type=kind,
        contraction_stop_s=wave.stop_s if wave else math.nan,
        status={} if pattern_status == "ok" else {"pressurization": pattern_status},
    )


def _timing(
    window: _Window, front: front_metric.Wavefront, integral: Measurement, *, atypical: bool
) -> tuple[front_metric.DecelerationPoint | None, Measurement]:
    """Deceleration point and distal latency, unless nothing contracts."""
    if known(window.anatomy.cdp_cm):
        point = front_metric.point_at(front, window.anatomy.cdp_cm, window.parameters)
        return point, front_metric.distal_latency(window.onset_s, point)
    if window.limits.failed.crossed_by(integral.value):
        # What is left of a failed contraction has no front that could be timed.
        return None, Measurement.missing(NO_CONTRACTION)
    point = front_metric.deceleration_point(
        front,
        les_upper_cm=window.anatomy.les_upper_cm,
        atypical=atypical,
        parameters=window.parameters,
    )
    return point, front_metric.distal_latency(window.onset_s, point)


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
