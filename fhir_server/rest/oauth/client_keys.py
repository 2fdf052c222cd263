"""Public keys of clients: inline, or fetched from where the client publishes them.

What is fetched is chosen by others, so: https alone, verified certificates, no redirects, an
address of the public internet (and the connection goes to the address that was looked at),
bounded time and size, and no more than one fetch in a while, however many unknown keys are
asked for.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html#registering-a-client-communicating-public-keys
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import msgspec

from fhir_server.smart import jwks
from fhir_server.smart.errors import InvalidClient, InvalidClientMetadata
from fhir_server.smart.records import Client
from fhir_server.smart.registration import is_key_set_url

DEFAULT_AGE: Final = 300  # seconds, where the answer says nothing
MAX_AGE: Final = 3600
AGAIN: Final = 10  # seconds between two fetches for keys that were not there
SECONDS: Final = 5.0
BYTES: Final = 256 * 1024
SETS: Final = 1024
"""Key sets remembered, per worker."""

_MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})", re.IGNORECASE)
_UNCACHED: Final = re.compile(r"(?:^|[\s,])no-(?:store|cache)", re.IGNORECASE)

_UNICAST: Final = ipaddress.ip_network("2000::/3")
"""All of IPv6 that is given out; `ipaddress` calls more than that global: `::7f00:1`."""
_6TO4: Final = ipaddress.ip_network("2002::/16")  # leads to whatever IPv4 address is in it
_MAPPED: Final = ipaddress.ip_network("::ffff:0:0/96")
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")  # https://www.rfc-editor.org/rfc/rfc6052

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Keys = Sequence[Mapping[str, Any]]
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


@dataclass(slots=True)
class _Set:
    keys: Keys
    fetched: float
    until: float


async def addresses(host: str, port: int) -> Sequence[str]:
    """The network addresses of a host."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


class ClientKeys:
    """`smart.ports.KeySets`."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        clock: Callable[[], float],
        *,
        loopback: bool = False,
        resolve: Resolve = addresses,
    ) -> None:
        """`clock` gives seconds that never go back; `loopback` is for development."""
        self._http = http
        self._clock = clock
        self._loopback = loopback
        self._resolve = resolve
        self._sets: dict[str, _Set] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def keys(self, client: Client, kid: str) -> Keys:
        """The client's keys.

        Raises:
            InvalidClient: they cannot be had.
        """
        if client.jwks_uri is None:
            found: Keys = (client.jwks or {}).get("keys", ())
            return found
        lock = self._locks.setdefault(client.jwks_uri, asyncio.Lock())
        async with lock:
            return await self._current(client.jwks_uri, kid)

    async def _current(self, url: str, kid: str) -> Keys:
        known, now = self._sets.get(url), self._clock()
        if known is not None and now < known.until:
            held = any(each.get("kid") == kid for each in known.keys)
            if held or now < known.fetched + AGAIN:
                return known.keys
        if len(self._sets) >= SETS:
            self._forget(now)
        # A failure is remembered as an empty set: it is not tried again at once either.
        self._sets[url] = _Set((), now, now + AGAIN)
        keys, age = await self._fetched(url)
        self._sets[url] = _Set(keys, now, now + age)
        return keys

    def _forget(self, now: float) -> None:
        """Drop what is over, or everything where nothing is."""
        kept = {url: each for url, each in self._sets.items() if now < each.until}
        self._sets = kept if len(kept) < SETS else {}
        self._locks = {url: lock for url, lock in self._locks.items() if lock.locked()}

    async def _fetched(self, url: str) -> tuple[Keys, float]:
        try:
            async with asyncio.timeout(SECONDS):
                return await self._get(url)
        except (TimeoutError, httpx.HTTPError, OSError, InvalidClientMetadata) as error:
            raise InvalidClient("The client's key set cannot be fetched.") from error
        except (msgspec.DecodeError, httpx.InvalidURL, UnicodeError) as error:
            raise InvalidClient("The client's key set cannot be read.") from error

    async def _get(self, url: str) -> tuple[Keys, float]:
        if not is_key_set_url(url, loopback=self._loopback):
            raise InvalidClient("The client's key set is not at an https URL.")
        target = httpx.URL(url)
        host = target.host
        port = target.port or (443 if target.scheme == "https" else 80)
        address = await self._address(host, port)
        # The certificate is still the host's to show: its name goes along for TLS.
        request = self._http.build_request(
            "GET",
            target.copy_with(host=address),
            headers={"Host": urlsplit(url).netloc, "Accept": "application/json"},
            extensions={"sni_hostname": host},
        )
        response = await self._http.send(request, stream=True, follow_redirects=False)
        try:
            if response.status_code != httpx.codes.OK:
                raise InvalidClient("The client's key set cannot be fetched.")
            body = await _bounded(response)
        finally:
            await response.aclose()
        return jwks.parse(msgspec.json.decode(body)), _age(response.headers)

    async def _address(self, host: str, port: int) -> str:
        """One address of the host; all of them have to be ones that may be visited."""
        found = [
            ipaddress.ip_address(each.partition("%")[0])
            for each in await self._resolve(host, port)
        ]
        if not found or not all(self._may_visit(each) for each in found):
            raise InvalidClient("The client's key set is not on the public internet.")
        return str(found[0])

    def _may_visit(self, address: Address) -> bool:
        meant = _meant(address)
        if meant.is_loopback:
            return self._loopback
        if meant.version == 6 and (meant not in _UNICAST or meant in _6TO4):  # noqa: PLR2004
            return False
        return meant.is_global and not meant.is_multicast


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 one leads to, through the socket or a NAT64."""
    if address.version == 6 and (address in _MAPPED or address in _NAT64):  # noqa: PLR2004
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


async def _bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > BYTES:
            raise InvalidClient("The client's key set is too large.")
    return bytes(body)


def _age(headers: httpx.Headers) -> float:
    """Seconds for which the answer may be believed."""
    said = headers.get("cache-control", "")
    if _UNCACHED.search(said):
        return 0
    found = _MAX_AGE.search(said)
    return min(int(found[1]), MAX_AGE) if found else DEFAULT_AGE
