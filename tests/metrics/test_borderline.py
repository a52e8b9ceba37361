"""Which numbers of a swallow lie close to a limit of its type."""

import math

import pytest

from hrm.catalog import default_parameters
from hrm.metrics._base import Measurement
from hrm.metrics.borderline import borderline_numbers
from hrm.metrics.swallow_types import swallow_limits


def near(dci, latency, gap, system="manoscan", **changed):
    numbers = {"dci_mmhg_s_cm": dci, "distal_latency_s": latency, "break_cm": gap}
    return borderline_numbers(
        {name: Measurement(value) for name, value in numbers.items()},
        swallow_limits(system),
        default_parameters().replace(changed),
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
    ("latency", "known"),
    [(4.29, False), (4.3, True), (4.5, True), (4.7, True), (4.71, False), (math.nan, False)],
)
def test_latency_within_two_tenths(latency, known):
    assert near(1500.0, latency, 1.0) == (["distal_latency_s"] if known else [])


@pytest.mark.parametrize(
    ("gap", "known"),
    [(4.74, False), (4.75, True), (5.0, True), (5.25, True), (5.26, False), (math.nan, False)],
)
def test_break_within_five_percent(gap, known):
    assert near(1500.0, 6.5, gap) == (["break_cm"] if known else [])


def test_a_break_decides_nothing_in_an_ineffective_swallow():
    assert near(300.0, 6.5, 5.0) == []


def test_several_at_once_and_the_rows_of_the_system():
    assert near(450.0, 4.5, 5.0) == ["dci_mmhg_s_cm", "distal_latency_s", "break_cm"]
    assert near(450.0, 6.5, 1.0, system="starlet") == []
    assert near(1000.0, 6.5, 1.0, system="starlet") == ["dci_mmhg_s_cm"]


def test_the_margin_is_a_parameter():
    assert near(440.0, 6.5, 1.0) == ["dci_mmhg_s_cm"]
    assert near(440.0, 6.5, 1.0, **{"borderline.relative": 0.01}) == []
