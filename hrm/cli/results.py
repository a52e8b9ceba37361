"""``hrm results``: what a batch has found, listed, filtered and exported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hrm.cli._options import OUTPUT, check_outputs, force_option

if TYPE_CHECKING:
    import pandas as pd

_STATUSES = ("ok", "failed", "quarantined", "not_measured")
_SHOWN = (
    *("study_id", "visit", "diagnosis_ccv4", "conclusive_ccv4", "limited_ccv4"),
    *("irp4s_median_supine_mmhg", "basal_end_expiratory_mmhg", "n_evaluable", "warnings"),
)


@click.command(name="results")
@click.argument(
    "folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--failed", is_flag=True, help="List the files without result, and what to do.")
@click.option("--status", type=click.Choice(_STATUSES), help="List the inputs with this status.")
@click.option("--participant", metavar="CODE", help="Only studies of this participant.")
@click.option("--visit", metavar="NAME", help="Only studies of this visit.")
@click.option("--diagnosis", metavar="KEY", help="Only studies with this v4.0 diagnosis.")
@click.option(
    "--type",
    "swallow_type",
    metavar="KEY",
    help="Only studies with an evaluable swallow of this type, like failed.",
)
@click.option(
    "--studies",
    "studies_out",
    metavar="PATH",
    type=OUTPUT,
    help="Write one row a study (.csv, .parquet, .xlsx).",
)
@click.option(
    "--long",
    "long_out",
    metavar="PATH",
    type=OUTPUT,
    help="Write every number with unit, status, version and origin (.csv, .parquet, .xlsx).",
)
@force_option
def command(
    folder: Path,
    failed: bool,
    status: str | None,
    participant: str | None,
    visit: str | None,
    diagnosis: str | None,
    swallow_type: str | None,
    studies_out: Path | None,
    long_out: Path | None,
    force: bool,
) -> None:
    """List what the batch in DIR has found.

    Exports name studies by their pseudonym; the list of inputs shows paths, and is for
    your own terminal.
    """
    from hrm.store import Ledger
    from hrm.store.tables import input_table, long_table, studies_with, study_table

    outputs = {"studies": studies_out, "long": long_out}
    check_outputs([path for path in outputs.values() if path], source=None, force=force)
    with Ledger(folder) as ledger:
        inputs = input_table(ledger)
        if failed or status:
            wanted = [status] if status else ["failed", "quarantined"]
            _say_inputs(inputs[inputs["status"].isin(wanted)])
            return
        studies = study_table(ledger)
        said = {"participant": participant, "visit": visit, "diagnosis_ccv4": diagnosis}
        wide = _filtered(studies, said)
        if swallow_type is not None:
            wide = wide[wide["study"].isin(studies_with(ledger, swallow_type))]
        if studies_out is not None:
            _write(wide.drop(columns="study"), studies_out, force=force)
        if long_out is not None:
            _write(long_table(ledger, wide["study"].tolist()), long_out, force=force)
        if not any(outputs.values()):
            _say_studies(wide)
        _say_counts(inputs)


def _filtered(table: pd.DataFrame, wanted: Mapping[str, str | None]) -> pd.DataFrame:
    for column, value in wanted.items():
        if value is not None and len(table):
            table = table[table[column] == value]
    return table


def _write(table: pd.DataFrame, path: Path, *, force: bool) -> None:
    from hrm._files import new_file
    from hrm.store.tables import write_table

    with new_file(path, overwrite=force) as place:
        write_table(table, place)
    click.echo(f"wrote {click.format_filename(path)}: {len(table)} rows", err=True)


def _say_inputs(table: pd.DataFrame) -> None:
    for row in table.to_dict("records"):
        cause = f", {row['cause']}" if isinstance(row["cause"], str) else ""
        number = row["manifest_row"]
        place = f", manifest row {number}" if isinstance(number, int) else ""
        click.echo(f"input {row['input']}{place}: {row['path']}: {row['status']}{cause}")
        if isinstance(row["message"], str):
            click.echo(f"  {row['message']}")
            click.echo(f"  what to do: {row['advice']}")
    click.echo(f"{len(table)} inputs", err=True)


def _say_studies(table: pd.DataFrame) -> None:
    if len(table):
        shown = table[list(_SHOWN)].astype({"n_evaluable": "Int64"}).rename(columns=_short)
        click.echo(shown.to_string(index=False, na_rep="-", float_format="{:.1f}".format))


def _short(column: str) -> str:
    names = {
        "diagnosis_ccv4": "diagnosis v4.0",
        "conclusive_ccv4": "conclusive",
        "limited_ccv4": "limited",
        "irp4s_median_supine_mmhg": "IRP4s supine",
        "basal_end_expiratory_mmhg": "LES end-exp.",
        "n_evaluable": "evaluable",
    }
    return names.get(column, column)


def _say_counts(inputs: pd.DataFrame) -> None:
    counts = inputs["status"].value_counts()
    said = ", ".join(f"{counts[name]} {name}" for name in _STATUSES if name in counts)
    click.echo(f"{len(inputs)} inputs: {said}", err=True)
