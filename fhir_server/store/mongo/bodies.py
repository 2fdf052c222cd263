"""Bodies that would not fit in a document, in GridFS.

A BSON document holds 16 MB, its index values included.

https://www.mongodb.com/docs/manual/core/gridfs/
"""

from typing import Final

from bson.objectid import ObjectId
from gridfs.asynchronous import AsyncGridFSBucket

from fhir_server.core.errors import TooLarge
from fhir_server.core.messages import Text
from fhir_server.store.mongo.documents import GridBody
from fhir_server.store.mongo.indexes import Database
from fhir_server.store.port import Version

TOO_LARGE: Final = Text(
    "The resource has {size} bytes; the largest this server stores has {most}.",
    "Размер ресурса {size} байт; самый большой, что хранит этот сервер, — {most}.",
    "Розмір ресурсу {size} байтів; найбільший, що зберігає цей сервер, — {most}.",
)

INLINE: Final = 14 * 1024 * 1024  # leaves 2 MB of the 16 to the index values

_BUCKET: Final = "bodies"


class Bodies:
    """The files of one database. A version never changes, so neither does its file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def place(self, version: Version, most: int) -> GridBody | None:
        """Store the body of `version` if no document holds it.

        Outside the transaction that refers to it, which might end before the last chunk.

        Raises:
            TooLarge: it has more than `most` bytes.
        """
        size = len(version.body)
        if size > most:
            raise TooLarge(TOO_LARGE, size=size, most=most)
        if size <= INLINE:
            return None
        name = f"{version.type}/{version.id}/{version.number}"
        return GridBody(await self._bucket().upload_from_stream(name, version.body))

    async def read(self, file: ObjectId) -> bytes:
        """The body that `place` stored."""
        stream = await self._bucket().open_download_stream(file)
        return await stream.read()

    async def forget(self, body: GridBody) -> None:
        """Take back a file that no version refers to."""
        await self._bucket().delete(body.file)

    def _bucket(self) -> AsyncGridFSBucket:
        return AsyncGridFSBucket(self._database, _BUCKET)
