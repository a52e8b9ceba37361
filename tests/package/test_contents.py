"""Wheel and sdist hold what they should, and nothing else."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import Parser

import pytest

import hrm
from tests.pages import ROOT

#: Of the first floor of the repository, what a source release leaves out.
NOT_RELEASED = {".gitattributes", ".gitignore", "fuzz/.gitignore"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Both distributions, built by the backend of the lock without network."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    return wheel, sdist


@pytest.fixture(scope="module")
def wheel(built):
    with zipfile.ZipFile(built[0]) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def sdist(built):
    with tarfile.open(built[1]) as archive:
        return {name.split("/", 1)[1] for name in archive.getnames()}


def sources(*folders):
    """Files of the tree below folders, without what Python and the tools leave there."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file())
    names = {path.relative_to(ROOT).as_posix() for path in found}
    return {name for name in names if not re.search(r"__pycache__|\.py[co]$|/\.", name)}


def test_the_wheel_is_the_package_and_its_metadata(wheel):
    info = f"hrm-{hrm.__version__}.dist-info/"
    assert {name for name in wheel if not name.startswith(info)} == sources("hrm")
    assert {name.removeprefix(info) for name in wheel if name.startswith(info)} == {
        *("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"),
    }


@pytest.mark.parametrize("kind", ["data/limits.toml", "viewer/static/index.html", "py.typed"])
def test_the_wheel_has_tables_page_and_types(wheel, kind):
    assert f"hrm/{kind}" in wheel


def test_no_name_of_this_machine_is_in_the_wheel(wheel):
    places = [str(ROOT).encode(), sys.prefix.encode()]
    assert [name for name, data in wheel.items() if any(place in data for place in places)] == []


def test_the_source_release_can_be_tested(sdist):
    wanted = sources("hrm", "tests", "docs", "examples", "benchmarks") | {".ci/run"}
    assert wanted - sdist == set()


def test_the_source_release_is_what_git_tracks(sdist):
    if not (ROOT / ".git").exists():
        pytest.skip("a source release, not a repository")
    ask = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    tracked = subprocess.run(ask, cwd=ROOT, check=True, capture_output=True, text=True)
    names = {name for name in tracked.stdout.splitlines() if (ROOT / name).is_file()}
    assert sdist - {"PKG-INFO", ".gitignore"} == names - NOT_RELEASED


def test_the_metadata_says_what_is_asked_for(wheel):
    text = wheel[f"hrm-{hrm.__version__}.dist-info/METADATA"].decode()
    metadata = Parser().parsestr(text)
    assert metadata["Version"] == hrm.__version__
    assert metadata["Requires-Python"] == ">=3.11"
    assert set(metadata.get_all("Provides-Extra")) == set(PROJECT["optional-dependencies"])
    assert "Typing :: Typed" in metadata.get_all("Classifier")
