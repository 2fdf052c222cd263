"""What brings a delivery to its address, and how it fails."""

from hashlib import sha256
from typing import Final, Protocol

from fhir_server.store.outgoing import Delivery

_REFERENCE: Final = 32  # characters; gateways of SMS take no longer ones
LONGEST_WAIT: Final = 86_400.0
"""Seconds for which a recipient can put us off."""


class Undeliverable(Exception):
    """It will never arrive; `reason` is a code, and names nobody."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class TryLater(Exception):
    """It did not arrive this time, or nobody knows whether it did."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        """`after`: how many seconds the recipient asks us to wait."""
        self.reason = reason
        self.after = after if after is None else min(max(after, 0.0), LONGEST_WAIT)
        super().__init__(reason)


class Carrier(Protocol):
    """One channel."""

    async def send(self, delivery: Delivery) -> None:
        """Bring it to its address; the recipient is told `reference(delivery.key)`, by which
        it knows what it has already.

        Raises:
            Undeliverable, TryLater: as they say.
        """


def reference(key: str) -> str:
    """The key of a delivery as others get it: 32 hexadecimal digits that tell nothing."""
    return sha256(key.encode()).hexdigest()[:_REFERENCE]


def waited(header: str | None) -> float | None:
    """The seconds of a `Retry-After`; None where it says none, or a date.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    said = (header or "").strip()
    return (
        float(said) if said.isascii() and said.isdigit() and len(said) <= len("86400") else None
    )
