"""The database as the settings name it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fhir_server.assembly import bounds
from fhir_server.settings import Settings
from fhir_server.store.mongo.client import Client, ClientLimits, connect
from fhir_server.store.mongo.sealing import Seal
from fhir_server.store.mongo.store import MongoStore


async def connected(settings: Settings) -> Client:
    """A client of it, which answered.

    Raises:
        ValueError: none is named.
    """
    if settings.mongodb_uri is None:
        message = "no MongoDB address: set FHIR_MONGODB_URI, or start with fhir-server serve"
        raise ValueError(message)
    limits = ClientLimits(
        timeout_ms=settings.mongodb_timeout_seconds * 1000,
        selection_ms=settings.mongodb_selection_seconds * 1000,
        pool=settings.mongodb_pool,
    )
    return await connect(settings.mongodb_uri.get_secret_value(), limits)


def seal(settings: Settings) -> Seal:
    """What encrypts the secrets that the database has to hold."""
    key = settings.secret_key
    return Seal(None if key is None else key.get_secret_value())


async def opened(client: Client, settings: Settings) -> MongoStore:
    """The store behind `client`."""
    limits = bounds.store_limits(settings)
    return await MongoStore.open(client, settings.database, limits, seal(settings))


@asynccontextmanager
async def opened_store(settings: Settings) -> AsyncIterator[MongoStore]:
    """The store alone, for commands that answer no requests."""
    client = await connected(settings)
    try:
        yield await opened(client, settings)
    finally:
        await client.close()
