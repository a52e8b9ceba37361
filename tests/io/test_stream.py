"""Blocks: wherever a file is cut into them, the same study, the same refusal, the same file."""

import codecs
import io
import tracemalloc
import warnings

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import hrm.io
from hrm.errors import CorruptFileError, FormatError, HrmError, ParameterError
from hrm.io import _digest, _lines, _source, _text
from hrm.io._lines import EncodingGuess, Lines, Normalizer, Rows, as_text, without_blank_end
from hrm.io._source import Source
from hrm.io._text import BlockLayout, TableParser
from tests.io.layouts import Headless, ManoView, Mms, spreadsheet

FILES = {
    "mms": Mms(n_sensors=3, n_samples=5, marker={0: 100, 2: 100, 3: 100}),
    "spreadsheet": spreadsheet(n_sensors=2, n_samples=14, marker={}),
    "manoview": ManoView(n_sensors=2, n_samples=4, n_segments=18),
    "headless": Headless(n_samples=4),
}
OPTIONS = {
    "mms": {"depths": range(3)},
    "spreadsheet": {"depths": range(2)},
    "manoview": {"depths": range(2)},
    "headless": {},
}
ENCODINGS = {
    "utf-8": lambda text: text.encode(),
    "bom": lambda text: codecs.BOM_UTF8 + text.encode(),
    "cp950": lambda text: text.encode("cp950"),
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "utf-16-be-bom": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
}
ENDS = {"lf": "\n", "crlf": "\r\n", "cr": "\r", "crcrlf": "\r\r\n"}


