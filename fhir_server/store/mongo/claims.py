"""Claims: how two units that depend on the same condition come to exclude each other.

A claim is a document that the unit writes; of two open transactions that write it MongoDB
lets one win, and the other starts again. Units of one process queue up first, so that they
need not collide.

https://hl7.org/fhir/R4/http.html#ccreate
"""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Final
from weakref import WeakValueDictionary

from pymongo import IndexModel

from fhir_server.store.mongo.indexes import Database
from fhir_server.store.mongo.preparing import indexed

CLAIMS: Final = "claims"

_KEPT: Final = 300  # seconds; a transaction ends after 60 by MongoDB's default
_LONGEST_WAIT: Final = 1.0  # seconds; two units may wait for each other's second claim
_BREATH: Final = 500  # claims in 2 to 8 ms, before other requests get their turn


async def prepare(database: Database) -> None:
    """Let MongoDB remove claims that nobody holds any more."""
    kept = IndexModel("at", name="kept", expireAfterSeconds=_KEPT)
    await indexed(database[CLAIMS], kept)


class ClaimQueue:
    """The units of this process that wait for a key."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def lock(self, key: str) -> asyncio.Lock:
        """What the one with `key` holds; it is kept as long as somebody has it."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock


class Claims(AsyncExitStack):
    """The claims of one unit; leaving the context lets the next one in."""

    def __init__(self, queue: ClaimQueue, locked: str | None = None) -> None:
        """`locked`: the key whose lock the unit has already; it must not wait for itself."""
        super().__init__()
        self._queue = queue
        self._locked = locked
        self._taken: set[str] = set()

    async def take(self, keys: Iterable[str]) -> Sequence[str]:
        """Wait for `keys`, one after the other and not long for all of them together: the
        database decides in the end. Those that the unit had not taken before."""
        fresh = [key for key in dict.fromkeys(keys) if key not in self._taken]
        self._taken.update(fresh)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_WAIT):
                for place, key in enumerate(fresh, 1):
                    if key == self._locked:
                        continue
                    lock = self._queue.lock(key)
                    await lock.acquire()
                    self.callback(lock.release)
                    if place % _BREATH == 0:
                        await asyncio.sleep(0)
        return fresh

    async def take_free(self, keys: Iterable[str]) -> Sequence[str] | None:
        """`take`, without waiting: None where somebody has one of `keys`, and some of the
        others may be taken then."""
        fresh = [key for key in dict.fromkeys(keys) if key not in self._taken]
        try:
            for key in fresh:
                lock = self._queue.lock(key)
                async with asyncio.timeout(0):
                    await lock.acquire()
                self.callback(lock.release)
                self._taken.add(key)
        except TimeoutError:
            return None
        return fresh
