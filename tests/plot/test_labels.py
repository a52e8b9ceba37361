"""Labels that do not overlap, and titles that say why a number is missing."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm.plot._labels import panel_title, spread

PLACES = st.lists(st.floats(-100.0, 100.0), max_size=12)


@given(PLACES)
def test_spread_labels_keep_their_distance_and_order(places):
    spaced = spread(places, 3.0)
    order = sorted(range(len(places)), key=lambda i: places[i])
    for before, after in pairwise(order):
        assert spaced[after] - spaced[before] >= 3.0 - 1e-6


@given(PLACES)
def test_spread_labels_stay_centered(places):
    assert sum(spread(places, 3.0)) == pytest.approx(sum(places), abs=1e-6)


def test_labels_with_room_stay_in_place():
    assert spread([1.0, 9.0, 5.0], 3.0) == [1.0, 9.0, 5.0]


ROW = {
    "id": 3,
    "onset_s": 92.44,
    "posture": "supine",
    "protocol": "single",
    "evaluable": True,
    "reason": None,
    "type": "premature",
    "flags": ["premature", "hypercontractile"],
    "borderline": ["distal_latency_s"],
    "pressurization": "none",
    "irp4s_mmhg": 8.24,
    "dci_mmhg_s_cm": 9000.4,
    "distal_latency_s": 4.41,
    "break_cm": 0.0,
    "status": {},
}


def test_title_of_a_measured_swallow():
    assert panel_title(ROW, width=80).splitlines() == [
        "#3 92.4 s · supine",
        "premature · hypercontractile · DL borderline",
        "IRP 8.2 mmHg · DCI 9000 · DL 4.41 s · break 0.0 cm",
    ]


def test_title_of_a_swallow_that_cannot_be_evaluated():
    row = {
        **ROW,
        "posture": "unknown",
        "protocol": "mrs",
        "evaluable": False,
        "reason": "next_swallow_within_10_s",
        "irp4s_mmhg": None,
        "distal_latency_s": None,
        "status": {"irp4s_mmhg": "window_truncated", "distal_latency_s": "no_contraction"},
    }
    assert panel_title(row, width=80).splitlines() == [
        "#3 92.4 s · posture unknown · mrs",
        "not evaluable: next swallow within 10 s",
        "IRP – · DCI 9000 · DL – · break 0.0 cm",
        "IRP: window truncated; DL: no contraction",
    ]


def test_no_line_of_a_title_is_too_wide():
    row = {**ROW, "flags": [f"flag_{k}" for k in range(20)]}
    assert max(map(len, panel_title(row, width=40).splitlines())) <= 40


@given(st.lists(st.tuples(st.floats(-10.0, 110.0), st.floats(0.5, 6.0)), max_size=12))
def test_labels_of_their_own_width_stay_within_the_ends(labels):
    places, room = [at for at, _ in labels], [width for _, width in labels]
    spaced = spread(places, room, within=(0.0, 100.0))
    order = sorted(range(len(labels)), key=lambda i: places[i])
    for before, after in pairwise(order):
        assert spaced[after] - spaced[before] >= 0.5 * (room[before] + room[after]) - 1e-6
    for at, width in zip(spaced, room, strict=True):
        assert at - 0.5 * width >= -1e-6
        assert at + 0.5 * width <= 100.0 + 1e-6
