"""What belongs to a patient, what everybody may read, and what no patient reaches."""

import pytest

from fhir_server.access.audience import DIRECTORY, OWN_RULES, TYPES, directory, of_patients
from fhir_server.search.evaluate import Record, Resources, satisfies
from fhir_server.search.indexing import Indexer
from fhir_server.search.plan import UNRESTRICTED, Ids, Nothing
from fhir_server.search.registry import Registry
from fhir_server.spec.compartments import COMPARTMENTS
from fhir_server.spec.structures import RESOURCE_TYPES
from tests.support.fhir import JsonObject

INDEXER = Indexer(Registry(), "http://test/fhir")


def belongs(resource: JsonObject, *patients: str) -> bool:
    kind = resource["resourceType"]
    body = {"id": "x", **resource}
    record = Record(kind, body["id"], 0, INDEXER.values(body))
    return satisfies(Resources({}, UNRESTRICTED), record, of_patients(kind, patients))


def reference(target: str) -> JsonObject:
    return {"reference": target}


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"resourceType": "Patient", "id": "p"}, True),
        ({"resourceType": "Patient", "id": "q"}, False),
        ({"resourceType": "Observation", "subject": reference("Patient/p")}, True),
        ({"resourceType": "Observation", "subject": reference("Patient/p/_history/2")}, True),
        (
            {"resourceType": "Observation", "subject": reference("http://test/fhir/Patient/p")},
            True,
        ),
        (
            {"resourceType": "Observation", "subject": reference("http://evil/fhir/Patient/p")},
            False,
        ),
        ({"resourceType": "Observation", "subject": reference("Patient/pp")}, False),
        ({"resourceType": "Observation", "subject": reference("Group/p")}, False),
        ({"resourceType": "Observation"}, False),
        # Made by one patient about another: in both compartments, and about the other.
        (
            {
                "resourceType": "Observation",
                "subject": reference("Patient/q"),
                "performer": [reference("Patient/p")],
            },
            False,
        ),
        (
            {
                "resourceType": "Observation",
                "subject": reference("#inner"),
                "contained": [{"resourceType": "Patient", "id": "p"}],
            },
            False,
        ),
        (
            {
                "resourceType": "Appointment",
                "participant": [
                    {"actor": reference("Patient/q")},
                    {"actor": reference("Patient/p")},
                ],
            },
            True,
        ),
        ({"resourceType": "Communication", "subject": reference("Patient/p")}, True),
        ({"resourceType": "Communication", "recipient": [reference("Patient/p")]}, True),
        (
            {
                "resourceType": "Communication",
                "subject": reference("Patient/q"),
                "recipient": [reference("Patient/p")],
            },
            False,
        ),
        ({"resourceType": "Task", "for": reference("Patient/p")}, True),
        ({"resourceType": "Task", "owner": reference("Patient/p")}, False),
        ({"resourceType": "Contract", "subject": [reference("Patient/p")]}, True),
        ({"resourceType": "VerificationResult", "target": [reference("Patient/p")]}, True),
        ({"resourceType": "Device", "patient": reference("Patient/p")}, True),
        ({"resourceType": "Device"}, False),
        ({"resourceType": "Binary", "securityContext": reference("Patient/p")}, True),
        ({"resourceType": "Binary", "securityContext": reference("Patient/q")}, False),
        ({"resourceType": "Binary"}, False),
        # A parent's account names the children: it is not theirs.
        ({"resourceType": "Person", "link": [{"target": reference("Patient/p")}]}, False),
        ({"resourceType": "Practitioner", "id": "p"}, False),
        ({"resourceType": "Subscription"}, False),
    ],
)
def test_what_belongs_to_a_patient(resource: JsonObject, expected: bool) -> None:
    assert belongs(resource, "p") is expected


def test_several_patients_are_any_of_them() -> None:
    resource = {"resourceType": "Observation", "subject": reference("Patient/q")}
    assert belongs(resource, "p", "q")
    assert not belongs(resource, "p", "r")


def test_no_patient_has_nothing() -> None:
    assert all(of_patients(kind, ()) == Nothing() for kind in RESOURCE_TYPES)


def test_every_type_has_a_row() -> None:
    rows = dict(TYPES)
    assert set(rows) == set(RESOURCE_TYPES)
    assert {kind for kind, row in rows.items() if row in ("directory", "both")} == DIRECTORY
    assert {kind for kind, row in rows.items() if row == "both"} == {"Device", "Schedule"}
    reached = {kind for kind, row in rows.items() if row in ("patient", "both")}
    assert reached >= set(COMPARTMENTS["Patient"]) - {"Person"}
    assert reached - set(COMPARTMENTS["Patient"]) == {
        "Binary", "Device", "GuidanceResponse", "Task", *OWN_RULES
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["Device", "Schedule"])
def test_of_what_is_partly_a_patients_only_the_rest_is_public(kind: str) -> None:
    field = "patient" if kind == "Device" else "actor"
    value: object = reference("Patient/q") if kind == "Device" else [reference("Patient/q")]
    for resource, expected in (({field: value}, False), ({}, True)):
        body = {"resourceType": kind, "id": "x", **resource}
        record = Record(kind, "x", 0, INDEXER.values(body))
        found = satisfies(Resources({}, UNRESTRICTED), record, directory(kind))
        assert found is expected


def test_a_patient_is_found_by_id_alone() -> None:
    assert of_patients("Patient", ("p",)) == Ids(("p",))
