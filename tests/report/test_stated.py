"""What people said of a study, as the report prints it."""

import copy

import pytest

import hrm
from hrm.report import stated


@pytest.fixture(scope="module")
def result(make):
    return hrm.to_dict(make("normal", 4))


def told(result, **clinical):
    out = copy.deepcopy(result)
    out["engine"]["clinical"] |= clinical
    return out


def edited(result, *applied):
    out = copy.deepcopy(result)
    out["review"] = {"readers": ["AB"], "n_edits": len(applied), "applied": list(applied)}
    return out


def edit(name, field, value, automatic):
    said = {"object": name, "field": field, "value": value, "automatic": automatic}
    return {**said, "reader": "AB", "seq": 1}


def test_nothing_said_is_said(result):
    assert stated.clinical_context(result) == (
        "not stated: symptoms, barium esophagram, FLIP, opioids, prior foregut operation."
    )


def test_what_was_asked_stands_apart_from_what_was_not(result):
    some = told(result, symptoms=["dysphagia", "chest_pain"], tbe="abnormal", opioids=False)
    assert stated.clinical_context(some) == (
        "symptoms: dysphagia, chest pain; barium esophagram: abnormal; opioids: no; "
        "not stated: FLIP, prior foregut operation."
    )
    everything = told(
        result, symptoms=[], tbe="normal", flip="normal", opioids=True, prior_surgery="none"
    )
    assert stated.clinical_context(everything) == (
        "symptoms: none; barium esophagram: normal; FLIP: normal; opioids: yes; "
        "prior foregut operation: none."
    )


def test_without_a_review_there_are_no_edits(result):
    assert stated.reader_edits(result) == []


def test_each_edit_shows_the_automatic_value(result):
    first = result["swallows"][0]["onset_s"]
    seen = edited(
        result,
        edit("landmarks", "les_upper_cm", 26.5, 27.62),
        edit(f"swallow@{first:.2f}", "posture", "upright", "unknown"),
        edit(f"swallow@{first - 4:.2f}", "onset_s", first, first - 4),
        edit("swallow@9000.00", "added", value=True, automatic=False),
        edit("study", "signed_off", value=True, automatic=None),
    )
    assert stated.reader_edits(seen) == [
        "proximal border of the LES: 26.50 by AB, automatic 27.62",
        "swallow 1, posture: upright by AB, automatic unknown",
        f"swallow 1, onset of the swallow: {first:.2f} by AB, automatic {first - 4:.2f}",
        "swallow at 9000 s, added: yes by AB, automatic no",
    ]
