"""A recording into the native file, as it is read: a day of text in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from hrm._files import check_target, new_file
from hrm.io import _digest, _raw, native
from hrm.io._catheter import Placement
from hrm.io._encodings import (
    CHUNK_SAMPLES,
    COMPRESSION,
    Encoding,
    Proof,
    check_encoding,
    pack,
    storage_of,
)
from hrm.io._raw import Facts, Raw
from hrm.io._registry import ReadOptions, StreamingReader, check_said, choose_reader
from hrm.io._source import Source
from hrm.io._storable import check_storable
from hrm.io._stream import (
    RecordingStream,
    checked_blocks,
    early_placement,
    late_placement,
)

if TYPE_CHECKING:
    import xarray as xr

Progress = Callable[[int, int], None]
_DIMS = {"pressure": ("sensor", "time"), "impedance": ("segment", "impedance_time")}


def convert_stream(
    source: Source,
    out: str | os.PathLike[str],
    options: ReadOptions,
    *,
    reader: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    encoding: Encoding = "float32",
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
    encoding : {"float32", "int16", "blosc"}
        How the samples are stored, see `hrm.io.write_native`.

    Raises
    ------
    FormatError, ParameterError
        As `hrm.io.open_recording`; also if ``"int16"`` would change a sample.
    MissingDependencyError
        If ``"blosc"`` is asked for and hdf5plugin is not installed.
    FileExistsError
        If the file exists and `overwrite` is not set.
    """
    target = Path(out)
    check_target(target, overwrite=overwrite)
    encoding = check_encoding(encoding)
    chosen = choose_reader(source, reader, has_layout=options.layout is not None)
    check_said(chosen, options)
    if not isinstance(chosen, StreamingReader):
        study = chosen.read(source, options)
        native.write_native(study, target, overwrite=overwrite, encoding=encoding)
        return
    stream = chosen.stream(source, options)
    early = early_placement(stream, options)
    with new_file(target, overwrite=overwrite) as temporary:
        write = _write_packed if encoding == "int16" else partial(_write, storage_of(encoding))
        written = write(_Samples(stream, source, progress), temporary)
        facts = stream.finish()
        placement = late_placement(stream, options, facts, early)
        _write_rest(temporary, _skeleton(stream, facts, options, placement), written, facts)
        _digest.append(temporary)


class _Samples:
    """The blocks of a stream, and what is learned of them on their way.

    `alive` says which sensors ever gave a number.
    """

    def __init__(self, stream: RecordingStream, source: Source, progress: Progress | None) -> None:
        self._stream, self._source, self._progress = stream, source, progress
        self.alive = np.zeros(stream.n_sensors, dtype=bool)
        self.n_channels = {"pressure": stream.n_sensors}
        if stream.n_segments:
            self.n_channels["impedance"] = stream.n_segments

    def __iter__(self) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """Give name and rows (row, channel) of each signal, as they come."""
        for block in checked_blocks(self._stream):
            self.alive |= ~np.isnan(block.pressure).all(axis=0)
            for name, rows in zip(block._fields, block, strict=True):
                if rows is not None and name in self.n_channels:
                    yield name, rows
            if self._progress is not None:
                self._progress(self._source.bytes_read, self._source.packed_size)


@dataclass(frozen=True, slots=True)
class _Written:
    """What was written of the samples: their number, and which sensors ever gave a number."""

    n_samples: int
    n_impedance_samples: int
    alive: NDArray[np.bool_]


def _write(
    storage: Mapping[str, Any],
    samples: _Samples,
    file: Path,
    proofs: Mapping[str, Proof] = MappingProxyType({}),
) -> _Written:
    """Write the samples as float32, stored as `storage` says, and show them to the proofs."""
    import h5netcdf

    with h5netcdf.File(file, "w") as root:
        series = {
            name: _Series(root, name, n_channels, storage)
            for name, n_channels in samples.n_channels.items()
        }
        for name, rows in samples:
            if name in proofs:
                proofs[name].add(rows)
            series[name].add(rows)
        n_rows = {name: each.end() for name, each in series.items()}
    return _Written(n_rows["pressure"], n_rows.get("impedance", 0), samples.alive)


def _write_packed(samples: _Samples, file: Path) -> _Written:
    """Write the samples as int16, once all of them are known to come back.

    How many decimals they need is known at their end only: until then they are in a file
    beside, as they are.
    """
    import h5py

    beside = file.with_name(f"{file.name}.float32")
    proofs = {name: Proof(name) for name in samples.n_channels}
    try:
        written = _write({}, samples, beside, proofs)
        with h5py.File(beside, "r") as floats:
            _pack(floats, proofs, file)
    finally:
        beside.unlink(missing_ok=True)
    return written


def _pack(floats: Any, proofs: Mapping[str, Proof], file: Path) -> None:
    """Write the codes of all samples, part by part."""
    import h5netcdf

    with h5netcdf.File(file, "w") as root:
        for name, proof in proofs.items():
            values = floats[f"{name}/{name}"]
            series = _Series(root, name, len(values), COMPRESSION, np.int16, proof.attrs)
            for start in range(0, values.shape[1], CHUNK_SAMPLES):
                part = values[:, start : start + CHUNK_SAMPLES]
                series.add(pack(part, proof.decimals).T)
            series.end()


class _Series:
    """One signal in the file that grows along its time, by whole chunks until its end."""

    def __init__(
        self,
        root: Any,
        name: str,
        n_channels: int,
        storage: Mapping[str, Any],
        dtype: DTypeLike = np.float32,
        attrs: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        dims = _DIMS[name]
        self._group = root.create_group(name)
        self._time = dims[1]
        self._group.dimensions = {dims[0]: n_channels, dims[1]: None}
        attrs = dict(attrs)
        self._variable = self._group.create_variable(
            name,
            dims,
            dtype,
            chunks=(n_channels, CHUNK_SAMPLES),
            fillvalue=attrs.pop("_FillValue", None),
            **storage,
        )
        self._variable.attrs.update(attrs)
        self._waiting: list[NDArray[Any]] = []
        self._n_waiting = 0
        self._n_rows = 0

    def add(self, rows: NDArray[Any]) -> None:
        """Take further samples (row, channel)."""
        self._waiting.append(rows)
        self._n_waiting += len(rows)
        whole = self._n_waiting // CHUNK_SAMPLES * CHUNK_SAMPLES
        if whole:
            self._write(whole)

    def end(self) -> int:
        """Write what is left, and say how many samples there were."""
        if self._n_waiting:
            self._write(self._n_waiting)
        return self._n_rows

    def _write(self, n_rows: int) -> None:
        rows = np.concatenate(self._waiting)
        stop = self._n_rows + n_rows
        self._group.resize_dimension(self._time, stop)
        self._variable[:, self._n_rows : stop] = np.ascontiguousarray(rows[:n_rows].T)
        self._n_rows = stop
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

    check_storable(skeleton)
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
            n_chunk = min(len(values), CHUNK_SAMPLES)
            written = group.create_variable(
                name, variable.dims, values.dtype, chunks=(n_chunk,), **COMPRESSION
            )
            written[:] = values
        written.attrs.update(variable.attrs)
