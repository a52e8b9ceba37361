"""Encodings of the native file: the same numbers back, or a refusal that says where."""

import io
import subprocess
import sys
import tracemalloc
from fractions import Fraction

import h5py
import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st

import hrm.io
from hrm.cli.main import main
from hrm.errors import (
    CorruptFileError,
    MissingDependencyError,
    ParameterError,
    ProvenanceWarning,
)
from hrm.io import _digest, _lines
from hrm.io._encodings import FILL, Proof, pack, unpack
from hrm.schema import make_recording
from tests.io.layouts import ManoView, Mms

ENCODINGS = ["float32", "int16", "blosc"]
SIGNALS = ["pressure/pressure", "impedance/impedance"]


def decimal(shape, decimals, seed=3):
    """What a text with so many decimals is read as."""
    steps = np.random.default_rng(seed).integers(-32767, 32768, shape)
    return (steps / 10**decimals).astype(np.float32)


def small(pressure=None, **options):
    if pressure is None:
        pressure = decimal((9000, 4), 2)
        pressure[7, 2] = pressure[8200, 0] = np.nan
    depth = np.arange(pressure.shape[1]) / 2
    return make_recording(pressure, sampling_rate=50.0, depth=depth, **options)


def rich():
    ohm = np.abs(decimal((9000, 3), 0, seed=8))
    study = small(impedance=ohm, impedance_depth=[np.nan] * 3, attrs={"list_of_one": ["a"]})
    study["results/egj"] = xr.Dataset({"count": ("x", np.arange(3, dtype=np.int16))})
    return study


def assert_same(found, study):
    xr.testing.assert_identical(found, study)
    assert found.attrs == study.attrs
    for node in study.subtree:
        for name, variable in node.to_dataset(inherit=False).variables.items():
            other = found[node.path].to_dataset(inherit=False).variables[name]
            assert other.dtype == variable.dtype, (node.path, name)
            assert list(other.attrs.items()) == list(variable.attrs.items()), (node.path, name)
            assert not other.encoding
            if variable.dtype != object:
                assert other.values.tobytes() == variable.values.tobytes(), (node.path, name)


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_study_comes_back_to_the_bit(encoding, lazy, tmp_path):
    study, path = rich(), tmp_path / "a.nc"
    hrm.io.write_native(study, path, encoding=encoding)
    found = hrm.io.open_recording(path, lazy=lazy)
    assert_same(found, study)
    hrm.io.write_native(found, tmp_path / "b.nc", encoding="int16")
    found.close()
    assert_same(hrm.io.open_recording(tmp_path / "b.nc"), study)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.nc", "b.nc"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_plain_xarray_sees_the_values(encoding, tmp_path):
    study, path = rich(), tmp_path / "a.nc"
    hrm.io.write_native(study, path, encoding=encoding)
    with xr.open_datatree(path, engine="h5netcdf") as plain:
        for name in SIGNALS:
            values = plain[name].values.astype(np.float32)
            np.testing.assert_array_equal(values, study[name].values)
            assert plain[name].attrs == study[name].attrs


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_is_on_disk(encoding, tmp_path):
    hrm.io.write_native(rich(), tmp_path / "a.nc", encoding=encoding)
    with h5py.File(tmp_path / "a.nc") as file:
        for name in SIGNALS:
            data = file[name]
            filters = [
                data.id.get_create_plist().get_filter(k)[0]
                for k in range(3 - (encoding == "blosc"))
            ]
            assert filters == ([32001, 3] if encoding == "blosc" else [2, 1, 3])
            assert data.chunks[1] == 4096
            assert data.dtype == (np.int16 if encoding == "int16" else np.float32)
            assert ("scale_factor" in data.attrs) == (encoding == "int16")
        if encoding == "int16":
            scales = [file[name].attrs["scale_factor"].item() for name in SIGNALS]
            assert scales == [0.01, 1.0]
            assert file["pressure/pressure"].attrs["_FillValue"] == FILL == -32768
            assert file["pressure/pressure"][2, 7] == FILL
        assert file["pressure/time"].compression == "gzip"


