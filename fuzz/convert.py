"""Conversion: what is written block by block is what is read whole, in each encoding, lazily too."""

import contextlib
import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from fuzz import mms
from fuzz._harness import Target, open_recording

ENCODINGS = ("float32", "int16", "blosc")


class ConversionError(Exception):
    """A converted recording is not the one that was read."""


def _open(data: bytes) -> Any:
    import hrm.io

    content, said = data[1:], {"depths": (0.0, 1.0, 2.0)}
    encoding = ENCODINGS[data[0] % len(ENCODINGS)] if data else "float32"
    study = open_recording("mms-csv", said, content)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "a.nc"
        hrm.io.convert_recording(
            io.BytesIO(content), out, reader="mms-csv", encoding=encoding, **said
        )
        with contextlib.closing(hrm.io.open_recording(out, lazy=True)) as found:
            _compare(found, study)
    return study["pressure/pressure"].shape


def _compare(found: Any, study: Any) -> None:
    if set(found.groups) != set(study.groups):
        raise ConversionError("groups")
    for node in study.subtree:
        for name, values in node.to_dataset(inherit=False).variables.items():
            numbers = values.dtype.kind == "f"
            other = found[node.path][name].values
            if not np.array_equal(other, values.values, equal_nan=numbers):
                raise ConversionError(f"{node.path}/{name}")
    if found.attrs != study.attrs:
        raise ConversionError("attributes")


TARGET = Target("convert", _open, _open, mms.TARGET.mutate)
