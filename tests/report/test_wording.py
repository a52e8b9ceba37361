"""The words: every code of the engine has some, and numbers say on which side they lie."""

import pytest

import hrm
from hrm import catalog
from hrm.metrics.chicago import facts
from hrm.report import wording


def test_every_diagnosis_has_words():
    assert set(catalog.words()["diagnosis"]) == set(facts.DIAGNOSES)


def test_every_consideration_has_words():
    assert set(facts.CONSIDERATIONS) == set(catalog.words()["consideration"])


def test_every_confidence_has_words():
    assert set(wording.confidences()) == {*catalog.CONFIDENCES, "user"}


def test_an_unknown_code_is_still_readable():
    assert wording.diagnosis("some_new_one") == "some new one"
    assert wording.consideration("some_new_one") == "some new one"


def rule(value, comparator, limit, unit, *, met):
    return {
        "rule": "median IRP, supine",
        "value": value,
        "comparator": comparator,
        "limit": limit,
        "unit": unit,
        "met": met,
    }


@pytest.mark.parametrize(
    ("value", "comparator", "met", "text"),
    [
        (22.34, ">=", True, "22.3 ≥ 15 mmHg"),
        (14.96, ">=", False, "14.96 ≥ 15 mmHg"),
        (14.99996, ">=", False, "14.99996 ≥ 15 mmHg"),
        (15.0, ">=", True, "15.0 ≥ 15 mmHg"),
        (15.0, ">", False, "15.0 > 15 mmHg"),
        (15.01, ">", True, "15.01 > 15 mmHg"),
        (None, ">=", False, "– ≥ 15 mmHg"),
    ],
)
def test_a_value_beside_its_limit_shows_on_which_side_it_lies(value, comparator, met, text):
    said = wording.rule_text(rule(value, comparator, 15.0, "mmHg", met=met))
    assert said == f"median IRP, supine: {text}"


@pytest.fixture(scope="module")
def result(make):
    return hrm.to_dict(make("normal", 4))


def beyond(result, posture="supine", **numbers):
    base = {
        "irp4s_mmhg": 5.0,
        "dci_mmhg_s_cm": 1000.0,
        "distal_latency_s": 6.0,
        "break_cm": 1.0,
        "ibp_mmhg": 5.0,
    }
    return wording.abnormal(result, {**base, "posture": posture, **numbers})


@pytest.mark.parametrize(
    ("key", "inside", "outside", "side"),
    [
        ("irp4s_mmhg", 14.9, 15.0, "above"),
        ("dci_mmhg_s_cm", 450.0, 449.9, "below"),
        ("dci_mmhg_s_cm", 8000.0, 8000.1, "above"),
        ("distal_latency_s", 4.5, 4.49, "below"),
        ("break_cm", 5.0, 5.1, "above"),
        ("ibp_mmhg", 19.9, 20.0, "above"),
    ],
)
def test_a_number_is_marked_from_its_limit_on(result, key, inside, outside, side):
    assert beyond(result) == {}
    assert beyond(result, **{key: inside}) == {}
    assert beyond(result, **{key: outside}) == {key: side}
    assert beyond(result, **{key: None}) == {}


def test_the_limit_of_the_irp_is_that_of_the_posture(result):
    assert beyond(result, posture="upright", irp4s_mmhg=12.0) == {"irp4s_mmhg": "above"}
    assert beyond(result, posture="unknown", irp4s_mmhg=99.0) == {}


def test_a_named_limit_holds_where_the_engine_uses_it(make):
    number = hrm.to_dict(make("normal", 4, irp_limit=20.0))
    assert wording.irp_limit(number, "supine").value == 20.0
    assert wording.irp_limit(number, "upright").id == "irp4s.manoscan.upright.v4"
    row = hrm.to_dict(make("normal", 4, irp_limit="irp4s.laborie_ss.upright.v4"))
    assert wording.irp_limit(row, "supine").id == "irp4s.manoscan.supine.v4"
    assert wording.irp_limit(row, "upright").value == 15.0
    own = hrm.to_dict(make("normal", 4, irp_limit="irp4s.manoscan.supine.v4"))
    assert wording.irp_limit(own, "supine") == catalog.find_limit(
        "irp4s", system="manoscan", position="supine", cc_version="4.0"
    )
    for result in (number, row, own):
        (first, *_) = result["classification"]["ccv4"]["rationale"]
        limit = wording.irp_limit(result, "supine")
        assert (first["row"], first["limit"]) == (limit.id, limit.value)
        assert limit.id in [each.id for each in wording.used_limits(result)]
