"""Windows of one study, joined: the study that they were cut from, or a refusal."""

import gzip
import hashlib
import io
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import hrm.io
from hrm.errors import CorruptFileError, HrmError, ParameterError, ProvenanceWarning
from hrm.io.join import join_windows
from hrm.schema import make_recording, validate
from tests.io.layouts import PLANT, Headless, ManoView, Mms

N = 60
NOTES = tuple((f"{260.60 + at / 100:.2f}", f"WS {k}") for k, at in enumerate((0, 11, 12, 12, 59)))
STUDY = ManoView(n_samples=N, n_segments=18, annotations=NOTES)
FILES = {
    "headed": STUDY,
    "no impedance": ManoView(n_samples=N, annotations=()),
    "headless": Headless(n_samples=N, n_segments=18),
    "no dummy row": Headless(n_samples=N, dummy=None),
    "mms": Mms(n_samples=N, preamble={"Min": None, "Max": None}, marker={5: 100, 30: 100}),
}


def cut(file, start, stop, notes="own"):
    """The rows `start` to `stop` of a file as a file of their own."""
    lines = file.lines()
    top = next(k for k, line in enumerate(lines) if line[:3] in ("260", "244"))
    rows, footer = lines[top : top + N][start:stop], []
    if getattr(file, "footer", False):
        footer = ["Annotations:"]
        for time, text in file.annotations:
            at = round((float(time) - file.first) * file.rate)
            if notes == "all" or start <= at < stop:
                footer.append(f"{time}\t{text}")
    return (file.newline.join([*lines[:top], *rows, *footer]) + file.newline).encode()


def join(*contents, **options):
    return hrm.io.open_windows([io.BytesIO(each) for each in contents], **options)


def comparable(study):
    """Without what names the files: a joined study has digests of its own."""
    study = study.copy()
    study.attrs = {k: v for k, v in study.attrs.items() if k not in ("source_sha256", "study_id")}
    return study


@st.composite
def covers(draw):
    """Windows (from, to) that overlap by a sample at least and cover all, in any order."""
    start, stop = 0, draw(st.integers(2, N))
    found = [(start, stop)]
    while stop < N:
        start = draw(st.integers(start, stop - 1))
        stop = draw(st.integers(max(stop + 1, start + 2), N))
        found.append((start, stop))
    for _ in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, N - 2))
        found.append((start, draw(st.integers(start + 2, N))))
    return draw(st.permutations(found))


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(parts=covers(), notes=st.sampled_from(["own", "all"]))
def test_a_study_cut_anywhere_is_joined_to_itself(name, parts, notes):
    options = {"catheter": "CE4-0062", "strictness": "warn"} if name == "mms" else {}
    contents = [cut(FILES[name], *part, notes) for part in parts]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*annotations lie outside")
        warnings.filterwarnings("ignore", message=".*no row 'Min=' and 'Max='")
        joined = join(*contents, **options)
        whole = hrm.io.open_recording(io.BytesIO(cut(FILES[name], 0, N)), **options)
    validate(joined)
    found, wanted = comparable(joined), comparable(whole)
    if name == "mms":
        # Its onsets are whole samples over the rate, not differences of printed times.
        xr.testing.assert_allclose(found, wanted, rtol=0, atol=1e-9)
        assert found.attrs == wanted.attrs
    else:
        xr.testing.assert_identical(found, wanted)
    assert joined["pressure/pressure"].values.tobytes() == FILES[name].pressure.tobytes()


def test_the_order_makes_no_difference_and_the_digest_is_documented():
    contents = [cut(STUDY, 0, 30), cut(STUDY, 20, 50), cut(STUDY, 45, N)]
    joined = join(*contents)
    xr.testing.assert_identical(join(*contents[::-1]), joined)
    xr.testing.assert_identical(join(*contents, contents[1]), joined)
    digests = sorted(hashlib.sha256(each).hexdigest() for each in contents)
    wanted = hashlib.sha256("".join(f"{each}\n" for each in digests).encode()).hexdigest()
    assert joined.attrs["source_sha256"] == wanted
    assert joined.attrs["study_id"] == wanted[:12]
    assert join(*contents, participant="P-07").attrs["study_id"] == "P-07"
    assert join(*contents, participant="P-07").attrs["source_sha256"] == wanted


