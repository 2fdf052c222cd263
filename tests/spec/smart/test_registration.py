"""Dynamic registration and its management.

https://www.rfc-editor.org/rfc/rfc7591
https://www.rfc-editor.org/rfc/rfc7592
"""

from dataclasses import replace
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from fhir_server.rest.oauth.attempts import HOUR, Attempts
from fhir_server.smart import registration
from fhir_server.smart.digests import digest
from fhir_server.smart.errors import InvalidClientMetadata
from tests.support.smart import CALLBACK, ISSUER, Smart, client_of, public_jwks

pytestmark = pytest.mark.anyio

APP = {
    "client_name": "Diary",
    "redirect_uris": [CALLBACK],
    "token_endpoint_auth_method": "none",
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": "openid fhirUser launch/patient offline_access patient/*.rs",
}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_cli_19_an_app_for_patients_registers_itself(smart: Smart) -> None:
    server = smart.with_policy(registration="open")
    response = await server.http.post("/auth/register", json={**APP, "unknown": 7})
    body = response.json()
    assert response.status_code == 201
    assert response.headers["cache-control"] == "no-store"
    assert {name: body[name] for name in APP} == APP
    assert body["client_id"]
    assert body["reviewed"] is False
    assert "client_secret" not in body
    client = await server.ports.clients.find(body["client_id"])
    assert client is not None
    assert "access_token" in await server.tokens(client)


async def test_cli_18_19_a_secret_is_told_once(smart: Smart) -> None:
    server = smart.with_policy(registration="open")
    app = {**APP, "token_endpoint_auth_method": "client_secret_basic"}
    body = (await server.http.post("/auth/register", json=app)).json()
    assert body["client_secret_expires_at"] == 0
    client = await server.ports.clients.find(body["client_id"])
    assert client is not None
    code = await server.code(client)
    auth = (client.id, body["client_secret"])
    assert (await server.redeem(client, code, auth=auth)).status_code == 200
    assert client.secret_digest == digest(body["client_secret"])
    own = await server.http.get(
        body["registration_client_uri"].removeprefix(ISSUER),
        headers=bearer(body["registration_access_token"]),
    )
    assert own.status_code == 200
    assert "client_secret" not in own.json()


async def test_an_open_door_is_for_patient_apps_alone(smart: Smart, rsa_key: RSAKey) -> None:
    server = smart.with_policy(registration="open")
    wide = {**APP, "scope": "patient/*.rs user/*.rs system/*.rs"}
    body = (await server.http.post("/auth/register", json=wide)).json()
    assert body["scope"] == "patient/*.rs"
    backend = {
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": public_jwks(rsa_key),
        "scope": "system/*.rs",
    }
    response = await server.http.post("/auth/register", json=backend)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_client_metadata")
    permitted = {**APP, "permissions": ["launch", "introspect"], "client_id": "chosen"}
    body = (await server.http.post("/auth/register", json=permitted)).json()
    client = await server.ports.clients.find(body["client_id"])
    assert client is not None
    assert (client.id == "chosen", client.permissions) == (False, frozenset())


async def test_with_the_initial_token_a_service_registers_and_waits(
    smart: Smart, rsa_key: RSAKey
) -> None:
    server = smart.with_policy(registration="token", registration_digest=digest("initial"))
    backend = {
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": public_jwks(rsa_key),
    }
    for headers in ({}, bearer("wrong")):
        no = await server.http.post("/auth/register", json=backend, headers=headers)
        assert (no.status_code, no.json()["error"]) == (401, "invalid_token")
    response = await server.http.post("/auth/register", json=backend, headers=bearer("initial"))
    assert response.json()["standing"] == "pending"
    client = await server.ports.clients.find(response.json()["client_id"])
    assert client is not None
    assert (await server.backend(client, rsa_key)).json()["error"] == "invalid_client"
    await server.ports.clients.put(replace(client, standing="active"))
    assert (await server.backend(client, rsa_key)).status_code == 200


async def test_a_closed_door(smart: Smart) -> None:
    response = await smart.http.post("/auth/register", json=APP)
    assert (response.status_code, response.json()["error"]) == (403, "access_denied")


async def test_state_07_the_operator_alone_says_which_state_is_whose(smart: Smart) -> None:
    codes = ["https://app.example|preferences", "urn:app|keys"]
    server = smart.with_policy(registration="open")
    asked = {**APP, "state_codes": codes}
    body = (await server.http.post("/auth/register", json=asked)).json()
    assert "state_codes" not in body
    client = await server.ports.clients.find(body["client_id"])
    assert client is not None
    given = registration.read(asked, registration.OPERATOR, server.service.policy, client.id)
    assert registration.metadata(given)["state_codes"] == codes
    kept = replace(client, state_codes=given.state_codes)
    await server.ports.clients.put(kept)
    path = body["registration_client_uri"].removeprefix(ISSUER)
    auth = bearer(body["registration_access_token"])
    shown = await server.http.put(path, json={**APP, "state_codes": []}, headers=auth)
    assert shown.json()["state_codes"] == codes


@pytest.mark.parametrize(
    "code", ["preferences", "|x", "https://a.example", "https://a.example|", "https://a|b|c"]
)
async def test_state_07_a_code_has_a_system(smart: Smart, code: str) -> None:
    with pytest.raises(InvalidClientMetadata):
        registration.read(
            {**APP, "state_codes": code}, registration.OPERATOR, smart.service.policy, "a"
        )


BAD: list[Any] = [
    ({"redirect_uris": []}, "invalid_redirect_uri"),
    ({"redirect_uris": ["http://app.example/cb"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["https://app.example/cb#x"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["https://*.example/cb"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["https://user@app.example/cb"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["https:///cb"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["https://a.example;script-src/cb"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["https://a.example%2f.evil.example/"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["https://[::1/cb"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["data:text/html,x"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["myapp://cb"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["/cb"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["https://app.example/a b"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["https://app.example/a\r\nb"]}, "invalid_redirect_uri"),
    ({"redirect_uris": [f"https://a.example/{n}" for n in range(21)]}, "invalid_redirect_uri"),
    ({"redirect_uris": [7]}, "invalid_client_metadata"),
    ({"launch_uris": ["ftp://x.example"]}, "invalid_redirect_uri"),
    ({"client_name": 7}, "invalid_client_metadata"),
    ({"client_name": "Bank\u202egro.live"}, "invalid_client_metadata"),
    ({"publisher": "a\u2066b"}, "invalid_client_metadata"),
    ({"client_name": "a\nb"}, "invalid_client_metadata"),
    ({"contacts": ["x" * 2001]}, "invalid_client_metadata"),
    ({"contacts": ["x"] * 101}, "invalid_client_metadata"),
    ({"client_name": "x" * 2001}, "invalid_client_metadata"),
    ({"grant_types": ["implicit"]}, "invalid_client_metadata"),
    ({"grant_types": ["client_credentials"]}, "invalid_client_metadata"),
    ({"response_types": ["token"]}, "invalid_client_metadata"),
    ({"token_endpoint_auth_method": "client_secret_post"}, "invalid_client_metadata"),
    ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
    ({"jwks": {"keys": [{"kty": "oct", "k": "x"}]}}, "invalid_client_metadata"),
    ({"jwks": {"keys": [{"kty": "RSA", "d": "x"}]}}, "invalid_client_metadata"),
    ({"jwks": {"keys": [{}] * 101}}, "invalid_client_metadata"),
    ({"jwks_uri": "https://[::1/"}, "invalid_client_metadata"),
    (
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": []}},
        "invalid_client_metadata",
    ),
    ({"jwks": []}, "invalid_client_metadata"),
    ({"jwks_uri": "http://app.example/jwks"}, "invalid_client_metadata"),
    ({"jwks_uri": "https://u:p@app.example/jwks"}, "invalid_client_metadata"),
    ({"jwks_uri": "file:///etc/passwd"}, "invalid_client_metadata"),
    ({"jwks_uri": "https://a.example", "jwks": {"keys": []}}, "invalid_client_metadata"),
    ({"client_uri": "javascript:x"}, "invalid_client_metadata"),
    ({"scope": "cat"}, "invalid_client_metadata"),
]


@pytest.mark.parametrize(("change", "code"), BAD)
async def test_cli_19_metadata_that_cannot_be(
    smart: Smart, change: dict[str, Any], code: str
) -> None:
    server = smart.with_policy(registration="open")
    response = await server.http.post("/auth/register", json={**APP, **change})
    assert (response.status_code, response.json()["error"]) == (400, code)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
async def test_cli_19_a_body_that_is_none(smart: Smart, body: bytes) -> None:
    server = smart.with_policy(registration="open")
    response = await server.http.post("/auth/register", content=body)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_client_metadata")


async def test_cli_14_19_a_client_looks_after_itself(
    smart: Smart, rsa_key: RSAKey, ec_key: ECKey
) -> None:
    server = smart.with_policy(registration="open")
    app = {**APP, "token_endpoint_auth_method": "private_key_jwt", "jwks": public_jwks(rsa_key)}
    body = (await server.http.post("/auth/register", json=app)).json()
    path = body["registration_client_uri"].removeprefix(ISSUER)
    auth = bearer(body["registration_access_token"])
    changed = {**app, "client_name": "Diary 2", "jwks": public_jwks(ec_key)}
    response = await server.http.put(path, json=changed, headers=auth)
    assert (response.status_code, response.json()["client_name"]) == (200, "Diary 2")
    client = await server.ports.clients.find(body["client_id"])
    assert client is not None
    code = await server.code(client)
    assertion = server.assertion(client, ec_key)
    first = await server.redeem(client, code, **assertion)
    assert first.status_code == 200
    assert (await server.http.delete(path, headers=auth)).status_code == 204
    assert not await server.works(first.json()["access_token"])
    assert (await server.http.get(path, headers=auth)).status_code == 401


async def test_cli_19_a_service_keeps_its_levels(smart: Smart, rsa_key: RSAKey) -> None:
    server = smart.with_policy(registration="token", registration_digest=digest("initial"))
    backend = {
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": public_jwks(rsa_key),
        "scope": "system/Patient.rs",
    }
    made = await server.http.post("/auth/register", json=backend, headers=bearer("initial"))
    body = made.json()
    client = await server.ports.clients.find(body["client_id"])
    assert client is not None
    await server.ports.clients.put(replace(client, standing="active", reviewed=True))
    path = body["registration_client_uri"].removeprefix(ISSUER)
    auth = bearer(body["registration_access_token"])
    same = (await server.http.put(path, json=backend, headers=auth)).json()
    assert (same["standing"], same["reviewed"]) == ("active", True)
    wide = {**backend, "scope": "system/*.rs"}
    more = (await server.http.put(path, json=wide, headers=auth)).json()
    assert (more["standing"], more["scope"]) == ("pending", "system/*.rs")


async def test_cli_19_nobody_else_does(smart: Smart) -> None:
    server = smart.with_policy(registration="open")
    first = (await server.http.post("/auth/register", json=APP)).json()
    second = (await server.http.post("/auth/register", json=APP)).json()
    path = first["registration_client_uri"].removeprefix(ISSUER)
    given = [{}, bearer("x"), bearer(second["registration_access_token"])]
    for headers in given:
        assert (await server.http.get(path, headers=headers)).status_code == 401
        assert (await server.http.delete(path, headers=headers)).status_code == 401
    by_operator = await server.client()
    path = f"/auth/register/{by_operator.id}"
    assert (await server.http.get(path, headers=bearer(""))).status_code in (400, 401)
    assert (
        await server.http.get("/auth/register/unknown", headers=given[1])
    ).status_code == 401


async def test_cli_19_what_was_approved_stays_within_what_it_was(smart: Smart) -> None:
    server = smart.with_policy(registration="open")
    body = (await server.http.post("/auth/register", json=APP)).json()
    client = await server.ports.clients.find(body["client_id"])
    assert client is not None
    await server.ports.clients.put(replace(client, reviewed=True))
    path = body["registration_client_uri"].removeprefix(ISSUER)
    auth = bearer(body["registration_access_token"])
    renewed = {**APP, "contacts": ["mailto:a@b.example"], "software_version": "2"}
    assert (await server.http.put(path, json=renewed, headers=auth)).json()["reviewed"] is True
    wide = {**APP, "scope": "patient/*.cruds user/*.cruds system/*.cruds"}
    response = (await server.http.put(path, json=wide, headers=auth)).json()
    assert (response["scope"], response["reviewed"]) == ("patient/*.cruds", False)
    await server.ports.clients.put(replace(client, reviewed=True))
    for change in ({"client_id": "x"}, {"token_endpoint_auth_method": "client_secret_basic"}):
        no = await server.http.put(path, json={**APP, **change}, headers=auth)
        assert no.status_code == 400


CHANGES: list[dict[str, Any]] = [
    {"client_name": "Your hospital"},
    {"publisher": "Your hospital"},
    {"client_uri": "https://a.example"},
    {"logo_uri": "https://a.example/logo.png"},
    {"policy_uri": "https://a.example/policy"},
    {"tos_uri": "https://a.example/terms"},
    {"redirect_uris": [CALLBACK, "https://elsewhere.example/cb"]},
    {"launch_uris": ["https://elsewhere.example/launch"]},
    {"post_logout_redirect_uris": ["https://elsewhere.example/"]},
    {"grant_types": ["authorization_code"]},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda each: next(iter(each)))
async def test_cli_19_an_approved_app_does_not_become_another(
    smart: Smart, change: dict[str, Any]
) -> None:
    """Approval is of what the operator saw: not of the name or the place that comes later."""
    server = smart.with_policy(registration="token", registration_digest=digest("initial"))
    app = {**APP, "scope": "openid user/*.rs"}
    made = await server.http.post("/auth/register", json=app, headers=bearer("initial"))
    body = made.json()
    client = await server.ports.clients.find(body["client_id"])
    assert client is not None
    await server.ports.clients.put(replace(client, reviewed=True, standing="active"))
    path = body["registration_client_uri"].removeprefix(ISSUER)
    auth = bearer(body["registration_access_token"])
    same = (await server.http.put(path, json=app, headers=auth)).json()
    assert (same["standing"], same["reviewed"]) == ("active", True)
    other = (await server.http.put(path, json={**app, **change}, headers=auth)).json()
    assert (other["standing"], other["reviewed"]) == ("pending", False)
    kept = await server.ports.clients.find(client.id)
    assert kept is not None
    assert kept.changed == server.clock.now()


async def test_err_21_nobody_fills_the_server_with_apps(smart: Smart) -> None:
    open_, most = smart.with_policy(registration="open", registration_digest=digest("t")), 3
    limit = Attempts(most, smart.clock.seconds, HOUR)
    http = client_of(replace(open_.service, registrations=limit))
    for _ in range(most):
        assert (await http.post("/auth/register", json=APP)).status_code == 201
    refused = await http.post("/auth/register", json=APP)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3600")
    assert (await http.post("/auth/register", json=APP, headers=bearer("t"))).is_success
    smart.clock.tick(3600)
    assert (await http.post("/auth/register", json=APP)).status_code == 201
