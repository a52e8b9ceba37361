"""What takes the certainty from a diagnosis that the tree, which sees numbers only, would give."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from hrm.metrics import chicago
from hrm.metrics.study import irp_median, irp_readings_medians
from hrm.pipeline.quality import with_doubt
from hrm.pipeline.study import Study
from hrm.preprocess import SpacingFinding, sensor_spacing_findings
from hrm.preprocess.spacing import SPARSE
from hrm.results import SwallowRecord
from hrm.schema import POSTURES

BETWEEN_SENSORS = "sleeve_between_sensors"
MISSED = "swallows_may_be_missed"
#: The reading with what may be missing between sensors.
_BETWEEN = "between_sensors"


def with_doubts(
    classification: dict[str, Any], study: Study, rows: Sequence[SwallowRecord]
) -> dict[str, Any]:
    """Take the certainty from labels that rest on what was hardly seen.

    Parameters
    ----------
    classification : dict
        From `hrm.metrics.chicago.classify`.
    study : Study
    rows : sequence of SwallowRecord

    Returns
    -------
    dict
        The same; not conclusive, with a consideration that says why, where a sensor of
        the LES is missing, where the sphincter lies between sensors and the IRP as it may
        be there lies across its limit or the sensors are so far apart that a normal IRP
        says little, and where many falls of the UES may be swallows that were not found.
    """
    out = with_doubt(classification, study)
    postures = {name for name, *_ in sleeves_between_sensors(study, rows)}
    sparse = any(each.code == SPARSE for each in _spacing(study))
    missed = may_miss_swallows(study)
    for version in chicago.VERSIONS:
        verdict = out[version]
        noted = [MISSED] if missed else []
        raised = verdict["diagnosis"] in chicago.RAISED_IRP
        if _crosses(verdict, postures) or (sparse and not raised):
            noted.append(BETWEEN_SENSORS)
        if noted:
            considerations = [*verdict["considerations"], *noted]
            doubted = {**verdict, "conclusive": False, "considerations": considerations}
            out = {**out, version: doubted}
    return out


def _crosses(verdict: Mapping[str, Any], postures: set[str]) -> bool:
    """Whether the tree noted that the reading between sensors lies across a limit."""
    read = _BETWEEN.replace("_", " ")
    wanted = {f"median IRP, {name}, across its limit with {read}" for name in postures}
    return any(rule["rule"] in wanted for rule in verdict["rationale"])


def between_sensors(value: float, readings: Mapping[str, float], study: Study) -> bool:
    """Whether an IRP is read low because the sphincter lies between sensors.

    Parameters
    ----------
    value : float [mmHg]
    readings : mapping of str to float [mmHg]
        The same IRP by other readings.
    study : Study

    Returns
    -------
    bool
        True where the kernels differ by more than ``irp.between_sensors_mmhg``: the cubic
        one may exceed the sensors, PCHIP may not (SPEC section 1.4).
    """
    other = readings.get(_BETWEEN, math.nan)
    return bool(other - value > study.parameters["irp.between_sensors_mmhg"])


def sleeves_between_sensors(
    study: Study, rows: Sequence[SwallowRecord]
) -> list[tuple[str, float, float]]:
    """Find the postures whose median IRP is read low for that reason.

    Parameters
    ----------
    study : Study
    rows : sequence of SwallowRecord

    Returns
    -------
    list of (str, float, float)
        Posture, median as reported and with what may be missing [mmHg].
    """
    by_posture = irp_readings_medians(rows)
    found = []
    for name in POSTURES:
        value, readings = irp_median(rows, name), by_posture.get(name, {})
        if between_sensors(value, readings, study):
            found.append((name, value, readings[_BETWEEN]))
    return found


def between_sensors_warnings(study: Study, rows: Sequence[SwallowRecord]) -> list[str]:
    """Say by how much at least the IRP is read low between sensors, where that is much.

    Parameters
    ----------
    study : Study
    rows : sequence of SwallowRecord

    Returns
    -------
    list of str
        Nothing up to ``irp.between_sensors_warning_mmhg``.
    """
    least = study.parameters["irp.between_sensors_warning_mmhg"]
    found = [
        f"{name} {value:.1f} mmHg, perhaps {other:.1f}"
        for name, value, other in sleeves_between_sensors(study, rows)
        if other - value > least
    ]
    if not found:
        return []
    text = (
        "the LES is narrow for the distance of its sensors, and its highest pressure lies between "
        f"them: the median IRP ({'; '.join(found)}) and the other pressures of the LES are "
        "probably read low (see interpolation.les_kernel)"
    )
    return [text]


def spacing_warnings(study: Study) -> list[str]:
    """Say where the sensors lie too far apart to measure the junction.

    Parameters
    ----------
    study : Study

    Returns
    -------
    list of str
    """
    return list(dict.fromkeys(finding.text for finding in _spacing(study)))


def _spacing(study: Study) -> list[SpacingFinding]:
    marks = study.proposal.landmarks
    ends = (marks.les_lower_cm, marks.crural_diaphragm_cm)
    lower = [cm for cm in ends if math.isfinite(cm)]
    if not (math.isfinite(marks.les_upper_cm) and lower):
        return []  # there are no numbers that a gap could spoil
    place = (marks.les_upper_cm, max(lower))
    depth = study.pressure["depth"].values
    return sensor_spacing_findings(depth, les_cm=place, parameters=study.parameters)


def may_miss_swallows(study: Study) -> bool:
    """Whether so many falls of the UES were not taken for swallows that a share may be wrong.

    Parameters
    ----------
    study : Study

    Returns
    -------
    bool
        True where there are more of them than swallows with a pharyngeal wave, and at
        least ``tree.unanswered_share`` of the swallows that were found. Falls at which
        somebody put a swallow afterwards do not count.
    """
    onsets = [onset.time_s for onset in study.proposal.onsets]
    within = study.parameters["swallows.match_s"]
    left = [
        fall
        for fall in study.proposal.unanswered_s
        if all(abs(fall - onset) > within for onset in onsets)
    ]
    many = len(left) >= study.parameters["tree.unanswered_share"] * len(onsets)
    return bool(left) and many and len(left) > study.proposal.waves
