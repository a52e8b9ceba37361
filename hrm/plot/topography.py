"""Pressure topography of a study: the whole recording, and one panel per swallow."""

from __future__ import annotations

import math
import os
from typing import Any

import matplotlib as mpl
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hrm import catalog
from hrm._files import new_file
from hrm.plot._bolus import impedance_of
from hrm.plot._field import usable_sensors
from hrm.plot._formats import format_of
from hrm.plot._labels import groups, study_heading, study_summary
from hrm.plot._panels import (
    SMALL,
    TEXT,
    Scene,
    draw_color_bar,
    draw_group,
    draw_overview,
    legend_handles,
)
from hrm.plot.colors import choose
from hrm.results import to_dict

# In inches: a panel of one swallow has the same scale in every study.
_WIDTH = 15.0
_LEFT, _RIGHT = 0.65, 1.2
_HEADER, _FOOTER = 1.15, 0.4
_OVERVIEW, _BELOW_OVERVIEW = 2.7, 1.05
_PANEL_TITLE, _PANEL, _BELOW_PANEL = 0.72, 2.7, 0.5
_GUTTER = 0.75
_DPI = 120


def figure(study: xr.DataTree, *, colors: str = "hrm", impedance: bool = False) -> Figure:
    """Draw the pressure topography of an analyzed study.

    Parameters
    ----------
    study : DataTree
        As returned by `hrm.analyze`.
    colors : {"hrm", "accessible"}
        The ramp that physicians know, or one for readers with a color vision
        deficiency.
    impedance : bool
        Draw the bolus over the pressure, as the impedance shows it.

    Returns
    -------
    Figure
        The whole recording with its swallows, resting landmarks and baseline, and
        one panel per swallow with the 20 and 30 mmHg contours, the e-sleeve in the
        IRP window, the contractile deceleration point, and the numbers; the swallows
        of one run of a test share a panel. No file
        name, note or identity is in it; the study is named by its ``study_id``.

    Raises
    ------
    SchemaError
        If the study has not been analyzed.
    ParameterError
        If `colors` is unknown, or there is no impedance that could be drawn.

    Notes
    -----
    The pressure is drawn as recorded, interpolated (PCHIP) between the sensors'
    real positions; the overview shows the highest pressure of each column of
    pixels, so that a short contraction does not vanish.
    """
    scene = scene_of(study, colors, impedance=impedance)
    shown = groups(scene.result)
    columns = _columns(len(shown))
    rows = math.ceil(len(shown) / columns)
    height = _HEADER + _OVERVIEW + _BELOW_OVERVIEW + _FOOTER
    height += rows * (_PANEL_TITLE + _PANEL + _BELOW_PANEL)
    fig = Figure(figsize=(_WIDTH, height), dpi=_DPI, facecolor="white")
    overview = _axes(fig, _LEFT, _HEADER, _WIDTH - _LEFT - _RIGHT, _OVERVIEW)
    image = draw_overview(overview, scene)
    if image is not None:
        _color_bar(fig, image, scene)
    _write_texts(fig, scene)
    width = (_WIDTH - _LEFT - _RIGHT + 0.45 - (columns - 1) * _GUTTER) / columns
    for k, group in enumerate(shown):
        row, column = divmod(k, columns)
        top = _HEADER + _OVERVIEW + _BELOW_OVERVIEW + _PANEL_TITLE
        top += row * (_PANEL_TITLE + _PANEL + _BELOW_PANEL)
        ax = _axes(fig, _LEFT + column * (width + _GUTTER), top, width, _PANEL)
        draw_group(ax, scene, group, label=column == 0)
        if k + columns >= len(shown):
            ax.set_xlabel("time (s from onset)", fontsize=TEXT)
    return fig


