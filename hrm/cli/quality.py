"""``hrm quality``: how good a recording is, printed and drawn."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hrm.cli._options import (
    INPUT,
    OUTPUT,
    check_outputs,
    force_option,
    open_file,
    reading,
    reading_options,
    swallows_of,
)
from hrm.cli._outputs import Writer, tell_written, text_writer, write_outputs

if TYPE_CHECKING:
    import xarray as xr

F = TypeVar("F", bound=Callable[..., Any])

DASH = "–"
_WIDTH = 100
_DRIFT = {
    "none": "not corrected",
    "offset": "one offset for each sensor taken away",
    "linear": "a straight line for each sensor taken away",
}


def drift_option(function: F) -> F:
    """Add ``--drift``."""
    return click.option(
        "--drift",
        "drift",
        metavar="CSV",
        type=INPUT,
        help="Measured drift of each sensor: sensor,depth_cm,offset_end_mmhg,time_end_s and, for "
        "a straight line, offset_start_mmhg,time_start_s.",
    )(function)


def with_drift(recording: xr.DataTree, path: Path | None) -> xr.DataTree:
    """Add the offsets of a table to a study, if one is given."""
    if path is None:
        return recording
    from hrm.io.offset_table import read_offset_table, with_offsets

    return with_offsets(recording, read_offset_table(path))


@click.command(name="quality")
@click.argument("file", type=INPUT)
@click.option(
    "--figure", "figure_out", metavar="PATH", type=OUTPUT, help="Draw it (.png, .pdf or .svg)."
)
@click.option("--json", "json_out", metavar="PATH|-", type=OUTPUT, help="The quality block alone.")
@click.option("--swallows", "table", metavar="CSV", type=INPUT, help="The swallow table.")
@drift_option
@reading_options
@force_option
def command(
    file: Path,
    figure_out: Path | None,
    json_out: Path | None,
    table: Path | None,
    drift: Path | None,
    force: bool,
    **given: Any,
) -> None:
    """Say how good the recording in FILE is, and what an analysis does about it.

    Sensors that fail, drift, artefacts, and the swallows that do not count, with the
    reason of each.
    """
    from hrm.io.swallow_table import load_swallow_table
    from hrm.plot._formats import format_of

    said = reading(given)
    to_stdout = json_out is not None and str(json_out) == "-"
    outputs = {"json": None if to_stdout else json_out, "figure": figure_out}
    check_outputs([path for path in outputs.values() if path], source=file, force=force)
    if figure_out is not None:
        format_of(figure_out)
    listed = load_swallow_table(table) if table else None
    recording = with_drift(open_file(file, said), drift)
    from hrm.pipeline import analyze
    from hrm.results import to_dict

    study = analyze(recording, system=said.system, swallows=swallows_of(listed, recording))
    result = to_dict(study)
    text = json.dumps(result["quality"], indent=2, allow_nan=False) + "\n"
    writers: dict[str, Writer] = {"json": text_writer(text), "figure": partial(_draw, study)}
    write_outputs(outputs, writers, force=force)
    click.echo(quality_text(result), err=to_stdout)
    if to_stdout:
        click.echo(text, nl=False)
    tell_written(outputs)


def _draw(study: xr.DataTree, place: Path) -> None:
    from hrm.plot.quality import save_quality_figure

    save_quality_figure(study, place)


def quality_text(result: Mapping[str, Any]) -> str:
    """Write the quality of a study in words.

    Parameters
    ----------
    result : mapping
        The published contract, from `hrm.to_dict`.

    Returns
    -------
    str
    """
    block = result["quality"]
    parts = [
        _study(result),
        list(_sensors(block)),
        list(_drift(block)),
        list(_artefacts(block)),
        list(_swallows(result)),
        ["For research use only, not for diagnosis or treatment."],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _row(label: str, text: str) -> str:
    first, rest = f"  {label:<26}", " " * 28
    return textwrap.fill(text, _WIDTH, initial_indent=first, subsequent_indent=rest)


def _words(code: str) -> str:
    return code.replace("_", " ")


def _study(result: Mapping[str, Any]) -> list[str]:
    from hrm.report.wording import not_measured

    recording, block = result["recording"], result["quality"]
    noise, filtered = result["study"]["noise_mmhg"], result["study"]["filtered"]
    crossed = {True: "yes", False: "NO", None: "not known: cannot be told from the pressures"}[
        block["egj_crossed"]
    ]
    status = result["study"]["status"].get("noise_mmhg")
    white = not_measured(status) if noise is None else f"{noise:.1f} mmHg"
    return [
        f"Quality of {recording['study_id']}",
        _row("Recording", f"{recording['n_sensors']} sensors, {recording['duration_s']:.0f} s"),
        _row("White noise (SD)", white + (": filtered" if filtered else "")),
        _row("Catheter crosses the EGJ", crossed),
    ]


def _sensors(block: Mapping[str, Any]) -> Iterator[str]:
    yield "Sensors"
    bad = [row for row in block["sensors"] if row["status"] != "ok"]
    yield _row("Without a fault", f"{len(block['sensors']) - len(bad)} of {len(block['sensors'])}")
    for row in bad:
        done = "bridged by its neighbors" if row["repaired"] else "not repaired"
        if not row["usable"]:
            done = f"not used, {done}"
        text = f"{row['status']}, {100 * row['share']:.0f}% of the time; {done}"
        yield _row(f"at {row['depth_cm']:g} cm", text)
    for zone in block["failed_zones"]:
        yield _row(zone.upper(), "not measured: sensors failed side by side (sensor_failed)")
    for zone in block["bridged_zones"]:
        yield _row(zone.upper(), "a missing sensor is bridged: pressures may read low")


def _drift(block: Mapping[str, Any]) -> Iterator[str]:
    drift = block["drift"]
    yield "Drift"
    yield _row("Correction", _DRIFT[drift["mode"]])
    if drift["mean_mmhg"] is None:
        yield _row("Offsets", "not measured: --drift gives them")
    else:
        flag = "; flag DRIFT" if drift["flag"] else ""
        text = f"mean {drift['mean_mmhg']:.1f}, most {drift['max_mmhg']:.1f} mmHg{flag}"
        yield _row("Offsets at the end", text)
    if drift["rest_change_mean_mmhg"] is None:
        yield _row("Change at rest", "not measured: too little rest")
    else:
        text = (
            f"mean {drift['rest_change_mean_mmhg']:.1f}, most "
            f"{drift['rest_change_max_mmhg']:.1f} mmHg from first to last part, as recorded "
            "(drift, posture or tone)"
        )
        yield _row("Change at rest", text)
    if drift["mode"] != "none":
        yield "     depth   offset start    end     rest recorded   measured   (cm; mmHg)"
        for row in block["sensors"]:
            cells = [row[name] for name in _DRIFT_COLUMNS]
            texts = [DASH if cell is None else f"{cell:.1f}" for cell in cells]
            yield f"  {row['depth_cm']:>8g} {texts[0]:>14} {texts[1]:>6} {texts[2]:>17} {texts[3]:>10}"


_DRIFT_COLUMNS = ("offset_start_mmhg", "offset_end_mmhg", "rest_recorded_mmhg", "rest_mmhg")


def _artefacts(block: Mapping[str, Any]) -> Iterator[str]:
    yield "Artefacts"
    if not block["artefacts"]:
        yield _row("Found", "none")
    for one in block["artefacts"]:
        shift = "" if one["shift_cm"] is None else f", {one['shift_cm']:+.1f} cm"
        yield _row(f"at {one['time_s']:.1f} s", _words(one["kind"]) + shift)
    yield _row("Not looked for", ", ".join(_words(name) for name in block["not_looked_for"]))


def _swallows(result: Mapping[str, Any]) -> Iterator[str]:
    from hrm.report.wording import out_of

    study, excluded = result["study"], result["quality"]["excluded"]
    yield "Swallows"
    yield _row("Evaluable", f"{study['n_evaluable']} of {study['n_swallows']}")
    for reason, count in Counter(row["reason"] for row in excluded).most_common():
        ids = ", ".join(str(row["swallow"]) for row in excluded if row["reason"] == reason)
        yield _row(f"{count} left out", f"{out_of(reason)} (number {ids})")
