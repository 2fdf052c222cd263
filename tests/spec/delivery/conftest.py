"""Outboxes of their own for tests of what works them off."""

from collections.abc import AsyncIterator

import pytest

from fhir_server.store.mongo.outbox import MongoOutbox
from fhir_server.store.mongo.sealing import Seal
from fhir_server.store.mongo.store import MongoStore


@pytest.fixture
async def outbox(mongo_store: MongoStore) -> AsyncIterator[MongoOutbox]:
    yield MongoOutbox(mongo_store.database, Seal(None), kept_seconds=86_400)
    await mongo_store.database["outbox"].delete_many({})
