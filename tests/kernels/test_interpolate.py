"""Interpolation along depth against the textbook, scipy and hand-made cases."""

import numpy as np
import pytest
from hypothesis import given
from scipy.interpolate import CubicSpline, PchipInterpolator

from hrm.kernels.interpolate import _BLOCK, depth_grid, interpolate_2d
from tests.kernels.strategies import PRESSURES, sensors
from tests.naive import kernels as naive

TWINS = {"linear": naive.linear, "pchip": naive.pchip, "cubic": naive.natural_spline}
NAMES = list(TWINS)


def close(seen, known):
    scale = max(1.0, float(np.nanmax(np.abs(known), initial=0.0)))
    np.testing.assert_allclose(seen, known, rtol=1e-5, atol=3e-6 * scale, equal_nan=True)


@pytest.mark.parametrize("name", NAMES)
@given(case=sensors(PRESSURES))
def test_agrees_with_the_textbook(name, case):
    values, depth, grid = case
    close(interpolate_2d(values, depth, grid, name), TWINS[name](values, depth, grid))


@pytest.mark.parametrize("name", ["linear", "pchip"])
@given(case=sensors())
def test_a_missing_sensor_spoils_what_needs_it(name, case):
    values, depth, grid = case
    close(interpolate_2d(values, depth, grid, name), TWINS[name](values, depth, grid))


@given(case=sensors())
def test_a_spline_through_a_missing_sensor_is_missing_between_all_sensors(case):
    values, depth, grid = case
    seen = interpolate_2d(values, depth, grid, "cubic")[~np.isin(grid, depth)]
    if depth.size > 2:
        assert np.isnan(seen[:, np.isnan(values).any(axis=0)]).all()


@given(case=sensors(PRESSURES))
def test_pchip_agrees_with_scipy(case):
    values, depth, grid = case
    known = PchipInterpolator(depth, values.astype(float), axis=0, extrapolate=False)(grid)
    close(interpolate_2d(values, depth, grid, "pchip"), known)


@pytest.mark.parametrize("column", [[0, 1, -30, -31], [5, 5, 80, 0], [0, 60, 61, 0], [9, 4, 4, 50]])
@pytest.mark.parametrize("depth", [[0.0, 1.0, 2.0, 3.0], [0.0, 3.0, 3.5, 9.0]])
def test_limited_slopes_at_the_ends_agree_with_scipy(column, depth):
    depth, values = np.array(depth), np.array(column, float)[:, None]
    grid = depth_grid(depth, 0.1)
    close(interpolate_2d(values, depth, grid, "pchip"), PchipInterpolator(depth, values)(grid))


@given(case=sensors(PRESSURES))
def test_cubic_agrees_with_scipy(case):
    values, depth, grid = case
    spline = CubicSpline(depth, values.astype(float), axis=0, bc_type="natural", extrapolate=False)
    close(interpolate_2d(values, depth, grid, "cubic"), spline(grid))


@pytest.mark.parametrize("name", NAMES)
@given(case=sensors(PRESSURES))
def test_sensors_keep_their_values_and_nothing_is_extrapolated(name, case):
    values, depth, grid = case
    seen = interpolate_2d(values, depth, grid, name)
    rows = np.searchsorted(grid, depth)
    np.testing.assert_allclose(seen[rows], values, rtol=1e-5, atol=2e-3)
    assert np.isnan(seen[(grid < depth[0]) | (grid > depth[-1])]).all()


@pytest.mark.parametrize("name", ["linear", "pchip"])
@given(case=sensors(PRESSURES))
def test_no_overshoot(name, case):
    values, depth, grid = case
    seen = interpolate_2d(values, depth, grid, name)[1:-1]
    if values.shape[1]:
        assert (seen <= values.max(axis=0) + 1e-3).all()
        assert (seen >= values.min(axis=0) - 1e-3).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_long_recording_is_that_of_its_parts(name):
    # Done in blocks; nothing may show where one ends.
    rng = np.random.default_rng(4)
    values = rng.normal(20, 30, (4, _BLOCK + 9)).astype(np.float32)
    depth = np.array([0.0, 1.0, 1.5, 4.0])
    grid = depth_grid(depth, 0.5)
    whole = interpolate_2d(values, depth, grid, name)
    for columns in (slice(0, 5), slice(_BLOCK - 3, _BLOCK + 3), slice(_BLOCK + 4, None)):
        part = interpolate_2d(values[:, columns], depth, grid, name)
        np.testing.assert_array_equal(whole[:, columns], part)


@pytest.mark.parametrize("name", NAMES)
def test_an_array_that_is_given_is_filled(name):
    values, depth = np.arange(12.0).reshape(3, 4), np.arange(3.0)
    out = np.full((2, 4), 7.0, np.float32)
    assert interpolate_2d(values, depth, np.array([0.5, 9.0]), name, out) is out
    np.testing.assert_allclose(out[0], values[:2].mean(axis=0), atol=1e-5)
    assert np.isnan(out[1]).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_straight_line_stays_straight(name):
    depth = np.array([0.0, 1.0, 4.0, 4.5, 9.0])
    grid = depth_grid(depth, 0.1)
    seen = interpolate_2d((3 * depth[:, None] - 7), depth, grid, name)
    np.testing.assert_allclose(seen[:, 0], 3 * grid - 7, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_all_missing(name):
    seen = interpolate_2d(np.full((5, 3), np.nan), np.arange(5.0), np.array([0.0, 1.5]), name)
    assert np.isnan(seen).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pressure", [-7.5, 0.0, 33.0])
def test_constant(name, pressure):
    depth = np.array([0.0, 2.0, 3.0, 7.0])
    seen = interpolate_2d(np.full((4, 2), pressure), depth, depth_grid(depth, 0.1), name)
    np.testing.assert_allclose(seen, pressure, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n_sensors", [2, 3])
def test_few_sensors(name, n_sensors):
    depth = np.arange(n_sensors, dtype=float)
    seen = interpolate_2d(10 * depth[:, None], depth, np.array([0.0, 0.25, 1.0]), name)
    np.testing.assert_allclose(seen[:, 0], [0.0, 2.5, 10.0], atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_one_sensor_is_known_at_its_own_place_only(name):
    seen = interpolate_2d(np.array([[5.0, 6.0]]), np.array([3.0]), np.array([2.9, 3.0, 3.1]), name)
    np.testing.assert_array_equal(seen, [[np.nan, np.nan], [5.0, 6.0], [np.nan, np.nan]])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("n_grid", "n_time"), [(0, 3), (4, 0), (0, 0)])
def test_empty(name, n_grid, n_time):
    grid = np.linspace(0, 2, n_grid)
    seen = interpolate_2d(np.zeros((3, n_time)), np.arange(3.0), grid, name)
    assert seen.shape == (n_grid, n_time)
    assert seen.dtype == np.float32


@pytest.mark.parametrize(
    ("depth", "step", "known"),
    [
        ([0.0, 1.0], 0.1, np.arange(11) / 10),
        ([2.0, 3.05], 0.5, [2.0, 2.5, 3.0]),
        ([-0.3, 0.0], 0.1, [-0.3, -0.2, -0.1, 0.0]),
        ([0.0, 0.04], 0.1, [0.0]),
    ],
)
def test_the_grid_starts_and_ends_at_the_sensors(depth, step, known):
    np.testing.assert_allclose(depth_grid(np.array(depth), step), known, atol=1e-12)
