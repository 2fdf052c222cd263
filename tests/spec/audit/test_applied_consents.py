"""Which Consents were in force, told by the event of each access that they decided about.

https://profiles.ihe.net/ITI/BALP/StructureDefinition-IHE.BasicAudit.AuthZconsent.html
"""

from dataclasses import replace
from typing import Any

import pytest

from fhir_server.access.codings import CONSENT_SCOPE
from fhir_server.interactions.flowing import MOST_NAMED
from tests.support.auditing import Caller, Clinic
from tests.support.fhir import JsonObject, new_id


def consent(patient: str, id_: str, **more: Any) -> JsonObject:
    return {
        "resourceType": "Consent",
        "id": id_,
        "status": "active",
        "scope": {"coding": [{"system": CONSENT_SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": f"Patient/{patient}"},
        "dateTime": "2020-01-01",
        "policy": [{"uri": f"urn:policy:{id_}"}],
        "provision": {"type": "permit"},
        **more,
    }


def applied(event: JsonObject) -> list[str]:
    """The references of the Consents that an event names."""
    found = [
        each["what"]["reference"]
        for each in event.get("entity", ())
        if each["type"]["code"] == "Consent"
    ]
    assert all(each.startswith("Consent/") for each in found)
    return found


def newest(patient: Caller, subtype: str) -> JsonObject:
    return patient.events(f"subtype={subtype}")[0]


def test_staff_read_under_a_consent_that_is_named(
    clinic: Clinic, patient: Caller, doctor: Caller
) -> None:
    id_ = new_id()
    clinic.put(consent(patient.id, id_))
    clinic.put(consent(patient.id, f"{id_}-over", status="inactive"))
    assert doctor.get(f"/Observation/{patient.observation}").status_code == 200
    assert applied(newest(patient, "read")) == [f"Consent/{id_}"]
    assert doctor.get(f"/Observation?subject=Patient/{patient.id}").is_success
    assert applied(newest(patient, "search-type")) == [f"Consent/{id_}"]


def test_what_a_consent_denied_names_it_too(
    clinic: Clinic, patient: Caller, doctor: Caller
) -> None:
    id_ = new_id()
    clinic.put(consent(patient.id, id_, provision={"type": "deny"}))
    found = doctor.get(f"/Observation?patient={patient.id}&_total=accurate").json()
    assert found["total"] == 0
    assert applied(newest(patient, "search-type")) == [f"Consent/{id_}"]


def test_an_event_names_no_consents_of_another_patient(
    clinic: Clinic, patient: Caller, doctor: Caller
) -> None:
    other, mine, theirs = clinic.person(), new_id(), new_id()
    clinic.observation(other.observation, other.id)
    clinic.put(consent(patient.id, mine))
    clinic.put(consent(other.id, theirs))
    both = f"/Observation?_id={patient.observation},{other.observation}"
    assert doctor.get(both).is_success
    assert applied(newest(patient, "search-type")) == [f"Consent/{mine}"]
    assert applied(newest(other, "search-type")) == [f"Consent/{theirs}"]


def test_without_a_consent_none_is_named(patient: Caller, doctor: Caller) -> None:
    assert doctor.get(f"/Observation/{patient.observation}").is_success
    assert applied(newest(patient, "read")) == []


def test_the_consent_that_lets_an_app_in_is_named(clinic: Clinic, patient: Caller) -> None:
    app = clinic.caller(replace(patient.principal, token=new_id(), grant="grant-7"))
    assert app.get(f"/Observation/{patient.observation}").is_success
    assert applied(newest(patient, "read")) == ["Consent/grant-7"]


@pytest.mark.parametrize("more", [0, 3])
def test_a_few_consents_are_named_and_no_more(
    clinic: Clinic, patient: Caller, doctor: Caller, more: int
) -> None:
    for number in range(MOST_NAMED + more):
        clinic.put(consent(patient.id, f"{new_id()}-{number}"))
    assert doctor.get(f"/Observation/{patient.observation}").is_success
    assert len(applied(newest(patient, "read"))) == MOST_NAMED


def test_a_deletion_keeps_to_its_closed_profile(
    clinic: Clinic, patient: Caller, doctor: Caller
) -> None:
    clinic.put(consent(patient.id, new_id()))
    assert doctor.ask("DELETE", f"/Observation/{patient.observation}").is_success
    assert applied(newest(patient, "delete")) == []
