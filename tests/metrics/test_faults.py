"""The table of faults: in every cell the right number, or none and the right reason.

``faults.csv`` has a row for each metric and a column for each fault. A cell holds what may be
seen there, the swallows together: ``right``, within the bound of the metric from the truth, or
the reason why there is no number. Nothing in it may ever be ``wrong``.
"""

import csv
from pathlib import Path

import numpy as np
import pytest

import hrm
from hrm import phantom
from tests.metrics import fault_studies as faults

TABLE = Path(__file__).with_name("faults.csv")


def table():
    with TABLE.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {row.pop("metric"): row for row in rows}


@pytest.fixture(scope="module")
def wanted():
    return table()


def test_the_table_is_complete(wanted):
    assert list(wanted) == list(faults.METRICS)
    for row in wanted.values():
        assert list(row) == list(faults.FAULTS)
        assert "wrong" not in " ".join(row.values())
        assert all(row.values())


@pytest.mark.parametrize("name", faults.FAULTS)
def test_no_fault_makes_a_wrong_number(wanted, name):
    seen = faults.verdicts(name)
    assert {metric: " ".join(sorted(cell)) for metric, cell in seen.items()} == {
        metric: row[name] for metric, row in wanted.items()
    }


def test_every_swallow_metric_is_right_somewhere_and_missing_somewhere(wanted):
    """A bound that nothing meets, or a fault that nothing feels, would test nothing."""
    for metric, row in wanted.items():
        cells = set(" ".join(row.values()).split())
        # The phantom's bolus does not stay away from the stomach long enough to be timed there.
        assert "right" in cells or metric == "bolus_flow_time_s", metric
        assert cells != {"right"}, metric


@pytest.mark.parametrize("below_cm", [1.0, 4.0])
def test_a_catheter_that_starts_below_the_ues_dates_no_swallow(below_cm):
    made = faults.drawn()
    start = faults.marks()["ues_lower_cm"] + phantom.default_offset(made) + below_cm
    recording = phantom.sample(
        made, catheter=np.arange(26.0), offset_cm=start, sampling_rate=20.0, markers=False
    )
    seen = hrm.to_dict(hrm.analyze(recording, posture="supine"))
    assert seen["swallows"] == []
    assert seen["landmarks"]["status"]["ues_upper_cm"] == "catheter_starts_below_ues"
    told = hrm.to_dict(hrm.analyze(recording, swallows=phantom.swallow_table(made)))
    for row, throat in zip(told["swallows"], told["pharynx"]["swallows"], strict=True):
        assert row["onset_method"] == "stated"
        assert row["distal_latency_s"] is row["ues_residual_mmhg"] is row["type"] is None
        assert throat["phci_mmhg_s_cm"] is None


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_ues_without_tone_still_dates_its_swallows(seed):
    made = phantom.draw("normal", seed=seed, n_supine=2, n_upright=0, ues_tone="absent")
    recording = phantom.sample(made, sampling_rate=20.0, integer=True, markers=False)
    seen = hrm.to_dict(hrm.analyze(recording, posture="supine"))
    assert seen["landmarks"]["status"]["ues_upper_cm"] == "estimated_from_pharyngeal_wave"
    assert len(seen["swallows"]) == 2


def test_a_swallow_cut_off_within_its_contraction_has_no_integral():
    whole = faults.truth()["dci_mmhg_s_cm"][3]
    for after_s in (9.0, 10.0, 12.0, 14.0):
        cut = faults.Fault(crop=(36, 0.0, faults.onset(3) + after_s))
        value, reason = faults.read(cut)["dci_mmhg_s_cm"][3]
        assert reason == "window_truncated" if value is None else value >= 0.97 * whole
