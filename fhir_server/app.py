"""The composition root: settings in, a FHIR server out.

`create` gives the ASGI application. FHIR requests go straight to the endpoint, everything
else (documentation) to FastAPI, whose routes cost four times a plain one.
"""

import gc
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec
from fastapi import FastAPI
from pymongo.errors import PyMongoError
from starlette.types import ASGIApp, Receive, Scope, Send

from fhir_server.access.rights import UNLIMITED
from fhir_server.access.step_up import read_rules
from fhir_server.assembly import app_state, audit, booking, bounds, emergencies, notices
from fhir_server.assembly.access import Access, Late, access, security
from fhir_server.assembly.background import plan
from fhir_server.assembly.consents import label
from fhir_server.assembly.database import connected, opened
from fhir_server.assembly.delivery import delivering
from fhir_server.assembly.desk import CabinetDesk
from fhir_server.assembly.front import front
from fhir_server.assembly.grant_records import GrantRecords
from fhir_server.assembly.guards import Guards, guards
from fhir_server.assembly.machine import new_id, now
from fhir_server.cabinet.booking.publication import Places
from fhir_server.core.datetimes import format_instant
from fhir_server.core.errors import FhirError
from fhir_server.core.negotiation import Prefer
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.delivery.tally import Tally
from fhir_server.interactions.context import Context, Services
from fhir_server.interactions.desk import Desk
from fhir_server.interactions.offer import Offer
from fhir_server.jobs.background import Background
from fhir_server.jobs.definitions import Sources
from fhir_server.operations.table import OPERATIONS
from fhir_server.rest import capability, documentation, openapi
from fhir_server.rest.beside import beside
from fhir_server.rest.bundles import process
from fhir_server.rest.compression import Compression
from fhir_server.rest.cors import Cors
from fhir_server.rest.dispatch import Surface
from fhir_server.rest.endpoint import Endpoint
from fhir_server.rest.gate import Gate, OpenGate
from fhir_server.rest.offer import offer
from fhir_server.rest.public import PublicDirectory
from fhir_server.rest.publication import Publication
from fhir_server.search.compile import Compiler
from fhir_server.search.cursor import Cursors
from fhir_server.search.custom import accepted, parameter_of
from fhir_server.search.indexing import Indexer
from fhir_server.search.registry import Registry
from fhir_server.settings import Settings
from fhir_server.spec.search_parameters import SearchParameter
from fhir_server.store.mongo.client import Client
from fhir_server.store.mongo.jobs import MongoJobs
from fhir_server.store.mongo.keys import cursor_key
from fhir_server.store.mongo.parameters import MongoParameterStates
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.mongo.workers import MongoWorkers
from fhir_server.store.port import Jobs
from fhir_server.terminology.current import CurrentTerminology
from fhir_server.validation.own_definitions import known
from fhir_server.validation.own_profiles import DefinitionError
from fhir_server.validation.profiles import Known
from fhir_server.validation.validator import Validator

BASE_PATH: Final = "/fhir"

_GC_THRESHOLDS: Final = (50_000, 20, 50)
"""With the definitions in memory a collection costs milliseconds; measured on a Bundle of
272 KB: 3.0 ms to parse with the defaults, 0.66 ms frozen and with these."""

_WARM: Final = ("Patient", "Observation", "Appointment", "MedicationRequest", "Communication")
"""Types whose validators are compiled before the first request, not by it."""


Clock = Callable[[], int]
Gates = Callable[[Services], Gate]
"""Makes the gate that every FHIR request passes."""


@dataclass(frozen=True, slots=True)
class _Besides:
    """What the services are given besides what the settings say."""

    clock: Clock
    alarm: emergencies.Alarm
    desk: Desk | None


