"""The resting segment by each rule, and breathing of a known rate."""

import numpy as np
import pytest

from hrm.detect._signal import band_pass, local_maxima, runs
from hrm.detect.baseline import Baseline, contraction_ends, find_baseline, find_respiration
from tests.detect.signals import BREATH_HZ, LES, PARAMETERS, UES, Act, study

BODY = (np.arange(36) >= UES + 3) & (np.arange(36) <= LES - 3)


def rest(*starts, duration=60.0):
    pressure = study(*(Act(at) for at in starts), duration=duration)
    ends = contraction_ends(pressure, list(starts), BODY, PARAMETERS)
    return find_baseline(pressure, list(starts), ends, BODY, PARAMETERS)


def test_the_end_of_a_contraction_is_the_last_body_sample_above_20():
    pressure = study(Act(10.0), duration=40.0)
    (end,) = contraction_ends(pressure, [10.0], BODY, PARAMETERS)
    # The lowest body sensor, 27 cm: peak at 10 + 1.5 + 19/4, then down to 20 of 70 mmHg.
    known = 16.25 + np.sqrt(2 * np.log(70 / 20))
    assert end == pytest.approx(known, abs=0.1)


def test_a_swallow_without_contraction_ends_at_its_onset():
    pressure = study(Act(10.0, body=0.0), duration=40.0)
    assert contraction_ends(pressure, [10.0], BODY, PARAMETERS) == [10.0]


def test_contraction_ends_stop_at_the_next_onset_and_without_sensors():
    pressure = study(Act(10.0), Act(14.0))
    ends = contraction_ends(pressure, [10.0, 14.0], BODY, PARAMETERS)
    assert ends[0] < 14.0 < ends[1]
    nowhere = np.zeros(36, bool)
    assert contraction_ends(pressure, [10.0, 14.0], nowhere, PARAMETERS) == [10.0, 14.0]


def test_thirty_seconds_before_the_first_swallow():
    seen = rest(40.0, 70.0, duration=100.0)
    assert (seen.start_s, seen.stop_s, seen.status) == (0.0, 39.0, "ok")
    assert seen.quiet[: 39 * 50].all()
    assert not seen.quiet[39 * 50 + 2 :].any()


def test_the_earliest_long_stretch_wins_over_the_longest():
    assert rest(35.0, 120.0, duration=130.0).start_s == 0.0


def test_thirty_seconds_start_fifteen_seconds_after_a_contraction():
    seen = rest(10.0, 75.0, duration=80.0)
    assert seen.status == "ok"
    assert seen.start_s == pytest.approx(10 + 7.83 + 15, abs=0.2)
    assert seen.stop_s == 74.0


@pytest.mark.parametrize("after", [73.5, 62.0, 45.0])
def test_a_shorter_stretch_is_used_and_says_so(after):
    """The longest that keeps both margins, if none of 30 s does."""
    seen = rest(10.0, after - 10.0, duration=after - 9.0)
    known = (10 + 7.83 + 15, after - 11.0)
    if known[1] - known[0] >= 30:
        assert seen.status == "ok"
    elif known[1] - known[0] > 9.0:
        assert seen.status == "baseline_short"
        assert seen.start_s == pytest.approx(known[0], abs=0.2)
        assert seen.stop_s == known[1]
    else:
        assert (seen.start_s, seen.stop_s, seen.status) == (0.0, 9.0, "baseline_short")


def test_then_a_stretch_right_after_a_contraction():
    seen = rest(*np.arange(3.0, 60.0, 15.0), duration=60.0)
    assert seen.status == "baseline_short"
    # Three stretches are equal but for rounding.
    assert (seen.start_s - 3) % 15 == pytest.approx(7.83, abs=0.2)
    assert seen.stop_s == pytest.approx(seen.start_s + 14 - 7.83, abs=0.2)


def test_the_last_resort_lies_between_swallows():
    seen = rest(*np.arange(3.0, 60.0, 10.0), duration=60.0)
    assert (seen.start_s, seen.stop_s) == (5.0, 12.0)
    assert seen.status == "baseline_short"


def test_no_stretch_of_five_seconds():
    assert rest(*np.arange(2.0, 30.0, 6.0), duration=30.0) is None


def test_a_contraction_without_swallow_is_not_rest():
    pressure = study(duration=60.0)
    t = pressure["time"].values
    spasm = 60 * np.exp(-0.5 * ((t - 20) / 1.5) ** 2) * BODY[:, None]
    seen = find_baseline(pressure + spasm, [], [], BODY, PARAMETERS)
    assert (seen.start_s, seen.status) == (0.0, "ok")
    assert not seen.quiet[(t > 19) & (t < 21)].any()
    assert seen.quiet[(t < 15) | (t > 25)].all()


