"""Tokens at the FHIR endpoint: what the authorization server gives is what the endpoint takes.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#access-fhir-api
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from fhir_server.access.policy import AccessPolicy
from fhir_server.interactions.context import Services
from fhir_server.interactions.live_rights import LiveRights
from fhir_server.rest.bearer import BearerGate
from fhir_server.rest.gate import Gate
from fhir_server.rest.oauth.verifier import TokenVerifier
from fhir_server.settings import Settings
from fhir_server.smart.digests import digest
from fhir_server.smart.ending import end
from fhir_server.smart.records import Client
from fhir_server.store.mongo.client import Client as Connection
from fhir_server.store.mongo.sealing import Seal
from fhir_server.store.mongo.smart import MongoSmart
from fhir_server.store.mongo.store import MongoStore
from tests.support.running import Running
from tests.support.smart import Clock, People, Smart, public_jwks, smart_server, standing

pytestmark = pytest.mark.anyio

NAME = f"smart_{uuid4().hex[:12]}"
CLOCK = Clock()
PEOPLE = People()


def gate(services: Services) -> Gate:
    """As the application has it, with the clock of the tests."""
    assert isinstance(services.store, MongoStore)
    state = MongoSmart(services.store.database, Seal(None))
    live = LiveRights(services, AccessPolicy())
    verifier = TokenVerifier(state.access_tokens, CLOCK.now, CLOCK.seconds)
    return BearerGate(verifier.verify, live.of, standing(state, CLOCK, PEOPLE).of)


@pytest.fixture(scope="module")
def running(mongodb_uri: str) -> Iterator[Running]:
    settings = Settings(
        mongodb_uri=SecretStr(mongodb_uri),
        database=NAME,
        seed=False,
        log_level="WARNING",
        job_poll_seconds=0.05,
    )
    with Running(settings, gate) as found:
        yield found


@dataclass
class Both:
    """The authorization server, and the FHIR endpoint beside it."""

    smart: Smart
    fhir: httpx.AsyncClient

    async def get(self, path: str, token: str | None = None) -> httpx.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return await self.fhir.get(path, headers=headers)


@pytest.fixture
async def both(
    running: Running,
    mongodb_client: Connection,
    signing_key: Mapping[str, Any],
    rsa_key: RSAKey,
) -> AsyncIterator[Both]:
    state = MongoSmart(mongodb_client[NAME], Seal(None))
    await state.prepare()
    async with (
        httpx.AsyncClient() as fetch,
        httpx.AsyncClient(base_url=running.base_url, timeout=60) as fhir,
    ):
        smart = smart_server(state, fetch, signing_key, CLOCK, PEOPLE)
        await _load(smart, fhir, rsa_key)
        yield Both(smart, fhir)


async def _load(smart: Smart, fhir: httpx.AsyncClient, key: RSAKey) -> None:
    """By a backend service, with a token of its own."""
    service = await smart.client(
        token_endpoint_auth_method="private_key_jwt",
        grant_types=["client_credentials"],
        redirect_uris=[],
        jwks=public_jwks(key),
        scope="system/*.cruds",
    )
    response = await smart.backend(service, key, scope="system/*.cruds")
    headers = {"Authorization": f"Bearer {response.json()['access_token']}"}
    for name in ("anna", "ben"):
        patient = {"resourceType": "Patient", "id": name}
        found = await fhir.put(f"Patient/{name}", json=patient, headers=headers)
        assert found.status_code in (200, 201), found.text


async def test_sa_08_10_13_a_patient_reads_their_own(both: Both) -> None:
    body = await both.smart.tokens(
        await both.smart.client(), scope="launch/patient patient/Patient.rs"
    )
    token = body["access_token"]
    assert (await both.get(f"Patient/{body['patient']}", token)).status_code == 200
    nobody = await both.get("Patient/anna")
    assert nobody.status_code == 401
    assert nobody.headers["www-authenticate"].startswith("Bearer")
    assert (await both.get("Patient/ben", token)).status_code == 404
    assert (await both.get("Observation?patient=anna", token)).status_code == 403


async def test_oidc_07_fhir_user_can_be_read(both: Both) -> None:
    body = await both.smart.tokens(
        await both.smart.client(), scope="openid fhirUser launch/patient patient/Observation.rs"
    )
    assert (await both.get("Patient/anna", body["access_token"])).status_code == 200


async def test_ref_05_a_refreshed_token_reads(both: Both) -> None:
    client = await both.smart.client()
    body = await both.smart.tokens(client)
    renewed = (await both.smart.refresh(client, body["refresh_token"])).json()
    assert (await both.get("Patient/anna", renewed["access_token"])).status_code == 200


async def test_sa_20_an_expired_token_is_401(both: Both) -> None:
    body = await both.smart.tokens(await both.smart.client())
    assert (await both.get("Patient/anna", body["access_token"])).status_code == 200
    CLOCK.tick(body["expires_in"])
    response = await both.get("Patient/anna", body["access_token"])
    assert response.status_code == 401
    assert "invalid_token" in response.headers["www-authenticate"]


async def test_revo_01_07_an_ended_grant_is_401_within_a_second(both: Both) -> None:
    client = await both.smart.client()
    body = await both.smart.tokens(client)
    assert (await both.get("Patient/anna", body["access_token"])).status_code == 200
    grant = await both.smart.grant(client)
    await end(both.smart.ports, grant.id, "by the patient")
    CLOCK.tick(1)
    assert (await both.get("Patient/anna", body["access_token"])).status_code == 401


async def test_be_08_a_service_reads_what_it_was_granted(both: Both, rsa_key: RSAKey) -> None:
    service: Client = await both.smart.client(
        token_endpoint_auth_method="private_key_jwt",
        grant_types=["client_credentials"],
        redirect_uris=[],
        jwks=public_jwks(rsa_key),
        scope="system/Patient.rs",
    )
    asked = "system/Patient.rs system/Observation.rs system/Encounter.rs"
    token = (await both.smart.backend(service, rsa_key, scope=asked)).json()["access_token"]
    assert (await both.get("Patient?_id=anna,ben&_total=accurate", token)).json()["total"] == 2
    assert (await both.get("Observation", token)).status_code == 403
    blocked = replace(service, standing="blocked")
    await both.smart.ports.clients.put(blocked)
    assert (await both.smart.backend(blocked, rsa_key)).status_code == 401


async def test_revo_07_an_ended_grant_ends_its_asynchronous_request(
    both: Both, mongodb_client: Connection
) -> None:
    """The job keeps who ordered it, and not the token."""
    scopes = "launch/patient offline_access patient/*.cruds"
    client = await both.smart.client(scope=scopes)
    token = (await both.smart.tokens(client, scope=scopes))["access_token"]
    grant = await both.smart.grant(client)
    made = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "later"},
        "subject": {"reference": "Patient/anna"},
    }
    entry = {"resource": made, "request": {"method": "POST", "url": "Observation"}}
    body = {"resourceType": "Bundle", "type": "batch", "entry": [entry] * 400}
    headers = {"Authorization": f"Bearer {token}", "Prefer": "respond-async"}
    accepted = await both.fhir.post("", json=body, headers=headers)
    place = accepted.headers["content-location"]
    rows = await mongodb_client[NAME]["jobs"].find({}).to_list()
    assert len(rows) == 1
    assert token not in str(rows)
    assert digest(token) not in str(rows)

    async def count() -> int:
        return await mongodb_client[NAME]["Observation"].count_documents({})

    while not await count():
        assert (await both.get(place, token)).status_code == 202
    await end(both.smart.ports, grant.id, "by the patient")
    CLOCK.tick(1)
    assert (await both.get(place, token)).status_code == 401
    # Another grant of the same person to the same app: what came of the order is told.
    again = (await both.smart.tokens(client, scope=scopes))["access_token"]
    while (answer := await both.get(place, again)).status_code == 202:
        pass
    assert answer.status_code == 403
    assert answer.json()["issue"][0]["code"] == "forbidden"
    written = await count()
    assert 0 < written < 400
