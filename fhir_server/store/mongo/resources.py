"""Reads of live resources: one, a page, a count. Every filter carries the Restriction.

https://hl7.org/fhir/R4/http.html#read
https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from bson.max_key import MaxKey
from bson.min_key import MinKey
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection

from fhir_server.search import keys
from fhir_server.search.canonicals import VERSION
from fhir_server.search.plan import Everything, Node, Restriction, Search
from fhir_server.store.mongo import batches, sorts
from fhir_server.store.mongo.bodies import Bodies
from fhir_server.store.mongo.chains import Resolver, leads_elsewhere
from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.documents import Document, body, live, stored
from fhir_server.store.mongo.gathered import Gathered
from fhir_server.store.mongo.indexes import HISTORY_SUFFIX, Database
from fhir_server.store.mongo.sealing import Seal
from fhir_server.store.mongo.translate import CURRENT, HISTORY, Filter, Place, to_filter
from fhir_server.store.port import Page, Stored

Collection = AsyncCollection[Document]


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """Each is a setting."""

    chained: int = 10_000
    """Ids that one stage of a chain, `_has` or `_list` may meet: as many index lookups."""
    estimated: int = 10_000
    """Where `_total=estimate` stops counting."""
    open_units: int = 8
    """Transactions of Bundles at once in a process; the others wait, holding nothing."""
    open_singles: int = 16
    """The same for those that write one resource, which mostly wait for the journal."""
    admission_seconds: float = 5.0
    """How long a unit waits for its turn before 503."""
    retry_seconds: float = 10.0
    """How long a unit is repeated over write conflicts and elections."""
    conflicts: int = 5
    """How often a unit is repeated over a Conflict."""
    body_bytes: int = 64 * 1024 * 1024
    """The largest body stored; above 15 MB it lies in GridFS."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The collections of one database, prepared once each."""

    database: Database
    prefix: str = ""
    """Before the names of the collections of types: resources that are kept apart."""
    seal: Seal = field(default_factory=lambda: Seal(None))
    """For what is kept beside resources and must not be read in the database."""
    _known: dict[str, Collection] = field(default_factory=dict)

    def named(self, name: str) -> Collection:
        """The collection `name`, of a type (which has a capital) or of another kind."""
        found = self._known.get(name)
        if found is None:
            whole = self.prefix + name if name[0].isupper() else name
            found = self._known[name] = self.database[whole]
        return found

    def current(self, kind: str) -> Collection:
        """The live resources of a type."""
        return self.named(kind)

    def history(self, kind: str) -> Collection:
        """Its superseded versions and tombstones."""
        return self.named(kind + HISTORY_SUFFIX)


