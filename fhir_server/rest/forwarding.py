"""Behind proxies: where a request really came from, and by which scheme.

Every proxy writes down whom it heard, at the end of what is there already; so the line is read
from its end, and only as far as those who wrote it are trusted. Before that stands what the
client wishes to be believed.

https://www.rfc-editor.org/rfc/rfc7239
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, Literal

from fhir_server.core.addresses import parse_address

Kind = Literal["x-forwarded", "forwarded"]

HEADERS: Final = ("forwarded", "x-forwarded-for", "x-forwarded-proto")
"""What is read; repeated ones are one list."""

_MOST: Final = 32
"""Proxies in a row that are looked at; more are a client's invention."""
_PORT: Final = re.compile(r"^(?:\[([^\]]*)\]|([^:]*))(?::[0-9]{1,5})?$")
_PAIR: Final = re.compile(r'\s*([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^\s;,"]*)\s*(;|,|$)')


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a request came."""

    address: str
    """Of the client; empty: not known."""
    scheme: str
    """`https`, or else anything."""
    by_proxy: bool
    """A trusted one brought it."""


@dataclass(frozen=True, slots=True)
class _Hop:
    address: str
    """Whom the proxy heard; empty where it does not say."""
    scheme: str
    """By which it was asked; empty where it does not say."""


class Forwarding:
    """What to believe."""

    def __init__(self, is_trusted: Callable[[str], bool], kind: Kind) -> None:
        """`is_trusted` knows the addresses of proxies, `kind` is what they write."""
        self.is_trusted = is_trusted
        self._hops = _forwarded if kind == "forwarded" else _x_forwarded

    def arrival(self, peer: str, scheme: str, headers: Mapping[str, str]) -> Arrival:
        """Of a request from `peer` by `scheme`; `headers` by lower-case name."""
        if not self.is_trusted(peer):
            return Arrival(peer, scheme, by_proxy=False)
        for hop in list(self._hops(headers))[: -_MOST - 1 : -1]:
            scheme = hop.scheme or scheme
            if not hop.address:
                break
            peer = hop.address
            if not self.is_trusted(peer):
                break
        return Arrival(peer, scheme, by_proxy=True)


def _x_forwarded(headers: Mapping[str, str]) -> Iterator[_Hop]:
    """The nearest last. A scheme alone is of the outermost proxy that wrote one."""
    addresses = _listed(headers, "x-forwarded-for")
    schemes = _listed(headers, "x-forwarded-proto")
    first = schemes[0] if schemes else ""
    paired = zip_longest(reversed(addresses), reversed(schemes[-len(addresses) :]))
    hops = [_Hop(_address(each or ""), _scheme(scheme or first)) for each, scheme in paired]
    if not addresses and schemes:
        hops = [_Hop("", _scheme(schemes[-1]))]
    return reversed(hops)


def _forwarded(headers: Mapping[str, str]) -> Iterator[_Hop]:
    """The nearest last; an element that cannot be read makes all before it unreadable."""
    text, at, found = headers.get("forwarded", ""), 0, [dict[str, str]()]
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None:
            # Where the next element begins cannot be told: only what follows a comma outside
            # of quotes would be another proxy's, and a quote may be the client's.
            return iter([_Hop("", "http")])
        found[-1].setdefault(pair[1].lower(), _unquoted(pair[2]))
        at = pair.end()
        if pair[3] == ",":
            found.append({})
    hops = (_Hop(_address(e.get("for", "")), _scheme(e.get("proto", ""))) for e in found)
    return iter(list(hops))


def _listed(headers: Mapping[str, str], name: str) -> Sequence[str]:
    text = headers.get(name, "")
    return [each.strip() for each in text.split(",")] if text else []


def _scheme(text: str) -> str:
    """What is neither is not https."""
    return text and ("https" if text.lower() == "https" else "http")


def _address(text: str) -> str:
    """Without a port; empty for what is no address, such as `unknown` or `_hidden`."""
    parts = _PORT.match(text)
    bare = text if parts is None else parts[1] if parts[1] is not None else parts[2]
    found = parse_address(bare)
    return "" if found is None else str(found)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text
