"""Collections and indexes made ready, though a connection break meanwhile.

The driver repeats reads and single writes by itself, and not `create`, `createIndexes` and
deletes of many. These have the same effect said once and said again, so that a server need not
fail to start because one connection broke, or because a primary stepped down.

https://www.mongodb.com/docs/manual/core/retryable-writes/
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from pymongo import IndexModel
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import AutoReconnect, NetworkTimeout, ServerSelectionTimeoutError

from fhir_server.store.mongo.documents import Document

T = TypeVar("T")

_PAUSES: Final = (0.05, 0.2, 0.8)
"""Seconds before each repetition; an election is waited for by the selection of a server."""
_WAITED_FOR: Final = (NetworkTimeout, ServerSelectionTimeoutError)
"""What has taken all the time that it may take."""


async def repeated(work: Callable[[], Awaitable[T]]) -> T:
    """What `work` gives, done again while its connection breaks; it may be done twice.

    Raises:
        PyMongoError: it failed for another reason, or to the last.
    """
    for pause in _PAUSES:
        try:
            return await work()
        except _WAITED_FOR:
            raise
        except AutoReconnect:
            await asyncio.sleep(pause)
    return await work()


async def indexed(table: AsyncCollection[Document], *models: IndexModel) -> None:
    """Make the indexes of a collection, which is made where it is missing.

    Raises:
        PyMongoError: the database does not.
    """
    await repeated(lambda: table.create_indexes(list(models)))
