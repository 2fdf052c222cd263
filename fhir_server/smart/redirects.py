"""Where a browser may be sent back to: what can be registered, what matches, what is added.

A redirect URI is compared character by character. The one exception is the port of a native
app on loopback: "The authorization server MUST allow any port to be specified at the time of
the request for loopback IP redirect URIs".

https://www.rfc-editor.org/rfc/rfc9700#section-2.1
https://www.rfc-editor.org/rfc/rfc8252#section-7.3
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from fhir_server.smart.errors import InvalidRedirectUri

MAX_LENGTH: Final = 2000

_LOOPBACK: Final = re.compile(
    r"http://(?P<host>127\.0\.0\.1|\[::1\])(?::\d{1,5})?(?P<rest>[/?].*)?", re.ASCII
)
_LOCAL_HOSTS: Final = ("127.0.0.1", "::1", "localhost")
_HOST: Final = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+", re.ASCII)
_VISIBLE: Final = re.compile(r"[!-~]+")
_PRIVATE_SCHEME: Final = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")


def check(uri: str) -> None:
    """Whether it can be registered.

    https, http on this very machine, or a private scheme that is a reversed domain name.

    Raises:
        InvalidRedirectUri: it cannot.
    """
    if len(uri) > MAX_LENGTH or not _VISIBLE.fullmatch(uri) or set(uri) & set('\\"<>^`{|}#*'):
        raise InvalidRedirectUri("A redirect URI has characters that it may not have.")
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidRedirectUri("A redirect URI cannot be read.") from error
    if "@" in parts.netloc:
        raise InvalidRedirectUri("A redirect URI names a user.")
    if host and not _HOST.fullmatch(host):
        raise InvalidRedirectUri("The host of a redirect URI is none.")
    secure = parts.scheme == "https" and host
    local = parts.scheme == "http" and host in _LOCAL_HOSTS
    if not (secure or local or _PRIVATE_SCHEME.fullmatch(parts.scheme)):
        raise InvalidRedirectUri("A redirect URI is neither https, loopback nor private.")


def matches(given: str, registered: Iterable[str]) -> bool:
    """Whether the browser may be sent to `given`."""
    return any(given == each or _same_but_for_port(given, each) for each in registered)


def _same_but_for_port(given: str, registered: str) -> bool:
    one, other = _LOOPBACK.fullmatch(given), _LOOPBACK.fullmatch(registered)
    return bool(
        one
        and other
        and _VISIBLE.fullmatch(given)
        and one["host"] == other["host"]
        and one["rest"] == other["rest"]
    )


def with_parameters(uri: str, added: Mapping[str, str]) -> str:
    """`uri`, its own query kept, with what is added; nothing in it can end a header."""
    joint = "&" if "?" in uri else "?"
    return f"{uri}{joint}{urlencode(added, quote_via=quote, safe='')}"


def origin(uri: str) -> str | None:
    """The web origin of an http(s) URI: what a browser calls itself; None of others."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        return None
    return f"{parts.scheme}://{parts.netloc.lower()}"
