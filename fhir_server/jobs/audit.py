"""What is done for the audit beside answering: events made in time, names found, old removed.

https://hl7.org/fhir/R4/auditevent.html
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Final

from fhir_server.core.paths import ID
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.audit import Audit
from fhir_server.jobs.runner import Chore
from fhir_server.search.plan import UNRESTRICTED, Ids, Search
from fhir_server.store.port import Reads

_BATCHES: Final = 20  # a go
_AT_ONCE: Final = 200  # resources read together for their names
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
        by_kind: dict[str, list[str]] = {}
        for each in references:
            kind, _, id_ = each.partition("/")
            by_kind.setdefault(kind, []).append(id_)
        found: dict[str, str] = {}
        for kind, ids in by_kind.items():
            found |= {f"{kind}/{id_}": name async for id_, name in self._of(kind, ids)}
        return found

    async def _of(self, kind: str, ids: Sequence[str]) -> AsyncIterator[tuple[str, str]]:
        """Logical ids and names, of those that have one."""
        if kind == "Device" and self._clients is not None:
            for id_ in ids:
                name = await self._clients(id_)
                if name:
                    yield id_, name
        elif kind in _NAMED | _TITLED:
            wanted = [id_ for id_ in ids if ID.fullmatch(id_)]
            for begin in range(0, len(wanted), _AT_ONCE):
                part = tuple(wanted[begin : begin + _AT_ONCE])
                page = await self._reads.search(
                    Search(kind, Ids(part), count=len(part)), within=UNRESTRICTED
                )
                for row in page.rows:
                    name = _name(loads(row.body, max_depth=self._depth))
                    if name:
                        yield row.id, name


def _name(resource: JsonObject) -> str | None:
    name = resource.get("name")
    return name if isinstance(name, str) else _of_person(name)


def _of_person(names: Any) -> str | None:
    """The first HumanName as one line."""
    first: Mapping[str, Any] = names[0] if isinstance(names, list) and names else {}
    parts = [*first.get("given", ()), first.get("family")]
    return first.get("text") or " ".join(str(each) for each in parts if each) or None
