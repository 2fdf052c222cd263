"""What the audit is told of grants and tokens.

https://profiles.ihe.net/ITI/BALP/
"""

import pytest
from joserfc.jwk import RSAKey

from fhir_server.smart.authorization import Denied
from fhir_server.smart.ending import end
from tests.support.smart import ALL_SCOPES, ANNA, Smart, public_jwks

pytestmark = pytest.mark.anyio


def kinds(smart: Smart) -> list[tuple[str, str]]:
    return [(each.kind, each.reason) for each in smart.told.events]


async def test_revo_09_the_life_of_a_grant(smart: Smart) -> None:
    client = await smart.client()
    body = await smart.tokens(client)
    await smart.refresh(client, body["refresh_token"])
    grant = await smart.grant(client)
    assert await end(smart.ports, grant.id, "by the person")
    assert not await end(smart.ports, grant.id, "by the person")
    assert kinds(smart) == [
        ("granted", ""),
        ("issued", ""),
        ("refreshed", ""),
        ("ended", "by the person"),
    ]
    for event in smart.told.events:
        assert (event.client, event.account, event.grant, event.patient) == (
            *(client.id, ANNA.account, grant.id, "anna"),
        )
        assert set(event.scopes.split()) == set(ALL_SCOPES.split())


async def test_revo_09_refusals(smart: Smart) -> None:
    client = await smart.client()
    await smart.answer(await smart.parked(client), Denied(ANNA.account))
    await smart.redeem(client, "BAD")
    await smart.redeem(client, "BAD", client_id="nobody")
    assert kinds(smart) == [
        ("refused", "access_denied"),
        ("failed", "invalid_grant"),
        ("failed", "invalid_client"),
    ]
    assert smart.told.events[0].account == ANNA.account


async def test_revo_09_thefts(smart: Smart) -> None:
    client = await smart.client()
    code = await smart.code(client)
    await smart.redeem(client, code)
    await smart.redeem(client, code)
    second = await smart.tokens(client)
    await smart.refresh(client, second["refresh_token"])
    smart.clock.tick(60)
    await smart.refresh(client, second["refresh_token"])
    ended = [each.reason for each in smart.told.events if each.kind == "ended"]
    assert ended == ["code replayed", "refresh token reused"]


async def test_revo_09_services_and_registrations(smart: Smart, rsa_key: RSAKey) -> None:
    service = await smart.client(
        token_endpoint_auth_method="private_key_jwt",
        grant_types=["client_credentials"],
        redirect_uris=[],
        jwks=public_jwks(rsa_key),
        scope="system/*.rs",
    )
    await smart.backend(service, rsa_key)
    open_ = smart.with_policy(registration="open")
    app = {"redirect_uris": ["https://a.example/"], "token_endpoint_auth_method": "none"}
    await open_.http.post("/auth/register", json=app)
    assert kinds(smart) == [("issued", ""), ("registered", "")]


async def test_revo_09_ehr_launches(smart: Smart) -> None:
    """A context that is made, and the one sign-in that uses it."""
    portal = await smart.client(
        token_endpoint_auth_method="client_secret_basic", permissions=["launch"]
    )
    app = await smart.client()
    body = {"client_id": app.id, "patient": "anna", "account": ANNA.account}
    made = await smart.http.post("/auth/launch", json=body, auth=(portal.id, "s3cret"))
    value = made.json()["launch"]
    parked = await smart.parked(app, launch=value, scope="launch patient/*.rs")
    await smart.answer(parked)
    assert kinds(smart) == [
        ("launched", f"made by {portal.id}"),
        ("opened", ""),
        ("granted", ""),
    ]
    for event in smart.told.events:
        assert (event.client, event.account, event.patient) == (app.id, ANNA.account, "anna")
        assert value not in repr(event)
