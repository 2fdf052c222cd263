"""https://hl7.org/fhir/R4/terminologies.html#strength"""

from typing import Any

import pytest

from fhir_server.core.types import JsonObject
from fhir_server.validation.validator import Validator

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
SUBJECT = {"reference": "Patient/1"}


def condition(coding: JsonObject | None) -> JsonObject:
    concept = {"text": "x"} if coding is None else {"coding": [coding]}
    return {"resourceType": "Condition", "subject": SUBJECT, "clinicalStatus": concept}


def speaking(**language: Any) -> JsonObject:
    return {"resourceType": "Patient", "communication": [{"language": language}]}


@pytest.mark.parametrize(
    ("code", "warned"),
    [("mm[Hg]", False), ("{score}", False), ("mmHg", True), ("1*", True), ("TAB", True)],
)
def test_a_unit_that_is_none_is_a_warning(
    validator: Validator, code: str, warned: bool
) -> None:
    quantity = {"value": 1, "system": "http://unitsofmeasure.org", "code": code}
    resource = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    found = validator.validate(resource | {"valueQuantity": quantity}, "Observation")
    places = [i.expression[0] for i in found if i.severity == "warning"]
    assert ("Observation.value.code" in places) is warned


@pytest.mark.parametrize(
    "resource",
    [
        condition({"system": CLINICAL, "code": "active"}),
        # One coding of the value set is enough.
        {
            "resourceType": "Condition",
            "subject": SUBJECT,
            "clinicalStatus": {
                "coding": [
                    {"system": "urn:x", "code": "y"},
                    {"system": CLINICAL, "code": "active"},
                ]
            },
        },
        {"resourceType": "Patient", "language": "uk-UA"},
        {"resourceType": "Patient", "language": "zh-Hant-TW"},
        {"resourceType": "Patient", "photo": [{"contentType": "text/plain; charset=utf-8"}]},
        {"resourceType": "Patient", "photo": [{"contentType": "application/fhir+json"}]},
        speaking(coding=[{"system": "urn:ietf:bcp:47", "code": "ru"}]),
        speaking(text="Ukrainian"),
    ],
)
def test_codes_of_the_value_set_are_accepted(errors: Any, resource: JsonObject) -> None:
    assert errors(resource) == []


@pytest.mark.parametrize(
    ("resource", "expression"),
    [
        ({"resourceType": "Patient", "gender": "foo"}, "Patient.gender"),
        ({"resourceType": "Patient", "gender": "Male"}, "Patient.gender"),
        ({"resourceType": "Patient", "name": [{"use": "nick"}]}, "Patient.name[0].use"),
        (
            {"resourceType": "Patient", "telecom": [{"system": "x"}]},
            "Patient.telecom[0].system",
        ),
        ({"resourceType": "Patient", "language": "e_n"}, "Patient.language"),
        (
            {"resourceType": "Patient", "photo": [{"contentType": "text"}]},
            "Patient.photo[0].contentType",
        ),
        (condition({"system": CLINICAL, "code": "gone"}), "Condition.clinicalStatus"),
        (condition({"system": "urn:other", "code": "active"}), "Condition.clinicalStatus"),
        (condition({"code": "active"}), "Condition.clinicalStatus"),
        (condition(None), "Condition.clinicalStatus"),
        (
            speaking(coding=[{"system": "urn:x", "code": "ru"}]),
            "Patient.communication[0].language",
        ),
        (
            {
                "resourceType": "Basic",
                "code": {"text": "x"},
                "extension": [{"url": "http://e.org", "valueMoney": {"currency": "EURO"}}],
            },
            "Basic.extension[0].value.currency",
        ),
    ],
)
def test_another_code_is_refused(errors: Any, resource: JsonObject, expression: str) -> None:
    assert errors(resource) == [("code-invalid", expression)]


def test_an_extensible_binding_warns(validator: Validator) -> None:
    resource = {
        "resourceType": "Patient",
        "maritalStatus": {"coding": [{"system": "urn:x", "code": "y"}]},
    }
    found = [
        (i.severity, i.code, i.expression) for i in validator.validate(resource, "Patient")
    ]
    assert ("warning", "code-invalid", ("Patient.maritalStatus",)) in found
    validator.check(resource, "Patient")
