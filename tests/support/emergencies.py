"""A ward where emergencies are declared: doctors, apps, and the clock that rights go by."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx
from typing_extensions import override

from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.interactions.context import Services
from fhir_server.rest.gate import Gate
from fhir_server.smart.records import Client
from fhir_server.store.accounts import Account
from fhir_server.store.mongo.accounts import MongoAccounts
from fhir_server.store.mongo.client import connect
from fhir_server.store.mongo.indexes import Database
from fhir_server.store.mongo.sealing import Seal
from fhir_server.store.mongo.smart_clients import MongoClients
from tests.support.fhir import JsonObject
from tests.support.worlds import Tokens

BTG: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
REASON: Final = {
    "resourceType": "Parameters",
    "parameter": [{"name": "reason", "valueString": "unconscious"}],
}
APP: Final = "ward"


@dataclass
class Later:
    """The clock of a gate: the real one, unless it stands still."""

    at: int | None = None
    """Milliseconds since 1970."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000 if self.at is None else self.at


class WardTokens(Tokens):
    """Tokens of a gate that judges rights by a clock of the test."""

    def __init__(self, policy: AccessPolicy | None = None) -> None:
        super().__init__(policy)
        self.clock = Later()

    @override
    def gate(self, services: Services) -> Gate:
        return super().gate(replace(services, now=self.clock.now))


def doctor(name: str = "house", client: str = APP, **more: Any) -> Principal:
    """Signed in strongly a minute ago; whether they may declare is the database's to say."""
    given = {
        "scopes": parse_scopes("user/*.cruds"),
        "user": f"Practitioner/{name}",
        "account": name,
        "token": f"{name}-{client}",
        "staff": True,
        "purpose": "TREAT",
        "level": 3,
        "auth_time": time.time_ns() // 1_000_000 - 60_000,
        **more,
    }
    return Principal(client, **given)


def patient(id_: str) -> Principal:
    """In an app of their own."""
    return Principal(
        "cabinet",
        parse_scopes("patient/*.cruds"),
        patient=id_,
        user=f"Patient/{id_}",
        represented=(id_,),
        token=f"of-{id_}",
    )


def permit(uri: str, database: str, account: str, client: str) -> None:
    """Let a person and an app declare emergencies, as the operator would."""
    person = Account(
        account, f"{account}@mail.example", account, 3, 0, staff=True,
        user=f"Practitioner/{account}", permissions=frozenset({"break-glass"}),
    )  # fmt: skip
    app = Client(client, "Ward app", "none", permissions=frozenset({"break-glass"}))

    async def work(found: Database) -> None:
        await MongoAccounts(found, Seal(None)).add(person)
        await MongoClients(found).put(app)

    asyncio.run(_with(uri, database, work))


def forbid(uri: str, database: str, account: str) -> None:
    """Take the permission of a person, and end nothing."""

    async def work(found: Database) -> None:
        accounts = MongoAccounts(found, Seal(None))
        known = await accounts.find(account)
        assert known is not None
        await accounts.change(known, permissions=frozenset())

    asyncio.run(_with(uri, database, work))


async def _with(uri: str, name: str, work: Callable[[Database], Awaitable[None]]) -> None:
    connection = await connect(uri)
    try:
        await work(connection[name])
    finally:
        await connection.close()


@dataclass(frozen=True)
class Ward:
    """A running server."""

    http: httpx.Client
    tokens: WardTokens

    def ask(
        self, principal: Principal, method: str, path: str, body: object = None, **headers: str
    ) -> httpx.Response:
        self.tokens.give(principal)
        given = {"Authorization": f"Bearer {principal.token}", **headers}
        return self.http.request(method, path, json=body, headers=given)

    def put(self, *resources: JsonObject) -> None:
        for each in resources:
            path = f"/{each['resourceType']}/{each['id']}"
            answer = self.http.put(path, json=each, headers={"Authorization": "Bearer root"})
            assert answer.is_success, answer.text

    def sees(self, principal: Principal, path: str) -> bool:
        answer = self.ask(principal, "GET", path)
        assert answer.status_code in (200, 404), answer.text
        return answer.status_code == 200

    def declare(self, principal: Principal, of: str, body: object = REASON) -> httpx.Response:
        return self.ask(principal, "POST", f"/Patient/{of}/$break-glass", body)

    def end(self, principal: Principal, of: str) -> httpx.Response:
        return self.ask(principal, "POST", f"/Patient/{of}/$break-glass-end")


def restricted(id_: str, of: str, **more: Any) -> JsonObject:
    """An Observation that treatment alone does not open."""
    return {
        "resourceType": "Observation",
        "id": id_,
        "meta": {"security": [{"system": CONFIDENTIALITY, "code": "R"}]},
        "status": "final",
        "code": {"text": id_},
        "subject": {"reference": f"Patient/{of}"},
        **more,
    }


def person(id_: str, **more: Any) -> JsonObject:
    return {"resourceType": "Patient", "id": id_, **more}


def consent(of: str, decision: str, **rule: Any) -> JsonObject:
    """A Consent about break-glass."""
    purpose = [{"system": BTG, "code": "BTG"}]
    return {
        "resourceType": "Consent",
        "id": f"{of}-consent",
        "status": "active",
        "scope": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/consentscope",
                    "code": "patient-privacy",
                }
            ]
        },
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": f"Patient/{of}"},
        "dateTime": "2020-01-01",
        "policy": [{"uri": "urn:policy"}],
        "provision": {"type": decision, "purpose": purpose, **rule},
    }
