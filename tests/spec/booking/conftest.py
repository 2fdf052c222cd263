"""A running server with a doctor's schedule, and people who book."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest
from typing_extensions import override

from fhir_server.access.decisions import Policy
from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.settings import Settings
from tests.support.fhir import JsonObject
from tests.support.running import Running
from tests.support.worlds import ROOT, Tokens

_NUMBERS: Final = count(1)


class Clock:
    """The server's clock; tests may put it forward."""

    def __init__(self) -> None:
        self._ahead = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self._ahead

    def forward(self, milliseconds: int) -> None:
        """Let that time have passed."""
        self._ahead += milliseconds

    @property
    def today(self) -> datetime:
        """The server's now, in whole seconds."""
        return datetime.fromtimestamp(self() // 1000, UTC)


class Stopped(Clock):
    """A clock that stands still until it is set."""

    def __init__(self, at: datetime) -> None:
        super().__init__()
        self.at = at

    @override
    def __call__(self) -> int:
        return round(self.at.timestamp() * 1000)


class Clinic:
    """A running server, asked as one or another; ids are new in every test."""

    def __init__(self, http: httpx.Client, tokens: Tokens, clock: Clock) -> None:
        self._http = http
        self._tokens = tokens
        self.clock = clock

    def ask(
        self,
        who: Principal,
        method: str,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        token = who.token or str(uuid4())
        self._tokens.give(replace(who, token=token))
        headers = {"Authorization": f"Bearer {token}", **(headers or {})}
        return self._http.request(method, path, json=body, headers=headers)

    def anonymous(self, path: str) -> httpx.Response:
        """A GET without a token."""
        return self._http.get(path)

    def put(self, resource: JsonObject) -> JsonObject:
        path = f"/{resource['resourceType']}/{resource['id']}"
        answer = self.ask(ROOT, "PUT", path, resource)
        assert answer.is_success, answer.text
        return resource

    def get(self, path: str) -> JsonObject:
        answer = self.ask(ROOT, "GET", path)
        assert answer.status_code == 200, answer.text
        found: JsonObject = answer.json()
        return found

    def status(self, slot: str) -> str:
        return str(self.get(f"/Slot/{slot}")["status"])

    def patient(self) -> str:
        """A new patient's id."""
        id_ = f"p{next(_NUMBERS)}"
        self.put({"resourceType": "Patient", "id": id_, "name": [{"family": "Test"}]})
        return id_

    def schedule(self, **more: Any) -> str:
        """A new doctor's schedule."""
        id_ = f"s{next(_NUMBERS)}"
        actor = [{"reference": "Practitioner/dr"}]
        self.put({"resourceType": "Schedule", "id": id_, "actor": actor, **more})
        return id_

    def slot(
        self,
        schedule: str,
        *,
        days: float = 7,
        minutes: int = 30,
        status: str = "free",
        **more: Any,
    ) -> str:
        """A new Slot, `days` from now."""
        id_ = f"t{next(_NUMBERS)}"
        start = self.clock.today + timedelta(days=days)
        self.put({
            "resourceType": "Slot",
            "id": id_,
            "schedule": {"reference": f"Schedule/{schedule}"},
            "status": status,
            "start": start.isoformat(),
            "end": (start + timedelta(minutes=minutes)).isoformat(),
            **more,
        })  # fmt: skip
        return id_

    def visit(
        self, patient: str, *slots: str, status: str = "booked", **more: Any
    ) -> JsonObject:
        """An Appointment, not yet sent."""
        found = [self.get(f"/Slot/{id_}") for id_ in slots]
        times = (
            {"start": min(s["start"] for s in found), "end": max(s["end"] for s in found)}
            if found
            else {}
        )
        return {
            "resourceType": "Appointment",
            "status": status,
            **({"slot": [{"reference": f"Slot/{id_}"} for id_ in slots]} if slots else {}),
            **times,
            "participant": [
                {"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"}
            ],
            **more,
        }


def person(patient: str, scope: str = "patient/*.cruds", **more: Any) -> Principal:
    """A patient's app."""
    return Principal(
        "app",
        parse_scopes(scope),
        patient=patient,
        represented=(patient,),
        **{"user": f"Patient/{patient}", "level": 3, **more},
    )


def code(answer: httpx.Response) -> str:
    """The cabinet's code of a refusal."""
    found = answer.json()["issue"][0]["details"].get("coding", [{}])
    return str(found[0].get("code"))


@pytest.fixture(scope="session")
def clinic(mongodb_uri: str) -> Iterator[Clinic]:
    with serving(mongodb_uri, AccessPolicy(Policy("all-normal"))) as found:
        yield found


@contextmanager
def twinned(uri: str, **more: Any) -> Iterator[tuple[Clinic, Clinic]]:
    """One clinic on two servers; `more`: settings, the database among them."""
    policy, clock = AccessPolicy(Policy("all-normal")), Clock()
    tokens = Tokens(policy)
    with (
        serving(uri, policy, clock, tokens, **more) as one,
        serving(uri, policy, clock, tokens, **more) as other,
    ):
        yield one, other


@contextmanager
def serving(
    uri: str,
    policy: AccessPolicy,
    clock: Clock | None = None,
    tokens: Tokens | None = None,
    **more: Any,
) -> Iterator[Clinic]:
    """A server of its own, by the operator's `policy`; `more`: settings."""
    tokens, clock = tokens or Tokens(policy), clock or Clock()
    given: dict[str, Any] = {
        "database": f"booking_{uuid4().hex[:12]}",
        "booking_seconds": 0.2,
    }
    settings = Settings(
        mongodb_uri=uri,
        **(given | more),
        seed=False,
        log_level="WARNING",
        base_url="http://test/fhir",
    )
    with (
        Running(settings, tokens.gate, clock) as running,
        httpx.Client(base_url=running.base_url, timeout=60) as http,
    ):
        yield Clinic(http, tokens, clock)
