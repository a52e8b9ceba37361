"""What is drawn into one set of axes: the field, its contours, and the marks on it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MultipleLocator
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.plot._axes import name_depths, size_points
from hrm.plot._bolus import bolus_handles, draw_bolus
from hrm.plot._field import Field, field_of
from hrm.plot._labels import LANDMARKS, Group, groups, panel_title, run_title, spread
from hrm.plot.colors import HIGHEST_MMHG, LOWEST_MMHG, MISSING, Colors

CONTOURS_MMHG = (20.0, 30.0)
TEXT, SMALL = 8.5, 7.5

# Seconds before and after onset: an ordinary swallow with its contraction, and room.
BEFORE_S, AFTER_S = 3.0, 17.0
_PANEL_COLUMNS, _OVERVIEW_COLUMNS = 400, 1800
_WIDTHS = {20.0: 0.6, 30.0: 1.1}
_LINES: Mapping[str, Any] = {"UES": "-", "TZ": ":", "LES": "-", "PIP": "-.", "CD": "--"}
_HALO = [withStroke(linewidth=2.2, foreground="black", alpha=0.55)]
_TITLE_CHARACTERS = 58
_LABEL_POINTS = 7.0
_CHARACTER = 0.64  # width of a digit, as a share of the height of the letters


@dataclass(frozen=True)
class Scene:
    """A study as the panels need it.

    Attributes
    ----------
    pressure : DataArray (sensor, time) [mmHg]
    usable : array (sensor,) of bool
    result : mapping
        The published contract of the study.
    markers : tuple of float [s]
        Operator's button presses.
    parameters : Parameters
    colors : Colors
    impedance : DataArray (segment, impedance_time) [ohm], optional
        Given to have the bolus drawn over the pressure.
    """

    pressure: xr.DataArray
    usable: NDArray[np.bool_]
    result: Mapping[str, Any]
    markers: tuple[float, ...]
    parameters: Parameters
    colors: Colors
    impedance: xr.DataArray | None = None

    @property
    def depth(self) -> NDArray[np.float64]:
        """Sensor positions [cm]."""
        return np.asarray(self.pressure["depth"].values, dtype=np.float64)

    @property
    def stop_s(self) -> float:
        """End of the recording [s]."""
        return float(self.result["recording"]["duration_s"])


def draw_overview(ax: Axes, scene: Scene) -> Any:
    """Draw the whole recording; returns the image, for the color bar."""
    field = field_of(
        scene.pressure,
        scene.usable,
        start_s=0.0,
        stop_s=scene.stop_s,
        columns=_OVERVIEW_COLUMNS,
        peaks=True,
    )
    image = _draw_field(ax, field, scene.colors, shift_s=0.0, contours=False)
    ax.set_xlim(0.0, scene.stop_s)
    _depth_axis(ax, scene, label=True)
    ax.set_xlabel("time (s from the first sample)", fontsize=TEXT)
    _draw_landmarks(ax, scene)
    _mark_operator(ax, scene.markers)
    _number_swallows(ax, scene)
    _draw_baseline(ax, scene)
    return image


def draw_color_bar(ax: Axes, image: Any, scene: Scene, ticks_mmhg: Sequence[float]) -> Any:
    """Draw the bar that says which color is which pressure, with the levels of the contours."""
    count = len(CONTOURS_MMHG)
    bar = ax.figure.colorbar(image, cax=ax, extend="both", extendfrac=0.03)
    bar.set_ticks(list(ticks_mmhg))
    bar.add_lines(list(CONTOURS_MMHG), [scene.colors.contour] * count, [1.0] * count)
    return bar


def draw_group(ax: Axes, scene: Scene, group: Group, *, label: bool) -> None:
    """Draw one swallow, or all swallows of a run, in seconds from the (first) onset."""
    swallows = scene.result["swallows"]
    swallow = swallows[group.first]
    onset = float(swallow["onset_s"])
    stop = AFTER_S + float(swallows[group.last]["onset_s"]) - onset
    field = field_of(
        scene.pressure,
        scene.usable,
        start_s=onset - BEFORE_S,
        stop_s=onset + stop,
        columns=_PANEL_COLUMNS,
        peaks=False,
    )
    _draw_field(ax, field, scene.colors, shift_s=onset, contours=True)
    if scene.impedance is not None and not group.test:
        draw_bolus(ax, scene.impedance, scene.result, scene.parameters, group.first)
    ax.set_xlim(-BEFORE_S, stop)
    ax.xaxis.set_major_locator(MultipleLocator(5.0 if stop < 2.0 * AFTER_S else 10.0))
    _depth_axis(ax, scene, label=label)
    _draw_landmarks(ax, scene)
    for k, row in enumerate(swallows):
        at = row["onset_s"] - onset
        if -BEFORE_S < at < stop:
            own = group.first <= k <= group.last
            ax.axvline(at, color="white", lw=1.2, ls="-" if own else ":", path_effects=_HALO)
    _mark_operator(ax, [at - onset for at in scene.markers if -BEFORE_S < at - onset < stop])
    if not group.test:
        _draw_sleeve(ax, scene, swallow)
        _mark_deceleration(ax, swallow)
    _write_title(ax, scene, group)


def _mark_deceleration(ax: Axes, swallow: Mapping[str, Any]) -> None:
    if swallow["cdp_cm"] is not None and swallow["distal_latency_s"] is not None:
        ax.plot(
            swallow["distal_latency_s"], swallow["cdp_cm"], "D", ms=5.5, mfc="white", mec="black"
        )


def _write_title(ax: Axes, scene: Scene, group: Group) -> None:
    swallows = scene.result["swallows"]
    swallow = swallows[group.first]
    if group.test:
        title = run_title(group, swallows, width=_TITLE_CHARACTERS)
    else:
        block = (
            scene.result["impedance"]["swallows"][group.first]
            if scene.impedance is not None
            else None
        )
        title = panel_title(swallow, width=_TITLE_CHARACTERS, bolus=block)
    ax.set_title(
        title,
        loc="left",
        y=1.0,
        pad=4.0,
        fontsize=SMALL,
        color="black" if swallow["evaluable"] or group.test else "#9c1c1c",
        linespacing=1.25,
    )


def legend_handles(colors: Colors, *, impedance: bool = False) -> list[Line2D | Patch]:
    """Say what the marks mean."""
    white: dict[str, Any] = {"color": "white", "path_effects": _HALO}
    lines = [
        Line2D([], [], color=colors.contour, lw=_WIDTHS[level], label=f"{level:g} mmHg contour")
        for level in CONTOURS_MMHG
    ]
    return [
        *lines,
        Line2D([], [], **white, lw=1.2, label="swallow onset"),
        Line2D([], [], **white, lw=1.2, ls=":", label="other swallow"),
        Patch(fc="none", ec="white", lw=1.4, ls="--", label="e-sleeve in the IRP window"),
        Line2D([], [], ls="", marker="D", ms=5.5, mfc="white", mec="black", label="CDP"),
        Line2D([], [], ls="", marker="v", ms=6, mfc="black", mec="white", label="operator marker"),
        Line2D([], [], color="black", lw=3, label="baseline"),
        Patch(fc=MISSING, label="not measured"),
        *(bolus_handles() if impedance else ()),
    ]


def _draw_field(
    ax: Axes, field: Field | None, colors: Colors, *, shift_s: float, contours: bool
) -> Any:
    ax.set_facecolor(MISSING)
    ax.tick_params(labelsize=SMALL, length=2.5)
    if field is None:
        return None
    left, right, bottom, top = field.extent
    image = ax.imshow(
        field.values,
        cmap=colors.ramp,
        norm=Normalize(LOWEST_MMHG, HIGHEST_MMHG),
        extent=(left - shift_s, right - shift_s, bottom, top),
        aspect="auto",
        interpolation="nearest" if contours else "antialiased",
    )
    if contours:
        _draw_contours(ax, field, colors, shift_s)
    return image


def _draw_contours(ax: Axes, field: Field, colors: Colors, shift_s: float) -> None:
    known = field.values[np.isfinite(field.values)]
    levels = [level for level in CONTOURS_MMHG if known.size and known.min() < level < known.max()]
    if levels and field.time.size > 1:
        ax.contour(
            field.time - shift_s,
            field.depth,
            np.ma.masked_invalid(field.values),
            levels=levels,
            colors=colors.contour,
            linewidths=[_WIDTHS[level] for level in levels],
        )


def _depth_axis(ax: Axes, scene: Scene, *, label: bool) -> None:
    """Depth to scale, downwards; a small tick at each sensor."""
    ax.set_ylim(float(scene.depth[-1]), float(scene.depth[0]))
    ax.yaxis.set_major_locator(MultipleLocator(5.0))
    # One artist: minor ticks of Matplotlib would cost a quarter of the drawing time.
    ax.plot(
        np.zeros(scene.depth.size),
        scene.depth,
        ls="",
        marker="_",
        ms=3.5,
        mew=0.5,
        color="black",
        clip_on=False,
        transform=ax.get_yaxis_transform(),
    )
    if label:
        reference = scene.result["recording"]["depth_reference"].replace("_", " ")
        ax.set_ylabel(f"depth (cm from {reference})", fontsize=TEXT)


def _draw_landmarks(ax: Axes, scene: Scene) -> None:
    """Lines at the borders; each line is named at the right edge.

    A sphincter named once, between its borders, would push the name of a landmark within it
    up to the level of its upper border.
    """
    found = scene.result["landmarks"]
    names, places = [], []
    for name, keys in LANDMARKS:
        for border in (float(found[key]) for key in keys if found[key] is not None):
            ax.axhline(border, color="white", lw=0.9, ls=_LINES[name], path_effects=_HALO)
            names.append(name)
            places.append(border)
    _, height = size_points(ax)
    gap = 1.15 * SMALL * abs(float(scene.depth[-1] - scene.depth[0])) / height
    name_depths(ax, names, places, spread(places, gap), points=_LABEL_POINTS, fontsize=SMALL)


def _draw_sleeve(ax: Axes, scene: Scene, swallow: Mapping[str, Any]) -> None:
    upper = scene.result["landmarks"]["les_upper_cm"]
    if upper is None:
        return
    start, stop = (float(at) - float(swallow["onset_s"]) for at in swallow["window_s"])
    top = float(upper) - scene.parameters["irp.sleeve_above_cm"]
    box = Rectangle(
        (start, top),
        stop - start,
        scene.parameters["irp.sleeve_length_cm"],
        fill=False,
        ec="white",
        lw=1.4,
        ls="--",
        path_effects=_HALO,
    )
    ax.add_patch(box)


def _mark_operator(ax: Axes, times: Sequence[float]) -> None:
    for at in times:
        ax.plot(
            at,
            0.97,
            "v",
            ms=6.5,
            mfc="black",
            mec="white",
            mew=0.7,
            transform=ax.get_xaxis_transform(),
        )


def _number_swallows(ax: Axes, scene: Scene) -> None:
    """Line at each onset, with its number above; red where it cannot be evaluated."""
    swallows, shown = scene.result["swallows"], groups(scene.result)
    onsets = [float(row["onset_s"]) for row in swallows]
    for group in shown:
        for k in {group.first, group.last}:
            ax.axvline(onsets[k], color="white", lw=1.0, path_effects=_HALO)
    _write_numbers(ax, scene, shown)
    _name_postures(ax, swallows, onsets)


def _write_numbers(ax: Axes, scene: Scene, shown: Sequence[Group]) -> None:
    """Numbers side by side over the onsets; every other one where there is no room for all."""
    swallows = scene.result["swallows"]
    width, _ = size_points(ax)
    texts = [group.number(swallows) for group in shown]
    room = [_CHARACTER * SMALL * len(text) + SMALL for text in texts]
    step = max(1, math.ceil(sum(room) / width))
    shown, texts, room = shown[::step], texts[::step], room[::step]
    centers = [
        0.5 * (float(swallows[group.first]["onset_s"]) + float(swallows[group.last]["onset_s"]))
        for group in shown
    ]
    seconds = scene.stop_s / width
    places = spread(centers, [seconds * each for each in room], within=(0.0, scene.stop_s))
    for group, text, center, place in zip(shown, texts, centers, places, strict=True):
        counts = swallows[group.first]["evaluable"] or bool(group.test)
        ax.annotate(
            text,
            xy=(center, 1.0),
            xytext=(place, 1.045),
            xycoords=ax.get_xaxis_transform(),
            textcoords=ax.get_xaxis_transform(),
            fontsize=SMALL,
            ha="center",
            va="bottom",
            color="black" if counts else "#9c1c1c",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "lw": 0.5, "color": "0.3", "shrinkA": 0, "shrinkB": 0},
        )


def _name_postures(ax: Axes, swallows: Sequence[Mapping[str, Any]], onsets: list[float]) -> None:
    first = 0
    for k in range(1, len(swallows) + 1):
        if k < len(swallows) and swallows[k]["posture"] == swallows[first]["posture"]:
            continue
        if swallows[first]["posture"] != "unknown":
            ax.text(
                0.5 * (onsets[first] + onsets[k - 1]),
                1.135,
                swallows[first]["posture"],
                transform=ax.get_xaxis_transform(),
                fontsize=SMALL,
                ha="center",
                va="bottom",
            )
        first = k


def _draw_baseline(ax: Axes, scene: Scene) -> None:
    baseline = scene.result["study"]["baseline"]
    start, stop = (float(baseline.get(key, math.nan)) for key in ("start_s", "stop_s"))
    if stop > start:
        ax.plot(
            [start, stop],
            [-0.012, -0.012],
            color="black",
            lw=3,
            solid_capstyle="butt",
            clip_on=False,
            transform=ax.get_xaxis_transform(),
        )
