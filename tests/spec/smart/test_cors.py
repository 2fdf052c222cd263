"""Which web pages may call which endpoint.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#considerations-for-cross-origin-resource-sharing-cors-support
"""

from dataclasses import replace

import pytest
from starlette.requests import Request
from starlette.types import Message
from typing_extensions import override

from fhir_server.core.errors import BadValue, FhirError, Unavailable
from fhir_server.rest.oauth.attempts import Attempts
from fhir_server.rest.oauth.bodies import read_form
from fhir_server.smart.errors import InvalidRequest
from fhir_server.smart.records import Client
from fhir_server.store.mongo.client import NOT_STORABLE, UNREACHABLE
from fhir_server.store.mongo.smart_clients import MongoClients
from tests.support.smart import CALLBACK, Smart, client_of, request_of

pytestmark = pytest.mark.anyio

APP = "https://app.example"
STRANGER = "https://stranger.example"
ALLOWED = "access-control-allow-origin"

OPEN = [
    "/fhir/.well-known/smart-configuration",
    "/.well-known/openid-configuration",
    "/auth/jwks",
    "/auth/style/1.json",
]
REGISTERED = ["token", "introspect", "revoke", "register", "userinfo"]


@pytest.mark.parametrize("path", OPEN)
async def test_cors_01_10_discovery_is_for_any_page(smart: Smart, path: str) -> None:
    response = await smart.http.get(path, headers={"Origin": STRANGER})
    assert (response.status_code, response.headers[ALLOWED]) == (200, "*")
    assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize("name", REGISTERED)
async def test_cors_03_06_08_registered_pages_read_errors_too(smart: Smart, name: str) -> None:
    await smart.client(redirect_uris=[CALLBACK, "org.example.app:/cb"])
    for origin, answer in ((APP, APP), (STRANGER, None), ("null", None)):
        response = await smart.http.post(f"/auth/{name}", headers={"Origin": origin})
        assert response.status_code >= 400
        assert response.headers.get(ALLOWED) == answer
        assert "Origin" in response.headers["vary"]


async def test_cors_03_a_token_for_a_page(smart: Smart) -> None:
    client = await smart.client()
    body = await smart.tokens(client)
    form = {"grant_type": "refresh_token", "refresh_token": body["refresh_token"]}
    response = await smart.post("token", form, headers={"Origin": APP})
    assert (response.status_code, response.headers[ALLOWED]) == (200, APP)
    assert "WWW-Authenticate" in response.headers["access-control-expose-headers"]  # CORS-07