def test_one_file_is_itself_however_often_it_is_given():
    content = cut(STUDY, 0, N)
    alone = hrm.io.open_recording(io.BytesIO(content))
    for contents in ([content], [content, content]):
        xr.testing.assert_identical(join(*contents), alone)


def test_files_may_be_packed_and_converted_before(tmp_path):
    plain, packed, native = (tmp_path / name for name in ("a.txt", "b.txt.gz", "c.nc"))
    plain.write_bytes(cut(STUDY, 0, 30))
    packed.write_bytes(gzip.compress(cut(STUDY, 20, 50)))
    hrm.io.convert_recording(io.BytesIO(cut(STUDY, 45, N)), native)
    wanted = join(cut(STUDY, 0, 30), cut(STUDY, 20, 50), cut(STUDY, 45, N))
    joined = hrm.io.open_windows([packed, str(native), plain])
    xr.testing.assert_identical(joined, wanted)
    hrm.io.write_native(joined, tmp_path / "joined.nc")
    again = hrm.io.open_recording(tmp_path / "joined.nc")
    xr.testing.assert_identical(again, joined)


def test_a_gap_is_refused_with_its_times():
    parts = [cut(STUDY, 0, 20), cut(STUDY, 25, 40), cut(STUDY, 50, N)]
    with pytest.raises(CorruptFileError) as caught:
        join(parts[1], parts[2], parts[0])
    text = str(caught.value)
    assert "from 260.790 s (end of file 3) to 260.850 s (begin of file 1)" in text
    assert "from 260.990 s (end of file 1) to 261.100 s (begin of file 2)" in text
    with pytest.raises(CorruptFileError, match=r"from 260\.790 s"):
        join(parts[0], cut(STUDY, 21, N))


def test_a_gap_of_years_takes_no_memory():
    far = replace(STUDY, first=9e8, annotations=())
    with pytest.raises(CorruptFileError, match=r"to 900000000\.000 s"):
        join(cut(STUDY, 0, N), far.bytes())


def test_windows_that_only_touch_are_joined_with_a_warning():
    with pytest.warns(ProvenanceWarning, match="files 2 and 1 touch"):
        joined = join(cut(STUDY, 20, N), cut(STUDY, 0, 20))
    np.testing.assert_array_equal(joined["pressure/pressure"].values, STUDY.pressure)


@pytest.mark.parametrize("row", [0, 7, 9])
@pytest.mark.parametrize(("column", "what"), [(1, "pressures"), (36, "pressures"), (38, "impedan")])
@pytest.mark.parametrize("cell", ["99.99", "NaN"])
def test_one_other_cell_in_the_overlap_is_refused(row, column, what, cell):
    lines = cut(STUDY, 20, N).decode().split("\r\n")
    cells = lines[1 + row].split("\t")
    cells[column] = cell
    lines[1 + row] = "\t".join(cells)
    other = "\r\n".join(lines).encode()
    with pytest.raises(CorruptFileError, match="not of one study: file 1 holds other " + what) as c:
        join(other, cut(STUDY, 0, 30))
    assert f"{260.80 + row / 100:.3f} s" in str(c.value)
    # Beyond the overlap it is a sample like any other.
    if row:
        assert join(other, cut(STUDY, 0, 20 + row))


def test_a_window_within_another_hides_no_contradiction():
    whole = cut(STUDY, 30, N).replace(b"260.92\t", b"260.92\t9")
    with pytest.raises(CorruptFileError, match=r"260\.920 s: .* file 3 holds other pressures"):
        join(cut(STUDY, 0, 40), cut(STUDY, 5, 10), whole)


def study(first_s=0.0, values=None, **attrs):
    """Recording as a reader of windows makes it."""
    values = np.arange(40.0).reshape(20, 2) if values is None else values
    return make_recording(
        values,
        sampling_rate=attrs.pop("rate", 10.0),
        depth=attrs.pop("depth", np.arange(values.shape[1])),
        sensor_ok=attrs.pop("ok", None),
        attrs={"source_format": "mms-csv", "time_offset_s": first_s, **attrs},
    )


