"""Swallow types: the boundary convention, precedence, the rows of each system."""

import math

import pytest

from hrm.errors import ParameterError
from hrm.metrics.swallow_types import TYPES, swallow_limits, swallow_type

LIMITS = swallow_limits("manoscan")


@pytest.mark.parametrize(
    ("dci", "latency", "gap", "known"),
    [
        (0.0, math.nan, 20.0, "failed"),
        (99.999, 6.0, 0.0, "failed"),
        (100.0, 6.0, 0.0, "weak"),
        (449.999, 6.0, 0.0, "weak"),
        (450.0, 6.0, 0.0, "normal"),
        (8000.0, 6.0, 0.0, "normal"),
        (8000.001, 6.0, 0.0, "hypercontractile"),
        (900.0, 4.5, 0.0, "normal"),
        (900.0, 4.499, 0.0, "premature"),
        (450.0, 4.499, 0.0, "premature"),
        (900.0, 6.0, 5.0, "normal"),
        (900.0, 6.0, 5.001, "fragmented"),
    ],
)
def test_boundaries(dci, latency, gap, known):
    seen = swallow_type(dci, latency, gap, LIMITS)
    assert (seen.type, seen.status) == (known, "ok")
    assert seen.type in TYPES


@pytest.mark.parametrize(
    ("dci", "latency", "gap", "known", "flags"),
    [
        (90.0, 3.0, 9.0, "failed", ()),
        (300.0, 3.0, 9.0, "weak", ("premature_weak",)),
        (300.0, 6.0, 9.0, "weak", ()),
        (9000.0, 3.0, 9.0, "premature", ("premature", "hypercontractile")),
        (9000.0, 6.0, 9.0, "hypercontractile", ("hypercontractile",)),
        (900.0, 3.0, 9.0, "premature", ("premature",)),
        (900.0, 6.0, 9.0, "fragmented", ()),
    ],
)
def test_precedence_and_flags(dci, latency, gap, known, flags):
    seen = swallow_type(dci, latency, gap, LIMITS)
    assert (seen.type, seen.flags) == (known, flags)


@pytest.mark.parametrize(
    ("dci", "latency", "gap", "known", "status"),
    [
        (math.nan, 6.0, 0.0, None, "dci_missing"),
        (900.0, math.nan, 0.0, None, "distal_latency_missing"),
        (900.0, 6.0, math.nan, None, "break_missing"),
        (900.0, 3.0, math.nan, "premature", "ok"),
        (300.0, math.nan, math.nan, "weak", "ok"),
        (9000.0, 6.0, math.nan, "hypercontractile", "ok"),
    ],
)
def test_a_missing_number_leaves_the_type_open_only_where_it_decides(
    dci, latency, gap, known, status
):
    seen = swallow_type(dci, latency, gap, LIMITS)
    assert (seen.type, seen.status) == (known, status)


def test_starlet_has_its_own_rows():
    starlet = swallow_limits("starlet")
    assert [swallow_type(dci, 6, 0, starlet).type for dci in (499.9, 500, 999.9, 1000, 10000)] == [
        "failed",
        "weak",
        "weak",
        "normal",
        "normal",
    ]
    assert swallow_type(10000.1, 6, 0, starlet).type == "hypercontractile"


def test_an_unknown_system_gets_the_rows_that_hold_for_any():
    assert swallow_limits("unknown") == LIMITS
    assert len(set(LIMITS.ids)) == 5


def test_an_unknown_version_is_refused():
    with pytest.raises(ParameterError, match=r"9\.9"):
        swallow_limits("manoscan", "9.9")
