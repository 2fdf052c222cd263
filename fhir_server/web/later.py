"""Work that goes on after the answer, so that its time tells the caller nothing.

Whether an address is known shows in what is done for it; who asked has the answer by then.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

import structlog

from fhir_server.core.errors import FhirError

MOST: Final = 1000
"""Pieces of work at once, per worker; more are dropped: somebody floods the forms."""


class Later:
    """Runs it; `drain` waits for what is still going on."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Start without waiting."""
        if len(self._tasks) >= MOST:
            work.close()
            return
        task = asyncio.get_running_loop().create_task(self._run(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self) -> None:
        """Wait until nothing is left; at the end of the server."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (FhirError, OSError) as error:
            self._log.error("account work failed", error=type(error).__name__)
