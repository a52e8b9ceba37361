"""Contractile front velocity: the published vector, its limits, what cannot be measured."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm.metrics._base import Measurement
from hrm.metrics.front import DecelerationPoint, Wavefront, deceleration_point, wavefront
from hrm.metrics.velocity import contractile_front_velocity, is_rapid
from hrm.preprocess import window_field
from tests.metrics.fields import INF, PARAMETERS, broken_front, depths, field, times, wave
from tests.naive import body as naive

TOP, KNOT, LES = 10.0, 22.0, 24.5


def vector_5(z, fast=4.0):
    """Test vector 5: 4 cm/s from the transition zone for 12 cm, then 1 cm/s; onset at 1 s."""
    return broken_front(z, top=TOP, start_s=4.0, knot=KNOT, fast=fast)


def follow(pressure, *, top=TOP, les=LES, stop=INF):
    return wavefront(
        pressure, onset_s=1.0, stop_s=stop, top_cm=top, bottom_cm=les, parameters=PARAMETERS
    )


def velocity(front, point=None):
    if point is None:
        point = deceleration_point(front, les_upper_cm=LES, atypical=False, parameters=PARAMETERS)
    return contractile_front_velocity(front, point, parameters=PARAMETERS)


def straight(slope, *, top=TOP, bottom=LES, start=4.0):
    z = np.round(np.arange(round(top * 10), round(bottom * 10) + 1) / 10, 6)
    return Wavefront(z, start + slope * (z - top), 30.0, np.full(z.size, np.nan))


def at(depth, method="reader"):
    return DecelerationPoint(depth, 7.0, method, math.nan)


@pytest.mark.parametrize("rate", [8.0, 20.0, 50.0, 200.0])
def test_vector_5_runs_at_4_cm_per_second(rate):
    # At 8 Hz a rise of 0.2 s falls between two samples: a slower one keeps its crossing.
    rise = 0.2 if rate > 8 else 0.5
    front = follow(field(wave(vector_5, peak=80.0, rise=rise), time=times(20, rate)))
    seen = velocity(front)
    assert seen.status == "ok"
    assert seen.value == pytest.approx(4.0, rel=0.01)
    assert seen.detail["from_cm"] == pytest.approx(TOP)
    assert seen.detail["to_cm"] == pytest.approx(KNOT, abs=0.06)
    assert seen.detail["level_mmhg"] == 30.0


def test_what_lies_below_the_deceleration_point_does_not_count():
    """4 cm/s down to 17 cm, 1 cm/s over the longer rest."""
    early = broken_front(straight(0.0).depth, top=TOP, start_s=4.0, knot=17.0)
    front = Wavefront(straight(0.0).depth, early, 30.0, np.full(early.size, np.nan))
    assert velocity(front, at(17.0)).value == pytest.approx(4.0)
    assert velocity(front, at(LES)).value < 2.0


def test_a_readers_point_moves_the_velocity():
    front = follow(field(wave(vector_5, peak=80.0)))
    seen = velocity(front, at(24.0))
    assert seen.value == pytest.approx(
        naive.front_velocity(front.depth, front.arrival, 24.0), rel=1e-6
    )


def test_a_contour_that_bends_back_beside_the_transition_zone_does_not_tilt_the_line():
    """The first centimeter is reached late; a least-squares line would run at 4.5 cm/s."""
    front = straight(0.25)
    front.arrival[:10] += np.linspace(2.0, 0.05, 10)
    tilted = 1 / np.polyfit(front.depth, front.arrival, 1)[0]
    assert tilted > 4.4
    assert velocity(front, at(LES)).value == pytest.approx(4.0, rel=0.01)


def test_depths_without_a_front_are_left_out():
    whole, holed = straight(0.25), straight(0.25)
    holed.arrival[20:60] = np.nan
    assert velocity(holed, at(22.0)).value == pytest.approx(velocity(whole, at(22.0)).value)


@pytest.mark.parametrize(
    ("front", "point", "status"),
    [
        (None, at(22.0), "no_wavefront"),
        (straight(0.25), None, "no_wavefront"),
        (Wavefront(np.zeros(0), np.zeros(0), 30.0, np.zeros(0)), at(22.0), "no_wavefront"),
        (Wavefront(depths(), np.full(301, np.nan), 30.0, depths()), at(22.0), "no_wavefront"),
        (straight(0.25), at(9.0), "no_wavefront"),
        (straight(0.25), at(TOP + 2.9), "front_too_short"),
        (straight(0.25), at(TOP + 3.0), "ok"),
        (straight(0.0), at(22.0), "front_simultaneous"),
        (straight(0.01 / 12.0), at(22.0), "front_simultaneous"),
        (straight(0.0101 / 12.0), at(22.0), "ok"),
        (straight(-0.01 / 12.0), at(22.0), "front_simultaneous"),
        (straight(-0.25), at(22.0), "front_retrograde"),
    ],
)
def test_what_has_no_velocity_says_why(front, point, status):
    seen = contractile_front_velocity(front, point, parameters=PARAMETERS)
    assert seen.status == status
    assert math.isfinite(seen.value) == (status == "ok")


def test_a_quiet_and_a_constant_recording_have_no_front():
    for level in (0.0, 12.0):
        quiet = field(lambda t, z, level=level: level + 0 * t * z)
        assert velocity(follow(quiet), at(22.0)).status == "no_wavefront"


def test_a_swallow_cut_off_after_5_seconds_leaves_only_the_front_that_was_seen():
    """A next swallow at 6 s: the front has come 8 of 12 cm, and no farther."""
    front = follow(field(wave(vector_5, peak=80.0)), stop=6.0)
    seen = velocity(front, at(KNOT))
    assert seen.value == pytest.approx(4.0, rel=0.02)
    assert seen.detail["to_cm"] < 18.1
    shorter = follow(field(wave(vector_5, peak=80.0)), stop=4.6)
    assert velocity(shorter, at(KNOT)).status == "front_too_short"


@pytest.mark.parametrize(("bad", "within"), [((15,), 0.05), ((15, 16), 0.05)])
def test_sensors_that_fail(bad, within):
    """One is bridged, two leave a hole in the front: the line goes through the rest."""
    sensors = field(wave(vector_5, peak=80.0, rise=0.5), depths(30.0, 1.0)).rename(depth="sensor")
    raw = sensors.assign_coords(depth=("sensor", sensors["sensor"].values))
    usable = np.ones(31, dtype=bool)
    usable[list(bad)] = False
    front = follow(window_field(raw, usable, 0.0, 20.0, PARAMETERS))
    assert np.isnan(front.arrival).any() == (len(bad) > 1)
    assert velocity(front, at(KNOT)).value == pytest.approx(4.0, rel=within)


@given(seed=st.integers(0, 2**31), slope=st.floats(0.05, 1.0), cdp=st.floats(15.0, 24.5))
def test_the_line_agrees_with_the_twin(seed, slope, cdp):
    rng = np.random.default_rng(seed)
    front = straight(slope)
    front.arrival[:] += rng.normal(0, 0.05, front.arrival.size)
    front.arrival[rng.random(front.arrival.size) < 0.2] = np.nan
    seen = velocity(front, at(cdp))
    known = naive.front_velocity(front.depth, front.arrival, cdp)
    assert (seen.status, seen.value) == ("ok", pytest.approx(known, rel=1e-6))


@pytest.mark.parametrize(
    ("value", "status", "rapid"),
    [
        (9.0, "ok", False),
        (9.01, "ok", True),
        (math.nan, "front_simultaneous", True),
        (math.nan, "front_retrograde", None),
        (math.nan, "no_wavefront", None),
    ],
)
def test_rapid_is_above_9_cm_per_second(value, status, rapid):
    assert is_rapid(Measurement(value, status)) is rapid
