"""Picture of an explanation: the pressure, what was read of it, and the definition."""

from __future__ import annotations

import math
import os
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from hrm._files import new_file
from hrm.evidence import Contour, Evidence, Explanation, FieldWindow
from hrm.plot._explain_marks import draw_marks, finish_depths, finish_times
from hrm.plot._explain_panels import draw_entries, draw_profiles, draw_traces, entry_rows
from hrm.plot._formats import format_of
from hrm.plot.colors import HIGHEST_MMHG, LOWEST_MMHG, Colors, choose

# In inches.
_WIDTH = 12.0
_LEFT, _RIGHT = 0.75, 2.7
_PROFILE_WIDTH, _PROFILE_GAP = 2.1, 0.15
_FIELD, _TRACE, _GAP = 3.6, 1.9, 0.62
_ENTRY, _LEAST_ENTRIES = 0.2, 1.2
_LINE = 0.165
_MARGIN, _ABOVE_FIELD = 0.15, 0.62
_DPI = 120
_TEXT, _SMALL = 8.5, 7.5
_CHARACTERS = 165
#: Width of a contour [points].
_CONTOUR = 0.8


@dataclass(frozen=True)
class Words:
    """Texts of a picture, made by who explains.

    Attributes
    ----------
    heading : str
    lines : tuple of str
        Above the picture: value, status, what was read.
    footer : tuple of str
        Below it: definition, formula, limits, sources.
    """

    heading: str
    lines: tuple[str, ...]
    footer: tuple[str, ...]


def explanation_figure(explanation: Explanation, words: Words, *, colors: str = "hrm") -> Figure:
    """Draw where and when a number came from.

    Parameters
    ----------
    explanation : Explanation
        From `hrm.explain_metric`.
    words : Words
        From `hrm.explain.text.words_of`.
    colors : {"hrm", "accessible"}
        As for `hrm.plot.figure`.

    Returns
    -------
    Figure
        The pressure topography as it was measured with the marks on it, the traces and
        profiles below and beside it, or the numbers that enter; without any, the reason in
        words. No identity is in it.

    Raises
    ------
    ParameterError
        If `colors` is unknown.
    """
    chosen, evidence = choose(colors), explanation.evidence
    above, below = _wrapped(words.lines), _wrapped(words.footer)
    panels = _panels(evidence)
    height = _MARGIN + _LINE * (len(above) + 2) + sum(tall for _, tall in panels)
    height += _LINE * (len(below) + 1) + _MARGIN
    fig = Figure(figsize=(_WIDTH, height), dpi=_DPI, facecolor="white")
    _write(fig, [words.heading], _MARGIN, fontsize=11, fontweight="bold")
    _write(fig, above, _MARGIN + 1.6 * _LINE, fontsize=_TEXT)
    top = _MARGIN + _LINE * (len(above) + 2)
    shared: Axes | None = None
    for kind, tall in panels:
        if kind == "field":
            shared = _draw_field_panel(fig, explanation, top, chosen)
        elif kind == "profiles":
            _draw_profile_panel(fig, evidence, top)
        elif kind == "traces":
            _draw_trace_panels(fig, evidence, top, shared)
        else:
            _draw_entry_panel(fig, explanation, top, tall)
        top += tall
    _write(fig, below, top + _LINE, fontsize=_SMALL, color="0.25")
    return fig


def save_explanation(
    explanation: Explanation,
    words: Words,
    path: str | os.PathLike[str],
    *,
    colors: str = "hrm",
    overwrite: bool = False,
) -> None:
    """Draw an explanation into a file, which appears complete or not at all.

    Parameters
    ----------
    explanation : Explanation
    words : Words
    path : path-like
        Ends in ``.png``, ``.pdf`` or ``.svg``.
    colors : {"hrm", "accessible"}
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    ParameterError
        If the suffix or `colors` is unknown.
    FileExistsError
        If the file exists and `overwrite` is not set.
    """
    kind = format_of(path)
    with new_file(path, overwrite=overwrite) as temporary:
        drawn = explanation_figure(explanation, words, colors=colors)
        date = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}[kind]
        # Neither a date nor a random id: the same number gives the same bytes.
        with mpl.rc_context({"svg.hashsalt": "hrm", "pdf.fonttype": 42}):
            drawn.savefig(
                temporary,
                format=kind,
                metadata={"Title": "hrm explanation (research use)", **date},
            )


def _panels(evidence: Evidence) -> list[tuple[str, float]]:
    """Panels from top to bottom, each with its height."""
    out = []
    if evidence.field is not None:
        out.append(("field", _ABOVE_FIELD + _FIELD + _GAP))
    elif evidence.profiles:
        out.append(("profiles", _ABOVE_FIELD + _FIELD + _GAP))
    if evidence.traces:
        out.append(("traces", len(_by_unit(evidence)) * (_TRACE + _GAP)))
    if evidence.entries:
        size = max(_LEAST_ENTRIES, _ENTRY * entry_rows(evidence.entries))
        out.append(("entries", 0.3 + size + _GAP))
    return out


def _by_unit(evidence: Evidence) -> list[list[Any]]:
    """Traces that share an axis: those of one unit."""
    units = dict.fromkeys(trace.unit for trace in evidence.traces)
    return [[trace for trace in evidence.traces if trace.unit == unit] for unit in units]


def _wrapped(texts: Sequence[str]) -> list[str]:
    return [line for text in texts for line in textwrap.wrap(text, _CHARACTERS) or [""]]


