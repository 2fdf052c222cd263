"""Refresh tokens: rotation, reuse, narrowing, and when they end.

https://www.rfc-editor.org/rfc/rfc9700#section-4.14
https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#refresh-access-token
"""

import asyncio
from dataclasses import replace

import httpx
import pytest

from fhir_server.smart.ending import end, end_account, end_session
from fhir_server.smart.errors import InvalidGrant
from fhir_server.smart.records import AccessToken
from fhir_server.smart.scopes import parse
from fhir_server.smart.tokens import Issue, issue
from tests.support.smart import ALL_SCOPES, ANNA, DAY, Smart

pytestmark = pytest.mark.anyio


def refused(response: httpx.Response) -> bool:
    assert response.status_code == 400
    return bool(response.json()["error"] == "invalid_grant")


async def test_ref_01_03_04_05_a_new_token(smart: Smart) -> None:
    client = await smart.client()
    first = await smart.tokens(client)
    response = await smart.refresh(client, first["refresh_token"])
    body = response.json()
    assert {"access_token", "token_type", "expires_in", "scope"} <= set(body)
    assert body["scope"] == first["scope"]
    assert body["patient"] == "anna"  # CTX-10
    assert "no-store" in response.headers["cache-control"]
    assert "no-cache" in response.headers["pragma"]
    assert await smart.works(body["access_token"])
    assert await smart.works(first["access_token"])  # REF-18


async def test_ref_02_11_scopes_may_shrink_and_grow_back(smart: Smart) -> None:
    client = await smart.client()
    token = (await smart.tokens(client))["refresh_token"]
    for scope in ("patient/Observation.rs", ALL_SCOPES, "patient/*.read openid"):
        body = (await smart.refresh(client, token, scope=scope)).json()
        assert set(body["scope"].split()) == set(scope.split())
        token = body["refresh_token"]
    whole = (await smart.refresh(client, token)).json()
    assert set(whole["scope"].split()) == set(ALL_SCOPES.split())


@pytest.mark.parametrize(
    "scope",
    ["patient/*.cruds", "user/*.rs", f"{ALL_SCOPES} launch/encounter", "cat", "openid cat"],
)
async def test_ref_11_scopes_do_not_widen(smart: Smart, scope: str) -> None:
    client = await smart.client()
    token = (await smart.tokens(client))["refresh_token"]
    response = await smart.refresh(client, token, scope=scope)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_scope")
    assert (await smart.refresh(client, token)).status_code == 200  # and it was not used up


async def test_ref_11_what_a_registration_loses_its_grants_lose(smart: Smart) -> None:
    client = await smart.client()
    token = (await smart.tokens(client))["refresh_token"]
    fewer = "offline_access patient/Observation.rs"
    await smart.ports.clients.put(replace(client, scopes=fewer))
    again = (await smart.refresh(client, token)).json()
    assert set(again["scope"].split()) == set(fewer.split())
    wider = await smart.refresh(client, again["refresh_token"], scope=ALL_SCOPES)
    assert wider.json()["error"] == "invalid_scope"
    await smart.ports.clients.put(replace(client, scopes="system/*.rs"))
    nothing = await smart.refresh(client, again["refresh_token"])
    assert nothing.json()["error"] == "invalid_grant"
    await smart.ports.clients.put(client)
    whole = (await smart.refresh(client, again["refresh_token"])).json()
    assert set(whole["scope"].split()) == set(ALL_SCOPES.split())


async def test_ref_06_a_random_token(smart: Smart) -> None:
    client = await smart.client()
    assert refused(await smart.refresh(client, "random"))
    assert refused(await smart.refresh(None, "random"))


async def test_ref_07_offline_access_outlives_the_session(smart: Smart) -> None:
    client = await smart.client()
    body = await smart.tokens(client)
    smart.clock.tick(99 * DAY)
    renewed = await smart.refresh(client, body["refresh_token"])
    assert renewed.status_code == 200
    smart.clock.tick(101 * DAY)
    assert refused(await smart.refresh(client, renewed.json()["refresh_token"]))


async def test_ref_08_oidc_19_online_access_ends_with_the_session(smart: Smart) -> None:
    client = await smart.client()
    online = "launch/patient online_access patient/*.rs"
    for idle in (False, True):
        parked = await smart.parked(client, scope=online)
        decision = await smart.decision()
        answer = await smart.answer(parked, decision)
        body = (await smart.redeem(client, answer["code"])).json()
        again = await smart.refresh(client, body["refresh_token"])
        assert again.status_code == 200
        if idle:
            smart.clock.tick(1801)
        else:
            await end_session(smart.ports, decision.session.id)
            assert not await smart.works(again.json()["access_token"])
        assert refused(await smart.refresh(client, again.json()["refresh_token"]))


async def test_ref_09_without_the_scope_there_is_no_refresh_token(smart: Smart) -> None:
    client = await smart.client()
    assert "refresh_token" not in await smart.tokens(client, scope="patient/*.rs")
    never = await smart.client(grant_types=["authorization_code"])
    body = await smart.tokens(never)
    assert "refresh_token" not in body
    assert "offline_access" not in body["scope"]


