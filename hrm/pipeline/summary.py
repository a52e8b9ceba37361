"""What the swallows of a study amount to: resting values, medians, labels, warnings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hrm import catalog
from hrm.detect.proposal import (
    baseline_block,
    named_landmarks,
    proposal_warnings,
)
from hrm.detect.protocol import (
    pack_stated,
    stated_warnings,
)
from hrm.metrics import chicago, egj, post_treatment
from hrm.metrics._base import Measurement
from hrm.metrics.study import irp_median, irp_readings_medians, percentages, primary_posture
from hrm.pipeline.study import Study
from hrm.preprocess import window_field
from hrm.results import StudyRecord, SwallowRecord
from hrm.schema import POSTURES, organ_warnings


def summarize(study: Study, rows: Sequence[SwallowRecord]) -> StudyRecord:
    """Bring the measured swallows of a study together, and classify it.

    Parameters
    ----------
    study : Study
    rows : sequence of SwallowRecord
        In the order of their onsets.

    Returns
    -------
    StudyRecord
    """
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
        irp_readings=irp_readings_medians(rows),
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


def _basal_pressures(study: Study) -> dict[str, Measurement]:
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


def _study_status(
    study: Study, medians: Mapping[str, float], shares: Mapping[str, float]
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
    study: Study, rows: Sequence[SwallowRecord], junction: Mapping[str, float]
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
            irp_readings=row.irp_readings,
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
        limits_fit=not catalog.technology_conflict(
            str(study.recording.attrs["catheter"]), study.system
        ),
    )
    surgery = study.clinical.prior_surgery
    if surgery not in ("none", "unknown"):
        out["post_treatment"] = post_treatment.describe(rows, junction, prior_surgery=surgery)
    return out


def _limit_ids(study: Study, classification: Mapping[str, Any]) -> list[str]:
    """Rows of the limits table that typed the swallows or decided in a tree."""
    rules = [rule for name in chicago.VERSIONS for rule in classification[name]["rationale"]]
    # A rule may rest on a parameter or on the user's own number, which are no rows.
    used = [*study.limits.ids, *(rule["row"] for rule in rules if rule["limit"] is not None)]
    return list(dict.fromkeys(row for row in used if row != "user"))


def _warnings(study: Study, rows: Sequence[SwallowRecord]) -> list[str]:
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
    # A reader's own onset is no sign that the recording shows.
    onsets = [
        review.automatic_s if onset.method == "reader" else onset.time_s
        for onset, review in zip(study.proposal.onsets, study.reviews, strict=True)
    ]
    found += stated_warnings(study.stated, onsets, study.parameters)
    found += organ_warnings(study.recording)
    found += catalog.technology_conflict(str(study.recording.attrs["catheter"]), study.system)
    lost = study.pressure["depth"].values[~study.usable]
    if lost.size:
        found.append(f"sensors at {', '.join(f'{cm:g}' for cm in lost)} cm cannot be used")
    return found
