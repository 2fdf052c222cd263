"""A small patient and observation, and how the rows of these tests are evaluated."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from fhir_server.core.types import JsonObject
from fhir_server.fhirpath import Environment, Item, Quantity, Temporal, compile  # noqa: A004 # re.compile's word

NOW = "2026-11-22T06:00:00.000+00:00"
PATIENT: JsonObject = {
    "resourceType": "Patient",
    "id": "p1",
    "contained": [{"resourceType": "Organization", "id": "o1", "name": "Acme"}],
    "active": True,
    "name": [
        {"use": "official", "family": "Chalmers", "given": ["Peter", "James"]},
        {"use": "usual", "given": ["Jim"]},
        {"use": "maiden", "family": "Windsor", "given": ["Peter", "James"]},
    ],
    "telecom": [
        {"use": "home"},
        {"system": "phone", "value": "1111", "use": "work", "rank": 1},
        {"system": "phone", "value": "2222", "use": "mobile", "rank": 2},
    ],
    "gender": "male",
    "birthDate": "1974-12-25",
    "_birthDate": {"extension": [{"url": "http://example.org/time", "valueString": "late"}]},
    "deceasedBoolean": False,
    "contact": [{"gender": "female", "name": {"family": "du Marché"}}],
    "managingOrganization": {"reference": "#o1"},
    "generalPractitioner": [
        {"reference": "Practitioner/1"},
        {"reference": "http://example.org/fhir/Organization/2/_history/3"},
        {"reference": "urn:uuid:1", "type": "PractitionerRole"},
        {"reference": "urn:uuid:2"},
        {"identifier": {"value": "x"}},
    ],
}
OBSERVATION: JsonObject = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
    "valueQuantity": {
        "value": Decimal("185.0"),
        "unit": "lbs",
        "system": "http://unitsofmeasure.org",
        "code": "[lb_av]",
    },
    "component": [
        {"valueQuantity": {"value": 1, "unit": "mg"}},
        {"valueString": "some"},
        {"valueQuantity": {"value": 2, "unit": "mg"}},
    ],
}
RESOURCES = {"Patient": PATIENT, "Observation": OBSERVATION}

Evaluate = Callable[..., list[Any]]


def plain(item: Item) -> Any:
    """A node's JSON value; a System value, temporals and quantities as written."""
    if type(item) is tuple:
        return item[1]
    match item:
        case Temporal():
            return f"@{item}"
        case Quantity():
            return str(item)
        case _:
            return item


@pytest.fixture(scope="session")
def evaluate() -> Evaluate:
    def evaluated(expression: str, kind: str = "Patient", *, strict: bool = True) -> list[Any]:
        resource = RESOURCES[kind]
        env = Environment((kind, resource, None), now=NOW)
        found = compile(expression, type=kind, strict=strict)(resource, env)
        return [plain(each) for each in found]

    return evaluated
