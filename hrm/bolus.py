"""Impedance and pharynx as the tree keeps them, and as the contract says them.

The pipeline fills a `BolusRecord`; it lives in the node ``/bolus`` of an analyzed study.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

NODE = "/bolus"

#: Numbers of one swallow in the block ``impedance``, with the unit of each.
SWALLOW_METRICS: Mapping[str, str] = {
    "transit_time_s": "s",
    "nadir_impedance_s": "s",
    "nadir_impedance_pressure_mmhg": "mmHg",
    "peak_pressure_mmhg": "mmHg",
    "nadir_impedance_to_peak_s": "s",
    "flow_ibp_mmhg": "mmHg",
    "flow_ibp_slope_mmhg_s": "mmHg/s",
    "impedance_ratio": "1",
    "pressure_flow_index": "mmHg^2/s^2",
    "bolus_flow_time_s": "s",
    "ues_maximum_admittance_millisiemens": "mS",
    "pharyngeal_ibp_mmhg": "mmHg",
    "pharyngeal_bolus_presence_s": "s",
    "pharyngeal_distension_contraction_s": "s",
}
#: Medians over the swallows that count, by the number of one swallow that they are of.
MEDIANS: Mapping[str, str] = {
    "transit_time_median_s": "transit_time_s",
    "nadir_impedance_to_peak_median_s": "nadir_impedance_to_peak_s",
    "pressure_flow_index_median": "pressure_flow_index",
    "impedance_ratio_median": "impedance_ratio",
    "bolus_flow_time_median_s": "bolus_flow_time_s",
}
#: Numbers of a study in the block ``impedance``.
STUDY_METRICS: Mapping[str, str] = {
    "n_transit_judged": "1",
    "percent_complete_transit": "%",
    "distal_baseline_ohm": "ohm",
    **{name: SWALLOW_METRICS[single] for name, single in MEDIANS.items()},
}
#: Numbers of one swallow in the block ``pharynx``, and their medians.
PHARYNX_METRICS: Mapping[str, str] = dict.fromkeys(
    ("phci_mmhg_s_cm", "vci_mmhg_s_cm", "mci_mmhg_s_cm", "hpci_mmhg_s_cm"), "mmHg s cm"
)
PHARYNX_STUDY_METRICS: Mapping[str, str] = {"phci_median_mmhg_s_cm": "mmHg s cm"}


@dataclass(frozen=True)
class BolusRecord:
    """What impedance and pharynx add to the results, ready for JSON.

    Attributes
    ----------
    impedance : mapping or None
        Of the study; None for a recording without impedance.
    pharynx : mapping
        Of the study.
    impedance_swallows, pharynx_swallows : sequence of mapping
        One for each swallow, in order; `impedance_swallows` is empty where `impedance`
        is None.
    """

    impedance: Mapping[str, Any] | None
    pharynx: Mapping[str, Any]
    impedance_swallows: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    pharynx_swallows: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


def to_dataset(record: BolusRecord) -> xr.Dataset:
    """Keep a record as the node ``/bolus`` of a study."""
    import xarray as xr

    def texts(blocks: Sequence[Mapping[str, Any]]) -> tuple[str, Any]:
        return ("swallow", np.array([_packed(block) for block in blocks], dtype=object))

    # One text a swallow: an attribute would outgrow what HDF5 allows.
    data = {"pharynx": texts(record.pharynx_swallows)}
    if record.impedance is not None:
        data["impedance"] = texts(record.impedance_swallows)
    studies = {"impedance": _packed(record.impedance), "pharynx": _packed(record.pharynx)}
    return xr.Dataset(data, attrs=studies)


def blocks_of(study: xr.DataTree) -> dict[str, Any]:
    """Give the blocks ``impedance`` and ``pharynx`` of an analyzed study.

    Parameters
    ----------
    study : DataTree

    Returns
    -------
    dict
        ``impedance`` is None for a recording without it; both are None for a study that
        an earlier version saved.
    """
    if NODE.removeprefix("/") not in study.children:
        return {"impedance": None, "pharynx": None}
    node = study[NODE].to_dataset()
    return {name: _block(node, name) for name in ("impedance", "pharynx")}


def _block(node: xr.Dataset, name: str) -> dict[str, Any] | None:
    whole: dict[str, Any] | None = json.loads(str(node.attrs[name]))
    if whole is None:
        return None
    rows = [
        {"id": k + 1, **json.loads(str(text))} for k, text in enumerate(node[name].values.tolist())
    ]
    return {**whole, "swallows": rows}


def _packed(block: Mapping[str, Any] | None) -> str:
    return json.dumps(block, allow_nan=False)
