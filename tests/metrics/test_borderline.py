"""Which numbers of a swallow may lie on either side of a limit, and by which readings."""

import math
from dataclasses import replace

import numpy as np
import pytest

from hrm.catalog import default_parameters
from hrm.metrics import dci as dci_metric
from hrm.metrics._base import Measurement
from hrm.metrics.borderline import borderline_ranges, dci_readings
from hrm.metrics.chicago import classify, clinical_from
from hrm.metrics.chicago.facts import Swallow
from hrm.metrics.front import wavefront
from hrm.metrics.irp import irp_readings
from hrm.metrics.study import irp_readings_medians
from hrm.metrics.swallow import Anatomy, OtherFields, measure_swallow
from hrm.metrics.swallow_types import swallow_limits
from tests.metrics.fields import INF, PARAMETERS, between, field, times

SENSORS = np.arange(36.0)


def near(dci, latency, gap, system="manoscan", sensors=SENSORS, details=None, **changed):
    numbers = {"dci_mmhg_s_cm": dci, "distal_latency_s": latency, "break_cm": gap}
    measured = {name: Measurement(value) for name, value in numbers.items()}
    for name, detail in (details or {}).items():
        measured[name] = replace(measured[name], detail=detail)
    rules = default_parameters().replace(changed)
    return borderline_ranges(measured, swallow_limits(system), sensors, rules)


def gap_at(top, bottom, sensors=SENSORS):
    return near(
        1500.0,
        6.5,
        bottom - top,
        sensors=sensors,
        details={"break_cm": {"from_cm": top, "to_cm": bottom}},
    )


@pytest.mark.parametrize(
    ("dci", "known"),
    [
        *[(value, False) for value in (0.0, 94.9, 105.1, 427.4, 472.6, 7599.0, 8401.0, math.nan)],
        *[(value, True) for value in (95.0, 100.0, 105.0, 427.5, 450.0, 472.5, 7600.0, 8400.0)],
    ],
)
def test_contractile_integral_within_five_percent(dci, known):
    assert ("dci_mmhg_s_cm" in near(dci, 6.5, 1.0)) == known


@pytest.mark.parametrize(
    ("readings", "known"),
    [
        ((380.0, 420.0), False),
        ((380.0, 427.5), True),
        ((380.0, 460.0), True),
        ((105.1, 300.0), False),
        ((105.0, 300.0), True),
        ((), False),
    ],
)
def test_a_contractile_integral_whose_readings_reach_a_limit(readings, known):
    seen = near(400.0, 6.5, 1.0, details={"dci_mmhg_s_cm": {"readings": readings}})
    assert ("dci_mmhg_s_cm" in seen) == known
    if known:
        low, high = seen["dci_mmhg_s_cm"]
        assert low == pytest.approx(min(400.0, *readings) / 1.05)
        assert high == pytest.approx(max(400.0, *readings) / 0.95)


def test_readings_flag_nothing_without_a_number():
    seen = near(math.nan, 6.5, 1.0, details={"dci_mmhg_s_cm": {"readings": (440.0, 460.0)}})
    assert seen == {}


@pytest.mark.parametrize(
    ("latency", "known"),
    [(4.09, False), (4.1, True), (4.5, True), (4.9, True), (4.91, False), (math.nan, False)],
)
def test_latency_within_the_margin_of_the_onset_and_the_error_of_the_front(latency, known):
    seen = near(1500.0, latency, 1.0)
    assert list(seen) == (["distal_latency_s"] if known else [])
    if known:
        assert seen["distal_latency_s"] == pytest.approx((latency - 0.4, latency + 0.4))


def test_the_error_and_both_margins_of_the_latency_are_parameters():
    none = {"dl.borderline_error_s": 0.0}
    assert near(1500.0, 4.25, 1.0, **none) == {}
    assert list(near(1500.0, 4.3, 1.0, **none)) == ["distal_latency_s"]
    lopsided = {**none, "dl.borderline_low_s": 4.0}
    assert near(1500.0, 4.0, 1.0, **lopsided)["distal_latency_s"] == pytest.approx((3.8, 4.5))
    assert near(1500.0, 4.71, 1.0, **lopsided) == {}


@pytest.mark.parametrize(
    ("gap", "known"),
    [(4.74, False), (4.75, True), (5.0, True), (5.25, True), (5.26, False), (math.nan, False)],
)
def test_a_break_that_ends_nowhere_within_five_percent(gap, known):
    assert list(near(1500.0, 6.5, gap)) == (["break_cm"] if known else [])


