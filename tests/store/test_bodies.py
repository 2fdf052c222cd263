"""Bodies beyond what a document holds; beyond what the server stores."""

from typing import Literal

import pytest

from fhir_server.core.errors import Gone, TooLarge
from fhir_server.core.messages import Text
from fhir_server.search.plan import UNRESTRICTED, Everything, Search
from fhir_server.store.mongo.bodies import INLINE
from fhir_server.store.mongo.client import Client
from fhir_server.store.mongo.resources import StoreLimits
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.port import HistoryPlan, Unit
from tests.support.units import removed, updated
from tests.support.versions import version

pytestmark = pytest.mark.anyio

METHODS: tuple[Literal["POST"], Literal["PUT"]] = ("POST", "PUT")
LARGE = b"x" * (INLINE + 1)
STOP = Text("stop", "стоп", "стоп")


async def files(store: MongoStore) -> int:
    return await store.database["bodies.files"].count_documents({})


async def test_a_large_body_comes_back_whole_from_every_read(mongo_store: MongoStore) -> None:
    await mongo_store.insert(version("big", kind="Binary", body=LARGE, at=1))
    found = await mongo_store.read("Binary", "big", within=UNRESTRICTED)
    assert found is not None
    assert found.body == LARGE
    page = await mongo_store.search(Search("Binary", Everything()), within=UNRESTRICTED)
    assert page.rows[0].body == LARGE
    assert [
        row.body async for row in mongo_store.scan("Binary", after=None, within=UNRESTRICTED)
    ]

    await updated(mongo_store, "big", kind="Binary", at=2)
    old = await mongo_store.vread("Binary", "big", 1, within=UNRESTRICTED)
    assert old is not None
    assert old.body == LARGE
    await removed(mongo_store, "big", kind="Binary", at=3)
    plan = HistoryPlan("Binary", "big")
    rows, _, _ = await mongo_store.history(plan, within=UNRESTRICTED)
    assert [len(row.body) for row in rows] == [0, len(version("big").body) - 1, len(LARGE)]


async def test_the_largest_inline_body_fits(mongo_store: MongoStore) -> None:
    before = await files(mongo_store)
    body = b"x" * INLINE
    await mongo_store.insert(version("inline", kind="Binary", body=body))
    assert await files(mongo_store) == before


async def test_a_page_may_be_longer_than_a_message(mongo_store: MongoStore) -> None:
    rows = [version(f"half{n}", kind="Media", body=b"%d" % n * (INLINE // 2)) for n in range(5)]
    for row in rows:
        await mongo_store.insert(row)
    page = await mongo_store.search(Search("Media", Everything()), within=UNRESTRICTED)
    assert [row.body for row in page.rows] == [row.body for row in rows]


async def test_a_unit_that_fails_leaves_no_file(mongo_store: MongoStore) -> None:
    before = await files(mongo_store)

    async def work(unit: Unit) -> None:
        await unit.insert([version("failed", kind="Binary", body=LARGE)])
        raise Gone(STOP)

    with pytest.raises(Gone):
        await mongo_store.run(["Binary"], work)
    assert await files(mongo_store) == before


async def test_beyond_the_limit_is_413(mongodb_client: Client, database_name: str) -> None:
    store = await MongoStore.open(mongodb_client, database_name, StoreLimits(body_bytes=100))
    for method in METHODS:
        over = version("over", kind="Binary", body=b"x" * 101, method=method)
        with pytest.raises(TooLarge):
            await store.insert(over)
    await store.insert(version("at-limit", kind="Binary", body=b"x" * 100))


async def test_index_values_beyond_a_document_are_413(mongo_store: MongoStore) -> None:
    many = [f"code|~|{n}{'x' * 900}" for n in range(20_000)]
    for method in METHODS:
        with pytest.raises(TooLarge):
            await mongo_store.insert(version("wide", kind="Binary", tokens=many, method=method))


async def test_in_a_unit_too(mongo_store: MongoStore) -> None:
    many = [f"code|~|{n}{'x' * 900}" for n in range(20_000)]

    async def work(unit: Unit) -> None:
        await unit.insert([version("wider", kind="Binary", tokens=many)])

    with pytest.raises(TooLarge):
        await mongo_store.run(["Binary"], work)


async def test_a_unit_writes_more_than_a_message_holds(mongo_store: MongoStore) -> None:
    # 50 MB, of which a message holds 48; twice as much would not fit into every cache.
    many = [f"code|~|{n}{'x' * 900}" for n in range(11_000)]
    rows = [version(f"large-{n}", kind="Binary", tokens=many) for n in range(5)]

    async def work(unit: Unit) -> None:
        await unit.insert(rows)

    await mongo_store.run(["Binary"], work)
    for each in rows:
        assert await mongo_store.read("Binary", each.id, within=UNRESTRICTED) is not None
