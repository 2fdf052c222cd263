"""What a unit of work may do: the writes of one MongoDB transaction.

https://hl7.org/fhir/R4/http.html#transaction
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from pymongo.asynchronous.client_session import AsyncClientSession

from fhir_server.core.errors import Conflict
from fhir_server.store.mongo import outcomes
from fhir_server.store.mongo.claims import CLAIMS, Claims
from fhir_server.store.mongo.client import CHANGED, answered
from fhir_server.store.mongo.documents import (
    Document,
    GridBody,
    document,
    stored,
    superseded,
    tombstone,
)
from fhir_server.store.mongo.resources import Reader, StoreLimits, Tables
from fhir_server.store.port import Outcome, Stored, Version

_AT_ONCE: Final = 200
"""Documents of one insert: made and encoded in 20 ms, before other requests get their turn."""


class MongoUnit(Reader):
    """`port.Unit` on one session."""

    def __init__(
        self,
        tables: Tables,
        limits: StoreLimits,
        session: AsyncClientSession,
        kinds: frozenset[str],
        claims: Claims,
    ) -> None:
        super().__init__(tables, limits, session)
        self._kinds = kinds
        self._claims = claims
        self.uploaded: list[GridBody] = []

    async def claim(self, key: str) -> None:
        if not await self._claims.take(key):
            return
        # Two open transactions that write one document conflict: the database lets one win.
        mark = {"$set": {"at": datetime.now(UTC)}, "$inc": {"n": 1}}
        with answered():
            await self.tables.named(CLAIMS).update_one(
                {"_id": sha256(key.encode("utf-8", "replace")).digest()},
                mark,
                upsert=True,
                session=self.session,
            )

    async def insert(self, versions: Sequence[Version]) -> None:
        by_kind: dict[str, list[Version]] = {}
        for version in versions:
            by_kind.setdefault(version.type, []).append(version)
        for kind, found in by_kind.items():
            self._check_declared(kind)
            with answered():
                await self._continue_numbers(kind, found)
                for begin in range(0, len(found), _AT_ONCE):
                    part = found[begin : begin + _AT_ONCE]
                    await self._insert(kind, [await self._document(each) for each in part])

    async def _insert(self, kind: str, rows: Sequence[Document]) -> None:
        table = self.tables.current(kind)
        if len(rows) == 1:
            await table.insert_one(rows[0], session=self.session)
        else:
            await table.insert_many(rows, session=self.session)

    async def _continue_numbers(self, kind: str, versions: Sequence[Version]) -> None:
        """Check that no number is used already, in a history the caller may not see too.

        Ids of POST are new; with PUT a resource may come back to life.
        """
        chosen = [each for each in versions if each.method != "POST" or each.number > 1]
        if not chosen:
            return
        history = self.tables.history(kind)
        used = [{"id": each.id, "v": each.number} for each in chosen]
        if await history.find_one({"_id": {"$in": used}}, {"_id": 1}, session=self.session):
            raise Conflict(CHANGED)
        for each in chosen:
            if each.number > 1:
                await self._end_tombstone(kind, each)

    async def _end_tombstone(self, kind: str, version: Version) -> None:
        last = {"_id": {"id": version.id, "v": version.number - 1}, "m": "DELETE"}
        ended = await self.tables.history(kind).update_one(
            last, {"$set": {"until": version.at}}, session=self.session
        )
        if not ended.matched_count:
            raise Conflict(CHANGED)

    async def replace(self, old: Stored, new: Version) -> None:
        self._check_declared(new.type)
        with answered():
            current = await self._current(old)
            await self._keep(old, superseded(current, new.at))
            done = await self.tables.current(old.type).replace_one(
                {"_id": old.id, "v": old.number},
                await self._document(new),
                session=self.session,
            )
            if not done.matched_count:
                raise Conflict(CHANGED)

    async def remove(self, old: Stored, *, at: int) -> Stored:
        self._check_declared(old.type)
        with answered():
            current = await self._current(old)
            gone = tombstone(current, at)
            await self._keep(old, superseded(current, at), gone)
            done = await self.tables.current(old.type).delete_one(
                {"_id": old.id, "v": old.number}, session=self.session
            )
            if not done.deleted_count:
                raise Conflict(CHANGED)
            return stored(old.type, gone, document=gone)

    async def settle(self, key: str, outcome: Outcome) -> None:
        with answered():
            await outcomes.settle(self.tables.database, key, outcome, self.session)

    async def _keep(self, old: Stored, *rows: Document) -> None:
        history = self.tables.history(old.type)
        if len(rows) == 1:
            await history.insert_one(rows[0], session=self.session)
        else:
            await history.insert_many(rows, session=self.session)

    async def _current(self, old: Stored) -> Mapping[str, Any]:
        known: Mapping[str, Any] | None = old.document
        if known is not None:
            return known
        wanted = {"_id": old.id, "v": old.number}
        table = self.tables.current(old.type)
        row = await table.find_one(wanted, session=self.session)
        if row is None:
            raise Conflict(CHANGED)
        return row

    async def _document(self, version: Version) -> Document:
        large = await self.bodies.place(version, self.limits.body_bytes)
        if large is not None:
            self.uploaded.append(large)
        return document(version, large)

    def _check_declared(self, kind: str) -> None:
        # A transaction would make a missing collection without its indexes.
        if kind not in self._kinds:
            raise UndeclaredKindError(kind)


class UndeclaredKindError(LookupError):
    """A unit writes a type that `run` was not told of: a defect of the caller."""
