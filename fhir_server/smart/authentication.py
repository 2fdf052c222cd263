"""Who calls: a client by the method that it is registered for, and no other.

https://www.rfc-editor.org/rfc/rfc6749#section-2.3
https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-symmetric.html
"""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus

from fhir_server.smart import assertions, jwks
from fhir_server.smart.digests import digest, same
from fhir_server.smart.errors import InvalidClient, InvalidRequest
from fhir_server.smart.policy import Policy
from fhir_server.smart.ports import Ports
from fhir_server.smart.records import AuthMethod, Client

_CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="fhir", charset="UTF-8"'}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What came with a request, of one kind."""

    method: AuthMethod
    client: str | None
    """As the request names it; None: not at all."""
    secret: str = ""
    """The secret, or the assertion."""


def credentials(form: Mapping[str, str], authorization: str | None) -> Credentials:
    """What a form and an Authorization header hold.

    Raises:
        InvalidRequest: of several kinds at once.
        InvalidClient: of one kind, and unusable.
    """
    asserted = "client_assertion" in form or "client_assertion_type" in form
    kinds = (authorization is not None, "client_secret" in form, asserted)
    if sum(kinds) > 1:
        raise InvalidRequest("The client authenticates in more than one way.")
    named = form.get("client_id")
    if authorization is not None:
        return _basic(authorization, named)
    if asserted:
        if form.get("client_assertion_type") != assertions.TYPE:
            raise InvalidClient("client_assertion_type is not the one of JWTs.")
        return Credentials("private_key_jwt", named, form.get("client_assertion", ""))
    if "client_secret" in form:
        return Credentials("client_secret_post", named, form["client_secret"])
    return Credentials("none", named)


def _basic(authorization: str, named: str | None) -> Credentials:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise InvalidClient("The Authorization header is not Basic.", _CHALLENGE)
    try:
        text = b64decode(encoded.strip(), validate=True).decode()
        id_, _, secret = text.partition(":")
        id_, secret = unquote_plus(id_, errors="strict"), unquote_plus(secret, errors="strict")
    except (binascii.Error, ValueError) as error:
        raise InvalidClient("The Authorization header cannot be read.", _CHALLENGE) from error
    if named not in (None, id_):
        raise InvalidClient("client_id is not the one of the Authorization header.", _CHALLENGE)
    return Credentials("client_secret_basic", id_, secret)


async def authenticate(ports: Ports, policy: Policy, given: Credentials) -> Client:
    """The client, if it proved itself as it is registered to.

    Raises:
        InvalidClient: it did not.
    """
    if given.method == "private_key_jwt":
        return await _asserted(ports, policy, given)
    client = None if given.client is None else await ports.clients.find(given.client)
    headers = _CHALLENGE if given.method == "client_secret_basic" else None
    if client is None or not _usable(client, given.method):
        raise InvalidClient("The client is unknown, or authenticates otherwise.", headers)
    if client.confidential and not same(digest(given.secret), client.secret_digest):
        raise InvalidClient("The secret is wrong.", headers)
    return client


def _usable(client: Client, method: AuthMethod) -> bool:
    return client.standing == "active" and client.method == method


async def _asserted(ports: Ports, policy: Policy, given: Credentials) -> Client:
    assertion = assertions.read(given.secret)
    client = await ports.clients.find(assertion.issuer)
    if client is None or not _usable(client, "private_key_jwt"):
        raise InvalidClient("iss is no client that authenticates by private_key_jwt.")
    if given.client not in (None, client.id):
        raise InvalidClient("client_id is not the iss of the assertion.")
    if assertion.jku is not None and assertion.jku != client.jwks_uri:
        raise InvalidClient("jku is not the URL that the client registered.")
    keys = await ports.key_sets.keys(client, assertion.kid)
    key = jwks.select(keys, assertion.kid, assertion.alg)
    audiences = (policy.endpoint("token"), policy.issuer)
    seconds = ports.now() // 1000
    verified = assertions.verify(assertion, key, audiences, seconds)
    until = (verified.expires + assertions.SKEW) * 1000
    if not await ports.assertions.first(client.id, verified.jti, until):
        raise InvalidClient("This jti was used before.")
    return client
