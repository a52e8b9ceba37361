"""All metrics of one swallow together, on a field with known answers."""

import math
from dataclasses import replace

import numpy as np
import pytest

from hrm.metrics.swallow import Anatomy, measure_swallow, upper_sphincter
from hrm.metrics.swallow_types import swallow_limits
from hrm.metrics.ues import swallow_window
from hrm.preprocess import window_field
from hrm.results import SWALLOW_METRICS
from tests.metrics.fields import INF, PARAMETERS, between, broken_front, field, times, wave
from tests.metrics.sphincter_study import END_S, ONSET_S, anatomy, measured, recording, usable

UES, LES = 6.0, 24.5
ANATOMY = Anatomy(UES, LES, 27.0, 6.0, les_lower_cm=27.5, ues_upper_cm=3.0)


def front(z):
    return broken_front(z, top=10.0, start_s=3.0, knot=22.0)


def swallow(t, z):
    """Vector 5's front with 80 mmHg, an LES of 30 mmHg that relaxes to 14, stomach at 6."""
    body = wave(front, peak=80.0)(t, z) * (z < LES + 0.05)
    notch = 1 - 0.4 * np.exp(-0.5 * ((z - 10.0) / 1.0) ** 2)
    les = (30 - 16 * between(t, 0.5, 8.0)) * between(z, LES + 0.05, 27.5)
    return np.where(z > 27.5, 6.0, body * notch + les)


def measure(pressure, anatomy=ANATOMY, stop=INF):
    return measure_swallow(
        pressure,
        onset_s=0.0,
        stop_s=stop,
        anatomy=anatomy,
        limits=swallow_limits("manoscan"),
        parameters=PARAMETERS,
    )


def test_a_normal_swallow():
    seen = measure(field(swallow, time=times(26.0)))
    assert seen.type.type == "normal"
    assert seen.pressurization == "none"
    assert seen.transition_zone_cm == pytest.approx(10.0)
    assert seen.irp4s.value == pytest.approx(8.0, abs=1e-3)
    assert seen.distal_latency.value == pytest.approx(6.0, abs=0.02)
    assert seen.cdp.depth_cm == pytest.approx(22.0, abs=0.1)
    assert seen.break_length.value == 0.0
    assert seen.dci.value == seen.dci_box.value > 450
    assert seen.ibp.value == pytest.approx(0.0, abs=0.01)
    numbers = seen.measurements()
    status = {name: m.status for name, m in numbers.items() if not name.startswith("ues_")}
    assert set(status.values()) == {"ok"}
    # The front of vector 5 runs straight down to its knot.
    slope = (float(front(22.0)) - float(front(10.0))) / 12.0
    assert numbers["cfv_cm_s"].value == pytest.approx(1 / slope, rel=0.02)
    assert seen.body.rapid is False
    assert numbers["peaks"].value == 1.0
    assert numbers["irp5s_mmhg"].value == pytest.approx(8.0, abs=1e-3)
    assert numbers["les_nadir_mmhg"].value == pytest.approx(8.0, abs=1e-3)
    assert numbers["ibp_mean_mmhg"].value == pytest.approx(0.0, abs=0.01)
    assert seen.body.after_contraction is False
    assert seen.body.subtype is None


def test_a_hypercontractile_swallow_has_a_subtype():
    one = measure(field(lambda t, z: 9 * swallow(t, z), time=times(26.0)))
    assert one.type.type == "hypercontractile"
    assert one.body.subtype == "single_peak"

    def twice(t, z):
        return np.maximum(9 * swallow(t, z), 9 * swallow(t - 5.0, z) * (z < LES + 0.05))

    assert measure(field(twice, time=times(26.0))).body.subtype == "multi_peak"

    def squeezing(t, z):
        les = 1800 * between(t, 7.0, 14.0) * between(z, LES + 0.1, 27.4)
        return np.maximum(9 * swallow(t, z), les)

    late = measure(field(squeezing, time=times(26.0)))
    assert late.body.after_contraction is True
    assert late.body.subtype == "les_after_contraction"


