"""The cache of compiled kernels: never stale, never in the way."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hrm.kernels import _jit

PACKAGE = Path(_jit.__file__).resolve().parent.parent

HELPER = """
from hrm.kernels._jit import kernel

@kernel
def factor():
    return {value}
"""
USER = """
from hrm.kernels._jit import kernel
from hrm.kernels.helper import factor

@kernel
def scaled(x):
    return factor() * x
"""
RUN = """
from hrm.kernels.user import scaled
print(scaled(1.5), sum(scaled.stats.cache_hits.values()))
"""


@pytest.fixture
def tree(tmp_path):
    """Copy the kernels, with a kernel in one file that calls a helper in another."""
    root = tmp_path / "tree"
    shutil.copytree(PACKAGE / "kernels", root / "hrm" / "kernels")
    (root / "hrm" / "__init__.py").write_text("")
    (root / "hrm" / "kernels" / "user.py").write_text(USER)
    (root / "hrm" / "kernels" / "helper.py").write_text(HELPER.format(value=2.0))
    return root


def start(tree, cache, **more):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "HRM_"))}
    env = {**clean, "HRM_NUMBA_CACHE": str(cache), "PYTHONPATH": str(tree), **more}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", RUN],
        cwd=tree,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def result(process):
    out, err = process.communicate()
    assert process.returncode == 0, err
    value, hits = out.split()
    return float(value), int(hits)


def run(tree, cache, **more):
    return result(start(tree, cache, **more))


def test_a_repeated_run_hits_and_an_edited_helper_misses(tree, tmp_path):
    cache = tmp_path / "cache"
    assert run(tree, cache) == (3.0, 0)
    assert run(tree, cache) == (3.0, 1)
    (tree / "hrm" / "kernels" / "helper.py").write_text(HELPER.format(value=4.0))
    assert run(tree, cache) == (6.0, 0)
    assert len(list(cache.iterdir())) == 2


def test_two_first_runs_at_once_are_right_and_leave_a_sound_cache(tree, tmp_path):
    cache = tmp_path / "cache"
    both = [start(tree, cache) for _ in range(2)]
    assert [result(process)[0] for process in both] == [3.0, 3.0]
    assert run(tree, cache) == (3.0, 1)
    assert not list(cache.rglob("tmp*"))


def test_beside_the_sources_nothing_is_written(tree, tmp_path):
    # As in an installation that only an administrator may write to.
    before = sorted(tree.rglob("*"))
    assert run(tree, tmp_path / "cache", PYTHONDONTWRITEBYTECODE="1") == (3.0, 0)
    assert run(tree, tmp_path / "cache", PYTHONDONTWRITEBYTECODE="1") == (3.0, 1)
    assert sorted(tree.rglob("*")) == before


def test_without_a_cache_nothing_is_written(tree, tmp_path):
    assert run(tree, "off") == (3.0, 0)
    assert not list(tree.rglob("*.nbi"))


def test_a_folder_that_cannot_be_made_costs_only_time(tree, tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert run(tree, tmp_path / "file" / "cache") == (3.0, 0)


def folder(monkeypatch, wanted):
    monkeypatch.setenv("HRM_NUMBA_CACHE", str(wanted))
    return _jit.cache_folder.__wrapped__()


@pytest.mark.parametrize("word", ["off", "OFF"])
def test_off_means_none(monkeypatch, word):
    assert folder(monkeypatch, word) is None


def test_a_folder_without_write_permission_is_not_used(monkeypatch, tmp_path):
    monkeypatch.setattr(_jit.os, "access", lambda path, mode: False)
    assert folder(monkeypatch, tmp_path) is None


def test_the_folder_is_named_by_all_sources_the_version_and_the_processor(monkeypatch, tmp_path):
    copy = tmp_path / "kernels"
    shutil.copytree(PACKAGE / "kernels", copy)
    monkeypatch.setattr(_jit, "__file__", str(copy / "_jit.py"))
    names = [folder(monkeypatch, tmp_path / "cache")]
    for source in sorted(copy.glob("*.py")):
        source.write_bytes(source.read_bytes() + b"\n# edited\n")
        names.append(folder(monkeypatch, tmp_path / "cache"))
    monkeypatch.setattr(_jit.numba, "__version__", "0.0")
    names.append(folder(monkeypatch, tmp_path / "cache"))
    monkeypatch.setattr(_jit, "_cpu_name", lambda: "another processor")
    names.append(folder(monkeypatch, tmp_path / "cache"))
    assert len(set(names)) == len(names) >= 8
    assert {name.parent for name in names} == {tmp_path / "cache"}
