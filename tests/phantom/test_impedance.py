"""The bolus against closed forms: it enters, leaves with the wave, or stays."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrm.catalog import default_parameters
from hrm.phantom import draw, sample, truth
from hrm.phantom.impedance import (
    _passage,
    baseline,
    entry_times,
    exit_times,
    impedance,
    lumen_of,
    segment_depths,
)
from hrm.phantom.landmarks import find_landmarks
from hrm.schema import validate
from tests.phantom.studies import drawn, plain_phantom, plain_wave

OFFSET_CM = 12.25


def bolus(phantom, offset_cm=OFFSET_CM):
    return truth(phantom, offset_cm=offset_cm, impedance=True)["impedance"]


def levels(phantom):
    return find_landmarks(phantom, default_parameters()).les_upper - np.array([5.0, 10.0, 15.0])


def test_truth_has_no_impedance_unless_asked():
    assert "impedance" not in truth(plain_phantom())


def test_impedance_at_rest_is_the_baseline_and_falls_to_the_bolus():
    phantom = plain_phantom()
    lumen, z = lumen_of(phantom), np.array([30.0, 36.0])
    base = baseline(phantom, lumen, z)
    rest = impedance(phantom, [30.0], z)[:, 0]
    np.testing.assert_allclose(rest, base, rtol=1e-6)
    assert ((rest > 1700) & (rest < 3300)).all()
    filled = impedance(phantom, 60 + np.arange(0, 12, 0.02), z).min(axis=1)
    np.testing.assert_allclose(filled, lumen.bolus_ohm, rtol=0.08)
    assert impedance(phantom, [30.0], [52.0])[0, 0] == pytest.approx(lumen.gastric_ohm, rel=0.01)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 500), latency=st.floats(5.0, 8.0), height=st.floats(50, 250))
def test_bolus_comes_with_its_head_and_goes_with_the_wave(seed, latency, height):
    phantom = replace(
        plain_phantom(wave=plain_wave(latency=latency, height=height, gap=-1.0)), seed=seed
    )
    row, z = bolus(phantom)["swallows"][0], levels(phantom)
    lumen, swallow = lumen_of(phantom), phantom.swallows[0]
    head = entry_times(phantom, lumen.boluses[0], z)
    tail, left = exit_times(phantom, swallow, head, z)
    assert left.max() < 0.01
    at = row["at_levels"]
    np.testing.assert_allclose(at["entry_s"], 60 + head, atol=0.1)
    np.testing.assert_allclose(at["exit_s"], 60 + tail, atol=0.12)
    assert row["transit"] == "complete"
    assert row["transit_time_s"] == pytest.approx(tail[0] - head[-1], abs=0.2)
    assert 2.0 < row["transit_time_s"] < 10.0
    for entry, nadir, leave in zip(at["entry_s"], at["nadir_s"], at["exit_s"], strict=True):
        assert entry < nadir < leave


@pytest.mark.parametrize(
    ("gap", "transit"), [(0.0, "complete"), (1.0, "complete"), (5.0, "incomplete")]
)
def test_a_wide_break_keeps_a_part_of_the_bolus(gap, transit):
    phantom = plain_phantom(wave=plain_wave(gap=gap, top=29.0))
    assert bolus(phantom)["swallows"][0]["transit"] == transit


def test_without_a_contraction_the_bolus_stays_for_long():
    phantom = plain_phantom(wave=plain_wave(height=0.0))
    row = bolus(phantom)["swallows"][0]
    assert row["transit"] == "incomplete"
    assert row["transit_time_s"] is None
    assert row["at_levels"]["exit_s"][0] is None
    assert row["at_levels"]["entry_s"][0] is not None
    t = 60 + np.array([15.0, 29.0])
    full, cleared = impedance(phantom, t, levels(phantom)[:1])[0]
    assert full < 0.4 * cleared


def test_a_later_wave_takes_along_what_was_left():
    phantom = plain_phantom(wave=plain_wave(height=0.0))
    later = replace(phantom.swallows[0], onset_s=68.0, wave=plain_wave())
    both = replace(phantom, swallows=(phantom.swallows[0], later))
    z = levels(phantom)[:1]
    assert impedance(both, [79.0], z)[0, 0] > 2 * impedance(phantom, [79.0], z)[0, 0]


def test_transit_is_not_judged_when_the_next_swallow_follows_soon():
    first = plain_phantom()
    second = replace(first.swallows[0], onset_s=66.0)
    rows = bolus(replace(first, swallows=(first.swallows[0], second)))["swallows"]
    assert rows[0]["transit"] is None
    assert rows[0]["transit_time_s"] is None


@pytest.mark.parametrize("phenotype", ["normal", "absent_contractility"])
def test_transit_follows_the_phenotype(phenotype):
    rows = bolus(drawn(phenotype, 0))["swallows"]
    complete = np.mean([row["transit"] == "complete" for row in rows])
    assert (complete >= 0.8) if phenotype == "normal" else (complete <= 0.3)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 100))
def test_truth_against_a_plain_reading_of_a_fine_recording(seed):
    phantom = draw("normal", seed=seed, n_supine=2, n_upright=0)
    found = truth(phantom, offset_cm=OFFSET_CM, impedance=True)
    z = segment_depths() + OFFSET_CM
    for row, swallow in zip(found["impedance"]["swallows"], found["swallows"], strict=True):
        onset = swallow["onset_s"]
        t = np.arange(onset - 3.0, onset + 15.0, 0.002)
        ohm = impedance(phantom, t, z)
        for k, values in enumerate(ohm):
            if row["nadir_s"][k] is None:
                continue
            rest = values[t <= onset - 0.5].mean()
            after = t >= onset
            low = int(values[after].argmin())
            assert row["nadir_s"][k] == pytest.approx(t[after][low], abs=0.3)
            half = 0.5 * (rest + values[after].min())
            if row["entry_s"][k] is not None:
                crossed = t[after][: low + 1][values[after][: low + 1] < half][0]
                assert row["entry_s"][k] == pytest.approx(crossed, abs=0.01)


def test_baselines_are_those_of_the_quiet_interval():
    phantom = drawn("normal", 0)
    found = bolus(phantom)
    z = segment_depths() + OFFSET_CM
    np.testing.assert_allclose(found["baseline_ohm"], baseline(phantom, lumen_of(phantom), z))
    assert found["segment_depth_cm"] == segment_depths().tolist()
    les = find_landmarks(phantom, default_parameters()).les_upper
    expected = baseline(phantom, lumen_of(phantom), np.array([les - 3.0]))[0]
    assert found["distal_baseline_ohm"] == pytest.approx(expected)


def test_sampled_impedance_is_the_field_and_pressure_does_not_know_of_it():
    phantom = drawn("normal", 0)
    study = sample(phantom, sampling_rate=20.0, offset_cm=13.0, impedance=True, noise_mmhg=1.0)
    validate(study)
    node = study["impedance"].to_dataset()
    assert node["impedance"].attrs["units"] == "ohm"
    np.testing.assert_array_equal(node["segment_depth"].values, segment_depths())
    t = node["impedance_time"].values[1000:1600]
    share = node["impedance"].values[:, 1000:1600] / impedance(phantom, t, segment_depths() + 13.0)
    assert share.std() == pytest.approx(0.005, rel=0.05)
    assert share.mean() == pytest.approx(1.0, abs=1e-3)
    plain = sample(phantom, sampling_rate=20.0, offset_cm=13.0, noise_mmhg=1.0)
    np.testing.assert_array_equal(
        study["pressure/pressure"].values, plain["pressure/pressure"].values
    )
    assert "impedance" not in plain.children


@pytest.mark.parametrize(("second_s", "expected"), [(6.0, 9.0), (4.0, None)])
def test_exit_is_where_the_impedance_stays_up_for_5_s(second_s, expected):
    t = np.arange(-3.0, 9.0 + second_s, 0.01)
    ohm = np.full(t.size, 2000.0)
    # Filled from 1 to 4 s, up for 3 s only, filled again from 7 to 9 s.
    ohm[((t > 1) & (t <= 4)) | ((t > 7) & (t <= 9))] = 400.0
    ohm[np.abs(t - 2.0) < 0.005] = 300.0
    entry, leave, nadir = _passage(t, ohm, 0.0)
    assert entry == pytest.approx(1.0, abs=0.02)
    assert nadir == pytest.approx(2.0, abs=0.02)
    assert (leave is None) if expected is None else leave == pytest.approx(expected, abs=0.02)
