"""Units that come at once share a transaction, as rows of a log share a write to the disk.

A transaction costs ten commands and a commit, whether one books or sixteen do. While some are
open the next units gather; they go in step (`in_step`), each by itself: what one is refused
leaves the others alone, and who cannot share (`ApartError`) begins again in a transaction of
its own. So do all of them when the database has the transaction begin again.

https://www.mongodb.com/docs/manual/core/transactions/
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final, TypeAlias, TypeVar

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError

from fhir_server.core.errors import Conflict, FhirError
from fhir_server.store.mongo.claims import ClaimQueue, Claims
from fhir_server.store.mongo.client import TRANSIENT, Client, answered, translated
from fhir_server.store.mongo.commits import DURABLE, SNAPSHOT, commit
from fhir_server.store.mongo.in_step import InStep
from fhir_server.store.mongo.outbox_rows import Posting
from fhir_server.store.mongo.pending import Pending
from fhir_server.store.mongo.resources import StoreLimits, Tables
from fhir_server.store.mongo.shared_units import ApartError, SharedUnit
from fhir_server.store.mongo.units import MongoUnit

T = TypeVar("T")

_TOGETHER: Final = 32
_LATE: Final = 0.25
"""Seconds that the first one waits for the transactions before; then they are slow, as they may
wait for something themselves, and nobody waits for them any more."""
_OPEN: Final = 16
"""Transactions at once, slow ones among them; with a quick one open the next units gather while
the database works on it."""
_PATIENCE: Final = 5.0
"""Seconds for the units of a transaction to ask or to end; then each begins again by itself."""


class NoTurnError(Exception):
    """A unit's turn did not come in time; it has not begun."""


@dataclass(frozen=True, slots=True)
class _Done:
    """What a unit's work gave."""

    value: Any


class _Apart:
    """The work is to be done again in a transaction of its own."""


@dataclass(eq=False, slots=True)
class _Turn:
    """An open transaction. As an outcome: nobody shares with the unit, which has the turn."""

    is_slow: bool = False


_Outcome: TypeAlias = _Done | _Apart | _Turn | BaseException


@dataclass(slots=True)
class _Member:
    """A unit that waits for its turn."""

    kinds: frozenset[str]
    work: Callable[[MongoUnit], Awaitable[Any]]
    alone: Callable[[], Coroutine[Any, Any, Any]]
    outcome: asyncio.Future[_Outcome]
    context: Context = field(default_factory=copy_context)
    """Of its request: what the log knows it by."""
    has_begun: bool = False
    has_left: bool = False
    """Nobody waits for it any more: it writes nothing, unless that is on its way already."""

    @property
    def turn(self) -> _Turn | None:
        """What it was told that it has."""
        is_told = self.outcome.done() and not self.outcome.cancelled()
        told = self.outcome.result() if is_told else None
        return told if isinstance(told, _Turn) else None


