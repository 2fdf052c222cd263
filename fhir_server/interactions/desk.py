"""What operations ask of the cabinet behind FHIR: accounts, relations, what consents are due.

`assembly.desk` answers. Whoever asks decides first whether the caller may see the patient.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from fhir_server.access.proxies import Represented
from fhir_server.access.required import Demanded
from fhir_server.core.messages import Language
from fhir_server.core.types import JsonObject

Refusal = Literal["no-email", "email-mismatch", "account-exists", "registration-closed"]


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """An account, as much of it as FHIR tells."""

    locked: bool
    level: int
    """Identity assurance, 1 to 3."""


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that is on its way."""

    email: str
    expires: int
    """Milliseconds since 1970."""


class NotInvitedError(Exception):
    """The patient cannot be invited."""

    def __init__(self, reason: Refusal) -> None:
        self.reason: Refusal = reason
        super().__init__(reason)


class Desk(Protocol):
    """The cabinet's own knowledge. Patients are named by logical id."""

    async def demanded(self, patient: str) -> Sequence[Demanded]:
        """Every consent that the cabinet of the patient demands."""

    async def account(self, id_: str) -> KnownAccount | None:
        """The account of this id."""

    async def accounts(self, patient: str) -> Sequence[KnownAccount]:
        """Those whose own record this is."""

    async def represents(self, user: str) -> Sequence[Represented]:
        """For whom `user` (a reference) may act now."""

    async def acting(self, relations: Sequence[JsonObject]) -> Sequence[Represented]:
        """What each of `relations` (RelatedPersons) lets its person do now."""

    async def address(self, patient: JsonObject, email: str | None) -> str:
        """Where an invitation of this Patient would go: `email`, or the first address.

        Raises:
            NotInvitedError: nowhere.
        """

    async def invite(self, patient: str, email: str, language: Language) -> Invited:
        """Make an invitation that ends the former ones, and send it."""
