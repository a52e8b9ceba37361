"""Sphincter truths against closed forms, the specification's vectors and plain quadrature."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erf

from hrm.catalog import default_parameters
from hrm.phantom import draw, truth
from hrm.phantom.field import Breathing, Pressurization, pharynx_peak
from hrm.phantom.landmarks import find_landmarks
from hrm.phantom.measure import lowest_mean
from hrm.phantom.sphincters import (
    IRP_DURATIONS,
    contractility,
    egj_boxes,
    quietest_breaths,
    ues_relaxation,
)
from tests.phantom.studies import LES_SD_CM, drawn, drawn_truth, plain_phantom, plain_wave

PARAMETERS = default_parameters()


@dataclass
class Block:
    """A field that is the same at every depth of a box (SPEC TV4)."""

    def pressure(self, t, z):
        return np.outer(np.ones(np.size(z)), 12 + 6 * np.sin(2 * np.pi * np.asarray(t) / 4))


def test_contractility_of_vector_tv4():
    assert contractility(Block(), (0.0, 4.0), (0.0, 12.0), 2.0) == pytest.approx(40.0, rel=1e-6)
    assert contractility(Block(), (0.0, 4.0), (0.0, 12.0), 30.0) == 0.0


def test_lowest_mean_of_vector_tv3():
    pieces = ((25, 1), (4, 2), (20, 1), (6, 2), (30, 4))
    sleeve = np.concatenate([np.full(50 * seconds, value - 2.0) for value, seconds in pieces])
    expected = {4: 3.0, 2: 2.0, 5: 6.0, 3: 8 / 3}
    for seconds, value in expected.items():
        assert lowest_mean(sleeve, 50 * seconds) == pytest.approx(value)


def test_contractility_of_a_gaussian_sphincter():
    found = truth(plain_phantom())["egj"]
    half = LES_SD_CM * math.sqrt(2 * math.log(5))
    area = 30 * LES_SD_CM * math.sqrt(2 * math.pi) * erf(half / LES_SD_CM / math.sqrt(2))
    assert found["egj_ci_mmhg_cm"] == pytest.approx(area - 2 * 2 * half, rel=2e-3)
    assert found["egj_ci_les_mmhg_cm"] is found["egj_ci_crural_mmhg_cm"] is None


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 60), hernia=st.sampled_from([0.0, 1.5, 3.0, 4.5]))
def test_contractility_is_the_integral_over_three_breaths(seed, hernia):
    phantom = draw("normal", seed=seed, n_supine=1, n_upright=0, hernia_cm=hernia)
    found, marks = truth(phantom)["egj"], find_landmarks(phantom, PARAMETERS)
    boxes = egj_boxes(phantom, marks, PARAMETERS)
    start, stop = found["breaths_s"]
    breath = phantom.breathing.angle(np.array([start, stop])) / (2 * np.pi)
    np.testing.assert_allclose(breath, np.rint(breath), atol=0.01)
    assert breath[1] - breath[0] == pytest.approx(3.0, abs=0.01)
    t = np.arange(start, stop, 0.004)
    for box, name in ((boxes.whole, "egj_ci_mmhg_cm"), (boxes.crural, "egj_ci_crural_mmhg_cm")):
        if box is None:
            continue
        step = (box[1] - box[0]) / 700
        z = box[0] + step * (np.arange(700) + 0.5)
        excess = np.maximum(phantom.pressure(t, z) - marks.gastric_supine - 2.0, 0.0)
        assert found[name] == pytest.approx(excess.mean() * 700 * step, rel=3e-3, abs=0.02)


def test_boxes_of_a_hernia_do_not_overlap():
    phantom = draw("normal", seed=2, n_supine=1, n_upright=0, hernia_cm=3.0)
    boxes = egj_boxes(phantom, find_landmarks(phantom, PARAMETERS), PARAMETERS)
    assert boxes.whole[0] == boxes.les[0] < boxes.les[1] <= boxes.crural[0]
    assert boxes.crural[0] < phantom.anatomy.crural_cm < boxes.crural[1] == boxes.whole[1]
    found = truth(phantom)["egj"]
    parts = found["egj_ci_les_mmhg_cm"] + found["egj_ci_crural_mmhg_cm"]
    assert parts <= found["egj_ci_mmhg_cm"] + 0.1


def test_the_most_even_breaths_are_taken_and_the_first_of_equals():
    even = replace(plain_phantom(), breathing=Breathing(0.25, 0.0, 0.0, 0.03, 1.3, 1.1))
    assert quietest_breaths(even) == pytest.approx((4.0, 16.0), abs=0.01)
    uneven = replace(even, breathing=Breathing(0.25, 0.0, 0.5, 0.03, 1.3, 1.1))
    t = np.arange(4.0, 50.0, 0.001)
    peaks = t[1:][np.diff(np.floor(uneven.breathing.angle(t) / (2 * np.pi))) > 0]
    spread = [np.diff(peaks[i : i + 4]).std() for i in range(len(peaks) - 3)]
    start, stop = quietest_breaths(uneven)
    assert np.diff(np.interp(np.linspace(0, 3, 4), [0, 3], [start, stop])).min() > 3
    assert np.abs(peaks - start).min() < 0.01
    assert spread[int(np.abs(peaks - start).argmin())] == pytest.approx(min(spread), abs=2e-3)


@pytest.mark.parametrize("residual", [4.0, 12.0])
def test_every_relaxation_pressure_of_a_still_sphincter_is_its_residual(residual):
    row = truth(plain_phantom(residual=residual))["swallows"][0]
    for name in [*(name for _, name in IRP_DURATIONS), "les_nadir_mmhg"]:
        assert row[name] == pytest.approx(residual, abs=0.03)


@pytest.mark.parametrize("phenotype", ["normal", "egjoo", "achalasia_type_3"])
def test_relaxation_pressures_against_plain_sorting(phenotype):
    phantom, found = drawn(phenotype, 0), drawn_truth(phenotype, 0)
    top = found["landmarks"]["les_upper_cm"] + 12.25 - 2.0
    for row in found["swallows"][:5]:
        t = row["onset_s"] + np.arange(0, 10, 0.005)
        sleeve = phantom.pressure(t, np.linspace(top, top + 6.0, 181)).max(axis=0)
        sleeve = np.sort(sleeve - found["landmarks"]["gastric_reference_mmhg"])
        for seconds, name in IRP_DURATIONS:
            expected = sleeve[: round(seconds * 200)].mean()
            assert row[name] == pytest.approx(expected, abs=0.12)
        ladder = [row["les_nadir_mmhg"], row["irp02s_mmhg"], row["irp1s_mmhg"]]
        ladder += [row["irp3s_mmhg"], row["irp4s_mmhg"], row["irp5s_mmhg"]]
        assert ladder == sorted(ladder)


def test_resting_ues_is_its_height_with_a_little_breathing():
    phantom = plain_phantom(ues=60.0)
    breath = phantom.breathing.inspiration(np.arange(*phantom.quiet_s[0], 0.02)).mean()
    assert truth(phantom)["ues"]["resting_mmhg"] == pytest.approx(
        60 * (1 + 0.06 * breath), rel=1e-3
    )


@settings(max_examples=10, deadline=None)
@given(residual=st.floats(0.0, 15.0))
def test_ues_residual_is_the_drawn_one(residual):
    phantom = plain_phantom()
    swallow = replace(phantom.swallows[0], ues_residual_mmhg=residual)
    phantom = replace(phantom, swallows=(swallow,))
    marks = find_landmarks(phantom, PARAMETERS)
    found = ues_relaxation(phantom, swallow, marks, PARAMETERS, 60.0)
    # As long as some of the sphincter is seen, it is not below what it relaxes to.
    assert residual - 0.2 <= found["ues_residual_mmhg"] <= residual + 2.5
    assert found["ues_residual_mmhg"] <= found["ues_irp02s_mmhg"] <= residual + 6.0


def test_ues_pressures_against_a_literal_sleeve():
    phantom, found = drawn("normal", 0), drawn_truth("normal", 0)
    upper, lower = (found["landmarks"][f"ues_{end}_cm"] + 12.25 for end in ("upper", "lower"))
    for row, swallow in list(zip(found["swallows"], phantom.swallows, strict=True))[:4]:
        sleeve = []
        for at in row["onset_s"] + np.arange(0, 1.5, 0.005):
            z = np.arange(upper - 3.0, lower + 1.0, 0.02)
            foot = swallow.onset_s + pharynx_peak(phantom.anatomy, swallow, z)
            foot -= 2.5 * swallow.pharynx_sd_s
            lifted = 0.25 * upper + 0.75 * lower - swallow.ues_lift_cm
            if at >= np.interp(lifted, z, foot):
                break
            sleeve.append(phantom.pressure([at], z[foot > at])[:, 0].max())
        assert row["ues_residual_mmhg"] == pytest.approx(min(sleeve), abs=0.3)
        assert row["ues_irp02s_mmhg"] == pytest.approx(np.sort(sleeve)[:40].mean(), abs=0.3)


def test_velocity_of_the_front_is_the_drawn_one():
    row = truth(plain_phantom(wave=plain_wave()))["swallows"][0]
    assert row["cfv_cm_s"] == pytest.approx(4.0, rel=0.03)
    fast = truth(plain_phantom(wave=replace(plain_wave(), fast_cm_s=9.0)))["swallows"][0]
    assert fast["cfv_cm_s"] == pytest.approx(9.0, rel=0.06)


def test_velocity_is_null_without_a_front():
    row = truth(plain_phantom(wave=plain_wave(height=0.0)))["swallows"][0]
    assert row["cfv_cm_s"] is row["ibp_mean_mmhg"] is None


@pytest.mark.parametrize("name", ["ibp_mmhg", "ibp_mean_mmhg"])
def test_intrabolus_pressure_grows_with_that_of_the_bolus(name):
    phantom, found = plain_phantom(), []
    for level in (0.0, 12.0, 24.0):
        bolus = Pressurization(level, 2.0, 12.0, 0.1, ahead=True)
        swallow = replace(phantom.swallows[0], pressurizations=(bolus,))
        found.append(truth(replace(phantom, swallows=(swallow,)))["swallows"][0][name])
    np.testing.assert_allclose(np.diff(found), 12.0, atol=2.0)
    # The foot of the contraction reaches into the box.
    assert 0.0 < found[0] < 8.0


def test_mean_intrabolus_pressure_is_below_the_highest():
    for row in drawn_truth("egjoo", 0)["swallows"]:
        if row["ibp_mmhg"] is not None:
            assert row["ibp_mean_mmhg"] <= row["ibp_mmhg"]
