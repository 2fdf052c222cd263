"""Network addresses: which belong together, and whether one is in a list of networks.

https://www.rfc-editor.org/rfc/rfc4291
"""

import ipaddress
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

_SITE: Final = 64
"""Bits of an IPv6 address that are given out; whoever has one has all behind them."""
_KEPT: Final = 4096  # addresses come from clients, so bounded

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse_address(text: str) -> Address | None:
    """The address; IPv4 written as IPv6 is IPv4. None: it is none."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


@lru_cache(_KEPT)
def party(address: str) -> str:
    """What is counted as one: an IPv4 address, or the 64 bits of an IPv6 one that its owner
    cannot leave. Anything else stays as it is."""
    found = parse_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found.packed, _SITE), strict=False))
    return address if found is None else str(found)


def within(networks: Iterable[str]) -> Callable[[str], bool]:
    """Tells whether an address is in one of `networks`; what is no address never is.

    Raises:
        ValueError: one of them is no network.
    """
    known = [ipaddress.ip_network(each, strict=False) for each in networks]

    @lru_cache(_KEPT)
    def is_within(address: str) -> bool:
        found = parse_address(address)
        return found is not None and any(found in each for each in known)

    return is_within