def test_a_missing_sample_is_equal_to_a_missing_sample_only():
    values = np.arange(80.0).reshape(40, 2)
    values[15, 1] = np.nan
    joined = join_windows([study(0.0, values[:20]), study(1.0, values[10:])])
    np.testing.assert_array_equal(joined["pressure/pressure"].values.T, values.astype(np.float32))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"rate": 20.0}, "the sampling rate"),
        ({"depth": [0, 2]}, "the sensor positions"),
        ({"values": np.zeros((20, 3))}, "the number of pressure sensors"),
        ({"catheter": "CE4-0062"}, "catheter"),
        ({"system": "mms_wp"}, "system"),
        ({"phi_patient_id": "12345"}, "the header field 'patient_id'"),
        ({"phi_doe_jane": PLANT}, "the header field 'other header field'"),
        ({"organ": "colon_suspected"}, "organ"),
        ({"source_format": "manoview-ascii"}, "source_format"),
    ],
)
def test_what_a_study_has_one_of_must_agree(other, message):
    with pytest.raises(ParameterError, match=f"file 2 is not of the same study.*{message}") as c:
        join_windows([study(), study(**other)])
    assert "DOE" not in str(c.value).upper()
    assert "12345" not in str(c.value)


def test_impedances_in_one_file_only_are_refused():
    with pytest.raises(ParameterError, match="the number of impedance segments"):
        join(cut(STUDY, 0, 30), cut(replace(STUDY, n_segments=0), 20, N))


def test_formats_whose_times_begin_anew_are_refused():
    with pytest.raises(ParameterError, match=r"file 1 .* begin anew .*manoview-ascii"):
        join_windows([study(source_format="edf"), study(source_format="edf")])
    found = study()
    found["swallows"] = xr.DataTree()
    with pytest.raises(ParameterError, match="file 2 holds findings"):
        join_windows([study(), found])


def test_two_files_that_begin_at_zero_are_no_windows_of_one_study():
    first, second = (replace(FILES["headless"], first=0.0, n_samples=n) for n in (40, 60))
    reverse = "\n".join(
        [
            *second.lines()[:1],
            *(
                f"{k / 100:.2f}  " + row.split("  ", 1)[1]
                for k, row in enumerate(second.lines()[:0:-1])
            ),
            "",
        ]
    )
    with pytest.raises(CorruptFileError, match="or its times count from its own begin"):
        join(first.bytes(), reverse.encode())


def test_samples_between_the_samples_are_refused():
    with pytest.raises(CorruptFileError, match="file 2 lie between those of the earliest"):
        join_windows([study(), study(1.05)])
    # What float64 makes of a printed time is no such thing.
    assert join_windows([study(0.1), study(0.1 + 0.1 + 0.1, np.arange(40.0).reshape(20, 2) + 4)])


def test_a_sensor_is_dead_if_silent_throughout_or_if_somebody_said_so():
    silent = np.arange(80.0).reshape(40, 2)
    silent[:20, 0] = np.nan
    parts = [study(0.0, silent[:20]), study(1.9, silent[19:])]
    assert join_windows(parts)["pressure/sensor_ok"].values.tolist() == [True, True]
    parts[1] = study(1.9, silent[19:], ok=[True, False])
    assert join_windows(parts)["pressure/sensor_ok"].values.tolist() == [True, False]
    silent[:, 0] = np.nan
    parts = [study(0.0, silent[:20]), study(1.9, silent[19:])]
    assert join_windows(parts)["pressure/sensor_ok"].values.tolist() == [False, True]


def test_attributes_of_single_files_are_merged():
    wide = np.arange(80.0).reshape(40, 2)
    first = study(
        5.0, wide[:20], first_sample_index=50, integrity_check="passed", unread_channels="resp1"
    )
    second = study(
        6.0, wide[10:], first_sample_index=60, integrity_check="failed", unread_columns=2
    )
    attrs = join_windows([second, first]).attrs
    assert attrs["first_sample_index"] == 50
    assert attrs["time_offset_s"] == 5.0
    assert attrs["integrity_check"] == "failed"
    assert attrs["unread_channels"] == "resp1"
    assert attrs["unread_columns"] == 2


