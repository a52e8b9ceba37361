"""A reader of a third party: the worked example, installed as a user would, and what it then can."""

import importlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import hrm.io
from hrm.errors import (
    CorruptFileError,
    ParameterError,
    UnknownFormatError,
    UnsupportedVersionError,
)
from hrm.io import _registry
from hrm.io.plugin import Match, Sniff, Variant
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


def blocks_of(text):
    """Blocks of literal text of a page."""
    return re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL)


def test_the_files_that_are_shown_are_read(installed):
    """The docstring showed a file that its reader refused: a formatter took it for Python."""
    import hrm_reader_tally

    page = (ROOT / "docs" / "readers.md").read_text(encoding="utf-8")
    shown = [text for kind, text in blocks_of(page) if kind == "text" and text.startswith("#TALLY")]
    part = hrm_reader_tally.__doc__.partition(":: text\n\n")[2].partition("\n\n")[0]
    shown.append(textwrap.dedent(part) + "\n")
    assert len(shown) == 2
    for text in shown:
        study = hrm.io.open_recording(io.BytesIO(text.encode()), depths=[0, 1, 2])
        assert study["pressure/pressure"].values[:, 1].tolist() == [np.float32(1.3), 31.0, 12.0]
        assert study["events/onset"].values.tolist() == [0.1]
        assert "somebody" not in str(study.attrs)


def test_the_page_shows_what_the_commands_print(site, tmp_path):
    page = (ROOT / "docs" / "readers.md").read_text(encoding="utf-8")
    blocks = blocks_of(page)
    commands = next(text for kind, text in blocks if kind == "sh").splitlines()
    assert commands[0] == "pip install ./examples/reader-plugin"
    readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    search = os.pathsep.join([str(site), str(ROOT)])
    printed = ""
    for command in commands[1:]:
        name, *arguments = command.split()
        assert name == "hrm"
        assert command in readme
        run = subprocess.run(
            [sys.executable, "-m", "hrm", *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": search, "MPLBACKEND": "Agg"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        printed += run.stdout
    shown = [text for kind, text in blocks if kind == "text" and not text.startswith("#TALLY")]
    assert len(shown) == 3
    for text in shown:
        assert text in printed
    assert "(0/2)" in printed  # both swallows


def test_the_sample_is_whole(installed):
    study = hrm.io.open_recording(EXAMPLE / "sample.tally")
    assert study["pressure/pressure"].shape == (36, 1217)
    assert study["events/onset"].values.tolist() == [61.6, 92.4]


class Layered:
    """A reader that heeds a layout file."""

    name, vendor, suffixes, description = "layered", "nobody", (), "takes a layout"
    takes_layout = True

    def sniff(self, head, source):
        return Sniff(Match.YES if head.startswith(b"#LAYERED") else Match.NO, "by its first line")

    def peek(self, source):
        return {}

    def read(self, source, options):
        return options


@pytest.mark.parametrize("takes", [True, False])
def test_only_who_takes_a_layout_is_asked_when_one_is_given(takes, monkeypatch, tmp_path):
    reader = Layered()
    reader.takes_layout = takes
    readers = (*_registry.builtin_readers(), reader)
    monkeypatch.setattr(_registry, "all_readers", lambda: readers)
    layout = tmp_path / "a.toml"
    layout.write_text('[time]\nsampling_rate_hz = 50\n[pressure]\nunit = "mmHg"\n')
    data = b"#LAYERED\n1,2,3\n"
    if takes:
        assert hrm.io.open_recording(io.BytesIO(data), layout=layout).layout == layout
        assert hrm.io.open_recording(io.BytesIO(data), pressure_unit="kPa").pressure_unit == "kPa"
    else:
        with pytest.raises(ParameterError, match="layered says it itself"):
            hrm.io.open_recording(io.BytesIO(data), pressure_unit="kPa")


def test_without_the_plugin_the_file_is_unknown(path):
    assert "tally" not in {reader.name for reader in _registry.all_readers()}
    with pytest.raises((UnknownFormatError, ParameterError)):
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
