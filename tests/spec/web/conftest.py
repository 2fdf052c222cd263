"""The pages for each test; MongoDB, definitions and keys are shared."""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest
from joserfc.jwk import RSAKey

from fhir_server.app import Application, everybody
from fhir_server.interactions.context import Services
from fhir_server.outward import trust
from fhir_server.settings import Settings
from fhir_server.store.accounts import AccountState
from fhir_server.store.mongo import account_steps
from fhir_server.store.mongo.client import Client as Connection
from fhir_server.store.mongo.sealing import Seal
from fhir_server.store.mongo.smart import MongoSmart
from tests.support.smart import smart_server
from tests.support.web import Cabinet, cabinet

SEAL = Seal("a key for tests")


@pytest.fixture(scope="session")
def signing_key() -> Mapping[str, Any]:
    return RSAKey.generate_key(2048, {"kid": "sign-1"}).as_dict(private=True)


@pytest.fixture(scope="session")
async def services(polled_uri: str, anyio_backend: str) -> AsyncIterator[Services]:
    """The FHIR side with three patients in it."""
    del anyio_backend
    settings = Settings(
        insecure_no_auth=True,
        mongodb_uri=polled_uri,
        database=f"spec_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
    )
    application = Application(settings, everybody)
    async with application.running():
        assert application.surface is not None
        entries = [
            _patient("anna", "Иванова", "Анна", "1985-03-14", "anna@mail.example"),
            _patient("ben", "Иванов", "Бен", "2015-01-02", ""),
            _patient("eve", "Петрова", "Ева", "1990-06-07", "eve@mail.example"),
        ]
        await application.transaction(
            {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        )
        yield application.surface.services


def _patient(id_: str, family: str, given: str, born: str, email: str) -> dict[str, Any]:
    resource = {
        "resourceType": "Patient",
        "id": id_,
        "name": [{"use": "official", "family": family, "given": [given]}],
        "birthDate": born,
        "telecom": [{"system": "email", "value": email or "none@mail.example"}],
    }
    return {"resource": resource, "request": {"method": "PUT", "url": f"Patient/{id_}"}}


@pytest.fixture(scope="module")
async def smart_state(mongodb_client: Connection, database_name: str) -> MongoSmart:
    state = MongoSmart(mongodb_client[database_name], SEAL)
    await state.prepare()
    return state


@pytest.fixture(scope="module")
async def account_state(mongodb_client: Connection, database_name: str) -> AccountState:
    return await account_steps.prepared(mongodb_client[database_name], SEAL)


@pytest.fixture
async def pages(
    smart_state: MongoSmart,
    account_state: AccountState,
    services: Services,
    signing_key: Mapping[str, Any],
) -> AsyncIterator[Cabinet]:
    async with httpx.AsyncClient(verify=trust(environment=False), trust_env=False) as fetch:
        built = cabinet(smart_server(smart_state, fetch, signing_key), account_state, services)
        yield built
        await built.site.later.drain()
