"""Index values of reference and uri parameters, compartments and the patient.

https://hl7.org/fhir/R4/search.html#reference
"""

from typing import Any

import pytest

from fhir_server.search.indexing import Indexer
from fhir_server.search.registry import Registry
from fhir_server.search.values import IndexValues

BASE = "https://clinic.example/fhir"
INDEXER = Indexer(Registry(), BASE)
FAR = "https://far.example/fhir/Patient/1"


def values(kind: str, **elements: Any) -> IndexValues:
    return INDEXER.values({"resourceType": kind, "id": "1", **elements})


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("Patient/p", {"subject|Patient/p", "patient|Patient/p"}),
        (f"{BASE}/Patient/p", {"subject|Patient/p", "patient|Patient/p"}),
        ("Patient/p/_history/3", {"subject|Patient/p", "patient|Patient/p"}),
        (FAR, {f"subject|{FAR}", f"patient|{FAR}"}),
        ("Group/g", {"subject|Group/g"}),
        ("urn:uuid:6f3f7a2e-0000-4000-8000-000000000000",
         {"subject|urn:uuid:6f3f7a2e-0000-4000-8000-000000000000"}),
    ],
)  # fmt: skip
def test_reference(reference: str, expected: set[str]) -> None:
    assert set(values("Observation", subject={"reference": reference}).references) == expected


def test_a_logical_reference_is_found_by_its_identifier_only() -> None:
    found = values("Observation", subject={"identifier": {"system": "urn:mrn", "value": "7"}})
    assert found.references == []
    assert {"subject:identifier|urn:mrn|7", "subject:identifier|~|7"} <= set(found.tokens)


def test_a_reference_to_a_contained_resource_counts_as_present() -> None:
    patient = {"resourceType": "Patient", "id": "p"}
    found = values("Observation", contained=[patient], subject={"reference": "#p"})
    assert "subject|#p" in found.references
    assert found.compartments == []


def test_a_canonical_is_found_with_and_without_its_version() -> None:
    found = values("QuestionnaireResponse", questionnaire="http://x.example/q|2.0")
    assert set(found.uris) == {
        "questionnaire|http://x.example/q|2.0",
        "questionnaire|http://x.example/q",
    }


def test_a_canonical_is_found_without_its_fragment_too() -> None:
    found = values("QuestionnaireResponse", questionnaire="http://x.example/q#part")
    assert set(found.uris) == {
        "questionnaire|http://x.example/q#part",
        "questionnaire|http://x.example/q",
    }


def test_a_canonical_may_be_the_address_of_an_instance_here() -> None:
    found = values("QuestionnaireResponse", questionnaire=f"{BASE}/Questionnaire/q")
    assert found.references == ["questionnaire|Questionnaire/q"]
    assert f"questionnaire|{BASE}/Questionnaire/q" in found.uris


def test_uris_are_kept_to_the_character() -> None:
    found = values("ValueSet", url="http://x.example/VS", meta={"source": "#s"})
    assert set(found.uris) == {"url|http://x.example/VS", "_source|#s"}


def test_a_profile_is_found_without_its_version_too() -> None:
    found = values("Patient", meta={"profile": ["http://x.example/p|1"]})
    assert set(found.uris) == {"_profile|http://x.example/p|1", "_profile|http://x.example/p"}


def test_a_resource_inside_a_bundle_is_named_by_its_id() -> None:
    composition = {"resourceType": "Composition", "id": "c"}
    found = values("Bundle", type="document", entry=[{"resource": composition}])
    assert "composition|Composition/c" in found.references


def test_a_resource_inside_a_bundle_may_have_no_id() -> None:
    found = values("Bundle", type="document", entry=[{"resource": {"resourceType": "Basic"}}])
    assert found.references == []


@pytest.mark.parametrize(
    ("kind", "elements", "compartments", "patient"),
    [
        # "A Patient is in its own compartment"
        ("Patient", {}, {"Patient/1"}, "1"),
        (
            "Patient",
            {"link": [{"other": {"reference": "Patient/p2"}}]},
            {"Patient/1", "Patient/p2"},
            "1",
        ),
        ("Practitioner", {}, {"Practitioner/1"}, None),
        (
            "Observation",
            {
                "subject": {"reference": "Patient/p"},
                "performer": [{"reference": "Patient/q"}, {"reference": "Practitioner/d"}],
                "encounter": {"reference": "Encounter/e"},
                "device": {"reference": "Device/v"},
            },
            {"Patient/p", "Patient/q", "Practitioner/d", "Encounter/e", "Device/v"},
            "p",
        ),
        ("Observation", {"subject": {"reference": FAR}}, set(), None),
        # asserter is no parameter of this compartment: subject is
        ("Observation", {"focus": [{"reference": "Patient/f"}]}, set(), None),
        (
            "Appointment",
            {
                "participant": [
                    {"actor": {"reference": "Patient/p"}},
                    {"actor": {"reference": "Patient/q"}},
                    {"actor": {"reference": "Location/l"}},
                ]
            },
            {"Patient/p", "Patient/q"},
            None,
        ),
        ("Location", {"managingOrganization": {"reference": "Organization/o"}}, set(), None),
    ],
)
def test_compartments(
    kind: str, elements: dict[str, Any], compartments: set[str], patient: str | None
) -> None:
    found = values(kind, **elements)
    assert set(found.compartments) == compartments
    assert found.patient == patient
