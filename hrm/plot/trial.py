"""Pictures of a trial: flow, intervals against the margin, tipping points, survival, pairs.

They draw what they are given: every number was worked out by the statistics, and every
label was made, and blinded where need be, by the tables.
"""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from hrm.errors import ParameterError

_INK, _GRAY, _MARGIN = "#1c1c1c", "#777777", "#b03a2e"
#: Color and line of each arm: told apart in gray print too.
_ARMS = (("#1b4f72", "-"), ("#c77800", "--"))
_FONT = 9
_DPI = 150
#: Letters in a line of a box, and height of a line and of the space between boxes, in inches.
_BOX_LETTERS, _LINE, _GAP = 34, 0.19, 0.32


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its limits; NaN where it could not be estimated.

    Attributes
    ----------
    label : str
    estimate, low, high : float
    text : str
        Stands beside it, like ``54/60 against 51/59``.
    """

    label: str
    estimate: float
    low: float
    high: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Curve:
    """Survival of one arm.

    Attributes
    ----------
    label : str
    times, survival, low, high : sequence of float
        Steps, ascending in time; the curve starts at 1 at time 0. NaN limits are not drawn.
    at_risk : sequence of int
        Participants still followed at each of the times below the axis.
    """

    label: str
    times: Sequence[float]
    survival: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    at_risk: Sequence[int]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Values before and after of the participants of one arm who have both."""

    label: str
    before: Sequence[float]
    after: Sequence[float]


def flow_diagram(
    assessed: str, excluded: str, randomized: str, arms: Sequence[Sequence[str]]
) -> Figure:
    """Draw the flow of participants.

    Parameters
    ----------
    assessed, excluded, randomized : str
        Text of the boxes that both arms share; lines are kept.
    arms : sequence of sequence of str
        For each arm the texts of its boxes, from allocation to analysis: as many in each.

    Returns
    -------
    Figure
    """
    if len({len(boxes) for boxes in arms}) != 1:
        raise ParameterError("every arm must have the same number of boxes")
    levels = [[_folded(boxes[k]) for boxes in arms] for k in range(len(arms[0]))]
    top = [_folded(assessed), _folded(excluded), _folded(randomized)]
    heights = [_height(top[0]), _height(top[1]), _height(top[2])]
    heights += [max(map(_height, level)) for level in levels]
    total = sum(heights) + _GAP * (len(heights) + 1)
    fig = Figure(figsize=(7.2, total), dpi=_DPI, facecolor="white")
    ax = fig.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.set(xlim=(0.0, 7.2), ylim=(0.0, total))
    ax.set_axis_off()
    y = total - _GAP
    y = _box(ax, 3.6, y, top[0])
    _arrow(ax, (3.6, y), (3.6, y - heights[1] - 2 * _GAP))
    middle = y - _GAP - heights[1] / 2
    _arrow(ax, (3.6, middle), (4.05, middle))
    _box(ax, 5.55, y - _GAP, top[1])
    y = _box(ax, 3.6, y - heights[1] - 2 * _GAP, top[2])
    centers = [1.8, 5.4] if len(arms) == 2 else np.linspace(1.2, 6.0, len(arms)).tolist()
    for k, level in enumerate(levels):
        for x, text in zip(centers, level, strict=True):
            above = (3.6, y) if k == 0 else (x, y)
            _arrow(ax, above, (x, y - _GAP))
            _box(ax, x, y - _GAP, text, height=heights[3 + k])
        y -= _GAP + heights[3 + k]
    return fig


def _folded(text: str) -> str:
    lines = [textwrap.wrap(line, _BOX_LETTERS) or [""] for line in text.splitlines()]
    return "\n".join(part for line in lines for part in line)


def _height(text: str) -> float:
    return (text.count("\n") + 1) * _LINE + 0.16


def _box(ax: Axes, x: float, top: float, text: str, *, height: float | None = None) -> float:
    """Draw a box below `top` and give its lower edge."""
    tall = height or _height(text)
    ax.text(
        *(x, top - tall / 2, text),
        ha="center",
        va="center",
        fontsize=_FONT,
        color=_INK,
        linespacing=1.25,
    )
    ax.add_patch(
        mpl.patches.Rectangle((x - 1.5, top - tall), 3.0, tall, fill=False, lw=0.8, ec=_INK)
    )
    return top - tall


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    ax.annotate(
        "", xy=end, xytext=start, arrowprops={"arrowstyle": "-|>", "lw": 0.8, "color": _INK}
    )


