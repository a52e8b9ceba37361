"""All metrics of one swallow, measured in the order in which they need each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import xarray as xr

from hrm.catalog import Parameters
from hrm.metrics import dci as dci_metric
from hrm.metrics import front as front_metric
from hrm.metrics import peaks as peaks_metric
from hrm.metrics._base import (
    LANDMARK_MISSING,
    NO_CONTRACTION,
    WINDOW_TRUNCATED,
    Cut,
    Field,
    Measurement,
    known,
    plain,
)
from hrm.metrics.borderline import dci_readings
from hrm.metrics.irp import irp, irp_readings
from hrm.metrics.pressurization import intrabolus_pressure, pressurization
from hrm.metrics.relaxation import Sleeve, relaxation_measurements, relaxation_sleeve
from hrm.metrics.swallow_types import SwallowLimits, SwallowType, swallow_type
from hrm.metrics.ues import UesRelaxation, ues_relaxation
from hrm.metrics.velocity import contractile_front_velocity, is_rapid


@dataclass(frozen=True)
class OtherFields:
    """One swallow by other interpolation kernels, by their names.

    Attributes
    ----------
    les, body : mapping of str to DataArray (depth, time) [mmHg]
        By other kernels for the LES, and for what lies above it.
    """

    les: Mapping[str, xr.DataArray]
    body: Mapping[str, xr.DataArray]


@dataclass(frozen=True)
class Anatomy:
    """The resting landmarks that swallow metrics need [cm, mmHg]; NaN where unknown.

    `transition_zone_cm`, `cdp_cm` and `contour_mmhg`, the level of the wavefront, are a
    reader's, which are used instead of being looked for in the swallow. `ues_status` says why the pressures of the UES are not to be
    read although its borders are known.
    """

    ues_lower_cm: float
    les_upper_cm: float
    crural_diaphragm_cm: float
    gastric_mmhg: float
    gastric_trace: xr.DataArray | None = None
    transition_zone_cm: float = math.nan
    cdp_cm: float = math.nan
    les_lower_cm: float = math.nan
    ues_upper_cm: float = math.nan
    ues_status: str = ""
    contour_mmhg: float = math.nan


@dataclass(frozen=True)
class Body:
    """What was measured of the contraction beside what types it.

    Attributes
    ----------
    velocity : Measurement [cm/s]
    rapid : bool or None
    peaks : Measurement [1]
    dci_les : Measurement [mmHg s cm]
    after_contraction : bool or None
    subtype : str or None
        Of a hypercontractile swallow.
    """

    velocity: Measurement
    rapid: bool | None
    peaks: Measurement
    dci_les: Measurement
    after_contraction: bool | None
    subtype: str | None


@dataclass(frozen=True)
class SwallowMetrics:
    """What was measured in one swallow.

    Attributes
    ----------
    irp4s, dci, dci_box, distal_latency, break_length, ibp : Measurement
    relaxation : mapping of str to Measurement [mmHg]
        What else the sleeve of the IRP gives, by the names of the contract.
    upper : UesRelaxation
    body : Body
    cdp : DecelerationPoint or None
    transition_zone_cm : float [cm]
    pressurization : str
    type : SwallowType
    contraction_stop_s : float [s]
    status : dict
        Reasons that belong to no single number.
    sleeve, wave, front : Sleeve, Contraction, Wavefront or None
        What the numbers were read from.
    """

    irp4s: Measurement
    dci: Measurement
    dci_box: Measurement
    distal_latency: Measurement
    break_length: Measurement
    ibp: Measurement
    relaxation: Mapping[str, Measurement]
    upper: UesRelaxation
    body: Body
    cdp: front_metric.DecelerationPoint | None
    transition_zone_cm: float
    pressurization: str
    type: SwallowType
    contraction_stop_s: float
    status: dict[str, str] = field(default_factory=dict)
    sleeve: Sleeve | None = None
    wave: dci_metric.Contraction | None = None
    front: front_metric.Wavefront | None = None

    def measurements(self) -> dict[str, Measurement]:
        """Return the numbers by the name they have in the contract."""
        place = Measurement.missing(self.distal_latency.status)
        if self.cdp is not None and known(self.distal_latency.value):
            place = Measurement(self.cdp.depth_cm)
        mean = Measurement.missing(self.ibp.status)
        if known(self.ibp.value):
            mean = Measurement(self.ibp.detail["mean_mmhg"])
        return {
            "irp4s_mmhg": self.irp4s,
            "dci_mmhg_s_cm": self.dci,
            "dci_box_mmhg_s_cm": self.dci_box,
            "distal_latency_s": self.distal_latency,
            "cdp_cm": place,
            "break_cm": self.break_length,
            "ibp_mmhg": self.ibp,
            "ibp_mean_mmhg": mean,
            "cfv_cm_s": self.body.velocity,
            "peaks": self.body.peaks,
            "dci_les_mmhg_s_cm": self.body.dci_les,
            **self.relaxation,
            **self.upper.measurements(),
        }


def measure_swallow(
    pressure_field: xr.DataArray,
    *,
    onset_s: float,
    stop_s: float,
    anatomy: Anatomy,
    limits: SwallowLimits,
    parameters: Parameters,
    other_fields: OtherFields | None = None,
    upper: UesRelaxation | None = None,
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
    other_fields : OtherFields, optional
        The same field by other interpolation kernels. With it (it may be empty) IRP and
        DCI carry in their detail ``readings`` what they are by other admissible readings.
    upper : UesRelaxation, optional
        From `upper_sphincter`; without it the UES is not measured.

    Returns
    -------
    SwallowMetrics
    """
    window = _Window(
        *(plain(pressure_field), other_fields, upper, onset_s, stop_s),
        *(anatomy, limits, parameters),
    )
    sphincters = _sphincters(window)
    if not known(anatomy.ues_lower_cm, anatomy.les_upper_cm):
        return _without_body(sphincters)
    return _with_body(window, sphincters)


