"""The field that is drawn: true to the sensors, honest about gaps."""

import numpy as np
import pytest

from hrm import make_recording
from hrm.plot._field import field_of, usable_sensors

DEPTH = np.array([0.0, 2.0, 3.0, 7.0, 8.0, 13.0])


def pressure_of(values, rate=10.0):
    study = make_recording(values, sampling_rate=rate, depth=DEPTH, dims=("sensor", "time"))
    return study["pressure/pressure"]


@pytest.fixture
def values(rng=None):
    return np.random.default_rng(4).normal(30.0, 20.0, (DEPTH.size, 50)).astype(np.float32)


ALL = np.ones(DEPTH.size, dtype=bool)


def draw(values, usable=ALL, **changes):
    options = {"start_s": 0.0, "stop_s": 5.0, "columns": 50, "peaks": False, **changes}
    return field_of(pressure_of(values), usable, **options)


def rows_at(field, depth):
    return np.abs(field.depth[:, None] - np.asarray(depth)[None, :]).argmin(axis=0)


def test_sensors_are_drawn_where_they_are_with_what_they_measured(values):
    field = draw(values)
    np.testing.assert_allclose(field.values[rows_at(field, DEPTH)], values, atol=1e-4)
    np.testing.assert_allclose(field.time, np.arange(50) / 10.0)


def test_between_sensors_nothing_is_beyond_them(values):
    field = draw(values)
    for k in range(DEPTH.size - 1):
        between = (field.depth >= DEPTH[k]) & (field.depth <= DEPTH[k + 1])
        low, high = np.minimum(values[k], values[k + 1]), np.maximum(values[k], values[k + 1])
        assert (field.values[between] >= low - 1e-4).all()
        assert (field.values[between] <= high + 1e-4).all()


def test_extent_is_the_edges_of_the_outer_cells(values):
    field = draw(values, start_s=1.0, stop_s=3.0)
    left, right, bottom, top = field.extent
    assert (left, right) == pytest.approx((0.95, 2.95))
    half = 0.5 * (field.depth[1] - field.depth[0])
    assert (bottom, top) == pytest.approx((DEPTH[-1] + half, DEPTH[0] - half))


def test_overview_keeps_a_short_peak_and_a_panel_means():
    values = np.zeros((DEPTH.size, 50), dtype=np.float32)
    values[:, 23] = 100.0
    assert draw(values, columns=5, peaks=True).values.max() == pytest.approx(100.0)
    means = draw(values, columns=5)
    assert means.values.max() == pytest.approx(10.0)
    np.testing.assert_allclose(means.time, [0.45, 1.45, 2.45, 3.45, 4.45])


def missing_depths(values, usable=ALL):
    field = draw(values, usable)
    gone = np.isnan(field.values)
    assert (gone.all(axis=1) == gone.any(axis=1)).all()
    return field.depth[gone.any(axis=1)]


def test_one_lost_sensor_is_bridged(values):
    usable = ALL.copy()
    usable[2] = False
    assert missing_depths(values, usable).size == 0
    field = draw(values, usable)
    others = np.delete(np.arange(DEPTH.size), 2)
    np.testing.assert_allclose(
        field.values[rows_at(field, DEPTH[others])], values[others], atol=1e-4
    )


def test_two_lost_neighbors_are_a_gap(values):
    usable = ALL.copy()
    usable[[2, 3]] = False
    gap = missing_depths(values, usable)
    assert gap.min() == pytest.approx(2.6, abs=0.2)  # nearer to 3 cm than to 2 cm
    assert gap.max() == pytest.approx(7.5, abs=0.2)


def test_a_lost_end_is_not_made_up(values):
    usable = ALL.copy()
    usable[-1] = False
    gap = missing_depths(values, usable)
    assert gap.min() == pytest.approx(8.2, abs=0.15)
    assert gap.max() == DEPTH[-1]


def test_a_gap_in_time_is_a_gap_in_the_picture(values):
    values[2:4, 10:20] = np.nan
    field = draw(values)
    gone = np.isnan(field.values[rows_at(field, [3.0, 7.0])])
    assert gone[:, 10:20].all()
    assert not gone[:, :10].any()
    assert not gone[:, 20:].any()


def test_nothing_usable_is_drawn_as_nothing(values):
    assert np.isnan(draw(values, ~ALL).values).all()


def test_a_window_outside_the_recording(values):
    assert draw(values, start_s=50.0, stop_s=60.0) is None


def test_usable_sensors(values):
    values[1] = 7.0
    values[3] = np.nan
    pressure = pressure_of(values)
    pressure["sensor_ok"][4] = False
    usable = usable_sensors(pressure, dead_variance=0.01)
    assert usable.tolist() == [True, False, True, False, False, True]
