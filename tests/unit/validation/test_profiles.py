"""https://hl7.org/fhir/R4/profiling.html and https://hl7.org/fhir/R4/observation-vitalsigns.html"""

from typing import Any

import pytest

from fhir_server.core.errors import Invalid, Unprocessable
from fhir_server.core.types import JsonObject
from fhir_server.validation.patterns import fits
from fhir_server.validation.profile_tree import Profiles, build
from fhir_server.validation.profiles import Known, issues
from fhir_server.validation.validator import Validator

SD = "http://hl7.org/fhir/StructureDefinition"
LOINC = "http://loinc.org"
VITAL = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "vital-signs",
        }
    ]
}


def loinc(code: str) -> JsonObject:
    return {"coding": [{"system": LOINC, "code": code}]}


def pressure(value: int) -> JsonObject:
    return {
        "value": value,
        "unit": "mmHg",
        "system": "http://unitsofmeasure.org",
        "code": "mm[Hg]",
    }


SYSTOLIC = {"code": loinc("8480-6"), "valueQuantity": pressure(120)}
DIASTOLIC = {"code": loinc("8462-4"), "valueQuantity": pressure(80)}
MEASURED: JsonObject = {
    "resourceType": "Observation",
    "status": "final",
    "category": [VITAL],
    "code": loinc("85354-9"),
    "subject": {"reference": "Patient/1"},
    "effectiveDateTime": "2024-05-01",
    "component": [SYSTOLIC, DIASTOLIC],
}


def measured(**content: Any) -> JsonObject:
    return {k: v for k, v in (MEASURED | content).items() if v is not None}


def errors(resource: JsonObject, profile: str) -> list[tuple[str, tuple[str, ...]]]:
    found = Validator().validate(resource, resource["resourceType"], [f"{SD}/{profile}"])
    return [(each.code, each.expression) for each in found if each.severity == "error"]


@pytest.mark.parametrize(
    "resource",
    [
        measured(),
        measured(category=[{"text": "x"}, VITAL]),
        measured(component=[SYSTOLIC, DIASTOLIC, {"code": {"text": "x"}, "valueInteger": 1}]),
        measured(
            code={"coding": [*loinc("85354-9")["coding"], {"system": "urn:x", "code": "y"}]}
        ),
    ],
)
def test_a_blood_pressure_is_one(resource: JsonObject) -> None:
    assert errors(resource, "bp") == []
    assert errors(resource, "vitalsigns|4.0.1") == []


@pytest.mark.parametrize(
    ("resource", "code", "expression"),
    [
        # cardinality that the profile narrows
        (measured(category=None), "required", "Observation.category"),
        (measured(subject=None), "required", "Observation.subject"),
        (measured(effectiveDateTime=None), "required", "Observation.effective"),
        (measured(component=[SYSTOLIC]), "required", "Observation.component"),
        # types and targets
        (
            measured(effectiveDateTime=None, effectiveInstant="2024-05-01T00:00:00Z"),
            "value",
            "Observation.effective",
        ),
        (measured(subject={"reference": "Group/1"}), "value", "Observation.subject.reference"),
        # slices
        (measured(category=[{"text": "x"}]), "required", "Observation.category"),
        (measured(category=[VITAL, VITAL]), "structure", "Observation.category"),
        (measured(code=loinc("8867-4")), "required", "Observation.code.coding"),
        (measured(component=[SYSTOLIC, SYSTOLIC]), "required", "Observation.component"),
        (measured(valueQuantity=pressure(1)), "structure", "Observation.value"),
        # fixed values, bindings and cardinality inside a slice
        (
            measured(
                component=[
                    SYSTOLIC | {"valueQuantity": pressure(1) | {"code": "kPa"}},
                    DIASTOLIC,
                ]
            ),
            "value",
            "Observation.component[0].value.code",
        ),
        (
            measured(
                component=[
                    SYSTOLIC,
                    DIASTOLIC | {"valueQuantity": {"value": 1, "unit": "x"}},
                ]
            ),
            "required",
            "Observation.component[1].value.system",
        ),
        # invariants: vs-1, vs-2 and vs-3
        (measured(effectiveDateTime="2024"), "invariant", "Observation.effective"),
        (measured(component=None), "invariant", "Observation"),
        (
            measured(component=[SYSTOLIC, {"code": loinc("8462-4")}]),
            "invariant",
            "Observation.component[1]",
        ),
    ],
)
def test_what_is_none_is_named(resource: JsonObject, code: str, expression: str) -> None:
    assert (code, (expression,)) in errors(resource, "bp")


