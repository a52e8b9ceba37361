"""Gaps between sensors: told where a sphincter would be missed, and nowhere else."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm import catalog
from hrm.preprocess.spacing import sensor_spacing_findings


def codes(*arguments, **options):
    return [
        (each.code, each.upper_cm, each.lower_cm)
        for each in sensor_spacing_findings(*arguments, **options)
    ]


@pytest.mark.parametrize("first_cm", [0.0, 13.7, 20.0])
@pytest.mark.parametrize("step", [1.0, 2.0])
def test_a_usual_catheter_has_nothing_to_tell(first_cm, step):
    assert codes(first_cm + step * np.arange(20)) == []


def test_a_gap_counts_where_the_sphincter_is():
    depths = catalog.catheters()["CE4-0062"].depths_cm
    assert codes(depths) == [("sparse", 20, 23), ("sparse", 35, 40)]
    assert codes(depths, les_cm=(30.0, 33.0)) == []
    assert codes(depths, les_cm=(33.0, 35.0)) == []
    assert codes(depths, les_cm=(34.0, 36.0)) == [("sparse", 35, 40)]
    assert codes(depths, les_cm=(36.0, 38.0)) == [("sparse", 35, 40)]


def test_a_sphincter_that_is_known_to_lie_there_asks_for_more():
    depths = np.arange(0.0, 40.0, 2.0)
    assert codes(depths) == []
    assert codes(depths, les_cm=(30.5, 33.5)) == [("sparse", 30, 32), ("sparse", 32, 34)]


def test_sensors_nearer_than_can_be():
    assert codes([0, 1, 1.05, 2]) == [("too_close", 1, 1.05)]
    text = sensor_spacing_findings([0, 1, 1.05, 2])[0].text
    assert "1 and 1.05 cm" in text
    assert "positions" in text


def test_the_limits_are_parameters():
    wide = catalog.default_parameters().replace({"spacing.widest_les_cm": 4.0})
    assert codes([0, 3, 6], parameters=wide) == []
    assert len(codes([0, 3, 6])) == 2


@given(
    steps=st.lists(st.floats(0.001, 9.0), min_size=1, max_size=30),
    les=st.tuples(st.floats(0, 60), st.floats(0.5, 5)),
)
def test_every_gap_is_judged_by_itself(steps, les):
    depths = np.cumsum([0.0, *steps])
    upper, lower = les[0], les[0] + les[1]
    wanted = []
    for a, b in itertools.pairwise(depths):
        if round(b - a, 6) > 1.5 and max(a, upper) < min(b, lower):
            wanted.append(("sparse", a, b))
        elif round(b - a, 6) < 0.1:
            wanted.append(("too_close", a, b))
    assert codes(depths, les_cm=(upper, lower)) == wanted
