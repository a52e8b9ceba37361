"""The one real recording at hand, read by eye: it may not be copied, so it may be absent.

Put it (or a link to it) at ``../shared/data/mms_22ch_real.csv`` beside the checkout. The
expectations are what its own description says, not what hrm once printed.
"""

from pathlib import Path

import pytest

import hrm

PATH = Path(__file__).resolve().parents[2] / "shared" / "data" / "mms_22ch_real.csv"

pytestmark = pytest.mark.skipif(
    not PATH.is_file(), reason="the real recording has no licence and lies outside the project"
)


@pytest.fixture(scope="module")
def result():
    recording = hrm.open_recording(PATH, catheter="CE4-0062", system="mms_wp")
    return hrm.to_dict(hrm.analyze(recording))


def test_four_swallows_each_near_its_pharyngeal_peak(result):
    peaks = [(sample - 2442) / 20 for sample in (2467, 2659, 2976, 3065)]
    onsets = [row["onset_s"] for row in result["swallows"]]
    assert len(onsets) == 4
    assert all(0 <= peak - onset <= 0.6 for peak, onset in zip(peaks, onsets, strict=True))


def test_the_sphincter_is_where_the_eye_sees_it(result):
    marks = result["landmarks"]
    assert 30 <= marks["les_upper_cm"] < 32
    assert 33 < marks["les_lower_cm"] <= 34.5
    assert 10 <= marks["gastric_reference_mmhg"] <= 21


def test_what_cannot_be_evaluated_says_so(result):
    rows = result["swallows"]
    assert [row["evaluable"] for row in rows] == [False, True, False, True]
    assert {rows[0]["reason"], rows[2]["reason"]} == {"next_swallow_within_10_s"}
    assert "window_truncated" in rows[3]["flags"]
    assert result["study"]["baseline"]["status"] == "baseline_short"


def test_the_sphincter_does_not_relax(result):
    """A naive reading of swallow 2 gives 46.8 mmHg against the most distal sensor."""
    assert result["swallows"][1]["irp4s_mmhg"] == pytest.approx(46.8, abs=3.0)


def test_no_diagnosis_without_posture_and_limit(result):
    assert result["classification"]["ccv4"]["diagnosis"] == "not_classified"
