"""Intervals of two proportions: slow twins, symmetries, borders, and bad input."""

import inspect
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import special

from hrm.errors import MissingDependencyError, ParameterError
from hrm.trial import statistics
from hrm.trial.statistics import (
    noninferiority_test,
    odds_ratio,
    risk_difference,
    risk_ratio,
    score,
)
from hrm.trial.statistics.proportions import DIFFERENCE_METHODS, ODDS_METHODS, RATIO_METHODS
from tests.naive import two_proportions as naive

Z = 1.959963984540054
OURS = ("miettinen-nurminen", "mee")
MONOTONE = (*OURS, "newcombe")
SIZES = [(1, 1), (1, 2), (4, 3), (7, 12), (25, 6)]


@st.composite
def tables(draw, largest=150):
    n1, n2 = (draw(st.integers(1, largest)) for _ in range(2))
    return draw(st.integers(0, n1)), n1, draw(st.integers(0, n2)), n2


levels = st.sampled_from([0.8, 0.9, 0.95, 0.99])


def grid(n1, n2):
    return np.meshgrid(np.arange(n1 + 1), np.arange(n2 + 1), indexing="ij")


# The score statistics and their roots against climbing the likelihood.


@given(tables(largest=60), st.floats(-0.9999, 0.9999))
def test_restricted_proportions_climb_to_the_top(counts, delta):
    p1, p2 = score.restricted_difference(*counts, delta)
    slow1, slow2 = naive.restricted(*counts, delta)
    assert float(p1) == pytest.approx(slow1, abs=1e-8)
    assert float(p2) == pytest.approx(slow2, abs=1e-8)


@pytest.mark.parametrize("method", OURS)
@given(tables(largest=60), levels)
def test_limits_of_a_difference_are_those_of_the_slow_twin(method, counts, level):
    z = float(special.ndtri((1 + level) / 2))
    slow = naive.difference_limits(*counts, z, correct=method == "miettinen-nurminen")
    found = risk_difference(*counts, method=method, level=level)
    assert [found.low, found.high] == pytest.approx(slow, abs=1e-8)


@pytest.mark.parametrize(
    "counts", [(49_990, 50_000, 3_999, 4_000), (1, 100_000, 0, 3), (2, 10_000_000, 0, 40)]
)
def test_limits_hold_their_digits_in_very_large_and_lopsided_trials(counts):
    found = risk_difference(*counts)
    slow = naive.difference_limits(*counts, Z, correct=True)
    assert [found.low, found.high] == pytest.approx(slow, rel=1e-8, abs=1e-12)


@given(tables(largest=80), st.sampled_from(["miettinen-nurminen", "koopman"]))
def test_a_limit_of_a_ratio_is_where_the_slow_statistic_is_z(counts, method):
    found = risk_ratio(*counts, method=method)
    correct = method == "miettinen-nurminen"
    for limit, target in ((found.low, Z), (found.high, -Z)):
        if 0.0 < limit < math.inf:
            assert naive.ratio_score(*counts, limit, correct=correct) == pytest.approx(
                target, abs=1e-6
            )


@given(tables(largest=80))
def test_a_limit_of_an_odds_ratio_is_where_the_slow_statistic_is_z(counts):
    found = odds_ratio(*counts)
    for limit, target in ((found.low, Z), (found.high, -Z)):
        # The twin subtracts from 1 and cannot tell odds beyond these.
        if 1e-4 < limit < 1e4:
            assert naive.odds_score(*counts, limit) == pytest.approx(target, abs=1e-5)


@pytest.mark.parametrize(("n1", "n2"), SIZES)
@pytest.mark.parametrize("correct", [True, False])
def test_the_statistic_falls_everywhere_so_that_there_is_one_root(n1, n2, correct):
    x1, x2 = grid(n1, n2)
    delta = np.linspace(-1.0, 1.0, 2003)[1:-1]
    values = score.difference_score(x1[..., None], n1, x2[..., None], n2, delta, correct=correct)
    assert not np.isnan(values).any()
    assert np.all(np.diff(values, axis=-1) < 0.0)


@pytest.mark.parametrize(("n1", "n2"), SIZES)
def test_ratio_statistics_fall_too(n1, n2):
    x1, x2 = (each[..., None] for each in grid(n1, n2))
    logs = np.linspace(-6.0, 6.0, 601)
    for statistic in (score.ratio_score, score.odds_score):
        values = statistic(x1, n1, x2, n2, logs, correct=True)
        empty = (x1 + x2 == 0) | (x1 + x2 == n1 + n2)
        informative = ~np.broadcast_to(empty, values.shape)[..., 1:]
        assert np.all(np.diff(values, axis=-1)[informative] < 1e-12)


