"""Variability, drift with its offsets, rails, coarse steps, hernia: as asked, and nothing else."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrm.errors import ParameterError
from hrm.io import open_recording, write_native
from hrm.phantom import PHENOTYPES, draw, sample, sensor_at, truth, write_offsets
from hrm.phantom.field import inspiratory_swing
from hrm.phantom.variability import varied
from hrm.phantom.verdict import diagnosis_of
from tests.phantom.studies import drawn, drawn_truth, plain_phantom, plain_wave

OFFSET_CM = 14.0


def pressure(study):
    return study["pressure/pressure"].values.astype(float)


def clean(**options):
    return sample(plain_phantom(), sampling_rate=20.0, offset_cm=OFFSET_CM, **options)


def factors(variability, z, n=3000):
    swallow = plain_phantom().swallows[0]
    out = varied([swallow] * n, [False] * n, variability, seed=8)
    return np.array([item.wave.variation(z) for item in out])


@pytest.mark.parametrize("variability", [0.35, 0.45])
def test_height_varies_as_asked_and_keeps_its_mean(variability):
    found = factors(variability, np.array([30.0, 37.0]))
    np.testing.assert_allclose(found.std(axis=0) / found.mean(axis=0), variability, rtol=0.08)
    np.testing.assert_allclose(found.mean(axis=0), 1.0, atol=0.03)


def test_variation_is_smooth_along_the_body_and_differs_far_away():
    near, here, far = np.log(factors(0.4, np.array([33.0, 34.0, 25.0]))).T
    assert np.corrcoef(near, here)[0, 1] > 0.85
    assert 0.3 < np.corrcoef(here, far)[0, 1] < 0.75


def test_without_variability_the_study_is_the_same():
    assert draw("normal", seed=0, n_upright=2, variability=0.0) == drawn("normal", 0)


def test_variability_leaves_failed_swallows_and_everything_but_the_height():
    still, moved = drawn("iem", 0), draw("iem", seed=0, n_upright=2, variability=0.45)
    types = [row["type"] for row in drawn_truth("iem", 0)["swallows"]]
    for kind, before, after in zip(types, still.swallows, moved.swallows, strict=True):
        assert (before == after) is (kind == "failed")
        bare = replace(after.wave, log_gain=0.0, ripple=())
        assert replace(after, wave=bare) == before


@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 50),
    variability=st.sampled_from([0.35, 0.45]),
    phenotype=st.sampled_from(["normal", "hypercontractile", "fragmented_peristalsis"]),
)
def test_truth_of_a_varied_study_is_the_integral_of_its_field(seed, variability, phenotype):
    phantom = draw(phenotype, seed=seed, n_supine=2, n_upright=0, variability=variability)
    found = truth(phantom)
    for row in found["swallows"]:
        if row["type"] == "failed":
            continue
        z = np.linspace(
            found["landmarks"]["transition_zone_cm"], found["landmarks"]["les_upper_cm"], 500
        )
        t = row["onset_s"] + np.linspace(0.5, 15.0, 2000)
        excess = np.maximum(phantom.pressure(t, z) - 20.0, 0.0)
        total = np.trapezoid(np.trapezoid(excess, t, axis=1), z)
        assert row["dci_box_mmhg_s_cm"] == pytest.approx(total, rel=0.06, abs=25.0)


@pytest.mark.parametrize("phenotype", PHENOTYPES)
def test_the_tree_names_every_study_as_it_was_drawn(phenotype):
    for seed in (0, 1):
        assert diagnosis_of(drawn_truth(phenotype, seed)["study"], phenotype) == phenotype


PERCENT = dict.fromkeys(
    [*("failed", "weak", "fragmented", "premature", "hypercontractile"), "ineffective"], 0.0
) | {"panesophageal": 0.0}


@pytest.mark.parametrize(
    ("supine", "upright", "changed", "expected"),
    [
        (15.0, 12.0, {"failed": 100.0}, "achalasia_type_1"),
        (15.0, 12.0, {"failed": 100.0, "panesophageal": 20.0}, "achalasia_type_2"),
        (15.0, 12.0, {"failed": 80.0, "premature": 20.0}, "achalasia_type_3"),
        (15.0, 12.0, {"failed": 90.0}, "egjoo"),
        (15.0, None, {}, "egjoo"),
        (15.0, 11.9, {}, "normal"),
        (14.9, 11.9, {"failed": 100.0}, "absent_contractility"),
        (14.9, 11.9, {"premature": 20.0, "hypercontractile": 20.0}, "des"),
        (14.9, 11.9, {"premature": 10.0, "hypercontractile": 20.0}, "hypercontractile"),
        (14.9, 11.9, {"ineffective": 50.0}, "iem"),
        (14.9, 11.9, {"ineffective": 40.0}, "normal"),
        (None, None, {}, None),
    ],
)
def test_branches_of_the_tree(supine, upright, changed, expected):
    study = {
        "percent": PERCENT | changed,
        "irp4s_median_supine_mmhg": supine,
        "irp4s_median_upright_mmhg": upright,
    }
    assert diagnosis_of(study, "normal") == expected


def test_varied_study_is_diagnosed_by_its_own_swallows():
    phantom = draw("normal", seed=0, n_supine=2, n_upright=0)
    still = [replace(item, wave=replace(item.wave, smooth_mmhg=0.0)) for item in phantom.swallows]
    still = replace(phantom, swallows=tuple(still))
    assert truth(still)["diagnosis"] == "normal"
    assert truth(replace(still, variability=0.35))["diagnosis"] == "absent_contractility"


@settings(max_examples=8, deadline=None)
@given(mean=st.floats(3.0, 20.0), seed=st.integers(0, 1000))
def test_linear_drift_is_the_line_between_the_offsets_given(mean, seed):
    drifted = clean(drift_mmhg=mean, drift_course="linear", seed=seed, noise_mmhg=1.0)
    node = drifted["pressure"].to_dataset()
    start, end = node["offset_start_mmhg"], node["offset_end_mmhg"]
    t = node["time"].values
    share = (t - start.attrs["time_s"]) / (end.attrs["time_s"] - start.attrs["time_s"])
    line = start.values[:, None] + (end.values - start.values)[:, None] * share
    still = pressure(clean(seed=seed, noise_mmhg=1.0))
    np.testing.assert_allclose(pressure(drifted) - line, still, atol=2e-4)
    assert end.values.mean() == pytest.approx(mean)
    assert end.values[round(20.0 - OFFSET_CM)] > 1.4 * mean
    assert np.abs(start.values).max() < 7.0
    assert drifted.attrs["thermal_compensation"] == "not_applied"


def test_offsets_survive_the_native_file_and_the_table(tmp_path):
    study = clean(drift_mmhg=15.0, drift_course="linear", seed=2)
    write_native(study, tmp_path / "study.h5")
    again = open_recording(tmp_path / "study.h5")["pressure"].to_dataset()
    assert again.identical(study["pressure"].to_dataset())
    write_offsets(study, tmp_path / "offsets.csv")
    with (tmp_path / "offsets.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    found = np.array([[float(cell) for cell in row.values()] for row in rows])
    np.testing.assert_array_equal(found[:, 0], np.arange(36))
    np.testing.assert_array_equal(found[:, 1], study["pressure/depth"].values)
    np.testing.assert_allclose(found[:, 2], again["offset_start_mmhg"].values, atol=5.1e-4)
    np.testing.assert_allclose(found[:, 3], again["offset_end_mmhg"].values, atol=5.1e-4)
    last = study["pressure/time"].values[-1]
    np.testing.assert_allclose(found[:, 4:], [[0.0, last]] * 36, atol=5.1e-4)


def test_no_offsets_without_linear_drift(tmp_path):
    for study in (clean(), clean(drift_mmhg=5.0), clean(drift_course="linear")):
        assert set(study["pressure"].to_dataset().data_vars) == {"pressure"}
        with pytest.raises(ParameterError, match="has no offsets"):
            write_offsets(study, tmp_path / "offsets.csv")


@pytest.mark.parametrize(("place", "middle"), [("ues", 20.0), ("les", 43.0), ("stomach", 47.0)])
def test_sensor_at_a_place(place, middle):
    index = sensor_at(plain_phantom(), place, offset_cm=OFFSET_CM)
    assert abs(index + OFFSET_CM - middle) <= 0.5


def test_sensor_of_the_body_lies_between_the_transition_zone_and_the_les():
    phantom = drawn("normal", 0)
    for catheter in ("manoscan-36", "CE4-0062"):
        study = sample(phantom, catheter=catheter, sampling_rate=20.0)
        index = sensor_at(phantom, "body", catheter=catheter)
        after = phantom.swallows[0].onset_s
        peak = pressure(study)[index, round(20 * after) : round(20 * (after + 12))].max()
        assert peak > 30.0


def test_saturated_sensor_stops_at_its_rail_and_no_other_does():
    still, railed = pressure(clean()), pressure(clean(saturated_sensors=(20,), rail_mmhg=40.0))
    assert still[20].max() > 90.0
    np.testing.assert_array_equal(railed[20], np.clip(still[20], -40.0, 40.0))
    np.testing.assert_array_equal(np.delete(railed, 20, 0), np.delete(still, 20, 0))


@settings(max_examples=8, deadline=None)
@given(quantum=st.floats(0.5, 6.0))
def test_coarse_steps_round_the_noisy_pressure(quantum):
    values = pressure(clean(noise_mmhg=2.0, quantum_mmhg=quantum)) / quantum
    np.testing.assert_allclose(values, np.rint(values), atol=1e-3)
    error = quantum * values - pressure(clean(noise_mmhg=2.0))
    assert np.abs(error).max() <= 0.5 * quantum + 1e-3


@pytest.mark.parametrize("noise", [5.0, 8.0])
def test_heavy_noise_has_the_asked_spread(noise):
    error = pressure(clean(noise_mmhg=noise, seed=5)) - pressure(clean())
    assert error.std() == pytest.approx(noise, rel=0.02)


@pytest.mark.parametrize(("inversion", "kind"), [("crural", "IIIa"), ("les", "IIIb")])
def test_hernia_of_3_cm_and_where_its_breathing_turns_round(inversion, kind):
    phantom = draw("normal", seed=3, n_supine=1, n_upright=0, hernia_cm=3.0, inversion=inversion)
    found = truth(phantom)
    egj, marks = found["egj"], found["landmarks"]
    assert egj["les_cd_separation_cm"] == pytest.approx(3.0)
    assert egj["hernia"]
    assert egj["morphology"] == kind
    between = 0.5 * (phantom.anatomy.les_cm + phantom.anatomy.crural_cm)
    rip = marks["pressure_inversion_point_cm"]
    assert (rip > between) is (inversion == "crural")
    place = np.array([phantom.anatomy.les_cm + 0.3])
    swing = float(inspiratory_swing(phantom, place)[0])
    assert (swing < 0) is (inversion == "crural")


@pytest.mark.parametrize(("hernia", "kind"), [(0.0, "I"), (1.5, "II"), (4.0, "IIIa")])
def test_morphology_follows_the_separation(hernia, kind):
    phantom = draw("normal", seed=3, n_supine=1, n_upright=0, hernia_cm=hernia)
    found = truth(phantom)["egj"]
    assert found["morphology"] == kind
    assert found["hernia"] is (hernia >= 2.0)
    assert (found["egj_ci_crural_mmhg_cm"] is None) is (hernia <= 2.0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"variability": 0.7}, "variability"),
        ({"variability": float("nan")}, "variability"),
        ({"inversion": "lungs"}, "inversion must be one of"),
        ({"inversion": "les"}, "hernia_cm must be at least 1"),
    ],
)
def test_draw_refuses(wrong, message):
    with pytest.raises(ParameterError, match=message):
        draw("normal", seed=0, **wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"quantum_mmhg": -1.0}, "quantum_mmhg"),
        ({"drift_course": "wild"}, "drift_course"),
        ({"rail_mmhg": 0.0}, "rail_mmhg"),
        ({"rail_mmhg": float("nan")}, "rail_mmhg"),
        ({"saturated_sensors": (36,)}, "saturated_sensors"),
        ({"impedance_noise": -0.1}, "impedance_noise"),
    ],
)
def test_sample_refuses(wrong, message):
    with pytest.raises(ParameterError, match=message):
        clean(**wrong)


@pytest.mark.parametrize(
    ("place", "options", "message"),
    [
        ("liver", {}, "expected one of pharynx"),
        ("stomach", {"offset_cm": 0.0}, "no sensor of this catheter"),
        ("les", {"offset_cm": float("nan")}, "no sensor of this catheter"),
    ],
)
def test_sensor_at_refuses(place, options, message):
    with pytest.raises(ParameterError, match=message):
        sensor_at(plain_phantom(wave=plain_wave()), place, **options)
