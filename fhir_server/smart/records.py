"""What the authorization server keeps, as frozen records.

Times are milliseconds since 1970. A field named `…_digest` is `smart.digests.digest` of a
secret that only its holder has.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from fhir_server.access.principal import Principal, Purpose

AuthMethod = Literal["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]
GrantType = Literal["authorization_code", "refresh_token", "client_credentials"]
Permission = Literal[
    "launch", "introspect", "grants", "break-glass", "global-state", "first-party"
]
"""What an operator allows a client besides scopes: to create launch contexts, to introspect
any client's tokens, to show people what they granted and end it for them, to declare
emergencies for staff who may, to write app state that is nobody's; or that it is the house's
own, which people are asked about once and in plain words."""
Standing = Literal["active", "pending", "blocked"]


@dataclass(frozen=True, slots=True)
class Client:
    """A registered app, by the metadata of RFC 7591."""

    id: str
    name: str
    method: AuthMethod
    redirect_uris: tuple[str, ...] = ()
    launch_uris: tuple[str, ...] = ()
    logout_uris: tuple[str, ...] = ()
    """`post_logout_redirect_uris`."""
    grant_types: frozenset[GrantType] = frozenset({"authorization_code"})
    scopes: str = ""
    """The most it can be granted, parted by spaces."""
    secret_digest: str = ""
    jwks: Mapping[str, Any] | None = None
    jwks_uri: str | None = None
    registration_digest: str = ""
    """Of its registration access token; empty for clients that the operator registered."""
    standing: Standing = "active"
    reviewed: bool = False
    """An operator has looked at it; the consent page warns of one that nobody did."""
    permissions: frozenset[Permission] = frozenset()
    organizations: tuple[str, ...] = ()
    """References `Organization/…` that a backend client belongs to."""
    state_codes: tuple[str, ...] = ()
    """`system|code`: the codes of app state that it may keep."""
    publisher: str = ""
    contacts: tuple[str, ...] = ()
    client_uri: str | None = None
    logo_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    software_id: str = ""
    software_version: str = ""
    created: int = 0
    changed: int = 0
    """When it became another app than the one that people had allowed: another name, another
    place. 0: never."""

    @property
    def confidential(self) -> bool:
        """Whether it has something to prove itself with."""
        return self.method != "none"


@dataclass(frozen=True, slots=True)
class LaunchContext:
    """What the app is told of where it was opened.

    https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#launch-context-arrives-with-your-access_token
    """

    patient: str | None = None
    """Logical id."""
    encounter: str | None = None
    """Logical id."""
    fhir_context: tuple[Mapping[str, Any], ...] = ()
    intent: str | None = None
    need_patient_banner: bool | None = None
    smart_style_url: str | None = None
    tenant: str | None = None


NO_CONTEXT: Final = LaunchContext()


@dataclass(frozen=True, slots=True)
class Launch:
    """A context that waits for its app: single use, for one client and (if named) one user."""

    digest: str
    client: str
    """The app that is opened."""
    created_by: str
    """The client that asked for it."""
    context: LaunchContext
    expires: int
    account: str | None = None
    user: str | None = None
    """Who must sign in: `account` its id, `user` the fhirUser. Both None: anyone who may open
    the record."""
    used: int | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser (single sign-on)."""

    id: str
    """Not a secret: `sid` in tokens. The cookie is kept as `digest`."""
    digest: str
    account: str
    auth_time: int
    """When the person last proved who they are."""
    level: int
    """Assurance of the sign-in, 1 to 3."""
    acr: str
    amr: tuple[str, ...]
    last_seen: int
    idle_ends: int
    """Without a sign of life the session is over then."""
    ends: int
    """Over then in any case."""
    ended: int | None = None

    def live(self, now: int) -> bool:
        """Whether somebody is still signed in."""
        return self.ended is None and now < min(self.idle_ends, self.ends)


@dataclass(frozen=True, slots=True)
class Subject:
    """A signed-in person, as accounts and proxy rules know them now."""

    account: str
    user: str | None
    """`fhirUser`: `Patient/…`, `RelatedPerson/…`, `Practitioner/…` or `Person/…`."""
    represented: tuple[str, ...] = ()
    """Logical ids of the patients whose record they may open; staff are not listed so."""
    staff: bool = False
    organizations: tuple[str, ...] = ()
    purpose: Purpose = "PATRQT"


@dataclass(frozen=True, slots=True)
class Grant:
    """One authorization: what a person allowed a client. Every token comes of one, but for
    those of client credentials."""

    id: str
    client: str
    subject: Subject
    session: str
    scopes: str
    context: LaunchContext
    level: int
    acr: str
    amr: tuple[str, ...]
    auth_time: int
    created: int
    expires: int | None
    """None: until it is revoked, or its refresh token lies unused for too long."""
    nonce: str | None = None
    last_used: int | None = None
    """When a token was last issued; None: never."""
    last_read: int | None = None
    """When the record was last read with one of its tokens, to the minute; None: never."""
    revoked: int | None = None
    revoked_for: str = ""

    def live(self, now: int) -> bool:
        """Whether tokens may still come of it."""
        return self.revoked is None and (self.expires is None or now < self.expires)


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code."""

    digest: str
    grant: str
    client: str
    redirect_uri: str
    challenge: str
    """Of PKCE, method S256."""
    expires: int
    used: int | None = None
    issued: bool = False
    """Tokens were given for it: whoever comes next is a thief, or the first one was."""


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One of a family: all refresh tokens of a grant, each the successor of another."""

    digest: str
    grant: str
    """The family."""
    client: str
    generation: int
    expires: int
    used: int | None = None
    """When its successor was issued."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token, with everything a request needs to know of it."""

    digest: str
    client: str
    grant: str | None
    scopes: str
    """As the token response named them, `openid` and launch scopes too."""
    issued: int
    expires: int
    principal: Principal


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key of this server for id tokens."""

    kid: str
    number: int
    """1, 2, 3 …: of two processes that make a key at once one is refused."""
    private: Mapping[str, Any] = field(repr=False)
    """JWK."""
    created: int
    signs_from: int
    """Published before it is used, so that no client meets an unknown `kid`."""
    expires: int
    """No longer published then; everything it signed has expired long before."""
