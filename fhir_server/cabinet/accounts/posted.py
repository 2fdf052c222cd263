"""Messages about accounts in the outbox: they survive whatever happens to the process, are
tried again, and expire with what they carry.
"""

from collections.abc import Callable
from typing import Final

from fhir_server.cabinet.accounts.mail import Mail
from fhir_server.store.outgoing import Delivery, Outbox

KIND: Final = "account"


class PostedMail:
    """`mail.Outbox` on the outbox."""

    def __init__(
        self, outbox: Outbox, new_id: Callable[[], str], now: Callable[[], int]
    ) -> None:
        self._outbox = outbox
        self._new_id = new_id
        self._now = now

    async def send(self, mail: Mail) -> None:
        """As the port says.

        Raises:
            Unavailable: it could not be kept.
        """
        now = self._now()
        content = {"subject": mail.subject, "text": mail.text}
        delivery = Delivery(f"account/{self._new_id()}", "email", mail.to, content, now)
        await self._outbox.put(delivery, KIND, now + mail.seconds * 1000)
