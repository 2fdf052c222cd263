"""Loads the transaction bundles of a folder, in the order of their names."""

from datetime import datetime
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from fhir_server.app import Application, everybody
from fhir_server.assembly.database import opened_store
from fhir_server.cli.console import CONSOLE, say
from fhir_server.cli.seed_dates import loaded_on
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.settings import Settings


async def is_empty(settings: Settings) -> bool:
    """Whether the database has never held a resource."""
    async with opened_store(settings) as store:
        return not await store.kinds()


async def load(settings: Settings) -> int:
    """Load every bundle of `settings.seed_dir`; the number of resources loaded.

    Each bundle is one transaction of updates under fixed ids: what was interrupted is
    finished, and what was changed is put back, by loading again.

    Raises:
        FhirError: a bundle was refused; those before it are loaded.
    """
    paths = sorted(settings.seed_dir.glob("*.json"))
    bundles = [_bundle(path, settings) for path in paths]
    count = sum(len(each["entry"]) for each in bundles)
    if not bundles:
        say(f"Nothing to load: {settings.seed_dir.absolute()} holds no bundles")
        return 0
    application = Application(settings, everybody)
    async with application.running():
        with _progress() as progress:
            task = progress.add_task("Loading the seed bundles", total=count)
            for bundle in bundles:
                await application.transaction(bundle)
                progress.advance(task, len(bundle["entry"]))
    return count


def _bundle(path: Path, settings: Settings) -> JsonObject:
    """Its dates are relative to the day of loading (seed_dates)."""
    today = datetime.now().astimezone().date()
    return loaded_on(loads(path.read_bytes(), max_depth=settings.max_depth), today)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("resources"),
        TimeElapsedColumn(),
        console=CONSOLE,
    )
