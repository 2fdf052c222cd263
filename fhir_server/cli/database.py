"""The database of a command: the one that is configured, else the embedded one.

The embedded one belongs to a server while that runs. Other commands then work on it beside the
server, as they do on a database that is configured.
"""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from pydantic import SecretStr

from fhir_server.cli.console import CONSOLE, say
from fhir_server.cli.options import with_changes
from fhir_server.settings import Settings
from fhir_server.store.mongo.data_folder import FolderInUse
from fhir_server.store.mongo.embedded import EmbeddedMongo, neighbour


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[Settings]:
    """`settings` with an address that answers, for as long as the context lasts; that of the
    server which runs on the data folder, if there is one.

    Raises:
        EmbeddedFailure: there is no embedded database to be had.
    """
    async with AsyncExitStack() as stack:
        try:
            ready = await stack.enter_async_context(own_database(settings))
        except FolderInUse:
            uri = neighbour(settings.data_dir)
            if uri is None:
                raise
            ready = with_changes(settings, mongodb_uri=SecretStr(uri))
        yield ready


@asynccontextmanager
async def own_database(settings: Settings) -> AsyncIterator[Settings]:
    """The same for a server: nobody else may have the data folder.

    Raises:
        FolderInUse: another server has it.
        EmbeddedFailure: there is no embedded database to be had.
    """
    if settings.mongodb_uri is not None:
        yield settings
        return
    begun = time.perf_counter()
    async with AsyncExitStack() as stack:
        with CONSOLE.status("Starting the embedded MongoDB"):
            embedded = await stack.enter_async_context(
                EmbeddedMongo(settings.data_dir, cache_gb=settings.embedded_cache_gb)
            )
        version = ".".join(map(str, embedded.version))
        seconds = time.perf_counter() - begun
        folder = settings.data_dir.absolute()
        say(f"MongoDB {version} is running in {folder} (started in {seconds:.1f} s)")
        yield with_changes(settings, mongodb_uri=SecretStr(embedded.uri))
