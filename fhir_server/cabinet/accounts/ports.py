"""What the account flows are handed: state, the clinic's records, mail, clock and chance."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fhir_server.cabinet.accounts.codes import Choose
from fhir_server.cabinet.accounts.events import AccountEvents, Untold
from fhir_server.cabinet.accounts.hashing import Hasher
from fhir_server.cabinet.accounts.mail import Outbox
from fhir_server.cabinet.accounts.matching import Claim
from fhir_server.cabinet.accounts.policy import AccountPolicy
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.smart.ports import Ports
from fhir_server.store.accounts import Account, AccountState


@dataclass(frozen=True, slots=True)
class Record:
    """A patient whose record an account may open."""

    patient: str
    """Logical id."""
    name: str
    own: bool


class Records(Protocol):
    """The clinic's records, as far as accounts look into them."""

    async def matching(self, claim: Claim) -> Sequence[JsonObject]:
        """Patients that match a claim, two at most."""

    async def identified(self, identifiers: Sequence[tuple[str, str]]) -> Sequence[JsonObject]:
        """Patients with one of these identifiers, (system, value); a few at most."""

    async def patient(self, id_: str) -> JsonObject | None:
        """The Patient."""

    async def missing_consents(self, patient: str) -> Sequence[Text]:
        """Titles of the consents without which the cabinet stays shut."""

    async def person(self, patient: JsonObject, email: str, level: int) -> str:
        """The id of the Person that stands for an account of this patient; it is made, or its
        link's assurance is set to `level`."""

    async def of_account(self, account: Account) -> Sequence[Record]:
        """Whose records the account may open now: its own first, then those represented."""


@dataclass(frozen=True, slots=True)
class AccountPorts:
    """Everything together."""

    state: AccountState
    smart: Ports
    records: Records
    hasher: Hasher
    mail: Outbox
    policy: AccountPolicy
    issuer: str
    """Absolute URL without a trailing slash; links in messages begin with it."""
    choose: Choose
    events: AccountEvents = field(default_factory=Untold)

    @property
    def now(self) -> Callable[[], int]:
        """Milliseconds since 1970."""
        return self.smart.now

    @property
    def new_id(self) -> Callable[[], str]:
        return self.smart.new_id

    @property
    def new_secret(self) -> Callable[[], str]:
        """256 random bits."""
        return self.smart.new_secret
