"""Messages about accounts: kept until they are sent, or until what they carry is over."""

import email
from email import policy
from pathlib import Path

import pytest

from fhir_server.cabinet.accounts.mail import (
    INVITED,
    REGISTER,
    RESET,
    SECOND_STEP,
    Letter,
    Mail,
)
from fhir_server.cabinet.accounts.mail import PASSWORD_CHANGED as CHANGED
from fhir_server.cabinet.accounts.posted import PostedMail
from fhir_server.delivery.carriers import Undeliverable
from fhir_server.delivery.mailbox import ConsoleCarrier, FolderCarrier
from fhir_server.store.mongo.outbox import MongoOutbox
from fhir_server.store.outgoing import Delivery
from tests.support.telling import NOW, delivery

pytestmark = pytest.mark.anyio

SENDER = "no-reply@clinic.example"


async def test_a_message_about_an_account_waits_in_the_outbox(outbox: MongoOutbox) -> None:
    letter = SECOND_STEP.to("anna@mail.example", "uk", code="123456", minutes=10)
    await PostedMail(outbox, lambda: "new", lambda: NOW).send(letter)
    held = await outbox.lease("test", ["email"], NOW, 30)
    assert held is not None
    content = {"subject": letter.subject, "text": letter.text}
    assert held.of == Delivery("account/new", "email", "anna@mail.example", content, NOW)
    assert (held.kind, held.until) == ("account", NOW + 600_000)
    found = await outbox.find("account/new")
    assert found is not None
    assert "123456" not in str(found)


@pytest.mark.parametrize(
    ("letter", "places", "seconds"),
    [
        (INVITED, {"days": 7}, 604_800),
        (REGISTER, {"hours": 24, "code": "A"}, 86_400),
        (RESET, {"hours": 1, "code": "A"}, 3600),
        (SECOND_STEP, {"minutes": 10, "code": "1"}, 600),
        (CHANGED, {}, 259_200),
    ],
)
def test_a_message_is_sent_as_long_as_what_it_says_holds(
    letter: Letter, places: dict[str, object], seconds: int
) -> None:
    found = letter.to("a@b.cc", "en", link="https://x", **places)
    assert found.seconds == seconds
    assert found.to == "a@b.cc"


def test_a_message_that_names_no_time() -> None:
    assert Mail("a@b.cc", "s", "t").seconds == 259_200


async def test_messages_as_files(tmp_path: Path) -> None:
    await FolderCarrier(tmp_path / "new", SENDER).send(delivery("a"))
    (file,) = (tmp_path / "new").iterdir()
    found = email.message_from_bytes(file.read_bytes(), policy=policy.default)
    assert found["From"] == SENDER
    assert found["To"] == "anna@mail.example"
    bad = Delivery("b", "email", "a@b.cc\r\nBcc: x@y.zz", delivery("b").content)
    with pytest.raises(Undeliverable, match="bad-address"):
        await FolderCarrier(tmp_path / "new", SENDER).send(bad)


async def test_messages_on_the_console() -> None:
    said: list[str] = []
    await ConsoleCarrier(said.append).send(delivery("a"))
    assert "10:30" in said[0]
