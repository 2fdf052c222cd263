"""What a process does beside answering: its jobs, and keeping its definitions current."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from fhir_server.core.errors import FhirError
from fhir_server.interactions.context import Services
from fhir_server.interactions.grants import Again
from fhir_server.interactions.later import BUNDLE, REINDEX
from fhir_server.jobs.bundles import Bundles
from fhir_server.jobs.callers import Callers
from fhir_server.jobs.definitions import Definitions, Sources
from fhir_server.jobs.endings import end
from fhir_server.jobs.reindex import Reindex
from fhir_server.jobs.runner import Chore, Pace, Runner
from fhir_server.store.port import Jobs
from fhir_server.terminology.current import CurrentTerminology


@dataclass(frozen=True, slots=True)
class Plan:
    """Each is a setting."""

    pace: Pace
    definitions_seconds: float
    reindex_batch: int
    chores: Sequence[Chore] = ()
    """What others do again and again, beside the jobs."""


class Background:
    """Of one process; `worker` names it among the others."""

    def __init__(
        self,
        services: Services,
        jobs: Jobs,
        sources: Sources,
        terminology: CurrentTerminology,
        plan: Plan,
        *,
        worker: str,
        changed: Callable[[], None],
    ) -> None:
        """`changed` is called when searches can use other parameters than before."""
        definitions = Definitions(
            sources,
            services.registry,
            terminology,
            worker=worker,
            patience=2 * plan.pace.lease,
            changed=changed,
        )
        self._definitions: Final = definitions
        self.flights: Final = definitions.flights
        self._services = services
        self._jobs = jobs
        self._sources = sources
        self._plan = plan
        self._worker = worker

    def _runner(self, again: Again) -> Runner:
        plan, jobs, sources = self._plan, self._jobs, self._sources
        callers = Callers(self._services, again)
        reindex = Reindex(
            self._services,
            callers,
            jobs,
            sources.reindexing,
            sources.states,
            self._definitions,
            batch=plan.reindex_batch,
        )
        refresh = Chore("definitions", self._definitions.refresh, plan.definitions_seconds)
        return Runner(
            jobs,
            {BUNDLE: Bundles(callers, jobs, self.flights, plan.pace), REINDEX: reindex},
            plan.pace,
            worker=self._worker,
            chores=[refresh, *plan.chores],
        )

    @asynccontextmanager
    async def running(self, again: Again) -> AsyncIterator[None]:
        """Learn what is stored, then work until the context ends; jobs are given back then.

        `again` says what those who ordered jobs may do while these are carried out.

        Raises:
            Unavailable: the database does not answer.
        """
        await self._definitions.refresh()
        work = asyncio.create_task(self._runner(again).run())
        try:
            yield
        finally:
            await end(work)
            with suppress(FhirError):  # then the others wait a while for this process
                await self._definitions.leave()
