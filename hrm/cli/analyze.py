"""``hrm analyze``: one recording, measured; summary, JSON, figure, hrm's own file."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hrm import catalog
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


def _parameters(
    _context: click.Context, _option: click.Parameter, pairs: Sequence[str]
) -> dict[str, Any]:
    return dict(_parameter(pair) for pair in pairs)


def _parameter(pair: str) -> tuple[str, Any]:
    key, equals, text = (part.strip() for part in pair.partition("="))
    table = catalog.parameter_table()
    if not equals or not text:
        raise click.BadParameter("expected KEY=VALUE, like irp.window_s=10")
    if key not in table:
        near = difflib.get_close_matches(key, table, n=4, cutoff=0.4)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise click.BadParameter(f"unknown parameter {key!r}{hint}")
    return key, _typed(key, text, table[key].value)


def _typed(key: str, text: str, default: Any) -> Any:
    words = {"true": True, "false": False}
    if isinstance(default, bool):
        if text.lower() not in words:
            raise click.BadParameter(f"{key} expects true or false")
        return words[text.lower()]
    if not isinstance(default, int | float):
        return text
    try:
        return type(default)(text)
    except ValueError as err:
        kind = "a whole number" if isinstance(default, int) else "a number"
        raise click.BadParameter(f"{key} expects {kind}") from err


def _limit(_context: click.Context, _option: click.Parameter, value: float | None) -> float | None:
    if value is not None and not 0.0 < value < 1000.0:
        raise click.BadParameter("expected a number of mmHg above 0")
    return value


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
    help="Color ramp of the figure.",
)
@click.option(
    "--save", "save_out", metavar="PATH", type=OUTPUT, help="Write recording and results (HDF5)."
)
@click.option(
    "--posture",
    type=click.Choice(["supine", "upright"]),
    help="Posture of the swallows that the table does not name.",
)
@click.option(
    "--swallows",
    "table",
    metavar="CSV",
    type=INPUT,
    help="What is known of each swallow: onset_s (s from the first sample), posture, protocol.",
)
@click.option(
    "--irp-limit",
    metavar="MMHG",
    type=float,
    callback=_limit,
    help="Upper limit of the median IRP4s, instead of the table's.",
)
@click.option(
    "--set",
    "parameters",
    metavar="KEY=VALUE",
    multiple=True,
    callback=_parameters,
    help="Change a parameter of hrm/data/parameters.toml; can be repeated.",
)
@reading_options
@force_option
def command(
    file: Path,
    json_out: Path | None,
    figure_out: Path | None,
    colors: str,
    save_out: Path | None,
    posture: str | None,
    table: Path | None,
    irp_limit: float | None,
    parameters: dict[str, Any],
    force: bool,
    **given: Any,
) -> None:
    """Measure the recording in FILE and print a summary.

    What a file cannot say, the options say: posture, system, catheter, swallows.
    """
    from hrm.io.swallow_table import read_swallow_table
    from hrm.plot._formats import format_of

    said = reading(given)
    to_stdout = json_out is not None and str(json_out) == "-"
    outputs = {"json": None if to_stdout else json_out, "figure": figure_out, "save": save_out}
    check_outputs([path for path in outputs.values() if path], source=file, force=force)
    if figure_out is not None:
        format_of(figure_out)
    swallows = read_swallow_table(table) if table else []
    recording = open_file(file, said)
    _check_onsets(recording, swallows)
    from hrm.pipeline import analyze
    from hrm.results import to_dict

    study = analyze(
        recording, system=said.system, posture=posture, swallows=swallows, parameters=parameters
    )
    result = to_dict(study)
    if irp_limit is not None:
        result["engine"]["irp_limit_mmhg"] = irp_limit
    text = json.dumps(result, indent=2, allow_nan=False) + "\n"
    _publish(outputs, study, text, colors=colors, force=force)
    from hrm.cli._summary import summary

    click.echo(summary(result), err=to_stdout)
    if to_stdout:
        click.echo(text, nl=False)
    for path in outputs.values():
        if path:
            click.echo(f"wrote {click.format_filename(path)}", err=True)


def _check_onsets(recording: xr.DataTree, rows: Sequence[dict[str, Any]]) -> None:
    duration = recording["pressure"].sizes["time"] / float(recording.attrs["sampling_rate"])
    late = [f"{row['onset_s']:g}" for row in rows if row["onset_s"] >= duration]
    if late:
        raise ParameterError(
            f"swallow table: onset_s {', '.join(late[:8])} is beyond the end of the recording "
            f"({duration:.1f} s); onsets count from the first sample of the file"
        )


def _publish(
    outputs: dict[str, Path | None], study: xr.DataTree, text: str, *, colors: str, force: bool
) -> None:
    """Write every output beside its place, and rename them when all are complete."""
    from hrm._files import new_file

    with ExitStack() as stack:
        for kind, path in outputs.items():
            if path is None:
                continue
            place = stack.enter_context(new_file(path, overwrite=force))
            if kind == "json":
                place.write_text(text, encoding="utf-8")
            elif kind == "figure":
                from hrm.plot import save_figure

                save_figure(study, place, colors=colors)
            else:
                from hrm.io import write_native

                write_native(study, place)
