"""``hrm deidentify``: a recording without what identifies the patient, and a log of that."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hrm import __version__
from hrm.catheters import catheters
from hrm.cli._options import (
    INPUT,
    OUTPUT,
    check_outputs,
    force_option,
    open_file,
    reading,
    reading_options,
)
from hrm.errors import ParameterError

if TYPE_CHECKING:
    import xarray as xr

    from hrm.io.deidentify import Change


def _date(_context: click.Context, _option: click.Parameter, text: str | None) -> dt.date | None:
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("expected a date like 2024-03-01") from None


@click.command(name="deidentify")
@click.argument("file", metavar="IN", type=INPUT)
@click.argument("out", type=OUTPUT)
@click.option(
    "--reference-date",
    metavar="DATE",
    callback=_date,
    help="Day 1 of the study, like 2024-03-01: the date of the recording becomes a study day. "
    "Without it the date is dropped.",
)
@click.option(
    "--keep-free-text",
    "keep_notes",
    is_flag=True,
    help="Keep the free text of events. Read it before you pass the file on.",
)
@click.option(
    "--log", "log_out", metavar="PATH", type=OUTPUT, help="Where the log goes.  [OUT.log.json]"
)
@reading_options
@force_option
def command(
    file: Path,
    out: Path,
    reference_date: dt.date | None,
    keep_notes: bool,
    log_out: Path | None,
    force: bool,
    **given: Any,
) -> None:
    """Write the recording of IN, in any format, to OUT (hrm's own) without the patient's identity.

    Only what is on an allow-list is carried over. A log says which fields were dropped and
    how many, never what was in them. Results are left behind: 'hrm analyze' finds them again.
    """
    said = reading(given)
    log = log_out or out.with_name(f"{out.name}.log.json")
    check_outputs([out, log], source=file, force=force)
    study = open_file(file, said, keep_phi=True)
    _check_name(file, out, log, said.participant, study)
    from hrm.io.deidentify import deidentify

    clean, changes = deidentify(
        study,
        reference_date=reference_date,
        participant=said.participant,
        keep_notes=keep_notes,
        models=catheters(said.catheter_file),
    )
    _publish(clean, changes, out, log, force=force)
    for change in changes:
        click.echo(f"{change.count:>5}  {change.slot}: {change.action}", err=True)
    if keep_notes:
        click.echo(
            "hrm: warning: free text was kept; read it before you pass on the file", err=True
        )
    click.echo(f"wrote {click.format_filename(out)}, {click.format_filename(log)}", err=True)


def _check_name(
    file: Path, out: Path, log: Path, participant: str | None, study: xr.DataTree
) -> None:
    """Names and codes are data too: refuse what the header shows to be identity, warn of the rest."""
    from hrm.io.header_texts import check_code, texts_of
    from hrm.io.identity import names_within

    texts = texts_of(study)
    if names_within(out.name, texts) or names_within(log.name, texts):
        raise ParameterError(
            "the name of the output holds a word or number of the file's own header or notes, which "
            "may identify the patient; choose another name"
        )
    if participant is not None:
        check_code(participant, texts)
    if out.stem.casefold() == file.name.partition(".")[0].casefold():
        click.echo(
            "hrm: warning: the output is named like the input; look that the name does not "
            "identify the patient",
            err=True,
        )


def _publish(
    study: xr.DataTree, changes: Sequence[Change], out: Path, log: Path, *, force: bool
) -> None:
    from hrm._files import new_file
    from hrm.io import write_native

    # Both are complete before the first gets its name.
    with new_file(log, overwrite=force) as log_place, new_file(out, overwrite=force) as place:
        write_native(study, place)
        text = _log_text(study, changes, place)
        log_place.write_text(text, encoding="utf-8")


def _log_text(study: xr.DataTree, changes: Sequence[Change], written: Path) -> str:
    with written.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    log = {
        "hrm": __version__,
        "source_format": str(study.attrs["source_format"]),
        "output_sha256": digest,
        "fields": [
            {"field": change.slot, "action": change.action, "count": change.count}
            for change in changes
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"
