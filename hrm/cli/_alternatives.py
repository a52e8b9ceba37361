"""``hrm analyze --compare-parameters``: the option, and what it prints."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hrm import catalog

if TYPE_CHECKING:
    import xarray as xr

    from hrm.sensitivity import Comparison, MovedNumber, MovedSwallows

_WIDTH = 110
#: Differences below this are not said: no unit here is read to more.
_LEAST = 0.005
_TREES = {"ccv4": "Chicago v4.0", "ccv3": "Chicago v3.0"}

compare_parameters_option = click.option(
    "--compare-parameters",
    is_flag=True,
    help="Also measure by each rule that others use, and say how numbers and diagnosis move.",
)
comparison_option = click.option(
    "--comparison",
    "comparison_out",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Write that comparison as JSON; implies --compare-parameters.",
)


def compared(recording: xr.DataTree, options: dict[str, Any]) -> list[Comparison]:
    """Measure by every other rule."""
    from hrm.sensitivity import compare_parameters

    return compare_parameters(recording, **options)


def comparison_json(comparisons: Sequence[Comparison]) -> str:
    """Write comparisons as JSON."""
    from hrm.sensitivity import as_dict

    return json.dumps([as_dict(each) for each in comparisons], indent=2, allow_nan=False) + "\n"


def comparison_text(comparisons: Sequence[Comparison]) -> str:
    """Say in words what moves under each rule."""
    lines = ["How other definitions move the result (other rule minus the one in use)"]
    for each in comparisons:
        lines.append(f"  {each.about}: {each.text}  [{each.source}]")
        lines += [
            textwrap.fill(line, _WIDTH, initial_indent="    ", subsequent_indent="      ")
            for line in _lines(each)
        ]
    return "\n".join(lines)


def _lines(each: Comparison) -> Iterator[str]:
    if each.in_use:
        yield "in use already"
        return
    if each.failed:
        yield f"cannot be measured: {each.failed}"
        return
    lines = list(_moved(each))
    yield from lines or ["nothing moves"]


def _moved(each: Comparison) -> Iterator[str]:
    yield from _diagnoses(each)
    if each.n_swallows[0] != each.n_swallows[1]:
        yield f"{each.n_swallows[1]} swallows instead of {each.n_swallows[0]}"
    if each.types:
        kinds = [f"{number} {_word(old)} -> {_word(new)}" for number, old, new in each.types]
        yield f"type of {len(kinds)} swallows: {', '.join(kinds)}"
    yield from filter(None, map(_study_number, each.study))
    for row in each.swallows:
        yield from _swallow_number(row)


def _diagnoses(each: Comparison) -> Iterator[str]:
    for tree, (chosen, other) in each.diagnosis.items():
        if chosen != other:
            yield f"DIAGNOSIS, {_TREES[tree]}: {_word(other)} instead of {_word(chosen)}"


def _study_number(number: MovedNumber) -> str:
    name = _title(number.metric)
    if number.difference is None:
        found = number.other if number.chosen is None else number.chosen
        word = "only by this rule" if number.chosen is None else "not by this rule"
        return f"{name}: measured {word} ({found:.4g} {number.unit})"
    if abs(number.difference) < _LEAST:
        return ""
    values = f"{number.chosen:.4g} -> {number.other:.4g}"
    return f"{name}: {number.difference:+.2g} {number.unit} ({values})"


def _swallow_number(row: MovedSwallows) -> Iterator[str]:
    name = f"swallows, {_title(row.metric)}"
    if row.median is not None and row.greatest is not None and abs(row.greatest) >= _LEAST:
        sizes = f"median {row.median:+.2g}, farthest {row.greatest:+.2g} {row.unit}"
        yield f"{name}: {sizes} (n {row.n})"
    for numbers, word in ((row.gained, "measured only by this rule"), (row.lost, "lost")):
        if numbers:
            yield f"{name}: {word} in swallow {', '.join(str(number) for number in numbers)}"


def _title(metric: str) -> str:
    return catalog.metrics()[metric].long_name


def _word(code: str | None) -> str:
    return "none" if code is None else code.replace("_", " ")