class Reader:
    """`port.Reads`, outside a transaction or with `session` inside one."""

    def __init__(
        self,
        tables: Tables,
        limits: StoreLimits,
        session: AsyncClientSession | None = None,
    ) -> None:
        self.tables = tables
        self.limits = limits
        self.bodies = Bodies(tables.database)
        self.session = session
        self._gathered: dict[str, Gathered] = {}

    async def read(self, kind: str, id_: str, *, within: Restriction) -> Stored | None:
        with answered():
            one = {"_id": id_}
            seen = await self.filter(kind, within.of(kind), within, among=one)
            row = await self._live(kind, id_, seen)
            if row is None:
                return await self._tombstone(kind, id_, within)
            return await self._single(kind, row)

    async def _live(self, kind: str, id_: str, seen: Filter) -> Document | None:
        table = self.tables.current(kind)
        if self.session is not None:
            return await self._one(kind, table, {"_id": id_, **beside(seen)})
        found = self._gathered.get(kind)
        if found is None:
            found = self._gathered[kind] = Gathered(table, body(kind))
        return await found.one(id_, beside(seen))

    async def _tombstone(self, kind: str, id_: str, within: Restriction) -> Stored | None:
        one = {"_id": id_}
        seen = await self.filter(kind, within.of(kind), within, HISTORY, among=one)
        # Without `until` it is the last version: nothing made the resource exist again.
        last = {"_id": versions_of(id_), "m": "DELETE", "until": None, **beside(seen)}
        row = await self._one(kind, self.tables.history(kind), last)
        return None if row is None else stored(kind, row)

    async def vread(
        self, kind: str, id_: str, number: int, *, within: Restriction
    ) -> Stored | None:
        # The live one first: a version moves to the history, never back.
        with answered():
            one = {"_id": id_}
            seen = await self.filter(kind, within.of(kind), within, among=one)
            wanted = {"_id": id_, "v": number, **beside(seen)}
            row = await self._one(kind, self.tables.current(kind), wanted)
            if row is None:
                seen = await self.filter(kind, within.of(kind), within, HISTORY, among=one)
                key = {"id": id_, "v": number}
                wanted = {"_id": key, **beside(seen)}
                row = await self._one(kind, self.tables.history(kind), wanted)
            return None if row is None else await self._single(kind, row)

    async def _single(self, kind: str, row: Document) -> Stored:
        whole = None if self.session is None else row
        return (await self.with_bodies([stored(kind, row, document=whole)], [row]))[0]

    async def _one(self, kind: str, table: Collection, where: Filter) -> Document | None:
        # A unit may replace what it reads, and needs the whole document for the history.
        projection = body(kind) if self.session is None else None
        found = await batches.rows(table, where, projection, limit=1, session=self.session)
        return found[0] if found else None

    async def find(
        self, kind: str, where: Node, *, limit: int, within: Restriction
    ) -> Sequence[Stored]:
        with answered():
            seen = await self.filter(kind, where, within, also=within.of(kind))
            rows = await self._rows(kind, seen, [("_id", 1)], limit, None)
            return await self.whole(kind, rows)

    async def behind(
        self, kind: str, after: str | None, limit: int, within: Restriction
    ) -> Sequence[Stored]:
        """Up to `limit` live resources in id order, those behind `after`; one step of a
        scan, which may take longer than a cursor lives.
        """
        with answered():
            seen = await self.filter(kind, within.of(kind), within)
            beyond = {} if after is None else {"_id": {"$gt": after}}
            rows = await self._rows(kind, both(beyond, seen), [("_id", 1)], limit, None)
            return await self.whole(kind, rows)

    async def count(
        self, kind: str, where: Node, *, within: Restriction, limit: int | None = None
    ) -> int:
        with answered():
            seen = await self.filter(kind, where, within, also=within.of(kind))
            bound = {} if limit is None else {"limit": limit}
            table = self.tables.current(kind)
            return await table.count_documents(seen, session=self.session, **bound)

    async def search(self, plan: Search, *, within: Restriction) -> Page:
        with answered():
            kind = plan.type
            seen = await self.filter(kind, plan.where, within, also=within.of(kind))
            total = await self._total(plan, seen)
            if plan.count == 0:
                return Page((), more=False, total=total)
            rows = await self._page(plan, seen)
            more = len(rows) > plan.count
            del rows[plan.count :]
            if plan.after is not None and plan.after.backward:
                rows.reverse()
            found = _found(plan, rows)
            return Page(await self.with_bodies(found, rows), more, total)

    async def _total(self, plan: Search, seen: Filter) -> int | None:
        table = self.tables.current(plan.type)
        match plan.total:
            case "none":
                return None
            case "accurate":
                return await table.count_documents(seen, session=self.session)
            case "estimate":
                if not seen and self.session is None:
                    return await table.estimated_document_count()
                most = self.limits.estimated
                return await table.count_documents(seen, limit=most, session=self.session)

    async def _page(self, plan: Search, seen: Filter) -> list[Document]:
        """One row more than asked for, if there is one, in the order of the walk."""
        field_ = sorts.indexed_field(plan.sort)
        wanted = plan.count + 1
        if field_ is None:
            return await self._computed(plan, seen, wanted)
        projection = _projection(plan, field_)
        rows: list[Document] = []
        for phase in sorts.phases(field_, plan.sort, plan.after):
            where = both(seen, phase.filter)
            missing = wanted - len(rows)
            rows += await self._rows(plan.type, where, phase.order, missing, projection)
            if len(rows) >= wanted:
                break
        return rows

    async def _computed(self, plan: Search, seen: Filter, wanted: int) -> list[Document]:
        cursor = await self.tables.current(plan.type).aggregate(
            computed_stages(plan, seen, wanted),
            session=self.session,
            allowDiskUse=True,
            batchSize=wanted + 1,
        )
        return await cursor.to_list()

    async def _rows(
        self,
        kind: str,
        where: Filter,
        order: Sequence[tuple[str, int]],
        limit: int,
        projection: Mapping[str, Any] | None,
    ) -> list[Document]:
        table = self.tables.current(kind)
        return await batches.rows(
            table, where, projection, order=order, limit=limit, session=self.session
        )

    async def whole(self, kind: str, rows: Sequence[Document]) -> list[Stored]:
        """The rows with their bodies, wherever those lie, and ready to be replaced."""
        found = [stored(kind, row, document=row) for row in rows]
        return await self.with_bodies(found, rows)

    async def with_bodies(self, found: list[Stored], rows: Sequence[Document]) -> list[Stored]:
        """`found`, made of `rows`, with the bodies that lie in GridFS."""
        for place, row in enumerate(rows):
            if "f" in row:
                body = await self.bodies.read(row["f"])
                found[place] = replace(found[place], body=body)
        return found

    async def filter(
        self,
        kind: str,
        node: Node,
        within: Restriction,
        place: Place = CURRENT,
        also: Node | None = None,
        among: Filter | None = None,
    ) -> Filter:
        """`node` and `also` as one filter, chains resolved; `among`: what else the live
        resources are known to be that are asked for."""
        filters: list[Filter] = []
        for each in (node, also):
            if each is None or isinstance(each, Everything):
                continue
            plain: Node = each
            if leads_elsewhere(each):
                known = both(among or {}, *(filters if place is CURRENT else ()))
                resolver = Resolver(self, within, self.limits.chained, known)
                plain = await resolver.resolve(each, kind)
            filters.append(to_filter(plain, place))
        return both(*filters)

    async def ids(self, kind: str, where: Filter, limit: int) -> Sequence[str]:
        """`chains.Lookup`."""
        table = self.tables.current(kind)
        rows = await batches.rows(table, where, {"_id": 1}, limit=limit, session=self.session)
        return [row["_id"] for row in rows]

    async def referenced(
        self, kind: str, where: Filter, prefix: str, limit: int
    ) -> Sequence[str]:
        """`chains.Lookup`."""
        inside = {"$gte": prefix, "$lt": prefix + keys.LAST}
        stages: list[Document] = [
            {"$match": where},
            {"$project": {"_id": 0, "ref": 1}},
            {"$unwind": "$ref"},
            {"$match": {"ref": inside}},
            {"$group": {"_id": "$ref"}},
            {"$limit": limit},
        ]
        cursor = await self.tables.current(kind).aggregate(
            stages, session=self.session, batchSize=limit + 1
        )
        return [row["_id"] for row in await cursor.to_list()]

    async def named(
        self, kind: str, where: Filter, prefixes: tuple[str, ...], limit: int
    ) -> Sequence[Sequence[str]]:
        """`chains.Lookup`."""
        wanted = {"_id": 0, "uri": 1, "tok": 1}
        table = self.tables.current(kind)
        rows = await batches.rows(table, where, wanted, limit=limit, session=self.session)
        return [_starting(row, prefixes) for row in rows]


