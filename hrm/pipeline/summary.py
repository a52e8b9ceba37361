"""What the swallows of a study amount to: resting values, medians, labels, warnings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from hrm import catalog
from hrm.bolus import BolusRecord
from hrm.detect.events import event_warnings
from hrm.detect.proposal import (
    baseline_block,
    named_landmarks,
    proposal_warnings,
)
from hrm.detect.protocol import (
    pack_stated,
    stated_warnings,
)
from hrm.metrics import barrier, chicago, egj, post_treatment
from hrm.metrics._base import Measurement
from hrm.metrics.peaks import study_subtypes
from hrm.metrics.study import (
    irp_median,
    irp_readings_medians,
    metric_median,
    percentages,
    primary_posture,
)
from hrm.pipeline.certainty import between_sensors_warnings, spacing_warnings, with_doubts
from hrm.pipeline.impedance import bolus_record
from hrm.pipeline.provocation import provocation_block, provocation_limits
from hrm.pipeline.quality import (
    bridged_remarks,
    quality_record,
    quality_warnings,
)
from hrm.pipeline.rest import at_junction, at_rest
from hrm.pipeline.study import Study
from hrm.quality import QualityRecord
from hrm.results import UES_MEDIANS, StudyRecord, SwallowRecord
from hrm.schema import POSTURES, organ_warnings


class Parts:
    """What a summary is made of beside the swallows: measured anew each time.

    The viewer gives one that keeps what an edit leaves as it was.
    """

    def at_rest(self, study: Study) -> tuple[dict[str, Measurement], Measurement]:
        """See `hrm.pipeline.rest.at_rest`."""
        return at_rest(study)

    def provocation(
        self, study: Study, rows: Sequence[SwallowRecord], zone_cm: float
    ) -> dict[str, Any]:
        """See `hrm.pipeline.provocation.provocation_block`."""
        return provocation_block(study, rows, zone_cm)

    def quality(self, study: Study) -> QualityRecord:
        """See `hrm.pipeline.quality.quality_record`."""
        return quality_record(study)

    def bolus(self, study: Study, rows: Sequence[SwallowRecord]) -> BolusRecord:
        """See `hrm.pipeline.impedance.bolus_record`."""
        return bolus_record(study, rows)


_AFRESH = Parts()


def summarize(study: Study, rows: Sequence[SwallowRecord], parts: Parts = _AFRESH) -> StudyRecord:
    """Bring the measured swallows of a study together, and classify it.

    Parameters
    ----------
    study : Study
    rows : sequence of SwallowRecord
        In the order of their onsets.
    parts : Parts

    Returns
    -------
    StudyRecord
    """
    marks = study.proposal.landmarks
    separation = at_junction(study)["les_cd_separation_cm"]
    at_ease, upper = parts.at_rest(study)
    junction = {
        **at_ease,
        **at_junction(study),
    }
    zones = [row.transition_zone_cm for row in rows if row.type not in (None, "failed")]
    landmarks, landmark_status = named_landmarks(marks, zones)
    primary = primary_posture(rows)
    shares = percentages(rows, primary)
    classification = with_doubts(
        _classify(study, rows, {name: m.value for name, m in junction.items()}), study, rows
    )
    tests = parts.provocation(study, rows, landmarks["transition_zone_cm"])
    sphincter = _upper_sphincter(upper, rows, primary)
    medians = {f"irp4s_median_{posture}_mmhg": irp_median(rows, posture) for posture in POSTURES}
    quality = parts.quality(study)
    return StudyRecord(
        system=study.system,
        landmarks=landmarks,
        landmark_status=landmark_status,
        egj={name: m.value for name, m in junction.items()},
        egj_status={
            **bridged_remarks(study, list(junction)),
            **{name: m.status for name, m in junction.items() if m.status != "ok"},
        },
        morphology=egj.morphology(
            separation,
            pressure_inversion_point_cm=marks.pressure_inversion_point_cm,
            les_peak_cm=marks.les_peak_cm,
            crural_diaphragm_cm=marks.crural_diaphragm_cm,
            parameters=study.parameters,
        ),
        hernia=barrier.hernia_labels(separation, study.parameters),
        ues={name: m.value for name, m in sphincter.items()},
        ues_status={name: m.status for name, m in sphincter.items() if m.status != "ok"},
        provocation=tests,
        subtypes=_subtypes(rows, primary),
        swallows=rows,
        study={
            "n_swallows": len(rows),
            "n_evaluable": sum(row.evaluable for row in rows),
            **medians,
        },
        study_status=_study_status(study, rows, medians, shares),
        percent=shares,
        irp_readings=irp_readings_medians(rows),
        primary_posture=primary,
        baseline=baseline_block(study.proposal.baseline),
        warnings=[*quality_warnings(quality, study.parameters), *_warnings(study, rows)],
        parameters_id=study.parameters.id,
        parameter_overrides=study.parameters.overrides,
        limit_ids=_limit_ids(study, classification, tests),
        stated=pack_stated(study.posture, study.stated),
        noise_mmhg=study.noise_mmhg,
        filtered=study.unfiltered is not None,
        classification=classification,
        irp_limit=_irp_limit_block(study.irp_limit),
        clinical=chicago.clinical_block(study.clinical),
        quality=quality,
        bolus=parts.bolus(study, rows),
    )


def _upper_sphincter(
    resting: Measurement, rows: Sequence[SwallowRecord], primary: str
) -> dict[str, Measurement]:
    """Resting pressure of the UES, and what its relaxation amounts to."""
    out = {"ues_resting_mmhg": resting}
    counted = [row for row in rows if row.evaluable and row.posture == primary]
    for name, single in UES_MEDIANS.items():
        value = metric_median(rows, primary, single)
        # Where no swallow has it, the reason of the first one stands for all.
        why = counted[0].status.get(single, "ok") if counted else "no_evaluable_swallow"
        out[name] = Measurement(value, "ok" if math.isfinite(value) else why)
    return out


def _subtypes(rows: Sequence[SwallowRecord], primary: str) -> dict[str, Any]:
    """Count the subtypes of the hypercontractile swallows."""
    found = study_subtypes(
        [
            row.hypercontractile_subtype
            for row in rows
            if row.evaluable and row.posture == primary and "hypercontractile" in row.flags
        ]
    )
    return {**found.counts, "unknown": found.unknown, "predominant": found.predominant}


def _study_status(
    study: Study,
    rows: Sequence[SwallowRecord],
    medians: Mapping[str, float],
    shares: Mapping[str, float],
) -> dict[str, str]:
    """Give the reason of each study number that is missing."""
    status = {}
    for posture in POSTURES:
        name = f"irp4s_median_{posture}_mmhg"
        if math.isnan(medians[name]):
            counted = [row for row in rows if row.evaluable and row.posture == posture]
            # Where swallows count and none has it, the reason of the first stands for all.
            first = counted[0].status.get("irp4s_mmhg") if counted else None
            status[name] = first or "no_evaluable_swallow"
    if any(math.isnan(value) for value in shares.values()):
        status["percent"] = "no_evaluable_swallow"
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


def _limit_ids(
    study: Study, classification: Mapping[str, Any], tests: Mapping[str, Any]
) -> list[str]:
    """Rows of the limits table that typed the swallows or decided in a tree or a test."""
    rules = [rule for name in chicago.VERSIONS for rule in classification[name]["rationale"]]
    # A rule may rest on a parameter or on the user's own number, which are no rows.
    used = [*study.limits.ids, *(rule["row"] for rule in rules if rule["limit"] is not None)]
    used += provocation_limits(tests)
    return list(dict.fromkeys(row for row in used if row != "user"))


def _warnings(study: Study, rows: Sequence[SwallowRecord]) -> list[str]:
    found = []
    if study.unfiltered is not None:
        found.append(
            f"white sensor noise is about {study.noise_mmhg:.1f} mmHg: metrics are from the "
            "filtered pressure, the unfiltered values stand beside them; those of the UES are "
            "unfiltered, and noise raises them"
        )
    if study.system == "unknown":
        found.append("system unknown: name it to get its limits")
    if not rows:
        found.append("no swallow was found")
    elif any(row.posture == "unknown" for row in rows):
        found.append("posture unknown for some swallows: say it for the study or by swallow")
    found += event_warnings(study.told, study.posture)
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
    return found + spacing_warnings(study) + between_sensors_warnings(study, rows)
