"""https://hl7.org/fhir/R4/json.html and https://hl7.org/fhir/R4/elementdefinition.html"""

from typing import Any

import pytest

from fhir_server.core.types import JsonObject
from fhir_server.validation.validator import Validator
from fhir_server.validation.walker import MAX_ISSUES

PATIENT: JsonObject = {"resourceType": "Patient"}
CODE = {"coding": [{"system": "http://loinc.org", "code": "1-8"}]}
OBSERVATION: JsonObject = {"resourceType": "Observation", "status": "final", "code": CODE}
EXTENSION = {"url": "http://example.org/x", "valueString": "y"}


def patient(**content: Any) -> JsonObject:
    return PATIENT | content


def observation(**content: Any) -> JsonObject:
    return OBSERVATION | content


@pytest.mark.parametrize(
    "resource",
    [
        PATIENT,
        OBSERVATION,
        patient(id="a", name=[{"given": ["Eve", "Ann"], "family": "Ivanova"}]),
        patient(extension=[EXTENSION]),
        patient(extension=[{"url": "http://e.org/x", "extension": [EXTENSION]}]),
        patient(extension=[EXTENSION | {"id": "a1"}]),
        # "the property with the underscore": https://hl7.org/fhir/R4/json.html#primitive
        patient(birthDate="1970-03-30", _birthDate={"id": "314159", "extension": [EXTENSION]}),
        patient(birthDate="1970-03-30", _birthDate={"id": "314159"}),
        patient(_birthDate={"extension": [EXTENSION]}),
        patient(name=[{"given": ["a", None], "_given": [None, {"extension": [EXTENSION]}]}]),
        patient(name=[{"_given": [{"extension": [EXTENSION]}]}]),
        patient(name=[{"_family": {"extension": [EXTENSION]}}]),
        patient(deceasedBoolean=False),
        patient(_deceasedBoolean={"extension": [EXTENSION]}),
        patient(modifierExtension=[EXTENSION]),
        observation(valueQuantity={"value": 1}, component=[{"code": {"text": "x"}}]),
    ],
)
def test_what_the_standard_allows_is_accepted(errors: Any, resource: JsonObject) -> None:
    assert errors(resource) == []


