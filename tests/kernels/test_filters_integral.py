"""Smoothing and integration against their twins and closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from hrm.kernels.filters import smooth_2d
from hrm.kernels.integral import column_means_2d, excess_2d
from tests.kernels.strategies import fields
from tests.naive import kernels as naive

HALVES = st.lists(st.floats(0.015625, 1, width=32), min_size=1, max_size=12).map(np.array)


@given(values=fields(), half=HALVES)
def test_smoothing_agrees_with_the_twin(values, half):
    seen = smooth_2d(values, half)
    assert seen.dtype == np.float32
    np.testing.assert_allclose(seen, naive.smooth(values, half), rtol=1e-5, atol=1e-4)


@given(values=fields(), half=HALVES)
def test_smoothing_fills_no_gap_and_makes_none(values, half):
    np.testing.assert_array_equal(np.isnan(smooth_2d(values, half)), np.isnan(values))


def test_smoothing_keeps_a_constant_at_ends_and_gaps():
    values = np.full((2, 9), 7.0, np.float32)
    values[1, 4] = np.nan
    seen = smooth_2d(values, np.array([0.5, 0.3, 0.2]))
    np.testing.assert_allclose(seen[np.isfinite(seen)], 7.0, rtol=1e-6)


def test_smoothing_is_symmetric_and_sums_to_one():
    impulse = np.zeros((1, 9), np.float32)
    impulse[0, 4] = 1.0
    seen = smooth_2d(impulse, np.array([0.4, 0.2, 0.1]))[0]
    np.testing.assert_allclose(seen, [0, 0, 0.1, 0.2, 0.4, 0.2, 0.1, 0, 0], atol=1e-7)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (2, 0), (2, 1)])
def test_smoothing_of_almost_nothing(shape):
    values = np.full(shape, 3.0, np.float32)
    np.testing.assert_array_equal(smooth_2d(values, np.array([0.5, 0.25, 0.1])), values)


CASES = fields(columns=(0, 6)).flatmap(
    lambda field: st.tuples(st.just(field), npst.arrays(np.bool_, field.shape))
)


@given(case=CASES, threshold=st.floats(-20, 100))
def test_excess_agrees_with_the_twin(case, threshold):
    field, keep = case
    seen = excess_2d(field, keep, threshold, 0.1, 0.02)
    np.testing.assert_allclose(seen, naive.excess(field, keep, threshold, 0.1, 0.02), rtol=1e-9)


def test_excess_subtracts_the_threshold():
    field = np.full((101, 500), 50.0, np.float32)
    keep = np.ones(field.shape, np.bool_)
    assert excess_2d(field, keep, 20.0, 0.1, 0.01) == pytest.approx(1500.0)
    assert excess_2d(field, keep, 50.0, 0.1, 0.01) == 0.0


def test_excess_of_a_triangle_along_depth_is_exact():
    z = np.arange(0, 10.1, 0.1)
    field = (20 + 6 * np.minimum(z, 10 - z)).astype(np.float32)[:, None]
    seen = excess_2d(field, np.ones(field.shape, np.bool_), 20.0, 0.1, 1.0)
    assert seen == pytest.approx(6 * 25.0)


def test_sums_do_not_lose_small_terms():
    field = np.full((1001, 3000), 20.5, np.float32)
    seen = excess_2d(field, np.ones(field.shape, np.bool_), 20.0, 1.0, 1.0)
    assert seen == pytest.approx(0.5 * 1000 * 3000, rel=1e-12)


def test_a_missing_sample_shows_unless_it_does_not_count():
    field = np.full((3, 4), 30.0, np.float32)
    field[1, 2] = np.nan
    keep = np.ones(field.shape, np.bool_)
    assert math.isnan(excess_2d(field, keep, 20.0, 1.0, 1.0))
    keep[1, 2] = False
    assert excess_2d(field, keep, 20.0, 1.0, 1.0) == pytest.approx(70.0)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (1, 5)])
def test_no_extent_no_integral(shape):
    field = np.full(shape, 90.0, np.float32)
    assert excess_2d(field, np.ones(shape, np.bool_), 20.0, 0.1, 0.1) == 0.0


@given(field=fields(), data=st.data())
def test_means_of_columns_agree_with_the_twin(field, data):
    n, m = field.shape
    rows = st.lists(st.integers(0, n), min_size=m, max_size=m)
    first, stop = (np.array(data.draw(rows), dtype=np.int64) for _ in range(2))
    seen = column_means_2d(field, first, stop)
    np.testing.assert_allclose(seen, naive.column_means(field, first, stop), rtol=1e-12)


def test_means_of_columns_in_closed_form():
    field = np.array([[1, 2, np.nan], [3, 4, 5], [8, 6, 7]], np.float32)
    seen = column_means_2d(field, np.array([0, 2, 1]), np.array([3, 2, 3]))
    np.testing.assert_array_equal(seen, [4.0, np.nan, 6.0])
    assert np.isnan(column_means_2d(field, np.zeros(3, int), np.array([0, 0, 3]))).all()
