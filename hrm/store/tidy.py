"""The tidy long table: every number of a study in one row, traced to its origin."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hrm import bolus, catalog
from hrm.errors import SchemaError
from hrm.reported import METRICS as REPORTED_METRICS
from hrm.reported import PREFIX as REPORTED
from hrm.results import EGJ_METRICS, LANDMARKS, SWALLOW_METRICS, UES_METRICS, to_dict

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

COLUMNS = (
    *("subject", "visit", "swallow", "metric", "value", "unit", "status"),
    *("metric_version", "source"),
)
#: Variables of the tree that have another name in the contract.
_VARIABLES = {"onset_s": "onset", "window_start_s": "window_start", "window_stop_s": "window_stop"}
#: What a review cannot touch, unless the number itself was edited.
_FOUND_BEFORE = frozenset(LANDMARKS) - {"transition_zone_cm"} | {
    *("onset_s", "noise_mmhg", "baseline_start_s", "baseline_stop_s"),
}


#: Who a number comes from that the file itself reports; its definition is not known here.
VENDOR = "vendor"


@dataclass(frozen=True)
class _Number:
    """A number of the table before its origin is known."""

    swallow: int | None
    object: str
    metric: str
    value: float | None
    unit: str
    status: str
    who: str = ""


def to_long(study: xr.DataTree, *, visit: str = "") -> pd.DataFrame:
    """Give every number of an analyzed study as a row of a tidy table.

    Parameters
    ----------
    study : DataTree
        As returned by `hrm.analyze`, or read back from a native file.
    visit : str
        Name of the visit, for a trial.

    Returns
    -------
    DataFrame
        Columns ``subject`` (the study id), ``visit``, ``swallow`` (number, or NA for
        a number of the study), ``metric``, ``value``, ``unit``, ``status``,
        ``metric_version`` and ``source``. A missing value is NaN and its status says
        why; ``excluded`` marks the numbers of a swallow that is not evaluable.

    Raises
    ------
    SchemaError
        If the study has not been analyzed, or a number is not in the catalogue.

    Notes
    -----
    ``source`` is ``<sha256 of the file>#hrm-<version>#<parameters id>+<said>#<who>``. Said
    is a digest of what was said of the recording beside its file and moves numbers: where
    its sensors sit, rate, unit, offsets, system, posture, swallows, IRP limit. Who is
    ``automatic``; ``vendor`` for a number ``reported_...`` that stands in the file, whose
    definition is the vendor's (``metric_version`` ``vendor``); ``stated`` for an onset of the swallow table; ``reader:AB`` where
    reader AB gave the very number; and ``review:AB+CD:<start of head_hash>`` where it
    was measured in a study that these readers had corrected, by the state of the log
    that is named.
    """
    import pandas as pd

    rows = [
        tuple(pd.NA if cell is None else cell for cell in row)
        for row in long_rows(study, visit=visit)
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    kinds = dict.fromkeys(COLUMNS, "str") | {"swallow": "Int64", "value": "float64"}
    return table.astype(kinds)


def long_rows(study: xr.DataTree, *, visit: str = "") -> list[tuple[Any, ...]]:
    """Give the rows of `to_long` as plain tuples; the swallow of a study's number is None."""
    result = to_dict(study)
    source = _sources(result, _said(study, result))
    subject = result["recording"]["study_id"]
    return [
        (
            subject,
            visit,
            each.swallow,
            each.metric,
            math.nan if each.value is None else each.value,
            each.unit,
            each.status,
            VENDOR if each.who == VENDOR else catalogued(each.metric).version,
            source(each),
        )
        for each in _numbers(study, result)
    ]


def write_long(study: xr.DataTree, path: str | os.PathLike[str], *, visit: str = "") -> None:
    """Write the tidy long table as CSV; what is not there is written NA.

    Parameters
    ----------
    study : DataTree
    path : path-like
        Is replaced if it exists.
    visit : str
    """
    table = to_long(study, visit=visit)
    table.to_csv(path, index=False, na_rep="NA", lineterminator="\n", encoding="utf-8")


