"""Units that come at once share a transaction, and none of them can tell.

https://www.mongodb.com/docs/manual/core/transactions/
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import pytest

from fhir_server.core.errors import Conflict, Gone, Unavailable
from fhir_server.search.plan import UNRESTRICTED, Everything
from fhir_server.store.mongo.client import Client
from fhir_server.store.mongo.resources import StoreLimits
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.port import Unit
from tests.support.commands import counted
from tests.support.sharing import KINDS, STOP, Counted, Open, Work, inserting, shared, there
from tests.support.versions import ids, version

pytestmark = pytest.mark.anyio


async def test_each_does_what_it_does_alone(mongo_store: MongoStore) -> None:
    names = [f"each-{n}" for n in range(8)]
    works = [Counted(inserting(each, number=True)) for each in names]
    assert await shared(mongo_store, *works) == [1] * len(names)
    assert await there(mongo_store, *names) == [True] * len(names)
    assert [each.times for each in works] == [1] * len(names)


async def test_together_they_cost_what_one_costs(mongodb_uri: str, database_name: str) -> None:
    async with counted(mongodb_uri, database_name) as (store, commands):
        await store.prepare(KINDS)
        commands.clear()
        await store.run(KINDS, inserting("cost"), single=True, together=True)
        alone = len(commands.within)
        commands.clear()
        await shared(store, *(inserting(f"cost-{n}") for n in range(16)))
        assert len(commands.within) == alone


async def test_what_one_is_refused_leaves_the_others_alone(mongo_store: MongoStore) -> None:
    async def refused(unit: Unit) -> None:
        await unit.claim("refused")
        await unit.insert([version("refused")])
        raise Gone(STOP)

    first, second = Counted(inserting("good-1")), Counted(inserting("good-2"))
    found = await shared(mongo_store, first, refused, second)
    assert [type(each) for each in found] == [int, Gone, int]
    assert await there(mongo_store, "good-1", "refused", "good-2") == [True, False, True]
    assert (first.times, second.times) == (1, 1)


async def test_a_number_is_not_lost_to_who_is_refused_behind_it(
    mongo_store: MongoStore,
) -> None:
    async def refused(unit: Unit) -> None:
        await unit.number("lost")
        raise Gone(STOP)

    found = await shared(mongo_store, inserting("kept-1"), refused)
    assert [type(each) for each in found] == [int, Gone]
    assert await mongo_store.run([], lambda unit: unit.number("lost")) == 1


async def test_of_those_with_one_condition_one_writes(mongo_store: MongoStore) -> None:
    works = [inserting(f"same-{n}", of="same") for n in range(6)]
    assert sorted(await shared(mongo_store, *works)) == [0, 0, 0, 0, 0, 1]


async def test_numbers_of_one_sequence_have_no_gaps(mongo_store: MongoStore) -> None:
    async def work(unit: Unit) -> int:
        return await unit.number("sequence")

    assert sorted(await shared(mongo_store, *[work] * 12)) == list(range(1, 13))


async def test_what_meets_another_transaction_is_done_again(
    mongodb_client: Client, database_name: str, mongo_store: MongoStore
) -> None:
    elsewhere = await MongoStore.open(mongodb_client, database_name)
    inside, leave = asyncio.Event(), asyncio.Event()

    async def holding(unit: Unit) -> None:
        await unit.claim("Patient?identifier=met")
        inside.set()
        await leave.wait()

    other = asyncio.create_task(elsewhere.run([], holding))
    await inside.wait()
    asyncio.get_running_loop().call_later(0.1, leave.set)
    works = [Counted(inserting("met")), Counted(inserting("by-the-way"))]
    assert await shared(mongo_store, *works) == [1, 1]
    assert works[1].times > 1
    await other
    assert await there(mongo_store, "met", "by-the-way") == [True, True]


async def test_a_conflict_is_repeated_and_at_last_told(mongo_store: MongoStore) -> None:
    async def work(unit: Unit) -> None:
        await unit.insert([version("conflict")])
        raise Conflict(STOP)

    again = Counted(work)
    found = await shared(mongo_store, inserting("beside"), again)
    assert [type(each) for each in found] == [int, Conflict]
    assert again.times > 1
    assert await there(mongo_store, "beside", "conflict") == [True, False]


async def test_one_that_stays_long_lets_the_others_go(
    mongo_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fhir_server.store.mongo.sharing._PATIENCE", 0.05)
    leave = asyncio.Event()

    async def slow(unit: Unit) -> None:
        await unit.insert([version("slow")])
        await leave.wait()

    async with Open(mongo_store) as others:
        staying = asyncio.create_task(mongo_store.run(KINDS, slow, single=True, together=True))
        quick = asyncio.create_task(
            mongo_store.run(KINDS, inserting("quick"), single=True, together=True)
        )
        await asyncio.sleep(0.01)
        others.leave.set()
        assert await quick == 1
        assert not staying.done()
        leave.set()
        await staying
    assert await there(mongo_store, "slow", "quick") == [True, True]


async def _read(unit: Unit) -> Any:
    return await unit.read("Patient", "nobody", within=UNRESTRICTED)


async def _own(unit: Unit) -> Sequence[str]:
    await unit.insert([version("own", kind="Basic")])
    return ids(await unit.find("Basic", Everything(), limit=9, within=UNRESTRICTED))


async def _twice(unit: Unit) -> int:
    await unit.insert([version("twice", kind="Basic")])
    found = await unit.read("Basic", "twice", within=UNRESTRICTED)
    assert found is not None
    await unit.replace(found, version("twice", 2, kind="Basic", at=2, method="PUT"))
    return 2


async def _large(unit: Unit) -> int:
    await unit.insert([version("large", kind="Basic", body=b"x" * 200_000)])
    return 1


async def _known(unit: Unit) -> int:
    await unit.insert([version("known", kind="Basic", method="PUT")])
    return 1


UNFIT: Final[dict[str, tuple[Work, Any]]] = {
    "a read that finds nothing": (_read, None),
    "vread": (lambda unit: unit.vread("Patient", "x", 1, within=UNRESTRICTED), None),
    "count": (lambda unit: unit.count("Observation", Everything(), within=UNRESTRICTED), 0),
    "read_each": (lambda unit: unit.read_each("Patient", ["x"], within=UNRESTRICTED), [None]),
    "find_each": (
        lambda unit: unit.find_each("Task", [Everything()], limit=1, within=UNRESTRICTED),
        [[]],
    ),
    "exchange": (
        lambda unit: unit.exchange(1, version("x", 2), within=UNRESTRICTED),
        None,
    ),
    "repeated": (lambda unit: unit.repeated("x"), None),
    "what it wrote": (_own, ["own"]),
    "a resource twice": (_twice, 2),
    "a large one": (_large, 1),
    "an id that a client chose": (_known, 1),
}
"""What a unit does that none can while it shares, and what comes of it."""


@pytest.mark.parametrize("row", UNFIT)
async def test_what_cannot_share_is_done_alone(mongo_store: MongoStore, row: str) -> None:
    work, expected = UNFIT[row]
    counted = Counted(work)
    beside = inserting(f"beside {row}".replace(" ", "-"))
    assert await shared(mongo_store, counted, beside) == [expected, 1]
    assert counted.times == 2


async def test_nobody_waits_long_for_one_that_stays(
    mongo_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Open(mongo_store) as others:
        works = [inserting(f"impatient-{n}") for n in range(3)]
        running = [mongo_store.run(KINDS, work, single=True, together=True) for work in works]
        assert await asyncio.wait_for(asyncio.gather(*running), 20) == [1, 1, 1]
        monkeypatch.setattr("fhir_server.store.mongo.sharing._LATE", 60)
        for number in range(3):  # it is known to be slow
            work = inserting(f"at-once-{number}")
            assert await mongo_store.run(KINDS, work, single=True, together=True) == 1
        assert not others.leave.is_set()


async def test_who_has_no_turn_in_time_is_turned_away(
    mongodb_client: Client, database_name: str
) -> None:
    limits = StoreLimits(admission_seconds=0.05)
    store = await MongoStore.open(mongodb_client, database_name, limits)
    async with Open(store):
        with pytest.raises(Unavailable):
            await store.run(KINDS, inserting("late"), single=True, together=True)
    assert await store.run(KINDS, inserting("late"), single=True, together=True) == 1


async def test_who_is_cancelled_keeps_nobody_waiting(mongo_store: MongoStore) -> None:
    async with Open(mongo_store) as others:
        gone = asyncio.create_task(
            mongo_store.run(KINDS, inserting("gone"), single=True, together=True)
        )
        stays = asyncio.create_task(
            mongo_store.run(KINDS, inserting("stays"), single=True, together=True)
        )
        await asyncio.sleep(0.01)
        gone.cancel()
        others.leave.set()
        assert await stays == 1
    assert await there(mongo_store, "gone", "stays") == [False, True]
