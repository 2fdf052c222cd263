"""Redirect URIs: what can be registered, what matches, what is added.

https://www.rfc-editor.org/rfc/rfc8252
"""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.smart.errors import InvalidRedirectUri
from fhir_server.smart.redirects import check, matches, origin, with_parameters


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/callback",
        "https://app.example:8443/callback?tenant=7",
        "http://127.0.0.1/cb",
        "http://[::1]:8080/cb",
        "http://localhost:3000",
        "org.example.app:/cb",
        "org.example.app://cb",
    ],
)
def test_can_be_registered(uri: str) -> None:
    check(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "http://app.example/cb",
        "https://app.example/#x",
        "https://*.example/",
        "https://",
        "app:/cb",
        "",
        "https://app.example:99999/",
        "https://[::1/",
        "https://a b.example/",
        "https://пример.example/",
        "https://app.example/" + "x" * 2000,
        "http://127.0.0.1.evil.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://a@b.example/",
        "https://app.example\\@evil.example/",
    ],
)
def test_cannot_be_registered(uri: str) -> None:
    with pytest.raises(InvalidRedirectUri):
        check(uri)


@pytest.mark.parametrize(
    ("given_uri", "registered", "same"),
    [
        ("http://127.0.0.1:1/cb", "http://127.0.0.1/cb", True),
        ("http://127.0.0.1:1", "http://127.0.0.1", True),
        ("http://127.0.0.1:123456/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:1/cb#x", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:1/cb?x", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:1/cb\n", "http://127.0.0.1/cb\n", False),
        ("http://127.0.0.1:1\\@evil.example/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:١/cb", "http://127.0.0.1/cb", False),
        ("https://app.example", "https://app.example/", False),
    ],
)
def test_matches(given_uri: str, registered: str, same: bool) -> None:
    assert matches(given_uri, [registered]) is same


@given(st.text())
def test_err_23_whatever_is_added_comes_out_again_and_ends_no_header(text: str) -> None:
    if any("\ud800" <= each <= "\udfff" for each in text):
        return
    location = with_parameters("https://app.example/?own=1", {"state": text})
    assert location.isascii()
    assert not set(location) & set('\r\n \t"<>')
    found = parse_qs(urlsplit(location).query, keep_blank_values=True)
    assert found == {"own": ["1"], "state": [text]}


def test_origin() -> None:
    assert origin("https://App.example:8443/cb?x") == "https://app.example:8443"
    assert origin("org.example.app:/cb") is None
