"""Entry, exit and nadir of a bolus, transit, impedance at rest."""

import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from hrm.metrics.impedance import (
    Passage,
    Segments,
    at_level,
    baseline_impedance,
    bolus_transit,
    passage,
    passages,
    percent_complete,
    positions_known,
    segment_baselines,
    segments,
    swallow_window,
)
from tests.metrics.fields import INF, PARAMETERS, between
from tests.naive import impedance as naive

NAN = math.nan
ONSET, LES, UES = 10.0, 40.0, 18.0


def clock(stop=45.0, rate=50.0):
    return np.arange(round(stop * rate)) / rate


def filled(t, start, stop, *, base=2400.0, low=400.0):
    """Impedance that falls to `low` from `start` to `stop`."""
    return np.where(between(t, start, stop) > 0, low, base)


def follow(t, ohm, *, stop=INF, depth=30.0, rules=PARAMETERS, onset=ONSET):
    return passage(t, ohm, depth_cm=depth, onset_s=onset, stop_s=stop, parameters=rules)


@pytest.mark.parametrize("rate", [10.0, 50.0, 256.0])
def test_a_bolus_enters_and_leaves_half_way(rate):
    """Straight ramps of 1 s: half way is in their middle, whatever the rate."""
    t = clock(rate=rate)
    down, up = np.clip(t - 12.0, 0, 1), np.clip(t - 16.0, 0, 1)
    seen = follow(t, 2400 - 2000 * down + 2000 * up)
    assert seen.entry_s == pytest.approx(12.5)
    assert seen.exit_s == pytest.approx(16.5)
    assert (seen.base_ohm, seen.nadir_ohm, seen.status) == (2400.0, 400.0, "ok")


def test_the_nadir_is_the_middle_of_the_time_at_the_least_impedance():
    t = clock()
    ohm = filled(t, 12, 17)
    ohm[(t >= 14) & (t < 15)] = 350.0
    assert follow(t, ohm).nadir_s == pytest.approx(14.49, abs=0.011)


def test_the_last_fall_before_the_nadir_is_the_entry():
    """A first bolus comes and goes within 3 s; the deeper one counts from its own fall."""
    t = clock()
    ohm = np.minimum(filled(t, 11, 12), filled(t, 14, 17, low=300.0))
    seen = follow(t, ohm)
    assert seen.entry_s == pytest.approx(14.0, abs=0.02)
    assert seen.exit_s == pytest.approx(17.0, abs=0.02)


@pytest.mark.parametrize(("back", "leave"), [(21.97, 23.0), (22.03, 17.0)])
def test_the_impedance_stays_up_for_5_s(back, leave):
    t = clock()
    ohm = np.minimum(filled(t, 12, 17, low=300.0), filled(t, back, 23.0))
    assert follow(t, ohm).exit_s == pytest.approx(leave, abs=0.02)


def test_a_bolus_that_stays_has_no_exit():
    t = clock()
    seen = follow(t, filled(t, 12, 40))
    assert (seen.status, math.isnan(seen.exit_s)) == ("ok", True)
    assert seen.entry_s == pytest.approx(12.0, abs=0.02)


@pytest.mark.parametrize(
    ("stop", "status", "leaves"),
    [(27.0, "ok", True), (21.9, "window_truncated", False), (16.9, "ok", False)],
)
def test_the_next_swallow_may_come_before_the_exit_is_sure(stop, status, leaves):
    """Up from 17 s: 5 s of it by 22 s. While it is still down, it has not left."""
    t = clock()
    seen = follow(t, filled(t, 12, 17), stop=stop)
    assert seen.status == status
    assert math.isfinite(seen.exit_s) == leaves


def test_a_bolus_that_leaves_after_15_s_has_not_left():
    t = clock()
    seen = follow(t, filled(t, 12, 26))
    assert (seen.status, math.isnan(seen.exit_s)) == ("ok", True)
    assert math.isfinite(follow(t, filled(t, 12, 24.9)).exit_s)


