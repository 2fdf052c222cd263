"""What the answers of HTTP recipients mean: arrived, later, never.

Webhooks and gateways of SMS share it; only what a gateway says in the body is its own.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from fhir_server.delivery.carriers import TryLater, Undeliverable, waited
from fhir_server.outward import NotPublicError, Resolve, public_request

SECONDS: Final = 15.0
TIMEOUT: Final = "timeout"
"""Why, where nobody answers in time."""
ANSWER: Final = 64 * 1024
"""Bytes of an answer that are read."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where to post, and when that is over."""

    url: str
    never: frozenset[int]
    """Statuses that mean so; whatever else is no success may become one."""
    private: bool = False
    """In a network of the operator's: any address, and http."""


async def post(
    http: httpx.AsyncClient,
    to: Recipient,
    headers: Mapping[str, str],
    content: bytes,
    resolve: Resolve,
) -> bytes:
    """Post, and give what a 2xx answers, cut off; redirects are not followed.

    Raises:
        TryLater: nobody answered, or the recipient cannot take it now.
        Undeliverable: the recipient never takes it.
    """
    wanted = {"Accept-Encoding": "identity", **headers}
    try:
        async with asyncio.timeout(SECONDS):
            request = await _request(http, to, wanted, content, resolve)
            response = await http.send(request, stream=True, follow_redirects=False)
            try:
                judge(response, to.never)
                return await _beginning(response)
            finally:
                await response.aclose()
    except NotPublicError as error:
        raise TryLater("not-public") from error
    except (TimeoutError, httpx.TimeoutException) as error:
        raise TryLater(TIMEOUT) from error
    except (httpx.HTTPError, OSError) as error:
        raise TryLater("unreachable") from error


async def _request(
    http: httpx.AsyncClient,
    to: Recipient,
    headers: Mapping[str, str],
    content: bytes,
    resolve: Resolve,
) -> httpx.Request:
    if to.private:
        return http.build_request("POST", to.url, headers=headers, content=content)
    return await public_request(http, "POST", to.url, headers, content=content, resolve=resolve)


def judge(response: httpx.Response, never: frozenset[int]) -> None:
    """Raise unless it arrived.

    Raises:
        TryLater, Undeliverable: as `post` says.
    """
    status = response.status_code
    if response.is_success:
        return
    reason = f"http {status}"
    if status in never:
        raise Undeliverable(reason)
    raise TryLater(reason, waited(response.headers.get("retry-after")))


async def _beginning(response: httpx.Response) -> bytes:
    body = bytearray()
    async for part in response.aiter_raw():  # a few of its bytes can unpack to gigabytes
        body += part
        if len(body) >= ANSWER:
            break
    return bytes(body[:ANSWER])