@pytest.mark.parametrize("statistic", [score.ratio_score, score.odds_score])
@pytest.mark.parametrize("logarithm", [-32.0, -20.0, -7.0, 0.0, 7.0, 20.0, 32.0])
def test_ratio_statistics_mirror_to_the_last_digits(statistic, logarithm):
    # One of the two directions would lose its digits if anything cancelled.
    for x1, n1, x2, n2 in ((15, 20, 20, 20), (19, 20, 25, 30), (3, 40, 29, 30), (1, 90, 0, 7)):
        there = float(statistic(x1, n1, x2, n2, logarithm, correct=True))
        back = float(statistic(x2, n2, x1, n1, -logarithm, correct=True))
        assert there == pytest.approx(-back, rel=1e-8, abs=1e-7)


# Properties that the methods promise.


@pytest.mark.parametrize("method", DIFFERENCE_METHODS)
@given(tables(), levels)
def test_swapping_the_arms_mirrors_the_limits(method, counts, level):
    x1, n1, x2, n2 = counts
    there = risk_difference(x1, n1, x2, n2, method=method, level=level)
    back = risk_difference(x2, n2, x1, n1, method=method, level=level)
    assert [there.low, there.high] == pytest.approx([-back.high, -back.low], abs=1e-10)


@pytest.mark.parametrize("method", DIFFERENCE_METHODS)
@given(tables())
def test_counting_failures_mirrors_the_limits(method, counts):
    x1, n1, x2, n2 = counts
    successes = risk_difference(x1, n1, x2, n2, method=method)
    failures = risk_difference(n1 - x1, n1, n2 - x2, n2, method=method)
    assert [successes.low, successes.high] == pytest.approx([-failures.high, -failures.low])


@pytest.mark.parametrize(
    ("compare", "method"),
    [
        *((risk_ratio, each) for each in RATIO_METHODS),
        *((odds_ratio, each) for each in ODDS_METHODS),
    ],
)
@given(tables())
def test_swapping_the_arms_inverts_a_ratio(compare, method, counts):
    x1, n1, x2, n2 = counts
    there = compare(x1, n1, x2, n2, method=method)
    back = compare(x2, n2, x1, n1, method=method)
    inverted = [math.inf if value == 0.0 else 1.0 / value for value in (back.high, back.low)]
    assert [there.low, there.high] == pytest.approx(inverted, rel=1e-9)


@pytest.mark.parametrize("method", DIFFERENCE_METHODS)
@given(tables(), levels)
def test_limits_lie_in_range(method, counts, level):
    found = risk_difference(*counts, method=method, level=level)
    assert -1.0 <= found.low <= found.high <= 1.0


@pytest.mark.parametrize("method", MONOTONE)
@given(tables(), levels)
def test_limits_lie_around_the_estimate(method, counts, level):
    found = risk_difference(*counts, method=method, level=level)
    assert found.low <= found.estimate + 1e-12
    assert found.high >= found.estimate - 1e-12
    assert found.low < found.high


@pytest.mark.parametrize("method", MONOTONE)
@given(tables())
def test_one_success_more_moves_no_limit_the_wrong_way(method, counts):
    x1, n1, x2, n2 = counts
    assume(x1 < n1)
    before = risk_difference(x1, n1, x2, n2, method=method)
    after = risk_difference(x1 + 1, n1, x2, n2, method=method)
    assert after.low >= before.low - 1e-12
    assert after.high >= before.high - 1e-12


@pytest.mark.parametrize("correct", [True, False])
@pytest.mark.parametrize(("n1", "n2"), [*SIZES, (30, 30)])
def test_limits_rise_with_every_success_of_every_table(n1, n2, correct):
    x1, x2 = grid(n1, n2)
    for limits in score.difference_limits(x1, n1, x2, n2, Z, correct=correct):
        assert np.all(np.diff(limits, axis=0) >= -1e-12)
        assert np.all(np.diff(limits, axis=1) <= 1e-12)


@given(tables(), levels, levels)
def test_a_higher_level_is_wider(counts, one, other):
    assume(one < other)
    narrow, wide = (risk_difference(*counts, level=level) for level in (one, other))
    assert wide.low <= narrow.low
    assert narrow.high <= wide.high


@given(tables())
def test_score_interval_excludes_no_difference_with_every_measure_alike(counts):
    # At no difference the three statistics are one.
    difference, ratio, odds = (f(*counts) for f in (risk_difference, risk_ratio, odds_ratio))
    if ratio.status != "ok" or odds.status != "ok":
        return
    verdicts = {difference.low > 0.0, ratio.low > 1.0, odds.low > 1.0}
    assert len(verdicts) == 1


