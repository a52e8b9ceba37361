"""What a page needs of a study to draw its pressure: samples, marks, and the names of swallows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from hrm.errors import SchemaError
from hrm.explain.marks import Told, bands, no_regions, regions
from hrm.explain.workings import Workings
from hrm.plot._labels import groups
from hrm.report.samples import TILE_COLUMNS, Packed, pack
from hrm.results import LANDMARKS

#: Ramp of the page by that of the figures.
_PALETTES = {"hrm": "rainbow", "accessible": "cividis"}


@dataclass(frozen=True)
class Tracing:
    """The pressure of a study for a page.

    Attributes
    ----------
    given : dict
        Ready for JSON; holds no text of the file but its pseudonym.
    samples : str
        Base64.
    said : str
        How the samples were taken, in words.
    """

    given: dict[str, Any]
    samples: str
    said: str


def tracing(
    study: xr.DataTree,
    result: Mapping[str, Any],
    *,
    colors: str,
    first: int | None,
    room: int,
    depths_cm: tuple[float, float] | None = None,
) -> Tracing:
    """Take what a page draws of an analyzed study.

    Parameters
    ----------
    study : DataTree
    result : mapping
        Its published contract.
    colors : {"hrm", "accessible"}
    first : int or None
        Number of the swallow that is shown first.
    room : int
        Characters that the samples may take.
    depths_cm : (float, float), optional
        Ends of the depth axis: one scale for two studies.
    """
    node = study["pressure"].to_dataset()
    rate = float(study.attrs["sampling_rate"])
    spans = [
        (result["swallows"][each.first]["onset_s"], result["swallows"][each.last]["onset_s"])
        for each in groups(result)
    ]
    packed = pack(node["pressure"].values, rate, spans, room)
    shown = _study(result, node, rate, _marks(study, result))
    if depths_cm is not None:
        shown["shown_cm"] = list(depths_cm)
    given = {
        "study": shown,
        "parts": packed.parts,
        "step_mmhg": packed.step_mmhg,
        "palette": _PALETTES[colors],
        "first": first,
    }
    return Tracing(given, packed.text, _said(packed, result))


def _said(packed: Packed, result: Mapping[str, Any]) -> str:
    filtered = " Numbers are from the filtered pressure." if result["study"]["filtered"] else ""
    return packed.said + filtered


def _study(
    result: Mapping[str, Any], node: xr.Dataset, rate: float, marks: Mapping[str, Any]
) -> dict[str, Any]:
    """Write the study as the viewer's page knows it; notes of the file stay out."""
    count = int(node.sizes["time"])
    columns = -(-count // TILE_COLUMNS)
    sensors = (result.get("quality") or {"sensors": []})["sensors"]
    return {
        "id": result["recording"]["study_id"],
        "duration_s": count / rate,
        "sampling_rate_hz": rate,
        "n_samples": count,
        "start_s": float(node["time"].values[0]),
        "depth_cm": [float(cm) for cm in node["depth"].values],
        "tile_columns": TILE_COLUMNS,
        "levels": 1 + int(np.ceil(np.log2(max(columns, 1)))),
        "impedance": None,
        "annotations": [],
        "locked": True,
        "words": {},
        "marks": marks,
        "result": {
            "recording": {"depth_reference": result["recording"]["depth_reference"]},
            "swallows": [
                {"id": row["id"], "evaluable": row["evaluable"]} for row in result["swallows"]
            ],
            "quality": {
                "sensors": [{"usable": row["usable"], "status": row["status"]} for row in sensors]
            },
        },
    }


def _marks(study: xr.DataTree, result: Mapping[str, Any]) -> dict[str, Any]:
    edits = (result["review"] or {"applied": []})["applied"]
    automatic = {row["field"]: row["automatic"] for row in edits if row["object"] == "landmarks"}
    landmarks = {
        name: {
            "value": result["landmarks"][name],
            "automatic": automatic.get(name, result["landmarks"][name]),
            "reviewed": name in automatic,
        }
        for name in LANDMARKS
    }
    read = _regions(study, len(result["swallows"]))
    swallows = [
        {
            "key": f"swallow {row['id']}",
            "number": row["id"],
            "onset_s": row["onset_s"],
            "automatic_onset_s": row["onset_s"],
            "window_s": list(row["window_s"]),
            **where,
        }
        for row, where in zip(result["swallows"], read, strict=True)
    ]
    told = [
        Told(row["posture"], row["protocol"], row["onset_s"], row["window_s"][1])
        for row in result["swallows"]
    ]
    return {"study": landmarks, "swallows": swallows, "protocol": bands(told)}


def _regions(study: xr.DataTree, count: int) -> list[Mapping[str, Any]]:
    """Say where the numbers were read, by measuring again, as an explanation does."""
    workings = Workings(study)
    try:
        return [regions(workings.swallow(k)) for k in range(count)]
    except SchemaError:
        # Results of another version: its numbers are reported, but cannot be traced.
        return [no_regions()] * count
