"""``hrm trial``: from recordings and clinical data of a trial to its outcome tables."""

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
    from hrm.trial.inputs.template import write_templates

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
    from hrm.trial.outputs.report import write_report

    places = write_report(folder, out or folder / "report", allocation=allocation, overwrite=force)
    for path in places:
        click.echo(f"wrote {click.format_filename(path)}", err=True)


@command.command(name="demo")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--pairs",
    metavar="N",
    type=click.IntRange(1, 150),
    default=30,
    show_default=True,
    help="Participants with recordings.",
)
@click.option(
    "--review",
    metavar="N",
    type=click.IntRange(1),
    help="Only write a made-up reader's corrections of N recordings that DIR/results has.",
)
@force_option
def demo(folder: Path, pairs: int, review: int | None, force: bool) -> None:
    """Write a synthetic trial with recordings into DIR, to try all this without patients."""
    from hrm.cli._trial_demo import write_demo, write_reviews

    if review is not None:
        count = write_reviews(folder, review)
        click.echo(f"wrote {count} review logs of a made-up reader; run hrm batch again", err=True)
        return
    plan = write_demo(folder, pairs=pairs, overwrite=force)
    name = click.format_filename(folder)
    click.echo(f"wrote {click.format_filename(plan)}, clinical data and recordings", err=True)
    click.echo("next:", err=True)
    click.echo(f"  hrm batch --manifest {name}/recordings.csv --out {name}/results", err=True)
    click.echo(f"  hrm trial report {name}", err=True)
