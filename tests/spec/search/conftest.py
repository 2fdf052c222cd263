"""A small clinic that the search rows ask about; loaded once, never changed."""

from collections.abc import Callable
from typing import Any, Final

import httpx
import pytest

JsonObject = dict[str, Any]

TAG: Final = "urn:test:clinic|search"
UCUM: Final = "http://unitsofmeasure.org"
LOINC: Final = "http://loinc.org"

Find = Callable[[str], list[str]]
"""The sorted ids that a query such as `Patient?name=x` finds among the clinic's."""


def _patient(id_: str, family: str, given: str, **more: Any) -> JsonObject:
    name = [{"family": family, "given": [given]}]
    return {"resourceType": "Patient", "id": id_, "name": name, **more}


def _weight(id_: str, patient: str, value: float, code: str, date: str) -> JsonObject:
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": "29463-7", "display": "Body weight"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "performer": [{"reference": "Practitioner/s-d1"}],
        "effectiveDateTime": date,
        "valueQuantity": {"value": value, "unit": code, "system": UCUM, "code": code},
    }


def _pressure(id_: str, patient: str, systolic: int, diastolic: int) -> JsonObject:
    parts = (("8480-6", systolic), ("8462-4", diastolic))
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "preliminary",
        "code": {"coding": [{"system": LOINC, "code": "85354-9"}], "text": "Blood pressure"},
        "subject": {"reference": f"Patient/{patient}"},
        "effectivePeriod": {"start": "2024-02-01", "end": "2024-02-03"},
        "component": [
            {
                "code": {"coding": [{"system": LOINC, "code": code}]},
                "valueQuantity": {"value": value, "system": UCUM, "code": "mm[Hg]"},
            }
            for code, value in parts
        ],
    }


def _location(id_: str, name: str, place: tuple[float, float], **more: Any) -> JsonObject:
    position = {"latitude": place[0], "longitude": place[1]}
    return {"resourceType": "Location", "id": id_, "name": name, "position": position, **more}


CLINIC: Final = (
    {"resourceType": "Organization", "id": "s-o1", "name": "Поликлиника № 1", "active": True},
    {
        "resourceType": "Organization",
        "id": "s-o2",
        "name": "Отделение",
        "partOf": {"reference": "Organization/s-o1"},
    },
    {
        "resourceType": "Practitioner",
        "id": "s-d1",
        "name": [{"family": "Йовенко", "given": ["Ганна"]}],
        "identifier": [{"system": "urn:test:doctors", "value": "d1"}],
    },
    _patient(
        "s-p1", "Королёв", "Артём",
        gender="male", birthDate="1970-05-05", active=True,
        managingOrganization={"reference": "Organization/s-o2"},
        generalPractitioner=[{"reference": "Practitioner/s-d1"}],
        identifier=[{
            "system": "urn:test:mrn", "value": "A|1",
            "type": {"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR",
            }]},
        }],
    ),
    _patient("s-p2", "Королева", "Їванна", gender="female", birthDate="1990-12"),
    _patient("s-p3", "Smith, Jr.", "Zoë", birthDate="2001"),
    _weight("s-w1", "s-p1", 80, "kg", "2024-01-01T10:00:00Z"),
    _weight("s-w2", "s-p1", 81000, "g", "2024-03-01"),
    _weight("s-w3", "s-p2", 60.5, "kg", "2023-06"),
    _pressure("s-b1", "s-p1", 140, 85),
    _pressure("s-b2", "s-p2", 110, 140),
    {
        "resourceType": "Encounter", "id": "s-e1", "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"identifier": {"system": "urn:test:mrn", "value": "A|1"}},
        "location": [{"location": {"reference": "Location/s-l2"}}],
        "serviceProvider": {"reference": "http://other.example/departments/5"},
    },
    _location("s-l1", "House", (55.75, 37.61)),
    _location("s-l2", "Room", (55.76, 37.62), partOf={"reference": "Location/s-l1"}),
    {
        "resourceType": "List", "id": "s-list", "status": "current", "mode": "working",
        "entry": [{"item": {"reference": "Patient/s-p1"}},
                  {"item": {"reference": "Patient/s-p3"}}],
    },
    {
        "resourceType": "Provenance", "id": "s-pr1", "recorded": "2024-01-01T00:00:00Z",
        "target": [{"reference": "Observation/s-w1"}],
        "agent": [{"who": {"reference": "Practitioner/s-d1"}}],
    },
    {
        "resourceType": "Questionnaire", "id": "s-q1", "status": "active",
        "url": "http://test.example/q", "version": "1.0", "title": "How are you",
    },
    {
        "resourceType": "QuestionnaireResponse", "id": "s-qr1", "status": "completed",
        "questionnaire": "http://test.example/q|1.0",
        "subject": {"reference": "Patient/s-p1"},
    },
    {
        "resourceType": "Medication", "id": "s-m1",
        "code": {"coding": [{"system": "urn:test:drugs", "code": "asa"}]},
    },
    {
        "resourceType": "MedicationRequest", "id": "s-mr1",
        "status": "active", "intent": "order",
        "contained": [{
            "resourceType": "Medication", "id": "m",
            "code": {"coding": [{"system": "urn:test:drugs", "code": "asa"}]},
        }],
        "medicationReference": {"reference": "#m"},
        "subject": {"reference": "Patient/s-p3"},
    },
    {
        "resourceType": "Condition", "id": "s-c1",
        "code": {"text": "Острая боль в груди"},
        "subject": {"reference": "Patient/s-p1"},
        "text": {
            "status": "generated",
            "div": '<div xmlns="http://www.w3.org/1999/xhtml">Боль за <b>грудиной</b></div>',
        },
    },
)  # fmt: skip


@pytest.fixture(scope="session")
def clinic(fhir: httpx.Client) -> httpx.Client:
    """The client, with the clinic in place."""
    system, _, code = TAG.partition("|")
    meta = {"tag": [{"system": system, "code": code}]}
    entries = [
        {
            "resource": {**each, "meta": meta},
            "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"},
        }
        for each in CLINIC
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = fhir.post("", json=bundle)
    assert answer.status_code == 200, answer.text
    return fhir


@pytest.fixture(scope="session")
def find(clinic: httpx.Client) -> Find:
    def of(query: str) -> list[str]:
        answer = clinic.get(f"/{query}{'&' if '?' in query else '?'}_tag={TAG}&_count=200")
        assert answer.status_code == 200, answer.text
        entries = answer.json().get("entry", ())
        return sorted(each["resource"]["id"] for each in entries)

    return of
