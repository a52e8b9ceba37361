"""``hrm batch``: measure a study's recordings; what is done already is not done again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hrm.cli._options import INPUT, OUTPUT, options_of, reading, reading_options
from hrm.cli._parameters import irp_limit_option, parameters_option
from hrm.errors import ParameterError

if TYPE_CHECKING:
    from hrm.batch import Input, Options, Settings
    from hrm.batch.run import Progress

#: Exit code of a program that Ctrl-C has ended, as shells know it.
_STOPPED = 130
#: Reading options that belong to one file: in a manifest, not here.
_OF_ONE_FILE = ("member", "participant")


@click.command(name="batch")
@click.argument("inputs", nargs=-1, metavar="INPUT...")
@click.option(
    "--out", required=True, metavar="DIR", type=OUTPUT, help="Folder of the results; is made."
)
@click.option(
    "--manifest", metavar="CSV", type=INPUT, help="Column path, and any setting: one row a file."
)
@click.option(
    "--settings", "settings_file", metavar="TOML", type=INPUT, help="[defaults] and [[files]]."
)
@click.option(
    "--suffix", "suffixes", metavar=".EXT", multiple=True, help="Take only such files of folders."
)
@click.option(
    "--swallows", metavar="CSV", help="Swallow table beside each file: '{stem}.swallows.csv'."
)
@click.option("--posture", type=click.Choice(["supine", "upright"]))
@irp_limit_option
@parameters_option
@click.option(
    "--review-dir",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the review logs, if they are not beside the recordings.",
)
@click.option("--only", type=click.Choice(["failed", "changed"]), help="Take only such files.")
@click.option("--limit", metavar="N", type=click.IntRange(1), help="Take at most N files.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first file that fails.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--workers", metavar="N", type=click.IntRange(1), help="Processes; default: cores.")
@click.option("--memory-limit", metavar="SIZE", help="Of each worker, like 2GB.")
@click.option(
    "--timeout",
    "timeout_s",
    metavar="S",
    type=click.FloatRange(0, min_open=True),
    default=600.0,
    show_default=True,
    help="Time that one file may take.",
)
@click.option("--scheduler", metavar="tcp://HOST:PORT", help="Use a cluster that runs already.")
@click.option("--json-log", metavar="PATH", type=OUTPUT, help="Append one JSON line an event.")
@reading_options
def command(
    inputs: tuple[str, ...],
    out: Path,
    manifest: Path | None,
    settings_file: Path | None,
    suffixes: tuple[str, ...],
    swallows: str | None,
    posture: str | None,
    irp_limit: float | str | None,
    parameters: dict[str, Any],
    review_dir: Path | None,
    only: str | None,
    limit: int | None,
    fail_fast: bool,
    dry_run: bool,
    workers: int | None,
    memory_limit: str | None,
    timeout_s: float,
    scheduler: str | None,
    json_log: Path | None,
    **given: Any,
) -> None:
    """Measure every recording in INPUT... (folders, patterns, files) or in a manifest.

    Results go to a ledger in DIR; run the same command again to measure what is new,
    changed or failed. 'hrm results DIR' lists and exports them. Exit code: 0 all good,
    3 some inputs have no result, 2 unusable input, 130 stopped with Ctrl-C.

    What is said of one file beats what is said of all, from weak to strong: [defaults]
    of --settings, the options here, [[files]] of --settings, the row of --manifest.
    """
    from hrm.batch import Options, SettingsFile, read_settings

    how = Options(
        scheduler=scheduler,
        workers=workers,
        memory_limit=memory_limit,
        timeout_s=timeout_s,
        only=only,
        limit=limit,
        fail_fast=fail_fast,
    )
    said = {
        **_said_of_all(given),
        "swallows": swallows,
        "posture": posture,
        "irp_limit": irp_limit,
        "parameters": parameters,
        "review_dir": str(review_dir) if review_dir else None,
    }
    if settings_file is None:
        _say_settings(inputs)
    files = read_settings(settings_file) if settings_file else SettingsFile()
    found = _inputs(inputs, manifest, out, suffixes)
    if dry_run:
        _say_plan(out, found, _settings(said), files, how)
        return
    _run(out, found, _settings(said), files, how, json_log)


def _say_settings(inputs: Sequence[str]) -> None:
    """Say that a folder has settings, which a worklist reads by itself and a batch does not."""
    for name in inputs:
        place = Path(name) / "settings.toml"
        if place.is_file():
            shown = click.format_filename(place)
            click.echo(f"hrm: {shown} is not used: give --settings {shown}", err=True)


def _said_of_all(given: dict[str, Any]) -> dict[str, Any]:
    said = options_of(reading(given))
    wrong = [f"--{name}" for name in _OF_ONE_FILE if said[name] is not None]
    if wrong:
        raise click.UsageError(f"{', '.join(wrong)} names one file: use a manifest")
    return {name: str(v) if isinstance(v, Path) else v for name, v in said.items()}


def _settings(said: dict[str, Any]) -> Settings:
    from hrm.batch.settings import settings_from

    return settings_from(said, where="options")


def _inputs(
    names: Sequence[str], manifest: Path | None, out: Path, suffixes: Sequence[str]
) -> list[Input]:
    from hrm.batch import find_inputs, read_manifest

    if bool(names) == (manifest is not None):
        raise click.UsageError("give either INPUT... or --manifest")
    if manifest is not None:
        return read_manifest(manifest)
    found, left_out = find_inputs(names, out=out, suffixes=suffixes)
    if left_out:
        click.echo(f"hrm: note: {len(left_out)} files are no recordings by their name", err=True)
    if not found:
        raise ParameterError("there is no recording among the inputs")
    return found


def _say_plan(out: Path, found: list[Input], options: Settings, files: Any, how: Options) -> None:
    from hrm.batch.progress import in_words
    from hrm.batch.run import dry_run, planned_states

    planned, to_do = dry_run(out, found, options=options, settings=files, how=how)
    click.echo(f"{len(planned)} inputs: {in_words(planned_states(planned))}")
    for each in to_do:
        click.echo(f"{each.state:<12} {each.name}")
    click.echo(f"{len(to_do)} would be measured; nothing was written")


def _run(
    out: Path,
    found: list[Input],
    options: Settings,
    files: Any,
    how: Options,
    json_log: Path | None,
) -> None:
    from hrm.batch import run_batch
    from hrm.batch.progress import Several

    with ExitStack() as stack:
        parts = _progress(stack, json_log)
        try:
            summary = run_batch(
                out, found, options=options, settings=files, how=how, progress=Several(parts)
            )
        except KeyboardInterrupt:
            click.echo("hrm: stopped; what was measured is kept: run it again to go on", err=True)
            sys.exit(_STOPPED)
    click.echo(
        f"{summary.ok} measured, {summary.failed} failed; {summary.without_result} of {len(found)} "
        f"inputs have no result. 'hrm results' lists them.",
        err=True,
    )
    if summary.without_result:
        sys.exit(3)


def _progress(stack: ExitStack, json_log: Path | None) -> list[Progress]:
    from hrm.batch.progress import Bar, JsonLog, Lines

    parts: list[Progress] = []
    if sys.stderr.isatty():
        parts.append(stack.enter_context(Bar()))
    else:
        parts.append(Lines(sys.stderr))
    if json_log is not None:
        parts.append(JsonLog(stack.enter_context(json_log.open("a", encoding="utf-8"))))
    return parts
