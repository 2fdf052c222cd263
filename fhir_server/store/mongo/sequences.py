"""Sequences of numbers without gaps: a document each, counted up in the unit that takes a
number.

MongoDB lets one of two open transactions count; the other starts again and sees what the
first has left. What is rolled back was never counted.

    { _id: the key, n: the last number, at: when it was taken }

https://www.mongodb.com/docs/manual/core/transactions/
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from pymongo import IndexModel, ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession

from fhir_server.store.mongo import batches, writes
from fhir_server.store.mongo.documents import Document
from fhir_server.store.mongo.indexes import Database
from fhir_server.store.mongo.preparing import indexed

SEQUENCES: Final = "sequences"

_KEPT: Final = 800 * 86_400
"""Seconds behind its last number: nobody books a day that is as far."""


async def prepare(database: Database) -> None:
    """Let MongoDB remove sequences that have ended."""
    kept = IndexModel("at", name="kept", expireAfterSeconds=_KEPT)
    await indexed(database[SEQUENCES], kept)


async def following(database: Database, key: str, session: AsyncClientSession | None) -> int:
    """Count the sequence `key` up, in `session`; its new number, of which 1 is the first."""
    row: Document | None = await database[SEQUENCES].find_one_and_update(
        {"_id": key},
        {"$inc": {"n": 1}, "$set": {"at": datetime.now(UTC)}},
        {"n": 1},
        upsert=True,
        return_document=ReturnDocument.AFTER,
        session=session,
    )
    if row is None:
        raise AssertionError(key)  # an upsert has always something to give back
    return int(row["n"])


async def following_each(
    database: Database, keys: Sequence[str], session: AsyncClientSession
) -> Sequence[int]:
    """`following` of each of `keys`, no two of which are the same, in two commands."""
    change = {"$inc": {"n": 1}, "$set": {"at": datetime.now(UTC)}}
    asked = [{"q": {"_id": key}, "u": change, "upsert": True} for key in keys]
    table = database[SEQUENCES]
    await writes.update(table, asked, session)
    where = {"_id": {"$in": list(keys)}}
    rows = await batches.rows(table, where, {"n": 1}, limit=len(keys), session=session)
    last = {row["_id"]: int(row["n"]) for row in rows}
    return [last[key] for key in keys]
