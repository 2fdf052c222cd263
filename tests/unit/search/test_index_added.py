"""Index values of parameters that were added to the standard's.

https://hl7.org/fhir/R4/searchparameter.html
"""

from typing import Any

from fhir_server.search.indexing import Indexer
from fhir_server.search.registry import Registry
from fhir_server.spec.search_parameters import read

DEFINITIONS = "http://hl7.org/fhir/SearchParameter"
PAIR = {
    "url": "https://clinic.example/SearchParameter/pair",
    "code": "pair",
    "type": "composite",
    "base": ["Observation"],
    "expression": "Observation.component",
    "component": [
        {"definition": f"{DEFINITIONS}/clinical-code", "expression": "code"},
        {
            "definition": f"{DEFINITIONS}/Observation-value-string",
            "expression": "value.as(string)",
        },
    ],
}
ONLY_NAME = {
    "url": "https://clinic.example/SearchParameter/only-name",
    "code": "only-name",
    "type": "string",
    "base": ["Patient"],
    "expression": "Patient.name.single().family",
}


def indexer(definition: dict[str, Any]) -> Indexer:
    registry = Registry()
    registry.add(read(definition))
    return Indexer(registry)


def test_a_composite_is_indexed_by_its_parts() -> None:
    values = indexer(PAIR).values(
        {
            "resourceType": "Observation",
            "id": "1",
            "component": [{"code": {"coding": [{"code": "a"}]}, "valueString": "b"}],
        }
    )
    keys = next(each.keys for each in values.combined if each.param == "pair")
    assert {"0|code|~|a", "1|value-string|b"} <= set(keys)


def test_an_expression_that_fails_on_a_resource_finds_nothing_in_it() -> None:
    added = indexer(ONLY_NAME)
    found = []
    for names in ([{"family": "Ek"}], [{"family": "Ek"}, {"family": "Em"}]):
        values = added.values({"resourceType": "Patient", "id": "1", "name": names})
        found.append([key for key in values.strings if key.startswith("only-name|")])
    assert found == [["only-name|ek"], []]
