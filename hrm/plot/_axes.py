"""What panels share: how large they are, and names beside a depth."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes

#: A thin line from a name to what it names.
LEADER = {"arrowstyle": "-", "lw": 0.5, "color": "0.3", "shrinkA": 0, "shrinkB": 0}


def size_points(ax: Axes) -> tuple[float, float]:
    """Width and height of a panel [points]."""
    figure = ax.get_figure(root=True)
    if figure is None:
        return math.nan, math.nan
    box, size = ax.get_position(), figure.get_size_inches()
    return 72.0 * float(box.width * size[0]), 72.0 * float(box.height * size[1])


def name_depths(
    ax: Axes,
    texts: Sequence[str],
    depths: Sequence[float],
    places: Sequence[float],
    *,
    points: float,
    fontsize: float,
) -> None:
    """Write names at the right of a panel, each with a line to its depth.

    Parameters
    ----------
    ax : Axes
    texts : sequence of str
    depths : sequence of float [cm]
        What is named.
    places : sequence of float [cm]
        Where the names stand (see `hrm.plot._labels.spread`).
    points : float
        How far from the panel.
    fontsize : float
    """
    width, _ = size_points(ax)
    for text, depth, place in zip(texts, depths, places, strict=True):
        ax.annotate(
            text,
            xy=(1.0, depth),
            xytext=(1.0 + points / width, place),
            xycoords=ax.get_yaxis_transform(),
            textcoords=ax.get_yaxis_transform(),
            fontsize=fontsize,
            va="center",
            annotation_clip=False,
            arrowprops=LEADER,
        )
