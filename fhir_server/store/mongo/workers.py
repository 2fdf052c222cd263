"""`port.Workers` on MongoDB: a row a process, `{ _id, fresh, seen }`.

`fresh` is a time of the database's clock; so is `seen`.
"""

from typing import Final

from pymongo.write_concern import WriteConcern

from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.indexes import Database

WORKERS: Final = "workers"

_FORGOTTEN: Final = 86_400_000  # milliseconds; rows of killed processes


class MongoWorkers:
    """The processes that share one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # A row a second: a lost one is soon written again, so nobody waits for the journal.
        self._table = database[WORKERS].with_options(write_concern=WriteConcern(1))

    async def time(self) -> int:
        with answered():
            now = (await self._database.command("hello"))["localTime"]
        return int(now.timestamp() * 1000)

    async def report(self, worker: str, fresh: int) -> None:
        with answered():
            seen = [{"$set": {"fresh": fresh, "seen": "$$NOW"}}]
            await self._table.update_one({"_id": worker}, seen, upsert=True)

    async def lagging(self, since: int, seconds: float) -> bool:
        alive = {"$gte": ["$seen", {"$subtract": ["$$NOW", int(seconds * 1000)]}]}
        with answered():
            behind = {"fresh": {"$lt": since}, "$expr": alive}
            return await self._table.find_one(behind, {"_id": 1}) is not None

    async def leave(self, worker: str) -> None:
        with answered():
            await self._table.delete_one({"_id": worker})
            gone = {"$lt": ["$seen", {"$subtract": ["$$NOW", _FORGOTTEN]}]}
            await self._table.delete_many({"$expr": gone})
