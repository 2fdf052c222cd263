"""Where messages to people go: an SMTP server, a folder, or the log of a development server.

A message that the SMTP server does not take is tried again, a few times in a few minutes; its
content is never logged.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Final

import aiosmtplib
import structlog

from fhir_server.cabinet.accounts.mail import Mail

PAUSES: Final = (5.0, 30.0, 120.0)
"""Seconds before each further try."""
SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Who delivers."""

    host: str
    port: int = 587
    user: str = ""
    password: str = ""
    encryption: str = "starttls"
    """`starttls`, `tls` (from the first byte) or `none`."""


def message(mail: Mail, sender: str) -> EmailMessage:
    """The message as it travels.

    Raises:
        ValueError: an address would break out of its header.
    """
    found = EmailMessage(policy=SMTP)
    found["From"] = sender
    found["To"] = mail.to
    found["Subject"] = mail.subject
    found["Date"] = formatdate()
    found["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].strip("<> ") or None)
    found["Auto-Submitted"] = "auto-generated"
    found.set_content(mail.text)
    return found


class SmtpOutbox:
    """`accounts.mail.Outbox` over SMTP."""

    def __init__(
        self,
        server: SmtpServer,
        sender: str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._server = server
        self._sender = sender
        self._sleep = sleep
        self._log = structlog.get_logger()

    async def send(self, mail: Mail) -> None:
        """As the port says."""
        travelling = message(mail, self._sender)
        for pause in (*PAUSES, None):
            try:
                await self._deliver(travelling)
            except (aiosmtplib.SMTPException, OSError) as error:
                self._log.warning("mail not sent", error=type(error).__name__)
                if pause is None or isinstance(error, aiosmtplib.SMTPRecipientsRefused):
                    return
                await self._sleep(pause)
            else:
                return

    async def _deliver(self, travelling: EmailMessage) -> None:
        server = self._server
        await aiosmtplib.send(
            travelling,
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            use_tls=server.encryption == "tls",
            start_tls=server.encryption == "starttls",
            timeout=SECONDS,
        )


class FolderOutbox:
    """Each message a file `….eml`, for development."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    async def send(self, mail: Mail) -> None:
        """As the port says."""
        content = message(mail, self._sender).as_bytes()
        await asyncio.to_thread(self._write, content)

    def _write(self, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        name = f"{time.time_ns()}-{secrets.token_hex(4)}.eml"  # in order; of any process
        (self._folder / name).write_bytes(content)


class ConsoleOutbox:
    """Messages on the server's own output; whoever reads that can sign in as anybody."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    async def send(self, mail: Mail) -> None:
        """As the port says."""
        self._write(f"\nTo: {mail.to}\nSubject: {mail.subject}\n\n{mail.text}")
