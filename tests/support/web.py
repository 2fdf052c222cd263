"""The pages over a real MongoDB and a real FHIR store, and a browser without a screen."""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import httpx
from starlette.responses import PlainTextResponse

from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from fhir_server.access.rights import Rights
from fhir_server.assembly.records import StoredRecords
from fhir_server.cabinet.accounts.events import AccountEvent
from fhir_server.cabinet.accounts.fhir_records import FhirRecords
from fhir_server.cabinet.accounts.hashing import Hasher
from fhir_server.cabinet.accounts.mail import Mail
from fhir_server.cabinet.accounts.policy import AccountPolicy
from fhir_server.cabinet.accounts.ports import AccountPorts
from fhir_server.cabinet.accounts.subjects import AccountSubjects
from fhir_server.interactions.context import Services
from fhir_server.interactions.live_rights import LiveRights
from fhir_server.rest.oauth.routes import Authorization
from fhir_server.smart.records import Client
from fhir_server.store.accounts import Account, AccountState
from fhir_server.web.interaction import Asking
from fhir_server.web.later import Later
from fhir_server.web.rendering import Renderer
from fhir_server.web.routes import Pages
from fhir_server.web.site import Site
from fhir_server.web.texts import TEXTS
from tests.support.smart import ISSUER, Smart, numbers, request_of

PASSWORD = "correct horse battery"
CHEAP = {"rounds": 1, "memory_kib": 64}
"""Hashes that cost nothing; what they cost in earnest is measured by itself."""


@dataclass
class Mailbox:
    """Messages that were sent."""

    mails: list[Mail] = field(default_factory=list)

    async def send(self, mail: Mail) -> None:
        self.mails.append(mail)

    def to(self, email: str) -> list[Mail]:
        return [each for each in self.mails if each.to == email]

    def code(self, email: str) -> str:
        """The code in the last message to an address."""
        found = re.search(r"\b([A-Z2-9]{5}-[A-Z2-9]{5}|\d{6})\b", self.to(email)[-1].text)
        assert found is not None
        return found[1]


@dataclass
class Told:
    """What the audit was told of accounts."""

    events: list[AccountEvent] = field(default_factory=list)

    async def tell(self, event: AccountEvent) -> None:
        self.events.append(event)

    @property
    def kinds(self) -> list[str]:
        return [each.kind for each in self.events]


@dataclass
class Represents:
    """Whom accounts represent, as the test says."""

    by_account: dict[str, Sequence[str]] = field(default_factory=dict)

    async def __call__(self, account: Account) -> Sequence[str]:
        return self.by_account.get(account.id, ())


@dataclass
class Cabinet:
    """The whole authorization server with its pages."""

    smart: Smart
    site: Site
    mailbox: Mailbox
    told: Told
    represents: Represents
    fhir: Services

    @property
    def state(self) -> AccountState:
        return self.site.accounts.state

    def with_policy(self, **changes: Any) -> "Cabinet":
        """The same pages under another policy of accounts."""
        policy = replace(self.site.accounts.policy, **changes)
        return self.with_accounts(policy=policy)

    def with_accounts(self, **changes: Any) -> "Cabinet":
        accounts = replace(self.site.accounts, **changes)
        return replace(self, site=replace(self.site, accounts=accounts))

    async def account(self, **values: Any) -> Account:
        """Somebody with a password."""
        number = next(numbers)
        hashed = await self.site.accounts.hasher.hash(values.pop("password", PASSWORD))
        account = Account(
            id=f"account-{number}",
            email=f"person{number}@mail.example",
            name="Anna",
            level=2,
            created=self.smart.clock.now(),
            password_hash=hashed,
            patient="anna",
        )
        account = replace(account, **values)
        assert await self.state.accounts.add(account)
        return account

    def browser(self, **headers: str) -> "Browser":
        return Browser(self, headers)


