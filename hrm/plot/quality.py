"""Quality of a study as a picture: flags of the sensors, drift, and what does not count."""

from __future__ import annotations

import os
from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from hrm._files import new_file
from hrm.errors import SchemaError
from hrm.plot._formats import format_of
from hrm.results import to_dict

#: One color for each flag, apart in brightness too; Okabe-Ito, good flags pale.
_COLORS = {
    "ok": "#eef3f7",
    "marked": "#999999",
    "missing": "#56b4e9",
    "dead": "#1a1a1a",
    "noisy": "#cc79a7",
    "outlier": "#e69f00",
    "rail": "#d55e00",
}
_KINDS = {"cough": "v", "belch": "^", "catheter_shift": "D"}
_TEXT, _SMALL = 9.0, 7.5
_SIZE = (13.0, 6.4)
_DPI = 120


def quality_figure(study: xr.DataTree) -> Figure:
    """Draw the quality of an analyzed study.

    Parameters
    ----------
    study : DataTree
        As returned by `hrm.analyze`.

    Returns
    -------
    Figure
        Flag of each sensor over time, with the swallows, those left out by their reasons,
        and the artefacts; beside it, on the same depths, the resting pressure as recorded and
        as measured, and the offsets at the end.

    Raises
    ------
    SchemaError
        If the study was not analyzed, or by a version that kept no quality.
    """
    result = to_dict(study)
    if result["quality"] is None:
        raise SchemaError("this study holds no quality; run hrm.analyze on it again")
    with mpl.rc_context({"font.size": _TEXT, "font.family": "DejaVu Sans"}):
        drawn = Figure(figsize=_SIZE, dpi=_DPI)
        flags, drift = drawn.subplots(
            1, 2, sharey=True, gridspec_kw={"width_ratios": [3.4, 1.0], "wspace": 0.06}
        )
        drawn.subplots_adjust(left=0.055, right=0.985, top=0.79, bottom=0.16)
        _draw_flags(flags, study, result)
        _draw_rest(drift, result["quality"])
        drawn.suptitle(_heading(result), x=0.055, y=0.985, ha="left", fontsize=_TEXT + 1)
    return drawn


def save_quality_figure(study: xr.DataTree, path: str | os.PathLike[str]) -> None:
    """Draw the quality of a study into a file.

    Parameters
    ----------
    study : DataTree
    path : path-like
        Its suffix names the format.
    """
    kind = format_of(path)
    drawn = quality_figure(study)
    with new_file(path, overwrite=True) as place:
        drawn.savefig(place, format=kind, metadata=_nothing_personal(kind))


def _nothing_personal(kind: str) -> dict[str, Any]:
    return {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind, {})


def _heading(result: dict[str, Any]) -> str:
    block, drift = result["quality"], result["quality"]["drift"]
    bad = sum(row["status"] != "ok" for row in block["sensors"])
    words = [
        f"{result['recording']['study_id']}: {bad} of {len(block['sensors'])} sensors with a fault",
        f"drift correction: {drift['mode']}",
    ]
    if drift["mean_mmhg"] is not None:
        words.append(
            f"offsets mean {drift['mean_mmhg']:.1f}, most {drift['max_mmhg']:.1f} mmHg"
            + (" (DRIFT)" if drift["flag"] else "")
        )
    if block["egj_crossed"] is False:
        words.append("catheter did not cross the EGJ")
    return "; ".join(words)


def _edges(values: np.ndarray) -> np.ndarray:
    """Borders between cells that are centered on `values`, in order."""
    middle = 0.5 * (values[1:] + values[:-1])
    first, last = values[0] - (middle[0] - values[0]), values[-1] + (values[-1] - middle[-1])
    return np.concatenate(([first], middle, [last]))


