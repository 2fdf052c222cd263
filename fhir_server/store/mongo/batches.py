"""Rows that are wanted at once, by one command and without a cursor.

A cursor costs 20 µs more, of 165 for the read of one document (16 at once, uvloop). Where a
batch did not hold all, or the database was lost on the way, a cursor asks again: it can go
on, and it repeats itself over an election.

https://www.mongodb.com/docs/manual/reference/command/find/
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import AutoReconnect, NetworkTimeout, ServerSelectionTimeoutError

from fhir_server.store.mongo.documents import Document

Collection = AsyncCollection[Document]


async def rows(
    table: Collection,
    where: Document,
    projection: Mapping[str, Any] | None,
    *,
    order: Sequence[tuple[str, int]] = (),
    limit: int,
    session: AsyncClientSession | None,
) -> list[Document]:
    """Up to `limit` documents of `table`, at least 1, in `order`."""
    command: Document = {
        "find": table.name,
        "filter": where,
        "limit": limit,
        "batchSize": limit + 1,
    }
    if projection is not None:
        command["projection"] = projection
    if order:
        command["sort"] = dict(order)
    if session is None:  # a transaction has its own
        command["readConcern"] = table.read_concern.document
    try:
        answer = await table.database.command(
            command, read_preference=table.read_preference, session=session
        )
    except AutoReconnect as error:
        if session is not None or isinstance(
            error, NetworkTimeout | ServerSelectionTimeoutError
        ):
            raise
        return await _with_cursor(table, where, projection, order, limit, session)
    cursor = answer["cursor"]
    if cursor["id"]:  # more than a message can hold
        await _close(table, cursor["id"], session)
        return await _with_cursor(table, where, projection, order, limit, session)
    found: list[Document] = cursor["firstBatch"]
    return found


async def _with_cursor(
    table: Collection,
    where: Document,
    projection: Mapping[str, Any] | None,
    order: Sequence[tuple[str, int]],
    limit: int,
    session: AsyncClientSession | None,
) -> list[Document]:
    cursor = table.find(where, projection, sort=order or None, limit=limit, session=session)
    return await cursor.to_list()


async def _close(table: Collection, cursor: int, session: AsyncClientSession | None) -> None:
    command = {"killCursors": table.name, "cursors": [cursor]}
    await table.database.command(command, session=session)
