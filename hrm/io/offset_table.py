"""The table of drift offsets: what each sensor read at zero pressure, before and after.

A CSV file with the header ``sensor,depth_cm,offset_end_mmhg,time_end_s`` and, where the
start was measured too, ``offset_start_mmhg,time_start_s``; columns in any order, one row
for each sensor. Times count from the first sample and may lie outside the recording.
"""

from __future__ import annotations

import csv
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hrm.errors import ParameterError

if TYPE_CHECKING:
    import xarray as xr

#: Columns of a table, the last two of which are optional together.
COLUMNS = (
    *("sensor", "depth_cm", "offset_end_mmhg", "time_end_s"),
    *("offset_start_mmhg", "time_start_s"),
)
#: A sensor drifts by some tens of mmHg; more is another unit or another column.
_MOST_MMHG = 200.0
_DEPTH_APART_CM = 0.051
_MOST_BYTES = 1 << 20
_MOST_FAULTS = 8


@dataclass(frozen=True)
class OffsetTable:
    """Offsets as a table gives them, by sensor from the most proximal one.

    Attributes
    ----------
    depth_cm, end_mmhg : tuple of float
    end_s : float [s]
    start_mmhg : tuple of float, empty if the table has none
    start_s : float [s]
    """

    depth_cm: tuple[float, ...]
    end_mmhg: tuple[float, ...]
    end_s: float
    start_mmhg: tuple[float, ...] = ()
    start_s: float = math.nan


def read_offset_table(path: str | os.PathLike[str]) -> OffsetTable:
    """Read a table of drift offsets.

    Parameters
    ----------
    path : path-like
        UTF-8, comma-separated.

    Returns
    -------
    OffsetTable

    Raises
    ------
    ParameterError
        Naming the lines that cannot be used. Cells are not quoted: a file given by
        mistake may hold a patient's identity.
    """
    lines = [line for line in csv.reader(_text(Path(path)).splitlines()) if any(line)]
    names = [cell.strip() for cell in lines[0]] if lines else []
    has_start = "offset_start_mmhg" in names
    wanted = COLUMNS if has_start else COLUMNS[:4]
    if not set(wanted) <= set(names) or len(set(names)) != len(names):
        raise ParameterError(
            f"this is not a table of drift offsets: expected a header with {', '.join(wanted)}"
        )
    rows, faults = [], []
    for number, line in enumerate(lines[1:], 1):
        try:
            cells = dict(zip(names, line, strict=True))
            rows.append({name: float(cells[name]) for name in wanted})
        except ValueError:
            faults.append(f"row {number}: expected {len(names)} cells, numbers under {wanted}")
    _raise_faults([*faults, *(_row_faults(rows) if not faults else [])])
    by_sensor = sorted(rows, key=lambda row: row["sensor"])
    return OffsetTable(
        depth_cm=tuple(row["depth_cm"] for row in by_sensor),
        end_mmhg=tuple(row["offset_end_mmhg"] for row in by_sensor),
        end_s=by_sensor[0]["time_end_s"],
        start_mmhg=tuple(row["offset_start_mmhg"] for row in by_sensor) if has_start else (),
        start_s=by_sensor[0]["time_start_s"] if has_start else math.nan,
    )


def with_offsets(recording: xr.DataTree, table: OffsetTable) -> xr.DataTree:
    """Return a copy of a study that holds the measured offsets of its sensors.

    Parameters
    ----------
    recording : DataTree
    table : OffsetTable

    Returns
    -------
    DataTree
        With ``offset_end_mmhg`` and, if measured, ``offset_start_mmhg`` in ``/pressure``,
        so that a saved study says what it was corrected by. The pressure is not changed.

    Raises
    ------
    ParameterError
        If the sensors of the table are not those of the study.
    """
    node = recording["pressure"].to_dataset()
    depths = node["depth"].values
    if depths.size != len(table.depth_cm):
        raise ParameterError(
            f"the table has offsets of {len(table.depth_cm)} sensors, the recording has "
            f"{depths.size}"
        )
    apart = np.abs(depths - np.array(table.depth_cm))
    if apart.max() > _DEPTH_APART_CM:
        k = int(apart.argmax())
        raise ParameterError(
            f"sensor {k} is at {table.depth_cm[k]:g} cm in the table of drift offsets and at "
            f"{depths[k]:g} cm in the recording; is it of this catheter, most proximal first?"
        )
    out = recording.copy(deep=False)
    ends = [("offset_end_mmhg", table.end_mmhg, table.end_s)]
    if table.start_mmhg:
        ends.append(("offset_start_mmhg", table.start_mmhg, table.start_s))
    for name, values, when in ends:
        attrs = {"units": "mmHg", "long_name": "sensor reading at zero pressure", "time_s": when}
        node = node.assign({name: ("sensor", np.array(values), attrs)})
    out["pressure"].dataset = node
    return out


def _text(path: Path) -> str:
    with path.open("rb") as stream:
        data = stream.read(_MOST_BYTES + 1)
    try:
        if len(data) <= _MOST_BYTES and b"\0" not in data:
            return data.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        raise ParameterError("the table of drift offsets is not UTF-8 text") from err
    raise ParameterError("this is not a table of drift offsets, but another kind of file")


def _row_faults(rows: list[dict[str, float]]) -> list[str]:
    if not rows:
        return ["no row below the header"]
    faults = []
    if any(not math.isfinite(value) for row in rows for value in row.values()):
        faults.append("a cell that is no finite number")
    if sorted(row["sensor"] for row in rows) != list(range(len(rows))):
        faults.append(f"sensors are not numbered from 0 to {len(rows) - 1}, each once")
    for name in ("time_end_s", "time_start_s"):
        if len({row[name] for row in rows if name in row}) > 1:
            faults.append(f"{name} differs between rows; all sensors are measured at one time")
    if "time_start_s" in rows[0] and not rows[0]["time_start_s"] < rows[0]["time_end_s"]:
        faults.append("time_end_s is not later than time_start_s")
    offsets = [value for row in rows for name, value in row.items() if name.startswith("offset")]
    if any(abs(value) > _MOST_MMHG for value in offsets):
        faults.append(f"an offset beyond {_MOST_MMHG:g} mmHg; check the unit")
    return faults


def _raise_faults(faults: list[str]) -> None:
    if faults:
        more = f"; and {len(faults) - _MOST_FAULTS} more" if len(faults) > _MOST_FAULTS else ""
        raise ParameterError("drift offsets: " + "; ".join(faults[:_MOST_FAULTS]) + more)
