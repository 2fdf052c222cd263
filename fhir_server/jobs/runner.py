"""Carries out jobs: takes the lease of one, renews it while it works, gives it back at the end.

A worker that dies leaves its lease to run out; then another takes the job up from what was
noted of it. A worker that is stopped gives its jobs back at once.

https://hl7.org/fhir/R4/async.html
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from fhir_server.access.kept_answers import SettledError
from fhir_server.core.errors import (
    Conflict,
    Duplicate,
    FhirError,
    Issue,
    TimedOut,
    Unavailable,
)
from fhir_server.core.messages import Text
from fhir_server.core.outcome import operation_outcome
from fhir_server.core.wire import dumps
from fhir_server.jobs.endings import end
from fhir_server.jobs.trying import tried
from fhir_server.store.port import Job, Jobs, Outcome

GIVEN_UP: Final = Text(
    "The request was begun {tries} times and never came to its end. Tell the operator.",
    "Запрос начинали выполнять {tries} раз, и ни разу не закончили. Сообщите администратору.",
    "Запит починали виконувати {tries} разів і жодного разу не завершили. "
    "Повідомте адміністратору.",
)

Handler = Callable[[Job, bytes], Awaitable[None]]
"""Does the job and settles it. It is called again, from what it noted as progress, when the
worker before was killed: what it did before must not be done twice."""

_LONGEST_PAUSE: Final = 30.0  # seconds before a job is tried again
_TIDYING: Final = 60.0  # seconds between two looks for what is kept no longer


class LostError(Exception):
    """The job is over, or another worker has it: stop at once."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Each is a setting; seconds."""

    lease: float = 15.0
    poll: float = 0.5
    at_once: int = 2
    tries: int = 6
    pause: float = 1.0
    """Before the second try; each further one is twice as long."""

    def postpones(self, job: Job, error: FhirError) -> bool:
        """Whether another try may end better than with `error`.

        A worker that was killed leaves its MongoDB transaction open for 60 to 90 seconds,
        and what meets its writes is a Conflict until then: six tries take two minutes.
        """
        transient = isinstance(error, (Unavailable, TimedOut, Conflict))
        return transient and not isinstance(error, Duplicate) and job.tries < self.tries


@dataclass(frozen=True, slots=True)
class Chore:
    """What every process does again and again, beside the jobs."""

    name: str
    do: Callable[[], Awaitable[None]]
    seconds: float


class Runner:
    """The jobs of one process."""

    def __init__(
        self,
        jobs: Jobs,
        handlers: Mapping[str, Handler],
        pace: Pace,
        *,
        worker: str,
        chores: Sequence[Chore] = (),
    ) -> None:
        self._jobs = jobs
        self._chores = (Chore("sweep", jobs.sweep, _TIDYING), *chores)
        self._handlers = handlers
        self._pace = pace
        self._worker = worker
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(pace.at_once)
        self._log = structlog.get_logger()

    async def run(self) -> None:
        """Until cancelled; then the leases are given back."""
        for chore in self._chores:
            self._start(self._repeat(chore))
        try:
            while True:
                await self._slots.acquire()
                lease = self._jobs.lease(self._worker, self._pace.lease)
                job = await tried(self._log, "lease", lease)
                if job is None:
                    self._slots.release()
                    await asyncio.sleep(self._pace.poll)
                else:
                    self._start(self._taken(job))
        finally:
            await end(*self._tasks)

    def _start(self, doing: Coroutine[Any, Any, None]) -> None:
        # No TaskGroup: it cancels once, and a lost cancellation would hang it.
        task = asyncio.create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _repeat(self, chore: Chore) -> None:
        while True:
            await asyncio.sleep(chore.seconds)
            await tried(self._log, chore.name, chore.do())

    async def _taken(self, job: Job) -> None:
        try:
            # A job that fails in a way nobody foresaw is left: its lease runs out, and it is
            # tried again.
            await tried(self._log, job.kind, self._attempt(job))
        finally:
            self._slots.release()

    async def _attempt(self, job: Job) -> None:
        try:
            if job.tries > self._pace.tries:
                await self._jobs.settle(job.id, _given_up(job))
            else:
                await self._supervised(job)
        except asyncio.CancelledError:
            await self._jobs.release(job)
            raise
        except LostError:
            return
        except SettledError:
            pass  # cancelled, or by one who was believed dead
        except FhirError as error:
            if self._pace.postpones(job, error):
                await self._again(job)
                return
            await self._fail(job, error)
        await self._jobs.close(job)

    async def _supervised(self, job: Job) -> None:
        """Do the job, until its lease is lost."""
        work = asyncio.create_task(self._do(job))
        lease = asyncio.create_task(self._hold(job))
        try:
            await asyncio.wait({work, lease}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise LostError
            work.result()
        finally:
            await end(work, lease)

    async def _do(self, job: Job) -> None:
        if not job.progress and not await self._jobs.progress(job, {"running": True}):
            raise LostError
        await self._handlers[job.kind](job, await self._jobs.input(job))

    async def _hold(self, job: Job) -> None:
        """Renew the lease; returns when it is lost."""
        held = True
        while held:
            await asyncio.sleep(self._pace.lease / 3)
            try:
                held = await self._jobs.renew(job, self._pace.lease)
            except FhirError:  # what the work does next will tell; the lease may still run out
                self._log.warning("lease_not_renewed", kind=job.kind)

    async def _again(self, job: Job) -> None:
        pause = min(2.0**job.tries * self._pace.pause, _LONGEST_PAUSE)
        await self._jobs.release(job, after=pause, counted=True)

    async def _fail(self, job: Job, error: FhirError) -> None:
        language = job.form["language"]
        body = dumps(operation_outcome(error.issues, language))
        try:
            await self._jobs.settle(job.id, Outcome(error.status, body))
        except SettledError:
            return


def _given_up(job: Job) -> Outcome:
    issue = Issue("exception", GIVEN_UP, {"tries": job.tries - 1})
    return Outcome(500, dumps(operation_outcome((issue,), job.form["language"])))
