"""`port.Reindexing` on MongoDB: new index values under versions that stay as they are.

A value is written under the number of the version it was computed from. An update or delete
that comes between has computed its own; one that is open meanwhile collides with this write,
and starts again on what it wrote.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, DocumentTooLarge

from fhir_server.aside import HEAVY, aside
from fhir_server.search.plan import Restriction
from fhir_server.search.values import IndexValues
from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.documents import Document, document
from fhir_server.store.mongo.resources import Collection, Reader, versions_of
from fhir_server.store.mongo.translate import CURRENT, HISTORY, Filter
from fhir_server.store.port import Stored, Version

_KEPT: Final = frozenset({"_id", "v", "at", "m", "json", "f", "until"})
"""What of a document is no index value."""
_TOO_LARGE: Final = frozenset({10334, 17419, 17420})


class MongoReindexing:
    """Over the collections that `reader` reads."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def numbers(self, kind: str, *, within: Restriction) -> Mapping[str, int]:
        with answered():
            seen = await self._reader.filter(kind, within.of(kind), within)
            rows = self._reader.tables.current(kind).find(seen, {"v": 1})
            return {row["_id"]: row["v"] async for row in rows}

    async def count(self, kind: str) -> int:
        tables = self._reader.tables
        with answered():
            live = await tables.current(kind).estimated_document_count()
            return live + await tables.history(kind).estimated_document_count()

    async def versions(
        self,
        kind: str,
        *,
        past: bool,
        after: tuple[str, int] | None,
        limit: int,
        within: Restriction,
        id_: str | None = None,
    ) -> Sequence[Stored]:
        place = HISTORY if past else CURRENT
        with answered():
            seen = await self._reader.filter(kind, within.of(kind), within, place)
            parts = [_behind(after, past=past), _of(id_, past=past), seen]
            where = {"$and": [each for each in parts if each]} if any(parts) else {}
            cursor = self._table(kind, past=past).find(
                where, sort=[("_id", 1)], limit=limit, batch_size=limit + 1
            )
            return await self._reader.whole(kind, await cursor.to_list())

    async def rewrite(
        self, kind: str, rows: Sequence[tuple[Stored, IndexValues]], *, past: bool
    ) -> int:
        changes = [
            UpdateOne(_version(row, past=past), change)
            for row, values in rows
            if (change := await aside(len(row.body), _change, row, values, least=HEAVY))
        ]
        if not changes:
            return 0
        with answered():
            try:
                await self._table(kind, past=past).bulk_write(changes, ordered=False)
            except DocumentTooLarge:
                return len(changes)
            except BulkWriteError as error:
                return _too_large(error)
        return 0

    def _table(self, kind: str, *, past: bool) -> Collection:
        tables = self._reader.tables
        return tables.history(kind) if past else tables.current(kind)


def _behind(after: tuple[str, int] | None, *, past: bool) -> Filter:
    if after is None:
        return {}
    id_, number = after
    return {"_id": {"$gt": {"id": id_, "v": number} if past else id_}}


def _of(id_: str | None, *, past: bool) -> Filter:
    if id_ is None:
        return {}
    return {"_id": versions_of(id_) if past else id_}


def _version(row: Stored, *, past: bool) -> Filter:
    if past:
        return {"_id": {"id": row.id, "v": row.number}}
    return {"_id": row.id, "v": row.number}


def _change(row: Stored, values: IndexValues) -> Mapping[str, Any] | None:
    """What makes the document's values `values`; None where they are so already."""
    old: Document = {k: v for k, v in row.document.items() if k not in _KEPT}
    made = document(Version(row.type, row.id, row.number, row.at, b"", values, "PUT"))
    new = {k: v for k, v in made.items() if k not in _KEPT}
    if old == new:
        return None
    change: Document = {"$set": {k: v for k, v in new.items() if old.get(k) != v}}
    gone = {k: "" for k in old if k not in new}
    if gone:
        change["$unset"] = gone
    return {name: fields for name, fields in change.items() if fields}


def _too_large(error: BulkWriteError) -> int:
    failed = (error.details or {}).get("writeErrors", [])
    if any(each["code"] not in _TOO_LARGE for each in failed):
        raise error
    return len(failed)
