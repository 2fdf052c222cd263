"""A server that audits, and the people who ask it."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.settings import Settings
from tests.support.auditing import Caller, Clinic
from tests.support.running import Running
from tests.support.worlds import Tokens


@pytest.fixture(scope="session")
def audit_settings(mongodb_uri: str) -> Settings:
    return Settings(
        mongodb_uri=mongodb_uri,
        database=f"audit_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
        audit_seconds=3600,  # events are made when they are asked for
    )


@pytest.fixture(scope="session")
def clinic(audit_settings: Settings) -> Iterator[Clinic]:
    """One server; its callers are `clinic.caller(Principal(…))`."""
    tokens = Tokens()
    with (
        Running(audit_settings, tokens.gate) as running,
        httpx.Client(base_url=running.base_url, timeout=60) as client,
    ):
        yield Clinic(client, tokens, audit_settings)


@pytest.fixture
def patient(clinic: Clinic) -> Caller:
    """A patient with a record of one Observation."""
    caller = clinic.person("Анна Котова")
    clinic.observation(caller.observation, caller.id)
    return caller


@pytest.fixture(scope="session")
def doctor(clinic: Clinic) -> Caller:
    """Of the staff."""
    clinic.put(
        {
            "resourceType": "Practitioner",
            "id": "house",
            "name": [{"given": ["Gregory"], "family": "House"}],
        }
    )
    clinic.put({"resourceType": "Organization", "id": "ppth", "name": "Princeton"})
    return clinic.caller(
        Principal(
            "ward",
            parse_scopes("user/*.cruds"),
            user="Practitioner/house",
            account="a-house",
            organizations=("Organization/ppth",),
            purpose="TREAT",
            staff=True,
            token="jti-house",
        )
    )
