"""Collections and indexes: made on the first write, once, by however many."""

import asyncio

import pytest

from fhir_server.search.plan import UNRESTRICTED, Everything
from fhir_server.store.mongo.client import Client
from fhir_server.store.mongo.indexes import CURRENT, HISTORY, rows_of
from fhir_server.store.mongo.store import MongoStore
from tests.support.units import inserted, removed, updated
from tests.support.versions import version

pytestmark = pytest.mark.anyio


async def index_names(store: MongoStore, name: str) -> set[str]:
    return set(await store.database[name].index_information()) - {"_id_"}


@pytest.mark.parametrize(
    ("kind", "some", "others"),
    [
        ("Patient", {"chief_date", "chief_string", "chief_string_last"}, {"position"}),
        ("Location", {"position", "chief_string"}, {"chief_date"}),
        ("Group", set(), {"chief_date", "chief_string", "chief_string_last", "position"}),
    ],
)
async def test_a_type_has_the_indexes_it_can_use(
    mongo_store: MongoStore, kind: str, some: set[str], others: set[str]
) -> None:
    await mongo_store.insert(version("a", kind=kind))
    expected = {row.name for row in rows_of(kind)}
    assert await index_names(mongo_store, kind) == expected
    assert some <= expected
    assert not others & expected
    history = await index_names(mongo_store, f"{kind}_history")
    assert history == {row.name for row in HISTORY}


async def test_a_store_apart_has_resources_and_indexes_of_its_own(
    mongo_store: MongoStore,
) -> None:
    apart = mongo_store.apart("kept_")
    await inserted(apart, version("a", kind="Invoice"))
    assert await mongo_store.read("Invoice", "a", within=UNRESTRICTED) is None
    assert await apart.read("Invoice", "a", within=UNRESTRICTED) is not None
    expected = {row.name for row in rows_of("Invoice")}
    assert await index_names(apart, "kept_Invoice") == expected
    history = await index_names(apart, "kept_Invoice_history")
    assert history == {row.name for row in HISTORY}
    assert "Invoice" in await apart.kinds()
    await updated(apart, "a", kind="Invoice")
    await removed(apart, "a", at=2_000, kind="Invoice")
    names = await mongo_store.database.list_collection_names()
    assert "Invoice" not in names
    assert "Invoice_history" not in names
    assert "Invoice" not in await mongo_store.kinds()


async def test_first_writes_at_once_by_several_processes_all_succeed(
    mongodb_client: Client, database_name: str
) -> None:
    stores = [await MongoStore.open(mongodb_client, database_name) for _ in range(4)]
    writes = [
        store.insert(version(f"{n}-{m}", kind="Task"))
        for n, store in enumerate(stores)
        for m in range(4)
    ]
    await asyncio.gather(*writes)
    assert await stores[0].count("Task", Everything(), within=UNRESTRICTED) == 16


async def test_a_unit_makes_its_types_before_it_begins(mongo_store: MongoStore) -> None:
    await mongo_store.run(
        ["Flag", "Goal"], lambda unit: unit.insert([version("a", kind="Flag")])
    )
    for kind in ("Flag", "Goal"):
        assert await index_names(mongo_store, kind) == {row.name for row in rows_of(kind)}


def test_an_index_holds_one_array() -> None:
    arrays = {"tok", "str", "ref", "uri", "txt", "date", "qty", "in"}
    for row in (*CURRENT, *HISTORY):
        fields = {key.partition(".")[0] for key in row.keys}
        assert len(fields & arrays) <= 1, row
        assert row.why


def test_names_are_one_a_collection() -> None:
    for rows in (CURRENT, HISTORY):
        assert len({row.name for row in rows}) == len(rows)