@pytest.mark.parametrize(
    ("test", "interval"),
    [("miettinen-nurminen", "miettinen-nurminen"), ("farrington-manning", "mee")],
)
@given(tables(), st.floats(0.001, 0.999), levels)
def test_the_interval_excludes_the_margin_exactly_when_the_test_rejects(
    test, interval, counts, margin, level
):
    found = noninferiority_test(*counts, margin=margin, method=test)
    limits = risk_difference(*counts, method=interval, level=level)
    assume(abs(limits.low + margin) > 1e-10)
    assert (limits.low > -margin) == (found.p_value < (1 - level) / 2)
    assert found.interval(level) == limits


def test_the_exact_test_has_no_interval_to_stand_beside_it():
    test = noninferiority_test(63, 71, 60, 67, margin=0.15, method="exact")
    with pytest.raises(ParameterError, match=r"inverts the exact test; .* farrington-manning"):
        test.interval()


def test_the_noninferiority_p_value_falls_as_the_margin_grows():
    p_values = [
        noninferiority_test(60, 71, 60, 67, margin=margin).p_value for margin in (0.01, 0.1, 0.3)
    ]
    assert p_values == sorted(p_values, reverse=True)


# All or nothing in an arm.


@pytest.mark.parametrize("method", DIFFERENCE_METHODS)
@pytest.mark.parametrize(
    "counts", [(0, 9, 0, 20), (9, 9, 20, 20), (0, 9, 20, 20), (9, 9, 0, 20), (0, 1, 1, 1)]
)
def test_a_difference_is_defined_with_all_or_none(method, counts):
    found = risk_difference(*counts, method=method)
    assert math.isfinite(found.low + found.high)
    assert found.status == ("no_width" if method == "wald" else "ok")


@pytest.mark.parametrize("method", OURS)
def test_none_in_either_arm_has_a_closed_form(method):
    # One arm alone carries the variance d (1 - d) / n, so that d = c / (n + c).
    found = risk_difference(0, 9, 0, 20, method=method)
    c = Z**2 * (29 / 28 if method == "miettinen-nurminen" else 1.0)
    assert [found.low, found.high] == pytest.approx([-c / (20 + c), c / (9 + c)], abs=1e-12)


@pytest.mark.parametrize("method", RATIO_METHODS)
def test_ratios_without_a_success(method):
    nobody = risk_ratio(0, 9, 0, 20, method=method)
    assert math.isnan(nobody.estimate)
    assert (nobody.low, nobody.high, nobody.status) == (0.0, math.inf, "not_estimable")
    above = risk_ratio(0, 9, 5, 20, method=method)
    assert (above.estimate, above.low) == (0.0, 0.0)
    below = risk_ratio(5, 9, 0, 20, method=method)
    assert (below.estimate, below.high) == (math.inf, math.inf)
    if method == "katz":
        assert (above.high, above.status) == (math.inf, "zero_cell")
        assert (below.low, below.status) == (0.0, "zero_cell")
    else:
        assert 0.0 < above.high < math.inf
        assert below.low > 0.0
        assert (above.status, below.status) == ("ok", "ok")


def test_ratios_without_a_failure():
    found = risk_ratio(9, 9, 20, 20)
    assert (found.estimate, found.status) == (1.0, "ok")
    assert found.low < 1.0 < found.high
    katz = risk_ratio(9, 9, 20, 20, method="katz")
    assert (katz.low, katz.high, katz.status) == (1.0, 1.0, "no_width")


@pytest.mark.parametrize("method", ODDS_METHODS)
def test_odds_ratios_with_all_or_none(method):
    for counts in ((0, 9, 0, 20), (9, 9, 20, 20)):
        found = odds_ratio(*counts, method=method)
        assert math.isnan(found.estimate)
        assert (found.low, found.high, found.status) == (0.0, math.inf, "not_estimable")
    one = odds_ratio(9, 9, 11, 20, method=method)
    assert (one.estimate, one.high) == (math.inf, math.inf)
    assert one.status == ("zero_cell" if method == "woolf" else "ok")
    assert (one.low > 0.0) == (method == "miettinen-nurminen")


# What comes back, and what is refused.


def test_a_result_says_what_was_compared_with_what():
    found = risk_difference(np.int64(63), 71.0, 60, 67, level=0.9)
    assert (found.x1, found.n1, found.x2, found.n2) == (63, 71, 60, 67)
    assert all(type(value) is int for value in (found.x1, found.n1, found.x2, found.n2))
    assert (found.measure, found.method, found.level) == (
        "risk difference",
        "miettinen-nurminen",
        0.9,
    )
    assert found.orientation == "group 1 (posterior, test) minus group 2 (anterior, reference)"
    with pytest.raises(AttributeError):
        found.low = 0.0
    test = noninferiority_test(63, 71, 60, 67, margin=0.15)
    assert (test.margin, test.method, test.hypothesis) == (
        0.15,
        "miettinen-nurminen",
        "difference <= -margin",
    )
    assert test.statistic == pytest.approx((test.estimate + 0.15) / test.standard_error)


