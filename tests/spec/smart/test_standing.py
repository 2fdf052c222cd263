"""What is left of a token's grant for work that goes on without the token.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#refresh-access-token
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from joserfc.jwk import RSAKey

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.smart.digests import digest
from fhir_server.smart.ending import end, end_session
from fhir_server.smart.records import Client
from fhir_server.smart.standing import Standing
from tests.support.smart import ANNA, Smart, public_jwks

pytestmark = pytest.mark.anyio

SCOPES = "launch/patient offline_access patient/*.rs"


async def bearer(smart: Smart, token: str) -> Principal:
    found = await smart.ports.access_tokens.find(digest(token))
    assert found is not None
    return found.principal


async def person(smart: Smart, client: Client, scopes: str = SCOPES) -> Principal:
    return await bearer(smart, (await smart.tokens(client, scope=scopes))["access_token"])


async def test_a_grant_that_lives_stands_as_it_was(smart: Smart) -> None:
    principal = await person(smart, await smart.client())
    smart.clock.tick(3600)  # the token is long over
    assert await Standing(smart.ports).of(principal) == principal


async def revoked(smart: Smart, client: Client, principal: Principal) -> None:
    await end(smart.ports, principal.grant or "", "by the patient")
    assert client.id == principal.client


async def blocked(smart: Smart, client: Client, _: Principal) -> None:
    await smart.ports.clients.put(replace(client, standing="blocked"))


async def removed(smart: Smart, client: Client, _: Principal) -> None:
    await smart.ports.clients.remove(client.id)


async def locked(smart: Smart, _: Client, __: Principal) -> None:
    smart.people.gone.add(ANNA.account)


async def expired(smart: Smart, _: Client, principal: Principal) -> None:
    grant = await smart.ports.grants.find(principal.grant or "")
    assert grant is not None
    await smart.ports.grants.put(replace(grant, expires=smart.clock.now()))


async def of_another(smart: Smart, _: Client, principal: Principal) -> None:
    grant = await smart.ports.grants.find(principal.grant or "")
    assert grant is not None
    subject = replace(grant.subject, account="another")
    await smart.ports.grants.put(replace(grant, subject=subject))


@pytest.mark.parametrize("happens", [revoked, blocked, removed, locked, expired, of_another])
async def test_revo_07_nothing_stands_when_it_is_over(
    smart: Smart, happens: Callable[[Smart, Client, Principal], Awaitable[None]]
) -> None:
    client = await smart.client()
    principal = await person(smart, client)
    standing = Standing(smart.ports)
    assert await standing.of(principal) == principal
    await happens(smart, client, principal)
    smart.clock.tick(1)
    assert await standing.of(principal) is None


async def test_a_revoked_grant_is_not_believed_for_a_moment(smart: Smart) -> None:
    principal = await person(smart, await smart.client())
    standing = Standing(smart.ports)
    await standing.of(principal)
    await end(smart.ports, principal.grant or "", "by the patient")
    assert await standing.of(principal) is None


@pytest.mark.parametrize(
    ("scopes", "stands"),
    [
        ("launch/patient offline_access patient/*.rs", True),
        ("launch/patient online_access patient/*.rs", False),
        ("launch/patient patient/*.rs", False),
    ],
)
async def test_without_offline_access_it_ends_with_the_session(
    smart: Smart, scopes: str, stands: bool
) -> None:
    principal = await person(smart, await smart.client(), scopes)
    grant = await smart.ports.grants.find(principal.grant or "")
    assert grant is not None
    await end_session(smart.ports, grant.session)
    assert (await Standing(smart.ports).of(principal) is not None) == stands


@pytest.mark.parametrize(
    ("now", "left"),
    [
        ("patient/*.rs", "patient/*.rs"),
        ("patient/*.r", "patient/*.r"),
        ("patient/Observation.rs", "patient/Observation.rs"),
        (
            "patient/Observation.cruds?category=laboratory",
            "patient/Observation.rs?category=laboratory",
        ),
        ("user/*.rs", ""),
        ("openid", ""),
    ],
)
async def test_scopes_are_those_that_the_grant_has_too(
    smart: Smart, now: str, left: str
) -> None:
    principal = await person(smart, await smart.client())
    grant = await smart.ports.grants.find(principal.grant or "")
    assert grant is not None
    await smart.ports.grants.put(replace(grant, scopes=f"offline_access {now}"))
    found = await Standing(smart.ports).of(principal)
    assert found is not None
    assert found.scopes == parse_scopes(left)


async def test_a_service_stands_on_its_registration(smart: Smart, rsa_key: RSAKey) -> None:
    service = await smart.client(
        token_endpoint_auth_method="private_key_jwt",
        grant_types=["client_credentials"],
        redirect_uris=[],
        jwks=public_jwks(rsa_key),
        scope="system/*.rs",
    )
    token = (await smart.backend(service, rsa_key)).json()["access_token"]
    principal = await bearer(smart, token)
    standing = Standing(smart.ports)
    assert await standing.of(principal) == principal
    await smart.ports.clients.put(replace(service, scopes="system/Observation.rs"))
    fewer = await standing.of(principal)
    assert fewer is not None
    assert fewer.scopes == parse_scopes("system/Observation.rs")
    # A person without a grant is nobody: it is no service.
    assert await standing.of(replace(principal, account="someone")) is None
    await smart.ports.clients.put(replace(service, standing="blocked"))
    assert await standing.of(principal) is None
