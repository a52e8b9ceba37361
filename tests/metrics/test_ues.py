"""The upper sphincter: closed forms of a moving sphincter, its twin, and faulty input."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hrm.metrics.ues import swallow_window, ues_relaxation, ues_resting, ues_sleeve
from tests.metrics import sphincter_study as study
from tests.metrics.fields import INF, PARAMETERS, depths, field, times
from tests.metrics.sphincter_study import changed, coarse, without
from tests.naive import sphincter as naive

ONSET_S, RATE = 6.0, 100.0
PLACE = {"ues_upper_cm": 8.0, "ues_lower_cm": 11.0}
PRESSURES, TIMES = study.UES_PRESSURES, study.UES_TIMES
NAMES = (*PRESSURES, *TIMES)


def sphincter(
    *,
    base=60.0,
    residual=6.0,
    fall_s=0.1,
    shut_s=1.0,
    lift=0.0,
    wave=True,
    wave_s=0.55,
    speed=12.0,
    esophagus=-4.0,
):
    """Sphincter of 3 cm that opens along straight lines and a pharyngeal wave of one height.

    Its pressure falls from `base` at 0 to `residual` at `fall_s` and rises to `base` from
    `shut_s` on in 0.1 s; it is `lift` cm higher while it is open. The wave comes at
    `wave_s` to 4 cm and runs down at `speed`; it ends in the sphincter.
    """

    def pressure(t, z):
        x = t - ONSET_S
        way = np.clip(x / fall_s, 0, 1) - np.clip((x - shut_s) / 0.1, 0, 1)
        up = lift * ((x > -0.05) & (x < shut_s + 0.2))
        inside = (z >= 7.95 - up) & (z <= 11.05 - up)
        out = np.where(inside, base + (residual - base) * way, np.where(z > 8, esophagus, 0.0))
        out = out + 0.2 * np.sin(3 * t) + 0 * z
        if wave:
            behind = x - wave_s - (z - 4.0) / speed
            out = np.where((behind >= 0) & (behind < 0.6) & (z <= 11.05), 100.0, out)
        return out

    return field(pressure, depth=depths(20.0), time=times(14.0, RATE))


def measure(pressure, *, onset_s=ONSET_S, stop_s=INF, **place):
    out = ues_relaxation(
        pressure, onset_s=onset_s, stop_s=stop_s, **{**PLACE, **place}, parameters=PARAMETERS
    )
    return out.measurements()


def wave_passes(lower=11.0, wave_s=0.55, speed=12.0):
    """When the wave is past the end of a sphincter that is 3 cm too high."""
    return ONSET_S + wave_s + (lower - 3.0 - 4.0) / speed


@pytest.mark.parametrize("lift", [0.0, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("residual", [0.0, 6.0, 18.0])
def test_the_residual_pressure_of_a_moving_sphincter(lift, residual):
    """Neither the wave above nor the esophagus below is taken for the sphincter."""
    seen = measure(sphincter(lift=lift, residual=residual))
    assert seen["ues_residual_mmhg"].value == pytest.approx(residual, abs=0.21)
    assert seen["ues_irp02s_mmhg"].value == pytest.approx(residual, abs=0.21)
    assert seen["ues_residual_mmhg"].status == "ok"
    detail = seen["ues_residual_mmhg"].detail
    assert detail["sleeve_cm"] == pytest.approx((5.0, 12.0))
    assert detail["wave_s"] == pytest.approx(wave_passes(), abs=0.03)
    assert detail["window_s"][1] == pytest.approx(wave_passes(), abs=0.03)


def test_the_times_of_straight_lines():
    """60 to 6 in 0.1 s; 30 is crossed after 30/54 of it, and again on the way up."""
    seen = measure(sphincter(wave=False))
    fall = 0.1 * 30 / 54
    assert seen["ues_time_to_nadir_s"].detail["level_mmhg"] == pytest.approx(30.0, abs=0.11)
    assert seen["ues_relaxation_s"].value == pytest.approx(1.0 + 0.1 * 24 / 54 - fall, abs=0.005)
    # The sine ends the fall of the pressure some time after 0.1 s.
    nadir = seen["ues_time_to_nadir_s"]
    assert nadir.value == pytest.approx(nadir.detail["nadir_s"] - ONSET_S - fall, abs=0.005)
    total = seen["ues_time_to_nadir_s"].value + seen["ues_recovery_s"].value
    assert total == pytest.approx(seen["ues_relaxation_s"].value, abs=1e-9)


def test_the_level_is_at_most_35():
    seen = measure(sphincter(base=100.0, wave=False))
    assert seen["ues_relaxation_s"].detail["level_mmhg"] == 35.0
    fall, rise = 0.1 * 65 / 94, 1.0 + 0.1 * 29 / 94
    assert seen["ues_relaxation_s"].value == pytest.approx(rise - fall, abs=0.005)


def test_the_wave_ends_the_relaxation_of_a_sphincter_that_stays_open():
    seen = measure(sphincter(shut_s=3.0))
    middle = ONSET_S + 0.55 + (9.5 - 4.0) / 12.0
    assert seen["ues_relaxation_s"].detail["end_s"] == pytest.approx(middle, abs=0.02)
    # Without a wave it ends when the sphincter closes.
    open_longer = measure(sphincter(shut_s=3.0, wave=False))
    assert open_longer["ues_relaxation_s"].value == pytest.approx(2.99, abs=0.02)


def test_a_wave_that_is_there_from_the_start_leaves_no_window():
    seen = measure(sphincter(wave_s=-0.2))
    for name in NAMES:
        assert (seen[name].status, math.isnan(seen[name].value)) == (
            "hidden_by_pharyngeal_wave",
            True,
        )


def test_a_sphincter_that_does_not_relax():
    seen = measure(sphincter(residual=50.0, wave=False))
    assert seen["ues_residual_mmhg"].value == pytest.approx(50.0, abs=0.21)
    for name in TIMES:
        assert seen[name].status == "no_relaxation"


def test_a_sphincter_without_tone():
    seen = measure(sphincter(base=15.0, residual=3.0, wave=False))
    assert seen["ues_residual_mmhg"].value == pytest.approx(3.0, abs=0.21)
    for name in TIMES:
        assert seen[name].status == "no_ues_tone"


def test_a_sphincter_that_does_not_close_again():
    seen = measure(sphincter(shut_s=99.0, wave=False))
    assert seen["ues_time_to_nadir_s"].status == "ok"
    for name in ("ues_relaxation_s", "ues_recovery_s"):
        assert (seen[name].status, math.isnan(seen[name].value)) == ("no_recovery", True)
    seen = measure(sphincter(shut_s=99.0, wave=False), stop_s=8.0)
    for name in ("ues_relaxation_s", "ues_recovery_s"):
        assert seen[name].status == "window_truncated"


@pytest.mark.parametrize(
    ("place", "status"),
    [
        ({"onset_s": math.nan}, "landmark_missing"),
        ({"ues_upper_cm": math.nan}, "landmark_missing"),
        ({"ues_lower_cm": math.nan}, "landmark_missing"),
        ({"ues_lower_cm": 20.5}, "landmark_missing"),
        ({"ues_upper_cm": 1.9, "ues_lower_cm": 5.0}, "catheter_starts_in_ues"),
        ({"stop_s": 6.9}, "window_truncated"),
        ({"onset_s": 13.0}, "window_truncated"),
        ({"onset_s": -0.5}, "window_truncated"),
    ],
)
def test_what_a_relaxation_needs(place, status):
    seen = measure(sphincter(wave=False), **place)
    for name in NAMES:
        assert (seen[name].status, math.isnan(seen[name].value)) == (status, True)


def test_a_wave_that_passes_before_the_recording_ends_is_enough():
    early = measure(sphincter(), stop_s=wave_passes() + 0.1)
    assert early["ues_residual_mmhg"].value == pytest.approx(6.0, abs=0.21)
    late = measure(sphincter(), stop_s=wave_passes() - 0.1)
    assert late["ues_residual_mmhg"].status == "window_truncated"


def test_the_sphincter_moving_up_is_not_the_wave():
    """It puts more than 30 mmHg on pharyngeal lines before the onset; the wave comes later."""
    high = sphincter(lift=2.0, base=90.0, fall_s=0.2)
    place = {"onset_s": ONSET_S + 0.13, "stop_s": INF, **PLACE}
    sleeve = ues_sleeve(high, **place, parameters=PARAMETERS)
    assert sleeve.detail["wave_s"] == pytest.approx(wave_passes(), abs=0.03)


def test_a_sphincter_that_has_risen_to_the_first_sensor_is_not_the_wave():
    """Where the catheter starts 2 cm above it, no line is free of the sphincter at the onset."""
    high = sphincter(lift=2.0, base=90.0, fall_s=0.2)[60:]
    seen = measure(high, onset_s=ONSET_S + 0.13)
    assert seen["ues_residual_mmhg"].value == pytest.approx(6.0, abs=0.21)
    assert seen["ues_residual_mmhg"].detail["wave_s"] == pytest.approx(wave_passes(), abs=0.03)


def test_a_field_without_pharyngeal_rows_above_the_sleeve():
    """The catheter starts 2 cm above the sphincter: enough, but not with less."""
    pressure = sphincter(lift=1.0)
    seen = measure(pressure[60:])
    assert seen["ues_residual_mmhg"].value == pytest.approx(6.0, abs=0.21)
    assert measure(pressure[62:])["ues_residual_mmhg"].status == "catheter_starts_in_ues"


def test_a_sphincter_that_stands_still_does_not_relax():
    """Whole numbers, as some files hold, that are the same from sample to sample."""
    still = field(
        lambda t, z: 40.0 * ((z > 7.95) & (z < 11.05)) + 0 * t,
        depth=depths(20.0),
        time=times(14.0, 20.0),
    )
    seen = measure(still)
    assert seen["ues_residual_mmhg"].value == 40.0
    assert {seen[name].status for name in TIMES} == {"no_relaxation"}


@given(
    seed=st.integers(0, 2**31),
    lift=st.floats(0, 1.5),
    residual=st.floats(-5, 25),
    speed=st.floats(8, 20),
    wave_s=st.floats(0.3, 0.8),
    wave=st.booleans(),
)
@settings(max_examples=20, deadline=None)
def test_agrees_with_the_twin(seed, lift, residual, speed, wave_s, wave):
    # A sphincter that closes before the wave comes is the first rise there.
    assume(wave_s + (PLACE["ues_lower_cm"] - 7.0) / speed < 1.0)
    rng = np.random.default_rng(seed)
    pressure = sphincter(lift=lift, residual=residual, wave=wave, wave_s=wave_s, speed=speed)
    pressure = pressure + rng.normal(0, 0.5, pressure.shape).astype(np.float32)
    seen = measure(pressure)
    arrival = seen["ues_residual_mmhg"].detail["wave_s"]
    assert math.isnan(arrival) != wave
    if wave:
        drawn = ONSET_S + wave_s + (PLACE["ues_lower_cm"] - 7.0) / speed
        assert arrival == pytest.approx(drawn, abs=0.03)

    def reached(depth):
        # Between lines the wave is found to within a sample, so the twin is told its time.
        return arrival + (depth - 8.0) / speed if wave else INF

    sleeve = ues_sleeve(pressure, onset_s=ONSET_S, stop_s=INF, **PLACE, parameters=PARAMETERS)
    known = naive.ues(
        pressure.values,
        pressure["depth"].values,
        pressure["time"].values,
        onset=ONSET_S,
        upper=8.0,
        lower=11.0,
        wave=reached,
    )
    assert np.isfinite(sleeve.values[:600]).all()
    assert seen["ues_residual_mmhg"].value == pytest.approx(known["ues_residual_mmhg"], abs=0.3)
    assert seen["ues_irp02s_mmhg"].value == pytest.approx(known["ues_irp02s_mmhg"], abs=0.3)
    if not wave:
        values = {name: seen[name].value for name in NAMES}
        assert values == pytest.approx(known, rel=1e-6, abs=1e-6)
    else:
        assert seen["ues_relaxation_s"].value == pytest.approx(known["ues_relaxation_s"], abs=0.02)


def test_the_window_that_a_swallow_wants():
    assert swallow_window(40.0, INF, PARAMETERS) == (36.0, 46.5)
    assert swallow_window(2.0, 4.0, PARAMETERS) == (0.0, 4.0)


def resting(pressure, quiet=None, **place):
    quiet = np.ones(pressure.sizes["time"], bool) if quiet is None else quiet
    return ues_resting(pressure, quiet, **{**PLACE, **place}, parameters=PARAMETERS)


def breathing(t, z):
    """The place of the greatest pressure moves up and down; its height swings by 10."""
    middle = 9.5 + np.sin(t)
    height = 60 + 10 * np.sin(2 * np.pi * t / 4)
    return height * np.exp(-0.5 * ((z - middle) / 0.3) ** 8)


def test_the_resting_pressure_is_the_mean_of_the_greatest():
    seen = resting(field(breathing, time=times(20.0)))
    assert (seen.value, seen.status) == (pytest.approx(60.0, abs=0.05), "ok")
    quiet = np.ones(1000, bool)
    quiet[:50] = False
    wild = field(lambda t, z: np.where(t < 1, 400.0, breathing(t, z)), time=times(20.0))
    known = np.mean(60 + 10 * np.sin(2 * np.pi * times(20.0)[50:] / 4))
    assert resting(wild, quiet).value == pytest.approx(known, abs=0.05)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"ues_upper_cm": math.nan}, "landmark_missing"),
        ({"ues_lower_cm": 31.0}, "landmark_missing"),
        ({"ues_upper_cm": 0.0, "ues_lower_cm": 3.0}, "catheter_starts_in_ues"),
        ({"quiet": np.zeros(1000, bool)}, "window_truncated"),
        ({"ceiling_mmhg": 69.0}, "sensor_saturated"),
        ({"ceiling_mmhg": 71.0}, "ok"),
    ],
)
def test_what_a_resting_pressure_needs(change, status):
    seen = resting(field(breathing, time=times(20.0)), **change)
    assert (seen.status, math.isnan(seen.value)) == (status, status != "ok")


def constant(values, sensors):
    values[study.at(sensors, 8)] = 3.0


def stuck_high(values, sensors):
    values[study.at(sensors, 8), 30 * 50 :] = 300.0


def stuck_low(values, sensors):
    values[study.at(sensors, 8), 30 * 50 :] = 3.0


def clipped(values, sensors):
    np.clip(values, -20.0, 50.0, out=values)


CLEAN = study.measured(study.recording())
REST = ("ues_resting_mmhg",)
EQUAL = (1e-9, 0.0)


@pytest.mark.parametrize(
    ("sensors", "options", "rules"),
    [
        # A sensor bridged at the peak of a sphincter: its height is lost in part.
        pytest.param(
            without(study.recording(), 8),
            {},
            [(REST, (0.0, 0.3)), (PRESSURES, (1.5, 0.0)), (TIMES, (0.08, 0.0))],
            id="UES sensor",
        ),
        pytest.param(
            without(study.recording(), 8, 9),
            {},
            [((*REST, *NAMES), "sensor_failed")],
            id="two UES sensors",
        ),
        pytest.param(
            without(study.recording(), 26, 27), {}, [((*REST, *NAMES), EQUAL)], id="LES sensors"
        ),
        pytest.param(
            without(study.recording(), 15), {}, [((*REST, *NAMES), EQUAL)], id="body sensor"
        ),
        pytest.param(
            study.recording(stop=41.2), {}, [(PRESSURES, EQUAL), (TIMES, EQUAL)], id="just enough"
        ),
        pytest.param(
            study.recording(stop=40.5), {}, [(NAMES, "window_truncated")], id="cut at the end"
        ),
        pytest.param(
            study.recording(start=39),
            {},
            [(PRESSURES, EQUAL), (TIMES, "window_truncated")],
            id="no base",
        ),
        pytest.param(
            study.recording(start=40.5), {}, [(NAMES, "window_truncated")], id="cut at the start"
        ),
        pytest.param(
            study.recording(),
            {"stop_s": 40.5},
            [(NAMES, "window_truncated"), (REST, EQUAL)],
            id="next swallow",
        ),
        pytest.param(
            changed(constant), {}, [(REST, (0.0, 0.3)), (PRESSURES, (1.5, 0))], id="constant"
        ),
        pytest.param(changed(stuck_high), {}, [(NAMES, "sensor_failed")], id="stuck at the rail"),
        pytest.param(changed(stuck_low), {}, [(NAMES, "sensor_failed")], id="stuck low"),
        pytest.param(
            changed(clipped),
            {"ceiling": 50.0},
            [(REST, "sensor_saturated"), (PRESSURES, (0.1, 0.0))],
            id="saturated",
        ),
        pytest.param(
            study.recording(8.0),
            {},
            [(REST, (0.1, 0)), (PRESSURES, (1.0, 0)), (TIMES, "rate_too_low")],
            id="8 Hz",
        ),
        pytest.param(
            study.recording(20.0),
            {},
            [(REST, (0.1, 0)), (PRESSURES, (1.0, 0)), (TIMES, (0.06, 0))],
            id="20 Hz",
        ),
        pytest.param(
            study.recording(200.0),
            {},
            [(REST, (0.1, 0)), (PRESSURES, (0.1, 0)), (TIMES, (0.02, 0))],
            id="200 Hz",
        ),
        pytest.param(
            changed(coarse),
            {},
            [(REST, (1.5, 0)), (PRESSURES, (1.6, 0)), (TIMES, (0.15, 0))],
            id="3 mmHg steps",
        ),
    ],
)
def test_faulty_input(sensors, options, rules):
    seen = study.measured(sensors, **options)
    for names, rule in rules:
        study.check(seen, CLEAN, names, rule)


def test_the_stomach_and_a_hernia_change_nothing():
    place = study.anatomy(4.0) | {"gastric": math.nan, "les_lower": math.nan}
    seen = study.measured(study.recording(separation=4.0), place, breathing=False)
    study.check(seen, CLEAN, (*REST, *NAMES), (1e-6, 0.0))


def test_the_residual_of_the_analytic_study():
    """The drawn residual, on the pressure of the chest around it at the nadir."""
    nadir = CLEAN["ues_residual_mmhg"]
    inspiration = 0.5 + 0.5 * np.cos(2 * np.pi * nadir.detail["time_s"] / study.BREATH_S)
    known = study.RESIDUAL - 1.0 - 4.0 * inspiration
    assert nadir.value == pytest.approx(known, abs=0.5)
