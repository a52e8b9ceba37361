"""The front of the contraction, the transition zone and the deceleration point."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrm.metrics.front import (
    Wavefront,
    deceleration_point,
    distal_latency,
    transition_zone,
    wavefront,
)
from tests.metrics.fields import INF, PARAMETERS, between, broken_front, field, times, wave
from tests.naive import metrics as naive

TOP, KNOT, LES = 10.0, 22.0, 24.5


def vector_5(z):
    """Test vector 5: 4 cm/s from the transition zone for 12 cm, then 1 cm/s; onset at 1 s."""
    return broken_front(z, top=TOP, start_s=4.0, knot=KNOT)


def follow(pressure, *, top=TOP, les=LES, onset=1.0, stop=INF):
    return wavefront(
        pressure, onset_s=onset, stop_s=stop, top_cm=top, bottom_cm=les, parameters=PARAMETERS
    )


def point_of(front, *, les=LES, atypical=False, **overrides):
    chosen = PARAMETERS.replace({key.replace("_", ".", 1): v for key, v in overrides.items()})
    return deceleration_point(front, les_upper_cm=les, atypical=atypical, parameters=chosen)


@pytest.mark.parametrize("rate", [20.0, 50.0, 100.0])
def test_vector_5(rate):
    front = follow(field(wave(vector_5, peak=80.0), time=times(20, rate)))
    known = vector_5(front.depth)
    np.testing.assert_allclose(front.arrival, known, atol=1e-5)
    point = point_of(front)
    assert point.method == "two_segment"
    assert point.depth_cm == pytest.approx(KNOT, abs=0.051)
    assert point.speed_cm_s == pytest.approx(4.0, rel=0.01)
    assert distal_latency(1.0, point).value == pytest.approx(6.0, abs=0.02)


def test_the_front_is_read_on_the_run_that_holds_the_peak():
    def pressure(t, z):
        early = 45 * between(t, 2.0, 2.8) * between(z, 12, 20)
        return np.maximum(early, wave(vector_5, peak=80.0)(t, z))

    front = follow(field(pressure))
    np.testing.assert_allclose(front.arrival, vector_5(front.depth), atol=1e-4)


def test_a_run_shorter_than_a_third_of_a_second_is_no_front():
    assert np.isnan(follow(field(wave(vector_5, peak=80.0, duration=0.2))).arrival).all()
    assert np.isfinite(follow(field(wave(vector_5, peak=80.0, duration=0.5))).arrival).all()


def test_a_wave_below_the_contour_has_no_front():
    front = follow(field(lambda t, z: 29.0 * between(t - z / 4, 1, 4)))
    assert np.isnan(front.arrival).all()
    assert point_of(front) is None
    missing = distal_latency(1.0, None)
    assert (missing.status, math.isnan(missing.value)) == ("no_wavefront", True)


def pressed(front, level, *, until=0.5):
    """A wave to 90 mmHg, and a plateau ahead of it in the lower body."""
    contracting = wave(front, peak=90.0)

    def pressure(t, z):
        ahead = level * between(z, 16, 99) * (t >= 5.0) * (t < front(z) + until)
        return np.maximum(contracting(t, z), ahead)

    return pressure


@pytest.mark.parametrize(("plateau", "level"), [(20.0, 30.0), (27.0, 35.0), (35.0, 40.0)])
def test_the_contour_rises_above_a_plateau_of_a_steady_front(plateau, level):
    def front(z):
        return broken_front(z, top=TOP, start_s=4.0, knot=99.0, fast=2.5)

    seen = follow(field(pressed(front, plateau)))
    assert seen.level_mmhg == level
    # The wave rises from 30 to 90 mmHg in 0.2 s.
    np.testing.assert_allclose(seen.arrival, front(seen.depth) + (level - 30) / 300, atol=0.02)


def test_the_contour_rises_no_further_where_the_front_slows():
    """At 1 cm/s what has contracted above must not count as plateau ahead (LES end)."""

    def front(z):
        return broken_front(z, top=TOP, start_s=4.0, knot=KNOT, fast=2.5, slow=1.0)

    assert follow(field(pressed(front, 35.0))).level_mmhg == 40.0


def made_front(arrival, *, top=TOP, les=LES, gaps=()):
    depth = np.round(np.arange(round(10 * top), round(10 * les) + 1) / 10, 6)
    when = np.array([arrival(z) for z in depth], float)
    for low, high in gaps:
        when[(depth >= low) & (depth <= high)] = np.nan
    return Wavefront(depth, when, 30.0, np.full(depth.size, np.nan))


def wavy(z):
    """An even wobble of 10 ms: a measured front is never exactly straight."""
    return 0.01 * np.sin(40 * z)


@pytest.mark.parametrize("speed", [2.0, 2.7, 3.0, 3.4, 8.0])
@pytest.mark.parametrize("wobble", [wavy, lambda z: 0.0], ids=["measured", "exact"])
def test_a_straight_front_falls_back_to_3_cm_above_the_les(speed, wobble):
    point = point_of(made_front(lambda z: 2 + z / speed + wobble(z)))
    assert (point.method, point.depth_cm) == ("fallback3cm", pytest.approx(21.5))
    assert point.time_s == pytest.approx(2 + 21.5 / speed, abs=0.02)


def test_a_front_that_speeds_up_falls_back_to_3_cm_above_the_les():
    point = point_of(made_front(lambda z: 2 + np.minimum(z, 20) / 1.5 + np.maximum(z - 20, 0) / 6))
    assert (point.method, point.depth_cm) == ("fallback3cm", pytest.approx(21.5))


@pytest.mark.parametrize(
    ("gap", "depth"), [((20.8, 21.9), 22.0), ((20.4, 22.0), 22.1), ((20.5, 22.5), None)]
)
def test_the_fallback_needs_a_front_within_1_cm(gap, depth):
    point = point_of(made_front(lambda z: 2 + z / 3 + wavy(z), gaps=[gap]))
    assert point is None if depth is None else point.depth_cm == pytest.approx(depth)


def test_a_front_shorter_than_3_cm_has_no_knot_of_its_own():
    def bent(z):
        return broken_front(z, top=20.0, start_s=4.0, knot=22.0)

    assert point_of(made_front(bent, top=22.0 - 0.5, les=24.4)).method == "fallback3cm"
    assert point_of(made_front(bent, top=20.0, les=24.4), les=24.4).method == "two_segment"


@pytest.mark.parametrize(
    ("atypical", "rule", "method", "depth"),
    [
        (False, "atypical", "two_segment", 19.5),
        (True, "atypical", "clamped3cm", 21.5),
        (False, "always", "clamped3cm", 21.5),
        (True, "never", "two_segment", 19.5),
    ],
)
def test_a_point_far_above_the_les_is_clamped_where_the_architecture_is_atypical(
    atypical, rule, method, depth
):
    def bent(z):
        return broken_front(z, top=TOP, start_s=4.0, knot=19.5)

    point = point_of(made_front(bent), atypical=atypical, cdp_clamp=rule)
    assert (point.method, point.depth_cm) == (method, pytest.approx(depth, abs=1e-6))
    assert point.time_s == pytest.approx(bent(depth), abs=1e-6)


def test_a_point_within_3_cm_stays_whatever_the_architecture():
    point = point_of(made_front(vector_5), atypical=True)
    assert (point.method, point.depth_cm) == ("two_segment", pytest.approx(KNOT))


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**31),
    knot=st.floats(19, 23.5),
    slow=st.floats(0.3, 2.5),
    noise=st.floats(0.01, 0.2),
)
def test_the_two_segment_fit_agrees_with_the_twin(seed, knot, slow, noise):
    rng = np.random.default_rng(seed)

    def arrival(z):
        return broken_front(z, top=TOP, start_s=4.0, knot=knot, slow=slow) + noise * rng.normal()

    front = made_front(arrival)
    z, t = front.depth, front.arrival
    place, when, fast, slower, error = naive.two_segments(z, t, LES - 6, LES - 0.5)
    point = point_of(front)
    if error <= 0.8 * naive.one_line_error(z, t) and 0 < fast < slower:
        assert point.method == "two_segment"
        assert point.depth_cm == pytest.approx(place)
        assert point.time_s == pytest.approx(when, abs=1e-6)
        assert point.speed_cm_s == pytest.approx(1 / fast, rel=1e-6)
    else:
        assert point.method == "fallback3cm"


def zone_of(pressure, *, ues=5.0, les=25.0):
    return transition_zone(
        pressure,
        onset_s=0.0,
        stop_s=INF,
        ues_lower_cm=ues,
        les_upper_cm=les,
        parameters=PARAMETERS,
    )


def test_the_transition_zone_is_the_trough_of_the_peaks():
    def pressure(t, z):
        return (20 + 5 * (z - 11.3) ** 2).clip(0, 90) * between(t - z / 4, 1, 4)

    assert zone_of(field(pressure)) == pytest.approx(11.3)


def test_the_trough_is_looked_for_from_2_cm_below_the_ues_to_half_of_the_body():
    rising = field(lambda t, z: (10 + z) * between(t, 2, 5))
    falling = field(lambda t, z: (90 - z) * between(t, 2, 5))
    assert zone_of(rising) == pytest.approx(7.0)
    assert zone_of(falling) == pytest.approx(15.0)


def test_of_equal_troughs_the_most_caudal_counts():
    def pressure(t, z):
        return (60 - 20 * between(z, 9, 10.05) - 20 * between(z, 12, 12.95)) * between(t, 2, 5)

    assert zone_of(field(pressure)) == pytest.approx(12.9)


def profile_of(*points):
    """A field whose greatest pressure runs through these (depth, mmHg)."""
    depth, heights = zip(*points, strict=True)
    return field(
        lambda t, z: np.interp(z, depth, heights) * np.exp(-0.5 * ((t - 5.0) / 1.0) ** 2),
        time=times(20, 20.0),
    )


@pytest.mark.parametrize(
    ("points", "known"),
    [
        # The striated contraction begins below the upper end of the search, at 7 cm.
        ([(7, 12), (10, 55), (13, 24), (18, 30)], 13.0),
        ([(7, 12), (10, 35), (12, 24), (13, 26), (18, 30)], 12.0),
        # No peak that stands out by 10 mmHg, or no trough below 30: the least is the least.
        ([(7, 12), (10, 33), (13, 24), (18, 30)], 7.0),
        ([(7, 12), (10, 55), (13, 31), (18, 60)], 7.0),
        ([(7, 12), (14, 90), (18, 90)], 7.0),
        # A trough that is the least of all needs no peak.
        ([(7, 30), (10, 35), (13, 24), (18, 30)], 13.0),
    ],
)
def test_the_flank_of_the_striated_contraction_is_no_trough(points, known):
    assert zone_of(profile_of(*points)) == pytest.approx(known, abs=0.051)


def test_no_transition_zone_without_landmarks():
    assert math.isnan(zone_of(field(lambda t, z: 0 * t * z), ues=math.nan))
    assert math.isnan(zone_of(field(lambda t, z: 0 * t * z), les=5.5))