def test_a_lazy_signal_is_decoded_where_it_is_used(tmp_path):
    study, path = small(), tmp_path / "a.nc"
    hrm.io.write_native(study, path, encoding="int16")
    wanted = study["pressure/pressure"].values
    found = hrm.io.open_recording(path, lazy=True)
    lazy = found["pressure/pressure"]
    for key in [
        (slice(None), slice(8100, 8300)),
        (2, slice(0, 20)),
        (slice(None, None, -1), slice(5, 900, 7)),
        ([3, 0], [8200, 7, 7]),
        (1, 4),
    ]:
        part = lazy[key]
        assert part.dtype == np.float32
        expected = wanted[np.ix_(*key)] if isinstance(key[0], list) else wanted[key]
        np.testing.assert_array_equal(part.values, expected)
    assert not lazy.variable._in_memory
    whole = lazy.values
    assert lazy.values is whole or np.shares_memory(lazy.values, whole)
    found.close()


# ---------------------------------------------------------------- the proof


def naive_keeps(value, decimals):
    """Whether the nearest code of a float32 gives the number back, in exact arithmetic."""
    if np.isnan(value):
        return True
    if np.isinf(value):
        return False
    steps = round(Fraction(float(value)) * 10**decimals)
    back = np.float32(float(Fraction(steps, 10**decimals)))
    return abs(steps) <= 32767 and Fraction(float(back)) == Fraction(float(value))


def naive_place(rows):
    """Fewest decimals that keep all, or the (row, channel) where the last hope ends."""
    ends = []
    for decimals in range(4):
        changed = (
            (row, channel)
            for row, channel in np.ndindex(rows.shape)
            if not naive_keeps(rows[row, channel], decimals)
        )
        end = next(changed, None)
        if end is None:
            return decimals
        ends.append(end)
    return max(ends)


def found_place(rows, n_block):
    proof = Proof("pressure")
    try:
        for start in range(0, len(rows), n_block):
            proof.add(rows[start : start + n_block])
    except ParameterError as err:
        return str(err)
    return proof.decimals


