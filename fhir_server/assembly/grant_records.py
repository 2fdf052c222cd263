"""Grants as Consents: each is written down where its giver can read and withdraw it.

A grant and its Consent end together, whichever is ended first. A client writes no such Consent
and changes nothing of one but its status.

https://hl7.org/fhir/R5/consent-example-smartonfhir.html
"""

from dataclasses import dataclass
from typing import Final

from fhir_server.access.rights import UNLIMITED
from fhir_server.access.scopes import parse_scopes
from fhir_server.access.smart_grants import (
    SmartGrant,
    grant_consent,
    grant_of,
    is_withdrawn,
)
from fhir_server.core.errors import BusinessRule
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.commands import Update
from fhir_server.interactions.context import Context, Intent, Services
from fhir_server.interactions.update import update
from fhir_server.search.plan import UNRESTRICTED
from fhir_server.smart.ending import end
from fhir_server.smart.events import Event
from fhir_server.smart.ports import Ports
from fhir_server.smart.records import Grant
from fhir_server.store.port import Stored

KIND: Final = "Consent"
SERVERS_OWN: Final = Text(
    "A Consent of the category smart-grant is written by the server. Its status may be set to "
    "inactive, which ends the app's access.",
    "Согласие категории smart-grant записывает сервер. Его статус можно сменить на inactive: "
    "это прекращает доступ приложения.",
    "Згоду категорії smart-grant записує сервер. Її статус можна змінити на inactive: "
    "це припиняє доступ застосунку.",
)

_PERFORMERS: Final = ("Patient/", "RelatedPerson/", "Practitioner/")
"""Whom R4 lets consent; an account's Person is none of them."""
_DEPTH: Final = 64
_CHANGING: Final = frozenset({"status", "meta", "id"})


@dataclass
class GrantRecords:
    """`smart.ports.Events`, and the guard of Consents."""

    services: Services | None = None
    ports: Ports | None = None
    """Both are set when they are built, before the first request."""

    async def tell(self, event: Event) -> None:
        """Write down what became of a grant."""
        if event.grant is None or self.ports is None:
            return
        if event.kind == "granted":
            grant = await self.ports.grants.find(event.grant)
            if grant is not None and grant.context.patient is not None:
                await self._write(await self._consent(grant, grant.context.patient))
        elif event.kind == "ended":
            found = await self._read(event.grant)
            if found is not None and found.get("status") == "active":
                await self._write({**found, "status": "inactive"})

    async def guard(self, ctx: Context, intent: Intent) -> None:
        """What a write of a Consent means for a grant.

        Raises:
            BusinessRule: a client writes what only the server does.
        """
        before = None if intent.before is None else self._parsed(intent.before)
        old = None if before is None else grant_of(before)
        new = None if intent.after is None else grant_of(intent.after)
        if old is None and new is None:
            return
        if ctx.principal is not None and not _only_status(before, intent.after):
            raise BusinessRule(SERVERS_OWN)
        is_over = intent.after is None or is_withdrawn(intent.after, ctx.services.now())
        if old is not None and is_over and self.ports is not None:
            await end(self.ports, old, "consent withdrawn")

    async def _consent(self, grant: Grant, patient: str) -> JsonObject:
        client = None if self.ports is None else await self.ports.clients.find(grant.client)
        user = grant.subject.user or ""
        made = grant_consent(
            SmartGrant(
                id=grant.id,
                client=grant.client,
                client_name=grant.client if client is None else client.name,
                patient=patient,
                giver=user if user.startswith(_PERFORMERS) else f"Patient/{patient}",
                scopes=parse_scopes(grant.scopes),
                at=grant.created,
                until=grant.expires,
            )
        )
        return {"resourceType": KIND, "id": grant.id, **made}

    async def _read(self, id_: str) -> JsonObject | None:
        if self.services is None:
            return None
        found = await self.services.store.read(KIND, id_, within=UNRESTRICTED)
        return None if found is None or found.deleted else self._parsed(found)

    async def _write(self, consent: JsonObject) -> None:
        if self.services is not None:
            ctx = Context(self.services, UNLIMITED)
            await update(ctx, Update(KIND, str(consent["id"]), consent))

    def _parsed(self, version: Stored) -> JsonObject:
        return loads(version.body, max_depth=_DEPTH)


def _only_status(before: JsonObject | None, after: JsonObject | None) -> bool:
    if before is None or after is None:
        return False
    names = (before.keys() | after.keys()) - _CHANGING
    return all(before.get(name) == after.get(name) for name in names)
