"""https://hl7.org/fhir/R4/conformance-rules.html#constraints"""

from typing import Any

import pytest

from fhir_server.core.types import JsonObject
from fhir_server.fhirpath import compile as compiled
from fhir_server.spec.structures import TYPES
from fhir_server.validation import constraints
from fhir_server.validation.errata import ERRATA
from fhir_server.validation.gate import residual

UCUM = "http://unitsofmeasure.org"
PATIENT = {"reference": "Patient/1"}


def coded(system: str, code: str) -> JsonObject:
    return {
        "coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]
    }


def resource(kind: str, **content: Any) -> JsonObject:
    return {"resourceType": kind} | content


def patient(**content: Any) -> JsonObject:
    return resource("Patient", **content)


def observation(**content: Any) -> JsonObject:
    code = {"coding": [{"system": "http://loinc.org", "code": "1-8"}]}
    return resource("Observation", status="final", code=code) | content


def appointment(**content: Any) -> JsonObject:
    participant = [{"actor": PATIENT, "status": "accepted"}]
    return resource("Appointment", participant=participant) | content


def condition(**content: Any) -> JsonObject:
    return resource("Condition", subject=PATIENT) | content


def dosage(**repeat: Any) -> JsonObject:
    return resource(
        "MedicationRequest",
        status="active",
        intent="order",
        subject=PATIENT,
        medicationCodeableConcept={"text": "x"},
        dosageInstruction=[{"timing": {"repeat": repeat}}],
    )


def question(**item: Any) -> JsonObject:
    return resource("Questionnaire", status="draft", item=[{"linkId": "1"} | item])


def bundle(kind: str, *entries: JsonObject, **content: Any) -> JsonObject:
    return resource("Bundle", type=kind, entry=list(entries)) | content


ABSENT = {
    "extension": [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
            "valueCode": "unknown",
        }
    ]
}
UNKNOWN = {"_value": ABSENT, "unit": "mg"}
ACTIVE = coded("condition-clinical", "active")
RESOLVED = coded("condition-clinical", "resolved")
ERROR = coded("condition-ver-status", "entered-in-error")
SAME = {"coding": [{"system": "http://loinc.org", "code": "1-8"}]}
OTHER = {"coding": [{"system": "http://loinc.org", "code": "2-6"}]}
REQUEST = {"method": "POST", "url": "Patient"}


@pytest.mark.parametrize(
    "obeying",
    [
        # a value that is absent, with an extension that says why, breaks no rule about it
        observation(valueRange={"low": {"value": 2}, "high": UNKNOWN}),
        dosage(_period=ABSENT, periodUnit="d"),
        dosage(_duration=ABSENT, durationUnit="d"),
        resource("RiskAssessment", status="final", subject=PATIENT,
                 prediction=[{"_probabilityDecimal": ABSENT}]),
        patient(contact=[{"name": {"text": "x"}}]),
        patient(telecom=[{"system": "phone", "value": "1"}]),
        patient(name=[{"text": "x", "period": {"start": "2020", "end": "2021"}}]),
        # Of different precision: 2020-05 may be before or after 2020-05-17.
        patient(name=[{"text": "x", "period": {"start": "2020-05-17", "end": "2020-05"}}]),
        patient(name=[{"text": "x", "period": {"start": "2020-01-01T00:00:00+02:00",
                                               "end": "2020-01-01T00:00:00Z"}}]),
        observation(valueRange={"low": {"value": 1}, "high": {"value": 2}}),
        observation(valueRange={"low": {"value": 1, "unit": "a"},
                                "high": {"value": 0, "unit": "b"}}),
        observation(valueQuantity={"value": 1}, component=[{"code": OTHER, "valueInteger": 1}]),
        appointment(status="proposed"),
        appointment(status="noshow", start="2024-02-29T10:00:00Z", end="2024-02-29T11:00:00Z",
                    cancelationReason={"text": "x"}),
        condition(clinicalStatus=ACTIVE),
        condition(clinicalStatus=RESOLVED, abatementDateTime="2020"),
        condition(verificationStatus=ERROR),
        dosage(frequency=2, period=1, periodUnit="d"),
        dosage(when=["MORN", "NIGHT"], offset=30),
        question(type="group", item=[{"linkId": "2", "type": "string"}]),
        question(type="string", enableWhen=[
            {"question": "1", "operator": "exists", "answerBoolean": True}]),
        bundle("transaction", {"resource": patient(), "request": REQUEST}),
        bundle("searchset", {"resource": patient(), "search": {"mode": "match"}}, total=1),
        resource("RiskAssessment", status="final", subject=PATIENT,
                 prediction=[{"outcome": {"text": "x"}}]),
        resource("Organization", name="x", telecom=[{"system": "phone", "value": "1"}]),
        resource("Organization", identifier=[{"value": "x"}]),
    ],
)  # fmt: skip
def test_what_obeys_is_accepted(errors: Any, obeying: JsonObject) -> None:
    assert errors(obeying) == []


