"""Identity providers that say what the test wants, on loopback."""

import base64
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

CLIENT = "fhir-server"
SECRET = "upstream secret"


@dataclass
class Mock:
    """One provider that speaks three dialects, and what it was asked."""

    key: RSAKey
    base: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    """Of the next id token, over what is right."""
    person: dict[str, Any] = field(default_factory=dict)
    """What `userinfo`, `/rs/prns` and `get-user-info` say."""
    contacts: list[dict[str, Any]] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    nonce: str = ""
    signed_with: RSAKey | None = None

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._metadata),
                Route("/jwks", self._keys),
                Route("/token", self._token, methods=["POST"]),
                Route("/userinfo", self._userinfo),
                Route("/aas/oauth2/te", self._esia_token, methods=["POST"]),
                Route("/rs/prns/{oid}", self._userinfo),
                Route("/rs/prns/{oid}/ctts", self._contacts),
                Route("/get-access-token", self._gov_token, methods=["POST"]),
                Route("/get-user-info", self._userinfo),
            ]
        )

    async def _metadata(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.base,
                "authorization_endpoint": f"{self.base}/authorize",
                "token_endpoint": f"{self.base}/token",
                "jwks_uri": f"{self.base}/jwks",
                "userinfo_endpoint": f"{self.base}/userinfo",
            }
        )

    async def _keys(self, _: Request) -> Response:
        public = {**self.key.as_dict(private=False), "kid": self.key.kid}
        return JSONResponse({"keys": [public]})

    async def _form(self, request: Request) -> None:
        found = parse_qs((await request.body()).decode())
        form = {name: each[0] for name, each in found.items()}
        self.forms.append(form | {"authorization": request.headers.get("authorization", "")})

    async def _token(self, request: Request) -> Response:
        await self._form(request)
        claims = {
            "iss": self.base,
            "aud": CLIENT,
            "sub": "s1",
            "exp": int(time.time()) + 300,
            "nonce": self.nonce,
        }
        return JSONResponse({"access_token": "at", "id_token": self._signed(claims)})

    async def _esia_token(self, request: Request) -> Response:
        await self._form(request)
        claims = {
            "iss": "http://esia.gosuslugi.ru/",
            "aud": CLIENT,
            "exp": int(time.time()) + 300,
            "urn:esia:sbj": {"urn:esia:sbj:oid": 1000299654},
        }
        return JSONResponse({"access_token": "at", "id_token": self._signed(claims)})

    def _signed(self, claims: Mapping[str, Any]) -> str:
        said = {**claims, **self.claims}
        header = {"alg": "RS256", "kid": self.key.kid}
        return jwt.encode(header, said, self.signed_with or self.key, algorithms=["RS256"])

    async def _gov_token(self, request: Request) -> Response:
        await self._form(request)
        return JSONResponse(
            {"access_token": "at", "token_type": "bearer", "expires_in": "300", "user_id": "7"}
        )

    async def _userinfo(self, _: Request) -> Response:
        return JSONResponse(self.person)

    async def _contacts(self, _: Request) -> Response:
        return JSONResponse({"elements": self.contacts})


@contextmanager
def serving(mock: Mock) -> Iterator[Mock]:
    """The provider on a port of its own."""
    listening = socket.create_server(("127.0.0.1", 0))
    mock.base = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(mock.app(), log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield mock
    server.should_exit = True
    thread.join(20)
    listening.close()


def certificate() -> tuple[x509.Certificate, RSAPrivateKey]:
    """Of the client, self-signed."""
    key = generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, CLIENT)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )
    return made, key


def sealed(person: Mapping[str, Any]) -> str:
    """A stand-in for an answer encrypted to a certificate."""
    return base64.b64encode(json.dumps(person).encode()).decode()
