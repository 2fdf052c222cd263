"""The first to see a request: where it came from, and whether it may go on without TLS.

Where the public base is https, nothing is done for a request that came over plain http: what
carries a token or a form is refused, the rest is sent to https. That is known where the server
speaks TLS itself or knows its proxies; without either, plain http is all that it ever sees.

Nothing is ever made of a Host header, or of X-Forwarded-Host: links, locations and discovery
are built from the configured base.

https://www.rfc-editor.org/rfc/rfc6797
https://www.rfc-editor.org/rfc/rfc6750#section-5.3
"""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fhir_server.core.addresses import parse_address
from fhir_server.core.errors import Issue
from fhir_server.core.messages import Text, preferred
from fhir_server.core.outcome import operation_outcome
from fhir_server.core.wire import dumps
from fhir_server.rest.forwarding import HEADERS, Arrival, Forwarding
from fhir_server.rest.oauth.answers import uncached

NEEDS_TLS: Final = Text(
    "This was sent without TLS, and others may have read it. Use {base}, and a new token.",
    "Запрос пришёл без TLS, его могли прочитать другие. Используйте {base} и новый токен.",
    "Запит надійшов без TLS, його могли прочитати інші. Використовуйте {base} і новий токен.",
)

_OF_MACHINES: Final = ("/health/", "/metrics")
"""What probes ask, from near and without secrets."""
_SAFE: Final = frozenset({"GET", "HEAD"})


class Front:
    """ASGI around the whole application."""

    def __init__(
        self,
        app: ASGIApp,
        forwarding: Forwarding,
        base: str,
        base_path: str,
        *,
        hsts: int,
        strict: bool,
    ) -> None:
        """`base` is the public FHIR base, which lies here at `base_path`; `hsts` seconds, 0 for
        none; `strict`: it can be known how a request came."""
        parts = urlsplit(base)
        self._app = app
        self._forwarding = forwarding
        self._base = base
        self._base_path = base_path
        self._origin = f"{parts.scheme}://{parts.netloc}"
        is_https = parts.scheme == "https"
        self._strict = strict and is_https
        told = is_https and hsts and not _is_loopback(parts.hostname or "")
        self._hsts = b"max-age=%d" % hsts if told else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its true origin, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        arrival = self._arrival(scope)
        if arrival.by_proxy:
            scope = {**scope, "client": (arrival.address, 0), "scheme": arrival.scheme}
        if self._strict and _is_exposed(arrival, scope["path"]):
            await self._refusal(scope)(scope, receive, send)
            return
        await self._app(scope, receive, self._marked(send))

    def _arrival(self, scope: Scope) -> Arrival:
        peer, scheme = (scope.get("client") or ("", 0))[0], scope.get("scheme", "http")
        if not self._forwarding.is_trusted(peer):
            return Arrival(peer, scheme, by_proxy=False)
        given = Headers(scope=scope)
        headers = {name: ", ".join(given.getlist(name)) for name in HEADERS}
        return self._forwarding.arrival(peer, scheme, headers)

    def _marked(self, send: Send) -> Send:
        """Answers over TLS say that there is no other way."""
        mark = self._hsts
        if mark is None:
            return send

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = (b"strict-transport-security", mark)
                message = {**message, "headers": [*message.get("headers", ()), given]}
            await send(message)

        return marked

    def _refusal(self, scope: Scope) -> Response:
        headers = Headers(scope=scope)
        if scope["method"] in _SAFE and "authorization" not in headers:
            return RedirectResponse(self._public(scope), status_code=308)
        language = preferred(headers.get("accept-language", ""))
        issue = Issue("security", NEEDS_TLS, {"base": self._base})
        if scope["path"].startswith("/auth/"):
            said = issue.in_language("en")
            return uncached({"error": "invalid_request", "error_description": said}, 400)
        body = dumps(operation_outcome((issue,), language))
        return Response(body, 403, media_type="application/fhir+json")

    def _public(self, scope: Scope) -> str:
        """The URL under which clients are to ask for the same."""
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        is_fhir = path == self._base_path or path.startswith(f"{self._base_path}/")
        url = self._base + path[len(self._base_path) :] if is_fhir else self._origin + path
        return f"{url}?{query}" if query else url


def _is_exposed(arrival: Arrival, path: str) -> bool:
    """Whether others could have read it on its way; this machine's own they could not."""
    if arrival.scheme == "https" or path.startswith(_OF_MACHINES):
        return False
    return arrival.by_proxy or not _is_loopback(arrival.address)


def _is_loopback(host: str) -> bool:
    found = parse_address(host)
    return host == "localhost" if found is None else found.is_loopback
