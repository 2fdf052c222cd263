"""A stronger sign-in, all the way: refused, signed in again, done; and who is told of it.

https://www.rfc-editor.org/rfc/rfc9470
https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

import asyncio
import email
import email.policy
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from fhir_server.settings import Settings
from tests.support.browsing import Visitor
from tests.support.demo_app import authorization, prepared, redemption
from tests.support.emergencies import REASON, consent, person, restricted
from tests.support.fhir import JsonObject
from tests.support.running import Running

ANNA: Final = "anna-ivanova-ru"
DOCTOR: Final = "doctor@demo.example"
PATIENCE: Final = 30.0  # seconds


def resources() -> list[JsonObject]:
    name = [{"given": ["Елена"], "family": "Соколова"}]
    return [
        person(ANNA, name=[{"family": "Иванова"}]),
        consent(ANNA, "permit"),
        restricted("secret", ANNA),
        {"resourceType": "Practitioner", "id": "dr-sokolova", "name": name},
    ]


@dataclass(frozen=True)
class Clinic:
    """A running server, its mail, and a browser."""

    base: str
    passwords: Mapping[str, str]
    folder: Path
    visitor: Visitor

    def ask(self, token: str, method: str, path: str, body: object = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{self.base}{path}"
        return httpx.request(method, url, json=body, headers=headers, timeout=60)

    def authorize(self, scope: str, **more: str) -> int:
        return self.visitor.go("/auth/authorize", authorization(self.base, scope, **more))

    def sign_in(self, address: str) -> None:
        self.visitor.submit(email=address, password=self.passwords[address])

    def tokens(self) -> dict[str, Any]:
        """What the consent page that is shown comes to."""
        self.visitor.submit(answer="allow")
        form = redemption(self.visitor.answer["code"])
        issuer = self.base.removesuffix("/fhir")
        answer = httpx.post(f"{issuer}/auth/token", data=form, timeout=60)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def mail(self, address: str, count: int = 1) -> str:
        """The last of `count` messages to an address: they are sent behind the answer."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            paths = sorted(self.folder.glob("*.eml"))
            read = [
                email.message_from_bytes(each.read_bytes(), policy=email.policy.default)
                for each in paths
            ]
            theirs = [each for each in read if each["To"] == address]
            if len(theirs) >= count:
                return str(theirs[-1].get_content())
            time.sleep(0.05)
        raise AssertionError(address)


@pytest.fixture(scope="module")
def clinic(mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    folder = tmp_path_factory.mktemp("mail")
    settings = Settings(
        mongodb_uri=mongodb_uri,
        database=f"steps_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
        mail_dir=folder,
        outbox_poll_seconds=0.1,
    )
    passwords = asyncio.run(prepared(settings, resources()))
    with Running(settings) as running:
        visitor = Visitor(running.base_url.removesuffix("/fhir"))
        yield Clinic(running.base_url, passwords, folder, visitor)
        visitor.close()


def test_rfc_9470_the_whole_loop(clinic: Clinic) -> None:
    scope = "openid fhirUser user/*.rs"
    clinic.authorize(scope)
    clinic.sign_in(DOCTOR)
    weak = clinic.tokens()["access_token"]
    declaring = ("POST", f"/Patient/{ANNA}/$break-glass", REASON)

    refused = clinic.ask(weak, *declaring)
    assert refused.status_code == 401
    said = dict(re.findall(r'(\w+)="([^"]*)"', refused.headers["www-authenticate"]))
    assert said["error"] == "insufficient_user_authentication"
    assert clinic.ask(weak, "GET", "/Observation/secret").status_code == 404

    clinic.authorize(scope, acr_values=said["acr_values"], max_age=said["max_age"])
    code = re.search(r"\b\d{6}\b", clinic.mail(DOCTOR))
    assert code is not None
    clinic.visitor.submit(code=code[0])
    strong = clinic.tokens()["access_token"]

    assert clinic.ask(strong, "GET", "/Observation/secret").status_code == 404
    assert clinic.ask(strong, *declaring).status_code == 200
    assert clinic.ask(strong, "GET", "/Observation/secret").status_code == 200
    # The same person in the same app: the emergency is theirs, whichever token they use.
    assert clinic.ask(weak, "GET", "/Observation/secret").status_code == 200
    told = clinic.mail("anna@demo.example")
    assert "экстренный доступ" in told
    assert "unconscious" not in told

    ending = ("POST", f"/Patient/{ANNA}/$break-glass-end", None)
    assert clinic.ask(weak, *ending).status_code == 200  # it takes away, and asks for nothing
    assert clinic.ask(strong, "GET", "/Observation/secret").status_code == 404
