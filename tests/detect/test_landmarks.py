"""LES borders of a Gaussian, the gastric reference and its fallbacks, diaphragm and inversion."""

import math

import numpy as np
import pytest

from hrm.detect.baseline import find_baseline
from hrm.detect.landmarks import find_egj, rough_les
from hrm.detect.proposal import propose
from tests.detect.signals import LES, PARAMETERS, UES, Act, study

DENSE = np.round(np.arange(0, 36.05, 0.1), 6)
BORDER = math.sqrt(2 * math.log(5))  # a Gaussian falls to 20 % this many SD from its peak


def marks_of(pressure, *, top=20.0, onsets=()):
    depth = pressure["depth"].values
    body = (depth >= UES + 3) & (depth <= LES - 3)
    rest = find_baseline(pressure, [], [], body, PARAMETERS)
    return find_egj(pressure, rest, top_cm=top, onsets=list(onsets), parameters=PARAMETERS)


@pytest.mark.parametrize("sd", [0.8, 1.0, 1.4])
@pytest.mark.parametrize("les", [15.0, 40.0])
def test_the_borders_of_a_gaussian(sd, les):
    """20 % of the peak above the stomach; chest and stomach at one pressure."""
    pressure = study(depth=DENSE, les=les, les_sd=sd, thoracic=8.0, breath=0.0, ues=80.0)
    marks, _ = marks_of(pressure)
    assert marks.les_upper_cm == pytest.approx(LES - BORDER * sd, abs=0.03)
    assert marks.les_lower_cm == pytest.approx(LES + BORDER * sd, abs=0.03)
    assert marks.les_peak_cm == pytest.approx(LES, abs=0.051)
    # The flank of a wide sphincter reaches the stomach.
    assert marks.gastric_reference_mmhg == pytest.approx(8.0, abs=0.25)


def test_a_low_sphincter_ends_two_mmhg_above_its_surroundings():
    pressure = study(depth=DENSE, les=6.0, thoracic=8.0, breath=0.0)
    marks, _ = marks_of(pressure)
    half = math.sqrt(2 * math.log(6.0 / 2.0))
    assert marks.les_upper_cm == pytest.approx(LES - half, abs=0.02)
    assert marks.les_lower_cm == pytest.approx(LES + half, abs=0.02)


def test_the_thoracic_side_counts_from_the_chest():
    """Chest 4 mmHg below the stomach: the upper border is still 20 % of the gastric peak."""
    pressure = study(depth=DENSE, les=29.0, gastric=8.0, thoracic=4.0, breath=0.0)
    marks, _ = marks_of(pressure)
    # The peak is 28.86 mmHg above the stomach, on the first grid line below the step; the
    # border is at 20 % of it above the stomach, which is 4 mmHg more above the chest.
    peak = 29.0 * math.exp(-0.5 * 0.1**2)
    known = LES - math.sqrt(2 * math.log(29.0 / (0.2 * peak + 4.0)))
    assert marks.les_upper_cm == pytest.approx(known, abs=0.05)


def test_breathing_does_not_move_the_borders_far():
    still, _ = marks_of(study(depth=DENSE, breath=0.0))
    moved, breathing = marks_of(study(depth=DENSE, breath=3.0))
    assert breathing.status == "ok"
    assert moved.les_lower_cm == pytest.approx(still.les_lower_cm, abs=0.3)
    assert moved.gastric_reference_mmhg == pytest.approx(8.0, abs=0.2)


@pytest.mark.parametrize(
    ("deepest", "status"), [(33.0, "gastric_single"), (33.7, "gastric_single"), (34.2, None)]
)
def test_one_sensor_just_below_the_sphincter_is_a_single_reference(deepest, status):
    """Between 1 and 2 cm below the lower border at 31.8 cm."""
    marks, _ = marks_of(study(depth=np.append(np.arange(0, 33.0), deepest)))
    assert marks.les_lower_cm == pytest.approx(LES + BORDER, abs=0.2)
    assert marks.status.get("gastric_reference_mmhg") == status
    assert marks.gastric_sensors_cm == (deepest,)
    assert marks.gastric_reference_mmhg == pytest.approx(8.0, abs=0.5)


