"""One study as a FHIR R4B bundle: report, numbers, and what their codes mean.

There are no LOINC codes for the metrics of high-resolution manometry, so the codes are
hrm's own, with the definitions of the metric catalogue in the bundle. Everything is plain
JSON; `check_bundle` holds it against the codes that FHIR requires.
"""

from __future__ import annotations

import base64
import json
import math
import os
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hrm import catalog
from hrm._files import new_file
from hrm.errors import SchemaError
from hrm.report import wording
from hrm.report.draft import signed_off
from hrm.reported import PREFIX as REPORTED
from hrm.results import to_dict
from hrm.store.tidy import COLUMNS, catalogued, long_rows

if TYPE_CHECKING:
    import xarray as xr

    from hrm.export.identity import Identity

#: Codes of the metrics, of diagnoses, and the names under which studies and files are known.
METRICS = "urn:hrm:metric"
DIAGNOSES = "urn:hrm:diagnosis"
STUDIES = "urn:hrm:study"
UCUM = "http://unitsofmeasure.org"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
#: Code of each unit of the metric catalogue in the Unified Code for Units of Measure.
UNITS: Mapping[str, str] = {
    "mmHg": "mm[Hg]",
    "s": "s",
    "%": "%",
    "1": "1",
    "cm": "cm",
    "cm/s": "cm/s",
    "mmHg s cm": "mm[Hg].s.cm",
    "mmHg cm": "mm[Hg].cm",
    "mmHg/s": "mm[Hg]/s",
    "mmHg^2/s^2": "mm[Hg]2/s2",
    "mS": "mS",
    "ohm": "Ohm",
}
#: What the ends of a name add to the words of its metric.
_ENDS = {"_start_s": ", start", "_stop_s": ", end", "_unfiltered": ", without the noise filter"}
_SEX = ("male", "female", "other", "unknown")
_CLASSIFICATIONS = {"ccv4": "Chicago Classification v4.0", "ccv3": "Chicago Classification v3.0"}
#: Codes that FHIR R4B demands of what the bundle holds: type of resource, field, allowed.
_REQUIRED: tuple[tuple[str, str, frozenset[str]], ...] = (
    ("Bundle", "type", frozenset({"collection"})),
    ("DiagnosticReport", "status", frozenset({"preliminary", "final"})),
    ("Observation", "status", frozenset({"preliminary", "final"})),
    ("CodeSystem", "status", frozenset({"active"})),
    ("CodeSystem", "content", frozenset({"fragment"})),
    ("Patient", "gender", frozenset(_SEX)),
)
_ABSENT_CODES = frozenset({"unknown", "not-performed", "not-applicable", "unsupported"})
_NOTE = (
    "Research software, not a medical device: not cleared or certified for diagnosis or treatment."
)


def fhir_bundle(
    study: xr.DataTree, *, pdf: bytes | None = None, identity: Identity | None = None
) -> dict[str, Any]:
    """Make the bundle of an analyzed study.

    Parameters
    ----------
    study : DataTree
        As returned by `hrm.analyze`.
    pdf : bytes, optional
        Report to attach.
    identity : Identity, optional
        Whom the study is of; without it only the pseudonym of the study is in the bundle.

    Returns
    -------
    dict
        A bundle of type ``collection``: DiagnosticReport, Observations (one a number of the
        study, one a swallow with its numbers as components, one a classification), Device
        and CodeSystem, and Patient where there is an identity. Report and observations are
        ``preliminary`` until a reader has signed the study off, then ``final``. A number that
        was not measured has the reason instead of a value. The same study gives the same
        bundle.

    Raises
    ------
    SchemaError
        If the study has not been analyzed.

    Notes
    -----
    HL7 FHIR R4B (4.3.0), https://hl7.org/fhir/R4B/diagnosticreport.html.
    """
    result = to_dict(study)
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in long_rows(study)]
    made = _Maker(result, identity)
    observations = [*made.numbers(rows), *made.swallows(rows), *made.classifications()]
    used = {row["metric"] for row in rows}
    resources = [
        made.report(observations, pdf),
        *([made.patient()] if identity else []),
        made.device(),
        *observations,
        _metric_codes(used),
        _diagnosis_codes(result),
    ]
    bundle = {
        "resourceType": "Bundle",
        "id": made.id("bundle"),
        "type": "collection",
        "entry": [{"fullUrl": f"urn:uuid:{item['id']}", "resource": item} for item in resources],
    }
    check_bundle(bundle)
    return bundle


