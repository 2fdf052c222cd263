"""An authorization server for each module, and keys that are made once a session."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, RSAKey

from fhir_server.store.mongo.client import Client as Connection
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


@pytest.fixture
async def smart(
    mongodb_client: Connection, database_name: str, signing_key: Mapping[str, Any]
) -> AsyncIterator[Smart]:
    async with httpx.AsyncClient(trust_env=False) as fetch:
        yield await smart_server(mongodb_client[database_name], fetch, signing_key)
