"""Asynchronous requests of callers with tokens: the rights of the moment, and nobody else's.

https://hl7.org/fhir/R4/async.html
"""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from fhir_server.access.scopes import parse_scopes
from fhir_server.settings import Settings
from tests.support.auditing import Caller, Clinic, observation, subtypes
from tests.support.consenting import action, consent
from tests.support.fhir import JsonObject, new_id
from tests.support.polling import until
from tests.support.running import Running
from tests.support.worlds import Tokens

LATER: Final = "respond-async"
_VOLATILE: Final = (
    re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\dZ+:-]*"),
    re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    re.compile(r"[0-9a-f]{32,}"),
    re.compile(r"\b[0-9a-f]{8}-[0-9a-f]+\b"),  # X-Request-Id
)
EVERYBODY: Final = "a-stranger"


@pytest.fixture(scope="module")
def clinic(mongodb_uri: str) -> Iterator[Clinic]:
    tokens = Tokens()
    settings = Settings(
        mongodb_uri=mongodb_uri,
        database=f"later_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
        job_poll_seconds=0.05,
        definitions_seconds=0.1,
        audit_seconds=3600,
        staff_consents=True,
    )
    with (
        Running(settings, tokens.gate) as running,
        httpx.Client(base_url=running.base_url, timeout=60) as client,
    ):
        yield Clinic(client, tokens, settings)


@pytest.fixture
def patient(clinic: Clinic) -> Caller:
    return known(clinic)


@pytest.fixture
def doctor(clinic: Clinic, patient: Caller) -> Caller:
    """Of the staff; nobody else's token is about the same person."""
    return clinic.caller(
        replace(
            patient.principal,
            client="ward",
            scopes=parse_scopes("user/*.cruds"),
            patient=None,
            user="Practitioner/house",
            account="a-house",
            represented=(),
            purpose="TREAT",
            staff=True,
            token=new_id(),
        )
    )


def known(clinic: Clinic) -> Caller:
    """A patient with a record, as every other one of these."""
    caller = clinic.person("Анна Котова")
    clinic.observation(caller.observation, caller.id)
    if clinic.http.get(f"/Patient/{EVERYBODY}", headers=ROOT).status_code == 404:
        clinic.put({"resourceType": "Patient", "id": EVERYBODY})
        clinic.observation("strange", EVERYBODY)
    return caller


ROOT: Final = {"authorization": "Bearer root"}


def bundle(kind: str, *entries: JsonObject) -> JsonObject:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def get(url: str) -> JsonObject:
    return {"request": {"method": "GET", "url": url}}


def put(resource: JsonObject) -> JsonObject:
    url = f"{resource['resourceType']}/{resource['id']}"
    return {"resource": resource, "request": {"method": "PUT", "url": url}}


def post(resource: JsonObject, **request: str) -> JsonObject:
    asked = {"method": "POST", "url": resource["resourceType"], **request}
    return {"resource": resource, "request": asked}


def order(caller: Caller, body: JsonObject, wish: str = LATER) -> str:
    """Where to ask for it."""
    accepted = caller.ask("POST", "/", body, prefer=wish)
    assert accepted.status_code == 202, accepted.text
    place: str = accepted.headers["content-location"]
    return place


def done(caller: Caller, place: str) -> httpx.Response:
    def ask() -> httpx.Response | None:
        answer = caller.get(place)
        return None if answer.status_code == 202 else answer

    return until(ask)


def statuses(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["response"]["status"][:3] for each in answer.json()["entry"]]


def comparable(value: JsonObject, caller: Caller) -> str:
    """Without what differs between any two."""
    for each in value.get("entity", ()):
        if "query" in each:
            each["query"] = b64decode(each["query"]).decode()
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    text = text.replace(caller.id, "PATIENT").replace(caller.principal.token, "TOKEN")
    for each in _VOLATILE:
        text = each.sub("X", text)
    return text


def batch_of(caller: Caller) -> JsonObject:
    """Every kind of entry: granted, refused, failing, hidden."""
    own = f"Observation/{caller.observation}"
    return bundle(
        "batch",
        get(own),
        get("Observation/strange"),
        get(f"Observation?patient={caller.id}&_include=Observation:subject"),
        get(f"Observation?patient={EVERYBODY}"),
        get(f"{own}/_history"),
        get(f"{own}/$meta"),
        get("Observation?nonsense=1"),
        post(observation(caller.id)),
        post(observation(EVERYBODY)),
        put(observation(caller.id, id=caller.observation, note=[{"text": "x"}])),
        put(observation(EVERYBODY, id="strange")),
        post({"resourceType": "Observation"}),
        {"request": {"method": "DELETE", "url": own}},
        get(own),
        get("Encounter"),
    )