@dataclass(frozen=True)
class _Window:
    """The arguments that the metrics share."""

    field: Cut
    others: OtherFields | None
    upper: UesRelaxation | None
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


@dataclass(frozen=True)
class _Sphincters:
    """What is measured whether or not there is a body."""

    irp4s: Measurement
    relaxation: Mapping[str, Measurement]
    upper: UesRelaxation
    sleeve: Sleeve


def _sphincters(window: _Window) -> _Sphincters:
    anatomy = window.anatomy
    place: dict[str, Any] = {
        **window.times(),
        "les_upper_cm": anatomy.les_upper_cm,
        "les_lower_cm": anatomy.les_lower_cm,
        "gastric_mmhg": anatomy.gastric_mmhg,
        "gastric_trace": anatomy.gastric_trace,
        "parameters": window.parameters,
    }
    sleeve = relaxation_sleeve(window.field, **place)
    found = irp(sleeve, window.parameters)
    if window.others is not None and known(found.value):
        readings = irp_readings(window.field, window.others.les, **place)
        found = replace(found, detail={**found.detail, "readings": readings})
    family = relaxation_measurements(sleeve, window.parameters)
    upper = window.upper or UesRelaxation.missing(anatomy.ues_status or WINDOW_TRUNCATED)
    return _Sphincters(found, family, upper, sleeve)


def upper_sphincter(
    upper_field: xr.DataArray,
    *,
    onset_s: float,
    stop_s: float,
    anatomy: Anatomy,
    parameters: Parameters,
) -> UesRelaxation:
    """Measure the UES in its own window, which is longer than that of the other metrics.

    Parameters
    ----------
    upper_field : DataArray (depth, time) [mmHg]
        The window of `hrm.metrics.ues.swallow_window`.
    onset_s, stop_s : float [s]
    anatomy : Anatomy
        Only the borders of the UES and why they may not be read.
    parameters : Parameters

    Returns
    -------
    UesRelaxation
    """
    if anatomy.ues_status:
        return UesRelaxation.missing(anatomy.ues_status)
    return ues_relaxation(
        upper_field,
        onset_s=onset_s,
        stop_s=stop_s,
        ues_upper_cm=anatomy.ues_upper_cm,
        ues_lower_cm=anatomy.ues_lower_cm,
        parameters=parameters,
    )


def _integral(
    window: _Window, wave: dci_metric.Contraction | None, front: front_metric.Wavefront
) -> Measurement:
    found = dci_metric.dci(wave, front=front, parameters=window.parameters)
    if window.others is None or wave is None or not known(found.value):
        return found
    fields: tuple[Field, ...] = (window.field, *window.others.body.values())
    readings = dci_readings(fields, wave, front, window.parameters)
    return replace(found, detail={**found.detail, "readings": readings})


def _box_integral(
    wave: dci_metric.Contraction | None, integral: Measurement, parameters: Parameters
) -> Measurement:
    """Integral of the whole box, which is that of the contraction where nothing is masked."""
    if integral.detail.get("masked") == 0.0:
        return Measurement(integral.value, detail={"masked": 0.0})
    return dci_metric.dci(wave, front=None, parameters=parameters)


