"""Frozen records in a collection of their own: one document each, found by one field.

    { _id: <the record's key>, …its other fields…, until: ISODate }

MongoDB removes a document some time after `until`; whoever reads one checks the record's own
expiry.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar

import msgspec
from pymongo import IndexModel, ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.documents import Document
from fhir_server.store.mongo.indexes import Database
from fhir_server.store.mongo.preparing import indexed

R = TypeVar("R")

UNTIL: Final = "until"


def moment(milliseconds: int | None) -> datetime | None:
    """The time as MongoDB's removal of old documents understands it."""
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


class Kept(Generic[R]):
    """The records of one kind."""

    def __init__(self, database: Database, name: str, kind: type[R], key: str) -> None:
        """`key` names the field of the record that tells one from another."""
        self.table: AsyncCollection[Document] = database[name]
        self._kind = kind
        self._key = key

    async def prepare(self, *indexes: Mapping[str, Any]) -> None:
        """Make the collection's indexes."""
        models = [IndexModel([(UNTIL, 1)], name=UNTIL, expireAfterSeconds=0)]
        models += [IndexModel(list(each.items()), name="_".join(each)) for each in indexes]
        with answered():
            await indexed(self.table, *models)

    async def put(
        self, record: R, until: int | None, extra: Mapping[str, Any] | None = None
    ) -> None:
        """Keep it until then; one of the same key is replaced."""
        document = self.document(record, until, extra)
        with answered():
            await self.table.replace_one({"_id": document["_id"]}, document, upsert=True)

    async def add(self, record: R, until: int | None) -> bool:
        """Keep it unless there is one of the same key; whether there was none."""
        try:
            with answered():
                await self._insert(self.document(record, until, None))
        except _TakenError:
            return False
        return True

    async def _insert(self, document: Document) -> None:
        try:
            await self.table.insert_one(document)
        except DuplicateKeyError as error:
            raise _TakenError from error

    async def find(self, key: str | int) -> R | None:
        """The record of this key."""
        return await self.one({"_id": key})

    async def one(self, where: Mapping[str, Any]) -> R | None:
        """The record that is described."""
        with answered():
            found = await self.table.find_one(where)
        return None if found is None else self.record(found)

    async def many(self, where: Mapping[str, Any], sort: Mapping[str, int]) -> Sequence[R]:
        """All records that are described."""
        with answered():
            found = await self.table.find(where).sort(list(sort.items())).to_list()
        return [self.record(each) for each in found]

    async def use(
        self, key: str, now: int, changes: Mapping[str, Any] | None = None
    ) -> R | None:
        """Mark it used, in one atomic update; None where it was used before, or never was."""
        with answered():
            found = await self.table.find_one_and_update(
                {"_id": key, "used": None},
                {"$set": {"used": now, **(changes or {})}},
                return_document=ReturnDocument.AFTER,
            )
        return None if found is None else self.record(found)

    async def change(self, where: Mapping[str, Any], values: Mapping[str, Any]) -> int:
        """Set fields of all that are described; how many there are."""
        with answered():
            return (await self.table.update_many(where, {"$set": values})).matched_count

    async def remove(self, where: Mapping[str, Any]) -> int:
        """Remove all that are described; how many there were."""
        with answered():
            return (await self.table.delete_many(where)).deleted_count

    def document(
        self, record: R, until: int | None = None, extra: Mapping[str, Any] | None = None
    ) -> Document:
        """The record as it is stored."""
        document: Document = msgspec.to_builtins(record)
        document["_id"] = document.pop(self._key)
        return document | {UNTIL: moment(until)} | dict(extra or {})

    def record(self, document: Document) -> R:
        """What a document stands for."""
        fields = {**document, self._key: document["_id"]}
        return msgspec.convert(fields, self._kind)


class _TakenError(Exception):
    """There is a record of this key."""