def _draw_flags(axes: Axes, study: xr.DataTree, result: dict[str, Any]) -> None:
    node = study["quality"].to_dataset()
    names = str(node["flag"].attrs["flag_meanings"]).split()
    depths = study["pressure"].to_dataset()["depth"].values
    stop = result["recording"]["duration_s"]
    ramp = ListedColormap([_COLORS[name] for name in names])
    norm = BoundaryNorm(np.arange(len(names) + 1) - 0.5, len(names))
    borders = np.append(node["window_start"].values, stop)
    axes.pcolormesh(
        borders, _edges(depths), node["flag"].values, cmap=ramp, norm=norm, rasterized=True
    )
    for name in ("ues", "les"):
        marks = _zone(result, name)
        for mark in marks:
            axes.axhline(mark, color="#5b6770", lw=0.7, ls=(0, (4, 3)))
        for mark in marks[:1]:
            axes.annotate(
                name.upper(), (0.002, mark), xycoords=("axes fraction", "data"), fontsize=_SMALL,
                color="#5b6770", va="bottom",
            )  # fmt: skip
    _draw_swallows(axes, result)
    axes.set_xlim(0.0, stop)
    axes.set_ylim(_edges(depths)[-1], _edges(depths)[0])
    axes.set_xlabel("Time (s)")
    axes.set_ylabel("Depth on the catheter (cm)")
    shown = [name for k, name in enumerate(names) if (node["flag"].values == k).any()]
    patches: list[Any] = [
        Patch(facecolor=_COLORS[name], edgecolor="#5b6770", lw=0.5, label=name) for name in shown
    ]
    axes.legend(
        handles=patches, loc="upper left", bbox_to_anchor=(0.0, -0.09), ncols=len(patches),
        frameon=False, fontsize=_SMALL, handlelength=1.2,
    )  # fmt: skip


def _zone(result: dict[str, Any], name: str) -> list[float]:
    borders = [result["landmarks"][f"{name}_{side}_cm"] for side in ("upper", "lower")]
    return [border for border in borders if border is not None]


def _draw_swallows(axes: Axes, result: dict[str, Any]) -> None:
    """Mark the swallows above the map: those left out with their reasons, and artefacts."""
    reasons = {row["swallow"]: row["reason"] for row in result["quality"]["excluded"]}
    for row in result["swallows"]:
        out = row["id"] in reasons
        axes.annotate(
            f"{row['id']}: {reasons[row['id']].replace('_', ' ')}" if out else str(row["id"]),
            (row["onset_s"], 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            rotation=60 if out else 0,
            rotation_mode="anchor",
            ha="left" if out else "center",
            fontsize=_SMALL,
            color="#b03a00" if out else "#20303c",
        )
        axes.axvline(row["onset_s"], color="#b03a00" if out else "#9fb0bd", lw=0.9 if out else 0.5)
    for one in result["quality"]["artefacts"]:
        axes.plot(
            [one["time_s"]], [0.985], marker=_KINDS[one["kind"]], ms=6, color="#7a0177",
            transform=axes.get_xaxis_transform(), clip_on=False,
        )  # fmt: skip
        axes.annotate(
            one["kind"].replace("_", " "), (one["time_s"], 0.985), xytext=(5, -3), fontsize=_SMALL,
            xycoords=axes.get_xaxis_transform(), textcoords="offset points", color="#7a0177",
        )  # fmt: skip


def _draw_rest(axes: Axes, block: dict[str, Any]) -> None:
    """Resting pressure by depth, before and after, with the offsets that make the difference."""
    rows = block["sensors"]

    def column(name: str) -> np.ndarray:
        return np.array([np.nan if row[name] is None else row[name] for row in rows], np.float64)

    depths, recorded, measured = (
        column(name) for name in ("depth_cm", "rest_recorded_mmhg", "rest_mmhg")
    )
    offsets = column("offset_end_mmhg")
    if np.isfinite(offsets).any():
        axes.plot(offsets, depths, color="#e69f00", lw=1.0, ls=":", label="offset at the end")
    axes.plot(recorded, depths, color="#7f8c96", lw=1.2, ls="--", label="rest, as recorded")
    axes.plot(measured, depths, color="#00539c", lw=1.5, label="rest, as measured")
    lost = np.array([not row["usable"] for row in rows])
    axes.plot(recorded[lost], depths[lost], "x", color="#1a1a1a", ms=6, label="sensor not used")
    axes.axvline(0.0, color="#b0bac2", lw=0.7, zorder=0)
    axes.set_xlabel("Pressure (mmHg)")
    axes.tick_params(labelleft=False)
    axes.legend(
        loc="lower left", bbox_to_anchor=(0.0, 1.0), frameon=False, fontsize=_SMALL, ncols=1
    )
