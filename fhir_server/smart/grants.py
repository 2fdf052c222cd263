"""The token endpoint: one function a grant type.

https://www.rfc-editor.org/rfc/rfc6749#section-4
https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from fhir_server.smart import parameters, pkce, scopes
from fhir_server.smart.authentication import Credentials, authenticate, credentials
from fhir_server.smart.digests import digest, same
from fhir_server.smart.ending import end
from fhir_server.smart.errors import (
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    OAuthError,
    UnauthorizedClient,
    UnsupportedGrantType,
)
from fhir_server.smart.events import Event
from fhir_server.smart.policy import Policy
from fhir_server.smart.ports import Ports
from fhir_server.smart.records import Client, Code, Grant, GrantType, RefreshToken
from fhir_server.smart.scopes import Scopes
from fhir_server.smart.tokens import Issue, Response, issue, issue_backend


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A form, read; nothing of it is proved."""

    form: Mapping[str, str]
    credentials: Credentials


async def token(
    ports: Ports, policy: Policy, pairs: parameters.Pairs, authorization: str | None
) -> Response:
    """Answer a token request.

    The grant type is looked at first: an unknown one is refused as such, whoever asks.

    Raises:
        OAuthError: no token was issued.
    """
    form = parameters.single(pairs)
    answer = GRANTS.get(parameters.required(form, "grant_type"))
    if answer is None:
        raise UnsupportedGrantType("This grant_type is not supported.")
    request = TokenRequest(form, credentials(form, authorization))
    try:
        return await answer(ports, policy, request)
    except OAuthError as error:
        who = request.credentials.client
        await ports.events.tell(Event("failed", who, reason=error.code))
        raise


async def authorization_code(ports: Ports, policy: Policy, request: TokenRequest) -> Response:
    """Redeem a code, once. A code that comes again after tokens were given for it revokes
    them; whatever is wrong with a request, its code is used up.
    """
    client = await _client(ports, policy, request, "authorization_code")
    now, key = ports.now(), digest(parameters.required(request.form, "code"))
    found = await ports.codes.use(key, now)
    if found is None:
        raise InvalidGrant("The code is unknown.")
    code, first = found
    if not first:
        if code.issued:
            await end(ports, code.grant, "code replayed")
        raise InvalidGrant("The code was used before.")
    try:
        check_code(code, client, request.form, now)
    except InvalidGrant:
        await end(ports, code.grant, "code misused")
        raise
    grant = await _live(ports, code.grant)
    wanted = Issue(grant, grant.subject, scopes.parse(grant.scopes))
    response = await issue(ports, policy, wanted)
    await ports.codes.issued(key)
    return response


def check_code(code: Code, client: Client, form: Mapping[str, str], now: int) -> None:
    """Whether the client that was given the code redeems it, in time.

    Raises:
        InvalidGrant: not so.
    """
    if code.client != client.id:
        raise InvalidGrant("The code was issued to another client.")
    if now >= code.expires:
        raise InvalidGrant("The code has expired.")
    if not same(form.get("redirect_uri", ""), code.redirect_uri):
        raise InvalidGrant("redirect_uri is not the one of the authorization request.")
    pkce.verify(form.get("code_verifier"), code.challenge)


async def refresh_token(ports: Ports, policy: Policy, request: TokenRequest) -> Response:
    """Renew tokens: the refresh token is replaced by its successor.

    One that was replaced and comes again revokes the family, but for a moment of grace: tabs
    of one app refresh at the same time, and a response may be lost on its way.
    """
    key = digest(parameters.required(request.form, "refresh_token"))
    found = await ports.refresh_tokens.find(key)
    client = await _refreshing(ports, policy, request, found)
    now = ports.now()
    if found is None or found.client != client.id or now >= found.expires:
        raise InvalidGrant("The refresh token is unknown, expired or another client's.")
    grant = await _live(ports, found.grant)
    # What the client's registration has lost since, its grants have lost too.
    registered = scopes.parse(client.scopes)
    left = scopes.within(scopes.parse(grant.scopes), registered, policy.can_filter)
    if not left:
        raise InvalidGrant("Nothing of what was granted is left to this client.")
    wanted = narrower(request.form.get("scope"), left)
    subject = await ports.subjects.current(grant)
    if subject is None or not await session_lives(ports, grant):
        await end(ports, grant.id, "no longer permitted")
        raise InvalidGrant("The person may no longer grant this, or has signed out.")
    await _rotate(ports, policy, found, now)
    return await issue(ports, policy, Issue(grant, subject, wanted, found.generation + 1))


