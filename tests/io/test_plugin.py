"""A reader of a third party: the worked example, installed as a user would, and what it then can."""

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hrm.io
from hrm.errors import CorruptFileError, ParameterError, UnsupportedVersionError
from hrm.io import _registry
from hrm.io.plugin import Variant
from tests.io.conformance import Case, check
from tests.io.layouts import PLANT, hundredths

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "reader-plugin"
N_SAMPLES, N_SENSORS = 1500, 36


def tally(*, version="1", catheter="manoscan-36", presses=(40, 41, 900)):
    """Bytes of a tally file, written without the reader's help."""
    values = hundredths(N_SAMPLES, N_SENSORS)
    header = [f"#TALLY {version}", "#rate=25", f"#catheter={catheter}", f"#subject={PLANT}"]
    rows = [
        ";".join([str(at), *(f"{value:.2f}" for value in row), "1" if at in presses else "0"])
        for at, row in enumerate(values)
    ]
    return "\n".join([*header, *rows, ""]).encode()


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Folder into which pip has installed the example, offline."""
    copy = tmp_path_factory.mktemp("source") / "reader-plugin"
    shutil.copytree(EXAMPLE, copy)
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    how = ["--no-index", "--no-deps", "--no-build-isolation", "--no-compile"]
    run = subprocess.run(
        [*pip, "install", *how, "--target", str(target), str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return target


@pytest.fixture
def installed(site, monkeypatch):
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    _registry.all_readers.cache_clear()
    yield
    sys.modules.pop("hrm_reader_tally", None)
    _registry.all_readers.cache_clear()


@pytest.fixture
def path(tmp_path):
    file = tmp_path / f"{PLANT}.txt"
    file.write_bytes(tally())
    return file


def test_the_example_keeps_every_promise_of_a_reader(installed, path, tmp_path):
    case = Case(
        reader="tally",
        source_format="tally",
        pressure=np.ascontiguousarray(hundredths(N_SAMPLES, N_SENSORS).T.astype(np.float32)),
        rate_hz=25.0,
        first_s=0.0,
        depth=np.arange(36.0),
    )
    study = check(path, case, tmp_path)
    assert study["events/onset"].values.tolist() == [40 / 25, 900 / 25]
    assert PLANT not in json.dumps(study.to_dict(), default=str)
    assert hrm.io.open_recording(path, keep_phi=True).attrs["phi_subject"] == PLANT


def test_the_example_refuses_what_it_should(installed, path):
    path.write_bytes(tally(version="2"))
    with pytest.raises(UnsupportedVersionError, match="expected version 1"):
        hrm.io.open_recording(path)
    path.write_bytes(tally(catheter=PLANT))
    with pytest.raises(ParameterError, match="does not say where the sensors sit") as caught:
        hrm.io.open_recording(path)
    assert PLANT not in str(caught.value)
    lines = tally().split(b"\n")
    path.write_bytes(b"\n".join(lines[:300] + lines[301:]))
    with pytest.raises(CorruptFileError, match="does not rise by one"):
        hrm.io.open_recording(path)
    path.write_bytes(b"\n".join([*lines[:300], PLANT.encode(), *lines[301:]]))
    with pytest.raises(CorruptFileError) as caught:
        hrm.io.open_recording(path)
    assert PLANT not in str(caught.value)


def test_without_the_plugin_the_file_is_unknown(path):
    assert "tally" not in {reader.name for reader in _registry.all_readers()}
    with pytest.raises(hrm.errors.UnknownFormatError):
        hrm.io.open_recording(path)


def test_the_command_line_finds_the_plugin(site, path, tmp_path):
    """In a process of its own, where nothing of this test run is loaded."""
    search = os.pathsep.join([str(site), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": search, "MPLBACKEND": "Agg"}

    def hrm_says(*arguments):
        run = subprocess.run(
            [sys.executable, "-m", "hrm", *map(str, arguments)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        return run.stdout

    formats = {row["name"]: row for row in json.loads(hrm_says("formats", "--json"))}
    assert formats["tally"]["plugin"]
    assert [row["read"] for row in formats["tally"]["variants"]] == [True, False]
    assert json.loads(hrm_says("info", path, "--json"))["reader"] == "tally"
    result = json.loads(hrm_says("analyze", path, "--json", "-"))
    assert result["recording"]["format"] == "tally"
    assert PLANT.casefold() not in json.dumps(result).casefold()


class Silent:
    """A plug-in from before variants."""

    name, vendor, suffixes, description = "silent", "nobody", (), "says nothing"
    variants = ("not a variant", Variant("x", "rumor", "y"))


def test_a_reader_that_does_not_say_how_sure_it_is_is_listed_so():
    from hrm.io._variants import variants_of

    assert variants_of(Silent()) == (Variant("silent", "unstated", "says nothing"),)
