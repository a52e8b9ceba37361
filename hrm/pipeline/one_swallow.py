"""One swallow: its window, its numbers, and whether it counts."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import xarray as xr

from hrm.detect.artefacts import why_spoiled
from hrm.detect.events import posture_told
from hrm.detect.protocol import (
    StatedSwallow,
    protocol_of,
    shows_itself,
    why_not_evaluable,
)
from hrm.metrics.borderline import borderline_ranges
from hrm.metrics.swallow import (
    Anatomy,
    OtherFields,
    SwallowMetrics,
    measure_swallow,
    upper_sphincter,
)
from hrm.metrics.ues import UesRelaxation, swallow_window
from hrm.pipeline.certainty import BETWEEN_SENSORS, between_sensors
from hrm.pipeline.missing import keeper, without_les, without_ues
from hrm.pipeline.quality import without_failed
from hrm.pipeline.study import Study
from hrm.results import SwallowRecord

NAN = math.nan


@dataclass(frozen=True)
class SeenSwallow:
    """One swallow as it was measured, with what its numbers were read from.

    Attributes
    ----------
    window : tuple of float [s]
        Of `field`.
    stop_s : float [s]
        Onset of the next swallow or end of the recording.
    anatomy : Anatomy
    field : DataArray (depth, time) [mmHg]
    metrics : SwallowMetrics
    """

    window: tuple[float, float]
    stop_s: float
    anatomy: Anatomy
    field: xr.DataArray
    metrics: SwallowMetrics


def measure_one(study: Study, k: int) -> SwallowRecord:
    """Measure swallow `k` on the headline pressure, and unfiltered where they differ.

    Parameters
    ----------
    study : Study
    k : int
        Index of the swallow in time.

    Returns
    -------
    SwallowRecord
    """
    return record_of(study, k, see_one(study, k, readings=True))


def record_of(study: Study, k: int, seen: SeenSwallow) -> SwallowRecord:
    """Put down what was seen of swallow `k`, with its ``readings``, and whether it counts."""
    onsets = [onset.time_s for onset in study.proposal.onsets]
    following = onsets[k + 1] if k + 1 < len(onsets) else math.inf
    review = study.reviews[k]
    spoiled = why_spoiled(
        onsets[k], study.doubts.belches, study.doubts.shifts_cm[k], study.parameters
    )
    stop, metrics = seen.stop_s, seen.metrics
    review.check_point(metrics.cdp.method if metrics.cdp else "")
    raw = metrics if study.unfiltered is None else see_one(study, k, unfiltered=True).metrics
    said = _row_for(review.automatic_s, study)
    # A statement wins over an event, an event over what the swallows show.
    protocol = study.protocols_told[k]
    if protocol == "unknown":
        protocol = protocol_of(k, onsets, study.parameters)
    if said is not None and said.protocol != "unknown":
        protocol = said.protocol
    protocol = review.word("protocol", protocol)
    reason = why_not_evaluable(
        onsets[k],
        following_s=following,
        end_s=study.end_s,
        protocol=protocol,
        coughs=study.proposal.coughs,
        shows_itself=shows_itself(k, [onset.method for onset in study.proposal.onsets]),
        parameters=study.parameters,
    )
    reason = reason or spoiled
    posture = posture_told(study.told, onsets[k], study.parameters) or study.posture
    if said is not None and said.posture != "unknown":
        posture = said.posture
    posture = review.word("posture", posture)
    return _record(study, k, stop, metrics, raw, posture, protocol, reason)


def see_one(
    study: Study, k: int, *, readings: bool = False, unfiltered: bool = False
) -> SeenSwallow:
    """Measure swallow `k` and keep what its numbers were read from.

    Parameters
    ----------
    study : Study
    k : int
        Index of the swallow in time.
    readings : bool
        Also take IRP and DCI by the other admissible readings.
    unfiltered : bool
        Of the pressure without the noise filter, where it applies.

    Returns
    -------
    SeenSwallow
    """
    study = study.for_swallow(k)
    onsets = [onset.time_s for onset in study.proposal.onsets]
    following = onsets[k + 1] if k + 1 < len(onsets) else math.inf
    stop = min(study.end_s, following)
    window = (
        max(0.0, onsets[k]),
        min(onsets[k] + study.parameters["dci.window_repetitive_s"] + 1.0, stop),
    )
    review = study.reviews[k]
    anatomy = replace(
        study.anatomy(onsets[k], window), cdp_cm=review.cdp_cm, contour_mmhg=review.contour_mmhg
    )
    own = study.pressure if study.unfiltered is None else study.unfiltered
    field = study.field(window, pressure=own if unfiltered else None)
    found = measure_swallow(
        field,
        other_fields=_other_fields(study, window) if readings else None,
        upper=_upper(study, onsets[k], stop, anatomy),
        onset_s=onsets[k],
        stop_s=stop,
        anatomy=anatomy,
        limits=study.limits,
        parameters=study.parameters,
    )
    metrics = _without_missing(study, without_failed(found, study.doubts.failed_zones))
    return SeenSwallow(window, stop, anatomy, field, metrics)


def _upper(study: Study, onset_s: float, stop_s: float, anatomy: Anatomy) -> UesRelaxation:
    """Measure the UES from before the onset on."""
    # The filter is made for the LES: it would fill half a second of an open UES up.
    own = study.pressure if study.unfiltered is None else study.unfiltered
    window = swallow_window(onset_s, stop_s, study.parameters)

    def measured() -> UesRelaxation:
        return upper_sphincter(
            study.field(window, pressure=own),
            onset_s=onset_s,
            stop_s=stop_s,
            anatomy=anatomy,
            parameters=study.parameters,
        )

    borders = (anatomy.ues_upper_cm, anatomy.ues_lower_cm, anatomy.ues_status)
    return study.kept("upper", (onset_s, stop_s, *map(repr, borders)), measured)


def _other_fields(study: Study, window: tuple[float, float]) -> OtherFields:
    return OtherFields(
        les=study.other_fields(window, "interpolation.les_kernel"),
        body=study.other_fields(window, "interpolation.kernel"),
    )


def _without_missing(study: Study, metrics: SwallowMetrics) -> SwallowMetrics:
    """Leave out what rests on a sphincter while a sensor of it was missing."""
    if study.les_missing.any():
        metrics = without_les(metrics, keeper(study.missing, study.les_missing))
    if study.ues_missing.any():
        metrics = without_ues(metrics, keeper(study.missing, study.ues_missing))
    return metrics


def _row_for(onset_s: float, study: Study) -> StatedSwallow | None:
    within = study.parameters["swallows.match_s"]
    near = [row for row in study.stated if abs(row.onset_s - onset_s) <= within]
    return min(near, key=lambda row: abs(row.onset_s - onset_s)) if near else None


def _record(
    study: Study,
    k: int,
    stop_s: float,
    metrics: SwallowMetrics,
    raw: SwallowMetrics,
    posture: str,
    protocol: str,
    automatic_reason: str,
) -> SwallowRecord:
    onset, review = study.proposal.onsets[k], study.reviews[k]
    reason = review.reason(automatic_reason)
    numbers = metrics.measurements()
    sensors = study.pressure["depth"].values[study.usable]
    status = {name: m.status for name, m in numbers.items() if m.status != "ok"}
    status |= metrics.status
    if metrics.type.type is None or reason:
        status["type"] = "excluded" if reason else metrics.type.status
    # A swallow whose type cannot be told cannot stand in a percentage either.
    reason = reason or ("" if metrics.type.type is not None else metrics.type.status)
    flags = _flags(study, onset.time_s, metrics)
    if automatic_reason and not reason:
        flags.append("included_by_reader")
    unfiltered = raw.measurements() if study.unfiltered is not None else {}
    return SwallowRecord(
        onset_s=onset.time_s,
        onset_method=onset.method,
        window_s=(onset.time_s, min(onset.time_s + study.parameters["irp.window_s"], stop_s)),
        posture=posture,
        protocol=protocol,
        evaluable=not reason,
        reason=reason,
        metrics={name: m.value for name, m in numbers.items()},
        unfiltered={name: m.value for name, m in unfiltered.items()},
        cdp_method=metrics.cdp.method if metrics.cdp else "",
        cdp_s=metrics.cdp.time_s if metrics.cdp else NAN,
        transition_zone_cm=metrics.transition_zone_cm,
        pressurization=metrics.pressurization,
        contraction_stop_s=metrics.contraction_stop_s,
        rapid_front=metrics.body.rapid,
        les_after_contraction=metrics.body.after_contraction,
        hypercontractile_subtype=None if reason else metrics.body.subtype,
        type=None if reason else metrics.type.type,
        flags=flags,
        borderline=borderline_ranges(numbers, study.limits, sensors, study.parameters),
        irp_readings=metrics.irp4s.detail.get("readings", {}),
        status=status,
        object=review.object,
    )


def _flags(study: Study, onset_s: float, metrics: SwallowMetrics) -> list[str]:
    flags = list(metrics.type.flags)
    short = study.end_s - onset_s < study.parameters["irp.window_s"]
    if short or metrics.contraction_stop_s >= study.end_s - 1e-6:
        flags.append("window_truncated")
    if "les" in study.doubts.bridged_zones:
        flags.append("les_sensor_bridged")
    if between_sensors(metrics.irp4s.value, metrics.irp4s.detail.get("readings", {}), study):
        flags.append(BETWEEN_SENSORS)
    if metrics.body.rapid and "premature" not in metrics.type.flags:
        # No criterion since version 3.0 (SPEC section 5.4), but not to be overlooked.
        flags.append("cfv_rapid")
    return flags
