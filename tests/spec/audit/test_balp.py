"""What stands in the AuditEvent of each interaction: IHE BALP's profiles, row by row.

https://profiles.ihe.net/ITI/BALP/content.html
"""

import base64
from dataclasses import replace
from typing import NamedTuple

import pytest

from fhir_server.access.scopes import parse_scopes
from fhir_server.validation.own_definitions import known
from fhir_server.validation.validator import Validator
from tests.support.auditing import (
    Caller,
    Clinic,
    agent,
    data_of,
    entity,
    observation,
    subtypes,
)
from tests.support.fhir import JsonObject, new_id

SOURCE, DESTINATION = "110153", "110152"
"""Where data flow from and to: of a read the server is the source."""


def newest(caller: Caller, subtype: str) -> JsonObject:
    return next(each for each in caller.events() if subtype in subtypes(each))


def made(caller: Caller) -> str:
    answer = caller.ask("POST", "/Observation", observation(caller.id))
    assert answer.status_code == 201, answer.text
    return f"Observation/{answer.json()['id']}"


class Row(NamedTuple):
    """A request, and how its event is coded."""

    method: str
    suffix: str
    subtype: str
    action: str
    profile: str
    client: str = SOURCE
    server: str = DESTINATION
    user: str = "AUT"


@pytest.mark.parametrize(
    "row",
    [
        Row("GET", "", "read", "R", "PatientRead", DESTINATION, SOURCE, "IRCP"),
        Row("GET", "/_history/1", "vread", "R", "PatientRead", DESTINATION, SOURCE, "IRCP"),
        Row("GET", "/_history", "history-instance", "R", "", DESTINATION, SOURCE, "IRCP"),
        Row("PUT", "", "update", "U", "PatientUpdate"),
        Row("PATCH", "", "patch", "U", "PatientUpdate"),
        Row("DELETE", "", "delete", "D", "PatientDelete", "110150", "custodian"),
    ],
    ids=lambda row: row.subtype,
)
def test_an_interaction_with_one_resource(patient: Caller, row: Row) -> None:
    method, suffix, subtype, action, profile, client, server, user = row
    body: object = None
    place = made(patient)
    if method == "PUT":
        text = {"code": {"text": "y"}}
        body = observation(patient.id, id=place.removeprefix("Observation/"), **text)
    if method == "PATCH":
        body = [{"op": "replace", "path": "/code/text", "value": "z"}]
    answer = patient.ask(method, f"/{place}{suffix}", body)
    assert answer.is_success, answer.text
    event = newest(patient, subtype)
    assert event["type"]["code"] == "rest"
    assert (event["action"], event["outcome"]) == (action, "0")
    name = f"https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.{profile}"
    assert event["meta"].get("profile", []) == ([name] if profile else [])
    assert agent(event, client)["who"]["identifier"]["value"] == "cabinet"
    assert agent(event, client)["network"]
    assert agent(event, server)["who"]["identifier"]["value"] == str(patient.http.base_url)[:-1]
    person = agent(event, user)
    assert person["requestor"] is True
    assert person["who"]["reference"] == f"Patient/{patient.id}"
    assert person["name"] == "Анна Котова"
    assert person["policy"] == [f"urn:ietf:params:oauth:jti:{patient.principal.token}"]
    assert (entity(event, "1") or {})["what"]["reference"] == f"Patient/{patient.id}"
    if subtype != "history-instance":
        assert data_of(event).startswith(place)
    else:
        assert (entity(event, "24") or {})["description"] == f"{place}/_history"


def test_a_create_names_what_it_made(patient: Caller) -> None:
    place = made(patient)
    event = newest(patient, "create")
    assert (event["action"], event["outcome"]) == ("C", "0")
    assert data_of(event) == f"{place}/_history/1"
    assert agent(event, "AUT")["requestor"] is True


def test_a_search_keeps_what_was_asked_and_never_what_was_found(patient: Caller) -> None:
    assert patient.get("/Observation?code:text=x&status=final").status_code == 200
    query = entity(newest(patient, "search-type"), "24") or {}
    asked = base64.b64decode(query["query"]).decode()
    assert asked == "Observation?code:text=x&status=final"
    assert query["description"] == "Observation?code:text&status"
    assert "what" not in query
    assert "detail" not in query


