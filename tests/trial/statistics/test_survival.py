"""Kaplan-Meier, log-rank and restricted mean against slow twins and other libraries."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from hrm.errors import ParameterError
from hrm.trial.statistics import kaplan_meier, log_rank, restricted_mean_survival_time
from tests.naive import trial as naive

FOLLOWED = st.lists(
    st.tuples(st.integers(1, 24).map(lambda v: v / 2), st.booleans()), min_size=2, max_size=40
)


def apart(rows):
    return [time for time, _ in rows], [event for _, event in rows]


@given(FOLLOWED, st.floats(0, 13))
def test_the_curve_is_the_product_of_its_steps(rows, at):
    time, event = apart(rows)
    found = kaplan_meier(time, event, times=[at], interval="plain")
    survival, greenwood, at_risk = naive.survival(time, event, at)
    assert found.at_risk[0] == at_risk
    if at > max(time) and survival > 0:
        assert found.status == ("beyond_follow_up",)
        assert np.isnan([found.survival[0], found.low[0], found.high[0]]).all()
        return
    assert found.survival[0] == pytest.approx(survival, abs=1e-12)
    if survival == 0:
        assert found.status == ("no_limits",)
        assert np.isnan([found.low[0], found.high[0]]).all()
    else:
        error = survival * math.sqrt(greenwood)
        assert found.standard_error[0] == pytest.approx(error, abs=1e-12)
        assert found.low[0] == pytest.approx(max(0, survival - 1.959964 * error), abs=1e-6)
        assert found.status == ("no_width" if survival == 1 else "ok",)


@given(FOLLOWED, st.sampled_from(["log", "log-log", "plain"]), st.floats(0.5, 0.99))
def test_limits_hold_the_curve_which_falls(rows, interval, level):
    time, event = apart(rows)
    found = kaplan_meier(time, event, times=sorted(set(time)), interval=interval, level=level)
    assert (np.diff(found.survival) <= 0).all()
    inside = found.survival > 0
    assert (found.low[inside] <= found.survival[inside] + 1e-12).all()
    assert (found.high[inside] >= found.survival[inside] - 1e-12).all()
    assert ((found.low[inside] >= 0) & (found.high[inside] <= 1)).all()


def test_log_log_limits_of_scipy():
    rng = np.random.default_rng(1)
    time, event = rng.exponential(10, 60).round(1) + 0.1, rng.random(60) < 0.6
    found = kaplan_meier(time, event, interval="log-log", level=0.9)
    sample = stats.CensoredData.right_censored(time, ~event)
    curve = stats.ecdf(sample).sf
    with warnings.catch_warnings():
        # It has no limits where the curve is 1 or 0, and says so.
        warnings.simplefilter("ignore", RuntimeWarning)
        limits = curve.confidence_interval(0.9, method="log-log")
    below = found.survival > 0
    np.testing.assert_allclose(found.survival, curve.evaluate(found.times))
    np.testing.assert_allclose(found.low[below], limits.low.evaluate(found.times)[below])
    np.testing.assert_allclose(found.high[below], limits.high.evaluate(found.times)[below])


@given(FOLLOWED, st.floats(0.5, 12))
def test_restricted_mean_is_the_area(rows, horizon):
    time, event = apart(rows)
    last = naive.survival(time, event, max(time))[0]
    if horizon > max(time) and last > 0:
        with pytest.raises(ParameterError, match="horizon must not lie beyond the last follow-up"):
            restricted_mean_survival_time(time, event, horizon=horizon)
        return
    found = restricted_mean_survival_time(time, event, horizon=horizon)
    estimate, error = naive.restricted_mean(time, event, horizon)
    assert found.estimate == pytest.approx(estimate)
    assert found.standard_error == pytest.approx(error, abs=1e-12)
    assert found.high - found.estimate == pytest.approx(1.9599640 * error, abs=1e-6)


def test_without_censoring_the_restricted_mean_is_the_mean():
    time = np.random.default_rng(2).exponential(5, 40)
    found = restricted_mean_survival_time(time, np.ones(40), horizon=time.max() + 1)
    assert found.estimate == pytest.approx(time.mean())
    assert found.standard_error == pytest.approx(time.std() / math.sqrt(40))


@given(FOLLOWED, FOLLOWED)
def test_log_rank_of_two_groups(one, other):
    time, event = apart([*one, *other])
    group = ["a"] * len(one) + ["b"] * len(other)
    try:
        found = log_rank(time, event, group)
    except ParameterError:
        first = min((t for t, e in zip(time, event, strict=True) if e), default=None)
        lonely = first is None or max(t for t, _ in one) < first or max(t for t, _ in other) < first
        # Or everybody still there fails at once whenever both groups are: no variance.
        with np.errstate(invalid="ignore"):
            assert lonely or not variance_of(time, event, group)
        return
    assert found.statistic == pytest.approx(naive.log_rank(time, event, group), rel=1e-9, abs=1e-12)
    swapped = log_rank(time, event, ["b" if g == "a" else "a" for g in group])
    assert swapped.p_value == pytest.approx(found.p_value)


def variance_of(time, event, group):
    try:
        return math.isfinite(naive.log_rank(time, event, group))
    except ZeroDivisionError:
        return False


def test_log_rank_of_three_groups_is_that_of_scipy_for_two():
    rng = np.random.default_rng(5)
    time, event = rng.exponential(3, 60), rng.random(60) < 0.7
    group = np.repeat([0, 1, 2], 20)
    assert log_rank(time, event, group).df == 2
    two = group < 2
    samples = [
        stats.CensoredData.right_censored(time[group == k], ~event[group == k]) for k in (0, 1)
    ]
    expected = stats.logrank(*samples)
    found = log_rank(time[two], event[two], group[two])
    assert found.statistic == pytest.approx(expected.statistic**2)
    assert found.p_value == pytest.approx(expected.pvalue)


@pytest.mark.parametrize(
    ("time", "event", "message"),
    [
        ([], [], "time must have at least 1 entries"),
        ([1.0, -2.0], [1, 1], "time must be at least 0; entry 1"),
        ([1.0, math.nan], [1, 1], "time must be finite numbers; entry 1"),
        ([1.0, 2.0], [1, 2], "event must be 0 .* entry 1"),
        ([1.0, 2.0], [1, math.nan], "event must be finite"),
        ([1.0, 2.0], [1], "time has 2, event has 1"),
        (["1", "2"], [1, 1], "time must be"),
    ],
)
def test_faults_are_named(time, event, message):
    with pytest.raises(ParameterError, match=message):
        kaplan_meier(time, event, times=[1])
    with pytest.raises(ParameterError, match=message):
        restricted_mean_survival_time(time, event, horizon=1)
    with pytest.raises(ParameterError, match=message):
        log_rank(time, event, [0] * len(time))


def test_further_faults():
    time, event = [1, 2, 3, 4], [1, 0, 1, 0]
    for call, message in (
        (lambda: kaplan_meier(time, event, interval="logit"), "interval must be one of log, log-"),
        (lambda: kaplan_meier(time, event, level=95), "level must lie"),
        (lambda: kaplan_meier(time, event, times=[-1]), "times must be at least 0"),
        (lambda: kaplan_meier(time, [0] * 4), "times must be given if nobody has an event"),
        (lambda: log_rank(time, event, [1] * 4), "at least two groups"),
        (lambda: log_rank(time, event, [1, None, 1, 2]), "group must not be missing; entry 1"),
        (lambda: log_rank(time, event, [1, 2, 1]), "time has 4, group has 3"),
        (lambda: log_rank(time, [0] * 4, [1, 1, 2, 2]), "nobody has one"),
        (lambda: log_rank([1, 2, 3, 4], [0, 0, 1, 1], [1, 1, 2, 2]), "never at risk"),
        (lambda: restricted_mean_survival_time(time, event, horizon=0), "horizon must be above 0"),
    ):
        with pytest.raises(ParameterError, match=message):
            call()


def test_nobody_fails():
    found = kaplan_meier([1, 2], [False, False], times=[0, 1, 2])
    assert found.survival.tolist() == [1, 1, 1]
    assert found.status == ("no_width",) * 3
    mean = restricted_mean_survival_time([1, 2], [0, 0], horizon=2)
    assert (mean.estimate, mean.standard_error, mean.status) == (2, 0, "no_width")
