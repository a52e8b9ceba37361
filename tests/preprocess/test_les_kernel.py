"""The field of a window: one kernel for the body, another from the LES downwards."""

import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline, PchipInterpolator

from hrm.catalog import default_parameters
from hrm.preprocess.grid import window_field

RULES = default_parameters()
SAMPLES = 8
#: Sensors need not be even; the grid begins at the first of them.
DEPTH = np.array([0.0, 1.0, 2.1, 3.0, 4.5, 5.5, 6.4, 8.0, 9.0, 10.3, 11.0])


def recorded(values, depth=DEPTH):
    time = np.arange(values.shape[1]) / 20.0
    return xr.DataArray(
        values.astype(np.float32),
        dims=("sensor", "time"),
        coords={"depth": ("sensor", depth), "time": time},
    )


def pressures(seed=0):
    return np.random.default_rng(seed).uniform(-5, 60, (DEPTH.size, SAMPLES))


def field_of(values, les, *, lost=(), rules=RULES):
    usable = ~np.isin(np.arange(DEPTH.size), lost)
    return window_field(recorded(values), usable, 0.0, 1.0, rules, les_upper_cm=les)


def twin(values, grid, les, sides):
    """By SciPy, sample by sample; `sides` are the runs of sensors between gaps."""
    values = values.astype(np.float32).astype(float)
    above = PchipInterpolator(DEPTH, values, extrapolate=False)(grid)
    border = max(place for place in DEPTH if place <= les)
    out = np.where(grid[:, None] < border - 1e-9, above, math.nan)
    for side in sides:
        spline = CubicSpline(DEPTH[side], values[side], bc_type="natural")
        inside = (grid >= max(border, DEPTH[side[0]])) & (grid <= DEPTH[side[-1]])
        out[inside] = spline(grid[inside])
    return out


@given(seed=st.integers(0, 2**31), les=st.floats(0.01, 12.0))
def test_the_kernel_changes_at_the_last_sensor_above_the_les(seed, les):
    values = pressures(seed)
    field = field_of(values, les)
    known = twin(values, field["depth"].values, les, [np.arange(DEPTH.size)])
    np.testing.assert_allclose(field.values, known, rtol=2e-5, atol=2e-4)


@pytest.mark.parametrize("les", [math.nan, 0.0, -3.0])
def test_without_an_les_all_is_of_one_kernel(les):
    values = pressures()
    whole = window_field(recorded(values), np.ones(DEPTH.size, bool), 0.0, 1.0, RULES)
    np.testing.assert_array_equal(field_of(values, les).values, whole.values)


def test_both_kernels_pass_through_the_sensor_between_them():
    values = pressures(4)
    field = field_of(values, 6.0)
    at = int(np.argmin(np.abs(field["depth"].values - 5.5)))
    np.testing.assert_allclose(field.values[at], values[5], rtol=1e-5, atol=1e-4)
    # From 5.5 cm on a peak may exceed its sensors, above it never does.
    grid, high = field["depth"].values, np.maximum(values[:-1], values[1:])
    for k, row in enumerate(field.values):
        if grid[k] < 5.5 - 1e-9:
            i = int(np.searchsorted(DEPTH, grid[k] + 1e-9)) - 1
            assert (row <= high[i] + 1e-3).all()


def test_a_gap_spoils_only_itself():
    values = pressures(2)
    field = field_of(values, 4.9, lost=(8, 9))
    grid = field["depth"].values
    known = twin(values, grid, 4.9, [np.arange(8)])
    before = grid <= DEPTH[7]
    np.testing.assert_allclose(field.values[before], known[before], rtol=2e-5, atol=2e-4)
    assert np.isnan(field.values[(grid > DEPTH[7] + 1e-9) & (grid < DEPTH[10] - 1e-9)]).all()


def test_where_nothing_can_be_used_nothing_is_given():
    assert np.isnan(field_of(pressures(), 5.0, lost=range(DEPTH.size)).values).all()


def test_the_peak_of_a_narrow_sphincter_between_two_sensors():
    """A bell of 30 mmHg, 1.2 cm wide, between sensors 1 cm apart: SPEC section 1.4."""
    depth = np.arange(12.0)
    bell = 30.0 * np.exp(-0.5 * ((depth - 6.5) / 1.2) ** 2)
    made = recorded(np.repeat(bell[:, None], SAMPLES, axis=1), depth)
    peaks = {
        kernel: window_field(
            made,
            np.ones(12, bool),
            0.0,
            1.0,
            RULES.replace({"interpolation.les_kernel": kernel}),
            les_upper_cm=4.0,
        ).values.max()
        for kernel in ("pchip", "cubic")
    }
    assert peaks["pchip"] == pytest.approx(30.0 * math.exp(-0.5 * (0.5 / 1.2) ** 2), rel=1e-5)
    assert 29.4 <= peaks["cubic"] <= 30.0
