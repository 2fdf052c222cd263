"""Questions of several units in one transaction, asked together when all of them wait.

A session carries out one command at a time, and a command costs more than what it asks. So
the units of one transaction go in step: when each of them has either ended or asked, what
they ask goes out in as few commands as it allows, and they go on.

https://www.mongodb.com/docs/manual/core/transactions/
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, assert_never

from pymongo.asynchronous.client_session import AsyncClientSession

from fhir_server.search.plan import Node, Restriction
from fhir_server.store.mongo import lookups, sequences
from fhir_server.store.mongo.resources import Reader, StoreLimits, Tables
from fhir_server.store.mongo.units import mark
from fhir_server.store.port import Stored

_APIECE: Final = 8
"""Answers to one question, on average, that are still looked up with those to the others."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Write these claims."""

    keys: Sequence[str]


@dataclass(frozen=True, slots=True)
class Find:
    """What `find` gives for each type, predicate and limit."""

    asked: Sequence[tuple[str, Node, int]]
    within: Restriction


@dataclass(frozen=True, slots=True)
class Number:
    """The next number of a sequence."""

    key: str


Question: TypeAlias = Claim | Find | Number


@dataclass(slots=True)
class _Alike:
    """Predicates of one type, under one limit and one Restriction."""

    kind: str
    limit: int
    within: Restriction
    wheres: list[Node] = field(default_factory=list)


class InStep:
    """The rounds of `size` units on one session."""

    def __init__(
        self, tables: Tables, limits: StoreLimits, session: AsyncClientSession, size: int
    ) -> None:
        self._tables = tables
        self._session = session
        self._reader = Reader(tables, limits, session)
        self._asked: list[tuple[Question, asyncio.Future[Any]]] = []
        self._working = size
        self._all_wait = asyncio.Event()

    async def ask(self, question: Question) -> Any:
        """The answer: nothing to a Claim, rows to each part of a Find, a number."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked.append((question, answer))
        self.rest()
        return await answer

    def rest(self) -> None:
        """One of the units waits, or has ended."""
        self._working -= 1
        if self._working == 0:
            self._all_wait.set()

    async def go(self, patience: float) -> None:
        """Answer until all units have ended.

        `patience`: seconds from one round to the next. It bounds what the units do alone: a
        command has a bound of its own, and is not broken off in the middle.

        Raises:
            TimeoutError: one of them neither asks nor ends.
            PyMongoError, FhirError: a question could not be answered; none is from now on.
        """
        while True:
            async with asyncio.timeout(patience):
                await self._all_wait.wait()
            asked, self._asked = self._asked, []
            if not asked:
                return
            self._working = len(asked)
            self._all_wait.clear()
            answers = await self._answers([question for question, _ in asked])
            for (_, waiting), answer in zip(asked, answers, strict=True):
                if not waiting.done():
                    waiting.set_result(answer)

    async def _answers(self, asked: Sequence[Question]) -> Sequence[Any]:
        claimed: list[str] = []
        numbered: list[str] = []
        found: list[Find] = []
        for each in asked:
            match each:
                case Claim(keys):
                    claimed.extend(keys)
                case Number(key):
                    numbered.append(key)
                case Find():
                    found.append(each)
                case _:
                    assert_never(each)
        if claimed:
            await mark(self._tables, claimed, self._session)
        rows = iter(await self._found(found))
        numbers = iter(await self._numbers(numbered))
        return [
            next(rows)
            if isinstance(each, Find)
            else next(numbers)
            if isinstance(each, Number)
            else None
            for each in asked
        ]

    async def _numbers(self, keys: Sequence[str]) -> Sequence[int]:
        if not keys:
            return ()
        return await sequences.following_each(self._tables.database, keys, self._session)

    async def _found(self, asked: Sequence[Find]) -> Sequence[Sequence[Sequence[Stored]]]:
        alike: dict[tuple[str, int, int], _Alike] = {}
        for one in asked:
            for kind, where, limit in one.asked:
                key = (kind, limit, id(one.within))
                group = alike.setdefault(key, _Alike(kind, limit, one.within))
                group.wheres.append(where)
        found = {
            key: iter(
                await lookups.find_each(
                    self._reader, each.kind, each.wheres, each.limit, each.within, _APIECE
                )
            )
            for key, each in alike.items()
        }
        return [
            [next(found[kind, limit, id(one.within)]) for kind, _, limit in one.asked]
            for one in asked
        ]
