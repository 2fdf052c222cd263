"""The database of a command: the one that is configured, else the embedded one."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from pydantic import SecretStr

from fhir_server.cli.console import CONSOLE, say
from fhir_server.cli.options import with_changes
from fhir_server.settings import Settings
from fhir_server.store.mongo.embedded import EmbeddedMongo


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[Settings]:
    """`settings` with an address that answers, for as long as the context lasts.

    Raises:
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
