"""The oracle against closed forms, the specification's vectors and plain quadrature."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erf

from hrm.catalog import default_parameters
from hrm.errors import ParameterError
from hrm.phantom import default_offset, draw, truth
from hrm.phantom.grid import Field, front_times
from hrm.phantom.measure import contractile_integral, swallow_type
from tests.phantom.studies import (
    BODY_TOP_CM,
    LES_CM,
    LES_SD_CM,
    UES_CM,
    drawn,
    drawn_truth,
    plain_phantom,
    plain_wave,
)

PARAMETERS = default_parameters()


def moving_wave(peak, sd_s, speed_cm_s, length_cm):
    """Field of a Gaussian pulse that runs down `length_cm` (SPEC TV2)."""
    rate, step = 50.0, 0.1
    z = np.arange(round(length_cm / step) + 1) * step
    t = np.arange(0, 15, 1 / rate)
    center = 4.0 + z / speed_cm_s
    p = peak * np.exp(-0.5 * ((t - center[:, None]) / sd_s) ** 2)
    course = center - sd_s * math.sqrt(2 * math.log(peak / 30.0))
    ridge = np.searchsorted(t, center)
    return Field(t, z, p, ridge, course, 0.0, rate, step)


def integrals(field, stop=15.0):
    region = slice(0, field.z.size)
    front, ahead = front_times(field, region, PARAMETERS)
    return contractile_integral(field, region, stop, front, ahead, PARAMETERS)


@pytest.mark.parametrize(("peak", "sd"), [(100.0, 1.2), (60.0, 0.7), (180.0, 1.0)])
def test_contractile_integral_of_a_moving_pulse(peak, sd):
    reach = math.sqrt(2 * math.log(peak / 20.0))
    per_cm = peak * sd * math.sqrt(2 * math.pi) * erf(reach / math.sqrt(2)) - 40 * reach * sd
    box, contractile = integrals(moving_wave(peak, sd, 4.0, 16.0))
    assert box == pytest.approx(16.0 * per_cm, rel=2e-3)
    assert contractile == pytest.approx(box, rel=2e-3)


def test_contractile_integral_of_vector_tv2():
    assert integrals(moving_wave(100.0, 1.2, 4.0, 16.0))[0] == pytest.approx(3084.5, rel=1e-3)


def test_contractile_integral_of_a_block_and_its_masking():
    field = moving_wave(100.0, 1.2, 4.0, 10.0)
    field.p[:] = 0.0
    field.p[:, 200:450] = 50.0
    box, contractile = integrals(field)
    assert box == pytest.approx(1500.0, rel=5e-3)
    assert contractile == 0.0


def test_les_borders_of_a_gaussian_sphincter():
    marks = truth(plain_phantom())["landmarks"]
    half = LES_SD_CM * math.sqrt(2 * math.log(5))
    assert marks["les_upper_cm"] == pytest.approx(LES_CM - half, abs=0.005)
    assert marks["les_lower_cm"] == pytest.approx(LES_CM + half, abs=0.005)


def test_ues_borders_at_half_the_peak():
    marks = truth(plain_phantom())["landmarks"]
    assert marks["ues_upper_cm"] == pytest.approx(UES_CM - 1.5, abs=0.005)
    assert marks["ues_lower_cm"] == pytest.approx(UES_CM + 1.5, abs=0.005)


def test_inversion_point_separates_the_signs_of_breathing():
    phantom = drawn("normal", 0)
    place = drawn_truth("normal", 0)["landmarks"]["pressure_inversion_point_cm"] + 12.25
    t = np.arange(*phantom.quiet_s[0], 0.02)
    breath = phantom.breathing.inspiration(t)
    z = [place - 0.3, place + 0.3]
    deep = phantom.pressure([t[breath.argmax()]], z)[:, 0]
    shallow = phantom.pressure([t[breath.argmin()]], z)[:, 0]
    assert deep[0] < shallow[0]
    assert deep[1] > shallow[1]


@pytest.mark.parametrize("residual", [4.0, 12.0, 25.0])
def test_irp_is_the_residual_of_a_still_sphincter(residual):
    row = truth(plain_phantom(residual=residual))["swallows"][0]
    assert row["irp4s_mmhg"] == pytest.approx(residual, abs=0.02)


@pytest.mark.parametrize("ues", [45.0, 60.0])
def test_onset_is_the_half_fall_of_the_ues(ues):
    assert truth(plain_phantom(ues=ues))["swallows"][0]["onset_s"] == pytest.approx(60.0, abs=0.02)


def test_onset_of_a_high_ues_is_the_fall_to_35():
    onset = truth(plain_phantom(ues=100.0))["swallows"][0]["onset_s"]
    assert onset - 60.0 == pytest.approx(0.045 * math.log(65 / 35), abs=0.01)


def test_onset_without_ues_tone_precedes_the_pharyngeal_wave():
    phantom = plain_phantom(ues=5.0)
    first = UES_CM - 1.5 - 3.0  # the first sensor, 3 cm above the UES
    row = truth(phantom, offset_cm=first)["swallows"][0]
    crossing = 0.4 + 1.0 / 12.0 - 0.12 * math.sqrt(2 * math.log(120 / 30))
    assert row["onset_s"] - 60.0 == pytest.approx(crossing - 0.2, abs=0.03)


@pytest.mark.parametrize("latency", [3.0, 6.5])
def test_latency_is_the_crossing_of_30_at_the_modelled_point(latency):
    wave = plain_wave(latency=latency)
    row = truth(plain_phantom(wave=wave))["swallows"][0]
    peak = float(wave.peak_time(np.array([38.0]), np.array([100.0]))[0])
    crossing = peak - 0.5 * math.sqrt(2 * math.log(100 / 30))
    assert row["distal_latency_s"] == pytest.approx(crossing, abs=0.03)
    assert row["cdp_cm"] == pytest.approx(38.0)
    assert row["type"] == ("premature" if latency < 4 else "normal")


@pytest.mark.parametrize("gap", [2.0, 6.0, 8.0])
def test_break_is_the_drawn_gap(gap):
    row = truth(plain_phantom(wave=plain_wave(gap=gap, top=26.0)))["swallows"][0]
    assert row["break_cm"] == pytest.approx(gap, abs=0.45)
    assert row["type"] == ("fragmented" if gap > 5 else "normal")


@pytest.mark.parametrize(
    ("phenotype", "seed"), [("normal", 0), ("hypercontractile", 1), ("iem", 0), ("des", 0)]
)
def test_box_integral_against_plain_quadrature(phenotype, seed):
    phantom, found = drawn(phenotype, seed), drawn_truth(phenotype, seed)
    bottom = found["landmarks"]["les_upper_cm"] + 12.25
    for row in found["swallows"][:4]:
        if row["type"] == "failed":
            continue
        z = np.linspace(phantom.anatomy.transition_cm - 0.8, bottom, 400)
        t = row["onset_s"] + np.linspace(0.5, 15.0, 1500)
        excess = np.maximum(phantom.pressure(t, z) - 20.0, 0.0)
        total = np.trapezoid(np.trapezoid(excess, t, axis=1), z)
        assert row["dci_box_mmhg_s_cm"] == pytest.approx(total, rel=0.06, abs=25.0)


@pytest.mark.parametrize("phenotype", ["normal", "achalasia_type_1", "egjoo"])
def test_irp_against_plain_sorting(phenotype):
    phantom, found = drawn(phenotype, 0), drawn_truth(phenotype, 0)
    marks = found["landmarks"]
    top = marks["les_upper_cm"] + 12.25 - 2.0
    for row in found["swallows"][:5]:
        t = row["onset_s"] + np.arange(0, 10, 0.01)
        sleeve = phantom.pressure(t, np.linspace(top, top + 6.0, 121)).max(axis=0)
        lowest = np.sort(sleeve - marks["gastric_reference_mmhg"])[:400].mean()
        assert row["irp4s_mmhg"] == pytest.approx(lowest, abs=0.1)


@pytest.mark.parametrize(
    ("dci", "latency", "gap", "expected"),
    [
        (99.9, 3.0, 9.0, "failed"),
        (100.0, 3.0, 9.0, "weak"),
        (449.9, None, 0.0, "weak"),
        (450.0, 4.5, 5.0, "normal"),
        (450.0, 4.49, 9.0, "premature"),
        (8000.1, 4.4, 0.0, "premature"),
        (8000.1, 6.0, 9.0, "hypercontractile"),
        (8000.0, 6.0, 0.0, "normal"),
        (1000.0, 6.0, 5.1, "fragmented"),
    ],
)
def test_type_follows_the_precedence(dci, latency, gap, expected):
    assert swallow_type(dci, latency, gap) == expected


def test_pressurization_is_found_and_masked():
    rows = [
        row
        for row in drawn_truth("achalasia_type_2", 0)["swallows"]
        if row["pressurization"] == "panesophageal"
    ]
    assert rows
    for row in rows:
        assert row["dci_box_mmhg_s_cm"] > 300.0
        assert row["dci_mmhg_s_cm"] < 85.0
        assert row["distal_latency_s"] is None


def test_compartmentalized_swallows_have_a_raised_intrabolus_pressure():
    rows = drawn_truth("egjoo", 0)["swallows"]
    raised = [row["ibp_mmhg"] for row in rows if row["pressurization"] == "compartmentalized"]
    assert len(raised) >= 4
    assert min(raised) > 30.0


def test_resting_les_is_read_above_the_stomach():
    egj = truth(plain_phantom(breathing=True))["egj"]
    assert egj["basal_end_expiratory_mmhg"] == pytest.approx(30.0, abs=1.5)
    assert egj["basal_end_expiratory_mmhg"] < egj["basal_mean_mmhg"] < 38.0
    assert egj["basal_mean_mmhg"] < egj["basal_inspiratory_mmhg"]


def test_hernia_separates_les_and_diaphragm():
    phantom = draw("normal", seed=2, n_supine=1, n_upright=0, hernia_cm=3.0)
    found = truth(phantom, offset_cm=default_offset(phantom))
    marks = found["landmarks"]
    assert found["egj"]["les_cd_separation_cm"] == pytest.approx(3.0)
    assert marks["les_lower_cm"] < marks["crural_diaphragm_cm"]
    # An LES that lies in the chest falls with inspiration.
    egj = found["egj"]
    assert egj["basal_inspiratory_mmhg"] < egj["basal_end_expiratory_mmhg"] - 0.5


def test_double_swallow_and_cough_are_not_evaluable():
    phantom = draw("normal", seed=4, n_supine=4, n_upright=0, doubles=1)
    found = truth(phantom)
    assert found["study"]["n_swallows"] == 5
    pair = next(i for i, item in enumerate(phantom.swallows) if item.second)
    assert [row["evaluable"] for row in found["swallows"]].count(False) == 1
    assert not found["swallows"][pair - 1]["evaluable"]
    other = found["swallows"][0 if pair != 1 else 2]
    coughed = truth(phantom, cough_at_s=(other["onset_s"] + 4.0,))
    assert coughed["study"]["n_evaluable"] == found["study"]["n_evaluable"] - 1


def test_truncated_recording_has_no_irp():
    row = truth(replace(plain_phantom(), duration_s=66.0))["swallows"][0]
    assert row["irp4s_mmhg"] is None
    assert not row["evaluable"]


def test_offset_must_be_finite():
    with pytest.raises(ParameterError, match="offset_cm"):
        truth(plain_phantom(), offset_cm=math.nan)


@settings(max_examples=10, deadline=None)
@given(offset=st.floats(-20, 15), height=st.floats(45, 300), gap=st.floats(-1, 9))
def test_offset_moves_depths_only_and_numbers_stay_in_bounds(offset, height, gap):
    phantom = plain_phantom(wave=plain_wave(height=height, gap=gap, top=26.0))
    here, there = truth(phantom, offset_cm=offset), truth(phantom)
    for name, value in there["landmarks"].items():
        shift = offset if name.endswith("_cm") else 0.0
        assert here["landmarks"][name] == pytest.approx(value - shift, abs=1e-9)
    row, same = here["swallows"][0], there["swallows"][0]
    assert {k: v for k, v in row.items() if k != "cdp_cm"} == {
        k: v for k, v in same.items() if k != "cdp_cm"
    }
    assert 0.0 <= row["dci_mmhg_s_cm"] <= row["dci_box_mmhg_s_cm"] + 1e-9
    assert 0.0 <= row["break_cm"] <= LES_CM - BODY_TOP_CM


def test_onset_stays_with_the_ues_after_the_wave_has_passed_it():
    # In this study a lower pressure follows below the UES, behind the pharyngeal wave.
    phantom = draw("des", seed=2)
    found = [row["onset_s"] for row in truth(phantom)["swallows"]]
    np.testing.assert_allclose(found, [item.onset_s for item in phantom.swallows], atol=0.05)
