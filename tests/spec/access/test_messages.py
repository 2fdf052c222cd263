"""Who writes messages, in whose name, and what may be said of them afterwards.

https://hl7.org/fhir/R4/communication.html
"""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from fhir_server.access.decisions import Policy
from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from tests.support.fhir import JsonObject
from tests.support.worlds import Tokens, World

P: Final = "correspondent"
PATIENT: Final = f"Patient/{P}"
DOCTOR: Final = "Practitioner/messages-doctor"
MOTHER: Final = "RelatedPerson/messages-mother"
READ: Final = {"op": "add", "path": "/received", "value": "2026-11-29T10:00:00Z"}
ALL: Final = parse_scopes("patient/*.cruds")
CALLERS: Final = {
    "patient": Principal("app", ALL, patient=P, user=PATIENT),
    "account": Principal("app", ALL, patient=P, user="Person/messages", represented=(P,)),
    "mother": Principal("app", ALL, patient=P, user=MOTHER, represented=(P,)),
    "staff": Principal(
        "app", parse_scopes("user/*.cruds"), user=DOCTOR, staff=True, purpose="TREAT"
    ),
    "system": Principal("app", parse_scopes("system/*.cruds")),
}
Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="module", autouse=True)
def loaded(worlds: tuple[World, World]) -> None:
    named = {"patient": {"reference": PATIENT}, "active": True}
    coding = {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "MTH"}
    born = datetime.now(UTC) - timedelta(days=2000)
    worlds[1].load(
        {"resourceType": "Patient", "id": P, "birthDate": born.date().isoformat()},
        {"resourceType": "Practitioner", "id": "messages-doctor"},
        {
            "resourceType": "RelatedPerson",
            "id": "messages-mother",
            "relationship": [{"coding": [coding]}],
            **named,
        },
        {
            "resourceType": "VerificationResult",
            "id": "messages-mother",
            "target": [{"reference": MOTHER}],
            "status": "validated",
        },
        {"resourceType": "RelatedPerson", "id": "messages-uncle", **named},
        {
            "resourceType": "Person",
            "id": "messages",
            "link": [{"target": {"reference": MOTHER}, "assurance": "level3"}],
        },
    )


@pytest.fixture
def ask(worlds: tuple[World, World], tokens: Tokens) -> Ask:
    def asked(caller: str, method: str, path: str, body: object = None) -> httpx.Response:
        bearer = replace(CALLERS[caller], token=str(uuid4()))
        token = tokens.give(bearer, AccessPolicy(Policy("all-normal")))
        kind = "json-patch+json" if method == "PATCH" else "fhir+json"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": f"application/{kind}"}
        content = None if body is None else json.dumps(body)
        return worlds[1].http.request(method, path, content=content, headers=headers)

    return asked


def message(sender: str | None = PATIENT, **more: Any) -> JsonObject:
    made: JsonObject = {
        "resourceType": "Communication",
        "status": "completed",
        "subject": {"reference": PATIENT},
        "sent": "2026-11-29T09:00:00Z",
        "recipient": [{"reference": DOCTOR if sender != DOCTOR else PATIENT}],
        "payload": [{"contentString": "x"}],
        **more,
    }
    return made if sender is None else {**made, "sender": {"reference": sender}}


def written(ask: Ask, sender: str) -> str:
    """The path of a message that is there."""
    made = ask("system", "POST", "/Communication", message(sender)).json()
    return f"/Communication/{made['id']}"


def code(answer: httpx.Response) -> tuple[int, str]:
    details = answer.json()["issue"][0].get("details", {})
    return answer.status_code, details.get("coding", [{}])[0].get("code", "")


@pytest.mark.parametrize(
    ("caller", "sender", "status"),
    [
        ("patient", PATIENT, 201),
        ("account", PATIENT, 201),
        ("account", MOTHER, 201),
        ("mother", MOTHER, 201),
        ("patient", DOCTOR, 403),
        ("account", "RelatedPerson/messages-uncle", 403),
        ("patient", MOTHER, 403),
        ("patient", "https://elsewhere.example/Patient/1", 403),
        ("patient", None, 403),
        ("staff", DOCTOR, 201),
        ("system", DOCTOR, 201),
    ],
)
def test_s0_19_a_person_writes_in_the_own_name(
    ask: Ask, caller: str, sender: str | None, status: int
) -> None:
    answer = ask(caller, "POST", "/Communication", message(sender))
    assert answer.status_code == status, answer.text
    assert status == 201 or code(answer) == (403, "not-the-sender")


