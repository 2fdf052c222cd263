"""uri values: equal, under (`:below`) or over (`:above`) a URL; `url|version` of a canonical.

https://hl7.org/fhir/R4/search.html#uri
"""

from collections.abc import Iterator
from typing import Final

from fhir_server.core.errors import BadValue
from fhir_server.core.messages import Text
from fhir_server.search import keys
from fhir_server.search.escapes import split, unescape
from fhir_server.search.plan import And, Keys, Node, Nothing, Or, Prefix
from fhir_server.search.scope import Scope

URL_NEEDED: Final = Text(
    "`{value}` is not a URL: :above and :below apply to URLs only, not to URNs.",
    "`{value}` — не URL: :above и :below применимы только к URL, не к URN.",
    "`{value}` — не URL: :above і :below застосовні лише до URL, не до URN.",
)

_SHOWN: Final = 64  # characters of a refused value that its message repeats
_SCHEME: Final = "://"


def uri(scope: Scope, kind: str, code: str, text: str) -> Node:
    """A value that is `text` to the character; for the `url` of a canonical resource,
    `url|version` asks for that business version."""
    parts = split(text, "|")
    versioned = code == "url" and len(parts) > 1 and parts[1]
    if versioned and "version" in scope.registry.indexed(kind):
        version = Keys("tokens", (keys.token("version", None, unescape(parts[1])),))
        return And((_equal(code, unescape(parts[0])), version))
    return _equal(code, unescape(text))


def _equal(code: str, value: str) -> Node:
    return Keys("uris", (keys.uri(code, value),))


def below(code: str, text: str) -> Node:
    """A URL at or under `text`: "the search term left-matches the value".

    Raises:
        BadValue: it is no URL.
    """
    value = _url(text)
    if value.endswith("/"):
        return Prefix("uris", keys.uri(code, value))
    # A segment ends at the end of the URL or before one of these.
    under = (Prefix("uris", keys.uri(code, value + mark)) for mark in "/|?#")
    return Or((_equal(code, value), *under))


def above(code: str, text: str) -> Node:
    """A URL that `text` is at or under.

    Raises:
        BadValue: it is no URL.
    """
    found = tuple(keys.uri(code, each) for each in _ancestors(_url(text)))
    return Keys("uris", found) if found else Nothing()


def _url(text: str) -> str:
    value = unescape(text)
    if _SCHEME not in value or len(value) < len(_SCHEME):
        raise BadValue(URL_NEEDED, value=value[:_SHOWN])
    return value


def _ancestors(url: str) -> Iterator[str]:
    yield url
    start = url.index(_SCHEME) + len(_SCHEME)
    place = url.rfind("/", start)
    while place > start:
        yield url[: place + 1]
        yield url[:place]
        place = url.rfind("/", start, place)
