"""Installs the wheel in clean environments: ``make package``, which needs uv.

Each Python that uv finds, from 3.11 on, without extras and with each of them; then the lowest
versions that ``pyproject.toml`` allows. In each: ``pip check``, the import, the help, one
analysis whose numbers are those of the environment that runs this, and a command that needs
the extra. What was measured goes to ``.benchmarks/package.json`` and to the terminal.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = ["", *PROJECT["optional-dependencies"]]
UV = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
EXAMPLE = ROOT / "examples" / "manoview_36ch_normal.txt"
ANALYZE = ["analyze", str(EXAMPLE), "--system", "manoscan", "--posture", "supine", "--json", "-"]

#: A command that needs the extra; without it, the extra is named and the exit code is 2.
NEEDS = {
    "viewer": f"view {EXAMPLE} --system manoscan --no-browser --idle-minutes 0.01".split(),
    "batch": ["batch", str(EXAMPLE), "--out", "out", "--system", "manoscan", "--workers", "1"],
    "export": ["export", str(EXAMPLE), "--system", "manoscan", "--dicom", "study.dcm"],
    "blosc": ["convert", str(EXAMPLE), "out.nc", "--encoding", "blosc"],
}

#: What of the trial's statistics needs its extra.
MIXED_MODEL = "import docx, statsmodels.api; from hrm.trial.statistics import ancova, mmrm"


def pythons() -> dict[str, str]:
    """The newest interpreter of each minor version from 3.11 on."""
    places = [str(path) for path in Path.home().glob(".pyenv/versions/*/bin")]
    env = {**os.environ, "PATH": os.pathsep.join([*places, os.environ["PATH"]])}
    ask = [UV, "python", "list", "--only-installed", "--output-format", "json"]
    listed = run(ask, env=env)
    found: dict[str, str] = {}
    for row in json.loads(listed):
        minor = ".".join(row["version"].split(".")[:2])
        if row["implementation"] == "cpython" and int(minor.split(".")[1]) >= 11:
            found.setdefault(minor, row["path"])
    return found


def run(command: list[str], code: int = 0, **options) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout if code == 0 else done.stderr


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)], cwd=ROOT)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="session")
def numbers():
    """What the environment that runs this finds in the example."""
    return metrics(run([sys.executable, "-m", "hrm", *ANALYZE], cwd=ROOT))


@pytest.fixture(scope="session")
def table():
    """Rows of what was measured, kept also if the run is stopped."""
    rows: list[dict[str, object]] = []
    out = ROOT / ".benchmarks" / "package.json"
    out.parent.mkdir(exist_ok=True)

    def add(row: dict[str, object]) -> None:
        rows.append(row)
        out.write_text(json.dumps(rows, indent=1) + "\n")
        sys.stdout.write(f"\n{row}\n")

    return add


def metrics(text: str) -> list[float]:
    found = json.loads(text)
    swallows = [[s[k] for k in ("irp4s_mmhg", "dci_mmhg_s_cm")] for s in found["swallows"]]
    return [found["study"]["irp4s_median_supine_mmhg"], *itertools.chain(*swallows)]


CACHE = Path(tempfile.mkdtemp(prefix="hrm-numba-"))


class Environment:
    """A clean environment of one Python."""

    def __init__(self, folder: Path, python: str):
        self.folder = folder
        run([UV, "venv", "--quiet", "--python", python, str(folder)])
        self.bin = folder / ("Scripts" if os.name == "nt" else "bin")
        clean = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "VIRTUAL_ENV"}}
        self.options = {
            "cwd": folder,
            "env": {**clean, "HRM_NUMBA_CACHE": str(CACHE), "MPLBACKEND": "Agg"},
        }

    def install(self, *what: str) -> None:
        python = str(self.bin / "python")
        run([UV, "pip", "install", "--quiet", "--only-binary", ":all:", "--python", python, *what])
        run([UV, "pip", "check", "--python", python])

    def hrm(self, *words: str, code: int = 0) -> str:
        return run([str(self.bin / "hrm"), *words], code, **self.options)

    def python(self, line: str) -> None:
        run([str(self.bin / "python"), "-I", "-c", line], **self.options)

    def size_mb(self) -> int:
        """Installed files, without what the interpreter compiles at run time."""
        files = (p for p in self.folder.rglob("*") if p.is_file() and not p.is_symlink())
        return round(sum(p.stat().st_size for p in files if p.suffix != ".pyc") / 1e6)

    def packages(self) -> int:
        return len(run([UV, "pip", "list", "--python", str(self.bin / "python")]).splitlines()) - 2

    def import_ms(self) -> int:
        def once(line: str) -> float:
            start = time.perf_counter()
            self.python(line)
            return time.perf_counter() - start

        pairs = [(once("import hrm"), once("pass")) for _ in range(5)]
        return round(1000 * statistics.median(a - b for a, b in pairs))


@pytest.mark.parametrize("minor", sorted(pythons()))
@pytest.mark.parametrize("extra", EXTRAS, ids=lambda extra: extra or "none")
def test_it_works_where_it_is_installed(minor, extra, wheel, numbers, table, tmp_path):
    place = Environment(tmp_path / "env", pythons()[minor])
    place.install(f"hrm[{extra}] @ {wheel.as_uri()}" if extra else str(wheel))
    size = place.size_mb()
    assert "analyze" in place.hrm("--help")
    assert metrics(place.hrm(*ANALYZE)) == pytest.approx(numbers, rel=1e-6)
    for name, command in NEEDS.items():
        if extra in (name, "all"):
            place.hrm(*command)
        elif extra == "":
            assert f"hrm[{name}]" in place.hrm(*command, code=2)
    if extra in {"trial", "all"}:
        place.python(MIXED_MODEL)
    table(
        {
            "python": minor,
            "extra": extra or "none",
            "packages": place.packages(),
            "mb": size,
            "import_ms": place.import_ms(),
        }
    )


def test_the_lowest_versions_work(wheel, numbers, tmp_path):
    lowest = tmp_path / "lowest.txt"
    ask = ["--resolution", "lowest-direct", "--python-version", "3.11", "--extra", "all"]
    run([UV, "pip", "compile", "--quiet", *ask, str(ROOT / "pyproject.toml"), "-o", str(lowest)])
    place = Environment(tmp_path / "env", pythons()["3.11"])
    place.install("-r", str(lowest), str(wheel))
    assert metrics(place.hrm(*ANALYZE)) == pytest.approx(numbers, rel=1e-6)
    for command in NEEDS.values():
        place.hrm(*command)
    place.python(MIXED_MODEL)


def test_no_python_is_claimed_that_was_not_run():
    claimed = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert set(claimed) <= set(pythons())
    assert PROJECT["requires-python"] == f">={min(pythons(), key=lambda m: int(m[2:]))}"


def test_types_are_seen_from_outside(wheel, tmp_path):
    """A checker that knows only the installed package finds its annotations."""
    place = Environment(tmp_path / "env", pythons()["3.11"])
    place.install(str(wheel), "mypy", "pandas-stubs")
    user = place.folder / "user.py"
    user.write_text("import hrm\nreveal_type(hrm.to_dict)\nhrm.analyze(1)\n")
    found = subprocess.run(
        [str(place.bin / "python"), "-m", "mypy", "--strict", str(user)],
        capture_output=True, text=True, check=False, **place.options,
    )  # fmt: skip
    assert 'Revealed type is "def (' in found.stdout
    assert 'Argument 1 to "analyze" has incompatible type' in found.stdout
