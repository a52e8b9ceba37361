"""Results of one study: how they are kept in the tree, and the contract they are sent as.

The pipeline hands over plain records; `attach` writes them into the study's tree
as nodes that netCDF can hold, and `to_dict` reads the published contract
(``schema_version`` 1) back from the tree, so a saved study gives the same answer.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from hrm import bolus, catalog, quality, reported
from hrm.errors import SchemaError

SCHEMA_VERSION = "1"

#: Numbers of one swallow, with the unit of each.
SWALLOW_METRICS: Mapping[str, str] = {
    "irp4s_mmhg": "mmHg",
    "dci_mmhg_s_cm": "mmHg s cm",
    "dci_box_mmhg_s_cm": "mmHg s cm",
    "distal_latency_s": "s",
    "cdp_cm": "cm",
    "break_cm": "cm",
    "ibp_mmhg": "mmHg",
    "ibp_mean_mmhg": "mmHg",
    "cfv_cm_s": "cm/s",
    "peaks": "1",
    "dci_les_mmhg_s_cm": "mmHg s cm",
    "irp02s_mmhg": "mmHg",
    "irp1s_mmhg": "mmHg",
    "irp2s_mmhg": "mmHg",
    "irp3s_mmhg": "mmHg",
    "irp5s_mmhg": "mmHg",
    "les_nadir_mmhg": "mmHg",
    "les_residual_mmhg": "mmHg",
    "ues_residual_mmhg": "mmHg",
    "ues_irp02s_mmhg": "mmHg",
    "ues_relaxation_s": "s",
    "ues_time_to_nadir_s": "s",
    "ues_recovery_s": "s",
}
#: Facts about one swallow that are no numbers: true, false or not known.
_SWALLOW_FACTS = ("rapid_front", "les_after_contraction")
LANDMARKS = (
    "ues_upper_cm",
    "ues_lower_cm",
    "transition_zone_cm",
    "les_upper_cm",
    "les_lower_cm",
    "crural_diaphragm_cm",
    "pressure_inversion_point_cm",
    "gastric_reference_mmhg",
)
EGJ_METRICS: Mapping[str, str] = {
    "basal_mean_mmhg": "mmHg",
    "basal_end_expiratory_mmhg": "mmHg",
    "basal_inspiratory_mmhg": "mmHg",
    "egj_ci_mmhg_cm": "mmHg cm",
    "egj_ci_les_mmhg_cm": "mmHg cm",
    "egj_ci_crural_mmhg_cm": "mmHg cm",
    "egj_ci_sum_mmhg_cm": "mmHg cm",
    "egj_ci_total_mmhg_cm": "mmHg cm",
    "les_length_cm": "cm",
    "les_cd_separation_cm": "cm",
}
#: Medians over the swallows that count, by the number of one swallow that they are of.
UES_MEDIANS: Mapping[str, str] = {
    "ues_residual_median_mmhg": "ues_residual_mmhg",
    "ues_irp02s_median_mmhg": "ues_irp02s_mmhg",
    "ues_relaxation_median_s": "ues_relaxation_s",
}
UES_METRICS: Mapping[str, str] = {
    "ues_resting_mmhg": "mmHg",
    **{name: SWALLOW_METRICS[single] for name, single in UES_MEDIANS.items()},
}
#: Labels of the junction, by the cut-off that each of them goes by.
_HERNIA = {
    "hernia_ccv3": "CCv3",
    "hernia_alternative": "alternative",
    "morphology_alternative": "alternative_type",
}
#: Why a study that an earlier version saved has no value for a number.
EARLIER_VERSION = "saved_by_earlier_version"
_PERCENT = "percent_"


@dataclass(frozen=True)
class SwallowRecord:
    """Everything measured in one swallow; NaN with an entry in `status` where not."""

    onset_s: float
    onset_method: str
    window_s: tuple[float, float]
    posture: str
    protocol: str
    evaluable: bool
    reason: str
    metrics: Mapping[str, float]
    unfiltered: Mapping[str, float]
    cdp_method: str
    cdp_s: float
    transition_zone_cm: float
    pressurization: str
    type: str | None
    contraction_stop_s: float = math.nan
    rapid_front: bool | None = None
    les_after_contraction: bool | None = None
    hypercontractile_subtype: str | None = None
    flags: Sequence[str] = ()
    borderline: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    irp_readings: Mapping[str, float] = field(default_factory=dict)
    status: Mapping[str, str] = field(default_factory=dict)
    object: str = ""
    type_stability: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class StudyRecord:
    """The results of one study, as the pipeline hands them over."""

    system: str
    landmarks: Mapping[str, float]
    landmark_status: Mapping[str, str]
    egj: Mapping[str, float]
    egj_status: Mapping[str, str]
    morphology: str | None
    hernia: Mapping[str, str | None]
    ues: Mapping[str, float]
    ues_status: Mapping[str, str]
    provocation: Mapping[str, Any]
    subtypes: Mapping[str, Any]
    swallows: Sequence[SwallowRecord]
    study: Mapping[str, float]
    study_status: Mapping[str, str]
    percent: Mapping[str, float]
    primary_posture: str
    baseline: Mapping[str, float | str]
    warnings: Sequence[str]
    parameters_id: str
    parameter_overrides: Mapping[str, Any]
    limit_ids: Sequence[str]
    stated: str
    noise_mmhg: float
    filtered: bool
    classification: Mapping[str, Any]
    irp_limit: Mapping[str, Any] | None = None
    clinical: Mapping[str, Any] | None = None
    quality: quality.QualityRecord | None = None
    bolus: bolus.BolusRecord | None = None
    review: Mapping[str, Any] | None = None
    landmark_source: Mapping[str, str] = field(default_factory=dict)
    irp_readings: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def attach(recording: xr.DataTree, record: StudyRecord, engine_version: str) -> xr.DataTree:
    """Return a copy of a study with its results as further nodes.

    Parameters
    ----------
    recording : DataTree
    record : StudyRecord
    engine_version : str

    Returns
    -------
    DataTree
        With ``/swallows``, ``/landmarks``, ``/egj``, ``/ues`` and ``/study``; a previous
        result is replaced, the recording itself is shared and not changed. What the file
        reported of its swallows stands beside the measured values, and whole in ``/reported``.
    """
    nodes = {node.path: node.to_dataset() for node in recording.subtree}
    nodes["/landmarks"] = _landmark_dataset(record)
    nodes["/egj"] = _egj_dataset(record)
    nodes["/ues"] = _scalars(record.ues, UES_METRICS, {"status": _packed(record.ues_status)})
    nodes["/swallows"] = _swallow_dataset(record)
    rows = reported.rows_of(recording)
    if rows is not None:
        rules = catalog.default_parameters().replace(dict(record.parameter_overrides))
        nodes["/swallows"], nodes[reported.NODE] = reported.lay_beside(
            nodes["/swallows"], rows, rules["detect.hint_s"]
        )
    nodes["/study"] = _study_dataset(record)
    nodes.pop(quality.NODE, None)
    if record.quality is not None:
        nodes[quality.NODE] = quality.to_dataset(record.quality)
    nodes.pop(bolus.NODE, None)
    if record.bolus is not None:
        nodes[bolus.NODE] = bolus.to_dataset(record.bolus)
    tree = xr.DataTree.from_dict(nodes)
    tree.attrs.update(
        {
            "system": record.system,
            "engine_version": engine_version,
            "parameters_id": record.parameters_id,
            "parameter_overrides": json.dumps(dict(record.parameter_overrides), sort_keys=True),
            "limit_ids": list(record.limit_ids),
            "stated": record.stated,
            "irp_limit": json.dumps(record.irp_limit, sort_keys=True),
            "clinical": json.dumps(record.clinical, sort_keys=True),
            # netCDF has no empty list.
            "warnings": list(record.warnings) or "",
            "review": json.dumps(record.review, allow_nan=False),
        }
    )
    return tree


def to_dict(study: xr.DataTree) -> dict[str, Any]:
    """Give the results of an analyzed study as the published contract.

    Parameters
    ----------
    study : DataTree
        As returned by `hrm.analyze`, or read back from a native file.

    Returns
    -------
    dict
        Ready for JSON: an unmeasured number is None, with its reason in the
        ``status`` beside it. The JSON Schema is `hrm.catalog.result_schema`.

    Raises
    ------
    SchemaError
        If the study has not been analyzed.
    """
    if "study" not in study.children or "swallows" not in study.children:
        raise SchemaError("this study has no results yet; run hrm.analyze on it first")
    lost = reported.unmatched(study)
    return {
        "schema_version": SCHEMA_VERSION,
        "engine": {
            "version": str(study.attrs["engine_version"]),
            "parameters_id": str(study.attrs["parameters_id"]),
            "parameter_overrides": json.loads(str(study.attrs["parameter_overrides"])),
            "limit_ids": _texts(study.attrs["limit_ids"]),
            "irp_limit": json.loads(str(study.attrs.get("irp_limit", "null"))),
            "clinical": json.loads(str(study.attrs.get("clinical", "null"))),
        },
        "recording": _recording_block(study),
        "landmarks": _landmarks_block(study["landmarks"].to_dataset()),
        "egj": _egj_block(study["egj"].to_dataset()),
        "ues": _ues_block(study),
        "swallows": _swallows_block(study["swallows"].to_dataset()),
        "study": _study_block(study["study"].to_dataset()),
        # A study that an earlier version saved does not say whether there was a test.
        "provocation": json.loads(str(study["study"].attrs.get("provocation", "null"))),
        **bolus.blocks_of(study),
        "classification": json.loads(str(study["study"].attrs["classification"])),
        "warnings": _texts(study.attrs["warnings"]),
        "quality": quality.block_of(study),
        "review": json.loads(str(study.attrs.get("review", "null"))),
        **({"reported_unmatched": lost} if lost else {}),
    }


def _landmark_dataset(record: StudyRecord) -> xr.Dataset:
    names = [name for name in LANDMARKS if name.endswith("_cm")]
    depth = np.array([record.landmarks[name] for name in names], dtype=np.float64)
    reference = float(record.landmarks["gastric_reference_mmhg"])
    sources = [record.landmark_source.get(name, "automatic") for name in names]
    gastric = record.landmark_source.get("gastric_reference_mmhg", "automatic")
    return xr.Dataset(
        {
            "depth": ("landmark", depth, {"units": "cm"}),
            "source": ("landmark", np.array(sources, dtype=object)),
            "gastric_reference": ((), reference, {"units": "mmHg", "source": gastric}),
        },
        coords={"landmark": ("landmark", np.array(names, dtype=object))},
        attrs={"status": json.dumps(dict(record.landmark_status), sort_keys=True)},
    )


def _egj_dataset(record: StudyRecord) -> xr.Dataset:
    labels = {name: record.hernia[key] or "" for name, key in _HERNIA.items()}
    attrs = {
        "morphology": record.morphology or "",
        **labels,
        "status": _packed(record.egj_status),
    }
    return _scalars(record.egj, EGJ_METRICS, attrs)


def _scalars(
    values: Mapping[str, float], units: Mapping[str, str], attrs: Mapping[str, str]
) -> xr.Dataset:
    data = {name: ((), float(values[name]), {"units": unit}) for name, unit in units.items()}
    return xr.Dataset(data, attrs=dict(attrs))


def _swallow_dataset(record: StudyRecord) -> xr.Dataset:
    rows = record.swallows

    def numbers(values: Sequence[float], unit: str) -> tuple[str, Any, dict[str, str]]:
        return ("swallow", np.array(values, dtype=np.float64), {"units": unit})

    def texts(values: Sequence[str]) -> tuple[str, Any]:
        return ("swallow", np.array(values, dtype=object))

    data: dict[str, Any] = {
        "onset": numbers([row.onset_s for row in rows], "s"),
        "window_start": numbers([row.window_s[0] for row in rows], "s"),
        "window_stop": numbers([row.window_s[1] for row in rows], "s"),
        "cdp_time": numbers([row.cdp_s for row in rows], "s"),
        "transition_zone": numbers([row.transition_zone_cm for row in rows], "cm"),
        "evaluable": ("swallow", np.array([row.evaluable for row in rows], dtype=np.int8)),
        "type": texts([row.type or "" for row in rows]),
        "flags": texts([",".join(row.flags) for row in rows]),
        "borderline": texts([",".join(row.borderline) for row in rows]),
        "borderline_range": texts([_packed(row.borderline) for row in rows]),
        "status": texts([json.dumps(dict(row.status), sort_keys=True) for row in rows]),
        "hypercontractile_subtype": texts([row.hypercontractile_subtype or "" for row in rows]),
    }
    for name in _SWALLOW_FACTS:
        facts = [getattr(row, name) for row in rows]
        known = [-1 if fact is None else int(fact) for fact in facts]
        data[name] = ("swallow", np.array(known, dtype=np.int8))
    for name in (
        *("object", "onset_method", "posture", "protocol", "reason"),
        *("cdp_method", "pressurization"),
    ):
        data[name] = texts([getattr(row, name) for row in rows])
    if any("stability" in tree for tree in record.classification.values() if tree):
        data["type_stability"] = texts([json.dumps(row.type_stability) for row in rows])
    for name, unit in SWALLOW_METRICS.items():
        data[name] = numbers([row.metrics.get(name, math.nan) for row in rows], unit)
        if record.filtered:
            values = [row.unfiltered.get(name, math.nan) for row in rows]
            data[f"{name}_unfiltered"] = numbers(values, unit)
    return xr.Dataset(data)


def _study_dataset(record: StudyRecord) -> xr.Dataset:
    data: dict[str, Any] = {
        name: ((), float(value), {"units": "mmHg" if name.endswith("mmhg") else "1"})
        for name, value in record.study.items()
    }
    for name, value in record.percent.items():
        data[f"{_PERCENT}{name}"] = ((), float(value), {"units": "%"})
    return xr.Dataset(
        data,
        attrs={
            "status": json.dumps(dict(record.study_status), sort_keys=True),
            "primary_posture": record.primary_posture,
            "noise_mmhg": float(record.noise_mmhg),
            "filtered": int(record.filtered),
            "classification": json.dumps(record.classification, allow_nan=False),
            "baseline": json.dumps(dict(record.baseline), sort_keys=True),
            "irp_readings": _packed(record.irp_readings),
            "provocation": _packed(record.provocation),
            "hypercontractile_subtypes": _packed(record.subtypes),
        },
    )


def _packed(block: Mapping[str, Any]) -> str:
    return json.dumps(dict(block), allow_nan=False, sort_keys=True)


def _texts(value: Any) -> list[str]:
    """List of texts from an attribute; netCDF gives a list of one back as a plain text."""
    if isinstance(value, str):
        return [value] if value else []
    return [str(item) for item in np.atleast_1d(value)] if len(value) else []


def _split(value: Any) -> list[str]:
    return [part for part in str(value).split(",") if part]


def _recording_block(study: xr.DataTree) -> dict[str, Any]:
    attrs, node = study.attrs, study["pressure"].to_dataset()
    rate, n_samples = float(attrs["sampling_rate"]), int(node.sizes["time"])
    return {
        "study_id": str(attrs["study_id"]),
        "format": str(attrs["source_format"]),
        "sha256": str(attrs["source_sha256"]),
        "sampling_rate_hz": rate,
        "duration_s": n_samples / rate,
        "time_offset_s": float(attrs["time_offset_s"]),
        "n_sensors": int(node.sizes["sensor"]),
        "depths_cm": [float(value) for value in node["depth"].values],
        "depth_reference": str(node["depth"].attrs["depth_reference"]),
        "catheter": str(attrs["catheter"]),
        "system": str(attrs["system"]),
    }


def _landmarks_block(node: xr.Dataset) -> dict[str, Any]:
    block: dict[str, Any] = {
        str(name): reported.finite_or_none(value)
        for name, value in zip(node["landmark"].values, node["depth"].values, strict=True)
    }
    block["gastric_reference_mmhg"] = reported.finite_or_none(node["gastric_reference"].values)
    block["status"] = json.loads(str(node.attrs["status"]))
    return block


def _egj_block(node: xr.Dataset) -> dict[str, Any]:
    block = _numbers_of(node, EGJ_METRICS, str(node.attrs.get("status", "{}")))
    for name in ("morphology", *_HERNIA):
        block[name] = str(node.attrs.get(name, "")) or None
    return block


def _ues_block(study: xr.DataTree) -> dict[str, Any]:
    node = study["ues"].to_dataset() if "ues" in study.children else xr.Dataset()
    return _numbers_of(node, UES_METRICS, str(node.attrs.get("status", "{}")))


def _numbers_of(node: Mapping[Any, Any], names: Iterable[str], said: str) -> dict[str, Any]:
    """Give the numbers of a node and its status; those an earlier version lacks are null."""
    status = json.loads(said)
    block = {name: reported.finite_or_none(node[name]) if name in node else None for name in names}
    lost = dict.fromkeys((name for name in names if name not in node), EARLIER_VERSION)
    return {**block, "status": {**status, **lost}}


def _swallows_block(node: xr.Dataset) -> list[dict[str, Any]]:
    rows = reported.plain_rows(node, "swallow")
    return [_swallow_block(row, number) for number, row in enumerate(rows, 1)]


def _swallow_block(row: Mapping[str, Any], number: int) -> dict[str, Any]:
    # A study saved by an earlier version has no ranges.
    ranges = row.get("borderline_range", "{}")
    block: dict[str, Any] = {
        "id": number,
        "onset_s": float(row["onset"]),
        "onset_method": str(row["onset_method"]),
        "window_s": [float(row["window_start"]), float(row["window_stop"])],
        "posture": str(row["posture"]),
        "protocol": str(row["protocol"]),
        "evaluable": bool(row["evaluable"]),
        "reason": str(row["reason"]) or None,
        "cdp_method": str(row["cdp_method"]) or None,
        "pressurization": str(row["pressurization"]),
        "type": str(row["type"]) or None,
        "flags": _split(row["flags"]),
        "borderline": _split(row["borderline"]),
        "borderline_range": json.loads(str(ranges)),
        "hypercontractile_subtype": None,
    }
    if "hypercontractile_subtype" in row:
        block["hypercontractile_subtype"] = str(row["hypercontractile_subtype"]) or None
    for name in _SWALLOW_FACTS:
        fact = int(row[name]) if name in row else -1
        block[name] = None if fact < 0 else bool(fact)
    block |= _numbers_of(row, SWALLOW_METRICS, str(row["status"]))
    beside = [f"{name}_unfiltered" for name in SWALLOW_METRICS]
    if any(key in row for key in beside):
        block |= {key: reported.finite_or_none(row[key]) if key in row else None for key in beside}
    if "type_stability" in row:
        block["type_stability"] = json.loads(str(row["type_stability"]))
    said = reported.block_of(row)
    return block if said is None else {**block, "reported": said}


def _study_block(node: xr.Dataset) -> dict[str, Any]:
    counts = ("n_swallows", "n_evaluable")
    block: dict[str, Any] = {}
    percent: dict[str, float | None] = {}
    for name in node.data_vars:
        key, value = str(name), reported.finite_or_none(node[name].values)
        if key.startswith(_PERCENT):
            percent[key.removeprefix(_PERCENT)] = value
        else:
            block[key] = int(value) if key in counts and value is not None else value
    block["percent"] = percent
    block["primary_posture"] = str(node.attrs["primary_posture"])
    block["noise_mmhg"] = reported.finite_or_none(node.attrs["noise_mmhg"])
    block["filtered"] = bool(node.attrs["filtered"])
    block["baseline"] = json.loads(str(node.attrs["baseline"]))
    block["irp4s_readings_mmhg"] = json.loads(str(node.attrs.get("irp_readings", "{}")))
    subtypes = json.loads(str(node.attrs.get("hypercontractile_subtypes", "null")))
    block["hypercontractile_subtypes"] = subtypes
    block["status"] = json.loads(str(node.attrs["status"]))
    return block