class Sharing:
    """The units of this process that may share."""

    def __init__(
        self, client: Client, tables: Tables, limits: StoreLimits, queue: ClaimQueue
    ) -> None:
        self._client = client
        self._tables = tables
        self._limits = limits
        self._queue = queue
        self._waiting: list[_Member] = []
        self._open: list[_Turn] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(
        self,
        kinds: frozenset[str],
        work: Callable[[MongoUnit], Awaitable[T]],
        alone: Callable[[], Coroutine[Any, Any, T]],
    ) -> T:
        """What `work` gives, in a transaction with others; or what `alone` does.

        Raises:
            NoTurnError: its turn did not come.
        """
        if self._is_free:
            return await self._by_itself(alone, self._turn())
        future: asyncio.Future[_Outcome] = asyncio.get_running_loop().create_future()
        outcome = await self._waited(_Member(kinds, work, alone, future))
        match outcome:
            case _Done(value):
                result: T = value
                return result
            case _Turn():
                return await self._by_itself(alone, outcome)
            case _Apart():
                return await alone()
            case _:
                raise outcome

    @property
    def _is_free(self) -> bool:
        """Whether one may begin at once: no others are about to end."""
        return len(self._open) < _OPEN and all(each.is_slow for each in self._open)

    def _turn(self) -> _Turn:
        turn = _Turn()
        self._open.append(turn)
        return turn

    async def _by_itself(self, alone: Callable[[], Coroutine[Any, Any, T]], turn: _Turn) -> T:
        try:
            return await alone()
        finally:
            self._end(turn)

    async def _waited(self, member: _Member) -> _Outcome:
        self._waiting.append(member)
        if len(self._waiting) == 1:
            self._hurry()
        try:
            await asyncio.wait({member.outcome}, timeout=self._limits.admission_seconds)
            if not member.has_begun:
                raise NoTurnError
            return await member.outcome
        except asyncio.CancelledError:
            member.has_left = True
            if member.turn is not None:
                self._end(member.turn)
            raise
        finally:
            if not member.has_begun:
                self._waiting.remove(member)

    def _end(self, turn: _Turn) -> None:
        """One transaction is over: those who wait may begin."""
        self._open.remove(turn)
        if self._waiting and self._is_free:
            self._begin()

    def _begin(self) -> None:
        members, self._waiting = self._waiting[:_TOGETHER], self._waiting[_TOGETHER:]
        for each in members:
            each.has_begun = True
        turn = self._turn()
        if len(members) == 1:
            members[0].outcome.set_result(turn)
        else:
            task = asyncio.create_task(self._carry_out(members, turn))
            self._tasks.add(task)
            task.add_done_callback(self._forget)
        if self._waiting:
            self._hurry()

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # told by whose it is, when each is by itself

    def _hurry(self) -> None:
        """Let the first who waits now wait no longer than `_LATE`."""
        first, before = self._waiting[0], tuple(self._open)

        def late() -> None:
            if first.has_begun or not self._waiting:
                return
            for each in before:
                each.is_slow = True
            if self._is_free:
                self._begin()
            else:
                self._hurry()

        asyncio.get_running_loop().call_later(_LATE, late)

    async def _carry_out(self, members: Sequence[_Member], turn: _Turn) -> None:
        outcomes: list[_Outcome] = [_Apart()] * len(members)
        try:
            await self._tell(members, outcomes)
        finally:
            for member, outcome in zip(members, outcomes, strict=True):
                if not member.outcome.done():
                    member.outcome.set_result(outcome)
            self._end(turn)

    async def _tell(self, members: Sequence[_Member], outcomes: list[_Outcome]) -> None:
        """Put into `outcomes` what became of each. They stay as they are if this ends before
        the commit, however it does."""
        async with AsyncExitStack() as stack:
            claims = [await stack.enter_async_context(Claims(self._queue)) for _ in members]
            worked = None
            with suppress(PyMongoError, FhirError, TimeoutError):
                session = await stack.enter_async_context(self._client.start_session())
                await session.start_transaction(SNAPSHOT, DURABLE)
                worked = await self._worked(members, claims, session)
            if worked is None:
                return
            unknown = RuntimeError("the commit of a shared transaction was broken off")
            outcomes[:] = [unknown if isinstance(each, _Done) else each for each in worked]
            outcomes[:] = await self._committed(session, worked)

    async def _worked(
        self,
        members: Sequence[_Member],
        claims: Sequence[Claims],
        session: AsyncClientSession,
    ) -> Sequence[_Outcome] | None:
        """What became of each, and what they wrote is sent; None: they cannot stay together."""
        step = InStep(self._tables, self._limits, session, len(members))
        units = [
            SharedUnit(self._tables, self._limits, session, member.kinds, claim, step)
            for member, claim in zip(members, claims, strict=True)
        ]
        tasks = [
            _task(_awaited(member.work(unit)), member.context)
            for member, unit in zip(members, units, strict=True)
        ]
        for task in tasks:
            task.add_done_callback(lambda _: step.rest())
        try:
            await step.go(_PATIENCE)
        finally:
            for task in tasks:
                task.cancel()
            ended = [await _ended(task) for task in tasks]
        outcomes = [
            _Apart() if member.has_left else each
            for member, each in zip(members, ended, strict=True)
        ]
        pending, posting = Pending(self._tables, session), Posting(self._tables, session)
        for unit, outcome in zip(units, outcomes, strict=True):
            if isinstance(outcome, _Done):
                unit.hand_over(pending, posting)
            elif unit.is_numbered:
                return None  # its number would be lost
        with answered():
            await pending.send()
            await posting.send()
        return outcomes

    async def _committed(
        self, session: AsyncClientSession, outcomes: Sequence[_Outcome]
    ) -> Sequence[_Outcome]:
        if not any(isinstance(each, _Done) for each in outcomes):
            return outcomes
        try:
            await commit(session, monotonic() + self._limits.retry_seconds)
        except PyMongoError as error:
            again = error.has_error_label(TRANSIENT)
            return [
                each
                if not isinstance(each, _Done)
                else _Apart()
                if again
                else translated(error)
                for each in outcomes
            ]
        return outcomes


def _task(work: Coroutine[Any, Any, T], context: Context) -> asyncio.Task[T]:
    return asyncio.create_task(work, context=context)


async def _awaited(work: Awaitable[T]) -> T:
    return await work


async def _ended(task: asyncio.Task[Any]) -> _Outcome:
    """What became of a unit's work, when its task has ended."""
    await asyncio.wait({task})
    if task.cancelled():
        return _Apart()
    error = task.exception()
    if error is None:
        return _Done(task.result())
    is_ruled = isinstance(error, Conflict) and error.is_ruled
    again = isinstance(error, ApartError | PyMongoError | Conflict)
    return _Apart() if again and not is_ruled else error
