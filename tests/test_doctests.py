"""The examples in the docstrings of every installed module run and say what they show.

Modules are imported by name: collecting them as files would import a second copy of each.
"""

import doctest
import importlib
import pkgutil
import warnings
from pathlib import Path

import pytest

import hrm

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
NAMES = ["hrm", *(info.name for info in pkgutil.walk_packages(hrm.__path__, "hrm."))]


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith("__main__")])
def test_examples_of(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # an example may write a file
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcome = doctest.testmod(importlib.import_module(name), optionflags=FLAGS)
    assert outcome.failed == 0


def test_examples_are_found():
    outcome = doctest.testmod(importlib.import_module("hrm.catalog"), optionflags=FLAGS)
    assert outcome.attempted >= 3


def test_examples_of_the_page_on_statistics():
    page = Path(__file__).parents[1] / "docs" / "trial" / "statistics.md"
    outcome = doctest.testfile(str(page), module_relative=False, optionflags=FLAGS)
    assert outcome.attempted >= 8
    assert outcome.failed == 0
