"""Write a study in the layouts of the vendors' text exports.

For examples and for tests of the readers only: what a vendor's own software would
print, with no patient in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrm.errors import ParameterError
from hrm.schema import sampling_rate

_EXTRA_COLUMNS = ("Resp1", "Resp2", "Resp3", "Swallow1", "Swallow2", "Swallow3")
_MARKER_VALUE = 100
_IMPEDANCE_SEGMENTS = 18


def write_mms_csv(
    study: xr.DataTree, path: str | os.PathLike[str], *, first_sample: int = 2442
) -> None:
    """Write a Laborie/MMS text export: integer mmHg, the most distal sensor first.

    Parameters
    ----------
    study : DataTree
        As made by `sample`.
    path : path-like
        File to write.
    first_sample : int
        Number of the first row; a windowed export does not start at 0.
    """
    pressure, _ = _arrays(study)
    values = np.rint(pressure[::-1].T).astype(np.int64)
    rate = sampling_rate(study)
    n_samples, n_sensors = values.shape
    other = np.zeros((n_samples, len(_EXTRA_COLUMNS) + 1), dtype=np.int64)
    for onset in _onsets(study, "marker"):
        row = round(onset * rate)
        if 0 <= row < n_samples:
            other[row, -1] = _MARKER_VALUE
    table = np.hstack([values, other])
    names = [f"P{i + 1}" for i in range(n_sensors)] + [*_EXTRA_COLUMNS, "Marker"]
    count = table.shape[1]
    header = [
        "Name=, X, X",
        f"Channels=, {count}",
        _row("Sf=", [f"{rate:g}"] * count),
        _row("Min=", table.min(axis=0)),
        _row("Max=", table.max(axis=0)),
        "",
        _row("Sample number", names),
    ]
    body = (_row(str(first_sample + i), row) for i, row in enumerate(table.tolist()))
    _write(path, [*header, *body])


def write_manoview(
    study: xr.DataTree,
    path: str | os.PathLike[str],
    *,
    headed: bool = True,
    impedance: ArrayLike | None = None,
    start_s: float = 260.6,
) -> None:
    """Write a ManoView text export: the most proximal sensor first, 0.01 mmHg.

    Parameters
    ----------
    study : DataTree
        As made by `sample`.
    path : path-like
        File to write.
    headed : bool
        With the ``TIME:`` header and the annotations; otherwise a bare table
        whose first row is a dummy.
    impedance : array (segment, time) [kohm], optional
        18 segments at the times of the pressure.
    start_s : float [s]
        Time of the first row in the study.

    Raises
    ------
    ParameterError
        If `impedance` is not (18, time).
    """
    pressure, time = _arrays(study)
    time = start_s + time
    extra = _impedance_block(impedance, pressure.shape[1])
    if headed:
        lines = [_manoview_header(pressure.shape[0], 0 if extra is None else extra.shape[0])]
        lines += _manoview_rows(time, pressure, extra, "\t", "\t\t")
        lines += ["Annotations:", *_annotations(study, start_s)]
    else:
        count = 1 + pressure.shape[0] + (0 if extra is None else extra.shape[0])
        lines = ["  ".join(["0.0"] * count)]
        lines += _manoview_rows(time, pressure, extra, "  ", "  ")
    _write(path, lines)


def _arrays(study: xr.DataTree) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pressure (sensor, time) [mmHg] and time [s]."""
    node = study["pressure"].to_dataset()
    return node["pressure"].values.astype(np.float64), node["time"].values.astype(np.float64)


def _write(path: str | os.PathLike[str], lines: Iterable[str]) -> None:
    text = "\r\n".join(lines) + "\r\n"
    Path(path).write_bytes(text.encode("utf-8"))


def _row(first: str, cells: Iterable[object]) -> str:
    return ", ".join([first, *map(str, cells)])


def _onsets(study: xr.DataTree, label: str) -> list[float]:
    events = study["events"].to_dataset()
    chosen = events["label"].values == label
    return [float(value) for value in events["onset"].values[chosen]]


def _impedance_block(impedance: ArrayLike | None, n_samples: int) -> NDArray[np.float64] | None:
    if impedance is None:
        return None
    block = np.asarray(impedance, dtype=np.float64)
    if block.shape != (_IMPEDANCE_SEGMENTS, n_samples):
        raise ParameterError(
            f"expected impedance of shape ({_IMPEDANCE_SEGMENTS}, {n_samples}), got {block.shape}"
        )
    return block


def _manoview_header(n_sensors: int, n_segments: int) -> str:
    cells = ["TIME:", *(str(i + 1) for i in range(n_sensors))]
    if n_segments:
        cells += ["", *(str(i + 1) for i in range(n_segments))]
    return "\t".join(cells)


def _manoview_rows(
    time: NDArray[np.float64],
    pressure: NDArray[np.float64],
    extra: NDArray[np.float64] | None,
    separator: str,
    block_separator: str,
) -> Iterator[str]:
    for i, at in enumerate(time.tolist()):
        row = separator.join([f"{at:.2f}", *(f"{value:.2f}" for value in pressure[:, i])])
        if extra is not None:
            row += block_separator + separator.join(f"{value:.2f}" for value in extra[:, i])
        yield row


def _annotations(study: xr.DataTree, start_s: float) -> list[str]:
    events = study["events"].to_dataset()
    notes = zip(events["onset"].values, events["note"].values, strict=True)
    return [f"{start_s + float(onset):.2f}\t{note or 'Swallow'}" for onset, note in notes]
