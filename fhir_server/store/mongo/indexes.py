"""The indexes of every collection: a fixed set, whatever the number of search parameters.

A value carries the code of its parameter inside (`search.keys`), so one index over `tok`
serves every token parameter. An index may hold one array field only: MongoDB refuses two.
Figures: docs/decisions/0002-fixed-index-set.md.

https://www.mongodb.com/docs/manual/core/indexes/index-types/index-multikey/
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pymongo import IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure

from fhir_server.search.sorting import CHIEF_DATE, CHIEF_STRING
from fhir_server.store.mongo.documents import Document
from fhir_server.store.mongo.preparing import indexed, repeated

Database = AsyncDatabase[Document]

HISTORY_SUFFIX: Final = "_history"

_NAMESPACE_EXISTS: Final = 48


@dataclass(frozen=True, slots=True)
class Index:
    """One row: what is indexed, and what for."""

    name: str
    keys: Mapping[str, Any]
    why: str
    filled: str | None = None
    """Only documents that have this field are in it; a filter on the field implies so."""
    kinds: frozenset[str] | None = None
    """The types that have it; None: all."""

    def model(self) -> IndexModel:
        """The row as the driver takes it."""
        partial = {"partialFilterExpression": {self.filled: {"$exists": True}}}
        extra = partial if self.filled else {}
        return IndexModel(list(self.keys.items()), name=self.name, **extra)


_LOCATION: Final = frozenset({"Location"})
_DATED: Final = frozenset(CHIEF_DATE)
_SLOT: Final = frozenset({"Slot"})
_NAMED: Final = frozenset(CHIEF_STRING)

CURRENT: Final = (
    Index("updated", {"at": 1, "_id": 1}, "_lastUpdated, _since, history of a type"),
    Index("token", {"tok": 1, "_id": 1}, "token parameters, identifiers, composites"),
    Index("reference", {"ref": 1}, "reference parameters, chains, _has", "ref"),
    Index("compartment", {"in": 1, "_id": 1}, "compartments and patient scopes", "in"),
    Index(
        "patient_token_date",
        {"pt": 1, "tok": 1, "sd": -1, "_id": -1},
        "patient + code, by date: the page a chart asks for",
        "pt",
    ),
    Index("patient_date", {"pt": 1, "sd": -1, "_id": -1}, "patient, by date", "pt"),
    Index("string", {"str": 1}, "names and other strings, by prefix", "str"),
    Index("uri", {"uri": 1}, "uri parameters, canonical references", "uri"),
    Index("word", {"txt": 1}, "_text, _content and :text", "txt"),
    Index("date", {"date.k": 1, "date.lo": 1, "date.hi": 1}, "date parameters", "date"),
    Index("quantity", {"qty.k": 1, "qty.lo": 1, "qty.hi": 1}, "numbers, quantities", "qty"),
    Index("chief_date", {"sd": -1, "_id": -1}, "_sort by the chief date", kinds=_DATED),
    Index("token_date", {"tok": 1, "sd": 1, "_id": 1}, "what is free, by date", kinds=_SLOT),
    Index("reference_date", {"ref": 1, "sd": 1, "_id": 1}, "a calendar, by date", kinds=_SLOT),
    Index("chief_string", {"ss": 1, "_id": 1}, "_sort by the chief string", kinds=_NAMED),
    Index("chief_string_last", {"sx": -1, "_id": -1}, "the same, descending", kinds=_NAMED),
    Index("position", {"geo": "2dsphere"}, "near", kinds=_LOCATION),
)

HISTORY: Final = (
    Index("updated", {"at": -1, "_id": -1}, "history of a type, newest first"),
    Index("compartment", {"in": 1, "at": -1, "_id": -1}, "the same in one compartment", "in"),
)

OUTBOX_INDEXES: Final = (
    Index("due", {"lane": 1, "due": 1}, "what is taken up next", "due"),
    Index("about", {"about": 1}, "what is withdrawn with its resource", "due"),
    Index("dead", {"about": 1, "outcome": 1}, "the dead among it", "outcome"),
    Index("until", {"until": 1}, "whose time is over before it was told", "due"),
    Index("ended", {"outcome": 1, "at": 1}, "the dead; what is kept no longer", "outcome"),
)


class Collections:
    """Makes the collections of a type, with their indexes, before its first write."""

    def __init__(self, database: Database, prefix: str = "") -> None:
        """`prefix` as in `Tables`."""
        self._database = database
        self._prefix = prefix
        self._ready: set[str] = set()
        self._locks: dict[str, asyncio.Lock] = {}

    async def ensure(self, kinds: Sequence[str]) -> bool:
        """Make what is missing; whether anything was. Never called inside a transaction:
        an index cannot be built in one.
        """
        missing = [kind for kind in dict.fromkeys(kinds) if kind not in self._ready]
        for kind in missing:
            async with self._locks.setdefault(kind, asyncio.Lock()):
                if kind not in self._ready:
                    await self._make(kind)
                    self._ready.add(kind)
        return bool(missing)

    def is_ready(self, kind: str) -> bool:
        """Whether this process knows the collections of `kind` to exist."""
        return kind in self._ready

    async def _make(self, kind: str) -> None:
        await self.make(self._prefix + kind, rows_of(kind))
        await self.make(self._prefix + kind + HISTORY_SUFFIX, HISTORY)

    async def make(self, name: str, rows: Sequence[Index]) -> None:
        """Make the collection `name`, as it is called in the database, with indexes."""
        try:
            await repeated(lambda: self._create(name))
        except OperationFailure as error:
            if error.code != _NAMESPACE_EXISTS:
                raise
        await indexed(self._database[name], *(row.model() for row in rows))

    async def _create(self, name: str) -> None:
        await self._database.create_collection(
            name,
            check_exists=False,
            storageEngine={"wiredTiger": {"configString": "block_compressor=zstd"}},
        )


def rows_of(kind: str) -> Sequence[Index]:
    """The indexes of the live resources of `kind`."""
    return [row for row in CURRENT if row.kinds is None or kind in row.kinds]
