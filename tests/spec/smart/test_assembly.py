"""The authorization server as the application builds it, from settings."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from fhir_server.access.scopes import parse_scope
from fhir_server.assembly.authorization import Surroundings, policy, readable, service
from fhir_server.assembly.machine import new_id, now
from fhir_server.rest.oauth.service import Service
from fhir_server.search.compile import Compiler
from fhir_server.search.registry import Registry
from fhir_server.settings import Settings
from fhir_server.smart.digests import digest
from fhir_server.store.mongo.client import Client
from fhir_server.terminology.terminology import Terminology
from tests.support.smart import Charts, Pages, client_of

pytestmark = pytest.mark.anyio


def compiler() -> Compiler:
    return Compiler(Registry(), Terminology(), "https://hospital.example/r4/fhir", now=now)


def settings(**given: object) -> Settings:
    return Settings(base_url="https://hospital.example/r4/fhir", **given)  # type: ignore[arg-type]


@pytest.fixture
async def built(mongodb_client: Client, database_name: str) -> AsyncIterator[Service]:
    surroundings = Surroundings(
        Pages(), Charts(), now, new_id, management="https://x.example/apps"
    )
    given = settings(secret_key=SecretStr("k"))
    async with service(given, mongodb_client[database_name], surroundings) as found:
        yield found


async def test_it_answers(built: Service) -> None:
    async with client_of(built) as http:
        found = (await http.get("/.well-known/openid-configuration")).json()
        assert found["issuer"] == "https://hospital.example"
        assert found["token_endpoint"] == "https://hospital.example/auth/token"
        assert found["management_endpoint"] == "https://x.example/apps"
        assert len((await http.get("/auth/jwks")).json()["keys"]) == 1
        style = built.policy.style_url.removeprefix("https://hospital.example")
        assert (await http.get(style)).json()["color_background"] == "#ffffff"


async def test_settings_become_policy() -> None:
    found = policy(
        settings(
            issuer="https://id.example/",
            access_token_seconds=60,
            refresh_token_days=200,
            app_registration="token",
            app_registration_token=SecretStr("initial"),
        )
    )
    assert found.issuer == "https://id.example"
    assert found.access_seconds == 60
    assert found.refresh_seconds == 200 * 86_400
    assert found.registration_digest == digest("initial")


CATEGORY = "category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"


@pytest.mark.parametrize(
    ("text", "known"),
    [
        (f"patient/Observation.rs?{CATEGORY}", True),
        ("patient/Observation.rs?category=a,b&status=final", True),
        ("patient/Observation.rs?_tag=a", True),
        ("patient/Observation.rs?colour=red", False),
        ("patient/Observation.rs?date=nonsense", False),
        ("patient/Observation.rs?code:in=http://x.example/vs", False),
        ("patient/Observation.rs?subject.name=a", False),
        ("patient/Observation.rs?_has=a", False),
        ("patient/Observation.rs?_filter=a", False),
        ("patient/Observation.rs?_count=1", False),
    ],
)
async def test_scp_14_17_18_filters_of_scopes(text: str, known: bool) -> None:
    scope = parse_scope(text)
    assert scope is not None
    assert readable(compiler().condition)(scope) is known