def save_figure(
    study: xr.DataTree,
    path: str | os.PathLike[str],
    *,
    colors: str = "hrm",
    impedance: bool = False,
    overwrite: bool = False,
) -> None:
    """Draw a study into a file, which appears complete or not at all.

    Parameters
    ----------
    study : DataTree
        As returned by `hrm.analyze`.
    path : path-like
        Ends in ``.png``, ``.pdf`` or ``.svg``.
    colors : {"hrm", "accessible"}
    impedance : bool
        Draw the bolus over the pressure.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    ParameterError
        If the suffix or `colors` is unknown, or there is no impedance that could be drawn.
    SchemaError
        If the study has not been analyzed.
    FileExistsError
        If the file exists and `overwrite` is not set.
    """
    kind = format_of(path)
    with new_file(path, overwrite=overwrite) as temporary:
        drawn = figure(study, colors=colors, impedance=impedance)
        # Neither a date nor a random id: the same study gives the same bytes.
        with mpl.rc_context({"svg.hashsalt": "hrm", "pdf.fonttype": 42}):
            drawn.savefig(temporary, format=kind, metadata=_metadata(kind))


def _metadata(kind: str) -> dict[str, Any]:
    title = "hrm pressure topography (research use)"
    if kind == "png":
        return {"Title": title}
    return (
        {"Title": title, "CreationDate": None} if kind == "pdf" else {"Title": title, "Date": None}
    )


def scene_of(study: xr.DataTree, colors: str, *, impedance: bool = False) -> Scene:
    """Gather what is drawn of a study once: its results, pressure, bolus and colors."""
    chosen = choose(colors)
    result = to_dict(study)
    parameters = catalog.default_parameters().replace(result["engine"]["parameter_overrides"])
    pressure = study["pressure"].to_dataset()["pressure"]
    events = study["events"].to_dataset()
    markers = events["onset"].values[events["label"].values == "marker"]
    return Scene(
        pressure=pressure,
        usable=usable_sensors(pressure, dead_variance=parameters["quality.dead_variance_mmhg2"]),
        result=result,
        markers=tuple(float(at) for at in markers),
        parameters=parameters,
        colors=chosen,
        impedance=impedance_of(study, result) if impedance else None,
    )


def _columns(count: int) -> int:
    """Panels in a row: four, unless three leave fewer empty places."""
    if count in (5, 6, 9):
        return 3
    return min(max(count, 2), 4)


def _axes(fig: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes at a place in inches, counted from the top left."""
    total_width, total_height = (float(size) for size in fig.get_size_inches())
    return fig.add_axes(
        (
            left / total_width,
            1.0 - (top + height) / total_height,
            width / total_width,
            height / total_height,
        )
    )


def _color_bar(fig: Figure, image: Any, scene: Scene) -> None:
    ax = _axes(fig, _WIDTH - _RIGHT + 0.5, _HEADER, 0.16, _OVERVIEW)
    bar = draw_color_bar(ax, image, scene, (0, 20, 30, 60, 100, 150))
    bar.ax.tick_params(labelsize=SMALL, length=2.5)
    bar.ax.set_title("mmHg", fontsize=SMALL)


def _write_texts(fig: Figure, scene: Scene) -> None:
    height = float(fig.get_size_inches()[1])

    def write(text: str, from_top: float, **style: Any) -> None:
        fig.text(_LEFT / _WIDTH, 1.0 - from_top / height, text, va="top", **style)

    write(study_heading(scene.result), 0.14, fontsize=11.5, fontweight="bold")
    write(study_summary(scene.result), 0.4, fontsize=10)
    engine = scene.result["engine"]
    write(
        f"hrm {engine['version']} · parameters {engine['parameters_id']} · pressure as recorded, "
        "PCHIP between the sensors (ticks) · DCI in mmHg s cm · for research use only, not for diagnosis or treatment",
        height - 0.28,
        fontsize=SMALL,
        color="0.3",
    )
    legend = fig.legend(
        handles=legend_handles(scene.colors, impedance=scene.impedance is not None),
        loc="upper left",
        bbox_to_anchor=(
            (_LEFT - 0.05) / _WIDTH,
            1.0 - (_HEADER + _OVERVIEW + 0.42) / height,
        ),
        ncols=9,
        fontsize=SMALL,
        facecolor="#8aa0b4",
        edgecolor="none",
        framealpha=1.0,
        columnspacing=1.6,
    )
    legend.set_gid("legend")
    if not scene.result["swallows"]:
        write("No swallow was found: there is nothing to measure.", height - 0.52, fontsize=10)