def _write(fig: Figure, texts: Sequence[str], from_top: float, **style: Any) -> None:
    height = float(fig.get_size_inches()[1])
    for k, text in enumerate(texts):
        place = 1.0 - (from_top + k * _LINE) / height
        # A dollar sign would begin a formula.
        fig.text(_LEFT / _WIDTH, place, text, va="top", parse_math=False, **style)


def _axes(fig: Figure, left: float, top: float, width: float, tall: float) -> Axes:
    height = float(fig.get_size_inches()[1])
    place = (left / _WIDTH, 1.0 - (top + tall) / height, width / _WIDTH, tall / height)
    return fig.add_axes(place)


def _field_width(evidence: Evidence) -> float:
    beside = _PROFILE_WIDTH + _PROFILE_GAP if evidence.profiles else 0.0
    return _WIDTH - _LEFT - _RIGHT - beside


def _shift(evidence: Evidence) -> float:
    return evidence.onset_s if math.isfinite(evidence.onset_s) else 0.0


def _draw_field_panel(fig: Figure, explanation: Explanation, top: float, colors: Colors) -> Axes:
    evidence = explanation.evidence
    field = evidence.field
    width = _field_width(evidence)
    ax = _axes(fig, _LEFT, top + _ABOVE_FIELD, width, _FIELD)
    if field is None:
        return ax
    shift = _shift(evidence)
    image = _draw_pressure(ax, field, colors, shift, evidence)
    if evidence.focus_cm is not None:
        ax.set_ylim(evidence.focus_cm[1], evidence.focus_cm[0])
    draw_marks(ax, evidence.marks, shift)
    finish_times(ax, evidence.marks, shift)
    if evidence.profiles:
        beside = _axes(
            fig, _LEFT + width + _PROFILE_GAP, top + _ABOVE_FIELD, _PROFILE_WIDTH, _FIELD
        )
        draw_profiles(beside, evidence.profiles, ax.get_ylim())
        finish_depths(beside, evidence.marks)
    else:
        finish_depths(ax, evidence.marks)
    bar_ax = _axes(fig, _WIDTH - 0.62, top + _ABOVE_FIELD + 0.5 * _FIELD, 0.12, 0.5 * _FIELD)
    bar = fig.colorbar(image, cax=bar_ax, extend="both", extendfrac=0.03)
    bar.set_ticks([0, 20, 30, 60, 100, 150])
    bar.ax.tick_params(labelsize=_SMALL, length=2.5)
    bar.ax.set_title("mmHg", fontsize=_SMALL)
    return ax


def _draw_pressure(
    ax: Axes, field: FieldWindow, colors: Colors, shift_s: float, evidence: Evidence
) -> Any:
    step_s = float(field.time[1] - field.time[0])
    step_cm = float(field.depth[1] - field.depth[0])
    left, right = float(field.time[0]) - 0.5 * step_s, float(field.time[-1]) + 0.5 * step_s
    upper, lower = float(field.depth[0]) - 0.5 * step_cm, float(field.depth[-1]) + 0.5 * step_cm
    image = ax.imshow(
        field.values,
        cmap=colors.ramp,
        norm=Normalize(LOWEST_MMHG, HIGHEST_MMHG),
        extent=(left - shift_s, right - shift_s, lower, upper),
        aspect="auto",
        interpolation="antialiased",
    )
    for mark in evidence.marks:
        if isinstance(mark, Contour) and field.values.min() < mark.level_mmhg < field.values.max():
            ax.contour(
                field.time - shift_s,
                field.depth,
                field.values,
                levels=[mark.level_mmhg],
                colors=colors.contour,
                linewidths=_CONTOUR,
            )
            ax.plot([], [], color=colors.contour, lw=_CONTOUR, label=mark.label)
    ax.set_xlim(left - shift_s, right - shift_s)
    ax.set_ylim(lower, upper)
    ax.set_ylabel("depth (cm)", fontsize=_TEXT)
    ax.set_xlabel(_time_label(evidence), fontsize=_TEXT)
    ax.tick_params(labelsize=_SMALL)
    return image


def _time_label(evidence: Evidence) -> str:
    zero = "onset" if math.isfinite(evidence.onset_s) else "the first sample"
    return f"time (s from {zero})"


def _draw_profile_panel(fig: Figure, evidence: Evidence, top: float) -> None:
    ax = _axes(fig, _LEFT, top + _ABOVE_FIELD, _WIDTH - _LEFT - _RIGHT, _FIELD)
    depth = evidence.profiles[0].depth
    draw_profiles(ax, evidence.profiles, (float(depth[-1]), float(depth[0])))
    ax.set_ylabel("depth (cm)", fontsize=_TEXT)
    ax.tick_params(labelleft=True)
    finish_depths(ax, evidence.marks)


def _draw_trace_panels(fig: Figure, evidence: Evidence, top: float, shared: Axes | None) -> None:
    for k, traces in enumerate(_by_unit(evidence)):
        ax = _axes(fig, _LEFT, top + k * (_TRACE + _GAP), _field_width(evidence), _TRACE)
        draw_traces(ax, traces, evidence.marks, _shift(evidence))
        if shared is not None:
            ax.set_xlim(shared.get_xlim())
        ax.set_xlabel(_time_label(evidence), fontsize=_TEXT)


def _draw_entry_panel(fig: Figure, explanation: Explanation, top: float, tall: float) -> None:
    ax = _axes(fig, _LEFT + 1.3, top + 0.3, _WIDTH - _LEFT - _RIGHT - 1.3, tall - 0.3 - _GAP)
    value = explanation.value
    number = float(value) if isinstance(value, int | float) else math.nan
    draw_entries(ax, explanation.evidence, number, explanation.unit, explanation.limits)
