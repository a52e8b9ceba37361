"""Color ramps of the topography: the one physicians know, and an accessible one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Colormap, LinearSegmentedColormap, ListedColormap

from hrm.errors import ParameterError

#: Range of the color scale [mmHg]; what is beyond takes the color of the end.
LOWEST_MMHG, HIGHEST_MMHG = -10.0, 150.0
MISSING = "#b8b8b8"

#: SPEC section 1.5: dark blue at 0 and below, light blue about 15-20, green about 30-40,
#: yellow 60, red 100, magenta 150 and above [mmHg].
_RAMP: tuple[tuple[float, str], ...] = (
    (LOWEST_MMHG, "#00004d"),
    (0.0, "#000080"),
    (8.0, "#0a45d0"),
    (17.5, "#58bcff"),
    (25.0, "#25cfc0"),
    (35.0, "#14ad3a"),
    (47.0, "#8fd41c"),
    (60.0, "#ffee00"),
    (80.0, "#ff8c00"),
    (100.0, "#e60f0f"),
    (125.0, "#d1087f"),
    (HIGHEST_MMHG, "#d400d4"),
)
_STRETCH = 0.8


@dataclass(frozen=True)
class Colors:
    """A ramp with the color that its contours are seen on it."""

    name: str
    ramp: Colormap
    contour: str


@cache
def choose(name: str) -> Colors:
    """Look up a ramp.

    Parameters
    ----------
    name : {"hrm", "accessible"}
        The ramp that physicians know, or viridis, which readers with a color vision
        deficiency can tell apart and which keeps its order in gray print; stretched
        at its low end, where the contours are.

    Returns
    -------
    Colors

    Raises
    ------
    ParameterError
        If the name is unknown.
    """
    if name == "hrm":
        return Colors(name, _with_missing(_hrm_ramp()), "black")
    if name == "accessible":
        return Colors(name, _with_missing(_stretched_viridis()), "white")
    raise ParameterError(f"colors must be one of hrm, accessible; got {name!r}")


def _hrm_ramp() -> Colormap:
    span = HIGHEST_MMHG - LOWEST_MMHG
    nodes = [((level - LOWEST_MMHG) / span, color) for level, color in _RAMP]
    return LinearSegmentedColormap.from_list("hrm", nodes, N=512)


def _stretched_viridis() -> Colormap:
    shares = np.linspace(0.0, 1.0, 512) ** _STRETCH
    return ListedColormap(colormaps["viridis"](shares), name="accessible")


def _with_missing(ramp: Colormap) -> Colormap:
    # A white or dark gap could be taken for a pressure; gray is in neither ramp.
    return ramp.with_extremes(bad=MISSING)
