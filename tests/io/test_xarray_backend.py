"""engine="hrm" of xarray: by class, and by the name that pyproject.toml declares."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import xarray as xr

import hrm.io
from hrm.errors import ParameterError
from hrm.io.xarray_backend import HrmBackendEntrypoint
from tests.io.layouts import ManoView, Mms

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
    )
    command = [sys.executable, "-c", code, str(mms), str(info.parent), str(ROOT)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
