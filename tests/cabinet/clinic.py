"""A running server with a small clinic, and Chromium on the patient's page there."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx

from fhir_server.app import Application
from fhir_server.cabinet.accounts.demo import SERVICE, seed_service
from fhir_server.rest.oauth.key_ring import PUBLIC, generate
from fhir_server.settings import Settings
from tests.browser.driving import driven
from tests.cabinet.backend import token_of_service
from tests.cabinet.world import ANNA, CHILD, resources
from tests.support.browsing import Visitor
from tests.support.demo_app import authorization, prepared, redemption
from tests.support.fhir import JsonObject
from tests.support.running import Running

HERE: Final = Path(__file__).parent
IDLE: Final = 1800  # seconds: the default of the setting
APP_SCOPE: Final = "openid fhirUser launch/patient offline_access patient/*.cruds"
STAFF_SCOPE: Final = "openid fhirUser user/*.rs"


@dataclass(frozen=True)
class Clinic:
    """A running server with people who can sign in, and tokens of other apps."""

    base: str
    passwords: Mapping[str, str]
    mails: Path
    system: str

    @property
    def root(self) -> str:
        return self.base.removesuffix("/fhir")

    def token(self, email: str, patient: str, scope: str = APP_SCOPE) -> str:
        """An access token of the demo app, of who signs in with this address."""
        with closing(Visitor(self.root)) as visitor:
            visitor.go("/auth/authorize", authorization(self.base, scope))
            visitor.submit(email=email, password=self.passwords[email])
            visitor.submit(answer="allow", **({"patient": patient} if patient else {}))
            form = redemption(visitor.answer["code"])
        answer = httpx.post(f"{self.root}/auth/token", data=form, timeout=60).json()
        found: str = answer["access_token"]
        return found

    def write(self, resource: JsonObject) -> None:
        """As the clinic's own system."""
        kind = resource["resourceType"]
        headers = {"Authorization": f"Bearer {self.system}"}
        answer = httpx.post(f"{self.base}/{kind}", json=resource, headers=headers, timeout=60)
        assert answer.status_code == 201, answer.text


async def _with_service(settings: Settings) -> Mapping[str, Any]:
    """Register the backend service; its private key."""
    key = {**await generate(), "alg": "RS384"}
    application = Application(settings, None)
    async with application.running():
        assert application.access is not None
        public = {name: key[name] for name in (*PUBLIC, "kid", "alg")}
        await seed_service(application.access.cabinet.site.accounts, public)
    return key


@contextmanager
def opened(mongodb_uri: str, mails: Path, **changes: Any) -> Iterator[Clinic]:
    """A clinic with a database of its own."""
    settings = Settings(
        mongodb_uri=mongodb_uri,
        database=f"cabinet_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
        mail_dir=mails,
        outbox_poll_seconds=0.1,
        registration="matched",
        cabinet="first-party",
        booking_seconds=0.2,
        lockout_network_tries=1000,
        audit_foreign=True,
    ).model_copy(update=changes)
    passwords = asyncio.run(prepared(settings, resources()))
    key = asyncio.run(_with_service(settings))
    with Running(settings) as running:
        system = token_of_service(running.base_url, SERVICE, key)
        yield Clinic(running.base_url, passwords, mails, system)


def seen(
    clinic: Clinic, shots: Path, scenario: str, script: str = "more.cjs", **given: Any
) -> dict[str, Any]:
    """What the browser saw; without an error but those that were provoked, and no view wider
    than its window."""
    order = {
        "scenario": scenario,
        "size": "phone",
        "locale": "ru",
        "shots": str(shots),
        "root": clinic.root,
        "base": clinic.base,
        "email": "anna@demo.example",
        "password": clinic.passwords["anna@demo.example"],
        "patient": ANNA,
        "child": CHILD,
        "idle": IDLE,
        "mails": str(clinic.mails),
        **given,
    }
    found = driven(HERE / script, order)
    provoked = ("status of 4", "ERR_INTERNET_DISCONNECTED")
    serious = [each for each in found["errors"] if not any(one in each for one in provoked)]
    assert (serious, found["widths"]) == ([], []), (serious, found["widths"])
    return found
