"""The FHIR endpoint of app state, put together: the interactions over a store of its own.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-state.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Final

from starlette.types import ASGIApp

from fhir_server.access.app_state import KIND, StateApp
from fhir_server.assembly import bounds
from fhir_server.assembly.access import Access, security
from fhir_server.core.datetimes import format_instant
from fhir_server.core.types import JsonObject
from fhir_server.interactions.app_state import guard, handlers
from fhir_server.interactions.context import Services
from fhir_server.jobs.runner import Chore
from fhir_server.rest import app_state, capability
from fhir_server.rest.beside import beside
from fhir_server.rest.dispatch import Surface
from fhir_server.rest.endpoint import Endpoint
from fhir_server.rest.offer import offer
from fhir_server.rest.public import PublicDirectory
from fhir_server.search.compile import Compiler
from fhir_server.search.registry import Registry
from fhir_server.settings import Settings
from fhir_server.smart.discovery import STATE
from fhir_server.store.mongo.app_state import PREFIX, MongoAppStates
from fhir_server.store.mongo.store import MongoStore

PATH: Final = f"/auth/{STATE}"

_HOUR: Final = 3600
_DAY: Final = 86_400_000


def apart(
    settings: Settings, services: Services, store: MongoStore, built: Access
) -> Mapping[str, ASGIApp]:
    """The endpoint by its path. `services`, `store` and `built` are the whole server's."""
    clients = built.cabinet.service.ports.clients

    async def registered(id_: str) -> StateApp | None:
        client = await clients.find(id_)
        if client is None:
            return None
        return StateApp(client.state_codes, "global-state" in client.permissions)

    own = _services(settings, services, store)
    budgets = bounds.budgets(settings)
    endpoint = Endpoint(
        Surface(own),
        gate=app_state.StateGate(built.gate, registered, own.compiler.condition),
        budgets=budgets,
        public=PublicDirectory((), budgets),
        base_path=PATH,
        max_body=app_state.MOST_BYTES,
    )
    return {PATH: endpoint}


def chores(settings: Settings, store: MongoStore, services: Services) -> Sequence[Chore]:
    """Versions that were replaced or deleted are erased after a day: nobody asks for them."""
    if settings.insecure_no_auth:
        return ()
    states = MongoAppStates(store.database)

    async def sweep() -> None:
        await states.sweep(services.now() - _DAY)

    return (Chore("app state", sweep, _HOUR),)


def _services(settings: Settings, services: Services, store: MongoStore) -> Services:
    base, scope = settings.fhir_base, services.compiler.scope
    own = app_state.statement(capability.full(()))
    offered = offer(own, ())
    registry = Registry(offered=offered.search)
    stated = beside((), capability.modes(_published(settings, services, own)))
    return replace(
        services,
        store=store.apart(PREFIX),
        registry=registry,
        compiler=Compiler(
            registry,
            scope.terminology,
            base,
            now=services.now,
            limits=bounds.search_limits(settings),
        ),
        base_url=f"{settings.issuer_url}{PATH}",
        offer=offered,
        guards={KIND: (guard(base),)},
        label=None,
        provenance=False,
        last_reads=None,  # state is no part of the record
        explain=False,
        beside={**handlers(base), "capabilities": stated["capabilities"]},
    )


def _published(settings: Settings, services: Services, own: JsonObject) -> JsonObject:
    return capability.published(
        own | {"instantiates": [app_state.SERVER]},
        base_url=f"{settings.issuer_url}{PATH}",
        version=version("fhir-server"),
        started=format_instant(services.now()),
        security=security(settings),
    )
