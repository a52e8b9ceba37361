"""Coverage by enumeration, the page about it, and the defect that hrm works around."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from hrm.trial.statistics import risk_difference, score
from hrm.trial.statistics.coverage import difference_coverage
from tests.naive import two_proportions as naive

N = 70
Z = 1.959963984540054
GRID = np.arange(1, 100) / 100.0
PAGE = Path(__file__).parents[3] / "docs" / "trial" / "coverage.md"


def coverage(*, correct):
    x = np.arange(N + 1)
    low, high = score.difference_limits(x[:, None], N, x, N, Z, correct=correct)
    return difference_coverage(low, high, GRID, GRID)


def summary(values):
    near = values[np.abs(GRID[:, None] - GRID) <= 0.3 + 1e-9]
    return near.min(), values.min(), values.mean()


def test_miettinen_nurminen_covers_with_seventy_per_arm():
    near, everywhere, mean = summary(coverage(correct=True))
    assert near >= 0.939
    assert everywhere >= 0.935
    assert mean >= 0.95


def test_without_the_variance_factor_it_would_not():
    near, _, mean = summary(coverage(correct=False))
    assert near < 0.939
    assert mean < 0.95


@pytest.mark.parametrize(("name", "correct"), [("miettinen-nurminen", True), ("mee", False)])
def test_the_page_shows_these_numbers(name, correct):
    lines = [
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if f"| {name} |" in line
    ]
    cells = [cell.strip() for cell in lines[0].split("|")]
    near, everywhere, mean = summary(coverage(correct=correct))
    assert len(lines) == 1
    assert [cells[2], cells[3], cells[5]] == [f"{v:.4f}" for v in (near, everywhere, mean)]
    assert (PAGE.parent / "coverage.png").stat().st_size > 10_000


def test_coverage_is_the_sum_over_the_tables_that_hold_the_truth():
    n1, n2 = 6, 4
    x1, x2 = np.meshgrid(np.arange(n1 + 1), np.arange(n2 + 1), indexing="ij")
    low, high = score.difference_limits(x1, n1, x2, n2, Z, correct=True)
    low[3, 2] = np.nan  # a table without an interval is a miss
    p1, p2 = np.array([0.2, 0.55, 1.0]), np.array([0.3, 0.9])
    found = difference_coverage(low, high, p1, p2)
    for i, first in enumerate(p1):
        for j, second in enumerate(p2):
            expected = sum(
                naive.binomial(a, n1, first) * naive.binomial(b, n2, second)
                for a in range(n1 + 1)
                for b in range(n2 + 1)
                if low[a, b] <= first - second <= high[a, b]
            )
            assert found[i, j] == pytest.approx(expected, abs=1e-12)


def score_limits_of_statsmodels(*counts):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return confint_proportions_2indep(*counts, method="score", compare="diff")


def test_statsmodels_still_has_its_defect():
    # If this fails, statsmodels was mended: check it against ours, and drop the text about it
    # in docs/trial/coverage.md.
    wrong = score_limits_of_statsmodels(7, 34, 1, 34)
    ours = risk_difference(7, 34, 1, 34)
    assert [ours.low, ours.high] == pytest.approx([0.0270, 0.3453], abs=5e-5)
    assert wrong == pytest.approx([0.0273, 0.3434], abs=5e-5)


def test_statsmodels_still_raises_if_all_succeed():
    # If this fails, see above.
    with pytest.raises(ValueError, match=r"NaN|different signs"):
        score_limits_of_statsmodels(32, 32, 31, 31)
