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
#: Digits after the point by unit; what rounds to nothing is not said.
_DIGITS = {"s": 2, "mmHg s cm": 0}
_NO_LABEL = "not_classified"
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
    lines += [
        textwrap.fill(line, _WIDTH, initial_indent="  ", subsequent_indent="    ")
        for line in _outcome(comparisons)
    ]
    for each in comparisons:
        lines.append(f"  {each.about}: {each.text}  [{each.source}]")
        lines += [
            textwrap.fill(line, _WIDTH, initial_indent="    ", subsequent_indent="      ")
            for line in _lines(each)
        ]
    return "\n".join(lines)


def _outcome(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Say first what matters most: whether a diagnosis hangs on a rule."""
    tried = [each for each in comparisons if not each.in_use and not each.failed]
    for tree, name in _TREES.items():
        turned = [
            f"{each.about}: {each.text}" for each in tried if len(set(each.diagnosis[tree])) > 1
        ]
        if turned:
            yield f"{name}: the diagnosis HANGS ON {'; '.join(turned)}"
        elif tried:
            said = tried[0].diagnosis[tree][0]
            same = f"{_diagnosis(said)} by each of {len(tried)} other rules too"
            yield f"{name}: {'no label is given by any rule' if said == _NO_LABEL else same}"


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
            yield f"DIAGNOSIS, {_TREES[tree]}: {_diagnosis(other)} instead of {_diagnosis(chosen)}"


def _study_number(number: MovedNumber) -> str:
    name = _title(number.metric)
    if number.difference is None:
        found = number.other if number.chosen is None else number.chosen
        word = "only by this rule" if number.chosen is None else "not by this rule"
        return f"{name}: measured {word} ({_digits(found, number.unit)} {number.unit})"
    if _nothing(number.difference, number.unit):
        return ""
    values = " -> ".join(_digits(value, number.unit) for value in (number.chosen, number.other))
    return f"{name}: {_digits(number.difference, number.unit, sign='+')} {number.unit} ({values})"


def _swallow_number(row: MovedSwallows) -> Iterator[str]:
    name = f"swallows, {_title(row.metric)}"
    if not _nothing(row.greatest, row.unit):
        median, greatest = (
            _digits(size, row.unit, sign="+") for size in (row.median, row.greatest)
        )
        yield f"{name}: median {median}, farthest {greatest} {row.unit} (n {row.n})"
    for numbers, word in ((row.gained, "measured only by this rule"), (row.lost, "lost")):
        if numbers:
            yield f"{name}: {word} in swallow {', '.join(str(number) for number in numbers)}"


def _title(metric: str) -> str:
    return catalog.metrics()[metric].long_name


def _digits(value: float | None, unit: str, *, sign: str = "") -> str:
    """Write a number with the digits that its unit deserves."""
    if value is None:
        return "none"
    # No minus before nothing.
    return f"{round(value, _DIGITS.get(unit, 1)) + 0.0:{sign}.{_DIGITS.get(unit, 1)}f}"


def _nothing(difference: float | None, unit: str) -> bool:
    return difference is None or round(difference, _DIGITS.get(unit, 1)) == 0.0


def _diagnosis(code: str | None) -> str:
    return "none" if code is None else catalog.words()["diagnosis"].get(code, _word(code))


def _word(code: str | None) -> str:
    return "none" if code is None else code.replace("_", " ")
