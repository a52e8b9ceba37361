"""Single swallows of the ManoBank: a variant of the headless ManoView table."""

import json

import numpy as np
import pytest
import xarray as xr

import hrm.io
from hrm.errors import CorruptFileError, ParameterError
from hrm.io._registry import Match, builtin_readers
from hrm.io._source import Source
from tests.io.layouts import ManoBank

LAYOUT = """
[time]
column = 1
unit = "s"
[pressure]
columns = "2-37"
unit = "mmHg"
order = "distal_first"
depths_cm = [{depths}]
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "W_5_001.txt"
    path.write_bytes(ManoBank().bytes())
    return path


def test_one_reader_claims_it(path):
    with Source.of(path) as source:
        found = {r.name: r.sniff(source.head(), source).match for r in builtin_readers()}
    assert {name for name, match in found.items() if match is not Match.NO} == {"manoview-headless"}


def test_time_may_be_that_of_the_swallow_or_of_the_study(tmp_path):
    for first in (0.0, 731.5):
        path = tmp_path / "a.txt"
        path.write_bytes(ManoBank(first=first).bytes())
        study = hrm.io.open_recording(path)
        assert study.attrs["time_offset_s"] == first
        assert study["pressure/time"].values[0] == 0.0
        np.testing.assert_array_equal(study["pressure/pressure"].values, ManoBank().pressure)
        np.testing.assert_allclose(study["impedance/impedance"].values, ManoBank().impedance)


@pytest.mark.parametrize("name", ["W_5_001.txt", "V_10_003.txt", "J_61_123.txt", "DOE_JANE.txt"])
def test_the_name_of_the_file_says_nothing(name, path, tmp_path):
    other = tmp_path / "other" / name
    other.parent.mkdir()
    other.write_bytes(path.read_bytes())
    study = hrm.io.open_recording(other)
    xr.testing.assert_identical(study, hrm.io.open_recording(path))
    assert study["events"].to_dataset().sizes["event"] == 0
    assert name[:-4] not in json.dumps(study.attrs)


def test_a_file_that_another_system_made_is_read_by_a_layout(path, tmp_path):
    layout = tmp_path / "layout.toml"
    layout.write_text(LAYOUT.format(depths=", ".join(str(k) for k in range(35, -1, -1))))
    study = hrm.io.open_recording(path, layout=layout)
    found = study["pressure/pressure"].values
    np.testing.assert_array_equal(found, ManoBank().pressure[::-1])
    assert study.attrs["catheter"] == "unknown"
    # Said of the reader that knows the order, the option is refused rather than not heeded.
    with pytest.raises(ParameterError, match="channel_order="):
        hrm.io.open_recording(path, channel_order="distal_first")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"0.20\t", b"0.21\t", "line 21: the time jumps"),
        (b"0.20\t", b"0.2x\t", "line 21, column 1: expected a number"),
        (b"\r\n0.20\t", b"\r\n\t", "line 21: expected 55 cells|line 21"),
    ],
)
def test_faults_are_named(old, new, message, path):
    data = path.read_bytes()
    assert data.count(old) == 1 or old == b"0.20\t"
    at = data.index(b"\r\n0.20\t") + (0 if old.startswith(b"\r") else 2)
    path.write_bytes(data[:at] + new + data[at + len(old) :])
    with pytest.raises(CorruptFileError, match=message):
        hrm.io.open_recording(path)


def test_a_window_of_milliseconds_is_not_taken_for_seconds(tmp_path):
    rows = ManoBank().lines()
    rows = ["\t".join([str(k * 10), *row.split("\t")[1:]]) for k, row in enumerate(rows)]
    path = tmp_path / "a.txt"
    path.write_text("\n".join(rows) + "\n")
    with pytest.raises(ParameterError, match="hrm layout --init"):
        hrm.io.open_recording(path)
