"""Authorization requests: everything that is checked before a person is asked.

A request that passes is parked; pages show it, and `smart.completion.complete` takes the
answer. What fails before the redirect URI is known to be the client's ends on a page of this
server (Unredirectable); what fails later goes back to the client (Redirected).

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#request-4
https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NoReturn

from fhir_server.smart import parameters, pkce, redirects, scopes
from fhir_server.smart.errors import (
    InvalidRequest,
    InvalidScope,
    OAuthError,
    UnauthorizedClient,
    UnsupportedResponseType,
)
from fhir_server.smart.policy import Policy
from fhir_server.smart.records import NO_CONTEXT, Client, LaunchContext, Session, Subject
from fhir_server.smart.scopes import Scopes

Prompt = Literal["none", "login", "consent", "select_account"]

LEVELS: Final[Mapping[str, int]] = {"1": 1, "2": 2, "3": 3}
"""`acr` values, and the assurance of the sign-in that each stands for."""

_PROMPTS: Final = frozenset({"none", "login", "consent", "select_account"})
_UNSUPPORTED: Final = ("request", "request_uri", "registration")
_SECONDS: Final = re.compile(r"\d{1,9}", re.ASCII)
_MAX_NONCE: Final = 1000
_MAX_STATE: Final = 16_000
_MAX_REQUEST: Final = 100_000
"""Characters of all values; several hundred scopes have 30,000. It is kept for half an hour."""


class Unredirectable(Exception):
    """The browser stays here: it is not known where it may be sent."""

    def __init__(self, reason: OAuthError) -> None:
        self.reason = reason
        super().__init__(str(reason))


class Redirected(Exception):
    """The refusal goes to the client, by way of the browser."""

    def __init__(self, reason: OAuthError, redirect_uri: str, state: str | None) -> None:
        self.reason = reason
        self.redirect_uri = redirect_uri
        self.state = state
        super().__init__(str(reason))

    def location(self, issuer: str) -> str:
        """Where the browser goes. `iss` is RFC 9207: no other server can have said this."""
        said = {"error": self.reason.code, "error_description": self.reason.description}
        if self.state is not None:
            said["state"] = self.state
        return redirects.with_parameters(self.redirect_uri, said | {"iss": issuer})


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that a person may be asked about."""

    client: str
    redirect_uri: str
    scopes: Scopes
    """Within what the client is registered for."""
    state: str
    challenge: str
    nonce: str | None = None
    prompt: frozenset[str] = frozenset()
    max_age: int | None = None
    """Seconds since the person signed in, at most."""
    login_hint: str | None = None
    ui_locales: str | None = None
    acr_values: tuple[str, ...] = ()
    launch: str | None = None
    """The launch value of an app that was opened from another."""


