"""Kernels are compiled once for all workers, and for all runs that follow."""

import pytest

from hrm.batch import _warm
from hrm.kernels import _jit


@pytest.fixture
def calls(monkeypatch):
    """How often everything was compiled."""
    made = []
    monkeypatch.setattr(_warm, "_warm", lambda: made.append(1))
    return made


def test_it_is_done_once_for_each_folder_of_kernels(calls, monkeypatch, tmp_path):
    for name in ("a", "b"):
        monkeypatch.setattr(_jit, "cache_folder", lambda name=name: tmp_path / name)
        (tmp_path / name).mkdir()
        assert [_warm.warm_once(), _warm.warm_once()] == [True, False]
    assert len(calls) == 2


def test_without_a_folder_it_is_done_each_time(calls, monkeypatch):
    monkeypatch.setattr(_jit, "cache_folder", lambda: None)
    assert [_warm.warm_once(), _warm.warm_once()] == [True, True]
    assert len(calls) == 2


def test_a_folder_that_takes_no_file_does_no_harm(calls, monkeypatch, tmp_path):
    monkeypatch.setattr(_jit, "cache_folder", lambda: tmp_path / "gone")
    assert _warm.warm_once()
    assert calls
