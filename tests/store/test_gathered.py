"""Reads that come at once are asked together, and each is answered as if alone.

https://www.mongodb.com/docs/manual/reference/operator/query/or/
"""

import asyncio
from typing import Any, Final

import pytest
from pymongo.errors import OperationFailure

from fhir_server.search.plan import UNRESTRICTED, Keys, Nothing, Restriction
from fhir_server.store.mongo import batches
from fhir_server.store.mongo.client import Client
from fhir_server.store.mongo.gathered import Gathered
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.port import Stored
from tests.support.commands import counted
from tests.support.units import inserted
from tests.support.versions import OPEN, SECRET, version

pytestmark = pytest.mark.anyio

COUNT: Final = 40
NOBODY: Final = Restriction(otherwise=Nothing())
OWN: Final = [
    Restriction(otherwise=Keys("tokens", (f"of|~|{number}",))) for number in range(COUNT)
]
"""The callers, each of whom may see one resource."""


@pytest.fixture(scope="module")
async def store(mongo_store: MongoStore) -> MongoStore:
    """Patients that one caller each may see; every third is secret."""
    rows = [
        version(f"g{n}", tokens=[f"of|~|{n}", *([SECRET] if n % 3 == 0 else ())])
        for n in range(COUNT)
    ]
    await inserted(mongo_store, *rows)
    return mongo_store


async def at_once(store: MongoStore, *asked: tuple[str, Restriction]) -> list[str | None]:
    """The ids that reads find which begin together."""

    async def one(id_: str, within: Restriction) -> Stored | None:
        return await store.read("Patient", id_, within=within)

    found = await asyncio.gather(*(one(id_, within) for id_, within in asked))
    return [None if each is None else each.id for each in found]


async def test_each_is_given_what_it_may_see(store: MongoStore) -> None:
    asked = [(f"g{n}", OWN[n] if n % 2 else OWN[n - 1]) for n in range(COUNT)]
    expected = [f"g{n}" if n % 2 else None for n in range(COUNT)]
    assert await at_once(store, *asked) == expected


async def test_one_resource_is_shown_to_who_may_see_it_alone(store: MongoStore) -> None:
    withins = [UNRESTRICTED, NOBODY, OPEN, OWN[3], OWN[4]] * 6
    expected = ["g3", None, None, "g3", None] * 6
    assert await at_once(store, *(("g3", within) for within in withins)) == expected


async def test_with_one_restriction_each_id_is_looked_for(store: MongoStore) -> None:
    asked = [(f"g{n}", UNRESTRICTED) for n in range(COUNT)] + [("gone", UNRESTRICTED)]
    assert await at_once(store, *asked) == [*(f"g{n}" for n in range(COUNT)), None]


async def test_many_cost_a_few_commands(mongodb_uri: str, database_name: str) -> None:
    async with counted(mongodb_uri, database_name) as (store, commands):
        names = [f"c{n}" for n in range(32)]
        await inserted(store, *map(version, names))
        commands.clear()
        assert await at_once(store, *((each, UNRESTRICTED) for each in names)) == names
        assert commands.names.count("find") <= 4


async def test_a_read_sees_what_was_written_before_it_began(store: MongoStore) -> None:
    async def written(number: int) -> bool:
        await store.insert(version(f"fresh-{number}"))
        within = UNRESTRICTED
        return await store.read("Patient", f"fresh-{number}", within=within) is not None

    assert all(await asyncio.gather(*map(written, range(24))))


async def test_what_fails_is_told_to_whose_question_fails_alone(
    mongodb_client: Client, database_name: str
) -> None:
    table = mongodb_client[database_name]["Gathered"]
    await table.insert_one({"_id": "n3"})
    gathered = Gathered(table, {"_id": 1})
    bad: dict[str, Any] = {"$nonsense": 1}
    asked = [gathered.one(f"n{n}", bad if n == 9 else {}) for n in range(12)]
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(found.pop(9), OperationFailure)
    assert [each for each in found if each is not None] == [{"_id": "n3"}]
    assert await gathered.one("n3", {}) == {"_id": "n3"}


async def test_who_is_cancelled_leaves_the_others_waiting(store: MongoStore) -> None:
    tasks = [
        asyncio.create_task(at_once(store, (f"g{n}", UNRESTRICTED))) for n in (1, 2, 4, 5, 7)
    ]
    await asyncio.sleep(0)
    tasks[3].cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in found] == [list, list, list, asyncio.CancelledError, list]
    assert await at_once(store, ("g5", UNRESTRICTED)) == ["g5"]


async def test_nobody_waits_long_for_what_may_be_lost(
    store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave = asyncio.Event()
    real = batches.rows

    async def stuck(table: Any, where: Any, *more: Any, **named: Any) -> Any:
        if where.get("_id") in ("g1", "g2"):
            await leave.wait()
        return await real(table, where, *more, **named)

    monkeypatch.setattr("fhir_server.store.mongo.gathered._LATE", 0.05)
    monkeypatch.setattr(batches, "rows", stuck)
    lost = [asyncio.create_task(at_once(store, (f"g{n}", UNRESTRICTED))) for n in (1, 2)]
    await asyncio.sleep(0)
    assert await asyncio.wait_for(at_once(store, ("g4", UNRESTRICTED)), 20) == ["g4"]
    leave.set()
    assert await asyncio.gather(*lost) == [["g1"], ["g2"]]
