"""Provenance of what apps write for people: with the version, in the patient's record.

https://hl7.org/fhir/R4/provenance.html
"""

from dataclasses import replace
from typing import Final

from fhir_server.access.scopes import parse_scopes
from fhir_server.validation.own_definitions import known
from fhir_server.validation.validator import Validator
from tests.support.auditing import Caller, Clinic, observation
from tests.support.fhir import JsonObject, new_id


def about(caller: Caller, place: str) -> list[JsonObject]:
    """What the caller finds about a resource, oldest first."""
    found = caller.get(f"/Provenance?target={place}&_sort=recorded").json()
    return [each["resource"] for each in found.get("entry", ())]


def made(caller: Caller, **more: object) -> str:
    answer = caller.ask("POST", "/Observation", observation(caller.id, **more))
    assert answer.status_code == 201, answer.text
    return f"Observation/{answer.json()['id']}"


def test_every_version_has_one_that_says_who_by_which_app(patient: Caller) -> None:
    place = made(patient)
    changed = observation(patient.id, id=place.removeprefix("Observation/"), status="amended")
    assert patient.ask("PUT", f"/{place}", changed).is_success
    change = [{"op": "replace", "path": "/status", "value": "final"}]
    assert patient.ask("PATCH", f"/{place}", change, if_match='W/"2"').is_success
    found = about(patient, place)
    assert [each["target"][0]["reference"] for each in found] == [
        f"{place}/_history/{number}" for number in (1, 2, 3)
    ]
    assert [each["activity"]["coding"][0]["code"] for each in found] == [
        "CREATE", "UPDATE", "UPDATE",
    ]  # fmt: skip
    author, assembler = found[0]["agent"]
    assert author["who"]["reference"] == f"Patient/{patient.id}"
    assert assembler["who"]["reference"] == "Device/cabinet"
    assert assembler["onBehalfOf"] == author["who"]
    own = known(())
    issues = Validator(own.terminology, own.profiles).validate(found[0], "Provenance")
    assert [each for each in issues if each.severity == "error"] == []


def test_an_update_that_changes_nothing_has_none(patient: Caller) -> None:
    place = made(patient)
    same = patient.get(f"/{place}").json()
    assert patient.ask("PUT", f"/{place}", same).json()["meta"]["versionId"] == "1"
    assert len(about(patient, place)) == 1


def test_a_conditional_create_that_finds_has_none(patient: Caller) -> None:
    mark = {"identifier": [{"system": "urn:x", "value": new_id()}]}
    place = made(patient, **mark)
    condition = f"identifier=urn:x|{mark['identifier'][0]['value']}"
    body = observation(patient.id, **mark)
    again = patient.ask("POST", "/Observation", body, if_none_exist=condition)
    assert again.status_code == 200
    assert len(about(patient, place)) == 1


def test_it_commits_with_its_transaction(patient: Caller) -> None:
    mark = {"identifier": [{"system": "urn:x", "value": new_id()}]}
    entry = {
        "resource": observation(patient.id, **mark),
        "request": {
            "method": "POST",
            "url": "Observation",
            "ifNoneExist": f"identifier=urn:x|{mark['identifier'][0]['value']}",
        },
    }
    read = {"request": {"method": "GET", "url": f"Observation/{patient.observation}"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry, entry, read]}
    assert patient.ask("POST", "/", bundle).status_code == 200
    answer = patient.ask("POST", "/", bundle)
    assert answer.status_code == 200, answer.text
    place = "/".join(answer.json()["entry"][0]["response"]["location"].split("/")[-4:-2])
    assert len(about(patient, place)) == 1
    assert about(patient, f"Observation/{patient.observation}") == []


def test_it_is_in_the_record_of_the_patient_alone(
    clinic: Clinic, patient: Caller, doctor: Caller
) -> None:
    written = doctor.ask("POST", "/Observation", observation(patient.id)).json()["id"]
    (found,) = about(patient, f"Observation/{written}")
    assert found["agent"][0]["who"]["reference"] == "Practitioner/house"
    assert patient.get(f"/Provenance?patient={patient.id}").json()["entry"]
    other = clinic.person()
    assert about(other, f"Observation/{written}") == []
    assert other.get(f"/Provenance/{found['id']}").status_code == 404


PSYCHIATRY: Final = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "F32.1"}]}


def test_what_a_label_hides_its_provenance_does_not_tell(
    patient: Caller, doctor: Caller
) -> None:
    place = made(patient, code=PSYCHIATRY)
    plain = made(patient)
    assert doctor.get(f"/{place}").status_code == 404
    assert about(doctor, place) == []
    assert len(about(doctor, plain)) == 1
    (found,) = about(patient, place)
    assert {each["code"] for each in found["meta"]["security"]} >= {"PSY", "R"}
    assert doctor.get(f"/Provenance/{found['id']}").status_code == 404
    assert found["id"] not in doctor.get(f"/Provenance?patient={patient.id}").text


def test_each_version_has_the_labels_of_its_own(patient: Caller, doctor: Caller) -> None:
    place = made(patient)
    id_ = place.removeprefix("Observation/")
    labelled = observation(patient.id, id=id_, code=PSYCHIATRY)
    entry = {"resource": labelled, "request": {"method": "PUT", "url": place}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    assert patient.ask("POST", "/", bundle).is_success
    assert [each["meta"].get("security") is None for each in about(patient, place)] == [
        True,
        False,
    ]
    assert len(about(doctor, place)) == 1


def test_what_systems_write_has_none(clinic: Clinic, patient: Caller) -> None:
    clinic.observation(patient.observation, patient.id, status="amended")
    assert about(patient, f"Observation/{patient.observation}") == []


def test_nobody_writes_it_for_a_patient(clinic: Clinic, patient: Caller) -> None:
    place = made(patient)
    (found,) = about(patient, place)
    wide = replace(patient.principal, scopes=parse_scopes("patient/*.cruds"), token=new_id())
    caller = clinic.caller(wide)
    assert caller.ask("POST", "/Provenance", found).status_code == 403
    assert caller.ask("DELETE", f"/Provenance/{found['id']}").status_code == 403
