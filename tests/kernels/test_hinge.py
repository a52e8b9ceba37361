"""Two lines that meet and lines through pairs, against least squares of NumPy and closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm.kernels.hinge import hinge_fits_1d, pair_slopes_1d
from tests.naive import kernels as naive


@given(seed=st.integers(0, 2**31), size=st.integers(6, 60), offset=st.floats(-500, 500))
def test_the_fit_agrees_with_the_twin(seed, size, offset):
    rng = np.random.default_rng(seed)
    x = offset + np.cumsum(rng.uniform(0.05, 0.5, size))
    y = 3.0 + 0.3 * x + rng.uniform(0, 2) * np.maximum(x - x[size // 2], 0) + rng.normal(size=size)
    knots = x[2:-2]
    errors, fits = hinge_fits_1d(x, y, knots)
    for k, knot in enumerate(knots):
        error, fit = naive.hinge_fit(x, y, knot)
        assert errors[k] == pytest.approx(error, rel=1e-8)
        # The intercept lies far outside the points: what counts is the line at them.
        seen = fits[k, 0] + fits[k, 1] * x + fits[k, 2] * np.maximum(x - knot, 0.0)
        known = fit[0] + fit[1] * x + fit[2] * np.maximum(x - knot, 0.0)
        np.testing.assert_allclose(seen, known, rtol=1e-8, atol=1e-7)


def test_a_bend_is_found_exactly():
    x = np.arange(12.0)
    y = 2.0 + 0.25 * x + 1.5 * np.maximum(x - 7.0, 0.0)
    errors, fits = hinge_fits_1d(x, y, np.array([5.0, 7.0, 9.0]))
    assert int(np.argmin(errors)) == 1
    assert errors[1] == pytest.approx(0.0, abs=1e-20)
    np.testing.assert_allclose(fits[1], [2.0, 0.25, 1.5], rtol=1e-12)


@pytest.mark.parametrize(
    ("x", "knot"), [([1.0, 2.0, 3.0], 9.0), ([1.0, 2.0, 3.0], 0.0), ([2.0, 2.0], 2.0), ([], 1.0)]
)
def test_what_points_do_not_settle_is_not_fitted(x, knot):
    """All points on one side of the knot, or at one place, or none."""
    errors, fits = hinge_fits_1d(np.array(x), np.array(x), np.array([knot]))
    assert errors.tolist() == [np.inf]
    assert np.isnan(fits).all()


@given(seed=st.integers(0, 2**31), size=st.integers(0, 40))
def test_slopes_of_all_pairs_agree_with_numpy(seed, size):
    rng = np.random.default_rng(seed)
    x, y = np.cumsum(rng.uniform(0.1, 1, size)), rng.normal(size=size)
    above, below = np.triu_indices(size, 1)
    expected = (y[below] - y[above]) / (x[below] - x[above])
    np.testing.assert_array_equal(pair_slopes_1d(x, y), expected)


def test_slopes_of_a_line_are_all_the_same():
    x = np.array([0.0, 1.0, 4.0])
    assert pair_slopes_1d(x, 3.0 - 2.0 * x).tolist() == [-2.0, -2.0, -2.0]
