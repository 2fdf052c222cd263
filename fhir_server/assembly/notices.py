"""Notices, put together: what is told of visits and results, to whom, and the links to answer.

notices = Notices()
queue = Queue(serving, telling_of_visits(…)) what is posted with a change
notices.composer = composer(…)              what is made of it, when there are accounts
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fhir_server.access.codings import Coding
from fhir_server.access.principal import Principal
from fhir_server.access.proxies import Represented
from fhir_server.access.rights import UNLIMITED, Rights
from fhir_server.assembly.booking import default_policy
from fhir_server.assembly.pages import MANAGEMENT
from fhir_server.assembly.recipients import endpoints
from fhir_server.cabinet.booking.policies import Policies
from fhir_server.cabinet.notices.bearers import Bearers
from fhir_server.cabinet.notices.composing import Composer
from fhir_server.cabinet.notices.parts import AskRights, House, Parts
from fhir_server.cabinet.notices.posting import telling_of_reports
from fhir_server.cabinet.notices.preferences import Way
from fhir_server.cabinet.notices.quiet import parse_quiet
from fhir_server.cabinet.notices.readers import Acting, Readers
from fhir_server.cabinet.notices.tapping import Taps
from fhir_server.core.errors import Unavailable
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.delivery.composing import Composed
from fhir_server.interactions.context import Guard, Services
from fhir_server.interactions.facts import Facts
from fhir_server.interactions.live_rights import LiveRights
from fhir_server.settings import Settings
from fhir_server.store.links import Links
from fhir_server.store.mongo.indexes import Database
from fhir_server.store.mongo.links import MongoLinks
from fhir_server.store.outgoing import Occasion
from fhir_server.web import patient_page

STARTING: Final = Text("The server is starting.", "Сервер запускается.", "Сервер запускається.")
_TOKEN_BYTES: Final = 16
"""128 random bits, 22 characters: a link is sent by SMS too."""


@dataclass
class Notices:
    """`delivery.composing.Compose`, once there is all that it needs."""

    composer: Composer | None = None

    async def compose(self, occasion: Occasion) -> Composed:
        """What is made of `occasion`.

        Raises:
            Unavailable: the server is starting.
        """
        if self.composer is None:
            raise Unavailable(STARTING)
        return await self.composer.compose(occasion)

    async def open(self, settings: Settings, services: Services, database: Database) -> None:
        """Without accounts and access control: what stands in the record, and messages to
        the addresses that it names."""

        async def rights(_: Principal) -> Rights:
            return UNLIMITED

        async def nobody(_: Sequence[JsonObject]) -> Sequence[Represented]:
            return ()

        sent = await links(database)
        self.composer = _composer(settings, services, None, nobody, rights, sent)


def guards(settings: Settings) -> Mapping[str, Sequence[Guard]]:
    """What posts occasions beside the guards of booking."""
    if settings.notice_results is None:
        return {}
    tell = telling_of_reports(frozenset(settings.notice_silent_clients))
    return {"DiagnosticReport": (tell,)}


async def links(database: Database) -> Links:
    """The links that were sent."""
    found = MongoLinks(database)
    await found.prepare()
    return found


def home(settings: Settings) -> str:
    """The path where people see their visits."""
    return MANAGEMENT if settings.cabinet == "off" else patient_page.HOME


def taps(
    settings: Settings, services: Services, live: LiveRights, bearers: Bearers, sent: Links
) -> Taps:
    """What the links stand for."""
    policies = Policies(default_policy(settings))
    reached = _readers(settings, services, bearers, live.acting).addresses
    return Taps(services, bearers, live.of, policies, sent, reached)


def composer(
    settings: Settings, services: Services, live: LiveRights, bearers: Bearers, sent: Links
) -> Composer:
    """Says what is told where there are accounts."""

    async def rights(who: Principal) -> Rights:
        return (await live.of(who)).rights

    return _composer(settings, services, bearers, live.acting, rights, sent)


def _composer(
    settings: Settings,
    services: Services,
    bearers: Bearers | None,
    acting: Acting,
    rights: AskRights,
    sent: Links,
) -> Composer:
    readers = _readers(settings, services, bearers, acting)
    policies = Policies(default_policy(settings))
    return Composer(
        Parts(services, readers, rights, policies, sent, _new_token, _house(settings))
    )


def _readers(
    settings: Settings, services: Services, bearers: Bearers | None, acting: Acting
) -> Readers:
    ways: set[Way] = {"email"}
    if settings.sms_gateway is not None:
        ways.add("sms")
    return Readers(
        bearers,
        Facts(services),
        acting,
        services.now,
        services.base_url,
        settings.notice_addresses == "record",
        frozenset(ways),
    )


def _house(settings: Settings) -> House:
    system, _, code = (settings.notice_results or "").partition("|")
    names: list[Way] = [way for way in ("email", "sms") if way in settings.notice_names]
    return House(
        settings.issuer_url,
        f"{settings.issuer_url}{home(settings)}",
        frozenset(names),
        parse_quiet(settings.notice_quiet),
        settings.notice_daily,
        Coding(system, code) if code else None,
        {name: each.kinds for name, each in endpoints(settings.webhooks).items()},
    )


def _new_token() -> str:
    return secrets.token_urlsafe(_TOKEN_BYTES)
