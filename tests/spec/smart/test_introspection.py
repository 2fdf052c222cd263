"""Introspection, revocation, and the verifier of the FHIR endpoint.

https://www.rfc-editor.org/rfc/rfc7662
https://www.rfc-editor.org/rfc/rfc7009
"""

import base64
import json
import time
from dataclasses import replace

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from fhir_server.rest.oauth.verifier import TokenVerifier
from fhir_server.smart.records import Client, LaunchContext
from tests.support.smart import ISSUER, Smart

pytestmark = pytest.mark.anyio

AUTH = "client_secret_basic"


async def auditor(smart: Smart) -> Client:
    return await smart.client(token_endpoint_auth_method=AUTH, permissions=["introspect"])


async def test_intr_01_to_04_sa_21_an_active_token(smart: Smart) -> None:
    client, reader = await smart.client(), await auditor(smart)
    body = await smart.tokens(client)
    form = {"token": body["access_token"]}
    response = await smart.post("introspect", form, auth=(reader.id, "s3cret"))
    said = response.json()
    assert response.status_code == 200
    assert said["active"] is True
    assert set(said["scope"].split()) == set(body["scope"].split())
    assert said["client_id"] == client.id
    assert said["exp"] == smart.clock.now() // 1000 + body["expires_in"]  # SA-21
    for name in ("patient", "need_patient_banner", "smart_style_url"):
        assert said[name] == body[name]
    claims = _claims(body["id_token"])
    assert (said["iss"], said["sub"]) == (claims["iss"], claims["sub"])
    assert said["fhirUser"] == claims["fhirUser"]


def _claims(token: str) -> dict[str, object]:
    part = token.split(".")[1]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(part + "=="))
    return found


async def test_intr_05_06_everything_else_is_just_inactive(smart: Smart) -> None:
    client, reader = await smart.client(), await auditor(smart)
    auth = (reader.id, "s3cret")
    body = await smart.tokens(client)
    smart.clock.tick(600)
    for token in ("invalid_token_value", body["access_token"], body["id_token"]):
        response = await smart.post("introspect", {"token": token}, auth=auth)
        assert (response.status_code, response.json()) == (200, {"active": False})


async def test_intr_07_08_who_may_ask(smart: Smart) -> None:
    client = await smart.client()
    token = (await smart.tokens(client))["access_token"]
    form = {"token": token}
    assert (await smart.post("introspect", form)).status_code == 401
    public = await smart.post("introspect", {**form, "client_id": client.id})
    assert public.status_code == 401
    stranger = await smart.client(token_endpoint_auth_method=AUTH)
    foreign = await smart.post("introspect", form, auth=(stranger.id, "s3cret"))
    assert foreign.json() == {"active": False}
    own = await smart.post("introspect", form, headers={"Authorization": f"Bearer {token}"})
    assert own.json()["active"] is True
    wrong = await smart.post("introspect", form, headers={"Authorization": "Bearer x"})
    assert wrong.status_code == 401


async def test_intr_07_08_the_bearer_of_a_public_apps_token_asks_about_their_own(
    smart: Smart,
) -> None:
    """Everybody who uses the app has such a token; another's tells whose record it opens."""
    app = await smart.client()
    mine, again, another = [await smart.tokens(app) for _ in range(3)]
    bearer = {"Authorization": f"Bearer {mine['access_token']}"}
    asked = [
        (mine["access_token"], True),
        (mine["refresh_token"], True),
        (again["access_token"], False),
        (another["refresh_token"], False),
    ]
    for token, active in asked:
        answer = await smart.http.post(
            "/auth/introspect", data={"token": token}, headers=bearer
        )
        assert answer.json()["active"] is active
        assert active or answer.json() == {"active": False}


async def test_intr_09_10_the_form(smart: Smart) -> None:
    client, reader = await smart.client(), await auditor(smart)
    auth = (reader.id, "s3cret")
    body = await smart.tokens(client)
    form = {"token": body["refresh_token"], "token_type_hint": "nonsense"}
    response = await smart.post("introspect", form, auth=auth)
    assert response.json()["token_type"] == "refresh_token"
    assert response.headers["cache-control"] == "no-store"
    assert (await smart.http.get("/auth/introspect")).status_code == 405
    assert (await smart.post("introspect", {}, auth=auth)).status_code == 400


async def test_revo_03_a_refresh_token_given_back(smart: Smart) -> None:
    client = await smart.client()
    body = await smart.tokens(client)
    form = {"token": body["refresh_token"], "client_id": client.id, "token_type_hint": "x"}
    assert (await smart.post("revoke", form)).status_code == 200
    assert not await smart.works(body["access_token"])
    assert (await smart.refresh(client, body["refresh_token"])).status_code == 400


async def test_revo_04_an_access_token_given_back(smart: Smart) -> None:
    client = await smart.client()
    body = await smart.tokens(client)
    form = {"token": body["access_token"], "client_id": client.id}
    assert (await smart.post("revoke", form)).status_code == 200
    assert not await smart.works(body["access_token"])
    assert (await smart.refresh(client, body["refresh_token"])).status_code == 200


async def test_revo_05_strangers_learn_and_change_nothing(smart: Smart) -> None:
    client, other = await smart.client(), await smart.client()
    body = await smart.tokens(client)
    for token in (body["access_token"], body["refresh_token"], "unknown"):
        response = await smart.post("revoke", {"token": token, "client_id": other.id})
        assert (response.status_code, response.content) == (200, b"")
    assert await smart.works(body["access_token"])
    assert (await smart.post("revoke", {"token": "x"})).status_code == 401


