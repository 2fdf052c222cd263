"""What the audit's log still owes, and the AuditEvents made of it: `AuditArchive`.

Events have ids that follow from their place in the log: whoever makes one makes the same, and
who comes second finds it there.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Final

from pymongo.errors import BulkWriteError

from fhir_server.access.audit_log import AuditBatch
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import dumps
from fhir_server.search.values import IndexValues
from fhir_server.store.mongo.audit_log import LOG, ROW
from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.documents import Document, document
from fhir_server.store.mongo.indexes import Database
from fhir_server.store.port import Version

KIND: Final = "AuditEvent"

_DUPLICATE: Final = 11000
_FETCHED: Final = 50  # batches a round trip


class MongoAuditArchive:
    """Over one database."""

    def __init__(
        self,
        database: Database,
        index: Callable[[JsonObject], IndexValues],
        prepare: Callable[[Sequence[str]], Awaitable[None]],
    ) -> None:
        self._database = database
        self._index = index
        self._prepare = prepare

    async def pending(
        self, patients: Collection[str] | None, *, limit: int
    ) -> AsyncIterator[AuditBatch]:
        """`AuditArchive.pending`."""
        where: Document = {"open": True}
        if patients is not None:
            where["p"] = {"$in": list(patients)}
        cursor = self._database[LOG].find(
            where, {"body": 1}, sort=[("at", 1)], limit=limit, batch_size=_FETCHED
        )
        with answered():
            async for row in cursor:
                whole = not row["_id"].startswith(ROW)
                yield AuditBatch(row["_id"], bytes(row["body"]), whole)

    async def file(self, events: Sequence[JsonObject]) -> None:
        """`AuditArchive.file`."""
        if not events:
            return
        await self._prepare([KIND])
        rows = [document(self._version(event)) for event in events]
        with answered():
            try:
                await self._database[KIND].insert_many(rows, ordered=False)
            except BulkWriteError as error:
                failed = (error.details or {}).get("writeErrors", [])
                if any(each["code"] != _DUPLICATE for each in failed):
                    raise

    def _version(self, event: JsonObject) -> Version:
        values = self._index(event)
        at = datetime.fromisoformat(event["recorded"]).timestamp()
        return Version(KIND, event["id"], 1, round(at * 1000), dumps(event), values, "POST")

    async def close(self, batches: Sequence[str], patients: Collection[str] | None) -> None:
        """`AuditArchive.close`."""
        if not batches:
            return
        where = {"_id": {"$in": list(batches)}}
        change: Document = (
            {"$unset": {"open": "", "p": ""}}
            if patients is None
            else {"$pull": {"p": {"$in": list(patients)}}}
        )
        with answered():
            await self._database[LOG].update_many(where, change)
