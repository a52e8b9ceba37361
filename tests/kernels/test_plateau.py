"""The plateau ahead of a front against its twin, bit by bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from hrm.kernels.plateau import median_1d, plateau_ahead_2d
from tests.kernels.strategies import PRESSURES, WITH_GAPS, fields
from tests.naive import plateau as naive

STEP_S = 0.02


@st.composite
def fronts(draw):
    """A field, its times and an arrival in, before, after or at no time of it."""
    field = draw(fields(rows=(1, 7), columns=(2, 40)))
    time = 3.0 + STEP_S * np.arange(field.shape[1])
    places = st.one_of(st.floats(2.9, 3.9), st.just(float("nan")), st.sampled_from(list(time)))
    arrival = draw(npst.arrays(np.float64, field.shape[0], elements=places))
    return field, time, arrival


@given(
    front=fronts(),
    length=st.floats(0.02, 0.8),
    below=st.integers(1, 4),
    halves=st.floats(0, 200, width=32),
)
def test_the_kernel_is_its_twin(front, length, below, halves):
    field, time, arrival = front
    seen = plateau_ahead_2d(field, time, arrival, length, below, halves)
    np.testing.assert_array_equal(
        seen, naive.plateau_ahead(field, time, arrival, length, below, halves)
    )


@given(npst.arrays(np.float32, st.integers(1, 30), elements=st.one_of(PRESSURES, WITH_GAPS)))
def test_a_median_is_that_of_numpy(values):
    known = float(np.median(values))
    np.testing.assert_array_equal(median_1d(values.copy()), known)


def test_a_median_of_nothing_is_not_a_number():
    assert np.isnan(median_1d(np.empty(0, np.float32)))


def test_a_plateau_is_read_and_a_rise_is_not():
    time = STEP_S * np.arange(100)
    flat, rising = np.full(100, 35.0), np.linspace(0.0, 99.0, 100)
    field = np.array([flat, flat, rising], np.float32)
    seen = plateau_ahead_2d(field, time, np.array([1.5, np.nan, 1.5]), 0.5, 1, 5.0)
    assert seen[0] == 35.0
    assert np.isnan(seen[1:]).all()


@pytest.mark.parametrize("below", [1, 5])
def test_a_plateau_reaches_below(below):
    time = STEP_S * np.arange(50)
    field = np.zeros((6, 50), np.float32)
    field[0] = 40.0
    seen = plateau_ahead_2d(field, time, np.array([0.8] + [np.nan] * 5), 0.5, below, 5.0)
    # Of two rows the median lies between both, of six it is that of the others.
    assert seen[0] == (20.0 if below == 1 else 0.0)


def test_the_lesser_median_counts():
    time = STEP_S * np.arange(50)
    field = np.full((3, 50), 40.0, np.float32)
    field[0], nowhere = 10.0, [np.nan] * 2
    assert plateau_ahead_2d(field, time, np.array([0.8, *nowhere]), 0.5, 2, 5.0)[0] == 10.0
