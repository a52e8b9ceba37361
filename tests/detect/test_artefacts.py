"""Artefacts in closed-form studies: each is found where it was put, and rest has none."""

import math

import numpy as np
import pytest

from hrm.detect.artefacts import catheter_shifts, egj_crossed, find_belches, why_spoiled
from hrm.detect.landmarks import Landmarks
from hrm.detect.proposal import propose
from tests.detect.signals import LES, PARAMETERS, UES, Act, study


def belch(pressure, at, *, rise=8.0, opens=True, cavity_s=4.0):
    """The esophagus at gastric pressure from 2 s before the UES opens for a second."""
    out = pressure.copy(deep=True)
    time, depth = out["time"].values, out["depth"].values
    cavity = (time >= at - 2.0) & (time < at - 2.0 + cavity_s)
    body = (depth > UES + 3) & (depth < LES - 2)
    out.values[np.ix_(body, cavity)] += rise
    if opens:
        around = (depth > UES - 3) & (depth < UES + 3)
        out.values[np.ix_(around, (time >= at) & (time < at + 1.0))] = 2.0
    return out


def marks_of(pressure):
    return propose(pressure, hints=[], stated=[], parameters=PARAMETERS)


def belches(pressure):
    return find_belches(pressure, marks_of(pressure).landmarks, PARAMETERS)


def test_a_belch_is_found():
    pressure = belch(study(Act(40.0), duration=100.0, breath=1.0), 75.0)
    assert belches(pressure) == [pytest.approx(75.0, abs=0.1)]


@pytest.mark.parametrize(
    "pressure",
    [
        study(Act(40.0), Act(70.0), duration=100.0),
        belch(study(Act(40.0), duration=100.0, breath=1.0), 75.0, opens=False),
        belch(study(Act(40.0), duration=100.0, breath=1.0), 75.0, rise=0.0),
        # Pressure well above that of the stomach is no common cavity.
        belch(study(Act(40.0), duration=100.0, breath=1.0), 75.0, rise=20.0),
        # A pharyngeal wave makes it a swallow.
        belch(study(Act(40.0), Act(75.0, body=0.0), duration=100.0, breath=1.0), 75.0),
    ],
    ids=["swallows", "closed", "no rise", "too high", "swallow"],
)
def test_what_is_no_belch(pressure):
    assert belches(pressure) == []


@pytest.mark.parametrize("top", [6.0, 10.0])
def test_nothing_is_told_without_a_pharynx_or_a_ues(top):
    pressure = belch(study(Act(40.0), duration=100.0, breath=1.0, depth=np.arange(top, 36.0)), 75.0)
    found = belches(pressure)
    assert found == [] if top > UES else found == [pytest.approx(75.0, abs=0.1)]


def moved(pressure, by_cm, since):
    """The same, seen by a catheter that moves down by `by_cm` at `since`."""
    out = pressure.copy(deep=True)
    depth, time = out["depth"].values, out["time"].values
    late = np.flatnonzero(time >= since)
    for k in late:
        out.values[:, k] = np.interp(depth + by_cm, depth, pressure.values[:, k])
    return out


@pytest.mark.parametrize("by_cm", [-2.5, -1.5, 0.0, 0.4, 1.5, 2.5])
def test_a_shift_is_measured(by_cm):
    pressure = moved(study(Act(50.0), Act(110.0), duration=130.0, rate=10.0), by_cm, 80.0)
    marks = marks_of(study(Act(50.0), Act(110.0), duration=130.0, rate=10.0))
    first, second = catheter_shifts(
        pressure, marks.landmarks, marks.baseline, [50.0, 110.0], PARAMETERS
    )
    assert first == pytest.approx(0.0, abs=0.2)
    assert second == pytest.approx(by_cm, abs=0.3)


@pytest.mark.parametrize("where", ["ues", "les"])
def test_one_sphincter_alone_is_no_shift(where):
    pressure = study(Act(50.0), Act(110.0), duration=130.0, rate=10.0)
    marks = marks_of(pressure)
    depth, late = pressure["depth"].values, pressure["time"].values >= 80.0
    half = depth < 20 if where == "ues" else depth >= 20
    shifted = moved(pressure, 2.5, 80.0)
    shifted.values[~half] = pressure.values[~half]
    assert late.any()
    _, second = catheter_shifts(shifted, marks.landmarks, marks.baseline, [50.0, 110.0], PARAMETERS)
    assert math.isnan(second)


def test_tone_that_changes_is_no_shift():
    pressure = study(Act(50.0), Act(110.0), duration=130.0, rate=10.0)
    marks = marks_of(pressure)
    late = pressure["time"].values >= 80.0
    pressure.values[:, late] = 0.5 * pressure.values[:, late] + 5.0
    found = catheter_shifts(pressure, marks.landmarks, marks.baseline, [50.0, 110.0], PARAMETERS)
    assert found == pytest.approx([0.0, 0.0], abs=0.2)


def test_a_shift_is_unknown_without_landmarks():
    pressure = study(duration=40.0, rate=10.0)
    assert all(
        math.isnan(value)
        for value in catheter_shifts(pressure, Landmarks(), None, [20.0, 30.0], PARAMETERS)
    )


def test_the_egj_is_crossed_or_not():
    crossed = marks_of(study(Act(40.0), duration=80.0))
    assert egj_crossed(crossed.landmarks, crossed.baseline) is True
    short = marks_of(study(Act(40.0), duration=80.0, depth=np.arange(27.0)))
    assert egj_crossed(short.landmarks, short.baseline) is False
    assert egj_crossed(Landmarks(), None) is None


@pytest.mark.parametrize(
    ("belch_s", "shift", "wanted"),
    [
        (49.1, 0.0, "belch"),
        (48.9, 0.0, ""),
        (59.9, math.nan, "belch"),
        (60.1, math.nan, ""),
        (0.0, 1.01, "catheter_shift"),
        (0.0, -1.2, "catheter_shift"),
        (0.0, 1.0, ""),
        (55.0, 3.0, "belch"),
    ],
)
def test_why_a_swallow_is_spoiled(belch_s, shift, wanted):
    assert why_spoiled(50.0, [belch_s], shift, PARAMETERS) == wanted
