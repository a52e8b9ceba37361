"""Whether a diagnosis holds: the options of ``hrm analyze``, and the lines of its summary."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_WIDTH = 110
_TREES = {"ccv4": "Chicago v4.0", "ccv3": "Chicago v3.0"}
_OPTIONS = (
    click.option(
        "--stability",
        is_flag=True,
        help="Say whether the diagnosis holds when landmarks, onsets, zero, drift and readings "
        "are a little off, and the swallows are drawn anew.",
    ),
    click.option(
        "--stability-draws",
        metavar="N",
        type=click.IntRange(1, 100_000),
        help="How often metrics and trees run again (default 500); implies --stability.",
    ),
    click.option(
        "--stability-seed",
        metavar="N",
        type=click.IntRange(0),
        help="Same seed, same draws (default 0); implies --stability.",
    ),
)


def stability_options(function: F) -> F:
    """Add the options; `stability_asked` collects them."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def stability_asked(given: dict[str, Any]) -> dict[str, int] | None:
    """Take the options out of the arguments of a subcommand.

    Returns
    -------
    dict or None
        Keywords of `hrm.diagnosis_stability`; None where it was not asked for.
    """
    asked = given.pop("stability")
    said = {"draws": given.pop("stability_draws"), "seed": given.pop("stability_seed")}
    known = {name: value for name, value in said.items() if value is not None}
    return known if asked or known else None


def stability_lines(result: Mapping[str, Any]) -> Iterator[str]:
    """Write one line a tree, and one for the swallows whose type changes.

    Parameters
    ----------
    result : mapping
        The published contract, from `hrm.to_dict`; nothing comes of it without stability.
    """
    from hrm.report.firmness import stability_sentence

    trees = result["classification"]
    if "stability" not in trees["ccv4"]:
        return
    yield (
        "Stability of the diagnosis (landmarks, onsets, zero, drift and readings a little off, "
        "swallows drawn anew)"
    )
    for version, name in _TREES.items():
        yield _wrapped(f"{name}: {stability_sentence(trees[version])}")
    if any(trees[version]["limited"] for version in _TREES):
        primary = result["study"]["primary_posture"]
        rows = [row for row in result["swallows"] if row["evaluable"] and row["posture"] == primary]
        yield _wrapped(
            f"Only {len(rows)} evaluable swallows ({primary}): drawn anew they say little of how "
            "more would vary"
        )
    loose = [
        f"{row['id']} ({row['type'].replace('_', ' ')} {row['type_stability']['agreement']:.0%})"
        for row in result["swallows"]
        if row.get("type_stability") and row["type_stability"]["agreement"] < 1.0
    ]
    if loose:
        yield _wrapped(f"Type of a swallow changes: {', '.join(loose)}")


def _wrapped(text: str) -> str:
    indent = " " * 4
    return textwrap.fill(text, _WIDTH, initial_indent="  ", subsequent_indent=indent)
