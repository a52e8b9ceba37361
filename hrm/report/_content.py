"""What a report says, block by block, in the order in which it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hrm import catalog
from hrm.report import signal, stated, wording
from hrm.report._sheet import (
    BODY,
    INNER,
    LEFT,
    RIGHT,
    SMALL,
    TITLE,
    WIDTH,
    Line,
    Sheet,
    Style,
    pair,
    paragraph,
    wrap,
)
from hrm.report.bolus import pharynx_lines
from hrm.report.provoked import provocation_lines, upright_sentence

RESEARCH_USE = "For research use only, not for diagnosis or treatment."
NOT_GIVEN = "not given"
_GAP = 14.0
_HALF = (INNER - _GAP) / 2.0
_THIRD = (INNER - 2 * _GAP) / 3.0
_GREY = Style(color="0.25")
_BOLD = Style(bold=True)
#: Names that fit a third of the page; another number has its name in the catalogue.
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


def write_head(sheet: Sheet, result: Result) -> None:
    """Title, and which recording this is; no name, no file."""
    recording, engine = result["recording"], result["engine"]
    system = catalog.systems().get(recording["system"])
    depths = recording["depths_cm"]
    sheet.write("High-resolution esophageal manometry", LEFT, sheet.y, Style(TITLE, bold=True))
    sheet.write(RESEARCH_USE, WIDTH - RIGHT, sheet.y + 5.0, Style(BODY, bold=True, align="right"))
    sheet.y += 18.0
    source = (
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
    for fact in (source, measured):
        sheet.lines(paragraph(fact, INNER))
    changed = [f"{key} = {value}" for key, value in engine["parameter_overrides"].items()]
    if changed:
        sheet.lines(paragraph(f"Changed parameters: {'; '.join(changed)}", INNER, _BOLD))


def write_fields(
    sheet: Sheet, result: Result, *, reason_for_referral: str, clinical_diagnosis: str
) -> None:
    """What only the physician can say, and what the trees were told of it."""
    sheet.y += 3.0
    for label, text in (
        ("Reason for referral", reason_for_referral),
        ("Clinical diagnosis", clinical_diagnosis),
        ("Clinical context", stated.clinical_context(result)),
    ):
        sheet.lines(pair(label, text or NOT_GIVEN, INNER, at=92.0))


def write_diagnosis(sheet: Sheet, result: Result, keys: Mapping[str, int]) -> None:
    """Both versions side by side: label, standing, what to weigh, rules; and why they differ."""
    found = result["classification"]
    columns = []
    for name, version in wording.VERSIONS:
        verdict = found[name]
        columns.append(
            [
                *paragraph(f"Chicago Classification v{version}", _HALF, _GREY),
                *paragraph(wording.diagnosis(verdict["diagnosis"]), _HALF, Style(11.0, bold=True)),
                *paragraph(wording.standing(verdict, version), _HALF, _BOLD),
                *_bullets(wording.remarks(verdict), _HALF),
                *_rationale(verdict, keys),
                *_provisional(verdict),
            ]
        )
    sheet.heading("Manometric diagnosis", room=60.0)
    sheet.columns(_aligned(columns), [LEFT, LEFT + _HALF + _GAP])
    if found["difference"]:
        sheet.y += 2.0
        sheet.lines(pair("Why they differ", found["difference"], INNER, at=92.0))
    described = wording.post_treatment(result)
    if described:
        _write_treated(sheet, described, found["post_treatment"]["note"])


def _aligned(columns: Sequence[list[Line]]) -> list[list[Line]]:
    """Fill up so that the lines of both columns share their heights."""
    rows = max(len(column) for column in columns)
    return [[*column, *([Line("")] * (rows - len(column)))] for column in columns]


def _bullets(texts: Sequence[str], width: float) -> Iterator[Line]:
    for text in texts:
        yield from paragraph(f"• {text}", width, hanging=7.0)


def _rationale(verdict: Mapping[str, Any], keys: Mapping[str, int]) -> Iterator[Line]:
    style = Style(SMALL, color="0.25")
    yield from paragraph("Rules looked at: value, limit [row, see Limits]", _HALF, style)
    for rule in verdict["rationale"]:
        key = f" [{keys.get(rule['row'], rule['row'])}]" if rule["row"] else ""
        style = Style(SMALL, bold=rule["met"])
        first, *rest = paragraph(
            wording.rule_text(rule) + key, _HALF - 18.0, style, indent=0.0, hanging=6.0
        )
        inside = [Line(line.text, style, line.indent + 18.0) for line in (first, *rest)]
        yield Line("yes" if rule["met"] else "no", style, also=inside[0])
        yield from inside[1:]


def _provisional(verdict: Mapping[str, Any]) -> Iterator[Line]:
    if verdict["provisional"]:
        yield from paragraph("It would be", _HALF, Style(SMALL, bold=True))
        for row in verdict["provisional"]:
            text = f"• {wording.provisional_text(row)}"
            yield from paragraph(text, _HALF, Style(SMALL), hanging=7.0)


def _write_treated(sheet: Sheet, described: Sequence[tuple[str, str]], note: str) -> None:
    sheet.heading("After treatment: values without a label")
    half = (len(described) + 1) // 2
    columns = [
        [line for label, value in part for line in pair(label, value, _HALF, at=150.0)]
        for part in (described[:half], described[half:])
    ]
    sheet.columns(columns, [LEFT, LEFT + _HALF + _GAP])
    sheet.lines(paragraph(f"{note[:1].upper()}{note[1:]}.", INNER))


def write_summary(sheet: Sheet, result: Result) -> None:
    """The study in a few sentences, and whether it is complete."""
    sheet.heading("Summary")
    said = [*wording.summary_sentences(result), upright_sentence(result)]
    said += wording.protocol_sentences(result)
    sheet.lines(paragraph(" ".join(said), INNER))


def write_quality(sheet: Sheet, result: Result) -> None:
    """Whether a reader has looked at it, and everything that makes a number less certain."""
    sheet.heading("Review and quality warnings")
    edits = "; ".join(stated.reader_edits(result))
    reviewed = " ".join(text for text in (wording.review_sentence(result), edits) if text)
    found = signal.quality_sentences(result)
    texts = [reviewed, *result["warnings"], *([found] if found else [])]
    sheet.lines([line for text in texts for line in paragraph(f"• {text}", INNER, hanging=7.0)])


def write_rest(sheet: Sheet, result: Result) -> None:
    """Resting values: landmarks, the junction, the upper sphincter."""
    columns = [_landmarks(result), _junction(result), _upper_sphincter(result)]
    columns = _aligned(columns)
    sheet.heading("At rest", room=sum(line.height for line in columns[0]))
    sheet.columns(columns, [LEFT + k * (_THIRD + _GAP) for k in range(3)])


def _landmarks(result: Result) -> list[Line]:
    found = result["landmarks"]
    reference = wording.in_words(result["recording"]["depth_reference"])
    lines = paragraph(f"Landmarks, from {reference}", _THIRD, _BOLD)
    for label, key in (
        ("Transition zone", "transition_zone_cm"),
        ("LES, proximal border", "les_upper_cm"),
        ("LES, distal border", "les_lower_cm"),
        ("Crural diaphragm", "crural_diaphragm_cm"),
        ("Inversion point (PIP)", "pressure_inversion_point_cm"),
        ("Gastric reference", "gastric_reference_mmhg"),
    ):
        lines += pair(label, wording.measured(found, key), _THIRD, at=94.0)
    baseline = result["study"]["baseline"]
    if "start_s" in baseline:
        text = f"{baseline['start_s']:.1f} to {baseline['stop_s']:.1f} s"
        remark = "" if baseline["status"] == "ok" else f" ({wording.in_words(baseline['status'])})"
        lines += pair("Baseline", text + remark, _THIRD, at=94.0)
    else:
        lines += pair("Baseline", wording.missing(baseline, "status"), _THIRD, at=94.0)
    noise = wording.measured(result["study"], "noise_mmhg")
    filtered = "; filtered" if result["study"]["filtered"] else ""
    return [*lines, *pair("Sensor noise", noise + filtered, _THIRD, at=94.0)]


def _junction(result: Result) -> list[Line]:
    egj = result["egj"]
    lines = paragraph("LES and esophagogastric junction", _THIRD, _BOLD)
    for key, metric in wording.metrics_of(egj):
        if key in _APART and egj[key] is None:
            continue
        name = _SHORT.get(key, metric.long_name)
        lines += pair(name, wording.measured(egj, key), _THIRD, at=96.0)
    return [*lines, *pair("EGJ morphology", wording.morphology(egj), _THIRD, at=96.0)]


def _upper_sphincter(result: Result) -> list[Line]:
    found = result["landmarks"]
    lines = paragraph("Upper esophageal sphincter", _THIRD, _BOLD)
    for label, key in (("Upper border", "ues_upper_cm"), ("Lower border", "ues_lower_cm")):
        lines += pair(label, wording.measured(found, key), _THIRD, at=84.0)
    block = result["ues"]
    for key, metric in wording.metrics_of(block):
        name = _SHORT.get(key, metric.long_name)
        lines += pair(name, wording.measured(block, key), _THIRD, at=84.0)
    for label, text in pharynx_lines(result):
        lines += paragraph(f"{label}: {text}", _THIRD, hanging=6.0)
    return lines


def write_provocation(sheet: Sheet, result: Result) -> None:
    """Provocation tests, where there were any."""
    said = provocation_lines(result)
    if said:
        sheet.heading("Provocation tests")
        sheet.lines([line for each in said for line in pair(*each, INNER, at=112.0)])


def write_limits(sheet: Sheet, result: Result, keys: Mapping[str, int]) -> None:
    """Every row that decided, with its source and how sure it is."""
    sheet.heading("Limits used [row]")
    lines: list[list[Line]] = []
    style = Style(SMALL)
    for row in wording.used_limits(result):
        source = f"{row.citation} ({row.confidence})"
        text = f"{row.id}  {wording.comparison(row)}  {source}"
        lines.append(
            [
                Line(f"[{keys[row.id]}]", style, also=line) if not k else line
                for k, line in enumerate(paragraph(text, _HALF - 20.0, style, indent=0.0))
            ]
        )
    shifted = [[_shift(line) for line in each] for each in lines]
    half = (len(shifted) + 1) // 2
    columns = [
        [line for each in part for line in each] for part in (shifted[:half], shifted[half:])
    ]
    sheet.columns(_aligned(columns), [LEFT, LEFT + _HALF + _GAP])
    sheet.y += 2.0
    degrees = {row.confidence for row in wording.used_limits(result)}
    legend = [f"{code}: {text}" for code, text in wording.confidences().items() if code in degrees]
    text = (
        "Beyond a limit: value, sign, limit, in this order, hold. Keys: docs/references.md. "
        f"{'; '.join(legend)}."
    )
    sheet.lines(paragraph(text, INNER, Style(SMALL, color="0.25")))


def _shift(line: Line) -> Line:
    """Move the text of a row right of its number."""
    if line.also is None:
        return Line(line.text, line.style, line.indent + 20.0)
    also = Line(line.also.text, line.also.style, 20.0)
    return Line(line.text, line.style, 0.0, also)


def limit_keys(result: Result) -> dict[str, int]:
    """Number of each row in the list of limits."""
    return {row.id: k + 1 for k, row in enumerate(wording.used_limits(result))}


def foot(result: Result) -> tuple[str, str]:
    """Left and right part of the foot of each page."""
    engine, recording = result["engine"], result["recording"]
    left = (
        f"Study {recording['study_id']} · hrm {engine['version']} · "
        f"parameters {engine['parameters_id']} · {RESEARCH_USE}"
    )
    short = wrap(left, INNER - 60.0, Style(SMALL))[0]
    return short, "page {page} of {pages}"