def transaction_of(caller: Caller) -> JsonObject:
    return bundle(
        "transaction",
        get(f"Observation?patient={caller.id}"),
        post(observation(caller.id)),
        put(observation(caller.id, id=caller.observation, note=[{"text": "x"}])),
    )


def refused_of(caller: Caller) -> JsonObject:
    return bundle("transaction", post(observation(caller.id)), post(observation(EVERYBODY)))


def traces(caller: Caller) -> list[str]:
    """What audit and Provenance tell, in an order of their own."""
    found = [comparable(each, caller) for each in caller.events()]
    page = caller.get("/Provenance?_count=100").json()
    found += [comparable(each["resource"], caller) for each in page.get("entry", ())]
    return sorted(found)


@pytest.mark.parametrize("asked", [batch_of, transaction_of, refused_of])
@pytest.mark.parametrize("wish", ["return=minimal", "return=representation"])
@pytest.mark.parametrize("scopes", ["patient/*.cruds", "patient/Observation.cruds"])
def test_later_is_as_at_once_in_answer_audit_and_provenance(
    clinic: Clinic, asked: Callable[[Caller], JsonObject], wish: str, scopes: str
) -> None:
    seen: list[tuple[object, list[str]]] = []
    for later in (False, True):
        reader = known(clinic)
        fewer = replace(reader.principal, scopes=parse_scopes(scopes), token=new_id())
        caller = clinic.caller(fewer)
        reader = clinic.caller(replace(reader.principal, token=fewer.token + "-r"))
        if later:
            place = order(caller, asked(caller), f"{LATER}, {wish}")
            answer = done(caller, place)
        else:
            answer = caller.ask("POST", "/", asked(caller), prefer=wish)
        found = (answer.status_code, comparable(answer.json(), caller))
        seen.append((found, traces(reader)))
    assert seen[0][0] == seen[1][0]
    assert seen[0][1] == seen[1][1]
    assert any("AuditEvent" in each for each in seen[0][1])


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_caller_without_the_scope_is_refused_as_at_once(
    clinic: Clinic, patient: Caller, kind: str
) -> None:
    fewer = replace(patient.principal, scopes=parse_scopes("patient/Observation.rs"))
    caller = clinic.caller(replace(fewer, token=new_id()))
    answer = done(caller, order(caller, bundle(kind, post(observation(caller.id)))))
    if kind == "batch":
        assert statuses(answer) == ["403"]
    else:
        assert answer.status_code == 403
    assert "patient/Observation.c" in answer.text


def deny(patient: str, id_: str) -> JsonObject:
    """A Consent that closes the record to everybody but the patient."""
    return consent(
        {"type": "deny", "action": action("access", "disclose")},
        id=id_,
        patient={"reference": f"Patient/{patient}"},
    )


def test_a_withdrawal_in_mid_job_bites_on_the_next_entry(
    doctor: Caller, patient: Caller
) -> None:
    own = f"Observation/{patient.observation}"
    asked = bundle("batch", post(deny(patient.id, "any")), get(own))
    assert statuses(done(doctor, order(doctor, asked))) == ["201", "404"]


@pytest.mark.parametrize("wish", ["return=minimal", "return=representation"])
def test_an_answer_is_withheld_when_what_it_shows_is_hidden_since(
    clinic: Clinic, doctor: Caller, patient: Caller, wish: str
) -> None:
    own = f"Observation/{patient.observation}"
    read = order(doctor, bundle("batch", get(own)))
    found = order(doctor, bundle("batch", get(f"Observation?patient={patient.id}")))
    past = order(doctor, bundle("batch", get(f"{own}/_history")))
    written = order(
        doctor,
        bundle("transaction", put(observation(patient.id, id=patient.observation))),
        f"{LATER}, {wish}",
    )
    for place in (read, found, past, written):
        assert done(doctor, place).status_code == 200
    closed = deny(patient.id, new_id())
    clinic.put(closed)
    for place in (read, found, past):
        answer = doctor.get(place)
        assert answer.status_code == 403
        assert patient.observation not in answer.text
    # Of a write that gives nothing back there is nothing to hide.
    assert doctor.get(written).status_code == (200 if wish == "return=minimal" else 403)
    clinic.put({**closed, "status": "inactive"})
    assert doctor.get(read).status_code == 200