def test_two_events_alike_in_one_file_stay_two():
    notes = (("260.85", "WS 1"), ("260.85", "WS 1"), ("260.85", "WS 2"))
    file = replace(STUDY, annotations=notes)
    joined = join(cut(file, 0, 30), cut(file, 20, N))
    assert joined["events/note"].values.tolist() == ["WS 1", "WS 1", "WS 2"]


def test_free_text_is_kept_on_request_only():
    file = replace(STUDY, annotations=(("260.85", PLANT),))
    contents = [cut(file, 0, 30), cut(file, 20, N)]
    assert join(*contents)["events/note"].values.tolist() == [""]
    assert join(*contents, keep_phi=True)["events/note"].values.tolist() == [PLANT]


def test_arguments_and_single_faults(tmp_path):
    with pytest.raises(TypeError, match="list of files"):
        hrm.io.open_windows(str(tmp_path / "a.txt"))
    with pytest.raises(TypeError, match="list of files"):
        hrm.io.open_windows(tmp_path / "a.txt")
    with pytest.raises(ParameterError, match="no files"):
        hrm.io.open_windows([])
    with pytest.raises(TypeError, match="lazy"):
        join(cut(STUDY, 0, N), lazy=True)
    paths = [tmp_path / "a.txt", tmp_path / "b.txt"]
    paths[0].write_bytes(cut(STUDY, 0, 30))
    paths[1].write_bytes(cut(STUDY, 20, N).replace(b"260.90", b"260.9x"))
    with pytest.raises(CorruptFileError, match="line 12, column 1") as caught:
        hrm.io.open_windows(paths)
    assert caught.value.path == str(paths[1])
    with pytest.raises(ParameterError, match="channel_order"):
        join(cut(STUDY, 0, N), channel_order="distal_first")


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_damaged_windows_are_refused_or_joined_rightly(data):
    contents = [bytearray(cut(STUDY, 0, 30)), bytearray(cut(STUDY, 20, N))]
    for _ in range(data.draw(st.integers(1, 3))):
        content = data.draw(st.sampled_from(contents))
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = join(*map(bytes, contents))
        except HrmError:
            return
    validate(found)
    # A changed digit in the overlap cannot pass.
    shared = found["pressure"].to_dataset().sel(time=slice(0.195, 0.295))["pressure"].values
    if found.attrs["time_offset_s"] == 260.6 and found["pressure"].sizes["time"] == N:
        np.testing.assert_array_equal(shared, STUDY.pressure[:, 20:30])


@pytest.fixture
def run(tmp_path, monkeypatch):
    from click.testing import CliRunner

    from hrm.cli.main import main

    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_bytes(cut(STUDY, 0, 30))
    Path("b.txt").write_bytes(cut(STUDY, 20, N))
    return lambda *arguments: CliRunner().invoke(main, [str(each) for each in arguments])


def test_convert_joins_on_request(run):
    done = run("convert", "--join", "b.txt", "a.txt", "out.nc", "--participant", "P-07")
    assert done.exit_code == 0, done.stderr
    found = hrm.io.open_recording("out.nc")
    xr.testing.assert_identical(found, hrm.io.open_windows(["a.txt", "b.txt"], participant="P-07"))


def test_convert_of_several_files_needs_the_word(run):
    for arguments, message in (
        (("a.txt", "b.txt", "out.nc"), "--join"),
        (("--join", "a.txt", "b.txt", "out.nc", "--member", "x"), "--member"),
        (("--join", "a.txt", "b.txt", "b.txt", "--force"), "input file itself"),
        (("a.txt",), "Missing argument"),
    ):
        done = run("convert", *arguments)
        assert done.exit_code == 2
        assert message in done.stderr
    assert not Path("out.nc").exists()
    Path("b.txt").write_bytes(cut(STUDY, 40, N))
    done = run("convert", "--join", "a.txt", "b.txt", "out.nc")
    assert done.exit_code == 2
    assert "from 260.890 s (end of file 1) to 261.000 s (begin of file 2)" in done.stderr
    assert not Path("out.nc").exists()
