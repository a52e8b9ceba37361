"""The comparison as one HTML page that stands alone and prints."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

from hrm import __version__
from hrm._page import RESEARCH_USE, document, image, table
from hrm.agreement.comparison import (
    Comparison,
    Coverage,
    LabelAgreement,
    Level,
    MetricAgreement,
)
from hrm.agreement.definitions import labels, rules, title_of
from hrm.agreement.estimate import OK, Estimate
from hrm.agreement.limits import Limits
from hrm.agreement.source import Source
from hrm.agreement.wording import caution, coefficient, in_words, other_rules

LEVELS = {
    "study": "studies",
    "study_median": "study medians",
    "swallow": "swallows",
}
_LEFT_OUT = {
    "unknown_metric": "rows of a metric that the catalogue does not have",
    "unmatched": "rows of swallows that were not found",
    "other_origin": "rows of the other origin (measured, or reported by the file)",
}
Sides = Sequence[str]


def page(
    comparison: Comparison,
    pictures: Mapping[tuple[str, str], bytes] | None = None,
    *,
    sides: Sides = ("A", "B"),
) -> str:
    """Write a comparison as HTML.

    Parameters
    ----------
    comparison : Comparison
    pictures : mapping of (metric, level) to bytes, optional
        PNG of each level, put into the page itself.
    sides : sequence of str
        What A and B are called.

    Returns
    -------
    str
        With no script, nothing from elsewhere, and no name of a file; subjects and visits
        are the codes of the sources.
    """
    drawn = pictures or {}
    parts = [
        _head(comparison, sides),
        *_matched(comparison, sides),
        *_overview(comparison),
        *(text for row in comparison.metrics for text in _metric(row, drawn, sides)),
        *(text for row in comparison.labels for text in _label(row, sides)),
        *_unmatched(comparison, sides),
        *_methods(),
    ]
    return document(f"Agreement of {sides[0]} and {sides[1]}", parts)


def _head(comparison: Comparison, sides: Sides) -> str:
    return (
        f"<p><strong>{RESEARCH_USE}</strong> hrm {escape(__version__)}. Differences are "
        f"{escape(sides[0])} minus {escape(sides[1])}; intervals are {100 * comparison.level:.4g} %.</p>"
    )


def _matched(comparison: Comparison, sides: Sides) -> Iterator[str]:
    matching = comparison.matching
    pairs = matching.pairs
    subjects = len({pair.name[0] for pair in pairs})
    by = [sum(pair.by == how for pair in pairs) for how in ("onset", "number")]
    yield "<h2>What was compared</h2>"
    rows = []
    for name, source, lost, only in (
        (sides[0], comparison.a, matching.only_a, [pair.only_a for pair in pairs]),
        (sides[1], comparison.b, matching.only_b, [pair.only_b for pair in pairs]),
    ):
        swallows = sum(len(study.swallows) for study in source.studies.values())
        cells = (len(source.studies), len(lost), swallows, sum(len(each) for each in only))
        rows.append((escape(name), *(str(cell) for cell in cells)))
    heads = ("", "studies", "unmatched studies", "swallows", "unmatched, in matched studies")
    yield table(heads, rows)
    tolerance = rules()["match.onset_s"].value
    yield (
        f"<p>{len(pairs)} studies of {subjects} subjects are on both sides. Their swallows were "
        f"matched by onset within {tolerance:g} s in {by[0]} studies and by number in {by[1]}: "
        f"{sum(len(pair.swallows) for pair in pairs)} swallows."
    )
    if matching.visit_stated_once:
        yield f" In {matching.visit_stated_once} studies only one side names the visit."
    yield "</p>"
    if text := other_rules(comparison.n_other_rules):
        yield f'<p class="note">{escape(text[0].upper() + text[1:])}.</p>'
    for name, source in ((sides[0], comparison.a), (sides[1], comparison.b)):
        yield from _left_out(name, source)


def _left_out(name: str, source: Source) -> Iterator[str]:
    for reason, count in sorted(source.left_out.items()):
        if count:
            text = _LEFT_OUT.get(reason, reason.replace("_", " "))
            yield f'<p class="note">{escape(name)}: {count} {escape(text)} left out.</p>'


def _overview(comparison: Comparison) -> Iterator[str]:
    if comparison.metrics:
        yield "<h2>Numbers at a glance</h2>"
        few = min(row.levels[0].limits.n_subjects for row in comparison.metrics)
        yield _caution(few)
        yield (
            "<p>The row to quote: study numbers, or the median of each study over the swallows "
            "that count on both sides.</p>"
        )
        heads = ("metric", "level", "n", "bias", "limits of agreement", "ICC(2,1)", "ICC(3,1)")
        yield table(heads, [_glance(row) for row in comparison.metrics])
    if comparison.labels:
        yield "<h2>Labels at a glance</h2>"
        yield _caution(min(row.n_subjects for row in comparison.labels))
        columns = ("label", "n", "equal", "κ", "κ, linear", "κ, quadratic")
        yield table(columns, [_label_glance(row) for row in comparison.labels])


def _caution(n_subjects: int) -> str:
    text = caution(n_subjects)
    return f"<p><strong>{escape(text)}</strong></p>" if text else ""


def _glance(row: MetricAgreement) -> tuple[str, ...]:
    first = row.levels[0]
    limits = first.limits
    return (
        f"{escape(row.title)} ({escape(row.unit)})",
        LEVELS[first.name],
        str(limits.n),
        _estimate(limits.bias),
        f"{_number(limits.lower.value)} to {_number(limits.upper.value)}",
        coefficient(first.icc_2_1),
        coefficient(first.icc_3_1),
    )


def _label_glance(row: LabelAgreement) -> tuple[str, ...]:
    n = row.coverage.n_compared
    share = f" ({row.n_equal / n:.0%})" if n else ""
    kappas = (coefficient(each) for each in (row.kappa, row.linear, row.quadratic))
    return (escape(row.title), str(n), f"{row.n_equal}{share}", *kappas)


def _metric(
    row: MetricAgreement, pictures: Mapping[tuple[str, str], bytes], sides: Sides
) -> Iterator[str]:
    yield f"<h2>{escape(_upper(row.title))} ({escape(row.unit)})</h2>"
    yield f'<p class="note"><code>{escape(row.metric)}</code>. {_covered(row.coverage, sides)}</p>'
    for level in row.levels:
        yield f"<section><h3>{LEVELS[level.name].capitalize()}</h3>"
        yield table(("", "estimate", "interval", ""), list(_statistics(level, row.unit)))
        if level.name == "swallow":
            yield (
                '<p class="note">Swallows of one subject are alike. The limits add the variance '
                "between and within subjects, and intervals leave out one subject at a time.</p>"
            )
        picture = pictures.get((row.metric, level.name))
        if picture is not None:
            yield image(picture, f"{row.title}, {LEVELS[level.name]}")
        yield "</section>"


def _statistics(level: Level, unit: str) -> Iterator[tuple[str, ...]]:
    limits = level.limits
    yield ("pairs", str(limits.n), "", f"{limits.n_subjects} subjects")
    yield from _limit_rows(limits, "", escape(unit))
    if math.isfinite(limits.sd):
        parts = ""
        if math.isfinite(limits.sd_within):
            parts = (
                f"between subjects {_number(limits.sd_between)}, within {_number(limits.sd_within)}"
            )
        yield ("SD of the differences", _number(limits.sd), "", parts)
    if level.ratio is not None:
        yield from _limit_rows(level.ratio, " of the ratio", "")
    yield _coefficient_row("ICC(2,1), absolute agreement", level.icc_2_1)
    yield _coefficient_row("ICC(3,1), consistency", level.icc_3_1)


def _limit_rows(limits: Limits, of: str, unit: str) -> Iterator[tuple[str, ...]]:
    yield _row("ratio, geometric mean" if of else f"bias ({unit})", limits.bias)
    yield _row(f"lower limit{of}", limits.lower)
    yield _row(f"upper limit{of}", limits.upper)


def _row(name: str, estimate: Estimate) -> tuple[str, ...]:
    interval = ""
    if math.isfinite(estimate.low):
        interval = f"{_number(estimate.low)} to {_number(estimate.high)}"
    remark = "" if estimate.status == OK else in_words(estimate.status)
    return name, _number(estimate.value), interval, remark


def _coefficient_row(name: str, estimate: Estimate) -> tuple[str, ...]:
    """A coefficient, which is 1 only in perfect agreement."""
    text = coefficient(estimate)
    value, _, rest = text.partition(" (")
    if math.isfinite(estimate.low):
        return name, value, rest.removesuffix(")"), ""
    return name, value, "", rest.removesuffix(")")


def _label(row: LabelAgreement, sides: Sides) -> Iterator[str]:
    yield f"<section><h2>{escape(_upper(row.title))}</h2>"
    yield f'<p class="note"><code>{escape(row.name)}</code>. {_covered(row.coverage, sides)}</p>'
    heads = (
        f"{escape(sides[0])} ↓ &nbsp; {escape(sides[1])} →",
        *(_code(c) for c in row.categories),
    )
    if row.categories:
        yield _confusion(heads, row)
    yield table(
        ("", "estimate", "interval", ""),
        [
            ("pairs", str(row.coverage.n_compared), "", f"{row.n_subjects} subjects"),
            _coefficient_row("κ", row.kappa),
            _coefficient_row("κ, linear weights", row.linear),
            _coefficient_row("κ, quadratic weights", row.quadratic),
        ],
    )
    order = ", ".join(_code(name) for name in labels()[row.name].order)
    yield (
        f'<p class="note">Weighted κ: {row.n_ordered} pairs, both in the order {order}. '
        f"{escape(labels()[row.name].text)}</p></section>"
    )


def _confusion(heads: Sequence[str], row: LabelAgreement) -> str:
    most = max((n for counts in row.table for n in counts), default=0) or 1
    lines = ["<tr>", *(f'<th scope="col">{head}</th>' for head in heads), "</tr>"]
    for k, counts in enumerate(row.table):
        lines.append(f'<tr><th scope="row">{_code(row.categories[k])}</th>')
        for j, n in enumerate(counts):
            shade = round(100 - 45 * n / most)
            kind = ' class="equal"' if j == k else ""
            lines.append(f'<td{kind} style="background: hsl(205 60% {shade}%)">{n}</td>')
        lines.append("</tr>")
    return f'<div class="wide"><table>{"".join(lines)}</table></div>'


def _covered(coverage: Coverage, sides: Sides) -> str:
    text = f"{coverage.n_compared} of {coverage.n_matched} matched pairs compared."
    for name, count, reasons in (
        (sides[0], coverage.n_missing_a, coverage.status_a),
        (sides[1], coverage.n_missing_b, coverage.status_b),
    ):
        if count:
            listed = ", ".join(f"{_code(code)} {n}" for code, n in reasons.items())
            text += f" Not usable in {escape(name)}: {count} ({listed})."
    return text


def _unmatched(comparison: Comparison, sides: Sides) -> Iterator[str]:
    matching = comparison.matching
    yield "<h2>Unmatched</h2>"
    for name, lost, own in (
        (sides[0], matching.only_a, comparison.only_a),
        (sides[1], matching.only_b, comparison.only_b),
    ):
        listed = ", ".join(_study(each) for each in lost) or "none"
        yield f"<p>Studies in {escape(name)} only ({len(lost)}): {listed}.</p>"
        if own:
            titles = "; ".join(escape(title_of(each)) for each in own)
            yield f'<p class="note">Numbers and labels in {escape(name)} only: {titles}.</p>'
    rows = [
        (_study(pair.name), _listed(pair.only_a), _listed(pair.only_b))
        for pair in matching.pairs
        if pair.only_a or pair.only_b
    ]
    if rows:
        yield table(
            ("study", f"swallows in {escape(sides[0])} only", f"in {escape(sides[1])} only"), rows
        )
    else:
        yield "<p>Every swallow of the matched studies has its partner.</p>"


def _methods() -> Iterator[str]:
    yield "<h2>How it was computed</h2>"
    yield (
        "<p>Limits of agreement: bias ± 1.96 SD of the differences (Bland and Altman, Lancet "
        "1986;i:307), with exact intervals (Carkeet, Optom Vis Sci 2015;92:e71). With several "
        "pairs a subject: variance between and within subjects (Bland and Altman, J Biopharm "
        "Stat 2007;17:571), intervals by the jackknife over subjects. Ratios: the same on "
        "logarithms. ICC: two-way, single measurements (Shrout and Fleiss, Psychol Bull "
        "1979;86:420; McGraw and Wong, Psychol Methods 1996;1:30). κ: Cohen 1960 and 1968, "
        "standard error of Fleiss, Cohen and Everitt 1969; jackknife over subjects where a "
        "subject has several pairs.</p>"
        "<p>Swallows that are not evaluable on either side do not count. An ICC depends on how "
        "much the subjects differ, and κ on how common each label is: neither carries over to "
        "another population. Good agreement says that two sides give the same, not that it is "
        "true.</p>"
    )


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _study(name: tuple[str, str]) -> str:
    return escape(f"{name[0]} ({name[1]})" if name[1] else name[0])


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(str(number) for number in numbers) or "–"


def _code(code: str) -> str:
    return escape(in_words(code))


def _estimate(estimate: Estimate) -> str:
    text = _number(estimate.value)
    if math.isfinite(estimate.low):
        return f"{text} ({_number(estimate.low)} to {_number(estimate.high)})"
    return text if estimate.status == OK else f"{text} ({in_words(estimate.status)})"


def _number(value: float) -> str:
    """Three figures, whole numbers from 1000; a dash for what is not defined."""
    if not math.isfinite(value):
        return "–"
    size = abs(value)
    digits = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 1 else 3
    return f"{value:.{digits}f}".replace("-", "−")
