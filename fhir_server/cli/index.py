"""`fhir-server index`: make the collections and indexes that are missing.

A server makes them by itself when a type is first written; this does it beforehand, so that
no request waits for it.
"""

from typing import Annotated

import typer
import uvloop
from rich.progress import track

from fhir_server.assembly.database import opened_store
from fhir_server.cli.console import CONSOLE, fail, say
from fhir_server.cli.database import database
from fhir_server.cli.options import DataDir, MongodbUri, settings_with
from fhir_server.cli.refusals import explained
from fhir_server.settings import Settings
from fhir_server.spec.structures import RESOURCE_TYPES


def index(
    types: Annotated[
        list[str] | None, typer.Argument(help="Resource types; without any, those in use.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All resource types.")] = False,
    data_dir: DataDir = None,
    mongodb_uri: MongodbUri = None,
) -> None:
    """Make the collections and indexes that are missing."""
    kinds = sorted(RESOURCE_TYPES) if every else types or []
    unknown = [each for each in kinds if each not in RESOURCE_TYPES]
    if unknown:
        fail(f"No resource type of R4: {', '.join(unknown)}", status=2)
    settings = settings_with(data_dir=data_dir, mongodb_uri=mongodb_uri)
    with explained():
        count = uvloop.run(_prepare(settings, kinds))
    say(f"The indexes of {count} resource types are in place")


async def _prepare(settings: Settings, kinds: list[str]) -> int:
    async with database(settings) as ready, opened_store(ready) as store:
        wanted = kinds or list(await store.kinds())
        for kind in track(wanted, "Making indexes", console=CONSOLE):
            await store.prepare([kind])
        return len(wanted)
