"""What this process has learned from the resources stored on the server, and what it came with.

Search parameters (SearchParameter) go to the registry, value sets and code systems to the
terminology of the searches. Every process asks the database each second for what has changed;
`$reindex` waits until all of them have, and until no write of theirs is on its way that began
before: from then on every write is indexed for the parameters it is about to cover.

A search parameter that the server came with covers from the start the types that nothing is
stored of; where something is, it waits for `$reindex` as any other.

https://hl7.org/fhir/R4/searchparameter.html
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from fhir_server.jobs.copies import Copies
from fhir_server.jobs.flights import Flights
from fhir_server.search.custom import accepted, digest, parameter_of
from fhir_server.search.plan import UNRESTRICTED
from fhir_server.search.registry import Registry, kinds_of
from fhir_server.spec.search_parameters import SearchParameter
from fhir_server.store.definitions import ParameterState, ParameterStates, Workers
from fhir_server.store.port import (
    Reindexing,
    ResourceStore,
)
from fhir_server.terminology.current import CurrentTerminology

_ASKED: Final = 0.1  # seconds between two looks at the others


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the definitions come from."""

    store: ResourceStore
    reindexing: Reindexing
    states: ParameterStates
    workers: Workers


class Definitions:
    """The definitions of one process."""

    def __init__(
        self,
        sources: Sources,
        registry: Registry,
        terminology: CurrentTerminology,
        *,
        worker: str,
        patience: float,
        changed: Callable[[], None],
    ) -> None:
        """`worker` is this process; `changed` is called when searches can use others. After
        `patience` seconds without a word from a process nobody waits for it any more."""
        self.flights: Final = Flights()
        self._sources = sources
        self._registry = registry
        self._terminology = terminology
        self._worker = worker
        self._patience = patience
        self._changed = changed
        self._log = structlog.get_logger()
        store, reindexing = sources.store, sources.reindexing
        self._parameters = Copies("SearchParameter", store, reindexing)
        self._systems = Copies("CodeSystem", store, reindexing)
        self._value_sets = Copies("ValueSet", store, reindexing)
        self._known: dict[str, tuple[SearchParameter, int]] = self._accepted()
        self._told = False
        self._turn = asyncio.Lock()

    async def leave(self) -> None:
        """Let nobody wait for this process: it does nothing any more."""
        await self._sources.workers.leave(self._worker)

    async def refresh(self) -> None:
        """Learn what has changed.

        Raises:
            Unavailable, TimedOut: the database cannot be asked.
        """
        async with self._turn:
            began = await self._sources.workers.time()
            await self._refresh_parameters()
            await self._refresh_terminology()
            self.flights.fresh = began
            await self._sources.workers.report(self._worker, self.flights.oldest)

    async def settled(self) -> Mapping[str, int]:
        """Wait until every write is indexed for the parameters that are returned, by URL with
        the time of their definition."""
        await self.refresh()
        known = {url: at for url, (_, at) in self._known.items()}
        since = await self._sources.workers.time()
        await self.refresh()
        while await self._sources.workers.lagging(since, self._patience):
            await asyncio.sleep(_ASKED)
            await self.refresh()
        return known

    async def _refresh_parameters(self) -> None:
        # The states first: whoever noted one had seen its parameter, which we then see too.
        states = await self._sources.states.load()
        if await self._parameters.refresh():
            self._known = self._accepted()
        usable = {}
        for url, (parameter, at) in tuple(self._known.items()):
            state = states.get(url)
            if state is None or state.digest != digest(parameter):
                state = await self._noted(parameter, at)
            usable[url] = (parameter, state.active)
            self._known[url] = (parameter, state.at)
        for url in states.keys() - self._known.keys():
            await self._sources.states.forget(url)
        if self._registry.replace(usable):
            self._changed()
        if not self._told:
            self._tell(usable)

    async def _noted(self, parameter: SearchParameter, at: int) -> ParameterState:
        """The state that is kept of a definition that is new here."""
        kinds, covered = frozenset(kinds_of(parameter)), frozenset[str]()
        if parameter.url in self._registry.shipped:
            at = await self._sources.workers.time()
            covered = frozenset([kind for kind in kinds if await self._is_empty(kind)])
        state = ParameterState(digest(parameter), at, kinds, covered)
        await self._sources.states.note(parameter.url, state)
        return state

    async def _is_empty(self, kind: str) -> bool:
        for past in (False, True):
            if await self._sources.reindexing.versions(
                kind, past=past, after=None, limit=1, within=UNRESTRICTED
            ):
                return False
        return True

    def _tell(self, usable: Mapping[str, tuple[SearchParameter, bool]]) -> None:
        """Say once, at the start, what the server came with and cannot search by yet."""
        self._told = True
        waiting = [url for url in self._registry.shipped if not usable[url][1]]
        if waiting:
            self._log.warning("search_parameters_need_reindex", urls=waiting)

    def _accepted(self) -> dict[str, tuple[SearchParameter, int]]:
        shipped = self._registry.shipped
        found = {url: (each, 0) for url, each in shipped.items()}
        for at, resource in self._parameters.all():
            parameter = parameter_of(resource)
            if parameter is not None:
                found.setdefault(parameter.url, (parameter, at))
        known, refused = accepted((parameter for parameter, _ in found.values()), shipped)
        for url, error in refused:
            self._log.warning("search_parameter_not_used", url=url, reason=str(error))
        return {url: found[url] for url in known}

    async def _refresh_terminology(self) -> None:
        changed = [await self._systems.refresh(), await self._value_sets.refresh()]
        if any(changed):
            rows = [*self._systems.all(), *self._value_sets.all()]
            self._terminology.learn(resource for _, resource in rows)
