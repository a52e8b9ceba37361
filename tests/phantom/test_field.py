"""The analytic field against closed forms and its own symmetries."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrm.errors import ParameterError
from tests.phantom.studies import LES_CM, UES_CM, drawn, plain_phantom, plain_wave


def test_pressure_is_depth_by_time():
    field = plain_phantom().pressure(np.arange(0, 10, 0.1), np.arange(10, 45, 0.5))
    assert field.shape == (70, 100)
    assert np.isfinite(field).all()


def test_time_must_not_decrease():
    with pytest.raises(ParameterError, match="increasing order"):
        plain_phantom().pressure([2.0, 1.0], [30.0])


def test_resting_sphincters_have_the_drawn_height():
    field = plain_phantom().pressure([30.0], [UES_CM, 30.0, LES_CM])
    np.testing.assert_allclose(field[:, 0], [60.0, 0.0, 30.0], atol=0.05)


def test_breathing_turns_round_at_the_diaphragm():
    phantom = plain_phantom(breathing=True)
    t = np.arange(0, 40, 0.02)
    breath = phantom.breathing.inspiration(t)
    deep, shallow = t[breath.argmax()], t[breath.argmin()]
    swing = np.subtract(*(phantom.pressure([at], [33.0, 50.0])[:, 0] for at in (deep, shallow)))
    np.testing.assert_allclose(swing, [-5.0, 3.0], atol=0.05)


def test_front_runs_at_the_drawn_speeds():
    wave = plain_wave()
    times = wave.front(np.array([30.0, 34.0, 39.0, 40.0]))
    assert times[1] - times[0] == pytest.approx(1.0, abs=0.01)
    assert times[3] - times[2] == pytest.approx(1.0, abs=0.01)


def test_peak_of_the_contraction_has_the_drawn_height():
    field = plain_phantom().pressure(np.arange(60, 75, 0.02), [33.0, 36.0])
    np.testing.assert_allclose(field.max(axis=1), 100.0, atol=0.5)


def test_ues_opens_at_the_onset_and_the_pharynx_follows_in_order():
    phantom = plain_phantom()
    t = np.arange(59, 63, 0.01)
    ues, *pharynx = phantom.pressure(t, [UES_CM, 15.0, 16.0, 17.0])
    assert ues[np.searchsorted(t, 60.35)] < 5.0
    assert ues[np.searchsorted(t, 59.8)] > 50.0
    peaks = [t[row.argmax()] for row in pharynx]
    np.testing.assert_allclose(np.diff(peaks), 1 / 12, atol=0.011)


def test_upright_tone_takes_over():
    phantom = plain_phantom()
    upright = replace(phantom.upright, gastric=4.0)
    phantom = replace(phantom, upright=upright, upright_s=30.0)
    np.testing.assert_allclose(phantom.pressure([5.0, 50.0], [52.0])[0], [0.0, 4.0], atol=0.01)


@settings(max_examples=20, deadline=None)
@given(
    start=st.floats(0, 500),
    depth=st.floats(5, 55),
    seed=st.sampled_from([0, 1]),
    split=st.integers(1, 199),
)
def test_pieces_of_the_field_equal_the_whole(start, depth, seed, split):
    phantom = drawn("normal", seed)
    t = start + np.arange(200) * 0.05
    z = depth + np.array([0.0, 0.4, 3.0])
    whole = phantom.pressure(t, z)
    parts = [phantom.pressure(t[:split], z), phantom.pressure(t[split:], z)]
    np.testing.assert_allclose(np.hstack(parts), whole, atol=2e-3)
    np.testing.assert_allclose(phantom.pressure(t, z[1:2]), whole[1:2], atol=2e-3)


@settings(max_examples=20, deadline=None)
@given(start=st.floats(0, 450), depth=st.floats(10, 50))
def test_field_is_smooth(start, depth):
    phantom = drawn("hypercontractile", 0)
    z = depth + np.arange(0, 1, 0.01)
    field = phantom.pressure(start + np.arange(0, 5, 0.01), z)
    assert np.abs(np.diff(field, axis=1)).max() < 0.012 * 1500
    assert np.abs(np.diff(field, axis=0)).max() < 0.01 * 1000
    assert field.min() > -25.0
    assert field.max() < 900.0