def test_another_type_is_refused() -> None:
    assert errors({"resourceType": "Patient"}, "bp") == [("invalid", ("Patient",))]


@pytest.mark.parametrize("broken", ["x", 1, True, [SYSTOLIC], ["x"], {}, None])
def test_rules_are_not_asked_of_what_has_another_shape(broken: object) -> None:
    for component in (broken, [broken], [SYSTOLIC, broken]):
        found = errors(MEASURED | {"component": component}, "bp")
        assert any(where[0].startswith("Observation.component") for _, where in found)


def test_a_claimed_profile_counts_on_a_write(validator: Validator) -> None:
    claim = {"meta": {"profile": [f"{SD}/bp", f"{SD}/vitalsigns", "http://example.org/own"]}}
    validator.check(measured(**claim), "Observation")
    with pytest.raises(Unprocessable):
        validator.check(measured(**claim, subject=None), "Observation")
    with pytest.raises(Invalid):
        validator.check(measured(**claim, status=None), "Observation")


def test_an_unknown_profile_is_told(validator: Validator) -> None:
    resource = {"resourceType": "Patient", "meta": {"profile": ["http://example.org/own"]}}
    found = validator.validate(resource, "Patient", ["http://example.org/asked"])
    said = [(i.severity, i.code, i.args.get("profile")) for i in found]
    assert ("warning", "not-found", "http://example.org/own") in said
    assert ("error", "not-found", "http://example.org/asked") in said


def test_an_extension_slice_goes_by_url() -> None:
    gene = {"url": f"{SD}/observation-geneticsGene", "valueCodeableConcept": {"text": "x"}}
    resource = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    assert errors(resource | {"extension": [gene]}, "observation-genetics") == []
    assert errors(resource | {"extension": [gene, gene]}, "observation-genetics") == [
        ("structure", ("Observation.extension",))
    ]
    other = {"url": gene["url"], "valueString": "x"}
    assert ("value", ("Observation.extension[0].value",)) in errors(
        resource | {"extension": [other]}, "observation-genetics"
    )


ROWS = [
    {"path": "Patient", "min": 0, "max": "*"},
    {
        "path": "Patient.identifier",
        "min": 0,
        "max": "*",
        "type": [{"code": "Identifier"}],
        "slicing": {"rules": "closed", "discriminator": [{"type": "exists", "path": "period"}]},
    },
    {
        "path": "Patient.identifier",
        "id": "Patient.identifier:old",
        "sliceName": "old",
        "min": 0,
        "max": "1",
        "type": [{"code": "Identifier"}],
    },
    {
        "path": "Patient.identifier.period",
        "id": "Patient.identifier:old.period",
        "min": 1,
        "max": "1",
    },
    {
        "path": "Patient.maritalStatus",
        "min": 0,
        "max": "1",
        "patternCodeableConcept": {"coding": [{"code": "M"}]},
    },
]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"identifier": [{"value": "a", "period": {"start": "2020"}}]}, []),
        ({"identifier": [{"value": "a"}]}, ["Patient.identifier[0]"]),
        ({"identifier": [{"period": {"start": "2020"}}] * 2}, ["Patient.identifier"]),
        ({"maritalStatus": {"coding": [{"code": "S"}, {"code": "M", "display": "x"}]}}, []),
        ({"maritalStatus": {"coding": [{"code": "S"}]}}, ["Patient.maritalStatus"]),
    ],
)
def test_existence_and_patterns(content: JsonObject, expected: list[str]) -> None:
    profile = Profiles().find(f"{SD}/actualgroup")
    assert profile is not None
    own = type(profile)("urn:p", "Patient", build(ROWS))
    resource = {"resourceType": "Patient"} | content
    found = issues(Known(Validator().terminology, Profiles()), own, resource, "Patient")
    assert [each.expression[0] for each in found] == expected


@pytest.mark.parametrize(
    ("value", "pattern", "expected"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([1, 2, 3], [3, 1], True),
        ([1], [1, 2], False),
        ("a", "a", True),
        ("a", {"a": 1}, False),
        (None, [1], False),
    ],
)
def test_a_pattern_asks_for_a_part(value: object, pattern: object, expected: bool) -> None:
    assert fits(value, pattern) is expected
