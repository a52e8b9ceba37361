"""LES relaxation: published test vector, one sleeve for all, its twin, and faulty input."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrm.metrics.irp import irp
from hrm.metrics.relaxation import (
    IRP_PARAMETERS,
    Sleeve,
    integrated_relaxation_pressure,
    irp_family,
    nadir,
    relaxation_measurements,
    relaxation_sleeve,
    residual,
)
from tests.metrics import sphincter_study as study
from tests.metrics.fields import INF, PARAMETERS, between, depths, field, times
from tests.metrics.sphincter_study import changed, coarse, without
from tests.naive import metrics as naive_metrics
from tests.naive import sphincter as naive

NAMES = (*IRP_PARAMETERS, "les_nadir_mmhg", "les_residual_mmhg")
PLACE = {"onset_s": 0.0, "les_upper_cm": 10.0, "les_lower_cm": 13.0, "gastric_mmhg": 2.0}


def vector_3(t, z):
    """E-sleeve pressure in steps."""
    levels = ((25, 0, 1), (4, 1, 3), (20, 3, 4), (6, 4, 6), (30, 6, 99))
    return sum(level * between(t, low, high) for level, low, high in levels) + 0 * z


def sleeve_of(pressure, *, stop_s=INF, parameters=PARAMETERS, **place):
    return relaxation_sleeve(pressure, **{**PLACE, **place}, stop_s=stop_s, parameters=parameters)


@pytest.mark.parametrize("rate", [8.0, 20.0, 35.0, 50.0, 100.0, 200.0])
def test_vector_3_at_any_rate(rate):
    sleeve = sleeve_of(field(vector_3, time=times(12.0, rate)))
    seen = {name: m.value for name, m in relaxation_measurements(sleeve, PARAMETERS).items()}
    known = {
        "irp02s_mmhg": 2.0,
        "irp1s_mmhg": 2.0,
        "irp2s_mmhg": 2.0,
        "irp3s_mmhg": 8 / 3,
        "irp5s_mmhg": 6.0,
        "les_nadir_mmhg": 2.0,
        # The three contiguous seconds from 1 to 4 s: 4, 4 and 20 mmHg, less 2.
        "les_residual_mmhg": 28 / 3 - 2,
    }
    assert seen == pytest.approx(known, abs=1e-6)
    assert integrated_relaxation_pressure(sleeve, 4.0).value == pytest.approx(3.0, abs=1e-6)


def test_vector_3_over_four_contiguous_seconds():
    longer = PARAMETERS.replace({"relaxation.residual_s": 4.0})
    seen = residual(sleeve_of(field(vector_3, time=times(12.0))), longer)
    assert seen.value == pytest.approx(6.5, abs=1e-6)
    assert seen.detail["start_s"] == pytest.approx(1.0)


def test_the_nadir_tells_when_and_where():
    seen = nadir(sleeve_of(field(lambda t, z: 20 + 10 * np.cos(t / 2) + 0 * z)))
    assert seen.value == pytest.approx(8.0, abs=1e-3)
    assert seen.detail["time_s"] == pytest.approx(2 * np.pi, abs=0.02)
    assert seen.detail["sleeve_cm"] == pytest.approx((8.0, 14.0))
    assert seen.detail["window_s"] == (0.0, 10.0)


@pytest.mark.parametrize(("duration", "count"), [(0.2, 2), (0.3, 2), (0.35, 3), (2.0, 16)])
def test_the_number_of_samples_is_rounded(duration, count):
    """At 8 Hz 0.2 s are 1.6 samples; the pressure rises by 1 mmHg a sample."""
    sleeve = sleeve_of(field(lambda t, z: 8 * t + 0 * z, time=times(12.0, 8.0)), gastric_mmhg=0.0)
    seen = integrated_relaxation_pressure(sleeve, duration)
    assert seen.value == pytest.approx((count - 1) / 2)


def test_less_than_half_a_sample_is_no_duration():
    sleeve = sleeve_of(field(lambda t, z: t + 0 * z, time=times(12.0, 2.0)))
    seen = irp_family(sleeve, PARAMETERS)
    assert seen["irp02s_mmhg"].status == "rate_too_low"
    assert seen["irp1s_mmhg"].value == pytest.approx(0.25 - 2.0)


def test_a_longer_duration_than_the_sleeve():
    short = Sleeve(np.arange(5.0), np.arange(5.0))
    assert integrated_relaxation_pressure(short, 9.0).status == "window_truncated"
    assert residual(Sleeve(np.arange(2.0), np.arange(2.0)), PARAMETERS).status == "window_truncated"


@given(
    seed=st.integers(0, 2**31),
    rate=st.sampled_from([8.0, 20.0, 33.0]),
    end=st.integers(600, 1400).map(lambda n: n / 100),
    les=st.integers(600, 1800).map(lambda n: n / 100),
    onset=st.integers(0, 200).map(lambda n: n / 100),
)
@settings(max_examples=40, deadline=None)
def test_agrees_with_the_twin_and_with_the_irp(seed, rate, end, les, onset):
    rng = np.random.default_rng(seed)
    depth, time = depths(24.0, 0.5), times(13.0, rate)
    pressure = field(lambda t, z: rng.normal(10, 8, (depth.size, time.size)), depth, time)
    sleeve = sleeve_of(pressure, onset_s=onset, stop_s=end, les_upper_cm=les, les_lower_cm=les + 3)
    place = {"onset": onset, "end": end, "les_upper": les, "gastric": 2.0}
    known = naive.relaxation(pressure.values, depth, time, **place)
    seen = {name: m.value for name, m in relaxation_measurements(sleeve, PARAMETERS).items()}
    if known is None:
        assert sleeve.status == "window_truncated"
        assert all(math.isnan(value) for value in seen.values())
        return
    assert seen == pytest.approx(known, rel=1e-6)
    other = naive_metrics.irp(pressure.values, depth, time, **place)
    assert irp(sleeve, PARAMETERS).value == pytest.approx(other, rel=1e-6)
    durations = [seen[name] for name in IRP_PARAMETERS]
    assert seen["les_nadir_mmhg"] <= durations[0]
    assert durations == sorted(durations)
    assert seen["les_residual_mmhg"] >= seen["irp3s_mmhg"] - 1e-9


@pytest.mark.parametrize(
    ("place", "status"),
    [
        ({"onset_s": math.nan}, "landmark_missing"),
        ({"les_upper_cm": math.nan}, "landmark_missing"),
        ({"les_upper_cm": -0.5}, "landmark_missing"),
        ({"les_lower_cm": math.nan}, "ok"),
        ({"les_lower_cm": math.nan, "les_upper_cm": 26.0}, "ok"),
        ({"les_lower_cm": math.nan, "les_upper_cm": 26.1}, "catheter_ends_in_les"),
        ({"les_lower_cm": 30.1}, "catheter_ends_in_les"),
        ({"les_lower_cm": 30.0}, "ok"),
        ({"gastric_mmhg": math.nan}, "no_gastric_sensor"),
        ({"stop_s": 7.98}, "window_truncated"),
        ({"stop_s": 8.0}, "ok"),
        ({"onset_s": -0.5}, "window_truncated"),
        ({"onset_s": 13.0}, "window_truncated"),
        ({"onset_s": 30.0}, "window_truncated"),
    ],
)
def test_what_a_sleeve_needs(place, status):
    sleeve = sleeve_of(field(vector_3), **place)
    assert sleeve.status == status
    for seen in relaxation_measurements(sleeve, PARAMETERS).values():
        assert (seen.status, math.isnan(seen.value)) == (status, status != "ok")


def test_a_gastric_reference_that_changes_with_time():
    pressure = field(lambda t, z: 12 + 3 * np.sin(t) + 0 * z)
    trace = field(lambda t, z: 2 + 3 * np.sin(t) + 0 * z)[0]
    assert nadir(sleeve_of(pressure, gastric_trace=trace)).value == pytest.approx(10.0, abs=1e-5)
    holed = trace.copy()
    holed[100:] = np.nan
    assert sleeve_of(pressure, gastric_trace=holed).status == "no_gastric_sensor"


def test_a_missing_line_in_the_sleeve_only():
    pressure = field(vector_3)
    pressure[120, 5] = np.nan
    assert sleeve_of(pressure).status == "sensor_failed"
    assert sleeve_of(pressure, les_upper_cm=20.0, les_lower_cm=23.0).status == "ok"


def test_a_sensor_that_stands_still():
    """At the end of its range it makes the whole sleeve stand; below, its line does."""

    def moving(t, z):
        return 20 + 15 * np.sin(t) + 0 * z

    assert sleeve_of(field(moving)).status == "ok"
    high = field(lambda t, z: np.where((z > 11.4) & (z < 11.6), 300.0, moving(t, z)))
    low = field(lambda t, z: np.where((z > 11.4) & (z < 11.6), 5.0, moving(t, z)))
    for pressure in (high, low):
        assert sleeve_of(pressure).status == "sensor_failed"
        assert sleeve_of(pressure, les_upper_cm=20.0, les_lower_cm=23.0).status == "ok"
    # A quiet place read in coarse steps also repeats one number: that is no fault.
    quiet = field(lambda t, z: np.where(z > 12.0, 6.0, moving(t, z)))
    assert sleeve_of(quiet).status == "ok"
    wide = field(lambda t, z: 30 * np.exp(-0.5 * (z - 11.5) ** 2) + 0 * t)
    assert sleeve_of(wide).status == "ok"
    narrow = field(lambda t, z: 30 * np.exp(-2.0 * (z - 11.5) ** 2) + 0 * t)
    assert sleeve_of(narrow).status == "sensor_failed"


CLEAN = study.measured(study.recording())


def table(seen, rules):
    for names, rule in rules:
        study.check(seen, CLEAN, names, rule)


def constant(values, sensors):
    values[study.at(sensors, 26)] = 3.0


def stuck_high(values, sensors):
    values[study.at(sensors, 26), 38 * 50 :] = 300.0


def stuck_low(values, sensors):
    values[study.at(sensors, 26), 38 * 50 :] = 3.0


def clipped(values, sensors):
    np.clip(values, -20.0, 40.0, out=values)


EQUAL, NEAR = (1e-9, 0.0), (1.5, 0.05)


@pytest.mark.parametrize(
    ("sensors", "options", "rule"),
    [
        pytest.param(without(study.recording(), 26), {}, (2.5, 0.1), id="LES sensor"),
        pytest.param(without(study.recording(), 26, 27), {}, "sensor_failed", id="two LES sensors"),
        pytest.param(without(study.recording(), 8, 9), {}, EQUAL, id="two UES sensors"),
        pytest.param(without(study.recording(), 15), {}, EQUAL, id="body sensor"),
        pytest.param(study.recording(stop=47.5), {}, "window_truncated", id="cut at the end"),
        pytest.param(study.recording(start=41), {}, "window_truncated", id="cut at the start"),
        pytest.param(study.recording(), {"stop_s": 45.0}, "window_truncated", id="next swallow"),
        pytest.param(changed(constant), {}, (2.5, 0.1), id="constant channel"),
        pytest.param(changed(stuck_high), {}, "sensor_failed", id="stuck at the rail"),
        pytest.param(changed(stuck_low), {}, "sensor_failed", id="stuck low"),
        # Only the front and the resting tone are cut off; what is low is not.
        pytest.param(changed(clipped), {}, (0.1, 0.01), id="saturated peaks"),
        pytest.param(study.recording(8.0), {}, (0.1, 0.02), id="8 Hz"),
        pytest.param(study.recording(200.0), {}, (0.02, 0.01), id="200 Hz"),
        pytest.param(changed(coarse), {}, NEAR, id="3 mmHg steps"),
    ],
)
def test_faulty_input(sensors, options, rule):
    table(study.measured(sensors, **options), [(NAMES, rule)])


def test_without_a_gastric_sensor():
    place = study.anatomy() | {"gastric": math.nan}
    table(study.measured(study.recording(), place), [(NAMES, "no_gastric_sensor")])


def test_the_les_at_the_last_sensor():
    sensors = study.recording(depth=np.arange(28.0))
    table(study.measured(sensors), [(NAMES, "catheter_ends_in_les")])
    place = study.anatomy() | {"les_lower": math.nan}
    table(study.measured(sensors, place), [(NAMES, "catheter_ends_in_les")])


def test_a_hernia_is_read_at_the_les():
    """With the diaphragm 4 cm below, the sleeve ends above it and relaxes further."""
    seen = study.measured(study.recording(separation=4.0), study.anatomy(4.0))
    time = study.ONSET_S + np.arange(500) / 50
    fine = np.arange(study.LES_CM - 1.794 - 2, study.LES_CM - 1.794 + 4, 0.02)
    sleeve = study.pressure(time[None, :], fine[:, None], 4.0).max(axis=0) - 6.0
    assert seen["les_nadir_mmhg"].value == pytest.approx(sleeve.min(), abs=0.7)
    for name, seconds in (("irp1s_mmhg", 1), ("irp3s_mmhg", 3), ("irp5s_mmhg", 5)):
        known = np.sort(sleeve)[: 50 * seconds].mean()
        assert seen[name].value == pytest.approx(known, abs=0.7)