BREAKING = [
    ("pat-1", patient(contact=[{"gender": "male"}]), "Patient.contact[0]"),
    ("cpt-2", patient(telecom=[{"value": "1"}]), "Patient.telecom[0]"),
    ("att-1", patient(photo=[{"data": "YQ=="}]), "Patient.photo[0]"),
    ("per-1", patient(name=[{"text": "x", "period": {"start": "2021", "end": "2020-05"}}]),
     "Patient.name[0].period"),
    ("per-1", patient(extension=[{"url": "http://e.org", "valuePeriod":
                                  {"start": "2021", "end": "2020"}}]),
     "Patient.extension[0].value"),
    ("per-1", patient(managingOrganization={"identifier": {"value": "x", "period":
                                                           {"start": "2021", "end": "2020"}}}),
     "Patient.managingOrganization.identifier.period"),
    ("per-1", patient(identifier=[{"period": {"start": "2020-01-01T00:00:00Z",
                                              "end": "2020-01-01T00:00:00+02:00"}}]),
     "Patient.identifier[0].period"),
    ("qty-3", observation(valueQuantity={"value": 1, "code": "g"}), "Observation.value"),
    ("rng-2", observation(valueRange={"low": {"value": 2}, "high": {"value": 1}}),
     "Observation.value"),
    ("rng-2", observation(valueRange={
        "low": {"value": 1, "system": UCUM, "code": "g"},
        "high": {"value": 900, "system": UCUM, "code": "mg"}}), "Observation.value"),
    ("sqty-1", observation(valueRange={"low": {"value": 1, "comparator": "<"}}),
     "Observation.value.low"),
    ("rat-1", observation(valueRatio={"numerator": {"value": 1}}), "Observation.value"),
    ("obs-3", observation(referenceRange=[{"type": {"text": "x"}}]),
     "Observation.referenceRange[0]"),
    ("obs-6", observation(valueInteger=1, dataAbsentReason={"text": "x"}), "Observation"),
    ("obs-7", observation(valueInteger=1, component=[{"code": SAME, "valueInteger": 1}]),
     "Observation"),
    ("app-1", appointment(status="proposed", participant=[{"status": "accepted"}]),
     "Appointment.participant[0]"),
    ("app-2", appointment(status="proposed", start="2020-01-01T00:00:00Z"), "Appointment"),
    ("app-3", appointment(status="booked"), "Appointment"),
    ("app-4", appointment(status="proposed", cancelationReason={"text": "x"}), "Appointment"),
    ("con-4", condition(clinicalStatus=ACTIVE, abatementString="x"), "Condition"),
    ("con-5", condition(clinicalStatus=ACTIVE, verificationStatus=ERROR), "Condition"),
    ("ait-1", resource("AllergyIntolerance", patient=PATIENT), "AllergyIntolerance"),
    ("ppc-1", resource("Consent", status="active", scope={"text": "x"},
                       category=[{"text": "x"}]), "Consent"),
    ("tim-1", dosage(duration=1), "MedicationRequest.dosageInstruction[0].timing.repeat"),
    ("tim-2", dosage(period=1), "MedicationRequest.dosageInstruction[0].timing.repeat"),
    ("tim-4", dosage(duration=-1, durationUnit="d"),
     "MedicationRequest.dosageInstruction[0].timing.repeat"),
    ("tim-9", dosage(when=["C"], offset=1),
     "MedicationRequest.dosageInstruction[0].timing.repeat"),
    ("que-1", question(type="display", item=[{"linkId": "2", "type": "string"}]),
     "Questionnaire.item[0]"),
    ("que-2", question(type="group", item=[{"linkId": "1", "type": "string"}]),
     "Questionnaire"),
    ("que-1", question(type="group", item=[{"linkId": "2", "type": "group"}]),
     "Questionnaire.item[0].item[0]"),
    ("que-7", question(type="string", enableWhen=[
        {"question": "1", "operator": "exists", "answerString": "x"}]),
     "Questionnaire.item[0].enableWhen[0]"),
    ("bdl-1", bundle("collection", {"resource": patient()}, total=1), "Bundle"),
    ("bdl-2", bundle("collection", {"resource": patient(), "search": {"mode": "match"}}),
     "Bundle"),
    ("bdl-3", bundle("transaction", {"resource": patient()}), "Bundle"),
    ("bdl-5", bundle("collection", {"fullUrl": "urn:oid:1.2"}), "Bundle.entry[0]"),
    ("bdl-7", bundle("collection", *[{"fullUrl": "urn:oid:1.2", "resource": patient()}] * 2),
     "Bundle"),
    ("bdl-8", bundle("collection", {"fullUrl": "http://e.org/Patient/1/_history/2",
                                    "resource": patient()}), "Bundle.entry[0]"),
    ("bdl-9", bundle("document", {"resource": patient()}), "Bundle"),
    ("inv-1", resource("Parameters", parameter=[{"name": "x"}]), "Parameters.parameter[0]"),
    ("inv-1", resource("Task", status="draft", intent="plan", authoredOn="2021",
                       lastModified="2020"), "Task"),
    ("org-1", resource("Organization", active=True), "Organization"),
    ("org-2", resource("Organization", name="x", address=[{"use": "home", "text": "x"}]),
     "Organization.address[0]"),
    ("org-3", resource("Organization", name="x", telecom=[
        {"use": "home", "system": "phone", "value": "1"}]), "Organization.telecom[0]"),
    ("ras-2", resource("RiskAssessment", status="final", subject=PATIENT,
                       prediction=[{"probabilityDecimal": 101}]),
     "RiskAssessment.prediction[0]"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "breaking", "expression"), BREAKING)
