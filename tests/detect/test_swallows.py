"""The UES at rest, coughs, and what makes a candidate."""

import math

import numpy as np
import pytest

from hrm.detect.profile import Sphincter, find_ues
from hrm.detect.proposal import proposal_warnings, propose
from hrm.detect.swallows import find_candidates, find_coughs, unanswered_falls
from tests.detect.signals import PARAMETERS, UES, UES_SD, Act, study, wrap

HALF = UES_SD * math.sqrt(2 * math.log(2))  # half width of a Gaussian at half maximum


def candidates(pressure, *, hints=(), coughs=(), ues="found"):
    zone = find_ues(pressure, PARAMETERS) if ues == "found" else ues
    return find_candidates(
        pressure, zone, coughs=list(coughs), hints=list(hints), parameters=PARAMETERS
    )


@pytest.mark.parametrize(("step", "within"), [(0.1, 0.01), (1.0, 0.12)])
def test_the_borders_of_the_ues_are_at_half_of_its_peak(step, within):
    seen = find_ues(study(depth=np.arange(0, 35.05, step), breath=0.0), PARAMETERS)
    assert seen.upper_cm == pytest.approx(UES - HALF, abs=within)
    assert seen.lower_cm == pytest.approx(UES + HALF, abs=within)
    assert seen.peak_cm == pytest.approx(UES)
    assert seen.peak_mmhg == pytest.approx(60.0, abs=0.1)


def test_the_borders_count_from_the_baselines_on_either_side():
    pressure = study(depth=np.arange(0, 35.05, 0.1), breath=0.0, ues=40.0)
    depth = pressure["depth"].values[:, None]
    raised = pressure + 10.0 * (depth < UES)  # 10 mmHg in the pharynx, 0 in the esophagus
    seen = find_ues(raised, PARAMETERS)
    # The peak is 50. Above, half way from 10 is 30: 20 of the Gaussian of 40. Below it is 25.
    assert seen.upper_cm == pytest.approx(UES - HALF, abs=0.03)
    lower = UES_SD * math.sqrt(2 * math.log(40 / 25))
    assert seen.lower_cm == pytest.approx(UES + lower, abs=0.03)


def test_swallows_do_not_move_the_ues():
    quiet = find_ues(study(), PARAMETERS)
    busy = find_ues(study(*(Act(at) for at in (10.0, 25.0, 40.0))), PARAMETERS)
    assert busy.upper_cm == pytest.approx(quiet.upper_cm, abs=0.1)
    assert busy.lower_cm == pytest.approx(quiet.lower_cm, abs=0.1)


@pytest.mark.parametrize("tone", [0.0, 8.0])
def test_no_ues_without_tone(tone):
    assert find_ues(study(ues=tone), PARAMETERS) is None


def test_a_high_pressure_zone_in_the_lower_half_is_no_ues():
    below = study(ues=0.0, les=80.0)
    assert find_ues(below, PARAMETERS) is None


def test_a_ues_at_the_first_sensor_ends_there():
    seen = find_ues(study(depth=np.arange(8.0, 40.0)), PARAMETERS)
    assert seen.upper_cm == 8.0


def coughing(*, height=60.0, share=1.0, rise_s=0.05, length_s=0.3, at=20.0):
    pressure = study(breath=0.0)
    t = pressure["time"].values
    up = np.clip((t - at) / rise_s, 0, 1) - np.clip((t - at - length_s) / rise_s, 0, 1)
    touched = np.arange(36) < round(36 * share)
    return pressure + height * up * touched[:, None]


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({}, 1),
        ({"height": 31.0}, 1),
        ({"height": 25.0}, 0),
        ({"share": 0.9}, 1),
        ({"share": 0.7}, 0),
        ({"rise_s": 1.5, "length_s": 2.0}, 0),
    ],
)
def test_a_cough_is_a_fast_rise_at_nearly_every_sensor(options, count):
    seen = find_coughs(coughing(**options), PARAMETERS)
    assert len(seen) == count
    if count:
        assert seen[0] == pytest.approx(20.05, abs=0.1)


def test_a_plateau_is_no_cough():
    """A simultaneous rise that lasts for seconds is pressurization (SPEC 11: < 1 s)."""
    assert find_coughs(coughing(length_s=3.0), PARAMETERS) == []


def test_a_swallow_is_no_cough():
    assert find_coughs(study(Act(20.0)), PARAMETERS) == []


def test_wave_and_fall_are_one_swallow():
    (seen,) = candidates(study(Act(20.0)))
    assert seen.ues_fell
    assert seen.time_s == pytest.approx(20.2, abs=0.1)
    places, moments = zip(*seen.arrival_s, strict=True)
    assert places == (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)
    # The rising flank crosses 30 mmHg this long before the peak.
    lead = 0.12 * math.sqrt(2 * math.log(80 / 30))
    np.testing.assert_allclose(moments, 20.4 + 0.08 * np.array(places) - lead, atol=0.02)


def test_a_wave_alone_is_a_swallow():
    (seen,) = candidates(study(Act(20.0, fall=False)))
    assert not seen.ues_fell
    assert len(seen.arrival_s) == 6


@pytest.mark.parametrize(
    "act", [Act(20.0, fall=False), Act(20.0, fall=False, body=0, relaxes=False)]
)
def test_a_wave_of_two_cm_needs_no_activity_below(act):
    assert len(candidates(study(act))) == 1


def test_a_wave_that_runs_upwards_is_none():
    assert candidates(study(Act(20.0, fall=False, upwards=True))) == []


NO_PHARYNX = np.arange(7.0, 40.0)


