"""What "loopback only" means without access control, and with the demo's printed secrets.

Listening on 127.0.0.1 keeps other machines out. Pages open in this machine's browser are kept
out by the Host they name: a page of `evil.example` whose name is made to resolve to 127.0.0.1
(DNS rebinding) still sends `Host: evil.example`.
"""

import ipaddress
from functools import lru_cache
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

_REFUSAL: Final = (
    b"This server was started for one machine: it answers on a loopback address only.\n"
)


@lru_cache(maxsize=256)  # hosts come from clients, so bounded
def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address, can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class LoopbackOnly:
    """ASGI around `app`: 421 to a request that names another host."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on if it is meant for this machine."""
        if scope["type"] != "http" or is_loopback(_host(scope)):
            await self._app(scope, receive, send)
            return
        headers = [
            (b"content-type", b"text/plain"),
            (b"content-length", b"%d" % len(_REFUSAL)),
        ]
        await send({"type": "http.response.start", "status": 421, "headers": headers})
        await send({"type": "http.response.body", "body": _REFUSAL})


def _host(scope: Scope) -> str:
    """The host of the Host header without its port; a request without one (HTTP/1.0) comes
    from no browser."""
    for name, value in scope["headers"]:
        if name == b"host":
            text: str = value.decode("latin-1").lower()
            if text.startswith("["):
                return text[1:].partition("]")[0]
            return text.rpartition(":")[0] or text
    return "localhost"
