"""MongoStore: `port.ResourceStore` on MongoDB."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from time import monotonic
from typing import Any, Final, Self, TypeVar

from fhir_server.aside import HEAVY, aside
from fhir_server.search.plan import Node, Restriction, Search
from fhir_server.spec.structures import RESOURCE_TYPES
from fhir_server.store.mongo import claims, explains, histories, repeats, sequences
from fhir_server.store.mongo.client import Client, answered
from fhir_server.store.mongo.distinct import distinct
from fhir_server.store.mongo.documents import document
from fhir_server.store.mongo.epochs import Epochs
from fhir_server.store.mongo.indexes import (
    HISTORY_SUFFIX,
    OUTBOX_INDEXES,
    Collections,
    Database,
)
from fhir_server.store.mongo.instance_history import instance_history
from fhir_server.store.mongo.outbox_rows import OUTBOX
from fhir_server.store.mongo.reindexing import MongoReindexing
from fhir_server.store.mongo.resources import Reader, StoreLimits, Tables
from fhir_server.store.mongo.sealing import Seal
from fhir_server.store.mongo.transactions import Transactions
from fhir_server.store.port import HistoryPlan, KeyField, Page, Stored, Unit, Version

T = TypeVar("T")

_KINDS_KEPT: Final = 2.0
"""Seconds for which a type that another process made may be overlooked."""
_SCANNED: Final = 500  # documents a round trip: 2 MB of 4 KB resources


class MongoStore:
    """The resources in one database."""

    def __init__(
        self, client: Client, database: Database, limits: StoreLimits, seal: Seal,
        prefix: str = "",
    ) -> None:  # fmt: skip
        self.database = database
        self.seal = seal
        self._client = client
        self._limits = limits
        self._tables = Tables(database, prefix, seal)
        self._reader = Reader(self._tables, limits)
        self._collections = Collections(database, prefix)
        self._transactions = Transactions(client, self._tables, limits)
        self._epochs = Epochs(database)
        self._kinds: tuple[str, ...] = ()
        self._kinds_until = 0.0

    @classmethod
    async def open(
        cls, client: Client, database: str, limits: StoreLimits | None = None,
        seal: Seal | None = None,
    ) -> Self:  # fmt: skip
        """The store in `database`, with what it needs besides the types."""
        store = cls(client, client[database], limits or StoreLimits(), seal or Seal(None))
        with answered():
            await claims.prepare(store.database)
            await repeats.prepare(store.database)
            await sequences.prepare(store.database)
            await Collections(store.database).make(OUTBOX, OUTBOX_INDEXES)
        return store

    def apart(self, prefix: str) -> Self:
        """A store in the same database whose resources no question to this one meets."""
        return type(self)(self._client, self.database, self._limits, self.seal, prefix)

    async def prepare(self, kinds: Sequence[str]) -> None:
        """Make the collections and indexes of `kinds` before their first write does."""
        if all(map(self._collections.is_ready, kinds)):
            return
        with answered():
            if await self._collections.ensure(kinds):
                self._kinds_until = 0.0

    @property
    def reindexing(self) -> MongoReindexing:
        """`port.Reindexing` over the same collections."""
        return MongoReindexing(self._reader)

    async def read(self, kind: str, id_: str, *, within: Restriction) -> Stored | None:
        return await self._reader.read(kind, id_, within=within)

    async def vread(
        self, kind: str, id_: str, number: int, *, within: Restriction
    ) -> Stored | None:
        return await self._reader.vread(kind, id_, number, within=within)

    async def search(self, plan: Search, *, within: Restriction) -> Page:
        return await self._reader.search(plan, within=within)

    async def find(
        self, kind: str, where: Node, *, limit: int, within: Restriction
    ) -> Sequence[Stored]:
        return await self._reader.find(kind, where, limit=limit, within=within)

    async def count(
        self, kind: str, where: Node, *, within: Restriction, limit: int | None = None
    ) -> int:
        return await self._reader.count(kind, where, within=within, limit=limit)

    async def run(
        self,
        kinds: Sequence[str],
        work: Callable[[Unit], Awaitable[T]],
        *,
        single: bool = False,
        resource: str | None = None,
        together: bool = False,
    ) -> T:
        await self.prepare(kinds)
        done = await self._transactions.run(
            frozenset(kinds), work, single=single, resource=resource, together=together
        )
        await self._epochs.written(kinds)
        return done

    async def insert(self, version: Version) -> None:
        if version.method != "POST" or version.number > 1:
            await self.run([version.type], lambda unit: unit.insert([version]), single=True)
            return
        await self.prepare([version.type])
        with answered():
            bodies = self._reader.bodies
            large = await bodies.place(version, self._limits.body_bytes)
            row = await aside(len(version.body), document, version, large, least=HEAVY)
            await self._tables.current(version.type).insert_one(row)
        await self._epochs.written((version.type,))

    async def epoch(self) -> int:
        return await self._epochs.current()

    async def history(
        self, plan: HistoryPlan, *, within: Restriction
    ) -> tuple[Sequence[Stored], bool, int | None]:
        if plan.type is not None and plan.id is not None:
            return await instance_history(self._reader, plan, plan.type, plan.id, within)
        kinds = [plan.type] if plan.type is not None else await self.kinds()
        return await histories.history(self._reader, plan, kinds, within)

    async def kinds(self) -> Sequence[str]:
        if monotonic() >= self._kinds_until:
            with answered():
                names = set(await self.database.list_collection_names())
            prefix = self._tables.prefix
            self._kinds = tuple(
                kind
                for kind in RESOURCE_TYPES
                if prefix + kind in names or prefix + kind + HISTORY_SUFFIX in names
            )
            self._kinds_until = monotonic() + _KINDS_KEPT
        return self._kinds

    async def keys(
        self, kind: str, field: KeyField, prefix: str, *, limit: int, within: Restriction
    ) -> Sequence[str]:
        return await distinct(self._reader, kind, field, prefix, limit, within)

    async def explain(self, plan: Search, *, within: Restriction) -> Mapping[str, Any]:
        return await explains.explain(self._reader, plan, within)

    async def scan(
        self, kind: str, *, after: str | None, within: Restriction
    ) -> AsyncIterator[Stored]:
        while True:
            rows = await self._reader.behind(kind, after, _SCANNED, within)
            for row in rows:
                yield row
            if len(rows) < _SCANNED:
                return
            after = rows[-1].id
