"""``hrm batch-report``: the quality report of a batch, one HTML page."""

from __future__ import annotations

from pathlib import Path

import click

from hrm.cli._options import OUTPUT, check_outputs, force_option


@click.command(name="batch-report")
@click.argument(
    "folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--html", "out", metavar="PATH", type=OUTPUT, help="Default: DIR/report.html.")
@force_option
def command(folder: Path, out: Path | None, force: bool) -> None:
    """Write what the batch in DIR amounts to as one HTML page.

    Counts, failures by cause with what to do, how the numbers are spread, and a
    picture of every study, those that stand out first.
    """
    from hrm._files import new_file
    from hrm.batch.report import batch_report
    from hrm.store import Ledger

    # The page in the batch's own folder is hrm's, and is made anew each time.
    path, replace = (out, force) if out is not None else (folder / "report.html", True)
    check_outputs([path], source=None, force=replace)
    with Ledger(folder) as ledger:
        text = batch_report(ledger)
    with new_file(path, overwrite=replace) as place:
        place.write_text(text, encoding="utf-8")
    click.echo(f"wrote {click.format_filename(path)}", err=True)
