"""What a report on one study says, block by block, in the order in which it is read.

Plain texts of the published contract: the PDF sets them in lines, the page in HTML.
Nothing here draws.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hrm import catalog
from hrm._page import RESEARCH_USE
from hrm.report import signal, stated, wording
from hrm.report.bolus import pharynx_lines
from hrm.report.firmness import stability_sentence
from hrm.report.provoked import upright_sentence

TITLE = "High-resolution esophageal manometry"
NOT_GIVEN = "not given"
NO_SWALLOW = "No swallow was found: there is nothing to measure."
RULES = "Rules looked at: value, limit [row, see Limits]"
PROVISIONAL = "It would be"
#: Headings of the sections, in their order.
DIAGNOSIS, SUMMARY, REVIEW = "Manometric diagnosis", "Summary", "Review and quality warnings"
DIFFER = "Why they differ"
TREATED = "After treatment: values without a label"
SWALLOWS, REST, PROVOCATION = "Swallows", "At rest", "Provocation tests"
PANELS, LIMITS = "Swallow by swallow (s from onset)", "Limits used [row]"
#: Names that fit a third of a page of paper; another number has its name in the catalogue.
_SHORT = {
    "basal_mean_mmhg": "Basal, mean",
    "basal_end_expiratory_mmhg": "Basal, expiratory",
    "basal_inspiratory_mmhg": "Basal, inspiratory",
    "egj_ci_mmhg_cm": "EGJ-CI",
    "egj_ci_les_mmhg_cm": "EGJ-CI, LES",
    "egj_ci_crural_mmhg_cm": "EGJ-CI, diaphragm",
    "egj_ci_sum_mmhg_cm": "EGJ-CI, sum",
    "egj_ci_total_mmhg_cm": "EGJ-CI, total",
    "les_length_cm": "LES length",
    "les_cd_separation_cm": "LES–CD separation",
    "ues_resting_mmhg": "Resting",
    "ues_residual_median_mmhg": "Residual, median",
    "ues_irp02s_median_mmhg": "IRP 0.2 s, median",
    "ues_relaxation_median_s": "Relaxation time",
}
#: Numbers that only an EGJ in two parts has.
_APART = ("egj_ci_les_mmhg_cm", "egj_ci_crural_mmhg_cm", "egj_ci_sum_mmhg_cm")

Result = Mapping[str, Any]
Pair = tuple[str, str]


def sources(result: Result) -> list[str]:
    """Which recording this is and what measured it; no name, no file."""
    recording, engine = result["recording"], result["engine"]
    system = catalog.systems().get(recording["system"])
    depths = recording["depths_cm"]
    study = (
        f"Study {recording['study_id']} · SHA-256 {recording['sha256'][:12]} · "
        f"format {recording['format']} · {recording['duration_s']:.0f} s at "
        f"{recording['sampling_rate_hz']:g} Hz · {recording['n_sensors']} sensors, "
        f"{depths[0]:g} to {depths[-1]:g} cm from {wording.in_words(recording['depth_reference'])}"
    )
    measured = (
        f"Catheter {recording['catheter']} · system {recording['system']}"
        f"{f' ({system.name})' if system else ''} · hrm {engine['version']} · "
        f"parameters {engine['parameters_id']}"
    )
    return [study, measured]


def changed_parameters(result: Result) -> str:
    """Parameters that were changed for this run; empty where none was."""
    changed = [f"{key} = {value}" for key, value in result["engine"]["parameter_overrides"].items()]
    return f"Changed parameters: {'; '.join(changed)}" if changed else ""


def fields(result: Result, *, reason_for_referral: str, clinical_diagnosis: str) -> list[Pair]:
    """What only the physician can say, and what the trees were told of it."""
    said = (
        ("Reason for referral", reason_for_referral),
        ("Clinical diagnosis", clinical_diagnosis),
        ("Clinical context", stated.clinical_context(result)),
    )
    return [(label, text or NOT_GIVEN) for label, text in said]


@dataclass(frozen=True)
class Verdict:
    """What one version of the classification says.

    Attributes
    ----------
    version, label, standing : str
        Its name, the diagnosis, and how firmly it stands.
    remarks : list of str
        What a reader must weigh.
    rules : list of (bool, str)
        Whether each rule is met, and what was compared.
    provisional : list of str
        What an unclassified study would be.
    """

    version: str
    label: str
    standing: str
    remarks: list[str]
    rules: list[tuple[bool, str]]
    provisional: list[str]


def verdicts(result: Result, keys: Mapping[str, int]) -> list[Verdict]:
    """Both versions of the classification.

    Parameters
    ----------
    result : mapping
        The published contract.
    keys : mapping
        From `limit_keys`.
    """
    found = [(result["classification"][name], version) for name, version in wording.VERSIONS]
    return [
        Verdict(
            f"Chicago Classification v{version}",
            wording.diagnosis(verdict["diagnosis"]),
            wording.standing(verdict, version),
            [*wording.remarks(verdict), *_firmness(verdict)],
            [(bool(rule["met"]), _rule(rule, keys)) for rule in verdict["rationale"]],
            [wording.provisional_text(row) for row in verdict["provisional"] or ()],
        )
        for verdict, version in found
    ]


def _rule(rule: Mapping[str, Any], keys: Mapping[str, int]) -> str:
    key = f" [{keys.get(rule['row'], rule['row'])}]" if rule["row"] else ""
    return wording.rule_text(rule) + key


def _firmness(verdict: Mapping[str, Any]) -> list[str]:
    """Whether the diagnosis holds, where that was asked for."""
    if "stability" not in verdict:
        return []
    return [f"If landmarks, onsets and zero were a little off: {stability_sentence(verdict)}"]


def why_differ(result: Result) -> str:
    """Say why the versions differ; empty where they do not."""
    return str(result["classification"]["difference"] or "")


def treated(result: Result) -> tuple[list[Pair], str]:
    """Values after an operation, and a note on them; no values without one."""
    described = wording.post_treatment(result)
    if not described:
        return [], ""
    note = result["classification"]["post_treatment"]["note"]
    return described, f"{note[:1].upper()}{note[1:]}."


def summary(result: Result) -> str:
    """The study in a few sentences, and whether it is complete."""
    said = [*wording.summary_sentences(result), upright_sentence(result)]
    return " ".join([*said, *wording.protocol_sentences(result)])


def warnings(result: Result) -> list[str]:
    """Whether a reader has looked at it, and everything that makes a number less certain."""
    edits = "; ".join(stated.reader_edits(result))
    reviewed = " ".join(text for text in (wording.review_sentence(result), edits) if text)
    found = signal.quality_sentences(result)
    return [reviewed, *result["warnings"], *([found] if found else [])]


@dataclass(frozen=True)
class Resting:
    """One column of what was measured at rest: pairs, then lines that say all by themselves."""

    heading: str
    pairs: list[Pair]
    lines: list[str] = field(default_factory=list)


def rest(result: Result) -> list[Resting]:
    """Resting values: landmarks, the junction, the upper sphincter."""
    reference = wording.in_words(result["recording"]["depth_reference"])
    return [
        Resting(f"Landmarks, from {reference}", [*_landmarks(result)]),
        Resting("LES and esophagogastric junction", [*_junction(result["egj"])]),
        Resting(
            "Upper esophageal sphincter",
            [*_upper_sphincter(result)],
            [f"{label}: {text}" for label, text in pharynx_lines(result)],
        ),
    ]


def _landmarks(result: Result) -> Iterator[Pair]:
    found = result["landmarks"]
    for label, key in (
        ("Transition zone", "transition_zone_cm"),
        ("LES, proximal border", "les_upper_cm"),
        ("LES, distal border", "les_lower_cm"),
        ("Crural diaphragm", "crural_diaphragm_cm"),
        ("Inversion point (PIP)", "pressure_inversion_point_cm"),
        ("Gastric reference", "gastric_reference_mmhg"),
    ):
        yield label, wording.measured(found, key)
    baseline = result["study"]["baseline"]
    if "start_s" in baseline:
        text = f"{baseline['start_s']:.1f} to {baseline['stop_s']:.1f} s"
        remark = "" if baseline["status"] == "ok" else f" ({wording.in_words(baseline['status'])})"
        yield "Baseline", text + remark
    else:
        yield "Baseline", wording.missing(baseline, "status")
    noise = wording.measured(result["study"], "noise_mmhg")
    yield "Sensor noise", noise + ("; filtered" if result["study"]["filtered"] else "")


def _junction(egj: Mapping[str, Any]) -> Iterator[Pair]:
    for key, metric in wording.metrics_of(egj):
        if key not in _APART or egj[key] is not None:
            yield _SHORT.get(key, metric.long_name), wording.measured(egj, key)
    yield "EGJ morphology", wording.morphology(egj)


def _upper_sphincter(result: Result) -> Iterator[Pair]:
    found, block = result["landmarks"], result["ues"]
    for label, key in (("Upper border", "ues_upper_cm"), ("Lower border", "ues_lower_cm")):
        yield label, wording.measured(found, key)
    for key, metric in wording.metrics_of(block):
        yield _SHORT.get(key, metric.long_name), wording.measured(block, key)


def limit_keys(result: Result) -> dict[str, int]:
    """Number of each row in the list of limits."""
    return {row.id: k + 1 for k, row in enumerate(wording.used_limits(result))}


def limits(result: Result, keys: Mapping[str, int]) -> list[tuple[int, str]]:
    """Every row that decided with its number, source and how sure it is."""
    return [
        (
            keys[row.id],
            f"{row.id}  {wording.comparison(row)}  {row.citation} ({row.confidence})",
        )
        for row in wording.used_limits(result)
    ]


def limits_note(result: Result) -> str:
    """Say how the limits are to be read."""
    degrees = {row.confidence for row in wording.used_limits(result)}
    legend = [f"{code}: {text}" for code, text in wording.confidences().items() if code in degrees]
    return (
        "Beyond a limit: value, sign, limit, in this order, hold. Keys: docs/references.md. "
        f"{'; '.join(legend)}."
    )


def foot(result: Result) -> str:
    """What stands at the foot: which study, what measured it, what it is for."""
    engine, recording = result["engine"], result["recording"]
    return (
        f"Study {recording['study_id']} · hrm {engine['version']} · "
        f"parameters {engine['parameters_id']} · {RESEARCH_USE}"
    )


def halves(rows: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
    """Split a list for two columns, the first the longer one."""
    half = (len(rows) + 1) // 2
    return rows[:half], rows[half:]
