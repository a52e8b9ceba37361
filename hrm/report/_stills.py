"""Pictures of a page that stand still: the recording, and each swallow, for print as well."""

from __future__ import annotations

import io
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from hrm.plot._labels import Group
from hrm.plot._panels import Scene, draw_color_bar, draw_group, draw_overview, legend_handles
from hrm.report._panels import small
from hrm.report._sheet import FONT, SMALL

_SETTINGS: Any = {"font.family": [FONT]}
#: In inches; pixels per inch such that letters are sharp in print.
_WIDTH, _HEIGHT = 10.2, 2.0
_PANEL_WIDTH, _PANEL_HEIGHT = 3.4, 1.9
_DPI = 170
_QUALITY = 80


def recording(scene: Scene) -> bytes:
    """Draw the whole recording with its color bar; a picture as WebP."""
    with mpl.rc_context(_SETTINGS):
        page = Figure(figsize=(_WIDTH, _HEIGHT), dpi=_DPI, facecolor="white")
        ax = page.add_axes((0.055, 0.2, 0.855, 0.6))
        image = draw_overview(ax, scene)
        small(ax)
        if image is not None:
            bar = draw_color_bar(
                page.add_axes((0.955, 0.2, 0.012, 0.6)), image, scene, (0, 30, 60, 100, 150)
            )
            bar.ax.tick_params(labelsize=SMALL, length=2.0, pad=1.5)
            bar.ax.set_title("mmHg", fontsize=SMALL, pad=3.0)
        return _written(page)


def swallow(scene: Scene, group: Group, *, deepest: float | None = None) -> bytes:
    """Draw one swallow, or the swallows of a run of a test.

    Parameters
    ----------
    scene : Scene
    group : Group
    deepest : float, optional [cm]
        Lower end of the depth axis, which then begins at 0: one scale for two studies.
    """
    with mpl.rc_context(_SETTINGS):
        page = Figure(figsize=(_PANEL_WIDTH, _PANEL_HEIGHT), dpi=_DPI, facecolor="white")
        ax = page.add_axes((0.125, 0.11, 0.765, 0.86))
        draw_group(ax, scene, group, label=True)
        ax.set_title("", loc="left")
        ax.set_ylabel("depth (cm)")
        if deepest is not None:
            ax.set_ylim(deepest, 0.0)
        small(ax)
        return _written(page)


def legend(scene: Scene) -> tuple[bytes, str]:
    """Draw what the marks in the pictures of the swallows mean; also as words."""
    handles = legend_handles(scene.colors, impedance=scene.impedance is not None)
    with mpl.rc_context(_SETTINGS):
        page = Figure(figsize=(_WIDTH, 0.5), dpi=_DPI, facecolor="#8aa0b4")
        page.legend(
            handles=handles,
            loc="center",
            ncols=(len(handles) + 1) // 2,
            fontsize=SMALL + 1.0,
            frameon=False,
            columnspacing=1.6,
            handlelength=1.8,
        )
        return _written(page), ", ".join(str(each.get_label()) for each in handles)


def _written(page: Figure) -> bytes:
    out = io.BytesIO()
    page.savefig(
        out, format="webp", dpi=_DPI, pil_kwargs={"quality": _QUALITY, "method": 4, "exact": False}
    )
    return out.getvalue()
