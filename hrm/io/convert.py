"""A recording into the native file, as it is read: a day of text in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hrm._files import check_target, new_file
from hrm.io import _raw, native
from hrm.io._catheter import Placement
from hrm.io._raw import Facts, Raw
from hrm.io._registry import ReadOptions, StreamingReader, check_said, choose_reader
from hrm.io._source import Source
from hrm.io._stream import (
    RecordingStream,
    checked_blocks,
    early_placement,
    late_placement,
)

if TYPE_CHECKING:
    import xarray as xr

Progress = Callable[[int, int], None]


def convert_stream(
    source: Source,
    out: str | os.PathLike[str],
    options: ReadOptions,
    *,
    reader: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> None:
    """Write a recording to a native file: what `write_native` makes of the study read whole.

    Parameters
    ----------
    source : Source
        The recording. That of a reader which cannot stream is read whole.
    out : path-like
        Where to; the file appears complete or not at all.
    options : ReadOptions
        What the caller says about the recording.
    reader : str, optional
        Name of the reader to use instead of looking at the content.
    overwrite : bool
        Replace an existing file.
    progress : callable, optional
        Called with the bytes read so far and those of the whole file, as they lie.

    Raises
    ------
    FormatError, ParameterError
        As `hrm.io.open_recording`.
    FileExistsError
        If the file exists and `overwrite` is not set.
    """
    target = Path(out)
    check_target(target, overwrite=overwrite)
    chosen = choose_reader(source, reader, has_layout=options.layout is not None)
    check_said(chosen, options)
    if not isinstance(chosen, StreamingReader):
        native.write_native(chosen.read(source, options), target, overwrite=overwrite)
        return
    stream = chosen.stream(source, options)
    early = early_placement(stream, options)
    with new_file(target, overwrite=overwrite) as temporary:
        written = _write_samples(stream, temporary, source, progress)
        facts = stream.finish()
        placement = late_placement(stream, options, facts, early)
        _write_rest(temporary, _skeleton(stream, facts, options, placement), written, facts)
        native.append_digest(temporary)


@dataclass(frozen=True, slots=True)
class _Written:
    """What was written of the samples: their number, and which sensors ever gave a number."""

    n_samples: int
    n_impedance_samples: int
    alive: NDArray[np.bool_]


def _write_samples(
    stream: RecordingStream, file: Path, source: Source, progress: Progress | None
) -> _Written:
    import h5netcdf

    alive = np.zeros(stream.n_sensors, dtype=bool)
    with h5netcdf.File(file, "w") as root:
        pressure = _Series(root, "pressure", ("sensor", "time"), stream.n_sensors)
        impedance = None
        if stream.n_segments:
            impedance = _Series(root, "impedance", ("segment", "impedance_time"), stream.n_segments)
        for block in checked_blocks(stream):
            alive |= ~np.isnan(block.pressure).all(axis=0)
            pressure.add(block.pressure)
            if impedance is not None and block.impedance is not None:
                impedance.add(block.impedance)
            if progress is not None:
                progress(source.bytes_read, source.packed_size)
        pressure.end()
        if impedance is not None:
            impedance.end()
    return _Written(pressure.n_rows, 0 if impedance is None else impedance.n_rows, alive)


class _Series:
    """One signal in the file that grows along its time, by whole chunks until its end."""

    def __init__(self, root: Any, name: str, dims: tuple[str, str], n_channels: int) -> None:
        self._group = root.create_group(name)
        self._time = dims[1]
        self._group.dimensions = {dims[0]: n_channels, dims[1]: None}
        self._variable = self._group.create_variable(
            name,
            dims,
            np.float32,
            chunks=(n_channels, native.CHUNK_SAMPLES),
            **native.COMPRESSION,
        )
        self._waiting: list[NDArray[np.float32]] = []
        self._n_waiting = 0
        self.n_rows = 0

    def add(self, rows: NDArray[np.float32]) -> None:
        """Take further samples (row, channel)."""
        self._waiting.append(rows)
        self._n_waiting += len(rows)
        whole = self._n_waiting // native.CHUNK_SAMPLES * native.CHUNK_SAMPLES
        if whole:
            self._write(whole)

    def end(self) -> None:
        """Write what is left."""
        if self._n_waiting:
            self._write(self._n_waiting)

    def _write(self, n_rows: int) -> None:
        rows = np.concatenate(self._waiting)
        stop = self.n_rows + n_rows
        self._group.resize_dimension(self._time, stop)
        self._variable[:, self.n_rows : stop] = np.ascontiguousarray(rows[:n_rows].T)
        self.n_rows = stop
        self._waiting = [rows[n_rows:].copy()]
        self._n_waiting = len(rows) - n_rows


def _skeleton(
    stream: RecordingStream, facts: Facts, options: ReadOptions, placement: Placement
) -> xr.DataTree:
    """Make the study with two samples of zero: all that is not a sample is as it will be."""
    pressure = np.zeros((stream.n_sensors, 2), dtype=np.float32)
    impedance = np.zeros((stream.n_segments, 2), dtype=np.float32) if stream.n_segments else None
    return _raw.build(Raw(facts, pressure, impedance), options, placement)


def _write_rest(file: Path, skeleton: xr.DataTree, written: _Written, facts: Facts) -> None:
    """Add attributes, coordinates and events; the samples are there."""
    import h5netcdf
    import xarray as xr

    native.check_storable(skeleton)
    nodes = {node.path: node.to_dataset(inherit=False) for node in skeleton.subtree}
    pressure = nodes.pop("/pressure")
    impedance = nodes.pop("/impedance", None)
    pressure["sensor_ok"].values[:] &= written.alive
    rate = facts.sampling_rate_hz
    with h5netcdf.File(file, "a") as root:
        time = np.arange(written.n_samples, dtype=np.float64) / rate
        _write_coordinates(root["pressure"], "pressure", pressure, time)
        if impedance is not None:
            rate = facts.impedance_rate_hz or rate
            time = np.arange(written.n_impedance_samples, dtype=np.float64) / rate
            _write_coordinates(root["impedance"], "impedance", impedance, time)
    native.write_tree(xr.DataTree.from_dict(nodes), file, mode="a")


def _write_coordinates(
    group: Any, signal: str, dataset: xr.Dataset, time: NDArray[np.float64]
) -> None:
    """Write what surrounds a signal, in xarray's encoding; `time` replaces that of the skeleton."""
    from xarray import conventions

    variables, attrs = conventions.encode_dataset_coordinates(dataset)
    for variable in variables.values():
        variable.encoding["_FillValue"] = None
    variables, _ = conventions.cf_encoder(variables, attrs)
    time_name = dataset[signal].dims[1]
    for name, variable in variables.items():
        values = time if name == time_name else variable.values
        if name == signal:
            written = group[signal]
        else:
            n_chunk = min(len(values), native.CHUNK_SAMPLES)
            written = group.create_variable(
                name, variable.dims, values.dtype, chunks=(n_chunk,), **native.COMPRESSION
            )
            written[:] = values
        written.attrs.update(variable.attrs)
