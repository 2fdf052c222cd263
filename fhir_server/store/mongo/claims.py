"""Claims: how two units that depend on the same condition come to exclude each other.

A claim is a document that the unit writes; of two open transactions that write it MongoDB
lets one win, and the other starts again. Units of one process queue up first, so that they
need not collide.

https://hl7.org/fhir/R4/http.html#ccreate
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final
from weakref import WeakValueDictionary

from fhir_server.store.mongo.indexes import Database

CLAIMS: Final = "claims"

_KEPT: Final = 300  # seconds; a transaction ends after 60 by MongoDB's default
_LONGEST_WAIT: Final = 1.0  # seconds; two units may wait for each other's second claim


async def prepare(database: Database) -> None:
    """Let MongoDB remove claims that nobody holds any more."""
    await database[CLAIMS].create_index("at", name="kept", expireAfterSeconds=_KEPT)


class ClaimQueue:
    """The units of this process that wait for a key."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, key: str, until: float) -> AsyncIterator[None]:
        """Wait for the others with `key`, but not beyond `until` of the loop's clock: the
        database decides in the end."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        held = await _acquired(lock, until)
        try:
            yield
        finally:
            if held:
                lock.release()


class Claims(AsyncExitStack):
    """The claims of one unit; leaving the context lets the next one in."""

    def __init__(self, queue: ClaimQueue) -> None:
        super().__init__()
        self._queue = queue
        self._taken: set[str] = set()

    async def take(self, keys: Iterable[str]) -> Sequence[str]:
        """Wait for `keys`, one after the other and not long for all of them together;
        those that the unit had not taken before."""
        fresh = [key for key in dict.fromkeys(keys) if key not in self._taken]
        until = asyncio.get_running_loop().time() + _LONGEST_WAIT
        for key in fresh:
            self._taken.add(key)
            await self.enter_async_context(self._queue.turn(key, until))
        return fresh


async def _acquired(lock: asyncio.Lock, until: float) -> bool:
    try:
        async with asyncio.timeout_at(until):
            return await lock.acquire()
    except TimeoutError:
        return False
