"""Damaged files: nothing but an hrm error may escape, and nothing may be read wrong."""

import contextlib
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hrm.io
from hrm.errors import HrmError
from hrm.schema import validate
from tests.io.layouts import Headless, ManoView, Mms, results_from_the_top, spreadsheet

FILES = {
    "mms": Mms(n_samples=25, marker={7: 100, 20: 100}),
    "spreadsheet": spreadsheet(n_samples=25, marker={}),
    "table": results_from_the_top(n_samples=25),
    "manoview": ManoView(n_samples=15, n_segments=18),
    "headless": Headless(n_samples=15, n_segments=18),
}
DATA = {name: file.bytes() for name, file in FILES.items()}

quick = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def attempt(path, name, data):
    """Read a file; None if it was refused. Anything but an HrmError fails the test."""
    path.write_bytes(data)
    options = {"catheter": "CE4-0062"} if isinstance(FILES[name], Mms) else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(HrmError):
            hrm.io.peek(path)
        try:
            study = hrm.io.open_recording(path, **options)
        except HrmError:
            return None
    validate(study)
    return study


@pytest.mark.parametrize("name", FILES)
@quick
@given(data=st.data())
def test_flipped_bytes(name, data, tmp_path):
    content = bytearray(DATA[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    attempt(tmp_path / "a", name, bytes(content))


@pytest.mark.parametrize("name", FILES)
@quick
@given(data=st.data())
def test_inserted_and_removed_bytes(name, data, tmp_path):
    content = DATA[name]
    start = data.draw(st.integers(0, len(content)))
    stop = min(len(content), start + data.draw(st.integers(0, 60)))
    attempt(
        tmp_path / "a", name, content[:start] + data.draw(st.binary(max_size=30)) + content[stop:]
    )


@pytest.mark.parametrize("name", FILES)
@quick
@given(data=st.data())
def test_moved_doubled_and_removed_lines_never_change_the_samples(name, data, tmp_path):
    lines = DATA[name].split(b"\n")
    at = data.draw(st.integers(0, len(lines) - 1))
    to = data.draw(st.integers(0, len(lines) - 1))
    kind = data.draw(st.sampled_from(["remove", "double", "move"]))
    line = lines[at] if kind == "double" else lines.pop(at)
    if kind != "remove":
        lines.insert(to, line)
    study = attempt(tmp_path / "a", name, b"\n".join(lines))
    if study is None:
        return
    found, wanted = study["pressure/pressure"].values, FILES[name].pressure
    # A table without a preamble cannot tell that its first or last rows are gone.
    lost = wanted.shape[1] - found.shape[1]
    assert lost in ((0,) if isinstance(FILES[name], Mms) else (0, 1))
    whole = [wanted[:, k : k + found.shape[1]] for k in range(lost + 1)]
    assert any(np.array_equal(found, part) for part in whole)


@pytest.mark.parametrize("name", FILES)
def test_truncation_is_an_error_or_flagged(name, tmp_path):
    content = DATA[name]
    header_end = content.index(b"\n")
    for percent in range(0, 100, 2):
        cut = content[: len(content) * percent // 100]
        study = attempt(tmp_path / "a", name, cut)
        if study is None:
            continue
        # Only a file without a preamble can be cut unnoticed, and only between rows.
        assert not isinstance(FILES[name], Mms), percent
        n_samples = study["pressure/pressure"].shape[1]
        np.testing.assert_array_equal(
            study["pressure/pressure"].values, FILES[name].pressure[:, :n_samples]
        )
        if name == "manoview" and b"Annotations" not in cut:
            with pytest.warns(UserWarning, match="no 'Annotations:' footer"):
                hrm.io.open_recording(tmp_path / "a")
        assert len(cut) > header_end


@pytest.mark.parametrize("name", FILES)
def test_every_cut_within_the_last_rows(name, tmp_path):
    content = DATA[name]
    for cut in range(1, 260):
        study = attempt(tmp_path / "a", name, content[:-cut])
        if study is not None:
            found = study["pressure/pressure"].values
            np.testing.assert_array_equal(found, FILES[name].pressure[:, : found.shape[1]])


@quick
@given(data=st.binary(max_size=300))
def test_any_bytes_are_refused_in_type(data, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(data)
    for reader in (None, "mms-csv", "manoview-ascii", "manoview-headless", "hrm-native"):
        for function in (hrm.io.peek, hrm.io.open_recording):
            with pytest.raises(HrmError):
                function(path, reader=reader)


@pytest.mark.parametrize("name", FILES)
def test_the_suffix_says_nothing(name, tmp_path):
    for suffix in (".csv", ".txt", ".nc", ".edf", ""):
        study = attempt(tmp_path / f"a{suffix}", name, DATA[name])
        np.testing.assert_array_equal(study["pressure/pressure"].values, FILES[name].pressure)


def test_every_catheter_option_reaches_the_reader(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(Mms(n_sensors=5).bytes())
    (tmp_path / "c.toml").write_text(
        "[[catheter]]\nmodel = 'mine'\nn_sensors = 5\ndepths_cm = [0, 1, 2, 5, 6]\n"
    )
    study = hrm.io.open_recording(path, catheter_file=tmp_path / "c.toml", system="mms_wp")
    assert study.attrs["catheter"] == "mine"
    assert study.attrs["system"] == "mms_wp"
    np.testing.assert_array_equal(study["pressure/depth"], [0, 1, 2, 5, 6])
    study = hrm.io.open_recording(path, depths=np.array([0, 1, 2, 3, 4]))
    np.testing.assert_array_equal(study["pressure/depth"], [0, 1, 2, 3, 4])
