"""The audit, put together: where requests are noted, and what becomes of that.

services = await with_audit(settings, store, services)
await sink(services).note(Occurrence("export", Who(client="mis")))
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from fhir_server.access.audit_log import AuditSink
from fhir_server.core.errors import FhirError
from fhir_server.interactions.audit import Audit, Drain
from fhir_server.interactions.audit_events import KIND, guard_audit_event
from fhir_server.interactions.context import Guard, Services
from fhir_server.interactions.last_reads import SECONDS, LastReads
from fhir_server.interactions.trail import Sink
from fhir_server.jobs.audit import StoredNames, chores
from fhir_server.jobs.runner import Chore
from fhir_server.settings import Settings
from fhir_server.store.mongo import audit_log
from fhir_server.store.mongo.audit_archive import MongoAuditArchive
from fhir_server.store.mongo.audit_chain import retain
from fhir_server.store.mongo.sealing import Seal
from fhir_server.store.mongo.smart import MongoSmart
from fhir_server.store.mongo.smart_clients import MongoClients
from fhir_server.store.mongo.store import MongoStore


async def audit(settings: Settings, store: MongoStore, services: Services) -> Audit | None:
    """The audit; None where it is switched off, or nobody has to say who they are."""
    if settings.audit == "off" or settings.insecure_no_auth:
        return None
    await audit_log.prepare(store.database)
    relaxed = settings.audit == "relaxed"
    log = audit_log.MongoAuditLog(store.database, services.new_id, relaxed=relaxed)
    archive = MongoAuditArchive(store.database, services.index, store.prepare)
    clients = MongoClients(store.database)

    async def called(id_: str) -> str | None:
        client = await clients.find(id_)
        return None if client is None else client.name

    names = StoredNames(store, services.limits.depth, called)
    return Audit(log, Drain(log, archive, services.base_url, names))


async def with_audit(settings: Settings, store: MongoStore, services: Services) -> Services:
    """The same services, which tell who reads."""
    return replace(
        services,
        audit=await audit(settings, store, services),
        last_reads=last_reads(settings, store, services),
    )


def chores_of(settings: Settings, store: MongoStore, services: Services) -> Sequence[Chore]:
    """What the audit does in the background."""
    found: list[Chore] = []
    if services.last_reads is not None:
        found.append(Chore("last_reads", services.last_reads.write, SECONDS))
    if services.audit is not None:
        remove = partial(retain, store.database)
        seconds, days = settings.audit_seconds, settings.audit_days
        found += chores(services.audit, remove, services.now, seconds=seconds, days=days)
    return found


def last_reads(settings: Settings, store: MongoStore, services: Services) -> LastReads | None:
    """When apps last read; None where nobody has to say who they are."""
    if settings.insecure_no_auth:
        return None
    return LastReads(MongoSmart(store.database, Seal(None)).grants.read, services.now)


def guards(settings: Settings) -> Mapping[str, Sequence[Guard]]:
    """AuditEvents are nobody's to write."""
    return {KIND: (guard_audit_event(foreign=settings.audit_foreign),)}


async def settled(services: Services) -> None:
    """Before the database is let go: what a relaxed log still owes is written."""
    if services.last_reads is not None:
        with suppress(FhirError):
            await services.last_reads.write()
    if services.audit is not None:
        with suppress(FhirError):
            await services.audit.log.flush()


def sink(services: Services) -> AuditSink | None:
    """Where pages and exports tell what happened; None where nothing is audited."""
    if services.audit is None:
        return None
    return Sink(services.audit.log, services.now, services.new_id)
