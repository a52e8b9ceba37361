"""Damaged files: nothing but an hrm error may escape, and nothing may be read wrong."""

import contextlib
import gzip
import io
import subprocess
import sys
import tempfile
import textwrap
import time
import tracemalloc
import warnings
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hrm.io
from hrm.errors import HrmError
from hrm.schema import validate
from tests.io.edf_bytes import Edf, clock, pressures, tal
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
    for percent in range(100):
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


# --- Every format, text or not: cut at each 1 %, and damaged in its counts -----------------

PLAIN = "".join(f"{k * 1.25:.2f},{-k:.2f},{7 - k:.2f}\n" for k in range(40))
SAID = {
    "edf": {"channel_order": "proximal_first", "depths": range(6)},
    "plain": {
        "pressure_unit": "mmHg",
        "channel_order": "proximal_first",
        "sampling_rate": 20.0,
        "depths": range(3),
    },
    "mms": {"catheter": "CE4-0062"},
    "spreadsheet": {"catheter": "CE4-0062"},
}


@cache
def every_format():
    """One whole file of each format that is read, packed ones too."""
    edf = Edf([*pressures(), clock(range(4), {1: tal(1.5, "WS 1")})], reserved="EDF+C")
    files = {**DATA, "edf": edf.bytes(), "plain": PLAIN.encode(), "native": native_bytes()}
    files["gzip"] = gzip.compress(DATA["manoview"], mtime=0)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", DATA["manoview"])
    return {**files, "zip": packed.getvalue()}


def native_bytes():
    study = hrm.io.open_recording(io.BytesIO(DATA["manoview"]))
    with tempfile.TemporaryDirectory() as folder:
        hrm.io.write_native(study, Path(folder) / "a.nc")
        return (Path(folder) / "a.nc").read_bytes()


FORMATS = [*DATA, "edf", "plain", "native", "gzip", "zip"]


