"""The quality of a recording as the tree keeps it, and as the contract says it.

The pipeline fills a `QualityRecord`; it lives in the node ``/quality`` of an analyzed
study, sensor by window, so that it can be drawn as well as printed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import xarray as xr

NODE = "/quality"
#: Artefacts that the rules of this version do not look for (SPEC section 11 gives none for
#: talking and retching), so that their absence from a result means nothing.
NOT_LOOKED_FOR = ("talking", "retching", "supragastric_belch", "vascular")

#: Numbers of each sensor, by the name they have in the contract.
_SENSOR_NUMBERS: Mapping[str, str] = {
    "share": "1",
    "rest_recorded_mmhg": "mmHg",
    "rest_mmhg": "mmHg",
    "offset_start_mmhg": "mmHg",
    "offset_end_mmhg": "mmHg",
    "rest_change_mmhg": "mmHg",
}


@dataclass(frozen=True)
class Artefact:
    """Something in a recording that is no swallow, or spoils one.

    Attributes
    ----------
    kind : {"cough", "belch", "catheter_shift"}
    time_s : float [s]
    shift_cm : float [cm]
        How far the catheter moved down (positive) or up; NaN for other kinds.
    """

    kind: str
    time_s: float
    shift_cm: float = math.nan


@dataclass(frozen=True)
class QualityRecord:
    """How good a recording is, and what was done to it.

    Attributes
    ----------
    flags : array (sensor, window) of int8
        Index into `flag_names`.
    flag_names : sequence of str
    window_start_s : array (window,) [s]
    status : sequence of str
        The flag that each sensor bears longest.
    usable, repaired : array (sensor,) of bool
    numbers : mapping of str to array (sensor,)
        Share of time with a flag, resting pressures before and after, offsets.
    drift : mapping
        ``mode``, ``mean_mmhg``, ``max_mmhg``, ``flag`` and the estimate.
    failed_zones, bridged_zones : sequence of str
        Sphincters that cannot be measured, or only across a missing sensor.
    egj_crossed : bool or None
        Whether the catheter reaches the stomach; None if that cannot be told.
    artefacts : sequence of Artefact
    """

    flags: NDArray[np.int8]
    flag_names: Sequence[str]
    window_start_s: NDArray[np.float64]
    status: Sequence[str]
    usable: NDArray[np.bool_]
    repaired: NDArray[np.bool_]
    numbers: Mapping[str, NDArray[np.float64]]
    drift: Mapping[str, Any]
    failed_zones: Sequence[str]
    bridged_zones: Sequence[str]
    egj_crossed: bool | None
    artefacts: Sequence[Artefact] = field(default_factory=tuple)


def to_dataset(record: QualityRecord) -> xr.Dataset:
    """Keep a record as the node ``/quality`` of a study."""
    import xarray as xr

    whole = {
        "drift": dict(record.drift),
        "failed_zones": list(record.failed_zones),
        "bridged_zones": list(record.bridged_zones),
        "egj_crossed": record.egj_crossed,
        "artefacts": [_artefact(one) for one in record.artefacts],
    }
    # A flag is the place of its name in this list, from 0; netCDF stores lists of texts only.
    codes = {"flag_meanings": " ".join(record.flag_names)}
    data: dict[str, Any] = {
        "flag": (("sensor", "window"), record.flags, codes),
        "window_start": ("window", record.window_start_s, {"units": "s"}),
        "status": ("sensor", np.array(record.status, dtype=object)),
        "usable": ("sensor", record.usable.astype(np.int8)),
        "repaired": ("sensor", record.repaired.astype(np.int8)),
    }
    for name, unit in _SENSOR_NUMBERS.items():
        data[name] = ("sensor", np.asarray(record.numbers[name], np.float64), {"units": unit})
    return xr.Dataset(data, attrs={"whole": json.dumps(whole, allow_nan=False)})


def _artefact(one: Artefact) -> dict[str, Any]:
    shift = None if math.isnan(one.shift_cm) else one.shift_cm
    return {"kind": one.kind, "time_s": one.time_s, "shift_cm": shift}


def block_of(study: xr.DataTree) -> dict[str, Any] | None:
    """Give the quality of an analyzed study as the contract has it.

    Returns
    -------
    dict or None
        None for a study that an earlier version saved.
    """
    if "quality" not in study.children:
        return None
    node = study["quality"].to_dataset()
    depths = study["pressure"].to_dataset()["depth"].values
    starts = node["window_start"].values
    return {
        **json.loads(str(node.attrs["whole"])),
        "sensors": [_sensor(node.isel(sensor=k), float(depth)) for k, depth in enumerate(depths)],
        "window_s": float(starts[1] - starts[0]) if starts.size > 1 else None,
        "excluded": _excluded(study["swallows"].to_dataset()),
        "not_looked_for": list(NOT_LOOKED_FOR),
    }


def _sensor(row: xr.Dataset, depth_cm: float) -> dict[str, Any]:
    numbers = {name: float(row[name].values) for name in _SENSOR_NUMBERS}
    return {
        "depth_cm": depth_cm,
        "status": str(row["status"].values),
        "usable": bool(row["usable"].values),
        "repaired": bool(row["repaired"].values),
        **{name: value if math.isfinite(value) else None for name, value in numbers.items()},
    }


def _excluded(swallows: xr.Dataset) -> list[dict[str, Any]]:
    """Swallows that do not count, with the reason of each."""
    return [
        {
            "swallow": k + 1,
            "onset_s": float(swallows["onset"].values[k]),
            "reason": str(swallows["reason"].values[k]),
        }
        for k in np.flatnonzero(swallows["evaluable"].values == 0).tolist()
    ]
