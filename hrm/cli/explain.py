"""``hrm explain``: where one number came from, in words, as a picture and as JSON."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hrm.cli._analysis import asked, measuring_options
from hrm.cli._options import INPUT, OUTPUT, check_outputs, force_option
from hrm.cli._outputs import Writer, tell_written, text_writer, write_outputs

if TYPE_CHECKING:
    from hrm.evidence import Explanation


@click.command(name="explain")
@click.argument("file", type=INPUT)
@click.option(
    "--metric",
    "metric",
    metavar="NAME",
    required=True,
    help="Number to explain, like irp4s or dci; 'hrm metrics' lists them all.",
)
@click.option(
    "--swallow",
    metavar="N",
    type=click.IntRange(1),
    help="Swallow, counted as 'hrm analyze' does; of a run of a test any of its swallows.",
)
@click.option(
    "--figure", "figure_out", metavar="PATH", type=OUTPUT, help="Draw a .png, .pdf or .svg."
)
@click.option(
    "--json",
    "json_out",
    metavar="PATH|-",
    type=click.Path(path_type=Path, allow_dash=True),
    help="Write marks, traces and definition as JSON; '-' is standard output, words go to stderr.",
)
@click.option(
    "--colors",
    type=click.Choice(["hrm", "accessible"]),
    default="hrm",
    show_default=True,
    help="Color ramp of the figure.",
)
@measuring_options
@force_option
def command(
    file: Path,
    metric: str,
    swallow: int | None,
    figure_out: Path | None,
    json_out: Path | None,
    colors: str,
    force: bool,
    **given: Any,
) -> None:
    """Show where a number of FILE came from.

    Give the options that the recording was analyzed with: a number is explained as it was
    measured. Definition, parameters, limits and sources are printed with it.
    """
    from hrm.explain import explain_metric, find_metric, lines
    from hrm.plot._formats import format_of

    name = find_metric(metric)
    to_stdout = json_out is not None and str(json_out) == "-"
    outputs = {"json": None if to_stdout else json_out, "figure": figure_out}
    check_outputs([path for path in outputs.values() if path], source=file, force=force)
    if figure_out is not None:
        format_of(figure_out)
    study = asked(file, given).analyzed()
    found = explain_metric(study, name, swallow)
    text = json.dumps(found.to_dict(), indent=2, allow_nan=False) + "\n"
    writers: dict[str, Writer] = {
        "json": text_writer(text),
        "figure": partial(_draw, found, colors),
    }
    write_outputs(outputs, writers, force=force)
    click.echo("\n".join(lines(found)), err=to_stdout)
    if to_stdout:
        click.echo(text, nl=False)
    tell_written(outputs)


def _draw(found: Explanation, colors: str, place: Path) -> None:
    from hrm.explain.text import words_of
    from hrm.plot.explain import save_explanation

    save_explanation(found, words_of(found), place, colors=colors)
