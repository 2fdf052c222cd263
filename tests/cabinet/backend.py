"""A token for the demo's backend service, which may do everything."""

import time
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

_BEARER: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def token_of_service(base: str, client: str, key: Mapping[str, Any]) -> str:
    """By `client_credentials` with an assertion that `key`, a private JWK, signs."""
    address = f"{base.removesuffix('/fhir')}/auth/token"
    now = int(time.time())
    claims = {
        "iss": client,
        "sub": client,
        "aud": address,
        "exp": now + 200,
        "jti": uuid4().hex,
    }
    header = {"alg": "RS384", "kid": key["kid"], "typ": "JWT"}
    signed = jwt.encode(header, claims, RSAKey.import_key(dict(key)), algorithms=["RS384"])
    form = {
        "grant_type": "client_credentials",
        "scope": "system/*.cruds",
        "client_assertion_type": _BEARER,
        "client_assertion": signed,
    }
    answer = httpx.post(address, data=form, timeout=60)
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["access_token"]
    return found