def test_a_search_that_finds_nothing_is_in_the_record_it_was_limited_to(
    patient: Caller,
) -> None:
    assert patient.get("/Condition?code=nothing").json().get("entry") is None
    event = newest(patient, "search-type")
    assert (entity(event, "1") or {})["what"]["reference"] == f"Patient/{patient.id}"


def test_a_search_of_staff_is_told_to_every_patient_it_touched(
    clinic: Clinic, doctor: Caller
) -> None:
    one, other = new_id(), new_id()
    mark = new_id()
    for each in (one, other):
        clinic.put({"resourceType": "Patient", "id": each})
        clinic.observation(new_id(), each, code={"coding": [{"system": "s", "code": mark}]})
    assert len(doctor.get(f"/Observation?code={mark}").json()["entry"]) == 2
    for each in (one, other):
        (event,) = [e for e in doctor.events(f"patient={each}") if e["action"] == "E"]
        assert (entity(event, "1") or {})["what"]["reference"] == f"Patient/{each}"


def test_what_an_include_brings_is_touched_too(clinic: Clinic, doctor: Caller) -> None:
    id_ = new_id()
    clinic.put({"resourceType": "Patient", "id": id_})
    clinic.observation(f"o-{id_}", id_)
    assert doctor.get(f"/Patient?_id={id_}&_revinclude=Observation:subject").is_success
    assert doctor.events(f"patient={id_}")[0]["action"] == "E"


def test_an_operation_is_told_to_whom_it_shows(patient: Caller, doctor: Caller) -> None:
    assert doctor.get(f"/Patient/{patient.id}/$everything").is_success
    assert doctor.get(f"/Observation/$lastn?patient={patient.id}&category=x").is_success
    assert doctor.get(f"/Observation/{patient.observation}/$meta").is_success
    found = [each for each in patient.events() if subtypes(each)[0] == "operation"]
    asked = [(entity(each, "24") or {})["description"] for each in found]
    assert asked == [
        f"Observation/{patient.observation}/$meta",
        "Observation/$lastn?patient&category",
        f"Patient/{patient.id}/$everything",
    ]


@pytest.mark.parametrize("accept", ["application/fhir+json", "application/pdf"])
def test_a_ticket_is_told_in_whatever_form(
    clinic: Clinic, patient: Caller, doctor: Caller, accept: str
) -> None:
    visit = new_id()
    who = {"actor": {"reference": f"Patient/{patient.id}"}, "status": "accepted"}
    times = {"start": "2031-03-04T09:00:00Z", "end": "2031-03-04T09:30:00Z"}
    booked = {"resourceType": "Appointment", "id": visit, "status": "booked", **times}
    clinic.put({**booked, "participant": [who]})
    path = f"/Appointment/{visit}/$ticket"
    assert doctor.ask("GET", path, accept=accept).is_success
    found = [each for each in patient.events() if subtypes(each)[0] == "operation"]
    assert (entity(found[0], "24") or {})["description"] == f"Appointment/{visit}/$ticket"


def test_every_entry_of_a_bundle_is_an_event(patient: Caller) -> None:
    for kind in ("transaction", "batch"):
        entries = [
            {"request": {"method": "GET", "url": f"Observation/{patient.observation}"}},
            {
                "resource": observation(patient.id),
                "request": {"method": "POST", "url": "Observation"},
            },
            {"request": {"method": "GET", "url": "Observation?status=final"}},
        ]
        bundle = {"resourceType": "Bundle", "type": kind, "entry": entries}
        before = len(patient.events())
        assert patient.ask("POST", "/", bundle).is_success
        fresh = patient.events()[: -before - 1]  # the look before is an event too
        assert sorted(subtypes(each)[0] for each in fresh) == ["create", "read", "search-type"]
        for each in fresh:
            assert (entity(each, "1") or {})["what"]["reference"] == f"Patient/{patient.id}"


