"""A shared transaction keeps apart what transactions of their own keep apart.

Its snapshot begins with the first command of any of its units, before others of them claim.

https://www.mongodb.com/docs/manual/core/read-isolation-consistency-recency/
"""

from collections.abc import Awaitable, Callable, Sequence

import pytest

from fhir_server.search.plan import UNRESTRICTED, Everything, Keys, Nothing, Restriction
from fhir_server.store.mongo.client import Client
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.port import Unit
from tests.support.sharing import Counted, Work, inserting, shared
from tests.support.units import inserted, updated
from tests.support.versions import ids, only, version

pytestmark = pytest.mark.anyio


@pytest.fixture
async def elsewhere(mongodb_client: Client, database_name: str) -> MongoStore:
    """The store of another process."""
    return await MongoStore.open(mongodb_client, database_name)


class Late:
    """Work that begins when the snapshot is there, and something else was done behind it."""

    def __init__(self, work: Work, meanwhile: Callable[[], Awaitable[object]]) -> None:
        self._work = work
        self._meanwhile = meanwhile
        self.times = 0

    async def __call__(self, unit: Unit) -> object:
        self.times += 1
        await unit.find("Patient", Keys("tokens", ("x",)), limit=1, within=UNRESTRICTED)
        if self.times == 1:
            await self._meanwhile()
        return await self._work(unit)


@pytest.mark.parametrize("is_known", [True, False])
async def test_a_claim_behind_the_snapshot_lets_nobody_decide_by_it(
    mongo_store: MongoStore, elsewhere: MongoStore, *, is_known: bool
) -> None:
    name = f"stale-{is_known}"
    if is_known:
        await elsewhere.run([], lambda unit: unit.claim(f"Patient?identifier={name}"))

    async def meanwhile() -> None:
        work = inserting(f"{name}-elsewhere", of=name)
        assert await elsewhere.run(["Patient"], work) == 1

    late = Late(inserting(f"{name}-here", of=name), meanwhile)
    assert await shared(mongo_store, late, inserting(f"{name}-beside")) == [0, 1]
    assert late.times > 1


async def test_a_number_that_was_taken_behind_the_snapshot_is_not_given_again(
    mongo_store: MongoStore, elsewhere: MongoStore
) -> None:
    def number(unit: Unit) -> Awaitable[int]:
        return unit.number("behind the snapshot")

    late = Late(number, lambda: elsewhere.run([], number))
    assert await shared(mongo_store, late, inserting("number-beside")) == [2, 1]


async def replaced(unit: Unit) -> int:
    """Write the next version of Patient/several, by what is there."""
    old = await unit.read("Patient", "several", within=UNRESTRICTED)
    assert old is not None
    await unit.replace(old, version("several", old.number + 1, method="PUT"))
    return old.number + 1


async def test_of_several_who_write_one_resource_none_is_lost(
    mongo_store: MongoStore, elsewhere: MongoStore
) -> None:
    await inserted(elsewhere, version("several"))
    late = Late(replaced, lambda: updated(elsewhere, "several", at=2))
    numbers = await shared(mongo_store, replaced, late, replaced)
    assert sorted(numbers) == [3, 4, 5]
    for number in range(1, 6):
        found = await mongo_store.vread("Patient", "several", number, within=UNRESTRICTED)
        assert found is not None, number


@pytest.mark.parametrize("is_removed", [True, False])
async def test_what_one_writes_another_does_not_see(
    mongo_store: MongoStore, *, is_removed: bool
) -> None:
    """Neither what it adds nor that it takes away: they are as if side by side."""
    name = f"unseen-{is_removed}"
    token = Keys("tokens", (f"unseen|~|{is_removed}",))
    if is_removed:
        await inserted(mongo_store, version(name, tokens=list(token.keys)))

    async def writing(unit: Unit) -> None:
        (old,) = await unit.find("Patient", token, limit=2, within=UNRESTRICTED) or (None,)
        if old is None:
            await unit.insert([version(name, tokens=list(token.keys))])
        else:
            await unit.remove(old, at=2)

    async def looking(unit: Unit) -> Sequence[str]:
        await unit.find("Patient", Keys("tokens", ("a",)), limit=1, within=UNRESTRICTED)
        await unit.find("Patient", Keys("tokens", ("b",)), limit=1, within=UNRESTRICTED)
        return ids(await unit.find("Patient", token, limit=2, within=UNRESTRICTED))

    looks = Counted(looking)
    _, seen = await shared(mongo_store, writing, looks)
    assert (seen, looks.times) == ([name] if is_removed else [], 1)


async def test_one_question_shows_each_what_it_may_see(mongo_store: MongoStore) -> None:
    one = Keys("tokens", ("who|~|asked",))
    mine = [f"mine|~|{n}" for n in range(4)]
    rows = [version(f"asked-{n}", tokens=[*one.keys, each]) for n, each in enumerate(mine)]
    await inserted(mongo_store, *rows)
    withins = [
        *(only("Patient", Keys("tokens", (each,))) for each in mine),
        Restriction(otherwise=Nothing()),
        Restriction(otherwise=Everything()),
        only("Patient", Keys("tokens", (mine[0],))),
    ]

    def asking(within: Restriction) -> Work:
        async def work(unit: Unit) -> Sequence[str]:
            return ids(await unit.find("Patient", one, limit=2, within=within))

        return work

    found = await shared(mongo_store, *map(asking, withins))
    each_own = [[f"asked-{n}"] for n in range(4)]
    assert found == [*each_own, [], ["asked-0", "asked-1"], ["asked-0"]]


async def test_the_limit_of_one_is_not_that_of_another(mongo_store: MongoStore) -> None:
    wanted = [Keys("tokens", (f"few|~|{n}",)) for n in range(3)]
    rows = [
        version(f"few-{n}-{place}", tokens=list(each.keys))
        for n, each in enumerate(wanted)
        for place in range(6)
    ]
    await inserted(mongo_store, *rows)

    def asking(n: int, limit: int) -> Work:
        async def work(unit: Unit) -> Sequence[str]:
            return ids(await unit.find("Patient", wanted[n], limit=limit, within=UNRESTRICTED))

        return work

    limits = [(0, 1), (1, 1), (2, 1), (0, 5), (1, 9), (2, 5)]
    found = await shared(mongo_store, *(asking(*each) for each in limits))
    assert found == [[f"few-{n}-{at}" for at in range(min(most, 6))] for n, most in limits]
