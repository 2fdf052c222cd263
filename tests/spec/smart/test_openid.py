"""OpenID Connect: id tokens, keys and sign-out.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#scopes-for-requesting-identity-data
"""

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from fhir_server.rest.oauth.key_ring import PUBLISHED_AHEAD, KeyRing
from fhir_server.store.mongo.sealing import Seal, SealedError
from fhir_server.store.mongo.smart import MongoSmart
from fhir_server.store.mongo.smart_keys import MongoSigningKeys
from tests.support.smart import ANNA, DAY, ISSUER, Clock, Smart, said

pytestmark = pytest.mark.anyio


async def claims(smart: Smart, token: str) -> Mapping[str, Any]:
    """As a client reads them: with the published keys."""
    keys = KeySet.import_key_set((await smart.http.get("/auth/jwks")).json())
    found: dict[str, Any] = jwt.decode(token, keys, algorithms=["RS256"]).claims
    return found


async def test_oidc_01_to_07_an_id_token(smart: Smart) -> None:
    client = await smart.client()
    decision = await smart.decision()
    parked = await smart.parked(client, nonce="n-0S6")
    answer = await smart.answer(parked, decision)
    body = (await smart.redeem(client, answer["code"])).json()
    now = smart.clock.now() // 1000
    at_hash = sha256(body["access_token"].encode()).digest()[:16]
    assert await claims(smart, body["id_token"]) == {
        "iss": ISSUER,
        "sub": ANNA.account,
        "aud": client.id,
        "iat": now,
        "exp": now + 600,
        "auth_time": decision.session.auth_time // 1000,
        "acr": "2",
        "amr": ["pwd", "otp"],
        "sid": decision.session.id,
        "nonce": "n-0S6",  # OIDC-10
        "at_hash": base64.urlsafe_b64encode(at_hash).rstrip(b"=").decode(),  # OIDC-16
        "fhirUser": f"{ISSUER}/fhir/Patient/anna",
    }


