"""Runs, regions and axial statistics against their twins and scipy."""

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from hrm.kernels.contour import (
    axial_sd_1d,
    axial_share_1d,
    peak_run_2d,
    pressed_ahead_1d,
    reached_2d,
)
from tests.kernels.strategies import fields
from tests.naive import kernels as naive

# Few levels: equal pressures, and pressures equal to the level, come up often.
STEPS = st.sampled_from([0.0, 10.0, 20.0, 30.0, 40.0, float("nan")])
# Exact in float32: compiled code compares in float64, NumPy scalars in float32.
LEVELS = st.floats(-20, 200, width=32)
MASKS = st.tuples(st.integers(0, 6), st.integers(0, 7)).flatmap(
    lambda shape: npst.arrays(np.bool_, shape)
)


def same_runs(field, level, shortest):
    seen = peak_run_2d(field, level, shortest)
    for one, other in zip(seen, naive.peak_run(field, level, shortest), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5, equal_nan=True)


@given(field=fields(), level=LEVELS, shortest=st.integers(1, 4))
def test_runs_agree_with_the_twin(field, level, shortest):
    same_runs(field, level, shortest)


@given(field=fields(STEPS), level=st.sampled_from([10.0, 20.0, 30.0]), shortest=st.integers(1, 4))
def test_runs_agree_with_the_twin_on_equal_pressures(field, level, shortest):
    same_runs(field, level, shortest)


@pytest.mark.parametrize("size", [63, 64, 65, 130, 200])
def test_long_rows_agree_with_the_twin(size):
    # Maxima are taken 64 samples at a time, and the rest one by one.
    rng = np.random.default_rng(size)
    field = rng.choice(np.array([0, 10, 40, 50, 50, np.nan], np.float32), (40, size))
    field[0], field[1, : size - 1], field[2, 1:] = np.nan, np.nan, np.nan
    same_runs(field, 40.0, 2)


def test_the_start_of_a_run_lies_between_samples():
    start, peak, stop = peak_run_2d(np.array([[0, 20, 60, 10]], np.float32), 30.0, 1)
    assert (start[0], peak[0], stop[0]) == (1.25, 2, 3)


def test_only_the_run_with_the_peak_counts():
    row = np.array([[50, 50, 0, 0, 90, 90, 0, 70]], np.float32)
    start, peak, stop = peak_run_2d(row, 30.0, 2)
    assert (start[0], peak[0], stop[0]) == (pytest.approx(3 + 1 / 3), 4, 6)


def test_a_run_at_the_edges_and_beside_a_gap():
    field = np.array([[40, 50, 0], [0, 50, 40], [np.nan, 50, 40]], np.float32)
    start, _, stop = peak_run_2d(field, 30.0, 2)
    np.testing.assert_allclose(start, [0.0, 0.6, 1.0])
    assert stop.tolist() == [2, 3, 3]


def test_exactly_the_level_is_inside_and_exactly_the_shortest_run_counts():
    row = np.array([[0, 30, 30, 0]], np.float32)
    assert peak_run_2d(row, 30.0, 2)[0][0] == 1.0
    assert np.isnan(peak_run_2d(row, 30.0, 3)[0][0])
    assert np.isnan(peak_run_2d(row, 30.001, 1)[0][0])


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 4), (3, 0)])
def test_empty_fields(n, m):
    field = np.empty((n, m), np.float32)
    start, peak, stop = peak_run_2d(field, 30.0, 1)
    assert start.shape == peak.shape == stop.shape == (n,)
    assert np.isnan(start).all()
    assert (peak == -1).all()
    assert reached(np.zeros((n, m), np.bool_), []).shape == (n, m)
    assert axial_share_1d(field, 30.0).shape == axial_sd_1d(field).shape == (m,)
    assert np.isnan(axial_share_1d(field, 30.0)).all()
    assert np.isnan(axial_sd_1d(field)).all()


def test_all_missing():
    field = np.full((3, 4), np.nan, np.float32)
    start, peak, stop = peak_run_2d(field, 30.0, 1)
    assert np.isnan(start).all()
    assert peak.tolist() == stop.tolist() == [-1, -1, -1]
    assert np.isnan(axial_share_1d(field, 30.0)).all()
    assert np.isnan(axial_sd_1d(field)).all()


