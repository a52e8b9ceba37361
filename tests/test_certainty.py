"""What takes the certainty from a diagnosis: whole studies of closed forms."""

import numpy as np
import pytest

import hrm
from hrm.annotate import Change, follow_up
from tests.detect.signals import Act, study

TIMES = [45.0 + 25.0 * k for k in range(8)]


def recording(*acts, depth=None, **how):
    made = study(*acts, depth=depth, duration=acts[-1].at + 30.0, **how)
    values = made.values + 0.5 * np.random.default_rng(3).standard_normal(made.shape)
    return hrm.make_recording(
        values.astype(np.float32),
        sampling_rate=50.0,
        depth=made["depth"].values,
        dims=("sensor", "time"),
    )


def result(*acts, parameters=None, swallows=None, review=None, **how):
    said = {"parameters": parameters, "swallows": swallows, "review": review}
    tree = hrm.analyze(recording(*acts, **how), system="manoscan", posture="supine", **said)
    return hrm.to_dict(tree)


def verdicts(seen):
    return [seen["classification"][version] for version in ("ccv4", "ccv3")]


FLAG, MISSED = "sleeve_between_sensors", "swallows_may_be_missed"
COARSE = {"irp.between_sensors_mmhg": 2.0}


def shut(les_mmhg, *, sd=0.6, **how):
    """An LES that never opens, half-way between two sensors 1 cm apart."""
    acts = [Act(at, relaxes=False) for at in TIMES]
    return result(*acts, depth=np.arange(36.0) + 0.5, les=les_mmhg, les_sd=sd, **how)


def narrow_warnings(seen):
    return [text for text in seen["warnings"] if "narrow" in text]


def test_an_irp_between_sensors_is_not_read_low_in_silence():
    seen = shut(26.0)
    value = seen["study"]["irp4s_median_supine_mmhg"]
    readings = seen["study"]["irp4s_readings_mmhg"]["supine"]
    other, low = readings["between_sensors"], readings["kernel_pchip"]
    assert other - value == pytest.approx(value - low, abs=0.05)  # medians
    assert value - low > 1.0
    assert all(FLAG in row["flags"] for row in seen["swallows"])
    (text,) = narrow_warnings(seen)
    assert f"supine {value:.1f} mmHg, perhaps {other:.1f}" in text
    # Both readings are raised: the label does not hang on it.
    assert not any(FLAG in verdict["considerations"] for verdict in verdicts(seen))


def test_a_sphincter_that_is_wide_for_its_sensors_bears_no_flag():
    seen = shut(18.0, sd=1.5)
    assert not any(FLAG in row["flags"] for row in seen["swallows"])
    assert narrow_warnings(seen) == []


def test_a_little_is_a_flag_and_no_warning():
    seen = shut(26.0, parameters={"irp.between_sensors_warning_mmhg": 2.0})
    assert all(FLAG in row["flags"] for row in seen["swallows"])
    assert narrow_warnings(seen) == []


def test_a_label_that_hangs_on_what_lies_between_sensors_is_not_conclusive():
    sure, unsure = shut(20.8, parameters=COARSE), shut(20.8)
    value = unsure["study"]["irp4s_median_supine_mmhg"]
    other = unsure["study"]["irp4s_readings_mmhg"]["supine"]["between_sensors"]
    assert value < 15.0 <= other  # the limit of this system
    assert value == sure["study"]["irp4s_median_supine_mmhg"]
    for verdict in verdicts(sure):
        assert (verdict["diagnosis"], verdict["conclusive"]) == ("normal", True)
        assert "irp_borderline" in verdict["considerations"]
    for verdict in verdicts(unsure):
        assert (verdict["diagnosis"], verdict["conclusive"]) == ("normal", False)
        assert FLAG in verdict["considerations"]


def test_by_pchip_the_cubic_kernel_is_the_reading_that_may_be_missing():
    seen = shut(26.0, parameters={"interpolation.les_kernel": "pchip"})
    readings = seen["study"]["irp4s_readings_mmhg"]["supine"]
    assert readings["between_sensors"] == pytest.approx(readings["kernel_cubic"])
    assert all(FLAG in row["flags"] for row in seen["swallows"])


def test_the_kernel_of_the_body_says_nothing_of_the_les():
    plain, other = shut(26.0), shut(26.0, parameters={"interpolation.kernel": "linear"})
    key = "irp4s_median_supine_mmhg"
    assert other["study"][key] == pytest.approx(plain["study"][key], abs=0.02)


def with_falls(swallows, falls, *, wave=False, parameters=None):
    last = TIMES[swallows - 1]
    acts = [Act(at, wave=wave) for at in TIMES[:swallows]]
    acts += [Act(last + 25.0 * (k + 1), wave=False, body=0, relaxes=False) for k in range(falls)]
    seen = result(*acts, parameters=parameters)
    assert len(seen["swallows"]) == swallows
    return seen


@pytest.mark.parametrize(
    ("falls", "wave", "doubted"),
    [(1, False, False), (2, False, True), (4, False, True), (4, True, False)],
)
def test_falls_of_the_ues_that_may_be_swallows(falls, wave, doubted):
    # Eight swallows: from a fifth, that is from two falls, a share that decides may be wrong.
    seen = with_falls(8, falls, wave=wave)
    for verdict in verdicts(seen):
        assert verdict["diagnosis"] == "normal"
        assert (MISSED in verdict["considerations"]) == doubted
        assert verdict["conclusive"] == (not doubted)


def test_the_share_of_falls_is_a_parameter():
    seen = with_falls(8, 2, parameters={"tree.unanswered_share": 0.3})
    assert all(verdict["conclusive"] for verdict in verdicts(seen))


def test_a_fall_that_somebody_calls_a_swallow_is_no_doubt():
    falls = [Act(TIMES[-1] + 25.0 * (k + 1), wave=False, body=0, relaxes=False) for k in range(3)]
    acts = [*(Act(at, wave=False) for at in TIMES), *falls]
    made = recording(*acts)
    rows = [{"onset_s": act.at + 0.1} for act in falls]
    said = {"reader": "AB", "reason": "seen on video", "engine": "0.1.0"}
    added = follow_up(
        [],
        [Change(f"swallow@{act.at + 0.1:.2f}", "added", new=True) for act in falls],
        sha256=made.attrs["source_sha256"],
        utc="2026-01-31T09:30:00Z",
        **said,
    )
    assert any(MISSED in verdict["considerations"] for verdict in verdicts(result(*acts)))
    for seen in (result(*acts, swallows=rows), result(*acts, review=added)):
        assert len(seen["swallows"]) == 11
        assert not any(MISSED in verdict["considerations"] for verdict in verdicts(seen))
