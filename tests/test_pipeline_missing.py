"""What a missing sensor leaves unknown: places and times, against a plain reading of the rule."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hrm
from hrm import phantom
from hrm.catalog import default_parameters
from hrm.metrics._base import Measurement
from hrm.pipeline.missing import Missing, keeper

PARAMETERS = default_parameters()
RATE, SAMPLES = 10.0, 200


def missing(lost, *, spacing=1.0, count=36, always=()):
    """A catheter whose sensors are lost at samples, by sensor; `always` ones for good."""
    usable = np.ones(count, bool)
    usable[list(always)] = False
    masks = {k: np.isin(np.arange(SAMPLES), samples) for k, samples in lost.items()}
    masks |= {k: np.ones(SAMPLES, bool) for k in always}
    depth, time = np.arange(count) * spacing, np.arange(SAMPLES) / RATE
    return Missing(depth, time, usable, masks, PARAMETERS)


@pytest.mark.parametrize("k", range(24, 33))
def test_only_the_middle_half_of_a_sphincter_cannot_do_without_a_sensor(k):
    seen = missing({}, always=[k])
    assert seen.in_sphincter(26.0, 30.0).all() == (27 <= k <= 29)
    assert seen.touching(26.0, 30.0).all() == (26 <= k <= 30)
    # The end of the sphincter is not known: any part may be its middle.
    assert seen.in_sphincter(26.0, math.nan).all() == (k >= 26)
    assert not seen.in_sphincter(math.nan, 30.0).any()


def test_a_hole_too_wide_is_too_wide_anywhere_in_it():
    assert missing({}, spacing=1.5, always=[18]).in_sphincter(26.5, 31.0).all()
    assert missing({}, always=[25, 26]).in_sphincter(26.0, 30.0).all()
    assert not missing({}, always=[24, 25]).in_sphincter(26.0, 30.0).any()
    # Below the last good sensor there is no hole: the catheter just ends there.
    assert not missing({}, always=[33, 34, 35]).touching(20.0, 40.0).any()


@given(
    k=st.integers(20, 32),
    upper=st.floats(24.0, 27.0),
    length=st.floats(2.0, 6.0),
    first=st.integers(0, SAMPLES - 2),
    count=st.integers(1, 50),
)
def test_the_rule_read_plainly(k, upper, length, first, count):
    samples = np.arange(first, min(first + count, SAMPLES))
    seen = missing({k: samples})
    lower = upper + length
    middle, quarter = upper + length / 2, length / 4
    for spoiled, when in (
        (abs(k - middle) <= quarter + 1e-6, seen.in_sphincter(upper, lower)),
        (k - 1 < lower and k + 1 > upper, seen.touching(upper, lower)),
    ):
        # A sensor that is only lost for a while still bounds its own hole.
        expected = np.isin(np.arange(SAMPLES), samples) & spoiled
        assert (when == expected).all()


def test_a_number_falls_only_with_the_times_that_it_rests_on():
    seen = missing({28: np.arange(50, 60)})
    keep = keeper(seen, seen.in_sphincter(26.0, 30.0))
    rests_on = {
        "times_s": (np.array([1.0, 4.9]), np.array([1.0, 5.0])),
        "time_s": (4.9, 5.9),
        "start_s": (6.0, 2.5),
        "window_s": ((0.0, 5.0), (5.9, 9.0)),
    }
    for name, (well, ill) in rests_on.items():
        assert keep(Measurement(3.0, detail={name: well})).value == 3.0, name
        lost = keep(Measurement(3.0, detail={name: ill}))
        assert (math.isnan(lost.value), lost.status) == (True, "sensor_failed"), name
    # A number that does not say what it rests on rests on everything; a missing one stays as it is.
    assert keep(Measurement(3.0)).status == "sensor_failed"
    assert keep(Measurement.missing("no_gastric_sensor")).status == "no_gastric_sensor"


@pytest.mark.parametrize("apart", [1.0, 4.0])
def test_a_wide_gap_at_the_les_is_said(apart):
    made = phantom.draw("normal", seed=3, n_supine=1, n_upright=0)
    offset = phantom.default_offset(made)
    les = phantom.truth(made, offset_cm=offset)["landmarks"]["les_upper_cm"]
    depths = np.arange(36.0)
    depths = depths[(depths <= les - apart / 2 + 0.5) | (depths > les + apart / 2 - 0.5)]
    recording = phantom.sample(made, catheter=depths, offset_cm=offset, sampling_rate=20.0)
    said = hrm.to_dict(hrm.analyze(recording, posture="supine"))["warnings"]
    assert any("cm apart: at the LES" in text for text in said) == (apart > 2.0)
