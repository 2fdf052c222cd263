"""Search parameter expressions.

https://hl7.org/fhir/R4/searchparameter-registry.html
"""

import timeit
from typing import Any

import pytest

from fhir_server.core.types import JsonObject
from fhir_server.fhirpath import (
    Selected,
    Selector,
    SemanticFault,
    SyntaxFault,
    around,
    selector,
)
from fhir_server.spec.search_parameters import ALL, of_type
from fhir_server.spec.structures import RESOURCE_TYPES

from .conftest import OBSERVATION, PATIENT, RESOURCES

PRACTITIONERS = PATIENT["generalPractitioner"]

SELECTED = [
    ("Patient", "Patient.name | Practitioner.name", "HumanName", PATIENT["name"]),
    ("Patient", "Practitioner.name", None, []),
    ("Patient", "Practitioner.name | Person.name", None, []),
    ("Patient", "Patient.name.family | Patient.gender", None, ["Chalmers", "Windsor", "male"]),
    ("Patient", "Resource.id", "id", ["p1"]),
    ("Patient", "Patient.birthDate", "date", ["1974-12-25"]),
    ("Patient", "Patient.telecom.where(system='phone').value", "string", ["1111", "2222"]),
    ("Patient", "(Patient.deceased as dateTime)", None, []),
    ("Patient", "Patient.deceased.exists() and Patient.deceased != false", "boolean", [False]),
    ("Patient", "Patient.name.count()", "integer", [3]),
    ("Patient", "'x'", "string", ["x"]),
    ("Observation", "(Observation.value as Quantity)", "Quantity",
     [OBSERVATION["valueQuantity"]]),
    ("Observation", "(Observation.component.value as string)", "string", ["some"]),
    ("Observation", "Observation.value.ofType(Period)", None, []),
    ("Observation.component", "value.ofType(string)", None, []),
    # By URL, by URL of a version on another server, by `type`; contained below.
    ("Patient", "Patient.generalPractitioner.where(resolve() is Practitioner)", "Reference",
     PRACTITIONERS[:1]),
    ("Patient", "Patient.generalPractitioner.where(resolve() is Organization)", "Reference",
     PRACTITIONERS[1:2]),
    ("Patient", "Patient.generalPractitioner.where(resolve() is PractitionerRole)", "Reference",
     PRACTITIONERS[2:3]),
    ("Patient", "Patient.generalPractitioner.where(resolve() is Device)", None, []),
    ("Patient", "Patient.managingOrganization.where(resolve() is Organization)", "Reference",
     [{"reference": "#o1"}]),
    ("Patient", "Patient.managingOrganization.where(resolve() is Patient)", None, []),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "expression", "type_name", "values"), SELECTED)
def test_a_selector_gives_types_and_json(
    kind: str, expression: str, type_name: str | None, values: list[Any]
) -> None:
    resource = RESOURCES.get(kind, {"valueQuantity": {}})
    found = selector(expression, kind)(resource, around(resource, kind))
    assert [value for _, value, _ in found] == values
    assert type_name is None or {each for each, _, _ in found} == {type_name}


def test_a_primitive_comes_with_its_sibling() -> None:
    found = selector("Patient.birthDate", "Patient")(PATIENT, around(PATIENT, "Patient"))
    assert found == [("date", "1974-12-25", PATIENT["_birthDate"])]


@pytest.mark.parametrize(
    "text",
    [
        "Patient/1", "http://x.org/fhir/Patient/1", "https://x/Patient/1/_history/2",
        "http://x/a/b/Patient/abc.d-1",
    ],
)  # fmt: skip
def test_the_type_of_a_target_is_read_off_its_url(text: str) -> None:
    resource = {"subject": {"reference": text, "type": "Group"}}
    select = selector("subject.where(resolve() is Patient)", "Observation")
    found = select(resource, around(resource, "Observation"))
    assert len(found) == 1


@pytest.mark.parametrize(
    "reference",
    [
        {"reference": "Foo/1"}, {"reference": "urn:uuid:1"}, {"type": "Foo"}, {"display": "x"},
        {"reference": "Patient"}, {"reference": 1}, {"reference": "Patient/"}, {"type": 1},
        {"reference": "http://x/Patient/1/2"}, {"reference": "#p"},
    ],
)  # fmt: skip
def test_a_reference_that_says_no_type_resolves_to_none(reference: JsonObject) -> None:
    select = selector("subject.where(resolve() is Patient)", "Observation")
    resource = {"subject": reference}
    assert select(resource, around(resource, "Observation")) == []


def test_a_wrong_expression_is_refused() -> None:
    with pytest.raises(SyntaxFault):
        selector("Patient.", "Patient")
    with pytest.raises(SemanticFault):
        selector("Patient.name.foo()", "Patient")


def test_every_search_expression_of_r4_compiles_for_every_type_it_is_for() -> None:
    compiled = [
        selector(each.expression, kind)
        for kind in RESOURCE_TYPES
        for each in of_type(kind).values()
        if each.expression
    ]
    assert len(compiled) > 2_500
    assert sum(each.expression is not None for each in ALL) > 1_350


FULL_PATIENT: JsonObject = PATIENT | {
    "meta": {"lastUpdated": "2024-01-01T00:00:00Z", "tag": [{"system": "s", "code": "c"}]},
    "identifier": [{"system": f"urn:{n}", "value": str(n)} for n in range(3)],
    "address": [
        {
            "use": "home",
            "city": "C",
            "state": "S",
            "postalCode": "1",
            "country": "X",
            "line": ["a"],
        },
        {
            "use": "work",
            "city": "D",
            "state": "T",
            "postalCode": "2",
            "country": "Y",
            "line": ["b"],
        },
    ],
    "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "uk"}]}}],
    "link": [{"other": {"reference": "Patient/2"}, "type": "seealso"}],
}


def _selected(selectors: list[Selector], patient: JsonObject) -> list[list[Selected]]:
    env = around(patient, "Patient")
    return [select(patient, env) for select in selectors]


def test_all_parameters_of_a_patient_take_microseconds() -> None:
    """The bound is ten times what an idle machine needs: bench/fhirpath.py measures."""
    parameters = [each for each in of_type("Patient").values() if each.expression]
    selectors = [selector(str(each.expression), "Patient") for each in parameters]
    assert len(selectors) >= 30
    runs = timeit.repeat(lambda: _selected(selectors, FULL_PATIENT), number=200, repeat=5)
    assert min(runs) / 200 < 400e-6
