"""One recording from pressure to results: the order in which things happen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm import __version__, catalog
from hrm.catalog import Parameters
from hrm.corrections import SwallowReview, correct, corrections_of, unreviewed, with_review
from hrm.detect.gastric import gastric_reference, gastric_trace
from hrm.detect.proposal import (
    Proposal,
    baseline_block,
    markers,
    named_landmarks,
    proposal_warnings,
    propose,
)
from hrm.detect.protocol import (
    StatedSwallow,
    pack_stated,
    protocol_of,
    stated_swallow,
    stated_warnings,
    unpack_stated,
    why_not_evaluable,
)
from hrm.edits import Edit
from hrm.errors import ParameterError
from hrm.metrics import chicago, egj, post_treatment
from hrm.metrics._base import Measurement
from hrm.metrics.borderline import borderline_numbers
from hrm.metrics.study import irp_median, percentages, primary_posture
from hrm.metrics.swallow import Anatomy, SwallowMetrics, measure_swallow
from hrm.metrics.swallow_types import SwallowLimits, swallow_limits
from hrm.preprocess import estimate_noise, filter_noise, usable_sensors, window_field
from hrm.results import StudyRecord, SwallowRecord, attach
from hrm.schema import POSTURES, validate

NAN = math.nan


@dataclass(frozen=True)
class _Study:
    """Everything that measuring one recording needs, prepared once.

    `pressure` is what is measured; `unfiltered` is the recording's own pressure
    where the noise filter applies, else None.
    """

    recording: xr.DataTree
    pressure: xr.DataArray
    unfiltered: xr.DataArray | None
    noise_mmhg: float
    usable: NDArray[np.bool_]
    proposal: Proposal
    reviews: Sequence[SwallowReview]
    stated: Sequence[StatedSwallow]
    posture: str
    system: str
    clinical: chicago.Clinical
    irp_limit: chicago.UserLimit | None
    limits: SwallowLimits
    parameters: Parameters

    @property
    def rate_hz(self) -> float:
        return float(self.recording.attrs["sampling_rate"])

    @property
    def end_s(self) -> float:
        return float(self.pressure["time"].values[-1]) + 1.0 / self.rate_hz


def analyze(
    recording: xr.DataTree,
    *,
    system: str | None = None,
    posture: str | None = None,
    swallows: Sequence[Mapping[str, Any]] | None = None,
    clinical: Mapping[str, Any] | None = None,
    irp_limit: float | str | None = None,
    parameters: Mapping[str, Any] | None = None,
    review: Sequence[Edit] | Path | None = None,
) -> xr.DataTree:
    """Measure one recording.

    Parameters
    ----------
    recording : DataTree
        From `hrm.open_recording` or `hrm.make_recording`.
    system : str, optional
        Key of the manometry system, whose limits apply; overrides the recording's.
    posture : {"supine", "upright"}, optional
        Posture of the swallows that the table does not name; otherwise unknown.
    swallows : sequence of mapping, optional
        What the file cannot say, one row a swallow: ``onset_s`` [s from the first
        sample], ``posture``, ``protocol``.
    clinical : mapping, optional
        What the recording cannot say of the patient: ``symptoms``, ``tbe``,
        ``flip``, ``opioids``, ``prior_surgery`` (see `hrm.metrics.chicago`).
    irp_limit : float [mmHg] or str, optional
        Upper limit of the IRP where the classification has none, as a number or
        as the id of a row of the limits table; the diagnosis is then not conclusive.
    parameters : mapping, optional
        Values that differ from ``hrm/data/parameters.toml``.
    review : sequence of Edit or Path, optional
        A reader's review log (see `hrm.annotate`), laid over what is found.

    Returns
    -------
    DataTree
        The recording with ``/swallows``, ``/landmarks``, ``/egj`` and ``/study``.
        `hrm.to_dict` gives the published contract.

    Raises
    ------
    SchemaError
        If the recording breaks the data contract.
    ParameterError
        If an option has a value that cannot be used.
    AnnotationError
        If the review log is not sound, or a line of it does not fit the recording.
    """
    validate(recording)
    corrections = corrections_of(recording, review)
    chosen = catalog.default_parameters().replace(parameters or {})
    if posture is not None and posture not in POSTURES:
        raise ParameterError(f"posture must be one of {', '.join(POSTURES)}, got {posture!r}")
    said = [stated_swallow(row, i + 1) for i, row in enumerate(swallows or ())]
    if posture is None and swallows is None and "stated" in recording.attrs:
        # A study that was saved with its results keeps what was said of it.
        posture, said = unpack_stated(str(recording.attrs["stated"]))
    study = _prepare(
        recording,
        system=catalog.check_system(system) if system else str(recording.attrs["system"]),
        posture=posture or "unknown",
        stated=said,
        clinical=chicago.clinical_from(clinical),
        irp_limit=chicago.user_limit_from(irp_limit),
        parameters=chosen,
    )
    record = _measured(study)
    if corrections is not None:
        usable = study.pressure[study.usable]
        proposal, reviews = correct(study.proposal, corrections, pressure=usable, parameters=chosen)
        again = _measured(replace(study, proposal=proposal, reviews=reviews))
        record = with_review(again, record, corrections, reviews)
    return attach(recording, record, __version__)


def _prepare(
    recording: xr.DataTree,
    *,
    system: str,
    posture: str,
    stated: Sequence[StatedSwallow],
    clinical: chicago.Clinical,
    irp_limit: chicago.UserLimit | None,
    parameters: Parameters,
) -> _Study:
    raw = recording["pressure"].to_dataset()["pressure"]
    usable = usable_sensors(raw, dead_variance=parameters["quality.dead_variance_mmhg2"])
    if usable.sum() < 2:
        raise ParameterError("fewer than two sensors can be used; nothing can be measured")
    end = float(raw["time"].values[-1])
    outside = [row.onset_s for row in stated if not 0.0 <= row.onset_s <= end]
    if outside:
        raise ParameterError(
            f"the swallow table has onsets outside the recording (0 to {end:.1f} s): "
            f"{', '.join(f'{onset:g}' for onset in outside)}; they count from the first sample"
        )
    noise = estimate_noise(raw[usable])
    noisy = noise > parameters["noise.filter_above_mmhg"]
    pressure = filter_noise(raw, sd_s=parameters["noise.gaussian_sd_s"]) if noisy else raw
    proposal = propose(
        pressure[usable],
        hints=markers(recording["events"].to_dataset()),
        stated=[row.onset_s for row in stated],
        parameters=parameters,
    )
    return _Study(
        recording=recording,
        pressure=pressure,
        unfiltered=raw if noisy else None,
        noise_mmhg=noise,
        usable=usable,
        proposal=proposal,
        reviews=unreviewed(proposal.onsets),
        stated=stated,
        posture=posture,
        system=system,
        clinical=clinical,
        irp_limit=irp_limit,
        limits=swallow_limits(system),
        parameters=parameters,
    )


def _measured(study: _Study) -> StudyRecord:
    return _summarize(study, [_measure_one(study, k) for k in range(len(study.reviews))])


def _measure_one(study: _Study, k: int) -> SwallowRecord:
    """Measure swallow `k` on the headline pressure, and unfiltered where they differ."""
    onsets = [onset.time_s for onset in study.proposal.onsets]
    following = onsets[k + 1] if k + 1 < len(onsets) else math.inf
    stop = min(study.end_s, following)
    window = (
        max(0.0, onsets[k]),
        min(onsets[k] + study.parameters["dci.window_repetitive_s"] + 1.0, stop),
    )
    review = study.reviews[k]
    anatomy = replace(_anatomy(study, onsets[k], window), cdp_cm=review.cdp_cm)

    def measured(pressure: xr.DataArray) -> SwallowMetrics:
        return measure_swallow(
            window_field(pressure, study.usable, *window, study.parameters),
            onset_s=onsets[k],
            stop_s=stop,
            anatomy=anatomy,
            limits=study.limits,
            parameters=study.parameters,
        )

    metrics = measured(study.pressure)
    review.check_point(metrics.cdp.method if metrics.cdp else "")
    raw = metrics if study.unfiltered is None else measured(study.unfiltered)
    said = _row_for(review.automatic_s, study)
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
        parameters=study.parameters,
    )
    posture = said.posture if said is not None and said.posture != "unknown" else study.posture
    posture = review.word("posture", posture)
    return _record(study, k, stop, metrics, raw, posture, protocol, reason)


def _anatomy(study: _Study, onset_s: float, window: tuple[float, float]) -> Anatomy:
    marks = study.proposal.landmarks
    return Anatomy(
        ues_lower_cm=marks.ues_lower_cm,
        les_upper_cm=marks.les_upper_cm,
        crural_diaphragm_cm=marks.crural_diaphragm_cm,
        gastric_mmhg=gastric_reference(study.pressure, study.proposal, onset_s, study.parameters),
        gastric_trace=gastric_trace(study.pressure, marks, window, study.parameters),
        transition_zone_cm=marks.transition_zone_cm,
    )


def _row_for(onset_s: float, study: _Study) -> StatedSwallow | None:
    within = study.parameters["swallows.match_s"]
    near = [row for row in study.stated if abs(row.onset_s - onset_s) <= within]
    return min(near, key=lambda row: abs(row.onset_s - onset_s)) if near else None


def _record(
    study: _Study,
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
        type=None if reason else metrics.type.type,
        flags=flags,
        borderline=borderline_numbers(numbers, study.limits, study.parameters),
        status=status,
        object=review.object,
    )


def _flags(study: _Study, onset_s: float, metrics: SwallowMetrics) -> list[str]:
    flags = list(metrics.type.flags)
    short = study.end_s - onset_s < study.parameters["irp.window_s"]
    if short or metrics.contraction_stop_s >= study.end_s - 1e-6:
        flags.append("window_truncated")
    return flags


def _basal_pressures(study: _Study) -> dict[str, Measurement]:
    """LES resting pressures over the baseline."""
    marks, baseline = study.proposal.landmarks, study.proposal.baseline
    breathing = study.proposal.breathing
    if baseline is None or breathing is None:
        missing = Measurement.missing("no_baseline")
        return {"basal_mean_mmhg": missing, "basal_end_expiratory_mmhg": missing}
    window = (baseline.start_s, baseline.stop_s)
    sleeve = egj.resting_sleeve(
        window_field(study.pressure, study.usable, *window, study.parameters),
        les_upper_cm=marks.les_upper_cm,
        les_lower_cm=marks.les_lower_cm,
        gastric_mmhg=marks.gastric_reference_mmhg,
    )
    first = int(np.searchsorted(study.pressure["time"].values, baseline.start_s - 5e-7))
    quiet = baseline.quiet[first : first + sleeve.size]
    breaths, ends = (
        samples[samples < first + sleeve.size] - first
        for samples in (breathing.inspiration, breathing.end_expiration)
    )
    half = round(study.parameters["respiration.half_width_s"] * study.rate_hz)
    return {
        "basal_mean_mmhg": egj.basal_mean(sleeve, breaths, quiet, study.parameters),
        "basal_end_expiratory_mmhg": egj.basal_end_expiratory(sleeve, ends, half, quiet),
    }


def _summarize(study: _Study, rows: Sequence[SwallowRecord]) -> StudyRecord:
    marks = study.proposal.landmarks
    separation = egj.les_cd_separation(marks.les_peak_cm, marks.crural_diaphragm_cm)
    junction = {
        **_basal_pressures(study),
        "les_length_cm": egj.les_length(marks.les_upper_cm, marks.les_lower_cm),
        "les_cd_separation_cm": separation,
    }
    zones = [row.transition_zone_cm for row in rows if row.type not in (None, "failed")]
    landmarks, landmark_status = named_landmarks(marks, zones)
    primary = primary_posture(rows)
    shares = percentages(rows, primary)
    classification = _classify(study, rows, {name: m.value for name, m in junction.items()})
    medians = {f"irp4s_median_{posture}_mmhg": irp_median(rows, posture) for posture in POSTURES}
    return StudyRecord(
        system=study.system,
        landmarks=landmarks,
        landmark_status=landmark_status,
        egj={name: m.value for name, m in junction.items()},
        egj_status={name: m.status for name, m in junction.items() if m.status != "ok"},
        morphology=egj.morphology(
            separation,
            pressure_inversion_point_cm=marks.pressure_inversion_point_cm,
            les_peak_cm=marks.les_peak_cm,
            crural_diaphragm_cm=marks.crural_diaphragm_cm,
            parameters=study.parameters,
        ),
        swallows=rows,
        study={
            "n_swallows": len(rows),
            "n_evaluable": sum(row.evaluable for row in rows),
            **medians,
        },
        study_status=_study_status(study, medians, shares),
        percent=shares,
        primary_posture=primary,
        baseline=baseline_block(study.proposal.baseline),
        warnings=_warnings(study, rows),
        parameters_id=study.parameters.id,
        parameter_overrides=study.parameters.overrides,
        limit_ids=_limit_ids(study, classification),
        stated=pack_stated(study.posture, study.stated),
        noise_mmhg=study.noise_mmhg,
        filtered=study.unfiltered is not None,
        classification=classification,
        irp_limit=_irp_limit_block(study.irp_limit),
        clinical=chicago.clinical_block(study.clinical),
    )


def _study_status(
    study: _Study, medians: Mapping[str, float], shares: Mapping[str, float]
) -> dict[str, str]:
    """Give the reason of each study number that is missing."""
    lost = [name for name, value in medians.items() if math.isnan(value)]
    if any(math.isnan(value) for value in shares.values()):
        lost.append("percent")
    status = dict.fromkeys(lost, "no_evaluable_swallow")
    if math.isnan(study.noise_mmhg):
        status["noise_mmhg"] = "recording_too_short"
    return status


def _irp_limit_block(limit: chicago.UserLimit | None) -> dict[str, float | str] | None:
    if limit is None:
        return None
    named = {"row": limit.row, "citation": limit.citation, "position": limit.position}
    return {"value_mmhg": limit.value, **named}


def _classify(
    study: _Study, rows: Sequence[SwallowRecord], junction: Mapping[str, float]
) -> dict[str, Any]:
    """Run both trees over the evaluable swallows; describe instead after an operation."""
    swallows = [
        chicago.Swallow(
            posture=row.posture,
            irp=row.metrics["irp4s_mmhg"],
            dci=row.metrics["dci_mmhg_s_cm"],
            distal_latency=row.metrics["distal_latency_s"],
            break_length=row.metrics["break_cm"],
            ibp=row.metrics["ibp_mmhg"],
            panesophageal=row.pressurization == "panesophageal",
        )
        for row in rows
        if row.evaluable
    ]
    out = chicago.classify(
        swallows,
        system=study.system,
        clinical=study.clinical,
        user_limit=study.irp_limit,
        parameters=study.parameters,
    )
    surgery = study.clinical.prior_surgery
    if surgery not in ("none", "unknown"):
        out["post_treatment"] = post_treatment.describe(rows, junction, prior_surgery=surgery)
    return out


def _limit_ids(study: _Study, classification: Mapping[str, Any]) -> list[str]:
    """Rows of the limits table that typed the swallows or decided in a tree."""
    rules = [rule for name in chicago.VERSIONS for rule in classification[name]["rationale"]]
    # A rule may rest on a parameter or on the user's own number, which are no rows.
    used = [*study.limits.ids, *(rule["row"] for rule in rules if rule["limit"] is not None)]
    return list(dict.fromkeys(row for row in used if row != "user"))


def _warnings(study: _Study, rows: Sequence[SwallowRecord]) -> list[str]:
    found = []
    if study.unfiltered is not None:
        found.append(
            f"white sensor noise is about {study.noise_mmhg:.1f} mmHg: metrics are from the "
            "filtered pressure, the unfiltered values stand beside them"
        )
    if study.system == "unknown":
        found.append("system unknown: name it to get its limits")
    if not rows:
        found.append("no swallow was found")
    elif any(row.posture == "unknown" for row in rows):
        found.append("posture unknown for some swallows: say it for the study or by swallow")
    found += proposal_warnings(study.proposal)
    onsets = [onset.time_s for onset in study.proposal.onsets]
    found += stated_warnings(study.stated, onsets, study.parameters)
    found += catalog.technology_conflict(str(study.recording.attrs["catheter"]), study.system)
    lost = study.pressure["depth"].values[~study.usable]
    if lost.size:
        found.append(f"sensors at {', '.join(f'{cm:g}' for cm in lost)} cm cannot be used")
    return found
