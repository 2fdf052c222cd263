"""SearchParameter resources of clients: https://hl7.org/fhir/R4/searchparameter.html."""

from typing import Any

import pytest

from fhir_server.core.errors import Conflict, Unprocessable
from fhir_server.search.custom import custom_parameter
from fhir_server.search.indexing import Indexer
from fhir_server.search.registry import Registry

NICKNAME = {
    "resourceType": "SearchParameter",
    "url": "https://clinic.example/SearchParameter/nickname",
    "code": "nickname",
    "type": "string",
    "base": ["Patient"],
    "expression": "Patient.name.where(use = 'nickname').given",
}
PAIR = {
    **NICKNAME,
    "code": "pair",
    "type": "composite",
    "base": ["Observation"],
    "expression": "Observation.component",
    "component": [
        {
            "definition": "http://hl7.org/fhir/SearchParameter/clinical-code",
            "expression": "code",
        },
        {
            "definition": "http://hl7.org/fhir/SearchParameter/Observation-value-string",
            "expression": "value.as(string)",
        },
    ],
}


def test_a_parameter_is_read_from_its_resource() -> None:
    found = custom_parameter(NICKNAME, Registry())
    assert (found.code, found.type, found.base) == ("nickname", "string", ("Patient",))


def test_a_composite_is_indexed_by_its_parts() -> None:
    registry = Registry()
    registry.add(custom_parameter(PAIR, registry))
    values = Indexer(registry).values(
        {
            "resourceType": "Observation",
            "id": "1",
            "component": [{"code": {"coding": [{"code": "a"}]}, "valueString": "b"}],
        }
    )
    keys = next(each.keys for each in values.combined if each.param == "pair")
    assert {"0|code|~|a", "1|value-string|b"} <= set(keys)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"code": "_nickname"}, "SearchParameter.code"),
        ({"code": "nick:name"}, "SearchParameter.code"),
        ({"code": "nick.name"}, "SearchParameter.code"),
        ({"code": "nick|name"}, "SearchParameter.code"),
        ({"code": "x" * 65}, "SearchParameter.code"),
        ({"base": ["Patient", "Alien"]}, "SearchParameter.base"),
        ({"type": "special"}, "SearchParameter.type"),
        ({"expression": "Patient.name.where("}, "SearchParameter.expression"),
        ({"expression": "Patient.name.nonsense()"}, "SearchParameter.expression"),
    ],
)
def test_what_cannot_be_indexed_is_refused_at_its_element(
    change: dict[str, Any], path: str
) -> None:
    with pytest.raises(Unprocessable) as caught:
        custom_parameter(NICKNAME | change, Registry())
    assert caught.value.issues[0].expression[0].startswith(path)


def test_all_problems_are_told_at_once() -> None:
    broken = {**NICKNAME, "code": "a.b", "base": ["Alien"]}
    del broken["expression"]
    with pytest.raises(Unprocessable) as caught:
        custom_parameter(broken, Registry())
    assert len(caught.value.issues) == 3


def test_a_code_of_the_standard_is_taken() -> None:
    with pytest.raises(Conflict):
        custom_parameter(NICKNAME | {"code": "family"}, Registry())


def test_an_expression_that_fails_on_a_resource_finds_nothing_in_it() -> None:
    registry = Registry()
    one = NICKNAME | {"code": "only-name", "expression": "Patient.name.single().family"}
    registry.add(custom_parameter(one, registry))
    indexer = Indexer(registry)
    found = []
    for names in ([{"family": "Ek"}], [{"family": "Ek"}, {"family": "Em"}]):
        values = indexer.values({"resourceType": "Patient", "id": "1", "name": names})
        found.append([key for key in values.strings if key.startswith("only-name|")])
    assert found == [["only-name|ek"], []]