def test_a_lumen_that_was_full_before_shows_no_entry():
    t = clock()
    seen = follow(t, filled(t, 9.2, 15, low=300.0))
    assert math.isnan(seen.entry_s)
    assert seen.exit_s == pytest.approx(15.0, abs=0.02)
    assert follow(t, filled(t, 0, 40)).status == "no_bolus"


def test_a_bolus_that_comes_just_before_the_dated_onset_is_seen():
    t = clock()
    assert follow(t, filled(t, 9.7, 15)).entry_s == pytest.approx(9.7, abs=0.02)


@pytest.mark.parametrize(("low", "status"), [(1681.0, "no_bolus"), (1679.0, "ok")])
def test_a_fall_by_less_than_three_tenths_is_no_bolus(low, status):
    t = clock()
    seen = follow(t, filled(t, 12, 15, low=low))
    assert seen.status == status
    assert math.isnan(seen.nadir_s) == (status == "no_bolus")


@pytest.mark.parametrize("wrong", [NAN, 0.0, -3.0, INF])
def test_a_broken_segment_is_told(wrong):
    t = clock()
    for moment in (8.0, 13.0, 28.0):
        ohm = filled(t, 12, 15)
        ohm[int(moment * 50)] = wrong
        assert follow(t, ohm).status == "sensor_failed"
    ohm = filled(t, 12, 15)
    ohm[[0, -1]] = wrong  # far away
    assert follow(t, ohm).status == "ok"


def test_a_swallow_at_the_start_has_no_baseline():
    t = clock()
    assert follow(t, filled(t, 3, 8), onset=1.9).status == "window_truncated"
    assert follow(t, filled(t, 3, 8), onset=2.1).status == "ok"
    assert follow(t[:1], t[:1] + 1.0).status == "window_truncated"
    assert follow(t, filled(t, 12, 15), stop=10.01).status == "window_truncated"


def test_the_window_of_a_swallow():
    assert swallow_window(ONSET, INF, PARAMETERS) == (6.5, 30.0)
    assert swallow_window(2.0, 12.0, PARAMETERS) == (0.0, 12.0)


def test_the_parameters_reach_the_passage():
    t = clock()
    down, up = np.clip(t - 12.0, 0, 1), np.clip(t - 16.0, 0, 1)
    ohm = 2400 - 2000 * down + 2000 * up
    high = follow(t, ohm, rules=PARAMETERS.replace({"bolus.level": 0.75}))
    assert (high.entry_s, high.exit_s) == pytest.approx((12.25, 16.75))
    late = filled(t, 12, 40, low=800.0)
    late[t >= 24] = 500.0
    assert follow(t, late).nadir_ohm == 500.0
    assert follow(t, late, rules=PARAMETERS.replace({"bolus.look_s": 12.0})).nadir_ohm == 800.0
    assert follow(
        t, filled(t, 12, 16), rules=PARAMETERS.replace({"bolus.least_fall": 0.9})
    ).status == ("no_bolus")
    early, late = (np.where(t < end, 3000.0, filled(t, 12, 16)) for end in (7.5, 8.6))
    assert (follow(t, early).base_ohm, follow(t, late).base_ohm) == (2400.0, 3000.0)
    assert follow(t, late, rules=PARAMETERS.replace({"bolus.base_s": 1.0})).base_ohm == 2400.0
    back = PARAMETERS.replace({"bolus.base_gap_s": 2.5, "bolus.base_s": 2.0})
    assert follow(t, early, rules=back).base_ohm == 3000.0


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    rate=st.sampled_from([8.0, 20.0, 50.0]),
    stop=st.sampled_from([INF, 16.0, 22.0, 27.0, 29.0]),
)
def test_a_passage_agrees_with_the_twin(seed, rate, stop):
    rng = np.random.default_rng(seed)
    t = clock(35.0, rate)
    ohm = np.full(t.size, 2400.0)
    for start in rng.uniform(9, 28, rng.integers(0, 4)):
        hold = np.exp(-0.5 * ((t - start) / rng.uniform(0.2, 3.0)) ** 2)
        ohm *= 1 - rng.uniform(0.1, 0.9) * hold
    ohm = np.round(ohm * (1 + 0.02 * rng.standard_normal(t.size)), int(rng.integers(-1, 3)))
    seen = follow(t, ohm, stop=stop)
    known = naive.passage(t, ohm, onset=ONSET, stop=stop)
    if isinstance(known, str):
        assert seen.status == known
    else:
        assert seen.status in ("ok", "window_truncated")
        assert (seen.entry_s, seen.exit_s, seen.nadir_s) == pytest.approx(known, nan_ok=True)


