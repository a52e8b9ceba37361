"""What a vendor's file itself says of its swallows: kept beside what is measured, never mixed.

A study that was read has these rows as the variables ``reported_...`` of ``/swallows``. The
analysis replaces that node by the swallows it finds: it moves the rows to ``/reported`` and
copies each of them to the swallow that it belongs to.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

PREFIX = "reported_"
NODE = "/reported"

#: Numbers that a file may report of a swallow, in the unit of the vendor's own table.
METRICS: Mapping[str, str] = {
    "irp4s_mmhg": "mmHg",
    "dci_mmhg_s_cm": "mmHg s cm",
    "distal_latency_s": "s",
    "large_break_cm": "cm",
}
#: Words that a file may report, with the codes that they are kept as.
WORDS: Mapping[str, frozenset[str]] = {
    "vigor": frozenset({"normal", "weak", "failed", "hypercontractile"}),
    "pattern": frozenset({"intact", "fragmented", "premature", "failed"}),
}
#: The file says that there is none; it says something else; it says two things.
NO_DATA, UNRECOGNIZED, CONTRADICTORY = "no_data", "unrecognized", "contradictory"
#: Why the time of a row is not known: no such event, or more than one.
NO_EVENT, SEVERAL_EVENTS = "no_event", "several_events"


@dataclass(frozen=True, slots=True)
class ReportedSwallow:
    """One swallow as the file reports it.

    `onset_s` is the time of the operator's entry [s from the first sample], NaN if it cannot
    be told; `number` that of the vendor's own count, 0 if there is none; `label` a text of
    the protocol's vocabulary. `words` and `metrics` hold one entry for each column of the
    file, empty or NaN where the file is silent; `status` says why, where it says so.
    """

    onset_s: float
    number: int = 0
    label: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    status: Mapping[str, str] = field(default_factory=dict)


def to_dataset(rows: Sequence[ReportedSwallow]) -> xr.Dataset:
    """Put rows into the variables ``reported_...`` along the dim ``swallow``."""
    import xarray as xr

    data: dict[str, Any] = {
        "onset": _numbers([row.onset_s for row in rows], "s"),
        "number": ("swallow", np.array([row.number for row in rows], dtype=np.int64)),
        "label": _texts([row.label for row in rows]),
        "status": _texts([json.dumps(dict(row.status), sort_keys=True) for row in rows]),
    }
    for name in WORDS:
        if any(name in row.words for row in rows):
            data[name] = _texts([row.words.get(name, "") for row in rows])
    for name, unit in METRICS.items():
        if any(name in row.metrics for row in rows):
            data[name] = _numbers([row.metrics.get(name, math.nan) for row in rows], unit)
    return xr.Dataset({f"{PREFIX}{name}": values for name, values in data.items()})


def _numbers(values: Sequence[float], unit: str) -> tuple[str, Any, dict[str, str]]:
    return ("swallow", np.array(values, dtype=np.float64), {"units": unit})


def _texts(values: Sequence[str]) -> tuple[str, Any]:
    return ("swallow", np.array(values, dtype=object))


def rows_of(study: xr.DataTree) -> xr.Dataset | None:
    """Rows that the study's file reported, analyzed or not; None if it reported nothing."""
    if NODE.strip("/") in study.children:
        return study[NODE].to_dataset().drop_vars("swallow_id").rename(row="swallow")
    if "swallows" not in study.children:
        return None
    node = study["swallows"].to_dataset()
    return node if f"{PREFIX}status" in node else None


