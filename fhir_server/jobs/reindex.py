"""$reindex as a job: index values computed anew, for live resources and for past versions.

A type is walked twice, the live versions and then the past ones. A version that an update
moves to the past meanwhile is met there, or it was rewritten before. Batches are noted, so
that a killed job goes on from where it was.

Past versions count too: what a caller may see of a history is judged by their index values.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import msgspec
import structlog

from fhir_server.aside import HEAVY, aside
from fhir_server.core.errors import FhirError
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import dumps, loads
from fhir_server.interactions.context import Services
from fhir_server.interactions.later import REINDEX_NEEDS
from fhir_server.interactions.permits import check_letter
from fhir_server.jobs.callers import Callers
from fhir_server.jobs.definitions import Definitions
from fhir_server.jobs.runner import LostError
from fhir_server.search.plan import UNRESTRICTED
from fhir_server.search.registry import kinds_of
from fhir_server.search.values import IndexValues
from fhir_server.spec.structures import RESOURCE_TYPES
from fhir_server.store.definitions import ParameterStates
from fhir_server.store.port import Job, Jobs, Outcome, Reindexing, Stored

_BREATH: Final = 20
"""Versions computed before requests get their turn: about 2 ms of work."""
_DEPTH: Final = 10_000  # levels; what is stored has passed the limit when it came in


@dataclass(slots=True)
class State:
    """How far a job is; its fields are the job's progress."""

    kinds: list[str]
    """Types to be walked, the one at work first."""
    id: str | None = None
    past: bool = False
    after: list[Any] | None = None
    """Id and number of the last version done."""
    done: int = 0
    total: int = 0
    failed: int = 0
    type: str = ""
    parameters: list[list[Any]] = field(default_factory=list)
    """URL and time of definition of what is covered when a type is done."""

    @property
    def place(self) -> tuple[str, int] | None:
        """Behind which to go on."""
        return None if self.after is None else (self.after[0], self.after[1])


class Reindex:
    """The handler of `$reindex`."""

    def __init__(
        self,
        services: Services,
        callers: Callers,
        jobs: Jobs,
        reindexing: Reindexing,
        states: ParameterStates,
        definitions: Definitions,
        *,
        batch: int,
    ) -> None:
        """`batch` versions are rewritten at once."""
        self._services = services
        self._callers = callers
        self._jobs = jobs
        self._reindexing = reindexing
        self._states = states
        self._definitions = definitions
        self._batch = batch
        self._log = structlog.get_logger()

    async def __call__(self, job: Job, given: bytes) -> None:
        """Do what `given` names: `{"kinds": […], "id": …}`.

        Raises:
            LostError: another worker has it.
            Forbidden: who ordered it may do so no more.
        """
        await self._check(job)
        state = State(**job.progress) if "kinds" in job.progress else await self._begun(given)
        while state.kinds:
            state.type = state.kinds[0]
            await self._walk(job, state)
            await self._cover(state)
            state.kinds.pop(0)
        await self._definitions.settled()  # every process can use what is covered now
        await self._jobs.settle(job.id, Outcome(200, dumps(_told(state))))

    async def _check(self, job: Job) -> None:
        ctx = await self._callers.context(job, size=0, trail=None)
        for letter, kind in REINDEX_NEEDS:
            check_letter(ctx, letter, kind)

    async def _begun(self, given: bytes) -> State:
        asked = msgspec.json.decode(given)
        known = await self._definitions.settled()
        # All: those without resources too, since the parameters of these are covered as well.
        kinds = asked["kinds"] or list(RESOURCE_TYPES)
        total, covered = 0, []
        if asked["id"] is None:
            filled = {*await self._services.store.kinds()}
            counts = [await self._reindexing.count(kind) for kind in kinds if kind in filled]
            total, covered = sum(counts), [[*each] for each in known.items()]
        return State(kinds=kinds, id=asked["id"], total=total, parameters=covered)

    async def _walk(self, job: Job, state: State) -> None:
        for past in (False, True):
            if past < state.past:
                continue  # done before the worker of then was killed
            if past > state.past:
                state.past, state.after = past, None
            while rows := await self._rows(state):
                await self._check(job)
                await self._rewrite(state, rows)
                state.after = [rows[-1].id, rows[-1].number]
                state.done += len(rows)
                state.total = max(state.total, state.done)
                if not await self._jobs.progress(job, asdict(state)):
                    raise LostError
        state.past, state.after = False, None

    async def _rows(self, state: State) -> Sequence[Stored]:
        return await self._reindexing.versions(
            state.type,
            past=state.past,
            after=state.place,
            limit=self._batch,
            within=UNRESTRICTED,
            id_=state.id,
        )

    async def _rewrite(self, state: State, rows: Sequence[Stored]) -> None:
        computed: list[tuple[Stored, IndexValues]] = []
        before: tuple[Stored, IndexValues] | None = None
        for place, row in enumerate(rows):
            values = await self._values(row, before)
            if values is None:
                state.failed += 1
            else:
                before = (row, values)
                computed.append(before)
            if place % _BREATH == _BREATH - 1:
                await asyncio.sleep(0)
        state.failed += await self._reindexing.rewrite(state.type, computed, past=state.past)

    async def _values(
        self, row: Stored, before: tuple[Stored, IndexValues] | None
    ) -> IndexValues | None:
        """Those of a deletion are those of the version that it ended."""
        if not row.deleted:
            return await aside(len(row.body), self._computed, row, least=HEAVY)
        if before is not None and (before[0].id, before[0].number + 1) == (row.id, row.number):
            return before[1]
        ended = await self._services.store.vread(
            row.type, row.id, row.number - 1, within=UNRESTRICTED
        )
        if ended is None:
            return None
        return await aside(len(ended.body), self._computed, ended, least=HEAVY)

    def _computed(self, row: Stored) -> IndexValues | None:
        try:
            return self._services.index(loads(row.body, max_depth=_DEPTH))
        except FhirError as error:
            self._log.warning("not_reindexed", type=row.type, error=type(error).__name__)
            return None

    async def _cover(self, state: State) -> None:
        registry = self._services.registry
        for url, at in state.parameters:
            parameter = registry.defined(url)
            if parameter is not None and state.type in kinds_of(parameter):
                await self._states.cover(url, at, [state.type])


def _told(state: State) -> JsonObject:
    counts: Mapping[str, int] = {"versions": state.done, "failed": state.failed}
    rows = [{"name": name, "valueInteger": count} for name, count in counts.items()]
    return {"resourceType": "Parameters", "parameter": rows}