def body(entry=lambda z: 11 + z / 20, leave=lambda z: 12 + z / 4, *, offset=0.0, rate=50.0):
    """Segments 2 cm apart, through which a bolus runs from `entry` to `leave`."""
    t = clock(rate=rate)
    depth = np.arange(14.0 + offset, 50.0, 2.0)
    rows = [filled(t, entry(z), leave(z)) for z in depth]
    return Segments(np.array(rows), depth, t)


def judge(found, *, stop=INF, ues=UES, les=LES, rules=PARAMETERS):
    seen = passages(found, onset_s=ONSET, stop_s=stop, top_cm=ues, bottom_cm=les, parameters=rules)
    return bolus_transit(
        seen, onset_s=ONSET, stop_s=stop, ues_lower_cm=ues, les_upper_cm=les, parameters=rules
    )


@pytest.mark.parametrize("offset", [0.0, 0.6, 1.0, 1.7])
def test_transit_time_runs_from_15_to_5_cm_wherever_the_segments_lie(offset):
    """Entry at 25 cm is 12.25 s, exit at 35 cm 20.75 s."""
    found = judge(body(offset=offset))
    assert (found.transit, found.status) == ("complete", "ok")
    assert found.transit_time.value == pytest.approx(8.5, abs=0.03)
    assert [level.depth_cm for level in found.levels] == [35.0, 30.0, 25.0]
    for level in found.levels:
        assert level.entry_s == pytest.approx(11 + level.depth_cm / 20, abs=0.02)
        assert level.exit_s == pytest.approx(12 + level.depth_cm / 4, abs=0.02)


@pytest.mark.parametrize("place", [25.0, 30.0, 35.0])
def test_a_bolus_that_stays_at_one_level_is_incomplete(place):
    found = judge(body(leave=lambda z: 44.0 if abs(z - place) < 1.5 else 12 + z / 4))
    assert found.transit == "incomplete"
    assert found.transit_time.status == "no_bolus_exit"
    assert math.isnan(found.transit_time.value)


@pytest.mark.parametrize("place", [20.0, 39.0])
def test_what_stays_beyond_the_levels_does_not_count(place):
    found = judge(body(leave=lambda z: 44.0 if abs(z - place) < 1.5 else 12 + z / 4))
    assert found.transit == "complete"


def test_a_bolus_that_never_reaches_the_lowest_level_is_incomplete():
    found = judge(body(leave=lambda z: 12 + z / 4 if z < 33 else 11 + z / 20))
    assert found.levels[0].status == "no_bolus"
    assert found.transit == "incomplete"


def test_only_segments_of_the_body_are_followed():
    found = body()
    borders = {"top_cm": UES, "bottom_cm": LES}
    seen = passages(found, onset_s=ONSET, stop_s=INF, parameters=PARAMETERS, **borders)
    assert [one.depth_cm for one in seen] == list(np.arange(18.0, 41.0, 2.0))
    assert seen[3].entry_s == pytest.approx(11 + 24 / 20, abs=0.02)