def lay_beside(
    swallows: xr.Dataset, rows: xr.Dataset, within_s: float
) -> tuple[xr.Dataset, xr.Dataset]:
    """Copy what was reported to the swallows it belongs to.

    Parameters
    ----------
    swallows : Dataset
        The swallows found, with ``onset(swallow)`` [s].
    rows : Dataset
        Of `rows_of`.
    within_s : float [s]
        A row belongs to a swallow whose onset is at most this far from the row's own time.

    Returns
    -------
    swallows, reported : Dataset
        The swallows with the variables ``reported_...``, and all rows along ``row`` with
        ``swallow_id``: number of the swallow from 1, or 0 for a row that belongs to none.
    """
    found = match(
        rows[f"{PREFIX}onset"].values.tolist(), swallows["onset"].values.tolist(), within_s
    )
    n = swallows.sizes["swallow"]
    source = np.full(n, -1)
    for row, swallow in enumerate(found):
        if swallow >= 0:
            source[swallow] = row
    added = {str(name): _taken(rows[name], source) for name in rows.data_vars}
    ids = np.array([swallow + 1 for swallow in found], dtype=np.int64)
    return swallows.assign(added), rows.rename(swallow="row").assign(swallow_id=("row", ids))


def _taken(column: xr.DataArray, source: Any) -> tuple[str, Any, dict[Any, Any]]:
    """One column in the order of the swallows; nothing where `source` is -1."""
    values = column.values
    nothing: Any = "" if values.dtype == object else math.nan if values.dtype.kind == "f" else 0
    out = np.full(source.size, nothing, dtype=values.dtype)
    out[source >= 0] = values[source[source >= 0]]
    return ("swallow", out, dict(column.attrs))


def match(times: Sequence[float], onsets: Sequence[float], within_s: float) -> list[int]:
    """Pair times with onsets one to one, the nearest first; -1 for a time without partner.

    Examples
    --------
    >>> match([10.0, 11.0, math.nan], [10.8, 50.0], within_s=4.0)
    [-1, 0, -1]
    """
    pairs = sorted(
        (abs(onset - time), i, k)
        for i, time in enumerate(times)
        for k, onset in enumerate(onsets)
        if abs(onset - time) <= within_s
    )
    found = [-1] * len(times)
    taken: set[int] = set()
    for _, i, k in pairs:
        if found[i] < 0 and k not in taken:
            found[i] = k
            taken.add(k)
    return found


def block_of(row: Mapping[Any, Any]) -> dict[str, Any] | None:
    """One row for the result contract; None where nothing was reported.

    Parameters
    ----------
    row : mapping
        Values by name of one swallow of ``/swallows``, or of one row of ``/reported``.
    """
    status = str(row[f"{PREFIX}status"]) if f"{PREFIX}status" in row else ""
    if not status:
        return None
    block: dict[str, Any] = {
        "onset_s": finite_or_none(row[f"{PREFIX}onset"]),
        "number": int(row[f"{PREFIX}number"]) or None,
        "label": str(row[f"{PREFIX}label"]) or None,
    }
    for name in WORDS:
        if f"{PREFIX}{name}" in row:
            block[name] = str(row[f"{PREFIX}{name}"]) or None
    for name in METRICS:
        if f"{PREFIX}{name}" in row:
            block[name] = finite_or_none(row[f"{PREFIX}{name}"])
    return {**block, "status": json.loads(status)}


def plain_rows(node: xr.Dataset, dim: str) -> list[dict[str, Any]]:
    """Values by name of each row of a node.

    Parameters
    ----------
    node : Dataset
        Whose variables all have the dimension.
    dim : str

    Returns
    -------
    list of dict
        Cutting rows out of the Dataset itself takes twenty times as long.
    """
    columns = {str(name): variable.values for name, variable in node.variables.items()}
    return [{name: values[i] for name, values in columns.items()} for i in range(node.sizes[dim])]


def unmatched(study: xr.DataTree) -> list[dict[str, Any]]:
    """Rows of an analyzed study that belong to none of its swallows, as `block_of` gives them."""
    if NODE.strip("/") not in study.children:
        return []
    node = study[NODE].to_dataset()
    lost = np.flatnonzero(node["swallow_id"].values == 0)
    rows = plain_rows(node, "row")
    blocks = [block_of(rows[at]) for at in lost]
    return [block for block in blocks if block is not None]


def finite_or_none(value: Any) -> float | None:
    """Give a number for JSON, which has no NaN."""
    number = float(value)
    return number if math.isfinite(number) else None
