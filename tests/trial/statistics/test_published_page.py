"""The page of the trial's own counts: made by code, up to date, and true."""

import importlib.util
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "docs" / "trial"


@pytest.fixture(scope="module")
def maker():
    spec = importlib.util.spec_from_file_location("make_published", FOLDER / "make_published.py")
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        # A dataclass looks its module up by name.
        patch.setitem(sys.modules, "make_published", module)
        spec.loader.exec_module(module)
        yield module


def test_the_page_is_what_the_code_makes(maker):
    assert (FOLDER / "published.md").read_text(encoding="utf-8") == maker.page()


def test_there_are_two_possible_splits(maker):
    assert maker.one_year_splits() == [(63, 71, 60, 67), (62, 70, 61, 68)]


def test_what_reproduces(maker):
    found = {case.outcome: maker.reproduced_by(case) for case in maker.PUBLISHED}
    assert found == {
        "technical success": "Fisher, cut off",
        "adverse events": "Pearson",
        "abnormal acid exposure": "**none**",
        "clinical success at 2 years": "**none**",
    }


@pytest.mark.parametrize(
    ("counts", "verdicts"),
    [
        ((63, 71, 60, 67), ["0.0486", "**0.0192**", "**0.0069**", "**0.0007**"]),
        ((62, 70, 61, 68), ["0.0550", "**0.0223**", "**0.0082**", "**0.0008**"]),
    ],
)
def test_verdict_by_margin(maker, counts, verdicts):
    assert [maker.verdict(counts, margin) for margin in maker.MARGINS] == verdicts


def test_sensitivity_of_the_second_split(maker):
    lines = [line for line in maker.sensitivity_table() if line.startswith("| 2 | failures")]
    assert lines[0].endswith("| 0.0301 |")
    assert maker.tipping((63, 71, 60, 67))[1:4] == ["0  YY.....", "1  YYY....", "2  YYYYY.."]