def catalogued(metric: str) -> catalog.Metric:
    """Give the row of the catalogue that a number of the table belongs to.

    Raises
    ------
    SchemaError
        If there is none.
    """
    name = metric.removesuffix("_unfiltered")
    if name in ("window_start_s", "window_stop_s"):
        name = "window_s"
    if name not in catalog.metrics():
        raise SchemaError(f"{name} is not in the metric catalogue; add it to hrm/data/metrics.toml")
    return catalog.metrics()[name]


def _numbers(study: xr.DataTree, result: Mapping[str, Any]) -> Iterator[_Number]:
    node = study["swallows"].to_dataset()
    # A study that an earlier version saved does not name its swallows.
    names = [""] * len(result["swallows"])
    if "object" in node:
        names = [str(name) for name in node["object"].values]
    for row, name in zip(result["swallows"], names, strict=True):
        yield from _of_swallow(study, row, name)
    marks = result["landmarks"]
    for metric in LANDMARKS:
        status = _status(marks["status"], metric, marks[metric])
        yield _Number(
            None, "landmarks", metric, marks[metric], _landmark_unit(study, metric), status
        )
    for place, metrics in (("egj", EGJ_METRICS), ("ues", UES_METRICS)):
        for metric in metrics:
            value = result[place][metric]
            status = _status(result[place]["status"], metric, value)
            yield _Number(None, place, metric, value, _unit(study, place, metric), status)
    yield from _of_study(study, result["study"])
    for test, block in (result["provocation"] or {}).items():
        yield from _of_test(test, block)
    yield from _of_bolus(result, "impedance", bolus.STUDY_METRICS, bolus.SWALLOW_METRICS)
    yield from _of_bolus(result, "pharynx", bolus.PHARYNX_STUDY_METRICS, bolus.PHARYNX_METRICS)
    for block in result.get("reported_unmatched", ()):
        yield from _of_reported(None, block)


def _of_swallow(study: xr.DataTree, row: Mapping[str, Any], name: str) -> Iterator[_Number]:
    start, stop = row["window_s"]
    values = {"onset_s": row["onset_s"], "window_start_s": start, "window_stop_s": stop}
    values |= {name: row[name] for name in SWALLOW_METRICS}
    unfiltered = [f"{name}_unfiltered" for name in SWALLOW_METRICS]
    values |= {name: row[name] for name in unfiltered if name in row}
    for metric, value in values.items():
        status = _status(row["status"], metric, value)
        if status == "ok" and not row["evaluable"]:
            status = "excluded"
        unit = _unit(study, "swallows", metric)
        stated = metric == "onset_s" and row["onset_method"] == "stated"
        who = "stated" if stated else ""
        yield _Number(int(row["id"]), name, metric, value, unit, status, who)
    if "reported" in row:
        yield from _of_reported(int(row["id"]), row["reported"])


def _of_reported(swallow: int | None, block: Mapping[str, Any]) -> Iterator[_Number]:
    """Numbers that the file reports; those of a swallow that was not found have none."""
    for name, unit in REPORTED_METRICS.items():
        if name in block:
            status = block["status"].get(name, "ok" if block[name] is not None else "not_reported")
            if status == "ok" and swallow is None:
                status = "unmatched"
            yield _Number(
                swallow, "reported", f"{REPORTED}{name}", block[name], unit, status, VENDOR
            )


def _of_test(test: str, block: Mapping[str, Any] | None) -> Iterator[_Number]:
    """Numbers of a provocation test; those of a run stand beside its last swallow."""
    if block is None:
        return
    parts = [(None, block), *((int(run["swallows"][-1]), run) for run in block.get("runs", ()))]
    for swallow, part in parts:
        for key, value in part.items():
            name = f"{test}_{key}"
            if name in catalog.metrics():
                status = _status(part["status"], key, value)
                unit = catalogued(name).units
                yield _Number(swallow, "provocation", name, value, unit, status)


def _of_bolus(
    result: Mapping[str, Any],
    name: str,
    of_study: Mapping[str, str],
    of_swallow: Mapping[str, str],
) -> Iterator[_Number]:
    """Numbers of impedance or pharynx; swallows of which nothing could be measured have none."""
    block = result[name]
    if block is None:
        return
    for metric, unit in of_study.items():
        status = _status(block["status"], metric, block[metric])
        yield _Number(None, name, metric, block[metric], unit, status)
    for row, swallow in zip(block["swallows"], result["swallows"], strict=True):
        if all(row[metric] is None for metric in of_swallow):
            continue
        for metric, unit in of_swallow.items():
            status = _status(row["status"], metric, row[metric])
            if status == "ok" and not swallow["evaluable"]:
                status = "excluded"
            yield _Number(int(row["id"]), name, metric, row[metric], unit, status)


