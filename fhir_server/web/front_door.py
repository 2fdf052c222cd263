"""The bare address of the server: it leads a browser to where people begin.

Only who asks for HTML by name is led there; a FHIR client that takes anything is answered as
before.

https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
"""

from typing import Final

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from fhir_server.rest.oauth.routes import INTERACTION

_PATH: Final = "/"


class FrontDoor:
    """ASGI: before `app`, which answers everything else."""

    def __init__(self, app: ASGIApp, home: str) -> None:
        """`home` is the path of the page that people begin at."""
        self._app = app
        self._home = home

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is ours."""
        if not _is_browser(scope):
            await self._app(scope, receive, send)
            return
        scope[INTERACTION] = "page:/"
        answer = RedirectResponse(self._home, 307)
        answer.headers.update({"Cache-Control": "no-store", "Vary": "Accept"})
        await answer(scope, receive, send)


def _is_browser(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["path"] != _PATH:
        return False
    wanted = Headers(scope=scope).get("accept", "").lower()
    return scope["method"] in ("GET", "HEAD") and "text/html" in wanted
