"""The server's signing keys: made at the first start, changed in time, published before use.

    created      the key is in the published set
    signs_from   it signs, and its predecessor does no more
    expires      it leaves the set; what it signed has long expired

https://openid.net/specs/openid-connect-core-1_0.html#RotateSigKeys
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from joserfc import jwt
from joserfc.jwk import RSAKey

from fhir_server.smart.discovery import SIGNED_WITH
from fhir_server.smart.ports import SigningKeys
from fhir_server.smart.records import SigningKey

BITS: Final = 2048
PUBLISHED_AHEAD: Final = 3_600_000  # milliseconds: clients keep a key set for so long
LOOKED_AT: Final = 60_000  # milliseconds between two looks at the stored keys

PUBLIC: Final = ("kty", "n", "e")
"""Members of an RSA key that everybody may see."""


async def generate() -> Mapping[str, Any]:
    """A new private key as a JWK; a tenth of a second of work, not on the event loop."""
    key = await asyncio.to_thread(RSAKey.generate_key, BITS)
    return {**key.as_dict(private=True), "kid": key.thumbprint()}


class KeyRing:
    """`smart.ports.Signer`, and the published set."""

    def __init__(
        self,
        keys: SigningKeys,
        now: Callable[[], int],
        *,
        lasts: int,
        make: Callable[[], Awaitable[Mapping[str, Any]]] = generate,
    ) -> None:
        """`lasts`: milliseconds after which the next key is made."""
        self._stored = keys
        self._now = now
        self._lasts = lasts
        self._make = make
        self._keys: Sequence[SigningKey] = ()
        self._looked = -LOOKED_AT
        self._imported: dict[str, RSAKey] = {}
        self._lock = asyncio.Lock()

    async def sign(self, claims: Mapping[str, Any]) -> str:
        """A JWS with the `kid` of its key."""
        current = self._signing(await self.keys())
        header = {"alg": SIGNED_WITH, "kid": current.kid}
        return jwt.encode(header, dict(claims), self._key(current), algorithms=[SIGNED_WITH])

    async def public(self) -> list[dict[str, Any]]:
        """The JWK set's keys, newest first."""
        return [
            {name: each.private[name] for name in PUBLIC}
            | {"kid": each.kid, "use": "sig", "alg": SIGNED_WITH}
            for each in await self.keys()
        ]

    async def keys(self) -> Sequence[SigningKey]:
        """The stored keys, with one that can sign; the next is made when it is time."""
        async with self._lock:
            now = self._now()
            if now - self._looked >= LOOKED_AT or not self._keys:
                self._keys = await self._kept(now)
                self._looked = now
            return self._keys

    async def _kept(self, now: int) -> Sequence[SigningKey]:
        found = await self._stored.all()
        if not found or now >= found[0].created + self._lasts:
            await self._stored.add(await self._next(found, now))
            # This key or another process's: there is a newest one now.
            found = await self._stored.all()
        return [each for each in found if now < each.expires]

    async def _next(self, found: Sequence[SigningKey], now: int) -> SigningKey:
        private = await self._make()
        number = found[0].number + 1 if found else 1
        ahead = PUBLISHED_AHEAD if found and now < found[0].expires else 0
        ends = now + 2 * self._lasts + 2 * PUBLISHED_AHEAD
        return SigningKey(str(private["kid"]), number, private, now, now + ahead, ends)

    def _signing(self, keys: Sequence[SigningKey]) -> SigningKey:
        now = self._now()
        return next((each for each in keys if each.signs_from <= now), keys[-1])

    def _key(self, key: SigningKey) -> RSAKey:
        if key.kid not in self._imported:
            self._imported[key.kid] = RSAKey.import_key(dict(key.private))
        return self._imported[key.kid]
