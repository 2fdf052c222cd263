"""Whether what a token was given for still stands, for work that goes on without the token.

The rules are those of a refresh: the grant lives, its app is approved, the person may still
open the record, and is still signed in unless the app may act without them.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#refresh-access-token
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Final

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import granted
from fhir_server.smart import scopes
from fhir_server.smart.grants import session_lives
from fhir_server.smart.ports import Ports
from fhir_server.smart.records import Client, Grant, Subject

BELIEVED: Final = 1_000
"""Milliseconds for which a person is believed to be who they were; grants and apps are asked
for each time."""
KEPT: Final = 1_024


@dataclass(frozen=True, slots=True)
class _Seen:
    subject: Subject | None
    until: int


class Standing:
    """`await of(principal)`: asked before each step of the work."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._seen: OrderedDict[str, _Seen] = OrderedDict()

    async def of(self, principal: Principal) -> Principal | None:
        """`principal` with what is left of it: scopes, records and organizations that it has
        now too. None where the grant is over, or the app or the account is closed."""
        client = await self._ports.clients.find(principal.client)
        if client is None or client.standing != "active":
            return None
        if principal.grant is None:
            return _service(principal, client)
        grant = await self._ports.grants.find(principal.grant)
        if grant is None or not self._is_theirs(grant, principal):
            return None
        subject = await self._subject(grant)
        return None if subject is None else _person(principal, grant, subject)

    def _is_theirs(self, grant: Grant, principal: Principal) -> bool:
        return (
            grant.live(self._ports.now())
            and grant.client == principal.client
            and grant.subject.account == principal.account
        )

    async def _subject(self, grant: Grant) -> Subject | None:
        now = self._ports.now()
        seen = self._seen.get(grant.id)
        if seen is not None and now < seen.until:
            return seen.subject
        subject = await self._ports.subjects.current(grant)
        if subject is not None and not await session_lives(self._ports, grant):
            subject = None
        self._seen[grant.id] = _Seen(subject, now + BELIEVED)
        self._seen.move_to_end(grant.id)
        while len(self._seen) > KEPT:
            self._seen.popitem(last=False)
        return subject


def _service(principal: Principal, client: Client) -> Principal | None:
    """A backend service: what it is registered for is its grant."""
    if principal.user is not None or principal.account is not None:
        return None
    kept = granted(principal.scopes, scopes.parse(client.scopes).resources)
    organizations = _common(principal.organizations, client.organizations)
    return replace(principal, scopes=kept, organizations=organizations)


def _person(principal: Principal, grant: Grant, subject: Subject) -> Principal:
    return replace(
        principal,
        scopes=granted(principal.scopes, scopes.parse(grant.scopes).resources),
        user=subject.user,
        represented=_common(principal.represented, subject.represented),
        organizations=_common(principal.organizations, subject.organizations),
        staff=principal.staff and subject.staff,
    )


def _common(before: tuple[str, ...], now: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each for each in before if each in now)
