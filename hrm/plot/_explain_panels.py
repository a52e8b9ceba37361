"""Traces, profiles and entries of an explanation, each in axes of its own."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from hrm.evidence import Entry, Evidence, Held, Instant, Mark, Profile, Span, Trace

_TEXT, _SMALL = 8.5, 7.5
_LINES = ("#1f3b73", "#b25d00", "#3d7a37")
_STYLES = ("--", ":")
_USED, _LEVEL = "#d1087f", "#9c1c1c"
#: Characters of a label that fit beside the axes.
_LABEL_WIDTH = 26
#: Those that fit below a profile, and at the right of the entries.
_PROFILE_WIDTH, _NOTE_WIDTH = 34, 44
#: More entries than this are not drawn one by one.
MOST_ENTRIES = 40
#: Least room above what was read before the axis is cut, in the unit of the trace.
_ROOM = 15.0
_ROLES = {
    "counted": "#1f3b73",
    "numerator": "#1f3b73",
    "denominator": "#b25d00",
    "left_out": "#b0b0b0",
}


def draw_traces(ax: Axes, traces: Sequence[Trace], marks: Sequence[Mark], shift_s: float) -> None:
    """Draw traces of one unit over time, with the samples that made the number."""
    for k, trace in enumerate(traces):
        time = trace.time - shift_s
        ax.plot(time, trace.values, color=_LINES[k % len(_LINES)], lw=1.0, label=trace.label)
        few = 0 < trace.used.sum() < 0.02 * trace.used.size + 2
        if few or (trace.used.any() and not trace.used.all()):
            ax.plot(
                time[trace.used],
                trace.values[trace.used],
                ls="",
                marker="D" if few else ".",
                ms=6.0 if few else 3.5,
                color=_USED,
                label=f"made the number ({int(trace.used.sum())} sample{'s' * int(trace.used.sum() > 1)})",
                zorder=3,
            )
        for name, level in trace.levels.items():
            ax.axhline(level, color=_LEVEL, lw=0.9, ls="--")
            ax.annotate(
                f"{name} {level:.1f}",
                xy=(1.005, level),
                xycoords=ax.get_yaxis_transform(),
                fontsize=_SMALL,
                color=_LEVEL,
                va="center",
                annotation_clip=False,
            )
    for mark in marks:
        if isinstance(mark, Instant):
            ax.axvline(mark.time_s - shift_s, color="0.3", lw=1.0 if mark.main else 0.5)
        elif isinstance(mark, Span):
            ends = (mark.start_s - shift_s, mark.stop_s - shift_s)
            ax.axvspan(*ends, color="0.5", alpha=0.12, lw=0.6)
    ax.margins(x=0.0)
    _look_closer(ax, traces)
    ax.set_ylabel(traces[0].unit, fontsize=_TEXT)
    ax.tick_params(labelsize=_SMALL)
    ax.legend(
        fontsize=_SMALL,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=3,
        frameon=False,
        borderaxespad=0.1,
    )


def _look_closer(ax: Axes, traces: Sequence[Trace]) -> None:
    """Cut the axis where a contraction would press what was read into a line."""
    seen = [trace.values[trace.used] for trace in traces if not trace.used.all()]
    used = np.concatenate(seen) if seen else np.empty(0)
    used = used[np.isfinite(used)]
    every = np.concatenate([trace.values for trace in traces])
    every = every[np.isfinite(every)]
    if not used.size or not every.size:
        return
    low, high = float(min(used.min(), every.min())), float(used.max())
    top = high + max(_ROOM, 2.0 * (high - low))
    if every.max() > 1.5 * top:
        ax.set_ylim(low - 0.08 * (top - low), top)
        ax.annotate(
            f"axis cut; greatest {every.max():.0f}",
            xy=(0.995, 0.95),
            xycoords="axes fraction",
            fontsize=_SMALL,
            color="0.35",
            ha="right",
            va="top",
        )


def draw_profiles(ax: Axes, profiles: Sequence[Profile], depths: tuple[float, float]) -> None:
    """Draw profiles against depth, which runs downward; used places are dots."""
    levels = 0
    for k, profile in enumerate(profiles):
        # What is read at single sensors is not joined.
        at_sensors = profile.used.any()
        ax.plot(
            profile.values,
            profile.depth,
            ls="" if at_sensors else "-",
            marker="o" if at_sensors else "",
            ms=3.0,
            mfc="none",
            color=_LINES[k % len(_LINES)],
            lw=1.1,
        )
        if profile.used.any():
            used = profile.used
            place = (profile.values[used], profile.depth[used])
            ax.plot(*place, "D", ms=5.0, color=_USED, zorder=3, clip_on=_beyond(profile, depths))
        for name, level in profile.levels.items():
            style = _STYLES[levels % len(_STYLES)]
            levels += 1
            ax.axvline(level, color=_LEVEL, lw=1.0, ls=style, label=f"{name} {level:.1f}")
    if levels:
        ax.legend(
            fontsize=_SMALL - 1,
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            frameon=False,
            borderaxespad=0.2,
        )
    ax.set_ylim(depths)
    name = textwrap.fill(profiles[0].label, _PROFILE_WIDTH)
    ax.set_xlabel(f"{name}\n[{profiles[0].unit}]", fontsize=_SMALL)
    ax.tick_params(labelsize=_SMALL, labelleft=False)
    ax.grid(visible=True, lw=0.3, color="0.85")


def _beyond(profile: Profile, depths: tuple[float, float]) -> bool:
    """Whether a used place lies outside the depths shown, and has to be cut off."""
    low, high = sorted(depths)
    used = profile.depth[profile.used]
    return bool(((used < low) | (used > high)).any())


def entry_rows(entries: Sequence[Entry]) -> int:
    """How many rows `draw_entries` needs."""
    return min(len(entries), MOST_ENTRIES)


def draw_entries(
    ax: Axes, evidence: Evidence, value: float, unit: str, limits: Sequence[Held]
) -> None:
    """Draw the numbers that enter, one a row, with the result across them."""
    shown = evidence.entries[:MOST_ENTRIES]
    rows = np.arange(len(shown))
    for row, entry in zip(rows, shown, strict=True):
        color = _ROLES.get(entry.role, "black")
        if math.isfinite(entry.value):
            full = color if entry.role != "left_out" else "none"
            ax.plot(entry.value, row, "o", ms=5, mfc=full, mec=color)
        text = _entry_text(entry)
        ax.annotate(
            text,
            xy=(1.01, row),
            xycoords=ax.get_yaxis_transform(),
            fontsize=_SMALL - 0.5,
            color=color,
            va="center",
            annotation_clip=False,
        )
    _draw_result(ax, evidence, value)
    if evidence.rule == "entries_median":
        for held in limits[:1]:
            ax.axvline(held.limit.value, color=_LEVEL, lw=0.9, ls="--")
            label = f"limit {held.limit.comparator} {held.limit.value:g}"
            ax.annotate(
                label,
                xy=(held.limit.value, 1.0),
                xycoords=ax.get_xaxis_transform(),
                fontsize=_SMALL,
                color=_LEVEL,
                ha="center",
                va="bottom",
            )
    _set_range(ax, shown, value, unit)
    labels = [textwrap.fill(entry.label, _LABEL_WIDTH) for entry in shown]
    ax.set_yticks(rows, labels, fontsize=_SMALL)
    ax.set_ylim(len(shown) - 0.5, -0.5)
    ax.tick_params(axis="x", labelsize=_SMALL)
    mixed = evidence.rule == "product_over"
    ax.set_xlabel("each in its own unit" if mixed else _axis_name(unit), fontsize=_TEXT)
    ax.grid(visible=True, axis="y", lw=0.3, color="0.85")
    rest = len(evidence.entries) - len(shown)
    if rest > 0:
        ax.annotate(
            f"and {rest} more",
            xy=(0.0, 0.0),
            xytext=(0, -24),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=_SMALL,
        )


def _axis_name(unit: str) -> str:
    return unit if unit != "1" else "value"


def _set_range(ax: Axes, shown: Sequence[Entry], value: float, unit: str) -> None:
    """Set a range in which small differences do not look like large ones."""
    ax.ticklabel_format(axis="x", useOffset=False)
    if unit == "%":
        ax.set_xlim(-5.0, 105.0)
        return
    known = [entry.value for entry in shown if math.isfinite(entry.value)]
    low, high = ax.get_xlim()
    middle = float(np.mean(known)) if known else value
    if math.isfinite(middle):
        least = 0.05 * abs(middle)
        ax.set_xlim(min(low, middle - least), max(high, middle + least))


def _draw_result(ax: Axes, evidence: Evidence, value: float) -> None:
    """Line at the result, where it is of the kind of what enters."""
    if evidence.rule not in ("entries_median", "entries_mean") or not math.isfinite(value):
        return
    ax.axvline(value, color=_USED, lw=1.4)
    word = "median" if evidence.rule == "entries_median" else "mean"
    ax.annotate(
        f"{word} {value:.4g}",
        xy=(value, 1.0),
        xytext=(0, 9),
        xycoords=ax.get_xaxis_transform(),
        textcoords="offset points",
        fontsize=_SMALL,
        color=_USED,
        ha="center",
        va="bottom",
    )


def _entry_text(entry: Entry) -> str:
    number = "–" if not math.isfinite(entry.value) else f"{entry.value:.4g}"
    return textwrap.shorten(f"{number}  {entry.note}", _NOTE_WIDTH, placeholder=" …")
