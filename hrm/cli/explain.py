"""``hrm explain``: where one number came from, in words, as a picture and as JSON."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hrm.cli._options import (
    INPUT,
    OUTPUT,
    check_outputs,
    force_option,
    open_file,
    reading,
    reading_options,
    swallows_of,
)
from hrm.cli._parameters import irp_limit_option, parameters_option
from hrm.cli.quality import drift_option, with_drift
from hrm.cli.review import review_dir_option, review_of

if TYPE_CHECKING:
    import xarray as xr

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
@click.option(
    "--posture",
    type=click.Choice(["supine", "upright"]),
    help="Posture of the swallows that the table does not name.",
)
@click.option(
    "--swallows",
    "table",
    metavar="CSV",
    type=INPUT,
    help="What is known of each swallow, as for 'hrm analyze'.",
)
@irp_limit_option
@review_dir_option
@click.option(
    "--no-review", "ignore_review", is_flag=True, help="Ignore the review log of FILE, if any."
)
@parameters_option
@drift_option
@reading_options
@force_option
def command(
    file: Path,
    metric: str,
    swallow: int | None,
    figure_out: Path | None,
    json_out: Path | None,
    colors: str,
    posture: str | None,
    table: Path | None,
    irp_limit: float | str | None,
    review_dir: Path | None,
    ignore_review: bool,
    parameters: dict[str, Any],
    drift: Path | None,
    force: bool,
    **given: Any,
) -> None:
    """Show where a number of FILE came from.

    Give the options that the recording was analyzed with: a number is explained as it was
    measured. Definition, parameters, limits and sources are printed with it.
    """
    from hrm.explain import explain_metric, find_metric, lines
    from hrm.plot._formats import format_of

    name, said = find_metric(metric), reading(given)
    to_stdout = json_out is not None and str(json_out) == "-"
    outputs = {"json": None if to_stdout else json_out, "figure": figure_out}
    check_outputs([path for path in outputs.values() if path], source=file, force=force)
    if figure_out is not None:
        format_of(figure_out)
    recording = with_drift(open_file(file, said), drift)
    study = _analyzed(
        recording,
        table,
        system=said.system,
        posture=posture,
        irp_limit=irp_limit,
        parameters=parameters,
        review=review_of(recording, file, review_dir, ignore=ignore_review),
    )
    found = explain_metric(study, name, swallow)
    text = json.dumps(found.to_dict(), indent=2, allow_nan=False) + "\n"
    _publish(outputs, found, text, colors=colors, force=force)
    click.echo("\n".join(lines(found)), err=to_stdout)
    if to_stdout:
        click.echo(text, nl=False)
    for path in outputs.values():
        if path:
            click.echo(f"wrote {click.format_filename(path)}", err=True)


def _analyzed(recording: xr.DataTree, table: Path | None, **options: Any) -> xr.DataTree:
    from hrm.io.swallow_table import load_swallow_table
    from hrm.pipeline import analyze

    listed = load_swallow_table(table) if table else None
    # What was saved with a study holds unless a table says otherwise.
    rows = swallows_of(listed, recording) if listed else None
    return analyze(recording, swallows=rows, **options)


def _publish(
    outputs: dict[str, Path | None], found: Explanation, text: str, *, colors: str, force: bool
) -> None:
    """Write every output beside its place, and rename them when all are complete."""
    from hrm._files import new_file

    with ExitStack() as stack:
        for kind, path in outputs.items():
            if path is None:
                continue
            place = stack.enter_context(new_file(path, overwrite=force))
            if kind == "json":
                place.write_text(text, encoding="utf-8")
            else:
                from hrm.explain.text import words_of
                from hrm.plot.explain import save_explanation

                save_explanation(found, words_of(found), place, colors=colors)