async def _refreshing(
    ports: Ports, policy: Policy, request: TokenRequest, found: RefreshToken | None
) -> Client:
    """A public client need not name itself: the token is bound to it anyway."""
    given = request.credentials
    if given.method == "none" and given.client is None:
        if found is None:
            raise InvalidGrant("The refresh token is unknown.")
        given = Credentials("none", found.client)
    return await _client(ports, policy, TokenRequest(request.form, given), "refresh_token")


async def _rotate(ports: Ports, policy: Policy, found: RefreshToken, now: int) -> None:
    if await ports.refresh_tokens.use(found.digest, now):
        return
    again = await ports.refresh_tokens.find(found.digest)
    used = None if again is None else again.used
    if used is not None and now - used <= policy.grace_seconds * 1000:
        return
    await end(ports, found.grant, "refresh token reused")
    raise InvalidGrant("The refresh token was used before.")


async def session_lives(ports: Ports, grant: Grant) -> bool:
    """`online_access` ends with the session; `offline_access` does not."""
    if scopes.OFFLINE in scopes.parse(grant.scopes):
        return True
    session = await ports.sessions.find(grant.session)
    return session is not None and session.live(ports.now())


def narrower(asked: str | None, granted: Scopes) -> Scopes:
    """The scopes of a refreshed token: all that were granted, or some of them.

    Raises:
        InvalidScope: one was not granted.
    """
    if asked is None:
        return granted
    wanted = scopes.parse(asked)
    kept = scopes.narrowed(granted, wanted)
    lost = len(wanted.others) > len(kept.others) or not all(
        any(known.covers(each) for known in granted.resources) for each in wanted.resources
    )
    if lost or not kept or _unknown(asked):
        raise InvalidScope("A scope was asked that was not granted.")
    return kept


def _unknown(text: str) -> bool:
    return not all(scopes.parse(each) for each in text.split())


async def client_credentials(ports: Ports, policy: Policy, request: TokenRequest) -> Response:
    """A backend service, by private_key_jwt alone; what it asks beyond its registration, or
    of another level than `system/`, is left out, and `scope` of the answer tells."""
    client = await _client(ports, policy, request, "client_credentials")
    if client.method != "private_key_jwt":
        raise UnauthorizedClient("client_credentials needs private_key_jwt.")
    asked = scopes.parse(request.form.get("scope", "")).of_level("system")
    wanted = Scopes(resources=asked.resources)
    granted = scopes.within(wanted, scopes.parse(client.scopes), policy.can_filter)
    if not granted:
        raise InvalidScope("None of these scopes can be granted to this client.")
    return await issue_backend(ports, policy, client, granted)


async def _client(
    ports: Ports, policy: Policy, request: TokenRequest, grant_type: GrantType
) -> Client:
    given = request.credentials
    if given.method == "none" and given.client is None:
        raise InvalidClient("The client did not authenticate.")
    client = await authenticate(ports, policy, given)
    if grant_type not in client.grant_types:
        raise UnauthorizedClient(f"The client is not registered for {grant_type}.")
    return client


async def _live(ports: Ports, id_: str) -> Grant:
    grant = await ports.grants.find(id_)
    if grant is None or not grant.live(ports.now()):
        raise InvalidGrant("The authorization is over.")
    return grant


Answer = Callable[[Ports, Policy, TokenRequest], Awaitable[Response]]

GRANTS: Final[Mapping[str, Answer]] = {
    "authorization_code": authorization_code,
    "refresh_token": refresh_token,
    "client_credentials": client_credentials,
}
