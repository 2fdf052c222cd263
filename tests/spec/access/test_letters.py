"""Scopes on every interaction: each letter opens its own, and nothing else.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

import json
from base64 import b64encode
from dataclasses import replace
from typing import Final
from uuid import uuid4

import httpx
import pytest

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from tests.support.fhir import JsonObject
from tests.support.worlds import Tokens, World

P: Final = "letters"
CALLER: Final = Principal("app", (), patient=P, user=f"Patient/{P}")
DOCUMENT: Final = "DocumentReference/letters-document"
PATCH: Final = {"Content-Type": "application/json-patch+json"}
AMEND: Final = [{"op": "replace", "path": "/status", "value": "amended"}]
PATCHED: Final = {
    "resourceType": "Binary",
    "contentType": "application/json-patch+json",
    "data": b64encode(json.dumps(AMEND).encode()).decode(),
}


def observation(id_: str = "", patient: str = P, category: str = "laboratory") -> JsonObject:
    made: JsonObject = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "category": [{"coding": [{"system": "urn:category", "code": category}]}],
        "subject": {"reference": f"Patient/{patient}"},
    }
    return made | ({"id": id_} if id_ else {})


@pytest.fixture(scope="module", autouse=True)
def loaded(worlds: tuple[World, World]) -> None:
    worlds[1].load(
        {"resourceType": "Patient", "id": P},
        {"resourceType": "Patient", "id": "another"},
        observation("letters-1"),
        observation("letters-2", category="vital-signs"),
        observation("letters-3", patient="another"),
        {"resourceType": "Practitioner", "id": "letters-doctor"},
        {"resourceType": "Person", "id": "letters-account",
         "telecom": [{"system": "phone", "value": "+7 900"}],
         "link": [{"target": {"reference": f"Patient/{P}"}}]},
        {"resourceType": "Person", "id": "another-account",
         "link": [{"target": {"reference": "Patient/another"}}]},
        {"resourceType": "Task", "id": "letters-task", "status": "ready", "intent": "order",
         "for": {"reference": f"Patient/{P}"}},
        {"resourceType": "Task", "id": "another-task", "status": "ready", "intent": "order",
         "for": {"reference": "Patient/another"}},
        {"resourceType": "Binary", "id": "letters-binary", "contentType": "text/plain",
         "data": "eA==", "securityContext": {"reference": f"Patient/{P}"}},
        {"resourceType": "Binary", "id": "another-binary", "contentType": "text/plain",
         "data": "eA==", "securityContext": {"reference": "Patient/another"}},
        {"resourceType": "Binary", "id": "nobodys-binary", "contentType": "text/plain",
         "data": "eA=="},
        {"resourceType": "DocumentReference", "id": "letters-document", "status": "current",
         "subject": {"reference": f"Patient/{P}"}, "content": [{"attachment": {"title": "x"}}]},
        {"resourceType": "Binary", "id": "letters-content", "contentType": "text/plain",
         "data": "eA==", "securityContext": {"reference": DOCUMENT}},
        {"resourceType": "Subscription", "id": "letters-subscription", "status": "off",
         "reason": "x", "criteria": "Observation?", "channel": {"type": "rest-hook"}},
    )  # fmt: skip


def client(worlds: tuple[World, World], tokens: Tokens, scopes: str, **more: object) -> "Fhir":
    principal = replace(CALLER, scopes=parse_scopes(scopes), token=str(uuid4()), **more)  # type: ignore[arg-type]  # fields of Principal
    return Fhir(worlds[1].http, tokens.give(principal))


class Fhir:
    """A client with one token."""

    def __init__(self, http: httpx.Client, token: str) -> None:
        self._http = http
        self._token = token

    def __call__(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        named = {"Authorization": f"Bearer {self._token}", **(headers or {})}
        return self._http.request(method, path, json=body, headers=named)


Row = tuple[str, str, str, object, dict[str, str]]
"""The letters it needs, method, path, body, headers."""

INTERACTIONS: Final[tuple[Row, ...]] = (
    ("c", "POST", "/Observation", observation(), {}),
    ("r", "GET", "/Observation/letters-1", None, {}),
    ("r", "GET", "/Observation/letters-1/_history/1", None, {}),
    ("r", "GET", "/Observation/letters-1/_history", None, {}),
    ("r", "GET", "/Observation/letters-1/$meta", None, {}),
    ("u", "PUT", "/Observation/letters-1", observation("letters-1"), {}),
    ("u", "PATCH", "/Observation/letters-1", AMEND, PATCH),
    ("d", "DELETE", "/Observation/letters-1", None, {}),
    ("s", "GET", "/Observation", None, {}),
    ("s", "POST", "/Observation/_search", None, {}),
    ("s", "GET", "/Observation/_history", None, {}),
    ("s", "GET", "/Patient/letters/Observation", None, {}),
    ("s", "GET", "/Observation/$lastn?patient=letters&category=laboratory", None, {}),
    ("sc", "POST", "/Observation", observation(), {"If-None-Exist": "code:text=none"}),
    ("su", "PUT", "/Observation?_id=letters-1", observation(), {}),
    ("su", "PATCH", "/Observation?_id=letters-1", AMEND, PATCH),
    ("sd", "DELETE", "/Observation?_id=absent", None, {}),
)


@pytest.mark.parametrize("held", ["c", "r", "u", "d", "s", "cs", "us", "ds"])
@pytest.mark.parametrize("row", INTERACTIONS, ids=lambda row: " ".join(row[1:3]))
def test_scp_04_scp_05_scp_20_a_letter_opens_its_interactions(
    worlds: tuple[World, World], tokens: Tokens, held: str, row: Row
) -> None:
    needed, method, path, body, headers = row
    fhir = client(worlds, tokens, f"patient/Observation.{held}")
    if set(needed) <= set(held):
        if method == "DELETE" and "absent" not in path:
            path = "/Observation/letters-gone"  # deletes nothing; 403 as nothing is there
            assert fhir(method, path).json()["issue"][0]["code"] == "forbidden"
            return
        assert fhir(method, path, body, headers).is_success
    else:
        answer = fhir(method, path, body, headers)
        assert answer.status_code == 403
        assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]  # SCP-32
        assert answer.json()["issue"][0]["code"] == "forbidden"


def addition(tag: str) -> JsonObject:
    meta = {"tag": [{"system": "urn:tag", "code": tag}]}
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": "meta", "valueMeta": meta}],
    }


def bundle(kind: str, *entries: tuple[str, str, object]) -> JsonObject:
    return {
        "resourceType": "Bundle",
        "type": kind,
        "entry": [
            {"request": {"method": method, "url": url}, "resource": body}
            for method, url, body in entries
        ],
    }


SECRET: Final = "the secret of the record"
FULL: Final = {"Prefer": "return=representation"}
PATH: Final = "/Observation/letters-secret"
OF_THE_UNREADABLE: Final[tuple[tuple[str, str, object, dict[str, str]], ...]] = (
    ("PUT", PATH, "as it is", {}),
    ("PUT", PATH, "changed", {}),
    ("PUT", PATH, "changed", {"If-Match": "now"}),
    ("PATCH", PATH, [{"op": "test", "path": "/id", "value": "letters-secret"}], PATCH),
    ("PATCH", PATH, AMEND, PATCH),
    ("POST", f"{PATH}/$meta-add", addition("one"), {}),
    ("POST", "/", "batch", FULL),
    ("POST", "/", "transaction", FULL),
    # What does not fit is told without the resource's own words.
    ("PATCH", PATH, [{"op": "copy", "from": "/note/0/text", "path": "/status"}], PATCH),
    ("PATCH", PATH, [{"op": "copy", "from": "/note/0/text", "path": "/id"}], PATCH),
)


@pytest.mark.parametrize("row", OF_THE_UNREADABLE, ids=lambda row: f"{row[0]} {row[2]}"[:60])
@pytest.mark.parametrize(
    "scopes",
    [
        "patient/Observation.u",
        "patient/Observation.cu",
        "patient/Observation.u patient/Observation.r?category=urn:category|vital-signs",
        "patient/Observation.cu patient/Observation.rs?_tag=urn:tag|another",
    ],
)
def test_scp_20_who_may_write_and_not_read_is_not_answered_with_the_resource(
    worlds: tuple[World, World],
    tokens: Tokens,
    scopes: str,
    row: tuple[str, str, object, dict[str, str]],
) -> None:
    worlds[1].load(observation("letters-secret") | {"note": [{"text": SECRET}]})
    whole = client(worlds, tokens, "system/*.rs", patient=None)("GET", PATH)
    changed = whole.json() | {"valueString": str(uuid4())}
    method, path, body, headers = row
    if isinstance(body, str):
        of_bundle = bundle(body, ("PUT", PATH[1:], changed))
        body = {"as it is": whole.json(), "changed": changed}.get(body, of_bundle)
    if "If-Match" in headers:
        headers = {"If-Match": whole.headers["etag"]}
    answer = client(worlds, tokens, scopes)(method, path, body, headers)
    assert SECRET not in answer.text
    assert "urn:category" not in answer.text
    if "copy" in str(body):
        assert answer.status_code == 422
    elif path == "/":
        (entry,) = answer.json()["entry"]
        assert "resource" not in entry
        assert entry["response"]["etag"]
    else:
        assert (answer.status_code, answer.content) == (200, b"")
        assert "etag" in answer.headers or "$" in path


@pytest.mark.parametrize("scopes", ["patient/Observation.c", "patient/Observation.cu"])
def test_scp_20_who_may_only_create_is_told_where_it_is(
    worlds: tuple[World, World], tokens: Tokens, scopes: str
) -> None:
    fhir = client(worlds, tokens, scopes)
    answer = fhir("POST", "/Observation", observation())
    assert (answer.status_code, answer.content) == (201, b"")
    assert "/Observation/" in answer.headers["location"]
    assert answer.headers["etag"] == 'W/"1"'
    told = fhir(
        "POST", "/", bundle("transaction", ("POST", "Observation", observation())), FULL
    )
    (entry,) = told.json()["entry"]
    assert "resource" not in entry
    assert entry["response"]["location"]


@pytest.mark.parametrize(
    ("scopes", "shown"),
    [
        ("patient/Observation.cr", True),
        ("patient/Observation.cs", True),  # a search would show it
        ("patient/Observation.c patient/Observation.r?category=urn:category|laboratory", True),
        ("patient/Observation.c patient/Observation.r?category=urn:category|other", False),
    ],
)
def test_scp_20_who_may_read_what_was_written_is_answered_with_it(
    worlds: tuple[World, World], tokens: Tokens, scopes: str, shown: bool
) -> None:
    answer = client(worlds, tokens, scopes)("POST", "/Observation", observation())
    assert answer.status_code == 201
    assert bool(answer.content) is shown


def test_scp_03_version_1_means_the_same(worlds: tuple[World, World], tokens: Tokens) -> None:
    reads, writes = (
        client(worlds, tokens, f"patient/Observation.{x}") for x in ("read", "write")
    )
    assert reads("GET", "/Observation/letters-1").is_success
    assert reads("GET", "/Observation").is_success
    assert reads("POST", "/Observation", observation()).status_code == 403
    assert writes("POST", "/Observation", observation()).status_code == 201
    assert writes("GET", "/Observation").status_code == 403


def test_scp_07_scopes_add_up(worlds: tuple[World, World], tokens: Tokens) -> None:
    fhir = client(worlds, tokens, "patient/Observation.r patient/Observation.s")
    assert fhir("GET", "/Observation/letters-1").is_success
    assert fhir("GET", "/Observation").is_success


@pytest.mark.parametrize(
    ("query", "visible"),
    [
        ("category=urn:category|laboratory", True),
        ("category=urn:category|vital-signs", False),
        ("category=laboratory&status=final,amended", True),  # SCP-14: & is and, a comma is or
        ("category=laboratory&status=preliminary", False),
        ("status=final,amended", True),
    ],
)
def test_scp_11_scp_14_a_filter_decides_about_a_read(
    worlds: tuple[World, World], tokens: Tokens, query: str, visible: bool
) -> None:
    fhir = client(worlds, tokens, f"patient/Observation.rs?{query}")
    assert fhir("GET", "/Observation/letters-1").status_code == (200 if visible else 404)


def test_scp_16_a_filter_binds_writes_before_and_after(
    worlds: tuple[World, World], tokens: Tokens
) -> None:
    fhir = client(worlds, tokens, "patient/Observation.cu?category=urn:category|laboratory")
    assert fhir("POST", "/Observation", observation()).status_code == 201
    assert fhir("POST", "/Observation", observation(category="vital-signs")).status_code == 403
    moved = observation("letters-1", category="vital-signs")
    assert fhir("PUT", "/Observation/letters-1", moved).status_code == 403
    taken = observation("letters-2")
    assert fhir("PUT", "/Observation/letters-2", taken).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("POST", "/Observation", observation(patient="another"), {}),
        ("PUT", "/Observation/letters-1", observation("letters-1", patient="another"), {}),
        ("PUT", "/Observation/letters-3", observation("letters-3"), {}),
        (
            "PATCH",
            "/Observation/letters-1",
            [{"op": "replace", "path": "/subject/reference", "value": "Patient/another"}],
            PATCH,
        ),
        ("PATCH", "/Observation/letters-3", AMEND, PATCH),
        ("DELETE", "/Observation/letters-3", None, {}),
        ("PUT", "/Observation?_id=letters-1", observation(patient="another"), {}),
        ("PUT", "/Patient/another", {"resourceType": "Patient", "id": "another"}, {}),
        ("POST", "/Patient", {"resourceType": "Patient"}, {}),
        ("POST", "/Practitioner", {"resourceType": "Practitioner"}, {}),
        ("POST", "/Binary", {"resourceType": "Binary", "contentType": "text/plain"}, {}),
    ],
)
def test_scp_21_scp_22_nothing_is_written_outside_or_moved_there(
    worlds: tuple[World, World],
    tokens: Tokens,
    method: str,
    path: str,
    body: object,
    headers: dict[str, str],
) -> None:
    fhir = client(worlds, tokens, "patient/*.cruds")
    answer = fhir(method, path, body, headers)
    assert answer.status_code == 403
    assert answer.json()["issue"][0]["code"] == "forbidden"
    subject = client(worlds, tokens, "system/*.rs", patient=None)(
        "GET", "/Observation/letters-3"
    )
    assert subject.json()["subject"] == {"reference": "Patient/another"}


@pytest.mark.parametrize(
    ("id_", "patient"), [("letters-1", "another"), ("letters-3", "letters")]
)
def test_scp_21_scp_22_nor_by_an_update_that_names_the_current_version(
    worlds: tuple[World, World], tokens: Tokens, id_: str, patient: str
) -> None:
    path = f"/Observation/{id_}"
    system = client(worlds, tokens, "system/*.rs", patient=None)
    before = system("GET", path)
    fhir = client(worlds, tokens, "patient/*.cruds")
    tag = {"If-Match": before.headers["etag"]}
    answer = fhir("PUT", path, observation(id_, patient=patient), tag)
    assert answer.status_code == 403
    assert system("GET", path).json() == before.json()


def shared(kind: str, *, of: tuple[str, ...] = (P, "another")) -> JsonObject:
    """A resource that several patients have in their records."""
    named = [{"reference": f"Patient/{each}"} for each in of]
    made: dict[str, JsonObject] = {
        "Account": {"status": "active", "subject": named},
        "Appointment": {
            "status": "proposed",
            "participant": [{"actor": each, "status": "accepted"} for each in named],
        },
        "Communication": {
            "status": "completed",
            "sender": {"reference": f"Patient/{P}"},
            "recipient": named,
        },
        "Contract": {"subject": named},
        "Group": {
            "type": "person",
            "actual": True,
            "member": [{"entity": each} for each in named],
        },
        "Schedule": {"actor": named},
    }
    return {"resourceType": kind, **made[kind]}


REFUSED: Final = (403, 422)
"""Out of reach; of an Appointment the rules of booking may say so first."""
SHARED: Final = ("Account", "Appointment", "Communication", "Contract", "Group", "Schedule")


@pytest.mark.parametrize("scopes", ["patient/*.cruds", "user/*.cruds"])
@pytest.mark.parametrize("kind", SHARED)
def test_scp_21_what_is_about_others_too_is_read_and_not_written(
    worlds: tuple[World, World], tokens: Tokens, kind: str, scopes: str
) -> None:
    """Else anybody puts an appointment, a bill or a message into a stranger's record, or takes
    away what a stranger has there."""
    fhir = client(worlds, tokens, scopes, represented=(P,))
    system = client(worlds, tokens, "system/*.cruds", patient=None, user=None)
    own = fhir("POST", f"/{kind}", shared(kind, of=(P,)))
    assert own.status_code == 201, own.text
    assert fhir("POST", f"/{kind}", shared(kind)).status_code == 403
    path, alone = f"/{kind}/{own.json()['id']}", own.json()
    with_another = shared(kind) | {"id": alone["id"]}
    assert fhir("PUT", path, with_another).status_code in REFUSED
    assert fhir("PUT", path, with_another, {"If-Match": 'W/"1"'}).status_code in REFUSED
    assert system("PUT", path, with_another).status_code == 200
    assert fhir("GET", path).status_code == 200
    assert fhir("PUT", path, alone).status_code in REFUSED
    assert fhir("PUT", path, alone, {"If-Match": 'W/"2"'}).status_code in REFUSED
    assert fhir("DELETE", path).status_code in REFUSED
    assert fhir("DELETE", f"/{kind}?_id={alone['id']}").status_code in REFUSED
    assert system("PUT", path, alone).status_code == 200
    # An Appointment is cancelled, a message stays said: both are nobody's to delete.
    assert kind in ("Appointment", "Communication") or fhir("DELETE", path).is_success


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/Patient/letters", 200),
        ("/Patient/another", 404),
        ("/Observation/letters-3", 404),
        ("/Practitioner/letters-doctor", 200),  # a directory
        ("/Task/letters-task", 200),  # outside the compartment, by the server's own rule
        ("/Task/another-task", 404),
        ("/Binary/letters-binary", 200),
        ("/Binary/letters-content", 200),  # its context is a document of the patient
        ("/Binary/another-binary", 404),
        ("/Binary/nobodys-binary", 404),
        ("/Subscription/letters-subscription", 403),
    ],
)
def test_scp_08_scp_21_what_a_wildcard_of_a_patient_reaches(
    worlds: tuple[World, World], tokens: Tokens, path: str, status: int
) -> None:
    assert client(worlds, tokens, "patient/*.rs")("GET", path).status_code == status


def test_scp_21_the_directory_is_open_to_any_scope_of_a_patient(
    worlds: tuple[World, World], tokens: Tokens
) -> None:
    fhir = client(worlds, tokens, "patient/Observation.rs")
    assert fhir("GET", "/Practitioner/letters-doctor").is_success
    assert fhir("GET", "/Practitioner").is_success
    assert fhir("GET", "/Condition").status_code == 403


ACCOUNT: Final = "Person/letters-account"
WHO: Final = (
    f"/{ACCOUNT}",
    f"/{ACCOUNT}/_history",
    "/Person",
    "/Person?_id=letters-account",
    f"/Person?link=Patient/{P}",
    f"/Patient?_id={P}&_revinclude=Person:link",
    f"/Patient/{P}/$everything",
)


@pytest.mark.parametrize("path", WHO)
@pytest.mark.parametrize(
    ("scopes", "identity", "seen"),
    [
        ("patient/*.rs", True, True),
        ("patient/*.rs", False, False),
        ("user/*.cruds", True, True),
        ("user/*.cruds", False, False),
        ("patient/Person.rs patient/Patient.rs", False, False),
    ],
)
def test_oidc_07_who_the_user_is_opens_with_fhir_user_alone(
    worlds: tuple[World, World],
    tokens: Tokens,
    path: str,
    scopes: str,
    identity: bool,
    seen: bool,
) -> None:
    """An account's Person has telecom, address and links to children: no scope for data, not
    even for Person, is a scope for that."""
    fhir = client(worlds, tokens, scopes, user=ACCOUNT, identity=identity, represented=(P,))
    answer = fhir("GET", path)
    assert ("+7 900" in answer.text) is seen, answer.text
    assert "another-account" not in answer.text


@pytest.mark.parametrize("user", [f"Patient/{P}", ACCOUNT, "Practitioner/letters-doctor"])
@pytest.mark.parametrize("scopes", ["", "patient/Observation.s", "patient/Observation.cud"])
def test_oidc_07_fhir_user_can_be_read_whatever_else_was_granted(
    worlds: tuple[World, World], tokens: Tokens, user: str, scopes: str
) -> None:
    fhir = client(worlds, tokens, scopes, user=user, identity=True)
    assert fhir("GET", f"/{user}").status_code == 200
    assert fhir("PUT", f"/{user}", fhir("GET", f"/{user}").json()).status_code == 403
    assert fhir("GET", "/Patient/another").status_code in (403, 404)
    assert not fhir("GET", "/Observation/letters-1").is_success
    plain = client(worlds, tokens, scopes, user=user)
    assert plain("GET", f"/{user}").is_success is (
        bool(scopes) and user.startswith("Practitioner/")
    )


def test_scp_08_a_users_word_alone_represents_nobody(
    worlds: tuple[World, World], tokens: Tokens
) -> None:
    fhir = client(worlds, tokens, "user/Observation.rs", represented=(P, "another"))
    found = fhir("GET", "/Observation?_count=100").json()
    subjects = {each["resource"]["subject"]["reference"] for each in found["entry"]}
    assert subjects == {f"Patient/{P}"}  # no relation to the other is on file


def test_scp_18_a_token_without_a_patient_reaches_none(
    worlds: tuple[World, World], tokens: Tokens
) -> None:
    fhir = client(worlds, tokens, "patient/*.rs", patient=None, user=None)
    assert fhir("GET", "/Observation/letters-1").status_code == 403


def test_scp_19_a_batch_is_judged_entry_by_entry(
    worlds: tuple[World, World], tokens: Tokens
) -> None:
    fhir = client(worlds, tokens, "patient/Observation.rs")
    entries = [
        {"request": {"method": "GET", "url": "Observation/letters-1"}},
        {"request": {"method": "POST", "url": "Observation"}, "resource": observation()},
        {"request": {"method": "GET", "url": "Condition"}},
        {"request": {"method": "GET", "url": "Observation/letters-1/$meta"}},
        {"request": {"method": "GET", "url": "Condition/any/$meta"}},
    ]
    batch = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    statuses = [
        each["response"]["status"][:3] for each in fhir("POST", "/", batch).json()["entry"]
    ]
    assert statuses == ["200", "403", "403", "200", "403"]


def test_scp_19_a_transaction_is_refused_whole(
    worlds: tuple[World, World], tokens: Tokens
) -> None:
    fhir = client(worlds, tokens, "patient/Observation.cs")
    before = fhir("GET", "/Observation?_summary=count").json()["total"]
    entries = [
        {"request": {"method": "POST", "url": "Observation"}, "resource": observation()},
        {"request": {"method": "DELETE", "url": "Observation/letters-1"}},
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = fhir("POST", "/", bundle)
    assert answer.status_code == 403
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1]"]
    assert fhir("GET", "/Observation?_summary=count").json()["total"] == before


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("PUT", "Observation?_id=letters-2", observation()),
        ("PUT", "Observation/letters-2", observation("letters-2")),
        ("PATCH", "Observation?_id=letters-2", PATCHED),
        ("PATCH", "Observation/letters-2", PATCHED),
        ("DELETE", "Observation?_id=letters-2", None),
        ("DELETE", "Observation/letters-2", None),
    ],
)
def test_scp_14_what_a_transaction_finds_it_may_not_have_the_right_to_write(
    worlds: tuple[World, World], tokens: Tokens, method: str, url: str, body: JsonObject | None
) -> None:
    laboratory = "category=urn:category|laboratory"
    fhir = client(worlds, tokens, f"patient/Observation.s patient/Observation.cud?{laboratory}")
    entry = {"request": {"method": method, "url": url}}
    entries = [
        {"request": {"method": "POST", "url": "Observation"}, "resource": observation()},
        entry | ({"resource": body} if body else {}),
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = fhir("POST", "/", bundle)
    assert answer.status_code == 403, answer.text
    assert answer.json()["issue"][0]["expression"][0].startswith("Bundle.entry[1]")
    everything = client(worlds, tokens, "system/*.rs", patient=None)
    kept = everything("GET", "/Observation/letters-2").json()
    assert kept["meta"]["versionId"] == "1"


@pytest.mark.parametrize("path", ["/$reindex", "/Observation/$reindex"])
@pytest.mark.parametrize("staff", [False, True])
def test_a_persons_scope_does_not_reach_the_server_itself(
    worlds: tuple[World, World], tokens: Tokens, staff: bool, path: str
) -> None:
    fhir = client(worlds, tokens, "patient/*.cruds user/*.cruds", staff=staff)
    assert fhir("POST", path).status_code == 403


@pytest.mark.parametrize(
    "kind",
    [
        "AuditEvent",
        "CodeSystem",
        "Person",
        "PractitionerRole",
        "Provenance",
        "SearchParameter",
        "ValueSet",
        "VerificationResult",
    ],
)
@pytest.mark.parametrize("staff", [False, True])
def test_no_person_writes_what_decides_about_rights_or_the_server(
    worlds: tuple[World, World], tokens: Tokens, staff: bool, kind: str
) -> None:
    """Staff who could link a Person to a patient, or validate a relation of their own, would
    open that record as theirs, past every Consent."""
    fhir = client(
        worlds, tokens, "user/*.cruds", staff=staff, patient=None, user="Practitioner/d"
    )
    for method, path in (("PUT", f"/{kind}/x"), ("DELETE", f"/{kind}/x")):
        answer = fhir(method, path, {"resourceType": kind, "id": "x"})
        assert answer.status_code == 403
        assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


def test_caps_01_metadata_needs_no_token(worlds: tuple[World, World]) -> None:
    assert worlds[1].http.get("/metadata").status_code == 200


@pytest.mark.parametrize(
    ("header", "status", "challenge"),
    [
        (None, 401, 'Bearer realm="fhir"'),
        ("", 401, 'Bearer realm="fhir"'),
        ("Basic cm9vdDo=", 401, 'Bearer realm="fhir"'),
        ("Bearer", 400, 'Bearer realm="fhir", error="invalid_request"'),
        ("Bearer a b", 400, 'Bearer realm="fhir", error="invalid_request"'),
        ('Bearer a"b', 400, 'Bearer realm="fhir", error="invalid_request"'),
        ("Bearer unknown", 401, 'Bearer realm="fhir", error="invalid_token"'),
        ("bearer root", 200, None),
    ],
)
def test_sa_10_tok_07_the_authorization_header(
    worlds: tuple[World, World], header: str | None, status: int, challenge: str | None
) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = worlds[1].http.get("/Observation/letters-1", headers=headers)
    assert answer.status_code == status
    assert answer.headers.get("www-authenticate") == challenge
    assert answer.json()["resourceType"] == (
        "Observation" if status == 200 else "OperationOutcome"
    )


def test_tok_06_a_token_in_the_query_is_none(worlds: tuple[World, World]) -> None:
    assert worlds[1].http.get("/Observation/letters-1?access_token=root").status_code == 401
