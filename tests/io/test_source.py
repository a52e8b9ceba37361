"""One recording, however its bytes lie: packed, in an archive, from a stream, or made to harm."""

import gzip
import hashlib
import io
import time
import tracemalloc
import warnings
import zipfile
import zlib

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import hrm.io
from hrm.errors import (
    CorruptFileError,
    FormatError,
    HrmError,
    ParameterError,
    UnknownFormatError,
    UnsupportedVersionError,
)
from hrm.io import _source
from hrm.io._source import Source
from tests.io.layouts import PLANT, Headless, ManoView, Mms

FILES = {
    "mms": (Mms(n_samples=900).bytes(), {"catheter": "CE4-0062"}),
    "manoview": (ManoView(n_samples=400, n_segments=18).bytes(), {}),
    "headless": (Headless(n_samples=400).bytes(), {}),
    "utf-16": (Mms().text().encode("utf-16"), {"catheter": "CE4-0062"}),
}


def zipped(*files, method=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return buffer.getvalue()


class Pipe(io.RawIOBase):
    """A binary stream that cannot seek and gives a few bytes at a time."""

    def __init__(self, data):
        super().__init__()
        self._inner = io.BytesIO(data)

    def readable(self):
        return True

    def readinto(self, buffer):
        data = self._inner.read(min(len(buffer), 1000))
        buffer[: len(data)] = data
        return len(data)


def native_bytes(tmp_path):
    path = tmp_path / "native.nc"
    if not path.exists():
        data, options = FILES["manoview"]
        (tmp_path / "native.txt").write_bytes(data)
        hrm.io.write_native(hrm.io.open_recording(tmp_path / "native.txt", **options), path)
    return path.read_bytes()


PACKED = {
    "gzip": gzip.compress,
    "two gzip members": lambda data: gzip.compress(data[:999]) + gzip.compress(data[999:]),
    "zip": lambda data: zipped(("x", data)),
    "stored zip": lambda data: zipped(("x", data), method=zipfile.ZIP_STORED),
    "zip of a Mac": lambda data: zipped(("a/", b""), ("a/x", data), ("__MACOSX/._x", b"junk")),
}


@pytest.mark.parametrize("name", [*FILES, "native"])
@pytest.mark.parametrize("packing", ["plain", *PACKED])
def test_however_it_is_packed_the_study_is_the_same(name, packing, tmp_path):
    data, options = (native_bytes(tmp_path), {}) if name == "native" else FILES[name]
    plain = tmp_path / "plain.bin"
    plain.write_bytes(data)
    wanted = hrm.io.open_recording(plain, **options)
    packed = tmp_path / "packed.bin"
    packed.write_bytes(PACKED[packing](data) if packing != "plain" else data)
    begun = io.BytesIO(b"skip" + packed.read_bytes())
    begun.seek(4)
    with packed.open("rb") as opened:
        for source in (packed, str(packed), opened, begun, Pipe(packed.read_bytes())):
            found = hrm.io.open_recording(source, **options)
            xr.testing.assert_identical(found, wanted)
            assert found.attrs == wanted.attrs
        assert not opened.closed


def test_the_digest_is_that_of_the_content():
    data, _ = FILES["mms"]
    for pack in (lambda content: content, *PACKED.values()):
        with Source.of(io.BytesIO(pack(data))) as source:
            assert source.sha256 == hashlib.sha256(data).hexdigest()
            assert source.read() == data
            assert source.head(10) == data[:10]
            assert source.open().read(7) == data[:7]
            assert source.random_access().read() == data


def test_a_digest_costs_no_second_pass(monkeypatch):
    source = Source.of(io.BytesIO(gzip.compress(FILES["mms"][0])))
    with source.open() as stream:
        while stream.read(1000):
            pass
    monkeypatch.setattr(source, "open", lambda: pytest.fail("read again"))
    assert len(source.sha256) == 64


@given(data=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300), max_size=4))
def test_streams_of_one_source_do_not_disturb_each_other(data, cuts):
    source = Source.of(io.BytesIO(data))
    streams = [source.open() for _ in cuts]
    for stream, cut in zip(streams, cuts, strict=True):
        assert stream.read(cut) == data[:cut]
    for stream, cut in zip(streams, cuts, strict=True):
        assert stream.read() == data[cut:]


@pytest.mark.parametrize("name", [name for name in FILES if name != "utf-16"])
def test_peek_of_a_packed_file(name, tmp_path):
    data, _ = FILES[name]
    path = tmp_path / "a.gz"
    (tmp_path / "a").write_bytes(data)
    plain = hrm.io.peek(tmp_path / "a")
    path.write_bytes(gzip.compress(data))
    found = hrm.io.peek(path)
    if len(data) > 65536:
        assert found["n_samples"] is found["duration_s"] is found["size_bytes"] is None
    for key in ("format", "n_sensors", "sampling_rate_hz", "first_time_s", "needs_catheter"):
        assert found[key] == plain[key]
    assert hrm.io.peek(io.BytesIO(data)) == plain


