"""``hrm audit``: who changed what, when and why, in all review logs of a folder."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hrm.cli._options import OUTPUT, check_outputs, force_option
from hrm.errors import AnnotationError, ParameterError

if TYPE_CHECKING:
    from hrm.edits import Edit

#: Exit code if a log is not intact; the same as of a batch in which files failed.
BROKEN = 3
_COLUMNS = (
    *("recording", "log_reader", "seq", "utc", "reader", "object", "field", "old", "new"),
    *("reason", "engine", "prev_hash", "hash"),
)


@click.command(name="audit")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--csv",
    "csv_out",
    metavar="PATH",
    type=OUTPUT,
    help="Write every edit of every sound log as a row, with the reasons that readers typed.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the state of each log as JSON.")
@force_option
@click.pass_context
def command(
    context: click.Context, folder: Path, csv_out: Path | None, as_json: bool, force: bool
) -> None:
    """Check the chain of every review log in FOLDER: intact, or its first broken line.

    Exit code 3 if one is broken. A log names its recording by a digest only.
    """
    from hrm.readings import logs_aside, logs_in

    if csv_out is not None:
        check_outputs([csv_out], source=None, force=force)
    logs = logs_in(folder)
    aside = [_aside(*each) for each in logs_aside(folder)]
    if not logs and not aside:
        raise ParameterError("there is no review log in this folder")
    states, rows = [], []
    for sha256, reader, path in logs:
        state, edits = _state(path, reader)
        states.append({"recording": sha256, "reader": reader or None, **state})
        rows += [_row(edit, reader) for edit in edits]
    states += aside
    if csv_out is not None:
        _write(csv_out, rows, force=force)
    if as_json:
        click.echo(json.dumps(states, indent=2))
    else:
        _print(states)
    broken = any(not state["intact"] for state in states)
    if broken:
        context.exit(BROKEN)


def _state(path: Path, reader: str) -> tuple[dict[str, Any], Sequence[Edit]]:
    from hrm.readings import read_reading

    try:
        reading = read_reading(path, reader)
    except AnnotationError as err:
        return {"intact": False, "fault": str(err)}, []
    said = reading.corrections
    return {
        "intact": True,
        "edits": said.n_edits,
        "readers": list(said.readers),
        "signed_off": said.signed_off,
        "head_hash": said.head_hash,
    }, reading.edits


def _aside(sha256: str, reader: str, path: Path) -> dict[str, Any]:
    """What was wrong with a log that was kept aside, and whether its lines go on elsewhere."""
    from hrm.readings import reading_path

    state, _ = _state(path, reader)
    now = reading_path(sha256, path.parent, reader)
    content = path.read_bytes() if path.exists() else b""
    whole = content[: content.rfind(b"\n") + 1]
    goes_on = bool(whole) and now.exists() and now.read_bytes().startswith(whole)
    fault = state.get("fault", "")
    said = {"recording": sha256, "reader": reader or None, "kept_aside": True}
    # Then only the writing of its last line was interrupted: nothing that was kept is missing.
    return {**said, "intact": goes_on, "fault": fault}


def _row(edit: Edit, reader: str) -> list[str]:
    content = {
        "recording": edit.sha256,
        "log_reader": reader,
        **{name: getattr(edit, name) for name in _COLUMNS[2:]},
    }
    return [_text(content[name]) for name in _COLUMNS]


def _text(value: object) -> str:
    if value is None:
        return "automatic"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value) if isinstance(value, float) else str(value)
    # A spreadsheet would take what a reader typed for a formula.
    return f"'{text}" if isinstance(value, str) and text[:1] in ("=", "+", "-", "@") else text


def _write(path: Path, rows: list[list[str]], *, force: bool) -> None:
    from hrm._files import new_file

    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(rows)
    with new_file(path, overwrite=force) as place:
        place.write_text(out.getvalue(), encoding="utf-8")
    click.echo(f"wrote {click.format_filename(path)}", err=True)


def _print(states: list[dict[str, Any]]) -> None:
    for state in states:
        whose = f" {state['reader']}" if state["reader"] else ""
        name = f"{state['recording'][:12]}{whose}"
        if state.get("kept_aside"):
            rest = "; its whole lines go on in the log" if state["intact"] else ""
            click.echo(f"{name}: KEPT ASIDE, {state['fault']}{rest}")
            continue
        if not state["intact"]:
            click.echo(f"{name}: BROKEN, {state['fault']}")
            continue
        count = f"{state['edits']} edit{'' if state['edits'] == 1 else 's'}"
        readers = f" by {', '.join(state['readers'])}" if state["readers"] else ""
        signed = "signed off" if state["signed_off"] else "not signed off"
        click.echo(f"{name}: intact, {count}{readers}; {signed}; head {state['head_hash'][:12]}")
    logs = [state for state in states if not state.get("kept_aside")]
    sound = sum(state["intact"] for state in logs)
    aside = f", {len(states) - len(logs)} kept aside" if len(states) > len(logs) else ""
    click.echo(f"{sound} of {len(logs)} logs intact{aside}", err=True)
