"""``hrm metrics``: every number that is given, with its definition."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from hrm import catalog
from hrm.catalog import Metric, Unimplemented

_WIDTH = 100
_LABEL = 14


@click.command(name="metrics")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.option(
    "--markdown",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the whole catalog as pages into DIR, over earlier ones.",
)
def command(name: str | None, as_json: bool, folder: Path | None) -> None:
    """List the metrics with their definitions, or show everything about NAME.

    Names are those of the JSON and of the tables that hrm writes. Quantities that are known
    by name but not measured are listed with the reason.
    """
    rows: dict[str, Metric | Unimplemented] = {
        **catalog.metrics(),
        **catalog.unimplemented_metrics(),
    }
    if folder is not None:
        if name is not None or as_json:
            raise click.UsageError("--markdown writes the whole catalog: give it alone")
        _write_pages(folder)
        return
    if name is not None:
        row = _find(rows, name)
        rows, name = {row.name: row}, row.name
    if as_json:
        facts = [_facts(row) for row in rows.values()]
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False))
    elif name is not None:
        click.echo("\n".join(_one(rows[name])))
    else:
        click.echo("\n".join(line for row in rows.values() for line in _short(row)))


def _write_pages(folder: Path) -> None:
    from hrm._files import new_file
    from hrm.cli._metric_pages import pages

    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        with new_file(folder / name, overwrite=True) as place:
            place.write_text(text, encoding="utf-8", newline="\n")
        click.echo(f"wrote {click.format_filename(folder / name)}", err=True)


def _find(rows: Mapping[str, Metric | Unimplemented], name: str) -> Metric | Unimplemented:
    from hrm.explain.names import UNFILTERED, find_metric

    return rows[find_metric(name).removesuffix(UNFILTERED)]


def _facts(row: Metric | Unimplemented) -> dict[str, Any]:
    implemented = isinstance(row, Metric)
    facts = {**asdict(row), "implemented": implemented}
    if isinstance(row, Metric):
        facts["parameters"] = {key: _default(key) for key in row.parameters}
    return facts


def _default(key: str) -> dict[str, Any]:
    row = catalog.parameter_table()[key]
    return {"default": row.value, "unit": row.unit}


def _short(row: Metric | Unimplemented) -> Iterator[str]:
    """Name, unit and version on a line, then definition and citation."""
    if isinstance(row, Metric):
        yield f"{row.name} [{row.units}], version {row.version}: {row.long_name}"
        yield from _filled(f"{row.definition} {{{row.citation}}}")
    else:
        yield f"{row.name} [{row.units}], NOT MEASURED: {row.long_name}"
        yield from _filled(f"{row.reason} {{{row.citation}}}")


def _filled(text: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent="    ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _one(row: Metric | Unimplemented) -> Iterator[str]:
    facts = {"name": row.name, "unit": row.units, "long name": row.long_name}
    facts["definition"] = row.definition
    if isinstance(row, Metric):
        facts |= {"formula": row.formula, "version": row.version}
    else:
        facts["not measured"] = row.reason
    facts |= {"citation": row.citation, "confidence": row.confidence}
    for label, text in facts.items():
        yield from _labelled(label, text)
    if not isinstance(row, Metric):
        return
    for k, key in enumerate(row.parameters):
        parameter = catalog.parameter_table()[key]
        unit = "" if parameter.unit == "1" else f" {parameter.unit}"
        yield from _labelled("" if k else "parameters", f"{key} = {parameter.value}{unit}")
    limits = [limit for limit in catalog.limit_table() if limit.quantity in row.limits]
    for k, limit in enumerate(limits):
        text = f"{limit.comparator} {limit.value:g} {limit.unit}, {limit.id} ({limit.citation})"
        yield from _labelled("" if k else "limits", text)


def _labelled(label: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=label.ljust(_LABEL),
        subsequent_indent=" " * _LABEL,
        break_long_words=False,
        break_on_hyphens=False,
    )
