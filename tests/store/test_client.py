"""The connection: what it refuses, what its failures become, how it comes back."""

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bson.errors import InvalidDocument
from pymongo import errors

from fhir_server.core.errors import (
    BadValue,
    Conflict,
    FhirError,
    TimedOut,
    TooCostly,
    TooLarge,
    Unavailable,
)
from fhir_server.search.plan import UNRESTRICTED, Everything, Keys
from fhir_server.store.mongo import embedded, mongod_binary
from fhir_server.store.mongo.client import (
    ClientLimits,
    StandaloneMongodError,
    connect,
    translated,
)
from fhir_server.store.mongo.resources import StoreLimits
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.port import Stored
from tests.support.versions import version

pytestmark = pytest.mark.anyio

FAST = ClientLimits(timeout_ms=1_000, selection_ms=500)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def standalone(tmp_path: Path) -> Iterator[str]:
    """A mongod that is no member of a replica set."""
    port = free_port()
    program = str(mongod_binary.find().path)
    arguments = ["--dbpath", str(tmp_path), "--port", str(port), "--bind_ip", "127.0.0.1"]
    process = subprocess.Popen(
        [program, *arguments, "--wiredTigerCacheSizeGB", "0.25", "--quiet"],
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield f"mongodb://127.0.0.1:{port}/"
    process.terminate()
    process.wait(30)


async def test_a_standalone_mongod_is_refused_with_what_to_do(standalone: str) -> None:
    with pytest.raises(StandaloneMongodError, match=r"--replSet rs0.*rs\.initiate\(\)"):
        await connect(standalone, FAST)


async def test_an_address_without_a_database_is_unavailable() -> None:
    with pytest.raises(Unavailable) as caught:
        await connect(f"mongodb://127.0.0.1:{free_port()}/", FAST)
    assert caught.value.headers["Retry-After"]


async def read_again(store: MongoStore, id_: str) -> Stored | None:
    """Read until the database answers."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await store.read("Patient", id_, within=UNRESTRICTED)
            except Unavailable:
                await asyncio.sleep(0.1)


# The driver forgets to close a socket whose connecting it gave up; nothing of ours is left.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_lost_database_is_503_and_comes_back_by_itself(tmp_path: Path) -> None:
    started = await asyncio.to_thread(embedded.start, tmp_path, cache_gb=0.25)
    client = await connect(started.uri, FAST)
    try:
        store = await MongoStore.open(client, "lost", StoreLimits(retry_seconds=0.5))
        await store.insert(version("kept"))
        await asyncio.to_thread(started.stop)
        for attempt in (
            store.read("Patient", "kept", within=UNRESTRICTED),
            store.insert(version("other")),
            store.run(["Patient"], lambda unit: unit.insert([version("third")])),
        ):
            with pytest.raises((Unavailable, TimedOut)):
                await attempt
        started = await asyncio.to_thread(embedded.start, tmp_path, cache_gb=0.25)
        found = await read_again(store, "kept")
        assert found is not None
        await store.insert(version("other"))
    finally:
        await client.close()
        await asyncio.to_thread(started.stop)


async def asked_again(store: MongoStore) -> None:
    """A process stops a moment after the signal, and may answer until then."""
    for _ in range(100):
        await store.read("Patient", "slow", within=UNRESTRICTED)


async def test_a_database_that_does_not_answer_is_504(tmp_path: Path) -> None:
    started = await asyncio.to_thread(embedded.start, tmp_path, cache_gb=0.25)
    client = await connect(started.uri, FAST)
    try:
        store = await MongoStore.open(client, "stopped")
        await store.insert(version("slow"))
        os.kill(started.pid, signal.SIGSTOP)
        with pytest.raises((TimedOut, Unavailable)):
            await asked_again(store)
    finally:
        os.kill(started.pid, signal.SIGCONT)
        await client.close()
        await asyncio.to_thread(started.stop)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.DuplicateKeyError("", 11000), Conflict),
        (errors.BulkWriteError({"writeErrors": [{"code": 11000}]}), Conflict),
        (errors.OperationFailure("", 112), Conflict),
        (errors.ServerSelectionTimeoutError(), Unavailable),
        (errors.WaitQueueTimeoutError(), Unavailable),
        (errors.AutoReconnect(), Unavailable),
        (errors.NotPrimaryError(), Unavailable),
        (errors.ConnectionFailure(), Unavailable),
        (errors.NetworkTimeout(), TimedOut),
        (errors.ExecutionTimeout("", 50), TimedOut),
        (errors.OperationFailure("", 262), TimedOut),
        (errors.WTimeoutError("", 64), TimedOut),
        (errors.DocumentTooLarge(""), TooLarge),
        (errors.OperationFailure("", 388), TooLarge),
        (errors.BulkWriteError({"writeErrors": [{"code": 388}]}), TooLarge),
        (errors.OperationFailure("", 10334), TooLarge),
        (errors.OperationFailure("", 292), TooCostly),
        (InvalidDocument(""), BadValue),
        (OverflowError(), BadValue),
    ],
    ids=repr,
)
def test_an_error_of_the_driver_is_one_of_ours(
    error: Exception, expected: type[FhirError]
) -> None:
    assert type(translated(error)) is expected


def test_an_unknown_error_is_not_disguised() -> None:
    error = errors.OperationFailure("", 13)
    assert translated(error) is error


@pytest.mark.parametrize("text", ["\ud800", "a\udfff"])
async def test_a_lone_surrogate_is_the_clients_mistake(
    mongo_store: MongoStore, text: str
) -> None:
    with pytest.raises(BadValue):
        await mongo_store.count("Patient", Keys("tokens", (text,)), within=UNRESTRICTED)
    with pytest.raises(BadValue):
        await mongo_store.insert(version("surrogate", tokens=[text]))
    assert await mongo_store.count("Patient", Everything(), within=UNRESTRICTED) == 0
