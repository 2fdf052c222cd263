"""`fhir-server outbox`: messages that wait, and those that nobody sends any more.

    fhir-server outbox list [--state dead]
    fhir-server outbox show KEY
    fhir-server outbox resend KEY      or --all-dead
    fhir-server outbox drop KEY

Addresses and contents are never shown.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Annotated, Final

import typer
import uvloop

from fhir_server.assembly.database import opened_store
from fhir_server.assembly.delivery import outbox_of
from fhir_server.assembly.machine import now
from fhir_server.cli.console import CONSOLE, fail, say, table
from fhir_server.cli.database import database
from fhir_server.cli.options import DataDir, MongodbUri, settings_with
from fhir_server.cli.refusals import explained
from fhir_server.core.datetimes import format_instant
from fhir_server.delivery.carriers import reference
from fhir_server.settings import Settings
from fhir_server.store.outgoing import OCCASIONS, Entry, Outbox, Outcome

OUTBOX: Final = typer.Typer(
    help="Show, resend and drop messages to people and systems.", no_args_is_help=True
)

Key = Annotated[str, typer.Argument(help="As `list` shows it.")]

_MOST: Final = 10_000


class State(StrEnum):
    """What `list` can be asked for."""

    waiting = "waiting"
    dead = "dead"
    sent = "sent"
    told = "told"
    silent = "silent"
    expired = "expired"
    dropped = "dropped"


_OUTCOMES: Final[Mapping[State, Outcome | None]] = {
    State.waiting: None,
    State.dead: "dead",
    State.sent: "sent",
    State.told: "told",
    State.silent: "silent",
    State.expired: "expired",
    State.dropped: "dropped",
}


@OUTBOX.command(name="list")
def list_(
    state: Annotated[State, typer.Option(help="Which messages.")] = State.waiting,
    limit: Annotated[int, typer.Option(min=1, max=_MOST, help="How many at most.")] = 100,
    data_dir: DataDir = None,
    mongodb_uri: MongodbUri = None,
) -> None:
    """List messages: those that wait by when they are due, the others by when they ended."""
    settings = settings_with(data_dir=data_dir, mongodb_uri=mongodb_uri)
    with explained():
        found = uvloop.run(_entries(settings, state, limit))
    rows = table("Key", "Channel", "Kind", "About", "When", "Tries", "Reason")
    for each in found:
        when = _time(each.due if each.at is None else each.at)
        tries = str(each.tries)
        rows.add_row(each.key, each.lane, each.kind, each.about, when, tries, each.reason)
    CONSOLE.print(rows)


@OUTBOX.command()
def show(key: Key, data_dir: DataDir = None, mongodb_uri: MongodbUri = None) -> None:
    """Show what is known of one message, and the reference by which its recipient knows it."""
    settings = settings_with(data_dir=data_dir, mongodb_uri=mongodb_uri)
    with explained():
        found = uvloop.run(_find(settings, key))
    if found is None:
        fail(f"There is no message {key}.")
    state = found.outcome or "waiting"
    lines = {
        "key": found.key,
        "channel": found.lane,
        "reference": "" if found.lane == OCCASIONS else reference(found.key),
        "kind": found.kind,
        "about": found.about,
        "state": f"{state} ({found.reason})" if found.reason else state,
        "tries": str(found.tries),
        "due": _time(found.due),
        "until": _time(found.until),
        "ended": _time(found.at),
    }
    for name, value in lines.items():
        if value:
            say(f"{name:<10}{value}")


@OUTBOX.command()
def resend(
    key: Annotated[str | None, typer.Argument(help="As `list` shows it.")] = None,
    all_dead: Annotated[bool, typer.Option("--all-dead", help="Every dead message.")] = False,
    data_dir: DataDir = None,
    mongodb_uri: MongodbUri = None,
) -> None:
    """Begin again with a dead message, or do not wait for the next try of one that waits."""
    if (key is None) is not all_dead:
        fail("Name one message, or say --all-dead.")
    settings = settings_with(data_dir=data_dir, mongodb_uri=mongodb_uri)
    with explained():
        count = uvloop.run(_resend(settings, key))
    if key is None:
        say(f"{count} messages are sent again")
    elif count:
        say(f"{key} is sent again")
    else:
        fail(f"No message {key} waits or is dead.")


@OUTBOX.command()
def drop(key: Key, data_dir: DataDir = None, mongodb_uri: MongodbUri = None) -> None:
    """Never send a message that waits or is dead, and forget what it says."""
    settings = settings_with(data_dir=data_dir, mongodb_uri=mongodb_uri)
    with explained():
        dropped = uvloop.run(_drop(settings, key))
    if not dropped:
        fail(f"No message {key} waits or is dead.")
    say(f"{key} is dropped")


async def _entries(settings: Settings, state: State, limit: int) -> Sequence[Entry]:
    async with _opened(settings) as outbox:
        return await outbox.entries(_OUTCOMES[state], limit=limit)


async def _find(settings: Settings, key: str) -> Entry | None:
    async with _opened(settings) as outbox:
        return await outbox.find(key)


async def _resend(settings: Settings, key: str | None) -> int:
    async with _opened(settings) as outbox:
        if key is not None:
            return int(await outbox.resend(key, now()))
        dead = await outbox.entries("dead", limit=_MOST)
        return sum([await outbox.resend(each.key, now()) for each in dead])


async def _drop(settings: Settings, key: str) -> bool:
    async with _opened(settings) as outbox:
        return await outbox.drop(key, now())


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Outbox]:
    async with database(settings) as ready, opened_store(ready) as store:
        yield outbox_of(ready, store.database)


def _time(at: int | None) -> str:
    return "" if at is None else format_instant(at)
