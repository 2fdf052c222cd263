"""TLS: by the server itself, behind a proxy, and where the server is the client.

https://hl7.org/fhir/smart-app-launch/STU2.2/best-practices.html
https://www.rfc-editor.org/rfc/rfc9325
"""

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self
from uuid import uuid4

import httpx
import pytest
import uvicorn
from joserfc.jwk import RSAKey

from fhir_server.core.messages import Text
from fhir_server.rest.oauth.client_keys import ClientKeys
from fhir_server.settings import Settings
from fhir_server.smart.errors import InvalidClient
from fhir_server.smart.records import Client
from fhir_server.web.upstream.openid import OpenIdProvider, OpenIdSettings
from fhir_server.web.upstream.provider import Attempt, UpstreamError
from tests.support.certificates import Authority, Pair
from tests.support.running import Running
from tests.support.smart import Clock, public_jwks
from tests.support.worlds import Tokens

PUBLIC: Final = "https://fhir.example.org/fhir"
HOST: Final = "127.0.0.1"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def pair(authority: Authority) -> Pair:
    return authority.pair(HOST)


def settings(uri: str, **more: Any) -> Settings:
    return Settings(
        mongodb_uri=uri,
        database=f"tls_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
        **more,
    )


@pytest.fixture(scope="module")
def direct(mongodb_uri: str, pair: Pair) -> Iterator[str]:
    """The root of a server that speaks TLS."""
    made = settings(
        mongodb_uri, tls_cert=pair.cert, tls_key=pair.key, base_url="https://a.example/fhir"
    )
    with Running(made) as running:
        yield running.base_url.removesuffix("/fhir")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("check", "method", "path", "status"),
    [
        ("TLS-01", "GET", "/auth/authorize", 400),
        ("TLS-02", "POST", "/auth/token", 400),
        ("TLS-03", "GET", "/fhir/metadata", 200),
    ],
)
def test_tls_01_tls_02_tls_03_a_verified_handshake(
    direct: str,
    authority: Authority,
    version: ssl.TLSVersion,
    check: str,
    method: str,
    path: str,
    status: int,
) -> None:
    del check
    trusting = authority.trusting()
    trusting.minimum_version = trusting.maximum_version = version
    with httpx.Client(verify=trusting, base_url=direct) as client:
        answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def shaken(port: int, version: ssl.TLSVersion) -> bool:
    """Whether a client that knows this version alone comes to an understanding."""
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version = old.maximum_version = version
    with socket.create_connection((HOST, port), timeout=10) as bare:
        try:
            with old.wrap_socket(bare) as wrapped:
                return wrapped.version() is not None
        except (ssl.SSLError, OSError):
            return False


@contextmanager
def lenient(pair: Pair) -> Iterator[int]:
    """The port of a server that would take anything: the other half of the proof."""
    taking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    taking.load_cert_chain(pair.cert, pair.key)
    taking.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        taking.minimum_version = ssl.TLSVersion.TLSv1
    listener = socket.create_server((HOST, 0))

    def serve() -> None:
        bare, _ = listener.accept()
        with bare:
            try:
                taking.wrap_socket(bare, server_side=True).close()
            except (ssl.SSLError, OSError):
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listener:
        yield listener.getsockname()[1]
        thread.join(10)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_tls_04_older_versions_are_refused(
    direct: str, pair: Pair, version: ssl.TLSVersion
) -> None:
    with lenient(pair) as port:
        if not shaken(port, version):
            pytest.skip(f"this machine's OpenSSL does not speak {version.name}")
    assert not shaken(int(direct.rpartition(":")[2]), version)


def test_tls_05_plain_http_gets_no_answer(direct: str) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{direct.replace('https', 'http')}/fhir/metadata")


def test_tls_01_a_stranger_does_not_trust_the_certificate(direct: str) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{direct}/fhir/metadata")


@pytest.fixture(scope="module")
def behind(mongodb_uri: str) -> Iterator[httpx.Client]:
    """Behind a proxy on this machine."""
    made = settings(mongodb_uri, base_url=PUBLIC, trusted_proxies=(HOST,))
    with (
        Running(made, Tokens().gate) as running,
        httpx.Client(base_url=running.base_url, timeout=60) as client,
    ):
        yield client


SECURE: Final = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
FORGED: Final = {
    **SECURE,
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": "host=evil.example;proto=http",
}
ROOT: Final = {"Authorization": "Bearer root"}


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/metadata", "GET"),
        ("/Patient?_count=1", "GET"),
        ("/Patient", "POST"),
        ("/_history?_count=1", "GET"),
    ],
)
def test_tls_07_urls_are_built_from_the_configured_base(
    behind: httpx.Client, path: str, method: str
) -> None:
    body = {"resourceType": "Patient"} if method == "POST" else None
    behind.post("/Patient", json={"resourceType": "Patient"}, headers=SECURE | ROOT)
    answer = behind.request(method, path, json=body, headers=FORGED | ROOT)
    assert answer.is_success
    assert "evil" not in answer.text + str(answer.headers)
    assert PUBLIC in answer.text + answer.headers.get("location", "")


