"""engine="hrm" of xarray: by class, and by the name that pyproject.toml declares."""

import io
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import xarray as xr

import hrm.io
from hrm.errors import ParameterError
from hrm.io._registry import builtin_readers
from hrm.io._variants import variants_of
from hrm.io.xarray_backend import HrmBackendEntrypoint
from tests.io.edf_bytes import Edf, pressures
from tests.io.layouts import Headless, ManoView, Mms

ROOT = Path(hrm.io.__file__).parents[2]


@pytest.fixture
def mms(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(Mms().bytes())
    return path


def test_a_tree_is_the_study(mms):
    tree = xr.open_datatree(mms, engine=HrmBackendEntrypoint, catheter="CE4-0062")
    study = hrm.io.open_recording(mms, catheter="CE4-0062")
    xr.testing.assert_identical(tree, study)
    assert tree.attrs == study.attrs


def test_a_dataset_is_one_node_with_the_provenance(mms):
    given = {"engine": HrmBackendEntrypoint, "catheter": "CE4-0062"}
    study = hrm.io.open_recording(mms, catheter="CE4-0062")
    pressure = xr.open_dataset(mms, **given)
    xr.testing.assert_equal(pressure, study["pressure"].to_dataset())
    assert pressure.attrs["source_sha256"] == study.attrs["source_sha256"]
    assert pressure["pressure"].attrs["units"] == "mmHg"
    events = xr.open_dataset(mms, group="events", **given)
    xr.testing.assert_equal(events, study["events"].to_dataset())
    assert "depth" not in xr.open_dataset(mms, drop_variables="depth", **given).coords
    with pytest.raises(ParameterError, match="it has /, /events, /pressure"):
        xr.open_dataset(mms, group="impedance", **given)


def test_groups(mms):
    found = xr.open_groups(mms, engine=HrmBackendEntrypoint, catheter="CE4-0062")
    assert set(found) == {"/", "/pressure", "/events"}


def analyzed():
    """A study with results: groups, and groups within groups."""
    study = hrm.io.open_recording(io.BytesIO(ManoView(n_segments=18).bytes()))
    study["swallows"] = xr.Dataset({"onset": ("swallow", [1.0, 2.0])})
    study["results/egj"] = xr.Dataset({"basal": 12.5}, attrs={"version": 3})
    return study


def write_native(encoding):
    def write(path):
        hrm.io.write_native(analyzed(), path, encoding=encoding)

    return write


def content(make):
    return lambda path: path.write_bytes(make().bytes())


TABLE = {"sampling_rate": 50, "pressure_unit": "mmHg", "channel_order": "proximal_first"}
#: How to write a file of each reader, what must be said of it, and the groups it has.
RECORDING = {"/", "/pressure", "/events"}
WITH_IMPEDANCE = RECORDING | {"/impedance"}
RESULTS = WITH_IMPEDANCE | {"/swallows", "/results", "/results/egj"}
FORMATS = {
    "hrm-native": (write_native("float32"), {}, RESULTS),
    "hrm-native int16": (write_native("int16"), {}, RESULTS),
    "hrm-native blosc": (write_native("blosc"), {}, RESULTS),
    "hrm-native lazy": (write_native("float32"), {"lazy": True}, RESULTS),
    "hrm-native int16 lazy": (write_native("int16"), {"lazy": True}, RESULTS),
    "mms-csv": (content(Mms), {"catheter": "CE4-0062"}, RECORDING),
    "manoview-ascii": (content(lambda: ManoView(n_segments=18)), {}, WITH_IMPEDANCE),
    "manoview-headless": (content(Headless), {}, RECORDING),
    "edf": (
        lambda path: path.write_bytes(Edf(pressures(3, 3, 5)).bytes()),
        {"depths": range(3), "channel_order": "proximal_first"},
        RECORDING,
    ),
    "plain-table": (
        lambda path: path.write_text("1.25,-1,6\n2.5,-2,5\n3.75,-3,4\n" * 9),
        {"depths": range(3), "reader": "plain-table", **TABLE},
        RECORDING,
    ),
}


def test_every_reader_is_opened_below():
    readers = {
        reader.name for reader in builtin_readers() if any(v.read for v in variants_of(reader))
    }
    assert readers == {name.split()[0] for name in FORMATS}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_and_every_group(name, tmp_path):
    write, said, groups = FORMATS[name]
    path = tmp_path / "a.bin"
    write(path)
    study = hrm.io.open_recording(path, **said)
    said = {"engine": HrmBackendEntrypoint, **said}
    with xr.open_dataset(path, **said) as found:
        assert found["pressure"].dims == ("sensor", "time")
        xr.testing.assert_equal(found.load(), study["pressure"].to_dataset())
    with xr.open_datatree(path, **said) as found:
        assert set(found.groups) == groups
        xr.testing.assert_identical(found.load(), study)
    for group in groups:
        for given in (group, group.strip("/"), f"{group}/"):
            with xr.open_dataset(path, group=given, **said) as found:
                node = study[group].to_dataset(inherit=False)
                xr.testing.assert_equal(found.load(), node)
                assert found.attrs == {**study.attrs, **node.attrs}
        with xr.open_datatree(path, group=group, **said) as found:
            xr.testing.assert_equal(found.load(), study[group])
            assert found.attrs == {**study.attrs, **study[group].attrs}
    for open_it in (xr.open_dataset, xr.open_datatree, xr.open_groups):
        with pytest.raises(ParameterError, match=", ".join(sorted(groups))):
            open_it(path, group="nowhere", **said)
    study.close()


def test_a_group_keeps_what_lies_within_it(tmp_path):
    hrm.io.write_native(analyzed(), tmp_path / "a.nc")
    given = {"engine": HrmBackendEntrypoint, "group": "results"}
    found = xr.open_datatree(tmp_path / "a.nc", drop_variables="none", **given)
    assert found.groups == ("/", "/egj")
    assert found["egj/basal"] == 12.5
    assert set(xr.open_groups(tmp_path / "a.nc", **given)) == {"/", "/egj"}


def test_a_lazy_study_closes_its_file(mms, tmp_path):
    path = tmp_path / "a.nc"
    hrm.io.convert_recording(mms, path, catheter="CE4-0062")
    with xr.open_dataset(path, engine=HrmBackendEntrypoint, lazy=True) as found:
        assert not found["pressure"].variable._in_memory
    with pytest.raises((RuntimeError, ValueError), match="closed"):
        found["pressure"].isel(time=slice(3)).values  # noqa: B018
    dropped = xr.open_datatree(
        path, engine=HrmBackendEntrypoint, lazy=True, drop_variables=["note"]
    )
    assert "note" not in dropped["events"].to_dataset()
    dropped.close()


def test_it_claims_what_a_vendor_wrote_and_nothing_else(mms, tmp_path):
    can = HrmBackendEntrypoint().guess_can_open
    (tmp_path / "text.csv").write_text("a,b\n1,2\n" * 9)
    (tmp_path / "view.txt").write_bytes(ManoView().bytes())
    hrm.io.convert_recording(tmp_path / "view.txt", tmp_path / "a.nc")
    assert can(mms)
    assert can(str(tmp_path / "view.txt"))
    # netCDF engines open the native file as it is.
    for other in (tmp_path / "a.nc", tmp_path / "text.csv", tmp_path / "none", tmp_path, 3):
        assert not can(other)


def test_by_name_where_it_is_installed(mms, tmp_path):
    # What an installer makes of pyproject.toml, so that the test needs no installation.
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    group = table["project"]["entry-points"]["xarray.backends"]
    info = tmp_path / "site" / "hrm-0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hrm\nVersion: 0\n")
    rows = [f"{name} = {value}" for name, value in group.items()]
    (info / "entry_points.txt").write_text("\n".join(["[xarray.backends]", *rows, ""]))
    code = (
        "import sys, xarray as xr\n"
        "sys.path[:0] = sys.argv[2:]\n"
        "tree = xr.open_datatree(sys.argv[1], engine='hrm', catheter='CE4-0062')\n"
        "assert tree['pressure/pressure'].shape == (22, 60)\n"
        "assert xr.open_dataset(sys.argv[1], catheter='CE4-0062').sizes['sensor'] == 22\n"
        "import hrm.io\n"
        "hrm.io.write_native(tree, 'a.nc')\n"
        "assert xr.open_dataset('a.nc', engine='hrm').sizes['sensor'] == 22\n"
        "assert 'onset' in xr.open_dataset('a.nc', engine='hrm', group='events')\n"
    )
    command = [sys.executable, "-c", code, str(mms), str(info.parent), str(ROOT)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
