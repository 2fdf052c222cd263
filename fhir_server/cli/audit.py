"""`fhir-server audit`: whether the audit's log is what was written.

    fhir-server audit verify     walks each writer's chain and names the first broken link

It prints where each chain ends. An end that was noted elsewhere, out of the reach of whoever
may write the database, tells whether somebody has cut the chain short since.
"""

from collections.abc import AsyncIterator
from typing import Final

import typer
import uvloop

from fhir_server.assembly.database import opened_store
from fhir_server.assembly.machine import now
from fhir_server.cli.console import fail, say
from fhir_server.cli.database import database
from fhir_server.cli.options import DataDir, MongodbUri, settings_with
from fhir_server.cli.refusals import explained
from fhir_server.settings import Settings
from fhir_server.store.mongo.audit_chain import Chain, Unsealed, verify

AUDIT: Final = typer.Typer(help="Look after the audit.", no_args_is_help=True)


@AUDIT.callback()
def audit() -> None:
    """Look after the audit."""


@AUDIT.command("verify")
def verify_command(data_dir: DataDir = None, mongodb_uri: MongodbUri = None) -> None:
    """Walk the chains of the audit; the exit status is 1 where one is broken."""
    settings = settings_with(data_dir=data_dir, mongodb_uri=mongodb_uri)
    with explained():
        broken = uvloop.run(_verified(settings))
    if broken:
        fail("The audit has been changed, or a part of it is missing: " + ", ".join(broken))
    say("The audit is whole")


async def _verified(settings: Settings) -> list[str]:
    broken: list[str] = []
    async for found in _found(settings):
        match found:
            case Unsealed():
                say(f"{found.id} is in no chain: a server was killed before it could seal it")
            case Chain(broken=""):
                say(f"{found.writer}: {found.first} to {found.last}, ends in {found.hash}")
            case Chain():
                say(f"{found.writer}: holds up to {found.last}, broken at {found.broken}")
                broken.append(found.broken)
    return broken


async def _found(settings: Settings) -> AsyncIterator[Chain | Unsealed]:
    async with database(settings) as ready, opened_store(ready) as store:
        async for each in verify(store.database, now()):
            yield each
