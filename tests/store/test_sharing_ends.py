"""However a unit ends that shares a transaction, it is its own end: who leaves, fails or errs.

https://www.mongodb.com/docs/manual/core/transactions/
"""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from pymongo.errors import PyMongoError

from fhir_server.core.errors import Conflict
from fhir_server.search.plan import UNRESTRICTED, Keys
from fhir_server.store.mongo.client import Client
from fhir_server.store.mongo.resources import StoreLimits
from fhir_server.store.mongo.sharing import Sharing
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.mongo.translate import UnresolvedError
from fhir_server.store.port import Unit
from tests.support.sharing import KINDS, STOP, Counted, Open, inserting, shared, there
from tests.support.versions import version

pytestmark = pytest.mark.anyio


async def test_who_leaves_in_the_middle_writes_nothing(mongo_store: MongoStore) -> None:
    inside, leave = asyncio.Event(), asyncio.Event()

    async def slow(unit: Unit) -> None:
        await unit.claim("leaves")
        await unit.insert([version("leaves")])
        inside.set()
        await leave.wait()

    async with Open(mongo_store) as others:
        gone = asyncio.create_task(mongo_store.run(KINDS, slow, single=True, together=True))
        stays = asyncio.create_task(
            mongo_store.run(KINDS, inserting("stays-2"), single=True, together=True)
        )
        await asyncio.sleep(0.01)
        others.leave.set()
        await inside.wait()
        gone.cancel()
        await asyncio.wait({gone})
        leave.set()
        assert await stays == 1
    assert await there(mongo_store, "leaves", "stays-2") == [False, True]
    await asyncio.wait_for(mongo_store.run([], lambda unit: unit.claim("leaves")), 20)


async def test_who_leaves_while_it_has_the_turn_passes_it_on(mongo_store: MongoStore) -> None:
    inside, ended = asyncio.Event(), asyncio.Event()

    async def slow(unit: Unit) -> None:
        await unit.insert([version("turned")])
        inside.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    async with Open(mongo_store) as others:
        gone = asyncio.create_task(mongo_store.run(KINDS, slow, single=True, together=True))
        await asyncio.sleep(0.01)
        others.leave.set()
        await inside.wait()
        gone.cancel()
        await asyncio.wait({gone})
        assert ended.is_set()
    assert await mongo_store.run(KINDS, inserting("next"), single=True, together=True) == 1
    assert await there(mongo_store, "turned", "next") == [False, True]


async def test_a_turn_is_not_lost_to_who_leaves_as_it_comes(
    mongo_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = Sharing._end

    def ended(sharing: Sharing, turn: Any) -> None:
        end(sharing, turn)
        asyncio.get_running_loop().call_soon(gone.cancel)  # it was told, and knows nothing yet

    monkeypatch.setattr("fhir_server.store.mongo.sharing._LATE", 60)
    monkeypatch.setattr(Sharing, "_end", ended)
    async with Open(mongo_store):
        gone = asyncio.create_task(
            mongo_store.run(KINDS, inserting("gone-2"), single=True, together=True)
        )
        await asyncio.sleep(0.01)
    await asyncio.wait({gone})
    assert gone.cancelled()
    assert await mongo_store.run(KINDS, inserting("after"), single=True, together=True) == 1


async def test_one_that_waited_by_itself_is_repeated_as_often_as_ever(
    mongodb_client: Client, database_name: str
) -> None:
    store = await MongoStore.open(mongodb_client, database_name, StoreLimits(conflicts=3))

    async def work(unit: Unit) -> None:
        del unit
        raise Conflict(STOP)

    counted = Counted(work)
    (found,) = await shared(store, counted)
    assert isinstance(found, Conflict)
    assert counted.times == 3


async def test_an_error_of_the_database_nobody_knows_is_not_repeated(
    mongo_store: MongoStore,
) -> None:
    """Its commit may have been carried out."""

    async def work(unit: Unit) -> None:
        del unit
        raise PyMongoError

    counted = Counted(work)
    (found,) = await shared(mongo_store, counted)
    assert isinstance(found, PyMongoError)
    assert counted.times == 1


async def test_a_question_that_is_a_defect_breaks_nobody_else(mongo_store: MongoStore) -> None:
    async def broken(unit: Unit) -> None:
        await unit.find("Patient", Keys("dates", ("x",)), limit=1, within=UNRESTRICTED)

    found = await shared(mongo_store, inserting("whole-1"), broken, inserting("whole-2"))
    assert [type(each) for each in found] == [int, UnresolvedError, int]


async def test_work_cannot_go_on_without_its_claim(mongo_store: MongoStore) -> None:
    """Not even by catching all that may be caught."""
    inside, leave = asyncio.Event(), asyncio.Event()

    async def holding(unit: Unit) -> None:
        await unit.claim("dear")
        inside.set()
        await leave.wait()

    async def careless(unit: Unit) -> int:
        with suppress(Exception):
            await unit.claim("dear")
        await unit.insert([version("careless")])
        return 1

    other = asyncio.create_task(mongo_store.run([], holding))
    await inside.wait()
    counted = Counted(careless)
    asyncio.get_running_loop().call_later(0.1, leave.set)
    assert await shared(mongo_store, counted, inserting("careful")) == [1, 1]
    assert counted.times == 2
    await other


async def test_a_time_out_of_the_work_is_its_own(mongo_store: MongoStore) -> None:
    async def work(unit: Unit) -> None:
        del unit
        raise TimeoutError

    found = await shared(mongo_store, work, inserting("in-time"))
    assert [type(each) for each in found] == [TimeoutError, int]
