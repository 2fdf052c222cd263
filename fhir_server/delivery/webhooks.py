"""Signed webhooks: a POST of JSON to an endpoint that the operator named.

    webhook-id: 5f0c…             the same whenever it is sent
    webhook-timestamp: 1764452700 of this try, seconds since 1970
    webhook-signature: v1,…       HMAC-SHA256 of `id.timestamp.body`; while a secret is being
                                  changed one by each, separated by a space

Content: the body, whatever JSON it is.

https://www.standardwebhooks.com/
"""

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import httpx
import msgspec

from fhir_server.delivery.answers import TIMEOUT, Recipient, post
from fhir_server.delivery.carriers import TryLater, Undeliverable, reference
from fhir_server.outward import Resolve, addresses
from fhir_server.store.outgoing import Delivery

GONE: Final = frozenset({410})
"""The endpoint wants nothing any more. Whatever else it says, it is asked again: a receiver
that is being mended refuses too."""

REST: Final = 60_000
"""Milliseconds for which an endpoint that did not answer is left alone: it would hold what is
for the others."""

_SECRET: Final = re.compile(r"whsec_([A-Za-z0-9+/]+={0,2})", re.ASCII)
_SHORTEST, _LONGEST = 24, 64  # bytes of a secret, as the standard has it


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who is told."""

    recipient: Recipient
    secrets: Sequence[bytes]
    """One, or while it is being changed both."""
    kinds: frozenset[str] = frozenset()
    """Of which occasions it wants to hear; none named: of all."""


def secret_of(text: str) -> bytes:
    """A secret as it is written: `whsec_` and base64.

    Raises:
        ValueError: it is none, or too short.
    """
    found = _SECRET.fullmatch(text)
    secret = b64decode(found[1], validate=True) if found else b""
    if not _SHORTEST <= len(secret) <= _LONGEST:
        message = "a webhook secret is `whsec_` and 24 to 64 bytes in base64"
        raise ValueError(message)
    return secret


def signature(secrets: Sequence[bytes], id_: str, at: int, body: bytes) -> str:
    """`webhook-signature`; `at` in seconds since 1970."""
    signed = f"{id_}.{at}.".encode() + body
    found = (hmac.digest(each, signed, sha256) for each in secrets)
    return " ".join(f"v1,{b64encode(each).decode()}" for each in found)


class WebhookCarrier:
    """`carriers.Carrier` of webhooks."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        endpoints: Mapping[str, Endpoint],
        now: Callable[[], int],
        resolve: Resolve = addresses,
    ) -> None:
        """`endpoints` by name; `now` in milliseconds since 1970."""
        self._http = http
        self._endpoints = endpoints
        self._now = now
        self._resolve = resolve
        self._resting: dict[str, int] = {}
        """Until when, by name."""

    async def send(self, delivery: Delivery) -> None:
        """As the port says."""
        endpoint = self._endpoints.get(delivery.to)
        if endpoint is None:
            raise Undeliverable("no-endpoint")
        rest = self._resting.get(delivery.to, 0) - self._now()
        if rest > 0:
            raise TryLater("resting", rest / 1000)
        id_, at = reference(delivery.key), self._now() // 1000
        body = msgspec.json.encode(delivery.content)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": id_,
            "webhook-timestamp": str(at),
            "webhook-signature": signature(endpoint.secrets, id_, at, body),
        }
        try:
            await post(self._http, endpoint.recipient, headers, body, self._resolve)
        except TryLater as error:
            if error.reason == TIMEOUT:
                self._resting[delivery.to] = self._now() + REST
            raise