@pytest.mark.parametrize(
    ("top", "bottom", "margin"),
    [
        (6.3, 10.7, 0.65),  # sensors 1 cm apart: 0.25 + 0.4 of 1 cm
        (10.2, 14.7, 1.05),  # one end between sensors 2 cm apart
        (14.7, 20.5, 1.45),  # and one between sensors 3 cm apart, the greatest counts
        (6.0, 10.6, 0.65),  # an end at a sensor
        (-1.0, 4.2, 0.65),  # above the first sensor
    ],
)
def test_a_break_within_a_share_of_the_spacing_at_its_ends(top, bottom, margin):
    sensors = np.array([*range(13), 14, 16, 18, 21, 22], dtype=float)
    seen = gap_at(top, bottom, sensors)
    assert list(seen) == ["break_cm"]
    assert seen["break_cm"] == pytest.approx((bottom - top - margin, bottom - top + margin))


@pytest.mark.parametrize(("length", "known"), [(4.34, False), (4.36, True), (5.64, True)])
def test_the_range_of_a_break_must_reach_its_limit(length, known):
    assert bool(gap_at(6.2, 6.2 + length)) == known


def test_a_break_decides_nothing_in_an_ineffective_swallow():
    assert near(300.0, 6.5, 5.0) == {}


def test_several_at_once_and_the_rows_of_the_system():
    assert list(near(450.0, 4.5, 5.0)) == ["dci_mmhg_s_cm", "distal_latency_s", "break_cm"]
    assert near(450.0, 6.5, 1.0, system="starlet") == {}
    assert list(near(1000.0, 6.5, 1.0, system="starlet")) == ["dci_mmhg_s_cm"]


def test_the_margin_is_a_parameter():
    assert list(near(440.0, 6.5, 1.0)) == ["dci_mmhg_s_cm"]
    assert near(440.0, 6.5, 1.0, **{"borderline.relative": 0.01}) == {}


# -- readings of the contractile integral --------------------------------------------------


def block(level):
    """A contraction of one pressure over 10 to 15 cm and 2 to 5 s, arriving down a slope."""

    def pressure(t, z):
        start = 2.0 + (z - 10.0) / 5.0
        return level * between(z, 10.0, 15.0) * ((t >= start) & (t < start + 3.0))

    return field(pressure)


def readings_of(fields, **changed):
    parameters = PARAMETERS.replace(changed)
    span = {"onset_s": 0.0, "stop_s": INF, "top_cm": 9.0, "bottom_cm": 20.0}
    wave = dci_metric.contraction(fields[0], **span, parameters=parameters)
    front = wavefront(fields[0], **span, parameters=parameters)
    value = dci_metric.dci(wave, front=front, parameters=parameters).value
    return value, dci_readings(fields, wave, front, parameters)


@pytest.mark.parametrize("shift", [1.0, 2.5])
def test_a_reading_moves_by_the_shift_times_the_area_of_the_contour(shift):
    """5 cm for 3 s at 50 mmHg: 30 mmHg above 20 is 450, and each mmHg of zero is 15."""
    value, (high, low) = readings_of([block(50.0)], **{"borderline.pressure_mmhg": shift})
    assert value == pytest.approx(450.0, rel=0.01)
    assert high - value == pytest.approx(15.0 * shift, rel=0.02)
    assert value - low == pytest.approx(15.0 * shift, rel=0.02)


def test_each_kernel_gives_two_readings():
    _, readings = readings_of([block(50.0), block(60.0)])
    assert readings == pytest.approx((465.0, 435.0, 615.0, 585.0), rel=0.01)


def test_what_cannot_be_measured_gives_no_reading():
    lost = block(50.0).copy()
    lost.loc[{"depth": slice(11.0, 12.0)}] = np.nan
    _, readings = readings_of([block(50.0), lost])
    assert len(readings) == 2


# -- readings of the IRP --------------------------------------------------------------------


def sphincter(height=12.0, top=18.0, bottom=21.0):
    return field(lambda t, z: height * between(z, top, bottom) + 0 * t, time=times(12.0))


def irp_by(pressure, others=None, upper=18.0, lower=21.0, rules=PARAMETERS):
    return irp_readings(
        pressure,
        others or {},
        onset_s=0.0,
        stop_s=INF,
        les_upper_cm=upper,
        les_lower_cm=lower,
        gastric_mmhg=2.0,
        parameters=rules,
    )


def test_every_placement_of_the_sleeve_is_the_irp_there():
    """Pressure falls by 1 mmHg a cm, so the sleeve's top tells its place."""
    slope = field(lambda t, z: 40.0 - z + 0 * t, time=times(12.0))
    seen = irp_by(slope, upper=18.2, lower=21.4)
    # Sleeve tops: 19.8 - 3 centered, 18.2 - 2 -/+ 0.65, each to the next grid line below.
    known = {"sleeve_centered": 40 - 16.8, "border_higher": 40 - 15.6, "border_lower": 40 - 16.9}
    assert set(seen) == set(known)
    for name, value in known.items():
        assert seen[name] == pytest.approx(value - 2.0, abs=0.01), name