def test_a_fall_alone_is_a_swallow_if_something_follows():
    (seen,) = candidates(study(Act(20.0, wave=False), depth=NO_PHARYNX))
    assert (seen.ues_fell, seen.arrival_s) == (True, ())
    assert seen.time_s == pytest.approx(20.1, abs=0.05)
    nothing = study(Act(20.0, wave=False, body=0, relaxes=False), depth=NO_PHARYNX)
    assert candidates(nothing) == []


def test_relaxation_of_the_les_alone_is_activity():
    failed = study(Act(20.0, wave=False, body=0), depth=NO_PHARYNX)
    assert len(candidates(failed)) == 1


def test_a_marker_backs_a_fall_that_nothing_follows():
    lone = study(Act(20.0, wave=False, body=0, relaxes=False), depth=NO_PHARYNX)
    assert len(candidates(lone, hints=[18.0])) == 1
    assert candidates(lone, hints=[10.0]) == []


def test_a_pharynx_in_view_that_saw_no_wave_speaks_against_a_lone_fall():
    pressure = study(Act(20.0, wave=False, body=0, relaxes=False))
    assert candidates(pressure) == []
    assert len(candidates(pressure, hints=[21.0])) == 1


@pytest.mark.parametrize(
    "act",
    [Act(20.0, wave=False), Act(20.0, wave=False, body=0), Act(20.0, wave=False, relaxes=False)],
)
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_a_pharynx_without_a_wave_does_not_hide_what_body_and_les_show(act, noise):
    pressure = study(act)
    pressure = pressure + noise * np.random.default_rng(5).standard_normal(pressure.shape)
    (seen,) = candidates(pressure)
    assert (seen.ues_fell, seen.arrival_s) == (True, ())
    assert seen.time_s == pytest.approx(20.1, abs=0.05)


def test_a_fall_soon_after_a_swallow_with_its_wave_is_none():
    """What body and LES do then may still answer to the swallow before."""
    assert len(candidates(study(Act(20.0), Act(29.0, wave=False)))) == 1


def overshoot(pressure, at, *, height=80.0, reach=1.0):
    """The UES contracts after a swallow; its border spreads by `reach` cm."""
    depth, time = pressure["depth"].values[:, None], pressure["time"].values[None, :]
    place = np.exp(-0.5 * ((depth - UES) / (UES_SD + reach)) ** 2)
    return pressure + height * place * np.exp(-0.5 * ((time - at) / 0.2) ** 2)


@pytest.mark.parametrize("top", [0.0, 5.0, 6.0])
def test_the_after_contraction_of_the_ues_is_no_pharyngeal_wave(top):
    acts = study(Act(20.0, wave=False), depth=np.arange(top, 40.0))
    (seen,) = candidates(overshoot(acts, 21.4))
    assert seen.arrival_s == ()
    assert seen.time_s == pytest.approx(20.1, abs=0.05)


def test_the_end_of_an_after_contraction_is_no_fall():
    quiet = study(Act(20.0, fall=False, wave=False))
    time = quiet["time"].values
    held = ((time >= 15.0) & (time < 20.0)) * 120.0
    depth = quiet["depth"].values[:, None]
    raised = quiet + held * np.exp(-0.5 * ((depth - UES) / UES_SD) ** 2)
    assert candidates(raised) == []


def test_falls_that_were_not_taken_are_counted():
    acts = [Act(at, wave=False, body=0, relaxes=False) for at in (20.0, 35.0, 50.0)]
    pressure = study(*acts, Act(70.0), duration=90.0)
    zone = find_ues(pressure, PARAMETERS)
    found = [c.time_s for c in candidates(pressure)]
    assert found == [pytest.approx(70.2, abs=0.1)]
    falls = unanswered_falls(pressure, zone, found, [], PARAMETERS)
    assert falls == [pytest.approx(at + 0.1, abs=0.05) for at in (20.0, 35.0, 50.0)]
    proposal = propose(pressure, hints=[], stated=[], parameters=PARAMETERS)
    assert any("falls 3 times" in text for text in proposal_warnings(proposal))
    marked = propose(pressure, hints=[20.0, 35.0, 50.0], stated=[], parameters=PARAMETERS)
    assert len(marked.onsets) == 4
    assert not any("UES falls" in text for text in proposal_warnings(marked))


def test_a_marker_makes_no_swallow():
    assert candidates(study(), hints=[20.0]) == []


def test_without_ues_tone_the_wave_suffices():
    (seen,) = candidates(study(Act(20.0), ues=0.0))
    assert not seen.ues_fell
    assert seen.time_s == pytest.approx(20.2, abs=0.1)


def test_a_cough_is_not_taken_for_a_swallow():
    pressure = coughing()
    assert candidates(pressure, coughs=find_coughs(pressure, PARAMETERS)) == []


def test_swallows_five_seconds_apart_are_two():
    seen = candidates(study(Act(20.0), Act(25.0)))
    assert [round(c.time_s) for c in seen] == [20, 25]


def test_signs_closer_than_the_refractory_time_are_one_swallow():
    assert len(candidates(study(Act(20.0), Act(20.5)))) == 1


def test_two_waves_in_one_relaxation_merge_and_in_two_do_not():
    one = study(Act(20.0), Act(21.5, fall=False))
    assert len(candidates(one)) == 1
    two = study(Act(20.0), Act(22.5))
    assert len(candidates(two)) == 2


def test_a_zone_between_sensors_is_watched_at_its_nearest_sensor():
    pressure = study(Act(20.0, wave=False), depth=NO_PHARYNX)
    thin = Sphincter(7.6, 8.0, 7.9, 60.0)
    assert len(candidates(pressure, ues=thin)) == 1


def test_a_recording_shorter_than_the_base_has_no_falls():
    short = wrap(np.full((36, 40), 5.0), np.arange(36.0), np.arange(40) / 50)
    assert candidates(short, ues=Sphincter(6.5, 8.0, 9.5, 60.0)) == []
