"""A server with access control and accounts, and callers with tokens of its own."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from fhir_server.access.principal import Principal
from fhir_server.outward import trust
from fhir_server.settings import Settings
from fhir_server.smart.digests import digest
from fhir_server.smart.records import AccessToken
from fhir_server.store.accounts import Account
from fhir_server.store.mongo import account_steps
from fhir_server.store.mongo.client import connect
from fhir_server.store.mongo.sealing import Seal
from fhir_server.store.mongo.smart import MongoSmart
from tests.support.fhir import JsonObject
from tests.support.running import Running
from tests.support.worlds import ROOT

_FAR = 9_999_999_999_999


@dataclass(frozen=True)
class CabinetServer:
    """A running server."""

    http: httpx.Client
    settings: Settings
    mails: Path

    def ask(
        self, principal: Principal, method: str, path: str, body: object = None, **headers: str
    ) -> httpx.Response:
        """One request with a token for `principal`."""
        token = uuid4().hex
        asyncio.run(self._issue(token, replace(principal, token=token)))
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.request(
            method, path, json=body, headers={"Authorization": f"Bearer {token}", **named}
        )

    async def _issue(self, token: str, principal: Principal) -> None:
        async with self._database() as database:
            state = MongoSmart(database, Seal(None))
            await state.access_tokens.put(
                AccessToken(digest(token), principal.client, principal.grant, "", 0, _FAR,
                            principal)
            )  # fmt: skip

    def invitations(self, patient: str) -> int:
        """How many invitations of a patient there are."""

        async def count() -> int:
            async with self._database() as database:
                found = database["account_invitations"]
                return int(await found.count_documents({"patient": patient}))

        return asyncio.run(count())

    def account(self, account: Account) -> None:
        """Keep an account."""
        asyncio.run(self._keep(account))

    async def _keep(self, account: Account) -> None:
        async with self._database() as database:
            state = await account_steps.prepared(database, Seal(None))
            await state.accounts.add(account)

    def _database(self) -> "_Database":
        return _Database(self.settings)

    def put(self, *resources: JsonObject) -> None:
        """By somebody who may do everything."""
        for each in resources:
            path = f"/{each['resourceType']}/{each['id']}"
            answer = self.ask(ROOT, "PUT", path, each)
            assert answer.is_success, answer.text


class _Database:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def __aenter__(self) -> Any:
        assert self._settings.mongodb_uri is not None
        self._client = await connect(self._settings.mongodb_uri.get_secret_value())
        return self._client[self._settings.database]

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()


@contextmanager
def cabinet_server(
    uri: str, folder: Path, required: list[Mapping[str, Any]], **settings: Any
) -> Iterator[CabinetServer]:
    """It answers while the context lasts; `required` are rows of required consents."""
    rows = folder / "required.json"
    rows.write_text(json.dumps(required))
    found = Settings.model_validate(
        {
            "mongodb_uri": uri,
            "database": f"cabinet_{uuid4().hex[:12]}",
            "seed": False,
            "log_level": "WARNING",
            "required_consents": rows,
            "mail_dir": folder / "mails",
            "outbox_poll_seconds": 0.1,
            **settings,
        }
    )
    with (
        Running(found) as running,
        httpx.Client(base_url=running.base_url, verify=trust(), timeout=60) as http,
    ):
        yield CabinetServer(http, found, folder / "mails")