async def test_oidc_04_05_the_key_set_holds_nothing_private(smart: Smart) -> None:
    response = await smart.http.get("/auth/jwks")
    assert response.headers["content-type"] == "application/json"
    (key,) = response.json()["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}
    body = await smart.tokens(await smart.client())
    head = base64.urlsafe_b64decode(body["id_token"].split(".")[0] + "==")
    assert key["kid"].encode() in head


async def test_oidc_09_openid_and_fhir_user_go_together(smart: Smart) -> None:
    client = await smart.client()
    plain = await smart.tokens(client, scope="openid patient/*.rs")
    assert "fhirUser" not in await claims(smart, plain["id_token"])
    none = await smart.tokens(client, scope="fhirUser patient/*.rs")
    assert "id_token" not in none


async def test_oidc_14_keys_change_and_overlap(smart_state: MongoSmart) -> None:
    clock = Clock()
    made: list[Any] = [RSAKey.generate_key(2048, {"kid": f"k{n}"}) for n in range(2)]
    waiting = iter(made)

    async def make() -> Mapping[str, Any]:
        return dict(next(waiting).as_dict(private=True))

    database = smart_state.keys._table.database.client[
        f"{smart_state.keys._table.database.name}_r"
    ]
    stored = MongoSigningKeys(database, Seal(None))
    ring = KeyRing(stored, clock.now, lasts=90 * DAY * 1000, make=make)

    async def seen() -> tuple[str, list[str]]:
        token = await ring.sign({"sub": "x"})
        published = [each["kid"] for each in await ring.public()]
        kid = jwt.decode(token, KeySet(made), algorithms=["RS256"]).header["kid"]
        return kid, published

    assert await seen() == ("k0", ["k0"])
    clock.tick(90 * DAY)
    assert await seen() == ("k0", ["k1", "k0"])  # published, and not used yet
    clock.tick(PUBLISHED_AHEAD / 1000)
    assert await seen() == ("k1", ["k1", "k0"])  # used; what k0 signed is still good
    assert await KeyRing(stored, clock.now, lasts=90 * DAY * 1000, make=make).public()
    await database.client.drop_database(database.name)


async def test_keys_are_sealed(smart: Smart, smart_state: MongoSmart) -> None:
    await smart.service.key_ring.public()
    table = smart_state.keys._table
    row = await table.find_one()
    assert row is not None
    assert b'"d"' not in bytes(row["private"])
    for other in (None, "another key"):
        with pytest.raises(SealedError):
            await MongoSigningKeys(table.database, Seal(other)).all()


async def test_oidc_15_sub_is_no_name(smart: Smart) -> None:
    first = await smart.tokens(await smart.client())
    second = await smart.tokens(await smart.client())
    subjects = {(await claims(smart, each["id_token"]))["sub"] for each in (first, second)}
    assert subjects == {ANNA.account}


async def test_oidc_20_a_refreshed_id_token(smart: Smart) -> None:
    client = await smart.client()
    first = await smart.tokens(client, nonce="once")
    smart.clock.tick(30)
    body = (await smart.refresh(client, first["refresh_token"])).json()
    old, new = [await claims(smart, each["id_token"]) for each in (first, body)]
    for name in ("iss", "sub", "aud", "fhirUser", "auth_time"):
        assert old[name] == new[name]
    assert new["iat"] == old["iat"] + 30
    assert "nonce" not in new


LOGGED_OUT = "https://app.example/bye"


async def test_oidc_19_an_app_signs_a_person_out(smart: Smart) -> None:
    client = await smart.client(post_logout_redirect_uris=[LOGGED_OUT])
    decision = await smart.decision()
    answer = await smart.answer(await smart.parked(client), decision)
    body = (await smart.redeem(client, answer["code"])).json()
    smart.clock.tick(3600)  # the id token has expired; it still says whose session this is
    form = {
        "id_token_hint": body["id_token"],
        "post_logout_redirect_uri": LOGGED_OUT,
        "state": "s",
    }
    response = await smart.http.get("/auth/end-session", params=form)
    assert response.headers["location"].startswith(LOGGED_OUT)
    assert said(response.headers["location"]) == {"state": "s"}
    session = await smart.ports.sessions.find(decision.session.id)
    assert session is not None
    assert not session.live(smart.clock.now())
    assert (await smart.refresh(client, body["refresh_token"])).status_code == 200  # offline


@pytest.mark.parametrize(
    "change",
    [
        {"id_token_hint": ""},
        {"id_token_hint": "a.b.c"},
        {"post_logout_redirect_uri": "https://evil.example/"},
        {"post_logout_redirect_uri": f"{LOGGED_OUT}/"},
        {"client_id": "other"},
    ],
)
async def test_oidc_19_sign_out_is_no_open_redirect(
    smart: Smart, change: dict[str, str]
) -> None:
    client = await smart.client(post_logout_redirect_uris=[LOGGED_OUT])
    body = await smart.tokens(client)
    form = {"id_token_hint": body["id_token"], "post_logout_redirect_uri": LOGGED_OUT}
    response = await smart.http.post("/auth/end-session", data={**form, **change})
    assert response.status_code == 400
    assert "location" not in response.headers
    grant = await smart.grant(client)
    session = await smart.ports.sessions.find(grant.session)
    assert session is not None
    assert session.live(smart.clock.now())


async def test_a_hint_signed_by_somebody_else(smart: Smart) -> None:
    thief = RSAKey.generate_key(2048, {"kid": "sign-1"})
    client = await smart.client()
    forged = jwt.encode(
        {"alg": "RS256", "kid": "sign-1"},
        {"iss": ISSUER, "aud": client.id, "sid": "session"},
        thief,
    )
    response = await smart.http.post("/auth/end-session", data={"id_token_hint": forged})
    assert response.status_code == 400


async def test_a_hint_of_another_issuer(smart: Smart) -> None:
    for claims_ in ({"iss": "https://other.example"}, {"sub": "x"}):
        token = await smart.service.key_ring.sign(claims_)
        response = await smart.http.post("/auth/end-session", data={"id_token_hint": token})
        assert response.status_code == 400


async def test_a_session_is_prolonged_until_it_ends(smart: Smart) -> None:
    sessions, now = smart.ports.sessions, smart.clock.now()
    session = await smart.session("account-sessions")
    assert await sessions.by_digest(session.digest) == session
    assert await sessions.seen(session.id, now, now + 5000)
    assert not await sessions.seen(session.id, now + 5000, now + 9000)
    await sessions.end_account("account-sessions", now)
    ended = await sessions.find(session.id)
    assert ended is not None
    assert not ended.live(now)


async def test_a_person_stays_here_without_a_place_to_go(smart: Smart) -> None:
    body = await smart.tokens(await smart.client())
    form = {"id_token_hint": body["id_token"]}
    headers = {"Accept-Language": "uk"}
    response = await smart.http.post("/auth/end-session", data=form, headers=headers)
    assert (response.status_code, 'lang="uk"' in response.text) == (200, True)


async def test_sso_a_session_serves_two_apps(smart: Smart) -> None:
    session = await smart.session()
    for _ in range(2):
        parked = await smart.parked(await smart.client())
        assert not parked.needs_sign_in(session, smart.clock.now())
        decision = replace(await smart.decision(), session=session)
        assert "code" in await smart.answer(parked, decision)


async def test_two_workers_make_one_key(smart_state: MongoSmart, rsa_key: RSAKey) -> None:
    home = smart_state.keys._table.database
    database = home.client[f"{home.name}_p"]
    clock = Clock()

    async def make() -> Mapping[str, Any]:
        return dict(rsa_key.as_dict(private=True))

    stored = [MongoSigningKeys(database, Seal(None)) for _ in range(4)]
    rings = [KeyRing(each, clock.now, lasts=DAY * 1000, make=make) for each in stored]
    found = await asyncio.gather(*(each.public() for each in rings))
    assert all(each == found[0] for each in found)
    assert len(found[0]) == 1
    await home.client.drop_database(database.name)
