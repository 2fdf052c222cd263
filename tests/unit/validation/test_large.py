"""Large resources take time by their size, not by its square.

https://hl7.org/fhir/R4/validation.html
"""

import time
from collections.abc import Callable
from typing import Any, Final

import pytest

from fhir_server.core.errors import FhirError
from fhir_server.core.types import JsonObject
from fhir_server.validation import constraints
from fhir_server.validation.invariants import Scene, holds
from fhir_server.validation.shortcuts import OBEYED
from fhir_server.validation.validator import Validator

MANY: Final = 4_000
LONGEST: Final = 6.0
"""Seconds of the processor for MANY on a slow machine; those that grew by the square took
from 10 s to 60 s on a quick one."""


def contained(count: int) -> JsonObject:
    rows = [
        {"resourceType": "Observation", "id": f"o{n}", "status": "final", "code": {"text": "x"}}
        for n in range(count)
    ]
    entries = [{"item": {"reference": f"#o{n}"}} for n in range(count)]
    head = {"resourceType": "List", "status": "current", "mode": "working"}
    return {**head, "contained": rows, "entry": entries}


def definition(count: int) -> JsonObject:
    elements = [
        {
            "id": f"Patient.e{n}",
            "path": f"Patient.e{n}",
            "definition": "d",
            "min": 0,
            "max": "1",
            "base": {"path": "Patient.e", "min": 0, "max": "1"},
            "type": [{"code": "string"}],
        }
        for n in range(count)
    ]
    root = {k: v for k, v in elements[0].items() if k != "type"}
    elements[0] = root | {"id": "Patient", "path": "Patient"}
    return {
        "resourceType": "StructureDefinition",
        "url": "http://clinic.example/sd",
        "name": "Sd",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "derivation": "constraint",
        "snapshot": {"element": elements},
    }


def members(count: int) -> JsonObject:
    rows = [
        {"resourceType": "Practitioner", "id": f"p{n}", "active": True} for n in range(count)
    ]
    participants = [
        {"member": {"reference": f"#p{n}"}, "onBehalfOf": {"reference": "Organization/1"}}
        for n in range(count)
    ]
    return {"resourceType": "CareTeam", "contained": rows, "participant": participants}


@pytest.mark.parametrize("make", [contained, definition, members])
@pytest.mark.parametrize("broken", [False, True])
def test_time_grows_with_the_size(
    validator: Validator, make: Callable[[int], JsonObject], *, broken: bool
) -> None:
    resource = make(MANY) | ({"status": "none"} if broken else {})
    began = time.thread_time()
    try:
        validator.check(resource, resource["resourceType"])
        obeys = True
    except FhirError:
        obeys = False
    assert time.thread_time() - began < LONGEST
    assert obeys != broken


QUESTIONS: Final = [
    [{"linkId": "1"}, {"linkId": "2", "item": [{"linkId": "3"}]}],
    [{"linkId": "1"}, {"linkId": "2", "item": [{"linkId": "1"}]}],
    [{"linkId": "1"}, {"linkId": "1"}],
    [{"_linkId": {"id": "x"}}, {"linkId": "1"}],
    [],
]


@pytest.mark.parametrize("items", QUESTIONS)
@pytest.mark.parametrize(
    ("key", "kind", "row", "name"),
    [("que-2", "Questionnaire", "item", "linkId"), ("csd-1", "CodeSystem", "concept", "code")],
)
@pytest.mark.parametrize("more", [{}, {"contained": []}])
def test_a_shortcut_says_yes_only_where_fhirpath_does(
    items: list[Any], key: str, kind: str, row: str, name: str, more: JsonObject
) -> None:
    value = {"resourceType": kind, **more, row: _renamed(items, row, name)}
    (rule,) = [each for each in constraints.of(kind) if each.key == key]
    asked = rule.__class__(f"{key}*", rule.severity, rule.human, rule.expression)
    if OBEYED[key](value):
        assert holds(asked, Scene(value, kind, value, value, {}))
    elif not more and items != QUESTIONS[3]:
        assert not holds(asked, Scene(value, kind, value, value, {}))


def _renamed(items: list[Any], row: str, name: str) -> list[Any]:
    return [
        {
            key.replace("linkId", name).replace("item", row): (
                _renamed(each, row, name) if key == "item" else each
            )
            for key, each in item.items()
        }
        for item in items
    ]