def test_the_upper_sphincter_is_read_from_its_own_window():
    sensors = recording()
    place = anatomy()
    marks = Anatomy(
        ues_upper_cm=place["ues_upper"],
        ues_lower_cm=place["ues_lower"],
        les_upper_cm=place["les_upper"],
        les_lower_cm=place["les_lower"],
        crural_diaphragm_cm=place["cd"],
        gastric_mmhg=place["gastric"],
    )

    window = swallow_window(ONSET_S, END_S, PARAMETERS)
    own = window_field(sensors, usable(sensors), *window, PARAMETERS)

    def upper(marks, field=own):
        times = {"onset_s": ONSET_S, "stop_s": END_S}
        seen = field is not None and upper_sphincter(
            field, **times, anatomy=marks, parameters=PARAMETERS
        )
        found = measure_swallow(
            window_field(sensors, usable(sensors), ONSET_S, END_S, PARAMETERS),
            onset_s=ONSET_S,
            stop_s=END_S,
            anatomy=marks,
            limits=swallow_limits("manoscan"),
            parameters=PARAMETERS,
            upper=seen or None,
        )
        numbers = found.measurements()
        return {name: m for name, m in numbers.items() if name.startswith("ues_")}

    known = measured(sensors)
    for name, seen in upper(marks).items():
        assert seen.status == "ok"
        assert seen.value == known[name].value
    for lost, reason in (
        (upper(marks, None), "window_truncated"),
        (upper(replace(marks, ues_status="no_ues_tone")), "no_ues_tone"),
    ):
        assert {m.status for m in lost.values()} == {reason}
        assert all(math.isnan(m.value) for m in lost.values())


def test_the_numbers_are_those_of_the_contract():
    assert list(measure(field(swallow)).measurements()) == list(SWALLOW_METRICS)


def test_a_failed_swallow_has_no_latency():
    seen = measure(field(lambda t, z: 0.1 * swallow(t, z)))
    assert seen.type.type == "failed"
    assert seen.distal_latency.status == "no_contraction"
    assert seen.cdp is None
    assert math.isnan(seen.measurements()["cdp_cm"].value)
    assert seen.measurements()["cdp_cm"].status == "no_contraction"


def test_without_ues_or_les_only_the_relaxation_can_be_measured():
    no_ues = measure(field(swallow), replace(ANATOMY, ues_lower_cm=math.nan))
    assert no_ues.irp4s.status == "ok"
    no_les = measure(field(swallow), replace(ANATOMY, les_upper_cm=math.nan))
    assert no_les.irp4s.status == "landmark_missing"
    for seen in (no_ues, no_les):
        numbers = seen.measurements()
        family = [name for name in numbers if name.startswith(("irp", "les_"))]
        assert {numbers.pop(name).status for name in family} == {seen.irp4s.status}
        numbers = {name: m for name, m in numbers.items() if not name.startswith("ues_")}
        assert {m.status for m in numbers.values()} == {"landmark_missing"}
        assert all(math.isnan(m.value) for m in numbers.values())
        assert (seen.type.type, seen.type.status) == (None, "landmark_missing")
        assert seen.status == {"pressurization": "landmark_missing"}


def test_a_failed_body_sensor_leaves_the_relaxation():
    pressure = field(swallow)
    pressure[140] = np.nan
    seen = measure(pressure)
    assert seen.irp4s.value == pytest.approx(8.0, abs=1e-3)
    assert seen.dci.status == seen.break_length.status == "sensor_failed"
    assert (seen.type.type, seen.type.status) == (None, "dci_missing")
    assert seen.status == {"pressurization": "sensor_failed"}


def test_a_failed_les_sensor_leaves_the_contraction():
    pressure = field(swallow)
    pressure[260] = np.nan
    seen = measure(pressure)
    assert seen.irp4s.status == "sensor_failed"
    assert seen.type.type == "normal"


def test_every_missing_number_says_why():
    fields = [
        field(swallow),
        field(lambda t, z: 0.1 * swallow(t, z)),
        field(swallow, time=times(6)),
    ]
    fields[0][140] = np.nan
    for pressure in fields:
        for measurement in measure(pressure).measurements().values():
            assert math.isfinite(measurement.value) == (measurement.status == "ok")


def test_borders_without_a_body_between_them_leave_only_the_relaxation():
    close = replace(ANATOMY, ues_lower_cm=ANATOMY.les_upper_cm - 1.0)
    seen = measure(field(swallow), close)
    assert np.isfinite(seen.irp4s.value)
    assert seen.dci.status == seen.break_length.status == "landmark_missing"
    assert seen.type.type is None