def test_the_person_and_the_organization_of_staff_are_named(
    patient: Caller, doctor: Caller
) -> None:
    doctor.get(f"/Observation/{patient.observation}")
    event = newest(patient, "read")
    person = agent(event, "IRCP")
    assert (person["who"]["reference"], person["name"]) == (
        "Practitioner/house",
        "Gregory House",
    )
    assert person["purposeOfUse"][0]["coding"][0]["code"] == "TREAT"
    assert agent(event, "PROV")["who"]["display"] == "Princeton"


def test_break_glass_is_marked(clinic: Clinic, patient: Caller, doctor: Caller) -> None:
    urgent = clinic.caller(replace(doctor.principal, purpose="BTG", token=new_id()))
    urgent.get(f"/Observation/{patient.observation}")
    event = newest(patient, "read")
    assert subtypes(event) == ["read", "110127"]
    assert agent(event, "IRCP")["purposeOfUse"][0]["coding"][0]["code"] == "BTG"


def test_a_system_is_the_requestor_itself(clinic: Clinic, patient: Caller) -> None:
    clinic.observation(patient.observation, patient.id, status="amended")
    event = newest(patient, "update")
    assert agent(event, "110153")["requestor"] is True
    assert len(event["agent"]) == 2


def test_a_whole_record_is_told_as_a_disclosure(patient: Caller, doctor: Caller) -> None:
    assert doctor.get(f"/Patient/{patient.id}/$everything").is_success
    assert doctor.get(f"/Patient/{patient.id}/$meta").is_success
    (found,) = patient.events("subtype=disclose")
    assert subtypes(found) == ["operation", "disclose"]


def test_the_request_id_is_an_entity(patient: Caller) -> None:
    given = new_id()
    patient.ask("GET", f"/Observation/{patient.observation}", x_request_id=given)
    values = [
        each["what"]["identifier"]["value"]
        for each in newest(patient, "read")["entity"]
        if each["type"]["code"] == "XrequestId"
    ]
    assert values == [given]


@pytest.mark.parametrize(
    ("method", "path", "body", "action", "note"),
    [
        ("GET", "/Observation/not-there", None, "R", "not-found"),
        ("PUT", "/Observation/x", {"resourceType": "Observation", "id": "x"}, "U", "required"),
        ("DELETE", "/Observation/not-there", None, "D", "forbidden"),
        ("GET", "/Basic/x/$meta", None, "E", "not-found"),
    ],
)
def test_a_refusal_is_an_event(
    patient: Caller, method: str, path: str, body: object, action: str, note: str
) -> None:
    assert patient.ask(method, path, body).is_client_error
    event = patient.events()[0]
    assert (event["action"], event["outcome"], event["outcomeDesc"]) == (action, "4", note)
    assert "profile" not in event["meta"]


def test_a_scope_that_is_missing_is_an_event(clinic: Clinic, patient: Caller) -> None:
    less = clinic.caller(
        replace(
            patient.principal,
            scopes=parse_scopes("patient/AuditEvent.rs patient/Condition.rs"),
            token=new_id(),
        )
    )
    assert less.get("/Observation").status_code == 403
    assert less.events()[0]["outcomeDesc"] == "forbidden"


def test_a_failed_transaction_is_one_event(patient: Caller) -> None:
    entry = {"resource": {"resourceType": "Observation"}, "request": {"method": "POST"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    assert patient.ask("POST", "/", bundle).is_client_error
    assert (patient.events()[0]["outcome"], subtypes(patient.events()[0])) != ("0", ["read"])


def test_what_is_written_is_valid_r4(patient: Caller, doctor: Caller) -> None:
    doctor.get(f"/Observation/{patient.observation}")
    doctor.get(f"/Observation?patient={patient.id}")
    patient.ask("DELETE", f"/Observation/{patient.observation}")
    patient.get("/Observation/none")
    own = known(())
    validator = Validator(own.terminology, own.profiles)
    for event in patient.events():
        errors = [
            each.in_language("en")
            for each in validator.validate(event, "AuditEvent")
            if each.severity == "error"
        ]
        assert errors == []
