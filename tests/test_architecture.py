"""Who may import whom, and the other rules of the source tree, read with `ast`.

`faults` is a plain function of a module's name and text, so each rule is also shown to
fail here on a few lines of made-up source.
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

MAX_MODULE_LINES = 500
MAX_FUNCTION_LINES = 80  # without the docstring

#: What each part of hrm may import from the others; errors is free to all but kernels.
#: A part that is not named here is a fault: decide where it belongs first.
MAY_IMPORT = {
    "errors": set(),
    "catheters": set(),
    "catalog": {"catheters"},
    "schema": {"catalog"},
    # What the file itself says of its swallows, beside what is measured.
    "reported": set(),
    # How good a recording is: the record, its node in the tree and its block in the contract.
    "quality": set(),
    # What impedance and pharynx add to the results.
    "bolus": set(),
    "results": {"catalog", "schema", "reported", "quality", "bolus"},
    "kernels": set(),
    "io": {"kernels", "catheters", "catalog", "schema", "reported"},
    "preprocess": {"kernels", "catalog", "schema"},
    "detect": {"kernels", "catalog", "schema"},
    "metrics": {"kernels", "catalog", "schema"},
    # What an edit of a reader is; the log of edits; edits laid over what was found.
    "edits": {"catalog"},
    "annotate": {"edits", "catalog", "schema"},
    "readings": {"annotate", "edits"},
    "corrections": {"annotate", "edits", "detect", "catalog", "schema", "results"},
    "store": {"catalog", "schema", "results", "reported", "bolus"},
    "plot": {"catalog", "schema", "results", "evidence"},
    # What made a number: filled by explain, drawn by plot and the viewer.
    "evidence": {"catalog"},
    "agreement": {"catalog", "schema"},
    "phantom": {"catalog", "schema"},
    # The pipeline checks what it is given (schema) and hands its records over (results).
    "pipeline": {
        *("io", "preprocess", "detect", "metrics", "annotate", "catalog", "schema", "results"),
        *("corrections", "edits", "quality", "bolus"),
    },
    # It measures swallows again (preprocess) and adds to the record (results).
    # How the rules that others use move the result.
    "sensitivity": {"pipeline", "catalog", "results"},
    "stability": {"pipeline", "metrics", "preprocess", "catalog", "results"},
    # It prepares a result once more with its review (annotate, edits, corrections) and reads
    # what was found (detect, preprocess) beside the contract (results, bolus).
    "explain": {
        *("pipeline", "metrics", "plot", "evidence", "catalog", "results", "bolus"),
        *("annotate", "edits", "corrections", "detect", "preprocess"),
    },
    "report": {"plot", "explain", "schema", "catalog", "results"},
    # What leaves the house, in words of the report.
    "export": {"report", "store", "catalog", "results", "reported"},
    # A worker reads a file (io), bounds the settings file (_toml), hands on results.
    "batch": {
        *("pipeline", "annotate", "store", "stability", "plot", "catalog", "schema"),
        *("io", "results", "edits", "readings", "_toml"),
        # Whether they are compiled already; the words for diagnoses.
        *("kernels", "report"),
    },
    # Studies to be read, their readings, and how readers agree.
    "worklist": {
        *("batch", "readings", "edits", "pipeline", "agreement", "results", "catalog", "_toml"),
        # A worklist of what a batch has measured.
        "store",
    },
    "trial": {"store", "agreement", "catalog", "schema", "plot", "report"},
    "viewer": {
        *("pipeline", "annotate", "edits", "readings", "corrections", "store", "report", "explain"),
        *("stability", "agreement", "results", "preprocess", "detect", "metrics"),
        *("catalog", "schema"),
        # What an edit leaves as it was is kept.
        *("bolus", "quality"),
    },
}
#: Writing a file whole or not at all is needed wherever something is written.
MAY_IMPORT["_files"] = set()
#: The shell of every HTML page.
MAY_IMPORT["_page"] = set()
for _writer in ("agreement", "batch", "trial", "report"):
    MAY_IMPORT[_writer].add("_page")
for _writer in ("io", "annotate", "store", "plot", "report", "batch", "trial", "viewer", "export"):
    MAY_IMPORT[_writer].add("_files")
MAY_IMPORT["readings"].add("_files")
MAY_IMPORT["worklist"].add("_files")
#: A TOML file of the user is parsed in bounded time wherever one is read.
MAY_IMPORT["_toml"] = set()
for _taker in ("io", "catheters", "trial", "export"):
    MAY_IMPORT[_taker].add("_toml")
MAY_IMPORT["cli"] = set(MAY_IMPORT)
MAY_IMPORT["__main__"] = {"cli"}
#: `hrm/__init__.py` names the public modules for type checkers; at run time it is lazy.
PUBLIC = set(MAY_IMPORT) - {"cli", "viewer", "kernels"}

#: Third-party packages with one home.
ONLY_IN = {
    "numba": {"kernels"},
    "llvmlite": {"kernels"},
    "matplotlib": {"plot", "report"},
    "h5py": {"io"},
    "h5netcdf": {"io"},
    "hdf5plugin": {"io"},
    "edfio": {"io"},
    "pandas": {"trial", "store", "agreement"},
    "dask": {"batch"},
    "distributed": {"batch"},
    "fsspec": {"batch"},
    "pydicom": {"export"},
    "docx": {"trial"},
    "rich": {"batch"},
    "sqlite3": {"store"},
    "fastapi": {"viewer"},
    "starlette": {"viewer"},
    "uvicorn": {"viewer"},
}
#: Packages that are imported by another name than they are installed by.
DISTRIBUTIONS = {"docx": "python_docx"}
#: `hrm analyze` passes through these: scipy.signal and scipy.interpolate cost it a second.
WARM = {
    *("catalog", "schema", "io", "kernels", "preprocess", "detect", "metrics"),
    *("annotate", "edits", "corrections", "pipeline", "results"),
}
COLD = {"scipy.signal", "scipy.interpolate"}
CLI_AT_THE_TOP = {"click"}
CLI_AT_THE_TOP_HRM = {"cli", "errors", "catalog", "catheters", "hrm"}


@dataclass(frozen=True)
class Import:
    """One imported name, e.g. ``scipy.signal`` or ``hrm.io``."""

    name: str
    line: int
    typing_only: bool
    at_the_top: bool

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]

    @property
    def part(self) -> str:
        return part_of(self.name)


def part_of(module: str) -> str:
    """Part of hrm that a module belongs to: ``io`` for ``hrm.io.mms``, ``hrm`` for the root."""
    return ".".join(module.split(".")[1:2]) or "hrm"


def imports(tree: ast.Module, package: str) -> list[Import]:
    """Every import in a module that lives in `package`."""
    return list(_walk(tree, package, typing_only=False, at_the_top=True))


def _walk(node: ast.AST, package: str, *, typing_only: bool, at_the_top: bool) -> Iterator[Import]:
    for name in _names(node, package):
        yield Import(name, node.lineno, typing_only, at_the_top)
    guarded = node.body if isinstance(node, ast.If) and _is_typing_guard(node.test) else []
    inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    for child in ast.iter_child_nodes(node):
        yield from _walk(
            child,
            package,
            typing_only=typing_only or child in guarded,
            at_the_top=at_the_top and not inside,
        )


def _is_typing_guard(test: ast.expr) -> bool:
    return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def _names(node: ast.AST, package: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        origin = ".".join([*above, *([node.module] if node.module else [])])
        return [_from(origin, alias.name) for alias in node.names]
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
        ("import_module", "__import__")
    ):
        first = node.args[0] if node.args else None
        return [first.value] if isinstance(first, ast.Constant) else []
    if isinstance(node, ast.Attribute) and ast.unparse(node) in COLD:
        return [ast.unparse(node)]  # scipy loads these on the first use of the attribute
    return []


def _from(origin: str, name: str) -> str:
    known = origin != "hrm" or name in MAY_IMPORT or name == "__version__"
    return f"{origin}.{name}" if known else origin


def faults(module: str, source: str, *, is_package: bool = False) -> list[str]:
    """Everything that a module of hrm does against the rules."""
    tree = ast.parse(source)
    found = imports(tree, module if is_package else module.rpartition(".")[0])
    part = part_of(module)
    if part != "hrm" and part not in MAY_IMPORT:
        return [f"{module}: {part} is not in the table of parts"]
    out = [*_style_faults(tree, source)]
    for each in found:
        check = _hrm_fault if each.package == "hrm" else _third_party_fault
        message = check(module, part, each)
        if message:
            out.append(f"{each.line}: {message}")
    return [f"{module}:{fault}" for fault in out]


def _hrm_fault(module: str, part: str, found: Import) -> str:
    target = found.part
    if part == "hrm":
        lazy = found.typing_only and target in PUBLIC
        return "" if lazy else f"the root may name {target} for type checkers at most"
    if target == "hrm" and part != "cli":
        return "imports the root: import from the module that defines the name"
    if part == "cli" and _heavy_at_the_top(found, CLI_AT_THE_TOP_HRM, target):
        return f"imports hrm.{target} outside a function"
    free = {part} if part == "kernels" else {part, "errors", "__version__"}
    if target in free or target in MAY_IMPORT[part] or (part == "cli" and target == "hrm"):
        return ""
    return f"{part} may not import {target}"


def _heavy_at_the_top(found: Import, light: set[str], target: str) -> bool:
    return found.at_the_top and not found.typing_only and target not in {*light, "__version__"}


def _third_party_fault(module: str, part: str, found: Import) -> str:
    package = found.package
    if package in sys.stdlib_module_names or found.typing_only:
        return ""
    if DISTRIBUTIONS.get(package, package) not in declared_packages():
        return f"{package} is not a dependency in pyproject.toml"
    if part not in ONLY_IN.get(package, {part}):
        return f"{package} is for {', '.join(sorted(ONLY_IN[package]))} only"
    if part == "kernels":
        allowed = {"numpy", "numba"}
        if module == "hrm.kernels._jit":
            allowed |= {"llvmlite", "platformdirs"}
        return "" if package in allowed else f"kernels may not import {package}"
    if part in WARM and ".".join(found.name.split(".")[:2]) in COLD:
        return f"{found.name} is too slow to import on the way of hrm analyze"
    if part == "cli" and _heavy_at_the_top(found, CLI_AT_THE_TOP, package):
        return f"imports {package} outside a function"
    return ""


def declared_packages() -> set[str]:
    """Import names of what the package declares that it needs, extras included, tests not."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = list(project["dependencies"])
    for extra, wanted in project["optional-dependencies"].items():
        lines += wanted if extra not in ("test", "all") else []
    names = {re.match(r"[\w.-]+", line).group().lower().replace("-", "_") for line in lines}
    return names | {"llvmlite"}  # a part of numba


