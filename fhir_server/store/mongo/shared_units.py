"""A unit that shares its MongoDB transaction with others, each of which is whole by itself.

It does what most units of one resource do: claim, look up, take a number, write, post. What
else a unit may do, and what others stand in the way of, is done in a transaction of its own:
its work is called again there.

https://www.mongodb.com/docs/manual/core/transactions/
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pymongo.asynchronous.client_session import AsyncClientSession
from typing_extensions import override

from fhir_server.search.plan import Ids, Node, Restriction
from fhir_server.store.mongo.claims import Claims
from fhir_server.store.mongo.documents import Document
from fhir_server.store.mongo.in_step import Claim, Find, InStep, Number
from fhir_server.store.mongo.outbox_rows import Posting
from fhir_server.store.mongo.pending import Pending
from fhir_server.store.mongo.resources import StoreLimits, Tables
from fhir_server.store.mongo.units import MongoUnit, digest
from fhir_server.store.outgoing import Delivery, Held
from fhir_server.store.port import Stored, Version

_LARGE: Final = 128 * 1024
"""Bytes of a body: others do not wait until it is written."""


class ApartError(BaseException):
    """The work is to be done in a transaction of its own.

    No Exception: work that catches whatever goes wrong must not go on without what it asked
    for, a claim above all.
    """


class UnfitError(ApartError):
    """It always will be: it does what a shared unit cannot."""


class SharedUnit(MongoUnit):
    """One of the units of a transaction that go in step."""

    def __init__(
        self,
        tables: Tables,
        limits: StoreLimits,
        session: AsyncClientSession,
        kinds: frozenset[str],
        claims: Claims,
        step: InStep,
    ) -> None:
        super().__init__(tables, limits, session, kinds, claims)
        self._pending = _Kept(tables, session)
        self._posting = _Posts(tables, session)
        self._step = step
        self._has_written = False
        self.is_numbered = False
        """Whether it took a number, which is lost if it ends without writing."""

    @property  # type: ignore[explicit-override]  # mypy sees no @override on one with a setter
    def session(self) -> AsyncClientSession | None:
        """Nobody's but all the units': who reaches for it needs one of its own."""
        raise UnfitError

    @session.setter
    def session(self, session: AsyncClientSession | None) -> None:
        del session

    @override
    async def send(self) -> None:
        raise UnfitError

    @override
    async def claim(self, *keys: str) -> None:
        fresh = await self._claims.take_free(keys)
        if fresh is None:
            raise ApartError
        if fresh:
            self._claim = digest(fresh[0])
            await self._step.ask(Claim(fresh))

    @override
    async def read(self, kind: str, id_: str, *, within: Restriction) -> Stored | None:
        found = await self.find(kind, Ids((id_,)), limit=1, within=within)
        if not found:
            raise UnfitError  # it may have been deleted
        return found[0]

    @override
    async def find(
        self, kind: str, where: Node, *, limit: int, within: Restriction
    ) -> Sequence[Stored]:
        known = self._foreseen.get(kind, {}).get((where, limit, within.of(kind)))
        if known is not None:
            return known
        if self._has_written:
            raise UnfitError
        (rows,) = await self._step.ask(Find(((kind, where, limit),), within))
        found: Sequence[Stored] = rows
        return found

    @override
    async def foresee(self, *asked: tuple[str, Node, int], within: Restriction) -> None:
        if not asked:
            return
        if self._has_written:
            raise UnfitError
        found = await self._step.ask(Find(asked, within))
        for (kind, where, limit), rows in zip(asked, found, strict=True):
            self._foreseen.setdefault(kind, {})[where, limit, within.of(kind)] = rows

    @override
    async def number(self, key: str) -> int:
        if await self._claims.take_free((key,)) is None:
            raise ApartError
        self.is_numbered = True
        number: int = await self._step.ask(Number(key))
        return number

    @override
    async def told(self, held: Held, deliveries: Sequence[Delivery], now: int) -> None:
        raise UnfitError

    @override
    async def _check_unused(self, kind: str, versions: Sequence[Version]) -> None:
        raise UnfitError

    @override
    async def _taken(self, old: Stored) -> Mapping[str, Any]:
        if old.document is None:
            raise UnfitError
        return await super()._taken(old)

    @override
    async def _document(self, version: Version) -> Document:
        if len(version.body) > _LARGE:
            raise ApartError
        return await super()._document(version)

    @override
    def _check_declared(self, kind: str) -> None:
        super()._check_declared(kind)
        self._has_written = True

    def hand_over(self, pending: Pending, posting: Posting) -> None:
        """Let all that the unit has written and posted be sent with that of others."""
        pending.adopt(self._pending.given())
        posting.adopt(self._posting.given())


class _Kept(Pending):
    """What waits until all units have ended."""

    @override
    async def send(self) -> None:
        raise UnfitError


class _Posts(Posting):
    """The same of what is posted."""

    @override
    async def send(self) -> None:
        raise UnfitError
