"""What jobs take in and give out: within a document while small, in GridFS above.

Each file names its job, so that whoever removes a job finds all that it left.

https://www.mongodb.com/docs/manual/core/gridfs/
"""

from collections.abc import Mapping
from typing import Any, Final

from gridfs.asynchronous import AsyncGridFSBucket
from pymongo import IndexModel

from fhir_server.store.mongo.documents import Document
from fhir_server.store.mongo.indexes import Database
from fhir_server.store.mongo.preparing import indexed

INLINE: Final = 1024 * 1024  # a queue of such documents is still quick to walk

_BUCKET: Final = "job_files"


class JobFiles:
    """The payloads of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def prepare(self) -> None:
        """Let files be found by their job."""
        job = IndexModel("metadata.job", name="job")
        await indexed(self._database[f"{_BUCKET}.files"], job)

    async def put(self, job: str, data: bytes) -> Document:
        """Keep `data`; the fields by which a document holds it."""
        if len(data) <= INLINE:
            return {"data": data}
        file = await self._bucket().upload_from_stream(job, data, metadata={"job": job})
        return {"file": file}

    async def get(self, row: Mapping[str, Any]) -> bytes:
        """What the fields that `put` gave stand for."""
        if "file" not in row:
            data: bytes = row["data"]
            return data
        stream = await self._bucket().open_download_stream(row["file"])
        return await stream.read()

    async def drop(self, job: str) -> None:
        """Remove every file of a job."""
        async for row in self._database[f"{_BUCKET}.files"].find(
            {"metadata.job": job}, {"_id": 1}
        ):
            await self._bucket().delete(row["_id"])

    def _bucket(self) -> AsyncGridFSBucket:
        return AsyncGridFSBucket(self._database, _BUCKET)