def test_without_a_sensor_in_the_stomach_there_is_no_reference():
    marks, _ = marks_of(study(depth=np.arange(0, 32.0)))
    assert math.isnan(marks.gastric_reference_mmhg)
    assert marks.status["gastric_reference_mmhg"] == "no_gastric_sensor"


def test_a_catheter_that_does_not_cross_the_egj():
    marks, _ = marks_of(study(depth=np.arange(0, 28.0)))
    assert math.isnan(marks.gastric_reference_mmhg)
    assert math.isnan(marks.les_upper_cm)
    assert marks.status


def hernia(*deepest):
    """A diaphragm 4 cm below the LES; the hernia between them stands 3 mmHg above the stomach."""
    depth = np.append(np.arange(0, 35.0), deepest)
    pressure = study(depth=depth, breath=2.0)
    time = pressure["time"].values
    inspiration = np.cos(2 * np.pi * 0.25 * time)[None, :]
    crus = np.exp(-0.5 * ((depth[:, None] - LES - 4.0) / 0.7) ** 2)
    pouch = 3.0 * ((depth > LES) & (depth < LES + 4.0))[:, None]
    pressure += (pouch + crus * (4.0 + 8.0 * np.maximum(inspiration, 0.0))).astype(np.float32)
    return pressure


def test_the_stomach_of_a_hernia_begins_below_the_diaphragm():
    marks, _ = marks_of(hernia(35.0, 36.0, 37.0, 38.0, 39.0))
    assert marks.crural_diaphragm_cm == pytest.approx(LES + 4.0, abs=0.2)
    assert min(marks.gastric_sensors_cm) >= LES + 6.0
    assert marks.gastric_reference_mmhg == pytest.approx(8.0, abs=0.3)
    assert "gastric_reference_mmhg" not in marks.status


def test_a_catheter_that_ends_in_the_diaphragm_reads_the_hernia_and_says_so():
    marks, _ = marks_of(hernia(34.9))
    assert marks.status["gastric_reference_mmhg"] == "gastric_in_hernia"
    assert max(marks.gastric_sensors_cm) < 35.0
    assert marks_of(hernia(35.1))[0].status["gastric_reference_mmhg"] == "gastric_single"


@pytest.mark.parametrize("shift", [-0.5, -0.3, 0.0, 0.3, 0.5])
def test_a_peak_is_found_between_sensors_too(shift):
    """Sensors 1 cm apart, moved against the sphincter."""
    pressure = study(depth=np.arange(0, 37.0) + shift, thoracic=8.0, les=30.0, breath=0.0)
    assert marks_of(pressure)[0].les_peak_cm == pytest.approx(LES, abs=0.1)


def test_high_or_thoracic_sensors_are_no_stomach():
    pressure = study(depth=np.arange(0, 38.0), les=60.0)
    pressure[36:] += 20.0
    marks, _ = marks_of(pressure)
    assert max(marks.gastric_sensors_cm) < 36


def test_the_diaphragm_is_where_inspiration_adds_most_and_polarity_turns_at_the_hiatus():
    marks, breathing = marks_of(study(depth=DENSE, crural=20.0))
    assert breathing.status == "ok"
    assert marks.crural_diaphragm_cm == pytest.approx(LES, abs=0.5)
    assert marks.pressure_inversion_point_cm == pytest.approx(LES, abs=1.5)


def test_without_breathing_there_is_no_diaphragm():
    marks, breathing = marks_of(study(breath=0.0))
    assert breathing.status == "respiration_not_found"
    for name in ("crural_diaphragm_cm", "pressure_inversion_point_cm"):
        assert math.isnan(getattr(marks, name))
        assert marks.status[name] == "respiration_not_found"


