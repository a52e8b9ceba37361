"""Peaks of a contraction, the contraction of the LES, subtypes of hypercontractility."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrm.metrics._base import Cut
from hrm.metrics.dci import Contraction, contraction
from hrm.metrics.peaks import (
    contraction_peaks,
    dci_les,
    hypercontractile_subtype,
    les_after_contraction,
    study_subtypes,
)
from hrm.preprocess import window_field
from tests.metrics.fields import INF, PARAMETERS, between, depths, field, times
from tests.naive import body as naive
from tests.naive import metrics as naive_metrics

TOP, LES, LES_LOW = 8.0, 24.0, 27.0
NAN = math.nan


def window(pressure, *, stop=INF):
    return contraction(
        pressure, onset_s=0.0, stop_s=stop, top_cm=TOP, bottom_cm=LES, parameters=PARAMETERS
    )


def peaks(pressure, *, stop=INF):
    return contraction_peaks(window(pressure, stop=stop), parameters=PARAMETERS)


def steps(*levels, width=0.5, start=3.0):
    """Pressure at one depth that holds each level for `width` seconds, after `start`."""

    def pressure(t):
        edges = start + width * np.arange(len(levels) + 1)
        held = [
            level * between(t, a, b)
            for level, a, b in zip(levels, edges[:-1], edges[1:], strict=True)
        ]
        return sum(held)

    return pressure


def travelling(course, speed=4.0):
    return lambda t, z: course(t - (z - TOP) / speed)


def test_one_peak():
    assert peaks(field(travelling(steps(60, 90, 60)))).value == 1.0


@pytest.mark.parametrize(
    ("valley", "number"), [(50.0, 2), (70.0, 2), (70.5, 1), (75.0, 1), (79.0, 1)]
)
def test_a_second_peak_stands_out_by_10_mmhg(valley, number):
    """Peaks of 100 and 80 mmHg, 1 s apart: the lower one stands out from the valley."""
    seen = peaks(field(travelling(steps(100, valley, 80))))
    assert seen.value == number
    assert seen.status == "ok"


@pytest.mark.parametrize("rate", [8.0, 20.0, 50.0, 200.0])
@pytest.mark.parametrize(("apart", "number"), [(1.25, 2), (1.0, 2), (0.75, 1)])
def test_a_second_peak_comes_a_second_later(rate, apart, number):
    def pressure(t, z):
        first, second = between(t, 3, 3.25), between(t, 3 + apart, 3.25 + apart)
        return 30 * between(t, 2.5, 6) + 50 * (first + second) + 0 * z

    assert peaks(field(pressure, time=times(12, rate))).value == number


def test_of_three_quick_peaks_the_first_and_the_third_count():
    def pressure(t, z):
        quick = sum(between(t, at, at + 0.2) for at in (3.0, 3.6, 4.2))
        return 30 * between(t, 2, 6) + 50 * quick + 0 * z

    assert peaks(field(pressure)).value == 2


@pytest.mark.parametrize(("low", "number"), [(11.0, 2), (10.9, 1)])
def test_two_levels_3_cm_apart_show_it(low, number):
    """A second peak only between 8 and `low` cm; a first one everywhere."""

    def pressure(t, z):
        second = 60 * between(t, 4.5, 5.0) * between(z, TOP, low + 0.05)
        return 60 * between(t, 3, 3.5) + second + 25 * between(t, 2.5, 6)

    seen = peaks(field(pressure))
    assert seen.value == number
    assert seen.detail["from_cm"] == pytest.approx(TOP)
    assert seen.detail["to_cm"] == pytest.approx(low if number == 2 else LES)


def test_what_stays_below_20_mmhg_is_no_peak_of_a_contraction():
    def pressure(t, z):
        return 60 * between(t, 3, 3.5) + 19.5 * between(t, 4.5, 5.0) + 0 * z

    assert peaks(field(pressure)).value == 1
    assert peaks(field(lambda t, z: 19.5 * between(t, 3, 3.5) + 0 * z)).value == 0


def test_a_constant_pressure_has_no_peak():
    for level in (0.0, 15.0, 45.0):
        assert peaks(field(lambda t, z, level=level: level + 0 * t * z)).value == 0


def test_a_peak_that_the_next_swallow_cuts_off_does_not_count():
    """Swallows 5 s apart: the second peak, up to 6 s, belongs to no finished contraction."""

    def twice(t, z):
        return 25 * between(t, 2.5, 7) + 60 * (between(t, 3, 3.5) + between(t, 4.7, 6)) + 0 * z

    pressure = field(twice)
    assert peaks(pressure, stop=5.0).value == 1
    assert peaks(pressure).value == 2


def test_a_window_that_starts_on_a_fall_has_no_peak_there():
    """What a swallow before it left behind: 80 mmHg that fall from the first sample on."""
    falling = field(lambda t, z: np.clip(80 - 20 * t, 0, None) + 60 * between(t, 4, 5) + 0 * z)
    assert falling.values[100, 0] == 80
    seen = contraction_peaks(
        Contraction(0.0, 9.0, Cut(falling.values, falling["depth"].values, falling["time"].values)),
        parameters=PARAMETERS,
    )
    assert seen.value == 1


def test_peaks_without_landmarks_and_with_failed_sensors():
    assert contraction_peaks(None, parameters=PARAMETERS).status == "landmark_missing"
    pressure = field(travelling(steps(60, 90, 60)))
    found = window(pressure)
    found.box.values[40] = np.nan
    seen = contraction_peaks(found, parameters=PARAMETERS)
    assert (seen.status, math.isnan(seen.value)) == ("sensor_failed", True)
    empty = Cut(np.zeros((0, 0), np.float32), np.zeros(0), np.zeros(0))
    nothing = Contraction(0.5, 1.0, empty)
    assert contraction_peaks(nothing, parameters=PARAMETERS).value == 0.0


def recorded(pressure, bad):
    """The field as the pipeline makes it from sensors 1 cm apart, of which some fail."""
    sensors = field(pressure, depths(30.0, 1.0)).rename(depth="sensor")
    raw = sensors.assign_coords(depth=("sensor", sensors["sensor"].values))
    usable = np.ones(31, dtype=bool)
    usable[list(bad)] = False
    return window_field(raw, usable, 0.0, 20.0, PARAMETERS)


def test_one_failed_sensor_is_bridged_and_two_are_told():
    course = travelling(steps(100, 50, 80))
    assert peaks(recorded(course, [15])).value == 2
    assert peaks(recorded(course, [15, 16])).status == "sensor_failed"
    borders = {"les_upper_cm": LES, "les_lower_cm": LES_LOW, "parameters": PARAMETERS}
    whole, bridged, lost = (
        recorded(lambda t, z: 60 * between(t, 3, 8) + 0 * z, bad) for bad in ((), (25,), (25, 26))
    )
    assert dci_les(bridged, window(bridged), **borders).value == pytest.approx(
        dci_les(whole, window(whole), **borders).value
    )
    assert dci_les(lost, window(lost), **borders).status == "sensor_failed"


@settings(max_examples=25)
@given(seed=st.integers(0, 2**31), rate=st.sampled_from([8.0, 20.0, 50.0]), rows=st.integers(2, 9))
def test_peaks_agree_with_the_twin(seed, rate, rows):
    rng = np.random.default_rng(seed)
    n = round(9 * rate)
    t = np.arange(n) / rate
    values = rng.normal(size=(rows, n)) * rng.choice([0.0, 4.0], (rows, 1))
    for i in range(rows):
        for place in rng.uniform(0.5, 8.5, rng.integers(1, 8)):
            bell = np.exp(-0.5 * ((t - place) / rng.uniform(0.15, 0.6)) ** 2)
            values[i] += rng.uniform(5, 90) * bell
    depth = np.arange(rows) * 1.0
    box = Cut(values.astype(np.float32), depth, t)
    seen = contraction_peaks(Contraction(0.0, 9.0, box), parameters=PARAMETERS)
    assert seen.value == naive.contraction_peaks(box.values, depth, 1 / rate)


def gaussian_les(t, z, *, amplitude=120.0, sd=0.5, middle=25.5, start=5.0, stop=11.0):
    bell = amplitude * np.exp(-0.5 * ((z - middle) / sd) ** 2)
    wave = 60 * between(t - (z - TOP) / 4, 2, 7) * between(z, 0, LES + 0.05)
    return wave + bell * between(t, start, stop)


def of_les(pressure, *, upper=LES, lower=LES_LOW, stop=INF):
    return dci_les(
        pressure,
        window(pressure, stop=stop),
        les_upper_cm=upper,
        les_lower_cm=lower,
        parameters=PARAMETERS,
    )


@pytest.mark.parametrize("rate", [8.0, 20.0, 200.0])
def test_the_integral_of_a_gaussian_les(rate):
    """Excess of a Gaussian along depth over 20 mmHg in closed form, for 6 s."""

    def pressed(t, z):
        return np.where(z > LES + 0.05, gaussian_les(t, z), 60 * between(t, 3, 12))

    pressure = field(pressed, time=times(20, rate))
    a = math.sqrt(2 * math.log(120 / 20))
    bell = 120 * 0.5 * math.sqrt(2 * math.pi) * math.erf(a / math.sqrt(2)) - 40 * a * 0.5
    # The line of the border belongs to the body here: 40 mmHg of excess, half a step of
    # depth, for the 9 s of its contraction.
    border = 40 * 0.05 * 9.0
    assert of_les(pressure).value == pytest.approx(6 * bell + border, rel=2e-3)


def test_the_les_is_read_in_the_window_of_the_body():
    pressure = field(lambda t, z: gaussian_les(t, z, middle=25.8, sd=0.4, stop=19.0))
    found = window(pressure)
    assert found.stop_s < 13
    known = naive_metrics.dci_box(
        pressure.values,
        pressure["depth"].values,
        pressure["time"].values,
        top=LES,
        bottom=LES_LOW,
        start=found.start_s,
        stop=found.stop_s,
    )
    seen = of_les(pressure)
    assert seen.value == pytest.approx(known, rel=1e-6)
    assert seen.detail["window_s"] == (found.start_s, found.stop_s)
    assert of_les(pressure, stop=6.0).value < seen.value


def test_an_les_below_20_mmhg_counts_nothing():
    assert of_les(field(lambda t, z: 19.0 + 0 * t * z)).value == 0.0


@pytest.mark.parametrize(
    ("upper", "lower", "status"),
    [
        (NAN, LES_LOW, "landmark_missing"),
        (LES, NAN, "landmark_missing"),
        (LES, LES, "landmark_missing"),
        (LES, 30.4, "les_not_covered"),
        (31.0, 33.0, "les_not_covered"),
    ],
)
def test_an_les_that_cannot_be_measured(upper, lower, status):
    seen = of_les(field(gaussian_les), upper=upper, lower=lower)
    assert seen.status == status
    assert math.isnan(seen.value)


def test_an_les_without_a_window_or_with_a_failed_sensor():
    pressure = field(gaussian_les)
    borders = {"les_upper_cm": LES, "les_lower_cm": LES_LOW, "parameters": PARAMETERS}
    assert dci_les(pressure, None, **borders).status == "landmark_missing"
    found = window(pressure)
    pressure[260] = np.nan
    assert dci_les(pressure, found, **borders).status == "sensor_failed"


@pytest.mark.parametrize(
    ("les", "body", "flag"),
    [
        (3001.0, 4500.0, True),
        (3000.0, 100.0, False),  # not more than 3000
        (4000.0, 6000.0, False),  # exactly 40 %
        (4000.0, 5999.0, True),
        (NAN, 6000.0, None),
        (4000.0, NAN, None),
    ],
)
def test_the_les_after_contraction(les, body, flag):
    assert les_after_contraction(les, body, PARAMETERS) is flag


@pytest.mark.parametrize(
    ("number", "after", "hyper", "name"),
    [
        (1.0, False, True, "single_peak"),
        (0.0, False, True, "single_peak"),
        (2.0, False, True, "multi_peak"),
        (3.0, True, True, "les_after_contraction"),
        (NAN, True, True, "les_after_contraction"),
        (NAN, False, True, None),
        (2.0, None, True, None),
        (2.0, True, False, None),
    ],
)
def test_the_subtype_of_a_swallow(number, after, hyper, name):
    assert hypercontractile_subtype(number, after, hypercontractile=hyper) == name


@pytest.mark.parametrize(
    ("seen", "predominant", "unknown"),
    [
        ([], None, 0),
        (["multi_peak"], "multi_peak", 0),
        (["multi_peak", "single_peak"], None, 0),
        (["multi_peak", "multi_peak", "single_peak"], "multi_peak", 0),
        (["multi_peak", None], None, 1),
        (["les_after_contraction", "les_after_contraction", None], "les_after_contraction", 1),
        ([None, None], None, 2),
    ],
)
def test_the_subtypes_of_a_study(seen, predominant, unknown):
    found = study_subtypes(seen)
    assert (found.predominant, found.unknown) == (predominant, unknown)
    assert {name: n for name, n in found.counts.items() if n} == Counter(filter(None, seen))
