"""Running units of work: admitted in bounded number, committed, repeated when asked to.

https://www.mongodb.com/docs/manual/core/transactions-in-applications/
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Final, TypeVar

from pymongo.errors import PyMongoError

from fhir_server.core.errors import Conflict, Unavailable
from fhir_server.core.messages import Text
from fhir_server.store.mongo.claims import ClaimQueue, Claims
from fhir_server.store.mongo.client import TRANSIENT, Client, translated
from fhir_server.store.mongo.commits import DURABLE, SNAPSHOT, commit
from fhir_server.store.mongo.resources import StoreLimits, Tables
from fhir_server.store.mongo.sharing import NoTurnError, Sharing
from fhir_server.store.mongo.units import MongoUnit

T = TypeVar("T")

BUSY: Final = Text(
    "Too many writes are in progress. Try again shortly.",
    "Сейчас выполняется слишком много записей. Повторите запрос чуть позже.",
    "Зараз виконується забагато записів. Повторіть запит трохи згодом.",
)

_TURN: Final = 1.0
"""Seconds to wait for others that write the same resource: some hundred writes. When the
database does not answer, they would wait for each other's time-outs."""
_FIRST_PAUSE: Final = 0.005
_LONGEST_PAUSE: Final = 0.25  # seconds, before a repetition


class Transactions:
    """The units of this process."""

    def __init__(self, client: Client, tables: Tables, limits: StoreLimits) -> None:
        self._client = client
        self._tables = tables
        self._limits = limits
        self._units = asyncio.Semaphore(limits.open_units)
        self._singles = asyncio.Semaphore(limits.open_singles)
        self._queue = ClaimQueue()
        self._sharing = Sharing(client, tables, limits, self._queue)

    async def run(
        self,
        kinds: frozenset[str],
        work: Callable[[MongoUnit], Awaitable[T]],
        *,
        single: bool,
        resource: str | None,
        together: bool = False,
    ) -> T:
        """`port.ResourceStore.run`; the collections of `kinds` exist."""
        if not together:
            return await self._alone(kinds, work, single=single, resource=resource)

        async def alone() -> T:
            return await self._alone(kinds, work, single=single, resource=resource)

        try:
            return await self._sharing.run(kinds, work, alone)
        except NoTurnError as error:
            raise Unavailable(BUSY) from error

    async def _alone(
        self,
        kinds: frozenset[str],
        work: Callable[[MongoUnit], Awaitable[T]],
        *,
        single: bool,
        resource: str | None,
    ) -> T:
        gate = self._singles if single else self._units
        async with self._turn(resource) as locked, self._admitted(gate):
            return await self._repeated(kinds, work, locked)

    @asynccontextmanager
    async def _turn(self, resource: str | None) -> AsyncIterator[str | None]:
        """Wait for the others that write `resource`, not for ever: the database decides in
        the end. Gives it back, if its turn has come."""
        if resource is None:
            yield None
            return
        lock, held = self._queue.lock(resource), False
        with suppress(TimeoutError):
            async with asyncio.timeout(_TURN):
                held = await lock.acquire()
        try:
            yield resource if held else None
        finally:
            if held:
                lock.release()

    @asynccontextmanager
    async def _admitted(self, gate: asyncio.Semaphore) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._limits.admission_seconds):
                await gate.acquire()
        except TimeoutError as error:
            raise Unavailable(BUSY) from error
        try:
            yield
        finally:
            gate.release()

    async def _repeated(
        self,
        kinds: frozenset[str],
        work: Callable[[MongoUnit], Awaitable[T]],
        locked: str | None,
    ) -> T:
        until = monotonic() + self._limits.retry_seconds
        conflicts = 0
        pause = _FIRST_PAUSE
        while True:
            try:
                return await self._attempt(kinds, work, until, locked)
            except Conflict as error:
                conflicts += 1
                if error.is_ruled or conflicts >= self._limits.conflicts:
                    raise
            except PyMongoError as error:
                if not error.has_error_label(TRANSIENT) or monotonic() >= until:
                    raise translated(error) from error
            # Apart from each other, or those who collided collide again.
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _attempt(
        self,
        kinds: frozenset[str],
        work: Callable[[MongoUnit], Awaitable[T]],
        until: float,
        locked: str | None,
    ) -> T:
        async with (
            Claims(self._queue, locked) as claims,
            self._client.start_session() as session,
        ):
            unit = MongoUnit(self._tables, self._limits, session, kinds, claims)
            try:
                await session.start_transaction(SNAPSHOT, DURABLE)
                result = await work(unit)
                await unit.finish()
            except BaseException:
                await session.abort_transaction()
                for body in unit.uploaded:
                    await unit.bodies.forget(body)
                raise
            await commit(session, until)
            return result
