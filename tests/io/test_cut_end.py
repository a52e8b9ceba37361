"""A text cut within its last row: refused, or on request read without that row."""

import io
import warnings

import numpy as np
import pytest

import hrm.io
from hrm.errors import CorruptFileError, DataQualityWarning
from tests.io.layouts import Headless, ManoView, Mms

TABLE = {
    "sampling_rate": 50.0,
    "depths": tuple(range(5)),
    "pressure_unit": "mmHg",
    "channel_order": "proximal_first",
}
#: The values must stand in the row that is left out, so that no check of Min and Max sees it.
PREAMBLE = {"Min": None, "Max": None}


def table():
    values = np.random.default_rng(0).integers(-800, 20_000, (40, 5)) / 100
    return "\n".join(",".join(f"{value:.2f}" for value in row) for row in values).encode() + b"\n"


FORMATS = {
    "plain table": (table(), TABLE),
    "manoview": (ManoView(n_samples=40, footer=False).bytes(), {}),
    "manoview with impedance": (ManoView(n_samples=40, n_segments=18, footer=False).bytes(), {}),
    "headless": (Headless(n_samples=40).bytes(), {}),
    "mms": (Mms(n_samples=40, preamble=PREAMBLE, marker={39: 100}).bytes(), {}),
}


def read(content, options, **more):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        study = hrm.io.open_recording(io.BytesIO(content), **options, **more)
    return study["pressure/pressure"].values, [str(each.message) for each in caught]


def options_of(name):
    content, options = FORMATS[name]
    if name == "mms":
        n = Mms(n_samples=40).pressure.shape[0]
        options = {"depths": tuple(range(n))}
    return content, options


def cuts(content):
    """Contents that end within the last row, from its last cell to its second."""
    body = content.rstrip()
    start = body.rindex(b"\n") + 1
    row = body[start:]
    separator = next(mark for mark in (b",", b";", b"\t", b" ") if mark in row.strip())
    marks = [k for k in range(3, len(row)) if row[k : k + 1] == separator]
    return [body[:-1], *(body[: start + k] for k in (marks[-1], marks[len(marks) // 2], marks[0]))]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("which", range(4))
def test_a_cut_last_row_is_refused_or_left_out(name, which):
    content, options = options_of(name)
    whole, _ = read(content, options, strictness="warn")
    n_lines = content.rstrip().count(b"\n") + 1
    part = cuts(content)[which]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(CorruptFileError) as caught:
            hrm.io.open_recording(io.BytesIO(part), **options)
    if name != "mms":  # without Min and Max it is refused in any case, at the first fault
        assert f"line {n_lines}: the last row is cut" in str(caught.value)
        assert 'strictness="warn"' in str(caught.value)
    found, said = read(part, options, strictness="warn")
    assert found.tobytes() == whole[:, :-1].tobytes()
    told = [each for each in said if "cut and left out" in each]
    assert len(told) == 1
    assert f"line {n_lines}:" in told[0]


@pytest.mark.parametrize("name", FORMATS)
def test_a_whole_file_is_whole(name):
    content, options = options_of(name)
    for each in (content, content.rstrip(), content + content[-1:]):
        _, said = read(each, options, strictness="warn")
        assert not [text for text in said if "left out" in text]


def test_a_fault_above_is_told_first_and_a_row_short_in_the_middle_stays_a_fault():
    rows = table().splitlines(keepends=True)
    rows[10] = rows[10].replace(b",", b";", 1)
    for strictness in ("raise", "warn"):
        with pytest.raises(CorruptFileError, match=r"line 11: expected 5 cells, found 4"):
            hrm.io.open_recording(io.BytesIO(b"".join(rows)[:-9]), strictness=strictness, **TABLE)


def test_the_size_of_the_blocks_makes_no_difference(monkeypatch):
    content = cuts(table())
    wanted = [read(part, TABLE, strictness="warn") for part in content]
    for n_bytes in (1, 7, 30, 61, 200):
        monkeypatch.setattr("hrm.io._lines.BLOCK_BYTES", n_bytes)
        for part, (values, said) in zip(content, wanted, strict=True):
            found, told = read(part, TABLE, strictness="warn")
            assert found.tobytes() == values.tobytes()
            assert told == said


def test_a_converted_file_is_without_the_row_too(tmp_path):
    part = cuts(table())[1]
    with pytest.warns(DataQualityWarning, match="line 40: the last row is cut and left out"):
        hrm.io.convert_recording(io.BytesIO(part), tmp_path / "a.nc", strictness="warn", **TABLE)
    found = hrm.io.open_recording(tmp_path / "a.nc")["pressure/pressure"].values
    assert found.shape == (5, 39)