def test_a_bolus_that_stays_somewhere_is_incomplete_whatever_the_others_do():
    """Before the next swallow at 27 s, the lowest level is up for 4 s only."""
    late = body(leave=lambda z: 44.0 if z < 27 else 23.0)
    assert judge(late, stop=27.0).transit == "incomplete"
    assert judge(body(leave=lambda z: 23.0), stop=27.0).status == "window_truncated"


def test_a_dry_swallow_is_not_judged():
    found = judge(body(leave=lambda z: 11 + z / 20))
    assert (found.transit, found.status) == (None, "no_bolus")
    assert (found.transit_time.status, len(found.levels)) == ("no_bolus", 3)


def test_without_an_entry_at_the_top_transit_is_incomplete():
    found = judge(body(entry=lambda z: 9.3 if z < 27 else 11 + z / 20))
    assert found.transit == "incomplete"
    assert found.transit_time.status == "no_bolus_entry"


def test_a_swallow_is_judged_if_it_leaves_15_s():
    slow = body(leave=lambda z: 18 + z / 8)  # 22.4 s at the lowest level
    assert judge(slow, stop=24.98).status == "window_truncated"
    assert judge(slow, stop=25.0).status == "window_truncated"  # not up for 5 s yet
    assert judge(slow, stop=27.6).transit == "complete"
    quick = body(leave=lambda z: 12 + z / 5)
    assert judge(quick, stop=25.0).transit == "complete"
    assert judge(quick, stop=24.9).transit is None
    stays = body(leave=lambda z: 44.0)
    assert judge(stays, stop=25.0).transit == "incomplete"


def test_transit_needs_landmarks_and_a_body_long_enough():
    assert judge(body(), les=NAN).status == "landmark_missing"
    assert judge(body(), ues=NAN).status == "landmark_missing"
    assert judge(body(), ues=25.1).status == "segments_do_not_reach"
    assert judge(body(), ues=24.9).status == "ok"


def test_segments_that_do_not_reach_and_that_fail_are_told():
    found = body()
    short = Segments(found.values[10:], found.depth[10:], found.time)  # from 34 cm
    assert judge(short).status == "segments_do_not_reach"
    one, two = found.values.copy(), found.values.copy()
    one[8] = NAN  # 30 cm: the level lies on it, its neighbors are 2 cm away
    two[7:10] = NAN
    assert judge(Segments(one, found.depth, found.time)).transit == "complete"
    assert judge(Segments(two, found.depth, found.time)).status == "sensor_failed"


def test_a_level_between_two_segments_listens_to_the_nearer_one():
    seen = [
        Passage(30.0, 11.0, 15.0, 13.0, 2400.0, 400.0),
        Passage(32.0, 11.5, NAN, 13.5, 2200.0, 300.0),
    ]
    near, far = at_level(seen, 30.5, PARAMETERS), at_level(seen, 31.5, PARAMETERS)
    assert near.entry_s == pytest.approx(11.125)
    assert near.base_ohm == pytest.approx(2350.0)
    assert near.exit_s == 15.0
    assert math.isnan(far.exit_s)
    assert at_level(seen, 34.0, PARAMETERS).entry_s == 11.5
    assert at_level(seen, 34.1, PARAMETERS).status == "segments_do_not_reach"
    assert at_level(seen, 27.9, PARAMETERS).status == "segments_do_not_reach"
    assert at_level(seen, 32.0, PARAMETERS).entry_s == 11.5


def test_the_share_of_complete_swallows():
    found = percent_complete(["complete", None, "incomplete", "complete", "complete"])
    assert (found.value, found.detail["n"]) == (75.0, 4)
    for nothing in ([], [None, None]):
        assert percent_complete(nothing).status == "no_evaluable_swallow"


def resting(rate=20.0):
    t = clock(30.0, rate)
    depth = np.array([34.0, 36.0, 38.0, 40.0])
    rows = [np.full(t.size, ohm) for ohm in (3000.0, 2000.0, 1000.0, 500.0)]
    return Segments(np.array(rows), depth, t)


