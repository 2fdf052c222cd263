"""One clinic for all tests of notices; patients, schedules and visits are new in each."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from fhir_server.app import Application
from fhir_server.settings import Settings
from fhir_server.store.mongo.client import Client
from tests.support.notified import BEGINNING, ISSUER, Clock, House

CONSENT = "http://test/consents|results-by-email"


@pytest.fixture(scope="session")
async def clinic(
    polled_uri: str, mongodb_client: Client, anyio_backend: str
) -> AsyncIterator[House]:
    del anyio_backend
    clock = Clock()
    settings = Settings(
        mongodb_uri=polled_uri,
        database=f"notices_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
        base_url=f"{ISSUER}/fhir",
        consent_default="all-normal",
        notice_results=CONSENT,
        notice_silent_clients=("mis-import",),
        booking_seconds=3600,
        outbox_poll_seconds=86_400,
    )
    app = Application(settings, None, clock)
    async with (
        app.running(),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url=ISSUER, timeout=60
        ) as http,
    ):
        yield House(app, mongodb_client, http, clock)


@pytest.fixture
async def house(clinic: House) -> House:
    """The clinic in the morning, with nothing that waits."""
    clinic.clock.set(BEGINNING)
    clinic.told.clear()
    await clinic.client[clinic.app.settings.database]["outbox"].delete_many({})
    return clinic
