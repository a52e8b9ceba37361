"""Looking over a whole recording, against the twins and NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from hrm.kernels.peaks import prominences_1d
from hrm.kernels.scan import _BLOCK, below_habit_1d, rising_share_1d, row_medians_1d
from tests.kernels.strategies import fields
from tests.naive import scan as naive

#: Whole numbers repeat, and repeated values are where sorting goes wrong.
COARSE = st.one_of(st.integers(-3, 3).map(float), st.just(float("nan")))
TRACES = npst.arrays(np.float64, st.integers(0, 40), elements=COARSE)


@given(fields(rows=(1, 7), columns=(0, 30)), st.integers(1, 6), st.floats(-50, 200, width=32))
def test_rising_share_agrees_with_the_twin(values, lag, rise):
    np.testing.assert_array_equal(
        rising_share_1d(values, lag, rise), naive.rising_share(values, lag, rise)
    )


@pytest.mark.parametrize("size", [_BLOCK - 1, _BLOCK, _BLOCK + 1, 2 * _BLOCK + 3])
def test_a_rise_is_seen_on_either_side_of_a_block(size):
    lag, rng = 3, np.random.default_rng(size)
    values = rng.normal(0, 10, (4, size)).astype(np.float32)
    known = np.zeros(size)
    known[lag:] = np.mean(values[:, lag:] - values[:, :-lag] >= 5.0, axis=0)
    np.testing.assert_array_equal(rising_share_1d(values, lag, 5.0), known)


@given(
    TRACES, st.integers(1, 9), st.integers(0, 5), st.integers(1, 12), st.sampled_from([0.3, 0.5, 1])
)
def test_below_habit_agrees_with_the_twin(trace, length, gap, stride, share):
    for least in (-2.0, 1.0):
        seen = below_habit_1d(trace, length, gap, stride, share, least)
        known = naive.below_habit(trace, length, gap, stride, share, least)
        np.testing.assert_array_equal(seen, known)


def test_the_falls_of_a_long_trace_agree_with_numpy():
    rng = np.random.default_rng(2)
    trace = rng.normal(50, 8, 3000).round(1) * (rng.random(3000) > 0.1)
    seen = below_habit_1d(trace, 60, 20, 5, 0.6, 20.0)
    known = np.zeros(3000, bool)
    for k in range(80, 3000, 5):
        known[k : k + 5] = trace[k : k + 5] < 0.6 * np.median(trace[k - 80 : k - 20])
    assert 100 < known.sum() < 1000
    np.testing.assert_array_equal(seen, known)


@given(fields(rows=(0, 5), columns=(0, 12)))
def test_row_medians_agree_with_the_twin(values):
    np.testing.assert_array_equal(row_medians_1d(values), naive.row_medians(values))


@given(npst.arrays(np.float32, (3, 9), elements=st.floats(width=32, allow_nan=False)))
def test_row_medians_of_any_number_agree_with_numpy(values):
    with np.errstate(all="ignore"):
        known = np.median(values.astype(np.float64), axis=1)
    np.testing.assert_array_equal(row_medians_1d(values), known)


@given(st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=30).map(np.array), st.data())
def test_prominence_agrees_with_the_twin(values, data):
    peak = data.draw(st.integers(0, values.size - 1))
    seen = prominences_1d(values, np.array([peak]))
    np.testing.assert_array_equal(seen, [naive.prominence(values.tolist(), peak)])


def test_a_steady_trace_is_left_by_the_least_fall_that_counts():
    trace = np.array([10.0] * 12 + [4.9, 5.0, 5.1])
    assert below_habit_1d(trace, 8, 4, 1, 0.5, 10.0).tolist() == [False] * 12 + [True] + [False] * 2
    assert not below_habit_1d(trace, 8, 4, 1, 0.5, 10.1).any()


def test_nothing_to_look_over():
    assert rising_share_1d(np.zeros((2, 3), np.float32), 5, 1.0).tolist() == [0, 0, 0]
    assert below_habit_1d(np.zeros(0), 3, 1, 1, 0.5, 1.0).size == 0
    assert np.isnan(row_medians_1d(np.full((2, 4), np.nan, np.float32))).all()
    assert prominences_1d(np.zeros(3), np.empty(0, np.int64)).size == 0