def test_an_answer_stays_when_what_it_shows_was_changed_or_deleted_since(
    patient: Caller,
) -> None:
    own = f"Observation/{patient.observation}"
    place = order(patient, bundle("batch", get(own), get(f"Observation?patient={patient.id}")))
    assert done(patient, place).status_code == 200
    changed = observation(patient.id, id=patient.observation, note=[{"text": "x"}])
    assert patient.ask("PUT", f"/{own}", changed).status_code == 200
    assert patient.get(place).status_code == 200
    assert patient.ask("DELETE", f"/{own}").is_success
    assert patient.get(place).status_code == 200


def test_revo_07_a_batch_ends_where_its_grant_does(clinic: Clinic, patient: Caller) -> None:
    token = patient.principal.token
    clinic.tokens.left[token] = 3  # when it is begun, and before each of two entries
    mark = new_id()
    entries = [post(observation(patient.id, identifier=[{"value": mark}])) for _ in range(5)]
    answer = done(patient, order(patient, bundle("batch", *entries)))
    assert answer.status_code == 403
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert answer.json()["issue"][0]["code"] == "forbidden"
    found = patient.get(f"/Observation?identifier={mark}&_summary=count").json()
    assert found["total"] == 2
    (told,) = patient.events("outcome=4")
    assert subtypes(told) == ["transaction"]


def test_revo_07_a_transaction_is_not_begun_without_its_grant(
    clinic: Clinic, patient: Caller
) -> None:
    clinic.tokens.left[patient.principal.token] = 0
    mark = new_id()
    entry = post(observation(patient.id, identifier=[{"value": mark}]))
    assert done(patient, order(patient, bundle("transaction", entry))).status_code == 403
    found = patient.get(f"/Observation?identifier={mark}&_summary=count").json()
    assert found["total"] == 0


def test_revo_07_a_reindex_ends_with_its_grant(clinic: Clinic) -> None:
    root = clinic.caller(replace(clinic.tokens.known("root"), token=new_id(), client="mis"))
    clinic.tokens.left[root.principal.token] = 0
    accepted = root.ask("POST", "/Observation/$reindex")
    assert accepted.status_code == 202, accepted.text
    assert done(root, accepted.headers["content-location"]).status_code == 403


OTHERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "user": {"account": "another", "user": "Patient/another"},
    "app": {"client": "another"},
    "patient": {"patient": "another"},
    "purpose": {"purpose": "HRESCH"},
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_bulks_13_anothers_job_is_as_none(
    clinic: Clinic, patient: Caller, other: str, method: str
) -> None:
    place = order(patient, bundle("batch", get(f"Patient/{patient.id}")))
    done(patient, place)
    changed = replace(patient.principal, token=new_id(), **OTHERS[other])
    found = clinic.caller(changed).ask(method, place)
    absent = clinic.caller(changed).ask(method, place[:-1] + "_")
    assert (found.status_code, found.json()) == (404, absent.json())
    assert patient.get(place).status_code == 200


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_bulks_13_without_a_token_401(clinic: Clinic, patient: Caller, method: str) -> None:
    place = order(patient, bundle("batch", get(f"Patient/{patient.id}")))
    assert clinic.http.request(method, place).status_code == 401
    assert done(patient, place).status_code == 200


@pytest.mark.parametrize(
    ("scopes", "lacking"),
    [
        ("patient/*.cruds", None),
        ("patient/*.rs patient/*.cud", None),
        ("patient/*.cud patient/*.s", "patient/*.r"),
        ("patient/Observation.cruds", "patient/*.c"),
        ("user/*.cruds", "patient/*.c"),
        ("", "patient/*.c"),
    ],
)
def test_bulks_15_a_renewed_token_must_cover_the_order(
    clinic: Clinic, patient: Caller, scopes: str, lacking: str | None
) -> None:
    place = order(patient, bundle("batch", get(f"Patient/{patient.id}")))
    renewed = replace(patient.principal, scopes=parse_scopes(scopes), token=new_id())
    caller = clinic.caller(renewed)
    answer = done(caller, place)
    if lacking is None:
        assert answer.status_code == 200
    else:
        assert answer.status_code == 403
        assert f'scope="{lacking}"' in answer.headers["www-authenticate"]
        assert patient.id not in answer.text
    assert caller.ask("DELETE", place).status_code == 202


def test_bulks_11_12_a_cancelled_one_is_gone(patient: Caller) -> None:
    place = order(patient, bundle("batch", get(f"Patient/{patient.id}")))
    done(patient, place)
    assert patient.ask("DELETE", place).status_code == 202
    assert patient.get(place).status_code == 404
    assert patient.ask("DELETE", place).status_code == 404