async def test_ref_12_tokens_of_a_confidential_client(smart: Smart) -> None:
    client = await smart.client(token_endpoint_auth_method="client_secret_basic")
    auth = (client.id, "s3cret")
    code = await smart.code(client)
    token = (await smart.redeem(client, code, auth=auth)).json()["refresh_token"]
    for stranger in (None, client):
        assert (await smart.refresh(stranger, token)).status_code == 401
    assert refused(await smart.refresh(await smart.client(), token))
    assert (await smart.refresh(None, token, auth=auth)).status_code == 200


async def test_ref_13_a_replaced_token_ends_the_family(smart: Smart) -> None:
    client = await smart.client()
    first = await smart.tokens(client)
    second = (await smart.refresh(client, first["refresh_token"])).json()
    smart.clock.tick(11)
    assert refused(await smart.refresh(client, first["refresh_token"]))
    assert refused(await smart.refresh(client, second["refresh_token"]))
    assert not await smart.works(second["access_token"])
    assert not await smart.works(first["access_token"])


async def test_ref_13_tabs_refresh_at_the_same_moment(smart: Smart) -> None:
    client = await smart.client()
    token = (await smart.tokens(client))["refresh_token"]
    responses = await asyncio.gather(*(smart.refresh(client, token) for _ in range(4)))
    assert [each.status_code for each in responses] == [200] * 4
    smart.clock.tick(9)
    for each in responses:
        body = each.json()
        assert (await smart.refresh(client, body["refresh_token"])).status_code == 200


async def test_ref_15_revo_01_02_a_patient_ends_a_grant(smart: Smart) -> None:
    client = await smart.client()
    body = await smart.tokens(client)
    grant = await smart.grant(client)
    assert await end(smart.ports, grant.id, "by the patient")
    assert not await smart.works(body["access_token"])
    assert refused(await smart.refresh(client, body["refresh_token"]))


async def test_ref_16_a_closed_account(smart: Smart) -> None:
    client = await smart.client()
    body = await smart.tokens(client)
    smart.people.gone.add(ANNA.account)
    assert refused(await smart.refresh(client, body["refresh_token"]))
    assert not await smart.works(body["access_token"])


async def test_a_grant_may_have_an_end(smart: Smart) -> None:
    client = await smart.client()
    decision = await smart.decision(duration=3600_000)
    answer = await smart.answer(await smart.parked(client), decision)
    body = (await smart.redeem(client, answer["code"])).json()
    smart.clock.tick(3500)
    renewed = (await smart.refresh(client, body["refresh_token"])).json()
    assert renewed["expires_in"] == 100
    smart.clock.tick(100)
    assert refused(await smart.refresh(client, renewed["refresh_token"]))


async def test_revo_07_a_revocation_meets_tokens_on_their_way(smart: Smart) -> None:
    """Whatever the order of a refresh and a revocation, nothing survives both."""
    client = await smart.client()
    for _ in range(5):
        body = await smart.tokens(client)
        grant = await smart.grant(client)
        response, _ = await asyncio.gather(
            smart.refresh(client, body["refresh_token"]),
            end(smart.ports, grant.id, "test"),
        )
        if response.status_code == 200:
            assert not await smart.works(response.json()["access_token"])
            assert refused(await smart.refresh(client, response.json()["refresh_token"]))
        smart.clock.tick(1)


class Meanwhile:
    """Access tokens that are kept at the moment when the patient ends the grant."""

    def __init__(self, smart: Smart, *, before: bool) -> None:
        self._smart = smart
        self._before = before

    async def put(self, token: AccessToken) -> None:
        """As the adapter does; the grant ends just before it, or just behind."""
        tokens = self._smart.ports.access_tokens
        if not self._before:
            await tokens.put(token)
        await end(self._smart.ports, str(token.grant), "by the patient")
        if self._before:
            await tokens.put(token)

    async def find(self, digest: str) -> AccessToken | None:
        return await self._smart.ports.access_tokens.find(digest)

    async def remove(self, digest: str) -> None:
        await self._smart.ports.access_tokens.remove(digest)


@pytest.mark.parametrize("before", [True, False])
async def test_revo_07_a_grant_that_ends_while_tokens_are_made(
    smart: Smart, before: bool
) -> None:
    client = await smart.client()
    first = await smart.tokens(client)
    grant = await smart.grant(client)
    ports = replace(smart.ports, access_tokens=Meanwhile(smart, before=before))
    issue_ = Issue(grant, grant.subject, parse(grant.scopes), 2)
    made: list[str] = []

    def new_secret() -> str:
        made.append(smart.ports.new_secret())
        return made[-1]

    with pytest.raises(InvalidGrant):
        await issue(replace(ports, new_secret=new_secret), smart.service.policy, issue_)
    access, refresh = made
    assert not await smart.works(access)
    assert refused(await smart.refresh(client, refresh))
    assert refused(await smart.refresh(client, first["refresh_token"]))


async def test_revo_08_all_grants_of_a_person(smart: Smart) -> None:
    client = await smart.client()
    first, second = await smart.tokens(client), await smart.tokens(client)
    await end_account(smart.ports, ANNA.account, "password changed")
    for body in (first, second):
        assert not await smart.works(body["access_token"])
