"""``hrm report``: one recording for the chart, or two side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hrm.cli._analysis import analysis_options, asked
from hrm.cli._options import INPUT, OUTPUT, check_outputs, force_option

if TYPE_CHECKING:
    import xarray as xr


def _suffix(_context: click.Context, option: click.Parameter, path: Path | None) -> Path | None:
    if path is not None and path.suffix.lower() != f".{option.name}":
        raise click.BadParameter(f"the name of such a report ends in .{option.name}")
    return path


@click.command(name="report")
@click.argument("file", type=INPUT)
@click.argument("other", type=INPUT, required=False)
@click.option("--pdf", metavar="PATH", type=OUTPUT, callback=_suffix, help="For print.")
@click.option(
    "--html",
    metavar="PATH",
    type=OUTPUT,
    callback=_suffix,
    help="One page that needs no network: the tracing can be moved and enlarged.",
)
@click.option("--names", metavar="A,B", default="A,B", help="What FILE and OTHER are called.")
@click.option(
    "--swallows-other",
    metavar="CSV",
    type=INPUT,
    help="Swallow table of OTHER; --swallows is that of FILE.",
)
@click.option(
    "--colors",
    type=click.Choice(["hrm", "accessible"]),
    default="hrm",
    show_default=True,
    help="Color ramp.",
)
@click.option("--impedance", is_flag=True, help="Draw the bolus over the pressure.")
@click.option(
    "--reason-for-referral", metavar="TEXT", default="", help="Goes into this report only."
)
@click.option(
    "--clinical-diagnosis", metavar="TEXT", default="", help="Goes into this report only."
)
@analysis_options
@force_option
def command(
    file: Path,
    other: Path | None,
    pdf: Path | None,
    html: Path | None,
    names: str,
    swallows_other: Path | None,
    colors: str,
    impedance: bool,
    reason_for_referral: str,
    clinical_diagnosis: str,
    force: bool,
    **given: Any,
) -> None:
    """Write the report on FILE, or FILE and OTHER side by side: two visits, two readings.

    Give the options that the recordings are analyzed with; they hold for both. What was saved
    with 'hrm analyze --save' needs none. Every page says that it is preliminary until a
    reader has signed the study off.
    """
    outputs = [path for path in (pdf, html) if path]
    if not outputs:
        raise click.UsageError("name a report to write: --pdf, --html or both")
    for source in (file, other):
        check_outputs(outputs, source=source, force=force)
    if other is None:
        if swallows_other is not None or names != "A,B":
            raise click.UsageError("--names and --swallows-other need a second file")
        said: dict[str, Any] = {
            "colors": colors,
            "impedance": impedance,
            "reason_for_referral": reason_for_referral,
            "clinical_diagnosis": clinical_diagnosis,
        }
        _one(asked(file, given).analyzed(), outputs, said, force=force)
    else:
        if reason_for_referral or clinical_diagnosis or impedance:
            raise click.UsageError(
                "--reason-for-referral, --clinical-diagnosis and --impedance are for one file"
            )
        called = _called(names)
        first = _analyzed(file, given)
        second = _analyzed(other, {**given, "table": swallows_other})
        _two((first, second), outputs, {"names": called, "colors": colors}, force=force)
    for path in outputs:
        click.echo(f"wrote {click.format_filename(path)}", err=True)


def _one(study: xr.DataTree, outputs: list[Path], said: dict[str, Any], *, force: bool) -> None:
    from hrm.report import write_html, write_report

    for path in outputs:
        write = write_report if path.suffix.lower() == ".pdf" else write_html
        write(study, path, overwrite=force, **said)


def _two(
    studies: tuple[xr.DataTree, xr.DataTree],
    outputs: list[Path],
    said: dict[str, Any],
    *,
    force: bool,
) -> None:
    from hrm.report import write_visits, write_visits_html

    for path in outputs:
        write = write_visits if path.suffix.lower() == ".pdf" else write_visits_html
        write(*studies, path, overwrite=force, **said)


def _called(names: str) -> tuple[str, str]:
    called = tuple(part.strip() for part in names.split(","))
    if len(called) != 2 or not all(called):
        raise click.BadParameter("expected two names, like before,after", param_hint="--names")
    return called[0], called[1]


def _analyzed(file: Path, given: dict[str, Any]) -> xr.DataTree:
    # The options are taken out of what is handed over, and are needed twice.
    return asked(file, dict(given)).analyzed()
