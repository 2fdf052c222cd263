"""The patients' privacy Consents, read into rules: a version of one is read once.

All who ask about everybody share one reading of the store, for as long as it is believed.

https://hl7.org/fhir/R4/consent.html
"""

from asyncio import Lock
from dataclasses import dataclass
from typing import Final

from fhir_server.access.consents import Consent, Reading, read_consent
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Services
from fhir_server.interactions.facts import Facts
from fhir_server.store.port import Stored

BELIEVED: Final = 1_000  # milliseconds; see store.mongo.epochs

_Version = tuple[str, int, int]
"""Id, number and time."""


@dataclass(frozen=True, slots=True)
class Directives:
    """What was on file at one time."""

    at: int
    """Milliseconds since 1970."""
    epoch: int
    """The store's, from before the reading."""
    consents: tuple[Consent, ...]


class OnFile:
    """`await of(patients, epoch, now)`."""

    def __init__(self, services: Services, facts: Facts) -> None:
        self._services = services
        self._facts = facts
        self._reading = Reading(bases=(services.base_url,))
        self._known: dict[_Version, Consent | None] = {}
        self._all: Directives | None = None
        self._lock = Lock()

    async def of(self, patients: tuple[str, ...] | None, epoch: int, now: int) -> Directives:
        """Those of `patients`, or of everybody; `epoch` was asked of the store before.

        Raises:
            TooCostly: they are more than are read.
        """
        if patients is not None:
            return await self._read(patients, epoch, now, {})
        async with self._lock:
            kept = self._all
            if kept is None or kept.epoch < epoch or not 0 <= now - kept.at < BELIEVED:
                kept = await self._read(None, epoch, now, self._known)
                self._all = kept
            return kept

    async def _read(
        self,
        patients: tuple[str, ...] | None,
        epoch: int,
        now: int,
        known: dict[_Version, Consent | None],
    ) -> Directives:
        """`known` is left with the versions of this reading alone."""
        rows = await self._facts.directives(patients)
        found = {(row.id, row.number, row.at): row for row in rows}
        read = {v: known[v] if v in known else self._parsed(row) for v, row in found.items()}
        known.clear()
        known.update(read)
        consents = tuple(each for each in read.values() if each is not None)
        return Directives(now, epoch, consents)

    def _parsed(self, row: Stored) -> Consent | None:
        resource = loads(row.body, max_depth=self._services.limits.depth)
        return read_consent(resource, self._reading)