def test_an_archive_of_several_files_asks_which(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped((f"{PLANT}/a.csv", FILES["mms"][0]), ("b.txt", FILES["manoview"][0])))
    for call in (hrm.io.open_recording, hrm.io.peek):
        with pytest.raises(ParameterError, match="holds 2 files; name one with member=") as caught:
            call(path)
        assert "DOE" not in str(caught.value)
        with pytest.raises(ParameterError, match="no file of the name given"):
            call(path, member=PLANT)
        assert "DOE" not in str(caught.value)
    assert hrm.io.open_recording(path, member="b.txt").attrs["reader"] == "manoview-ascii"
    assert hrm.io.archive_members(path) == [f"{PLANT}/a.csv", "b.txt"]
    with pytest.raises(ParameterError, match="the file is no archive"):
        hrm.io.open_recording(io.BytesIO(FILES["manoview"][0]), member="b.txt")


def test_two_members_of_one_name_are_not_chosen_from():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = zipped(("a", FILES["manoview"][0]), ("a", FILES["headless"][0]))
    with pytest.raises(ParameterError, match="2 files of the name"):
        hrm.io.open_recording(io.BytesIO(data), member="a")


def encrypted(data):
    """Set the flag of encryption in both places where an archive has it."""
    raw = bytearray(zipped(("a", data)))
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    return bytes(raw)


