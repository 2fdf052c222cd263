"""Servers of their own processes that end by kill -9 in the middle of a request, at a command
to MongoDB that the request names: `python -m tests.support.killed_server`.

Arguments: the address of MongoDB, the database. For each line on stdin one more server is
begun, on the port that is told in return; it has read everything already and is up at once.

A request with the header `x-kill: 3` has the process killed before its third command is sent;
with `x-kill: answer` when all is done, before it is answered. With `x-kill: all 3` the commands
of transactions are counted, whichever request they are for, since the first that says so.
"""

import asyncio
import os
import signal
import socket
import sys
from contextvars import ContextVar
from typing import Final, NoReturn

import uvicorn
from pymongo import monitoring
from pymongo.monitoring import CommandStartedEvent
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import override

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.app import Application, create
from fhir_server.cli.worker import configured
from fhir_server.settings import Settings
from tests.support.commands import Commands
from tests.support.worlds import Tokens

PEOPLE: Final = tuple(f"killed-{number}" for number in range(400))
"""Patients, and the tokens of their apps."""
NEVER: Final = 10_000_000.0
"""Seconds until the background does anything: the commands are the request's alone."""
_ALL: Final = "all "
_REQUEST: Final[ContextVar["Count | None"]] = ContextVar("request", default=None)


class Count:
    """The commands of one request."""

    def __init__(self, last: str) -> None:
        self.last = last
        """The number of the command before which the process ends, or `answer`; or empty."""
        self.sent = 0


class Killer(Commands):
    """Ends the process when a request sends the command that it named."""

    together: Count | None = None
    """Of all requests."""

    @override
    def started(self, event: CommandStartedEvent) -> None:
        count = _REQUEST.get() if self.together is None else self.together
        if count is None or (count is self.together and "autocommit" not in event.command):
            return
        count.sent += 1
        if str(count.sent) == count.last:
            kill()


_KILLER: Final = Killer()


def kill() -> NoReturn:
    """End at once, as `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise SystemExit


def person(patient: str) -> Principal:
    """The app of a patient; its token is the patient's id."""
    return Principal(
        "app",
        parse_scopes("patient/*.cruds"),
        patient=patient,
        user=f"Patient/{patient}",
        represented=(patient,),
        token=patient,
        level=3,
    )


def settings(uri: str, database: str) -> Settings:
    """Of all servers of the test, killed or not."""
    return Settings.model_validate({
        "mongodb_uri": uri,
        "database": database,
        "seed": False,
        "log_level": "WARNING",
        "base_url": "http://test/fhir",
        "booking_seconds": NEVER,
        "job_poll_seconds": 60,
        "outbox_poll_seconds": NEVER,
        "definitions_seconds": 3600,
    })  # fmt: skip


def tokens() -> Tokens:
    """Those of `PEOPLE`."""
    found = Tokens()
    for each in PEOPLE:
        found.give(person(each))
    return found


def counted(app: ASGIApp) -> ASGIApp:
    """`app`, whose requests are killed where they say so."""

    async def ask(scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        count = Count(headers.get(b"x-kill", b"").decode().removeprefix(_ALL))
        if headers.get(b"x-kill", b"").startswith(_ALL.encode()) and _KILLER.together is None:
            _KILLER.together = count
        _REQUEST.set(count)

        async def answer(message: Message) -> None:
            if count.last == "answer":
                kill()
            await send(message)

        await app(scope, receive, answer if scope["type"] == "http" else send)

    return ask


def serve(given: Settings, bound: socket.socket) -> None:
    """Answer until killed."""
    app = counted(create(given, tokens().gate))
    uvicorn.Server(configured(given, app)).run(sockets=[bound])


async def warm_up(given: Settings) -> None:
    """Read and compile what every server needs, once for all of them."""
    async with Application(given, tokens().gate).running():
        pass


def main(uri: str, database: str) -> None:
    """Begin servers until stdin ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    ports = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what servers log is no port
    monitoring.register(_KILLER)
    given = settings(uri, database)
    asyncio.run(warm_up(given))
    children: list[int] = []
    for _ in sys.stdin:
        bound = socket.create_server(("127.0.0.1", 0))
        child = os.fork()
        if child == 0:
            serve(given, bound)
            os._exit(0)
        children.append(child)
        ports.write(f"{bound.getsockname()[1]}\n")
        ports.flush()
        bound.close()
    for each in children:  # a request may have come to its end
        try:
            os.kill(each, signal.SIGKILL)
        except ProcessLookupError:
            continue


if __name__ == "__main__":
    main(*sys.argv[1:])
