"""The blocks of a report as HTML, with the same words as on paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from hrm.plot._labels import Group, groups
from hrm.plot._panels import Scene
from hrm.report import _stills, beside, bolus, model, swallow_rows, wording
from hrm.report._markup import bullets, cell, column, grid, pairs, paragraph, picture, section
from hrm.report.provoked import provocation_lines

Result = Mapping[str, Any]
_RECORDING = "Pressure topography of the whole recording"


def head(result: Result, reason: str, diagnosis: str) -> str:
    """Which study this is, and what only the physician can say."""
    sources = "".join(paragraph(fact, "source") for fact in model.sources(result))
    changed = paragraph(model.changed_parameters(result), "strong")
    said = model.fields(result, reason_for_referral=reason, clinical_diagnosis=diagnosis)
    return f"{sources}{changed}{pairs(said, 'What was asked and stated')}"


def diagnosis(result: Result, keys: Mapping[str, int]) -> str:
    """Both versions of the classification, and why they differ."""
    columns = "\n".join(_verdict(each) for each in model.verdicts(result, keys))
    why = model.why_differ(result)
    differ = pairs([(model.DIFFER, why)], model.DIFFER) if why else ""
    return section("diagnosis", model.DIAGNOSIS, f'<div class="halves">{columns}</div>', differ)


def _verdict(verdict: model.Verdict) -> str:
    rules = [
        (
            cell("yes" if met else "no", "met" if met else "", tag="th"),
            cell(text, "met" if met else ""),
        )
        for met, text in verdict.rules
    ]
    table = "".join(f"<tr>{''.join(cells)}</tr>\n" for cells in rules)
    would_be = paragraph(model.PROVISIONAL, "strong") if verdict.provisional else ""
    return (
        f"<article><h3><small>{escape(verdict.version)}</small> {escape(verdict.label)}</h3>"
        f"{paragraph(verdict.standing, 'strong')}{bullets(verdict.remarks)}"
        f'<table class="rules"><caption>{escape(model.RULES)}</caption><tbody>\n{table}'
        f"</tbody></table>{would_be}{bullets(verdict.provisional)}</article>"
    )


def treated(result: Result) -> str:
    """Values after an operation; nothing without one."""
    described, note = model.treated(result)
    if not described:
        return ""
    return section("treated", model.TREATED, pairs(described, model.TREATED), paragraph(note))


def summary(result: Result) -> str:
    """The study in a few sentences."""
    return section("summary", model.SUMMARY, paragraph(model.summary(result)))


def review(result: Result) -> str:
    """Whether a reader has looked at it, and what makes a number less certain."""
    return section("review", model.REVIEW, bullets(model.warnings(result)))


def recording(scene: Scene, name: str, said: str, heading: str = "Recording") -> str:
    """The tracing, and the picture that stands for it on paper and without a script."""
    still = picture(_stills.recording(scene), _RECORDING)
    return section(
        f"recording-{name}",
        heading,
        f'<div class="tracing" data-tracing="{name}"></div>',
        f'<figure class="still">{still}</figure>',
        paragraph(said, "note"),
    )


def table(result: Result, name: str = "1") -> str:
    """Every swallow with its numbers, what is beyond a limit marked."""
    if not result["swallows"]:
        return section("swallows", model.SWALLOWS, paragraph(model.NO_SWALLOW))
    letters = swallow_rows.reasons(result)
    heads = [
        column(label, unit, _kind(label))
        for label, unit in (*swallow_rows.COLUMNS, (swallow_rows.REMARKS, ""))
    ]
    rows = [[*_row(result, group, letters, name)] for group in groups(result)]
    return section(
        "swallows",
        model.SWALLOWS,
        grid(model.SWALLOWS, heads, rows, "swallows"),
        paragraph(wording.shares(result)),
        paragraph(swallow_rows.footnote(result, letters), "note"),
    )


def _row(result: Result, group: Group, letters: Mapping[str, str], name: str) -> Iterator[str]:
    row = result["swallows"][group.first]
    link = f' data-of="{name}" data-swallow="{row["id"]}"'
    names = [label for label, _ in swallow_rows.COLUMNS]
    if group.test:
        number, *texts, what = swallow_rows.run_cells(result, group)
        yield cell(number, "number", tag="th", more=link)
        for text, label in zip(texts, names[1:], strict=False):
            yield cell(text, _kind(label))
        yield cell(what, more=f' colspan="{len(names) - len(texts)}"')
        return
    first, *cells = swallow_rows.cells(result, row, letters)
    yield cell(first[0], "number", tag="th", more=link)
    for (text, mark), label in zip(cells, names[1:], strict=True):
        yield _marked(text, mark, _kind(label))
    yield cell("; ".join(swallow_rows.remarks(row)), "remarks")


def _kind(label: str) -> str:
    return "number" if label in swallow_rows.RIGHT else ""


def _marked(text: str, mark: str, kind: str) -> str:
    strong = " beyond" if mark in swallow_rows.SIGNS else ""
    sign = f' <span class="mark">{escape(mark)}</span>' if mark else ""
    # In columns of words the sign comes first, as on paper.
    inner = f"{escape(text)}{sign}" if kind else f"{sign.strip()} {escape(text)}".strip()
    return f'<td class="{(kind + strong).strip()}">{inner}</td>'


def rest(result: Result) -> str:
    """What was measured at rest, in three columns."""
    columns = "".join(
        f"<div>{pairs(block.pairs, block.heading, shown=True)}"
        f"{''.join(paragraph(line) for line in block.lines)}</div>"
        for block in model.rest(result)
    )
    return section("rest", model.REST, f'<div class="thirds">{columns}</div>')


def provocation(result: Result) -> str:
    """Provocation tests; nothing where there were none."""
    said = provocation_lines(result)
    return section("provocation", model.PROVOCATION, pairs(said, model.PROVOCATION)) if said else ""


def impedance(result: Result) -> str:
    """What the impedance says; nothing where the recording has none."""
    if not bolus.has_impedance(result):
        return ""
    said = pairs(bolus.impedance_lines(result), bolus.HEADING)
    rows = [] if bolus.nowhere(result) else bolus.shown_swallows(result)
    if not rows:
        return section("impedance", bolus.HEADING, said)
    shown = bolus.shown_columns(rows)
    heads = [column("#", kind="number"), column("Transit")]
    heads += [column(each.heading, each.unit, "number") for each in shown]
    body = [
        [
            cell(str(row["id"]), "number", tag="th"),
            cell(row["transit"] or wording.DASH),
            *(cell(each.text(row), "number") for each in shown),
        ]
        for row in rows
    ]
    return section(
        "impedance",
        bolus.HEADING,
        said,
        grid(bolus.HEADING, heads, body, "bolus"),
        *(paragraph(f"{wording.DASH} {note}") for note in bolus.missing_notes(rows)),
        paragraph(f"{bolus.ABBREVIATIONS} {bolus.TESTS_NOTE}", "note"),
    )


def panels(scene: Scene, name: str = "1") -> str:
    """A picture of each swallow and of each run of a test."""
    shown = groups(scene.result)
    if not shown:
        return ""
    legend, words = _stills.legend(scene)
    figures = "\n".join(_panel(scene, group, name) for group in shown)
    return section(
        "panels",
        model.PANELS,
        f'<p class="legend">{picture(legend, f"Marks: {words}")}</p>',
        f'<div class="panels">{figures}</div>',
    )


def _panel(scene: Scene, group: Group, name: str) -> str:
    what, numbers = swallow_rows.title(scene.result, group)
    number = scene.result["swallows"][group.first]["id"]
    link = f'data-of="{name}" data-swallow="{number}"'
    return _figure(scene, group, f"<strong {link}>{escape(what)}</strong>{escape(numbers)}", what)


def _figure(
    scene: Scene, group: Group, caption: str, words: str, deepest: float | None = None
) -> str:
    drawn = picture(_stills.swallow(scene, group, deepest=deepest), f"Pressure topography, {words}")
    return f"<figure><figcaption>{caption}</figcaption>{drawn}</figure>"


def typical(scene: Scene, title: str, k: int, name: str, deepest: float) -> str:
    """The swallow with the median IRP of one of two studies, on the scale of both."""
    link = f'data-of="{name}" data-swallow="{scene.result["swallows"][k]["id"]}"'
    caption = f"<strong {link}>{escape(title)}</strong>"
    return _figure(scene, Group(k, k, "", {}), caption, title, deepest)


def limits(result: Result, keys: Mapping[str, int]) -> str:
    """Every row that decided."""
    rows = [(f"[{number}]", text) for number, text in model.limits(result, keys)]
    return section(
        "limits",
        model.LIMITS,
        pairs(rows, model.LIMITS).replace('class="pairs"', 'class="pairs limits"'),
        paragraph(model.limits_note(result), "note"),
    )


def two_diagnoses(results: tuple[Result, Result], names: tuple[str, str]) -> str:
    """What each of two studies amounts to."""
    columns = []
    for result, name in zip(results, names, strict=True):
        said = "".join(
            f"<h3>{escape(label)}</h3>{paragraph(standing)}"
            for label, standing in beside.diagnoses(result)
        )
        after = wording.post_treatment(result)
        values = pairs(after, model.TREATED, shown=True) if after else ""
        columns.append(f'<article><p class="dim">{escape(name)}</p>{said}{values}</article>')
    return section("diagnosis", model.DIAGNOSIS, f'<div class="halves">{"".join(columns)}</div>')


def two_numbers(results: tuple[Result, Result], names: tuple[str, str]) -> str:
    """The numbers of two studies and their change."""
    heads, *rows = beside.table(results, names)
    body = [
        [cell(label, tag="th"), *(cell(text, "number") for text in texts)] for label, *texts in rows
    ]
    labels = ["Number", *heads[1:]]
    note = "" if beside.same_system(results) else paragraph(beside.SYSTEMS_DIFFER, "note")
    return section(
        "numbers",
        beside.NUMBERS,
        grid(beside.NUMBERS, [column(label) for label in labels], body, "numbers"),
        note,
    )
