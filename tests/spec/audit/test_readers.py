"""Who reads the audit, and what it does not tell: patients their own, others nothing.

https://hl7.org/fhir/R4/auditevent.html
"""

from dataclasses import replace
from typing import Final
from uuid import uuid4

import httpx
import pytest

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from tests.support.auditing import Caller, Clinic, agent, entity, observation, subtypes
from tests.support.fhir import JsonObject, new_id
from tests.support.running import Running


@pytest.fixture
def other(clinic: Clinic) -> Caller:
    """Another patient."""
    return clinic.person()


def test_what_happened_a_moment_ago_is_there(patient: Caller) -> None:
    patient.get(f"/Observation/{patient.observation}")
    found = patient.events(f"patient={patient.id}&action=R")
    assert [subtypes(each) for each in found] == [["read"]]


def test_it_is_there_on_another_server(clinic: Clinic, patient: Caller) -> None:
    settings = clinic.settings
    with (
        Running(settings, clinic.tokens.gate) as running,
        httpx.Client(base_url=running.base_url, timeout=60) as client,
    ):
        elsewhere = Caller(client, patient.principal)
        for _ in range(3):
            assert patient.get(f"/Observation/{patient.observation}").is_success
            patient, elsewhere = elsewhere, patient
            reads = len(patient.events("action=R"))
            patient.get(f"/Observation/{patient.observation}")
            assert len(elsewhere.events("action=R")) == reads + 1


@pytest.mark.parametrize(
    "query",
    [
        "patient=Patient/{p}",
        "agent=Patient/{p}",
        "agent=Device/cabinet",
        "agent-name=анна",
        "date=ge2020",
        "action=R",
        "outcome=0",
        "type=rest",
        "subtype=read",
        "entity=Observation/{o}",
        "policy=urn:ietf:params:oauth:jti:{t}",
    ],
)
def test_it_is_searched_as_every_type_is(patient: Caller, query: str) -> None:
    patient.get(f"/Observation/{patient.observation}")
    asked = query.format(p=patient.id, o=patient.observation, t=patient.principal.token)
    found = patient.events(f"{asked}&subtype=read")
    assert [subtypes(each) for each in found] == [["read"]]


@pytest.mark.parametrize(
    "path",
    [
        "/AuditEvent?patient={p}",
        "/AuditEvent",
        "/AuditEvent?agent=Patient/{p}",
        "/AuditEvent?_has:Observation:subject:_id={o}",
        "/Patient/{p}/AuditEvent",
        "/Patient?_revinclude=AuditEvent:patient",
        "/AuditEvent/{e}",
        "/AuditEvent/{e}/_history",
        "/AuditEvent/_history",
        "/Patient/{p}/$everything",
    ],
)
def test_another_patient_sees_nothing_of_it(patient: Caller, other: Caller, path: str) -> None:
    patient.get(f"/Observation/{patient.observation}")
    event = patient.events()[0]["id"]
    asked = path.format(p=patient.id, o=patient.observation, e=event)
    answer = other.get(asked).text
    assert f"o-{patient.id}" not in answer.replace(asked, "")
    assert event not in answer.replace(event, "", 0 if "{e}" not in path else 9)
    assert "Котова" not in answer


@pytest.mark.parametrize(
    "path",
    [
        "/AuditEvent?patient={p}",
        "/Patient?_id={p}&_revinclude=AuditEvent:patient",
        "/Patient/{p}/AuditEvent",
        "/Patient/{p}/$everything",
        "/AuditEvent/_history?_count=500",
        "/Patient?_has:AuditEvent:patient:action=D",
    ],
)
def test_whatever_shows_events_makes_them_first(clinic: Clinic, path: str) -> None:
    id_ = new_id()
    clinic.put({"resourceType": "Patient", "id": id_})
    own = Principal(
        "cabinet", parse_scopes("patient/*.rs"), id_, f"Patient/{id_}", token=new_id()
    )
    caller = clinic.caller(own)
    mis = clinic.caller(Principal("mis", parse_scopes("system/*.cruds"), token="mis"))
    mis.ask("POST", "/Observation", observation(id_, id="x"))
    gone = mis.ask("POST", "/Observation", observation(id_)).json()["id"]
    assert mis.ask("DELETE", f"/Observation/{gone}").is_success
    found = caller.get(path.format(p=id_)).json()["entry"]
    kinds = [each["resource"]["resourceType"] for each in found]
    assert ("AuditEvent" in kinds) is ("_has" not in path)
    assert len(kinds) >= 1