def test_nobody_says_that_the_doctor_has_read_it(ask: Ask) -> None:
    answer = ask("patient", "POST", "/Communication", message(received=READ["value"]))
    assert code(answer) == (403, "not-the-sender")


@pytest.mark.parametrize("caller", ["patient", "account", "mother"])
def test_that_a_message_was_received_is_said_once(ask: Ask, caller: str) -> None:
    path = written(ask, DOCTOR)
    answer = ask(caller, "PATCH", path, [READ])
    assert answer.status_code == 200, answer.text
    assert answer.json()["received"] == READ["value"]
    again = [{**READ, "op": "replace", "value": "2026-11-30T10:00:00Z"}]
    assert code(ask(caller, "PATCH", path, again)) == (403, "message-said")
    gone = [{"op": "remove", "path": "/received"}]
    assert code(ask(caller, "PATCH", path, gone)) == (403, "message-said")


CHANGES: Final = (
    [{"op": "replace", "path": "/payload/0/contentString", "value": "y"}],
    [READ, {"op": "replace", "path": "/payload/0/contentString", "value": "y"}],
    [READ, {"op": "replace", "path": "/sent", "value": "2026-11-28T09:00:00Z"}],
    [READ, {"op": "add", "path": "/meta/tag", "value": [{"system": "urn:x", "code": "y"}]}],
    [{"op": "replace", "path": "/status", "value": "entered-in-error"}],
)


@pytest.mark.parametrize("sender", [PATIENT, DOCTOR])
@pytest.mark.parametrize("change", CHANGES, ids=range(len(CHANGES)))
def test_s0_19_what_was_said_stays_said(ask: Ask, change: JsonObject, sender: str) -> None:
    path = written(ask, sender)
    assert code(ask("patient", "PATCH", path, change)) == (403, "message-said")
    assert ask("system", "PATCH", path, change).status_code == 200


def test_of_an_own_message_nobody_says_that_it_was_received(ask: Ask) -> None:
    path = written(ask, PATIENT)
    assert code(ask("patient", "PATCH", path, [READ])) == (403, "message-said")


def test_every_door_is_guarded(ask: Ask) -> None:
    made = ask("system", "POST", "/Communication", message(DOCTOR)).json()
    name = f"Communication/{made['id']}"
    changed = {**made, "payload": [{"contentString": "y"}]}
    assert code(ask("patient", "PUT", f"/{name}", changed)) == (403, "message-said")
    by_id = f"/Communication?_id={made['id']}"
    assert code(ask("patient", "PUT", by_id, changed)) == (403, "message-said")
    assert code(ask("patient", "DELETE", f"/{name}")) == (403, "message-said")
    assert code(ask("patient", "DELETE", by_id)) == (403, "message-said")
    entries = (
        {"request": {"method": "PUT", "url": name}, "resource": changed},
        {"request": {"method": "POST", "url": "Communication"}, "resource": message(DOCTOR)},
    )
    for entry in entries:
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
        assert ask("patient", "POST", "/", bundle).status_code == 403
    assert ask("system", "GET", f"/{name}").json() == made


def test_many_are_said_to_be_read_in_one_batch(ask: Ask) -> None:
    made = [ask("system", "POST", "/Communication", message(DOCTOR)).json() for _ in range(2)]
    binary = {
        "resourceType": "Binary",
        "contentType": "application/json-patch+json",
        "data": b64encode(json.dumps([READ]).encode()).decode(),
    }
    entry = [
        {
            "resource": binary,
            "request": {"method": "PATCH", "url": f"Communication/{each['id']}"},
        }
        for each in made
    ]
    answer = ask(
        "patient", "POST", "/", {"resourceType": "Bundle", "type": "batch", "entry": entry}
    )
    assert {each["response"]["status"][:3] for each in answer.json()["entry"]} == {"200"}
