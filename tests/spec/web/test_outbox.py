"""Messages as they leave: SMTP, a folder, the console; and accounts for a demonstration.

https://www.rfc-editor.org/rfc/rfc5321
"""

import asyncio
import email
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import policy
from pathlib import Path

import httpx
import pytest

from fhir_server.assembly.providers import ProvidersFileError, providers
from fhir_server.cabinet.accounts import demo
from fhir_server.cabinet.accounts.mail import REGISTER, Mail
from fhir_server.web.outbox import (
    ConsoleOutbox,
    FolderOutbox,
    SmtpOutbox,
    SmtpServer,
    message,
)
from fhir_server.web.upstream.id_gov_ua import IdGovUaProvider
from fhir_server.web.upstream.openid import OpenIdProvider
from tests.support.smart import CALLBACK
from tests.support.web import Cabinet

pytestmark = pytest.mark.anyio

SENDER = "no-reply@clinic.example"
LETTER = REGISTER.to("анна@почта.рф", "ru", code="ABCDE-FGHJK", link="https://x", hours=24)


@dataclass
class Smtp:
    """A mail server that takes what it is given, after `refusals` refusals."""

    refusals: int = 0
    port: int = 0
    bodies: list[str] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 test\r\n")
        while line := (await reader.readline()).decode():
            verb = line.strip().upper().partition(" ")[0].partition(":")[0]
            if verb == "EHLO":
                writer.write(b"250-test\r\n250 SMTPUTF8\r\n")
            elif verb == "MAIL" and self.refusals > 0:
                self.refusals -= 1
                writer.write(b"451 later\r\n")
            elif verb == "DATA":
                writer.write(b"354 go\r\n")
                self.bodies.append((await reader.readuntil(b"\r\n.\r\n")).decode())
                writer.write(b"250 taken\r\n")
            elif verb == "QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 ok\r\n")
            await writer.drain()
        writer.close()


@asynccontextmanager
async def listening(smtp: Smtp) -> AsyncIterator[SmtpServer]:
    server = await asyncio.start_server(smtp.talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield SmtpServer("127.0.0.1", port, encryption="none")


async def no_pause(_: float) -> None:
    """Time is not what is tested."""


@pytest.mark.parametrize("refusals", [0, 2])
async def test_a_message_is_delivered_sooner_or_later(refusals: int) -> None:
    smtp = Smtp(refusals)
    async with listening(smtp) as server:
        to = Mail("anna@mail.example", LETTER.subject, LETTER.text)
        await SmtpOutbox(server, SENDER, no_pause).send(to)
    (body,) = smtp.bodies
    found = email.message_from_string(body, policy=policy.default)
    assert found["To"] == "anna@mail.example"
    assert found["Subject"] == "Код для регистрации"
    assert "ABCDE-FGHJK" in found.get_body().get_content()  # type: ignore[union-attr]


async def test_a_server_that_never_takes_it_is_given_up() -> None:
    smtp = Smtp(refusals=99)
    async with listening(smtp) as server:
        await SmtpOutbox(server, SENDER, no_pause).send(Mail("a@b.cc", "s", "t"))
    assert smtp.bodies == []
    assert smtp.refusals == 99 - 4


async def test_an_address_cannot_break_out_of_its_header() -> None:
    with pytest.raises(ValueError, match="linefeed"):
        message(Mail("a@b.cc\r\nBcc: x@y.zz", "s", "t"), SENDER)


async def test_messages_as_files_and_on_the_console(tmp_path: Path) -> None:
    await FolderOutbox(tmp_path / "new", SENDER).send(LETTER)
    (file,) = (tmp_path / "new").iterdir()
    found = email.message_from_bytes(file.read_bytes(), policy=policy.default)
    assert found["From"] == SENDER
    said: list[str] = []
    await ConsoleOutbox(said.append).send(LETTER)
    assert "ABCDE-FGHJK" in said[0]


async def test_demo_accounts_sign_in(pages: Cabinet) -> None:
    found = await demo.seed_demo(pages.site.accounts, (CALLBACK,))
    assert set(found) == {"doctor@demo.example"}  # the others' records are not here
    again = await demo.seed_demo(pages.site.accounts, (CALLBACK,))
    browser = pages.browser()
    await browser.sign_in("doctor@demo.example", again["doctor@demo.example"])
    assert browser.heading == "Your account"
    client = await pages.smart.ports.clients.find(demo.APP)
    assert client is not None
    assert client.redirect_uris == (CALLBACK,)


async def test_the_file_of_identity_providers(tmp_path: Path) -> None:
    file = tmp_path / "providers.json"
    file.write_text(
        """{"bank": {"kind": "openid", "issuer": "https://b.example", "client_id": "c",
        "client_secret": "s", "title": {"en": "B", "ru": "Б", "uk": "Б"}},
        "gov": {"kind": "id.gov.ua", "client_id": "c", "client_secret": "s",
        "systems": ["https://x.example/rnokpp"], "decrypt": ["open"]}}"""
    )
    async with httpx.AsyncClient() as http:
        found = await providers(file, http)
        assert isinstance(found["bank"], OpenIdProvider)
        assert isinstance(found["gov"], IdGovUaProvider)
        assert await providers(None, http) == {}


@pytest.mark.parametrize(
    "content",
    [
        "{",
        '{"b": {"kind": "saml"}}',
        '{"b": {"kind": "openid"}}',
        '{"../b": {"kind": "id.gov.ua", "client_id": "c", "client_secret": "s"}}',
        '{"e": {"kind": "esia", "client_id": "c", "public_key": "none.pem", "sign": ["x"]}}',
    ],
)
async def test_a_file_that_cannot_be_followed(tmp_path: Path, content: str) -> None:
    file = tmp_path / "providers.json"
    file.write_text(content)
    async with httpx.AsyncClient() as http:
        with pytest.raises(ProvidersFileError):
            await providers(file, http)
