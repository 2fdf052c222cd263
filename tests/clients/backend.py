"""Tokens of backend services, by an assertion made here.

https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html
"""

import json
import time
from pathlib import Path
from uuid import uuid4

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from tests.clients.serving import Demo
from tests.support.smart import JWT_BEARER


def token(demo: Demo, client: str, file: Path, scope: str) -> str:
    """An access token of the client whose private keys are in `file`."""
    key = json.loads(file.read_text())["keys"][0]
    claims = {
        "iss": client,
        "sub": client,
        "aud": f"{demo.root}/auth/token",
        "exp": int(time.time()) + 240,
        "jti": uuid4().hex,
    }
    header = {"alg": key["alg"], "kid": key["kid"]}
    private = (RSAKey if key["kty"] == "RSA" else ECKey).import_key(key)
    form = {
        "grant_type": "client_credentials",
        "scope": scope,
        "client_assertion_type": JWT_BEARER,
        "client_assertion": jwt.encode(header, claims, private, algorithms=[key["alg"]]),
    }
    answer = httpx.post(f"{demo.root}/auth/token", data=form, timeout=60)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])
