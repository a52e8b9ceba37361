"""The native file: without loss, in one step, and never half."""

import gzip
import hashlib
import io
import stat
import subprocess
import sys
import time
from contextlib import contextmanager

import h5py
import numpy as np
import pytest
import xarray as xr

import hrm.io
from hrm.errors import (
    CorruptFileError,
    ParameterError,
    ProvenanceWarning,
    SchemaError,
    UnknownFormatError,
    UnsupportedVersionError,
)
from hrm.io import _digest, native
from hrm.io._source import Source
from hrm.schema import make_recording


def small(**options):
    rng = np.random.default_rng(5)
    pressure = rng.normal(10, 30, (5000, 4)).astype(np.float32)
    pressure[7, 2] = np.nan
    return make_recording(pressure, **{"sampling_rate": 50.0, "depth": [0, 1, 3, 4], **options})


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


@contextmanager
def edited(path):
    """The HDF5 file, to be changed; it gets a digest that fits, so that no more than this is wrong."""
    with h5py.File(path, "r+") as file:
        yield file
    _digest.append(path)


def rich():
    """A study with everything that the engine may add."""
    study = small(
        impedance=np.ones((5000, 3)),
        impedance_depth=[np.nan] * 3,
        events=[{"onset": 1.5, "label": "annotation", "note": "嚥下 №3 – größer"}],
        attrs={"first_sample_index": 12, "list_of_one": ["a"], "list": ["a", "漢"], "empty": ""},
    )
    study["swallows"] = xr.Dataset(
        {
            "irp": ("swallow", np.array([12.5, np.nan]), {"units": "mmHg", "flags": ["one"]}),
            "irp_status": ("swallow", np.array([0, 3], dtype=np.int8)),
            "include": ("swallow", np.array([True, False])),
            "posture": ("swallow", np.array(["supine", ""], dtype=object)),
            "profile": (("swallow", "depth"), np.ones((2, 3), dtype=np.float32)),
            "count": 2,
        },
        coords={"depth": [1.0, 2.0, 3.0]},
        attrs={"version": 3},
    )
    study["landmarks"] = xr.Dataset(
        {
            "depth": ("landmark", np.zeros(0)),
            "used": ("landmark", np.zeros(0, dtype=bool)),
            "source": ("landmark", np.zeros(0, dtype=object)),
            "code": ("landmark", np.zeros(0, dtype=np.int8)),
        }
    )
    study["results/egj"] = xr.Dataset(attrs={"basal": 12.5})
    return study


def assert_same(found, study):
    xr.testing.assert_identical(found, study)
    assert found.attrs == study.attrs
    for node in study.subtree:
        for name, variable in node.to_dataset(inherit=False).variables.items():
            other = found[node.path].to_dataset(inherit=False).variables[name]
            assert other.dtype == variable.dtype, (node.path, name)
            assert other.attrs == variable.attrs, (node.path, name)
            if variable.dtype != object:
                assert other.values.tobytes() == variable.values.tobytes(), (node.path, name)


@pytest.mark.parametrize("study", [small(), rich()], ids=["small", "rich"])
def test_round_trip_is_exact(study, tmp_path):
    path = tmp_path / "study.nc"
    hrm.io.write_native(study, path)
    back = hrm.io.open_recording(path)
    assert_same(back, study)
    hrm.io.write_native(back, path, overwrite=True)
    assert_same(hrm.io.open_recording(path), study)
    with xr.open_datatree(path) as plain:
        xr.testing.assert_equal(plain.load(), study)


def test_nan_bits_survive(tmp_path):
    study = small()
    bits = study["pressure/pressure"].values.view(np.uint32)
    bits[1, 3] = 0x7FC12345
    hrm.io.write_native(study, tmp_path / "a.nc")
    back = hrm.io.open_recording(tmp_path / "a.nc")
    np.testing.assert_array_equal(back["pressure/pressure"].values.view(np.uint32), bits)


