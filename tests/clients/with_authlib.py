"""Authlib's client: a person with a browser, and a backend service; run by `talking.told`."""

import json
import sys
import time
from pathlib import Path
from typing import Any

from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import JWKRegistry

CALLBACK = "http://127.0.0.1/callback"


class Brief(PrivateKeyJWT):  # type: ignore[misc]  # its types are not here
    """Assertions of SMART: five minutes at most, where Authlib's last an hour. New claims for
    each, as Authlib would write the first one's `jti` into claims that are kept."""

    def sign(self, auth: Any, token_endpoint: str) -> Any:
        self.claims = {"exp": int(time.time()) + 240}
        return super().sign(auth, token_endpoint)


def code(root: str, base: str, secret: str) -> dict[str, Any]:
    """The authorization code flow with PKCE, by the client with a secret."""
    session = OAuth2Session(
        "confidential",
        secret,
        scope="openid launch/patient offline_access patient/Patient.rs",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
    )
    verifier = generate_token(64)
    url, state = session.create_authorization_url(
        f"{root}/auth/authorize", code_verifier=verifier, aud=base
    )
    print(json.dumps({"authorize": url}), flush=True)  # noqa: T201  # a pipe
    back = sys.stdin.readline().strip()
    token = session.fetch_token(
        f"{root}/auth/token", authorization_response=back, code_verifier=verifier, state=state
    )
    read = session.get(f"{base}/Patient/{token['patient']}", timeout=60)
    again = session.refresh_token(f"{root}/auth/token", token["refresh_token"])
    given_back = session.revoke_token(f"{root}/auth/revoke", again["refresh_token"])
    after = session.get(f"{base}/Patient/{token['patient']}", timeout=60)
    return {
        "patient": read.json()["id"],
        "scope": token["scope"],
        "isNew": again["access_token"] != token["access_token"],
        "revoked": given_back.status_code,
        "after": after.status_code,
    }


def backend(root: str, base: str, client: str, key: str) -> dict[str, Any]:
    """private_key_jwt, and a look at the token."""
    jwk = json.loads(Path(key).read_text())["keys"][0]
    endpoint = f"{root}/auth/token"
    method = Brief.name
    session = OAuth2Session(
        client, JWKRegistry.import_key(jwk), method, method, scope="system/Patient.rs"
    )
    headers = {"kid": jwk["kid"]}
    signing = Brief(endpoint, headers=headers, alg=jwk["alg"])
    session.register_client_auth_method(signing)
    token = session.fetch_token(endpoint, grant_type="client_credentials")
    found = session.get(f"{base}/Patient?_summary=count", timeout=60)
    active = session.introspect_token(f"{root}/auth/introspect", token["access_token"])
    revoked = session.revoke_token(f"{root}/auth/revoke", token["access_token"])
    over = session.introspect_token(f"{root}/auth/introspect", token["access_token"])
    return {
        "scope": token["scope"],
        "total": found.json()["total"],
        "active": active.json(),
        "revoked": revoked.status_code,
        "over": over.json(),
    }


given = json.loads(sys.argv[1])
seen = code(**given) if given.pop("what") == "code" else backend(**given)
print(json.dumps(seen))  # noqa: T201  # a pipe