def test_addresses_of_staff_are_withheld_and_kept_in_the_log(
    patient: Caller, doctor: Caller
) -> None:
    doctor.get(f"/Observation/{patient.observation}")
    (event,) = [each for each in patient.events("action=R") if len(each["agent"]) == 4]
    network = agent(event, "110152")["network"]
    assert "address" not in network
    assert network["_address"]["extension"][0]["valueCode"] == "masked"
    assert patient.events("address=127.0.0.1&agent=Practitioner/house") == []


def test_the_own_address_is_shown(patient: Caller) -> None:
    patient.get(f"/Observation/{patient.observation}")
    event = patient.events("action=R")[0]
    assert agent(event, "110152")["network"]["address"] == "127.0.0.1"


def test_the_own_address_is_shown_to_a_person_who_is_the_patient(
    clinic: Clinic, patient: Caller
) -> None:
    person = new_id()
    links = [{"target": {"reference": f"Patient/{patient.id}"}}]
    clinic.put({"resourceType": "Person", "id": person, "link": links})
    asking = replace(patient.principal, user=f"Person/{person}", token=new_id())
    caller = clinic.caller(asking)
    assert caller.get(f"/Observation/{patient.observation}").is_success
    (event,) = patient.events(f"agent=Person/{person}&subtype=read")
    assert agent(event, "110152")["network"]["address"] == "127.0.0.1"


PSYCHIATRY: Final = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "F32.1"}]}
TAGGED: Final = {
    "resourceType": "Parameters",
    "parameter": [{"name": "meta", "valueMeta": {"tag": [{"system": "urn:t", "code": "t"}]}}],
}
TOUCHES: Final = (
    ("GET", "", None),
    ("GET", "/_history/1", None),
    ("GET", "/_history", None),
    ("GET", "/$meta", None),
    ("POST", "/$meta-add", TAGGED),
    ("PATCH", "", [{"op": "replace", "path": "/status", "value": "amended"}]),
    ("DELETE", "", None),
)


@pytest.mark.parametrize(("method", "path", "body"), TOUCHES, ids=lambda x: str(x)[:20])
def test_what_a_label_hides_its_events_do_not_tell(
    patient: Caller, doctor: Caller, method: str, path: str, body: object
) -> None:
    hidden, plain = (
        patient.ask("POST", "/Observation", observation(patient.id, **more)).json()["id"]
        for more in ({"code": PSYCHIATRY}, {})
    )
    for id_ in (hidden, plain):
        assert patient.ask(method, f"/Observation/{id_}{path}", body).is_success
    theirs = patient.events()
    told = [each for each in theirs if hidden in str(each)]
    assert len(told) == 2
    for event in told:
        data = next(e for e in event["entity"] if e.get("role", {}).get("code") in ("4", "24"))
        assert {each["code"] for each in data["securityLabel"]} >= {"PSY", "R"}
    seen = doctor.events(f"patient={patient.id}")
    assert [each for each in seen if hidden in str(each)] == []
    assert len([each for each in seen if plain in str(each)]) == 2


def test_a_query_that_may_name_others_is_withheld(
    patient: Caller, other: Caller, doctor: Caller
) -> None:
    doctor.get(f"/Observation?patient={patient.id},{other.id}")
    event = patient.events("action=E&agent=Practitioner/house")[0]
    query: JsonObject = entity(event, "24") or {}
    assert "query" not in query
    assert query["description"] == "Observation?patient"
    assert other.id not in str(event)