def breathing(pressure, *, start=0.0, stop=40.0):
    depth, time = pressure["depth"].values, pressure["time"].values
    quiet = (time >= start) & (time <= stop)
    return find_respiration(
        pressure,
        Baseline(start, stop, "ok", quiet),
        thoracic=(depth >= LES - 10) & (depth <= LES - 3),
        abdominal=depth > LES + 3,
        parameters=PARAMETERS,
    )


@pytest.mark.parametrize("start", [0.0, 11.0])
def test_breaths_of_a_sinusoid(start):
    """Inspiration, the peak of abdominal minus thoracic pressure, at every fourth second."""
    pressure = study(duration=60.0)
    seen = breathing(pressure, start=start, stop=start + 37.0)
    time = pressure["time"].values
    # The ends of the stretch may cut a breath in two; inside, every peak is found.
    known = np.arange(np.ceil((start + 2) / 4), (start + 35) // 4 + 1) / BREATH_HZ
    inner = np.abs(time - start - 18.5) < 17
    peaks = seen.inspiration[inner[seen.inspiration]]
    ends = seen.end_expiration[inner[seen.end_expiration]]
    assert seen.status == "ok"
    np.testing.assert_allclose(time[peaks], known, atol=0.1)
    np.testing.assert_allclose(time[ends] % 4, 2.0, atol=0.3)
    assert ends.size >= peaks.size - 1
    assert np.std(seen.signal) == pytest.approx(1.0, abs=0.01)


def test_breathing_is_found_from_the_chest_alone_and_below_drift_and_heartbeat():
    pressure = study(duration=60.0, depth=np.arange(0, 30.0))
    time = pressure["time"].values
    assert breathing(pressure).status == "ok"
    full = study(duration=60.0)
    worse = full + 0.2 * time + 3 * np.sin(2 * np.pi * 1.2 * time)
    assert breathing(worse).inspiration.size == breathing(full).inspiration.size


def test_no_breathing():
    still = breathing(study(duration=60.0, breath=0.0))
    assert still.status == "respiration_not_found"
    assert still.inspiration.size == still.end_expiration.size == 0
    assert breathing(study(duration=60.0), stop=6.0).status == "respiration_not_found"


def test_a_contraction_inside_the_baseline_is_no_breath():
    """Bridged where the body contracts: the breaths around it stay where they were."""
    pressure = study(duration=60.0)
    t = pressure["time"].values
    spasm = 120 * np.exp(-0.5 * ((t - 20) / 1.5) ** 2) * BODY[:, None]
    base = find_baseline(pressure + spasm, [], [], BODY, PARAMETERS)
    depth = pressure["depth"].values
    groups = {"thoracic": (depth >= LES - 10) & (depth <= LES - 3), "abdominal": depth > LES + 3}
    seen = find_respiration(pressure + spasm, base, **groups, parameters=PARAMETERS)
    clean = find_respiration(
        pressure, Baseline(0.0, base.stop_s, "ok", t >= 0), **groups, parameters=PARAMETERS
    )
    away = clean.inspiration[np.abs(t[clean.inspiration] - 20) > 6]
    assert seen.status == "ok"
    assert all(np.abs(seen.inspiration - k).min() <= 0.25 * 50 for k in away)
    assert not ((t[seen.inspiration] > 17) & (t[seen.inspiration] < 23)).any()


def test_two_breaths_are_not_enough_to_be_sure_of_breathing():
    pressure = study(duration=60.0)
    assert breathing(pressure, stop=11.0).status == "respiration_not_found"
    assert breathing(pressure, stop=11.0).end_expiration.size == 0


def test_helpers():
    assert runs(np.array([1, 1, 0, 1], bool)).tolist() == [[0, 2], [3, 4]]
    assert runs(np.zeros(3, bool)).shape == (0, 2)
    assert local_maxima(np.array([0, 3, 1, 2, 0.0]), prominence=0.5, spacing=1).tolist() == [1, 3]
    assert local_maxima(np.array([0, 3, 1, 2, 0.0]), prominence=1.5, spacing=1).tolist() == [1]
    assert local_maxima(np.array([0, 3, 1, 2, 0.0]), prominence=0.5, spacing=3).tolist() == [1]
    assert local_maxima(np.array([5, 3, 1.0]), prominence=0.1, spacing=1).size == 0
    t = np.arange(4000) / 50
    inside, outside = np.sin(2 * np.pi * 0.3 * t), np.sin(2 * np.pi * 1.5 * t)
    passed = band_pass(7 + 0.1 * t + inside + outside, 50.0, 0.1, 0.7)
    np.testing.assert_allclose(passed[500:-500], inside[500:-500], atol=0.1)
