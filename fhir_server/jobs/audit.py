"""What is done for the audit beside answering: events made in time, names found, old removed.

https://hl7.org/fhir/R4/auditevent.html
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final

from fhir_server.core.paths import ID
from fhir_server.core.wire import loads
from fhir_server.interactions.audit import Audit
from fhir_server.jobs.runner import Chore
from fhir_server.search.plan import UNRESTRICTED
from fhir_server.store.port import Reads

_BATCHES: Final = 20  # a go
_REST: Final = 9
"""Times as long as a go took the next one waits while requests are answered: what is owed is
paid by a tenth of the process then, and by all of it afterwards."""
_HOUR: Final = 3600.0
_DAY: Final = 86_400_000  # milliseconds
_NAMED: Final = frozenset({"Patient", "Practitioner", "RelatedPerson", "Person"})
_TITLED: Final = frozenset({"Organization", "HealthcareService"})

Remove = Callable[[int], Awaitable[int]]
"""Removes what was noted before a moment (milliseconds); how much that was."""


def chores(
    audit: Audit, remove: Remove, now: Callable[[], int], *, seconds: float, days: int
) -> list[Chore]:
    """The audit's part of a process's background."""

    async def make() -> None:
        await audit.log.flush()  # what a relaxed log could not write before
        while True:
            begun, kept = time.monotonic(), audit.log.kept
            if await audit.drain.some(None, _BATCHES) < _BATCHES:
                return
            is_busy = audit.log.kept != kept
            await asyncio.sleep(_REST * (time.monotonic() - begun) if is_busy else 0)

    async def shorten() -> None:
        await remove(now() - days * _DAY)

    return [
        Chore("audit", make, seconds),
        *([Chore("audit-retention", shorten, _HOUR)] if days else []),
    ]


class StoredNames:
    """`interactions.audit.Names` from the resources themselves; clients by `clients`."""

    def __init__(
        self,
        reads: Reads,
        depth: int,
        clients: Callable[[str], Awaitable[str | None]] | None = None,
    ) -> None:
        self._reads = reads
        self._depth = depth
        self._clients = clients

    async def __call__(self, references: Collection[str]) -> dict[str, str]:
        """What to call them; those without a name are left out."""
        found: dict[str, str] = {}
        for each in references:
            kind, _, id_ = each.partition("/")
            name = await self._name(kind, id_)
            if name:
                found[each] = name
        return found

    async def _name(self, kind: str, id_: str) -> str | None:
        if kind == "Device" and self._clients is not None:
            return await self._clients(id_)
        if kind not in _NAMED | _TITLED or not ID.fullmatch(id_):
            return None
        row = await self._reads.read(kind, id_, within=UNRESTRICTED)
        if row is None or row.deleted:
            return None
        resource = loads(row.body, max_depth=self._depth)
        name = resource.get("name")
        return name if isinstance(name, str) else _of_person(name)


def _of_person(names: Any) -> str | None:
    """The first HumanName as one line."""
    first: Mapping[str, Any] = names[0] if isinstance(names, list) and names else {}
    parts = [*first.get("given", ()), first.get("family")]
    return first.get("text") or " ".join(str(each) for each in parts if each) or None
