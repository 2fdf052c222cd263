"""The whole server with access control, as `serve --demo` runs it: a person, an app, a record.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from fhir_server.cabinet.accounts.demo import APP
from fhir_server.settings import Settings
from scripts.postman.signing_in import by_hand
from tests.support.browsing import Visitor
from tests.support.demo_app import authorization, prepared, redemption
from tests.support.fhir import JsonObject
from tests.support.polling import until
from tests.support.running import Running

ANNA: Final = "anna-ivanova-ru"
DOCTOR: Final = "dr-sokolova"
VERIFIER: Final = "a" * 64
REDIRECT: Final = "http://127.0.0.1:9999/callback"
BRANDS: Final = {
    "developers": "https://clinic.example/developers",
    "brands": [{"id": "clinic", "name": "Clinic", "website": "https://clinic.example"}],
}
SCOPE: Final = "launch/patient openid fhirUser offline_access patient/*.rs"


def resources() -> list[JsonObject]:
    people = [
        {"resourceType": "Patient", "id": id_, "name": [{"family": id_}]}
        for id_ in (ANNA, "another")
    ]
    observations = [
        {
            "resourceType": "Observation",
            "id": f"of-{id_}",
            "status": "final",
            "code": {"text": "x"},
            "subject": {"reference": f"Patient/{id_}"},
        }
        for id_ in (ANNA, "another")
    ]
    return [*people, *observations, {"resourceType": "Practitioner", "id": DOCTOR}]


@dataclass(frozen=True)
class Served:
    """A running server and who can sign in."""

    base: str
    passwords: Mapping[str, str]

    @property
    def issuer(self) -> str:
        return self.base.removesuffix("/fhir")

    def get(self, path: str, token: str | None = None, **headers: str) -> httpx.Response:
        given = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.get(f"{self.base}{path}", headers=given | headers, timeout=60)

    def put(self, resource: JsonObject, token: str) -> httpx.Response:
        path = f"{self.base}/{resource['resourceType']}/{resource['id']}"
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.put(path, json=resource, headers=headers, timeout=60)

    def post(self, resource: JsonObject, token: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        path = f"{self.base}/{resource['resourceType']}"
        return httpx.post(path, json=resource, headers=headers, timeout=60)

    def token(self, **form: str) -> dict[str, Any]:
        answer = httpx.post(f"{self.issuer}/auth/token", data=form, timeout=60)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture(scope="module")
def served(mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    brands = tmp_path_factory.mktemp("brands") / "brands.json"
    brands.write_text(json.dumps(BRANDS), encoding="utf-8")
    settings = Settings(
        brands=brands,
        mongodb_uri=mongodb_uri,
        database=f"served_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
    )
    passwords = asyncio.run(prepared(settings, resources()))
    with Running(settings) as running:
        yield Served(running.base_url, passwords)


@pytest.fixture
def visitor(served: Served) -> Iterator[Visitor]:
    found = Visitor(served.issuer)
    yield found
    found.close()


def launched(served: Served, visitor: Visitor, scope: str = SCOPE) -> None:
    """The app sends the browser; the person signs in."""
    visitor.go("/auth/authorize", authorization(served.base, scope))
    email = "anna@demo.example"
    assert visitor.submit(email=email, password=served.passwords[email]) == 200


def tokens(served: Served, visitor: Visitor, scope: str = SCOPE) -> dict[str, Any]:
    launched(served, visitor, scope)
    visitor.submit(answer="allow")
    return served.token(**redemption(visitor.answer["code"]))


def test_sa_01_sa_08_a_person_lets_an_app_read_the_own_record(
    served: Served, visitor: Visitor
) -> None:
    given = tokens(served, visitor)
    assert given["patient"] == ANNA
    token = given["access_token"]
    assert served.get(f"/Patient/{ANNA}", token).status_code == 200
    assert served.get(f"/Observation/of-{ANNA}", token).status_code == 200
    assert served.get("/Observation/of-another", token).status_code == 404
    found = served.get("/Observation?_total=accurate", token).json()
    assert found["total"] == 1


def test_sa_01_postman_gets_a_token_by_the_collections_own_authorization(
    served: Served, visitor: Visitor
) -> None:
    # What "Get New Access Token" does with these values: a browser for the one, a form for
    # the other; `authRequestParams` go where they say.
    places = {"{{issuer}}": served.issuer, "{{base}}": served.base, "{{client_id}}": APP}

    def filled(text: str) -> str:
        for name, value in places.items():
            text = text.replace(name, value)
        return text

    auth = {each["key"]: each["value"] for each in by_hand()["oauth2"]}
    assert auth["grant_type"] == "authorization_code_with_pkce"
    assert {each["send_as"] for each in auth["authRequestParams"]} == {"request_url"}
    challenge = hashlib.sha256(VERIFIER.encode()).digest()
    asked = {each["key"]: filled(each["value"]) for each in auth["authRequestParams"]}
    visitor.go(
        filled(auth["authUrl"]).removeprefix(served.issuer),
        asked
        | {"response_type": "code", "client_id": filled(auth["clientId"])}
        | {name: auth[name] for name in ("redirect_uri", "scope", "state")}
        | {
            "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
            "code_challenge_method": auth["challengeAlgorithm"],
        },
    )
    email = "anna@demo.example"
    visitor.submit(email=email, password=served.passwords[email])
    visitor.submit(answer="allow")
    assert visitor.left_for.startswith("https://oauth.pstmn.io/v1/callback?")
    assert auth["client_authentication"] == "body"
    form = {
        "grant_type": "authorization_code",
        "code": visitor.answer["code"],
        "redirect_uri": auth["redirect_uri"],
        "client_id": filled(auth["clientId"]),
        "code_verifier": VERIFIER,
    }
    answer = httpx.post(filled(auth["accessTokenUrl"]), data=form, timeout=60)
    token = answer.json()["access_token"]
    assert set(answer.json()["scope"].split()) == set(auth["scope"].split())
    assert served.get(f"/Patient/{ANNA}", token).status_code == 200


def test_sa_10_without_a_token_nothing_is_read(served: Served) -> None:
    answer = served.get(f"/Patient/{ANNA}")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_sa_15_a_person_may_say_no(served: Served, visitor: Visitor) -> None:
    launched(served, visitor)
    visitor.submit(answer="deny")
    assert visitor.answer["error"] == "access_denied"
    assert visitor.answer["state"] == "s"


def test_ref_01_cli_20_a_public_app_refreshes_without_naming_itself(
    served: Served, visitor: Visitor
) -> None:
    given = tokens(served, visitor)
    fresh = served.token(grant_type="refresh_token", refresh_token=given["refresh_token"])
    assert served.get(f"/Patient/{ANNA}", fresh["access_token"]).status_code == 200


def consents(served: Served, token: str) -> list[JsonObject]:
    category = "https://fhir-server.example/CodeSystem/consent-category|smart-grant"
    page = served.get(f"/Consent?category={category}&status=active", token).json()
    return [each["resource"] for each in page.get("entry", ())]


def test_a_grant_is_a_consent_and_ends_with_it(served: Served, visitor: Visitor) -> None:
    given = tokens(served, visitor, "launch/patient offline_access patient/*.cruds")
    token = given["access_token"]
    (consent,) = (
        each
        for each in consents(served, token)
        if each["extension"][0]["valueString"] == "patient/*.cruds"
    )
    assert consent["patient"] == {"reference": f"Patient/{ANNA}"}
    wider = {**consent, "extension": [{**consent["extension"][0], "valueString": "x"}]}
    assert served.put(wider, token).status_code == 422
    forged = {name: value for name, value in consent.items() if name != "id"}
    assert served.post(forged, token).status_code == 422
    assert served.put({**consent, "status": "inactive"}, token).status_code == 200
    time.sleep(1)
    assert served.get(f"/Patient/{ANNA}", token).status_code == 401


def test_revo_01_what_is_revoked_on_the_page_is_refused_within_a_second(
    served: Served, visitor: Visitor
) -> None:
    given = tokens(served, visitor)
    assert served.get(f"/Patient/{ANNA}", given["access_token"]).status_code == 200
    assert visitor.go("/auth/account") == 200
    visitor.submit(grant=_grant(visitor.page))
    time.sleep(1)
    assert served.get(f"/Patient/{ANNA}", given["access_token"]).status_code == 401
    refused = httpx.post(
        f"{served.issuer}/auth/token",
        data={"grant_type": "refresh_token", "refresh_token": given["refresh_token"]},
    )
    assert refused.json()["error"] == "invalid_grant"


def test_revo_06_the_page_tells_when_an_app_last_read(served: Served, visitor: Visitor) -> None:
    given = tokens(served, visitor)
    visitor.go("/auth/account")
    assert "Has not read any data yet" in _newest(visitor.page)
    assert served.get(f"/Observation/of-{ANNA}", given["access_token"]).status_code == 200

    def is_told() -> bool:
        visitor.go("/auth/account")
        return "Last read your data" in _newest(visitor.page)

    until(is_told)


def _newest(page: str) -> str:
    """The app that was let in last."""
    return page.partition('<article class="grant">')[2].partition("</article>")[0]


def _grant(page: str) -> str:
    start = page.index('name="grant" value="') + len('name="grant" value="')
    return page[start : page.index('"', start)]


def test_caps_02_disc_18_the_server_says_where_to_sign_in(served: Served) -> None:
    known = served.get("/.well-known/smart-configuration").json()
    security = served.get("/metadata").json()["rest"][0]["security"]
    (uris,) = security["extension"]
    found = {each["url"]: each["valueUri"] for each in uris["extension"]}
    assert found["authorize"] == known["authorization_endpoint"]
    assert found["token"] == known["token_endpoint"]
    assert known["issuer"] == served.issuer


def test_brd_01_brd_05_the_endpoint_of_the_brands_is_this_server(served: Served) -> None:
    known = served.get("/.well-known/smart-configuration").json()
    response = httpx.get(
        known["user_access_brand_bundle"], headers={"Origin": "https://x.example"}
    )
    assert response.headers["access-control-allow-origin"] == "*"
    addresses = [
        each["resource"]["address"]
        for each in response.json()["entry"]
        if each["resource"]["resourceType"] == "Endpoint"
    ]
    assert addresses == [served.base]
    statement = httpx.get(f"{addresses[0]}/metadata", timeout=60)
    assert (statement.status_code, statement.json()["resourceType"]) == (
        200,
        "CapabilityStatement",
    )


@pytest.mark.parametrize(
    ("path", "origin", "allowed"),
    [
        ("/metadata", "https://any.example", "*"),
        ("/.well-known/smart-configuration", "https://any.example", "*"),
        (f"/Patient/{ANNA}", "https://any.example", None),
        (f"/Patient/{ANNA}", "https://oauth.pstmn.io", "https://oauth.pstmn.io"),
        (f"/Patient/{ANNA}", "http://localhost:3000", "http://localhost:3000"),
    ],
)
def test_cors_02_cors_06_cors_08_which_pages_may_read(
    served: Served, path: str, origin: str, allowed: str | None
) -> None:
    answer = served.get(path, Origin=origin)
    assert answer.headers.get("access-control-allow-origin") == allowed


def test_cors_09_no_page_calls_the_page_for_signing_in(served: Served) -> None:
    answer = httpx.get(
        f"{served.issuer}/auth/sign-in", headers={"Origin": "http://localhost:3000"}
    )
    assert "access-control-allow-origin" not in answer.headers


KEPT_PATHS = [
    (f"/Patient/{ANNA}", 200),
    (f"/Patient/{ANNA}/_history/1", 200),
    (f"/Observation?patient={ANNA}", 200),
    ("/Patient/another", 404),
    ("/Nonsense/1", 404),
]


@pytest.mark.parametrize(("path", "status"), KEPT_PATHS)
def test_revo_01_a_browser_keeps_nothing_of_a_record(
    served: Served, visitor: Visitor, path: str, status: int
) -> None:
    """Last-Modified alone lets a browser answer from its cache, for days with old resources:
    https://www.rfc-editor.org/rfc/rfc9111#section-4.2.2"""
    token = tokens(served, visitor)["access_token"]
    answer = served.get(path, token)
    assert (answer.status_code, answer.headers["cache-control"]) == (status, "no-store")
    stranger = served.get(path)
    assert stranger.headers["cache-control"] == "no-store"


def test_disc_the_statement_is_kept_and_asked_for_again(served: Served) -> None:
    answer = served.get("/metadata")
    assert answer.headers["cache-control"] == "no-cache"
    again = served.get("/metadata", **{"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
