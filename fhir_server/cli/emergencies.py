"""`fhir-server emergencies`: declared break-glass that holds.

fhir-server emergencies list
fhir-server emergencies end ID
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Final

import typer
import uvloop

from fhir_server.access.audit_log import Occurrence
from fhir_server.access.audit_rows import Who
from fhir_server.access.emergencies import Declaration
from fhir_server.app import Application
from fhir_server.assembly.audit import sink
from fhir_server.assembly.machine import now
from fhir_server.cli.console import CONSOLE, fail, say, table
from fhir_server.cli.database import database
from fhir_server.cli.options import DataDir, MongodbUri, settings_with
from fhir_server.cli.refusals import explained
from fhir_server.core.datetimes import format_instant
from fhir_server.interactions.context import Services
from fhir_server.interactions.emergencies import Emergencies
from fhir_server.settings import Settings

EMERGENCIES: Final = typer.Typer(
    help="Show and end declared emergencies ($break-glass).", no_args_is_help=True
)
WITHOUT: Final = "Without access control there are no accounts."


@EMERGENCIES.command(name="list")
def show(data_dir: DataDir = None, mongodb_uri: MongodbUri = None) -> None:
    """List those that hold, the newest first."""
    settings = settings_with(data_dir=data_dir, mongodb_uri=mongodb_uri)
    with explained():
        found = uvloop.run(_held(settings))
    rows = table("Id", "Who", "App", "Patient", "Since", "Until", "Notice")
    for each in found:
        since, until = format_instant(each.at), format_instant(each.ends)
        rows.add_row(each.id, each.user, each.client, each.patient, since, until, each.notice)
    CONSOLE.print(rows)


@EMERGENCIES.command()
def end(
    id_: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")],
    data_dir: DataDir = None,
    mongodb_uri: MongodbUri = None,
) -> None:
    """End one before its time; the next request of its app sees what it saw before."""
    settings = settings_with(data_dir=data_dir, mongodb_uri=mongodb_uri)
    with explained():
        ended = uvloop.run(_end(settings, id_))
    if not ended:
        fail(f"No emergency {id_} holds.")
    say(f"{id_} is over")


async def _held(settings: Settings) -> Sequence[Declaration]:
    async with database(settings) as ready, emergencies_of(ready) as (_, house):
        return await house.register.all_held(now())


async def _end(settings: Settings, id_: str) -> bool:
    async with database(settings) as ready, emergencies_of(ready) as (application, house):
        found = await house.register.end(id_, now())
        if found is not None and application.surface is not None:
            await _tell(application.surface.services, found)
        return found is not None


async def _tell(services: Services, ended: Declaration) -> None:
    audit = sink(services)
    if audit is not None:
        who = Who(ended.client, ended.user, ended.account, staff=True)
        patients = (ended.patient,)
        note = "by the operator"
        await audit.note(Occurrence("break-glass-end", who, patients=patients, note=note))


@asynccontextmanager
async def emergencies_of(settings: Settings) -> AsyncIterator[tuple[Application, Emergencies]]:
    """The server without its requests, and what stands behind break-glass."""
    application = Application(settings, None)
    async with application.running():
        services = None if application.surface is None else application.surface.services
        if services is None or services.emergencies is None:
            fail(WITHOUT)
        yield application, services.emergencies