_NO_FILTER: Final[Filter] = {}


def versions_of(id_: str) -> Filter:
    """The range of history keys that belong to one resource."""
    return {"$gt": {"id": id_, "v": MinKey()}, "$lt": {"id": id_, "v": MaxKey()}}


def computed_stages(plan: Search, seen: Filter, wanted: int) -> list[Document]:
    """The aggregation behind an order that no index gives."""
    sort_values = {f"k{i}": 1 for i in range(len(plan.sort))}
    return [
        {"$match": seen},
        *sorts.computed(plan.sort, plan.after),
        {"$limit": wanted},
        {"$project": {**_projection(plan, "_id"), **sort_values}},
    ]


def beside(seen: Filter) -> Filter:
    """`seen` as one more field of a filter."""
    return {"$and": [seen]} if seen else _NO_FILTER


def both(*filters: Filter) -> Filter:
    """One filter that asks for all of `filters`."""
    parts = [each for each in filters if each]
    if len(parts) > 1:
        return {"$and": parts}
    return parts[0] if parts else {}


def _projection(plan: Search, field_: str) -> Document:
    projection: Document = dict(body(plan.type))
    if field_ != "_id":
        projection[field_] = 1
    if plan.references:
        projection |= {"ref": 1, "uri": 1}
        projection |= {"tok": 1} if VERSION in plan.references else {}
    return projection


def _found(plan: Search, rows: Sequence[Document]) -> list[Stored]:
    """The rows of a page; what is the same for all of them is settled before."""
    if not (plan.references or plan.sort):
        return live(plan.type, rows)
    names = _sort_fields(plan)
    return [
        stored(
            plan.type,
            row,
            _references(plan, row) if plan.references else (),
            tuple([row.get(name) for name in names]),
        )
        for row in rows
    ]


def _sort_fields(plan: Search) -> list[str]:
    if not plan.sort:
        return []
    field_ = sorts.indexed_field(plan.sort)
    return [f"k{i}" for i in range(len(plan.sort))] if field_ is None else [field_]


def _references(plan: Search, row: Document) -> tuple[str, ...]:
    found = [*row.get("ref", ()), *row.get("uri", ())]
    if "" in plan.references:
        return tuple(found)
    return _starting(row, plan.references)


def _starting(row: Document, prefixes: tuple[str, ...]) -> tuple[str, ...]:
    """The keys of `row` with one of `prefixes`."""
    found = (key for name in ("ref", "uri", "tok") for key in row.get(name, ()))
    return tuple([key for key in found if key.startswith(prefixes)])
