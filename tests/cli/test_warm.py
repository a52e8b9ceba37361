"""`hrm warm`: after it nothing is left to compile."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hrm import make_recording, phantom
from hrm.pipeline.warm import made_up

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def long_text(tmp_path_factory):
    """Write a ManoView export that is long enough for the compiled parser, with noise."""
    one = made_up(1.0)["pressure"]["pressure"].values
    study = make_recording(one.repeat(10, axis=1).T, sampling_rate=100.0, depth=range(36))
    path = tmp_path_factory.mktemp("long") / "study.txt"
    phantom.write_manoview(study, path)
    assert path.stat().st_size > 4 << 20
    return path


def hrm(cache, *arguments):
    env = {**os.environ, "HRM_NUMBA_CACHE": str(cache), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "hrm", *map(str, arguments)],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def compiled(cache):
    """Files of machine code, and when each was written."""
    return {path: path.stat().st_mtime_ns for path in cache.rglob("*.nbc")}


def test_after_warm_an_analysis_compiles_nothing(tmp_path, long_text):
    cache = tmp_path / "cache"
    done = hrm(cache, "warm")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert str(cache) in done.stderr
    before = compiled(cache)
    assert len(before) > 40
    for options in ((), ("--stability",)):
        seen = hrm(cache, "analyze", long_text, "--system", "manoscan", *options)
        assert seen.returncode == 0, seen.stderr
    assert compiled(cache) == before


def test_warm_says_that_nothing_can_be_kept():
    done = hrm("off", "warm")
    assert done.returncode == 2
    assert "HRM_NUMBA_CACHE" in done.stderr
    assert "Traceback" not in done.stderr
