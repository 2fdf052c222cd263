"""A real MongoDB replica set for the tests that need one.

`FHIR_TEST_MONGODB_URI` names one that runs already; otherwise the embedded one is started,
once a session (with xdist: once a worker). Screenshots of browsers go to the folder that
`FHIR_TEST_SCREENSHOTS` names, or a temporary one.
"""

import gc
import os
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from fhir_server.store.mongo import embedded
from fhir_server.store.mongo.client import Client, connect
from fhir_server.store.mongo.store import MongoStore

# What is collected is kept until the end. Looking for garbage in it again and again, as it
# grows, took most of the time of the collecting.
gc.disable()

# A worker of xdist has no terminal: tables of commands would be narrower there.
os.environ.setdefault("COLUMNS", "200")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Look for garbage from here on, not in what was collected, and as the server does."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where the tests of one mark are asked for, leave out the files that do not name it."""
    asked = re.match(r"(alone|slow)\b(?! or)", config.getoption("markexpr"))
    if asked is None or not collection_path.match("test_*.py"):
        return None
    return f"mark.{asked[1]}" not in collection_path.read_text(encoding="utf-8") or None


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio; one loop a session, as the client belongs to its loop."""
    return "asyncio"


@pytest.fixture(scope="session")
def mongodb_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a replica set."""
    given = os.environ.get("FHIR_TEST_MONGODB_URI")
    if given is not None:
        yield given
        return
    started = embedded.start(tmp_path_factory.mktemp("mongodb"), cache_gb=0.25)
    yield started.uri
    started.stop()


@pytest.fixture(scope="session")
def polled_uri(mongodb_uri: str) -> str:
    """The same address for clients on the session's loop.

    That loop stands still while tests without it run. A monitor that streams would wake to a
    deadline of half a minute ago, take the server for lost and cut off what is being asked.
    """
    mark = "&" if "?" in mongodb_uri else "?"
    return f"{mongodb_uri}{mark}serverMonitoringMode=poll"


@pytest.fixture(scope="session")
async def mongodb_client(polled_uri: str, anyio_backend: str) -> AsyncIterator[Client]:
    """One client for the session's loop."""
    del anyio_backend
    client = await connect(polled_uri)
    yield client
    await client.close()


@pytest.fixture(scope="module")
async def database_name(mongodb_client: Client) -> AsyncIterator[str]:
    """The name of a database that this module has to itself."""
    name = f"test_{uuid4().hex[:12]}"
    yield name
    await mongodb_client.drop_database(name)


@pytest.fixture(scope="module")
async def mongo_store(mongodb_client: Client, database_name: str) -> MongoStore:
    """The store in that database."""
    return await MongoStore.open(mongodb_client, database_name)


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for screenshots."""
    named = os.environ.get("FHIR_TEST_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