def test_what_breaks_is_named(
    validator: Any, errors: Any, key: str, breaking: JsonObject, expression: str
) -> None:
    assert ("invariant", expression) in errors(breaking)
    issues = validator.validate(breaking, breaking["resourceType"])
    assert key in [each.args.get("key") for each in issues]


def test_every_invariant_compiles() -> None:
    for kind in TYPES.values():
        for each in constraints.of(kind.name):
            compiled(each.expression or "", type=kind.name, strict=False)
        for element in kind.elements:
            for each in constraints.of(element.path):
                for one in element.types:
                    compiled(each.expression or "", type=one.code, strict=False)


def test_an_erratum_corrects_what_is_published() -> None:
    published = {each.expression for kind in TYPES.values() for each in kind.constraints}
    for kind in TYPES.values():
        for element in kind.elements:
            published |= {each.expression for each in element.constraints}
    assert {each.published for each in ERRATA} <= published


def test_the_schemas_say_most_invariants() -> None:
    """What they do not say costs FHIRPath on every write; a change here is worth a look."""
    names = {kind.name for kind in TYPES.values()}
    names |= {element.path for kind in TYPES.values() for element in kind.elements}
    assert sum(len(residual(name)) for name in names) <= 90


def test_best_practice_warns(validator: Any) -> None:
    found = validator.validate(patient(), "Patient")
    assert [(i.severity, i.args["key"], i.expression) for i in found] == [
        ("warning", "dom-6", ("Patient",))
    ]
    validator.check(patient(), "Patient")


@pytest.mark.parametrize(
    ("breaking", "ru", "uk"),
    [
        (
            appointment(status="booked"),
            (
                "Нарушено правило app-3: без start и end бывают только записи proposed, "
                "cancelled и waitlist"
            ),
            (
                "Порушено правило app-3: без start і end бувають лише записи proposed, "
                "cancelled і waitlist"
            ),
        ),
        (
            resource("Parameters", parameter=[{"name": "x"}]),
            "Нарушено правило inv-1: у параметра ровно одно из value, resource, part",
            "Порушено правило inv-1: у параметра рівно одне з value, resource, part",
        ),
    ],
)
def test_a_rule_is_told_in_the_readers_language(
    validator: Any, breaking: JsonObject, ru: str, uk: str
) -> None:
    found = validator.validate(breaking, breaking["resourceType"])
    assert ru in [each.in_language("ru") for each in found]
    assert uk in [each.in_language("uk") for each in found]
