"""Proof Key for Code Exchange, S256 alone.

"Authorization servers SHALL support the S256 code_challenge_method [and] SHALL NOT support
the plain method."

https://www.rfc-editor.org/rfc/rfc7636
https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#considerations-for-pkce-support
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from fhir_server.smart.digests import base64url, same
from fhir_server.smart.errors import InvalidGrant, InvalidRequest

METHOD: Final = "S256"

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def challenge(parameters: Mapping[str, str]) -> str:
    """The challenge of an authorization request.

    Raises:
        InvalidRequest: there is none, or of another method, or it is no SHA-256.
    """
    if "code_challenge" not in parameters:
        raise InvalidRequest("code_challenge is missing.")
    # Without a method it would be `plain`.
    if parameters.get("code_challenge_method") != METHOD:
        raise InvalidRequest("code_challenge_method has to be S256.")
    found = parameters["code_challenge"]
    if not _CHALLENGE.fullmatch(found):
        raise InvalidRequest("code_challenge is not a base64url SHA-256.")
    return found


def verify(verifier: str | None, expected: str) -> None:
    """Whether who redeems the code is who asked for it.

    Raises:
        InvalidGrant: not so.
    """
    if verifier is None or not _VERIFIER.fullmatch(verifier):
        raise InvalidGrant("code_verifier is missing or malformed.")
    if not same(base64url(sha256(verifier.encode()).digest()), expected):
        raise InvalidGrant("code_verifier does not belong to this code.")
