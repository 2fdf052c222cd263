"""Outcomes of jobs: inserted once and never replaced, so that the insert decides everything.

A unit of work inserts the outcome together with what it writes. Of two workers that carry out
the same job (one was believed dead) only one can commit; a cancellation is an outcome too, and
competes in the same way.

    { _id: "<job>" or "<job>/7"   a job, or a step of one
      status, data or file        the answer
      shown: {data or file}       which versions are in it: [[type, id, number, written], …]
      cancelled: true             instead of these }
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from fhir_server.access.kept_answers import SettledError, Shown
from fhir_server.store.mongo.documents import Document
from fhir_server.store.mongo.indexes import Database
from fhir_server.store.mongo.job_files import JobFiles
from fhir_server.store.port import Outcome

OUTCOMES: Final = "job_outcomes"

_TAKEN: Final = ("data", "file", "shown")
_BEHIND_SLASH: Final = "0"  # the character after "/"


async def settle(
    database: Database,
    key: str,
    outcome: Outcome,
    session: AsyncClientSession | None = None,
) -> None:
    """`port.Unit.settle`; a large body is uploaded outside of the transaction.

    Raises:
        SettledError: the key has one.
    """
    files, job = JobFiles(database), key.partition("/")[0]
    held = await files.put(job, outcome.body)
    if outcome.shown:
        held["shown"] = await files.put(job, msgspec.json.encode(outcome.shown))
    try:
        await database[OUTCOMES].insert_one(
            {"_id": key, "status": outcome.status, **held}, session=session
        )
    except DuplicateKeyError as error:
        raise SettledError(key) from error


async def cancel(database: Database, job: str) -> None:
    """Settle `job` as cancelled, or take back the answer that it has."""
    try:
        await database[OUTCOMES].insert_one({"_id": job, "cancelled": True})
    except DuplicateKeyError:
        taken = {"$set": {"cancelled": True}, "$unset": dict.fromkeys(_TAKEN, "")}
        await database[OUTCOMES].update_one({"_id": job}, taken)


async def find(database: Database, job: str) -> Document | None:
    """The row of a job."""
    return await database[OUTCOMES].find_one({"_id": job})


async def steps(database: Database, job: str) -> dict[int, Outcome]:
    """The outcomes of the job's steps."""
    files = JobFiles(database)
    within = {"$gt": f"{job}/", "$lt": f"{job}{_BEHIND_SLASH}"}
    return {
        int(row["_id"].partition("/")[2]): await read(files, row)
        async for row in database[OUTCOMES].find({"_id": within})
    }


async def read(files: JobFiles, row: Mapping[str, Any]) -> Outcome:
    """A row that was not cancelled."""
    shown: tuple[Shown, ...] = ()
    if "shown" in row:
        shown = msgspec.json.decode(await files.get(row["shown"]), type=tuple[Shown, ...])
    return Outcome(row["status"], await files.get(row), shown)


async def drop(database: Database, job: str) -> None:
    """Remove what is known of `job` and its steps."""
    await database[OUTCOMES].delete_many({"_id": {"$gte": job, "$lt": f"{job}{_BEHIND_SLASH}"}})
