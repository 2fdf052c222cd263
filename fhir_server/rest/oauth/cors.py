"""Which web pages may call what.

    any          discovery, keys, style: nothing in them is anybody's
    registered   origins of redirect URIs of active clients, and those of the setting
    none         authorize: a browser goes there, it does not call

Errors carry the headers too, or the app could not read them.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#considerations-for-cross-origin-resource-sharing-cors-support
"""

import re
import time
from collections.abc import Awaitable, Callable
from typing import Final, Literal

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fhir_server.rest.cors import EXPOSED, LOCAL, LOOPBACK

Openness = Literal["any", "registered", "none"]

METHODS: Final = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
ALLOWED: Final = (
    "Authorization, Content-Type, Accept, Accept-Language, Prefer, If-Match, If-None-Match, "
    "If-Modified-Since, If-None-Exist, X-Request-Id"
)
PREFLIGHT_SECONDS: Final = 600

_EXPOSED: Final = ", ".join(EXPOSED)
_REMEMBERED: Final = 30.0  # seconds for which an origin is believed
_ORIGINS: Final = 1024  # remembered at most


class Origins:
    """Which origins are registered, remembered for a moment."""

    def __init__(
        self, given: tuple[str, ...], is_registered: Callable[[str], Awaitable[bool]]
    ) -> None:
        """`given`: those of the setting."""
        self._given = given
        self._is_registered = is_registered
        self._known: dict[str, tuple[bool, float]] = {}

    async def has(self, origin: str) -> bool:
        """Whether pages of this origin may call."""
        if "*" in self._given or origin in self._given:
            return True
        if LOCAL in self._given and re.fullmatch(LOOPBACK, origin):
            return True
        known = self._known.get(origin)
        if known is None or known[1] < time.monotonic():
            if len(self._known) >= _ORIGINS:
                self._known.clear()
            known = await self._is_registered(origin), time.monotonic() + _REMEMBERED
            self._known[origin] = known
        return known[0]


class Cors:
    """ASGI around `app`."""

    def __init__(self, app: ASGIApp, openness: Openness, origins: Origins) -> None:
        self._app = app
        self._openness = openness
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, or let the request pass with what its page may read."""
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is None or self._openness == "none":
            await self._app(scope, receive, send)
            return
        allowed = await self._allowed(origin)
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _preflight(allowed)(scope, receive, send)
            return

        async def opened(message: Message) -> None:
            if message["type"] == "http.response.start":
                found = MutableHeaders(scope=message)
                found.add_vary_header("Origin")
                if allowed is not None:
                    found["Access-Control-Allow-Origin"] = allowed
                    found["Access-Control-Expose-Headers"] = _EXPOSED
            await send(message)

        await self._app(scope, receive, opened)

    async def _allowed(self, origin: str) -> str | None:
        if self._openness == "any":
            return "*"
        return origin if await self._origins.has(origin) else None


def _preflight(allowed: str | None) -> Response:
    headers = {"Vary": "Origin"}
    if allowed is not None:
        headers |= {
            "Access-Control-Allow-Origin": allowed,
            "Access-Control-Allow-Methods": METHODS,
            "Access-Control-Allow-Headers": ALLOWED,
            "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
        }
    return Response(status_code=204, headers=headers)
