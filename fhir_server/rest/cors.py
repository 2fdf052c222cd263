"""Which web pages may call this server from a browser.

A page of another origin is answered as anybody else, without the headers that would let its
script read the answer: a preflight is then a plain OPTIONS.

https://hl7.org/fhir/R4/security.html#cors
https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from collections.abc import Iterable
from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

LOCAL: Final = "localhost"
"""Among the origins: whatever page this machine serves to itself, on any port."""

LOOPBACK: Final = r"https?://(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?"
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
EXPOSED: Final = (
    *("Location", "Content-Location", "ETag", "Last-Modified", "Retry-After", "X-Progress"),
    *("X-Request-Id", "WWW-Authenticate", "Link"),
)
"""Headers of answers that a page may read."""
_KEPT: Final = 600  # seconds a browser need not ask again


class Cors:
    """ASGI around `app`: the answers to pages of `origins`, `*` for all."""

    def __init__(self, app: ASGIApp, origins: Iterable[str]) -> None:
        named = set(origins)
        self._app = app
        self._open = CORSMiddleware(
            app,
            allow_origins=sorted(named - {LOCAL}),
            allow_origin_regex=LOOPBACK if LOCAL in named else None,
            allow_methods=_METHODS,
            allow_headers=("*",),
            expose_headers=EXPOSED,
            max_age=_KEPT,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with the headers of CORS where the page may read the answer."""
        origin = Headers(scope=scope).get("origin") if scope["type"] == "http" else None
        allowed = origin is not None and self._open.is_allowed_origin(origin)
        await (self._open if allowed else self._app)(scope, receive, send)
