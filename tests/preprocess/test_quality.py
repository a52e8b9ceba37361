"""Which sensors are believed: each fault is found where it is, and nothing else is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrm.preprocess import FLAGS, judge_sensors, repair_sensors, resolution
from tests.preprocess.recordings import DURATION, LES, PARAMETERS, RATE, N, resting, wrap


def judged(values, **how):
    return judge_sensors(wrap(values, **how), PARAMETERS)


def faults(quality):
    return {k: name for k, name in enumerate(quality.status) if name != "ok"}


def flagged(quality, sensor):
    """Windows with a flag, by number."""
    return np.flatnonzero(quality.flags[sensor]).tolist()


def at(start, stop):
    return slice(round(start * RATE), round(stop * RATE))


@pytest.mark.parametrize("noise", [0.0, 0.4, 3.0, 8.0])
@pytest.mark.parametrize("quantum", [0.0, 1.0, 3.0])
def test_a_sound_recording_has_no_fault(noise, quantum):
    quality = judged(resting(noise=noise, quantum=quantum))
    assert faults(quality) == {}
    assert quality.usable.all()
    assert quality.share.max() == 0.0


def test_windows_last_ten_seconds():
    quality = judged(resting(duration=47.0))
    assert (quality.edges / RATE).tolist() == [0.0, 10.0, 20.0, 30.0, 47.0]


@pytest.mark.parametrize("sensor", [0, 7, LES, N - 1])
def test_a_constant_sensor_is_dead(sensor):
    values = resting()
    values[sensor] = 3.7
    quality = judged(values)
    assert faults(quality) == {sensor: "dead"}
    assert not quality.usable[sensor]
    assert quality.share[sensor] == 1.0


def test_a_sensor_is_dead_while_it_stands_still_and_its_neighbors_move():
    values = resting()
    values[7, at(60, 90)] = values[7, round(60 * RATE)]
    quality = judged(values)
    assert faults(quality) == {7: "dead"}
    # In windows without a wave next to it nothing tells it from rest.
    assert set(flagged(quality, 7)) <= {6, 7, 8}
    assert flagged(quality, 7)
    assert quality.usable[7]


def test_coarse_numbers_that_rest_are_not_dead():
    values = resting(noise=0.0, quantum=3.0)
    values[20:] = 6.0  # the stomach, breathing below the resolution
    assert faults(judged(values)) == {}
    values[21] = -12.0  # next to each other, but not alike
    assert set(faults(judged(values))) == {20, 21, 22, 23}


def test_missing_samples():
    values = resting()
    values[5] = np.nan
    values[9, at(40, 70)] = np.nan
    quality = judged(values)
    assert faults(quality) == {5: "missing", 9: "missing"}
    assert flagged(quality, 9) == [4, 5, 6]
    assert (quality.usable[5], quality.usable[9]) == (False, True)
    assert quality.share[9] == pytest.approx(30.0 / DURATION)


def test_a_sensor_marked_by_the_reader():
    good = np.ones(N, bool)
    good[3] = False
    quality = judged(resting(), sensor_ok=good)
    assert faults(quality) == {3: "marked"}
    assert not quality.usable[3]


@pytest.mark.parametrize("rail", [25.0, 60.0])
def test_a_flat_top_is_a_rail(rail):
    values = resting()
    values[8] = np.minimum(values[8], rail)
    quality = judged(values)
    assert faults(quality) == {8: "rail"}
    assert quality.usable[8]
    assert quality.railed[8].tolist() == (values[8] == rail).tolist()


@pytest.mark.parametrize("quantum", [0.01, 1.0])
def test_a_top_near_which_the_sensor_often_is_is_a_rail_of_fine_numbers_only(quantum):
    """Breathing cut off a little below its top: whole mmHg turn there by themselves."""
    values = resting(noise=0.0)
    time = np.arange(values.shape[1]) / RATE
    values[8] = np.minimum(22.0 + 3.0 * np.sin(1.6 * time), 22.0 + 2.0)
    values[8] = (np.round(values[8] / quantum) * quantum).astype(np.float32)
    assert (faults(judged(values)).get(8) == "rail") == (quantum < 0.5)


def test_a_flat_bottom_is_a_rail():
    values = resting()
    values[8] = np.maximum(-values[8], -40.0)
    assert faults(judged(values)).get(8) == "rail"


def test_neighbors_at_one_rail_are_both_at_it():
    values = np.minimum(resting(), 50.0)
    found = faults(judged(values))
    assert set(found.values()) == {"rail"}
    assert set(found) >= set(range(2, 15))


def test_a_sensor_that_leaves_its_habit_is_an_outlier():
    values = resting()
    values[8, at(60, 130)] += 60.0
    quality = judged(values)
    assert faults(quality) == {8: "outlier"}
    assert set(flagged(quality, 8)) <= set(range(6, 13))
    assert len(flagged(quality, 8)) >= 5


def test_a_short_or_shared_change_is_no_outlier():
    values = resting()
    values[8, at(60, 80)] += 60.0  # twenty seconds: a contraction or a relaxation
    assert faults(judged(values)) == {}
    values = resting()
    values[6:11, at(60, 130)] += 60.0  # a spasm
    assert faults(judged(values)) == {}


def test_a_sphincter_that_moves_or_opens_is_no_outlier():
    z = np.arange(float(N))[:, None]
    values = resting()
    moved = 35.0 * (np.exp(-0.5 * (z - LES - 1) ** 2) - np.exp(-0.5 * (z - LES) ** 2))
    values[:, at(100, 200)] += moved
    assert faults(judged(values)) == {}
    values = resting()
    values[:, at(60, 130)] -= 33.0 * np.exp(-0.5 * (z - LES) ** 2)
    assert faults(judged(values)) == {}


def test_a_noisy_sensor():
    values = resting()
    values[11] += 15.0 * np.random.default_rng(0).standard_normal(values.shape[1])
    quality = judged(values)
    assert faults(quality) == {11: "noisy"}
    assert not quality.usable[11]


def test_resolution_is_the_step_of_the_numbers():
    assert resolution(np.array([1.0, 4.0, 10.0, np.nan, 4.0], np.float32)) == 3.0
    assert resolution(np.array([2.0, 2.0], np.float32)) == 0.0


def repaired(values, **how):
    pressure = wrap(values, **how)
    quality = judge_sensors(pressure, PARAMETERS)
    return repair_sensors(pressure, quality, kernel="pchip").values, quality


def test_nothing_to_repair_changes_nothing():
    pressure = wrap(resting())
    assert repair_sensors(pressure, judge_sensors(pressure, PARAMETERS), kernel="pchip") is pressure


def test_lost_samples_come_from_the_neighbors():
    truth = resting(noise=0.0)
    values = truth.copy()
    values[9, at(40, 70)] = np.nan
    found, _ = repaired(values)
    assert np.abs(found[9, at(40, 70)] - truth[9, at(40, 70)]).max() < 5.0
    untouched = np.ones_like(values, bool)
    untouched[9, at(40, 70)] = False
    assert (found[untouched] == values.astype(np.float32)[untouched]).all()


def test_linear_repair_is_the_line_between_the_neighbors():
    values = resting()
    values[9, at(40, 70)] = np.nan
    pressure = wrap(values, depth=[0, 1, 2, 3, 4, 5, 6, 7, 8, 9.5, *range(11, 25)])
    quality = judge_sensors(pressure, PARAMETERS)
    found = repair_sensors(pressure, quality, kernel="linear").values[9, at(40, 70)]
    above, below = values[8, at(40, 70)], values[10, at(40, 70)]
    np.testing.assert_allclose(found, above + (below - above) * 1.5 / 3.0, atol=1e-3)


def test_two_lost_neighbors_are_not_repaired():
    values = resting()
    values[9:11, at(40, 70)] = np.nan
    values[0, at(40, 70)] = np.nan  # at the end there is only one neighbor
    found, _ = repaired(values)
    assert np.isnan(found[9:11, at(40, 70)]).all()
    assert np.isnan(found[0, at(40, 70)]).all()
    assert np.isfinite(found[1:9]).all()


@pytest.mark.parametrize("dead", [9, 11])
def test_a_sensor_beside_a_dead_one_is_not_repaired(dead):
    values = resting()
    values[dead] = 1.0
    values[10, at(40, 70)] = np.nan
    found, quality = repaired(values)
    assert not quality.usable[dead]
    assert np.isnan(found[10, at(40, 70)]).all()


def test_at_the_rail_the_pressure_is_at_least_the_rail():
    values = resting()
    values[LES, at(100, 108)] -= 25.0  # it opens once
    values[LES] = np.minimum(values[LES], 31.0)
    found, quality = repaired(values)
    assert faults(quality) == {LES: "rail"}
    railed = quality.railed[LES]
    # The neighbors are lower than the peak of a sphincter: the rail itself is what is known.
    assert (found[LES][railed] >= 31.0).all()
    assert (found[LES][~railed] == values[LES][~railed].astype(np.float32)).all()
    truth = resting(noise=0.0)
    values = truth.copy()
    values[8] = np.minimum(values[8], 30.0)
    found, _ = repaired(values)
    assert np.abs(found[8] - truth[8]).max() < 6.0


@settings(max_examples=15)
@given(
    st.integers(1, N - 2),
    st.sampled_from(["dead", "missing", "rail"]),
    st.integers(0, 2**31 - 1),
)
def test_one_fault_is_found_where_it_is(sensor, kind, seed):
    values = resting(seed=seed)
    if kind == "dead":
        values[sensor] = 1.5
    elif kind == "missing":
        values[sensor] = np.nan
    else:
        values[sensor] = np.minimum(80.0 * np.sin(np.arange(values.shape[1]) / 50.0), 40.0)
    quality = judged(values)
    assert quality.status[sensor] == kind
    assert set(faults(quality)) == {sensor}
    assert set(quality.status) <= set(FLAGS)
