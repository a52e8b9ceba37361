"""``hrm trial``: from the clinical data of a trial to its outcome tables."""

from __future__ import annotations

from pathlib import Path

import click

from hrm.cli._options import INPUT, force_option

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(name="trial")
def command() -> None:
    """Outcome tables of a two-arm noninferiority trial."""


@command.command(name="init")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
def init(folder: Path) -> None:
    """Write a commented trial.toml and empty CSV files into DIR."""
    from hrm.trial.template import write_templates

    for path in write_templates(folder):
        click.echo(f"wrote {click.format_filename(path)}", err=True)


@command.command(name="report")
@click.argument("folder", metavar="DIR", type=_FOLDER)
@click.option("--allocation", metavar="PATH", type=INPUT, help="Unblind: who is in which arm.")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the report; default: report in DIR.",
)
@force_option
def report(folder: Path, allocation: Path | None, out: Path | None, force: bool) -> None:
    """Make the tables of the trial in DIR; without --allocation they are blinded."""
    from hrm.trial.report import write_report

    places = write_report(folder, out or folder / "report", allocation=allocation, overwrite=force)
    for path in places:
        click.echo(f"wrote {click.format_filename(path)}", err=True)
