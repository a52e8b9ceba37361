"""The quality report: its numbers, what it groups, what it cuts off."""

import io
from statistics import median

import pytest
from matplotlib.image import imread

from hrm.batch.report import _diagnosis, _median_dci, _messages, _outlier_limits
from hrm.plot.batch import histogram


def swallow(dci, *, posture="supine", evaluable=True):
    return {"dci_mmhg_s_cm": dci, "posture": posture, "evaluable": evaluable}


def test_the_median_dci_is_of_what_the_diagnosis_rests_on():
    rows = [
        *(swallow(dci) for dci in (100.0, 900.0, 500.0, None)),
        *(swallow(9000.0, posture="upright"), swallow(8000.0, evaluable=False)),
    ]
    result = {"swallows": rows, "study": {"primary_posture": "supine"}}
    assert _median_dci(result) == median([100.0, 900.0, 500.0])
    assert _median_dci({**result, "study": {"primary_posture": None}}) is None


def test_messages_that_differ_in_a_number_are_one():
    messages = [f"line {k}: cut" for k in range(20)] + ["empty <b>"]
    rows = [{"message": m, "manifest_row": k, "input": k} for k, m in enumerate(messages, 1)]
    first, second = _messages(rows)
    assert "line 0: cut" in first
    assert "(20: row 1, row 2," in first
    assert "row 12 and 8 more)" in first
    assert "empty &lt;b&gt;" in second
    assert "(1: row 21)" in second


def test_messages_beyond_the_eighth_are_counted():
    rows = [{"message": "x" * k, "manifest_row": None, "input": k} for k in range(1, 12)]
    found = list(_messages(rows))
    assert len(found) == 9
    assert "Other messages: 3 inputs" in found[-1]
    assert "input 1" in found[0]


def test_fences_are_three_interquartile_ranges_beyond_the_quartiles():
    rows = [{"noise_mmhg": float(k)} for k in range(9)]  # quartiles 2 and 6
    assert _outlier_limits(rows) == {"noise_mmhg": (2.0 - 12.0, 6.0 + 12.0)}
    assert _outlier_limits(rows[:7]) == {}


@pytest.mark.parametrize("title", ["DCI", "separation of LES and crural diaphragm " * 2])
def test_no_title_is_cut_off(title):
    """The outermost columns of the picture are as white as its corner."""
    picture = imread(io.BytesIO(histogram([1.0, 2.0, 2.0, 5.0], title=title, unit="mmHg")))
    assert (picture[:, [0, 1, -2, -1], :3] == 1.0).all()


def test_the_same_numbers_give_the_same_bytes():
    assert histogram([1.0, 2.0], title="a", unit="b") == histogram([1.0, 2.0], title="a", unit="b")


def test_diagnoses_are_written_out():
    assert _diagnosis("iem") == "Ineffective esophageal motility"
    assert _diagnosis("egjoo") == "Esophagogastric junction outflow obstruction"
    assert _diagnosis(None) == _diagnosis(float("nan")) == "No diagnosis"
