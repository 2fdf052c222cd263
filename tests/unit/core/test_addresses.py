"""Network addresses: what is counted as one, and what is within a network.

https://www.rfc-editor.org/rfc/rfc4291
"""

import pytest

from fhir_server.core.addresses import party, within


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_who_has_one_address_of_ipv6_has_its_64_bits(address: str, counted: str) -> None:
    assert party(address) == counted


@pytest.mark.parametrize(
    ("address", "is_within"),
    [
        ("10.1.2.3", True),
        ("11.1.2.3", False),
        ("::ffff:10.1.2.3", True),
        ("192.0.2.1", True),
        ("192.0.2.2", False),
        ("2001:db8::5", True),
        ("2001:db9::5", False),
        ("fe80::1%eth0", False),
        ("", False),
        ("10.1.2", False),
    ],
)
def test_networks(address: str, *, is_within: bool) -> None:
    assert within(("10.0.0.0/8", "192.0.2.1", "2001:db8::/32"))(address) is is_within


def test_without_networks_nobody_is_within() -> None:
    assert not within(())("127.0.0.1")