@pytest.mark.parametrize(
    ("les", "ohm"), [(39.0, 2000.0), (40.0, 1500.0), (37.5, 2750.0), (43.0, 500.0), (37.0, 3000.0)]
)
def test_impedance_at_rest_is_read_3_cm_above_the_les(les, ohm):
    found = resting()
    quiet = np.ones(found.time.size, bool)
    seen = baseline_impedance(found, quiet, les_upper_cm=les, parameters=PARAMETERS)
    assert seen.value == pytest.approx(ohm)
    moved = PARAMETERS.replace({"impedance.baseline_above_les_cm": 2.0})
    other = baseline_impedance(found, quiet, les_upper_cm=les - 1, parameters=moved)
    assert other.value == pytest.approx(ohm)


def test_only_quiet_time_counts_at_rest():
    found = resting()
    quiet = found.time < 10.0
    found.values[:, ~quiet] = 100.0
    assert [m.value for m in segment_baselines(found, quiet, PARAMETERS)] == pytest.approx(
        [3000.0, 2000.0, 1000.0, 500.0]
    )
    for seconds, status in ((5.1, "ok"), (4.9, "no_baseline"), (0.0, "no_baseline")):
        least = found.time < seconds
        seen = baseline_impedance(found, least, les_upper_cm=39.0, parameters=PARAMETERS)
        assert seen.status == status


@pytest.mark.parametrize(
    ("les", "status"),
    [(NAN, "landmark_missing"), (36.9, "segments_do_not_reach"), (43.1, "segments_do_not_reach")],
)
def test_impedance_at_rest_that_cannot_be_read(les, status):
    found = resting()
    quiet = np.ones(found.time.size, bool)
    seen = baseline_impedance(found, quiet, les_upper_cm=les, parameters=PARAMETERS)
    assert seen.status == status
    found.values[1, 3] = NAN
    broken = baseline_impedance(found, quiet, les_upper_cm=39.5, parameters=PARAMETERS)
    assert broken.status == "sensor_failed"
    assert [m.status for m in segment_baselines(found, quiet, PARAMETERS)].count("ok") == 3


def recorded(depth, rate=20.0):
    t = clock(30.0, rate)
    values = (np.arange(len(depth))[:, None] * 1000.0 + t[None, :]).astype(np.float32)
    return xr.DataArray(
        values,
        dims=("segment", "impedance_time"),
        coords={"impedance_time": t, "segment_depth": ("segment", np.array(depth, float))},
    )


def test_segments_are_cut_in_order_of_depth_and_the_unknown_are_left_out():
    ohm = recorded([30.0, NAN, 10.0, 20.0])
    found = segments(ohm, 5.0, 6.0)
    assert found.depth.tolist() == [10.0, 20.0, 30.0]
    assert (found.values[:, 0] // 1000).tolist() == [2.0, 3.0, 0.0]
    assert (found.time[0], found.time.size) == (5.0, 20)
    assert found.values.dtype == np.float64
    assert positions_known(ohm)


def test_positions_that_nobody_knows():
    ohm = recorded([NAN, NAN])
    assert not positions_known(ohm)
    found = segments(ohm, 5.0, 6.0)
    assert found.values.shape == (0, 20)
    assert found.at(20.0) is None
    assert judge(found).status == "segments_do_not_reach"


def test_impedance_at_a_depth_is_straight_between_segments():
    found = resting()
    assert found.at(35.5)[0] == pytest.approx(2250.0)
    assert found.at(34.0)[0] == 3000.0
    assert found.at(40.0)[0] == 500.0
    assert found.at(33.9) is None
    assert found.at(40.1) is None
    assert found.at(NAN) is None
    single = Segments(found.values[:1], found.depth[:1], found.time)
    assert single.at(34.0)[0] == 3000.0
    assert single.at(35.0) is None
