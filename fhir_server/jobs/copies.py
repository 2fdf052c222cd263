"""Copies of all stored resources of a type, for what every worker must know by heart."""

from collections.abc import Sequence
from itertools import islice
from typing import Final

from fhir_server.aside import aside
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.search.plan import UNRESTRICTED, Ids
from fhir_server.store.port import Reindexing, ResourceStore, Stored

_AT_ONCE: Final = 100
_DEPTH: Final = 10_000  # levels; what is stored has passed the limit when it came in


class Copies:
    """The live resources of `kind`, as of the last refresh."""

    def __init__(self, kind: str, store: ResourceStore, reindexing: Reindexing) -> None:
        self._kind = kind
        self._store = store
        self._reindexing = reindexing
        self._held: dict[str, tuple[int, int, JsonObject]] = {}

    async def refresh(self) -> bool:
        """Read what has changed; whether anything had."""
        numbers = await self._reindexing.numbers(self._kind, within=UNRESTRICTED)
        gone = self._held.keys() - numbers.keys()
        changed = [
            id_ for id_, number in numbers.items() if self._held.get(id_, (0,))[0] != number
        ]
        for id_ in gone:
            del self._held[id_]
        waiting = iter(changed)
        while ids := tuple(islice(waiting, _AT_ONCE)):
            for row in await self._rows(ids):
                resource = await aside(len(row.body), _parsed, row)
                self._held[row.id] = (row.number, row.at, resource)
        return bool(gone or changed)

    async def _rows(self, ids: tuple[str, ...]) -> Sequence[Stored]:
        return await self._store.find(self._kind, Ids(ids), limit=len(ids), within=UNRESTRICTED)

    def all(self) -> list[tuple[int, JsonObject]]:
        """`meta.lastUpdated` in milliseconds and resource, the latest last."""
        rows = sorted(self._held.items(), key=lambda item: (item[1][1], item[0]))
        return [(at, resource) for _, (_, at, resource) in rows]


def _parsed(row: Stored) -> JsonObject:
    return loads(row.body, max_depth=_DEPTH)
