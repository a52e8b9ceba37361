"""The bundle: valid for the library, its codes for us, and every number in it."""

import base64
import copy
import json
import math

import pytest
from fhir.resources.R4B.bundle import Bundle

from hrm import catalog
from hrm.errors import SchemaError
from hrm.export.fhir import UNITS, check_bundle, fhir_bundle
from hrm.results import to_dict
from hrm.store.tidy import long_rows
from tests.export.conftest import NAMES


@pytest.fixture(scope="module")
def bundle(study):
    return fhir_bundle(study)


def of_kind(bundle, kind):
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind]


def code_of(item):
    return item["code"]["coding"][0]["code"]


def test_the_library_accepts_it(bundle):
    Bundle.model_validate(bundle)


def test_it_is_the_same_every_time(study, bundle):
    assert json.dumps(fhir_bundle(study)) == json.dumps(bundle)


def test_every_number_of_the_study_is_there_with_its_unit(study, bundle):
    seen = {}
    for item in of_kind(bundle, "Observation"):
        swallow = item["code"]["text"].split(" (")[0].removeprefix("Swallow ")
        number = int(swallow) if swallow.isdigit() else None
        for part in item.get("component", [item] if "coding" in item["code"] else []):
            seen[number, code_of(part)] = part
    rows = long_rows(study)
    assert len(seen) == len(rows) > 100
    for _, _, swallow, metric, value, unit, status, *_ in rows:
        part = seen[swallow, metric]
        if value is None or math.isnan(value):
            assert status.replace("_", " ") in part["dataAbsentReason"]["text"]
            assert "valueQuantity" not in part
        else:
            found = part["valueQuantity"]
            assert (found["value"], found["unit"]) == (value, unit)
            assert found["code"] == UNITS[unit]


def test_every_unit_of_the_catalogue_has_a_code():
    assert {row.units for row in catalog.metrics().values()} <= set(UNITS)


def test_every_code_that_is_used_is_defined(bundle):
    used = set()
    for item in of_kind(bundle, "Observation"):
        used |= {code_of(part) for part in item.get("component", ()) if "coding" in part["code"]}
        used |= {code_of(item)} if "coding" in item["code"] else set()
    metrics = of_kind(bundle, "CodeSystem")[0]
    assert {row["code"] for row in metrics["concept"]} == used
    assert all(row["definition"] for row in metrics["concept"])


def test_the_report_leads_to_every_observation(bundle):
    (report,) = of_kind(bundle, "DiagnosticReport")
    places = {f"urn:uuid:{item['id']}" for item in of_kind(bundle, "Observation")}
    assert {row["reference"] for row in report["result"]} == places
    assert "not a medical device" in report["conclusion"]


def test_each_classification_says_which_rules_decided(study, bundle):
    result = to_dict(study)
    made = [
        item
        for item in of_kind(bundle, "Observation")
        if "Chicago Classification" in item["code"].get("text", "")
    ]
    assert len(made) == 2
    for item, key in zip(made, ("ccv4", "ccv3"), strict=True):
        verdict = result["classification"][key]
        assert code_of({"code": item["valueCodeableConcept"]}) == verdict["diagnosis"]
        text = " ".join(note["text"] for note in item["note"])
        assert all(rule["row"] in text for rule in verdict["rationale"])


def test_preliminary_until_signed_off(study, bundle, monkeypatch):
    statuses = {item["status"] for item in of_kind(bundle, "Observation")}
    assert statuses == {"preliminary"}
    monkeypatch.setattr("hrm.export.fhir.signed_off", lambda _: True)
    final = fhir_bundle(study)
    reports = of_kind(final, "DiagnosticReport") + of_kind(final, "Observation")
    assert {item["status"] for item in reports} == {"final"}
    Bundle.model_validate(final)


def test_the_report_can_be_attached(study, pdf):
    (report,) = of_kind(fhir_bundle(study, pdf=pdf), "DiagnosticReport")
    (form,) = report["presentedForm"]
    assert base64.b64decode(form["data"]) == pdf


def test_no_name_without_an_identity_and_all_of_it_with_one(study, bundle, identity):
    assert not of_kind(bundle, "Patient")
    assert "effectiveDateTime" not in json.dumps(bundle)
    named = fhir_bundle(study, identity=identity)
    Bundle.model_validate(named)
    text = json.dumps(named)
    assert all(name in text for name in NAMES)
    (patient,) = of_kind(named, "Patient")
    assert (patient["gender"], patient["birthDate"]) == ("female", "1961-02-03")
    subjects = {json.dumps(item["subject"]) for item in of_kind(named, "Observation")}
    assert subjects == {json.dumps({"reference": f"urn:uuid:{patient['id']}"})}


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("DiagnosticReport", "status", "nonsense"),
        ("Observation", "status", "done"),
        ("CodeSystem", "content", "all"),
    ],
)
def test_codes_that_the_library_lets_pass_are_found(bundle, kind, field, value):
    wrong = copy.deepcopy(bundle)
    of_kind(wrong, kind)[0][field] = value
    with pytest.raises(SchemaError, match=rf"{kind}\.{field} must be one of"):
        check_bundle(wrong)


def test_other_faults_of_a_bundle_are_found(bundle):
    wrong = copy.deepcopy(bundle)
    of_kind(wrong, "DiagnosticReport")[0]["result"][0]["reference"] = "urn:uuid:elsewhere"
    measured = next(item for item in of_kind(wrong, "Observation") if "valueQuantity" in item)
    measured["valueQuantity"]["code"] = "mmHg"
    absent = next(item for item in of_kind(wrong, "Observation") if "dataAbsentReason" in item)
    absent["dataAbsentReason"]["coding"][0]["code"] = "forgotten"
    with pytest.raises(SchemaError) as err:
        check_bundle(wrong)
    for said in ("leads out of the bundle", "unit of the catalogue", "dataAbsentReason must be"):
        assert said in str(err.value)