def _style_faults(tree: ast.Module, source: str) -> Iterator[str]:
    n_lines = len(source.splitlines())
    if n_lines > MAX_MODULE_LINES:
        yield f" {n_lines} lines, at most {MAX_MODULE_LINES}"
    for node in ast.walk(tree):
        match node:
            case ast.Assert():
                yield f"{node.lineno}: assert"
            case ast.Call(func=ast.Name(id="print")):
                yield f"{node.lineno}: print"
            case ast.ExceptHandler(type=None):
                yield f"{node.lineno}: bare except"
            case ast.ExceptHandler(type=ast.Name(id="Exception"), body=[ast.Pass()]):
                yield f"{node.lineno}: swallows every exception"
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                length = _function_lines(node)
                if length > MAX_FUNCTION_LINES:
                    yield f"{node.lineno}: {node.name} has {length} lines, at most {MAX_FUNCTION_LINES}"


def _function_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    total = node.end_lineno - node.lineno + 1
    if ast.get_docstring(node) is not None:
        total -= node.body[0].end_lineno - node.body[0].lineno + 1
    return total


def modules() -> list[Path]:
    return sorted((ROOT / "hrm").rglob("*.py"))


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_module_keeps_the_rules(path):
    source = path.read_text(encoding="utf-8")
    assert faults(dotted(path), source, is_package=path.name == "__init__.py") == []


