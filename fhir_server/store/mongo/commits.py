"""How transactions begin, and how they are committed.

https://www.mongodb.com/docs/manual/core/transactions-in-applications/
"""

import asyncio
from time import monotonic
from typing import Final

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from fhir_server.store.mongo.client import UNKNOWN_COMMIT

SNAPSHOT: Final = ReadConcern("snapshot")
DURABLE: Final = WriteConcern("majority", j=True)

_PAUSE: Final = 0.25  # seconds, before it is asked again


async def commit(session: AsyncClientSession, until: float) -> None:
    """Commit; where the answer was lost, ask again until it is known.

    `until`: when to give that up, by the monotonic clock.

    Raises:
        PyMongoError: it was not committed, or nobody knows.
    """
    while True:
        try:
            await session.commit_transaction()
        except PyMongoError as error:
            if not error.has_error_label(UNKNOWN_COMMIT) or monotonic() >= until:
                raise
            await asyncio.sleep(_PAUSE)
        else:
            return