def test_a_kernel_is_read_at_the_place_of_the_reported_irp():
    seen = irp_by(sphincter(12.0), {"cubic": sphincter(15.0)})
    assert seen["kernel_cubic"] == pytest.approx(13.0)
    assert seen["sleeve_centered"] == pytest.approx(10.0)


def test_what_may_be_missing_between_sensors_is_as_much_again():
    low, same = irp_by(sphincter(12.0), {"pchip": sphincter(11.0)}), irp_by(sphincter(12.0))
    assert (low["kernel_pchip"], low["between_sensors"]) == pytest.approx((9.0, 11.0))
    assert "between_sensors" not in same
    assert "between_sensors" not in irp_by(sphincter(12.0), {"pchip": sphincter(13.0)})
    by_pchip = PARAMETERS.replace({"interpolation.les_kernel": "pchip"})
    high = irp_by(sphincter(12.0), {"cubic": sphincter(15.0)}, rules=by_pchip)
    assert high["between_sensors"] == pytest.approx(high["kernel_cubic"]) == pytest.approx(13.0)


def test_a_placement_without_its_border_is_left_out():
    assert set(irp_by(sphincter(), lower=math.nan)) == {"border_higher", "border_lower"}
    assert irp_by(sphincter(), upper=math.nan) == {}


def test_readings_are_taken_only_when_asked_for():
    anatomy = Anatomy(5.0, 18.0, 20.0, 2.0, les_lower_cm=21.0)

    def measured(**options):
        return measure_swallow(
            sphincter(),
            onset_s=0.0,
            stop_s=INF,
            anatomy=anatomy,
            limits=swallow_limits("manoscan"),
            parameters=PARAMETERS,
            **options,
        )

    others = OtherFields(les={"pchip": sphincter(15.0)}, body={"cubic": sphincter(15.0)})
    plain, read = measured(), measured(other_fields=others)
    assert "readings" not in plain.irp4s.detail
    assert "readings" not in plain.dci.detail
    assert read.irp4s.value == plain.irp4s.value
    assert read.irp4s.detail["readings"]["kernel_pchip"] == pytest.approx(13.0)
    assert len(read.dci.detail["readings"]) == 4


# -- the median of a study against its limit -------------------------------------------------


CUBIC = "distance to its limit with kernel cubic"


def verdict(value, **readings):
    swallows = [
        Swallow("supine", value, 1500.0, 6.5, 1.0, 5.0, panesophageal=False, irp_readings=readings)
    ] * 7
    found = classify(
        swallows,
        system="manoscan",
        clinical=clinical_from(None),
        user_limit=None,
        parameters=PARAMETERS,
    )["ccv4"]
    rules = [rule["rule"] for rule in found["rationale"] if "its limit" in rule["rule"]]
    assert ("irp_borderline" in found["considerations"]) == bool(rules)
    return [rule.removeprefix("median IRP, supine, ") for rule in rules]


@pytest.mark.parametrize(
    ("value", "readings", "known"),
    [
        (13.5, {}, []),
        (14.0, {}, ["distance to its limit"]),
        (13.2, {"kernel_cubic": 13.39}, []),  # 1 mmHg and 0.6 for the engine's error
        (13.2, {"kernel_cubic": 13.41}, [CUBIC]),
        (17.0, {"kernel_cubic": 16.59}, [CUBIC]),
        (17.0, {"kernel_cubic": 16.61}, []),
        (13.41, {}, []),  # the reported number has the margin of SPEC 4.1 alone
        (13.2, {"sleeve_centered": 14.5}, []),
        (13.2, {"sleeve_centered": 15.0}, ["across its limit with sleeve centered"]),
        (17.0, {"border_lower": 15.0, "border_higher": 17.9}, []),
        (17.0, {"border_lower": 14.9}, ["across its limit with border lower"]),
        (13.2, {"kernel_cubic": 16.5}, ["across its limit with kernel cubic"]),
        (14.5, {"kernel_cubic": 14.9}, ["distance to its limit"]),
    ],
)
def test_a_median_near_its_limit_or_across_it_by_another_reading(value, readings, known):
    assert verdict(value, **readings) == known


class Seen:
    """A measured swallow, as far as the medians look at it."""

    def __init__(self, posture, *, evaluable=True, **readings):
        self.posture, self.evaluable, self.irp_readings = posture, evaluable, readings


def test_medians_are_taken_by_posture_over_the_evaluable_swallows_that_have_the_reading():
    rows = [
        Seen("supine", kernel_cubic=10.0, sleeve_centered=8.0),
        Seen("supine", kernel_cubic=12.0),
        Seen("supine", kernel_cubic=20.0),
        Seen("supine", kernel_cubic=99.0, evaluable=False),
        Seen("upright"),
    ]
    assert irp_readings_medians(rows) == {"supine": {"kernel_cubic": 12.0, "sleeve_centered": 8.0}}