NUMBERS = st.one_of(
    *(st.integers(-33000, 33000).map(lambda k, d=d: k / 10**d) for d in range(5)),
    st.floats(width=32, allow_nan=True),
    st.sampled_from([0.0, -0.0, 32767.0, 32767.5, 327.67, 327.68, 3.2768e4, -32768.0]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(NUMBERS, min_size=2, max_size=24), st.integers(1, 12))
@example([0.5, 1 / 3], 1)
@example([0.001, 300.0], 1)
@example([300.0, 0.01, 0.001], 2)
@example([float("nan"), -32768.0], 1)
def test_the_proof_is_that_of_exact_arithmetic(numbers, n_block):
    with np.errstate(over="ignore"):
        rows = np.array(numbers[: len(numbers) // 2 * 2], dtype=np.float32).reshape(-1, 2)
    wanted, found = naive_place(rows), found_place(rows, n_block)
    if isinstance(wanted, int):
        assert found == wanted
        scale = (1.0, 0.1, 0.01, 0.001)[wanted]
        back = unpack(pack(rows, wanted), scale, int(FILL))
        np.testing.assert_array_equal(back, rows)
        # All that may change is what says nothing: the sign of a zero, the bits of a NaN.
        plain = np.where(np.isnan(rows), np.float32(np.nan), rows + np.float32(0))
        assert back.tobytes() == plain.tobytes()
    else:
        assert f"sample {wanted[0] + 1} of pressure channel {wanted[1] + 1} " in found


@pytest.mark.parametrize("decimals", range(4))
def test_every_code_of_every_scale_comes_back(decimals):
    values = (np.arange(-32767, 32768) / 10**decimals).astype(np.float32)[:, None]
    assert found_place(values, 5000) == decimals
    codes = pack(values, decimals)
    assert np.array_equal(codes[:, 0], np.arange(-32767, 32768))


BAD = {
    "third": np.float32(1 / 3),
    "range": np.float32(327.68),
    "infinity": np.float32(np.inf),
    "nearly zero": np.float32(-1e-30),
}


@pytest.mark.parametrize("lazy", [False, True])
def test_the_sign_of_a_zero_and_the_bits_of_a_nan_say_nothing(lazy, tmp_path):
    """An export that prints -0.00 was refused for it."""
    study = small()
    values = study["pressure/pressure"].values
    values[3, 5000] = -0.0
    values[1, 6000] = np.array(0x7FC12345, dtype=np.uint32).view(np.float32)
    hrm.io.write_native(study, tmp_path / "a.nc", encoding="int16")
    again = hrm.io.open_recording(tmp_path / "a.nc", lazy=lazy)
    found = again["pressure/pressure"].values
    again.close()
    np.testing.assert_array_equal(found, values)
    assert not np.signbit(found[3, 5000])
    assert np.isnan(found[1, 6000])


def test_an_export_that_prints_negative_zeros_is_packed(tmp_path):
    data = ManoView(n_samples=4100).bytes().replace(b"\t0.68\t", b"\t-0.00\t")
    assert b"-0.00" in data
    hrm.io.convert_recording(io.BytesIO(data), tmp_path / "a.nc", encoding="int16")
    found, study = hrm.io.open_recording(tmp_path / "a.nc"), hrm.io.open_recording(io.BytesIO(data))
    xr.testing.assert_equal(found, study)


@pytest.mark.parametrize("name", BAD)
def test_a_sample_that_would_change_is_named_and_nothing_written(name, tmp_path):
    study = small()
    study["pressure/pressure"].values[3, 5000] = BAD[name]
    study["pressure/pressure"].values[1, 6000] = np.float32(1 / 3)
    with pytest.raises(ParameterError, match=r"sample 5001 of pressure channel 4 .*use float32"):
        hrm.io.write_native(study, tmp_path / "a.nc", encoding="int16")
    assert list(tmp_path.iterdir()) == []


def test_an_impedance_that_would_change_is_named(tmp_path):
    study = rich()
    study["impedance/impedance"].values[2, 9] = 40_000
    with pytest.raises(ParameterError, match="sample 10 of impedance channel 3"):
        hrm.io.write_native(study, tmp_path / "a.nc", encoding="int16")


# ---------------------------------------------------------------- as a stream

FILES = {
    "mms": (Mms(n_samples=9000, nan=tuple((k, 3) for k in range(9000))), {"catheter": "CE4-0062"}),
    "manoview": (ManoView(n_samples=4100, n_segments=18), {}),
    "exact chunks": (ManoView(n_samples=8192), {"participant": "P-7"}),
}


@pytest.fixture
def block_bytes(monkeypatch):
    return lambda n: monkeypatch.setattr(_lines, "BLOCK_BYTES", n)


@pytest.mark.parametrize("encoding", ["int16", "blosc"])
@pytest.mark.parametrize("name", FILES)
def test_a_stream_makes_the_same_of_a_file(name, encoding, tmp_path, block_bytes):
    block_bytes(50_000)
    file, said = FILES[name]
    path = tmp_path / "a.txt"
    path.write_bytes(file.bytes().replace(b"-0.00", b"0.00"))
    study = hrm.io.open_recording(path, **said)
    hrm.io.convert_recording(path, tmp_path / "a.nc", encoding=encoding, **said)
    hrm.io.write_native(study, tmp_path / "b.nc", encoding=encoding)
    for out in ("a.nc", "b.nc"):
        assert_same(hrm.io.open_recording(tmp_path / out), study)
    with h5py.File(tmp_path / "a.nc") as a, h5py.File(tmp_path / "b.nc") as b:
        left, right = a["pressure/pressure"], b["pressure/pressure"]
        np.testing.assert_array_equal(left[:], right[:])
        assert left.dtype == right.dtype
        assert left.attrs.get("scale_factor") == right.attrs.get("scale_factor")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.nc", "a.txt", "b.nc"]


def test_a_stream_says_the_same_of_a_sample_that_would_change(tmp_path, block_bytes):
    lines = ManoView(n_samples=900).lines()
    cells = lines[701].split("\t")
    cells[5] = "1.23456"
    lines[701] = "\t".join(cells)
    path = tmp_path / "a.txt"
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode().replace(b"-0.00", b"0.00"))
    study = hrm.io.open_recording(path)
    said = []
    for n in (4096, 8 << 20):
        block_bytes(n)
        with pytest.raises(ParameterError) as err:
            hrm.io.convert_recording(path, tmp_path / "out.nc", encoding="int16")
        said.append(str(err.value))
    with pytest.raises(ParameterError) as err:
        hrm.io.write_native(study, tmp_path / "out.nc", encoding="int16")
    assert said == [str(err.value)] * 2
    assert "sample 701 of pressure channel 5" in said[0]
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]


def test_a_damaged_text_leaves_nothing_behind(tmp_path, block_bytes):
    block_bytes(4096)
    path = tmp_path / "a.csv"
    path.write_bytes(Mms(n_samples=900).bytes()[:-5000] + b"1x")
    with pytest.raises(CorruptFileError):
        hrm.io.convert_recording(path, tmp_path / "a.nc", catheter="CE4-0062", encoding="int16")
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv"]


def test_int16_keeps_its_memory_when_the_file_grows(tmp_path, block_bytes):
    block_bytes(200_000)
    peaks = []
    for n_samples in (4_000, 16_000):
        data = ManoView(n_samples=n_samples).bytes().replace(b"-0.00", b"0.00")
        (tmp_path / "a.txt").write_bytes(data)
        tracemalloc.start()
        hrm.io.convert_recording(
            tmp_path / "a.txt", tmp_path / "a.nc", encoding="int16", overwrite=True
        )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 12_000 * 150


# ---------------------------------------------------------------- files of others, and damage


def test_a_file_saved_again_by_xarray_is_read(tmp_path):
    study = rich()
    hrm.io.write_native(study, tmp_path / "a.nc", encoding="int16")
    with xr.open_datatree(tmp_path / "a.nc", engine="h5netcdf") as plain:
        plain.to_netcdf(tmp_path / "b.nc", engine="h5netcdf")
    with pytest.warns(ProvenanceWarning, match="no digest"):
        found = hrm.io.open_recording(tmp_path / "b.nc", strictness="warn")
    for name in SIGNALS:
        assert found[name].values.tobytes() == study[name].values.tobytes()
        assert found[name].attrs == study[name].attrs


@pytest.mark.parametrize("encoding", ["int16", "blosc"])
def test_flipped_samples_are_found(encoding, tmp_path, monkeypatch):
    monkeypatch.setattr(_digest, "BLOCK_BYTES", 256)
    path = tmp_path / "a.nc"
    hrm.io.write_native(small(), path, encoding=encoding)
    with h5py.File(path) as file:
        chunk = file["pressure/pressure"].id.get_chunk_info(1)
    data = bytearray(path.read_bytes())
    data[chunk.byte_offset + chunk.size // 2] ^= 16
    path.write_bytes(data)
    with pytest.raises(CorruptFileError, match="digest"):
        hrm.io.open_recording(path)
    found = hrm.io.open_recording(path, lazy=True)
    assert found["pressure/pressure"][:, :10].values.shape == (4, 10)
    with pytest.raises(OSError, match=r"filter|checksum"):
        found["pressure/pressure"][:, 5000:5010].values  # noqa: B018
    found.close()
    path.write_bytes(data[:-40])
    with (
        pytest.warns(ProvenanceWarning, match="no digest"),
        pytest.raises(CorruptFileError, match="cut or damaged"),
    ):
        hrm.io.open_recording(path, strictness="warn")


def test_blosc_may_shrink_more_than_gzip_could(tmp_path):
    study = small(np.zeros((120_000, 256), dtype=np.float32))
    hrm.io.write_native(study, tmp_path / "a.nc", encoding="blosc")
    expansion = study["pressure/pressure"].nbytes / (tmp_path / "a.nc").stat().st_size
    # One at which any other file is refused as declaring more than it can hold.
    assert expansion > 1150
    assert_same(hrm.io.open_recording(tmp_path / "a.nc"), study)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_samples_that_are_declared_and_not_there(encoding, tmp_path):
    path = tmp_path / "a.nc"
    hrm.io.convert_recording(
        io.BytesIO(Mms().bytes()), path, catheter="CE4-0062", encoding=encoding
    )
    with h5py.File(path, "r+") as file:
        file["pressure/pressure"].resize(10**9, axis=1)
    _digest.append(path)
    # Refused before the times, which grow with the samples, take 8 GB.
    for lazy in (False, True):
        tracemalloc.start()
        with pytest.raises(CorruptFileError, match="declares"):
            hrm.io.open_recording(path, lazy=lazy)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 100e6


# ---------------------------------------------------------------- what is asked for


def test_an_unknown_encoding(tmp_path):
    with pytest.raises(ParameterError, match="float32, int16, blosc"):
        hrm.io.write_native(small(), tmp_path / "a.nc", encoding="int8")
    with pytest.raises(ParameterError, match="float32, int16, blosc"):
        hrm.io.convert_recording(io.BytesIO(Mms().bytes()), tmp_path / "a.nc", encoding="int8")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_command_line(encoding, tmp_path):
    path, out = tmp_path / "a.csv", tmp_path / "a.nc"
    path.write_bytes(Mms(n_samples=100).bytes())
    said = ["--catheter", "CE4-0062", "--encoding", encoding]
    done = CliRunner().invoke(main, ["convert", str(path), str(out), *said])
    assert done.exit_code == 0, done.output
    study = hrm.io.open_recording(path, catheter="CE4-0062")
    assert_same(hrm.io.open_recording(out), study)
    joined = tmp_path / "b.nc"
    done = CliRunner().invoke(main, ["convert", "--join", str(out), str(joined), *said[2:]])
    assert done.exit_code == 0, done.output
    with h5py.File(joined) as a, h5py.File(out) as b:
        assert a["pressure/pressure"].dtype == b["pressure/pressure"].dtype


WITHOUT_PLUGIN = """
import sys
sys.modules["hdf5plugin"] = None
import hrm.io
from hrm.errors import MissingDependencyError
from pathlib import Path
folder = Path(sys.argv[1])
study = hrm.io.open_recording(folder / "float32.nc")
def fails(job):
    try:
        job()
    except MissingDependencyError as err:
        assert "hrm[blosc]" in str(err), err
    else:
        raise SystemExit("no error")
fails(lambda: hrm.io.write_native(study, folder / "new.nc", encoding="blosc"))
fails(lambda: hrm.io.convert_recording(folder / "float32.nc", folder / "new.nc", encoding="blosc"))
fails(lambda: hrm.io.open_recording(folder / "blosc.nc"))
fails(lambda: hrm.io.open_recording(folder / "blosc.nc", lazy=True))
assert hrm.io.peek(folder / "blosc.nc")["n_samples"] == 9000
hrm.io.open_recording(folder / "int16.nc")
from hrm.cli.main import main
main(["convert", str(folder / "blosc.nc"), str(folder / "new.nc")])
"""


def test_without_the_plugin_the_message_names_the_extra(tmp_path):
    for encoding in ENCODINGS:
        hrm.io.write_native(small(), tmp_path / f"{encoding}.nc", encoding=encoding)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PLUGIN, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path), "PATH": ""},
    )
    assert "hrm[blosc]" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode not in (0, None)
    assert not (tmp_path / "new.nc").exists()


def test_the_error_is_the_one_of_a_missing_package(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'hrm\[blosc\]'"):
        hrm.io.write_native(small(), tmp_path / "a.nc", encoding="blosc")
    assert list(tmp_path.iterdir()) == []
