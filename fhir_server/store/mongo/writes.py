"""Writes of a transaction, each by one command, as `batches` reads.

A collection's own methods send the same and cost 30 to 50 µs more, of 240 for the insert of
one document (16 at once, uvloop): they divide what never needs division here, and prepare
for a repetition that a transaction does not have.

https://www.mongodb.com/docs/manual/reference/command/nav-crud/
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError, DuplicateKeyError

from fhir_server.store.mongo.documents import Document

Collection = AsyncCollection[Document]

_DUPLICATE: Final = 11000


async def insert(
    table: Collection, rows: Sequence[Document], session: AsyncClientSession
) -> None:
    """Add documents, which have their `_id`; fewer than 48 MB of them.

    Raises:
        DuplicateKeyError: one is there already.
    """
    await _write(table, {"insert": table.name, "documents": rows}, session)


async def update(
    table: Collection, asked: Sequence[Mapping[str, Any]], session: AsyncClientSession
) -> int:
    """Carry out statements of MongoDB's `update`; how many documents they found or made."""
    return await _write(
        table, {"update": table.name, "updates": asked, "ordered": False}, session
    )


async def delete(
    table: Collection, wheres: Sequence[Mapping[str, Any]], session: AsyncClientSession
) -> int:
    """Remove the one document that each of `wheres` finds; how many there were."""
    asked = [{"q": where, "limit": 1} for where in wheres]
    return await _write(
        table, {"delete": table.name, "deletes": asked, "ordered": False}, session
    )


async def _write(table: Collection, command: Document, session: AsyncClientSession) -> int:
    answer = await table.database.command(command, session=session)
    failed = answer.get("writeErrors")
    if failed:
        if failed[0]["code"] == _DUPLICATE:
            raise DuplicateKeyError(failed[0]["errmsg"], _DUPLICATE, failed[0])
        raise BulkWriteError({"writeErrors": failed})
    found: int = answer["n"]
    return found
