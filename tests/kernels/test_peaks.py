"""Counting peaks along time, against the twin and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from hrm.kernels.peaks import count_peaks_2d
from tests.naive import body as naive

WAVES = npst.arrays(np.float32, st.integers(1, 40), elements=st.integers(0, 60).map(float))


@given(WAVES, st.integers(1, 8))
def test_agrees_with_the_twin(values, spacing):
    seen = count_peaks_2d(values[None, :], 10.0, 20.0, spacing)
    known = naive.peaks_of_level(values, 1.0, prominence=10.0, spacing=float(spacing), least=20.0)
    assert seen[0] == known


@pytest.mark.parametrize(
    ("values", "known"),
    [
        ([0, 30, 0, 30, 0], 2),
        ([0, 30, 25, 30, 0], 1),  # the dip is less than the prominence
        ([0, 15, 0], 0),  # below the level
        ([30, 0, 30], 0),  # an end has no rise, or no fall
        ([0, 30], 0),
        ([30], 0),
    ],
)
def test_by_hand(values, known):
    field = np.array([values, values], np.float32)
    assert count_peaks_2d(field, 10.0, 20.0, 1).tolist() == [known, known]


def test_peaks_that_are_too_near_count_once():
    field = np.array([[0, 30, 0, 30, 0, 30, 0]], np.float32)
    assert [int(count_peaks_2d(field, 10.0, 20.0, n)[0]) for n in (2, 3, 4, 5)] == [3, 2, 2, 1]
