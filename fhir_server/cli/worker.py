"""One server process: uvicorn on a socket that is already bound.

https://www.uvicorn.org/settings/
"""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Generator
from multiprocessing.connection import Connection
from typing import Any

import uvicorn
import uvloop
from typing_extensions import override

from fhir_server import app
from fhir_server.cli.loopback import LoopbackOnly
from fhir_server.cli.protocol import Protocol
from fhir_server.cli.tls import context
from fhir_server.settings import Settings


class Server(uvicorn.Server):
    """uvicorn's server with its signals left to us: they concern the database too."""

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave them alone."""
        yield

    def stop(self) -> None:
        """Finish what is being answered; a second call does not wait for it."""
        self.force_exit = self.should_exit
        self.should_exit = True


def server(settings: Settings) -> Server:
    """A server of `settings`, not yet running."""
    served = app.create(settings)
    alone = settings.insecure_no_auth or settings.demo
    return Server(configured(settings, LoopbackOnly(served) if alone else served))


def configured(settings: Settings, served: Callable[..., Any]) -> uvicorn.Config:
    """How uvicorn serves: without a header of its own or a trust of its own in proxies'."""
    return uvicorn.Config(
        served,
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # they are rest.forwarding's, which trusts what the settings say
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        ssl_context_factory=None if settings.tls_cert is None else context,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )


def run(settings: Settings, listener: socket.socket, parent: Connection) -> None:
    """The life of one of several workers; it ends with its parent, however that ends."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(server(settings), listener, parent))


async def _serve(worker: Server, listener: socket.socket, parent: Connection) -> None:
    loop = asyncio.get_running_loop()
    # Ctrl-C reaches the whole group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    loop.add_signal_handler(signal.SIGTERM, worker.stop)
    loop.add_reader(parent.fileno(), _orphaned, worker, parent)
    await worker.serve(sockets=[listener])


def _orphaned(worker: Server, parent: Connection) -> None:
    """The parent never writes: readable means that it is gone."""
    asyncio.get_running_loop().remove_reader(parent.fileno())
    worker.stop()