async def test_revo_07_every_worker_knows_within_a_second(smart: Smart) -> None:
    """Two verifiers are two workers."""
    client = await smart.client()
    body = await smart.tokens(client)
    tokens, clock = smart.ports.access_tokens, smart.clock
    workers = [TokenVerifier(tokens, clock.now, clock.seconds) for _ in range(2)]
    for each in workers:
        assert await each.verify(body["access_token"])
    form = {"token": body["access_token"], "client_id": client.id}
    await smart.post("revoke", form)
    clock.tick(1)
    for each in workers:
        assert await each.verify(body["access_token"]) is None


async def test_sa_20_tok_07_an_expired_token(smart: Smart) -> None:
    body = await smart.tokens(await smart.client())
    assert await smart.verifier.verify(body["access_token"])
    smart.clock.tick(body["expires_in"])
    assert await smart.verifier.verify(body["access_token"]) is None
    assert await smart.verifier.verify("") is None
    assert await smart.verifier.verify("x" * 10_000) is None


async def test_a_known_token_is_verified_in_microseconds(smart: Smart) -> None:
    token = (await smart.tokens(await smart.client()))["access_token"]
    await smart.verifier.verify(token)
    begun = time.thread_time()  # the servers of the session are at work beside
    for _ in range(1000):
        await smart.verifier.verify(token)
    assert (time.thread_time() - begun) / 1000 < 50e-6


async def test_ctx_10_a_launch_context_is_introspected(smart: Smart) -> None:
    client, reader = await smart.client(), await auditor(smart)
    parked = await smart.parked(client)
    context = LaunchContext(
        patient="anna", intent="reconcile", tenant="t1", fhir_context=({"reference": "List/1"},)
    )
    answer = await smart.answer(replace(parked, context=context))
    body = (await smart.redeem(client, answer["code"])).json()
    form = {"token": body["access_token"]}
    said = (await smart.post("introspect", form, auth=(reader.id, "s3cret"))).json()
    for name in ("patient", "intent", "tenant", "fhirContext", "need_patient_banner"):
        assert said[name] == body[name]


async def test_oidc_18_userinfo(smart: Smart) -> None:
    client = await smart.client()
    body = await smart.tokens(client)
    for method in ("GET", "POST"):
        header = {"Authorization": f"Bearer {body['access_token']}"}
        response = await smart.http.request(method, "/auth/userinfo", headers=header)
        assert response.json() == {
            "sub": "account-anna",
            "fhirUser": f"{ISSUER}/fhir/Patient/anna",
        }
    plain = await smart.tokens(client, scope="launch/patient patient/*.rs")
    header = {"Authorization": f"Bearer {plain['access_token']}"}
    assert (await smart.http.get("/auth/userinfo", headers=header)).status_code == 403
    refused = await smart.http.get("/auth/userinfo", headers={"Authorization": "Bearer x"})
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
    assert "invalid_token" in refused.headers["www-authenticate"]
    nobody = await smart.http.get("/auth/userinfo")
    assert nobody.headers["www-authenticate"] == "Bearer"
    malformed = await smart.http.get("/auth/userinfo", headers={"Authorization": "Bearer"})
    assert malformed.status_code == 400


async def test_tok_07_userinfo_of_an_expired_token(smart: Smart) -> None:
    body = await smart.tokens(await smart.client())
    smart.clock.tick(body["expires_in"])
    header = {"Authorization": f"Bearer {body['access_token']}"}
    response = await smart.http.get("/auth/userinfo", headers=header)
    assert (response.status_code, response.json()["error"]) == (401, "invalid_token")


async def test_tok_06_a_token_in_the_url_counts_for_nothing(smart: Smart) -> None:
    token = (await smart.tokens(await smart.client()))["access_token"]
    assert (await smart.http.get(f"/auth/userinfo?access_token={token}")).status_code == 401


async def test_an_id_token_is_no_access_token(smart: Smart) -> None:
    body = await smart.tokens(await smart.client())
    assert await smart.verifier.verify(body["id_token"]) is None
    key = OctKey.generate_key(256)
    forged = jwt.encode({"alg": "HS256"}, {"sub": "x"}, key, algorithms=["HS256"])
    assert await smart.verifier.verify(forged) is None


async def test_tokens_of_a_client_that_is_gone(smart: Smart) -> None:
    client = await smart.client()
    token = (await smart.tokens(client))["access_token"]
    await smart.ports.clients.put(replace(client, standing="blocked"))
    headers = {"Authorization": f"Bearer {token}"}
    response = await smart.post("introspect", {"token": token}, headers=headers)
    assert (response.status_code, response.json()["error"]) == (401, "invalid_token")


async def test_a_worker_remembers_a_bounded_number(
    smart: Smart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fhir_server.rest.oauth.verifier.KEPT", 2)
    client = await smart.client()
    for _ in range(4):
        assert await smart.verifier.verify((await smart.tokens(client))["access_token"])
    assert len(smart.verifier._seen) == 2


async def test_a_used_refresh_token_is_not_active(smart: Smart) -> None:
    client, reader = await smart.client(), await auditor(smart)
    body = await smart.tokens(client)
    await smart.refresh(client, body["refresh_token"])
    form = {"token": body["refresh_token"]}
    response = await smart.post("introspect", form, auth=(reader.id, "s3cret"))
    assert response.json() == {"active": False}
