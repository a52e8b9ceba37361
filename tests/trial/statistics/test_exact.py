"""Exact p-value and exact power: table by table, and what exactness promises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hrm.errors import ParameterError
from hrm.trial.statistics import exact, noninferiority_test, power_noninferiority_exact
from tests.naive import two_proportions as naive

METHODS = ("farrington-manning", "miettinen-nurminen", "exact")


@pytest.mark.parametrize(
    ("counts", "margin"),
    [
        ((5, 8, 6, 9), 0.2),
        ((0, 6, 0, 7), 0.3),
        ((6, 6, 7, 7), 0.15),
        ((0, 5, 6, 6), 0.5),
        ((5, 5, 0, 6), 0.5),
        ((9, 10, 8, 10), 0.1),
    ],
)
def test_exact_p_value_is_that_of_the_slow_twin(counts, margin):
    found = noninferiority_test(*counts, margin=margin, method="exact").p_value
    slow = naive.exact_p_value(*counts, margin)
    # The twin looks at a grid only and may miss the very top.
    assert found == pytest.approx(slow, abs=1e-5)
    assert found >= slow - 1e-12


@given(st.integers(2, 40), st.integers(2, 40), st.sampled_from([0.05, 0.1, 0.2, 0.4]), st.data())
@settings(max_examples=15)
def test_no_true_proportion_makes_the_observed_tail_likelier(n1, n2, margin, data):
    x1, x2 = data.draw(st.integers(0, n1)), data.draw(st.integers(0, n2))
    p_value = noninferiority_test(x1, n1, x2, n2, margin=margin, method="exact").p_value
    p2 = np.sort([data.draw(st.floats(margin, 1.0)) for _ in range(20)])
    statistics = exact.all_statistics(n1, n2, margin, correct=False)
    tail = statistics >= statistics[x1, x2] - exact.TIE
    probabilities = exact.region_probability(tail, np.clip(p2 - margin, 0, 1), p2)
    assert np.all(probabilities <= p_value + 1e-9)
    # A loss beyond the margin makes it less likely still: the border is the worst case.
    inside = exact.region_probability(tail, np.clip(p2 - 1.5 * margin, 0, 1), p2)
    assert np.all(inside <= p_value + 1e-9)


def test_the_worst_case_is_found_between_the_points_of_the_grid():
    statistics = exact.all_statistics(38, 31, 0.1, correct=False)
    tail = statistics >= statistics[37, 29] - exact.TIE
    coarse = np.linspace(0.1, 1.0, 4001)
    top = coarse[exact.region_probability(tail, coarse - 0.1, coarse).argmax()]
    fine = np.linspace(top - 0.001, min(top + 0.001, 1.0), 4001)
    peak = exact.region_probability(tail, fine - 0.1, fine).max()
    assert exact.worst_probability(tail, 0.1) == pytest.approx(peak, abs=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_power_adds_up_the_tables_that_the_test_rejects(method):
    n1, n2, p1, p2, margin, alpha = 6, 8, 0.8, 0.75, 0.25, 0.05
    total = 0.0
    for x1 in range(n1 + 1):
        for x2 in range(n2 + 1):
            test = noninferiority_test(x1, n1, x2, n2, margin=margin, method=method)
            if test.p_value < alpha:
                total += naive.binomial(x1, n1, p1) * naive.binomial(x2, n2, p2)
    found = power_noninferiority_exact(n1, n2, p1, p2, margin=margin, alpha=alpha, method=method)
    assert found == pytest.approx(total, abs=1e-12)


def test_each_region_holds_the_tables_that_its_own_test_rejects():
    n1, n2, margin, alpha = 14, 11, 0.2, 0.05
    sizes = {}
    for method in ("farrington-manning", "miettinen-nurminen"):
        region = exact.rejection_region(n1, n2, margin, alpha, method)
        for (x1, x2), inside in np.ndenumerate(region):
            test = noninferiority_test(x1, n1, x2, n2, margin=margin, method=method)
            assert inside == (test.p_value < alpha)
        sizes[method] = region.sum()
    # The variance factor makes a difference here, and only in one direction.
    assert sizes["miettinen-nurminen"] < sizes["farrington-manning"]


@pytest.mark.parametrize(("n1", "n2", "margin"), [(20, 20, 0.2), (35, 18, 0.1), (12, 40, 0.3)])
def test_the_exact_test_keeps_its_level_and_the_score_test_need_not(n1, n2, margin):
    p2 = np.linspace(margin, 1.0, 61)

    def size(method):
        region = exact.rejection_region(n1, n2, margin, 0.05, method)
        return exact.region_probability(region, p2 - margin, p2).max()

    assert size("exact") <= 0.05
    assert size("exact") > 0.03
    assert size("miettinen-nurminen") <= size("farrington-manning")


def test_the_score_test_can_exceed_its_level():
    found = power_noninferiority_exact(50, 50, 0.5, 0.7, margin=0.2, alpha=0.05)
    assert 0.05 < found < 0.06


def test_power_at_the_ends():
    assert power_noninferiority_exact(40, 40, 1.0, 1.0, margin=0.2) == 1.0
    assert power_noninferiority_exact(40, 40, 0.0, 1.0, margin=0.2) == 0.0


def test_region_probability_is_a_probability():
    everything = np.ones((8, 12), dtype=bool)
    p = np.linspace(0.0, 1.0, 300)  # more points than one chunk
    assert exact.region_probability(everything, p, p[::-1]) == pytest.approx(np.ones(300))
    first_only = np.zeros((8, 12), dtype=bool)
    first_only[7] = True
    expected = stats.binom.pmf(7, 7, p)
    assert exact.region_probability(first_only, p, p[::-1]) == pytest.approx(expected)


def test_too_many_tables_are_refused_before_memory_is_taken():
    with pytest.raises(ParameterError, match=r"enumerates 100020001 tables .* at most 4000000"):
        noninferiority_test(9000, 10_000, 9000, 10_000, margin=0.1, method="exact")
    with pytest.raises(ParameterError, match="enumerates"):
        power_noninferiority_exact(10_000, 10_000, 0.9, 0.9, margin=0.1)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((0, 10, 0.9, 0.9), {"margin": 0.1}, "n1 must be at least 1; got 0"),
        ((10, 10.5, 0.9, 0.9), {"margin": 0.1}, "n2 must be a whole number; got 10.5"),
        ((10, 10, 1.1, 0.9), {"margin": 0.1}, "p1 must lie from 0 to 1; got 1.1"),
        ((10, 10, 0.9, float("nan")), {"margin": 0.1}, "p2 must be a finite number; got nan"),
        ((10, 10, 0.9, 0.9), {"margin": 0.0}, "^margin must be above 0"),
        ((10, 10, 0.9, 0.9), {"margin": 0.1, "alpha": 1.0}, "^alpha must lie between 0 and 1"),
        ((10, 10, 0.9, 0.9), {"margin": 0.1, "method": "wald"}, "method must be one of"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, options, message):
    with pytest.raises(ParameterError, match=message):
        power_noninferiority_exact(*arguments, **options)
