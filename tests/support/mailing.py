"""A real SMTP server, that answers as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from fhir_server.delivery.smtp import SmtpServer

TAKEN = "250 OK"


@dataclass
class Mailbox:
    """What the server says to recipients and messages, and what it took."""

    recipient: str = TAKEN
    message: str = TAKEN
    taken: list[EmailMessage] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802  # its name in aiosmtpd
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _: list[str]
    ) -> str:
        del server, session
        if self.recipient == TAKEN:
            envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(  # noqa: N802  # its name in aiosmtpd
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        del server, session
        if self.message == TAKEN:
            content = envelope.original_content
            assert content is not None
            found = message_from_bytes(content, policy=policy.default)
            assert isinstance(found, EmailMessage)
            self.taken.append(found)
        return self.message


def knows(*, password: str) -> Any:
    """An authenticator to whom that password is right, whoever has it."""

    def authenticate(*given: Any) -> AuthResult:
        data = given[-1]
        return AuthResult(success=data.password == password.encode(), handled=False)

    return authenticate


@asynccontextmanager
async def mail_server(box: Mailbox, **more: Any) -> AsyncIterator[SmtpServer]:
    """It listens while the context lasts; `more` as aiosmtpd has it."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(box, hostname="mail.example", **more), "127.0.0.1", 0
    )
    async with server:
        yield SmtpServer("127.0.0.1", server.sockets[0].getsockname()[1], encryption="none")
