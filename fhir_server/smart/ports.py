"""What the authorization server asks of its surroundings: state, clock and chance.

`store.mongo.smart` is the adapter for state. Every `use` is one atomic update: of any number of
callers in any number of processes exactly one is told that it was first.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fhir_server.smart.authorization import Parked
from fhir_server.smart.events import Events
from fhir_server.smart.records import (
    AccessToken,
    Client,
    Code,
    Grant,
    Launch,
    RefreshToken,
    Session,
    SigningKey,
    Subject,
)


class Clients(Protocol):
    """The registered apps."""

    async def find(self, id_: str) -> Client | None:
        """The client, whatever its standing."""

    async def put(self, client: Client) -> None:
        """Register it, or replace what was registered."""

    async def remove(self, id_: str) -> bool:
        """Forget it; whether there was one. Its grants are the caller's to revoke."""

    async def all(self) -> Sequence[Client]:
        """By time of registration."""

    async def has_origin(self, origin: str) -> bool:
        """Whether an active client has a redirect URI of this web origin."""


class Grants(Protocol):
    """The authorizations."""

    async def put(self, grant: Grant) -> None:
        """Keep a new one."""

    async def find(self, id_: str) -> Grant | None:
        """The grant, live or not."""

    async def of_account(self, account: str) -> Sequence[Grant]:
        """What a person has granted, newest first, ended ones too."""

    async def of_patient(self, patient: str) -> Sequence[Grant]:
        """What anybody has granted to the record of a patient (logical id), newest first."""

    async def of_session(self, session: str) -> Sequence[Grant]:
        """What was granted in a session."""

    async def touch(self, id_: str, now: int) -> bool:
        """Note that it was used; False where it was revoked meanwhile."""

    async def read(self, times: Mapping[str, int]) -> None:
        """Note when the records were read, by grant; a later time that is known stays."""

    async def revoke(self, id_: str, now: int, reason: str) -> bool:
        """End it, and every token that came of it, before the answer; whether it was live.

        Tokens are removed where it was not, too: one may have been on its way."""

    async def revoke_client(self, client: str, now: int, reason: str) -> None:
        """End all grants and tokens of a client, those of client credentials too."""


class Codes(Protocol):
    """Authorization codes."""

    async def put(self, code: Code) -> None:
        """Keep a new one."""

    async def use(self, digest: str, now: int) -> tuple[Code, bool] | None:
        """The code, and whether this is its first use; None where there is none."""

    async def issued(self, digest: str) -> None:
        """Note that tokens were given for it."""


class RefreshTokens(Protocol):
    """Refresh tokens, current and used."""

    async def put(self, token: RefreshToken) -> None:
        """Keep a new one."""

    async def find(self, digest: str) -> RefreshToken | None:
        """The token, used or not; None where its grant was revoked."""

    async def use(self, digest: str, now: int) -> bool:
        """Whether this is its first use."""


class AccessTokens(Protocol):
    """Access tokens that have not expired or been revoked."""

    async def put(self, token: AccessToken) -> None:
        """Keep a new one."""

    async def find(self, digest: str) -> AccessToken | None:
        """The token; its expiry is the caller's to check."""

    async def remove(self, digest: str) -> None:
        """Revoke this one alone."""


class ParkedRequests(Protocol):
    """Authorization requests that wait for a person."""

    async def put(self, parked: Parked) -> None:
        """Keep a new one."""

    async def find(self, id_: str) -> Parked | None:
        """Without using it up; its expiry is the caller's to check."""

    async def take(self, id_: str) -> bool:
        """Use it up; whether it was still there."""


class Launches(Protocol):
    """Launch contexts."""

    async def put(self, launch: Launch) -> None:
        """Keep a new one."""

    async def find(self, digest: str) -> Launch | None:
        """The launch, used or not."""

    async def use(self, digest: str, now: int) -> bool:
        """Whether this is its first use."""


class Sessions(Protocol):
    """Single sign-on sessions."""

    async def put(self, session: Session) -> None:
        """Keep a new one, or what became of it."""

    async def find(self, id_: str) -> Session | None:
        """By its id, live or not."""

    async def by_digest(self, digest: str) -> Session | None:
        """By its cookie, live or not."""

    async def seen(self, id_: str, now: int, idle_ends: int) -> bool:
        """Prolong it; False where it was ended meanwhile."""

    async def end(self, id_: str, now: int) -> None:
        """Sign out."""

    async def end_account(self, account: str, now: int) -> None:
        """Sign out everywhere."""


class Assertions(Protocol):
    """The `jti` of client assertions."""

    async def first(self, client: str, jti: str, expires: int) -> bool:
        """Whether the client has not used this `jti` before; remembered until `expires`."""


class SigningKeys(Protocol):
    """The keys that this server signs with."""

    async def all(self) -> Sequence[SigningKey]:
        """The newest first; those that have expired may be among them."""

    async def add(self, key: SigningKey) -> bool:
        """Keep it, and forget those that had expired when it was created; False where another
        process has made the key of this number."""


class States(Protocol):
    """What apps have kept here."""

    async def erase(self, codes: Sequence[str]) -> None:
        """Remove every state of these codes (`system|code`), whoever's it is."""


class Subjects(Protocol):
    """What accounts and proxy rules say of a person today."""

    async def current(self, grant: Grant) -> Subject | None:
        """Asked whenever tokens are renewed; None where the account is closed or locked, or
        may no longer open the record that the grant is about."""


class Records(Protocol):
    """The patients and encounters that there are."""

    async def has(self, patient: str, encounter: str | None) -> bool:
        """Whether the patient exists, and the encounter (logical ids) is one of theirs."""


class KeySets(Protocol):
    """The public keys of clients."""

    async def keys(self, client: Client, kid: str) -> Sequence[Mapping[str, Any]]:
        """The client's JWKs, read anew where `kid` is not among those that were cached.

        Raises:
            InvalidClient: they cannot be had.
        """


class Signer(Protocol):
    """Signs id tokens with the current key."""

    async def sign(self, claims: Mapping[str, Any]) -> str:
        """A JWS of RS256 whose `kid` is in the published key set."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything together, handed to the flows."""

    clients: Clients
    grants: Grants
    codes: Codes
    refresh_tokens: RefreshTokens
    access_tokens: AccessTokens
    parked: ParkedRequests
    launches: Launches
    sessions: Sessions
    assertions: Assertions
    states: States
    subjects: Subjects
    records: Records
    key_sets: KeySets
    signer: Signer
    events: Events
    now: Callable[[], int]
    """Milliseconds since 1970."""
    new_id: Callable[[], str]
    new_secret: Callable[[], str]
    """256 random bits, base64url."""