@dataclass(frozen=True, slots=True)
class Parked:
    """A request that waits for a person."""

    id: str
    """Unguessable; who shows it binds it to the browser."""
    request: AuthorizationRequest
    created: int
    expires: int
    context: LaunchContext = NO_CONTEXT
    """Given by the launch; a patient in it is not to be chosen anew."""
    launch_digest: str | None = None
    account: str | None = None
    user: str | None = None
    """Whom the launch was made for, if it says so."""

    @property
    def needs_patient(self) -> bool:
        """Whether the person has to choose whose record this is about."""
        asked = self.request.scopes
        return self.context.patient is None and (
            scopes.LAUNCH_PATIENT in asked or asked.has_level("patient")
        )

    @property
    def needs_encounter(self) -> bool:
        """Whether the person may choose an encounter of that record."""
        return self.context.encounter is None and (
            scopes.LAUNCH_ENCOUNTER in self.request.scopes
        )

    def needs_sign_in(self, session: Session | None, now: int) -> bool:
        """Whether the person has to prove anew who they are."""
        if session is None or not session.live(now):
            return True
        return not (self.is_fresh(session.auth_time) and self.is_strong(session))

    def is_fresh(self, auth_time: int) -> bool:
        """Whether a sign-in at `auth_time` is as recent as the client asks."""
        if self.request.prompt & {"login", "select_account"} and auth_time < self.created:
            return False
        age = self.request.max_age
        return age is None or self.created - auth_time <= age * 1000

    def is_strong(self, session: Session) -> bool:
        """Whether the sign-in is of one of the levels that the client asks for, or above.

        A value that is no level of ours has to be the session's own. RFC 9470 makes of the
        voluntary claim of OpenID Connect a demand; so it is taken here.
        """
        asked = self.request.acr_values
        return not asked or any(
            session.acr == each or session.level >= LEVELS.get(each, session.level + 1)
            for each in asked
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's yes."""

    subject: Subject
    session: Session
    patient: str | None = None
    """Logical id, where the request needs one."""
    encounter: str | None = None
    """Logical id of an encounter of that patient; for `launch/encounter`."""
    scopes: str | None = None
    """What is kept of the request's scopes, parted by spaces; parts of them
    (`patient/Observation.rs?category=…`) may stand for a whole. None: all."""
    duration: int | None = None
    """Milliseconds until the grant ends; None: until it is revoked."""


@dataclass(frozen=True, slots=True)
class Denied:
    """A person's no."""

    account: str | None = None


def redirect_target(pairs: parameters.Pairs) -> tuple[str, str]:
    """The client id and redirect URI that a request names.

    Raises:
        Unredirectable: one is missing or repeated.
    """
    given = parameters.filled(pairs)
    found = given.get("client_id"), given.get("redirect_uri")
    if parameters.repeated(pairs) & {"client_id", "redirect_uri"} or not all(found):
        reason = InvalidRequest("client_id and redirect_uri have to be there, each once.")
        raise Unredirectable(reason)
    return str(found[0]), str(found[1])


def check_target(client: Client | None, redirect_uri: str) -> Client:
    """The client, if it exists and the URI is one of its own.

    Raises:
        Unredirectable: not so.
    """
    if client is None:
        raise Unredirectable(InvalidRequest("This client is not registered here."))
    if not redirects.matches(redirect_uri, client.redirect_uris):
        raise Unredirectable(InvalidRequest("This redirect_uri is not registered."))
    return client


def parse(
    pairs: parameters.Pairs, client: Client, redirect_uri: str, policy: Policy
) -> AuthorizationRequest:
    """The request of a client whose redirect URI was checked.

    Raises:
        Redirected: it is refused.
    """
    given = parameters.filled(pairs)
    state = None if "state" in parameters.repeated(pairs) else given.get("state")
    try:
        if parameters.repeated(pairs):
            _refuse("A parameter is repeated.")
        return _parsed(given, client, redirect_uri, policy)
    except OAuthError as error:
        raise Redirected(error, redirect_uri, state) from error


def _parsed(
    given: Mapping[str, str], client: Client, redirect_uri: str, policy: Policy
) -> AuthorizationRequest:
    if sum(map(len, given.values())) > _MAX_REQUEST:
        _refuse("The request is too long.")
    if given.get("response_type") != "code":
        raise UnsupportedResponseType("response_type has to be code.")
    _check_client(client)
    _check_supported(given)
    _check_audience(given, policy.fhir_base)
    return AuthorizationRequest(
        client=client.id,
        redirect_uri=redirect_uri,
        scopes=_scopes(given, client, policy),
        state=_state(given),
        challenge=pkce.challenge(given),
        nonce=_nonce(given),
        prompt=_prompt(given),
        max_age=_max_age(given),
        login_hint=given.get("login_hint"),
        ui_locales=given.get("ui_locales"),
        acr_values=tuple(given.get("acr_values", "").split()),
        launch=given.get("launch"),
    )


def _check_client(client: Client) -> None:
    if client.standing != "active":
        raise UnauthorizedClient("This client is not approved.")
    if "authorization_code" not in client.grant_types:
        raise UnauthorizedClient("This client is not registered for authorization_code.")


def _check_supported(given: Mapping[str, str]) -> None:
    if given.get("response_mode", "query") != "query":
        _refuse("response_mode has to be query.")
    if any(each in given for each in _UNSUPPORTED):
        _refuse("Request objects are not supported.")


def _check_audience(given: Mapping[str, str], fhir_base: str) -> None:
    """`aud` is the FHIR base, a slash behind or none; `resource` is its name in RFC 8707."""
    named = {given[each].removesuffix("/") for each in ("aud", "resource") if each in given}
    if named != {fhir_base}:
        _refuse("aud has to be the base URL of this FHIR server.")


def _state(given: Mapping[str, str]) -> str:
    found = parameters.required(given, "state")
    if len(found) > _MAX_STATE:
        _refuse("state is too long.")
    return found


def _nonce(given: Mapping[str, str]) -> str | None:
    found = given.get("nonce")
    if found is not None and len(found) > _MAX_NONCE:
        _refuse("nonce is too long.")
    return found


def _prompt(given: Mapping[str, str]) -> frozenset[str]:
    asked = frozenset(given.get("prompt", "").split())
    if asked - _PROMPTS or ("none" in asked and len(asked) > 1):
        _refuse("prompt has a value that is unknown, or none beside another.")
    return asked


def _max_age(given: Mapping[str, str]) -> int | None:
    found = given.get("max_age")
    if found is None:
        return None
    if not _SECONDS.fullmatch(found):
        _refuse("max_age is not a number of seconds.")
    return int(found)


def _scopes(given: Mapping[str, str], client: Client, policy: Policy) -> Scopes:
    """What can be granted in this flow: nothing of `system/`, and `launch` with one alone."""
    asked = scopes.parse(given.get("scope", "")).of_level("patient", "user")
    found = scopes.within(asked, scopes.parse(client.scopes), policy.can_filter)
    if "launch" not in given:
        found = found.without(scopes.LAUNCH)
    if "refresh_token" not in client.grant_types:
        found = found.without(scopes.OFFLINE, scopes.ONLINE)
    if not found:
        raise InvalidScope("None of these scopes can be granted to this client.")
    return found


def _refuse(description: str) -> NoReturn:
    raise InvalidRequest(description)