def test_one_sample_and_constant():
    one = np.array([[35.0]], np.float32)
    assert [part[0] for part in peak_run_2d(one, 30.0, 1)] == [0.0, 0, 1]
    assert axial_share_1d(one, 35.0).tolist() == [1.0]
    assert axial_sd_1d(one).tolist() == [0.0]
    flat = np.full((4, 5), 12.5, np.float32)
    assert axial_sd_1d(flat).tolist() == [0.0] * 5
    assert axial_share_1d(flat, 12.5).tolist() == [1.0] * 5
    assert reached(flat > 0, [(2, 3)]).all()


def reached(mask, places):
    rows, columns = np.array(places, dtype=np.int64).reshape(-1, 2).T
    return reached_2d(mask, rows, columns)


@given(mask=MASKS, data=st.data())
def test_what_is_reached_agrees_with_the_twin_and_scipy(mask, data):
    inside = st.tuples(*(st.integers(0, size - 1) for size in mask.shape))
    places = data.draw(st.lists(inside, max_size=4)) if mask.size else []
    seen = reached(mask, places)
    rows, columns = [i for i, _ in places], [k for _, k in places]
    np.testing.assert_array_equal(seen, naive.reached(mask, rows, columns))
    labels = scipy.ndimage.label(mask)[0]
    np.testing.assert_array_equal(seen, mask & np.isin(labels, labels[rows, columns]))
    assert seen.dtype == np.bool_


def test_diagonal_neighbors_are_not_connected_but_a_winding_region_is_one():
    corners = reached(np.eye(3, dtype=np.bool_), [(1, 1)])
    np.testing.assert_array_equal(corners, np.diag([False, True, False]))
    spiral = np.array(
        [[1, 1, 1, 1, 1], [0, 0, 0, 0, 1], [1, 1, 1, 0, 1], [1, 0, 0, 0, 1], [1, 1, 1, 1, 1]],
        np.bool_,
    )
    np.testing.assert_array_equal(reached(spiral, [(2, 2)]), spiral)
    assert not reached(spiral, [(1, 0)]).any()


def test_a_large_region_fits_its_stack():
    mask = np.ones((60, 70), np.bool_)
    mask[::2, 1::2] = False
    labels = scipy.ndimage.label(mask)[0]
    np.testing.assert_array_equal(reached(mask, [(1, 0)]), labels == labels[1, 0])


@given(field=fields(), level=LEVELS)
def test_axial_share_agrees_with_the_twin(field, level):
    np.testing.assert_allclose(axial_share_1d(field, level), naive.axial_share(field, level))


@given(field=fields(STEPS), level=st.sampled_from([10.0, 20.0, 30.0]))
def test_axial_share_counts_the_level_itself(field, level):
    np.testing.assert_allclose(axial_share_1d(field, level), naive.axial_share(field, level))


@given(field=fields())
def test_axial_sd_agrees_with_the_twin(field):
    np.testing.assert_allclose(axial_sd_1d(field), naive.axial_sd(field), rtol=1e-9, atol=2e-5)


@given(field=fields(STEPS), data=st.data())
def test_what_is_pressed_ahead_of_a_front_agrees_with_the_twin(field, data):
    n, m = field.shape
    stop = np.array(data.draw(st.lists(st.integers(-1, m), min_size=n, max_size=n)), np.int64)
    seen = pressed_ahead_1d(field, stop, 20.0)
    for one, other in zip(seen, naive.pressed_ahead(field, stop, 20.0), strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


def test_ahead_of_a_front_that_runs_down():
    field = np.array([[50, 0, 50], [10, 20, 50], [30, 30, 30], [99, 99, 99]], np.float32)
    ahead, pressed, passed = pressed_ahead_1d(field, np.array([1, 2, 3, -1]), 20.0)
    assert ahead.tolist() == [3, 2, 1]
    assert pressed.tolist() == [2, 2, 1]
    assert passed.tolist() == [False, True, True]
