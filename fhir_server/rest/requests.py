"""An HTTP request below the FHIR base, read once into plain values.

https://hl7.org/fhir/R4/http.html#general
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from fhir_server.core.errors import BadValue, TooLarge
from fhir_server.core.messages import Text

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

TOO_LARGE: Final = Text(
    "The body is larger than the {limit} bytes that this server takes.",
    "Тело запроса больше {limit} байт, которые принимает сервер.",
    "Тіло запиту більше за {limit} байт, які приймає сервер.",
)
BROKEN_OFF: Final = Text(
    "The connection ended before the body did.",
    "Соединение закрылось раньше, чем кончилось тело запроса.",
    "З'єднання закрилося раніше, ніж скінчилося тіло запиту.",
)


_DIGITS: Final = 20  # of a length; more than any limit has


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What the endpoint works on."""

    method: str
    path: str
    """Below the base, still percent-encoded."""
    query: str
    headers: Mapping[str, str]
    """By lower-case name; repeated ones joined by a comma."""


def read_request(scope: Scope, base_path: str) -> HttpRequest:
    """The request of an ASGI `scope` whose path starts with `base_path`."""
    raw = scope.get("raw_path") or scope["path"].encode()
    path = raw.decode("latin-1")[len(base_path) :]
    query = scope["query_string"].decode("latin-1")
    return HttpRequest(scope["method"], path, query, _headers(scope["headers"]))


def _headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


async def read_bytes(receive: Receive, limit: int, declared: str = "") -> bytes:
    """The whole body; `declared` is its Content-Length.

    Raises:
        TooLarge: it is, or will be, longer than `limit` bytes; the rest is not read.
        BadValue: the client went away.
    """
    if declared.isdecimal() and int(declared[:_DIGITS]) > limit:
        raise TooLarge(TOO_LARGE, limit=limit)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadValue(BROKEN_OFF)
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise TooLarge(TOO_LARGE, limit=limit)
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)
