"""Public keys of clients: inline, or fetched from where the client publishes them.

What is fetched is chosen by others, so: https alone, verified certificates, no redirects, an
address of the public internet (and the connection goes to the address that was looked at),
bounded time and size, and no more than one fetch in a while, however many unknown keys are
asked for.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html#registering-a-client-communicating-public-keys
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx
import msgspec

from fhir_server.outward import NotPublicError, Resolve, addresses, public_request
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

Keys = Sequence[Mapping[str, Any]]


@dataclass(slots=True)
class _Set:
    keys: Keys
    fetched: float
    until: float


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
        try:
            request = await public_request(
                self._http,
                "GET",
                url,
                {"Accept": "application/json"},
                loopback=self._loopback,
                resolve=self._resolve,
            )
        except NotPublicError as error:
            message = "The client's key set is not on the public internet."
            raise InvalidClient(message) from error
        response = await self._http.send(request, stream=True, follow_redirects=False)
        try:
            if response.status_code != httpx.codes.OK:
                raise InvalidClient("The client's key set cannot be fetched.")
            body = await _bounded(response)
        finally:
            await response.aclose()
        return jwks.parse(msgspec.json.decode(body)), _age(response.headers)


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