def _with_body(window: _Window, sphincters: _Sphincters) -> SwallowMetrics:
    field, anatomy, parameters = window.field, window.anatomy, window.parameters
    zone = anatomy.transition_zone_cm
    if not known(zone):
        zone = front_metric.transition_zone(
            field, **window.times(), **window.borders(), parameters=parameters
        )
    if not known(zone):
        # Borders so near to each other leave no body in which anything could be measured.
        return _without_body(sphincters)
    span = {**window.times(), "top_cm": zone, "bottom_cm": anatomy.les_upper_cm}
    front = front_metric.wavefront(
        field, **span, level_mmhg=anatomy.contour_mmhg, parameters=parameters
    )
    wave = dci_metric.contraction(field, **span, parameters=parameters)
    integral = _integral(window, wave, front)
    gap = dci_metric.longest_break(
        field, onset_s=window.onset_s, wave=wave, **window.borders(), parameters=parameters
    )
    pattern, pattern_status = pressurization(
        field,
        **window.times(),
        **window.borders(),
        les_lower_cm=anatomy.les_lower_cm,
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
    found = SwallowMetrics(
        irp4s=sphincters.irp4s,
        relaxation=sphincters.relaxation,
        upper=sphincters.upper,
        body=_body(window, wave, front, point, latency, integral, kind),
        dci=integral,
        dci_box=_box_integral(wave, integral, parameters),
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
        sleeve=sphincters.sleeve,
        wave=wave,
        front=front,
    )
    if not dci_metric.unfinished(wave, **window.times(), parameters=parameters):
        usual = window.onset_s + parameters["dci.window_s"]
        runs_on = wave is not None and wave.stop_s >= window.stop_s - 1e-6
        return _without_les_end(found) if runs_on and window.stop_s < usual else found
    return _cut_off(found, timed=known(anatomy.cdp_cm))


def _without_les_end(found: SwallowMetrics) -> SwallowMetrics:
    """Leave out the integral of the LES, which contracts last and has not been seen whole."""
    lost = Measurement.missing(WINDOW_TRUNCATED)
    body = replace(found.body, dci_les=lost, after_contraction=None, subtype=None)
    return replace(found, body=body)


def _cut_off(found: SwallowMetrics, *, timed: bool) -> SwallowMetrics:
    """Leave out what needs the whole contraction; `timed` where a reader set its end."""
    lost = Measurement.missing(WINDOW_TRUNCATED)
    status = dict(found.status)
    if found.pressurization == "none":
        status["pressurization"] = WINDOW_TRUNCATED
    body = replace(found.body, peaks=lost, dci_les=lost, after_contraction=None, subtype=None)
    out = replace(
        found,
        dci=lost,
        dci_box=lost,
        break_length=lost,
        ibp=lost,
        body=body if timed else replace(body, velocity=lost, rapid=None),
        type=SwallowType(None, (), WINDOW_TRUNCATED),
        status=status,
    )
    return out if timed else replace(out, cdp=None, distal_latency=lost)


def _body(
    window: _Window,
    wave: dci_metric.Contraction | None,
    front: front_metric.Wavefront,
    point: front_metric.DecelerationPoint | None,
    latency: Measurement,
    integral: Measurement,
    kind: SwallowType,
) -> Body:
    """Velocity, peaks and LES of the contraction, and the subtype of a hypercontractile one."""
    anatomy, parameters = window.anatomy, window.parameters
    velocity = Measurement.missing(latency.status)
    if point is not None:
        velocity = contractile_front_velocity(front, point, parameters=parameters)
    peaks = peaks_metric.contraction_peaks(wave, parameters=parameters)
    les = peaks_metric.dci_les(
        window.field,
        wave,
        les_upper_cm=anatomy.les_upper_cm,
        les_lower_cm=anatomy.les_lower_cm,
        parameters=parameters,
    )
    after = peaks_metric.les_after_contraction(les.value, integral.value, parameters)
    subtype = peaks_metric.hypercontractile_subtype(
        peaks.value, after, hypercontractile="hypercontractile" in kind.flags
    )
    return Body(velocity, is_rapid(velocity), peaks, les, after, subtype)


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


def _without_body(sphincters: _Sphincters) -> SwallowMetrics:
    missing = Measurement.missing(LANDMARK_MISSING)
    return SwallowMetrics(
        irp4s=sphincters.irp4s,
        relaxation=sphincters.relaxation,
        upper=sphincters.upper,
        body=Body(missing, None, missing, missing, None, None),
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
        sleeve=sphincters.sleeve,
    )
