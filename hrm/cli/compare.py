"""``hrm compare``: how well two sets of results agree."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hrm.cli._options import OUTPUT, check_outputs, force_option

if TYPE_CHECKING:
    from hrm.agreement.comparison import Comparison, LabelAgreement, Level, MetricAgreement
    from hrm.agreement.estimate import Estimate

_SIDE = click.Path(exists=True, readable=True, path_type=Path)


@click.command(name="compare")
@click.argument("a", metavar="A", type=_SIDE)
@click.argument("b", metavar="B", type=_SIDE)
@click.option("--html", metavar="PAGE", type=OUTPUT, help="Write one page with pictures.")
@click.option("--json", "json_path", metavar="OUT", type=OUTPUT, help="Write the statistics.")
@click.option(
    "--metric",
    "metrics",
    metavar="NAME",
    multiple=True,
    help="Number or label to compare; several times, or 'all'. Otherwise the usual ones.",
)
@click.option(
    "--match",
    "how",
    type=click.Choice(["auto", "onset", "number"]),
    default="auto",
    show_default=True,
    help="How swallows are matched; auto: by onset where both sides have all onsets.",
)
@click.option("--reported-a", is_flag=True, help="Of A take what the files themselves report.")
@click.option("--reported-b", is_flag=True, help="Of B take what the files themselves report.")
@click.option("--name-a", metavar="TEXT", default="A", show_default=True, help="What A is called.")
@click.option("--name-b", metavar="TEXT", default="B", show_default=True, help="What B is called.")
@click.option(
    "--level",
    metavar="SHARE",
    type=click.FloatRange(0.5, 0.999),
    help="Of the confidence intervals, like 0.95.",
)
@force_option
def command(a: Path, b: Path, html: Path | None, json_path: Path | None, **given: Any) -> None:
    """Compare the results A with the results B, matched by participant, visit and swallow.

    A and B are each a JSON of 'hrm analyze', a folder of them, or a CSV with the columns of
    'hrm analyze --long', also of numbers that a vendor's software or a reader gives. To
    compare what was measured with what the files report, name the same results twice and add
    --reported-b. Differences are A minus B.
    """
    from hrm.agreement import as_dict, compare, read_source

    outputs = [path for path in (html, json_path) if path is not None]
    for side in (a, b):
        check_outputs(outputs, source=side, force=given["force"])
    comparison = compare(
        read_source(a, reported=given["reported_a"]),
        read_source(b, reported=given["reported_b"]),
        metrics=given["metrics"] or None,
        how=given["how"],
        level=given["level"],
    )
    sides = (given["name_a"], given["name_b"])
    click.echo("\n".join(_summary(comparison, sides)))
    if html is not None:
        _write(html, page_of(comparison, sides), force=given["force"])
    if json_path is not None:
        text = json.dumps(as_dict(comparison), indent=2, ensure_ascii=False, allow_nan=False)
        _write(json_path, text + "\n", force=given["force"])


def _write(path: Path, text: str, *, force: bool) -> None:
    from hrm._files import new_file

    with new_file(path, overwrite=force) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    click.echo(f"wrote {click.format_filename(path)}", err=True)


def page_of(comparison: Comparison, sides: tuple[str, str]) -> str:
    """Write a comparison as one page with its pictures."""
    from hrm.agreement import page

    pictures = {
        (row.metric, level.name): _picture(row, level, sides)
        for row in comparison.metrics
        for level in row.levels
        if level.limits.n
    }
    return page(comparison, pictures, sides=sides)


def _picture(row: MetricAgreement, level: Level, sides: tuple[str, str]) -> bytes:
    from hrm.agreement.webpage import LEVELS
    from hrm.plot.agreement import Lines, agreement_figure, png_of

    limits = level.limits
    lines = Lines(_ends(limits.bias), _ends(limits.lower), _ends(limits.upper))
    title = f"{row.title}: {LEVELS[level.name]}"
    return png_of(
        agreement_figure(level.a, level.b, lines, title=title, unit=row.unit, sides=sides)
    )


def _ends(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high


def _summary(comparison: Comparison, sides: tuple[str, str]) -> Iterator[str]:
    from hrm.agreement.webpage import LEVELS
    from hrm.agreement.wording import caution, other_rules

    matching = comparison.matching
    swallows = sum(len(pair.swallows) for pair in matching.pairs)
    yield f"{len(matching.pairs)} studies and {swallows} swallows are on both sides"
    for name, lost in ((sides[0], matching.only_a), (sides[1], matching.only_b)):
        if lost:
            yield f"only in {name}: {', '.join(' '.join(study).strip() for study in lost)}"
    only = [(len(pair.only_a), len(pair.only_b)) for pair in matching.pairs]
    if any(map(sum, only)):
        counts = (sum(first for first, _ in only), sum(second for _, second in only))
        yield f"swallows without a partner: {counts[0]} in {sides[0]}, {counts[1]} in {sides[1]}"
    subjects = len({pair.name[0] for pair in matching.pairs})
    yield from filter(None, [caution(subjects), other_rules(comparison.n_other_rules)])
    for row in comparison.metrics:
        yield f"\n{row.metric} [{row.unit}]: {row.title}"
        for level in row.levels:
            yield f"  {LEVELS[level.name]:<14} {_limits(level)}"
    for label in comparison.labels:
        yield f"\n{label.name}: {label.title}"
        yield f"  {_kappas(label)}"
    yield f"\nDifferences are {sides[0]} minus {sides[1]}. For research use only."


def _limits(level: Level) -> str:
    from hrm.agreement.wording import coefficient, in_words

    limits = level.limits
    if math.isnan(limits.bias.value):
        return f"n {limits.n}, {in_words(limits.status)}"
    reach = f"{limits.lower.value:.4g} to {limits.upper.value:.4g}"
    if math.isnan(limits.lower.value):
        reach = f"not defined ({in_words(limits.lower.status)})"
    parts = (
        f"n {limits.n}, bias {_in_text(limits.bias)}",
        f"limits {reach}",
        f"ICC(2,1) {coefficient(level.icc_2_1)}",
        f"ICC(3,1) {coefficient(level.icc_3_1)}",
    )
    return ", ".join(parts)


def _kappas(label: LabelAgreement) -> str:
    from hrm.agreement.wording import coefficient

    n = label.coverage.n_compared
    parts = (
        f"n {n}, equal {label.n_equal}, kappa {coefficient(label.kappa)}",
        f"linear {coefficient(label.linear)}",
        f"quadratic {coefficient(label.quadratic)}",
    )
    return ", ".join(parts)


def _in_text(estimate: Estimate) -> str:
    from hrm.agreement.wording import in_words

    if math.isfinite(estimate.low):
        return f"{estimate.value:.3g} ({estimate.low:.3g} to {estimate.high:.3g})"
    return f"{estimate.value:.3g} ({in_words(estimate.status)})"
