"""How often the database is asked: latency and CPU of a request are made of it."""

from collections.abc import AsyncIterator

import pytest
from pymongo import AsyncMongoClient

from fhir_server.search.plan import UNRESTRICTED, Everything, Keys, Search, SortKey
from fhir_server.store.mongo.documents import Document
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.port import HistoryPlan, Unit
from tests.support.commands import Commands
from tests.support.units import updated
from tests.support.versions import version

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def commands() -> Commands:
    return Commands()


@pytest.fixture(scope="module")
async def store(
    mongodb_uri: str, database_name: str, commands: Commands
) -> AsyncIterator[MongoStore]:
    """150 resources, through a client that counts."""
    client = AsyncMongoClient[Document](mongodb_uri, event_listeners=[commands], w="majority")
    store = await MongoStore.open(client, database_name)
    rows = [version(f"p{n:03}", tokens=["all|~|1"], sort_date=n) for n in range(150)]
    await store.run(["Patient"], lambda unit: unit.insert(rows))
    yield store
    await client.close()


async def test_a_create_is_one_insert(store: MongoStore, commands: Commands) -> None:
    commands.clear()
    await store.insert(version("new"))
    assert commands.names == ["insert"]


async def test_a_read_is_one_find(store: MongoStore, commands: Commands) -> None:
    commands.clear()
    await store.read("Patient", "p001", within=UNRESTRICTED)
    assert commands.names == ["find"]


@pytest.mark.parametrize("count", [1, 50, 140])
@pytest.mark.parametrize("direction", ["asc", "desc"])
async def test_a_page_is_one_find_whatever_its_size(
    store: MongoStore, commands: Commands, count: int, direction: str
) -> None:
    sort = (SortKey("chief-date", "asc" if direction == "asc" else "desc"),)
    commands.clear()
    search = Search("Patient", Keys("tokens", ("all|~|1",)), sort, count)
    assert len((await store.search(search, within=UNRESTRICTED)).rows) == count
    assert commands.names == ["find"]


async def test_a_computed_order_and_the_history_of_a_type_are_one_aggregation(
    store: MongoStore, commands: Commands
) -> None:
    sort = (SortKey("values", "asc", "tokens", "all|~|"),)
    commands.clear()
    await store.search(Search("Patient", Everything(), sort, 140), within=UNRESTRICTED)
    await store.history(HistoryPlan("Patient", count=140), within=UNRESTRICTED)
    assert commands.names == ["aggregate", "aggregate"]


@pytest.mark.parametrize(
    ("count", "expected"),
    [(50, ["find", "find"]), (1, ["find", "find", "aggregate"])],
    ids=["whole", "with more behind it"],
)
async def test_the_history_of_one_resource_is_two_finds(
    store: MongoStore, commands: Commands, count: int, expected: list[str]
) -> None:
    await updated(store, "p002", at=2_000)
    plan = HistoryPlan("Patient", "p002", count=count, total=True)
    commands.names.clear()
    rows, more, total = await store.history(plan, within=UNRESTRICTED)
    assert (len(rows), more, total) == (min(count, total or 0), count == 1, total)
    assert commands.names == expected


async def test_an_update_is_three_round_trips_and_the_read(
    store: MongoStore, commands: Commands
) -> None:
    commands.clear()
    await updated(store, "p001", at=2_000)
    assert commands.names == ["find", "insert", "update", "commitTransaction"]


async def test_an_exchange_is_three_round_trips(store: MongoStore, commands: Commands) -> None:
    new = version("p003", 2, at=2_000)
    commands.names.clear()
    await store.run(["Patient"], lambda unit: unit.exchange(1, new, within=UNRESTRICTED))
    assert commands.names == ["findAndModify", "insert", "commitTransaction"]


async def test_many_creates_of_a_type_are_one_insert(
    store: MongoStore, commands: Commands
) -> None:
    rows = [version(f"many-{n}") for n in range(100)]
    commands.clear()
    await store.run(["Patient"], lambda unit: unit.insert(rows))
    assert commands.names == ["insert", "commitTransaction"]


async def test_many_replacements_and_removals_are_sent_together(
    store: MongoStore, commands: Commands
) -> None:
    rows = [version(f"changed-{n}") for n in range(80)]
    await store.run(["Patient"], lambda unit: unit.insert(rows))

    async def work(unit: Unit) -> None:
        names = [row.id for row in rows]
        found = await unit.read_each("Patient", names, within=UNRESTRICTED)
        for old in found[:40]:
            assert old is not None
            await unit.replace(old, version(old.id, 2, at=2_000, method="PUT"))
        for old in found[40:]:
            assert old is not None
            await unit.remove(old, at=2_000)

    commands.clear()
    await store.run(["Patient"], work)
    sent = ["find", "insert", "update", "delete", "commitTransaction"]
    assert commands.names == sent


async def test_many_claims_are_one_command(store: MongoStore, commands: Commands) -> None:
    commands.clear()
    keys = [f"claim-{n}" for n in range(300)]
    await store.run([], lambda unit: unit.claim(*keys))
    assert commands.names == ["update", "commitTransaction"]


async def test_a_unit_that_asks_nothing_costs_nothing(
    store: MongoStore, commands: Commands
) -> None:
    async def nothing(unit: Unit) -> None:
        del unit

    commands.clear()
    await store.run(["Patient"], nothing)
    assert commands.names == []
