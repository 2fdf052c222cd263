"""E-mail over a real SMTP server: what arrives, and what its answers mean.

https://www.rfc-editor.org/rfc/rfc5321
"""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from fhir_server.delivery.carriers import TryLater, Undeliverable, reference
from fhir_server.delivery.smtp import SmtpCarrier, SmtpServer
from fhir_server.store.outgoing import Delivery
from tests.support.certificates import Authority
from tests.support.mailing import Mailbox, knows, mail_server
from tests.support.telling import delivery

pytestmark = pytest.mark.anyio

SENDER = "Clinic <no-reply@clinic.example>"
ANNA = delivery("a")


async def sent(box: Mailbox, one: Delivery = ANNA, **more: Any) -> None:
    async with mail_server(box, **more) as server:
        await SmtpCarrier(server, SENDER).send(one)


async def test_a_message_arrives() -> None:
    box = Mailbox()
    content = {"subject": "Напоминание о визите", "text": "Завтра в 10:30\n"}
    await sent(box, replace(ANNA, content=content))
    (found,) = box.taken
    assert found["From"] == SENDER
    assert found["To"] == "anna@mail.example"
    assert found["Subject"] == "Напоминание о визите"
    assert found["Auto-Submitted"] == "auto-generated"
    assert found.get_content().strip() == "Завтра в 10:30"


async def test_the_message_id_is_the_same_whenever_it_is_sent() -> None:
    box = Mailbox()
    await sent(box)
    await sent(box)
    await sent(box, delivery("b"))
    first, again, other = (each["Message-ID"] for each in box.taken)
    assert first == again == f"<{reference('a/email/0')}@clinic.example>"
    assert other != first


async def test_a_visit_comes_as_a_calendar_too() -> None:
    box = Mailbox()
    calendar = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
    await sent(box, replace(ANNA, content={**ANNA.content, "calendar": calendar}))
    (attached,) = box.taken[0].iter_attachments()
    assert attached.get_content_type() == "text/calendar"
    assert attached.get_filename() == "visit.ics"
    assert attached.get_payload(decode=True) == calendar.encode()


@pytest.mark.parametrize(
    ("box", "error", "reason"),
    [
        (Mailbox(recipient="550 5.1.1 anna unknown"), Undeliverable, "smtp 550 5.1.1"),
        (Mailbox(recipient="553 no such box"), Undeliverable, "smtp 553"),
        (Mailbox(recipient="450 4.2.1 greylisted"), TryLater, "smtp 450 4.2.1"),
        (Mailbox(recipient="452 4.2.2 anna is full"), TryLater, "smtp 452 4.2.2"),
        (Mailbox(message="554 5.7.1 spam"), Undeliverable, "smtp 554 5.7.1"),
        (Mailbox(message="451 4.3.0 later"), TryLater, "smtp 451 4.3.0"),
    ],
)
async def test_what_the_server_says_of_recipient_and_message(
    box: Mailbox, error: type[TryLater | Undeliverable], reason: str
) -> None:
    with pytest.raises(error) as raised:
        await sent(box)
    assert isinstance(raised.value, (TryLater, Undeliverable))
    assert raised.value.reason == reason
    assert box.taken == []


async def test_a_server_that_is_not_there_may_come_back() -> None:
    async with mail_server(Mailbox()) as server:
        pass
    with pytest.raises(TryLater, match="unreachable"):
        await SmtpCarrier(server, SENDER).send(ANNA)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@asynccontextmanager
async def guarded(box: Mailbox, authority: Authority) -> AsyncIterator[SmtpServer]:
    """A server that wants STARTTLS and the password `secret`."""
    pair = authority.pair("127.0.0.1")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.cert, pair.key)
    wants = {"auth_required": True, "authenticator": knows(password="secret")}
    async with mail_server(box, tls_context=context, require_starttls=True, **wants) as server:
        yield replace(
            server, encryption="starttls", user="clinic", password="secret",
            trust=authority.trusting(),
        )  # fmt: skip


async def test_with_a_password_over_tls(authority: Authority) -> None:
    box = Mailbox()
    async with guarded(box, authority) as server:
        await SmtpCarrier(server, SENDER).send(ANNA)
    assert len(box.taken) == 1


async def test_a_wrong_password_is_the_operators_to_mend(authority: Authority) -> None:
    async with guarded(Mailbox(), authority) as server:
        with pytest.raises(TryLater, match="smtp 535"):
            await SmtpCarrier(replace(server, password="old"), SENDER).send(ANNA)


async def test_a_certificate_that_nobody_trusts(authority: Authority) -> None:
    box = Mailbox()
    async with guarded(box, authority) as server:
        with pytest.raises(TryLater, match="unreachable"):
            await SmtpCarrier(replace(server, trust=None), SENDER).send(ANNA)
    assert box.taken == []


async def test_nothing_is_sent_in_the_clear_where_tls_is_wanted() -> None:
    box = Mailbox()
    async with mail_server(box) as server:
        wanting = SmtpServer(server.host, server.port, encryption="starttls")
        with pytest.raises(TryLater, match="not-supported"):
            await SmtpCarrier(wanting, SENDER).send(ANNA)
    assert box.taken == []


async def test_an_address_that_the_server_cannot_write() -> None:
    with pytest.raises(Undeliverable, match="no-smtputf8"):
        await sent(Mailbox(), replace(ANNA, to="анна@почта.рф"), enable_SMTPUTF8=False)


async def test_an_address_in_another_script() -> None:
    box = Mailbox()
    await sent(box, replace(ANNA, to="анна@почта.рф"), enable_SMTPUTF8=True)
    assert box.taken[0]["To"] == "анна@почта.рф"


async def test_an_address_cannot_break_out_of_its_header() -> None:
    box = Mailbox()
    with pytest.raises(Undeliverable, match="bad-address"):
        await sent(box, replace(ANNA, to="a@b.cc\r\nBcc: x@y.zz"))
    assert box.taken == []