def test_layout_on_disk(tmp_path):
    hrm.io.write_native(small(), tmp_path / "a.nc")
    with h5py.File(tmp_path / "a.nc") as file:
        data = file["pressure/pressure"]
        assert data.chunks == (4, 4096)
        assert data.compression == "gzip"
        assert data.shuffle
        assert data.fletcher32
        assert data.dtype == np.float32
        assert "_FillValue" not in data.attrs


def test_nothing_stays_open_and_nothing_is_left_behind(tmp_path):
    hrm.io.write_native(small(), tmp_path / "a.nc")
    hrm.io.open_recording(tmp_path / "a.nc")
    hrm.io.peek(tmp_path / "a.nc")
    assert names_in(tmp_path) == ["a.nc"]
    (tmp_path / "a.nc").rename(tmp_path / "b.nc")
    with edited(tmp_path / "b.nc") as file:
        file.attrs["catheter"] = "mine"
    assert hrm.io.open_recording(tmp_path / "b.nc").attrs["catheter"] == "mine"


def test_an_existing_file_is_not_replaced_unasked(tmp_path):
    path = tmp_path / "a.nc"
    path.write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        hrm.io.write_native(small(), path)
    assert path.read_bytes() == b"mine"
    assert names_in(tmp_path) == ["a.nc"]
    hrm.io.write_native(small(), path, overwrite=True)
    assert hrm.io.peek(path)["n_samples"] == 5000


def test_a_file_made_by_another_process_meanwhile_is_not_replaced(tmp_path):
    from hrm._files import _publish

    (tmp_path / "t.tmp").write_bytes(b"new")
    (tmp_path / "a.nc").write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        _publish(tmp_path / "t.tmp", tmp_path / "a.nc", overwrite=False)
    assert (tmp_path / "a.nc").read_bytes() == b"mine"


def test_the_output_folder_must_exist(tmp_path):
    with pytest.raises(FileNotFoundError, match="folder"):
        hrm.io.write_native(small(), tmp_path / "none" / "a.nc")
    with pytest.raises(IsADirectoryError):
        hrm.io.write_native(small(), tmp_path, overwrite=True)


@pytest.mark.parametrize(
    "attrs", [{"flag": True}, {"none": None}, {"d": {}}, {"n": [1, 2]}, {"l": []}, {"nul": "a\0b"}]
)
def test_what_netcdf_cannot_store_is_refused_before_writing(attrs, tmp_path):
    study = small()
    study["result"] = xr.Dataset({"a": ("x", [1.0])}, attrs=attrs)
    with pytest.raises(SchemaError, match="/result: attribute"):
        hrm.io.write_native(study, tmp_path / "a.nc")
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("values", [["a", None], [1, "b"], ["a\0b", "c"], ["\ud800", ""]])
def test_texts_must_be_text(values, tmp_path):
    study = small()
    result = xr.Dataset({"a": ("x", np.array(["", ""], dtype=object))})
    # Afterwards: with pyarrow about, xarray itself stumbles over half a character.
    result["a"].values[:] = values
    study["result"] = result
    with pytest.raises(SchemaError, match="/result/a"):
        hrm.io.write_native(study, tmp_path / "a.nc")
    assert names_in(tmp_path) == []


def test_an_invalid_study_is_not_written(tmp_path):
    study = small()
    del study.attrs["catheter"]
    with pytest.raises(SchemaError, match="catheter"):
        hrm.io.write_native(study, tmp_path / "a.nc")
    assert names_in(tmp_path) == []


def test_every_truncation_is_found(tmp_path):
    path = tmp_path / "a.nc"
    hrm.io.write_native(small(), path)
    data = path.read_bytes()
    for percent in range(1, 100, 3):
        path.write_bytes(data[: len(data) * percent // 100])
        with pytest.raises(CorruptFileError):
            hrm.io.open_recording(path, reader="hrm-native")


def test_every_flipped_byte_is_found(tmp_path):
    path = tmp_path / "a.nc"
    hrm.io.write_native(small(), path)
    data = path.read_bytes()
    rng = np.random.default_rng(1)
    for at in rng.integers(0, len(data) - 40, 150):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << int(rng.integers(8))]) + data[at + 1 :])
        with pytest.raises(CorruptFileError):
            hrm.io.open_recording(path, reader="hrm-native")


