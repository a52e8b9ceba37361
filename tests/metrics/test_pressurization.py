"""Pressurization patterns and intrabolus pressure from analytic fields."""

import math

import numpy as np
import pytest

from hrm.metrics.front import deceleration_point, wavefront
from hrm.metrics.pressurization import PATTERNS, intrabolus_pressure, pressurization
from tests.metrics.fields import INF, PARAMETERS, between, broken_front, field, wave

UES, LES = 5.0, 25.0


def pattern(pressure, *, stop=INF, ues=UES, les=LES, lower=LES + 1.5, diaphragm=math.nan):
    front = wavefront(
        pressure, onset_s=0.0, stop_s=stop, top_cm=10.0, bottom_cm=les, parameters=PARAMETERS
    )
    return pressurization(
        pressure,
        onset_s=0.0,
        stop_s=stop,
        ues_lower_cm=ues,
        les_upper_cm=les,
        les_lower_cm=lower,
        crural_diaphragm_cm=diaphragm,
        front=front,
        parameters=PARAMETERS,
    )


def plateau(level=40.0, start=2.0, stop=6.0, top=0.0, bottom=40.0):
    return lambda t, z: level * between(t, start, stop) * between(z, top, bottom)


@pytest.mark.parametrize(
    ("pressure", "known"),
    [
        (plateau(), "panesophageal"),
        (plateau(level=30.0), "panesophageal"),
        (plateau(level=29.9), "none"),
        (plateau(stop=2.32), "panesophageal"),
        (plateau(stop=2.28), "none"),
        (plateau(start=9.8, stop=14), "none"),
        (plateau(top=6.9), "panesophageal"),  # 95 % of the body from 1 cm below the UES
        (plateau(top=7.0), "none"),
        (plateau(bottom=20.0), "none"),
    ],
)
def test_panesophageal_is_uniform_from_ues_to_egj(pressure, known):
    assert pattern(field(pressure)) == (known, "ok")


@pytest.mark.parametrize(("spread", "known"), [(14.0, "panesophageal"), (16.0, "none")])
def test_panesophageal_is_flat_along_the_body(spread, known):
    def pressure(t, z):
        return (50 + spread * np.sign(np.sin(2 * np.pi * z + 0.01))) * between(t, 2, 6)

    assert pattern(field(pressure)) == (known, "ok")


@pytest.mark.parametrize(("span", "known"), [(0.6, "panesophageal"), (1.6, "none")])
def test_a_fast_contraction_is_no_pressurization(span, known):
    def pressure(t, z):
        return 40 * between(t, 2 + span * (z - 6) / 18.5, 7)

    assert pattern(field(pressure)) == (known, "ok")


@pytest.mark.parametrize(
    ("bottom", "known"),
    [(12.0, "panesophageal"), (14.5, "panesophageal"), (18.0, "none")],
)
def test_a_striated_contraction_may_run_into_a_pressurization(bottom, known):
    # The body runs from 5 to 25 cm; its striated part ends half-way at the latest.
    def pressure(t, z):
        early = 60 * between(t, 1.0, 3.5) * between(z, 0.0, bottom)
        return np.maximum(early, plateau(start=3.0)(t, z))

    assert pattern(field(pressure)) == (known, "ok")


@pytest.mark.parametrize(("span", "known"), [(0.4, "panesophageal"), (0.7, "none")])
def test_the_smooth_part_rises_at_once_by_the_same_measure(span, known):
    # 0.5 s for the half of a body that may take 1 s.
    def pressure(t, z):
        late = np.where(z < 15, 0.5, 3 + span * (z - 15) / 9.5)
        return 40 * between(t, late, 7)

    assert pattern(field(pressure)) == (known, "ok")


def test_a_part_that_was_pressurized_before_the_window_counts_as_early():
    def pressure(t, z):
        return 40 * np.where(z < 15, t < 6, between(t, 3, 6))

    assert pattern(field(pressure)) == ("none", "ok")


def front(z):
    return broken_front(z, top=6.0, start_s=2.0, knot=22.0, fast=3.0, slow=1.0)


