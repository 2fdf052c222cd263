"""An authorization server for each module, and keys that are made once a session."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, RSAKey

from fhir_server.outward import trust
from fhir_server.store.mongo.client import Client as Connection
from fhir_server.store.mongo.sealing import Seal
from fhir_server.store.mongo.smart import MongoSmart
from tests.support.smart import Smart, smart_server


@pytest.fixture(scope="session")
def rsa_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "rsa-1"})


@pytest.fixture(scope="session")
def ec_key() -> ECKey:
    return ECKey.generate_key("P-384", {"kid": "ec-1"})


@pytest.fixture(scope="session")
def signing_key() -> Mapping[str, Any]:
    return RSAKey.generate_key(2048, {"kid": "sign-1"}).as_dict(private=True)


@pytest.fixture(scope="module")
async def smart_state(mongodb_client: Connection, database_name: str) -> MongoSmart:
    state = MongoSmart(mongodb_client[database_name], Seal("a key for tests"))
    await state.prepare()
    return state


@pytest.fixture
async def smart(
    smart_state: MongoSmart, signing_key: Mapping[str, Any]
) -> AsyncIterator[Smart]:
    async with httpx.AsyncClient(verify=trust(environment=False), trust_env=False) as fetch:
        yield smart_server(smart_state, fetch, signing_key)
