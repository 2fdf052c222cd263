"""A clinic with accounts in one process, whose occasions the test itself works off: no time
passes but by its clock, and nothing is waited for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final
from uuid import uuid4

import httpx

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.app import Application
from fhir_server.assembly import notices
from fhir_server.assembly.consents import access_policy
from fhir_server.cabinet.booking.names import POLICY
from fhir_server.cabinet.notices.composing import Composer
from fhir_server.cabinet.notices.preferences import PREFERENCE
from fhir_server.cabinet.notices.tapping import Taps
from fhir_server.delivery.fan_out import FanOut
from fhir_server.interactions.live_rights import LiveRights
from fhir_server.smart.digests import digest
from fhir_server.smart.records import AccessToken
from fhir_server.store.accounts import Account
from fhir_server.store.mongo.client import Client
from fhir_server.store.mongo.outbox import MongoOutbox
from fhir_server.store.mongo.sealing import Seal
from fhir_server.store.outgoing import CHANNELS, OCCASIONS, Delivery, Occasion
from tests.support.fhir import JsonObject
from tests.support.worlds import ROOT

ISSUER: Final = "http://test"
BEGINNING: Final = round(datetime(2027, 2, 1, 9, tzinfo=UTC).timestamp() * 1000)
"""A Monday; what the clock shows at first."""
DAY: Final = 86_400_000
HOUR: Final = 3_600_000
_FAR: Final = 9_999_999_999_999
_NUMBERS: Final = count(1)


@dataclass
class Clock:
    """Milliseconds that pass when the test says so."""

    milliseconds: int = BEGINNING

    def __call__(self) -> int:
        return self.milliseconds

    def set(self, milliseconds: int) -> None:
        """Let it be then."""
        self.milliseconds = milliseconds


@dataclass
class House:
    """The clinic."""

    app: Application
    client: Client
    http: httpx.AsyncClient
    clock: Clock
    composer: Composer | None = None
    told: list[Occasion] = field(default_factory=list)
    """Occasions that were worked off."""

    @property
    def taps(self) -> Taps:
        assert self.app.access is not None
        found = self.app.access.cabinet.site.taps
        assert found is not None
        return found

    def under(self, **changes: Any) -> "House":
        """The same clinic under other rules of notices and of access."""
        settings = self.app.settings.model_copy(update=changes)
        services, taps = self.taps.services, self.taps
        live = LiveRights(services, access_policy(settings))
        composer = notices.composer(settings, services, live, taps.bearers, taps.links)
        return replace(self, composer=composer)

    def taps_under(self, **changes: Any) -> Taps:
        """What its links stand for under other rules."""
        settings = self.app.settings.model_copy(update=changes)
        services, taps = self.taps.services, self.taps
        live = LiveRights(services, access_policy(settings))
        return notices.taps(settings, services, live, taps.bearers, taps.links)

    async def ask(
        self, who: Principal, method: str, path: str, body: object = None, **headers: str
    ) -> httpx.Response:
        """One request with a token for `who`."""
        assert self.app.access is not None
        token = uuid4().hex
        tokens = self.app.access.cabinet.service.ports.access_tokens
        bearer = replace(who, token=token)
        await tokens.put(AccessToken(digest(token), who.client, None, "", 0, _FAR, bearer))
        named = {"Authorization": f"Bearer {token}", **headers}
        return await self.http.request(method, f"/fhir{path}", json=body, headers=named)

    async def put(self, *resources: JsonObject) -> None:
        """By a hospital's system, in one Bundle."""
        rows = [
            {
                "resource": each,
                "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"},
            }
            for each in resources
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": rows}
        answer = await self.ask(ROOT, "POST", "/", bundle)
        assert answer.is_success, answer.text

    async def get(self, path: str) -> JsonObject:
        answer = await self.ask(ROOT, "GET", path)
        assert answer.status_code == 200, answer.text
        found: JsonObject = answer.json()
        return found

    async def patient(
        self, said: JsonObject | None = None, *, account: bool = True, **more: Any
    ) -> str:
        """A new patient's id; `<id>@mail.example` is the address of the account."""
        id_ = f"p{next(_NUMBERS)}"
        name = [{"family": "Test", "given": [id_.title()]}]
        known = {"resourceType": "Patient", "id": id_, "name": name}
        await self.put({**known, **(said or {}), **more})
        if account:
            await self.account(id_, patient=id_)
        return id_

    async def account(self, id_: str, **more: Any) -> None:
        """An account of the address `<id>@mail.example`."""
        email = f"{id_}@mail.example"
        made = Account(f"account-{id_}", email, id_, 2, self.clock(), **more)
        assert await self.taps.bearers.accounts.add(made)

    async def schedule(self, *, rules: JsonObject | None = None, **more: Any) -> str:
        """A new doctor's schedule, with parts of a booking-policy."""
        id_ = f"s{next(_NUMBERS)}"
        rows = [{"url": name.replace("_", "-"), **v} for name, v in (rules or {}).items()]
        said = {"extension": [{"url": POLICY, "extension": rows}]} if rows else {}
        actors = [
            {"reference": f"Practitioner/{id_}-doctor", "display": "Dr Smith"},
            {"reference": f"Location/{id_}-room"},
        ]
        await self.put(
            {"resourceType": "Practitioner", "id": f"{id_}-doctor"},
            {"resourceType": "Location", "id": f"{id_}-room", "name": f"Room of {id_}"},
            {"resourceType": "Schedule", "id": id_, "actor": actors, **said, **more},
        )
        return id_

    async def slot(self, schedule: str, *, days: float = 7, **more: Any) -> str:
        """A new Slot of half an hour, `days` from now."""
        id_ = f"t{next(_NUMBERS)}"
        now = datetime.fromtimestamp(self.clock() // 1000, UTC)
        start = now + timedelta(days=days)
        await self.put({
            "resourceType": "Slot",
            "id": id_,
            "schedule": {"reference": f"Schedule/{schedule}"},
            "status": "free",
            "start": start.isoformat(),
            "end": (start + timedelta(minutes=30)).isoformat(),
            **more,
        })  # fmt: skip
        return id_

    async def book(self, who: Principal, slot: str, patient: str | None = None) -> str:
        """The id of the visit that `who` books."""
        answer = await self.operate(
            who, "/Appointment/$book", slot=slot, patient=patient or who.patient
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["entry"][0]["resource"]["id"])

    async def operate(self, who: Principal, path: str, **given: str | None) -> httpx.Response:
        rows = [
            {"name": "patient-reference", "valueReference": {"reference": f"Patient/{value}"}}
            if name == "patient"
            else {"name": name, "valueString": value}
            for name, value in given.items()
            if value is not None
        ]
        body = {"resourceType": "Parameters", **({"parameter": rows} if rows else {})}
        return await self.ask(who, "POST", path, body)

    async def tell(self) -> list[Delivery]:
        """Work off what is due: the messages that go out, in the order of their keys."""
        outbox = MongoOutbox(self.client[self.app.settings.database], Seal(None), 86_400)
        store = self.taps.services.store
        composer = self.composer or self.app.notices.composer
        assert composer is not None
        while True:
            held = await outbox.lease("test", [OCCASIONS], self.clock(), 60)
            if held is None:
                break
            assert isinstance(held.of, Occasion)
            self.told.append(held.of)
            await FanOut(store, composer.compose, self.clock)(held, held.of)
        return await self._sent(outbox)

    async def _sent(self, outbox: MongoOutbox) -> list[Delivery]:
        found: list[Delivery] = []
        while True:
            held = await outbox.lease("test", CHANNELS, self.clock(), 60)
            if held is None:
                return sorted(found, key=lambda each: each.key)
            assert isinstance(held.of, Delivery)
            found.append(held.of)
            await outbox.settle(held, "sent", "", self.clock())

    async def waiting(self, about: str) -> list[tuple[str, int]]:
        """Kind and time of what waits about a resource."""
        outbox = MongoOutbox(self.client[self.app.settings.database], Seal(None), 86_400)
        rows = await outbox.entries(None, limit=1000)
        return [(each.kind, each.due or 0) for each in rows if each.about == about]

    async def notes(self, patient: str) -> list[JsonObject]:
        """The notices in the record, the first one first."""
        found = await self.get(f"/Communication?patient={patient}&_sort=sent")
        return [each["resource"] for each in found.get("entry", ())]

    def browser(self) -> "Browser":
        """Somebody's, who opens links."""
        return Browser(self)


class Browser:
    """Cookies and the page that is shown."""

    def __init__(self, house: House) -> None:
        transport = httpx.ASGITransport(app=house.app)
        self.http = httpx.AsyncClient(transport=transport, base_url=ISSUER)
        self.response = httpx.Response(200)

    async def open(self, url: str, **headers: str) -> httpx.Response:
        self.response = await self.http.get(url, headers=headers)
        return self.response

    async def tap(self, url: str, **fields: str) -> httpx.Response:
        """Open a link and press its button, as a browser that tells no origin does."""
        await self.open(url)
        return await self.press(url, **fields)

    async def press(self, url: str, **fields: str) -> httpx.Response:
        """Press the button of the page that is shown."""
        found = re.search(r'name="csrf" value="([^"]*)"', self.response.text)
        form = {"csrf": found[1] if found else "", **fields}
        self.response = await self.http.post(url, data=form, headers={"Origin": "null"})
        return self.response


def person(patient: str, /, **more: Any) -> Principal:
    """A patient's app."""
    return Principal(
        "app",
        parse_scopes("user/*.cruds patient/*.cruds"),
        **{
            "patient": patient,
            "user": f"Patient/{patient}",
            "account": f"account-{patient}",
            "represented": (patient,),
            "level": 3,
            **more,
        },
    )


def staff() -> Principal:
    """Somebody of the registry."""
    return Principal(
        "registry", parse_scopes("user/*.cruds"), user="Practitioner/registrar", staff=True
    )


def links(message: Delivery) -> dict[str, str]:
    """The URLs of the links in a message by what stands before each."""
    text = message.content["text"]
    return dict(re.findall(rf"^(.*): {ISSUER}(/auth/v/\S+)$", text, re.MULTILINE))


def prefers(channel: str, *topics: str) -> JsonObject:
    """The extension notification-preference."""
    parts = [{"url": "channel", "valueCode": channel}]
    parts += [{"url": "topic", "valueCode": each} for each in topics]
    return {"url": PREFERENCE, "extension": parts}


def speaks(code: str) -> Sequence[JsonObject]:
    """`Patient.communication`."""
    return [
        {
            "language": {"coding": [{"system": "urn:ietf:bcp:47", "code": code}]},
            "preferred": True,
        }
    ]
