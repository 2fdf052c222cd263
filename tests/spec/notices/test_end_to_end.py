"""From one patient's tap to the next one's place: a server process, an SMTP server, a queue.

https://www.rfc-editor.org/rfc/rfc5321
"""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from uuid import uuid4

import httpx
from aiosmtpd.controller import Controller

from fhir_server.settings import Settings
from fhir_server.store.accounts import Account
from tests.support.cabinets import CabinetServer
from tests.support.fhir import JsonObject
from tests.support.mailing import Mailbox
from tests.support.notified import person
from tests.support.polling import until
from tests.support.serving import Serving

CONCEPT = [{"coding": [{"system": "http://test/specialities", "code": "e"}]}]


@contextmanager
def mails() -> Iterator[tuple[Mailbox, int]]:
    """An SMTP server in a thread of its own: what it took, and its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box, port
    finally:
        controller.stop()


@contextmanager
def clinic(uri: str, folder: Path, port: int) -> Iterator[CabinetServer]:
    """A server process that sends by that SMTP server."""
    database = f"notices_{uuid4().hex[:12]}"
    environment = {
        "FHIR_MONGODB_URI": uri,
        "FHIR_DATABASE": database,
        "FHIR_SMTP_HOST": "127.0.0.1",
        "FHIR_SMTP_PORT": str(port),
        "FHIR_SMTP_ENCRYPTION": "none",
        "FHIR_OUTBOX_POLL_SECONDS": "0.1",
        "FHIR_LOG_LEVEL": "WARNING",
    }
    settings = Settings.model_validate({"mongodb_uri": uri, "database": database})
    with (
        Serving(folder, access="", environment=environment) as server,
        httpx.Client(base_url=server.base, timeout=60) as http,
    ):
        yield CabinetServer(http, settings, folder)


def schedule() -> list[JsonObject]:
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=7)
    rule = {"url": "waitlist", "valueBoolean": True}
    policy = "https://fhir-server.example/StructureDefinition/booking-policy"
    return [
        {
            "resourceType": "Schedule",
            "id": "s",
            "actor": [{"reference": "Practitioner/dr"}],
            "specialty": CONCEPT,
            "extension": [{"url": policy, "extension": [rule]}],
        },
        {
            "resourceType": "Slot",
            "id": "t",
            "schedule": {"reference": "Schedule/s"},
            "status": "free",
            "start": start.isoformat(),
            "end": (start + timedelta(minutes=30)).isoformat(),
        },
    ]


def mail(box: Mailbox, to: str, subject: str) -> EmailMessage:
    """The message, when it has come."""

    def come() -> EmailMessage | None:
        found = (each for each in box.taken if each["To"] == f"{to}@mail.example")
        return next((each for each in found if each["Subject"].startswith(subject)), None)

    return until(come)


def tap(message: EmailMessage, button: str) -> None:
    """Open the link that stands behind the words of a button, and press it."""
    text = message.get_content().replace("\r\n", "\n")
    found = re.search(rf"^{button}: (http\S+)$", text, re.MULTILINE)
    assert found is not None, text
    with httpx.Client() as browser:
        page = browser.get(found[1])
        token = re.search(r'name="csrf" value="([^"]*)"', page.text)
        assert token is not None, page.text
        done = browser.post(found[1], data={"csrf": token[1]}, headers={"Origin": "null"})
        assert done.status_code == 200, done.text


def test_a_place_that_is_given_back_by_a_tap_is_taken_by_a_tap(
    mongodb_uri: str, tmp_path: Path
) -> None:
    with mails() as (box, port), clinic(mongodb_uri, tmp_path, port) as house:
        house.put(*schedule())
        for name in ("anna", "eve"):
            house.put({"resourceType": "Patient", "id": name})
            house.account(
                Account(f"account-{name}", f"{name}@mail.example", name, 2, 0, patient=name)
            )
        anna, eve = person("anna"), person("eve")
        body = {
            "resourceType": "Parameters",
            "parameter": [{"name": "slot", "valueString": "t"}],
        }
        booked = house.ask(anna, "POST", "/Appointment/$book", body)
        assert booked.status_code == 201, booked.text
        entry = {
            "resourceType": "Appointment",
            "status": "waitlist",
            "specialty": CONCEPT,
            "participant": [{"actor": {"reference": "Patient/eve"}, "status": "accepted"}],
        }
        joined = house.ask(eve, "POST", "/Appointment", entry)
        assert joined.status_code == 201, joined.text

        tap(mail(box, "anna", "Your visit is booked"), "Cancel the visit")
        mail(box, "anna", "Your visit is cancelled")
        tap(mail(box, "eve", "A place has become free"), "Take the place")
        mail(box, "eve", "Your visit is booked")

        visit = house.ask(eve, "GET", f"/Appointment/{joined.json()['id']}").json()
        assert (visit["status"], visit["slot"]) == ("booked", [{"reference": "Slot/t"}])
        topics = {
            each["resource"]["topic"]["coding"][0]["code"]
            for each in house.ask(eve, "GET", "/Communication").json()["entry"]
        }
        assert topics == {"waitlist-joined", "waitlist-offered", "waitlist-accepted"}
        names = [each["Message-ID"] for each in box.taken]
        assert len(names) == len(set(names)) == 5
