"""What every reader owes: one function, called for each of them.

`check` reads a file whose content is known and tests the result against the data
contract, the truth, the native file and `peek`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xarray as xr

import hrm.io
from hrm.schema import REQUIRED_ATTRS, validate


@dataclass
class Case:
    """A file, how to read it, and what is in it."""

    reader: str
    source_format: str
    pressure: np.ndarray
    rate_hz: float
    first_s: float
    depth: np.ndarray
    impedance: np.ndarray | None = None
    needs_catheter: bool = False
    #: Whether the file states how many samples it has, so that it need not be read for that.
    counted: bool = True
    options: dict = field(default_factory=dict)


def check(path: Path, case: Case, scratch: Path) -> xr.DataTree:
    """Check one file against its case; returns the study for further tests."""
    study = hrm.io.open_recording(path, **case.options)
    validate(study)
    check_values(study, case)
    check_attrs(study, case, path)
    check_native_round_trip(study, scratch)
    check_peek(study, path, case)
    xr.testing.assert_identical(study, hrm.io.open_recording(path, **case.options))
    return study


def check_values(study: xr.DataTree, case: Case) -> None:
    node = study["pressure"].to_dataset()
    assert node["pressure"].values.flags.c_contiguous
    np.testing.assert_array_equal(node["pressure"].values, case.pressure)
    assert node["pressure"].attrs["units"] == "mmHg"
    np.testing.assert_array_equal(node["depth"].values, case.depth)
    assert (np.diff(node["depth"]) > 0).all()
    assert node["depth"].attrs["depth_reference"] == "first_sensor"
    np.testing.assert_allclose(node["time"], np.arange(node.sizes["time"]) / case.rate_hz)
    if case.impedance is None:
        assert "impedance" not in study.children
    else:
        impedance = study["impedance/impedance"]
        np.testing.assert_allclose(impedance.values, case.impedance, rtol=1e-6)
        assert impedance.attrs["units"] == "ohm"
        assert np.isnan(study["impedance/segment_depth"].values).all()


def check_attrs(study: xr.DataTree, case: Case, path: Path) -> None:
    attrs = study.attrs
    assert set(REQUIRED_ATTRS) <= set(attrs)
    json.dumps(attrs, allow_nan=False)
    assert attrs["source_format"] == case.source_format
    assert attrs["sampling_rate"] == case.rate_hz
    assert attrs["insertion_depth"] == "unknown"
    assert np.isclose(attrs["time_offset_s"], case.first_s)
    assert len(attrs["source_sha256"]) == 64
    assert attrs["study_id"] == attrs["source_sha256"][:12]
    assert path.stem not in json.dumps(attrs)


def check_native_round_trip(study: xr.DataTree, scratch: Path) -> None:
    native = scratch / "round_trip.nc"
    hrm.io.write_native(study, native, overwrite=True)
    back = hrm.io.open_recording(native)
    xr.testing.assert_identical(back, study)
    assert back.attrs == study.attrs
    assert back["pressure/pressure"].values.tobytes() == study["pressure/pressure"].values.tobytes()
    with xr.open_datatree(native) as plain:
        xr.testing.assert_identical(plain.load(), study)


def check_peek(study: xr.DataTree, path: Path, case: Case) -> None:
    found = hrm.io.peek(path)
    n_sensors, n_samples = study["pressure/pressure"].shape
    assert found == {
        "format": case.reader,
        "reader": case.reader,
        "n_sensors": n_sensors,
        "sampling_rate_hz": study.attrs["sampling_rate"],
        "n_samples": n_samples if case.counted else None,
        "duration_s": n_samples / study.attrs["sampling_rate"] if case.counted else None,
        "first_time_s": study.attrs["time_offset_s"],
        "has_impedance": "impedance" in study.children,
        "needs_catheter": case.needs_catheter,
        "size_bytes": path.stat().st_size,
    }
