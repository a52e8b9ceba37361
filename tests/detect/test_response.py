"""What must follow a fall of the UES without a pharyngeal wave, and what must not come before."""

import math

import numpy as np
import pytest

from hrm.detect.profile import find_ues
from hrm.detect.response import (
    cavity_before,
    contraction_follows,
    is_deglutitive,
    les_relaxes,
)
from tests.detect.signals import LES, PARAMETERS, UES, Act, study

AT = 20.0


def body_of(pressure):
    depth = pressure["depth"].values
    return (depth > UES + 3) & (depth < LES - 1)


def rising(onset, *, height=60.0, lasts=2.0, top=UES + 3, bottom=LES - 2):
    """A quiet study in which each sensor of the body is up from `onset(z)` on."""
    pressure = study(breath=0.0)
    depth, time = pressure["depth"].values[:, None], pressure["time"].values[None, :]
    start = onset(depth)
    up = (time >= start) & (time < start + lasts) & (depth > top) & (depth < bottom)
    return pressure + height * up


def follows(pressure, fall=AT):
    return contraction_follows(pressure, body_of(pressure), fall, PARAMETERS)


@pytest.mark.parametrize(
    ("speed", "known"), [(4.0, True), (15.0, True), (25.0, False), (0.8, False), (-4.0, False)]
)
def test_a_contraction_runs_down_at_its_speed(speed, known):
    pressure = rising(lambda z: AT + 1 + (z - UES) / speed + (10 if speed < 0 else 0))
    assert follows(pressure) is known


def test_a_rise_everywhere_at_once_is_none():
    assert not follows(rising(lambda z: AT + 2 + 0 * z, lasts=4.0))


@pytest.mark.parametrize(("length", "known"), [(6.0, True), (4.5, False)])
def test_it_runs_over_four_cm(length, known):
    """Sensors at 12, 13 ...: 6 cm hold five of them, 4.5 cm four."""
    pressure = rising(lambda z: AT + z / 4, top=11.5, bottom=11.5 + length - 1.0)
    assert follows(pressure) is known


@pytest.mark.parametrize(
    ("height", "lasts", "known"), [(21, 2, True), (19, 2, False), (60, 0.6, True), (60, 0.4, False)]
)
def test_its_contour(height, lasts, known):
    pressure = rising(lambda z: AT + z / 4, height=height, lasts=lasts)
    assert follows(pressure) is known


def test_one_that_is_under_way_or_late_belongs_to_another_swallow():
    # At the fall 17 to 23 cm have just been reached, and only 24 to 27 cm are left.
    assert not follows(rising(lambda z: AT + (z - 23) / 4, lasts=9.0))
    assert not follows(rising(lambda z: AT + 8 + z / 4))


def relaxes(pressure, fall=AT):
    return les_relaxes(pressure, LES, fall, PARAMETERS)


def test_the_les_opens_after_the_fall():
    assert relaxes(study(Act(AT, wave=False, body=0)))
    assert not relaxes(study(Act(AT, wave=False, body=0, relaxes=False)))
    assert not les_relaxes(study(Act(AT)), math.nan, AT, PARAMETERS)


def test_an_les_that_was_open_before_does_not_open():
    """A transient relaxation comes first, and the belch with it later."""
    assert not relaxes(study(Act(AT - 5, body=0)))


@pytest.mark.parametrize("breath", [2.0, 10.0])
def test_breathing_is_no_relaxation(breath):
    assert not relaxes(study(breath=breath, crural=20.0))


@pytest.mark.parametrize(("les", "known"), [(11.0, True), (6.0, False)])
def test_a_weak_les_opens_by_half(les, known):
    """By 0.9 of its height, of which 0.61 stands above the stomach: 6.0 or 3.3 mmHg."""
    assert relaxes(study(Act(AT, wave=False, body=0), les=les, breath=0.0)) is known


def belching(pressure, at=AT, *, rise=8.0, cavity_s=4.0):
    out = pressure.copy(deep=True)
    time, depth = out["time"].values, out["depth"].values
    cavity = (time >= at - 2.0) & (time < at - 2.0 + cavity_s)
    out.values[np.ix_((depth > UES + 3) & (depth < LES - 2), cavity)] += rise
    return out


def test_a_belch_is_not_deglutitive_whatever_follows():
    """An LES that opens, and a secondary contraction that clears the esophagus, follow one too."""
    act = Act(AT, wave=False)
    plain, belch = study(act, breath=1.0), belching(study(act, breath=1.0))
    ues = find_ues(plain, PARAMETERS)
    assert is_deglutitive(plain, ues, AT, PARAMETERS)
    assert not is_deglutitive(belch, ues, AT, PARAMETERS)
    assert cavity_before(belch, body_of(belch), AT, PARAMETERS)
    assert not cavity_before(plain, body_of(plain), AT, PARAMETERS)


@pytest.mark.parametrize("fall", [0.5, 59.5])
def test_at_the_ends_of_the_recording_nothing_is_invented(fall):
    pressure = study(breath=0.0)
    assert not is_deglutitive(pressure, find_ues(pressure, PARAMETERS), fall, PARAMETERS)
