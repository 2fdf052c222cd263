"""Access tokens for a first look, printed at the start of `serve --demo`: curl reads at once.

They expire as others do, and end with the next start. Their client has no key, no secret and
nowhere to redirect to: nobody gets a token as it, but here.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from fhir_server.cabinet.accounts.demo import APP, FIGURES, SERVICE, Figure
from fhir_server.cabinet.accounts.ports import AccountPorts
from fhir_server.cabinet.accounts.standing import lock
from fhir_server.cabinet.accounts.subjects import subject
from fhir_server.smart import scopes
from fhir_server.smart.policy import Policy
from fhir_server.smart.records import Client, Grant, LaunchContext
from fhir_server.smart.tokens import Issue, issue, issue_backend
from fhir_server.store.accounts import Account

TERMINAL: Final = "demo-terminal"
"""Id of the client that the tokens are of."""
SYSTEM: Final = "system"
"""Whose token may do everything, as a hospital's own system."""
SECONDS: Final = 3600
"""A first hour; the most that `FHIR_ACCESS_TOKEN_SECONDS` allows."""

_OF_SYSTEM: Final = "system/*.cruds"
_OF_PATIENT: Final = "patient/*.cruds"
_OF_STAFF: Final = "user/*.cruds"


async def seed_tokens(ports: AccountPorts, policy: Policy) -> Mapping[str, str]:
    """Tokens by address of the demo account, and that of `SYSTEM`; those of the last start
    end."""
    await ports.smart.grants.revoke_client(TERMINAL, ports.now(), "demo started anew")
    client = _client(ports.now())
    await ports.smart.clients.put(client)
    rules = replace(policy, access_seconds=SECONDS, backend_seconds=SECONDS)
    given = await issue_backend(ports.smart, rules, client, scopes.parse(_OF_SYSTEM))
    found = {SYSTEM: str(given["access_token"])}
    for figure in FIGURES:
        account = await ports.state.accounts.by_email(figure.email)
        if account is not None:
            found[figure.email] = await _personal(ports, rules, figure, account)
    return found


async def withdraw_demo(ports: AccountPorts) -> None:
    """End everything that a demo has left in the database: apps, tokens, passwords."""
    for client in (APP, SERVICE, TERMINAL):
        await ports.smart.clients.remove(client)
        await ports.smart.grants.revoke_client(client, ports.now(), "demo is over")
    for figure in FIGURES:
        await lock(ports, figure.email)


async def _personal(
    ports: AccountPorts, policy: Policy, figure: Figure, account: Account
) -> str:
    person = subject(account, await ports.records.of_account(account))
    now = ports.now()
    grant = Grant(
        id=ports.new_id(),
        client=TERMINAL,
        subject=person,
        session="",
        scopes=_OF_PATIENT if figure.patient else _OF_STAFF,
        context=LaunchContext(patient=figure.patient),
        level=account.level,
        acr="",
        amr=(),
        auth_time=now,
        created=now,
        expires=now + policy.access_seconds * 1000,
    )
    await ports.smart.grants.put(grant)
    wanted = Issue(grant, person, scopes.parse(grant.scopes))
    return str((await issue(ports.smart, policy, wanted))["access_token"])


def _client(now: int) -> Client:
    return Client(
        id=TERMINAL,
        name="Demo terminal",
        method="private_key_jwt",
        grant_types=frozenset(),
        jwks={"keys": []},
        reviewed=True,
        publisher="This server",
        created=now,
    )
