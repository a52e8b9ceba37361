"""A recording block by block: one way for reading whole and for converting a long one.

A reader of text makes a `RecordingStream` of a source. `read_stream` joins its blocks to
a study; `hrm.io.convert` writes them to a native file as they come.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from hrm.errors import CorruptFileError, ParameterError
from hrm.io import _raw
from hrm.io._catheter import Placement
from hrm.io._raw import Facts, Raw
from hrm.io._registry import ReadOptions

if TYPE_CHECKING:
    import xarray as xr


class Block(NamedTuple):
    """Consecutive samples, proximal to distal.

    `pressure` (row, sensor) float32 [mmHg]; `impedance` (row, segment) float32 [ohm] or
    None. Where the impedances have a rate of their own, their rows are others.
    """

    pressure: NDArray[np.float32]
    impedance: NDArray[np.float32] | None = None


class RecordingStream(Protocol):
    """A recording whose header has been read.

    `blocks` may be walked through once; `finish` runs the checks that need the end of the
    file, and says what is only known then. `default_catheter` is a model that the format
    implies for its usual channel count; `states_catheter` says that `Facts.catheter` may
    name the model, which is then not asked for before the end.
    """

    reader: str
    n_sensors: int
    n_segments: int
    default_catheter: str | None
    states_catheter: bool

    def blocks(self) -> Iterator[Block]:
        """Give the samples in order; every cell or a CorruptFileError."""

    def finish(self) -> Facts:
        """Check the end of the file, and describe the recording; after the last block."""


def checked_blocks(stream: RecordingStream) -> Iterator[Block]:
    """Give the blocks of a stream, every number of them within what can be measured.

    Raises
    ------
    CorruptFileError
        If a value is beyond what any instrument measures, or there are fewer than two
        samples.
    """
    n_rows = n_ohms = 0
    for block in stream.blocks():
        _raw.check_range(
            block.pressure,
            _raw.MAX_PRESSURE_MMHG,
            "pressure",
            first_sample=n_rows,
            reader=stream.reader,
        )
        n_rows += len(block.pressure)
        if block.impedance is not None:
            _raw.check_range(
                block.impedance,
                _raw.MAX_IMPEDANCE_OHM,
                "impedance",
                first_sample=n_ohms,
                reader=stream.reader,
            )
            n_ohms += len(block.impedance)
        yield block
    if n_rows < 2:
        raise CorruptFileError(
            f"expected at least 2 samples, found {n_rows}; the file is cut", reader=stream.reader
        )


def collect(stream: RecordingStream) -> Raw:
    """Join the blocks of a stream; nothing here needs xarray."""
    pressure: list[NDArray[np.float32]] = []
    impedance: list[NDArray[np.float32]] = []
    for block in checked_blocks(stream):
        pressure.append(np.ascontiguousarray(block.pressure.T))
        if block.impedance is not None:
            impedance.append(np.ascontiguousarray(block.impedance.T))
    facts = stream.finish()
    joined = _joined(pressure)
    return Raw(facts, joined, _joined(impedance) if stream.n_segments else None)


def _joined(parts: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Put blocks (channel, row) one behind the other, and let go of them."""
    whole = np.empty((parts[0].shape[0], sum(part.shape[1] for part in parts)), dtype=np.float32)
    at = whole.shape[1]
    while parts:
        part = parts.pop()
        at -= part.shape[1]
        whole[:, at : at + part.shape[1]] = part
    return whole


def early_placement(stream: RecordingStream, options: ReadOptions) -> Placement | None:
    """Find where the sensors sit before the samples are read; None if they may say it.

    Raises
    ------
    ParameterError
        If the positions are unknown: better now than after a gigabyte.
    """
    if stream.states_catheter:
        return None
    return _raw.place(stream.n_sensors, options, default_catheter=stream.default_catheter)


def late_placement(
    stream: RecordingStream, options: ReadOptions, facts: Facts, early: Placement | None
) -> Placement:
    """Find where the sensors sit, with what the file said by its end.

    Raises
    ------
    ParameterError
        If the positions are unknown, or the caller and the file name two models.
    """
    if early is not None:
        return early
    stated, asked = facts.catheter, options.catheter
    if stated is not None and asked is not None and stated != asked:
        raise ParameterError(
            f"catheter= says {asked}, the file says {stated}; leave the option out"
        )
    given = options if stated is None else replace(options, catheter=stated)
    return _raw.place(stream.n_sensors, given, default_catheter=stream.default_catheter)


def read_stream(stream: RecordingStream, options: ReadOptions) -> xr.DataTree:
    """Read a stream to its end, and make a validated study of it."""
    early = early_placement(stream, options)
    raw = collect(stream)
    return _raw.build(raw, options, late_placement(stream, options, raw.facts, early))
