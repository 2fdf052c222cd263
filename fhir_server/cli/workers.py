"""Several server processes on one port: started, kept running, stopped together."""

import asyncio
import multiprocessing
import socket
import sys
import time
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess
from typing import Final

from fhir_server.cli import worker
from fhir_server.cli.console import warn
from fhir_server.settings import Settings

_SPAWN: Final = multiprocessing.get_context("spawn")
_BALANCES: Final = sys.platform == "linux"
"""Whether the kernel spreads connections over sockets that share a port (SO_REUSEPORT);
elsewhere all workers accept from one socket."""
QUICK_DEATH: Final = 5.0
"""Seconds; a worker that fails sooner fails to start, and will the next time."""


class WorkersFailedError(Exception):
    """The workers do not start; their own output says why."""


@dataclass
class _Place:
    """One worker's socket, which outlives the worker: connections wait in it."""

    listener: socket.socket
    process: SpawnProcess
    begun: float


class Workers:
    """The processes of one server."""

    def __init__(self, settings: Settings, listeners: list[socket.socket]) -> None:
        self._settings = settings
        self._listeners = listeners
        # The workers hold the reading end: it ends when this process does.
        self._theirs, self._ours = _SPAWN.Pipe(duplex=False)
        self._stopping = asyncio.Event()
        self._places: list[_Place] = []

    async def run(self) -> None:
        """Until `stop`, with every worker replaced that dies.

        Raises:
            WorkersFailedError: one died as soon as it was started.
        """
        self._places = [self._start(each) for each in self._listeners]
        try:
            while not self._stopping.is_set():
                await self._one_ends()
                if not self._stopping.is_set():
                    self._places = [self._revived(each) for each in self._places]
        finally:
            await self._end()

    def stop(self) -> None:
        """Let every worker finish what it is answering; a second call does not wait."""
        if self._stopping.is_set():
            for place in self._places:
                place.process.terminate()
        self._stopping.set()

    async def _one_ends(self) -> None:
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        for place in self._places:
            loop.add_reader(place.process.sentinel, ended.set)
        waits = [asyncio.create_task(each.wait()) for each in (ended, self._stopping)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for place in self._places:
                loop.remove_reader(place.process.sentinel)
            for each in waits:
                each.cancel()

    def _start(self, listener: socket.socket) -> _Place:
        process = _SPAWN.Process(
            target=worker.run,
            args=(self._settings, listener, self._theirs),
        )
        process.start()
        return _Place(listener, process, time.monotonic())

    def _revived(self, place: _Place) -> _Place:
        if place.process.is_alive():
            return place
        code = place.process.exitcode or 0  # negative: a signal, which is no fault of ours
        if code > 0 and time.monotonic() - place.begun < QUICK_DEATH:
            raise WorkersFailedError
        warn(f"Worker {place.process.pid} ended ({code}); starting another")
        return self._start(place.listener)

    async def _end(self) -> None:
        for place in self._places:
            place.listener.close()  # or connections would wait for nobody
            place.process.terminate()
        limit = self._settings.shutdown_seconds + 5
        for place in self._places:
            await asyncio.to_thread(place.process.join, limit)
            if place.process.is_alive():
                place.process.kill()
                await asyncio.to_thread(place.process.join)


def listen(host: str, port: int, *, workers: int) -> list[socket.socket]:
    """A bound socket for each worker, all on one port.

    Raises:
        OSError: the address is taken, or not this machine's.
    """
    if workers > 1 and _BALANCES:
        # Sharing works across servers too: one that is there already must be noticed.
        _bound(host, port, shared=False).close()
        first = _bound(host, port, shared=True)
        port = first.getsockname()[1]
        return [first, *(_bound(host, port, shared=True) for _ in range(workers - 1))]
    return [_bound(host, port, shared=False)] * workers


def _bound(host: str, port: int, *, shared: bool) -> socket.socket:
    ((family, kind, _, _, address), *_) = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    )
    listener = socket.socket(family, kind)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener
