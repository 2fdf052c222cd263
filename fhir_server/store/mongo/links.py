"""`store.links` on MongoDB: one document a link, removed when it has expired."""

from fhir_server.store.links import Link
from fhir_server.store.mongo.indexes import Database
from fhir_server.store.mongo.kept import Kept


class MongoLinks:
    """`links.Links`."""

    def __init__(self, database: Database) -> None:
        self._kept = Kept(database, "links", Link, "digest")

    async def prepare(self) -> None:
        """Make the indexes."""
        await self._kept.prepare()

    async def put(self, link: Link) -> None:
        await self._kept.put(link, link.expires)

    async def find(self, digest: str) -> Link | None:
        return await self._kept.find(digest)

    async def use(self, digest: str, now: int) -> bool:
        return await self._kept.use(digest, now) is not None
