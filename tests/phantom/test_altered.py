"""A study taken where drawing never goes: what was asked changes, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrm.catalog import default_parameters
from hrm.errors import ParameterError
from hrm.phantom import Alteration, Provocation, alter, draw, truth
from hrm.phantom.landmarks import find_landmarks
from hrm.phantom.verdict import diagnosis_of
from tests.phantom.studies import drawn, drawn_truth


def marks(phantom):
    return find_landmarks(phantom, default_parameters())


def test_without_a_change_the_study_is_the_same():
    plain = drawn("normal", 0)
    assert replace(alter(plain, Alteration()), altered=False) == plain


def test_the_diagnosis_of_an_altered_study_is_that_of_its_truth():
    quiet = drawn("achalasia_type_1", 0)
    # An LES that yields whatever it did: the branch is no longer that of the phenotype.
    open_les = tuple(
        replace(item, les_residual_mmhg=0.0, pressurizations=()) for item in quiet.swallows
    )
    moved = truth(replace(alter(quiet, Alteration()), swallows=open_les), offset_cm=12.25)
    assert moved["diagnosis"] == diagnosis_of(moved["study"], quiet.phenotype)
    assert moved["diagnosis"] == "absent_contractility" != quiet.phenotype
    assert drawn_truth("achalasia_type_1", 0)["diagnosis"] == "achalasia_type_1"


def test_breathing_has_the_asked_rate():
    phantom = alter(drawn("normal", 0), Alteration(breaths_per_min=24.0))
    t = np.array([0.0, 60.0])
    turns = np.diff(phantom.breathing.angle(t))[0] / (2 * np.pi)
    wobble = phantom.breathing.wobble / np.pi
    assert turns == pytest.approx(24.0, abs=wobble)


@settings(max_examples=20)
@given(skew=st.floats(-0.6, 0.6), width=st.floats(0.6, 1.5))
def test_flanks_of_the_les_have_the_asked_widths(skew, width):
    plain = drawn("achalasia_type_1", 0)
    tone = replace(plain.supine, thoracic=0.0, gastric=0.0, crural_tonic=0.0)
    plain = replace(plain, supine=tone)
    changed = marks(alter(plain, Alteration(les_width=width, les_skew=skew)))
    before, middle = marks(plain), plain.anatomy.les_cm
    above, below = middle - before.les_upper, before.les_lower - middle
    assert middle - changed.les_upper == pytest.approx(width * (1 - skew) * above, abs=0.02)
    assert changed.les_lower - middle == pytest.approx(width * (1 + skew) * below, abs=0.02)


def test_the_body_ends_where_the_sphincters_now_are():
    phantom = alter(drawn("normal", 0), Alteration(les_width=1.5, ues_shift_cm=-2.0))
    assert phantom.anatomy.body_bottom_cm == marks(phantom).les_upper
    assert phantom.anatomy.body_top_cm == marks(phantom).ues_lower
    assert phantom.anatomy.ues_cm == drawn("normal", 0).anatomy.ues_cm - 2.0


def test_the_vessel_beats_with_the_asked_height():
    plain, loud = drawn("normal", 0), alter(drawn("normal", 0), Alteration(vessel_mmhg=20.0))
    t, z = np.arange(10.0, 20.0, 0.02), np.array([plain.anatomy.vessel_cm])
    rest = replace(plain, supine=replace(plain.supine, vessel=0.0))
    beat = (loud.pressure(t, z) - rest.pressure(t, z))[0]
    assert (beat.min(), beat.max()) == pytest.approx((0.0, 20.0), abs=0.1)


@settings(max_examples=20)
@given(
    first=st.floats(3.0, 60.0),
    low=st.floats(12.0, 30.0),
    more=st.floats(0.0, 30.0),
    seed=st.integers(0, 99),
)
def test_swallows_come_when_asked(first, low, more, seed):
    plain = drawn("normal", 0)
    change = Alteration(first_s=first, intervals_s=(low, low + more))
    phantom = alter(plain, change, seed=seed)
    supine = [item.onset_s for item in phantom.swallows if item.posture == "supine"]
    upright = [item.onset_s for item in phantom.swallows if item.posture == "upright"]
    assert supine[0] == first
    for block in (supine, upright):
        gaps = np.diff(block)
        assert low - 1e-9 <= gaps.min() <= gaps.max() <= low + more + 1e-9
    assert supine[-1] < phantom.upright_s < phantom.quiet_s[1][0]
    assert phantom.quiet_s[1][1] < upright[0]
    assert phantom.duration_s >= upright[-1] + 15.0
    same = [replace(item, onset_s=0.0) for item in phantom.swallows]
    assert same == [replace(item, onset_s=0.0) for item in plain.swallows]
    lengths = [np.diff(span)[0] for span in (*phantom.quiet_s, *plain.quiet_s)]
    assert lengths[:2] == pytest.approx(lengths[2:])


def test_a_study_without_upright_swallows_stays_so():
    plain = draw("normal", seed=3, n_supine=3, n_upright=0)
    phantom = alter(plain, Alteration(first_s=8.0))
    assert (phantom.upright_s, len(phantom.quiet_s)) == (plain.upright_s, 1)
    gaps = [np.diff([item.onset_s for item in each.swallows]) for each in (phantom, plain)]
    np.testing.assert_allclose(gaps[0], gaps[1])


@pytest.mark.parametrize(
    "change",
    [
        {"breaths_per_min": 5.0},
        {"les_width": 3.0},
        {"les_width": float("nan")},
        {"les_skew": 0.7},
        {"ues_shift_cm": 4.0},
        {"vessel_mmhg": -1.0},
        {"first_s": 2.0},
        {"first_s": float("inf")},
        {"intervals_s": (30.0, 20.0)},
        {"intervals_s": (5.0, 20.0)},
    ],
)
def test_a_change_that_cannot_be_made_is_refused(change):
    with pytest.raises(ParameterError, match=next(iter(change))):
        Alteration(**change)


def test_only_single_swallows_can_change_their_time():
    tests = draw("normal", seed=0, n_supine=2, n_upright=0, provocation=Provocation())
    doubled = draw("normal", seed=0, n_supine=2, n_upright=0, doubles=1)
    for phantom in (tests, doubled):
        with pytest.raises(ParameterError, match="only single swallows"):
            alter(phantom, Alteration(first_s=8.0))
        assert alter(phantom, Alteration(les_width=1.2)).swallows == phantom.swallows
