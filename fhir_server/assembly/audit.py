"""The audit, put together: where requests are noted, and what becomes of that.

services = replace(services, audit=await audit(settings, store, services))
Surroundings(…, events=events(services) or Untold())     # of the authorization server
await sink(services).note(Occurrence("sign-in", Who(account=…)))
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from fhir_server.access.audit_log import AuditSink, EventKind, Occurrence
from fhir_server.access.audit_rows import Who
from fhir_server.core.errors import FhirError
from fhir_server.interactions.audit import Audit, Drain
from fhir_server.interactions.audit_events import KIND, guard_audit_event
from fhir_server.interactions.context import Guard, Services
from fhir_server.interactions.trail import Sink
from fhir_server.jobs.audit import StoredNames, chores
from fhir_server.jobs.runner import Chore
from fhir_server.settings import Settings
from fhir_server.smart.events import Event, Events, Kind
from fhir_server.store.mongo import audit_log
from fhir_server.store.mongo.audit_archive import MongoAuditArchive
from fhir_server.store.mongo.audit_chain import retain
from fhir_server.store.mongo.store import MongoStore

_KINDS: Final[Mapping[Kind, EventKind]] = {
    "granted": "grant",
    "refused": "grant",
    "issued": "token",
    "refreshed": "refresh",
    "ended": "revoke",
    "failed": "refused",
    "registered": "register",
}
_REFUSED: Final = {"refused": 403, "failed": 400}


async def audit(settings: Settings, store: MongoStore, services: Services) -> Audit | None:
    """The audit; None where it is switched off, or nobody has to say who they are."""
    if settings.audit == "off" or settings.insecure_no_auth:
        return None
    await audit_log.prepare(store.database)
    relaxed = settings.audit == "relaxed"
    log = audit_log.MongoAuditLog(store.database, services.new_id, relaxed=relaxed)
    archive = MongoAuditArchive(store.database, services.index, store.prepare)
    names = StoredNames(store, services.limits.depth)
    return Audit(log, Drain(log, archive, services.base_url, names))


def chores_of(settings: Settings, store: MongoStore, services: Services) -> Sequence[Chore]:
    """What the audit does in the background."""
    if services.audit is None:
        return ()
    remove = partial(retain, store.database)
    seconds, days = settings.audit_seconds, settings.audit_days
    return chores(services.audit, remove, services.now, seconds=seconds, days=days)


def guards(settings: Settings) -> Mapping[str, Sequence[Guard]]:
    """AuditEvents are nobody's to write."""
    return {KIND: (guard_audit_event(foreign=settings.audit_foreign),)}


async def settled(services: Services) -> None:
    """Before the database is let go: what a relaxed log still owes is written."""
    if services.audit is not None:
        with suppress(FhirError):
            await services.audit.log.flush()


def sink(services: Services) -> AuditSink | None:
    """Where pages and exports tell what happened; None where nothing is audited."""
    if services.audit is None:
        return None
    return Sink(services.audit.log, services.now, services.new_id)


def events(services: Services) -> Events | None:
    """What the authorization server tells of itself goes into the audit, where there is one."""
    found = sink(services)
    return None if found is None else Told(found)


class Told:
    """`smart.events.Events` for an audit."""

    def __init__(self, sink: AuditSink) -> None:
        self._sink = sink

    async def tell(self, event: Event) -> None:
        """Keep it.

        Raises:
            Unavailable: it could not be kept.
        """
        who = Who(
            client=event.client or "", account=event.account or "", grant=event.grant or ""
        )
        await self._sink.note(
            Occurrence(
                _KINDS[event.kind],
                who,
                patients=() if event.patient is None else (event.patient,),
                status=_REFUSED.get(event.kind, 200),
                note=event.reason or event.scopes,
            )
        )
