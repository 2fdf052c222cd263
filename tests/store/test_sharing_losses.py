"""The connection breaks at any command of a shared transaction: each unit is carried out once,
and its number is neither lost nor given twice.

https://www.mongodb.com/docs/manual/core/transactions-in-applications/
"""

from collections.abc import AsyncIterator
from itertools import count
from typing import Final
from urllib.parse import urlsplit

import pytest
from pymongo.uri_parser import parse_uri

from fhir_server.core.errors import TimedOut, Unavailable
from fhir_server.store.mongo.client import ClientLimits, connect
from fhir_server.store.mongo.resources import StoreLimits
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.port import Unit
from tests.support.breaking import Breaking, When
from tests.support.sharing import KINDS, Counted, Work, inserting, shared, there

pytestmark = pytest.mark.anyio

LEAST: Final = 6
"""Commands: claims, a look-up, two of numbers, the resources, the commit."""


@pytest.fixture
async def breaking(mongodb_uri: str) -> AsyncIterator[Breaking]:
    ((_, port),) = parse_uri(mongodb_uri)["nodelist"]
    assert port is not None
    async with Breaking(port) as found:
        yield found


@pytest.fixture
async def store(
    mongodb_uri: str, breaking: Breaking, database_name: str
) -> AsyncIterator[MongoStore]:
    parts = urlsplit(mongodb_uri)
    place = parts.netloc.rpartition(":")[0] + f":{breaking.port}"
    query = "&".join(e for e in parts.query.split("&") if not e.startswith("replicaSet"))
    direct = parts._replace(netloc=place, query=f"{query}&directConnection=true".lstrip("&"))
    client = await connect(direct.geturl(), ClientLimits(timeout_ms=3_000))
    yield await MongoStore.open(client, database_name, StoreLimits(retry_seconds=0.5))
    await client.close()


def numbered(name: str) -> Work:
    """`inserting` with a number."""
    return inserting(name, number=True)


@pytest.mark.parametrize("when", ["before", "behind"])
async def test_each_is_carried_out_once(
    breaking: Breaking, store: MongoStore, mongo_store: MongoStore, when: When
) -> None:
    await store.prepare(KINDS)
    for point in count(1):
        names = [f"{when}-{point}-{n}" for n in range(3)]
        breaking.cut(point, when)
        found = await shared(store, *map(numbered, names))
        assert found == [1] * len(names), point
        assert await there(mongo_store, *names) == [True] * len(names), point
        assert [await following(mongo_store, each) for each in names] == [2] * len(names)
        if not breaking.has_cut:
            break
    assert point > LEAST


async def test_a_commit_that_nobody_knows_of_is_told_to_each_and_not_repeated(
    breaking: Breaking, store: MongoStore, mongo_store: MongoStore
) -> None:
    await store.prepare(KINDS)
    names = ["unknown-1", "unknown-2"]
    works = [Counted(numbered(each)) for each in names]
    breaking.cut_commits()
    found = await shared(store, *works)
    assert all(isinstance(each, TimedOut | Unavailable) for each in found), found
    assert found[0] is not found[1]
    assert [each.times for each in works] == [1, 1]
    assert await there(mongo_store, *names) == [True, True]


async def following(store: MongoStore, name: str) -> int:
    """The number that comes behind that of `name`."""

    async def work(unit: Unit) -> int:
        return await unit.number(f"numbers of {name}")

    return await store.run([], work)
