"""What the account flows are handed: state, the clinic's records, mail, clock and chance."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fhir_server.access.principal import Principal
from fhir_server.access.required import Required
from fhir_server.cabinet.accounts.codes import Choose
from fhir_server.cabinet.accounts.events import AccountEvents, Untold
from fhir_server.cabinet.accounts.hashing import Hasher
from fhir_server.cabinet.accounts.mail import Outbox
from fhir_server.cabinet.accounts.matching import Claim
from fhir_server.cabinet.accounts.policy import AccountPolicy
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


@dataclass(frozen=True, slots=True)
class Encounter:
    """A visit, as a person recognises it."""

    id: str
    began: str
    """FHIR date or time, of any precision; empty: unknown."""
    kind: str
    """In the words of the record; empty: none."""
    code: str
    """`Encounter.class`: `AMB`, `IMP`, …"""
    place: str


class Records(Protocol):
    """The clinic's records, as far as accounts look into them."""

    async def matching(self, claim: Claim) -> Sequence[JsonObject]:
        """Patients that match a claim, two at most."""

    async def identified(self, identifiers: Sequence[tuple[str, str]]) -> Sequence[JsonObject]:
        """Patients with one of these identifiers, (system, value); a few at most."""

    async def patient(self, id_: str) -> JsonObject | None:
        """The Patient."""

    async def missing_consents(self, patient: str) -> Sequence[Required]:
        """The consents without which the cabinet stays shut."""

    async def encounters(self, who: Principal, id_: str | None = None) -> Sequence[Encounter]:
        """Those of the patient in context that the bearer of such a token may see, newest
        first and not all; `id_`: that one, if it is among them."""

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