class Browser:
    """Cookies, and the forms of the page that is shown."""

    def __init__(self, cabinet: Cabinet, headers: Mapping[str, str]) -> None:
        self.cabinet = cabinet
        self.network = f"network-{next(numbers)}"
        service = replace(cabinet.smart.service, interaction=_asking(cabinet.site))
        app = Pages(
            Authorization(PlainTextResponse("other", 404), service, "/fhir"), cabinet.site
        )
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app, client=(self.network, 5)),
            base_url=ISSUER,
            headers=dict(headers),
        )
        self.page = ""
        self.path = ""
        self.response = httpx.Response(200, request=httpx.Request("GET", ISSUER))

    async def get(self, path: str, **params: str) -> httpx.Response:
        """Open a page and go where it leads, as long as that is here."""
        return await self._followed(await self.http.get(path, params=params or None))

    async def post(self, path: str, **fields: str | Sequence[str]) -> httpx.Response:
        """Send a form with the token of the page that is shown."""
        form: dict[str, Any] = {"csrf": self.token, **fields}
        sent = await self.http.post(path, data=form, headers={"Origin": ISSUER})
        return await self._followed(sent)

    async def submit(self, **fields: str | Sequence[str]) -> httpx.Response:
        """Send the page's main form."""
        found = re.search(r'<form method="post" action="(/auth/(?!language|sign-out)[^"]*)"',
                          self.page)  # fmt: skip
        assert found is not None, self.page
        return await self.post(unescape(found[1]), **fields)

    @property
    def token(self) -> str:
        found = re.search(r'name="csrf" value="([^"]*)"', self.page)
        return found[1] if found else ""

    @property
    def request(self) -> dict[str, str]:
        """What keeps an app's request in the URL of the next page."""
        name = str(self.response.url).partition("request=")[2] if self.page else ""
        return {"request": name} if name else {}

    @property
    def heading(self) -> str:
        found = re.search(r"<h1>(.*?)</h1>", self.page, re.DOTALL)
        return unescape(found[1]).strip() if found else ""

    async def ask(self, client: Client, **changes: str | None) -> httpx.Response:
        """What an app does: send the browser to the authorization endpoint."""
        return await self.get("/auth/authorize", **request_of(client, **changes))

    async def sign_in(self, email: str, password: str = PASSWORD) -> httpx.Response:
        if "/auth/sign-in" not in self.path:
            await self.get("/auth/sign-in")
        return await self.submit(email=email, password=password)

    async def allow(self, **changes: str | Sequence[str] | None) -> httpx.Response:
        """Allow what the consent page shows, with its boxes as they are but for `changes`."""
        fields: dict[str, Any] = {"answer": "allow"}
        for tag in re.findall(r"<input [^>]*checked[^>]*>", self.page):
            name, value = (_attribute(tag, each) for each in ("name", "value"))
            fields[name] = value
        chosen = re.search(r'<option value="([^"]*)" selected', self.page)
        fields |= {"duration": chosen[1]} if chosen else {}
        fields |= changes
        given = {name: value for name, value in fields.items() if value is not None}
        return await self.submit(**given)

    async def _followed(self, response: httpx.Response) -> httpx.Response:
        while response.is_redirect and response.headers["location"].startswith("/"):
            response = await self.http.get(response.headers["location"])
        self.response = response
        if "html" in response.headers.get("content-type", ""):
            self.page = response.text
            self.path = str(urlsplit(str(response.url)).path)
        return response


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'{name}="([^"]*)"', tag)
    return unescape(found[1]) if found else ""


def _asking(site: Site) -> Asking:
    asking = Asking()
    asking.site = site
    return asking


def cabinet(smart: Smart, state: AccountState, services: Services) -> Cabinet:
    """Pages over the authorization server `smart` and the FHIR store of `services`."""
    mailbox, told, represents = Mailbox(), Told(), Represents()
    live = LiveRights(services, AccessPolicy())

    async def rights(who: Principal) -> Rights:
        return (await live.of(who)).rights

    records = FhirRecords(services, represents, rights=rights)
    ports = replace(
        smart.ports,
        subjects=AccountSubjects(state.accounts, records),
        records=StoredRecords(services.store),
    )
    accounts = AccountPorts(
        state=state,
        smart=ports,
        records=records,
        hasher=Hasher(**CHEAP),
        mail=mailbox,
        policy=AccountPolicy(),
        issuer=ISSUER,
        choose=random.SystemRandom().choice,
        events=told,
    )
    smart = replace(smart, service=replace(smart.service, ports=ports))
    site = Site(smart.service.policy, accounts, Renderer(TEXTS), Later())
    return Cabinet(smart, site, mailbox, told, represents, services)