def write_fhir(
    study: xr.DataTree,
    path: str | os.PathLike[str],
    *,
    pdf: bytes | None = None,
    identity: Identity | None = None,
    overwrite: bool = False,
) -> None:
    """Write the bundle of an analyzed study as JSON; see `fhir_bundle`."""
    text = json.dumps(fhir_bundle(study, pdf=pdf, identity=identity), indent=1, allow_nan=False)
    with new_file(path, overwrite=overwrite) as place:
        place.write_text(text + "\n", encoding="utf-8")


def check_bundle(bundle: Mapping[str, Any]) -> None:
    """Check the codes that FHIR requires, which validators of structure let pass.

    Raises
    ------
    SchemaError
        Naming each resource and field; nothing of the content is quoted.
    """
    resources = [bundle, *(entry["resource"] for entry in bundle["entry"])]
    faults = [fault for resource in resources for fault in _code_faults(resource)]
    known = {entry["fullUrl"] for entry in bundle["entry"]}
    faults += [
        f"{resource['resourceType']}: a reference leads out of the bundle"
        for resource in resources
        for reference in _references(resource)
        if reference not in known
    ]
    if faults:
        raise SchemaError(f"FHIR bundle: {'; '.join(dict.fromkeys(faults))}")


def _code_faults(resource: Mapping[str, Any]) -> Iterator[str]:
    kind = resource["resourceType"]
    for owner, field, allowed in _REQUIRED:
        optional = owner == "Patient"
        if kind == owner and resource.get(field) not in (*allowed, *([None] if optional else [])):
            yield f"{kind}.{field} must be one of {', '.join(sorted(allowed))}"
    if kind != "Observation":
        return
    for part in (resource, *resource.get("component", ())):
        reason = part.get("dataAbsentReason", {}).get("coding", [{}])[0].get("code")
        if reason is not None and reason not in _ABSENT_CODES:
            yield f"{kind}.dataAbsentReason must be one of {', '.join(sorted(_ABSENT_CODES))}"
        if "valueQuantity" in part and part["valueQuantity"].get("code") not in UNITS.values():
            yield f"{kind}.valueQuantity must have a unit of the catalogue"


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


