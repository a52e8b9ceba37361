"""IRP: the published test vector, its window, its sleeve, its twin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm.metrics.irp import irp
from hrm.metrics.relaxation import relaxation_sleeve
from tests.metrics.fields import INF, PARAMETERS, between, depths, field, times
from tests.naive import metrics as naive


def hundredths(low, high):
    """Decimals: nearer to a sample than a microsecond the two need not agree."""
    return st.integers(low, high).map(lambda n: n / 100)


def relaxation(t, z):
    """Test vector 3: e-sleeve pressure in steps."""
    levels = ((25, 0, 1), (4, 1, 3), (20, 3, 4), (6, 4, 6), (30, 6, 99))
    return sum(level * between(t, low, high) for level, low, high in levels) + 0 * z


def measure(pressure, *, stop_s=INF, gastric=2.0, les=10.0, duration=4.0, onset=0.0, **options):
    rules = PARAMETERS.replace({"irp.duration_s": duration})
    sleeve = relaxation_sleeve(
        pressure,
        onset_s=onset,
        stop_s=stop_s,
        les_upper_cm=les,
        les_lower_cm=les + 3.0,
        gastric_mmhg=gastric,
        parameters=rules,
        **options,
    )
    return irp(sleeve, rules)


@pytest.mark.parametrize("rate", [8.0, 20.0, 50.0, 100.0])
@pytest.mark.parametrize(("duration", "known"), [(4, 3.0), (2, 2.0), (5, 6.0), (3, 8 / 3)])
def test_vector_3(rate, duration, known):
    pressure = field(relaxation, time=times(12.0, rate))
    assert measure(pressure, duration=float(duration)).value == pytest.approx(known, abs=1e-6)


@pytest.mark.parametrize(("duration", "count"), [(0.2, 2), (0.3, 2), (0.35, 3), (2.0, 16)])
def test_the_number_of_samples_is_rounded(duration, count):
    """At 8 Hz 0.2 s are 1.6 samples; the pressure rises by 1 mmHg a sample."""
    rising = field(lambda t, z: 8 * t + 0 * z, time=times(12.0, 8.0))
    seen = measure(rising, duration=duration, gastric=0.0)
    assert seen.value == pytest.approx((count - 1) / 2)


def test_the_four_seconds_are_not_contiguous_and_are_told():
    seen = measure(field(relaxation, time=times(12.0, 20.0)))
    assert seen.status == "ok"
    assert seen.detail["times_s"].size == 80
    assert ((seen.detail["times_s"] < 3) | (seen.detail["times_s"] >= 4)).all()
    assert seen.detail["sleeve_cm"] == pytest.approx((8.0, 14.0))
    assert seen.detail["window_s"] == (0.0, 10.0)


def test_the_sleeve_takes_the_greatest_pressure_of_six_cm():
    def moving(t, z):
        return np.maximum(20 * between(z, 8 + 0.5 * t, 8.2 + 0.5 * t), 5.0)

    def outside(t, z):
        return moving(t, z) + 90 * between(z, 0, 8.0) + 90 * between(z, 14.1, 30)

    assert measure(field(moving), gastric=0.0).value == pytest.approx(20.0)
    assert measure(field(outside), gastric=0.0).value == pytest.approx(20.0)


@pytest.mark.parametrize(
    ("stop", "status"),
    [(7.5, "window_truncated"), (7.98, "window_truncated"), (8.0, "ok"), (9.3, "ok"), (10, "ok")],
)
def test_a_window_of_less_than_eight_seconds_is_not_measured(stop, status):
    seen = measure(field(relaxation), stop_s=stop)
    assert seen.status == status
    assert np.isnan(seen.value) == (status != "ok")


def test_the_end_of_the_recording_cuts_the_window():
    short = field(relaxation, time=times(7.0))
    assert measure(short).status == "window_truncated"
    assert measure(field(relaxation, time=times(8.0))).value == pytest.approx(3.0)


def test_what_follows_the_window_does_not_count():
    late = field(lambda t, z: 30.0 - 30.0 * (t >= 10) + 0 * z)
    assert measure(late, gastric=0.0).value == pytest.approx(30.0)


def test_negative_values_are_allowed():
    assert measure(field(lambda t, z: 0 * t * z), gastric=10.0).value == pytest.approx(-10.0)


def test_a_gastric_reference_that_changes_with_time():
    pressure = field(lambda t, z: 12 + 3 * np.sin(t) + 0 * z)
    trace = field(lambda t, z: 2 + 3 * np.sin(t) + 0 * z)[0]
    assert measure(pressure, gastric_trace=trace).value == pytest.approx(10.0, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("onset", "landmark_missing"),
        ("les", "landmark_missing"),
        ("gastric", "no_gastric_sensor"),
    ],
)
def test_without_a_landmark(name, status):
    seen = measure(field(relaxation), **{name: float("nan")})
    assert seen.status == status
    assert np.isnan(seen.value)


def test_a_failed_sensor_in_the_sleeve_only():
    pressure = field(relaxation)
    pressure[120, 5] = np.nan
    assert measure(pressure).status == "sensor_failed"
    assert measure(pressure, les=20.0).value == pytest.approx(3.0)


def test_a_sleeve_off_the_catheter_is_not_measured():
    assert np.isnan(measure(field(relaxation), les=60.0).value)


@given(
    seed=st.integers(0, 2**31),
    rate=st.sampled_from([8.0, 20.0, 33.0]),
    end=hundredths(600, 1400),
    les=hundredths(600, 1800),
    onset=hundredths(0, 200),
)
def test_agrees_with_the_twin(seed, rate, end, les, onset):
    rng = np.random.default_rng(seed)
    depth, time = depths(24.0, 0.5), times(13.0, rate)
    pressure = field(lambda t, z: rng.normal(10, 8, (depth.size, time.size)), depth, time)
    seen = measure(pressure, onset=onset, stop_s=end, les=les, gastric=4.5)
    known = naive.irp(
        pressure.values, depth, time, onset=onset, end=end, les_upper=les, gastric=4.5
    )
    np.testing.assert_allclose(seen.value, known, rtol=1e-6, equal_nan=True)