def outcome(data, options):
    """Study, or error with its place, and the warnings: everything that a reading says."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = hrm.io.open_recording(io.BytesIO(data), **options)
        except HrmError as err:
            found = (type(err), str(err))
    return found, [str(item.message) for item in caught]


def assert_same(found, wanted):
    assert found[1] == wanted[1]
    if isinstance(wanted[0], tuple):
        assert found[0] == wanted[0]
    else:
        xr.testing.assert_identical(found[0], wanted[0])
        assert found[0].attrs == wanted[0].attrs


@pytest.fixture
def block_bytes(monkeypatch):
    return lambda n: monkeypatch.setattr(_lines, "BLOCK_BYTES", n)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", FILES)
def test_a_border_between_blocks_makes_no_difference(name, encoding, end, block_bytes):
    text = FILES[name].text().replace("\r\n", "\n").replace("\n", ENDS[end])
    data = ENCODINGS[encoding](text)
    wanted = outcome(data, OPTIONS[name])
    assert isinstance(wanted[0], xr.DataTree)
    np.testing.assert_array_equal(wanted[0]["pressure/pressure"], FILES[name].pressure)
    # Every distance between borders puts one of them at each byte sooner or later.
    for n in (1, 2, 3, 5, 7, 16, 31, 64, 100, 257, len(data) // 2, len(data) - 1):
        block_bytes(n)
        assert_same(outcome(data, OPTIONS[name]), wanted)


@pytest.mark.parametrize("name", FILES)
def test_a_border_at_every_byte(name, monkeypatch):
    data = ENCODINGS["utf-8"](FILES[name].text())
    data = data.replace(b"\n", b"\r\n", 4).rstrip() + b"\n \n\n"
    wanted = outcome(data, OPTIONS[name])
    assert isinstance(wanted[0], xr.DataTree)
    real = Source.open
    for border in range(1, len(data), 1 if len(data) < 600 else 7):
        sizes = iter([border])

        class Cut:
            def __init__(self, stream):
                self.stream = stream
                self.close = stream.close

            def read(self, n):
                return self.stream.read(next(sizes, n))  # noqa: B023

        monkeypatch.setattr(_lines, "_open", lambda source: Cut(real(source)))
        assert_same(outcome(data, OPTIONS[name]), wanted)


FAULTS = {
    "text in a cell": lambda data: data.replace(b"12", b"1x", 3),
    "two decimal marks": lambda data: data[:-200] + data[-200:].replace(b".", b","),
    "a control byte": lambda data: data[:-60] + b"\x01" + data[-60:],
    "a blank line": lambda data: data[:-90] + data[-90:].replace(b"\n", b"\n\n", 1),
    "cut": lambda data: data[: len(data) * 3 // 4],
    "cut in the last number": lambda data: data.rstrip()[:-1],
    "doubled line": lambda data: b"\n".join([*data.split(b"\n")[:-2], *data.split(b"\n")[-3:]]),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", FILES)
def test_a_fault_is_the_same_fault_whatever_the_blocks(name, fault, block_bytes):
    data = FAULTS[fault](FILES[name].bytes())
    wanted = outcome(data, OPTIONS[name])
    for n in (1, 13, 64, 200, 1000):
        block_bytes(n)
        assert_same(outcome(data, OPTIONS[name]), wanted)


@given(st.text("\r\n\n\rab", max_size=40), st.lists(st.integers(0, 40), max_size=6))
def test_line_ends_do_not_depend_on_the_parts(text, cuts):
    data = text.encode()
    whole = data.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    parts = Normalizer(reader="test")
    at, out = 0, b""
    for cut in sorted(cuts):
        out += parts.feed(data[at:cut])
        at = max(at, cut)
    out += parts.feed(data[at:], last=True)
    assert out == whole == as_text(data, reader="test")


@given(
    st.lists(st.text("aé嚥下Ü\n,1", max_size=12), max_size=8),
    st.sampled_from(["utf-8", "cp950", "cp1252", "utf-16"]),
    st.integers(1, 70),
)
def test_lines_do_not_depend_on_the_parts(lines, encoding, n):
    data = "\n".join(lines).encode(encoding, "replace")
    try:
        whole = as_text(data, reader="test")
    except CorruptFileError:
        return
    guess = EncodingGuess()
    guess.add(whole)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_lines, "BLOCK_BYTES", n)
        found = Lines(Source.of(io.BytesIO(data)), reader="test")
        rows = list(found.blocks())
    assert b"".join(each.data for each in rows) == whole
    assert found.encoding in (guess.name, "utf-8")
    assert (found.encoding == guess.name) or data[:2] in (b"\xff\xfe", b"\xfe\xff")
    line = 1
    for each in rows:
        assert each.first_line == line
        line += len(each.lines())


def test_one_line_that_is_not_utf_8_settles_the_encoding():
    guess = EncodingGuess()
    for line in ("größer\n".encode("cp1252"), "größer\n".encode(), b"WS 1\n"):
        guess.add(line)
    assert guess.name == "cp1252"


def test_a_sample_is_counted_through_all_blocks(block_bytes):
    lines = ManoView().lines()
    cells = lines[30].split("\t")
    cells[4] = "1e7"
    lines[30] = "\t".join(cells)
    data = ("\r\n".join(lines) + "\r\n").encode()
    for n in (8 << 20, 700):
        block_bytes(n)
        with pytest.raises(CorruptFileError, match="sample 30: pressure channel 4"):
            hrm.io.open_recording(io.BytesIO(data))


@given(st.lists(st.sampled_from([b"", b" ", b",,", b"1,", b"1,2"]), max_size=9), st.data())
def test_blank_ends_are_left_out_and_blank_middles_are_not(lines, data):
    sizes = [data.draw(st.integers(1, 4)) for _ in lines]
    blocks, at, number = [], 0, 1
    for size in sizes:
        part = lines[at : at + size]
        if part:
            blocks.append(Rows(number, b"".join(line + b"\n" for line in part)))
            number += len(part)
        at += size
    found = list(without_blank_end(blocks, separator=b",", reader="test"))
    wanted = _text.strip_blank_end(lines, b",")
    assert [line for rows in found for line in rows.lines()] == wanted
    if found:
        assert found[0].first_line == 1


def test_lines_can_be_looked_at_before_they_are_taken():
    lines = Lines(Source.of(io.BytesIO(b"a\nb\n\nc")), reader="test")
    assert lines.ahead(2) == [b"a", b"b"]
    assert lines.line() == b"a"
    assert lines.ahead(9) == [b"b", b"", b"c"]
    assert lines.number == 2
    assert [lines.line() for _ in range(4)] == [b"b", b"", b"c", None]


def test_a_line_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(_lines, "MAX_LINE_BYTES", 1000)
    for n in (100, 1 << 20):
        monkeypatch.setattr(_lines, "BLOCK_BYTES", n)
        lines = Lines(Source.of(io.BytesIO(b"a\nb\n" + b"7" * 5000)), reader="test")
        with pytest.raises(CorruptFileError, match=r"line [13]: expected lines"):
            list(lines.blocks())


def test_blank_lines_without_end_are_refused(monkeypatch):
    monkeypatch.setattr(_lines, "_MAX_BLANK_BYTES", 1000)
    with pytest.raises(CorruptFileError, match="line 2: found blank lines"):
        list(without_blank_end([Rows(1, b"1\n" + b"\n" * 2000)], reader="test"))


def test_annotations_without_end_are_refused(monkeypatch):
    from hrm.io.manoview import headed

    monkeypatch.setattr(headed, "_MAX_FOOTER_BYTES", 1000)
    monkeypatch.setattr(_lines, "BLOCK_BYTES", 500)
    data = ManoView(annotations=[("260.70", "WS 1")] * 400).bytes()
    with pytest.raises(CorruptFileError, match="annotations without end"):
        hrm.io.open_recording(io.BytesIO(data))


@pytest.mark.parametrize("order", [(b"1;2,5\n", b"1;2.5\n"), (b"1;2.5\n", b"1;2,5\n")])
def test_the_decimal_mark_is_that_of_the_whole_file(order):
    parser = TableParser(BlockLayout(b";", (0, 1), 2), reader="test")
    bad = 5 if b"," in order[0] else 6
    parser.parse(Rows(5, order[0]))
    with pytest.raises(CorruptFileError, match=f"line {bad}, column 2: .* 3 characters"):
        parser.parse(Rows(6, order[1]))


def test_pressures_are_float32_and_times_float64():
    table = TableParser(BlockLayout(b",", (0, 1), 2), reader="t").parse(Rows(1, b"16777217,0.1\n"))
    assert table.first.dtype == np.float64
    assert table.first[0] == 16777217
    assert table.values.dtype == np.float32
    assert table.values[0, 0] == np.float32(0.1)


# ---------------------------------------------------------------- the native file, as it comes

LONG = {
    "mms": (Mms(n_samples=9000, nan=tuple((k, 3) for k in range(9000))), {"catheter": "CE4-0062"}),
    "spreadsheet": (spreadsheet(n_samples=40), {"catheter": "CE4-0062"}),
    "manoview": (ManoView(n_samples=4100, n_segments=18), {}),
    "exact chunks": (ManoView(n_samples=8192), {"participant": "P-7", "system": "manoscan"}),
    "headless": (Headless(n_samples=30), {"keep_phi": True}),
}


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("n_bytes", [5000, 8 << 20])
def test_converting_gives_the_study_that_reading_gives(name, n_bytes, tmp_path, block_bytes):
    block_bytes(n_bytes)
    file, options = LONG[name]
    path, out = tmp_path / "a.txt", tmp_path / "out.nc"
    path.write_bytes(file.bytes())
    study = hrm.io.open_recording(path, **options)
    hrm.io.convert_recording(path, out, **options)
    keep = {"keep_phi": options.get("keep_phi", False)}
    found = hrm.io.open_recording(out, **keep)
    xr.testing.assert_identical(found, study)
    assert found.attrs == study.attrs
    for node in study.subtree:
        for key, variable in node.to_dataset(inherit=False).variables.items():
            other = found[node.path].to_dataset(inherit=False).variables[key]
            assert other.dtype == variable.dtype
            assert list(other.attrs.items()) == list(variable.attrs.items())
    with xr.open_datatree(out) as plain:
        xr.testing.assert_identical(plain.load(), study)
    assert hrm.io.peek(out)["n_samples"] == file.n_samples
    hrm.io.write_native(found, tmp_path / "again.nc")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.txt", "again.nc", "out.nc"]


def test_a_native_file_is_converted_too(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(ManoView().bytes())
    hrm.io.convert_recording(path, tmp_path / "a.nc")
    hrm.io.convert_recording(tmp_path / "a.nc", tmp_path / "b.nc", participant="P-2")
    assert hrm.io.open_recording(tmp_path / "b.nc").attrs["study_id"] == "P-2"


def test_progress_goes_from_little_to_all(tmp_path, block_bytes, monkeypatch):
    block_bytes(4096)
    monkeypatch.setattr(_source, "_CHUNK", 4096)
    data = ManoView(n_samples=900).bytes()
    seen = []
    hrm.io.convert_recording(
        io.BytesIO(data), tmp_path / "a.nc", progress=lambda *pair: seen.append(pair)
    )
    done = [pair[0] for pair in seen]
    assert len(done) > 5
    assert done == sorted(done)
    assert 0 < done[0] < done[-1] <= len(data)
    assert {pair[1] for pair in seen} == {len(data)}


@pytest.mark.parametrize("change", [lambda d: d[: len(d) // 2], lambda d: d.replace(b"12", b"1x")])
def test_a_fault_leaves_no_file_behind(change, tmp_path, block_bytes):
    block_bytes(4096)
    path = tmp_path / "a.csv"
    path.write_bytes(change(Mms(n_samples=900).bytes()))
    with pytest.raises(FormatError):
        hrm.io.convert_recording(path, tmp_path / "out.nc", catheter="CE4-0062")
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv"]


def test_what_is_missing_is_said_before_a_long_file_is_read(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_bytes(Mms().bytes())
    monkeypatch.setattr(TableParser, "parse", lambda *_: pytest.fail("read on"))
    with pytest.raises(ParameterError, match="where the sensors sit"):
        hrm.io.convert_recording(path, tmp_path / "out.nc")
    (tmp_path / "out.nc").write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        hrm.io.convert_recording(path, tmp_path / "out.nc", catheter="CE4-0062")


def test_another_rate_than_that_of_the_file_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(Mms().bytes())
    given_ = {"catheter": "CE4-0062"}
    assert hrm.io.open_recording(path, sampling_rate=20, **given_).attrs["sampling_rate"] == 20
    with pytest.raises(ParameterError, match="sampled at 20 Hz, not at the 50 Hz"):
        hrm.io.open_recording(path, sampling_rate=50, **given_)
    for rate in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ParameterError, match="positive number of Hz"):
            hrm.io.open_recording(path, sampling_rate=rate, **given_)


def test_converting_keeps_its_memory_when_the_file_grows(tmp_path, block_bytes):
    block_bytes(200_000)
    peaks = []
    for n_samples in (4_000, 16_000):
        path = tmp_path / f"{n_samples}.txt"
        path.write_bytes(ManoView(n_samples=n_samples).bytes())
        tracemalloc.start()
        hrm.io.convert_recording(path, tmp_path / f"{n_samples}.nc")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # Times stay in memory: 8 bytes a sample, and some copies while the rate is derived.
    assert peaks[1] - peaks[0] < 12_000 * 150


# ---------------------------------------------------------------- lazily


@pytest.fixture
def native(tmp_path):
    path = tmp_path / "a.nc"
    hrm.io.convert_recording(
        io.BytesIO(ManoView(n_samples=5000, n_segments=18).bytes()), path, participant="P-1"
    )
    return path


def test_a_lazy_study_is_the_same_study(native):
    study = hrm.io.open_recording(native, lazy=True, system="manoscan")
    eager = hrm.io.open_recording(native, system="manoscan")
    assert not study["pressure"].to_dataset()["pressure"].variable._in_memory
    assert not study["impedance"].to_dataset()["impedance"].variable._in_memory
    assert study["pressure"].to_dataset()["depth"].variable._in_memory
    part = study["pressure/pressure"][3, 100:200].values
    np.testing.assert_array_equal(part, eager["pressure/pressure"].values[3, 100:200])
    xr.testing.assert_identical(study, eager)
    assert study.attrs == eager.attrs
    study.close()
    native.unlink()


def test_what_cannot_be_lazy_says_so(native, tmp_path):
    text = tmp_path / "a.txt"
    text.write_bytes(ManoView().bytes())
    with native.open("rb") as stream:
        for source in (stream, text):
            with pytest.raises(ParameterError, match="lazy=True is for a native file"):
                hrm.io.open_recording(source, lazy=True)


def test_a_damaged_file_is_found_when_the_damaged_part_is_used(native, monkeypatch):
    import h5py

    # Small blocks: of a file of one block, nothing is read if any of it is damaged.
    monkeypatch.setattr(_digest, "BLOCK_BYTES", 256)
    hrm.io.write_native(hrm.io.open_recording(native), native, overwrite=True)
    with h5py.File(native) as file:
        chunk = file["pressure/pressure"].id.get_chunk_info(1)
    data = bytearray(native.read_bytes())
    data[chunk.byte_offset + chunk.size // 2] ^= 16
    native.write_bytes(data)
    with pytest.raises(CorruptFileError, match="digest"):
        hrm.io.open_recording(native)
    study = hrm.io.open_recording(native, lazy=True)
    assert study["pressure/pressure"][:, :10].values.shape == (36, 10)
    with pytest.raises(OSError, match=r"filter|checksum"):
        study["pressure/pressure"][:, 4900:].values  # noqa: B018
    study.close()
    native.write_bytes(bytes(data[: len(data) // 2]))
    with pytest.raises(HrmError):
        hrm.io.open_recording(native, lazy=True)