def read(name, data):
    """Pressures of a file, None if it was refused; the study is held against the contract."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(HrmError):
            hrm.io.peek(io.BytesIO(data))
        try:
            study = hrm.io.open_recording(io.BytesIO(data), **SAID.get(name, {}))
        except HrmError:
            return None
    validate(study)
    return study["pressure/pressure"].values


@pytest.mark.parametrize("name", FORMATS)
def test_cut_at_every_percent_it_is_refused_or_what_is_read_is_true(name):
    data = every_format()[name]
    whole = read(name, data)
    assert whole is not None
    for percent in range(100):
        found = read(name, data[: len(data) * percent // 100])
        if found is None:
            continue
        assert name in ("manoview", "headless", "plain"), percent  # texts that state no count
        n_samples = found.shape[1]
        assert n_samples < whole.shape[1] or name == "manoview"
        # A number at the very end may have lost digits, which nothing else of a table tells.
        np.testing.assert_array_equal(found[:, :-1], whole[:, : n_samples - 1])


WRONG_COUNTS = {
    "a channel more": ("mms", b"Channels=, 29", b"Channels=, 30"),
    "no channel": ("mms", b"Channels=, 29", b"Channels=, 0"),
    "channels without end": ("mms", b"Channels=, 29", b"Channels=, " + b"9" * 400),
    "a rate less": ("mms", b"Sf=, 20, ", b"Sf=, "),
    "a rate of nothing": ("mms", b"Sf=, 20, ", b"Sf=, 0, "),
    "an endless rate": ("mms", b"20", b"1e308"),
    "an extreme less": ("mms", b"Min=, ", b"Min=, 1, "),
    "a pressure less": ("mms", b"P22, ", b""),
    "a pressure twice": ("mms", b"P2, ", b"P1, "),
    "a label less": ("manoview", b"\t36\t", b"\t"),
    "a segment more": ("manoview", b"\t18\r", b"\t18\t19\r"),
    "a record more": ("edf", b"4       1       ", b"5       1       "),
    "records without end": ("edf", b"4       1       ", b"999999991       "),
    "no record": ("edf", b"4       1       ", b"0       1       "),
    "no duration": ("edf", b"4       1       ", b"4       0       "),
    "a negative duration": ("edf", b"4       1       ", b"4       -1      "),
    "a signal more": ("edf", b"7   P1", b"8   P1"),
    "no signal": ("edf", b"7   P1", b"0   P1"),
}


@pytest.mark.parametrize("case", WRONG_COUNTS)
def test_a_wrong_count_is_refused(case):
    name, old, new = WRONG_COUNTS[case]
    data = every_format()[name]
    assert old in data
    changed = data.replace(old, new) if case == "an endless rate" else data.replace(old, new, 1)
    assert read(name, changed) is None


@pytest.mark.parametrize("name", [*DATA, "plain"])
@pytest.mark.parametrize("cell", [b"1e308", b"-1e308", b"1e309", b"inf", b"9" * 400, b"1e5000"])
def test_a_number_that_nothing_measures_is_refused(name, cell):
    data = every_format()[name]
    lines = data.split(b"\n")
    at = len(lines) // 2
    mark = next(mark for mark in (b"\t", b", ", b",", b"  ") if lines[at].count(mark) > 1)
    cells = lines[at].split(mark)
    for k in {0, 1, len(cells) // 2} - ({0} if name == "plain" else set()):
        lines[at] = mark.join([*cells[:k], cell, *cells[k + 1 :]])
        assert read(name, b"\n".join(lines)) is None, k


@pytest.mark.parametrize("name", [*DATA, "plain"])
@pytest.mark.parametrize("junk", [b"\0", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1a", b"\x07", b"\x0b"])
def test_strange_bytes_anywhere_never_change_a_number(name, junk):
    data = every_format()[name]
    whole = read(name, data)
    for at in range(0, len(data), max(1, len(data) // 40)):
        found = read(name, data[:at] + junk + data[at:])
        assert found is None or np.array_equal(found, whole), at


@pytest.mark.parametrize("name", [*DATA, "plain"])
def test_two_byte_order_marks_or_the_wrong_one_never_change_a_number(name):
    data = every_format()[name]
    whole = read(name, data)
    for mark in (b"\xef\xbb\xbf" * 2, b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"+/v8"):
        found = read(name, mark + data)
        assert found is None or np.array_equal(found, whole), mark


@pytest.mark.parametrize("name", [*DATA, "plain"])
def test_line_ends_of_every_kind_in_one_file_read_the_same(name):
    data = every_format()[name]
    ends = [b"\n", b"\r\n", b"\r"]
    lines = data.replace(b"\r\n", b"\n").split(b"\n")
    mixed = b"".join(line + ends[k % 3] for k, line in enumerate(lines[:-1])) + lines[-1]
    np.testing.assert_array_equal(read(name, mixed), read(name, data))


# --- Time and memory ------------------------------------------------------------------------

LONG = {
    "mms": Mms(n_sensors=10_000, n_samples=3, marker={}).bytes(),
    "manoview": ManoView(n_sensors=10_000, n_samples=3).bytes(),
    "headless": Headless(n_sensors=10_000, n_samples=3).bytes(),
    "plain": b"\n".join([b",".join([b"1.5"] * 10_000)] * 3),
}


@pytest.mark.parametrize("name", LONG)
def test_ten_thousand_columns_take_no_time(name):
    said = {**SAID.get(name, {}), "catheter": None, "depths": range(10_000)}
    begun = time.process_time()
    with contextlib.suppress(HrmError):
        hrm.io.open_recording(io.BytesIO(LONG[name]), **said)
    assert time.process_time() - begun < 5


#: What a line or a file may be made of without end.
ENDLESS = (
    *(b'"', b",", b"\t", b" ", b"\r", b"\n", b"\r\r\n", b"1", b"1,", b'"a",', b"a=\n", b"a=1\n"),
    *(b"annotations:", b"annotations: \n", b"TIME:\t", b"\xa4@", b"0.01\t", b"Wet swallow1,"),
    *(b"contraction vigos,", b"ws_10_vigo,", b"catheter_typ,", b"\0", b"+0\x14\x14\0"),
)


@pytest.mark.parametrize("token", ENDLESS)
@pytest.mark.parametrize("name", ["mms", "spreadsheet", "manoview", "headless", "plain", "edf"])
def test_no_repetition_takes_long(name, token):
    data = every_format()[name]
    header = data.lower().find(b"sample number")
    for at in {0, data.find(b"\n", max(header, 0)), len(data) // 2, len(data)}:
        long = data[:at] + token * (100_000 // len(token)) + data[at:]
        begun = time.process_time()
        read(name, long)
        assert time.process_time() - begun < 4, at  # 2 s on a free machine


def test_a_line_without_end_is_refused_in_bounded_memory():
    data = every_format()["mms"] + b"1," * (20 << 20)
    tracemalloc.start()
    try:
        assert read("mms", data) is None
        assert tracemalloc.get_traced_memory()[1] < 150 << 20
    finally:
        tracemalloc.stop()


def test_a_gzip_that_unpacks_to_a_gigabyte_is_refused_before_it_has():
    bomb = gzip.compress(bytes(64 << 20), mtime=0) * 16
    begun = time.process_time()
    assert read("gzip", bomb) is None
    assert time.process_time() - begun < 5


# --- The file system ------------------------------------------------------------------------


def test_a_link_reads_like_its_file(tmp_path):
    (tmp_path / "a").write_bytes(DATA["manoview"])
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "link of a link").symlink_to(tmp_path / "link")
    found = hrm.io.open_recording(tmp_path / "link of a link")
    np.testing.assert_array_equal(found["pressure/pressure"].values, FILES["manoview"].pressure)


@pytest.mark.parametrize("function", [hrm.io.open_recording, hrm.io.peek])
def test_a_link_that_leads_nowhere_raises_the_error_of_the_system(function, tmp_path):
    (tmp_path / "none").symlink_to(tmp_path / "gone")
    with pytest.raises(FileNotFoundError):
        function(tmp_path / "none")
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    with pytest.raises((OSError, RuntimeError), match=r"symbolic links|symlink"):
        function(tmp_path / "one")
    (tmp_path / "folder").symlink_to(tmp_path)
    with pytest.raises((IsADirectoryError, PermissionError)):
        function(tmp_path / "folder")


UNPRIVILEGED = """
    import os, sys
    import hrm.io
    # All that is imported on the way, while the interpreter's own files may be read.
    study = hrm.io.open_recording(sys.argv[2])
    hrm.io.peek(sys.argv[2])
    hrm.io.write_native(study, sys.argv[2] + ".nc")
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    for function in (hrm.io.open_recording, hrm.io.peek, hrm.io.archive_members):
        try:
            function(sys.argv[1])
        except PermissionError:
            continue
        sys.exit(f"{function.__name__} was let in")
    hrm.io.open_recording(sys.argv[2])
    try:
        hrm.io.write_native(study, sys.argv[3])
    except PermissionError:
        sys.exit(0)
    sys.exit("it was written")
"""


@pytest.fixture
def public_folder():
    """A folder that everybody may enter; those of pytest are closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are of another kind there")
def test_what_may_not_be_read_or_written_raises_the_error_of_the_system(public_folder):
    # As nobody: root is let in everywhere, and tests often run as root.
    closed, free, folder = (public_folder / name for name in ("closed", "free", "folder"))
    for path in (closed, free):
        path.write_bytes(DATA["manoview"])
    closed.chmod(0)
    free.chmod(0o644)
    folder.mkdir(mode=0o555)
    done = subprocess.run(
        [
            *(sys.executable, "-c", textwrap.dedent(UNPRIVILEGED)),
            *(str(closed), str(free), str(folder / "a.nc")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
