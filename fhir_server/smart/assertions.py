"""Client assertions: a client proves itself by a JWT that its private key signed.

    aud   the token endpoint's URL, or the issuer; alone or in a list
    exp   at most five minutes ahead (30 s more are forgiven, for clocks that differ)
    typ   anything; `jwk`, `x5c` and `x5u` in the header are never looked at

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
https://www.rfc-editor.org/rfc/rfc7523#section-3
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError

from fhir_server.smart.errors import InvalidClient
from fhir_server.smart.jwks import Key

TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFETIME: Final = 300  # seconds, "no more than five minutes in the future"
SKEW: Final = 30  # seconds

MAX_LENGTH: Final = 16_000
_MAX_JTI: Final = 500
_PARTS: Final = 3


class _Registry(jws.JWSRegistry):
    """Takes headers with whole certificate chains in them, to ignore these."""

    max_header_length = MAX_LENGTH
    max_payload_length = MAX_LENGTH


@dataclass(frozen=True, slots=True)
class Unverified:
    """What an assertion says of itself, to find the client and its key by."""

    token: str
    alg: str
    kid: str
    jku: str | None
    issuer: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What its signature vouches for."""

    client: str
    jti: str
    expires: int
    """Seconds since 1970."""


def read(token: str) -> Unverified:
    """Take it apart, believing nothing.

    Raises:
        InvalidClient: it is no JWT, or lacks what it must have.
    """
    parts = token.split(".")
    if len(parts) != _PARTS or len(token) > MAX_LENGTH:
        raise InvalidClient("client_assertion is not a JWT.")
    header, claims = _decoded(parts[0]), _decoded(parts[1])
    alg, kid, jku, issuer = (
        header.get("alg"),
        header.get("kid"),
        header.get("jku"),
        claims.get("iss"),
    )
    if not (isinstance(alg, str) and isinstance(kid, str) and isinstance(issuer, str)):
        raise InvalidClient("The client assertion lacks alg, kid or iss.")
    if not (jku is None or isinstance(jku, str)):
        raise InvalidClient("The client assertion's jku is no URL.")
    return Unverified(token, alg, kid, jku, issuer)


def _decoded(part: str) -> Mapping[str, Any]:
    try:
        decoded = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError as error:
        raise InvalidClient("client_assertion is not a JWT.") from error
    return _object(decoded)


def _object(text: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidClient("client_assertion is not a JWT.") from error
    if not isinstance(found, dict):
        raise InvalidClient("client_assertion is not a JWT.")
    return found


def _no_constant(name: str) -> None:
    """NaN and Infinity are no JSON; with NaN every comparison fails, an expiry's too."""
    raise ValueError(name)


def verify(assertion: Unverified, key: Key, audiences: Collection[str], now: int) -> Verified:
    """Check signature and claims; `now` in seconds since 1970.

    Raises:
        InvalidClient: one of them fails.
    """
    registry = _Registry(algorithms=[assertion.alg], strict_check_header=False)
    try:
        payload = jws.deserialize_compact(assertion.token, key, registry=registry).payload
    except (JoseError, ValueError) as error:
        raise InvalidClient("The client assertion's signature is not valid.") from error
    claims = _object(payload or b"{}")
    if not claims.get("iss") == claims.get("sub") == assertion.issuer:
        raise InvalidClient("iss and sub have to be the client_id.")
    named = claims.get("aud")
    if not any(each in audiences for each in (named if isinstance(named, list) else [named])):
        raise InvalidClient("aud has to be the URL of the token endpoint.")
    return Verified(assertion.issuer, _jti(claims), _expiry(claims, now))


def _jti(claims: Mapping[str, Any]) -> str:
    found = claims.get("jti")
    if not isinstance(found, str) or not 0 < len(found) <= _MAX_JTI:
        raise InvalidClient("jti is missing or unusable.")
    return found


def _expiry(claims: Mapping[str, Any], now: int) -> int:
    expires = _seconds(claims, "exp")
    if expires is None:
        raise InvalidClient("exp is missing.")
    if expires <= now:
        raise InvalidClient("The client assertion has expired.")
    if expires > now + LIFETIME + SKEW:
        raise InvalidClient("exp is more than five minutes ahead.")
    for name in ("nbf", "iat"):
        begins = _seconds(claims, name)
        if begins is not None and begins > now + SKEW:
            raise InvalidClient(f"{name} lies in the future.")
    return int(expires)


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    found = claims.get(name)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise InvalidClient(f"{name} is not a number.")
    return found
