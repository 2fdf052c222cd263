"""Writes of a transaction, each by one command, as `batches` reads.

A collection's own methods send the same and cost 30 to 50 µs more, of 240 for the insert of
one document (16 at once, uvloop): they divide into more parts than are needed here, and prepare
for a repetition that a transaction does not have.

https://www.mongodb.com/docs/manual/reference/command/nav-crud/
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bson import encode
from bson.raw_bson import RawBSONDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError, DuplicateKeyError

from fhir_server.store.mongo.documents import Document

Collection = AsyncCollection[Document]

_DUPLICATE: Final = 11000
_MOST: Final = 16_000_000
"""Bytes of documents in a command."""


async def insert(
    table: Collection, rows: Sequence[Document], session: AsyncClientSession
) -> None:
    """Add documents, which have their `_id`.

    Raises:
        DuplicateKeyError: one is there already.
        DocumentTooLarge: one is larger than MongoDB keeps.
    """
    for part in _parts(table, rows):
        await _write(table, {"insert": table.name, "documents": part}, session)


async def update(
    table: Collection, asked: Sequence[Mapping[str, Any]], session: AsyncClientSession
) -> int:
    """Carry out statements of MongoDB's `update`; how many documents they found or made.

    Raises:
        DocumentTooLarge: one is larger than MongoDB keeps.
    """
    done = 0
    for part in _parts(table, asked):
        command: Document = {"update": table.name, "updates": part, "ordered": False}
        done += await _write(table, command, session)
    return done


async def delete(
    table: Collection, wheres: Sequence[Mapping[str, Any]], session: AsyncClientSession
) -> int:
    """Remove the one document that each of `wheres` finds; how many there were."""
    asked = [{"q": where, "limit": 1} for where in wheres]
    command: Document = {"delete": table.name, "deletes": asked, "ordered": False}
    return await _write(table, command, session)


def _parts(
    table: Collection, given: Sequence[Mapping[str, Any]]
) -> Iterator[Sequence[Mapping[str, Any]]]:
    """`given` in as many commands as it needs: the driver sends none that is larger than a
    document may be."""
    if len(given) == 1:
        yield given
        return
    part: list[Mapping[str, Any]] = []
    size = 0
    for each in given:
        # Made into bytes here, where their size is known, and not again on the way.
        raw = RawBSONDocument(encode(each, codec_options=table.codec_options))
        if part and size + len(raw.raw) > _MOST:
            yield part
            part, size = [], 0
        part.append(raw)
        size += len(raw.raw)
    yield part


async def _write(table: Collection, command: Document, session: AsyncClientSession) -> int:
    answer = await table.database.command(command, session=session)
    failed = answer.get("writeErrors")
    if failed:
        if failed[0]["code"] == _DUPLICATE:
            raise DuplicateKeyError(failed[0]["errmsg"], _DUPLICATE, failed[0])
        raise BulkWriteError({"writeErrors": failed})
    found: int = answer["n"]
    return found
