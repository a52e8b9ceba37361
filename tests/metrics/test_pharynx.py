"""Pharyngeal integrals, admittance of the UES, pressure and bolus above it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrm.metrics.impedance import Segments
from hrm.metrics.pharynx import (
    PharyngealBorders,
    hypopharyngeal_flow,
    pharyngeal_integrals,
    swallow_window,
    ues_maximum_admittance,
)
from tests.metrics.fields import INF, PARAMETERS, between, depths, field, times
from tests.naive import impedance as naive

NAN = math.nan
ONSET, UES_UPPER, UES_LOWER = 5.0, 12.0, 15.0
VELO, MESO, HYPO = 2.0, 5.0, 8.0
BORDERS = PharyngealBorders(VELO, MESO, HYPO)


def squeeze(top=VELO, bottom=UES_UPPER, start=5.0, stop=5.5, level=100.0):
    """A block of pressure between two depths, edges half way between grid lines."""
    return lambda t, z: level * between(t, start, stop) * between(z, top - 0.05, bottom + 0.05)


def squeezed(pressure=None, *, rate=50.0, stop=20.0, top=0.0):
    depth = np.round(np.arange(round((20.0 - top) * 10) + 1) * 0.1 + top, 6)
    return field(pressure or squeeze(), depth, times(stop, rate))


def integrals(pressure, *, stop=INF, ues=UES_UPPER, borders=None, rules=PARAMETERS):
    return pharyngeal_integrals(
        pressure,
        onset_s=ONSET,
        stop_s=stop,
        ues_upper_cm=ues,
        borders=borders,
        parameters=rules,
    )


@pytest.mark.parametrize("rate", [20.0, 50.0, 100.0])
def test_the_whole_pharynx_needs_no_border_where_the_catheter_spans_it(rate):
    """80 mmHg above 20 for 0.5 s over 10 cm, and half a step beyond its top: 402."""
    seen = integrals(squeezed(rate=rate))
    assert seen.whole.value == pytest.approx(80 * 0.5 * 10.05)
    assert seen.velopharynx.status == "pharyngeal_borders_unknown"
    assert math.isnan(seen.hypopharynx.value)
    assert integrals(squeezed(rate=rate), borders=BORDERS).whole.value == pytest.approx(400.0)


def test_the_parts_make_up_the_whole():
    def pressure(t, z):
        return squeeze(level=50.0)(t, z) + 10 * z * between(t, 5, 5.5) * between(z, VELO, 12.05)

    found = {
        name: m.value
        for name, m in integrals(squeezed(pressure), borders=BORDERS).measurements().items()
    }
    parts = [found[name] for name in ("vci_mmhg_s_cm", "mci_mmhg_s_cm", "hpci_mmhg_s_cm")]
    assert found["phci_mmhg_s_cm"] == pytest.approx(sum(parts))
    # 30 + 10 z mmHg above 20 for 0.5 s.
    for value, (top, bottom) in zip(parts, ((VELO, MESO), (MESO, HYPO), (HYPO, 12)), strict=True):
        known = 0.5 * (30 * (bottom - top) + 5 * (bottom**2 - top**2))
        assert value == pytest.approx(known, rel=1e-5)


@pytest.mark.parametrize(
    ("start", "stop", "seconds"), [(4.5, 7.0, 2.5), (4.0, 4.5, 0.0), (7.0, 8.0, 0.0), (3, 9, 2.5)]
)
def test_the_contraction_is_read_from_half_a_second_before_to_2_s_after(start, stop, seconds):
    seen = integrals(squeezed(squeeze(start=start, stop=stop)), borders=BORDERS)
    assert seen.whole.value == pytest.approx(80 * 10 * seconds)
    assert swallow_window(ONSET, INF, PARAMETERS) == (4.5, 7.0)


@pytest.mark.parametrize(("top", "status"), [(4.0, "ok"), (4.1, "catheter_starts_in_pharynx")])
def test_the_catheter_reaches_8_cm_above_the_ues(top, status):
    assert integrals(squeezed(squeeze(top=6.0), top=top)).whole.status == status


@pytest.mark.parametrize(("level", "status"), [(19.9, "ok"), (20.1, "catheter_starts_in_pharynx")])
def test_the_first_sensor_lies_above_what_contracts(level, status):
    def pressure(t, z):
        return squeeze()(t, z) + level * between(t, 5.2, 5.3) * between(z, -1, 0.05)

    assert integrals(squeezed(pressure)).whole.status == status
    assert integrals(squeezed(pressure), borders=BORDERS).whole.status == "ok"


def test_a_catheter_that_starts_below_a_border_shows_the_other_parts():
    found = integrals(squeezed(top=4.0), borders=BORDERS)
    assert found.whole.status == found.velopharynx.status == "catheter_starts_in_pharynx"
    assert found.mesopharynx.value == pytest.approx(80 * 0.5 * 3)
    assert found.hypopharynx.value == pytest.approx(80 * 0.5 * 4)
    low = integrals(squeezed(top=12.5), borders=BORDERS)
    assert {m.status for m in low.measurements().values()} == {"catheter_starts_in_pharynx"}
    assert integrals(squeezed(top=12.5)).whole.status == "catheter_starts_in_pharynx"


def test_borders_that_are_unknown_or_out_of_order():
    some = integrals(squeezed(), borders=PharyngealBorders(hypopharynx_cm=HYPO))
    assert some.hypopharynx.value == pytest.approx(160.0)
    assert some.mesopharynx.status == "pharyngeal_borders_unknown"
    assert some.whole.value == pytest.approx(402.0)
    turned = integrals(squeezed(), borders=PharyngealBorders(VELO, HYPO, MESO))
    assert turned.mesopharynx.status == "pharyngeal_borders_unknown"


def test_what_cannot_be_integrated():
    for missing in (integrals(squeezed(), ues=NAN), integrals(squeezed(), stop=6.5)):
        assert {math.isnan(m.value) for m in missing.measurements().values()} == {True}
    assert integrals(squeezed(), ues=NAN).whole.status == "landmark_missing"
    assert integrals(squeezed(), stop=6.5).whole.status == "window_truncated"
    broken = squeezed()
    broken.values[60] = NAN  # 6 cm: in the mesopharynx
    found = integrals(broken, borders=BORDERS)
    assert found.whole.status == found.mesopharynx.status == "sensor_failed"
    assert found.hypopharynx.status == "ok"


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), rate=st.sampled_from([10.0, 25.0, 50.0]))
def test_the_integral_agrees_with_the_twin(seed, rate):
    rng = np.random.default_rng(seed)
    values = rng.normal(15, 30, (201, round(20 * rate)))
    pressure = field(lambda t, z: values, depths(20.0), times(20.0, rate))
    seen = integrals(pressure, borders=BORDERS)
    known = naive.contractile_integral(
        pressure.values,
        pressure["depth"].values,
        pressure["time"].values,
        top=VELO,
        bottom=UES_UPPER,
        start=4.5,
        stop=7.0,
    )
    assert seen.whole.value == pytest.approx(known, rel=1e-6)


def test_a_threshold_that_differs_reaches_the_integral():
    rules = PARAMETERS.replace({"pharynx.threshold_mmhg": 50.0})
    assert integrals(squeezed(), borders=BORDERS, rules=rules).whole.value == pytest.approx(250.0)


def lumen(depth=(9.0, 11.0, 13.0, 14.5, 17.0), *, low=250.0, start=5.2, stop=5.8, rate=50.0):
    t = times(30.0, rate)
    rows = [np.where(between(t, start, stop) > 0, low + z, 2000.0) for z in depth]
    return Segments(np.array(rows), np.array(depth), t)


def admittance(found, start=5.0, stop=6.0, upper=UES_UPPER, lower=UES_LOWER):
    return ues_maximum_admittance(
        found, start_s=start, stop_s=stop, ues_upper_cm=upper, ues_lower_cm=lower
    )


def test_admittance_is_the_inverse_of_the_least_impedance_in_the_ues():
    """Segments at 13 and 14.5 cm lie in it: 263 ohm. Those outside are lower."""
    found = lumen()
    found.values[0] = found.values[4] = 100.0
    seen = admittance(found)
    assert seen.value == pytest.approx(1000 / 263)
    assert seen.detail["depth_cm"] == 13.0
    assert 5.2 <= seen.detail["time_s"] < 5.8


def test_admittance_is_read_while_the_ues_is_relaxed():
    found = lumen(start=6.5, stop=7.0)
    assert admittance(found).value == pytest.approx(0.5)
    assert admittance(found, stop=6.5).value == pytest.approx(1000 / 263)


def test_admittance_that_cannot_be_read():
    assert admittance(lumen(depth=(9.0, 11.9, 15.1))).status == "no_segment_in_ues"
    for wrong in ({"start": NAN}, {"stop": NAN}, {"upper": NAN}, {"lower": NAN}):
        assert admittance(lumen(), **wrong).status == "landmark_missing"
    assert admittance(lumen(), start=40.0, stop=41.0).status == "window_truncated"
    for ohm in (0.0, -5.0, NAN):
        found = lumen()
        found.values[2, 260] = ohm
        assert admittance(found).status == "sensor_failed"


def throat(t, z):
    """Pressure that rises by 20 mmHg/s from 5 s on and peaks from 6 s to 6.5 s."""
    return 20 * np.clip(t - 5, 0, 1) + 80 * between(t, 6, 6.5) + 0 * z


def above(pressure, found, *, stop=INF, ues=UES_UPPER):
    return hypopharyngeal_flow(
        pressure,
        found,
        onset_s=ONSET,
        stop_s=stop,
        ues_upper_cm=ues,
        parameters=PARAMETERS,
    )


def test_pressure_and_bolus_1_cm_above_the_ues():
    found = lumen(stop=5.8)
    found.values[1, 275] = 200.0  # 11 cm at 5.5 s
    seen = above(squeezed(throat, stop=30.0), found)
    assert seen.ibp.value == pytest.approx(10.0, rel=1e-4)
    assert seen.ibp.detail["time_s"] == pytest.approx(5.5)
    assert seen.bolus_presence.value == pytest.approx(0.6, abs=0.02)
    assert seen.distension_to_contraction.value == pytest.approx(0.5)
    moved = above(squeezed(throat, stop=30.0), found, ues=14.0)  # 13 cm: no such dip
    assert moved.ibp.detail["time_s"] == pytest.approx(5.2)


def test_a_bolus_that_stays_in_the_pharynx_has_no_presence_time():
    seen = above(squeezed(throat, stop=30.0), lumen(stop=29.0))
    assert seen.bolus_presence.status == "no_bolus_exit"
    assert seen.ibp.status == "ok"
    cut_off = above(squeezed(throat, stop=30.0), lumen(stop=5.8), stop=9.0)
    assert cut_off.bolus_presence.status == "window_truncated"


def test_the_bolus_above_the_ues_that_cannot_be_read():
    pressure = squeezed(throat, stop=30.0)
    statuses = {
        "landmark_missing": above(pressure, lumen(), ues=NAN),
        "segments_do_not_reach": above(pressure, lumen(depth=(13.0, 15.0))),
        "no_bolus": above(pressure, lumen(low=1900.0)),
        "sensor_failed": above(pressure * NAN, lumen()),
    }
    for status, seen in statuses.items():
        assert {m.status for m in seen.measurements().values()} == {status}
    low = above(squeezed(throat, stop=30.0, top=11.5), lumen())
    assert low.ibp.status == "segments_do_not_reach"
