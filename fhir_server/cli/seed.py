"""`fhir-server seed`: load the seed bundles, again if need be."""

from pathlib import Path
from typing import Annotated

import typer
import uvloop

from fhir_server.cli import seeding
from fhir_server.cli.console import say
from fhir_server.cli.database import database
from fhir_server.cli.options import DataDir, MongodbUri, settings_with
from fhir_server.cli.refusals import explained
from fhir_server.settings import Settings


def seed(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of bundles.", show_default="seed_bundles")
    ] = None,
    data_dir: DataDir = None,
    mongodb_uri: MongodbUri = None,
) -> None:
    """Load transaction bundles into the database."""
    settings = settings_with(seed_dir=folder, data_dir=data_dir, mongodb_uri=mongodb_uri)
    with explained():
        count = uvloop.run(_load(settings))
    say(f"Loaded {count} resources")


async def _load(settings: Settings) -> int:
    async with database(settings) as ready:
        return await seeding.load(ready)
