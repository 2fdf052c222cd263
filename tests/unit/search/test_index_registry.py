"""The registry, and what every parameter compiles to.

https://hl7.org/fhir/R4/searchparameter-registry.html
"""

import pytest

from fhir_server.core.errors import Conflict
from fhir_server.search.indexing import Indexer
from fhir_server.search.registry import Offered, Registry
from fhir_server.spec.search_parameters import SearchParameter
from fhir_server.spec.structures import RESOURCE_TYPES

NICKNAME = SearchParameter(
    url="https://clinic.example/SearchParameter/nickname",
    code="nickname",
    type="string",
    base=("Patient", "Person"),
    expression="Patient.name.where(use='nickname').given | Person.name.given",
)
EVE = {
    "resourceType": "Patient",
    "id": "1",
    "name": [{"use": "nickname", "given": ["Evie"]}, {"given": ["Eve"]}],
}


@pytest.mark.parametrize("kind", RESOURCE_TYPES)
def test_every_parameter_compiles(kind: str) -> None:
    Indexer(Registry()).check([kind])


@pytest.mark.parametrize("kind", RESOURCE_TYPES)
def test_an_empty_resource_has_index_values(kind: str) -> None:
    values = Indexer(Registry()).values({"resourceType": kind, "id": "1"})
    assert values.references == []


def test_a_parameter_of_all_resources_is_on_every_type() -> None:
    registry = Registry()
    assert registry.find("Slot", "_tag") is registry.find("Patient", "_tag")
    assert registry.find("Slot", "gender") is None
    assert registry.find("Nothing", "_tag") is None


def test_an_added_parameter_is_indexed_and_not_yet_usable() -> None:
    registry = Registry()
    registry.add(NICKNAME)
    assert registry.is_pending("Patient", "nickname")
    assert registry.find("Patient", "nickname") is None
    assert "nickname|evie" in Indexer(registry).values(EVE).strings
    assert "nickname|eve" not in Indexer(registry).values(EVE).strings


def test_after_reindexing_it_is_usable() -> None:
    registry = Registry()
    registry.add(NICKNAME)
    registry.activate(NICKNAME.url)
    assert registry.find("Patient", "nickname") == NICKNAME
    assert registry.find("Person", "nickname") == NICKNAME
    assert not registry.is_pending("Patient", "nickname")


def test_an_indexer_follows_its_registry() -> None:
    registry = Registry()
    indexer = Indexer(registry)
    before = indexer.values(EVE)
    version = registry.version
    registry.add(NICKNAME, usable=True)
    assert registry.version > version
    assert "nickname|evie" in indexer.values(EVE).strings
    registry.remove(NICKNAME.url)
    assert registry.custom() == {}
    assert indexer.values(EVE) == before


def test_what_is_not_there_changes_nothing() -> None:
    registry = Registry()
    version = registry.version
    registry.activate("urn:none")
    registry.remove("urn:none")
    assert registry.version == version
    assert registry.defined("urn:none") is None


def test_a_primitive_may_have_extensions_and_no_value() -> None:
    values = Indexer(Registry()).values(
        {"resourceType": "Patient", "id": "1", "_gender": {"extension": [{"url": "urn:e"}]}}
    )
    assert not [key for key in values.tokens if key.startswith("gender|")]


def test_a_code_means_one_thing() -> None:
    taken = SearchParameter("urn:x", "gender", "token", ("Patient",), "Patient.gender")
    with pytest.raises(Conflict):
        Registry().add(taken)


def test_a_new_version_of_a_parameter_takes_its_place() -> None:
    registry = Registry()
    registry.add(NICKNAME, usable=True)
    registry.add(NICKNAME)
    assert registry.is_pending("Patient", "nickname")


def test_what_the_operator_left_out_does_not_wait_for_a_reindex() -> None:
    registry = Registry(offered=Offered(parameters={}, includes={}, reverse_includes={}))
    registry.add(NICKNAME)
    assert registry.find("Patient", "birthdate") is None
    assert not registry.is_pending("Patient", "birthdate")
    assert registry.is_pending("Patient", "nickname")