@pytest.mark.parametrize(
    ("resource", "code", "expression"),
    [
        # unknown elements
        (patient(foo=1), "structure", "Patient.foo"),
        (patient(_foo={"extension": [EXTENSION]}), "structure", "Patient._foo"),
        (patient(name=[{"first": "x"}]), "structure", "Patient.name[0].first"),
        (patient(_name=[{"id": "a"}]), "structure", "Patient._name"),
        (observation(value=1), "structure", "Observation.value"),
        (observation(valuePatient="x"), "structure", "Observation.valuePatient"),
        (patient(fhir_comments=["x"]), "structure", "Patient.fhir_comments"),
        (patient(text={"status": "empty", "div": "x", "x": 1}), "structure", "Patient.text.x"),
        # arrays, objects and nulls; "objects are never empty", "an array cannot be empty"
        (patient(name={"family": "x"}), "structure", "Patient.name"),
        (patient(name=[["x"]]), "structure", "Patient.name[0]"),
        (patient(name=["x"]), "structure", "Patient.name[0]"),
        (patient(name=[]), "structure", "Patient.name"),
        (patient(name=[{}]), "structure", "Patient.name[0]"),
        (patient(name=None), "structure", "Patient.name"),
        (patient(name=[None]), "structure", "Patient.name[0]"),
        (patient(name=[{"given": []}]), "structure", "Patient.name[0].given"),
        (patient(name=[{"given": "x"}]), "structure", "Patient.name[0].given"),
        (patient(name=[{"given": ["x", ["y"]]}]), "structure", "Patient.name[0].given[1]"),
        (patient(name=[{"family": ["x"]}]), "structure", "Patient.name[0].family"),
        (patient(name=[{"family": {"x": 1}}]), "structure", "Patient.name[0].family"),
        (patient(active=None), "structure", "Patient.active"),
        (patient(maritalStatus=[{"text": "x"}]), "structure", "Patient.maritalStatus"),
        (patient(maritalStatus="x"), "structure", "Patient.maritalStatus"),
        (patient(meta={}), "structure", "Patient.meta"),
        (patient(name=[{"family": ""}]), "structure", "Patient.name[0].family"),
        # primitives and their extensions
        (patient(_birthDate={}), "structure", "Patient.birthDate"),
        (patient(_birthDate={"id": "a"}), "invariant", "Patient.birthDate"),
        (patient(_birthDate={"url": "x"}), "structure", "Patient.birthDate.url"),
        (patient(_birthDate=[{"id": "a"}]), "structure", "Patient.birthDate"),
        (
            patient(name=[{"given": ["a"], "_given": [None, {"id": "x"}]}]),
            "structure",
            "Patient.name[0].given",
        ),
        (patient(name=[{"given": [None]}]), "structure", "Patient.name[0].given[0]"),
        (
            patient(name=[{"given": ["a", None], "_given": [{"id": "x"}, None]}]),
            "structure",
            "Patient.name[0].given[1]",
        ),
        # cardinality
        ({"resourceType": "Observation", "code": CODE}, "required", "Observation.status"),
        ({"resourceType": "Observation", "status": "final"}, "required", "Observation.code"),
        (
            observation(component=[{"valueInteger": 1}]),
            "required",
            "Observation.component[0].code",
        ),
        (
            {
                "resourceType": "MedicationStatement",
                "status": "active",
                "subject": {"reference": "Patient/1"},
            },
            "required",
            "MedicationStatement.medication",
        ),
        (patient(link=[{"type": "seealso"}]), "required", "Patient.link[0].other"),
        (patient(extension=[{"valueString": "x"}]), "required", "Patient.extension[0].url"),
        # "only one of the choices": https://hl7.org/fhir/R4/formats.html#choice
        (
            patient(deceasedBoolean=True, deceasedDateTime="2020"),
            "structure",
            "Patient.deceased",
        ),
        (observation(valueString="a", valueInteger=1), "structure", "Observation.value"),
        (
            observation(valueString="a", _valueInteger={"extension": [EXTENSION]}),
            "structure",
            "Observation.value",
        ),
        # ele-1 and ext-1
        (patient(name=[{"id": "a"}]), "invariant", "Patient.name[0]"),
        (patient(extension=[{"url": "http://e.org"}]), "invariant", "Patient.extension[0]"),
        (
            patient(extension=[EXTENSION | {"extension": [EXTENSION]}]),
            "invariant",
            "Patient.extension[0]",
        ),
        (
            patient(extension=[EXTENSION | {"valueInteger": 1}]),
            "structure",
            "Patient.extension[0].value",
        ),
    ],
)
def test_a_broken_structure_is_named(
    errors: Any, resource: JsonObject, code: str, expression: str
) -> None:
    assert (code, expression) in errors(resource)


def test_every_issue_is_reported_at_once(errors: Any) -> None:
    resource = patient(foo=1, active="yes", name=[{"given": [1]}, {"use": "nick"}], gender="x")
    assert errors(resource) == [
        ("structure", "Patient.foo"),
        ("value", "Patient.active"),
        ("value", "Patient.name[0].given[0]"),
        ("code-invalid", "Patient.name[1].use"),
        ("code-invalid", "Patient.gender"),
    ]


def test_a_million_issues_are_not_told(validator: Validator) -> None:
    found = validator.validate(patient(name=[None] * 1_000_000), "Patient")
    assert len(found) == MAX_ISSUES + 1
    assert found[-1].severity == "information"


@pytest.mark.parametrize(
    ("resource", "code", "expression"),
    [
        ({"type": "collection", "entry": [{"resource": {}}]}, "structure", "entry[0].resource"),
        (
            {"type": "collection", "entry": [{"resource": {"resourceType": "Foo"}}]},
            "structure",
            "entry[0].resource",
        ),
        (
            {"type": "collection", "entry": [{"resource": patient(gender="x")}]},
            "code-invalid",
            "entry[0].resource.gender",
        ),
        (
            {"type": "collection", "entry": [{"resource": "x"}]},
            "structure",
            "entry[0].resource",
        ),
    ],
)
def test_a_resource_inside_has_its_own_rules(
    errors: Any, resource: JsonObject, code: str, expression: str
) -> None:
    assert (code, f"Bundle.{expression}") in errors({"resourceType": "Bundle"} | resource)
