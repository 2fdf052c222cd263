"""Which apps may see a record: for the person whose it is, and whoever let an app at it.

The page of granted apps and `/auth/grants` show the same. A grant is listed while tokens can
still come of it, with whatever the person allowed; whoever gave it may end it, and so may the
patient whose record it opens.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#management
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fhir_server.smart.ending import end
from fhir_server.smart.errors import AccessDenied, NotFound
from fhir_server.smart.policy import Policy
from fhir_server.smart.ports import Ports
from fhir_server.smart.records import AccessToken, Client, Grant, Subject
from fhir_server.smart.tokens import fhir_user


@dataclass(frozen=True, slots=True)
class Granted:
    """An app, and what it was granted."""

    grant: Grant
    client: Client


async def granted(ports: Ports, policy: Policy, subject: Subject) -> Sequence[Granted]:
    """What the person gave, and what others gave to their own record; newest first."""
    grants = {each.id: each for each in await ports.grants.of_account(subject.account)}
    kind, _, id_ = (subject.user or "").partition("/")
    if kind == "Patient":
        grants |= {each.id: each for each in await ports.grants.of_patient(id_)}
    found = []
    for grant in sorted(grants.values(), key=lambda each: each.created, reverse=True):
        client = await ports.clients.find(grant.client)
        if client is not None and in_use(grant, policy, ports.now()):
            found.append(Granted(grant, client))
    return found


def in_use(grant: Grant, policy: Policy, now: int) -> bool:
    """Whether tokens have come of the grant, and still can."""
    used = grant.last_used
    return grant.live(now) and used is not None and now < used + policy.refresh_seconds * 1000


async def withdraw(ports: Ports, policy: Policy, subject: Subject, id_: str) -> None:
    """End one of these grants; its tokens are refused within a second.

    Raises:
        NotFound: it is none of theirs, or over.
    """
    theirs = {each.grant.id for each in await granted(ports, policy, subject)}
    if id_ not in theirs or not await end(ports, id_, "by the person"):
        raise NotFound("There is no such grant.")


async def holder(ports: Ports, token: AccessToken) -> Subject:
    """The person behind a token that may look after grants.

    Raises:
        AccessDenied: the app has not the permission `grants`, or nobody stands behind it.
    """
    client = await ports.clients.find(token.client)
    grant = None if token.grant is None else await ports.grants.find(token.grant)
    if client is None or grant is None or "grants" not in client.permissions:
        raise AccessDenied("The app may not look after what people granted.")
    return grant.subject


def shown(policy: Policy, each: Granted) -> dict[str, Any]:
    """One entry of `/auth/grants`; times in seconds since 1970."""
    grant, client = each.grant, each.client
    found = {
        "id": grant.id,
        "client_id": client.id,
        "client_name": client.name,
        "publisher": client.publisher,
        "client_uri": client.client_uri,
        "logo_uri": client.logo_uri,
        "reviewed": client.reviewed,
        "scope": grant.scopes,
        "patient": grant.context.patient,
        "given_by": fhir_user(policy, grant.subject.user),
        "created": grant.created // 1000,
        "last_used": None if grant.last_used is None else grant.last_used // 1000,
        "last_read": None if grant.last_read is None else grant.last_read // 1000,
        "expires": None if grant.expires is None else grant.expires // 1000,
    }
    return {name: value for name, value in found.items() if value not in (None, "")}