REFUSED = {
    "encrypted": (encrypted(b"x" * 99), UnsupportedVersionError, "encrypted"),
    "bzip2 inside": (
        zipped(("a", b"x" * 99), method=zipfile.ZIP_BZIP2),
        UnsupportedVersionError,
        "unusual method",
    ),
    "zip in zip": (zipped(("a", zipped(("b", b"x")))), UnsupportedVersionError, "another archive"),
    "gzip in zip": (
        zipped(("a", gzip.compress(b"x"))),
        UnsupportedVersionError,
        "another archive",
    ),
    "zip in gzip": (
        gzip.compress(zipped(("b", b"x"))),
        UnsupportedVersionError,
        "another archive",
    ),
    "gzip in gzip": (
        gzip.compress(gzip.compress(b"x")),
        UnsupportedVersionError,
        "another archive",
    ),
    "no member": (zipped(), CorruptFileError, "holds no file"),
    "folder only": (zipped(("a/", b"")), CorruptFileError, "holds no file"),
    "spreadsheet": (
        zipped(("[Content_Types].xml", b"x"), ("xl/a.xml", b"x")),
        UnknownFormatError,
        "office program; save the recording as CSV",
    ),
    "64-bit": (
        zipped(("a", b"x"))[:-22] + b"PK\x06\x07" + bytes(16) + zipped(("a", b"x"))[-22:],
        UnsupportedVersionError,
        "very many or very large",
    ),
    "empty gzip": (gzip.compress(b""), UnknownFormatError, "empty"),
    "empty file": (b"", UnknownFormatError, "empty"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_why(name, tmp_path):
    data, error, message = REFUSED[name]
    path = tmp_path / f"{PLANT}.bin"
    path.write_bytes(data)
    for call in (hrm.io.open_recording, hrm.io.peek):
        with pytest.raises(error, match=message) as caught:
            call(path)
        assert caught.value.path == str(path)


def test_text_is_not_bytes():
    with pytest.raises(ParameterError, match="mode 'rb'"):
        hrm.io.open_recording(io.StringIO("Name=, X"))
    with pytest.raises(TypeError, match="a path or a binary file object"):
        hrm.io.open_recording(5)


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("name", ["mms", "manoview"])
def test_every_truncation_of_a_packed_file_is_found(name, packing):
    data, options = FILES[name]
    packed = PACKED[packing](data)
    for percent in range(100):
        cut = packed[: len(packed) * percent // 100]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # A whole first gzip member is a whole file; what it holds is not.
            with pytest.raises(FormatError) as caught:
                hrm.io.open_recording(io.BytesIO(cut), **options)
        assert caught.value.__cause__ is caught.value.__context__ is None


@given(at=st.floats(0, 0.999), bit=st.integers(0, 7), packing=st.sampled_from(sorted(PACKED)))
def test_a_flipped_bit_never_changes_the_samples(at, bit, packing):
    data, options = FILES["mms"]
    packed = bytearray(PACKED[packing](data))
    packed[int(at * len(packed))] ^= 1 << bit
    try:
        found = hrm.io.open_recording(io.BytesIO(bytes(packed)), **options)
    except HrmError:
        return
    np.testing.assert_array_equal(found["pressure/pressure"], Mms(n_samples=900).pressure)


def test_a_name_within_a_damaged_archive_is_not_quoted():
    raw = bytearray(zipped((f"{PLANT}.csv", FILES["mms"][0])))
    raw[200] ^= 255
    with pytest.raises(CorruptFileError) as caught:
        hrm.io.open_recording(io.BytesIO(bytes(raw)), catheter="CE4-0062")
    assert "DOE" not in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


def squeezed(parts):
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*(squeeze.compress(part) for part in parts), squeeze.flush()])


def zeros_bomb(n_bytes):
    return squeezed([bytes(1 << 20)] * (n_bytes >> 20))


def rows_bomb(n_bytes):
    """Good rows for ever, so that nothing but their amount is wrong."""
    head = ManoView(n_samples=2).text().split("Annotations")[0].encode()
    rows = (b"0\t" * 36 + b"0\r\n") * 10_000
    return squeezed([head, *[rows] * (n_bytes // len(rows))])


@pytest.mark.parametrize("make", [zeros_bomb, rows_bomb])
def test_a_bomb_is_refused_quickly_and_in_little_memory(make):
    bomb = make(120 << 20)
    assert len(bomb) < 1 << 20
    begun = time.perf_counter()
    tracemalloc.start()
    try:
        with pytest.raises(CorruptFileError, match=r"more than 200 times|control byte"):
            hrm.io.open_recording(io.BytesIO(bomb), reader="manoview-ascii")
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 120 << 20
    assert time.perf_counter() - begun < 20


def test_unpacking_a_bomb_stops_at_the_ratio():
    stream = Source.of(io.BytesIO(zeros_bomb(120 << 20))).open()
    sizes = []
    with pytest.raises(CorruptFileError, match="more than 200 times"):
        sizes.extend(map(len, iter(lambda: stream.read(1 << 20), b"")))
    # What was packed is read ahead in parts of some 100 KB.
    assert 8 << 20 <= sum(sizes) <= 80 << 20


def test_a_zip_that_declares_too_much_is_refused_before_unpacking():
    bomb = zipped(("a", bytes(60 << 20)))
    with pytest.raises(CorruptFileError, match="more than 200 times"):
        Source.of(io.BytesIO(bomb))


@pytest.mark.parametrize("error", [-50, 50])
def test_a_zip_that_declares_another_size_is_damaged(error):
    data, _ = FILES["mms"]
    raw = bytearray(zipped(("a", data)))
    at = raw.index(b"PK\x01\x02") + 24
    raw[at : at + 4] = (len(data) + error).to_bytes(4, "little")
    with pytest.raises(CorruptFileError, match="cut or damaged"):
        hrm.io.open_recording(io.BytesIO(bytes(raw)), catheter="CE4-0062")


def test_the_absolute_limit_holds_for_any_ratio(monkeypatch):
    noise = np.random.default_rng(1).bytes(50_000)
    monkeypatch.setattr(_source, "MAX_UNPACKED_BYTES", 40_000)
    with pytest.raises(CorruptFileError, match="no recording does"):
        Source.of(io.BytesIO(gzip.compress(noise))).read()
    with pytest.raises(CorruptFileError, match="no recording does"):
        Source.of(io.BytesIO(zipped(("a", noise))))
    assert Source.of(io.BytesIO(noise)).read() == noise


def test_a_pipe_is_kept_within_bounds(monkeypatch):
    monkeypatch.setattr(_source, "MAX_PIPE_BYTES", 5000)
    with pytest.raises(ParameterError, match="save it to a file"):
        Source.of(Pipe(bytes(2 << 20)))


def test_nothing_stays_open(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(("a", FILES["manoview"][0])))
    source = Source.of(path)
    streams = [source.open(), source.open()]
    source.close()
    assert all(stream.closed for stream in streams)
    hrm.io.open_recording(path)
    path.rename(tmp_path / "b.zip")


def test_file_name_and_suffixes_are_those_of_the_content(tmp_path):
    plain = tmp_path / "W_5_001.TXT"
    plain.write_bytes(b"x")
    packed = tmp_path / "W_5_001.TXT.gz"
    packed.write_bytes(gzip.compress(b"x"))
    archive = tmp_path / "study.zip"
    archive.write_bytes(zipped(("folder/W_5_001.TXT", b"x")))
    for path in (plain, packed, archive):
        with Source.of(path) as source:
            assert source.file_name == "W_5_001.TXT"
            assert source.suffixes == (".txt",)
            assert source.size == 1
            assert (source.path is None) == (path != plain)
    assert Source.of(io.BytesIO(b"x")).file_name == ""
