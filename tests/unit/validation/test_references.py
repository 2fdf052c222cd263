"""https://hl7.org/fhir/R4/references.html"""

from typing import Any

import pytest

from fhir_server.core.types import JsonObject

MEDICATION: JsonObject = {"resourceType": "Medication", "id": "med"}
ORGANIZATION: JsonObject = {"resourceType": "Organization", "id": "org", "name": "x"}


def prescription(reference: JsonObject | None = None, **content: Any) -> JsonObject:
    return {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "subject": reference or {"reference": "Patient/1"},
        "medicationReference": {"reference": "#med"},
        "contained": [MEDICATION],
    } | content


def subject(**reference: Any) -> JsonObject:
    return prescription(reference)


def anything(reference: str) -> JsonObject:
    return prescription(supportingInformation=[{"reference": reference}])


@pytest.mark.parametrize(
    "resource",
    [
        prescription(),
        subject(reference="Patient/1/_history/2"),
        subject(reference="http://example.org/fhir/Patient/1"),
        subject(reference="http://example.org/what/ever"),
        subject(reference="urn:uuid:c757873d-ec9a-4326-a141-556f43239520"),
        subject(reference="Patient?identifier=urn:x|1"),
        subject(reference="Group/1", type="Group"),
        subject(reference="mailto:x@example.org"),
        anything("Basic/1"),
        anything("Basic/1/_history/2"),
        anything("Basic?code=x"),
        anything("http://example.org/what/ever"),
        anything("urn:uuid:c757873d-ec9a-4326-a141-556f43239520"),
        anything("urn:example:x"),
        subject(display="somebody"),
        subject(identifier={"system": "urn:x", "value": "1", "period": {"start": "2020"}}),
        subject(type="http://hl7.org/fhir/StructureDefinition/Patient", display="x"),
        # The contained resource refers to its container.
        {
            "resourceType": "Patient",
            "contained": [
                {
                    "resourceType": "Provenance",
                    "id": "p",
                    "target": [{"reference": "#"}],
                    "recorded": "2020-01-01T00:00:00Z",
                    "agent": [{"who": {"display": "x"}}],
                }
            ],
        },
        # One contained resource refers to another.
        prescription(
            contained=[
                MEDICATION | {"manufacturer": {"reference": "#org"}},
                ORGANIZATION,
            ]
        ),
    ],
)
def test_a_reference_to_an_allowed_type_is_accepted(errors: Any, resource: JsonObject) -> None:
    assert errors(resource) == []


@pytest.mark.parametrize(
    ("resource", "code", "expression"),
    [
        (subject(reference="Practitioner/1"), "value", "subject.reference"),
        (subject(reference="http://e.org/fhir/Device/1"), "value", "subject.reference"),
        (subject(reference="Practitioner?name=x"), "value", "subject.reference"),
        # "Absolute and relative URLs": what is neither, and leads nowhere
        (subject(reference="Patient"), "value", "subject.reference"),
        (subject(reference="Patient/1/2"), "value", "subject.reference"),
        (subject(reference="/Patient/1"), "value", "subject.reference"),
        (subject(reference="patient/1"), "value", "subject.reference"),
        (subject(reference="Nothing/1"), "value", "subject.reference"),
        (subject(reference="Nothing?name=x"), "value", "subject.reference"),
        (subject(reference="John Smith"), "value", "subject.reference"),
        (anything("John"), "value", "supportingInformation[0].reference"),
        (anything("Nothing/1"), "value", "supportingInformation[0].reference"),
        (subject(display="x", type="Practitioner"), "value", "subject.type"),
        (subject(reference="Patient/1", type="Group"), "value", "subject.type"),
        (subject(reference="#med"), "value", "subject.reference"),
        (subject(reference="#gone"), "not-found", "subject.reference"),
        (subject(reference="#"), "value", "subject.reference"),
        (subject(reference=["Patient/1"]), "structure", "subject.reference"),
        # dom-2 to dom-5
        (prescription(contained=[]), "structure", "contained"),
        (prescription(contained=[{"id": "med"}]), "structure", "contained[0]"),
        (
            prescription(contained=[MEDICATION, ORGANIZATION]),
            "invariant",
            "contained[1]",
        ),
        (
            prescription(contained=[MEDICATION, MEDICATION]),
            "duplicate",
            "contained[0].id",
        ),
        (
            prescription(contained=[MEDICATION | {"contained": [ORGANIZATION]}]),
            "invariant",
            "contained[0].contained",
        ),
        (
            prescription(contained=[MEDICATION | {"meta": {"versionId": "1"}}]),
            "invariant",
            "contained[0].meta",
        ),
        (
            prescription(contained=[MEDICATION | {"meta": {"security": [{"code": "R"}]}}]),
            "invariant",
            "contained[0].meta",
        ),
        (
            prescription(contained=[MEDICATION, {"resourceType": "Organization", "name": "x"}]),
            "invariant",
            "contained[1]",
        ),
        # what is contained has its own rules
        (
            prescription(contained=[MEDICATION | {"status": "x"}]),
            "code-invalid",
            "contained[0].status",
        ),
        (
            prescription(contained=[MEDICATION | {"manufacturer": {"reference": "#gone"}}]),
            "not-found",
            "contained[0].manufacturer.reference",
        ),
    ],
)
def test_another_is_refused(
    errors: Any, resource: JsonObject, code: str, expression: str
) -> None:
    assert (code, f"MedicationRequest.{expression}") in errors(resource)


def test_a_fragment_without_contained_resources_is_not_found(errors: Any) -> None:
    resource = {"resourceType": "Patient", "managingOrganization": {"reference": "#org"}}
    assert errors(resource) == [("not-found", "Patient.managingOrganization.reference")]
