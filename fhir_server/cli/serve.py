"""`fhir-server serve`: the database, the seeds, the server, in this order and back."""

import asyncio
import signal
import socket
import sys
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
import typer
import uvloop

from fhir_server.access.public import public_rights
from fhir_server.app import definitions
from fhir_server.assembly.access import check_files
from fhir_server.assembly.booking import default_policy
from fhir_server.assembly.recipients import check_recipients
from fhir_server.cli import demo_environment, seeding, worker
from fhir_server.cli.console import CONSOLE, fail, say, warn
from fhir_server.cli.database import own_database
from fhir_server.cli.demo import dismiss, introduce
from fhir_server.cli.greeting import greet
from fhir_server.cli.loopback import is_loopback
from fhir_server.cli.options import DataDir, MongodbUri, settings_with, with_changes
from fhir_server.cli.refusals import explained
from fhir_server.cli.tls import check_certificate
from fhir_server.cli.workers import Workers, listen
from fhir_server.operations.table import OPERATIONS
from fhir_server.rest.offer import CapabilityError, offer
from fhir_server.settings import Settings


def serve(  # noqa: PLR0913, PLR0917  # an argument an option
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one.")] = None,
    data_dir: DataDir = None,
    mongodb_uri: MongodbUri = None,
    no_seed: Annotated[
        bool, typer.Option("--no-seed", help="Leave an empty database empty.")
    ] = False,
    insecure_no_auth: Annotated[
        bool, typer.Option("--insecure-no-auth", help="Serve without access control.")
    ] = False,
    demo: Annotated[
        bool, typer.Option("--demo", help="Make accounts and an app for a first look.")
    ] = False,
    workers: Annotated[int | None, typer.Option(help="Server processes.")] = None,
) -> None:
    """Run the server, with a database of its own unless one is named."""
    settings = settings_with(
        host=host,
        port=port,
        data_dir=data_dir,
        mongodb_uri=mongodb_uri,
        seed=False if no_seed else None,
        insecure_no_auth=True if insecure_no_auth else None,
        demo=True if demo else None,
        workers=workers,
    )
    if settings.demo and "cabinet" not in settings.model_fields_set:
        settings = with_changes(settings, cabinet="first-party")
    check_exposure(settings)
    check_certificate(settings)
    with explained():
        check_statement(settings)
        public_rights(settings.public_directory)
        definitions(settings)
        check_files(settings)
        default_policy(settings)
        check_recipients(settings)
    if "log_format" not in settings.model_fields_set and sys.stdout.isatty():
        settings = with_changes(settings, log_format="text")
    try:
        listeners = listen(settings.host, settings.port, workers=settings.workers)
    except OSError as error:
        fail(f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}.")
    settings = with_changes(settings, port=listeners[0].getsockname()[1])
    with explained(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(Running(settings, listeners).run())


def check_exposure(settings: Settings) -> None:
    """Without access control, or with passwords that are printed, nobody but this machine
    may ask; others ask by https."""
    if settings.demo:
        _check_demo(settings)
    if not settings.insecure_no_auth:
        if not (is_loopback(settings.host) or settings.fhir_base.startswith("https:")):
            warn(
                "Passwords and tokens must travel by https: put a proxy with TLS before this "
                "server, and its address into FHIR_BASE_URL."
            )
        return
    if not is_loopback(settings.host):
        fail(
            f"--insecure-no-auth serves this machine alone, and {settings.host} is open to "
            "others. Use --host 127.0.0.1.",
            status=2,
        )
    warn("No access control: everybody on this machine may read and change everything.")


def _check_demo(settings: Settings) -> None:
    """Neither the port nor a proxy before it may lead others here."""
    public = urlsplit(settings.fhir_base).hostname or ""
    for named, known in ((settings.host, "--host"), (public, "FHIR_BASE_URL")):
        if not is_loopback(named):
            fail(
                f"--demo prints passwords and tokens, and {named} is open to others "
                f"({known}). Use 127.0.0.1.",
                status=2,
            )


def check_statement(settings: Settings) -> None:
    """Whether the operator's statement can be honoured, before anything is started.

    Raises:
        CapabilityError: it cannot; the text names every entry.
    """
    path = settings.capability_statement
    if not path.exists():
        return
    try:
        statement = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise CapabilityError(f"{path}: {error}") from error
    offer(statement, OPERATIONS)


@dataclass
class Running:
    """The life of a server: what a signal means depends on how far it has come."""

    settings: Settings
    listeners: list[socket.socket]
    stop: Callable[[], None] | None = None
    """How to stop the server gracefully, once there is one."""
    _stopped: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Until a signal or the server's own end."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._signalled, task)
        try:
            async with own_database(self.settings) as settings:
                if settings.seed:
                    await _seed(settings)
                with demo_environment.forgotten(settings):
                    tokens = await _acquainted(settings)
                    if not self._stopped:
                        await self._serve(settings, tokens)
        except asyncio.CancelledError:
            say("Stopped before it was ready")
        else:
            say("Stopped")

    def _signalled(self, task: asyncio.Task[None] | None) -> None:
        """Before there is a server, end at once; the database is closed on the way out."""
        if self.stop:
            CONSOLE.print("Stopping: finishing what is being answered")
            self.stop()
        elif task and not self._stopped:
            task.cancel()
        self._stopped = True

    async def _serve(self, settings: Settings, tokens: Mapping[str, str]) -> None:
        if settings.workers == 1:
            server = worker.server(settings)
            self.stop = server.stop
            await self._greeted(greet(settings, tokens), server.serve(sockets=self.listeners))
            return
        with tempfile.TemporaryDirectory(prefix="fhir-server-") as folder:
            shared = with_changes(settings, metrics_dir=Path(folder))
            workers = Workers(shared, self.listeners)
            self.stop = workers.stop
            await self._greeted(greet(settings, tokens), workers.run())

    async def _greeted(
        self, welcome: Coroutine[None, None, None], serving: Awaitable[None]
    ) -> None:
        greeting = asyncio.create_task(welcome)
        try:
            await serving
        finally:
            greeting.cancel()


async def _acquainted(settings: Settings) -> Mapping[str, str]:
    """Tokens for a first look, by whom they are of; none without the demo, which leaves
    nothing behind either."""
    if settings.insecure_no_auth:
        return {}
    if settings.demo:
        return await introduce(settings)
    await dismiss(settings)
    return {}


async def _seed(settings: Settings) -> None:
    if await seeding.is_empty(settings):
        count = await seeding.load(settings)
        if count:
            say(f"Loaded {count} resources from {settings.seed_dir}")