def test_there_are_modules_to_check():
    assert {"hrm", "hrm.errors", "hrm.schema", "hrm.catalog"} <= {dotted(p) for p in modules()}


LONG_DOCSTRING = 'def f():\n    """A.\n' + "    B.\n" * 20 + '    """\n' + "    x = 1\n" * 79
LONG_FUNCTION = "def f():\n" + "    x = 1\n" * MAX_FUNCTION_LINES

BROKEN = [
    ("hrm.novel", "x = 1", "not in the table"),
    ("hrm.errors", "from hrm.schema import validate", "errors may not import schema"),
    ("hrm.catalog", "from hrm.schema import validate", "catalog may not import schema"),
    ("hrm.schema", "from hrm import io", "schema may not import io"),
    ("hrm.io.mms", "from ..preprocess import f", "io may not import preprocess"),
    ("hrm.io.mms", "from .. import preprocess", "io may not import preprocess"),
    ("hrm.io.mms", "import hrm.detect as d", "io may not import detect"),
    ("hrm.io.mms", "def f():\n    import hrm.cli.main", "io may not import cli"),
    ("hrm.io.mms", "from importlib import import_module\nimport_module('hrm.plot')", "import plot"),
    ("hrm.metrics.irp", "from hrm.detect import f", "metrics may not import detect"),
    ("hrm.pipeline", "from hrm.store import rows", "pipeline may not import store"),
    ("hrm.pipeline", "from hrm.phantom import f", "pipeline may not import phantom"),
    ("hrm.report.pdf", "from hrm.viewer import app", "report may not import viewer"),
    ("hrm.stability", "from hrm.plot import f", "stability may not import plot"),
    (
        "hrm.plot.study",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import hrm.io",
        "io",
    ),
    ("hrm.plot.study", "from hrm import make_recording", "imports the root"),
    ("hrm.kernels.dci", "from hrm.errors import HrmError", "kernels may not import errors"),
    ("hrm.kernels.dci", "from hrm import __version__", "kernels may not import __version__"),
    ("hrm.kernels.dci", "import scipy", "kernels may not import scipy"),
    ("hrm.kernels.dci", "import platformdirs", "kernels may not import platformdirs"),
    ("hrm", "from hrm.io import open_recording", "the root"),
    ("hrm", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import hrm.cli", "the root"),
    ("hrm.metrics.dci", "import numba", "numba is for kernels only"),
    ("hrm.metrics.dci", "from numba import njit", "numba is for kernels only"),
    ("hrm.cli.draw", "def f():\n    import matplotlib.pyplot", "matplotlib is for plot, report"),
    ("hrm.schema", "import h5py", "h5py is for io only"),
    ("hrm.store", "def f():\n    import h5netcdf", "h5netcdf is for io only"),
    ("hrm.io.mms", "import pandas as pd", "pandas is for agreement, store, trial only"),
    ("hrm.io.edf", "import pyedflib", "pyedflib is not a dependency"),
    ("hrm.io.edf", "import pytest", "pytest is not a dependency"),
    ("hrm.preprocess", "from scipy import signal", "scipy.signal is too slow"),
    ("hrm.detect", "def f():\n    from scipy.interpolate import pchip", "scipy.interpolate.pchip"),
    ("hrm.metrics", "import scipy.signal", "scipy.signal is too slow"),
    ("hrm.pipeline", "import scipy\nscipy.signal.medfilt([1])", "2: scipy.signal is too slow"),
    ("hrm.cli.main", "import numpy as np", "imports numpy outside a function"),
    ("hrm.cli.main", "from hrm.io import f", "imports hrm.io outside a function"),
    ("hrm.cli.main", "class A:\n    import xarray", "imports xarray outside a function"),
    ("hrm.cli.main", "print(1)", "1: print"),
    ("hrm.detect", "def f(x):\n    assert x", "2: assert"),
    ("hrm.detect", "try:\n    f()\nexcept:\n    raise", "bare except"),
    ("hrm.detect", "try:\n    f()\nexcept Exception:\n    pass", "swallows every exception"),
    ("hrm.detect", "x = 1\n" * (MAX_MODULE_LINES + 1), "501 lines, at most 500"),
    ("hrm.detect", LONG_FUNCTION, "f has 81 lines, at most 80"),
]


@pytest.mark.parametrize(("module", "source", "message"), BROKEN)
def test_each_rule_can_fail(module, source, message):
    found = faults(module, source)
    assert len(found) == 1
    assert message in found[0]


SOUND = [
    ("hrm.schema", "import numpy as np\nfrom hrm import __version__, catalog\nimport hrm.errors"),
    ("hrm.kernels._jit", "import numba\nimport llvmlite\nfrom platformdirs import user_cache_path"),
    ("hrm.kernels.dci", "from hrm.kernels._jit import kernel\nfrom .text import f\nimport math"),
    (
        "hrm.plot.study",
        "from hrm.results import f\nimport matplotlib.pyplot as plt\nimport scipy.signal",
    ),
    ("hrm.cli.main", "import click\nfrom hrm import catalog, __version__\nfrom hrm.cli import io"),
    ("hrm.cli.main", "def f():\n    import numpy, xarray\n    from hrm.viewer import app"),
    ("hrm.cli.main", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import xarray"),
    ("hrm.detect", "import scipy.ndimage\nx = 1\n" + "y = 1\n" * (MAX_MODULE_LINES - 2)),
    ("hrm.detect", LONG_DOCSTRING),
]


@pytest.mark.parametrize(("module", "source"), SOUND)
def test_sound_modules_pass(module, source):
    assert faults(module, source) == []


HEAVY = {"numpy", "scipy", "numba", "xarray", "matplotlib", "pandas", "h5py", "h5netcdf"}


@pytest.mark.parametrize("module", ["hrm", "hrm.errors", "hrm.catalog", "hrm.cli.main"])
def test_light_modules_load_nothing_heavy(module):
    code = f"import sys, {module}; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert HEAVY & set(run.stdout.split()) == set()


# Spelled so that this file does not match itself.
MACHINE_PATH = re.compile(
    rb"(?<![\w.~-])/(?:home|Users)/[\w.-]+|(?<![\w.~-])/(?:roo[t]|wor[k]|op[t])/[\w.-]+"
    rb"|\b[A-Za-z]:[\\/]+Users[\\/]+[\w.-]+"
)


def project_files() -> list[Path]:
    """Every file of the project: what git tracks or would track; without git, all sources."""
    run = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    names = run.stdout.split("\0") if run.returncode == 0 else _names_without_git()
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def _names_without_git() -> list[str]:
    made = {"__pycache__", ".venv", "demo-output"}
    paths = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
    return [str(path) for path in paths if not made & set(path.parts)]


def test_no_file_names_a_path_of_a_machine():
    files = project_files()
    found = {
        f"{path.relative_to(ROOT)}: {match.group().decode(errors='replace')}"
        for path in files
        for match in MACHINE_PATH.finditer(path.read_bytes())
    }
    assert Path(__file__).resolve() in files
    assert found == set()


@pytest.mark.parametrize(
    "parts",
    [("", "home", "ann", "x"), ("see /Users", "ann"), ("C:", "Users", "ann"), ("", "work", "x")],
)
def test_a_path_of_a_machine_is_seen(parts):
    assert MACHINE_PATH.search("/".join(parts).encode())
    assert not MACHINE_PATH.search("/".join(["docs", *parts[1:]]).encode())


def test_the_lock_pins_every_package_with_hashes_and_names_no_host():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = set(re.findall(r"(?m)^([a-z0-9-]+)==\S+(?: ;.*)? \\$", text))
    wanted = (declared_packages() - {"llvmlite"}) | {"hatchling", "pytest"}
    assert wanted <= {name.replace("-", "_") for name in pinned}
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    assert len(re.findall(r"(?m)^[a-z]", text)) == len(pinned)
