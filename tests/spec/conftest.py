"""The running application on a real MongoDB, once a session, and a client of it."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from fhir_server.settings import Settings
from tests.support.running import Running


@pytest.fixture(scope="session")
def server(mongodb_uri: str) -> Iterator[Running]:
    """The server in a thread of its own, on a free port, with a database of its own."""
    settings = Settings(
        insecure_no_auth=True,
        mongodb_uri=mongodb_uri,
        database=f"spec_{uuid4().hex[:12]}",
        seed=False,
        explain=True,
        log_level="WARNING",
        job_poll_seconds=0.05,
        definitions_seconds=0.1,
    )
    with Running(settings) as running:
        yield running


@pytest.fixture(scope="session")
def fhir(server: Running) -> Iterator[httpx.Client]:
    """A client whose paths are below the FHIR base."""
    with httpx.Client(base_url=server.base_url, timeout=60) as client:
        yield client
