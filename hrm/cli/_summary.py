"""The summary that ``hrm analyze`` prints: what a physician reads first."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from hrm import catalog
from hrm.cli._lines import LABEL, WIDTH, note, words
from hrm.cli._lines import row as labelled
from hrm.cli._reported import reported_lines
from hrm.cli._stability import stability_lines
from hrm.cli._swallow_lines import impedance_lines, swallow_lines
from hrm.cli.review import review_lines

_LANDMARKS = (
    ("UES", ("ues_upper_cm", "ues_lower_cm")),
    ("Transition zone", ("transition_zone_cm",)),
    ("LES", ("les_upper_cm", "les_lower_cm")),
    ("Crural diaphragm", ("crural_diaphragm_cm",)),
    ("Pressure inversion point", ("pressure_inversion_point_cm",)),
)
_EGJ = (
    ("Basal mean", "basal_mean_mmhg", "{:.1f} mmHg"),
    ("Basal end-expiratory", "basal_end_expiratory_mmhg", "{:.1f} mmHg"),
    ("Basal inspiratory", "basal_inspiratory_mmhg", "{:.1f} mmHg"),
    ("EGJ-CI", "egj_ci_mmhg_cm", "{:.1f} mmHg cm"),
    ("  of the LES", "egj_ci_les_mmhg_cm", "{:.1f} mmHg cm"),
    ("  of the diaphragm", "egj_ci_crural_mmhg_cm", "{:.1f} mmHg cm"),
    ("EGJ-CI, all breaths", "egj_ci_total_mmhg_cm", "{:.1f} mmHg cm"),
    ("LES length", "les_length_cm", "{:.1f} cm"),
    ("LES-CD separation", "les_cd_separation_cm", "{:.1f} cm"),
)
#: Numbers that only an EGJ in two parts has.
_PARTS = ("egj_ci_les_mmhg_cm", "egj_ci_crural_mmhg_cm")
_UES = (
    ("Resting", "ues_resting_mmhg", "{:.1f} mmHg"),
    ("Residual, median", "ues_residual_median_mmhg", "{:.1f} mmHg"),
    ("IRP 0.2 s, median", "ues_irp02s_median_mmhg", "{:.1f} mmHg"),
    ("Relaxation time, median", "ues_relaxation_median_s", "{:.2f} s"),
)


def summary(result: Mapping[str, Any]) -> str:
    """Write the summary of a study.

    Parameters
    ----------
    result : mapping
        The published contract, from `hrm.to_dict`.

    Returns
    -------
    str
        Nothing in it identifies the patient, nor the file.
    """
    parts = [
        [_recording(result)],
        _quality(result),
        list(review_lines(result["review"])),
        _landmarks(result),
        _egj(result),
        _upper_sphincter(result),
        swallow_lines(result),
        list(reported_lines(result)),
        _study(result),
        _provocation(result),
        impedance_lines(result),
        *_classification(result),
        list(stability_lines(result)),
        _limits(result),
        _warnings(result["warnings"]),
        ["For research use only, not for diagnosis or treatment."],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _missing(status: Mapping[str, str], key: str) -> str:
    from hrm.report.wording import not_measured

    return not_measured(status.get(key))


def _recording(result: Mapping[str, Any]) -> str:
    recording, engine = result["recording"], result["engine"]
    system = catalog.systems().get(recording["system"])
    depths = recording["depths_cm"]
    signal = (
        f"{recording['format']}, {recording['n_sensors']} sensors at {depths[0]:g} to "
        f"{depths[-1]:g} cm from {words(recording['depth_reference'])}, "
        f"{recording['sampling_rate_hz']:g} Hz, {recording['duration_s']:g} s"
    )
    lines = (
        ("Study", recording["study_id"]),
        ("Recording", signal),
        ("Catheter", recording["catheter"]),
        ("System", f"{recording['system']} ({system.name})" if system else recording["system"]),
        ("Engine", f"hrm {engine['version']}, parameters {engine['parameters_id']}"),
        *(
            ("  changed parameter", f"{key} = {value}")
            for key, value in engine["parameter_overrides"].items()
        ),
    )
    return "\n".join(labelled(label, text, indent=0) for label, text in lines)


def _landmarks(result: Mapping[str, Any]) -> list[str]:
    found = result["landmarks"]
    status = found["status"]
    reference = words(result["recording"]["depth_reference"])
    lines = [f"Resting landmarks (cm from {reference})"]
    for label, keys in _LANDMARKS:
        if any(found[key] is None for key in keys):
            missing = next(key for key in keys if found[key] is None)
            lines.append(labelled(label, _missing(status, missing)))
            continue
        text = " to ".join(f"{found[key]:.1f}" for key in keys)
        lines.append(labelled(label, text + _remark(status, keys[0])))
    gastric = found["gastric_reference_mmhg"]
    text = (
        _missing(status, "gastric_reference_mmhg")
        if gastric is None
        else f"{gastric:.1f} mmHg" + _remark(status, "gastric_reference_mmhg")
    )
    lines.append(labelled("Gastric reference", text))
    baseline = result["study"]["baseline"]
    if "start_s" in baseline:
        text = f"{baseline['start_s']:.1f} to {baseline['stop_s']:.1f} s"
        lines.append(labelled("Baseline", text + _remark(baseline, "status")))
    else:
        lines.append(labelled("Baseline", _missing(baseline, "status")))
    return lines


def _remark(status: Mapping[str, str], key: str) -> str:
    said = status.get(key, "ok")
    return "" if said == "ok" else f" ({words(said)})"


def _egj(result: Mapping[str, Any]) -> list[str]:
    from hrm.report import wording

    egj = result["egj"]
    return [
        "Esophagogastric junction at rest",
        *_numbers(egj, _EGJ),
        labelled("Morphology", wording.morphology(egj)),
    ]


def _numbers(block: Mapping[str, Any], rows: Sequence[tuple[str, str, str]]) -> list[str]:
    """Write the numbers of a block, each by its label, key and format."""
    lines = []
    for label, key, form in rows:
        value, status = block[key], block["status"]
        if value is None and key in _PARTS:
            continue
        text = _missing(status, key) if value is None else form.format(value) + _remark(status, key)
        lines.append(labelled(label, text))
    return lines


def _provocation(result: Mapping[str, Any]) -> list[str]:
    from hrm.report.provoked import provocation_lines

    said = [labelled(label, text) for label, text in provocation_lines(result)]
    return ["Provocation tests", *said] if said else []


def _quality(result: Mapping[str, Any]) -> list[str]:
    from hrm.report.signal import quality_lines

    said = [labelled(label, text) for label, text in quality_lines(result)]
    return ["Quality of the recording", *said] if said else []


def _upper_sphincter(result: Mapping[str, Any]) -> list[str]:
    from hrm.report.bolus import pharynx_lines

    numbers = _numbers(result["ues"], _UES)
    above = [labelled(label, text) for label, text in pharynx_lines(result)]
    return ["Upper esophageal sphincter and pharynx", *numbers, *above]


def _study(result: Mapping[str, Any]) -> list[str]:
    from hrm.report.provoked import upright_sentence

    study, swallows = result["study"], result["swallows"]
    good = [row for row in swallows if row["evaluable"]]
    lines = ["Study", labelled("Evaluable swallows", f"{len(good)} of {len(swallows)}")]
    for posture in _postures(result):
        values = [
            row for row in good if row["posture"] == posture and row["irp4s_mmhg"] is not None
        ]
        key = f"irp4s_median_{posture}_mmhg"
        if study[key] is None:
            text = _missing(study["status"], key)
        else:
            text = f"{study[key]:.1f} mmHg (n = {len(values)}): {_verdict(result, posture)}"
        lines.append(labelled(f"Median IRP4s, {_posture(posture)}", text))
    upright = upright_sentence(result).partition(": ")[2].removesuffix(".")
    return (
        lines + _shares(result, good) + ([labelled("Upright swallows", upright)] if upright else [])
    )


def _posture(posture: str) -> str:
    return "posture unknown" if posture == "unknown" else posture


def _postures(result: Mapping[str, Any]) -> list[str]:
    """Postures that have a swallow, or supine where there is no swallow at all."""
    seen = {row["posture"] for row in result["swallows"]}
    return [name for name in ("supine", "upright", "unknown") if name in seen] or ["supine"]


def _shares(result: Mapping[str, Any], good: Sequence[Mapping[str, Any]]) -> list[str]:
    primary, percent = result["study"]["primary_posture"], result["study"]["percent"]
    count = sum(row["posture"] == primary for row in good)
    if not count:
        return [labelled("Percent of swallows", "not measured: no evaluable swallow")]
    parts = [
        f"{name} {share:.0f}% ({round(share * count / 100)}/{count})"
        for name, share in percent.items()
        if share is not None
    ]
    return [
        labelled(
            "Percent of swallows", f"of {count} evaluable, {_posture(primary)}: {', '.join(parts)}"
        )
    ]


def _verdict(result: Mapping[str, Any], posture: str) -> str:
    """Where the median IRP of a posture lies against the limit that holds for it."""
    from hrm.report.wording import irp_doubt, irp_limit

    value = float(result["study"][f"irp4s_median_{posture}_mmhg"])
    limit = irp_limit(result, posture)
    if limit is None:
        return _no_irp_limit(result, posture)
    side = "above" if limit.crossed_by(value) else "below"
    whose = "--irp-limit: " if limit.confidence == "user" else ""
    words = (
        f"{side} the limit ({limit.comparator} {limit.value:g} mmHg; "
        f"{whose}{limit.id}, {limit.citation})"
    )
    doubt = irp_doubt(result, posture)
    return words + (f", borderline: {doubt}" if doubt else "")


def _no_irp_limit(result: Mapping[str, Any], posture: str) -> str:
    """Why there is no limit for the median IRP of a posture."""
    system = result["recording"]["system"]
    if "post_treatment" in result["classification"]:
        return "no limit after an operation"
    if system == "unknown":
        return "no limit, because the system is unknown (--system)"
    name = catalog.systems()[system].name
    if posture == "unknown":
        return "no limit, because the posture is unknown (--posture or --swallows)"
    return (
        f"no limit: Chicago Classification 4.0 gives none for {name}, {posture} "
        "(--irp-limit sets your own)"
    )


def _limits(result: Mapping[str, Any]) -> list[str]:
    used = set(result["engine"]["limit_ids"])
    rows = [row for row in catalog.limit_table() if row.id in used]
    lines = ["Limits used"]
    lines += [
        labelled(
            words(row.quantity),
            f"{row.comparator} {row.value:g} {row.unit}, {row.id} ({row.citation})",
        )
        for row in rows
    ]
    own = result["engine"]["irp_limit"]
    if own is not None and own["row"] not in used:
        text = f">= {own['value_mmhg']:g} mmHg, {own['row']} ({own['citation']}), by --irp-limit"
        place = "" if own["position"] == "any" else f", {own['position']}"
        lines.append(labelled(f"irp4s{place}", text))
    return lines


def _classification(result: Mapping[str, Any]) -> list[list[str]]:
    """Both versions side by side, then how each of them came about."""
    from hrm.report import wording

    found = result["classification"]
    verdicts = [(f"CC v{version}", found[name]) for name, version in wording.VERSIONS]
    beside = [
        ("", [name for name, _ in verdicts]),
        ("Diagnosis", [wording.diagnosis(verdict["diagnosis"]) for _, verdict in verdicts]),
        (
            "",
            [wording.standing(found[name], version) for name, version in wording.VERSIONS],
        ),
    ]
    lines = ["Chicago Classification"]
    for label, texts in beside:
        lines += _side_by_side(label, texts)
    if found["difference"]:
        lines.append(labelled("Why they differ", found["difference"]))
    described = [labelled(label, text) for label, text in wording.post_treatment(result)]
    if described:
        described = ["After treatment", *described, note(found["post_treatment"]["note"])]
    return [lines, *(_verdict_lines(name, verdict) for name, verdict in verdicts), described]


def _side_by_side(label: str, texts: Sequence[str]) -> list[str]:
    width = (WIDTH - 2 - LABEL) // len(texts)
    cells = [textwrap.wrap(text, width - 2) or [""] for text in texts]
    out = []
    for k in range(max(len(cell) for cell in cells)):
        parts = [(cell[k] if k < len(cell) else "").ljust(width) for cell in cells]
        out.append(f"  {(label if not k else '').ljust(LABEL)}{''.join(parts)}".rstrip())
    return out


def _verdict_lines(name: str, verdict: Mapping[str, Any]) -> list[str]:
    """What a reader must weigh, the rules that decided, and what the study would be."""
    from hrm.report import wording

    lines = [f"{name}: rules that were looked at, with value, limit and row"]
    for rule in verdict["rationale"]:
        source = wording.rule_source(rule)
        text = wording.rule_text(rule) + (f"  [{source}]" if source else "")
        lines.append(note(f"{'yes' if rule['met'] else 'no '} {text}", hanging=4))
    lines += [labelled("Note", text) for text in wording.remarks(verdict)]
    provisional = [wording.provisional_text(row) for row in verdict["provisional"]]
    return lines + [labelled("It would be", text) for text in provisional]


def _warnings(warnings: Sequence[str]) -> list[str]:
    if not warnings:
        return []
    return [
        "Warnings",
        *(
            textwrap.fill(f"- {text}", WIDTH, subsequent_indent="  ", initial_indent="")
            for text in warnings
        ),
    ]
