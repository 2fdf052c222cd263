"""The commands that a client of MongoDB sends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pymongo import monitoring
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)
from typing_extensions import override

from fhir_server.store.mongo.client import connect
from fhir_server.store.mongo.store import MongoStore


class Commands(CommandListener):
    """Their names, in order; `within`: of those that belong to a MongoDB transaction."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.within: list[str] = []

    def clear(self) -> None:
        """Forget what was sent so far."""
        self.names.clear()
        self.within.clear()

    @override
    def started(self, event: CommandStartedEvent) -> None:
        self.names.append(event.command_name)
        if "autocommit" in event.command:
            self.within.append(event.command_name)

    @override
    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Nothing to note."""

    @override
    def failed(self, event: CommandFailedEvent) -> None:
        """Nothing to note."""


@asynccontextmanager
async def counted(uri: str, database: str) -> AsyncIterator[tuple[MongoStore, Commands]]:
    """A store whose commands are counted, and those of no other client."""
    commands = Commands()
    monitoring.register(commands)
    client = await connect(uri)
    monitoring._LISTENERS.command_listeners.remove(commands)
    yield await MongoStore.open(client, database), commands
    await client.close()
