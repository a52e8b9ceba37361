"""``hrm layout``: the description of a plain table, written to fill in, and checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hrm.cli._options import INPUT, MEMBER, OUTPUT, check_outputs, force_option
from hrm.errors import ParameterError

if TYPE_CHECKING:
    from hrm.io._stream import Block
    from hrm.io.layout import Layout


@click.command(name="layout")
@click.argument("file", required=False, type=OUTPUT)
@click.option("--init", is_flag=True, help="Write a layout to fill in, to FILE or the terminal.")
@click.option(
    "--for", "recording", metavar="RECORDING", type=INPUT, help="Hold the layout against a file."
)
@MEMBER
@force_option
def command(
    file: Path | None, init: bool, recording: Path | None, member: str | None, force: bool
) -> None:
    """Check the layout in FILE, or write one to fill in (--init).

    A layout says what a plain table of numbers, or an EDF file, does not: columns, unit,
    order, rate and sensor positions. It is used with --layout.
    """
    if init:
        if recording is not None or member is not None:
            raise click.UsageError("--init writes a layout to fill in, and does nothing else")
        _write_template(file, force=force)
        return
    if file is None:
        raise click.UsageError("name the layout to check, or give --init")
    if not file.is_file():
        raise FileNotFoundError(2, "no such file", str(file))
    if recording is None:
        click.echo(_said(file))
    else:
        click.echo(_held_against(file, recording, member))


def _write_template(file: Path | None, *, force: bool) -> None:
    from hrm._files import new_file
    from hrm.io.layout import TEMPLATE

    if file is None or str(file) == "-":
        click.echo(TEMPLATE, nl=False)
        return
    check_outputs([file], source=None, force=force)
    with new_file(file, overwrite=force) as place:
        place.write_text(TEMPLATE, encoding="utf-8")
    click.echo(f"wrote {click.format_filename(file)}", err=True)


def _said(file: Path) -> str:
    """Describe a sound layout, and what is still to be said."""
    from hrm.io.layout import read_layout

    layout = read_layout(file)
    lines = ["the layout is sound", *_facts(layout)]
    table, edf = _lacking(layout)
    if edf and edf == table:
        lines.append(f"still to be said, in it or by options: {', '.join(edf)}")
    elif table:
        lines.append(f"still to be said of a plain table, in it or by options: {', '.join(table)}")
        lines.append(f"still to be said of an EDF file:  {', '.join(edf) or 'nothing'}")
    return "\n".join(lines)


def _facts(layout: Layout) -> list[str]:
    pressure = layout.pressure
    n_columns = "all other" if pressure.columns is None else str(len(pressure.columns))
    rate = layout.sampling_rate_hz
    facts = {
        "pressure columns": n_columns,
        "pressure unit": pressure.unit,
        "order": pressure.order,
        "positions": pressure.catheter or ("depths_cm" if pressure.depths_cm else None),
        "sampling rate (Hz)": None if rate is None else f"{rate:g}",
        "time column": None if layout.time_column is None else f"in {layout.time_unit}",
        "impedance columns": None
        if layout.impedance is None
        else str(len(layout.impedance.columns or ())),
    }
    return [f"{label:<20}{text}" for label, text in facts.items() if text]


def _lacking(layout: Layout) -> tuple[list[str], list[str]]:
    """Facts without which a plain table cannot be read, and those of an EDF file among them."""
    pressure = layout.pressure
    timed = layout.sampling_rate_hz or (layout.time_column and layout.time_unit != "sample")
    of_both = {
        "pressure.order": pressure.order,
        "pressure.depths_cm or pressure.catheter": pressure.depths_cm or pressure.catheter,
    }
    # An EDF file states its rate, and as a rule its units.
    of_table = {
        "pressure.unit": pressure.unit,
        **of_both,
        "time.sampling_rate_hz or time.column": timed,
    }
    table, edf = (
        [name for name, value in each.items() if not value] for each in (of_table, of_both)
    )
    return table, edf


def _held_against(file: Path, recording: Path, member: str | None) -> str:
    from hrm.io import opened
    from hrm.io._registry import ReadOptions, StreamingReader, choose_reader
    from hrm.io._stream import checked_blocks, early_placement
    from hrm.io.layout import with_layout

    options = with_layout(ReadOptions(layout=file))
    with opened(recording, member) as source:
        reader = choose_reader(source, has_layout=True)
        if not isinstance(reader, StreamingReader):
            raise ParameterError(f"a layout is not for the format {reader.name}")
        stream = reader.stream(source, options)
        placement = early_placement(stream, options)
        block = next(checked_blocks(stream))
    n_above = getattr(stream, "header_lines", None)
    above = [] if n_above is None else [f"{'header_lines':<20}{n_above}"]
    lines = [
        f"the layout fits; read as {reader.name}",
        f"{'pressure sensors':<20}{stream.n_sensors}",
        f"{'impedance segments':<20}{stream.n_segments}",
        *above,
        f"rows looked at      {len(block.pressure)}",
        "",
        "  depth (cm)   lowest   median  highest  (mmHg)",
    ]
    depths = placement.depths_cm if placement is not None else ()
    return "\n".join([*lines, *_rows(block, depths)])


def _rows(block: Block, depths: tuple[float, ...]) -> list[str]:
    import numpy as np

    return [
        f"  {depth:>10g} {np.nanmin(values):>8.1f} {np.nanmedian(values):>8.1f} "
        f"{np.nanmax(values):>8.1f}"
        if not np.isnan(values).all()
        else f"  {depth:>10g}     no number"
        for depth, values in zip(depths, block.pressure.T, strict=True)
    ]
