"""Pictures of an agreement: one against the other, and differences against means."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from hrm.plot._labels import spread

_WIDTH, _HEIGHT, _DPI = 9.6, 3.9, 110
_TEXT, _SMALL = 8.5, 7.5
#: Height that two lines of text need, as a share of the axes.
_ROOM = 0.11
_POINT, _LINE, _BAND = "#1b4f72", "#b03a2e", "#b03a2e"

Interval = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Lines:
    """Bias and limits, each with the ends of its interval; NaN is not drawn."""

    bias: Interval
    lower: Interval
    upper: Interval


def agreement_figure(
    a: ArrayLike,
    b: ArrayLike,
    lines: Lines,
    *,
    title: str,
    unit: str,
    sides: Sequence[str] = ("A", "B"),
) -> Figure:
    """Draw the pairs, and their differences with the limits of agreement.

    Parameters
    ----------
    a, b : array (pair,)
        In `unit`.
    lines : Lines
        Of A minus B, in `unit`.
    title, unit : str
    sides : sequence of str
        What A and B are called.

    Returns
    -------
    Figure
        Left B against A with the line of identity; right (A - B) against the mean of both
        (J. M. Bland and D. G. Altman, Lancet 1986;i:307), the intervals as bands.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    fig = Figure(figsize=(_WIDTH, _HEIGHT), dpi=_DPI, facecolor="white", layout="constrained")
    left, right = fig.subplots(1, 2, width_ratios=(1.0, 1.45))
    fig.suptitle(title, fontsize=_TEXT + 1, fontweight="bold", parse_math=False)
    _draw_pairs(left, first, second, unit, sides)
    _draw_differences(right, first, second, lines, unit, sides)
    for ax in (left, right):
        ax.tick_params(labelsize=_SMALL)
        ax.spines[["top", "right"]].set_visible(False)
    return fig


def png_of(figure: Figure) -> bytes:
    """Draw a figure as PNG, in memory.

    Parameters
    ----------
    figure : Figure

    Returns
    -------
    bytes
        Without the name and version of the program that drew it, so that the same pairs
        give the same bytes.
    """
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def _draw_pairs(
    ax: Axes,
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    unit: str,
    sides: Sequence[str],
) -> None:
    low, high = _span(np.concatenate([first, second]))
    ax.plot([low, high], [low, high], color="0.55", linewidth=0.9, zorder=1)
    ax.plot(first, second, **_points(first.size))
    ax.set_xlim(low, high)
    ax.set_ylim(low, high)
    ax.set_aspect("equal")
    ax.set_xlabel(_labelled(sides[0], unit), fontsize=_TEXT, parse_math=False)
    ax.set_ylabel(_labelled(sides[1], unit), fontsize=_TEXT, parse_math=False)


def _draw_differences(
    ax: Axes,
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    lines: Lines,
    unit: str,
    sides: Sequence[str],
) -> None:
    difference, mean = first - second, (first + second) / 2.0
    ax.axhline(0.0, color="0.55", linewidth=0.9, zorder=1)
    ax.plot(mean, difference, **_points(first.size))
    drawn = [*difference]
    named = (("bias", lines.bias, "-"), ("lower", lines.lower, "--"), ("upper", lines.upper, "--"))
    for _, (value, low, high), style in named:
        if math.isfinite(value):
            _draw_line(ax, (value, low, high), style)
            drawn += [number for number in (value, low, high) if math.isfinite(number)]
    ax.set_xlim(*_span(mean))
    ax.set_ylim(*_span(np.array(drawn)))
    _name_lines(ax, {name: line[0] for name, line, _ in named if math.isfinite(line[0])})
    ax.set_xlabel(_labelled("mean of both", unit), fontsize=_TEXT, parse_math=False)
    ax.set_ylabel(_labelled(f"{sides[0]} − {sides[1]}", unit), fontsize=_TEXT, parse_math=False)


def _draw_line(ax: Axes, line: Interval, style: str) -> None:
    value, low, high = line
    ax.axhline(value, color=_LINE, linewidth=1.3, linestyle=style, zorder=3)
    if math.isfinite(low) and math.isfinite(high):
        ax.axhspan(low, high, color=_BAND, alpha=0.13, linewidth=0, zorder=0)


def _name_lines(ax: Axes, heights: Mapping[str, float]) -> None:
    """Write name and value of each line beside it; one that lies on another shares its place."""
    together: dict[str, list[str]] = {}
    for name, height in sorted(heights.items(), key=lambda item: item[1]):
        together.setdefault(f"{height:.4g}".replace("-", "−"), []).append(name)
    at = {text: heights[names[0]] for text, names in together.items()}
    low, high = ax.get_ylim()
    room = _ROOM * (high - low)
    for (text, height), place in zip(at.items(), spread(list(at.values()), room), strict=True):
        ax.annotate(
            f"{', '.join(together[text])}\n{text}",
            (1.0, height),
            xycoords=("axes fraction", "data"),
            xytext=(1.012, place),
            textcoords=ax.get_yaxis_transform(),
            va="center",
            fontsize=_SMALL,
            color=_LINE,
            annotation_clip=False,
        )


def _points(n: int) -> dict[str, Any]:
    """Smaller and fainter points where there are many."""
    crowded = n > 150
    return {
        "linestyle": "none",
        "marker": "o",
        "markersize": 2.6 if crowded else 4.2,
        "alpha": 0.45 if crowded else 0.8,
        "color": _POINT,
        "markeredgewidth": 0,
        "zorder": 2,
    }


def _span(values: NDArray[np.float64]) -> tuple[float, float]:
    """Range with a margin; one that has a width for a single value, or none, too."""
    if not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    margin = 0.06 * (high - low) or max(abs(high) * 0.05, 0.5)
    return low - margin, high + margin


def _labelled(name: str, unit: str) -> str:
    return name if unit in ("", "1") else f"{name} ({unit.replace(' ', '·')})"
