"""What happens to accounts, for whoever keeps the audit.

    signed-in          `reason` lists the methods (`amr`)
    refused            somebody could not prove who they are; `account` where it is known
    signed-out
    invited            a patient was asked to register; no account yet
    registered         `reason`: by a code, or the provider's name
    password-changed
    locked, unlocked   by the operator
    permitted, forbidden   by the operator: to declare emergencies
    second-step        an authenticator, mailed codes or a passkey was added or removed

https://profiles.ihe.net/ITI/BALP/
"""

from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal[
    "signed-in",
    "refused",
    "signed-out",
    "invited",
    "registered",
    "password-changed",
    "second-step",
    "locked",
    "unlocked",
    "permitted",
    "forbidden",
]


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """One thing that happened."""

    kind: Kind
    account: str | None = None
    patient: str | None = None
    """Logical id of the person's own record."""
    user: str | None = None
    """`fhirUser` of staff."""
    session: str | None = None
    network: str = ""
    """The network address that asked, where somebody did."""
    reason: str = ""


class AccountEvents(Protocol):
    """Who is told; the answer waits until it is."""

    async def tell(self, event: AccountEvent) -> None:
        """Keep it."""


class Untold:
    """Where nobody keeps an audit."""

    async def tell(self, event: AccountEvent) -> None:
        """Let it pass."""
