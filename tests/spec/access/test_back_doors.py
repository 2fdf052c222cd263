"""Doors beside the interactions: what a limited token, or none, gets through them.

https://hl7.org/fhir/R4/security.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.settings import Settings
from tests.support.consenting import action, consent, label
from tests.support.fhir import JsonObject, new_id
from tests.support.running import Running
from tests.support.worlds import Tokens, World

P: Final = "doors"
CLOSED: Final = "closed"
DOCTOR: Final = Principal(
    "ward", parse_scopes("user/*.cruds"), user="Practitioner/d", staff=True, purpose="TREAT"
)
PATIENT: Final = Principal(
    "app", parse_scopes("patient/*.cruds"), patient=P, user=f"Patient/{P}", represented=(P,)
)
PRIVATE: Final = "very private"


def document(id_: str, patient: str, *labels: str) -> JsonObject:
    meta = {"meta": {"security": [label(each) for each in labels]}} if labels else {}
    return {
        "resourceType": "DocumentReference",
        "id": id_,
        **meta,
        "status": "current",
        "subject": {"reference": f"Patient/{patient}"},
        "content": [{"attachment": {"title": PRIVATE}}],
    }


def content(id_: str, context: str) -> JsonObject:
    return {
        "resourceType": "Binary",
        "id": id_,
        "contentType": "text/plain",
        "securityContext": {"reference": context},
        "data": "dmVyeSBwcml2YXRl",
    }


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture(scope="module")
def world(mongodb_uri: str, tokens: Tokens) -> Iterator[World]:
    settings = Settings(
        mongodb_uri=mongodb_uri,
        database=f"doors_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
        explain=True,
        audit="off",
        job_poll_seconds=0.05,
    )
    with (
        Running(settings, tokens.gate) as running,
        httpx.Client(base_url=running.base_url, timeout=60) as http,
    ):
        world = World(http)
        world.load(
            {"resourceType": "Patient", "id": P},
            {"resourceType": "Patient", "id": CLOSED, "name": [{"text": PRIVATE}]},
            document("open-document", P),
            content("open-content", "DocumentReference/open-document"),
            document("closed-document", CLOSED),
            content("closed-content", "DocumentReference/closed-document"),
            content("closed-own", f"Patient/{CLOSED}"),
            consent(
                {"type": "deny", "action": action("access", "disclose")},
                id="closing",
                patient={"reference": f"Patient/{CLOSED}"},
            ),
        )
        yield world


def ask(
    world: World,
    tokens: Tokens,
    who: Principal,
    method: str,
    path: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    named = replace(who, token=new_id())
    given = {"Authorization": f"Bearer {tokens.give(named)}", **(headers or {})}
    return world.http.request(method, path, json=body, headers=given)


KNOWN: Final = {"If-None-Match": "*"}
SINCE: Final = {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}
TEXT: Final = {"Accept": "text/plain"}

HIDDEN: Final[tuple[tuple[str, str, dict[str, str]], ...]] = tuple(
    (method, f"/{kind}{rest}", headers)
    for kind in (
        f"Patient/{CLOSED}",
        "DocumentReference/closed-document",
        "Binary/closed-content",
        "Binary/closed-own",
    )
    for rest in ("", "/_history/1")
    for method, headers in (
        ("GET", {}),
        ("HEAD", {}),
        ("GET", KNOWN),
        ("HEAD", KNOWN),
        ("GET", SINCE),
        *((("GET", TEXT),) if kind.startswith("Binary") else ()),
    )
) + tuple(
    ("GET", path, {})
    for path in (
        f"/Patient/{CLOSED}/_history",
        f"/Patient/{CLOSED}/$meta",
        f"/Patient/{CLOSED}/$validate",
        f"/Patient/{CLOSED}/$everything",
        "/Binary/closed-content/_history",
        "/Binary/closed-content/$meta",
        "/Binary/closed-content/$validate",
    )
)


@pytest.mark.parametrize("who", [DOCTOR, PATIENT], ids=["doctor", "patient"])
@pytest.mark.parametrize("row", HIDDEN, ids=lambda row: " ".join(map(str, row)))
def test_what_is_hidden_is_nowhere(
    world: World, tokens: Tokens, who: Principal, row: tuple[str, str, dict[str, str]]
) -> None:
    """A 304 would say that it is there; a Binary is its document's."""
    method, path, headers = row
    answer = ask(world, tokens, who, method, path, headers=headers)
    assert answer.status_code == 404, answer.text
    assert PRIVATE not in answer.text
    absent = path.replace(CLOSED, "absent")
    assert ask(world, tokens, who, method, absent, headers=headers).status_code == 404


@pytest.mark.parametrize("who", [DOCTOR, PATIENT], ids=["doctor", "patient"])
@pytest.mark.parametrize("kind", ["Binary", "DocumentReference", "Patient"])
def test_what_is_hidden_is_in_no_search(
    world: World, tokens: Tokens, who: Principal, kind: str
) -> None:
    for path in (f"/{kind}?_count=100", f"/{kind}/_history?_count=100"):
        answer = ask(world, tokens, who, "GET", path)
        assert answer.status_code == 200
        assert CLOSED not in answer.text
        assert "open" in answer.text or P in answer.text


def test_the_content_of_a_labelled_document_is_hidden_with_it(
    world: World, tokens: Tokens
) -> None:
    patient = new_id()
    secret, binary = document(f"d-{patient}", patient, "R"), f"b-{patient}"
    world.load(
        {"resourceType": "Patient", "id": patient},
        secret,
        content(binary, f"DocumentReference/{secret['id']}"),
    )
    seen = ask(world, tokens, DOCTOR, "GET", f"/DocumentReference/{secret['id']}")
    found = ask(world, tokens, DOCTOR, "GET", f"/Binary/{binary}")
    assert found.status_code == seen.status_code


