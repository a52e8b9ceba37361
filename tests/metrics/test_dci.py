"""DCI and breaks: published vectors, pressurization left out, twins."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrm.metrics._base import Cut, cut
from hrm.metrics.dci import contraction, dci, longest_break, simultaneous_plateau
from hrm.metrics.front import wavefront
from tests.metrics.fields import INF, PARAMETERS, between, broken_front, depths, field, times, wave
from tests.naive import metrics as naive

TOP, BOTTOM = 8.0, 24.0


def parts(pressure, *, top=TOP, bottom=BOTTOM, onset=0.0, stop=INF):
    place = {"onset_s": onset, "stop_s": stop, "top_cm": top, "bottom_cm": bottom}
    found = contraction(pressure, **place, parameters=PARAMETERS)
    return found, wavefront(pressure, **place, parameters=PARAMETERS)


def both(pressure, **place):
    """DCI of the box, and without pressurization."""
    found, front = parts(pressure, **place)
    return (
        dci(found, front=None, parameters=PARAMETERS).value,
        dci(found, front=front, parameters=PARAMETERS).value,
    )


def peristalsis(t, z):
    """Test vector 2: peak 100, SD 1.2 s, 4 cm/s; the peak is at the top after 4 s."""
    return 100 * np.exp(-0.5 * ((t - 4 - (z - TOP) / 4) / 1.2) ** 2)


def per_cm(amplitude, sd):
    """Closed form of the excess over 20 mmHg of a Gaussian in time."""
    a = math.sqrt(2 * math.log(amplitude / 20))
    return amplitude * sd * math.sqrt(2 * math.pi) * math.erf(a / math.sqrt(2)) - 40 * a * sd


@pytest.mark.parametrize("rate", [8.0, 20.0, 100.0])
def test_vector_1(rate):
    block = field(lambda t, z: 50 * between(z, 5, 15.05) * between(t, 3, 8), time=times(20, rate))
    assert both(block, top=5.0, bottom=15.0)[0] == pytest.approx(1500.0)


@pytest.mark.parametrize(("rate", "within"), [(20.0, 2.0), (50.0, 1.0), (100.0, 0.5)])
def test_vector_2(rate, within):
    box, contractile = both(field(peristalsis, time=times(20, rate)))
    assert 16 * per_cm(100, 1.2) == pytest.approx(3084.5, abs=0.05)
    assert box == pytest.approx(3084.5, abs=within)
    assert contractile == box


def test_only_the_region_counts():
    def with_sphincters(t, z):
        return peristalsis(t, z) + 90 * between(z, 0, TOP) + 90 * between(z, BOTTOM + 0.05, 40)

    assert both(field(with_sphincters))[0] == pytest.approx(3084.5, abs=1)


def test_nothing_counts_before_half_a_second_or_after_the_next_onset():
    early = field(lambda t, z: 50 * between(t, 0, 1.5) + 0 * z)
    assert both(early)[0] == pytest.approx(30 * 16 * 1.0, rel=1e-6)
    wide = field(lambda t, z: 50 * between(t, 3, 9) + 0 * z)
    assert both(wide, stop=6.0)[0] == pytest.approx(30 * 16 * 3.0, rel=1e-6)


def test_a_separate_later_event_does_not_count():
    def two(t, z):
        return peristalsis(t, z) + 60 * between(t, 13, 13.2)

    assert both(field(two))[0] == pytest.approx(3084.5, abs=1)


def test_peaks_that_repeat_without_a_pause_extend_the_window_to_25_seconds():
    long = field(lambda t, z: 50 * between(t, 4, 30) + 0 * z, time=times(32))
    assert both(long)[0] == pytest.approx(30 * 16 * 21.0, rel=1e-6)
    paused = field(
        lambda t, z: 50 * (between(t, 4, 14) + between(t, 16, 24)) + 0 * z, time=times(32)
    )
    assert both(paused)[0] == pytest.approx(30 * 16 * 10.0, rel=1e-6)


def test_a_simultaneous_plateau_is_masked():
    def pressed(t, z):
        return peristalsis(t, z) + 40 * between(t, 0.8, 1.4)

    box, contractile = both(field(pressed, time=times(20, 100)))
    assert box > 3084.5 + 16 * 0.6 * 20
    assert contractile == pytest.approx(3084.5, abs=1)


@pytest.mark.parametrize(
    ("share", "seconds", "spread", "masked"),
    [
        (0.85, 1.0, 0.0, True),
        (0.75, 1.0, 0.0, False),
        (1.0, 0.32, 0.0, True),
        (1.0, 0.28, 0.0, False),
        (1.0, 1.0, 9.0, True),
        (1.0, 1.0, 11.0, False),
    ],
)
def test_what_makes_a_simultaneous_plateau(share, seconds, spread, masked):
    """80 % of the region, 0.3 s, axial SD below 10 mmHg."""
    top_of_plateau = BOTTOM - share * (BOTTOM - TOP)

    def plateau(t, z):
        side = np.sign(np.sin(2 * np.pi * (z - TOP + 0.01)))  # SD 1 over whole centimeters
        below = np.where(z >= top_of_plateau - 1e-9, 35 + spread * side, 19.0)
        return below * between(t, 4, 4 + seconds)

    box = cut(field(plateau), TOP, BOTTOM, 0.0, 20.0)
    seen = simultaneous_plateau(box, PARAMETERS)
    assert seen.sum() == (round(50 * seconds) if masked else 0)


def compartment(level, top=17.0):
    """A wave with sharp front, and a plateau between it and the LES."""

    def front(z):
        return broken_front(z, top=TOP, start_s=3.0, knot=40.0, fast=3.0)

    contracting = wave(front, peak=80.0)

    def pressure(t, z):
        ahead = level * between(z, top, 40) * (t >= 5.0) * (t < front(z) + 1.0)
        return np.maximum(contracting(t, z), ahead)

    return front, pressure


@pytest.mark.parametrize("level", [23.0, 27.0, 35.0])
def test_a_plateau_ahead_of_the_front_is_masked(level):
    front, pressure = compartment(level)
    made = field(pressure, time=times(20, 100))
    depth, time = made["depth"].values, made["time"].values
    keep = time[None, :] >= front(depth[:, None]) - 0.2 - 1e-9
    span = {"top": TOP, "bottom": BOTTOM, "start": 0.5, "stop": 20.0}
    known = naive.dci_box(made.values, depth, time, **span, keep=keep)
    known_box = naive.dci_box(made.values, depth, time, **span)
    box, contractile = both(made)
    assert known_box > known + 25
    assert box == pytest.approx(known_box, rel=1e-6)
    # The front is read on a raised contour, up to 0.04 s later on the rise of 0.2 s.
    assert contractile == pytest.approx(known, rel=0.004)


def test_a_short_plateau_ahead_of_the_front_is_kept():
    _, pressure = compartment(23.0, top=21.5)
    box, contractile = both(field(pressure))
    assert contractile == box


def test_a_weak_wave_without_front_is_never_masked_by_rule_b():
    weak = field(lambda t, z: 0.28 * peristalsis(t, z))
    box, contractile = both(weak)
    assert box == contractile > 0


def test_without_landmarks():
    found, front = parts(field(peristalsis), top=float("nan"))
    assert found is None
    assert dci(found, front=front, parameters=PARAMETERS).status == "landmark_missing"
    assert parts(field(peristalsis), top=20.0, bottom=20.0)[0] is None


def test_a_failed_sensor():
    pressure = field(peristalsis)
    pressure[150] = np.nan
    found, front = parts(pressure)
    assert dci(found, front=None, parameters=PARAMETERS).status == "sensor_failed"
    assert dci(found, front=front, parameters=PARAMETERS).status == "sensor_failed"


def random_wave(seed, rate=20.0):
    """A wave with gaps: smooth bumps along a front, at random places and heights."""
    rng = np.random.default_rng(seed)
    depth, time = depths(28.0, 0.2), times(20.0, rate)
    places, heights = rng.uniform(4, 27, 7), rng.uniform(5, 90, 7)
    widths, late = rng.uniform(0.8, 3.0, 7), rng.uniform(-1, 1, 7)

    def pressure(t, z):
        total = 0 * t * z
        for place, height, width, delay in zip(places, heights, widths, late, strict=True):
            along = np.exp(-0.5 * ((z - place) / width) ** 2)
            total = total + height * along * np.exp(-0.5 * (t - 2 - delay - z / 3.5) ** 2)
        return total

    return field(pressure, depth, time), depth, time


@settings(max_examples=25)
@given(seed=st.integers(0, 2**31))
def test_box_and_window_agree_with_the_twin(seed):
    pressure, depth, time = random_wave(seed)
    found, _ = parts(pressure)
    place = {"top": TOP, "bottom": BOTTOM}
    stop = naive.contraction_stop(pressure.values, depth, time, onset=0.0, end=99.0, **place)
    assert (found.start_s, found.stop_s) == (0.5, pytest.approx(stop))
    known = naive.dci_box(pressure.values, depth, time, start=0.5, stop=stop, **place)
    seen = dci(found, front=None, parameters=PARAMETERS).value
    assert seen == pytest.approx(known, rel=1e-6, abs=1e-6)


def gap(pressure, *, ues=5.0, les=BOTTOM, top=TOP):
    found, _ = parts(pressure, top=top)
    return longest_break(
        pressure,
        onset_s=0.0,
        wave=found,
        ues_lower_cm=ues,
        les_upper_cm=les,
        parameters=PARAMETERS,
    )


def segments(*spans):
    """A wave of 50 mmHg in the given spans of depth only."""

    def pressure(t, z):
        inside = sum(between(z, low, high + 0.05) for low, high in spans)
        return 50 * inside * between(t - z / 4, 1, 4)

    return field(pressure)


@pytest.mark.parametrize(
    ("spans", "length", "place"),
    [
        ([(0, 30)], 0.0, None),
        ([(0, 10.0), (13.4, 30)], 3.4, (10.0, 13.4)),
        ([(0, 10.0), (11.0, 16.0), (22.5, 30)], 6.5, (16.0, 22.5)),
        ([(0, 21.0)], 3.0, (21.0, 24.0)),
        ([(9.0, 30)], 4.0, (5.0, 9.0)),
        ([(0, 10.0), (15.0, 30)], 5.0, (10.0, 15.0)),
        ([(9.0, 15.0), (19.1, 30)], 4.1, (15.0, 19.1)),  # longer than the 4.0 below the UES
    ],
)
def test_break_length(spans, length, place):
    seen = gap(segments(*spans))
    assert seen.value == pytest.approx(length, abs=1e-9)
    if place:
        assert (seen.detail["from_cm"], seen.detail["to_cm"]) == pytest.approx(place)


def test_a_flicker_does_not_bridge_a_break():
    def pressure(t, z):
        base = 50 * (between(z, 0, 10.05) + between(z, 14.0, 30)) * between(t - z / 4, 1, 4)
        return base + 50 * between(z, 10.1, 13.95) * between(t - z / 4, 7, 7.2)

    assert gap(field(pressure)).value == pytest.approx(4.0)


def test_break_without_wave_is_the_whole_body():
    quiet = field(lambda t, z: 5 + 0 * t * z)
    assert gap(quiet).value == pytest.approx(BOTTOM - 5.0)


def test_break_that_cannot_be_measured():
    assert gap(segments((0, 30)), ues=float("nan")).status == "landmark_missing"
    pressure = segments((0, 30))
    pressure[100] = np.nan
    assert gap(pressure).status == "sensor_failed"
    assert gap(segments((0, 30)), top=float("nan")).status == "landmark_missing"


@settings(max_examples=25)
@given(seed=st.integers(0, 2**31))
def test_break_agrees_with_the_twin(seed):
    pressure, depth, time = random_wave(seed)
    found, _ = parts(pressure)
    known = naive.longest_break(
        pressure.values, depth, time, onset=0.0, stop=found.stop_s, ues_lower=5.0, les_upper=BOTTOM
    )
    assert gap(pressure).value == pytest.approx(known, abs=1e-9)


def test_a_plateau_that_stands_is_not_given_back_for_a_moment_of_unevenness():
    """Axial SD of 8 mmHg throughout, 11 for half a second, and 20 at the end."""
    sd = 8.0 + 3.0 * between(np.arange(200) / 50, 1.5, 2.0) + 12.0 * (np.arange(200) >= 150)
    ladder = np.tile([-1.0, 1.0], 50)[:, None]
    values = (60.0 + ladder * sd[None, :]).astype(np.float32)
    box = Cut(values, np.arange(100) / 10, np.arange(200) / 50)
    mask = simultaneous_plateau(box, PARAMETERS)
    assert mask[:150].all()
    assert not mask[150:].any()
    late = Cut(np.ascontiguousarray(values[:, 75:100]), box.depth, box.time[75:100])
    assert not simultaneous_plateau(late, PARAMETERS).any()