async def test_cors_05_a_preflight(smart: Smart) -> None:
    await smart.client()
    asked = {
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    for origin, answer in ((APP, APP), (STRANGER, None)):
        headers = {"Origin": origin, **asked}
        response = await smart.http.options("/auth/userinfo", headers=headers)
        assert response.status_code == 204
        assert response.headers.get(ALLOWED) == answer
    response = await smart.http.options("/auth/userinfo", headers={"Origin": APP, **asked})
    names = response.headers["access-control-allow-headers"].lower().split(", ")
    assert {
        *("authorization", "content-type", "accept", "prefer", "if-match", "if-none-match"),
        *("if-none-exist", "x-request-id"),
    } <= set(names)
    methods = response.headers["access-control-allow-methods"].split(", ")
    assert {"GET", "POST", "PUT", "PATCH", "DELETE"} <= set(methods)


async def test_cors_09_authorize_is_no_place_to_call(smart: Smart) -> None:
    form = request_of(await smart.client())
    response = await smart.http.get("/auth/authorize", params=form, headers={"Origin": APP})
    assert ALLOWED not in response.headers
    preflight = {"Origin": APP, "Access-Control-Request-Method": "POST"}
    response = await smart.http.options("/auth/authorize", headers=preflight)
    assert response.status_code == 405
    assert ALLOWED not in response.headers


async def test_cors_06_origins_of_the_setting(smart: Smart) -> None:
    rows = [
        (STRANGER, STRANGER, True),
        ("*", STRANGER, True),
        (APP, STRANGER, False),
        ("localhost", STRANGER, False),
        ("localhost", "http://localhost:3000", True),
        ("localhost", "http://127.0.0.1:3000", True),
        ("localhost", "http://localhost.evil.example", False),
    ]
    for given, origin, allowed in rows:
        http = client_of(replace(smart.service, origins=(given,)))
        response = await http.post("/auth/token", headers={"Origin": origin})
        assert response.headers.get(ALLOWED) == (origin if allowed else None), (given, origin)


async def test_blocked_clients_have_no_pages(smart: Smart) -> None:
    client = await smart.client(redirect_uris=["https://blocked.example/cb"])
    await smart.ports.clients.put(replace(client, standing="blocked"))
    headers = {"Origin": "https://blocked.example"}
    assert ALLOWED not in (await smart.http.post("/auth/token", headers=headers)).headers


class Strict:
    """Lets nobody in."""

    async def wait(self, endpoint: str, request: Request) -> int | None:
        del request
        return 7 if endpoint == "/auth/token" else None

    async def failed(self, endpoint: str, request: Request) -> None:
        assert (endpoint, request.method) == ("/auth/token", "POST")


async def test_err_21_a_limit_is_told(smart: Smart) -> None:
    http = client_of(replace(smart.service, throttle=Strict()))
    response = await http.post("/auth/token")
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")
    assert (await http.get("/auth/jwks")).status_code == 200


async def test_err_21_cli_08_guessing_is_slow(smart: Smart) -> None:
    attempts = Attempts(3, smart.clock.seconds)
    http = client_of(replace(smart.service, throttle=attempts))
    client = await smart.client(token_endpoint_auth_method="client_secret_basic")
    form = {"grant_type": "authorization_code", "code": "x"}
    for _ in range(3):
        guess = await http.post("/auth/token", data=form, auth=(client.id, "guess"))
        assert guess.status_code == 401
        assert (await http.get("/auth/jwks")).status_code == 200  # counts for nothing
        smart.clock.tick(10)
    stopped = await http.post("/auth/token", data=form, auth=(client.id, "s3cret"))
    assert (stopped.status_code, stopped.headers["retry-after"]) == (429, "30")
    smart.clock.tick(30)
    again = await http.post("/auth/token", data=form, auth=(client.id, "s3cret"))
    assert again.status_code == 400


async def test_a_worker_remembers_few_addresses(
    smart: Smart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fhir_server.rest.oauth.attempts.KEPT", 2)
    attempts = Attempts(3, smart.clock.seconds)
    for host in ("1.1.1.1", "2.2.2.2", "3.3.3.3"):
        await attempts.failed("x", Request({"type": "http", "client": (host, 1)}))
    assert list(attempts._failures) == ["2.2.2.2", "3.3.3.3"]


async def test_other_paths_are_not_ours(smart: Smart) -> None:
    for path in ("/", "/fhir/Patient", "/auth/other", "/auth/style/1.css"):
        response = await smart.http.get(path)
        assert (response.status_code, response.text) == (404, "other")


class Away(MongoClients):
    """Clients in a database that does not answer."""

    def __init__(self, error: FhirError) -> None:
        self._error = error

    @override
    async def find(self, id_: str) -> Client | None:
        raise self._error


async def test_a_database_that_does_not_answer(smart: Smart) -> None:
    for error, status in ((Unavailable(UNREACHABLE), 503), (BadValue(NOT_STORABLE), 400)):
        service = replace(smart.service, ports=replace(smart.ports, clients=Away(error)))
        form = {"grant_type": "authorization_code", "client_id": "x", "code": "y"}
        response = await client_of(service).post("/auth/token", data=form)
        assert response.status_code == status
        assert set(response.json()) == {"error", "error_description"}
        assert response.headers["cache-control"] == "no-store"


async def test_a_body_that_does_not_arrive() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    kind = (b"content-type", b"application/x-www-form-urlencoded")
    request = Request({"type": "http", "headers": [kind]}, receive)
    with pytest.raises(InvalidRequest):
        await read_form(request)
