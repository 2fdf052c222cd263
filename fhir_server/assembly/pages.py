"""The pages with the authorization server behind them, put together of settings.

async with cabinet(settings, database, given) as built:
    app = built.before(app, BASE_PATH)
"""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

import httpx
from starlette.types import ASGIApp

from fhir_server.assembly.authorization import Surroundings, service
from fhir_server.assembly.bounds import budgets
from fhir_server.assembly.database import seal
from fhir_server.assembly.delivery import outbox_of
from fhir_server.assembly.providers import providers
from fhir_server.cabinet.accounts.events import AccountEvents, Untold
from fhir_server.cabinet.accounts.hashing import Hasher
from fhir_server.cabinet.accounts.passwords import PasswordRules
from fhir_server.cabinet.accounts.policy import AccountPolicy
from fhir_server.cabinet.accounts.ports import AccountPorts, Records
from fhir_server.cabinet.accounts.posted import PostedMail
from fhir_server.cabinet.accounts.subjects import AccountSubjects
from fhir_server.outward import trust
from fhir_server.rest.oauth.routes import Authorization
from fhir_server.rest.oauth.service import Service
from fhir_server.settings import Settings
from fhir_server.smart.ports import Ports
from fhir_server.store.mongo import account_steps
from fhir_server.store.mongo.indexes import Database
from fhir_server.web import patient_page
from fhir_server.web.front_door import FrontDoor
from fhir_server.web.interaction import Asking
from fhir_server.web.later import Later
from fhir_server.web.patient_page import PatientPage, Place
from fhir_server.web.rendering import Renderer
from fhir_server.web.routes import Pages
from fhir_server.web.site import TITLE, Site
from fhir_server.web.texts import TEXTS
from fhir_server.web.upstream.provider import SECONDS, Provider

MANAGEMENT: Final = "/auth/account"
"""Where people see and end what they granted."""

_UNTOLD: Final = Untold()


@dataclass(frozen=True, slots=True)
class Cabinet:
    """What was put together."""

    service: Service
    site: Site
    patients: Place | None = None
    """Where the patient's page runs; None: there is none."""

    def before(self, app: ASGIApp, base_path: str) -> ASGIApp:
        """`app` behind the pages and the authorization server."""
        pages = Pages(Authorization(app, self.service, base_path), self.site)
        if self.patients is None:
            return FrontDoor(pages, MANAGEMENT)
        return FrontDoor(PatientPage(pages, self.patients), patient_page.HOME)


def policy(settings: Settings) -> AccountPolicy:
    """The operator's decisions about accounts."""
    rules = PasswordRules(
        least=settings.password_least,
        upper="upper" in settings.password_classes,
        lower="lower" in settings.password_classes,
        digit="digit" in settings.password_classes,
        sign="sign" in settings.password_classes,
        advised_days=settings.password_advised_days,
    )
    return AccountPolicy(
        passwords=rules,
        registration=settings.registration,
        code_seconds=settings.registration_code_hours * 3600,
        lockout=settings.lockout_tries,
        lockout_seconds=settings.lockout_seconds,
        address_tries=settings.lockout_network_tries,
        idle_seconds=settings.session_idle_seconds,
        session_seconds=settings.session_seconds,
        second_step=settings.second_step,
    )


@asynccontextmanager
async def cabinet(
    settings: Settings,
    database: Database,
    given: Surroundings,
    records: Records,
    events: AccountEvents = _UNTOLD,
) -> AsyncIterator[Cabinet]:
    """The pages, for as long as the context lasts. Of `given` the interaction, the subjects
    and the management URL are these pages' own.

    Raises:
        SealedError: secrets were encrypted with another FHIR_SECRET_KEY.
        ProvidersFileError: the file of identity providers cannot be followed.
    """
    state = await account_steps.prepared(database, seal(settings))
    asking = Asking()
    surroundings = replace(
        given,
        interaction=asking,
        subjects=AccountSubjects(state.accounts, records),
        management=f"{settings.issuer_url}{MANAGEMENT}",
    )
    async with service(settings, database, surroundings) as built:
        hasher, later = Hasher(), Later()
        accounts = AccountPorts(
            state=state,
            smart=built.ports,
            records=records,
            hasher=hasher,
            mail=PostedMail(outbox_of(settings, database), given.new_id, given.now),
            policy=policy(settings),
            issuer=settings.issuer_url,
            choose=secrets.choice,
            events=events,
        )
        async with httpx.AsyncClient(verify=trust(), timeout=SECONDS) as http:
            known = await providers(settings.identity_providers, http)
            site = _site(settings, built, accounts, later, known)
            asking.site = site
            patients = await patients_place(settings, built.ports)
            try:
                yield Cabinet(built, site, patients)
            finally:
                await later.drain()
                hasher.close()


def _site(
    settings: Settings,
    built: Service,
    accounts: AccountPorts,
    later: Later,
    known: Mapping[str, Provider],
) -> Site:
    misses = budgets(settings)
    given = (built.policy, accounts, Renderer(TEXTS), later)
    return Site(*given, providers=known, misses=misses)


async def patients_place(settings: Settings, ports: Ports) -> Place | None:
    """The patient's page, registered anew as it is now; where there is none, its app goes."""
    known = await ports.clients.find(patient_page.CLIENT)
    if settings.cabinet == "off":
        await ports.clients.remove(patient_page.CLIENT)
        return None
    place = Place(
        settings.issuer_url,
        settings.fhir_base,
        settings.time_zone,
        settings.session_idle_seconds,
        TITLE,
    )
    made = patient_page.client(
        place, known, first_party=settings.cabinet == "first-party", now=ports.now()
    )
    if made != known:
        await ports.clients.put(made)
    return place
