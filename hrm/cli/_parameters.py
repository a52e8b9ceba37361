"""Options that change a definition for one run: ``--set`` and ``--irp-limit``."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import click

from hrm import catalog


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


def _limit(
    _context: click.Context, _option: click.Parameter, text: str | None
) -> float | str | None:
    """Number of mmHg, or the id of a row of the limits table."""
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        rows = [row.id for row in catalog.limit_table() if row.quantity == "irp4s"]
        if text not in rows:
            raise click.BadParameter(
                f"expected a number of mmHg or a row of the limits table: {', '.join(rows)}"
            ) from None
        return text
    if not 0.0 < value < 1000.0:
        raise click.BadParameter("expected a number of mmHg above 0")
    return value


parameters_option = click.option(
    "--set",
    "parameters",
    metavar="KEY=VALUE",
    multiple=True,
    callback=_parameters,
    help="Change a parameter of hrm/data/parameters.toml; can be repeated.",
)
irp_limit_option = click.option(
    "--irp-limit",
    metavar="MMHG|ROW",
    callback=_limit,
    help="Upper limit of the median IRP4s: a number, or a row of hrm/data/limits.toml.",
)