BAD_COUNTS = [
    ((-1, 10, 3, 10), "x1 must be at least 0; got -1"),
    ((11, 10, 3, 10), "x1 must not exceed n1; got 11 of 10"),
    ((1, 10, 11, 10), "x2 must not exceed n2; got 11 of 10"),
    ((1.5, 10, 3, 10), "x1 must be a whole number; got 1.5"),
    ((1, 10, 3, 10.2), "n2 must be a whole number; got 10.2"),
    ((0, 0, 3, 10), "n1 must be at least 1; got 0"),
    ((1, 10, 0, 0), "n2 must be at least 1; got 0"),
    ((1, 10, 0, -4), "n2 must be at least 1; got -4"),
    ((math.nan, 10, 3, 10), "x1 must be a whole number; got nan"),
    ((1, math.inf, 3, 10), "n1 must be a whole number; got inf"),
    ((True, 10, 3, 10), "x1 must be a whole number; got True"),
    (("4", 10, 3, 10), "x1 must be a whole number; got '4'"),
    ((None, 10, 3, 10), "x1 must be a whole number; got NoneType"),
    (([1, 2], 10, 3, 10), "x1 must be a whole number; got list"),
    ((1 + 0j, 10, 3, 10), "x1 must be a whole number; got complex"),
]


@pytest.mark.parametrize(("counts", "message"), BAD_COUNTS)
def test_bad_counts_are_refused_by_name(counts, message):
    for call in (risk_difference, risk_ratio, odds_ratio):
        with pytest.raises(ParameterError) as caught:
            call(*counts)
        assert str(caught.value) == message
    with pytest.raises(ParameterError) as caught:
        noninferiority_test(*counts, margin=0.1)
    assert str(caught.value) == message


@pytest.mark.parametrize("margin", [0.0, -0.1, 1.0, math.nan, math.inf, "0.1", None, True])
def test_bad_margins_are_refused(margin):
    with pytest.raises(ParameterError, match=r"^margin must be"):
        noninferiority_test(5, 10, 5, 10, margin=margin)


@pytest.mark.parametrize("level", [0.0, 1.0, 95, -0.5, math.nan, "0.95"])
def test_bad_levels_are_refused(level):
    for call in (risk_difference, risk_ratio, odds_ratio):
        with pytest.raises(ParameterError, match=r"^level must"):
            call(5, 10, 5, 10, level=level)


def test_a_method_of_another_measure_is_refused():
    with pytest.raises(ParameterError, match=r"method must be one of .*newcombe.*; got 'koopman'"):
        risk_difference(5, 10, 5, 10, method="koopman")
    with pytest.raises(ParameterError, match="got 'mee'"):
        noninferiority_test(5, 10, 5, 10, margin=0.1, method="mee")
    with pytest.raises(ParameterError, match="got 'wald'"):
        risk_ratio(5, 10, 5, 10, method="wald")
    with pytest.raises(ParameterError, match="got 'katz'"):
        odds_ratio(5, 10, 5, 10, method="katz")


def test_without_statsmodels_the_extra_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "statsmodels.stats.proportion", None)
    assert risk_difference(5, 10, 5, 10).estimate == 0.0
    with pytest.raises(MissingDependencyError, match=r"pip install hrm\[trial\]"):
        risk_difference(5, 10, 5, 10, method="newcombe")


SIGNATURES = {
    "risk_difference": "(x1, n1, x2, n2, *, method='miettinen-nurminen', level=0.95)",
    "risk_ratio": "(x1, n1, x2, n2, *, method='miettinen-nurminen', level=0.95)",
    "odds_ratio": "(x1, n1, x2, n2, *, method='miettinen-nurminen', level=0.95)",
    "noninferiority_test": "(x1, n1, x2, n2, *, margin, method='miettinen-nurminen')",
    "stratified_risk_difference": "(x1, n1, x2, n2, *, weights='mantel-haenszel', level=0.95)",
    "sample_size_noninferiority": (
        "(p1, p2, *, margin, alpha=0.025, power=0.8, ratio=1.0, method='farrington-manning')"
    ),
    "sample_size_noninferiority_means": (
        "(*, difference=0.0, sd, margin, alpha, power, distribution='t')"
    ),
    "power_noninferiority_exact": (
        "(n1, n2, p1, p2, *, margin, alpha=0.025, method='farrington-manning')"
    ),
    "tipping_point_binary": "(x1, n1, m1, x2, n2, m2, *, margin, method, level)",
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_public_signatures(name):
    signature = inspect.signature(getattr(statistics, name))
    plain = [each.replace(annotation=each.empty) for each in signature.parameters.values()]
    assert str(inspect.Signature(plain)) == SIGNATURES[name]
    assert name in dir(statistics)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'risk_product'"):
        _ = statistics.risk_product
