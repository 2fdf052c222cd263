"""Dynamic registration: create, read, replace and delete a client by what it holds.

https://www.rfc-editor.org/rfc/rfc7591#section-3
https://www.rfc-editor.org/rfc/rfc7592#section-2
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from fhir_server.smart import registration, scopes
from fhir_server.smart.digests import digest, same
from fhir_server.smart.errors import AccessDenied, InvalidClientMetadata, InvalidToken
from fhir_server.smart.events import Event
from fhir_server.smart.policy import Policy
from fhir_server.smart.ports import Clients, Ports, States
from fhir_server.smart.records import Client
from fhir_server.smart.registration import Terms
from fhir_server.smart.tokens import Response

_LOOKED_AT: Final = (
    "name",
    "publisher",
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "scopes",
    "grant_types",
    "redirect_uris",
    "launch_uris",
    "logout_uris",
)
"""What an operator approved and people are shown. Keys, contacts and a version may change."""


def terms(policy: Policy, token: str | None) -> Terms:
    """What the caller may register; `token` is the Bearer token, if there is one.

    Raises:
        AccessDenied: registration is closed.
        InvalidToken: the initial access token is missing or wrong.
    """
    if policy.registration == "closed":
        raise AccessDenied("This server registers clients by its operator alone.")
    known = policy.registration_digest
    if token is not None and known and same(digest(token), known):
        return registration.WITH_TOKEN
    if token is None and policy.registration == "open":
        return registration.OPEN
    raise InvalidToken("The initial access token is missing or wrong.")


async def register(
    ports: Ports, policy: Policy, metadata: Mapping[str, Any], allowed: Terms
) -> Response:
    """Keep a new client; the answer is the only one that shows its secrets.

    Raises:
        InvalidClientMetadata: the metadata cannot be registered.
    """
    client = registration.read(metadata, allowed, policy, ports.new_id())
    client, shown = with_secret(replace(client, created=ports.now()), ports.new_secret())
    token = ports.new_secret()
    await ports.clients.put(replace(client, registration_digest=digest(token)))
    await ports.events.tell(Event("registered", client.id, scopes=client.scopes))
    return {
        **registration.metadata(client),
        **shown,
        "registration_access_token": token,
        "registration_client_uri": f"{policy.endpoint('register')}/{client.id}",
    }


def with_secret(client: Client, secret: str) -> tuple[Client, Response]:
    """The client with `secret`, if its method has one, and what its owner is told."""
    if client.method not in ("client_secret_basic", "client_secret_post"):
        return client, {}
    shown: Response = {"client_secret": secret, "client_secret_expires_at": 0}
    return replace(client, secret_digest=digest(secret)), shown


async def managed(ports: Ports, id_: str, token: str | None) -> Client:
    """The client that `token` is the registration access token of.

    Raises:
        InvalidToken: it is not; so too where there is no such client.
    """
    client = await ports.clients.find(id_)
    known = "" if client is None else client.registration_digest
    if client is None or not known or token is None or not same(digest(token), known):
        raise InvalidToken("The registration access token is not valid.")
    return client


async def update(
    ports: Ports, policy: Policy, client: Client, metadata: Mapping[str, Any]
) -> Response:
    """Replace the metadata; id and secrets stay. What the client could not have had at its
    registration it cannot have now, and what was approved is looked at again if it changes.

    Raises:
        InvalidClientMetadata: the metadata cannot be registered, or name another client.
    """
    if metadata.get("client_id", client.id) != client.id:
        raise InvalidClientMetadata("client_id cannot be changed.")
    held = _levels(client)
    changed = registration.read(metadata, held, policy, client.id)
    if changed.method != client.method:
        raise InvalidClientMetadata("token_endpoint_auth_method cannot be changed.")
    same_app = all(getattr(changed, each) == getattr(client, each) for each in _LOOKED_AT)
    standing = client.standing if same_app or client.standing == "blocked" else changed.standing
    changed = replace(
        changed,
        secret_digest=client.secret_digest,
        registration_digest=client.registration_digest,
        created=client.created,
        changed=client.changed if same_app else ports.now(),
        standing=standing,
        reviewed=client.reviewed and same_app,
        permissions=client.permissions,
        organizations=client.organizations,
        state_codes=client.state_codes,
    )
    await ports.clients.put(changed)
    told = Event("registered", changed.id, scopes=changed.scopes, reason="changed")
    await ports.events.tell(told)
    return registration.metadata(changed)


def _levels(client: Client) -> Terms:
    from_token = registration.WITH_TOKEN
    held = scopes.parse(client.scopes)
    if any(held.has_level(each) for each in from_token.awaits_approval):
        return from_token
    return registration.OPEN


async def forget(clients: Clients, states: States, client: Client) -> None:
    """Forget a client, and the app state of which it was the last to have the code."""
    await clients.remove(client.id)
    held = {code for each in await clients.all() for code in each.state_codes}
    await states.erase([code for code in client.state_codes if code not in held])


async def remove(ports: Ports, client: Client) -> None:
    """Forget a client, and end whatever it was granted."""
    await forget(ports.clients, ports.states, client)
    await ports.grants.revoke_client(client.id, ports.now(), "client removed")
    await ports.events.tell(Event("registered", client.id, reason="removed"))