#: What the study's block holds that is no number of a study, or more than one.
_OTHER_KINDS = (
    *("status", "primary_posture", "filtered", "irp4s_readings_mmhg"),
    "hypercontractile_subtypes",
)


def _of_study(study: xr.DataTree, block: Mapping[str, Any]) -> Iterator[_Number]:
    values = {
        name: value
        for name, value in block.items()
        if name not in (*_OTHER_KINDS, "percent", "baseline")
    }
    values |= {f"percent_{name}": value for name, value in block["percent"].items()}
    subtypes = block["hypercontractile_subtypes"] or {}
    values |= {
        f"hypercontractile_subtypes_{name}": count
        for name, count in subtypes.items()
        if name != "predominant"
    }
    status = dict(block["status"])
    status |= {f"percent_{name}": status.get("percent", "ok") for name in block["percent"]}
    for edge in ("start_s", "stop_s"):
        values[f"baseline_{edge}"] = block["baseline"].get(edge)
        status[f"baseline_{edge}"] = block["baseline"]["status"]
    for name, value in values.items():
        unit = _unit(study, "study", name)
        yield _Number(None, "study", name, value, unit, _status(status, name, value))


def _status(block: Mapping[str, str], metric: str, value: float | None) -> str:
    base = metric.removesuffix("_unfiltered")
    said = block.get(metric) or (block.get(base) if value is None else None) or "ok"
    return "not_measured" if value is None and said == "ok" else said


def _unit(study: xr.DataTree, node: str, metric: str) -> str:
    """Unit as the tree has it; of what is an attribute there, as the catalogue has it."""
    name = _VARIABLES.get(metric, metric)
    if node in study.children and name in study[node].data_vars:
        return str(study[node].data_vars[name].attrs["units"])
    return catalogued(metric).units


def _landmark_unit(study: xr.DataTree, metric: str) -> str:
    name = "gastric_reference" if metric == "gastric_reference_mmhg" else "depth"
    return str(study["landmarks"][name].attrs["units"])


def _said(study: xr.DataTree, result: Mapping[str, Any]) -> str:
    """Digest of what was said beside the file: the same bytes give other numbers with another."""
    recording = {
        name: result["recording"][name]
        for name in ("sampling_rate_hz", "depths_cm", "depth_reference", "system")
    }
    # In which unit and order the columns were taken shows in the first row.
    first = study["pressure"].to_dataset()["pressure"].isel(time=0).values
    drift = (result["quality"] or {}).get("drift") or {}
    said = {
        "recording": recording,
        # Of the offsets, not of what the recording shows.
        "drift": [drift.get(name) for name in ("mode", "mean_mmhg", "max_mmhg")],
        "first": [str(float(value)) for value in first],
        "stated": str(study.attrs.get("stated", "")),
        "irp_limit": result["engine"]["irp_limit"],
    }
    text = json.dumps(said, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:8]


def _sources(result: Mapping[str, Any], said: str) -> Callable[[_Number], str]:
    """Give the function that says of each number where it came from."""
    engine, review = result["engine"], result["review"]
    version = f"#hrm-{engine['version']}#{engine['parameters_id']}+{said}#"
    base = str(result["recording"]["sha256"]) + version
    edits = [row for row in review["applied"] if row["object"] != "study"] if review else []
    # Who added a swallow has said when it begins.
    names = {"added": "onset_s"}
    given = {
        (row["object"], names.get(row["field"], row["field"])): row["reader"]
        for row in sorted(edits, key=lambda row: row["field"] != "added")
    }
    readers = "+".join(dict.fromkeys(row["reader"] for row in edits))
    measured = f"review:{readers}:{review['head_hash'][:12]}" if edits else "automatic"

    def source(number: _Number) -> str:
        reader = given.get((number.object, number.metric.removesuffix("_unfiltered")))
        if reader is not None:
            return f"{base}reader:{reader}"
        found = number.who or "automatic"
        if found == VENDOR:
            return base + VENDOR
        return base + (found if number.metric in _FOUND_BEFORE else measured)

    return source