class Application:
    """ASGI: FHIR requests to the endpoint, once the store is open; the rest to FastAPI."""

    def __init__(
        self, settings: Settings, gates: Gates | None, clock: Clock | None = None
    ) -> None:
        """`gates` None: access control as the settings have it; `clock` None: the machine's."""
        self.settings = settings
        self._clock = now if clock is None else clock
        self._gates = gates
        self._entry: ASGIApp = self._dispatch
        self.access: Access | None = None
        self._grants = GrantRecords()
        self._alarm = emergencies.Alarm()
        self.tally = Tally()
        self._desk = CabinetDesk()
        self.notices = notices.Notices()
        self.surface: Surface | None = None
        self._client: Client | None = None
        self._endpoint: ASGIApp | None = None
        self._publication: Publication | None = None
        self._background: Background | None = None
        self._others = documentation.pages(
            lambda: openapi.document(_statement(settings), version=version("fhir-server")),
            self._lifespan,
            shown=settings.docs,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or run the lifespan."""
        await self._entry(scope, receive, send)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if self._publication is not None and self._publication.answers(path):
            await self._publication(scope, receive, send)
        elif (
            self._endpoint is not None
            and self._background is not None
            and (path == BASE_PATH or path.startswith(BASE_PATH + "/"))
        ):
            flights = self._background.flights
            met = flights.begin()
            try:
                await self._endpoint(scope, receive, send)
            finally:
                flights.end(met)
        else:
            await self._others(scope, receive, send)

    def _lifespan(self, _: FastAPI) -> AbstractAsyncContextManager[None]:
        return self.running()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open the store and build what answers requests, until the context ends."""
        self._client = await connected(self.settings)
        try:
            store = await opened(self._client, self.settings)
            desk = None if self.settings.insecure_no_auth else self._desk
            self.surface, self._background = await _assembled(
                self.settings,
                store,
                guards(self.settings, self._grants),
                _Besides(self._clock, self._alarm, desk),
            )
            services = self.surface.services
            async with (
                self._admission(store) as gate,
                self._background.running(gate.again),
                delivering(self.settings, store, services, self.notices.compose, self.tally),
            ):
                budgets = bounds.budgets(self.settings)
                self._endpoint = Endpoint(
                    self.surface,
                    gate=gate,
                    budgets=budgets,
                    public=PublicDirectory(self.settings.public_directory, budgets),
                    base_path=BASE_PATH,
                    max_body=self.settings.max_body,
                )
                if self.settings.publish_slots:
                    self._publication = Publication(Places(services), budgets, BASE_PATH)
                gc.freeze()
                gc.set_threshold(*_GC_THRESHOLDS)
                yield
        finally:
            self._endpoint = self._publication = None
            self._entry = self._dispatch
            if self.surface is not None:
                await audit.settled(self.surface.services)
            await self._client.close()

    @asynccontextmanager
    async def _admission(self, store: MongoStore) -> AsyncIterator[Gate]:
        """Who decides about callers; with access control also the pages before everything."""
        if self.surface is None:
            message = "the surface comes first"
            raise RuntimeError(message)
        services, database = self.surface.services, store.database
        if self._gates is not None:
            await self.notices.open(self.settings, services, database)
            yield self._gates(services)
            return
        late = Late(self._grants, self._desk, self.notices)
        async with access(self.settings, services, database, late) as built:
            self.access = built
            self._alarm.site = built.cabinet.site
            apart = app_state.apart(self.settings, services, store, built)
            self._entry = built.before(self._dispatch, BASE_PATH, apart)
            yield built.gate

    async def transaction(self, bundle: JsonObject) -> None:
        """Carry out `bundle` as `POST /` would, without HTTP, and tell nobody; for commands.

        Raises:
            FhirError: nothing was written.
        """
        if self.surface is None or self._background is None:
            message = "a transaction needs a running application"
            raise RuntimeError(message)
        ctx = Context(self.surface.services, UNLIMITED, silent=True)
        with self._background.flights.one():
            await process(ctx, bundle, Prefer())

    async def is_ready(self) -> bool:
        """Whether the database answers."""
        if self._client is None:
            return False
        try:
            await self._client.admin.command("ping")
        except PyMongoError:
            return False
        return True


def create(
    settings: Settings, gates: Gates | None = None, clock: Clock | None = None
) -> ASGIApp:
    """The server as an ASGI application; its lifespan opens and closes the store. `gates`
    stands in place of what the settings say about who is admitted, `clock` (milliseconds
    since 1970) in place of the machine's.

    Raises:
        CapabilityError: the operator's statement asks for what it cannot do.
    """
    if gates is None and settings.insecure_no_auth:
        gates = everybody
    application = Application(settings, gates, clock)
    app: ASGIApp = application
    if settings.compress:
        app = Compression(app, max_body=settings.max_body)
    if settings.cors_origins and gates is not None:
        app = Cors(app, settings.cors_origins)
    return front(settings, app, application.is_ready, BASE_PATH, application.tally)


def everybody(_: Services) -> Gate:
    """Of a server without access control, and of commands that answer no requests."""
    return OpenGate()


async def _assembled(
    settings: Settings, store: MongoStore, guarding: Guards, given: _Besides
) -> tuple[Surface, Background]:
    """Everything that answers FHIR requests, over `store`, and what goes on beside."""
    jobs = MongoJobs(store.database, settings.job_kept_seconds)
    await jobs.prepare()
    knowledge = definitions(settings)
    current = CurrentTerminology(knowledge.terminology)
    statement = _statement(settings)
    supported = capability.with_profiles(statement, knowledge.profiles.own())
    offered = offer(statement, OPERATIONS)
    capabilities: dict[str, bytes] = {}
    services = await _services(settings, store, jobs, knowledge, current, offered, given.clock)
    services = replace(services, guards=guarding, beside=beside(OPERATIONS, capabilities))
    services = await _equipped(settings, store, services, given)
    published = capability.published(
        supported,
        base_url=settings.fhir_base,
        version=version("fhir-server"),
        started=format_instant(services.now()),
        security={
            **({} if settings.insecure_no_auth else security(settings)),
            "cors": bool(settings.cors_origins),
        },
    )

    def publish() -> None:
        own = capability.with_parameters(published, services.registry)
        capabilities.update(capability.modes(own))

    publish()
    database = store.database
    sources = Sources(
        store, store.reindexing, MongoParameterStates(database), MongoWorkers(database)
    )
    background = Background(
        services,
        jobs,
        sources,
        current,
        plan(settings, store, services),
        worker=new_id(),
        changed=publish,
    )
    media = {each.name: each.media for each in OPERATIONS if each.media}
    return Surface(services, media), background


async def _equipped(
    settings: Settings, store: MongoStore, services: Services, given: _Besides
) -> Services:
    """`services` with what the settings switch on beside the interactions."""
    services = booking.ruled(settings, replace(services, desk=given.desk))
    depth = settings.max_depth
    return replace(
        await audit.with_audit(settings, store, services),
        emergencies=await emergencies.emergencies(settings, store, given.alarm, depth),
        step_up=read_rules(settings.step_up, [each.name for each in OPERATIONS]),
    )


async def _services(
    settings: Settings,
    store: MongoStore,
    jobs: Jobs,
    knowledge: Known,
    current: CurrentTerminology,
    offered: Offer,
    clock: Clock,
) -> Services:
    registry = Registry(offered=offered.search, shipped=_parameters(knowledge))
    bases = (settings.fhir_base,)
    indexer = Indexer(registry, *bases, full_text=settings.full_text)
    numbers = None if settings.identifier_check == "off" else settings.identifier_check
    validator = Validator(
        knowledge.terminology, knowledge.profiles, numbers, settings.required_profiles
    )
    validator.warm_up(_WARM)
    indexer.check()
    return Services(
        store=store,
        registry=registry,
        compiler=Compiler(
            registry, current, *bases, now=clock, limits=bounds.search_limits(settings)
        ),
        index=indexer.values,
        validator=validator,
        cursors=Cursors(await cursor_key(store.database)),
        jobs=jobs,
        base_url=settings.fhir_base,
        limits=bounds.limits(settings),
        offer=offered,
        now=clock,
        new_id=new_id,
        zone=settings.time_zone,
        explain=settings.explain,
        label=label(settings),
        provenance=settings.provenance,
    )


def _statement(settings: Settings) -> JsonObject:
    """The operator's statement, or without a file everything that can be done."""
    path: Path = settings.capability_statement
    if not path.exists():
        return capability.full(OPERATIONS)
    statement: JsonObject = msgspec.json.decode(path.read_bytes())
    return statement


def definitions(settings: Settings) -> Known:
    """R4's profiles and terminology with the operator's, and search parameters, of a folder
    that need not be there.

    Raises:
        DefinitionError: one of them cannot be used, or a required profile is not among them.
    """
    paths = sorted(settings.profiles.rglob("*.json"))
    found = known((str(path), _definition(path, settings.max_depth)) for path in paths)
    _parameters(found)
    Validator(found.terminology, found.profiles, required=settings.required_profiles)
    return found


def _parameters(knowledge: Known) -> Mapping[str, SearchParameter]:
    rows = (parameter_of(each) for each in knowledge.parameters)
    found, refused = accepted(each for each in rows if each is not None)
    for url, error in refused:
        raise DefinitionError(f"{url}: {error}") from error
    return found


def _definition(path: Path, depth: int) -> JsonObject:
    try:
        return loads(path.read_bytes(), max_depth=depth)
    except FhirError as error:
        raise DefinitionError(f"{path}: {error}") from error