def interval_figure(
    rows: Sequence[Interval],
    *,
    xlabel: str,
    margin: float | None = None,
    better: tuple[str, str] | None = None,
) -> Figure:
    """Draw intervals of a difference, against the margin if there is one.

    Parameters
    ----------
    rows : sequence of Interval
        From top to bottom.
    xlabel : str
        Name and unit of the difference.
    margin : float, optional
        Positive; the line is drawn at minus this.
    better : tuple of str, optional
        What the left and the right half mean.

    Returns
    -------
    Figure
        A row that could not be estimated says so.
    """
    fig = Figure(
        figsize=(7.2, 1.3 + 0.34 * len(rows)), dpi=_DPI, facecolor="white", layout="constrained"
    )
    ax = fig.add_subplot()
    for place, row in enumerate(rows):
        _draw_interval(ax, -place, row)
    ax.axvline(0.0, color=_GRAY, lw=0.8)
    if margin is not None:
        ax.axvline(-margin, color=_MARGIN, lw=1.2, ls="--")
        ax.text(-margin, 0.5, f"margin −{margin:g} ", color=_MARGIN, fontsize=8, ha="right")
    ax.set_ylim(-len(rows) + 0.3, 1.5)
    ax.set_yticks([-k for k in range(len(rows))], [row.label for row in rows])
    _span(ax, rows, margin)
    ax.set_xlabel(xlabel, fontsize=9)
    if better is not None:
        left = ax.annotate(f"← {better[0]}  ", (0.0, 1.15), fontsize=8, color=_GRAY, ha="right")
        right = ax.annotate(f"  {better[1]} →", (0.0, 1.15), fontsize=8, color=_GRAY, ha="left")
        # They may stand over the edge of the axes, and must not move it.
        for words in (left, right):
            words.set_in_layout(False)
    texts = ax.secondary_yaxis("right")
    texts.set_yticks([-k for k in range(len(rows))], [row.text for row in rows])
    for axis in (ax, texts):
        axis.tick_params(axis="y", length=0, labelsize=8)
    ax.tick_params(axis="x", labelsize=8)
    ax.spines[["top", "right", "left"]].set_visible(False)
    texts.spines["right"].set_visible(False)
    return fig


def _draw_interval(ax: Axes, y: float, row: Interval) -> None:
    if not math.isfinite(row.estimate):
        ax.text(0.0, y, "not estimable", fontsize=8, color=_GRAY, ha="center", va="center")
        return
    if math.isfinite(row.low) and math.isfinite(row.high):
        ax.plot([row.low, row.high], [y, y], color=_INK, lw=1.4, solid_capstyle="butt")
        ax.plot([row.low, row.high], [y, y], color=_INK, ls="", marker="|", ms=7)
    ax.plot(row.estimate, y, color=_INK, marker="s", ms=5)


def _span(ax: Axes, rows: Sequence[Interval], margin: float | None) -> None:
    ends = [value for row in rows for value in (row.estimate, row.low, row.high)]
    lines = [0.0] if margin is None else [0.0, -margin]
    known = [value for value in (*ends, *lines) if math.isfinite(value)]
    low, high = min(known), max(known)
    room = 0.12 * ((high - low) or 1.0)
    ax.set_xlim(low - room, high + room)


def tipping_figure(
    grid: NDArray[np.bool_], *, labels: tuple[str, str], at: tuple[int, int] | None = None
) -> Figure:
    """Draw for which successes among the missing the verdict holds.

    Parameters
    ----------
    grid : array (missing 1 + 1, missing 2 + 1) bool
        As from `tipping_point_binary`.
    labels : tuple of str
        Names of group 1 (rows) and group 2 (columns).
    at : tuple of int, optional
        A cell to mark, like the shares that were seen.

    Returns
    -------
    Figure
    """
    wide = max(2.6, 1.6 + 0.3 * grid.shape[1])
    tall = max(2.4, 1.4 + 0.3 * grid.shape[0])
    fig = Figure(figsize=(min(wide, 7.2), min(tall, 7.2)), dpi=_DPI, layout="constrained")
    ax = fig.add_subplot()
    ax.pcolormesh(
        grid.astype(float),
        cmap=ListedColormap(["#e8e8e8", "#1b4f72"]),
        vmin=0.0,
        vmax=1.0,
        edgecolors="white",
        linewidth=0.6,
    )
    if at is not None:
        ax.plot(at[1] + 0.5, at[0] + 0.5, marker="o", ms=6, mfc="white", mec=_MARGIN)
    for axis, size in ((ax.yaxis, grid.shape[0]), (ax.xaxis, grid.shape[1])):
        step = max(1, math.ceil(size / 12))
        axis.set_ticks(
            [k + 0.5 for k in range(0, size, step)], [str(k) for k in range(0, size, step)]
        )
    ax.set_ylabel(f"successes among missing,\n{labels[0]}", fontsize=8)
    ax.set_xlabel(f"successes among missing,\n{labels[1]}", fontsize=8)
    ax.set_title("dark: noninferior", fontsize=8)
    ax.tick_params(labelsize=8, length=0)
    ax.set_aspect("equal")
    return fig


