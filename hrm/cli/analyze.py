"""``hrm analyze``: one recording, measured; summary, JSON, figure, report, hrm's own file."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from hrm.cli._alternatives import (
    compare_parameters_option,
    compared,
    comparison_json,
    comparison_option,
    comparison_text,
)
from hrm.cli._analysis import analysis_options, asked
from hrm.cli._options import INPUT, OUTPUT, check_outputs, force_option
from hrm.cli._outputs import Writer, tell_written, text_writer, write_outputs

if TYPE_CHECKING:
    import xarray as xr


def _report_path(
    _context: click.Context, _option: click.Parameter, path: Path | None
) -> Path | None:
    if path is not None and path.suffix.lower() != ".pdf":
        raise click.BadParameter("the name of a report ends in .pdf")
    return path


class Stated(NamedTuple):
    """What the physician writes into the report, and nowhere else."""

    reason_for_referral: str
    clinical_diagnosis: str


class Look(NamedTuple):
    """How figure and report are drawn."""

    colors: str
    impedance: bool


@click.command(name="analyze")
@click.argument("file", type=INPUT)
@click.option(
    "--json",
    "json_out",
    metavar="PATH|-",
    type=click.Path(path_type=Path, allow_dash=True),
    help="Write the results as JSON; '-' is standard output, and the summary goes to stderr.",
)
@click.option(
    "--figure", "figure_out", metavar="PATH", type=OUTPUT, help="Draw a .png, .pdf or .svg."
)
@click.option(
    "--colors",
    type=click.Choice(["hrm", "accessible"]),
    default="hrm",
    show_default=True,
    help="Color ramp of figure and report.",
)
@click.option(
    "--impedance",
    is_flag=True,
    help="Draw the bolus over the pressure, in figure and report.",
)
@click.option(
    "--report",
    "report_out",
    metavar="PATH",
    type=OUTPUT,
    callback=_report_path,
    help="Write a report for print (.pdf).",
)
@click.option(
    "--reason-for-referral", metavar="TEXT", default="", help="Goes into the report only."
)
@click.option("--clinical-diagnosis", metavar="TEXT", default="", help="Goes into the report only.")
@click.option(
    "--save", "save_out", metavar="PATH", type=OUTPUT, help="Write recording and results (HDF5)."
)
@analysis_options
@click.option(
    "--long",
    "long_out",
    metavar="PATH",
    type=OUTPUT,
    help="Write every number with unit, status, version and origin as a tidy CSV table.",
)
@compare_parameters_option
@comparison_option
@force_option
def command(
    file: Path,
    json_out: Path | None,
    figure_out: Path | None,
    colors: str,
    impedance: bool,
    report_out: Path | None,
    reason_for_referral: str,
    clinical_diagnosis: str,
    save_out: Path | None,
    long_out: Path | None,
    compare_parameters: bool,
    comparison_out: Path | None,
    force: bool,
    **given: Any,
) -> None:
    """Measure the recording in FILE and print a summary.

    What a file cannot say, the options say: posture, system, catheter, swallows, and
    what is known of the patient.
    """
    from hrm.plot._formats import format_of

    to_stdout = json_out is not None and str(json_out) == "-"
    outputs = {
        "json": None if to_stdout else json_out,
        "figure": figure_out,
        "report": report_out,
        "long": long_out,
        "save": save_out,
        "comparison": comparison_out,
    }
    check_outputs([path for path in outputs.values() if path], source=file, force=force)
    if figure_out is not None:
        format_of(figure_out)
    said = asked(file, given)
    from hrm.results import to_dict

    study = said.analyzed()
    others = compared(said.recording, said.options) if compare_parameters or comparison_out else []
    result = to_dict(study)
    texts = {
        "json": json.dumps(result, indent=2, allow_nan=False) + "\n",
        "comparison": comparison_json(others),
    }
    stated = Stated(reason_for_referral, clinical_diagnosis)
    look = Look(colors, impedance)
    writers: dict[str, Writer] = {
        **{kind: text_writer(text) for kind, text in texts.items()},
        "figure": partial(_draw, study, look),
        "report": partial(_report, study, look, stated),
        "long": partial(_write_long, study),
        "save": partial(_save, study),
    }
    write_outputs(outputs, writers, force=force)
    from hrm.cli._summary import summary

    click.echo(summary(result), err=to_stdout)
    if others:
        click.echo(comparison_text(others), err=to_stdout)
    if to_stdout:
        click.echo(texts["json"], nl=False)
    tell_written(outputs)


def _draw(study: xr.DataTree, look: Look, place: Path) -> None:
    from hrm.plot import save_figure

    save_figure(study, place, **look._asdict())


def _report(study: xr.DataTree, look: Look, stated: Stated, place: Path) -> None:
    from hrm.report import write_report

    write_report(study, place, **look._asdict(), **stated._asdict())


def _write_long(study: xr.DataTree, place: Path) -> None:
    from hrm.store import write_long

    write_long(study, place)


def _save(study: xr.DataTree, place: Path) -> None:
    from hrm.io import write_native

    write_native(study, place)
