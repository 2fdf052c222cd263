"""The outermost layer: request ids, the request log, metrics, health, the last error handler.

Pure ASGI around the whole application. What is told of a request is its interaction (which the
endpoint leaves in `scope["fhir.interaction"]`), status and time; never its URL, which may
carry ids and names.

Measured on top of an empty application: 5.5 µs a request with the log on, 3.3 with it off.

https://hl7.org/fhir/R4/http.html#custom
"""

import asyncio
import itertools
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

import msgspec
import structlog
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fhir_server.core.errors import Issue
from fhir_server.core.messages import Text
from fhir_server.core.outcome import operation_outcome
from fhir_server.rest.logs import Line, unexpected
from fhir_server.rest.metrics import Metrics

UNEXPECTED: Final = Text(
    "The server met an error it did not expect. Tell its operator the request id {id}.",
    "На сервере произошла непредвиденная ошибка. Сообщите администратору номер запроса {id}.",
    "На сервері сталася непередбачена помилка. Повідомте адміністратору номер запиту {id}.",
)

READY_SECONDS: Final = 2.0

_SANE_ID: Final = re.compile(rb"[A-Za-z0-9._:~+/=-]{1,64}")
_ECHOED_ID: Final = re.compile(rb"[!-~]{1,256}")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_JSON: Final = b"application/json"
_FIGURES: Final = "/metrics"


class Seen(NamedTuple):
    """What identifies a request in logs, to both sides."""

    request_id: bytes
    headers: list[tuple[bytes, bytes]]


class Observability:
    """ASGI around `app`; answers `/health/live`, `/health/ready` and `/metrics` itself."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        ready: Callable[[], Awaitable[bool]],
        log: Callable[[Line], None],
        metrics: Callable[[str], bool] | None = None,
        figures: Metrics,
    ) -> None:
        """`ready` says whether the database answers; `metrics` which network addresses may see
        `figures`, None for nobody."""
        self._app = app
        self._ready = ready
        self._log = log
        self._error = structlog.get_logger()
        self._metrics = figures
        self._own: dict[str, Callable[[Send], Awaitable[None]]] = {
            "/health/live": self._live,
            "/health/ready": self._readiness,
        }
        self._may_see = metrics
        self._prefix = secrets.token_hex(4).encode()
        self._counter = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and tell of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        own = (
            self._exposition if path == _FIGURES and self._shows(scope) else self._own.get(path)
        )
        if own:
            await own(send)
            return
        await self._observe(scope, receive, send)

    def _shows(self, scope: Scope) -> bool:
        """Whether figures are for who asks; for others the path does not exist."""
        address = (scope.get("client") or ("", 0))[0]
        return self._may_see is not None and self._may_see(address)

    async def _observe(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = time.perf_counter()
        seen = self._identify(scope["headers"])
        scope["fhir.request_id"] = seen.request_id
        status = 0

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *seen.headers]
            await send(message)

        self._metrics.in_flight += 1
        try:
            await self._app(scope, receive, told)
        except Exception as error:  # noqa: BLE001  # the outermost handler: nothing is above
            self._error.error(
                "unexpected", request_id=seen.request_id.decode(), **unexpected(error)
            )
            if not status:
                await _apologise(told, seen.request_id.decode())
        finally:
            self._metrics.in_flight -= 1
            self._tell(scope, seen, status, time.perf_counter() - begun)

    def _tell(self, scope: Scope, seen: Seen, status: int, seconds: float) -> None:
        interaction = scope.get("fhir.interaction") or "other"
        self._metrics.observe(interaction, status, seconds)
        method = scope["method"]
        self._log(
            Line(
                time.time(),
                "info",
                "request",
                method if method in _METHODS else "other",
                interaction,
                status,
                round(seconds * 1000, 2),
                seen.request_id.decode(),
            )
        )

    def _identify(self, headers: list[tuple[bytes, bytes]]) -> Seen:
        """The client's id if it is a sane one, else our own beside the client's.

        "When the server assigned id is different to the client assigned id, the server SHOULD
        also return the X-Correlation-Id header with the client's original id in it."
        """
        given = b""
        for name, value in headers:
            if name == b"x-request-id":
                given = value
                break
        if given and _SANE_ID.fullmatch(given):
            return Seen(given, [(b"x-request-id", given)])
        made = b"%s-%x" % (self._prefix, next(self._counter))
        told = [(b"x-request-id", made)]
        if given and _ECHOED_ID.fullmatch(given):
            told.append((b"x-correlation-id", given))
        return Seen(made, told)

    async def _live(self, send: Send) -> None:
        await _answer(send, 200, _JSON, b'{"status":"live"}')

    async def _readiness(self, send: Send) -> None:
        """Ready while the database answers; an orchestrator sends requests elsewhere if not."""
        try:
            async with asyncio.timeout(READY_SECONDS):
                ready = await self._ready()
        except TimeoutError:
            ready = False
        if ready:
            await _answer(send, 200, _JSON, b'{"status":"ready"}')
        else:
            await _answer(send, 503, _JSON, b'{"status":"database does not answer"}')

    async def _exposition(self, send: Send) -> None:
        await _answer(send, 200, CONTENT_TYPE_LATEST.encode(), self._metrics.text())


async def _apologise(send: Send, request_id: str) -> None:
    issue = Issue("exception", UNEXPECTED, {"id": request_id}, "fatal")
    body = msgspec.json.encode(operation_outcome([issue]))
    await _answer(send, 500, b"application/fhir+json", body)


async def _answer(send: Send, status: int, kind: bytes, body: bytes) -> None:
    headers = [
        (b"content-type", kind),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