@pytest.fixture(scope="module")
def signing(mongodb_uri: str) -> Iterator[str]:
    """The root of a server with its authorization server, behind a proxy."""
    made = settings(
        mongodb_uri, base_url=PUBLIC, trusted_proxies=(HOST,), auth_failures_per_minute=2
    )
    with Running(made) as running:
        yield running.base_url.removesuffix("/fhir")


def test_tls_07_discovery_and_pages_name_the_public_host(signing: str) -> None:
    url = f"{signing}/fhir/.well-known/smart-configuration"
    known = httpx.get(url, headers=FORGED).json()
    assert known["issuer"] == "https://fhir.example.org"
    urls = [value for value in known.values() if str(value).startswith("http")]
    assert all(each.startswith("https://fhir.example.org/") for each in urls[1:])
    page = httpx.get(f"{signing}/auth/account", headers=FORGED)
    assert "evil" not in page.text + str(page.headers)


def test_tls_05_cookies_are_secure(signing: str) -> None:
    page = httpx.get(f"{signing}/auth/sign-in", headers=SECURE, follow_redirects=False)
    cookies = page.headers.get_list("set-cookie")
    assert cookies
    assert all("secure" in each.lower() and each.startswith("__Host-") for each in cookies)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/fhir/Patient", 403), ("/auth/token", 400), ("/auth/userinfo", 400)],
)
def test_tls_05_a_bearer_that_came_by_http_is_refused(
    signing: str, path: str, status: int
) -> None:
    headers = {"X-Forwarded-Proto": "http", "Authorization": "Bearer x"}
    answer = httpx.post(f"{signing}{path}", headers=headers)
    assert answer.status_code == status
    seen = httpx.get(f"{signing}/auth/account", headers={"X-Forwarded-Proto": "http"})
    assert (seen.status_code, seen.headers["location"]) == (
        308,
        "https://fhir.example.org/auth/account",
    )


def failures(root: str, addresses: list[str]) -> list[int]:
    """The answers to refused requests for tokens, by address that a proxy names."""
    return [
        httpx.post(
            f"{root}/auth/token",
            data={"grant_type": "x"},
            headers={"X-Forwarded-For": each, "X-Forwarded-Proto": "https"},
        ).status_code
        for each in addresses
    ]


def test_tls_07_failures_are_counted_by_the_clients_address(signing: str) -> None:
    tried = ["192.0.2.1"] * 3 + ["192.0.2.2", "1.1.1.1, 192.0.2.1"]
    assert failures(signing, tried) == [400, 400, 429, 400, 429]


def test_tls_07_nobody_else_names_the_address(mongodb_uri: str) -> None:
    with Running(settings(mongodb_uri, auth_failures_per_minute=2)) as running:
        root = running.base_url.removesuffix("/fhir")
        tried = [f"192.0.2.{n}" for n in range(4)]
        assert failures(root, tried) == [400, 400, 429, 429]


class Site:
    """What a site publishes, over TLS on this machine."""

    def __init__(self, pair: Pair, body: bytes) -> None:
        self._body = body
        self._socket = socket.create_server((HOST, 0))
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            self._app, ssl_certfile=pair.cert, ssl_keyfile=pair.key, log_config=None,
            lifespan="off", interface="asgi3",
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        del scope, receive
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self._body})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(20)
        self._socket.close()


async def on_loopback(host: str, port: int) -> list[str]:
    del host, port
    return [HOST]


@pytest.mark.parametrize(
    ("named", "trusted", "is_taken"),
    [
        ("app.example", True, True),
        ("app.example", False, False),  # nobody knows who signed it
        ("other.example", True, False),  # another site's certificate
        (HOST, True, False),  # the address is not the name
    ],
)
def test_tls_06_key_sets_are_fetched_from_verified_sites(
    authority: Authority, rsa_key: RSAKey, named: str, *, trusted: bool, is_taken: bool
) -> None:
    body = json.dumps(public_jwks(rsa_key)).encode()
    verify = authority.trusting() if trusted else ssl.create_default_context()

    async def fetched(port: int) -> int:
        client = Client(
            "c", "C", "private_key_jwt", jwks_uri=f"https://app.example:{port}/jwks"
        )
        async with httpx.AsyncClient(verify=verify, trust_env=False) as http:
            keys = ClientKeys(http, Clock().seconds, loopback=True, resolve=on_loopback)
            return len(await keys.keys(client, "rsa-1"))

    with Site(authority.pair(named), body) as site:
        if is_taken:
            assert asyncio.run(fetched(site.port)) == 1
        else:
            with pytest.raises(InvalidClient, match="cannot be fetched"):
                asyncio.run(fetched(site.port))


def test_tls_06_identity_providers_are_verified(pair: Pair) -> None:
    async def begun(port: int) -> str:
        known = OpenIdSettings(f"https://{HOST}:{port}", "c", "s", Text("a", "b", "c"))
        async with httpx.AsyncClient() as http:
            attempt = Attempt("https://a.example/back", "state", "nonce", "verifier")
            return await OpenIdProvider(known, http).begin(attempt)

    with Site(pair, b"{}") as site, pytest.raises(UpstreamError):
        asyncio.run(begun(site.port))
