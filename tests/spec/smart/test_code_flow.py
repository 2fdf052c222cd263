"""SMART App Launch, authorization code: the thin line from request to token, and its edges.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

import asyncio

import pytest

from fhir_server.rest.oauth.verifier import TokenVerifier
from fhir_server.smart.authorization import Denied
from fhir_server.store.mongo.client import Client
from fhir_server.store.mongo.sealing import Seal
from fhir_server.store.mongo.smart import MongoSmart
from tests.support.smart import ALL_SCOPES, BASE, CALLBACK, ISSUER, Smart, request_of, said

pytestmark = pytest.mark.anyio


async def test_sa_01_to_09_cli_01_a_code_becomes_a_token(smart: Smart) -> None:
    client = await smart.client()
    parked = await smart.parked(client, state="a b&c=ü%")
    answer = await smart.answer(parked)
    assert answer["state"] == "a b&c=ü%"
    assert answer["iss"] == ISSUER
    assert "error" not in answer
    response = await smart.redeem(client, answer["code"])
    assert response.status_code == 200
    body = response.json()
    assert body["token_type"] == "Bearer"
    assert isinstance(body["expires_in"], int)
    assert set(body["scope"].split()) == set(ALL_SCOPES.split())
    principal = await smart.verifier.verify(body["access_token"])
    assert principal is not None
    assert (principal.patient, principal.user) == ("anna", "Patient/anna")
    assert [each.text for each in principal.scopes] == ["patient/*.rs"]


async def test_sa_08_the_patient_is_told(smart: Smart) -> None:
    body = await smart.tokens(await smart.client())
    assert body["patient"] == "anna"
    assert body["need_patient_banner"] is True


async def test_sa_15_a_person_says_no(smart: Smart) -> None:
    parked = await smart.parked(await smart.client())
    answer = await smart.answer(parked, Denied())
    assert (answer["error"], answer["state"]) == ("access_denied", "xyz")
    assert "code" not in answer


async def test_tok_03_ctx_12_14_nothing_else_is_in_the_answer(smart: Smart) -> None:
    body = await smart.tokens(await smart.client())
    texts = {"access_token", "token_type", "scope", "refresh_token", "id_token", "patient"}
    assert set(body) == texts | {"expires_in", "need_patient_banner", "smart_style_url"}
    assert all(isinstance(body[each], str) for each in texts)
    assert type(body["expires_in"]) is int


async def test_ref_14_every_refresh_brings_a_refresh_token(smart: Smart) -> None:
    client = await smart.client()
    body = await smart.tokens(client)
    renewed = (await smart.refresh(client, body["refresh_token"])).json()
    assert renewed["refresh_token"] != body["refresh_token"]


async def test_sa_19_another_server_does_not_know_the_token(
    smart: Smart, mongodb_client: Client
) -> None:
    body = await smart.tokens(await smart.client())
    elsewhere = MongoSmart(mongodb_client["elsewhere"], Seal(None)).access_tokens
    verifier = TokenVerifier(elsewhere, smart.clock.now)
    assert await verifier.verify(body["access_token"]) is None


async def test_tok_01_02_nobody_keeps_a_token_response(smart: Smart) -> None:
    client = await smart.client()
    response = await smart.redeem(client, await smart.code(client))
    assert "no-store" in response.headers["cache-control"]
    assert "no-cache" in response.headers["pragma"]
    assert response.headers["content-type"] == "application/json;charset=UTF-8"


async def test_err_20_of_parallel_redemptions_one_wins(smart: Smart) -> None:
    client = await smart.client()
    code = await smart.code(client)
    responses = await asyncio.gather(*(smart.redeem(client, code) for _ in range(12)))
    assert sorted(each.status_code for each in responses) == [200] + [400] * 11


async def test_err_14_a_replayed_code_revokes_what_the_first_one_gave(smart: Smart) -> None:
    client = await smart.client()
    code = await smart.code(client)
    first = (await smart.redeem(client, code)).json()
    again = await smart.redeem(client, code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert not await smart.works(first["access_token"])
    assert (await smart.refresh(client, first["refresh_token"])).status_code == 400


async def test_post_01_a_form_does_the_same(smart: Smart) -> None:
    form = request_of(await smart.client())
    response = await smart.http.post("/auth/authorize", data=form)
    assert response.status_code == 200
    parked = await smart.ports.parked.find(response.json()["parked"])
    assert parked is not None
    assert "code" in await smart.answer(parked)


async def test_err_01_another_audience_gets_no_code(smart: Smart) -> None:
    response = await smart.ask(await smart.client(), aud="https://other.example/fhir")
    assert response.status_code == 303
    assert response.headers["location"].startswith(CALLBACK)
    answer = said(response.headers["location"])
    assert answer["error"] == "invalid_request"
    assert "code" not in answer


async def test_err_03_a_slash_behind_the_base_is_the_same_base(smart: Smart) -> None:
    parked = await smart.parked(await smart.client(), aud=f"{BASE}/")
    assert parked.request.state == "xyz"
