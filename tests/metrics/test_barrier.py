"""The EGJ as a barrier: published test vector, choice of breaths, boxes, twin, faulty input."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrm.metrics._base import Measurement
from hrm.metrics.barrier import (
    Boxes,
    basal_inspiratory,
    crural_borders,
    egj_boxes,
    egj_contractile_integrals,
    hernia_labels,
    quietest_breaths,
    total_egj_contractile_integral,
)
from tests.metrics import sphincter_study as study
from tests.metrics.fields import PARAMETERS, between, depths, field, times
from tests.metrics.sphincter_study import changed, coarse, without
from tests.naive import sphincter as naive

RATE = 20.0
BREATHS = np.arange(0, 4) * 80


def boxes(les=(20.0, 24.0), crural=None, whole=None):
    return Boxes(whole or (les[0], crural[1] if crural else les[1]), les, crural)


def integrals(pressure, *, place=None, breaths=(0, 240), respiration="ok", gastric=7.0):
    return egj_contractile_integrals(
        pressure,
        boxes=boxes() if place is None else place,
        breaths=breaths,
        respiration=respiration,
        gastric_mmhg=gastric,
        parameters=PARAMETERS,
    )


def vector_4(t, z):
    """12 + 6 sin mmHg above gastric (7 mmHg) over 4 cm; 2 mmHg of it do not count."""
    return 7 + (12 + 6 * np.sin(2 * np.pi * t / 4)) * between(z, 20, 24.05)


@pytest.mark.parametrize("rate", [8.0, 20.0, 200.0])
def test_vector_4(rate):
    pressure = field(vector_4, time=times(12.0, rate))
    seen = integrals(pressure, breaths=(0, round(12 * rate)))
    assert seen["egj_ci_mmhg_cm"].value == pytest.approx(40.0, abs=1e-4)
    assert seen["egj_ci_mmhg_cm"].detail["breaths_s"] == (0.0, 12.0)
    for name in study.CI[1:]:
        assert (seen[name].status, math.isnan(seen[name].value)) == ("not_separated", True)
    none = integrals(pressure, breaths=(0, round(12 * rate)), gastric=23.0)
    assert none["egj_ci_mmhg_cm"].value == 0.0


def test_the_integral_is_a_mean_over_the_breaths_and_nothing_else():
    """Twice the time gives the same number: it is not the old one in mmHg s cm."""
    pressure = field(vector_4, time=times(24.0, RATE))
    seen = [
        integrals(pressure, breaths=span)["egj_ci_mmhg_cm"].value for span in ((0, 240), (0, 480))
    ]
    assert seen == pytest.approx([40.0, 40.0], abs=1e-4)
    wild = field(lambda t, z: vector_4(t, z) + 500 * (t >= 12), time=times(24.0, RATE))
    assert integrals(wild)["egj_ci_mmhg_cm"].value == pytest.approx(40.0, abs=1e-4)


def test_separated_boxes_and_their_sum():
    def two(t, z):
        swing = 1 + 0.5 * np.sin(2 * np.pi * t / 4)
        return 7 + 12 * swing * between(z, 20, 22.05) + 22 * swing * between(z, 25, 26.05)

    place = boxes(les=(20.0, 22.0), crural=(25.0, 26.0), whole=(20.0, 26.0))
    # A trough at 2 of 12 mmHg above the zero: 12 + 6 sin never falls below 6.
    seen = {
        n: m.value for n, m in integrals(field(two, time=times(12.0, RATE)), place=place).items()
    }
    assert seen["egj_ci_les_mmhg_cm"] == pytest.approx(20.0, abs=1e-4)
    assert seen["egj_ci_crural_mmhg_cm"] == pytest.approx(20.0, abs=1e-4)
    assert seen["egj_ci_sum_mmhg_cm"] == pytest.approx(40.0, abs=1e-4)
    # The whole box holds, in addition, one grid step below the LES and above the diaphragm.
    assert seen["egj_ci_mmhg_cm"] == pytest.approx(40.0 + 0.1 * (10 + 20) / 2, abs=1e-3)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"gastric": math.nan}, "no_gastric_sensor"),
        ({"respiration": "respiration_not_found", "breaths": None}, "respiration_not_found"),
        ({"breaths": None}, "baseline_short"),
        ({"place": Boxes.missing("catheter_ends_in_les")}, "catheter_ends_in_les"),
        ({"place": boxes(les=(40.0, 44.0))}, "sensor_failed"),
    ],
)
def test_what_the_integral_needs(change, status):
    seen = integrals(field(vector_4, time=times(12.0, RATE)), **change)
    assert (seen["egj_ci_mmhg_cm"].status, math.isnan(seen["egj_ci_mmhg_cm"].value)) == (
        status,
        True,
    )


def test_a_failed_line_spoils_its_box_only():
    pressure = field(vector_4, time=times(12.0, RATE))
    pressure[255, 7] = np.nan
    place = boxes(les=(20.0, 22.0), crural=(25.0, 26.0))
    seen = integrals(pressure, place=place)
    assert seen["egj_ci_les_mmhg_cm"].status == "ok"
    for name in ("egj_ci_mmhg_cm", "egj_ci_crural_mmhg_cm", "egj_ci_sum_mmhg_cm"):
        assert (seen[name].status, math.isnan(seen[name].value)) == ("sensor_failed", True)


def peaks_of(*lengths):
    return np.cumsum([5, *lengths])


def chosen(peaks, quiet=None):
    quiet = np.ones(int(peaks[-1]) + 20, bool) if quiet is None else quiet
    return quietest_breaths(peaks, quiet, 1 / RATE, PARAMETERS)


@pytest.mark.parametrize(
    ("lengths", "first"),
    [
        ((80, 81, 82), 0),
        ((80, 90, 100, 80, 81, 80), 3),
        ((80, 80, 80, 80, 80), 0),  # of equals the earliest
        ((82, 80, 80, 82, 80, 80, 82), 0),
        ((70, 80, 90, 80, 80), 1),
        ((90, 70, 70, 70, 60, 60, 60), 1),
        ((80, 80), None),
        ((), None),
        ((201, 80, 80, 80), 1),  # 10 s and more is a gap, not a breath
        ((300, 300, 300), None),
    ],
)
def test_the_most_even_breaths_are_chosen(lengths, first):
    peaks = peaks_of(*lengths)
    known = None if first is None else (int(peaks[first]), int(peaks[first + 3]))
    assert chosen(peaks) == known


def test_breaths_that_are_not_quiet_are_no_candidates():
    peaks = peaks_of(80, 80, 80, 90, 95, 100)
    quiet = np.ones(700, bool)
    quiet[peaks[1] + 3] = False
    assert chosen(peaks, quiet) == (peaks[3], peaks[6])
    quiet[peaks[4] + 3] = False
    assert chosen(peaks, quiet) is None


@given(
    lengths=st.lists(st.integers(40, 210), max_size=12),
    noise=st.lists(st.integers(0, 2000), max_size=3),
)
def test_the_choice_agrees_with_the_twin(lengths, noise):
    peaks = peaks_of(*lengths)
    quiet = np.ones(int(peaks[-1]) + 20, bool)
    quiet[[k for k in noise if k < quiet.size]] = False
    assert chosen(peaks, quiet) == naive.quietest(peaks.tolist(), quiet.tolist(), 1 / RATE)


@given(
    seed=st.integers(0, 2**31),
    top=st.integers(20, 60).map(lambda n: n / 10),
    length=st.integers(2, 60).map(lambda n: n / 10),
    gastric=st.floats(-5, 15),
)
@settings(max_examples=25, deadline=None)
def test_agrees_with_the_twin(seed, top, length, gastric):
    rng = np.random.default_rng(seed)
    depth, time = depths(12.5, 0.1), times(13.0, 8.0)
    pressure = field(lambda t, z: rng.normal(10, 8, (depth.size, time.size)), depth, time)
    place = boxes(les=(top, top + length))
    seen = integrals(pressure, place=place, breaths=(3, 99), gastric=gastric)
    span = {"top": top, "bottom": top + length, "start": time[3], "stop": time[99]}
    known = naive.egj_ci(pressure.values, depth, time, **span, gastric=gastric)
    assert seen["egj_ci_mmhg_cm"].value == pytest.approx(known, rel=1e-6, abs=1e-9)


def crural(rise, *, cd=25.0, bottom=30.0, floor=2.0):
    """Borders where pressure rises by `rise(z)` above a floor at inspiration."""

    def breathing(t, z):
        return 5 + (floor + rise(z)) * (0.5 + 0.5 * np.cos(2 * np.pi * t / 4))

    pressure = field(breathing, depth=depths(bottom), time=times(24.0, RATE))
    peaks = np.arange(0, 6) * 80
    return crural_borders(
        pressure,
        inspiration=peaks,
        end_expiration=peaks + 40,
        crural_diaphragm_cm=cd,
        parameters=PARAMETERS,
    )


def test_the_diaphragm_ends_where_its_rise_does():
    # A triangle of 1 cm to either side falls to a fifth 0.8 cm away.
    seen = crural(lambda z: 10 * np.clip(1 - np.abs(z - 25), 0, None))
    assert seen == pytest.approx((24.2, 25.8), abs=0.11)
    # Of a Gaussian within 2 cm.
    bell = crural(lambda z: 10 * np.exp(-0.5 * ((z - 25) / 0.7) ** 2))
    assert bell == pytest.approx((25 - 0.7 * study.REACH, 25 + 0.7 * study.REACH), abs=0.15)


def test_a_diaphragm_at_the_end_of_the_catheter():
    def rise(z):
        return 10 * np.clip(1 - np.abs(z - 25), 0, None)

    assert np.isnan(crural(rise, bottom=26.0)[1])
    assert crural(rise, bottom=26.0)[0] == pytest.approx(24.2, abs=0.11)
    assert crural(rise, bottom=27.0)[1] == pytest.approx(25.8, abs=0.11)
    assert np.isnan(crural(rise, cd=math.nan)).all()


def place_boxes(**change):
    place = {
        "les_upper_cm": 20.0,
        "les_lower_cm": 24.0,
        "les_peak_cm": 22.0,
        "crural_diaphragm_cm": 23.0,
        "crural_cm": (22.0, 24.2),
        "deepest_cm": 30.0,
    }
    return egj_boxes(**place | change, parameters=PARAMETERS)


@pytest.mark.parametrize(
    ("change", "whole", "les", "crural_box"),
    [
        ({}, (20.0, 24.2), (20.0, 24.0), None),
        ({"crural_cm": (22.0, 23.5)}, (20.0, 24.0), (20.0, 24.0), None),
        ({"crural_diaphragm_cm": 24.0, "crural_cm": (23, 25)}, (20, 25), (20, 24), None),
        ({"crural_diaphragm_cm": 24.1, "crural_cm": (23, 25)}, (20, 25), (20, 24), (24, 25)),
        ({"crural_diaphragm_cm": 26.0, "crural_cm": (25, 27)}, (20, 27), (20, 24), (25, 27)),
        # A LES border that lies beyond the diaphragm gives the diaphragm its own box.
        (
            {"crural_diaphragm_cm": 26.0, "crural_cm": (25, 27), "les_lower_cm": 28.0},
            (20, 28),
            (20, 25),
            (25, 27),
        ),
        (
            {"crural_diaphragm_cm": 26.0, "crural_cm": (math.nan, 27), "les_lower_cm": 24.0},
            (20, 27),
            (20, 24),
            (26, 27),
        ),
        # A diaphragm above the LES leaves the LES as the whole box.
        ({"crural_diaphragm_cm": 21.0, "crural_cm": (20, 22)}, (20, 24), (20, 24), None),
    ],
)
def test_where_the_boxes_lie(change, whole, les, crural_box):
    seen = place_boxes(**change)
    assert (seen.status, seen.whole, seen.les, seen.crural) == ("ok", whole, les, crural_box)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"les_upper_cm": math.nan}, "landmark_missing"),
        ({"les_peak_cm": math.nan}, "landmark_missing"),
        ({"crural_diaphragm_cm": math.nan}, "landmark_missing"),
        ({"les_lower_cm": math.nan}, "catheter_ends_in_les"),
        ({"deepest_cm": 23.9}, "catheter_ends_in_les"),
        ({"crural_cm": (22.0, math.nan), "deepest_cm": 24.9}, "catheter_ends_in_egj"),
        # There is room for it: then its sensors are what is missing.
        ({"crural_cm": (22.0, math.nan)}, "sensor_failed"),
    ],
)
def test_boxes_that_cannot_be_placed(change, status):
    seen = place_boxes(**change)
    assert seen.status == status
    assert np.isnan([*seen.whole, *seen.les]).all()


def total(stretches, onsets=(), place=None, gastric=7.0, respiration="ok"):
    return total_egj_contractile_integral(
        stretches,
        onsets_s=onsets,
        boxes=boxes() if place is None else place,
        respiration=respiration,
        gastric_mmhg=gastric,
        parameters=PARAMETERS,
    )


def test_the_total_is_a_mean_over_breaths_not_over_time():
    """A long breath weighs no more than a short one."""

    def two(t, z):
        swing = 1 + 0.5 * np.sin(2 * np.pi * t / 4)
        return 7 + np.where(t < 8, 12.0, 22.0) * swing * between(z, 20, 24.05)

    pressure = field(two, time=times(24.0, RATE))
    peaks = np.array([0, 80, 160, 320])  # 4, 4 and 8 s
    assert total([(pressure, peaks)]).value == pytest.approx((40 + 40 + 80) / 3, abs=1e-4)
    parts = [(pressure[:, :160], peaks[:3]), (pressure[:, 160:], np.array([0, 160]))]
    assert total(iter(parts)).value == pytest.approx((40 + 40 + 80) / 3, abs=1e-4)


def test_breaths_near_a_swallow_stay_out():
    def rising(t, z):
        return 7 + (2 + t) * between(z, 20, 24.05)

    pressure = field(rising, time=times(60.0, RATE))
    peaks = np.arange(0, 15) * 80
    # A swallow at 21 s takes the breaths from 20 s (its end less than 1 s ahead) to 36 s.
    seen = total([(pressure, peaks)], onsets=[21.0])
    starts = [k for k in range(0, 56, 4) if k + 4 <= 20 or k >= 36]
    assert seen.value == pytest.approx(np.mean([4 * (k + 2 - 0.025) for k in starts]), rel=1e-4)
    assert (seen.detail["breaths"], seen.detail["left_out"]) == (len(starts), 0)
    exact = total([(pressure, peaks)], onsets=[20.9])
    assert exact.detail["breaths"] == len([k for k in range(0, 56, 4) if k <= 12 or k >= 36])


@given(seed=st.integers(0, 2**31), onsets=st.lists(st.integers(0, 600), max_size=2))
@settings(max_examples=15, deadline=None)
def test_the_total_agrees_with_the_twin(seed, onsets):
    rng = np.random.default_rng(seed)
    depth, time = depths(4.0, 0.1), times(62.0, 8.0)
    pressure = field(lambda t, z: rng.normal(10, 8, (depth.size, time.size)), depth, time)
    peaks = np.cumsum(rng.integers(16, 84, 9))
    peaks = peaks[peaks < time.size]
    at = [onset / 10 + 0.01 for onset in onsets]  # never on a sample
    place = boxes(les=(1.0, 3.5))
    known = naive.total_egj_ci(
        pressure.values, depth, time, peaks.tolist(), at, top=1.0, bottom=3.5, gastric=4.0
    )
    seen = total([(pressure, peaks)], at, place, gastric=4.0)
    assert seen.value == pytest.approx(known, rel=1e-6, nan_ok=True)
    assert math.isnan(seen.value) == (seen.status != "ok")


def test_totals_that_cannot_be_measured():
    pressure = field(vector_4, time=times(20.0, RATE))
    peaks = np.arange(0, 5) * 80
    assert total([(pressure, peaks)]).value == pytest.approx(40.0, abs=1e-4)
    assert total([(pressure, peaks)], gastric=math.nan).status == "no_gastric_sensor"
    assert total([(pressure, peaks)], place=Boxes.missing("landmark_missing")).status == (
        "landmark_missing"
    )
    assert total([(pressure, peaks)], respiration="respiration_not_found").status == (
        "respiration_not_found"
    )
    assert total([(pressure, peaks[:0])]).status == "baseline_short"
    assert total([]).status == "baseline_short"
    assert total([(pressure, peaks)], onsets=[2.0]).status == "baseline_short"
    assert total([(pressure, peaks[:3])]).status == "baseline_short"
    holed = pressure.copy(deep=True)
    holed[220, 10] = np.nan
    seen = total([(holed, peaks)])
    assert (seen.value, seen.detail["left_out"]) == (pytest.approx(40.0, abs=1e-4), 1)
    holed[220] = np.nan
    assert total([(holed, peaks)]).status == "sensor_failed"


PEAKS = np.arange(0, 8) * 80
TIME = times(32.0, RATE)
QUIET = np.ones(TIME.size, bool)
SLEEVE = 20 + 5 * np.cos(2 * np.pi * TIME / 4)


def inspiratory(sleeve=SLEEVE, peaks=PEAKS, quiet=QUIET, **place):
    """Of a zone between 20 and 24 cm with this course above 7 mmHg, in which 90 is nearby."""
    course = sleeve + 7.0
    pressure = field(
        lambda t, z: np.where(between(z, 20, 24.05) > 0, course, 90 + 0 * t), time=TIME
    )
    known = {"les_upper_cm": 20.0, "les_lower_cm": 24.0, "gastric_mmhg": 7.0}
    return basal_inspiratory(pressure, peaks, quiet, **known | place, parameters=PARAMETERS)


def test_the_inspiratory_pressure_of_a_sinusoid():
    seen = inspiratory()
    assert (seen.value, seen.status) == (pytest.approx(25.0), "ok")
    assert seen.detail["breaths"] == 7  # the first lies at the edge
    wild, quiet = SLEEVE.copy(), QUIET.copy()
    wild[90], quiet[90] = 500, False
    seen = inspiratory(wild, quiet=quiet)
    assert (seen.value, seen.detail["breaths"]) == (pytest.approx(25.0), 6)


def test_the_inspiratory_pressure_of_a_sphincter_that_falls_with_inspiration():
    # Above a hernia: 15 at the peak, 25 at end expiration, and 20 half-way.
    seen = inspiratory(40 - SLEEVE)
    assert seen.value == pytest.approx(20.0)
    lengths = {part.stop - part.start for part in seen.detail["parts"]}
    assert lengths == {41}  # 2 s of a breath of 4 s, at 20 Hz


def test_the_inspiratory_peak_may_lag_behind_the_breath():
    assert inspiratory(np.roll(SLEEVE, 15)).value == pytest.approx(25.0)


@given(seed=st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_the_inspiratory_pressure_agrees_with_the_twin(seed):
    rng = np.random.default_rng(seed)
    peaks = np.cumsum(rng.integers(30, 120, 6))
    sleeve, quiet = rng.normal(20, 5, 640), rng.random(640) > 0.002
    known = naive.inspiratory(sleeve, peaks.tolist(), quiet)
    assert inspiratory(sleeve, peaks, quiet).value == pytest.approx(known, nan_ok=True, rel=1e-6)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"les_upper_cm": math.nan}, "landmark_missing"),
        ({"les_lower_cm": math.nan}, "catheter_ends_in_les"),
        ({"les_lower_cm": 30.2}, "catheter_ends_in_les"),
        ({"gastric_mmhg": math.nan}, "no_gastric_sensor"),
        ({"peaks": PEAKS[:0]}, "respiration_not_found"),
        ({"peaks": PEAKS[:1]}, "respiration_not_found"),
        ({"peaks": PEAKS[:3]}, "baseline_short"),
        ({"sleeve": np.where(np.arange(TIME.size) == 300, np.nan, SLEEVE)}, "sensor_failed"),
        ({"sleeve": np.full(TIME.size, np.nan)}, "sensor_failed"),
    ],
)
def test_inspiratory_pressures_that_cannot_be_measured(change, status):
    seen = inspiratory(**change)
    assert (seen.status, math.isnan(seen.value)) == (status, True)


@pytest.mark.parametrize(
    ("separation", "ccv3", "alternative", "kind"),
    [
        (-1.0, "none", "none", "I"),
        (1.0, "none", "none", "I"),
        (1.1, "none", "none", "II"),
        (1.99, "none", "none", "II"),
        (2.0, "hernia", "none", "II"),
        (2.9, "hernia", "none", "II"),
        (3.0, "hernia", "hernia", "III"),
        (0.1 + 0.2 + 2.7, "hernia", "hernia", "III"),
        (math.nan, None, None, None),
    ],
)
def test_both_labels_of_a_hernia(separation, ccv3, alternative, kind):
    seen = hernia_labels(Measurement(separation), PARAMETERS)
    assert dict(seen) == {"CCv3": ccv3, "alternative": alternative, "alternative_type": kind}


def constant(values, sensors):
    values[study.at(sensors, 26)] = 3.0


def stuck_high(values, sensors):
    values[study.at(sensors, 26), : 38 * 50] = 300.0


CLEAN = study.measured(study.recording())
ALL = study.LES_REST


@pytest.mark.parametrize(
    ("sensors", "options", "rules"),
    [
        # A sensor bridged at the peak of a sphincter: its height is lost in part.
        pytest.param(without(study.recording(), 26), {}, [(ALL, (0.0, 0.25))], id="LES sensor"),
        pytest.param(
            without(study.recording(), 26, 27), {}, [(ALL, "sensor_failed")], id="two LES sensors"
        ),
        pytest.param(without(study.recording(), 8, 9), {}, [(ALL, (1e-9, 0))], id="UES sensors"),
        pytest.param(without(study.recording(), 15), {}, [(ALL, (1e-9, 0))], id="body sensor"),
        pytest.param(
            study.recording(stop=12.0),
            {},
            [(ALL, "baseline_short")],
            id="cut at the end",
        ),
        pytest.param(
            study.recording(),
            {"breathing": False},
            [(ALL, "respiration_not_found")],
            id="no breaths",
        ),
        pytest.param(changed(constant), {}, [(ALL, (0.0, 0.25))], id="constant channel"),
        pytest.param(changed(stuck_high), {}, [(ALL[:2], "sensor_failed")], id="stuck at the rail"),
        pytest.param(study.recording(8.0), {}, [(ALL, (0.05, 0.01))], id="8 Hz"),
        pytest.param(study.recording(200.0), {}, [(ALL, (0.05, 0.01))], id="200 Hz"),
        pytest.param(changed(coarse), {}, [(ALL, (1.5, 0.02))], id="3 mmHg steps"),
    ],
)
def test_faulty_input(sensors, options, rules):
    seen = study.measured(sensors, **options)
    for names, rule in rules:
        study.check(seen, CLEAN, names, rule)


def test_without_a_gastric_sensor():
    place = study.anatomy() | {"gastric": math.nan}
    seen = study.measured(study.recording(), place)
    study.check(seen, CLEAN, ALL, "no_gastric_sensor")


def test_the_les_at_the_last_sensor():
    seen = study.measured(study.recording(depth=np.arange(28.0)))
    study.check(seen, CLEAN, ALL, "catheter_ends_in_les")
    # The LES is on the catheter, but the lower end of the diaphragm is not.
    seen = study.measured(
        study.recording(depth=np.arange(29.0)), study.anatomy() | {"les_lower": 27.8}
    )
    study.check(seen, CLEAN, ALL[:2], "catheter_ends_in_egj")


def excess_of(top, bottom, separation):
    """The integral on the analytic field, over one breath."""
    time, z = np.arange(400) / 100, np.linspace(top, bottom, 400)
    over = np.maximum(study.pressure(time[None, :], z[:, None], separation) - 8.0, 0.0)
    return float(np.trapezoid(over, z, axis=0).mean())


@pytest.mark.parametrize("separation", [0.5, 4.0])
def test_the_integrals_of_the_analytic_study(separation):
    place = study.anatomy(separation)
    seen = study.measured(study.recording(separation=separation), place)
    end = place["cd"] + study.CD_SD * study.REACH
    if separation < 2:
        known = excess_of(place["les_upper"], max(end, place["les_lower"]), separation)
        assert seen["egj_ci_mmhg_cm"].value == pytest.approx(known, rel=0.03)
        assert seen["egj_ci_les_mmhg_cm"].status == "not_separated"
        return
    les = excess_of(place["les_upper"], place["les_lower"], separation)
    diaphragm = excess_of(place["cd"] - study.CD_SD * study.REACH, end, separation)
    assert seen["egj_ci_les_mmhg_cm"].value == pytest.approx(les, rel=0.03)
    assert seen["egj_ci_crural_mmhg_cm"].value == pytest.approx(diaphragm, rel=0.15)
    assert seen["egj_ci_sum_mmhg_cm"].value == pytest.approx(
        seen["egj_ci_les_mmhg_cm"].value + seen["egj_ci_crural_mmhg_cm"].value
    )
    assert seen["egj_ci_total_mmhg_cm"].value == pytest.approx(seen["egj_ci_sum_mmhg_cm"].value)
