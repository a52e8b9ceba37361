"""The bolus over the pressure: where the impedance has fallen, and when it comes and goes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.errors import ParameterError

_SHADE, _ALPHA = "white", 0.3
_EDGE: Mapping[str, Any] = {"color": "white", "lw": 1.0, "ls": "-"}
_HALO = [withStroke(linewidth=2.2, foreground="black", alpha=0.7)]
_MARK: Mapping[str, Any] = {"ls": "", "ms": 5.0, "mfc": "white", "mec": "black", "mew": 0.7}


def impedance_of(study: xr.DataTree, result: Mapping[str, Any]) -> xr.DataArray:
    """Take the impedance of a study that is to be drawn.

    Parameters
    ----------
    study : DataTree
    result : mapping
        The published contract of the study.

    Returns
    -------
    DataArray (segment, impedance_time) [ohm]

    Raises
    ------
    ParameterError
        If the recording has no impedance, nobody said where its segments lie, or a version
        of hrm that did not read it made the results.
    """
    if "impedance" not in study.children:
        raise ParameterError("the recording has no impedance that could be drawn")
    recorded = study["impedance"].to_dataset()["impedance"]
    if not np.isfinite(recorded["segment_depth"].values).any():
        raise ParameterError(
            "the impedance cannot be drawn: the positions of its segments are unknown "
            "(hrm.make_recording takes them as impedance_depth)"
        )
    if result["impedance"] is None:
        raise ParameterError("these results hold nothing of the impedance; analyze the study again")
    return recorded


def draw_bolus(
    ax: Axes,
    impedance: xr.DataArray,
    result: Mapping[str, Any],
    parameters: Parameters,
    number: int,
) -> None:
    """Shade where and when the impedance says that the bolus is.

    Parameters
    ----------
    ax : Axes
        In seconds from the onset of the swallow, and cm.
    impedance : DataArray (segment, impedance_time) [ohm], coord ``segment_depth`` [cm]
    result : mapping
        The published contract.
    parameters : Parameters
    number : int
        Place in the list of swallows.

    Notes
    -----
    The edge is the level of entry and exit (``bolus.level``) between the base and the
    nadir of each segment, as the swallow's own numbers have them; triangles are entry and
    exit at the levels that the transit is read at.
    """
    rows, block = result["swallows"], result["impedance"]["swallows"][number]
    zero = float(rows[number]["onset_s"])
    stop = zero + float(parameters["bolus.look_s"])
    if number + 1 < len(rows):
        stop = min(stop, float(rows[number + 1]["onset_s"]))
    _shade(ax, impedance, block, (zero, stop), float(parameters["bolus.level"]))
    for level in block["levels"]:
        for name, marker in (("entry_s", ">"), ("exit_s", "<")):
            if level[name] is not None:
                ax.plot(level[name] - zero, level["depth_cm"], marker, **_MARK)


def _shade(
    ax: Axes,
    impedance: xr.DataArray,
    block: Mapping[str, Any],
    window_s: tuple[float, float],
    level: float,
) -> None:
    """Shade each segment while its impedance is low, as high as segments are apart."""
    zero_s = window_s[0]
    depth = impedance["segment_depth"].values
    time = impedance["impedance_time"].values
    inside = slice(*np.searchsorted(time, window_s))
    clear = [one for one in block["segments"] if one["status"] == "ok"]
    half = 0.5 * _spacing(depth)
    for one in clear:
        values = impedance.values[int(np.nanargmin(np.abs(depth - one["depth_cm"]))), inside]
        edge = one["nadir_ohm"] + level * (one["base_ohm"] - one["nadir_ohm"])
        for first, last in _stretches(values < edge):
            ax.fill_between(
                time[inside][[first, last]] - zero_s,
                one["depth_cm"] - half,
                one["depth_cm"] + half,
                color=_SHADE,
                alpha=_ALPHA,
                lw=0.0,
            )
    for name in ("entry_s", "exit_s"):
        at = [math.nan if one[name] is None else one[name] - zero_s for one in clear]
        ax.plot(at, [one["depth_cm"] for one in clear], path_effects=_HALO, **_EDGE)


def _spacing(depth: NDArray[np.float64]) -> float:
    known = np.sort(depth[np.isfinite(depth)])
    return float(np.median(np.diff(known))) if known.size > 1 else 1.0


def _stretches(low: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """First and last index of each stretch that is true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], low.astype(np.int8), [0]))))
    yield from zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True)


def bolus_handles() -> list[Line2D | Patch]:
    """Say what shade and triangles mean."""
    edge: dict[str, Any] = {**_EDGE, "path_effects": _HALO}
    return [
        Patch(fc=_SHADE, alpha=_ALPHA, label="bolus (impedance, 15 s)"),
        Line2D([], [], **edge, label="its entry and exit"),
        Line2D([], [], marker=">", **_MARK, label="at a level of transit"),
    ]
