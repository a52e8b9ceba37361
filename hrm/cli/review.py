"""``hrm review``: write a reader's edits to the review log, list them, check them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hrm.cli._options import INPUT, open_file, reading, reading_options
from hrm.errors import AnnotationError, ParameterError

if TYPE_CHECKING:
    import xarray as xr

    from hrm.edits import Change, Edit

review_dir_option = click.option(
    "--review-dir",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the review log, if it is not beside FILE.",
)
_NUMBERED = re.compile(r"swallow\.(\d{1,4})\.(\w+)")
_NAMED = re.compile(r"swallow@(-?\d{1,6}(?:\.\d+)?)\.([a-z]\w*)")


def review_of(
    recording: xr.DataTree, file: Path, folder: Path | None, *, ignore: bool
) -> Path | None:
    """Find the log of the reading that counts; say so where there is one to be ignored."""
    from hrm.readings import deciding_log, logs_in, warn_of_change

    sha256, place = str(recording.attrs["source_sha256"]), folder or file.parent
    if not ignore:
        found = deciding_log(sha256, place)
        if found is None:
            warn_of_change(file, sha256, place)
        return found
    # A log that is to be ignored need not be sound.
    if any(found == sha256 for found, _, _ in logs_in(place)):
        click.echo("hrm: note: there is a review log; it is ignored (--no-review)", err=True)
    return None


def review_lines(review: Mapping[str, Any] | None) -> Iterator[str]:
    """Say in the summary who corrected what."""
    if review is None:
        return
    readers = f" by {', '.join(review['readers'])}" if review["readers"] else ""
    signed = "signed off" if review["signed_off"] else "not signed off"
    yield f"Review: {_count(review['n_edits'])}{readers}; {signed}"
    for row in review["applied"]:
        if row["object"] != "study":
            name = _name(row["object"], row["field"])
            value, automatic = _value(row["value"]), row["automatic"]
            instead = "nothing" if automatic is None else _value(automatic)
            yield f"  {name}: {value} instead of {instead} ({row['reader']})"


@click.command(name="review")
@click.argument("file", type=INPUT)
@click.option(
    "--set",
    "settings",
    metavar="FIELD=VALUE",
    multiple=True,
    help="What to change: les_upper_cm=41.5, swallow.3.include=false, swallow.3.onset_s=12.4, "
    "swallow@31.20.added=true, study.signed_off=true; 'automatic' takes a change back.",
)
@click.option("--list", "listing", is_flag=True, help="Print the log.")
@click.option("--verify", is_flag=True, help="Check the log, and that all of it can be applied.")
@click.option(
    "--reader", "code", metavar="CODE", help="Code of the reader, like AB: 2 to 12 of A-Z 0-9 - _."
)
@click.option("--reason", metavar="TEXT", help="Why; it is kept in the log only.")
@click.option(
    "--own",
    is_flag=True,
    help="Use the log of this reader alone (--reader), where readings are compared.",
)
@review_dir_option
@click.option(
    "--swallows",
    "table",
    metavar="CSV",
    type=INPUT,
    help="The swallow table that FILE is analyzed with.",
)
@partial(reading_options, format_option="--format")
def command(
    file: Path,
    settings: tuple[str, ...],
    listing: bool,
    verify: bool,
    code: str | None,
    reason: str | None,
    own: bool,
    review_dir: Path | None,
    table: Path | None,
    **given: Any,
) -> None:
    """Correct what was found in FILE, and sign it off; nothing is overwritten.

    Edits go to a log named <sha256>.review.jsonl, which 'hrm analyze' lays over the
    automatic result. swallow.N counts as 'hrm analyze' does.
    """
    from hrm.readings import remember_file

    if (bool(settings), listing, verify).count(True) != 1:
        raise click.UsageError("give --set (one or more), --list or --verify")
    if settings and not (code and reason and reason.strip()):
        raise click.UsageError("--set needs --reader CODE and --reason TEXT")
    if own and not code:
        raise click.UsageError("--own needs --reader CODE")
    recording = open_file(file, reading(given))
    log = _log(recording, review_dir or file.parent, str(code) if own else "")
    if listing or verify:
        if not _there(log):
            raise ParameterError("there is no review log of this recording in the folder")
        (_list if listing else partial(_verify, recording, table))(log)
    else:
        _set(recording, log, settings, table, str(code), str(reason))
        # The edit is kept all the same.
        with suppress(OSError):
            remember_file(file, str(recording.attrs["source_sha256"]), log.parent)


def _log(recording: xr.DataTree, folder: Path, reader: str) -> Path:
    from hrm.readings import reading_path

    return reading_path(str(recording.attrs["source_sha256"]), folder, reader)


def _there(log: Path) -> bool:
    """Whether there is a log, or was according to its head."""
    from hrm.annotate import head_path

    return log.exists() or head_path(log).exists()


def _list(log: Path) -> None:
    from hrm.annotate import read_log

    for edit in read_log(log):
        click.echo(f"{edit.seq:>4}  {edit.utc}  {edit.reader:<12}  {_said(edit)}  {edit.reason!r}")


def _said(edit: Edit) -> str:
    return f"{_name(edit.object, edit.field)} {_value(edit.old)} -> {_value(edit.new)}"


def _name(name: str, field: str) -> str:
    return field if name == "landmarks" else f"{name}.{field}"


def _value(value: float | str | bool | None) -> str:
    if value is None:
        return "automatic"
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else f"{value:.6g}"


def _analyzed(recording: xr.DataTree, table: Path | None, edits: Sequence[Edit]) -> xr.DataTree:
    from hrm.io.swallow_table import read_swallow_table
    from hrm.pipeline import analyze

    rate = float(recording.attrs["sampling_rate"])
    swallows = read_swallow_table(table, sampling_rate=rate) if table else None
    return analyze(recording, swallows=swallows, review=list(edits))


def _verify(recording: xr.DataTree, table: Path | None, log: Path) -> None:
    from hrm.annotate import read_log, replay

    edits = read_log(log)
    _analyzed(recording, table, edits)
    said = replay(edits)
    signed = "signed off" if said.signed_off else "not signed off"
    readers = f" by {', '.join(said.readers)}" if said.readers else ""
    click.echo(f"sound: {_count(said.n_edits)}{readers}; {signed}; head {said.head_hash}")


def _count(n_edits: int) -> str:
    return f"{n_edits} edit{'' if n_edits == 1 else 's'}"


def _set(
    recording: xr.DataTree,
    log: Path,
    settings: Sequence[str],
    table: Path | None,
    code: str,
    reason: str,
) -> None:
    from datetime import UTC, datetime

    from hrm import __version__
    from hrm.annotate import append, follow_up, read_log, replay

    sha256 = str(recording.attrs["source_sha256"])
    before = read_log(log) if _there(log) else []
    known = _analyzed(recording, table, before)
    changes = [_change(setting, known) for setting in settings]
    # A signature stands for everything before it.
    changes.sort(key=lambda change: change.object == "study")
    said = {"sha256": sha256, "reader": code, "reason": reason, "engine": __version__}
    said["utc"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        _analyzed(recording, table, [*before, *follow_up(before, changes, **said)])
    except AnnotationError as err:
        raise AnnotationError(f"nothing was written: {err}") from err
    for edit in append(log, *changes, **said):
        click.echo(f"{edit.seq:>4}  {edit.reader}  {_said(edit)}")
    if replay(before).signed_off and changes[-1].object != "study":
        click.echo("hrm: note: the study is no longer signed off; sign it off again", err=True)


def _change(setting: str, known: xr.DataTree) -> Change:
    from hrm.edits import Change, value_of

    key, equals, text = (part.strip() for part in setting.partition("="))
    if not equals or not text:
        raise click.BadParameter("expected FIELD=VALUE, like les_upper_cm=41.5", param_hint="--set")
    name, field = _target(key, known)
    try:
        new = value_of(name, field, text)
    except AnnotationError as err:
        raise click.BadParameter(str(err), param_hint="--set") from err
    return Change(name, field, new, _old(name, field, known))


def _objects(known: xr.DataTree) -> list[str]:
    """Names of the swallows, in the order in which 'hrm analyze' numbers them."""
    return [str(name) for name in known["swallows"].to_dataset()["object"].values]


def _target(key: str, known: xr.DataTree) -> tuple[str, str]:
    """Object and field that a key means."""
    from hrm.edits import FIELDS, swallow_object

    numbered, named = _NUMBERED.fullmatch(key), _NAMED.fullmatch(key)
    if numbered:
        objects = _objects(known)
        number = int(numbered[1])
        if not 1 <= number <= len(objects):
            raise ParameterError(f"there is no swallow {number}; the recording has {len(objects)}")
        return objects[number - 1], numbered[2]
    if named:
        return swallow_object(float(named[1])), named[2]
    kind, _, field = key.rpartition(".")
    if not kind:
        return ("study" if field in FIELDS["study"] else "landmarks"), field
    return kind, field


def _old(name: str, field: str, known: xr.DataTree) -> float | str | bool | None:
    """Value of a field before the edit, as the study is reviewed so far."""
    from hrm.edits import COMMENT
    from hrm.results import to_dict

    if field == COMMENT:
        return None  # nothing is remarked automatically
    result = to_dict(known)
    if name == "study":
        return field == "signed_off" and bool((result["review"] or {}).get("signed_off"))
    if name == "landmarks":
        value: float | None = result["landmarks"][field]
        return value
    objects = _objects(known)
    if field == "added":
        return name in objects
    row = result["swallows"][objects.index(name)] if name in objects else {}
    of_study = result["landmarks"].get(field)  # what holds for a swallow that has no own
    old: float | str | bool | None = row.get("evaluable" if field == "include" else field, of_study)
    return old
