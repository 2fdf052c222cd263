"""Sets of public keys: which of a client's keys signed this, if one did.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html#signature-verification
https://www.rfc-editor.org/rfc/rfc7517
"""

from base64 import urlsafe_b64decode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from fhir_server.smart.errors import InvalidClient, InvalidClientMetadata

ALGORITHMS: Final[Mapping[str, str]] = {"RS384": "RSA", "ES384": "EC"}
"""Signatures of clients, and the type of key that each is made with."""

MAX_KEYS: Final = 100

_CURVE: Final = "P-384"
_PUBLIC: Final = ("kty", "n", "e", "crv", "x", "y")
_RSA_BITS: Final = 2048
_MAX_RSA_BITS: Final = 8192
"""A signature of a larger key costs more to check than it is worth."""
_PRIVATE: Final = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")

Key = RSAKey | ECKey


def select(keys: Iterable[Mapping[str, Any]], kid: str, alg: str) -> Key:
    """The one key that has this `kid` and fits this algorithm.

    Raises:
        InvalidClient: there is none, or several, or it is not fit to verify with.
    """
    kty = ALGORITHMS.get(alg)
    if kty is None:
        raise InvalidClient("alg has to be RS384 or ES384.")
    found = [each for each in keys if each.get("kid") == kid and each.get("kty") == kty]
    if len(found) != 1:
        raise InvalidClient("There is not exactly one key with this kid and type.")
    jwk = found[0]
    if jwk.get("use", "sig") != "sig" or not _verifies(jwk.get("key_ops")):
        raise InvalidClient("The key is not meant for signatures.")
    if jwk.get("alg", alg) != alg:
        raise InvalidClient("The key is meant for another algorithm.")
    return _imported(jwk, kty)


def _imported(jwk: Mapping[str, Any], kty: str) -> Key:
    public: dict[str, Any] = {name: jwk[name] for name in _PUBLIC if name in jwk}
    try:
        if kty == "EC":
            if jwk.get("crv") != _CURVE:
                raise InvalidClient("The curve of the key is not P-384.")
            return ECKey.import_key(public)
        if not _RSA_BITS <= _bits(public["n"]) <= _MAX_RSA_BITS:
            raise InvalidClient("The RSA key has fewer than 2048 bits, or more than 8192.")
        return RSAKey.import_key(public)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise InvalidClient("The key cannot be read.") from error


def _bits(number: str) -> int:
    """The length of a base64url number."""
    decoded = urlsafe_b64decode(number + "=" * (-len(number) % 4))
    return int.from_bytes(decoded, "big").bit_length()


def _verifies(operations: object) -> bool:
    return operations is None or (isinstance(operations, list) and "verify" in operations)


def parse(document: object) -> Sequence[Mapping[str, Any]]:
    """The keys of a JWK set.

    Raises:
        InvalidClientMetadata: it is none, holds a private key, or too many.
    """
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not all(isinstance(each, dict) for each in keys):
        raise InvalidClientMetadata("jwks is not a JWK set.")
    if len(keys) > MAX_KEYS:
        raise InvalidClientMetadata("jwks holds too many keys.")
    if any(name in each for each in keys for name in _PRIVATE):
        raise InvalidClientMetadata("jwks holds a private key.")
    return keys