def test_flipped_samples_are_found_even_without_the_digest(tmp_path):
    path = tmp_path / "a.nc"
    hrm.io.write_native(small(), path)
    with h5py.File(path) as file:
        chunk = file["pressure/pressure"].id.get_chunk_info(0)
    data = bytearray(path.read_bytes()[:-40])
    data[chunk.byte_offset + chunk.size // 2] ^= 16
    path.write_bytes(data)
    with (
        pytest.warns(ProvenanceWarning, match="no digest"),
        pytest.raises(CorruptFileError, match="cut or damaged"),
    ):
        hrm.io.open_recording(path, strictness="warn")


# ---------------------------------------------------------------- the digest


def whole(path):
    return hrm.io.open_recording(path)


def lazily(path):
    hrm.io.open_recording(path, lazy=True).close()


WAYS = pytest.mark.parametrize("way", [whole, lazily, hrm.io.peek])


def no_hdf5(monkeypatch):
    """Whoever opens HDF5 fails the test."""
    monkeypatch.setattr(h5py, "File", lambda *_, **__: pytest.fail("HDF5 saw the file"))


@pytest.fixture
def foreign(tmp_path):
    """A study saved again by another program."""
    hrm.io.write_native(rich(), tmp_path / "a.nc")
    with xr.open_datatree(tmp_path / "a.nc", engine="h5netcdf") as plain:
        plain.to_netcdf(tmp_path / "foreign.nc", engine="h5netcdf")
    return tmp_path / "foreign.nc"


@WAYS
def test_hdf5_sees_no_file_without_a_digest(way, foreign, monkeypatch):
    no_hdf5(monkeypatch)
    with pytest.raises(CorruptFileError, match="no digest") as caught:
        way(foreign)
    assert 'strictness="warn"' in str(caught.value)
    assert "hrm convert" in str(caught.value)
    assert "foreign" not in str(caught.value)


@WAYS
@pytest.mark.parametrize("at", [9, 100, 900])
def test_hdf5_sees_no_small_file_whose_digest_does_not_fit(way, at, tmp_path, monkeypatch):
    path = tmp_path / "a.nc"
    hrm.io.write_native(small(), path)
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    seen = []
    file = h5py.File
    monkeypatch.setattr(
        h5py, "File", lambda stream, mode: seen.append(stream) or file(stream, mode)
    )
    with pytest.raises(CorruptFileError, match="does not match the digest"):
        way(path)
    assert all(type(stream).__name__ == "_Checked" for stream in seen)


@WAYS
def test_what_is_wrong_with_a_digest(way, tmp_path, monkeypatch):
    path = tmp_path / "a.nc"
    hrm.io.write_native(small(), path)
    data = path.read_bytes()
    no_hdf5(monkeypatch)
    size = len(data) - 40 - 16 - 32  # one block
    huge = data[: size + 32] + b"\xff" * 8 + data[size + 40 :]
    for spoilt in (data[:-1], data[100:200] + data[-56:], data[:8] + data[-40:], huge):
        path.write_bytes(spoilt)
        with pytest.raises(CorruptFileError, match="digest"):
            way(path) if spoilt[:4] == data[:4] else native.NativeReader().peek(Source.of(path))


def test_what_another_program_saved_opens_when_asked(foreign, tmp_path):
    for lazy in (False, True):
        with pytest.warns(ProvenanceWarning, match="no digest"):
            study = hrm.io.open_recording(foreign, strictness="warn", lazy=lazy)
        xr.testing.assert_equal(
            study["pressure"].to_dataset().load(), rich()["pressure"].to_dataset()
        )
        study.close()
    with pytest.warns(ProvenanceWarning, match="no digest"):
        hrm.io.convert_recording(foreign, tmp_path / "new.nc", strictness="warn")
    xr.testing.assert_equal(whole(tmp_path / "new.nc"), rich())
    assert hrm.io.peek(tmp_path / "new.nc")["n_samples"] == 5000


def test_a_changed_attribute_is_seen_and_read_when_asked(tmp_path):
    path = tmp_path / "a.nc"
    hrm.io.write_native(small(attrs={"operator_note": "abcdefgh"}), path)
    path.write_bytes(path.read_bytes().replace(b"abcdefgh", b"abcdefgX"))
    for lazy in (False, True):
        with pytest.raises(CorruptFileError, match="does not match"):
            hrm.io.open_recording(path, lazy=lazy)
        with pytest.warns(ProvenanceWarning, match="does not match"):
            study = hrm.io.open_recording(path, lazy=lazy, strictness="warn")
        assert study.attrs["operator_note"] == "abcdefgX"
        study.close()


def test_only_what_is_read_is_compared(tmp_path, monkeypatch):
    """A day must not be read whole to be described; but what is described was compared."""
    monkeypatch.setattr(_digest, "BLOCK_BYTES", 512)
    path = tmp_path / "a.nc"
    hrm.io.write_native(small(), path)
    with h5py.File(path) as file:
        chunk = file["pressure/pressure"].id.get_chunk_info(0)
    data = bytearray(path.read_bytes())
    data[chunk.byte_offset + chunk.size // 2] ^= 16
    path.write_bytes(data)
    assert hrm.io.peek(path)["n_samples"] == 5000
    study = hrm.io.open_recording(path, lazy=True)
    with pytest.raises(OSError, match=r"filter|checksum"):
        study["pressure/pressure"].values  # noqa: B018
    study.close()
    with pytest.raises(CorruptFileError, match="does not match"):
        hrm.io.open_recording(path)


def test_no_flipped_byte_gets_past_peek_unseen(tmp_path, monkeypatch):
    monkeypatch.setattr(_digest, "BLOCK_BYTES", 256)
    path = tmp_path / "a.nc"
    hrm.io.write_native(small(), path)
    said, data = hrm.io.peek(path), path.read_bytes()
    outcomes = set()
    for at in np.random.default_rng(3).integers(0, len(data) - 40, 120):
        path.write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
        try:
            outcomes.add(str(hrm.io.peek(path, reader="hrm-native")))
        except CorruptFileError as err:
            outcomes.add(str(err).partition(";")[0])
    refused = f"[hrm-native]: {_digest._WRONG}"
    assert outcomes == {str(said), refused}


def test_a_file_of_an_early_hrm_has_a_digest_of_the_whole_only(tmp_path):
    path = tmp_path / "a.nc"
    hrm.io.write_native(small(), path)
    content = path.read_bytes()[: -40 - 16 - 32]
    path.write_bytes(content + b"hrm-sum1" + hashlib.sha256(content).digest())
    for way in (whole, lazily, hrm.io.peek):
        way(path)
    changed = bytes([*content[:900], content[900] ^ 1, *content[901:]])
    path.write_bytes(changed + b"hrm-sum1" + hashlib.sha256(content).digest())
    for way in (whole, lazily, hrm.io.peek):
        with pytest.raises(CorruptFileError, match="does not match"):
            way(path)


def test_the_digest_of_several_blocks(tmp_path):
    content = np.random.default_rng(1).bytes(3 * _digest.BLOCK_BYTES + 17)
    for size in (0, 1, _digest.BLOCK_BYTES, len(content)):
        path = tmp_path / "a"
        path.write_bytes(content[:size])
        _digest.append(path)
        data = path.read_bytes()
        assert len(data) == size + 32 * -(-size // _digest.BLOCK_BYTES) + 16 + 40
        assert data[-32:] == hashlib.sha256(data[:-40]).digest()
        with path.open("rb") as stream:
            found = _digest.checked(stream, strictness="raise")
            assert found.read() == content[:size]
            assert found.seek(0, 2) == size
            found.seek(-5, 1)
            assert found.read(99) == content[max(0, size - 5) : size]


def test_packed_files_and_file_objects_are_checked_too(foreign, tmp_path):
    packed = tmp_path / "foreign.nc.gz"
    packed.write_bytes(gzip.compress(foreign.read_bytes()))
    for function in (hrm.io.open_recording, hrm.io.peek):
        for source in (packed, io.BytesIO(foreign.read_bytes())):
            with pytest.raises(CorruptFileError, match="no digest"):
                function(source)


def test_peek_reads_little_of_a_large_file(tmp_path):
    path = tmp_path / "a.nc"
    noise = np.random.default_rng(1).normal(size=(400_000, 36)).astype(np.float32)
    hrm.io.write_native(make_recording(noise, sampling_rate=50.0, depth=range(36)), path)
    assert path.stat().st_size > 40e6
    begun = time.process_time()
    assert hrm.io.peek(path)["n_samples"] == 400_000
    assert time.process_time() - begun < 0.25


def test_python_ends_well_with_a_lazy_study_open(tmp_path):
    hrm.io.write_native(small(), tmp_path / "a.nc")
    code = (
        "import sys, hrm.io; study = hrm.io.open_recording(sys.argv[1], lazy=True);"
        "study['pressure/pressure'][:, :5].values"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.nc")],
        check=False,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.returncode == 0


# ---------------------------------------------------------------- what is in the file


def test_a_file_that_declares_more_than_it_holds(tmp_path):
    path = tmp_path / "a.nc"
    hrm.io.write_native(small(), path)
    with edited(path) as file:
        shape = (40_000, 1_000_000)
        file.create_dataset("bomb", shape=shape, dtype="f8", chunks=(1, 4096))
    with pytest.raises(CorruptFileError, match="declares"):
        hrm.io.open_recording(path)


@pytest.mark.parametrize(
    ("version", "error"),
    [("2", UnsupportedVersionError), ("x", CorruptFileError), ("", CorruptFileError)],
)
def test_schema_version(version, error, tmp_path):
    path = tmp_path / "a.nc"
    hrm.io.write_native(small(), path)
    with edited(path) as file:
        file.attrs["schema_version"] = version
    with pytest.raises(error, match="schema_version"):
        hrm.io.open_recording(path)


def test_another_hdf5_file_is_not_a_study(tmp_path):
    with h5py.File(tmp_path / "a.nc", "w") as file:
        file["x"] = [1, 2]
    with pytest.raises(UnknownFormatError, match="HDF5, but not a study"):
        hrm.io.open_recording(tmp_path / "a.nc")


def test_a_study_without_pressure_breaks_the_contract(tmp_path):
    path = tmp_path / "a.nc"
    hrm.io.write_native(small(), path)
    with edited(path) as file:
        del file["pressure/pressure"]
    with pytest.raises(SchemaError, match="/pressure"):
        hrm.io.open_recording(path)
    with pytest.raises(CorruptFileError):
        hrm.io.peek(path)


def test_what_the_caller_says_about_a_native_file(tmp_path):
    path = tmp_path / "a.nc"
    hrm.io.write_native(small(), path)
    study = hrm.io.open_recording(path, system="manoscan", participant="P07", depths=[0, 1, 3, 4])
    assert study.attrs["system"] == "manoscan"
    assert study.attrs["study_id"] == "P07"
    with pytest.raises(ParameterError, match="carries its sensor positions"):
        hrm.io.open_recording(path, depths=[0, 1, 2, 3])
    with pytest.raises(ParameterError, match="unknown system"):
        hrm.io.open_recording(path, system="best")


def test_the_file_has_the_usual_permissions(tmp_path):
    hrm.io.write_native(small(), tmp_path / "a.nc")
    (tmp_path / "b").write_bytes(b"")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a.nc", "b")}
    assert len(modes) == 1
