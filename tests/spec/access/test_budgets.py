"""Too many requests of one caller are 429; others are served as before.

https://www.rfc-editor.org/rfc/rfc6585#section-4
"""

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import httpx
import pytest

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.settings import Settings
from tests.support.running import Running
from tests.support.worlds import Tokens


@pytest.fixture(scope="module")
def fhir(mongodb_uri: str, tokens: Tokens) -> Iterator[httpx.Client]:
    settings = Settings(
        mongodb_uri=mongodb_uri,
        database=f"budgets_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
        user_rate=1,
        user_burst=10,
    )
    with (
        Running(settings, tokens.gate) as running,
        httpx.Client(base_url=running.base_url, timeout=60) as client,
    ):
        yield client


def test_a_user_is_told_when_to_go_on_and_others_are_served(
    fhir: httpx.Client, tokens: Tokens
) -> None:
    scopes = parse_scopes("patient/*.rs")
    eager = Principal("app", scopes, patient="p", user="Patient/p", account="eager")
    for each in (eager, replace(eager, account="patient")):
        tokens.give(replace(each, token=each.account or ""))

    def asked(account: str) -> httpx.Response:
        return fhir.get("/Patient", headers={"Authorization": f"Bearer {account}"})

    statuses = [asked("eager").status_code for _ in range(8)]
    assert statuses[:5] == [200] * 5
    refused = asked("eager")
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json()["issue"][0]["code"] == "throttled"
    assert asked("patient").status_code == 200


@pytest.mark.parametrize("prefer", ["return=minimal", "respond-async"])
def test_an_order_is_paid_as_its_bundle_would_be_at_once(
    fhir: httpx.Client, tokens: Tokens, prefer: str
) -> None:
    name = prefer.replace("=", "-")
    who = Principal("app", parse_scopes("patient/*.rs"), patient="p", account=name, token=name)
    headers = {"Authorization": f"Bearer {tokens.give(who)}", "Prefer": prefer}
    entries = [{"request": {"method": "GET", "url": "Observation"}}] * 20
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    assert fhir.post("/", json=bundle, headers=headers).status_code in {200, 202}
    refused = fhir.post("/", json=bundle, headers=headers)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 50
