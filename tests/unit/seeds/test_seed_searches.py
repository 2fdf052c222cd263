"""The seeds answer every search: each parameter of each seeded type has a value to find.

https://hl7.org/fhir/R4/search.html
"""

from collections import defaultdict
from functools import cache
from itertools import chain

import pytest

from fhir_server.search.indexing import Indexer
from fhir_server.search.registry import Registry
from fhir_server.search.values import IndexValues
from fhir_server.spec.search_parameters import of_type
from tests.unit.seeds.bundles import resources

NOT_SEEDED = {
    "Appointment": {"booking-channel"},
    "CommunicationRequest": {"replaces"},
    "Composition": {"related-ref"},
    "Device": {"din"},
    "DiagnosticReport": {"assessed-condition", "media"},
    "Observation": {
        "amino-acid-change",
        "dna-variant",
        "gene-amino-acid-change",
        "gene-dnavariant",
        "gene-identifier",
    },
    "Patient": {"age", "birthOrderBoolean", "mothersMaidenName"},
    "QuestionnaireResponse": {"item-subject"},
    "Slot": {"booking-channel"},
}
"""What the server writes when a visit is booked; genetics, extensions nobody uses, and what has
no place in a clinic's year."""


def parameters(values: IndexValues) -> set[str]:
    """The codes of the parameters that found something."""
    keys = chain(values.tokens, values.strings, values.references, values.uris, values.words)
    ranged = (each.key for each in chain(values.dates, values.quantities))
    found = {key.partition("|")[0].partition(":")[0] for key in chain(keys, ranged)}
    return (
        found
        | {each.param for each in values.combined}
        | ({"near"} if values.position else set())
    )


@cache
def found() -> dict[str, set[str]]:
    indexer = Indexer(Registry(), "http://localhost/fhir")
    by_type: dict[str, set[str]] = defaultdict(set)
    for each in resources():
        values = indexer.values({"id": "new", **each})
        by_type[each["resourceType"]] |= parameters(values)
    return by_type


@pytest.mark.parametrize("kind", sorted({each["resourceType"] for each in resources()}))
def test_every_parameter_has_a_value(kind: str) -> None:
    wanted = {code for code in of_type(kind) if not code.startswith("_")}
    assert wanted - found()[kind] == NOT_SEEDED.get(kind, set())


@pytest.mark.parametrize(
    "code", ["_tag", "_security", "_profile", "_source", "_text", "_content"]
)
def test_parameters_of_all_resources_have_values(code: str) -> None:
    assert [kind for kind, codes in found().items() if code in codes]


def test_one_substance_is_measured_in_two_units() -> None:
    units = {
        each["valueQuantity"]["code"]
        for each in resources("Observation")
        if "valueQuantity" in each and each["code"]["coding"][0]["code"] == "718-7"
    }
    assert units == {"g/L", "g/dL"}


def test_a_logical_reference_has_an_identifier_alone() -> None:
    whats = [e["what"] for each in resources("Provenance") for e in each["entity"]]
    assert whats
    assert all("identifier" in each for each in whats)


def test_a_list_names_patients() -> None:
    watched = next(each for each in resources("List") if each["id"] == "watched-ru")
    assert len(watched["entry"]) > 3