def compartment(level, *, start=5.5, top=14.0):
    contracting = wave(front, peak=90.0, duration=1.5)

    def pressure(t, z):
        ahead = level * between(z, top, LES + 0.05) * (t >= start) * (t < front(z) + 0.3)
        return np.maximum(contracting(t, z), ahead)

    return pressure


def test_compartmentalized_reaches_from_the_front_to_the_egj():
    assert pattern(field(compartment(35.0))) == ("compartmentalized", "ok")
    assert pattern(field(compartment(25.0))) == ("none", "ok")
    assert pattern(field(compartment(0.0))) == ("none", "ok")


def test_a_plateau_that_does_not_reach_the_egj_is_no_compartment():
    full = compartment(35.0)

    def stops_short(t, z):
        return np.where(z > 20, compartment(0.0)(t, z), full(t, z))

    assert pattern(field(stops_short)) == ("none", "ok")


@pytest.mark.parametrize(
    ("diaphragm", "known"), [(30.0, "egj"), (28.5, "egj"), (28.4, "none"), (math.nan, "none")]
)
def test_egj_pressurization_lies_in_a_hernia(diaphragm, known):
    """The LES ends at 26.5: half a cm below it and 1 cm above the diaphragm half a cm is left."""
    hernia = plateau(top=LES + 1.9, bottom=29.2)
    assert pattern(field(hernia), diaphragm=diaphragm) == (known, "ok")


def test_a_tight_les_above_a_hernia_is_no_pressurization():
    tight = plateau(top=LES, bottom=LES + 3.0)
    assert pattern(field(tight), lower=LES + 3.1, diaphragm=LES + 5.2) == ("none", "ok")
    assert pattern(field(tight), lower=math.nan, diaphragm=LES + 5.2) == ("none", "ok")


def test_pressurization_that_cannot_be_read():
    assert pattern(field(plateau()), ues=math.nan) == ("none", "landmark_missing")
    broken = field(plateau())
    broken[120] = np.nan
    assert pattern(broken) == ("none", "sensor_failed")
    assert set(PATTERNS) == {"none", "panesophageal", "compartmentalized", "egj"}


def bolus(pressure, *, gastric=5.0, **overrides):
    place = {"onset_s": 0.0, "stop_s": INF, "top_cm": 10.0, "bottom_cm": LES}
    seen = wavefront(pressure, **place, parameters=PARAMETERS)
    point = deceleration_point(seen, les_upper_cm=LES, atypical=False, parameters=PARAMETERS)
    return intrabolus_pressure(
        pressure,
        front=seen,
        point=point,
        les_upper_cm=LES,
        gastric_mmhg=gastric,
        parameters=PARAMETERS.replace(overrides),
    )


@pytest.mark.parametrize("level", [0.0, 12.0, 22.0, 35.0])
def test_intrabolus_pressure_of_a_known_plateau(level):
    seen = bolus(field(compartment(level, start=0.0, top=6.0)))
    assert seen.value == pytest.approx(level, abs=0.01)
    assert seen.detail["mean_mmhg"] == pytest.approx(level, abs=0.01)


def test_intrabolus_pressure_is_the_greatest_of_the_last_three_seconds():
    def swelling(t, z):
        extra = 8 * between(t, 6.0, 6.5) - 6 * between(t, 0.0, 4.0)
        return compartment(20.0, start=0.0, top=6.0)(t, z) + extra * (t < front(z))

    assert bolus(field(swelling)).value == pytest.approx(28.0, abs=0.01)


def test_intrabolus_pressure_above_gastric_if_asked():
    seen = bolus(field(compartment(22.0, start=0.0, top=6.0)), **{"ibp.reference": "gastric"})
    assert seen.value == pytest.approx(17.0, abs=0.01)


def test_no_intrabolus_pressure_without_front():
    seen = bolus(field(lambda t, z: 5 + 0 * t * z))
    assert (seen.status, math.isnan(seen.value)) == ("no_wavefront", True)
