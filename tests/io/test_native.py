"""The native file: without loss, in one step, and never half."""

import stat

import h5py
import numpy as np
import pytest
import xarray as xr

import hrm.io
from hrm.errors import (
    CorruptFileError,
    ParameterError,
    SchemaError,
    UnknownFormatError,
    UnsupportedVersionError,
)
from hrm.schema import make_recording


def small(**options):
    rng = np.random.default_rng(5)
    pressure = rng.normal(10, 30, (5000, 4)).astype(np.float32)
    pressure[7, 2] = np.nan
    return make_recording(pressure, **{"sampling_rate": 50.0, "depth": [0, 1, 3, 4], **options})


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


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
    with h5py.File(tmp_path / "b.nc", "r+") as file:
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
    study["result"] = xr.Dataset({"a": ("x", np.array(values, dtype=object))})
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
    with pytest.raises(CorruptFileError, match="cut or damaged"):
        hrm.io.open_recording(path)


@pytest.mark.filterwarnings("ignore:The 'phony_dims' kwarg")
def test_a_file_that_declares_more_than_it_holds(tmp_path):
    path = tmp_path / "a.nc"
    hrm.io.write_native(small(), path)
    with h5py.File(path, "r+") as file:
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
    with h5py.File(path, "r+") as file:
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
    with h5py.File(path, "r+") as file:
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
