"""Requests to places that others named: which addresses may be visited, and how.

An address of the public internet, and the connection goes to the address that was looked at:
a name that leads elsewhere the next moment gains nothing.

https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from typing import Final
from urllib.parse import urlsplit

import httpx

from fhir_server.core.addresses import Address

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

_UNICAST: Final = ipaddress.ip_network("2000::/3")
"""All of IPv6 that is given out; `ipaddress` calls more than that global: `::7f00:1`."""
_6TO4: Final = ipaddress.ip_network("2002::/16")  # leads to whatever IPv4 address is in it
_MAPPED: Final = ipaddress.ip_network("::ffff:0:0/96")
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")  # https://www.rfc-editor.org/rfc/rfc6052


@cache
def trust(*, environment: bool = True) -> ssl.SSLContext:
    """Who may sign the certificates of places, read once: it takes tens of milliseconds.
    With `environment` SSL_CERT_FILE and SSL_CERT_DIR can name others.
    """
    return httpx.create_ssl_context(trust_env=environment)


class NotPublicError(Exception):
    """A host is not on the public internet, or not only there."""


async def addresses(host: str, port: int) -> Sequence[str]:
    """The network addresses of a host.

    Raises:
        OSError: it has none.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


async def public_request(
    http: httpx.AsyncClient,
    method: str,
    url: str,
    headers: Mapping[str, str],
    *,
    content: bytes | None = None,
    loopback: bool = False,
    resolve: Resolve = addresses,
) -> httpx.Request:
    """The request of `url` at one address of its host; `loopback` is for development.

    Raises:
        NotPublicError: one of its addresses may not be visited.
        OSError: it has none.
    """
    target = httpx.URL(url)
    host = target.host
    port = target.port or (443 if target.scheme == "https" else 80)
    address = _visitable(await resolve(host, port), loopback=loopback)
    # The certificate is still the host's to show: its name goes along for TLS. A pool knows
    # the address alone, and would use the connection for another host there.
    return http.build_request(
        method,
        target.copy_with(host=address),
        headers={"Host": urlsplit(url).netloc, "Connection": "close", **headers},
        content=content,
        extensions={"sni_hostname": host},
    )


def _visitable(resolved: Sequence[str], *, loopback: bool) -> str:
    """One of the addresses; all of them have to be ones that may be visited."""
    found = [ipaddress.ip_address(each.partition("%")[0]) for each in resolved]
    if not found or not all(_may_visit(each, loopback=loopback) for each in found):
        raise NotPublicError
    return str(found[0])


def _may_visit(address: Address, *, loopback: bool) -> bool:
    meant = _meant(address)
    if meant.is_loopback:
        return loopback
    if meant.version == 6 and (meant not in _UNICAST or meant in _6TO4):  # noqa: PLR2004
        return False
    return meant.is_global and not meant.is_multicast


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 one leads to, through the socket or a NAT64."""
    if address.version == 6 and (address in _MAPPED or address in _NAT64):  # noqa: PLR2004
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