def test_a_sphincter_without_tone_is_placed_by_its_relaxation():
    """No resting peak that stands out; on swallowing it falls by 6 mmHg at 30 cm."""
    pressure = study(depth=np.arange(36.0), les=0.0, thoracic=8.0, breath=0.0)
    depth, time = pressure["depth"].values[:, None], pressure["time"].values[None, :]
    relaxed = sum(((time > at + 0.5) & (time < at + 8)).astype(float) for at in (40.0, 50.0))
    bump = np.exp(-0.5 * ((depth - LES) / 1.2) ** 2)
    falling = pressure - 6 * relaxed * bump
    marks, _ = marks_of(falling, onsets=[40.0, 50.0])
    assert marks.status["les"] == "les_uncertain"
    assert marks.les_peak_cm == pytest.approx(LES)
    assert marks.les_upper_cm == pytest.approx(LES - BORDER * 1.2, abs=0.15)


def test_a_sphincter_with_neither_tone_nor_relaxation_is_not_placed():
    marks, _ = marks_of(study(les=0.0, thoracic=8.0, breath=0.0), onsets=[20.0])
    assert math.isnan(marks.les_upper_cm)
    assert marks.status["les"] == "not_definable_by_pressure"


def test_the_rough_place_is_the_highest_peak_below():
    everything = np.ones(3000, bool)
    assert rough_les(study(), 20.0, everything) == LES
    assert rough_les(study(), 0.0, everything) == UES
    assert math.isnan(rough_les(study(), 34.0, everything))


def proposal(pressure, *, hints=(), stated=()):
    return propose(pressure, hints=list(hints), stated=list(stated), parameters=PARAMETERS)


def test_everything_together():
    seen = proposal(study(*(Act(at) for at in (40.0, 65.0, 90.0)), duration=120.0))
    assert [onset.method for onset in seen.onsets] == ["ues_relaxation"] * 3
    np.testing.assert_allclose(
        [onset.time_s for onset in seen.onsets], [40.1, 65.1, 90.1], atol=0.05
    )
    assert seen.coughs == ()
    assert seen.baseline.status == "ok"
    assert seen.breathing.status == "ok"
    assert seen.landmarks.ues_upper_cm == pytest.approx(6.6, abs=0.2)
    assert seen.landmarks.les_lower_cm == pytest.approx(LES + BORDER, abs=0.3)


def test_no_swallow():
    seen = proposal(study())
    assert seen.onsets == ()
    assert seen.baseline.status == "ok"
    assert math.isfinite(seen.landmarks.les_upper_cm)


def test_a_stated_swallow_without_sign_is_kept_and_says_so():
    seen = proposal(study(Act(20.0), duration=80.0), stated=[21.0, 50.0])
    assert [(round(o.time_s), o.method) for o in seen.onsets] == [
        (20, "ues_relaxation"),
        (50, "stated"),
    ]


def test_a_ues_without_tone_is_placed_below_the_wave():
    seen = proposal(study(*(Act(at) for at in (40.0, 65.0)), ues=0.0, duration=90.0))
    assert [onset.method for onset in seen.onsets] == ["pharyngeal_wave"] * 2
    marks = seen.landmarks
    assert marks.status["ues_upper_cm"] == "estimated_from_pharyngeal_wave"
    # The topmost 4 cm stand for the pharynx; the sphincter is given 3 cm below them.
    assert (marks.ues_upper_cm, marks.ues_lower_cm) == (4.0, 7.0)


def test_no_ues_and_no_wave():
    marks = proposal(study(ues=0.0)).landmarks
    assert math.isnan(marks.ues_upper_cm)
    assert marks.status["ues_upper_cm"] == marks.status["ues_lower_cm"] == "no_ues_tone"


def test_no_rest_between_swallows():
    seen = proposal(study(*(Act(at) for at in np.arange(2.0, 28.0, 5.0)), duration=30.0))
    assert seen.baseline is None
    assert seen.breathing is None
    assert len(seen.onsets) >= 5
    assert math.isnan(seen.landmarks.les_upper_cm)
