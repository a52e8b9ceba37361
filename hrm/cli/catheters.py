"""``hrm catheters``: what is known of catheters, and how to add one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click

from hrm import catheters as registry
from hrm.catheters import Catheter
from hrm.cli._options import INPUT, OUTPUT, check_outputs, force_option
from hrm.errors import ParameterError

_ORIGINS = {
    registry.SHIPPED: "hrm",
    registry.PERSONAL: "your own table",
    registry.NAMED: "the file of --catheter-file",
}


@click.command(name="catheters")
@click.argument("model", required=False)
@click.option(
    "--catheter-file",
    metavar="TOML",
    type=INPUT,
    help="Lay your own table over those that are known, and check it.",
)
@click.option("--init", metavar="FILE", type=OUTPUT, help="Write a table to fill in.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@force_option
def command(
    model: str | None, catheter_file: Path | None, init: Path | None, as_json: bool, force: bool
) -> None:
    """List the catheters that are known, or show the positions of MODEL.

    A catheter that is not listed can be described in a file of your own (--init), or its
    positions be given with --depths.
    """
    if init is not None:
        if model or catheter_file or as_json:
            raise click.UsageError("--init writes a table to fill in, and does nothing else")
        _write_template(init, force=force)
        return
    rows = registry.catheters(catheter_file)
    if model is not None:
        rows = {model: _find(rows, model)}
    if as_json:
        facts = [_facts(row) for row in rows.values()]
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False))
    elif model is not None:
        click.echo(_one(rows[model]))
    else:
        click.echo(_table(rows))
        _say_where()


def _find(rows: Mapping[str, Catheter], model: str) -> Catheter:
    found = {row.model.casefold(): row for row in rows.values()}
    found |= {alias.casefold(): row for row in rows.values() for alias in row.aliases}
    if model.casefold() in found:
        return found[model.casefold()]
    raise ParameterError(
        f"unknown catheter {model!r}; known: {', '.join(rows)}. Another one can be described in "
        "a file of your own: 'hrm catheters --init FILE'"
    )


def _facts(row: Catheter) -> dict[str, object]:
    return {**asdict(row), "depths_cm": list(row.depths_cm) or None, "aliases": list(row.aliases)}


def _write_template(path: Path, *, force: bool) -> None:
    from hrm._files import new_file

    check_outputs([path], source=None, force=force)
    with new_file(path, overwrite=force) as place:
        place.write_text(registry.TEMPLATE, encoding="utf-8")
    click.echo(f"wrote {click.format_filename(path)}", err=True)


def _table(rows: Mapping[str, Catheter]) -> str:
    head = ("model", "sensors", "length", "sensor type", "system", "confidence", "table")
    cells = [head, *(_cells(row) for row in rows.values())]
    widths = [max(len(line[k]) for line in cells) for k in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def _cells(row: Catheter) -> tuple[str, ...]:
    length = f"{row.depths_cm[-1]:g} cm" if row.depths_cm else "give --depths"
    kind = row.sensor_type.replace("_", "-")
    return (row.model, str(row.n_sensors), length, kind, row.system, row.confidence, row.origin)


def _one(row: Catheter) -> str:
    positions = ", ".join(f"{depth:g}" for depth in row.depths_cm)
    facts = {
        "model": row.model,
        "vendor": row.vendor,
        "system": row.system,
        "sensor type": row.sensor_type.replace("_", "-"),
        "pressure sensors": str(row.n_sensors),
        "depths (cm)": positions or "not known; give --depths",
        "source": row.source,
        "confidence": row.confidence,
        "table": _ORIGINS[row.origin],
    }
    if row.aliases:
        facts["also called"] = ", ".join(row.aliases)
    if row.note:
        facts["note"] = row.note
    return "\n".join(f"{label:<18}{text}" for label, text in facts.items())


def _say_where() -> None:
    """Name the user's own table on the terminal; a listing on standard output stays data."""
    file = registry.user_file()
    if file is not None:
        click.echo(f"hrm: note: your own table: {click.format_filename(file)}", err=True)
    else:
        place = click.format_filename(registry.usual_place())
        click.echo(f"hrm: note: no table of your own; it would be {place}", err=True)
