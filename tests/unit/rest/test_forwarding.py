"""TLS-07: what proxies say is believed of trusted ones alone, and no further than they reach.

https://www.rfc-editor.org/rfc/rfc7239
"""

from typing import Final

import pytest

from fhir_server.core.addresses import within
from fhir_server.rest.forwarding import Arrival, Forwarding, Kind

PROXIES: Final = within(("10.0.0.0/8", "2001:db8:f::/48"))
NEAR: Final = "10.0.0.1"


def arrival(kind: Kind, peer: str = NEAR, **headers: str) -> Arrival:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Forwarding(PROXIES, kind).arrival(peer, "http", named)


@pytest.mark.parametrize("peer", ["192.0.2.1", "127.0.0.1", "", "::1"])
@pytest.mark.parametrize("kind", ["x-forwarded", "forwarded"])
def test_tls_07_nobody_else_is_believed(kind: Kind, peer: str) -> None:
    found = arrival(
        kind,
        peer,
        x_forwarded_for="203.0.113.9",
        x_forwarded_proto="https",
        forwarded="for=203.0.113.9;proto=https",
    )
    assert found == Arrival(peer, "http", by_proxy=False)


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9", "203.0.113.9"),  # the first is the client's invention
        ("1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9, 2001:db8:f::2, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),  # from within
        ("", NEAR),
        ("unknown", NEAR),
        ("203.0.113.9, unknown", NEAR),
        ("203.0.113.9, 10.0.0.2x", NEAR),
        ("203.0.113.9,", NEAR),
        (", ".join(["203.0.113.9"] + ["10.0.0.2"] * 40), "10.0.0.2"),
    ],
)
def test_tls_07_the_client_is_the_last_one_that_is_no_proxy(said: str, address: str) -> None:
    assert arrival("x-forwarded", x_forwarded_for=said).address == address


@pytest.mark.parametrize(
    ("schemes", "addresses", "scheme"),
    [
        ("https", "203.0.113.9", "https"),
        ("HTTPS", "203.0.113.9", "https"),
        ("http", "203.0.113.9", "http"),
        ("wss", "203.0.113.9", "http"),
        ("https, http", "203.0.113.9", "http"),  # the first is the client's invention
        ("https, http", "203.0.113.9, 10.0.0.2", "https"),  # http within the house
        ("http, https", "203.0.113.9, 10.0.0.2", "http"),
        ("https", "203.0.113.9, 10.0.0.2", "https"),
        ("https, http, http", "203.0.113.9, 10.0.0.2", "http"),
        ("https", "", "https"),
        ("https, http", "", "http"),
        ("", "203.0.113.9", "http"),  # as it came
    ],
)
def test_tls_07_the_scheme_is_that_of_the_outermost_proxy(
    schemes: str, addresses: str, scheme: str
) -> None:
    found = arrival("x-forwarded", x_forwarded_for=addresses, x_forwarded_proto=schemes)
    assert found.scheme == scheme


@pytest.mark.parametrize(
    ("said", "address", "scheme"),
    [
        ("for=203.0.113.9;proto=https;by=10.0.0.1", "203.0.113.9", "https"),
        ('For="[2001:db8::1]:4711";Proto=https', "2001:db8::1", "https"),
        ('for="203.0.113.9:80" ; proto="https"', "203.0.113.9", "https"),
        ("for=1.1.1.1;proto=https, for=203.0.113.9;proto=http", "203.0.113.9", "http"),
        ("for=203.0.113.9;proto=https, for=10.0.0.2;proto=http", "203.0.113.9", "https"),
        ("for=203.0.113.9;proto=https, for=10.0.0.2", "203.0.113.9", "https"),
        ("for=203.0.113.9", "203.0.113.9", "http"),
        ("proto=https", NEAR, "https"),
        ("for=_hidden;proto=https", NEAR, "https"),
        ("for=unknown, for=10.0.0.2;proto=https", "10.0.0.2", "https"),
        # What cannot be read is nobody's, and no https.
        ('for="1.1.1.1, for=203.0.113.9;proto=https', NEAR, "http"),
        ("nonsense, for=203.0.113.9;proto=https", NEAR, "http"),
        ('for=x;a=", for=203.0.113.9;b="c";proto=https', NEAR, "http"),
        ("", NEAR, "http"),
    ],
)
def test_tls_07_forwarded(said: str, address: str, scheme: str) -> None:
    assert arrival("forwarded", forwarded=said) == Arrival(address, scheme, by_proxy=True)


def test_tls_07_what_the_proxy_does_not_write_is_the_clients() -> None:
    both = {"forwarded": "for=1.1.1.1;proto=https", "x_forwarded_for": "203.0.113.9"}
    assert arrival("x-forwarded", **both) == Arrival("203.0.113.9", "http", by_proxy=True)
    others = {"x_forwarded_for": "1.1.1.1", "x_forwarded_proto": "https"}
    assert arrival("forwarded", **others) == Arrival(NEAR, "http", by_proxy=True)
