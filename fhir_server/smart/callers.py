"""Who may use introspection and create launches: a confidential client, or the bearer of one
of its tokens.

https://www.rfc-editor.org/rfc/rfc7662#section-2.1
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fhir_server.smart.authentication import authenticate, credentials
from fhir_server.smart.digests import digest
from fhir_server.smart.errors import InvalidClient, InvalidRequest, InvalidToken
from fhir_server.smart.policy import Policy
from fhir_server.smart.ports import Ports
from fhir_server.smart.records import AccessToken, Client


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated client; with `token` it came as the bearer of that token."""

    client: Client
    token: AccessToken | None = None


def bearer_token(authorization: str | None) -> str | None:
    """The token of an Authorization header; None where it is of another scheme.

    Raises:
        InvalidRequest: a Bearer header without a token.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    if not token.strip() or " " in token.strip():
        headers = {"WWW-Authenticate": 'Bearer error="invalid_request"'}
        raise InvalidRequest("The Bearer token is missing.", headers)
    return token.strip()


async def active_token(ports: Ports, token: str) -> AccessToken:
    """The access token.

    Raises:
        InvalidToken: it is unknown, revoked or expired.
    """
    found = await ports.access_tokens.find(digest(token))
    if found is None or ports.now() >= found.expires:
        raise InvalidToken("The access token is not valid.")
    return found


async def caller(
    ports: Ports, policy: Policy, form: Mapping[str, str], authorization: str | None
) -> Caller:
    """The confidential client that calls.

    Raises:
        InvalidClient: none, or one that cannot prove itself.
        InvalidToken: a Bearer token that is not valid.
    """
    token = bearer_token(authorization)
    if token is not None:
        found = await active_token(ports, token)
        client = await ports.clients.find(found.client)
        if client is None or client.standing != "active":
            raise InvalidToken("The token's client is not registered any more.")
        return Caller(client, found)
    given = credentials(form, authorization)
    if given.method == "none":
        raise InvalidClient("A confidential client has to authenticate.")
    return Caller(await authenticate(ports, policy, given))