class _Maker:
    """The resources of one study, which name each other."""

    def __init__(self, result: Mapping[str, Any], identity: Identity | None) -> None:
        self._result = result
        self._identity = identity
        self._recording = result["recording"]
        self._status = "final" if signed_off(result) else "preliminary"

    def id(self, name: str) -> str:
        """Id of a part, the same in every export of the same result."""
        content = json.dumps([self._result, name], sort_keys=True)
        return str(uuid.uuid5(uuid.NAMESPACE_URL, content))

    def _reference(self, name: str) -> dict[str, str]:
        return {"reference": f"urn:uuid:{self.id(name)}"}

    def _subject(self) -> dict[str, Any]:
        if self._identity:
            return self._reference("patient")
        return {
            "type": "Patient",
            "identifier": {"system": STUDIES, "value": self._recording["study_id"]},
        }

    def _observation(self, name: str, code: dict[str, Any], **content: Any) -> dict[str, Any]:
        effective = self._identity.study_date if self._identity else None
        return {
            "resourceType": "Observation",
            "id": self.id(name),
            "status": self._status,
            "category": [{"coding": [{"system": CATEGORY, "code": "procedure"}]}],
            "code": code,
            "subject": self._subject(),
            **({"effectiveDateTime": effective.isoformat()} if effective else {}),
            "device": self._reference("device"),
            **content,
        }

    def numbers(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """One observation a number of the study."""
        own = [row for row in rows if row["swallow"] is None]
        return [
            self._observation(row["metric"], _metric_code(row["metric"]), **_value(row))
            for row in own
        ]

    def swallows(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """One observation a swallow, with its type as value and its numbers as components."""
        by_swallow: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
        for row in rows:
            if row["swallow"] is not None:
                by_swallow[int(row["swallow"])].append(row)
        made = []
        for swallow in self._result["swallows"]:
            number = swallow["id"]
            kind = swallow["type"]
            words = wording.in_words(kind) if kind else "not evaluated"
            if not swallow["evaluable"]:
                words = f"does not count: {wording.out_of(swallow['reason'])}"
            facts = f"{_protocol(swallow)}, {_posture(swallow)}"
            made.append(
                self._observation(
                    f"swallow {number}",
                    {"text": f"Swallow {number} ({wording.in_words(facts)})"},
                    valueCodeableConcept={"text": words},
                    component=[
                        {"code": _metric_code(row["metric"]), **_value(row)}
                        for row in by_swallow[number]
                    ],
                )
            )
        return made

    def classifications(self) -> list[dict[str, Any]]:
        """The diagnosis of each version, with every rule that decided."""
        made = []
        for key, name in _CLASSIFICATIONS.items():
            verdict = self._result["classification"][key]
            said = [
                wording.standing(verdict, key[-1] + ".0"),
                *wording.remarks(verdict),
                *(_rule(rule) for rule in verdict["rationale"]),
            ]
            made.append(
                self._observation(
                    key,
                    {"text": f"Esophageal motility diagnosis, {name}"},
                    valueCodeableConcept=_diagnosis_code(verdict["diagnosis"]),
                    note=[{"text": text} for text in said],
                )
            )
        return made

    def report(
        self, observations: Sequence[Mapping[str, Any]], pdf: bytes | None
    ) -> dict[str, Any]:
        """The report, which leads to everything else."""
        verdict = self._result["classification"]["ccv4"]
        identity = self._identity
        made: dict[str, Any] = {
            "resourceType": "DiagnosticReport",
            "id": self.id("report"),
            "status": self._status,
            "code": {"text": "High-resolution esophageal manometry"},
            "subject": self._subject(),
            "result": [{"reference": f"urn:uuid:{item['id']}"} for item in observations],
            "conclusion": f"{wording.diagnosis(verdict['diagnosis'])} "
            f"({wording.standing(verdict, '4.0')}). {_NOTE}",
            "conclusionCode": [_diagnosis_code(verdict["diagnosis"])],
        }
        identifiers = [{"system": STUDIES, "value": self._recording["study_id"]}]
        if identity and identity.accession_number:
            identifiers.append({"type": _text("accession"), "value": identity.accession_number})
        made["identifier"] = identifiers
        if identity and identity.study_date:
            made["effectiveDateTime"] = identity.study_date.isoformat()
        if pdf is not None:
            data = base64.b64encode(pdf).decode("ascii")
            made["presentedForm"] = [{"contentType": "application/pdf", "data": data}]
        return made

    def device(self) -> dict[str, Any]:
        """The engine, its version and its definitions."""
        engine = self._result["engine"]
        return {
            "resourceType": "Device",
            "id": self.id("device"),
            "deviceName": [{"name": "hrm", "type": "model-name"}],
            "version": [
                {"type": _text("software"), "value": engine["version"]},
                {"type": _text("parameters"), "value": engine["parameters_id"]},
            ],
            "note": [{"text": _NOTE}],
        }

    def patient(self) -> dict[str, Any]:
        """Whom the study is of, as the user gave it for this export."""
        who = self._identity
        made: dict[str, Any] = {"resourceType": "Patient", "id": self.id("patient")}
        if who is None:
            return made
        name = {
            **({"family": who.family_name} if who.family_name else {}),
            **({"given": [who.given_name]} if who.given_name else {}),
        }
        if name:
            made["name"] = [name]
        if who.patient_id:
            issuer = {"assigner": {"display": who.patient_id_issuer}}
            made["identifier"] = [
                {"value": who.patient_id, **(issuer if who.patient_id_issuer else {})}
            ]
        if who.sex:
            made["gender"] = who.sex
        if who.birth_date:
            made["birthDate"] = who.birth_date.isoformat()
        return made


def _text(text: str) -> dict[str, str]:
    return {"text": text}


def _posture(swallow: Mapping[str, Any]) -> str:
    return wording.posture(swallow["posture"] or "unknown")


def _protocol(swallow: Mapping[str, Any]) -> str:
    known = swallow["protocol"] not in (None, "unknown")
    return str(swallow["protocol"]) if known else "protocol unknown"


def _rule(rule: Mapping[str, Any]) -> str:
    source = wording.rule_source(rule)
    text = wording.rule_text(rule)
    return f"{text} [{source}]" if source else text


def _value(row: Mapping[str, Any]) -> dict[str, Any]:
    """A quantity, or why there is none."""
    value = row["value"]
    if value is None or not math.isfinite(value):
        words = wording.not_measured(row["status"])
        coding = [{"system": ABSENT, "code": _absent(row["status"])}]
        return {"dataAbsentReason": {"coding": coding, "text": words}}
    unit = row["unit"]
    quantity = {"value": float(value), "unit": unit, "system": UCUM, "code": UNITS[unit]}
    remark = row["status"]
    # A number with a remark (a shortened window, a swallow that does not count) says so.
    code = {"extension": [_remark(remark)]} if remark != "ok" else {}
    return {"valueQuantity": {**code, **quantity}}


def _remark(status: str) -> dict[str, str]:
    return {"url": "urn:hrm:status", "valueString": wording.in_words(status)}


def _absent(status: str) -> str:
    if status in ("not_done", "not_asked"):
        return "not-performed"
    return "unsupported" if status == "not_implemented" else "unknown"


def _metric_code(name: str) -> dict[str, Any]:
    display = _display(name)
    return {
        "coding": [{"system": METRICS, "code": name, "display": display}],
        "text": display,
    }


def _display(name: str) -> str:
    if name.startswith(REPORTED):
        return f"{wording.in_words(name.removeprefix(REPORTED))}, as the file reports it"
    text = catalogued(name).long_name
    for end, words in _ENDS.items():
        text += words if name.endswith(end) else ""
    return text


def _diagnosis_code(code: str) -> dict[str, Any]:
    display = wording.diagnosis(code)
    return {"coding": [{"system": DIAGNOSES, "code": code, "display": display}], "text": display}


def _code_system(url: str, title: str, concepts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "resourceType": "CodeSystem",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, url)),
        "url": url,
        "version": catalog.definitions_id(),
        "title": title,
        "status": "active",
        "content": "fragment",
        "concept": list(concepts),
    }


def _metric_codes(used: set[str]) -> dict[str, Any]:
    concepts = [
        {"code": name, "display": _display(name), "definition": _definition(name)}
        for name in sorted(used)
    ]
    return _code_system(METRICS, "Metrics of high-resolution manometry in hrm", concepts)


def _definition(name: str) -> str:
    if name.startswith(REPORTED):
        return "A number that stands in the file; its definition is the vendor's."
    row = catalogued(name)
    return (
        f"{row.definition} Unit: {row.units}. Source: {row.citation}; version of the definition: "
        f"{row.version}."
    )


def _diagnosis_codes(result: Mapping[str, Any]) -> dict[str, Any]:
    used = {result["classification"][key]["diagnosis"] for key in _CLASSIFICATIONS}
    concepts = [{"code": code, "display": wording.diagnosis(code)} for code in sorted(used)]
    return _code_system(DIAGNOSES, "Diagnoses of the Chicago Classification in hrm", concepts)
