"""Requests that were carried out under a key of the caller's, so that each is once.

    { _id: digest of caller and key, body: digest of the request,
      type, id, number, status    what came of it
      until: ISODate }

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

from typing import Final

from pymongo import IndexModel
from pymongo.asynchronous.client_session import AsyncClientSession

from fhir_server.access.repeats import Repeat, Repeated
from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.indexes import Database
from fhir_server.store.mongo.kept import moment
from fhir_server.store.mongo.preparing import indexed

REPEATS: Final = "repeats"
_MS: Final = 1000


async def prepare(database: Database) -> None:
    """Let MongoDB remove what is known no longer."""
    until = IndexModel("until", name="until", expireAfterSeconds=0)
    await indexed(database[REPEATS], until)


async def find(
    database: Database, key: str, session: AsyncClientSession | None
) -> Repeated | None:
    """What was done under `key`, however long ago."""
    with answered():
        row = await database[REPEATS].find_one({"_id": key}, session=session)
    if row is None:
        return None
    until = round(row["until"].timestamp() * _MS)
    return Repeated(row["body"], row["type"], row["id"], row["number"], row["status"], until)


async def note(
    database: Database, repeat: Repeat, done: Repeated, session: AsyncClientSession | None
) -> None:
    """Keep `done`, in the place of what is known no longer."""
    row = {
        "body": done.body,
        "type": done.type,
        "id": done.id,
        "number": done.number,
        "status": done.status,
        "until": moment(done.until),
    }
    with answered():
        await database[REPEATS].replace_one(
            {"_id": repeat.key}, row, upsert=True, session=session
        )
