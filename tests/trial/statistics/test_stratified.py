"""A common difference over strata, and the grid of all ways to fill in what is missing."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from hrm.errors import ParameterError
from hrm.trial.statistics import (
    noninferiority_test,
    risk_difference,
    stratified_risk_difference,
    tipping_point_binary,
)
from tests.naive import two_proportions as naive


@st.composite
def strata(draw, most=5):
    k = draw(st.integers(1, most))
    n1, n2 = ([draw(st.integers(1, 40)) for _ in range(k)] for _ in range(2))
    x1 = [draw(st.integers(0, n)) for n in n1]
    x2 = [draw(st.integers(0, n)) for n in n2]
    return x1, n1, x2, n2


def slow_statistic(x1, n1, x2, n2, delta):
    """Weighted score statistic, stratum by stratum."""
    above = variance = 0.0
    for a, m, c, k in zip(x1, n1, x2, n2, strict=True):
        weight = m * k / (m + k)
        p1, p2 = naive.restricted(a, m, c, k, delta)
        above += weight * (a / m - c / k - delta)
        part = p1 * (1 - p1) / m + p2 * (1 - p2) / k
        variance += weight**2 * part * (m + k) / (m + k - 1)
    return above / math.sqrt(variance)


@given(strata(), st.sampled_from([0.9, 0.95]))
def test_the_statistic_at_a_limit_is_the_normal_quantile(columns, level):
    found = stratified_risk_difference(*columns, level=level)
    z = stats.norm.isf((1 - level) / 2)
    assert -1.0 <= found.low <= found.estimate + 1e-12
    assert found.estimate - 1e-12 <= found.high <= 1.0
    for limit, target in ((found.low, z), (found.high, -z)):
        if -0.999 < limit < 0.999:
            assert slow_statistic(*columns, limit) == pytest.approx(target, abs=1e-6)


@given(strata())
def test_the_statistic_of_no_difference_is_that_of_cochran_mantel_haenszel(columns):
    x1, n1, x2, n2 = (np.array(column) for column in columns)
    assume(np.any((x1 + x2 > 0) & (x1 + x2 < n1 + n2)))
    found = stratified_risk_difference(*columns)
    assert found.statistic() ** 2 == pytest.approx(naive.cochran_mantel_haenszel(*columns))


def test_cochran_mantel_haenszel_by_statsmodels():
    from statsmodels.stats.contingency_tables import StratifiedTable

    x1, n1, x2, n2 = [25, 34, 28, 52], [33, 50, 50, 67], [4, 17, 15, 22], [17, 25, 25, 33]
    tables = [np.array([[a, m - a], [c, k - c]]) for a, m, c, k in zip(x1, n1, x2, n2, strict=True)]
    theirs = StratifiedTable(tables).test_null_odds(correction=False)
    found = stratified_risk_difference(x1, n1, x2, n2)
    assert found.statistic() ** 2 == pytest.approx(theirs.statistic)
    assert (found.low > 0.0) == (theirs.pvalue < 0.05)


@given(strata(most=1), st.sampled_from([0.8, 0.95]))
@settings(max_examples=20)
def test_one_stratum_is_no_stratification(columns, level):
    found = stratified_risk_difference(*columns, level=level)
    plain = risk_difference(*(column[0] for column in columns), level=level)
    assert [found.low, found.estimate, found.high] == pytest.approx(
        [plain.low, plain.estimate, plain.high], abs=1e-12
    )


@given(strata())
@settings(max_examples=20)
def test_swapping_the_arms_mirrors_the_limits(columns):
    x1, n1, x2, n2 = columns
    there, back = (
        stratified_risk_difference(*each) for each in ((x1, n1, x2, n2), (x2, n2, x1, n1))
    )
    assert [there.low, there.high] == pytest.approx([-back.high, -back.low], abs=1e-9)


@given(strata(), st.randoms(use_true_random=False))
@settings(max_examples=20)
def test_the_order_of_the_strata_does_not_matter(columns, random):
    order = list(range(len(columns[0])))
    random.shuffle(order)
    there = stratified_risk_difference(*columns)
    shuffled = stratified_risk_difference(*([column[k] for k in order] for column in columns))
    assert [there.low, there.high] == pytest.approx([shuffled.low, shuffled.high], abs=1e-9)


@given(strata(), st.floats(0.01, 0.9))
def test_the_limit_is_above_the_margin_exactly_when_the_test_rejects(columns, margin):
    found = stratified_risk_difference(*columns)
    assume(abs(found.low + margin) > 1e-9)
    assert (found.low > -margin) == (found.p_value(margin) < 0.025)


@given(strata())
@settings(max_examples=20)
def test_the_stratified_statistic_has_one_root(columns):
    found = stratified_risk_difference(*columns)
    values = [found.statistic(delta) for delta in np.linspace(-0.99, 0.99, 67)]
    assert np.all(np.diff(values) < 0.0)


def test_all_or_none_in_every_stratum():
    found = stratified_risk_difference([5, 8], [5, 8], [4, 9], [4, 9])
    assert found.estimate == 0.0
    assert -1.0 < found.low < 0.0 < found.high < 1.0
    assert found.statistic() == 0.0


def test_a_result_says_what_it_is():
    found = stratified_risk_difference(np.array([3.0, 4.0]), [9, 9], (2, 5), [8, 8], level=0.9)
    assert (found.x1, found.n1, found.x2, found.n2) == ((3, 4), (9, 9), (2, 5), (8, 8))
    assert (found.method, found.weights, found.level) == (
        "miettinen-nurminen",
        "mantel-haenszel",
        0.9,
    )
    assert found.orientation.startswith("group 1 (posterior, test) minus")


GOOD = {"x1": [3, 4], "n1": [9, 9], "x2": [2, 5], "n2": [8, 8]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"n1": [9, 0], "x1": [3, 0]},
            r"n1 must be at least 1 in each stratum; stratum 1 .* empty",
        ),
        (
            {"n2": [0, 8], "x2": [0, 5]},
            r"n2 must be at least 1 in each stratum; stratum 0 .* empty",
        ),
        ({"x1": [3, 10]}, r"x1 must not exceed n1; it does in stratum 1"),
        ({"x2": [2, -1]}, r"x2 must be at least 0; entry 1"),
        ({"x1": [3.5, 4]}, r"x1 must be whole numbers; entry 0"),
        ({"x1": [3, math.nan]}, r"x1 must be finite numbers; entry 1"),
        ({"x1": [3]}, r"one length; n1 has 2, x1 has 1"),
        ({"x2": [2, 5, 1], "n2": [8, 8, 8]}, r"one length; n1 has 2, n2 has 3"),
        ({"x1": [], "n1": []}, r"n1 must have at least 1 entries; got 0"),
        ({"x1": 3}, r"x1 must be a one-dimensional column of numbers; got 0 dimensions"),
        ({"x1": ["3", "4"]}, r"x1 must be a one-dimensional column of numbers"),
        ({"x1": [True, False]}, r"x1 must be a one-dimensional column of numbers"),
        ({"x1": np.array([3, None], dtype=object)}, r"x1 must be numbers; entry 1"),
        ({"level": 2.0}, r"^level must lie between"),
        ({"weights": "equal"}, r"weights must be one of mantel-haenszel; got 'equal'"),
    ],
)
def test_bad_strata_are_refused_by_name(changes, message):
    arguments = GOOD | changes
    options = {name: arguments.pop(name) for name in ("level", "weights") if name in arguments}
    with pytest.raises(ParameterError, match=message):
        stratified_risk_difference(**arguments, **options)


# The grid of all ways to fill in the missing.

TEST_OF = {"miettinen-nurminen": "miettinen-nurminen", "mee": "farrington-manning"}


@pytest.mark.parametrize(
    "method",
    [
        "miettinen-nurminen",
        "farrington-manning",
        "exact",
        "mee",
        "newcombe",
        "wald",
        "agresti-caffo",
    ],
)
def test_each_entry_is_the_verdict_of_the_filled_table(method):
    x1, n1, m1, x2, n2, m2, margin, level = 20, 24, 3, 19, 23, 2, 0.2, 0.9
    grid = tipping_point_binary(x1, n1, m1, x2, n2, m2, margin=margin, method=method, level=level)
    assert grid.shape == (m1 + 1, m2 + 1)
    assert grid.dtype == np.bool_
    for i in range(m1 + 1):
        for j in range(m2 + 1):
            filled = x1 + i, n1 + m1, x2 + j, n2 + m2
            if method in ("newcombe", "wald", "agresti-caffo", "mee"):
                holds = risk_difference(*filled, method=method, level=level).low > -margin
            else:
                test = noninferiority_test(*filled, margin=margin, method=method)
                holds = test.p_value < (1 - level) / 2
            assert grid[i, j] == holds


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 8), st.integers(0, 8), st.data())
def test_more_success_helps_the_arm_that_has_it(n1, n2, m1, m2, data):
    x1, x2 = data.draw(st.integers(0, n1)), data.draw(st.integers(0, n2))
    grid = tipping_point_binary(
        x1, n1, m1, x2, n2, m2, margin=0.15, method="miettinen-nurminen", level=0.9
    )
    assert np.all(np.diff(grid.astype(int), axis=0) >= 0)
    assert np.all(np.diff(grid.astype(int), axis=1) <= 0)


def test_nobody_missing_is_one_verdict():
    grid = tipping_point_binary(63, 71, 0, 60, 67, 0, margin=0.15, method="mee", level=0.95)
    assert grid.tolist() == [[True]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x1": 72}, "x1 must not exceed n1; got 72 of 71"),
        ({"m1": -1}, "m1 must be at least 0; got -1"),
        ({"m2": 2.5}, "m2 must be a whole number; got 2.5"),
        ({"n2": 0, "x2": 0}, "n2 must be at least 1"),
        ({"margin": 0.0}, "^margin must be above 0"),
        ({"level": 95}, "^level must lie between"),
        ({"method": "koopman"}, "^method must be one of"),
    ],
)
def test_bad_grids_are_refused_by_name(changes, message):
    good = {"x1": 63, "n1": 71, "m1": 6, "x2": 60, "n2": 67, "m2": 6, "margin": 0.15}
    options = good | {"method": "miettinen-nurminen", "level": 0.95} | changes
    with pytest.raises(ParameterError, match=message):
        tipping_point_binary(**options)