def test_the_content_of_an_open_document_is_open(world: World, tokens: Tokens) -> None:
    path = "/Binary/open-content"
    for headers in ({}, TEXT):
        assert ask(world, tokens, DOCTOR, "GET", path, headers=headers).status_code == 200
    assert ask(world, tokens, DOCTOR, "GET", f"{path}/_history/1").status_code == 200
    found = ask(world, tokens, DOCTOR, "GET", "/Binary?_id=open-content,closed-content")
    assert [each["resource"]["id"] for each in found.json()["entry"]] == ["open-content"]


def test_content_is_made_before_or_behind_its_document(world: World, tokens: Tokens) -> None:
    new = content("any", "DocumentReference/not-yet")
    assert ask(world, tokens, DOCTOR, "POST", "/Binary", new).status_code == 201


PATCH: Final = {"Content-Type": "application/json-patch+json"}
CHANGE: Final = [{"op": "add", "path": "/language", "value": "en"}]


@pytest.mark.parametrize("who", [DOCTOR, PATIENT], ids=["doctor", "patient"])
@pytest.mark.parametrize("id_", ["closed-content", "closed-own"])
def test_hidden_content_is_neither_changed_nor_given_back(
    world: World, tokens: Tokens, who: Principal, id_: str
) -> None:
    path = f"/Binary/{id_}"
    for method, body, headers in (
        ("PATCH", CHANGE, PATCH),
        ("PUT", content(id_, f"Patient/{P}"), {}),
        ("DELETE", None, {}),
        ("POST", None, {}),
    ):
        where = path if method != "POST" else f"{path}/$meta-add"
        given = body if method != "POST" else {"resourceType": "Parameters"}
        answer = ask(world, tokens, who, method, where, given, headers)
        assert answer.status_code in {403, 404, 400}
        assert "dmVyeSBwcml2YXRl" not in answer.text
    root = ask(world, tokens, tokens.known("root"), "GET", path, headers={"Accept": "*/*"})
    assert root.headers["etag"] == 'W/"1"'


@pytest.mark.parametrize("who", [DOCTOR, PATIENT], ids=["doctor", "patient"])
def test_a_plan_is_for_operators(world: World, tokens: Tokens, who: Principal) -> None:
    """It tells the filter that hides, and how many documents were looked at."""
    answer = ask(world, tokens, who, "GET", "/Patient?_explain=true")
    assert answer.status_code == 403
    assert CLOSED not in answer.text
    root = replace(tokens.known("root"))
    assert ask(world, tokens, root, "GET", "/Patient?_explain=true").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/$reindex", None),
        ("POST", "/Patient/$reindex", None),
        ("POST", f"/Patient/{P}/$reindex", None),
        ("POST", "/$reindex", {"resourceType": "Parameters"}),
    ],
)
@pytest.mark.parametrize("way", ["alone", "batch", "later"])
def test_a_reindex_is_no_persons(
    world: World, tokens: Tokens, method: str, path: str, body: Any, way: str
) -> None:
    if way == "alone":
        assert ask(world, tokens, DOCTOR, method, path, body).status_code == 403
        return
    entry = {"request": {"method": method, "url": path[1:]}}
    entries = [entry | ({"resource": body} if body else {})]
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    doctor = replace(DOCTOR, token=new_id())
    headers = {"Authorization": f"Bearer {tokens.give(doctor)}"}
    if way == "later":
        headers["Prefer"] = "respond-async"
    answer = world.http.post("/", json=bundle, headers=headers)
    while answer.status_code == 202:
        place = answer.headers.get("content-location", answer.url)
        answer = world.http.get(str(place), headers=headers)
    assert answer.json()["entry"][0]["response"]["status"][:3] == "403"


PATHS: Final = (
    "/", "/Patient", f"/Patient/{CLOSED}", "/Patient/absent", f"/Patient/{CLOSED}/_history",
    f"/Patient/{CLOSED}/_history/1", "/$job-status/any", "/$reindex", "/_history", "/_search",
    f"/Patient/{CLOSED}/$everything", f"/Patient/{CLOSED}/*", "/Binary/closed-content",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_options_tell_of_paths_and_never_of_what_is_there(world: World, path: str) -> None:
    answer = world.http.options(path)
    assert answer.status_code == 204
    assert answer.content == b""
    absent = world.http.options(path.replace(CLOSED, "never").replace("closed", "never"))
    assert answer.headers["allow"] == absent.headers["allow"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_sa_20_nothing_below_the_base_is_open(world: World, method: str, path: str) -> None:
    assert world.http.request(method, path).status_code in {401, 405}


def test_be_11_validating_what_is_stored_is_reading_it(world: World, tokens: Tokens) -> None:
    who = replace(PATIENT, scopes=parse_scopes("patient/Observation.rs"), user=None)
    answer = ask(world, tokens, who, "GET", f"/Patient/{P}/$validate")
    assert answer.status_code == 403
    assert 'scope="patient/Patient.r"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("path", ["/metrics", "/docs", "/openapi.json", "/health/ready"])
def test_pages_beside_the_base_tell_nothing_of_data(
    world: World, tokens: Tokens, path: str
) -> None:
    ask(world, tokens, DOCTOR, "GET", f"/Patient/{CLOSED}?name={CLOSED}")
    host = str(world.http.base_url).removesuffix("/fhir/")
    found = httpx.get(f"{host}{path}")
    assert found.status_code == 200
    assert CLOSED not in found.text.replace("in-flight", "")
    assert PRIVATE not in found.text
