"""Pressure-flow metrics and bolus flow time, against closed forms and a twin."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hrm.metrics.impedance import Passage, Segments, passages
from hrm.metrics.pressure_flow import bolus_flow_time, level_flow, pressure_flow
from tests.metrics.fields import INF, PARAMETERS, between, depths, field, times
from tests.naive import impedance as naive

NAN = math.nan
ONSET, TOP, LES, EGJ = 10.0, 8.0, 24.0, 27.0


def pressed(t, z):
    """4 mmHg that rise by 3 mmHg/s from 11 s on, and a contraction of 1 s that runs down."""
    rise = 4 + 3 * np.clip(t - 11, 0, None) * between(t, 11, 30)
    return np.where(between(t, 15 + z / 4, 16 + z / 4) > 0, 60.0 + z, rise + 0 * z)


def lumen(nadir=lambda z: 12 + z / 20, *, rate=50.0, stop=40.0, ohm_at_peak=2400.0):
    """Segments 2 cm apart with a bolus from 11.5 s to 15 s + z/4, least at `nadir`."""
    t = np.arange(round(stop * rate)) / rate
    depth = np.arange(1.0, 30.0, 2.0)
    rows = []
    for z in depth:
        row = np.where(between(t, 11.5, 15 + z / 4) > 0, 500.0, ohm_at_peak)
        row[int(np.argmin(np.abs(t - nadir(z))))] = 300.0
        rows.append(row)
    return Segments(np.array(rows), depth, t)


def flow(pressure, found, *, stop=INF, top=TOP, bottom=LES, rules=PARAMETERS):
    seen = passages(found, onset_s=ONSET, stop_s=stop, top_cm=3.0, bottom_cm=LES, parameters=rules)
    return pressure_flow(
        pressure,
        found,
        seen,
        onset_s=ONSET,
        stop_s=stop,
        top_cm=top,
        bottom_cm=bottom,
        parameters=rules,
    )


def long_field(pressure, rate=50.0, stop=40.0, bottom=30.0):
    return field(pressure, depths(bottom), times(stop, rate))


@pytest.mark.parametrize("rate", [10.0, 20.0, 100.0])
def test_one_level_in_closed_form(rate):
    """At 13 cm: nadir 12.65 s, contraction from 18.25 s, half way 15.45 s."""
    found = lumen(rate=rate)
    seen = flow(long_field(pressed, rate), found, top=12.5, bottom=13.5)
    assert len(seen.levels) == 1
    level = seen.levels[0]
    first = math.ceil(18.25 * rate - 1e-6) / rate
    assert level.nadir_s == pytest.approx(12.65, abs=0.51 / rate)
    assert (level.peak_s, level.peak_mmhg) == pytest.approx((first, 73.0))
    assert level.nadir_mmhg == pytest.approx(4 + 3 * (level.nadir_s - 11), rel=1e-5)
    assert level.slope_mmhg_s == pytest.approx(3.0, rel=1e-4)
    middle = 4 + 3 * ((3 * level.nadir_s + first) / 4 - 11)
    assert level.ibp_mmhg == pytest.approx(middle, abs=3 * 0.5 / rate + 0.01)
    # The sample of the peak lies at or just after the end of the bolus.
    assert level.impedance_ratio == pytest.approx(300 / 2400)


def test_the_swallow_has_medians_and_an_index_made_of_them():
    seen = flow(long_field(pressed), lumen())
    assert [level.depth_cm for level in seen.levels] == [9, 11, 13, 15, 17, 19, 21, 23]
    numbers = {name: m.value for name, m in seen.measurements().items()}
    for name, read in (
        ("peak_pressure_mmhg", "peak_mmhg"),
        ("nadir_impedance_pressure_mmhg", "nadir_mmhg"),
        ("nadir_impedance_to_peak_s", "nadir_to_peak_s"),
        ("flow_ibp_mmhg", "ibp_mmhg"),
        ("flow_ibp_slope_mmhg_s", "slope_mmhg_s"),
        ("impedance_ratio", "impedance_ratio"),
    ):
        assert numbers[name] == pytest.approx(
            np.median([getattr(level, read) for level in seen.levels])
        )
    assert numbers["nadir_impedance_s"] == pytest.approx(2 + 16 / 20, abs=0.02)
    assert numbers["nadir_impedance_to_peak_s"] == pytest.approx(3 + 16 / 5, abs=0.05)
    assert numbers["pressure_flow_index"] == pytest.approx(
        numbers["flow_ibp_mmhg"]
        * numbers["flow_ibp_slope_mmhg_s"]
        / numbers["nadir_impedance_to_peak_s"]
    )
    assert all(m.status == "ok" for m in seen.measurements().values())


def test_only_the_distal_esophagus_counts():
    seen = flow(long_field(pressed), lumen(), top=15.0, bottom=21.0)
    assert [level.depth_cm for level in seen.levels] == [15, 17, 19, 21]


def test_a_bolus_after_the_contraction_has_no_pressure_flow():
    """Nadir 1 s after the peak above 16 cm, before it below."""
    found = lumen(lambda z: 12 + z / 20 if z > 16 else 14.9 + z / 4)
    late = Segments(found.values.copy(), found.depth, found.time)
    for row, z in zip(late.values, late.depth, strict=True):
        if z < 16:
            row[(found.time >= 15 + z / 4) & (found.time < 20 + z / 4)] = 450.0
            row[round((17 + z / 4) * 50)] = 250.0
    seen = flow(long_field(pressed), late)
    assert [level.status for level in seen.levels] == ["nadir_after_peak"] * 4 + ["ok"] * 4
    assert seen.peak_pressure.value == pytest.approx(60 + 20.0)
    upper = flow(long_field(pressed), late, bottom=15.0)
    assert upper.peak_pressure.status == "nadir_after_peak"
    assert math.isnan(upper.pressure_flow_index.value)


@pytest.mark.parametrize(("top", "status"), [(15.5, "ok"), (16.5, "no_contraction")])
def test_half_of_the_segments_have_a_contraction(top, status):
    """Eight segments, of which those from 17 or from 19 cm on see it."""

    def pressure(t, z):
        return 60 * between(t, 15 + z / 4, 16 + z / 4) * between(z, top + 0.6, 30)

    seen = flow(long_field(pressure), lumen())
    assert {m.status for m in seen.measurements().values()} == {status}
    rules = PARAMETERS.replace({"flow.least_share": 0.1})
    assert flow(long_field(pressure), lumen(), rules=rules).ibp.status == "ok"
    every = PARAMETERS.replace({"flow.least_share": 1.0})
    most = long_field(lambda t, z: pressed(t, z) * between(z, 10.0, 30.0))
    assert flow(most, lumen(), rules=every).ibp.status == "no_contraction"


@pytest.mark.parametrize(("peak", "status"), [(19.9, "no_contraction"), (20.1, "ok")])
def test_a_contraction_reaches_20_mmhg(peak, status):
    def weak(t, z):
        return peak * between(t, 15 + z / 4, 16 + z / 4)

    assert {level.status for level in flow(long_field(weak), lumen()).levels} == {status}


def test_the_peak_is_looked_for_in_the_window_of_the_contraction():
    def pressure(t, z):
        early, late = 90 * between(t, 10, 10.5), 90 * between(t, 25, 26)
        return early + late + 50 * between(t, 15 + z / 4, 16 + z / 4)

    pressed_twice = long_field(pressure)
    assert flow(pressed_twice, lumen()).peak_pressure.value == pytest.approx(50.0)
    assert flow(pressed_twice, lumen(), stop=20.0).levels[0].peak_mmhg == pytest.approx(50.0)
    wide = PARAMETERS.replace({"dci.window_s": 16.5})
    assert flow(pressed_twice, lumen(), rules=wide).peak_pressure.value == pytest.approx(90.0)


def test_what_is_missing_is_told():
    whole = long_field(pressed)
    assert flow(whole, lumen(), top=NAN).ibp.status == "landmark_missing"
    assert flow(whole, lumen(), bottom=NAN).ibp.status == "landmark_missing"
    assert flow(whole, lumen(), top=9.2, bottom=10.8).ibp.status == "segments_do_not_reach"
    dry = lumen()
    dry.values[:] = 2400.0
    assert flow(whole, dry).ibp.status == "no_bolus"
    short = long_field(pressed, bottom=12.0)
    assert [level.status for level in flow(short, lumen()).levels].count("ok") == 2
    assert flow(short, lumen(), top=13.0).ibp.status == "segments_do_not_reach"
    broken = long_field(pressed)
    broken.values[130] = NAN  # 13 cm
    levels = flow(broken, lumen()).levels
    assert [level.status for level in levels].count("sensor_failed") == 1
    assert levels[2].status == "sensor_failed"


def test_too_few_samples_have_no_slope():
    found = lumen(lambda z: 15 + z / 4 - 0.06)
    levels = flow(long_field(pressed), found, top=12.0, bottom=14.0).levels
    assert [level.status for level in levels] == ["rate_too_low"]
    near = Passage(13.0, 11.5, 18.0, 12.6, 2400.0, 300.0)
    cut_off = level_flow(
        long_field(pressed), found, near, onset_s=ONSET, stop_s=10.53, parameters=PARAMETERS
    )
    assert cut_off.status == "window_truncated"


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), rate=st.sampled_from([10.0, 20.0, 50.0]))
@example(seed=2**31, rate=20.0)  # the peak is the sample after the nadir
def test_a_level_agrees_with_the_twin(seed, rate):
    rng = np.random.default_rng(seed)
    t = times(40.0, rate)
    waves = sum(
        rng.uniform(20, 90) * np.exp(-0.5 * ((t - rng.uniform(15, 24)) / rng.uniform(0.3, 2)) ** 2)
        for _ in range(3)
    )
    course = (waves + rng.normal(size=t.size)).astype(np.float32)
    pressure = field(lambda t, z: course[None, :] + 0 * z, depths(), t)
    found = lumen(lambda z: float(rng.uniform(11.6, 17.0)), rate=rate)
    seen = flow(pressure, found, top=12.5, bottom=13.5).levels[0]
    nadir = int(np.argmin(found.values[6]))
    known = naive.level_flow(
        [float(x) for x in t],
        [float(p) for p in course],
        found.values[6],
        onset=ONSET,
        stop=INF,
        nadir_s=float(t[nadir]),
        nadir_ohm=300.0,
    )
    if known["peak_s"] <= t[nadir]:
        assert seen.status == "nadir_after_peak"
    elif seen.status == "ok":
        for name, value in known.items():
            assert getattr(seen, name) == pytest.approx(value, rel=1e-6, abs=1e-6), name
    else:
        assert (known["peak_s"] - t[nadir]) / 2 < 2.5 / rate


def crossing(open_from=14.0, open_to=17.0, *, barrier=20.0, above=15.0, gastric=5.0):
    """A junction of 20 mmHg that opens to 8 mmHg; esophagus 15 mmHg."""

    def pressure(t, z):
        shut = barrier - (barrier - 8.0) * between(t, open_from, open_to)
        inside = between(z, LES - 0.05, EGJ + 0.15)
        return np.where(inside > 0, shut + 0 * z, np.where(z < LES, above + 0 * t, gastric + 0 * t))

    return long_field(pressure)


def bolus_at_egj(start=lambda z: 12.0, stop=lambda z: 16.0, *, rate=50.0):
    t = np.arange(round(40.0 * rate)) / rate
    depth = np.arange(21.5, 30.0, 2.0)
    rows = [np.where(between(t, start(z), stop(z)) > 0, 400.0, 2000.0) for z in depth]
    return Segments(np.array(rows), depth, t)


def flow_time(pressure, found, *, stop=INF, upper=LES, lower=EGJ, gastric=5.0, rules=PARAMETERS):
    return bolus_flow_time(
        pressure,
        found,
        onset_s=ONSET,
        stop_s=stop,
        les_upper_cm=upper,
        egj_lower_cm=lower,
        gastric_mmhg=gastric,
        parameters=rules,
    )


def test_flow_needs_a_bolus_and_a_gradient():
    """Bolus 12 to 16 s, junction open 14 to 17 s."""
    seen = flow_time(crossing(), bolus_at_egj())
    assert seen.value == pytest.approx(2.0, abs=0.021)
    assert seen.detail["bolus_s"] == pytest.approx(4.0, abs=0.021)
    assert seen.detail["gradient_s"] == pytest.approx(3.0, abs=0.021)
    assert flow_time(crossing(17, 19), bolus_at_egj()).value == 0.0
    assert flow_time(crossing(above=7.9), bolus_at_egj()).value == 0.0
    assert flow_time(crossing(), bolus_at_egj(), gastric=15.1).value == 0.0
    assert flow_time(crossing(), bolus_at_egj(), gastric=14.9).value == pytest.approx(2.0, abs=0.03)


def test_the_bolus_is_at_every_level_at_once():
    """It comes 1 s/cm later below: at 24 cm from 12 s, at 27 cm from 15 s."""
    late = bolus_at_egj(start=lambda z: 12 + max(z - 24, 0), stop=lambda z: 19.0)
    seen = flow_time(crossing(12, 20), late)
    assert 3.0 < seen.detail["bolus_s"] < 5.0
    two = PARAMETERS.replace({"bft.levels": 2})
    wide = flow_time(crossing(12, 20), late, rules=two, lower=25.5)
    assert wide.value > seen.value


def test_the_flow_time_that_cannot_be_read():
    pressure, found = crossing(), bolus_at_egj()
    for places in ({"upper": NAN}, {"lower": NAN}, {"gastric": NAN}):
        assert flow_time(pressure, found, **places).status == "landmark_missing"
    assert flow_time(pressure, found, lower=29.6).status == "segments_do_not_reach"
    assert flow_time(pressure, found, upper=21.4).status == "segments_do_not_reach"
    assert flow_time(pressure, found, stop=24.9).status == "window_truncated"
    assert flow_time(pressure, found, stop=25.0).status == "ok"
    dry = Segments(found.values.copy(), found.depth, found.time)
    dry.values[2:] = 2000.0
    assert flow_time(pressure, dry).status == "no_bolus"
    short = field(lambda t, z: 0 * t * z, depths(26.0), times(40.0))
    assert flow_time(short, found).status == "segments_do_not_reach"
    broken = crossing()
    broken.values[255, 600] = NAN
    assert flow_time(broken, found).status == "sensor_failed"


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), rate=st.sampled_from([10.0, 25.0]))
def test_the_flow_time_agrees_with_the_twin(seed, rate):
    rng = np.random.default_rng(seed)
    t, z = times(40.0, rate), depths()
    values = rng.normal(10, 4, (z.size, 1)) + rng.normal(0, 3, (1, t.size))
    values[235:275] -= 6 + 5 * np.sin(t)[None, :]
    pressure = field(lambda t, z: values, z, t)
    found = bolus_at_egj(rate=rate, start=lambda z: rng.uniform(11, 14))
    found.values[:] *= 1 + 0.05 * rng.standard_normal(found.values.shape)
    seen = flow_time(pressure, found, gastric=5.0)
    places = (LES, 25.5, EGJ)
    known = naive.bolus_flow_time(
        pressure.values.astype(float),
        z,
        t,
        [found.at(place) for place in places],
        onset=ONSET,
        les_upper=LES,
        egj_lower=EGJ,
        gastric=5.0,
    )
    assert seen.value == pytest.approx(known, abs=1e-6)
