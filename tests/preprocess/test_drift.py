"""Drift: a correction is what its definition says, and can be taken back bit by bit."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from hrm.catalog import default_parameters
from hrm.errors import ParameterError
from hrm.preprocess import Offsets, correct_drift, estimate_drift, restore_drift
from hrm.preprocess.drift import chosen_mode, offsets_of
from tests.preprocess.recordings import PARAMETERS, RATE, resting, wrap

LINEAR = Offsets(np.array([10.0, -4.0]), 20.0, np.array([2.0, 0.0]), 10.0)


def naive(values, time, offsets, mode):
    """By the words of SPEC 1.1, sample by sample."""
    out = np.empty_like(values, dtype=float)
    for i in range(values.shape[0]):
        for j, t in enumerate(time):
            b = offsets.end_mmhg[i]
            if mode == "offset":
                out[i, j] = values[i, j] - b
                continue
            a = offsets.start_mmhg[i]
            within = min(max(t, offsets.start_s), offsets.end_s)
            share = (within - offsets.start_s) / (offsets.end_s - offsets.start_s)
            out[i, j] = values[i, j] - (a + (b - a) * share)
    return out


@pytest.mark.parametrize("mode", ["offset", "linear"])
def test_a_correction_is_the_definition(mode):
    pressure = wrap(np.random.default_rng(1).normal(20.0, 30.0, (2, 600)))
    time = pressure["time"].values
    found = correct_drift(pressure, LINEAR, mode=mode)
    wanted = naive(pressure.values.astype(float), time, LINEAR, mode)
    np.testing.assert_allclose(found.values, wanted, atol=1e-9)


def test_the_line_is_level_outside_of_its_ends():
    found = correct_drift(wrap(np.zeros((2, 600))), LINEAR, mode="linear")
    assert found.values[:, 0] == pytest.approx([-2.0, 0.0])
    assert found.values[:, round(15 * RATE)] == pytest.approx([-6.0, 2.0])
    assert found.values[:, -1] == pytest.approx([-10.0, 4.0])


finite = st.floats(-300.0, 300.0)


@given(
    st.lists(st.floats(-500.0, 500.0, width=32), min_size=4, max_size=20),
    finite,
    finite,
    st.sampled_from(["none", "offset", "linear"]),
)
def test_a_correction_can_be_taken_back_exactly(samples, start, end, mode):
    pressure = wrap(np.array([samples, samples[::-1]]))
    offsets = Offsets(np.array([end, 1 / 3]), 0.11, np.array([start, -1e-3]), -0.07)
    again = restore_drift(correct_drift(pressure, offsets, mode=mode), offsets, mode=mode)
    assert again.dtype == np.float32
    tiny = np.abs(pressure.values) < 1e-6
    assert (again.values[~tiny] == pressure.values[~tiny]).all()
    np.testing.assert_allclose(again.values[tiny], pressure.values[tiny], rtol=0, atol=1e-12)


def test_the_recording_is_not_changed():
    pressure = wrap(np.ones((2, 40)))
    correct_drift(pressure, LINEAR, mode="offset")
    assert (pressure.values == 1.0).all()


@pytest.mark.parametrize(
    ("offsets", "compensation", "wanted"),
    [
        (None, "not_applied", "none"),
        (LINEAR, "not_applied", "linear"),
        (LINEAR, "unknown", "linear"),
        (LINEAR, "applied", "none"),
        (Offsets(np.ones(2), 5.0), "not_applied", "none"),
    ],
)
def test_what_happens_without_being_asked(offsets, compensation, wanted):
    assert chosen_mode(offsets, compensation, PARAMETERS) == wanted


@pytest.mark.parametrize(
    ("mode", "offsets", "said"),
    [
        ("offset", None, "no measured offsets"),
        ("linear", None, "no measured offsets"),
        ("linear", Offsets(np.ones(2), 5.0), "start are missing"),
    ],
)
def test_a_mode_without_its_offsets_is_refused(mode, offsets, said):
    with pytest.raises(ParameterError, match=said):
        chosen_mode(offsets, "unknown", default_parameters().replace({"drift.mode": mode}))


def test_a_mode_that_was_asked_for_is_taken():
    for mode in ("none", "offset", "linear"):
        rules = default_parameters().replace({"drift.mode": mode})
        assert chosen_mode(LINEAR, "applied", rules) == mode


def test_wrong_use_is_refused():
    with pytest.raises(ParameterError, match="2 drift offsets for 3 sensors"):
        correct_drift(wrap(np.ones((3, 40))), LINEAR, mode="offset")
    with pytest.raises(ParameterError, match="must be one of"):
        LINEAR.at(np.zeros(3), "vendor")
    with pytest.raises(ParameterError, match="both ends"):
        Offsets(np.ones(2), 5.0).at(np.zeros(3), "linear")


def node(**ends):
    return xr.Dataset({name: (dims, values, attrs) for name, (dims, values, attrs) in ends.items()})


def test_offsets_are_read_from_the_study():
    end = ("sensor", [1.0, 2.0], {"units": "mmHg", "time_s": 60.0})
    start = ("sensor", [0.5, 0.0], {"units": "mmHg", "time_s": 0.0})
    assert offsets_of(node()) is None
    assert offsets_of(node(offset_end_mmhg=end)).start_mmhg is None
    both = offsets_of(node(offset_end_mmhg=end, offset_start_mmhg=start))
    assert (both.start_s, both.end_s) == (0.0, 60.0)
    assert both.end_mmhg.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("end", "start", "said"),
    [
        (("sensor", [1.0, np.nan], {"time_s": 60.0}), None, "not a number"),
        (("sensor", [1.0, 2.0], {}), None, "time_s"),
        (("sensor", [1.0, 2.0], {"time_s": 6.0, "units": "kPa"}), None, "mmHg"),
        (("other", [1.0, 2.0], {"time_s": 6.0}), None, "dims"),
        (
            ("sensor", [1.0, 2.0], {"time_s": 6.0}),
            ("sensor", [1.0, 2.0], {"time_s": 6.0}),
            "must be later",
        ),
    ],
)
def test_offsets_that_cannot_be_used_are_refused(end, start, said):
    given_ends = {"offset_end_mmhg": end} | ({"offset_start_mmhg": start} if start else {})
    with pytest.raises(ParameterError, match=said):
        offsets_of(node(**given_ends))


def test_an_estimate_is_the_change_at_rest():
    values = resting(duration=400.0)
    ramp = np.linspace(0.0, 20.0, values.shape[1])
    values[4] += ramp
    found = estimate_drift(wrap(values), PARAMETERS)
    # From the middle of the first fifth to the middle of the last.
    assert found[4] == pytest.approx(16.0, abs=1.0)
    assert np.abs(np.delete(found, 4)).max() < 1.0


def test_a_short_recording_has_no_estimate():
    assert np.isnan(estimate_drift(wrap(resting(duration=100.0)), PARAMETERS)).all()
