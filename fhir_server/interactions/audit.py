"""The audit as the interactions see it: a log to write, and AuditEvents made of it in time.

Events are made lazily. Whoever asks for AuditEvents is first given what is still owed, so
that a patient reads what happened a moment ago.

https://hl7.org/fhir/R4/auditevent.html
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from fhir_server.access.audit_event import about, audit_event, event_id, readers
from fhir_server.access.audit_log import AuditArchive, AuditBatch, AuditLog
from fhir_server.access.audit_rows import Entry, own_patient, read_batch, read_entry
from fhir_server.core.errors import Unavailable
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject

BEHIND: Final = Text(
    "The audit is still being written up. Try again shortly.",
    "Журнал доступа ещё обрабатывается. Повторите запрос чуть позже.",
    "Журнал доступу ще опрацьовується. Повторіть запит трохи згодом.",
)

_AT_ONCE: Final = 25  # events filed, or batches read, together: some milliseconds
_MOST: Final = 20_000  # batches that one read may have to wait for
_PATIENTLY: Final = 8.0  # seconds for which it may

Names = Callable[[Collection[str]], Awaitable[dict[str, str]]]
"""What to call these references; those without a name are left out."""


class Drain:
    """Makes AuditEvents of what the log owes."""

    def __init__(
        self, log: AuditLog, archive: AuditArchive, base_url: str, names: Names
    ) -> None:
        self._log = log
        self._archive = archive
        self._base_url = base_url
        self._names = names

    async def all(self, patients: Collection[str] | None) -> None:
        """Make every event that is owed: in the record of `patients`, or at all.

        Raises:
            Unavailable: there are more than a request can wait for.
        """
        await self._log.flush()
        try:
            async with asyncio.timeout(_PATIENTLY):
                if await self.some(patients, _MOST) >= _MOST:
                    raise Unavailable(BEHIND)
        except TimeoutError as error:
            raise Unavailable(BEHIND) from error

    async def some(self, patients: Collection[str] | None, limit: int) -> int:
        """Make the events of up to `limit` batches; how many there were."""
        batches: list[AuditBatch] = []
        count = 0
        async for batch in self._archive.pending(patients, limit=limit):
            batches.append(batch)
            count += 1
            if len(batches) >= _AT_ONCE:
                await self._make(batches, patients)
                batches = []
        await self._make(batches, patients)
        return count

    async def _make(
        self, batches: Sequence[AuditBatch], patients: Collection[str] | None
    ) -> None:
        """File the events of `batches`: nothing is owed of them any more."""
        wanted = None if patients is None else frozenset(patients)
        chosen = [
            (batch.id, place, entry)
            for batch in batches
            for place, entry in enumerate(_entries(batch))
            if wanted is None or wanted & readers(entry)
        ]
        names = await self._names({each for *_, entry in chosen for each in _named(entry)})
        events: list[JsonObject] = []
        for id_, place, entry in chosen:
            for event in self._of_entry(id_, place, entry, wanted, names):
                events.append(event)
                if len(events) >= _AT_ONCE:
                    await self._archive.file(events)
                    events = []
        await self._archive.file(events)
        await self._archive.close([each.id for each in batches], patients)

    def _of_entry(
        self,
        batch: str,
        place: int,
        entry: Entry,
        wanted: frozenset[str] | None,
        names: dict[str, str],
    ) -> Iterable[JsonObject]:
        for number, deed in enumerate(entry.deeds):
            for patient in about(deed):
                if wanted is None or wanted & {patient, own_patient(entry.who)}:
                    id_ = event_id(entry.at, batch, place, number, patient)
                    yield audit_event(entry, deed, patient, id_, self._base_url, names)


@dataclass(frozen=True, slots=True)
class Audit:
    """The two ends of it."""

    log: AuditLog
    drain: Drain


def _entries(batch: AuditBatch) -> Sequence[Entry]:
    return read_batch(batch.body).entries if batch.whole else (read_entry(batch.body),)


def _named(entry: Entry) -> Iterable[str]:
    who = entry.who
    if who.client:
        yield f"Device/{who.client}"
    if who.user:
        yield who.user
    yield from who.organizations
