"""Units that gather behind one that is open, and what they do.

https://www.mongodb.com/docs/manual/core/transactions/
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Self

from fhir_server.core.messages import Text
from fhir_server.search.plan import UNRESTRICTED, Keys
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.port import Unit
from tests.support.versions import version

STOP: Final = Text("stop", "стоп", "стоп")
Work = Callable[[Unit], Awaitable[Any]]
KINDS: Final = ("Patient", "Basic")


class Open:
    """A unit that has a transaction until `leave`, so that whoever comes now gathers."""

    def __init__(self, store: MongoStore) -> None:
        self._store = store
        self.leave = asyncio.Event()
        self._inside = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(
            self._store.run(KINDS, self._stay, single=True, together=True)
        )
        await self._inside.wait()
        return self

    async def _stay(self, unit: Unit) -> None:
        del unit
        self._inside.set()
        await self.leave.wait()

    async def __aexit__(self, *_: object) -> None:
        self.leave.set()
        await self._task


async def shared(store: MongoStore, *works: Work) -> list[Any]:
    """What each of `works` gives or raises; they have gathered."""
    async with Open(store) as others:
        running = [
            asyncio.create_task(store.run(KINDS, work, single=True, together=True))
            for work in works
        ]
        await asyncio.sleep(0.01)
        others.leave.set()
        return await asyncio.gather(*running, return_exceptions=True)


class Counted:
    """Work that tells how often it was begun."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self.times = 0

    async def __call__(self, unit: Unit) -> Any:
        self.times += 1
        return await self._work(unit)


def inserting(id_: str, *, of: str = "", number: bool = False) -> Work:
    """Work that claims, looks up, and writes what it did not find."""

    async def work(unit: Unit) -> int:
        key = of or id_
        where = Keys("tokens", (f"identifier|~|{key}",))
        await unit.claim(f"Patient?identifier={key}")
        if await unit.find("Patient", where, limit=1, within=UNRESTRICTED):
            return 0
        given = await unit.number(f"numbers of {key}") if number else 1
        await unit.insert([version(id_, tokens=list(where.keys))])
        return given

    return work


async def there(store: MongoStore, *names: str) -> list[bool]:
    return [
        await store.read("Patient", each, within=UNRESTRICTED) is not None for each in names
    ]
