"""What the rules of accounts ask of storage; `store.mongo.accounts` is the adapter.

Times are milliseconds since 1970. A field named `…_digest` is the hash of a secret that only
its holder has. Whatever may be used once is used by one atomic update: of any number of
callers in any number of processes exactly one is told that it was first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from fhir_server.access.principal import Purpose
from fhir_server.core.messages import Language

Standing = Literal["active", "locked", "closed"]
AccountPermission = Literal["break-glass"]
"""What an operator allows a person of the staff besides what their apps' scopes do."""
CodePurpose = Literal["register", "reset", "second-step", "confirm"]
"""What a code that was sent may be used for; `confirm` is a new e-mail address."""


@dataclass(frozen=True, slots=True)
class Passkey:
    """A credential of WebAuthn."""

    id: str
    """base64url, as the browser names it."""
    public_key: bytes
    sign_count: int
    label: str
    created: int


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can sign in."""

    id: str
    """Without meaning; `sub` in tokens."""
    email: str
    """In the form of `cabinet.accounts.emails.normal`; no two accounts share one. Empty: who
    signs in through an identity provider may have none."""
    name: str
    """How pages greet the person."""
    level: int
    """Assurance of identity: 1 an e-mail address, 2 compared with a record, 3 in person or by
    a state's identity provider."""
    created: int
    standing: Standing = "active"
    password_hash: str = field(default="", repr=False)
    """Of argon2; empty: there is no password."""
    password_changed: int = 0
    patient: str | None = None
    """Logical id of the person's own record."""
    person: str | None = None
    """Logical id of the Person that is the account's face in FHIR."""
    user: str | None = None
    """`fhirUser`."""
    staff: bool = False
    organizations: tuple[str, ...] = ()
    permissions: frozenset[AccountPermission] = frozenset()
    purpose: Purpose = "PATRQT"
    language: Language = "en"
    totp_secret: str = field(default="", repr=False)
    """Base32, of an authenticator app; empty: there is none."""
    totp_step: int = 0
    """The last time step whose code was taken: none is taken twice."""
    mailed_codes: bool = False
    """The second step of a sign-in is a code sent by e-mail."""
    passkeys: tuple[Passkey, ...] = ()
    upstream: tuple[str, ...] = ()
    """`provider|subject` of identity providers that know this person."""
    last_sign_in: int | None = None

    @property
    def has_second_step(self) -> bool:
        """Whether a password alone does not do."""
        return bool(self.totp_secret) or self.mailed_codes


@dataclass(frozen=True, slots=True)
class SentCode:
    """A code on its way to somebody's mailbox."""

    key: str
    """Purpose and whom it is for: a new one takes the place of the old."""
    purpose: CodePurpose
    email: str
    digest: str
    expires: int
    account: str | None = None
    patient: str | None = None
    """Logical id of the record that a registration was matched with."""
    level: int = 1
    """Assurance that the registration comes to."""
    tries: int = 0
    """How often a wrong one was given in its place."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """A patient was asked to register."""

    digest: str
    patient: str
    email: str
    expires: int
    used: int | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A browser in which somebody has signed in."""

    digest: str
    account: str
    created: int
    expires: int


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """A person who has passed one step and has another before them."""

    digest: str
    account: str
    amr: tuple[str, ...]
    expires: int
    request: str | None = None
    """What the sign-in is for, as the pages name it."""
    challenge: str = ""
    """Of WebAuthn, base64url; of a sign-in elsewhere the provider's name."""
    kind: Literal["step", "passkey", "upstream"] = "step"
    """Which of the three it is: none can be used as another."""
    used: int | None = None


class Accounts(Protocol):
    """The accounts."""

    async def find(self, id_: str) -> Account | None:
        """Whatever its standing."""

    async def by_email(self, email: str) -> Account | None:
        """By the normal form of an address."""

    async def by_patient(self, patient: str) -> Sequence[Account]:
        """Those whose own record this is."""

    async def by_person(self, person: str) -> Sequence[Account]:
        """Those whose face in FHIR this Person is (a logical id)."""

    async def by_upstream(self, identity: str) -> Account | None:
        """By `provider|subject`."""

    async def by_passkey(self, credential: str) -> Account | None:
        """By the id of a passkey."""

    async def add(self, account: Account) -> bool:
        """Keep a new one; False where its e-mail address, or its name upstream, is taken."""

    async def change(self, account: Account, **values: object) -> None:
        """Set fields of an account."""

    async def take_step(self, account: str, step: int) -> bool:
        """Use up a time step of an authenticator; whether it and no later one was used."""


class Codes(Protocol):
    """Codes that were sent."""

    async def put(self, code: SentCode) -> None:
        """Keep it, in place of one with the same key."""

    async def find(self, key: str) -> SentCode | None:
        """Without using it up; its expiry is the caller's to check."""

    async def take(self, key: str, digest: str, now: int, tries: int) -> SentCode | None:
        """Use it up, if it is the right one, in time, and fewer than `tries` were wrong."""

    async def failed(self, key: str) -> None:
        """Count a wrong one."""

    async def register(
        self, key: str, digest: str, now: int, tries: int, account: Account
    ) -> bool:
        """`take` and `Accounts.add` together or not at all; whether both were done."""


class Invitations(Protocol):
    """Invitations to register."""

    async def put(self, invitation: Invitation) -> None:
        """Keep a new one; those that the patient had before are over."""

    async def find(self, digest: str) -> Invitation | None:
        """Used or not."""

    async def live(self, patient: str, email: str, now: int) -> Invitation | None:
        """One that this patient may still use."""

    async def use(self, digest: str, now: int) -> bool:
        """Whether this is its first use."""


class PendingSignIns(Protocol):
    """Sign-ins between their steps."""

    async def put(self, pending: PendingSignIn) -> None:
        """Keep a new one."""

    async def find(self, digest: str) -> PendingSignIn | None:
        """Used or not; its expiry is the caller's to check."""

    async def use(self, digest: str, now: int) -> bool:
        """Whether this is its first use."""


class Devices(Protocol):
    """Browsers that are known."""

    async def put(self, device: Device) -> None:
        """Keep a new one."""

    async def find(self, digest: str) -> Device | None:
        """Its expiry is the caller's to check."""


class Attempts(Protocol):
    """How often something was tried."""

    async def count(self, key: str, now: int, window: int) -> tuple[int, int]:
        """Count one more; how many there were in this window (milliseconds, from the first
        one on), and when the window ends."""

    async def seen(self, key: str, now: int) -> tuple[int, int]:
        """The same without counting."""

    async def forget(self, key: str) -> None:
        """Begin anew."""


@dataclass(frozen=True, slots=True)
class AccountState:
    """All of it together."""

    accounts: Accounts
    codes: Codes
    invitations: Invitations
    pending: PendingSignIns
    attempts: Attempts
    devices: Devices
