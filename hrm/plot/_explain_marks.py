"""Marks of an explanation on the pressure topography, and their names around it."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from hrm.evidence import (
    Box,
    DepthLine,
    Instant,
    Mark,
    Points,
    Polyline,
    Region,
    Span,
)
from hrm.plot._axes import LEADER, name_depths, size_points
from hrm.plot._labels import spread

SMALL = 7.5
_HALO = [withStroke(linewidth=2.6, foreground="black", alpha=0.6)]
_MAIN, _OTHER = "white", "#e4e4e4"
#: One meaning in every picture: black encloses what counts, pale covers what does not.
_COUNTED = "black"
_DIM = (1.0, 1.0, 1.0, 0.55)
#: Points more than this are drawn as dots.
_MANY = 12
#: Boxes more than this are drawn without a halo, which would hide what they enclose.
_CROWD = 12
#: Edge of the parts that count where they are many [points].
_HAIR = 0.25
#: Room of one name [points]: along the top, and down the side.
_ROOM_ALONG, _ROOM_DOWN = 62.0, 10.0
#: Characters of a name in the legend.
_LEGEND_WIDTH = 32


def draw_marks(ax: Axes, marks: Sequence[Mark], shift_s: float) -> None:
    """Draw everything that lies in time and depth; `finish_times` and `finish_depths` name it."""
    boxes = sum(isinstance(mark, Box) for mark in marks)
    _draw_left_out(ax, marks, shift_s)
    for mark in sorted(marks, key=lambda mark: mark.main):
        match mark:
            case Region():
                _draw_region(ax, mark, shift_s)
            case Box():
                _draw_box(ax, mark, shift_s, halo=boxes <= _CROWD)
            case Polyline():
                _draw_line(ax, mark, shift_s)
            case Points():
                _draw_points(ax, mark, shift_s)
            case Instant():
                ax.axvline(mark.time_s - shift_s, **_line_style(main=mark.main))
            case DepthLine():
                ax.axhline(mark.depth_cm, **_line_style(main=mark.main))
            case Span():
                _draw_span(ax, mark, shift_s)
            case _:
                pass
    handles, labels = ax.get_legend_handles_labels()
    if handles:
        named = dict(zip(labels, handles, strict=True))
        # Above the names of the depths, where it hides nothing of the pressure.
        ax.legend(
            named.values(),
            [textwrap.fill(name, _LEGEND_WIDTH) for name in named],
            fontsize=SMALL,
            loc="lower left",
            bbox_to_anchor=(1.0 + 4.0 / size_points(ax)[0], 0.98),
            borderaxespad=0.0,
            labelspacing=0.3,
            facecolor="#8aa0b4",
            edgecolor="none",
        )


def _line_style(*, main: bool) -> dict[str, Any]:
    if main:
        return {"color": _MAIN, "lw": 1.8, "path_effects": _HALO}
    return {"color": _OTHER, "lw": 0.9, "ls": (0, (4, 2)), "path_effects": _HALO}


def _draw_region(ax: Axes, mark: Region, shift_s: float) -> None:
    if mark.depth.size < 2 or mark.time.size < 2:
        return
    half_s = 0.5 * float(mark.time[1] - mark.time[0])
    half_cm = 0.5 * float(mark.depth[1] - mark.depth[0])
    extent = (
        float(mark.time[0]) - half_s - shift_s,
        float(mark.time[-1]) + half_s - shift_s,
        float(mark.depth[-1]) + half_cm,
        float(mark.depth[0]) - half_cm,
    )
    counts = mark.inside & (mark.values >= mark.level_mmhg)
    veil = np.zeros((*counts.shape, 4))
    veil[~counts] = _DIM
    limits = ax.get_xlim(), ax.get_ylim()
    ax.imshow(veil, extent=extent, aspect="auto", interpolation="nearest")
    ax.set_xlim(limits[0])
    ax.set_ylim(limits[1])
    edge = np.pad(counts, 1).astype(np.float64)
    time = np.concatenate([[extent[0]], mark.time - shift_s, [extent[1]]])
    depth = np.concatenate([[extent[3]], mark.depth, [extent[2]]])
    if counts.any():
        ax.contour(time, depth, edge, levels=[0.5], colors=_COUNTED, linewidths=1.6)
        ax.plot([], [], color=_COUNTED, lw=1.6, label="counted")
    if not counts.all():
        ax.add_patch(
            Rectangle((extent[0], extent[3]), 0.0, 0.0, fc=_DIM, ec="none", label="left out")
        )
    left, right, bottom, top = extent
    ax.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, ec="white", lw=1.2))


def _draw_left_out(ax: Axes, marks: Sequence[Mark], shift_s: float) -> None:
    """Cover what of a named box is none of its parts that count, as in a region."""
    parts = sorted(
        (mark for mark in marks if isinstance(mark, Box) and mark.main and not mark.label),
        key=lambda part: part.start_s,
    )
    if parts:
        ax.plot([], [], color=_COUNTED, lw=1.6, label="counted")
    for box in (mark for mark in marks if isinstance(mark, Box) and mark.main and mark.label):
        own = [
            part for part in parts if (part.top_cm, part.bottom_cm) == (box.top_cm, box.bottom_cm)
        ]
        edges = [
            box.start_s,
            *(at for part in own for at in (part.start_s, part.stop_s)),
            box.stop_s,
        ]
        for start, stop in zip(edges[::2], edges[1::2], strict=True) if own else ():
            if stop > start:
                place, size = (
                    (start - shift_s, box.top_cm),
                    (stop - start, box.bottom_cm - box.top_cm),
                )
                ax.add_patch(Rectangle(place, *size, fc=_DIM, ec="none", label="left out"))


def _draw_box(ax: Axes, mark: Box, shift_s: float, *, halo: bool) -> None:
    if not math.isfinite(mark.start_s + mark.stop_s + mark.top_cm + mark.bottom_cm):
        return
    counted = mark.main and not mark.label
    wide = 1.8 if mark.main else 0.9
    ax.add_patch(
        Rectangle(
            (mark.start_s - shift_s, mark.top_cm),
            mark.stop_s - mark.start_s,
            mark.bottom_cm - mark.top_cm,
            # What has no name of its own is a part of what was read.
            fill=False,
            ec=_COUNTED if counted else (_MAIN if mark.main else _OTHER),
            lw=wide if halo or not counted else _HAIR,
            ls="-" if mark.main else (0, (4, 2)),
            path_effects=_HALO if halo and not counted else None,
            zorder=3 if counted else 2,
        )
    )


def _draw_line(ax: Axes, mark: Polyline, shift_s: float) -> None:
    style: dict[str, Any] = (
        {"color": _MAIN, "lw": 1.8} if mark.main else {"color": _OTHER, "lw": 1.2}
    )
    fit = mark.label.startswith(("fit", "median slope"))
    if fit:
        style = {"color": _MAIN, "lw": 2.2}
    elif mark.label.startswith("reach"):
        style = {"color": _OTHER, "lw": 1.2, "ls": (0, (4, 2))}
    elif not mark.main:
        style = {"color": "black", "lw": 2.4, "ls": (0, (1, 1))}
    halo = None if style["color"] == "black" else _HALO
    ax.plot(
        mark.time - shift_s,
        mark.depth,
        path_effects=halo,
        zorder=4 if fit else 3,
        label=mark.label,
        **style,
    )


def _draw_points(ax: Axes, mark: Points, shift_s: float) -> None:
    many = mark.time.size > _MANY
    shapes = {"entry": ">", "exit": "<", "nadir": "v", "peak": "^"}
    shape = next((s for name, s in shapes.items() if mark.label.startswith(name)), "D")
    ax.plot(
        mark.time - shift_s,
        mark.depth,
        ls="",
        marker="o" if many else shape,
        ms=2.4 if many else (7.0 if mark.main else 5.0),
        mfc=_MAIN,
        mec="black",
        mew=0.4 if many else 1.0,
        zorder=5,
        label=mark.label,
    )


def _draw_span(ax: Axes, mark: Span, shift_s: float) -> None:
    low, high = ax.get_ylim()
    height = 0.03 * abs(high - low)
    place = min(low, high) + (0.0 if mark.main else 1.2 * height)
    ax.add_patch(
        Rectangle(
            (mark.start_s - shift_s, place),
            mark.stop_s - mark.start_s,
            height,
            fc=_MAIN if mark.main else _OTHER,
            ec="black",
            lw=0.8,
        )
    )


def finish_times(ax: Axes, marks: Sequence[Mark], shift_s: float) -> None:
    """Name the moments, stretches, points and lines above the axes."""
    left, right = ax.get_xlim()
    found = [(text, at - shift_s) for text, at in _named_times(marks)]
    found = [(text, min(max(at, left), right)) for text, at in found]
    if not found:
        return
    room = _ROOM_ALONG / size_points(ax)[0] * (right - left)
    places = spread([at for _, at in found], room)
    for k, ((text, at), place) in enumerate(zip(found, places, strict=True)):
        ax.annotate(
            text,
            xy=(at, 1.0),
            xytext=(place, 1.04 + 0.07 * (k % 2)),
            xycoords=ax.get_xaxis_transform(),
            textcoords=ax.get_xaxis_transform(),
            fontsize=SMALL,
            ha="center",
            va="bottom",
            annotation_clip=False,
            arrowprops=LEADER,
        )


def _named_times(marks: Sequence[Mark]) -> list[tuple[str, float]]:
    out: dict[str, float] = {}
    numbered: dict[str, int] = {}
    for mark in marks:
        match mark:
            case Instant():
                name, at = mark.label, mark.time_s
            case Span() if mark.stop_s > mark.start_s:
                name, at = mark.label, 0.5 * (mark.start_s + mark.stop_s)
            case _:
                continue
        # Of breaths or onsets that are numbered one name stands for all.
        family = name.rstrip("0123456789")
        if name and family == name:
            out.setdefault(name, at)
        else:
            numbered[family] = numbered.get(family, 0) + 1
            out.setdefault(f"{family}#", at)
    named = {}
    for name, at in out.items():
        family = name.removesuffix("#")
        count = numbered.get(family, 0)
        named[f"{family.strip()}s (1-{count})" if count else name] = at
    return sorted(named.items(), key=lambda item: item[1])


def finish_depths(ax: Axes, marks: Sequence[Mark]) -> None:
    """Name the places at the right of the axes."""
    low, high = sorted(ax.get_ylim())
    named = {
        mark.label: mark.depth_cm
        for mark in sorted(marks, key=lambda mark: not mark.main)
        if isinstance(mark, DepthLine) and low <= mark.depth_cm <= high
    }
    if not named:
        return
    _, height = size_points(ax)
    room = _ROOM_DOWN / height * (high - low)
    depths = list(named.values())
    texts = [f"{text} {depth:.1f}" for text, depth in named.items()]
    name_depths(ax, texts, depths, spread(depths, room), points=8.0, fontsize=SMALL)
