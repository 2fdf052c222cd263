"""Access control, put together: who is admitted to FHIR requests, and who says so.

async with access(settings, services, database, late, write) as built:
    endpoint = Endpoint(surface, gate=built.gate, ...)
    app = built.before(app, BASE_PATH)
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from starlette.types import ASGIApp, Receive, Scope, Send

from fhir_server.access.principal import Principal
from fhir_server.access.rights import Rights
from fhir_server.assembly import notices
from fhir_server.assembly.audit import sink
from fhir_server.assembly.authorization import Surroundings, policy, readable
from fhir_server.assembly.brands import brands
from fhir_server.assembly.consents import access_policy, label
from fhir_server.assembly.desk import CabinetDesk
from fhir_server.assembly.grant_records import GrantRecords
from fhir_server.assembly.notices import Notices
from fhir_server.assembly.pages import Cabinet, cabinet
from fhir_server.assembly.records import StoredRecords
from fhir_server.assembly.telling import Told, ToldOfAccounts
from fhir_server.cabinet.accounts.encounters import AskRights
from fhir_server.cabinet.accounts.fhir_records import FhirRecords, Proxies
from fhir_server.cabinet.notices.bearers import Bearers
from fhir_server.core.types import JsonObject
from fhir_server.interactions.context import Services
from fhir_server.interactions.live_rights import LiveRights
from fhir_server.rest.bearer import BearerGate
from fhir_server.rest.gate import Gate
from fhir_server.rest.oauth.cors import Cors, Origins
from fhir_server.rest.oauth.verifier import TokenVerifier
from fhir_server.settings import Settings
from fhir_server.smart import discovery
from fhir_server.smart.standing import Standing
from fhir_server.store.accounts import Account
from fhir_server.store.mongo.indexes import Database
from fhir_server.web.interaction import Asking


@dataclass(frozen=True, slots=True)
class Access:
    """What was put together."""

    gate: Gate
    cabinet: Cabinet

    def before(self, app: ASGIApp, base_path: str, apart: Mapping[str, ASGIApp]) -> ASGIApp:
        """`app` behind the pages and the authorization server, and before both what answers
        below the paths of `apart`. Web pages of registered apps may call `app` and those;
        its statement, which is nobody's, any page."""
        service = self.cabinet.service
        origins = Origins(service.origins, service.ports.clients.has_origin)
        registered = Cors(app, "registered", origins)
        open_ = Cors(app, "any", origins)

        async def fhir(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
            elif scope["path"] == f"{base_path}/metadata":
                await open_(scope, receive, send)
            else:
                await registered(scope, receive, send)

        behind = self.cabinet.before(fhir, base_path)
        found = [
            (f"{path}/", Cors(each, "registered", origins)) for path, each in apart.items()
        ]

        async def parted(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope["path"] if scope["type"] == "http" else ""
            chosen = next((each for start, each in found if path.startswith(start)), behind)
            await chosen(scope, receive, send)

        return parted


@dataclass(frozen=True, slots=True)
class Late:
    """What FHIR requests already hold, and learns here of the accounts."""

    grants: GrantRecords
    desk: CabinetDesk
    notices: Notices


@asynccontextmanager
async def access(
    settings: Settings,
    services: Services,
    database: Database,
    late: Late,
) -> AsyncIterator[Access]:
    """The gate, the authorization server and its pages, for as long as the context lasts.

    Raises:
        AccessFileError: a file of the operator's cannot be followed.
        SealedError: secrets were encrypted with another FHIR_SECRET_KEY.
    """
    live = LiveRights(services, access_policy(settings))
    records = FhirRecords(services, _proxies(live), live.missing, _rights(live))
    given = Surroundings(
        Asking(),
        StoredRecords(services.store),
        services.now,
        services.new_id,
        events=Told(sink(services), late.grants),
        can_filter=readable(services.compiler.condition),
    )
    async with cabinet(
        settings, database, given, records, ToldOfAccounts(sink(services))
    ) as pages:
        bearers = Bearers(pages.site.accounts.state.accounts, records)
        sent = await notices.links(database)
        taps = notices.taps(settings, services, live, bearers, sent)
        site = replace(pages.site, taps=taps, home=notices.home(settings))
        built = replace(pages, site=site)
        late.notices.composer = notices.composer(settings, services, live, bearers, sent)
        late.grants.services, late.grants.ports = services, built.service.ports
        late.desk.live, late.desk.site = live, built.site
        ports = built.service.ports
        verifier = TokenVerifier(ports.access_tokens, services.now)
        yield Access(BearerGate(verifier.verify, live.of, Standing(ports).of), built)


def check_files(settings: Settings) -> None:
    """Whether the operator's files about access can be followed, before anything is started.

    Raises:
        AccessFileError: one cannot; the text says why.
    """
    if not settings.insecure_no_auth:
        access_policy(settings)
        label(settings)
        brands(settings)


def security(settings: Settings) -> JsonObject:
    """`CapabilityStatement.rest.security` of a server with access control."""
    return discovery.security(policy(settings))


def _proxies(live: LiveRights) -> Proxies:
    async def represented(account: Account) -> Sequence[str]:
        user = f"Person/{account.person}" if account.person else f"Patient/{account.patient}"
        return tuple(dict.fromkeys(each.patient for each in await live.represented(user)))

    return represented


def _rights(live: LiveRights) -> AskRights:
    async def rights(who: Principal) -> Rights:
        return (await live.of(who)).rights

    return rights