def survival_figure(
    curves: Sequence[Curve], risk_times: Sequence[float], *, xlabel: str, ylabel: str
) -> Figure:
    """Draw Kaplan-Meier curves with the numbers at risk below.

    Parameters
    ----------
    curves : sequence of Curve
        One an arm.
    risk_times : sequence of float
        Where the numbers at risk stand, in the unit of the curves.
    xlabel, ylabel : str

    Returns
    -------
    Figure
    """
    height = 3.6 + 0.2 * len(curves)
    fig = Figure(figsize=(6.4, height), dpi=_DPI, facecolor="white", layout="constrained")
    ax, table = fig.subplots(2, 1, height_ratios=(3.2, 0.25 + 0.2 * len(curves)), sharex=True)
    for curve, (color, line) in zip(curves, _ARMS, strict=False):
        times = np.concatenate([[0.0], curve.times])
        ax.step(
            times, [1.0, *curve.survival], where="post", color=color, ls=line, label=curve.label
        )
        ax.fill_between(
            *(times, [1.0, *curve.low], [1.0, *curve.high]),
            step="post",
            color=color,
            alpha=0.15,
            lw=0,
        )
    ax.set(ylim=(0.0, 1.02), xlim=(0.0, max(risk_times, default=1.0)))
    ax.legend(frameon=False, fontsize=8, loc="lower left")
    ax.tick_params(labelsize=8, labelbottom=True)
    ax.set_xlabel(xlabel, fontsize=8)
    ax.set_xticks(list(risk_times))
    ax.set_ylabel(ylabel, fontsize=8)
    ax.spines[["top", "right"]].set_visible(False)
    table.set(ylim=(len(curves) - 0.4, -1.2))
    table.set_axis_off()
    table.text(0.0, -0.9, "at risk", fontsize=8, color=_GRAY, ha="left", va="center")
    for row, curve in enumerate(curves):
        for time, count in zip(risk_times, curve.at_risk, strict=True):
            table.text(time, row, str(count), fontsize=8, ha="center", va="center", clip_on=False)
        color = _ARMS[row % len(_ARMS)][0]
        table.annotate(
            *(curve.label, (0.0, row)),
            xytext=(-14, 0),
            textcoords="offset points",
            fontsize=8,
            color=color,
            ha="right",
            va="center",
            annotation_clip=False,
        )
    return fig


def paired_figure(
    panels: Sequence[Pairs], *, names: tuple[str, str], ylabel: str, limit: float | None = None
) -> Figure:
    """Draw each participant before and after, an arm beside the other, on one scale.

    Parameters
    ----------
    panels : sequence of Pairs
    names : tuple of str
        The two visits.
    ylabel : str
        Name and unit.
    limit : float, optional
        Drawn as a line, like the upper limit of normal.

    Returns
    -------
    Figure
    """
    fig = Figure(figsize=(6.4, 3.4), dpi=_DPI, facecolor="white", layout="constrained")
    axes = fig.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for ax, pairs, (color, _) in zip(axes, panels, _ARMS, strict=False):
        both = np.array([pairs.before, pairs.after], dtype=float)
        ax.plot([0, 1], both, color=color, lw=0.6, alpha=0.45, marker="o", ms=2.5)
        if both.size:
            ax.plot([0, 1], np.median(both, axis=1), color=_INK, lw=2.2, marker="D", ms=5)
        if limit is not None:
            ax.axhline(limit, color=_MARGIN, lw=1.0, ls="--")
        ax.set_title(f"{pairs.label}, n = {both.shape[1]}", fontsize=9)
        ax.set_xticks([0, 1], list(names))
        ax.set_xlim(-0.3, 1.3)
        ax.tick_params(labelsize=8)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel(ylabel, fontsize=8)
    axes[0].yaxis.set_major_locator(MaxNLocator(nbins=6))
    return fig


def figure_bytes(figure: Figure, kind: str) -> bytes:
    """Write a picture so that the same numbers give the same bytes.

    Parameters
    ----------
    figure : Figure
    kind : {"png", "svg"}

    Returns
    -------
    bytes
        Without date, and without the version of a library.
    """
    if kind not in ("png", "svg"):
        raise ParameterError("a picture of a trial is png or svg")
    buffer = io.BytesIO()
    metadata = {"Software": None} if kind == "png" else {"Date": None, "Creator": None}
    # The ids of an SVG are drawn at random otherwise.
    with mpl.rc_context({"svg.hashsalt": "hrm", "svg.fonttype": "none"}):
        figure.savefig(buffer, format=kind, metadata=metadata)
    return buffer.getvalue()
