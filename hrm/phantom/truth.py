"""Truth of a phantom as one JSON-like table: what an engine should find."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hrm.catalog import default_parameters
from hrm.errors import ParameterError
from hrm.phantom.field import Phantom
from hrm.phantom.impedance import impedance_truth
from hrm.phantom.landmarks import Landmarks, find_landmarks, resting_les
from hrm.phantom.measure import Measured, measure, shifted
from hrm.phantom.provocation import provocation
from hrm.phantom.sphincters import barrier, relaxation_family, resting_ues, ues_relaxation
from hrm.phantom.verdict import diagnosis_of

_TYPES = ("failed", "weak", "fragmented", "premature", "hypercontractile")


def truth(
    phantom: Phantom,
    *,
    offset_cm: float = 0.0,
    cough_at_s: tuple[float, ...] = (),
    impedance: bool = False,
) -> dict[str, Any]:
    """Measure the noise-free field by the definitions, with the known landmarks.

    Parameters
    ----------
    phantom : Phantom
        Drawn by `draw`.
    offset_cm : float [cm]
        Position of the first sensor on the phantom's axis; depths in the result
        are on the catheter's axis (0 = first sensor).
    cough_at_s : tuple of float [s]
        Coughs given to `sample`; swallows they touch are not evaluable.
    impedance : bool
        Also measure the bolus.

    Returns
    -------
    dict
        ``landmarks``, ``egj``, ``ues``, ``swallows``, ``study``, ``provocation``,
        ``diagnosis``, ``borderline`` and ``borderline_quantity``, and ``impedance`` if
        asked; None where a definition cannot apply. The diagnosis is the phenotype, or
        in a study whose contractions vary, or that was altered, the branch they lead to.
    """
    if not math.isfinite(offset_cm):
        raise ParameterError(f"offset_cm must be a finite number of cm, got {offset_cm!r}")
    parameters = default_parameters()
    marks = find_landmarks(phantom, parameters)
    onsets = [swallow.onset_s for swallow in phantom.swallows] + [math.inf]
    found = [
        measure(
            phantom,
            swallow,
            marks,
            parameters,
            next_onset_s=onsets[i + 1],
            pharynx_top_cm=offset_cm,
            # Between rapid swallows there is no rest to measure the fall from.
            onset_s=None if swallow.protocol == "single" else swallow.onset_s,
        )
        for i, swallow in enumerate(phantom.swallows)
    ]
    rows = [
        _row(phantom, i, found, shifted(found[i], offset_cm), cough_at_s, marks)
        for i in range(len(found))
    ]
    study = _study(rows)
    out = {
        "landmarks": _landmarks(phantom, marks, found, offset_cm),
        "egj": {**_egj(phantom, marks), **barrier(phantom, marks, parameters)},
        "ues": {"resting_mmhg": resting_ues(phantom, marks, parameters)},
        "swallows": rows,
        "study": study,
        "provocation": provocation(phantom, found, marks, parameters, _single_dci(rows)),
        "diagnosis": diagnosis_of(study, phantom.phenotype)
        if phantom.variability or phantom.altered
        else phantom.phenotype,
        "borderline": bool(phantom.borderline),
        "borderline_quantity": phantom.borderline or None,
    }
    if impedance:
        out["impedance"] = impedance_truth(
            phantom, marks, [item.onset_s for item in found], offset_cm
        )
    return out


def _single_dci(rows: list[dict[str, Any]]) -> float | None:
    """Mean contractile integral of the supine swallows that count [mmHg s cm]."""
    sizes = [
        row["dci_mmhg_s_cm"] for row in rows if row["evaluable"] and row["posture"] == "supine"
    ]
    return float(np.mean(sizes)) if sizes else None


def _row(
    phantom: Phantom,
    i: int,
    found: list[Measured],
    measured: Measured,
    cough_at_s: tuple[float, ...],
    marks: Landmarks,
) -> dict[str, Any]:
    parameters, swallow = default_parameters(), phantom.swallows[i]
    onset = measured.onset_s
    following = found[i + 1].onset_s if i + 1 < len(found) else math.inf
    alone = swallow.protocol == "single" and following - onset >= float(
        parameters["detect.double_s"]
    )
    coughed = any(onset - 1 <= at <= onset + 10 for at in cough_at_s)
    return {
        "onset_s": onset,
        "posture": swallow.posture,
        "protocol": swallow.protocol,
        "evaluable": alone and not coughed and measured.irp4s_mmhg is not None,
        "irp4s_mmhg": measured.irp4s_mmhg,
        **relaxation_family(phantom, swallow, marks, parameters, onset),
        **ues_relaxation(phantom, swallow, marks, parameters, onset),
        "dci_mmhg_s_cm": measured.dci_mmhg_s_cm,
        "dci_box_mmhg_s_cm": measured.dci_box_mmhg_s_cm,
        "distal_latency_s": measured.distal_latency_s,
        "cdp_cm": measured.cdp_cm,
        "break_cm": measured.break_cm,
        "ibp_mmhg": measured.ibp_mmhg,
        "ibp_mean_mmhg": measured.ibp_mean_mmhg,
        "cfv_cm_s": measured.cfv_cm_s,
        "pressurization": measured.pressurization,
        "type": measured.type,
    }


def _landmarks(
    phantom: Phantom, marks: Landmarks, found: list[Measured], offset_cm: float
) -> dict[str, float]:
    zones = [
        item.transition_cm
        for item, swallow in zip(found, phantom.swallows, strict=True)
        if item.transition_cm is not None and swallow.protocol == "single"
    ]
    zone = float(np.median(zones)) if zones else phantom.anatomy.transition_cm
    return {
        "ues_upper_cm": marks.ues_upper - offset_cm,
        "ues_lower_cm": marks.ues_lower - offset_cm,
        "transition_zone_cm": zone - offset_cm,
        "les_upper_cm": marks.les_upper - offset_cm,
        "les_lower_cm": marks.les_lower - offset_cm,
        "crural_diaphragm_cm": marks.crural - offset_cm,
        "pressure_inversion_point_cm": marks.inversion - offset_cm,
        "gastric_reference_mmhg": marks.gastric_supine,
    }


def _egj(phantom: Phantom, marks: Landmarks) -> dict[str, float]:
    mean, end_expiratory, inspiratory = resting_les(phantom, marks)
    return {
        "basal_mean_mmhg": mean,
        "basal_end_expiratory_mmhg": end_expiratory,
        "basal_inspiratory_mmhg": inspiratory,
        "les_length_cm": marks.les_lower - marks.les_upper,
        "les_cd_separation_cm": phantom.anatomy.crural_cm - phantom.anatomy.les_cm,
    }


def _study(rows: list[dict[str, Any]]) -> dict[str, Any]:
    good = [row for row in rows if row["evaluable"]]
    supine = [row for row in good if row["posture"] == "supine"]
    return {
        "n_swallows": len(rows),
        "n_evaluable": len(good),
        "irp4s_median_supine_mmhg": _median_irp(supine),
        "irp4s_median_upright_mmhg": _median_irp([r for r in good if r["posture"] == "upright"]),
        "percent": _percentages(supine),
    }


def _median_irp(rows: list[dict[str, Any]]) -> float | None:
    return float(np.median([row["irp4s_mmhg"] for row in rows])) if rows else None


def _percentages(supine: list[dict[str, Any]]) -> dict[str, float | None]:
    """Shares of the evaluable supine swallows [%]."""
    count = len(supine)
    names = (*_TYPES, "ineffective", "panesophageal")
    if not count:
        return dict.fromkeys(names)
    hits = {name: sum(row["type"] == name for row in supine) for name in _TYPES}
    hits["ineffective"] = hits["failed"] + hits["weak"] + hits["fragmented"]
    hits["panesophageal"] = sum(row["pressurization"] == "panesophageal" for row in supine)
    return {name: 100.0 * hits[name] / count for name in names}
