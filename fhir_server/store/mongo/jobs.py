"""`port.Jobs` on MongoDB.

    { _id: "<unguessable>"
      kind, grant, form          the order; its input in `data` or `file`
      open: true                 nobody has settled it
      owner, until, lease        who works on it, until when (the database's clock), for the
                                 how-manieth time
      tries                      the same, without those who gave it back in peace
      progress: {…}
      expires                    of one that is over: when it is removed }

The outcome lies in a collection of its own (`store.mongo.outcomes`): a transaction that
settles the job must not collide with the renewal of its lease.
"""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pymongo import IndexModel, ReturnDocument

from fhir_server.store.mongo import outcomes
from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.documents import Document
from fhir_server.store.mongo.indexes import Database
from fhir_server.store.mongo.job_files import JobFiles
from fhir_server.store.mongo.preparing import indexed
from fhir_server.store.port import Job, JobState, Order, Outcome

JOBS: Final = "jobs"

_ID_BYTES: Final = 24  # 192 random bits: who knows an id may see what it stands for
_UPLOADING: Final = timedelta(hours=1)  # then it is given up
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class MongoJobs:
    """The jobs of one database."""

    def __init__(self, database: Database, kept_seconds: float) -> None:
        """`kept_seconds`: how long the outcome of a job can be fetched."""
        self._database = database
        self._table = database[JOBS]
        self._files = JobFiles(database)
        self._kept = kept_seconds

    async def prepare(self) -> None:
        """Make the indexes, and the collection that units write."""
        with answered():
            await indexed(
                self._table,
                IndexModel({"open": 1, "at": 1}, name="open"),
                IndexModel("expires", name="expires"),
            )
            cancelled = IndexModel("cancelled", name="cancelled")
            await indexed(self._database[outcomes.OUTCOMES], cancelled)
            await self._files.prepare()

    async def enqueue(self, order: Order) -> str:
        job = secrets.token_urlsafe(_ID_BYTES)
        row: Document = {
            "_id": job,
            "kind": order.kind,
            "grant": dict(order.grant),
            "form": dict(order.form),
            "open": False,
            "at": datetime.now(UTC),
            "until": _EPOCH,
            "lease": 0,
            "tries": 0,
            "progress": {},
        }
        with answered():
            # First the row: were it the file and then a crash, nothing would know of it.
            soon = datetime.now(UTC) + _UPLOADING
            await self._table.insert_one(row | {"expires": soon})
            held = await self._files.put(job, order.input)
            opened = {"$set": {"open": True, **held}, "$unset": {"expires": ""}}
            await self._table.update_one({"_id": job}, opened)
        return job

    async def find(self, job: str) -> JobState | None:
        with answered():
            row = await self._table.find_one({"_id": job}, {"data": 0})
            if row is None:
                return None
            settled = await outcomes.find(self._database, job)
            if settled is not None and "cancelled" in settled:
                return None
            found = None if settled is None else await outcomes.read(self._files, settled)
            until = _milliseconds(row.get("expires"))
            return JobState(row["kind"], row["progress"], row["grant"], found, until)

    async def cancel(self, job: str) -> bool:
        if await self.find(job) is None:
            return False
        with answered():
            await outcomes.cancel(self._database, job)
            await self._end(job)
            await self._files.drop(job)
        return True

    async def lease(self, owner: str, seconds: float) -> Job | None:
        while True:
            with answered():
                row = await self._leased(owner, seconds)
                if row is None:
                    return None
                job = _job(row)
                # Settled, and then its worker was killed before it could say so.
                if await outcomes.find(self._database, job.id) is None:
                    return job
                await self.close(job)

    async def _leased(self, owner: str, seconds: float) -> Document | None:
        found: Document | None = await self._table.find_one_and_update(
            {"open": True, "$expr": {"$lte": ["$until", "$$NOW"]}},
            [
                {
                    "$set": {
                        "owner": owner,
                        "until": _later(seconds),
                        "lease": {"$add": ["$lease", 1]},
                        "tries": {"$add": ["$tries", 1]},
                    }
                }
            ],
            sort={"at": 1},
            return_document=ReturnDocument.AFTER,
            projection={"data": 0},
        )
        return found

    async def renew(self, job: Job, seconds: float) -> bool:
        return await self._changed(job, [{"$set": {"until": _later(seconds)}}])

    async def release(self, job: Job, *, after: float = 0, counted: bool = False) -> None:
        tries = job.tries if counted else job.tries - 1
        await self._changed(job, [{"$set": {"until": _later(after), "tries": tries}}])

    async def input(self, job: Job) -> bytes:
        with answered():
            row = await self._table.find_one({"_id": job.id}, {"data": 1, "file": 1})
            return b"" if row is None else await self._files.get(row)

    async def progress(self, job: Job, progress: Mapping[str, Any]) -> bool:
        return await self._changed(job, {"$set": {"progress": dict(progress)}})

    async def _changed(self, job: Job, change: Any) -> bool:
        mine = {"_id": job.id, "lease": job.lease, "open": True}
        with answered():
            return (await self._table.update_one(mine, change)).matched_count == 1

    async def settle(self, key: str, outcome: Outcome) -> None:
        with answered():
            await outcomes.settle(self._database, key, outcome)

    async def steps(self, job: Job) -> Mapping[int, Outcome]:
        with answered():
            return await outcomes.steps(self._database, job.id)

    async def close(self, job: Job) -> None:
        with answered():
            await self._end(job.id)

    async def _end(self, job: str) -> None:
        over = {"open": False, "expires": _later(self._kept)}
        await self._table.update_one({"_id": job, "open": True}, [{"$set": over}])

    async def sweep(self) -> None:
        with answered():
            over = {"open": False, "$expr": {"$lte": ["$expires", "$$NOW"]}}
            async for row in self._table.find(over, {"at": 1}):
                await self._drop(row["_id"])

    async def _drop(self, job: str) -> None:
        await self._files.drop(job)
        # The outcome last: without it the job would seem not to have been carried out.
        await self._table.delete_one({"_id": job, "open": False})
        await outcomes.drop(self._database, job)


def _later(seconds: float) -> Document:
    return {"$add": ["$$NOW", int(seconds * 1000)]}


def _job(row: Mapping[str, Any]) -> Job:
    return Job(
        row["_id"],
        row["kind"],
        row["grant"],
        row["form"],
        row["lease"],
        row["tries"],
        row["progress"],
    )


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.replace(tzinfo=UTC).timestamp() * 1000)
