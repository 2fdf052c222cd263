"""Key sets of clients, fetched: what is fetched, how often, and what never is.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html#registering-a-client-communicating-public-keys
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, RSAKey
from starlette.types import Receive, Scope, Send

from fhir_server.outward import addresses, trust
from fhir_server.rest.oauth.client_keys import AGAIN, BYTES, ClientKeys
from fhir_server.smart.errors import InvalidClient
from fhir_server.smart.records import Client
from tests.support.smart import Clock, Smart, public_address, public_jwks

pytestmark = pytest.mark.anyio

URL = "https://app.example/jwks.json"


@dataclass
class Site:
    """Where a client publishes its keys."""

    body: bytes = b'{"keys": []}'
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    seen: list[Scope] = field(default_factory=list)
    slow: float = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        self.seen.append(scope)
        await asyncio.sleep(self.slow)
        headers = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        start = {"type": "http.response.start", "status": self.status, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": self.body})

    def publish(self, *keys: RSAKey | ECKey, **headers: str) -> None:
        self.body = json.dumps(public_jwks(*keys)).encode()
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def keys(site: Site, clock: Clock) -> AsyncIterator[ClientKeys]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site)) as http:
        yield ClientKeys(http, clock.seconds, resolve=public_address)


def client(url: str = URL) -> Client:
    return Client("c", "C", "private_key_jwt", jwks_uri=url)


async def test_cli_15_the_connection_goes_to_the_address_that_was_checked(
    keys: ClientKeys, site: Site, rsa_key: RSAKey
) -> None:
    site.publish(rsa_key)
    (found,) = await keys.keys(client(), "rsa-1")
    assert found["kid"] == "rsa-1"
    (scope,) = site.seen
    assert scope["server"] == ("203.0.114.9", None)
    assert dict(scope["headers"])[b"host"] == b"app.example"


async def test_cli_15_ast_21_a_set_is_kept_as_long_as_it_says(
    keys: ClientKeys, site: Site, clock: Clock, rsa_key: RSAKey, ec_key: ECKey
) -> None:
    site.publish(rsa_key, cache_control="max-age=60")
    for _ in range(3):
        assert await keys.keys(client(), "rsa-1")
    assert len(site.seen) == 1
    site.publish(ec_key)
    clock.tick(59)
    assert [each["kid"] for each in await keys.keys(client(), "rsa-1")] == ["rsa-1"]
    clock.tick(1)
    assert [each["kid"] for each in await keys.keys(client(), "rsa-1")] == ["ec-1"]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, 300), ("max-age=999999999", 3600), ("no-store", 0), ("public, max-age=5", 5)],
)
async def test_cli_15_how_long(
    keys: ClientKeys,
    site: Site,
    clock: Clock,
    rsa_key: RSAKey,
    header: str | None,
    seconds: int,
) -> None:
    site.publish(rsa_key, **({} if header is None else {"cache_control": header}))
    await keys.keys(client(), "rsa-1")
    if seconds:
        clock.tick(seconds - 1)
        await keys.keys(client(), "rsa-1")
        assert len(site.seen) == 1
        clock.tick(1)
    await keys.keys(client(), "rsa-1")
    assert len(site.seen) == 2


async def test_cli_15_ast_21_a_new_key_is_found_but_not_looked_for_at_will(
    keys: ClientKeys, site: Site, clock: Clock, rsa_key: RSAKey, ec_key: ECKey
) -> None:
    site.publish(rsa_key)
    await keys.keys(client(), "rsa-1")
    site.publish(rsa_key, ec_key)
    for number in range(20):
        await keys.keys(client(), f"unknown-{number}")
    assert len(site.seen) == 1
    clock.tick(AGAIN)
    assert len(await keys.keys(client(), "ec-1")) == 2
    assert len(site.seen) == 2


async def test_cli_15_many_ask_at_once_and_one_fetches(
    keys: ClientKeys, site: Site, rsa_key: RSAKey
) -> None:
    site.publish(rsa_key)
    site.slow = 0.01
    await asyncio.gather(*(keys.keys(client(), "rsa-1") for _ in range(20)))
    assert len(site.seen) == 1


def _status(site: Site) -> None:
    site.status = 500


def _redirect(site: Site) -> None:
    site.status, site.headers = 302, {"location": "https://internal.example/"}


def _large(site: Site) -> None:
    site.body = b'{"keys": []' + b" " * BYTES + b"}"


def _text(site: Site) -> None:
    site.body = b"<html>"


def _list(site: Site) -> None:
    site.body = b"[]"


def _private(site: Site) -> None:
    site.body = b'{"keys": [{"kty": "RSA", "kid": "x", "d": "secret"}]}'


@pytest.mark.parametrize("fault", [_status, _redirect, _large, _text, _list, _private])
async def test_ast_19_a_set_that_cannot_be_had(
    keys: ClientKeys, site: Site, clock: Clock, fault: Callable[[Site], None]
) -> None:
    fault(site)
    with pytest.raises(InvalidClient):
        await keys.keys(client(), "x")
    assert await keys.keys(client(), "x") == ()  # and it is not asked again at once
    assert len(site.seen) == 1
    clock.tick(AGAIN)
    with pytest.raises(InvalidClient):
        await keys.keys(client(), "x")


NEVER: list[Any] = [
    ["127.0.0.1"],
    ["::1"],
    ["10.1.2.3"],
    ["192.168.0.1"],
    ["172.16.0.1"],
    ["169.254.169.254"],
    ["100.64.0.1"],
    ["0.0.0.0"],
    ["224.0.0.1"],
    ["fe80::1%eth0"],
    ["fd00::1"],
    ["::ffff:127.0.0.1"],
    ["::ffff:10.0.0.1"],
    ["64:ff9b::10.0.0.1"],  # NAT64
    ["64:ff9b::169.254.169.254"],
    ["64:ff9b:1::10.0.0.1"],
    ["2002:7f00:1::"],  # 6to4
    ["::7f00:1"],  # IPv4-compatible
    ["::ffff:0:7f00:1"],
    ["fec0::1"],
    ["ff0e::1"],
    ["203.0.114.9", "10.0.0.1"],
    [],
]


@pytest.mark.parametrize("found", NEVER)
async def test_cli_15_private_addresses_are_never_visited(
    site: Site, clock: Clock, found: list[str]
) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        del host, port
        return found

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site)) as http:
        keys = ClientKeys(http, clock.seconds, resolve=resolve)
        with pytest.raises(InvalidClient, match="public internet"):
            await keys.keys(client(), "x")
    assert site.seen == []


@pytest.mark.parametrize(
    "url",
    ["http://app.example/jwks", "ftp://app.example/", "https://", "https://a@b.example/", "x"],
)
async def test_cli_15_other_schemes_are_never_fetched(
    keys: ClientKeys, site: Site, url: str
) -> None:
    with pytest.raises(InvalidClient):
        await keys.keys(client(url), "x")
    assert site.seen == []


async def test_ast_19_a_site_that_does_not_answer(
    keys: ClientKeys, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fhir_server.rest.oauth.client_keys.SECONDS", 0.05)
    site.slow = 30
    with pytest.raises(InvalidClient):
        await keys.keys(client(), "x")


async def test_a_name_that_does_not_exist(site: Site, clock: Clock) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site)) as http:
        keys = ClientKeys(http, clock.seconds, resolve=addresses)
        with pytest.raises(InvalidClient):
            await keys.keys(client("https://no.such.host.invalid/"), "x")


async def test_a_worker_remembers_a_bounded_number(
    keys: ClientKeys, site: Site, rsa_key: RSAKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fhir_server.rest.oauth.client_keys.SETS", 2)
    site.publish(rsa_key)
    for number in range(5):
        await keys.keys(client(f"https://app.example/{number}"), "rsa-1")
    assert len(keys._sets) <= 2


async def test_in_development_loopback_is_allowed(clock: Clock, rsa_key: RSAKey) -> None:
    """Over a real connection."""
    body = json.dumps(public_jwks(rsa_key)).encode()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        writer.write(head % len(body) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks"
    async with (
        server,
        httpx.AsyncClient(verify=trust(environment=False), trust_env=False) as http,
    ):
        (found,) = await ClientKeys(http, clock.seconds, loopback=True).keys(
            client(url), "rsa-1"
        )
        assert found["kid"] == "rsa-1"
        with pytest.raises(InvalidClient):
            await ClientKeys(http, clock.seconds).keys(client(url), "rsa-1")


async def test_cli_14_16_a_client_with_a_url(smart: Smart, rsa_key: RSAKey) -> None:
    site = Site()
    site.publish(rsa_key)
    app = await smart.client(
        token_endpoint_auth_method="private_key_jwt",
        grant_types=["client_credentials"],
        redirect_uris=[],
        scope="system/*.rs",
        jwks_uri=URL,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site)) as http:
        smart.service.ports.key_sets._http = http  # type: ignore[attr-defined]  # the adapter's
        good = smart.assertion(app, rsa_key, {"jku": URL})
        assert (await smart.backend(app, rsa_key, **good)).status_code == 200
        seen = len(site.seen)
        for jku in ("https://evil.example/jwks", f"{URL}/"):
            bad = smart.assertion(app, rsa_key, {"jku": jku})
            response = await smart.backend(app, rsa_key, **bad)
            assert response.json()["error"] == "invalid_client"
        assert len(site.seen) == seen
