"""https://hl7.org/fhir/R4/search.html#contained"""

from typing import Any

import pytest

from fhir_server.core.errors import NotSupported
from fhir_server.search.compile import CONTAINERS
from fhir_server.search.evaluate import Record, Resources, satisfies
from fhir_server.search.indexing import Indexer
from fhir_server.search.plan import UNRESTRICTED, Node
from fhir_server.search.registry import Registry
from fhir_server.spec.structures import RESOURCE_TYPES
from tests.support.searching import BASE, COMPILER, pairs, refusals, search, where

INDEXER = Indexer(Registry(), BASE)


def medication(id_: str, code: str, **more: Any) -> dict[str, Any]:
    coding = [{"system": "http://acme.com/medications", "code": code}]
    return {"resourceType": "Medication", "id": id_, "code": {"coding": coding}, **more}


def request(id_: str, *contained: dict[str, Any], refers: str = "#m1") -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": id_,
        "contained": list(contained),
        "medicationReference": {"reference": refers},
        "subject": {"reference": "Patient/p"},
    }


RESOURCES = (
    request("abc", medication("m1", "abc", status="active")),
    request("def", medication("m1", "def", manufacturer={"reference": "Organization/o"})),
    request("two", medication("m1", "abc"), medication("m2", "def", status="active")),
    request("far", medication("m9", "ghi"), refers="Medication/abc"),
    medication("abc", "abc"),
    {"resourceType": "Organization", "id": "o", "name": "Acme"},
)
RECORDS = [
    Record(each["resourceType"], each["id"], 1, INDEXER.values(each)) for each in RESOURCES
]
ALL = Resources.of(RECORDS, UNRESTRICTED)


def found(kind: str, node: Node) -> list[str]:
    return [each.id for each in RECORDS if each.type == kind and satisfies(ALL, each, node)]


# "A chained condition will be evaluated inside contained resources."
@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("medication.code=abc", ["abc", "two", "far"]),
        ("medication:Medication.code=http://acme.com/medications|def", ["def"]),
        ("medication.code=ghi", []),  # contained, and not what `medication` refers to
        ("medication.code:not=abc", ["def"]),
        ("medication.status=active", ["abc"]),
        ("medication.status:missing=true", ["def", "two", "far"]),
        ("medication.manufacturer.name=acme", ["def"]),
        ("medication.manufacturer=Organization/o", ["def"]),
        ("medication._id=m1", []),
        ("_filter=medication.code eq def", ["def"]),
        ("medication.code=abc&subject=Patient/p", ["abc", "two", "far"]),
    ],
)
def test_a_chain_looks_into_contained_resources(query: str, ids: list[str]) -> None:
    assert found("MedicationRequest", where("MedicationRequest", query)) == ids


@pytest.mark.parametrize(
    ("query", "containers", "own"),
    [
        ("code=abc", [], ["abc"]),
        ("code=abc&_contained=false", [], ["abc"]),
        ("code=abc&_contained=true", ["abc", "two"], []),
        ("code=abc&_contained=both", ["abc", "two"], ["abc"]),
        ("code=ghi&_contained=true", ["far"], []),
        ("code:not=abc&_contained=true", ["def", "far"], []),
        ("_contained=true", ["abc", "def", "two", "far"], []),
        ("status=active&_contained=true&_sort=-_lastUpdated", ["abc", "two"], []),
    ],
)
def test_containers_are_found_by_what_they_contain(
    query: str, containers: list[str], own: list[str]
) -> None:
    nodes = dict(search("Medication", query).where)
    node = nodes.get("MedicationRequest")
    assert (found("MedicationRequest", node) if node else []) == containers
    assert found("Medication", nodes["Medication"]) == own


def test_every_type_that_can_contain_is_searched() -> None:
    compiled = search("Medication", "code=abc&_contained=true&_containedType=contained")
    assert tuple(kind for kind, _ in compiled.where) == CONTAINERS
    assert compiled.contained == (("Medication", where("Medication", "code=abc")),)


@pytest.mark.parametrize(
    ("query", "containers", "own"),
    [
        ("_contained=true", ["abc", "two"], []),
        ("_contained=both", ["abc", "two"], ["abc"]),
        ("_contained=true&_containedType=contained", ["abc", "two"], []),
    ],
)
def test_contained_resources_of_several_types_are_found(
    query: str, containers: list[str], own: list[str]
) -> None:
    kinds = ("Medication", "Substance")
    compiled = COMPILER.search(kinds, pairs(f"code=abc&{query}"))
    nodes = dict(compiled.where)
    assert found("MedicationRequest", nodes["MedicationRequest"]) == containers
    assert found("Medication", nodes["Medication"]) == own
    assert [kind for kind, _ in compiled.contained] == (list(kinds) if "Type" in query else [])


def test_contained_resources_of_many_types_are_too_many() -> None:
    with pytest.raises(NotSupported):
        COMPILER.search(RESOURCE_TYPES[:9], pairs("_contained=true"))


@pytest.mark.parametrize(
    ("kind", "query", "problem"),
    [
        ("Medication", "_contained=x", ("value", "_contained")),
        ("Medication", "_containedType=y", ("value", "_containedType")),
        ("Medication", "_contained=true&_sort=code", ("not-supported", "_contained")),
        ("Medication", "_contained=true&_id=m1", ("not-supported", "_contained")),
        ("Location", "_contained=true&near=1|1", ("not-supported", "_contained")),
        (
            "Observation",
            "_contained=true&code-value-quantity=a$1",
            ("not-supported", "_contained"),
        ),
        # Every link is followed for each type of container.
        (
            "QuestionnaireResponse",
            "_contained=true&item-subject._id=x",
            ("too-costly", "_contained"),
        ),
        (
            "Medication",
            "_contained=both&_containedType=contained",
            ("not-supported", "_containedType"),
        ),
        (
            "Medication",
            "_contained=true&_containedType=contained&manufacturer.name=x",
            ("not-supported", "_containedType"),
        ),
    ],
)
def test_what_their_values_do_not_tell_is_refused(
    kind: str, query: str, problem: tuple[str, str]
) -> None:
    assert refusals(kind, query) == [problem]


def test_what_is_contained_leaves_the_container_as_it_was() -> None:
    whole, bare = (
        INDEXER.values(request("x", *contained))
        for contained in ((medication("m1", "abc"),), ())
    )
    assert [key for key in whole.tokens if "#" not in key] == bare.tokens
    assert [key for key in whole.references if "#Medication" not in key] == bare.references
    assert (whole.patient, whole.compartments) == (bare.patient, bare.compartments)