def test_a_read_of_the_audit_is_in_the_audit(patient: Caller, doctor: Caller) -> None:
    patient.get(f"/Observation/{patient.observation}")
    doctor.get(f"/AuditEvent?patient={patient.id}")
    event = patient.events("agent=Practitioner/house")[0]
    assert (entity(event, "24") or {})["description"] == "AuditEvent?patient"


def body_of(event: JsonObject) -> JsonObject:
    return {**event, "outcome": "8"}


def write(caller: Caller, event: JsonObject, door: str) -> httpx.Response:
    id_ = event["id"]
    place = f"AuditEvent/{id_}"
    fresh = {name: value for name, value in event.items() if name != "id"}
    match door:
        case "create":
            return caller.ask("POST", "/AuditEvent", fresh)
        case "conditional create":
            return caller.ask("POST", "/AuditEvent", fresh, if_none_exist="action=none")
        case "update":
            return caller.ask("PUT", f"/{place}", body_of(event))
        case "update by version":
            return caller.ask("PUT", f"/{place}", body_of(event), if_match='W/"1"')
        case "update as create":
            return caller.ask("PUT", "/AuditEvent/made-up", {**event, "id": "made-up"})
        case "conditional update":
            return caller.ask("PUT", f"/AuditEvent?_id={id_}", body_of(event))
        case "patch":
            change = [{"op": "replace", "path": "/outcome", "value": "8"}]
            return caller.ask("PATCH", f"/{place}", change)
        case "delete":
            return caller.ask("DELETE", f"/{place}")
        case "conditional delete":
            return caller.ask("DELETE", f"/AuditEvent?_id={id_}")
        case "label":
            tag = {"tag": [{"system": "s", "code": "c"}]}
            parameter = [{"name": "meta", "valueMeta": tag}]
            body = {"resourceType": "Parameters", "parameter": parameter}
            return caller.ask("POST", f"/{place}/$meta-add", body)
        case _:
            entry = {"request": {"method": "DELETE", "url": place}}
            bundle = {"resourceType": "Bundle", "type": door, "entry": [entry]}
            return caller.ask("POST", "/", bundle)


@pytest.mark.parametrize("who", ["root", "doctor", "patient"])
@pytest.mark.parametrize(
    "door",
    [
        "create", "conditional create", "update", "update by version", "update as create",
        "conditional update", "patch", "delete", "conditional delete", "label", "transaction",
        "batch",
    ],
)  # fmt: skip
def test_nobody_writes_it_by_any_door(
    clinic: Clinic, patient: Caller, doctor: Caller, who: str, door: str
) -> None:
    patient.get(f"/Observation/{patient.observation}")
    event = patient.events("action=R")[0]
    root = clinic.caller(Principal("root", parse_scopes("system/*.cruds"), token="root"))
    caller = {"root": root, "doctor": doctor, "patient": patient}[who]
    answer = write(caller, event, door)
    if door == "batch":
        assert answer.json()["entry"][0]["response"]["status"].startswith("403")
    else:
        assert answer.status_code == 403, answer.text
    if who == "root":
        assert "written by the server alone" in answer.text
    assert patient.get(f"/AuditEvent/{event['id']}").json() == event
    assert root.get("/AuditEvent/made-up").status_code == 404


def test_a_setting_lets_systems_write_their_own(clinic: Clinic, patient: Caller) -> None:
    changed = {"audit_foreign": True, "database": f"audit_{uuid4().hex[:12]}"}
    settings = clinic.settings.model_copy(update=changed)
    patient.get(f"/Observation/{patient.observation}")
    event = patient.events("action=R")[0]
    with (
        Running(settings, clinic.tokens.gate) as running,
        httpx.Client(base_url=running.base_url, timeout=60) as client,
    ):
        root = Caller(client, Principal("root", parse_scopes("system/*.cruds"), token="root"))
        made = root.ask("POST", "/AuditEvent", event)
        assert made.status_code == 201
        assert root.ask("DELETE", f"/AuditEvent/{made.json()['id']}").status_code == 403
        other = replace(patient.principal, token=new_id())
        clinic.tokens.give(other)
        assert Caller(client, other).ask("POST", "/AuditEvent", event).status_code == 403
