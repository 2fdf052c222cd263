"""Any provider of OpenID Connect: discovery, code flow with PKCE, a signed id token.

https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from fhir_server.cabinet.accounts.federation import Identity
from fhir_server.core.messages import Text
from fhir_server.smart.digests import digest
from fhir_server.web.upstream.provider import (
    Attempt,
    UpstreamError,
    code_of,
    object_of,
    text_of,
)

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "RS384", "ES384")
LEEWAY: Final = 60  # seconds
KEPT: Final = 3600.0  # seconds that metadata and keys are believed


@dataclass(frozen=True, slots=True)
class OpenIdSettings:
    """What the operator knows of a provider."""

    issuer: str
    client_id: str
    client_secret: str
    title: Text
    level: int = 1
    """Assurance of everybody whom it vouches for."""
    scope: str = "openid profile email"
    identifiers: Mapping[str, str] | None = None
    """Claims that are national identifiers: the system of each."""


class OpenIdProvider:
    """`provider.Provider`."""

    def __init__(
        self,
        settings: OpenIdSettings,
        http: httpx.AsyncClient,
        seconds: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._http = http
        self._seconds = seconds
        self._known: dict[str, tuple[float, dict[str, Any]]] = {}

    @property
    def title(self) -> Text:
        """As the port says."""
        return self._settings.title

    async def begin(self, attempt: Attempt) -> str:
        """As the port says."""
        metadata = await self._metadata()
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": attempt.redirect_uri,
            "scope": self._settings.scope,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": digest(attempt.verifier),
            "code_challenge_method": "S256",
        }
        return f"{metadata['authorization_endpoint']}?{urlencode(asked)}"

    async def finish(self, attempt: Attempt, answer: Mapping[str, str]) -> Identity:
        """As the port says."""
        code = code_of(answer)
        if answer.get("iss", self._settings.issuer) != self._settings.issuer:
            raise UpstreamError("another issuer answered")  # RFC 9207
        metadata = await self._metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": attempt.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        auth = httpx.BasicAuth(self._settings.client_id, self._settings.client_secret)
        request = self._http.build_request("POST", metadata["token_endpoint"], data=form)
        tokens = await object_of(self._http, next(auth.auth_flow(request)))
        claims = await self._claims(metadata, text_of(tokens, "id_token"), attempt.nonce)
        more = await self._userinfo(metadata, text_of(tokens, "access_token"), claims)
        return self._identity({**more, **claims})

    async def _metadata(self) -> dict[str, Any]:
        issuer = self._settings.issuer
        found = await self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise UpstreamError("the provider calls itself something else")
        return found

    async def _get(self, url: str, *, fresh: bool = False) -> dict[str, Any]:
        kept = self._known.get(url)
        if kept is not None and self._seconds() < kept[0] and not fresh:
            return kept[1]
        found = await object_of(self._http, self._http.build_request("GET", url))
        self._known[url] = self._seconds() + KEPT, found
        return found

    async def _claims(
        self, metadata: Mapping[str, Any], token: str, nonce: str
    ) -> dict[str, Any]:
        uri = text_of(metadata, "jwks_uri")
        try:
            decoded = _decoded(token, await self._get(uri))
        except JoseError:
            decoded = None  # perhaps the keys have changed
        if decoded is None:
            try:
                decoded = _decoded(token, await self._get(uri, fresh=True))
            except (JoseError, ValueError) as error:
                raise UpstreamError("the id token is not the provider's") from error
        self._check(decoded, nonce)
        return decoded

    def _check(self, claims: Mapping[str, Any], nonce: str) -> None:
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        client, now = self._settings.client_id, self._seconds()
        expires = claims.get("exp")
        is_ours = client in audiences and claims.get("azp", client) == client
        is_current = isinstance(expires, int | float) and now < expires + LEEWAY
        issued = claims.get("iss") == self._settings.issuer
        if not (is_ours and is_current and issued and claims.get("nonce") == nonce):
            raise UpstreamError("the id token is for somebody else, or over")
        if not text_of(claims, "sub"):
            raise UpstreamError("the id token names nobody")

    async def _userinfo(
        self, metadata: Mapping[str, Any], token: str, claims: Mapping[str, Any]
    ) -> dict[str, Any]:
        url = text_of(metadata, "userinfo_endpoint")
        if not url or not token:
            return {}
        headers = {"Authorization": f"Bearer {token}"}
        found = await object_of(
            self._http, self._http.build_request("GET", url, headers=headers)
        )
        if found.get("sub") != claims["sub"]:
            raise UpstreamError("the provider tells of somebody else")
        return found

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        verified = claims.get("email_verified") is True
        systems = self._settings.identifiers or {}
        return Identity(
            subject=claims["sub"],
            level=self._settings.level,
            email=text_of(claims, "email") if verified else "",
            family=text_of(claims, "family_name"),
            given=text_of(claims, "given_name"),
            birth_date=text_of(claims, "birthdate"),
            identifiers=tuple(
                (system, text_of(claims, name))
                for name, system in systems.items()
                if text_of(claims, name)
            ),
        )


def _decoded(token: str, keys: dict[str, Any]) -> dict[str, Any]:
    known: Any = keys
    found = jwt.decode(token, KeySet.import_key_set(known), algorithms=list(ALGORITHMS))
    return dict(found.claims)
