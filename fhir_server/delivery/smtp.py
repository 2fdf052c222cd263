"""E-mail by SMTP: one message to one address, and what the server's answers mean.

Content: `subject` and `text`; as wanted `calendar`, an iCalendar object.

https://www.rfc-editor.org/rfc/rfc5321
https://www.rfc-editor.org/rfc/rfc5322
"""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from typing import Any, Final

import aiosmtplib

from fhir_server.delivery.carriers import TryLater, Undeliverable, reference
from fhir_server.store.outgoing import Delivery

SECONDS: Final = 20.0

_ENHANCED: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b", re.ASCII)
_FOR_GOOD: Final = 500
_AWAY: Final = (
    aiosmtplib.SMTPConnectError,
    aiosmtplib.SMTPServerDisconnected,
    aiosmtplib.SMTPTimeoutError,
    OSError,
)


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Who delivers."""

    host: str
    port: int = 587
    user: str = ""
    password: str = ""
    encryption: str = "starttls"
    """`starttls`, `tls` (from the first byte) or `none`."""
    trust: ssl.SSLContext | None = None
    """Whose certificates are believed; None: those that the machine trusts."""


def message(delivery: Delivery, sender: str) -> EmailMessage:
    """The message as it travels; its Message-ID is the same whenever it is sent.

    Raises:
        ValueError: an address would break out of its header.
    """
    content: Mapping[str, Any] = delivery.content
    domain = sender.rpartition("@")[2].strip("<> ") or "localhost"
    found = EmailMessage(policy=SMTP)
    found["From"] = sender
    found["To"] = delivery.to
    found["Subject"] = content["subject"]
    found["Date"] = formatdate()
    found["Message-ID"] = f"<{reference(delivery.key)}@{domain}>"
    found["Auto-Submitted"] = "auto-generated"
    found.set_content(content["text"])
    if "calendar" in content:
        found.add_attachment(
            content["calendar"].encode(),
            maintype="text",
            subtype="calendar",
            filename="visit.ics",
            params={"charset": "utf-8", "method": "PUBLISH"},
        )
    return found


class SmtpCarrier:
    """`carriers.Carrier` of e-mail."""

    def __init__(self, server: SmtpServer, sender: str, seconds: float = SECONDS) -> None:
        self._server = server
        self._sender = sender
        self._seconds = seconds

    async def send(self, delivery: Delivery) -> None:
        """As the port says."""
        try:
            travelling = message(delivery, self._sender)
        except ValueError as error:
            raise Undeliverable("bad-address") from error
        try:
            await self._hand_over(travelling)
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _refused(error.recipients[0]) from error
        except aiosmtplib.SMTPDataError as error:
            raise _refused(error) from error
        except aiosmtplib.SMTPNotSupported as error:
            if not delivery.to.isascii():
                raise Undeliverable("no-smtputf8") from error
            raise TryLater("not-supported") from error
        except aiosmtplib.SMTPResponseException as error:
            # Of the sender or the password: not the message's fault; an operator mends it.
            raise TryLater(code_of(error)) from error
        except _AWAY as error:
            raise TryLater("unreachable") from error
        except aiosmtplib.SMTPException as error:  # no STARTTLS, no way to sign in
            raise TryLater("not-supported") from error

    async def _hand_over(self, travelling: EmailMessage) -> None:
        server = self._server
        await aiosmtplib.send(
            travelling,
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            use_tls=server.encryption == "tls",
            start_tls=server.encryption == "starttls",
            tls_context=server.trust,
            timeout=self._seconds,
        )


def _refused(error: aiosmtplib.SMTPResponseException) -> TryLater | Undeliverable:
    """What the server said of the recipient or the message."""
    kind = Undeliverable if error.code >= _FOR_GOOD else TryLater
    return kind(code_of(error))


def code_of(error: aiosmtplib.SMTPResponseException) -> str:
    """The codes of an answer without its text, which may name somebody."""
    enhanced = _ENHANCED.match(error.message)
    return f"smtp {error.code}" + (f" {enhanced[0]}" if enhanced else "")
