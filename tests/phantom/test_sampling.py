"""What `sample` does to the field appears as asked, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrm.catalog import catheters
from hrm.errors import ParameterError
from hrm.phantom import PHENOTYPES, default_offset, draw, sample, truth
from hrm.phantom.sampling import _marker_lead, sensor_depths
from hrm.schema import validate
from tests.phantom.studies import drawn, drawn_truth, plain_phantom

CATHETERS = ("manoscan-36", "diversatek-32", "CE4-0062")


def pressure(study):
    return study["pressure/pressure"].values


def clean(**options):
    return sample(plain_phantom(), sampling_rate=20.0, offset_cm=14.0, **options)


@pytest.mark.parametrize("catheter", CATHETERS)
def test_sample_is_the_field_at_the_sensors(catheter):
    phantom = drawn("normal", 0)
    study = sample(phantom, catheter=catheter, sampling_rate=20.0, offset_cm=13.3)
    validate(study)
    depths = np.array(catheters()[catheter].depths_cm)
    np.testing.assert_array_equal(study["pressure/depth"].values, depths)
    t = study["pressure/time"].values
    some = slice(1000, 1400)
    expected = phantom.pressure(t[some], 13.3 + depths)
    np.testing.assert_allclose(pressure(study)[:, some], expected, atol=2e-3)


def test_provenance_is_recorded():
    study = sample(drawn("normal", 0), sampling_rate=20.0)
    assert study.attrs["source_format"] == "phantom"
    assert study.attrs["system"] == "manoscan"
    assert study.attrs["catheter"] == "manoscan-36"
    assert study["pressure/depth"].attrs["depth_reference"] == "first_sensor"
    assert study.attrs["sampling_rate"] == 20.0


@settings(max_examples=15, deadline=None)
@given(offset=st.floats(8, 20), shift=st.integers(1, 5))
def test_moving_the_catheter_by_whole_sensors_moves_the_channels(offset, shift):
    phantom = plain_phantom()
    here, there = (
        pressure(sample(phantom, sampling_rate=10.0, offset_cm=offset + d, markers=False))
        for d in (0, shift)
    )
    np.testing.assert_allclose(here[shift:], there[:-shift], atol=5e-3)


@pytest.mark.parametrize("noise", [0.5, 3.0])
def test_noise_has_the_asked_spread_in_every_sample(noise):
    error = pressure(clean(noise_mmhg=noise, seed=5)) - pressure(clean())
    assert error.std() == pytest.approx(noise, rel=0.02)
    assert abs(error.mean()) < 0.02 * noise
    neighbors = np.corrcoef(error[:, :-1].ravel(), error[:, 1:].ravel())[0, 1]
    assert abs(neighbors) < 0.02
    assert abs(np.corrcoef(error[:-1].ravel(), error[1:].ravel())[0, 1]) < 0.02


def test_noise_follows_the_seed():
    first, again, other = (pressure(clean(noise_mmhg=1.0, seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1.0


def test_integer_rounds_the_noisy_pressure():
    values = pressure(clean(noise_mmhg=1.0, integer=True, seed=3))
    np.testing.assert_array_equal(values, np.rint(values))
    np.testing.assert_allclose(values, pressure(clean(noise_mmhg=1.0, seed=3)), atol=0.5001)


def test_drift_grows_to_the_asked_mean_and_is_largest_at_the_ues():
    drift = pressure(clean(drift_mmhg=8.0, seed=1)) - pressure(clean())
    assert np.abs(drift[:, 0]).max() < 0.01
    assert drift[:, -1].mean() == pytest.approx(8.0, abs=0.1)
    assert drift[:, -1].min() > 0.0
    ues = round(20.0 - 14.0)
    assert drift[ues, -1] > 1.3 * drift[:, -1].mean()
    assert clean(drift_mmhg=8.0).attrs["thermal_compensation"] == "not_applied"


def test_dead_sensors_give_a_constant_and_are_not_announced():
    study = clean(dead_sensors=(5, 20), noise_mmhg=1.0)
    spread = np.ptp(pressure(study), axis=1)
    assert set(np.flatnonzero(spread == 0.0)) == {5, 20}
    assert study["pressure/sensor_ok"].values.all()


def test_cough_is_short_high_and_simultaneous():
    burst = pressure(clean(cough_at_s=(30.0,))) - pressure(clean())
    t = clean()["pressure/time"].values
    assert (burst.max(axis=1) >= 30.0).mean() >= 0.8
    peaks = t[burst.argmax(axis=1)]
    assert np.ptp(peaks) <= 0.1
    high = t[(burst >= 15.0).any(axis=0)]
    assert 0.1 < high[-1] - high[0] < 1.0
    assert abs(high.mean() - 30.0) < 0.1


@pytest.mark.parametrize("catheter", CATHETERS)
def test_default_placement_is_a_physicians(catheter):
    depths, phases = sensor_depths(catheter), []
    for i, phenotype in enumerate(PHENOTYPES):
        phantom = draw(phenotype, seed=i, n_supine=1, n_upright=0)
        offset = default_offset(phantom, catheter)
        assert offset == default_offset(phantom, catheter)
        marks = truth(phantom, offset_cm=offset)["landmarks"]
        assert (depths < marks["ues_upper_cm"]).sum() >= 2
        assert (depths >= marks["les_lower_cm"] + 1.0).sum() >= 1
        inside = (depths >= marks["les_upper_cm"]) & (depths <= marks["les_lower_cm"])
        assert inside.sum() >= 3
        if catheter == "CE4-0062":
            assert 29.5 < marks["les_upper_cm"] < marks["les_lower_cm"] < 35.5
        phases.append(marks["les_upper_cm"] % 1.0)
    assert np.std(phases) > 0.1


def test_markers_lie_where_operators_press():
    normal = np.random.default_rng(0).standard_normal(20_000)
    leads = np.array([_marker_lead(float(value)) for value in normal])
    np.testing.assert_allclose(np.percentile(leads, [5, 50, 95]), [-0.74, 0.35, 4.0], atol=0.1)


def test_markers_are_events_and_some_are_missing():
    phantom, found = drawn("normal", 0), drawn_truth("normal", 0)
    onsets = np.array([row["onset_s"] for row in found["swallows"]])
    counts = []
    for seed in range(12):
        events = sample(phantom, sampling_rate=10.0, seed=seed)["events"].to_dataset()
        assert set(events["label"].values) == {"marker"}
        near = np.abs(events["onset"].values[:, None] - onsets).min(axis=1)
        assert near.max() < 10.0
        counts.append(events.sizes["event"])
    assert max(counts) <= onsets.size
    assert 0.8 < np.mean(counts) / onsets.size < 1.0
    assert sample(phantom, sampling_rate=10.0, markers=False)["events"].sizes["event"] == 0


def test_own_sensor_positions():
    study = clean(catheter=[0.0, 1.5, 4.0])
    np.testing.assert_array_equal(study["pressure/depth"].values, [0.0, 1.5, 4.0])
    assert study.attrs["catheter"] == "unknown"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"catheter": "CE4-1083"}, "unknown catheter"),
        ({"catheter": [3.0, 1.0]}, "increasing downwards"),
        ({"noise_mmhg": -1.0}, "noise_mmhg"),
        ({"drift_mmhg": float("nan")}, "drift_mmhg"),
        ({"dead_sensors": (40,)}, "dead_sensors"),
    ],
)
def test_arguments_that_cannot_be_used(wrong, message):
    with pytest.raises(ParameterError, match=message):
        clean(**wrong)


def test_sampling_rate_must_be_positive():
    with pytest.raises(ParameterError, match="sampling_rate"):
        sample(plain_phantom(), sampling_rate=0.0)
