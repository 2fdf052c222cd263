"""`fhir-server apps`: which apps may ask people for their data.

    fhir-server apps add app.json     the metadata of RFC 7591, of one app or a list of them
    fhir-server apps list
    fhir-server apps approve ID
    fhir-server apps block ID
    fhir-server apps remove ID

An operator may give an app what nobody gets over HTTP: a `client_id` of its own choice,
`permissions` ("launch", "introspect", "grants", "break-glass", "global-state"),
`organizations` and `state_codes` of app state. An app that is added again under its
`client_id` keeps its secret.

https://www.rfc-editor.org/rfc/rfc7591#section-2
"""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
import uvloop

from fhir_server.assembly.authorization import policy, state
from fhir_server.assembly.database import opened_store
from fhir_server.assembly.machine import new_id, now
from fhir_server.cli.console import CONSOLE, fail, say, table
from fhir_server.cli.database import database
from fhir_server.cli.options import DataDir, MongodbUri, settings_with
from fhir_server.cli.refusals import explained
from fhir_server.settings import Settings
from fhir_server.smart import registration
from fhir_server.smart.errors import InvalidClientMetadata
from fhir_server.smart.policy import Policy
from fhir_server.smart.records import Client
from fhir_server.smart.registering import forget, with_secret
from fhir_server.store.mongo.smart import MongoSmart

APPS: Final = typer.Typer(help="Register apps, and look after them.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The app's client id.")]
Metadata = Mapping[str, Any]

_SECRET_BYTES: Final = 32


@APPS.command()
def add(
    file: Annotated[Path, typer.Argument(help="JSON: the app's metadata, or a list.")],
    data_dir: DataDir = None,
    mongodb_uri: MongodbUri = None,
) -> None:
    """Register the apps of a file; a secret is shown once."""
    settings = settings_with(data_dir=data_dir, mongodb_uri=mongodb_uri)
    found = _read(file)
    with explained():
        shown = uvloop.run(_add(settings, found))
    for client, secret in shown:
        say(f"{client.id}  {client.name}")
        if secret:
            say(f"  client_secret: {secret}")


@APPS.command("list")
def list_(data_dir: DataDir = None, mongodb_uri: MongodbUri = None) -> None:
    """Show the registered apps."""
    settings = settings_with(data_dir=data_dir, mongodb_uri=mongodb_uri)
    with explained():
        found = uvloop.run(_all(settings))
    rows = table("client_id", "name", "method", "standing", "reviewed", "scope")
    for each in found:
        reviewed = "yes" if each.reviewed else "no"
        rows.add_row(each.id, each.name, each.method, each.standing, reviewed, each.scopes)
    CONSOLE.print(rows)


@APPS.command()
def approve(id_: Id, data_dir: DataDir = None, mongodb_uri: MongodbUri = None) -> None:
    """Let a pending or blocked app work, and note that it was looked at."""
    _settle(
        _approve, id_, "approved", settings_with(data_dir=data_dir, mongodb_uri=mongodb_uri)
    )


@APPS.command()
def block(id_: Id, data_dir: DataDir = None, mongodb_uri: MongodbUri = None) -> None:
    """Stop an app, and end everything that was granted to it; approve lets it work again."""
    _settle(_block, id_, "blocked", settings_with(data_dir=data_dir, mongodb_uri=mongodb_uri))


@APPS.command()
def remove(id_: Id, data_dir: DataDir = None, mongodb_uri: MongodbUri = None) -> None:
    """Forget an app, and end everything that was granted to it."""
    _settle(_remove, id_, "removed", settings_with(data_dir=data_dir, mongodb_uri=mongodb_uri))


def _settle(
    work: Callable[[MongoSmart, Client], Awaitable[None]],
    id_: str,
    done: str,
    settings: Settings,
) -> None:
    with explained():
        known = uvloop.run(_settled(settings, work, id_))
    if not known:
        fail(f"There is no app {id_}.")
    say(f"{id_} is {done}")


async def _settled(
    settings: Settings, work: Callable[[MongoSmart, Client], Awaitable[None]], id_: str
) -> bool:
    async with _opened(settings) as kept:
        client = await kept.clients.find(id_)
        if client is not None:
            await work(kept, client)
        return client is not None


async def _approve(kept: MongoSmart, client: Client) -> None:
    await kept.clients.put(replace(client, standing="active", reviewed=True))


async def _block(kept: MongoSmart, client: Client) -> None:
    await kept.clients.put(replace(client, standing="blocked"))
    await kept.grants.revoke_client(client.id, now(), "client blocked")


async def _remove(kept: MongoSmart, client: Client) -> None:
    await forget(kept.clients, kept.states, client)
    await kept.grants.revoke_client(client.id, now(), "client removed")


def _read(file: Path) -> Sequence[Metadata]:
    try:
        found = msgspec.json.decode(file.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        fail(f"{file}: {error}")
    listed = found if isinstance(found, list) else [found]
    if not all(isinstance(each, dict) for each in listed):
        fail(f"{file} holds no JSON object, or list of them.")
    return listed


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[MongoSmart]:
    async with database(settings) as ready, opened_store(ready) as store:
        yield await state(ready, store.database)


async def _add(
    settings: Settings, found: Sequence[Metadata]
) -> Sequence[tuple[Client, str | None]]:
    async with _opened(settings) as kept:
        rules = policy(settings)
        return [await _register(kept, rules, each) for each in found]


async def _register(
    kept: MongoSmart, rules: Policy, metadata: Metadata
) -> tuple[Client, str | None]:
    id_ = str(metadata.get("client_id") or new_id())
    try:
        client = registration.read(metadata, registration.OPERATOR, rules, id_)
    except InvalidClientMetadata as error:
        fail(f"{metadata.get('client_name') or id_}: {error.description}")
    known = await kept.clients.find(id_)
    if known is not None and known.method == client.method:
        secret = None
        client = replace(
            client,
            secret_digest=known.secret_digest,
            registration_digest=known.registration_digest,
            created=known.created,
        )
    else:
        client = replace(client, created=now())
        client, shown = with_secret(client, secrets.token_urlsafe(_SECRET_BYTES))
        secret = shown.get("client_secret")
    await kept.clients.put(client)
    return client, secret


async def _all(settings: Settings) -> Sequence[Client]:
    async with _opened(settings) as kept:
        return await kept.clients.all()
