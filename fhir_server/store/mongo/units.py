"""What a unit of work may do: the writes of one MongoDB transaction.

https://hl7.org/fhir/R4/http.html#transaction
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from pymongo.asynchronous.client_session import AsyncClientSession
from typing_extensions import override

from fhir_server.access.audit_log import AuditRow
from fhir_server.access.emergencies import Declaration
from fhir_server.access.repeats import Repeat, Repeated
from fhir_server.aside import HEAVY, aside
from fhir_server.core.errors import Conflict
from fhir_server.search.plan import Node, Restriction, Search
from fhir_server.store.mongo import lookups, outcomes, repeats, sequences, writes
from fhir_server.store.mongo.audit_log import LOG, row_document
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
from fhir_server.store.mongo.emergencies import MongoEmergencies
from fhir_server.store.mongo.indexes import HISTORY_SUFFIX
from fhir_server.store.mongo.outbox_rows import Posting
from fhir_server.store.mongo.pending import Pending
from fhir_server.store.mongo.resources import Reader, StoreLimits, Tables, beside
from fhir_server.store.outgoing import Delivery, Held, Occasion
from fhir_server.store.port import Outcome, Page, Stored, Version

_Question = tuple[Node, int, Node]
"""Predicate, limit, and what the caller may see."""
_NOTHING: Final[Mapping[_Question, Sequence[Stored]]] = {}
_AT_ONCE: Final = 200
"""Versions of one look at the history."""
_CLAIMS_AT_ONCE: Final = 500
"""A claim is small: 0.03 ms to encode."""


class MongoUnit(Reader):
    """`port.Unit` on one session. Its writes wait for each other; its reads see them all."""

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
        self._transaction = session
        self._pending = Pending(tables, session)
        self._posting = Posting(tables, session)
        self.uploaded: list[GridBody] = []
        self._claim: bytes | None = None
        self._foreseen: dict[str, dict[_Question, Sequence[Stored]]] = {}

    @override
    async def read(self, kind: str, id_: str, *, within: Restriction) -> Stored | None:
        await self.send()
        return await super().read(kind, id_, within=within)

    @override
    async def vread(
        self, kind: str, id_: str, number: int, *, within: Restriction
    ) -> Stored | None:
        await self.send()
        return await super().vread(kind, id_, number, within=within)

    @override
    async def find(
        self, kind: str, where: Node, *, limit: int, within: Restriction
    ) -> Sequence[Stored]:
        known = self._foreseen.get(kind, _NOTHING).get((where, limit, within.of(kind)))
        if known is not None:
            return known
        await self.send()
        return await super().find(kind, where, limit=limit, within=within)

    async def foresee(self, *asked: tuple[str, Node, int], within: Restriction) -> None:
        if not asked or self._claim is None:
            return
        await self.send()
        found = await lookups.find_all(self, self._claim, asked, within)
        for (kind, where, limit), rows in zip(asked, found, strict=True):
            self._foreseen.setdefault(kind, {})[where, limit, within.of(kind)] = rows

    @override
    async def count(
        self, kind: str, where: Node, *, within: Restriction, limit: int | None = None
    ) -> int:
        await self.send()
        return await super().count(kind, where, within=within, limit=limit)

    @override
    async def search(self, plan: Search, *, within: Restriction) -> Page:
        await self.send()
        return await super().search(plan, within=within)

    async def read_each(
        self, kind: str, ids: Sequence[str], *, within: Restriction
    ) -> Sequence[Stored | None]:
        await self.send()
        return await lookups.read_each(self, kind, ids, within)

    async def find_each(
        self, kind: str, wheres: Sequence[Node], *, limit: int, within: Restriction
    ) -> Sequence[Sequence[Stored]]:
        await self.send()
        return await lookups.find_each(self, kind, wheres, limit, within)

    async def send(self) -> None:
        """Let the database have what was written.

        Raises:
            Conflict: something of it is no longer current.
        """
        with answered():
            await self._pending.send()

    async def finish(self) -> None:
        """`send`, and what nothing of the unit reads; then it commits."""
        await self.send()
        await self._posting.send()

    async def claim(self, *keys: str) -> None:
        fresh = await self._claims.take(keys)
        if fresh:
            self._claim = digest(fresh[0])
        with answered():
            await mark(self.tables, fresh, self._transaction)

    async def number(self, key: str) -> int:
        await self._claims.take((key,))
        with answered():
            return await sequences.following(self.tables.database, key, self.session)

    async def insert(self, versions: Sequence[Version]) -> None:
        by_kind: dict[str, list[Version]] = {}
        for version in versions:
            by_kind.setdefault(version.type, []).append(version)
        for kind, found in by_kind.items():
            self._check_declared(kind)
            with answered():
                for begin in range(0, len(found), _AT_ONCE):
                    await self._insert(kind, found[begin : begin + _AT_ONCE])

    async def _insert(self, kind: str, versions: Sequence[Version]) -> None:
        # Ids of POST are new; with PUT a resource may come back to life.
        chosen = [each for each in versions if each.method != "POST" or each.number > 1]
        if chosen:
            await self._check_unused(kind, chosen)
        for each in versions:
            await self._pending.touch(kind, each.id)
            if each.number > 1:
                last = {"_id": {"id": each.id, "v": each.number - 1}, "m": "DELETE"}
                self._pending.set(kind + HISTORY_SUFFIX, last, {"until": each.at})
            self._pending.insert(kind, await self._document(each))

    async def _check_unused(self, kind: str, versions: Sequence[Version]) -> None:
        """Check that no number is used already, in a history the caller may not see too."""
        await self._pending.send_any(kind, [each.id for each in versions])
        used = [{"id": each.id, "v": each.number} for each in versions]
        history = self.tables.history(kind)
        if await history.find_one({"_id": {"$in": used}}, {"_id": 1}, session=self.session):
            raise Conflict(CHANGED)

    async def replace(self, old: Stored, new: Version) -> None:
        self._check_declared(new.type)
        with answered():
            current = await self._taken(old)
            row = await self._document(new)
            self._pending.insert(old.type + HISTORY_SUFFIX, superseded(current, new.at))
            self._pending.replace(old.type, {"_id": old.id, "v": old.number}, row)

    async def exchange(self, old: int, new: Version, *, within: Restriction) -> Stored | None:
        self._check_declared(new.type)
        await self.send()
        with answered():
            seen = await self.filter(new.type, within.of(new.type), within)
            where = {"_id": new.id, "v": old, **beside(seen)}
            row = await self.tables.current(new.type).find_one_and_replace(
                where, await self._document(new), session=self.session
            )
            if row is None:
                return None
            await self._pending.touch(new.type, new.id)
            self._pending.insert(new.type + HISTORY_SUFFIX, superseded(row, new.at))
            return (await self.whole(new.type, [row]))[0]

    async def remove(self, old: Stored, *, at: int) -> Stored:
        self._check_declared(old.type)
        with answered():
            current = await self._taken(old)
            gone = tombstone(current, at)
            for row in (superseded(current, at), gone):
                self._pending.insert(old.type + HISTORY_SUFFIX, row)
            self._pending.delete(old.type, {"_id": old.id, "v": old.number})
            return stored(old.type, gone, document=gone)

    async def log(self, row: AuditRow) -> None:
        self._pending.insert(LOG, row_document(row))

    async def declare(self, declaration: Declaration, most: int) -> bool:
        emergencies = MongoEmergencies(self.tables.database)
        with answered():
            return await emergencies.declare(declaration, most, self.session)

    async def end_declared(self, account: str, patient: str, now: int) -> int:
        emergencies = MongoEmergencies(self.tables.database)
        with answered():
            return await emergencies.end_declared(account, patient, now, self.session)

    async def repeated(self, key: str) -> Repeated | None:
        return await repeats.find(self.tables.database, key, self.session)

    async def note_repeat(self, repeat: Repeat, done: Repeated) -> None:
        await repeats.note(self.tables.database, repeat, done, self.session)

    async def settle(self, key: str, outcome: Outcome) -> None:
        with answered():
            await outcomes.settle(self.tables.database, key, outcome, self.session)

    async def post(self, occasions: Sequence[Occasion]) -> None:
        self._posting.post(occasions)

    async def withdraw(
        self, about: str, *kinds: str, patients: Sequence[str] | None = None
    ) -> None:
        self._posting.withdraw(about, kinds, patients)

    async def told(self, held: Held, deliveries: Sequence[Delivery], now: int) -> None:
        await self._posting.told(held, deliveries, now)

    async def _taken(self, old: Stored) -> Mapping[str, Any]:
        """The whole document of what is about to be changed."""
        await self._pending.touch(old.type, old.id)
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
        return await aside(len(version.body), document, version, large, least=HEAVY)

    def _check_declared(self, kind: str) -> None:
        self._foreseen.pop(kind, None)
        # A transaction would make a missing collection without its indexes.
        if kind not in self._kinds:
            raise UndeclaredKindError(kind)


async def mark(tables: Tables, keys: Sequence[str], session: AsyncClientSession) -> None:
    """Write the claims `keys`."""
    # Two open transactions that write one document conflict: the database lets one win.
    change = {"$set": {"at": datetime.now(UTC)}, "$inc": {"n": 1}}
    for begin in range(0, len(keys), _CLAIMS_AT_ONCE):
        some = keys[begin : begin + _CLAIMS_AT_ONCE]
        asked = [{"q": {"_id": digest(key)}, "u": change, "upsert": True} for key in some]
        await writes.update(tables.named(CLAIMS), asked, session)


def digest(key: str) -> bytes:
    """The id of the claim `key`."""
    return sha256(key.encode("utf-8", "replace")).digest()


class UndeclaredKindError(LookupError):
    """A unit writes a type that `run` was not told of: a defect of the caller."""
