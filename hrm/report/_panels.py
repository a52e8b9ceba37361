"""The topography in a report: the whole recording, and a small panel for each swallow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.image import AxesImage

from hrm.plot._labels import Group, groups
from hrm.plot._panels import (
    Scene,
    draw_color_bar,
    draw_group,
    draw_overview,
    legend_handles,
)
from hrm.report._sheet import HEIGHT, INNER, LEFT, SMALL, WIDTH, Sheet, Style, shorten
from hrm.report.swallow_rows import title

COLUMNS = 3
_OVERVIEW = 80.0
_TICKS, _NAMES, _GUTTER = 31.0, 24.0, 4.0
_TITLE, _PANEL, _BELOW = 21.0, 88.0, 12.5


def draw_recording(sheet: Sheet, scene: Scene) -> None:
    """Draw the overview of the recording with its color bar."""
    above, below = 25.0, 22.0
    sheet.need(above + _OVERVIEW + below)
    top = sheet.y + above
    width = INNER - _TICKS - 70.0
    ax = sheet.axes(LEFT + _TICKS, top, width, _OVERVIEW)
    image = draw_overview(ax, scene)
    small(ax)
    rasterize(ax)
    if image is not None:
        _color_bar(sheet, image, scene, LEFT + _TICKS + width + 34.0, top)
    sheet.y = top + _OVERVIEW + below


def _color_bar(sheet: Sheet, image: Any, scene: Scene, x: float, y: float) -> None:
    ax = sheet.axes(x, y, 9.0, _OVERVIEW)
    bar = draw_color_bar(ax, image, scene, (0, 30, 60, 100, 150))
    bar.ax.tick_params(labelsize=SMALL, length=2.0, pad=1.5)
    bar.ax.set_title("mmHg", fontsize=SMALL, pad=3.0)
    rasterize(bar.ax)


def draw_panels(sheet: Sheet, scene: Scene) -> None:
    """Draw a panel for each swallow and each run of a test, `COLUMNS` in a row."""
    shown = groups(scene.result)
    step = INNER / COLUMNS
    for first in range(0, len(shown), COLUMNS):
        sheet.need(_TITLE + _PANEL + _BELOW)
        for column, group in enumerate(shown[first : first + COLUMNS]):
            place = LEFT + column * step + _TICKS
            width = step - _TICKS - _NAMES - _GUTTER
            ax = sheet.axes(place, sheet.y + _TITLE, width, _PANEL)
            draw_group(ax, scene, group, label=column == 0)
            ax.set_title("", loc="left")
            if column == 0:
                ax.set_ylabel("depth (cm)")
            small(ax)
            rasterize(ax)
            _write_title(sheet, scene.result, group, place - 14.0, step - 17.0)
        sheet.y += _TITLE + _PANEL + _BELOW


def draw_legend(sheet: Sheet, scene: Scene) -> None:
    """Say what the marks in the panels mean."""
    bolus = scene.impedance is not None
    height = 35.0 if bolus else 26.0
    sheet.need(height)
    sheet.page.legend(
        handles=legend_handles(scene.colors, impedance=bolus),
        loc="upper left",
        bbox_to_anchor=(LEFT / WIDTH, 1.0 - sheet.y / HEIGHT),
        borderaxespad=0.0,
        ncols=5,
        fontsize=SMALL,
        facecolor="#8aa0b4",
        edgecolor="none",
        framealpha=1.0,
        columnspacing=1.4,
        handlelength=1.8,
        labelspacing=0.3,
        borderpad=0.3,
    )
    sheet.y += height


def _write_title(
    sheet: Sheet, result: Mapping[str, Any], group: Group, x: float, width: float
) -> None:
    head, numbers = title(result, group)
    bold, plain = Style(SMALL, bold=True), Style(SMALL)
    sheet.write(shorten(head, width, bold), x, sheet.y, bold)
    sheet.write(shorten(numbers, width, plain), x, sheet.y + 9.0, plain)


def small(ax: Axes) -> None:
    """Set the labels of axes as small as a report needs them."""
    ax.tick_params(labelsize=SMALL, pad=1.5)
    ax.xaxis.label.set_fontsize(SMALL)
    ax.yaxis.label.set_fontsize(SMALL)
    ax.yaxis.labelpad = 1.0
    ax.xaxis.labelpad = 1.0
    for text in ax.texts:
        text.set_fontsize(SMALL)


def rasterize(ax: Axes) -> None:
    """Turn the field and its contours into pixels; as vectors they would fill megabytes."""
    for artist in ax.get_children():
        if isinstance(artist, AxesImage | Collection):
            artist.set_rasterized(True)
