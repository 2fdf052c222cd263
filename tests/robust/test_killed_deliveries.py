"""kill -9 between every two steps of telling: nothing is lost, and nothing is doubled that its
recipient would not know by the key.

https://www.standardwebhooks.com/
"""

import asyncio
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest

from fhir_server.delivery.carriers import reference
from fhir_server.jobs.endings import end
from fhir_server.search.plan import UNRESTRICTED, Everything
from fhir_server.store.mongo.client import Client
from fhir_server.store.mongo.outbox import MongoOutbox
from fhir_server.store.mongo.sealing import Seal
from fhir_server.store.mongo.store import MongoStore
from tests.support.delivering import POINTS, Killed, deliver
from tests.support.receiving import Receiver
from tests.support.telling import occasion

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

OCCASIONS = [f"o{n}" for n in range(3)]
PATIENCE = 60.0
_LIFETIME = "transactionLifetimeLimitSeconds"


@pytest.fixture
async def store(mongodb_client: Client) -> AsyncIterator[MongoStore]:
    store = await MongoStore.open(mongodb_client, f"killed_{uuid4().hex[:12]}")
    await store.prepare(["Communication"])
    yield store
    await mongodb_client.drop_database(store.database.name)


@pytest.fixture(scope="module", autouse=True)
async def _short_transactions(mongodb_client: Client) -> AsyncIterator[None]:
    """What a killed process leaves open ends after a second, not after a minute."""
    command = {"setParameter": 1, _LIFETIME: 1}
    before = await mongodb_client.admin.command(command)
    yield
    await mongodb_client.admin.command(command | {_LIFETIME: before["was"]})


@contextmanager
def process(
    uri: str, store: MongoStore, url: str, *point: str
) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.support.delivering", uri, store.database.name, url]
    started = subprocess.Popen([*command, *point], stdout=subprocess.DEVNULL)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


async def post(store: MongoStore, keys: list[str]) -> None:
    await store.run([], lambda unit: unit.post([occasion(each) for each in keys]))


async def finished(store: MongoStore, count: int) -> None:
    """Once nothing waits, and so many were sent."""
    outbox = MongoOutbox(store.database, Seal(None), kept_seconds=60)
    async with asyncio.timeout(PATIENCE):
        sent = 0
        while sent < count:
            await asyncio.sleep(0.05)
            sent = len(await outbox.entries("sent", limit=count + 1))
    assert await outbox.entries(None, limit=9) == []
    assert await outbox.entries("dead", limit=9) == []


def references(keys: list[str]) -> set[str]:
    return {reference(f"{key}/webhook/{n}") for key in keys for n in range(2)}


def ids(receiver: Receiver) -> Counter[str]:
    return Counter(each.headers["webhook-id"] for each in receiver.received)


@pytest.mark.parametrize("point", POINTS)
async def test_nothing_is_lost_or_doubled(
    mongodb_uri: str, store: MongoStore, point: str
) -> None:
    await post(store, OCCASIONS)
    with Receiver() as receiver:
        with process(mongodb_uri, store, receiver.url, point) as killed:
            status = await asyncio.to_thread(killed.wait, PATIENCE)
            assert status == -signal.SIGKILL
        others = asyncio.create_task(deliver(store, receiver.url, Killed()))
        try:
            await finished(store, 2 * len(OCCASIONS))
        finally:
            await end(others)
    came = ids(receiver)
    assert set(came) == references(OCCASIONS)
    again = [each for each, count in came.items() if count > 1]
    assert len(again) <= (3 if point in {"sent", "settled"} else 0)  # PACE.at_once
    assert len({each.body for each in receiver.received}) == 1
    count = await store.count("Communication", Everything(), within=UNRESTRICTED)
    assert count == len(OCCASIONS)


async def test_two_processes_share_the_work(mongodb_uri: str, store: MongoStore) -> None:
    keys: list[str] = []

    async def more(count: int) -> None:
        fresh = [f"o{len(keys) + n}" for n in range(count)]
        keys.extend(fresh)
        await post(store, fresh)

    with (
        Receiver() as receiver,
        process(mongodb_uri, store, receiver.url) as one,
        process(mongodb_uri, store, receiver.url) as two,
    ):
        async with asyncio.timeout(PATIENCE):
            while senders(receiver) != {str(one.pid), str(two.pid)}:
                await more(1)
                await asyncio.sleep(0.3)
        await more(10)
        await finished(store, 2 * len(keys))
    assert ids(receiver) == Counter(references(keys))


def senders(receiver: Receiver) -> set[str]:
    return {each.headers["x-process"] for each in receiver.received}
