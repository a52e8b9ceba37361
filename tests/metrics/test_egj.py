"""The EGJ at rest: closed forms of a breathing sphincter, morphology, contractile integral."""

import math

import numpy as np
import pytest

from hrm.metrics._base import Measurement
from hrm.metrics.egj import (
    basal_end_expiratory,
    basal_mean,
    contractile_integral,
    les_cd_separation,
    les_length,
    morphology,
    resting_sleeve,
)
from tests.metrics.fields import PARAMETERS, between, field, times

RATE = 20.0
BREATH_S = 4.0
TIME = times(32.0, RATE)
SLEEVE = 20 + 5 * np.cos(2 * np.pi * TIME / BREATH_S)
PEAKS = np.arange(1, 8) * round(BREATH_S * RATE)
TROUGHS = PEAKS[:-1] + round(BREATH_S * RATE / 2)
QUIET = np.ones(TIME.size, bool)


def test_vector_4():
    pressure = field(
        lambda t, z: 7 + (12 + 6 * np.sin(2 * np.pi * t / 4)) * between(z, 20, 24.05),
        time=times(12.0),
    )
    place = {"les_upper_cm": 20.0, "egj_lower_cm": 24.0, "start_s": 0.0, "stop_s": 12.0}
    seen = contractile_integral(pressure, **place, gastric_mmhg=7.0, parameters=PARAMETERS)
    assert seen.value == pytest.approx(40.0, abs=1e-4)
    # Only the excess counts: 2 mmHg above gastric is the zero.
    none = contractile_integral(pressure, **place, gastric_mmhg=23.0, parameters=PARAMETERS)
    assert none.value == 0.0


@pytest.mark.parametrize("missing", ["les_upper_cm", "egj_lower_cm", "gastric_mmhg"])
def test_the_contractile_integral_needs_its_landmarks_and_sensors(missing):
    place = {"les_upper_cm": 20.0, "egj_lower_cm": 24.0, "gastric_mmhg": 5.0}
    span = {"start_s": 0.0, "stop_s": 12.0, "parameters": PARAMETERS}
    pressure = field(lambda t, z: 30 + 0 * t * z)
    assert contractile_integral(pressure, **place | {missing: math.nan}, **span).status == (
        "landmark_missing"
    )
    pressure[220] = np.nan
    assert contractile_integral(pressure, **place, **span).status == "sensor_failed"


def test_basal_pressures_of_a_sinusoid():
    mean = basal_mean(SLEEVE, PEAKS, QUIET, PARAMETERS)
    assert (mean.value, mean.status) == (pytest.approx(20.0, abs=1e-9), "ok")
    half = round(0.25 * RATE)
    end = basal_end_expiratory(SLEEVE, TROUGHS, half, QUIET)
    # Mean of eleven samples of the cosine around its minimum.
    known = 20 - 5 * np.mean(np.cos(2 * np.pi * np.arange(-half, half + 1) / RATE / BREATH_S))
    assert end.value == pytest.approx(known, abs=1e-9)
    assert end.detail["breaths"] == TROUGHS.size


def test_the_mean_covers_whole_breaths():
    """The part of a breath before the first and after the last peak stays out."""
    wild = SLEEVE.copy()
    wild[: PEAKS[0]] = 90
    wild[PEAKS[-1] :] = 90
    assert basal_mean(wild, PEAKS, QUIET, PARAMETERS).value == pytest.approx(20.0)


def test_samples_that_are_not_quiet_stay_out():
    wild, quiet = SLEEVE.copy(), QUIET.copy()
    wild[190:270] = 90  # one whole breath
    quiet[190:270] = False
    assert basal_mean(wild, PEAKS, quiet, PARAMETERS).value == pytest.approx(20.0)
    end = basal_end_expiratory(wild, TROUGHS, 5, quiet)
    assert end.detail["breaths"] == TROUGHS.size - 1
    assert end.value < 16


def test_fewer_than_three_breaths_use_all_quiet_samples():
    seen = basal_mean(SLEEVE, PEAKS[:3], QUIET, PARAMETERS)
    assert (seen.status, seen.value) == ("baseline_short", pytest.approx(20.0, abs=1e-9))
    assert basal_mean(SLEEVE, PEAKS[:4], QUIET, PARAMETERS).status == "ok"


def test_basal_pressures_that_cannot_be_measured():
    missing = np.full(TIME.size, np.nan)
    assert basal_mean(missing, PEAKS, QUIET, PARAMETERS).status == "landmark_missing"
    assert basal_end_expiratory(missing, TROUGHS, 5, QUIET).status == "landmark_missing"
    none = np.array([], int)
    assert basal_end_expiratory(SLEEVE, none, 5, QUIET).status == "respiration_not_found"
    holed = SLEEVE.copy()
    holed[300] = np.nan
    assert basal_mean(holed, PEAKS, QUIET, PARAMETERS).status == "sensor_failed"


def test_a_failed_sensor_does_not_give_an_end_expiratory_pressure():
    holed = SLEEVE.copy()
    holed[TROUGHS[2]] = np.nan
    seen = basal_end_expiratory(holed, TROUGHS, 5, QUIET)
    assert not math.isfinite(seen.value)
    assert seen.status == "sensor_failed"


def test_the_resting_sleeve_is_the_greatest_pressure_between_the_borders():
    pressure = field(lambda t, z: 10 + 15 * between(z, 22, 23) + 90 * between(z, 0, 20) + 0 * t)
    sleeve = resting_sleeve(pressure, les_upper_cm=20.5, les_lower_cm=24.0, gastric_mmhg=4.0)
    np.testing.assert_allclose(sleeve, 21.0)
    lost = resting_sleeve(pressure, les_upper_cm=40, les_lower_cm=44.0, gastric_mmhg=4.0)
    assert np.isnan(lost).all()


@pytest.mark.parametrize(
    ("separation", "inversion", "known"),
    [
        (-0.5, 25.0, "I"),
        (0.0, 25.0, "I"),
        (1.0, 25.0, "I"),
        (1.01, 25.0, "II"),
        (2.0, 25.0, "II"),
        (2.01, 27.0, "IIIa"),
        (4.0, 28.9, "IIIa"),
        (4.0, 25.2, "IIIb"),
        (4.0, 24.0, "IIIb"),
        (4.0, math.nan, None),
        (0.5, math.nan, "I"),
        (math.nan, 25.0, None),
    ],
)
def test_morphology(separation, inversion, known):
    seen = morphology(
        Measurement(separation),
        pressure_inversion_point_cm=inversion,
        les_peak_cm=25.0,
        crural_diaphragm_cm=25.0 + separation,
        parameters=PARAMETERS,
    )
    assert seen == known


def test_lengths():
    assert les_length(20.5, 24.0).value == 3.5
    assert les_cd_separation(22.0, 24.5).value == 2.5
    assert les_cd_separation(22.0, 21.5).value == -0.5
    for missing in (les_length(math.nan, 24.0), les_cd_separation(22.0, math.nan)):
        assert missing.status == "landmark_missing"
