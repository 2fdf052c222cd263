"""The authorization server, put together of settings and a database.

async with service(settings, database, Surroundings(...)) as built:
    app = Authorization(app, built, BASE_PATH)
    verify = TokenVerifier(built.ports.access_tokens, now).verify
"""

import re
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

import httpx

from fhir_server.access.rights import Condition
from fhir_server.access.scopes import ResourceScope
from fhir_server.assembly.brands import brands
from fhir_server.assembly.database import seal
from fhir_server.core.errors import FhirError
from fhir_server.outward import trust
from fhir_server.rest.oauth.attempts import HOUR, Attempts
from fhir_server.rest.oauth.client_keys import SECONDS, ClientKeys
from fhir_server.rest.oauth.key_ring import KeyRing
from fhir_server.rest.oauth.service import Interaction, Service
from fhir_server.settings import Settings
from fhir_server.smart.digests import digest
from fhir_server.smart.events import Event, Events
from fhir_server.smart.policy import Policy
from fhir_server.smart.ports import KeySets, Ports, Records, Signer, Subjects
from fhir_server.smart.records import Grant, Subject
from fhir_server.smart.style import STYLE, VERSION
from fhir_server.store.mongo.indexes import Database
from fhir_server.store.mongo.smart import MongoSmart

_PLAIN: Final = re.compile(r"(?!_has|_filter|_list|_query)[A-Za-z_-]+")
_DAY: Final = 86_400
_SECRET_BYTES: Final = 32


class AsGranted:
    """`smart.ports.Subjects` where there are no accounts: nothing changes after the grant."""

    async def current(self, grant: Grant) -> Subject | None:
        """The person as it was."""
        return grant.subject


class Untold:
    """`smart.ports.Events` where nobody keeps an audit."""

    async def tell(self, event: Event) -> None:
        """Let it pass."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What others build."""

    interaction: Interaction
    records: Records
    now: Callable[[], int]
    """Milliseconds since 1970."""
    new_id: Callable[[], str]
    subjects: Subjects = field(default_factory=AsGranted)
    events: Events = field(default_factory=Untold)
    can_filter: Callable[[ResourceScope], bool] = lambda scope: not scope.query
    """Whether the search parameters of a granular scope are known; see `readable`."""
    management: str | None = None
    """The URL of the page of granted apps."""


def readable(condition: Condition) -> Callable[[ResourceScope], bool]:
    """Whether a scope's filter can be read by `condition`: plain parameters, nothing else.

    "Servers MAY support modifiers, chaining and `_filter` in scopes; experimental."
    """

    def can_filter(scope: ResourceScope) -> bool:
        if not all(_PLAIN.fullmatch(name) for name, _ in scope.query):
            return False
        try:
            condition(scope.type, scope.query)
        except FhirError:
            return False
        return True

    return can_filter


def policy(settings: Settings) -> Policy:
    """The operator's decisions."""
    token = settings.app_registration_token
    return Policy(
        issuer=settings.issuer_url,
        fhir_base=settings.fhir_base,
        access_seconds=settings.access_token_seconds,
        backend_seconds=settings.backend_token_seconds,
        refresh_seconds=settings.refresh_token_days * _DAY,
        grace_seconds=settings.refresh_grace_seconds,
        registration=settings.app_registration,
        registration_digest="" if token is None else digest(token.get_secret_value()),
        loopback=settings.insecure_loopback_keys,
        style_url=f"{settings.issuer_url}/auth/style/{VERSION}.json",
    )


async def state(settings: Settings, database: Database) -> MongoSmart:
    """What the authorization server keeps, with its collections made."""
    kept = MongoSmart(database, seal(settings))
    await kept.prepare()
    return kept


def ports(kept: MongoSmart, given: Surroundings, key_sets: KeySets, signer: Signer) -> Ports:
    """State, clock and chance, as the flows ask for them."""
    return Ports(
        clients=kept.clients,
        grants=kept.grants,
        codes=kept.codes,
        refresh_tokens=kept.refresh_tokens,
        access_tokens=kept.access_tokens,
        parked=kept.parked,
        launches=kept.launches,
        sessions=kept.sessions,
        assertions=kept.assertions,
        states=kept.states,
        subjects=given.subjects,
        records=given.records,
        key_sets=key_sets,
        signer=signer,
        events=given.events,
        now=given.now,
        new_id=given.new_id,
        new_secret=lambda: secrets.token_urlsafe(_SECRET_BYTES),
    )


@asynccontextmanager
async def service(
    settings: Settings, database: Database, given: Surroundings
) -> AsyncIterator[Service]:
    """The authorization server, for as long as the context lasts; its key is made here.

    Raises:
        SealedError: its key was encrypted with another FHIR_SECRET_KEY.
        AccessFileError: the file of brands cannot be published.
    """
    kept = await state(settings, database)
    ring = KeyRing(kept.keys, given.now, lasts=settings.signing_key_days * _DAY * 1000)
    await ring.keys()
    async with httpx.AsyncClient(
        verify=trust(environment=False), timeout=SECONDS, trust_env=False
    ) as http:
        key_sets = ClientKeys(http, time.monotonic, loopback=settings.insecure_loopback_keys)
        rules = replace(
            policy(settings),
            can_filter=given.can_filter,
            management=given.management,
            brands=brands(settings),
        )
        yield Service(
            ports(kept, given, key_sets, ring),
            rules,
            ring,
            given.interaction,
            origins=settings.cors_origins,
            style=STYLE,
            throttle=Attempts(settings.auth_failures_per_minute, time.monotonic),
            arrivals=Attempts(settings.auth_requests_per_minute, time.monotonic),
            registrations=Attempts(settings.app_registrations_per_hour, time.monotonic, HOUR),
        )
