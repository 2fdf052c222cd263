"""`$bulk-publish`: the free places of the house for everybody, where the operator opened it.

Answered before the FHIR base, without a token: nothing here looks at who asks.

https://github.com/smart-on-fhir/smart-scheduling-links/blob/master/specification.md
"""

from collections.abc import AsyncIterator, Sequence
from hashlib import blake2b
from http import HTTPStatus
from typing import Final, Protocol

from starlette.types import Receive, Scope, Send

from fhir_server.core.datetimes import format_instant
from fhir_server.core.errors import MethodNotAllowed, NotFound, Throttled
from fhir_server.core.header_values import etags
from fhir_server.core.messages import Text
from fhir_server.core.wire import dumps
from fhir_server.rest.budgets import WEIGHTS, Budgets
from fhir_server.rest.responses import Form, of_error

PATH: Final = "/$bulk-publish"

NOT_PUBLISHED: Final = Text(
    "There is no such file.", "Такого файла нет.", "Такого файлу немає."
)
GET_ONLY: Final = Text(
    "`{method}` means nothing here; possible are {allow}.",
    "`{method}` здесь не имеет смысла; возможны {allow}.",
    "`{method}` тут не має змісту; можливі {allow}.",
)

_JSON: Final = b"application/json"
_NDJSON: Final = b"application/fhir+ndjson"
_KEPT: Final = (b"cache-control", b"public, max-age=60")


class Published(Protocol):
    """What is published."""

    @property
    def types(self) -> Sequence[str]:
        """One file each."""

    @property
    def url(self) -> str:
        """Of the FHIR base, without a slash at its end."""

    def lines(self, kind: str) -> AsyncIterator[bytes]:
        """A file, in parts."""

    async def changed(self) -> tuple[int, str]:
        """When something changed last, and a mark that changes with it."""


class Publication:
    """ASGI: everything below `[base]/$bulk-publish`."""

    def __init__(self, places: Published, budgets: Budgets, base_path: str) -> None:
        self._places = places
        self._files = {f"/{kind}.ndjson": kind for kind in places.types}
        self._budgets = budgets
        self._path = base_path + PATH

    def answers(self, path: str) -> bool:
        """Whether the request for `path` is for this."""
        return path == self._path or path.startswith(self._path + "/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the body of none is read."""
        del receive
        try:
            await self._answer(scope, send)
        except (MethodNotAllowed, NotFound, Throttled) as error:
            response = of_error(error, Form())
            await _start(send, response.status, response.headers)
            await send({"type": "http.response.body", "body": response.body})

    async def _answer(self, scope: Scope, send: Send) -> None:
        allow = ("GET", "HEAD")
        if scope["method"] not in allow:
            raise MethodNotAllowed(GET_ONLY, method=scope["method"], allow=allow)
        address = (scope.get("client") or ("", 0))[0]
        self._budgets.charge_network(address, WEIGHTS["search-type"])
        rest = scope["path"][len(self._path) :]
        if rest and rest not in self._files:
            raise NotFound(NOT_PUBLISHED)
        at, mark = await self._places.changed()
        tag = blake2b(f"{rest} {mark}".encode(), digest_size=12).hexdigest()
        headers = [(b"etag", f'W/"{tag}"'.encode()), _KEPT]
        if _is_known(scope, tag):
            await _start(send, HTTPStatus.NOT_MODIFIED, headers)
            await send({"type": "http.response.body", "body": b""})
            return
        kind = _NDJSON if rest else _JSON
        await _start(send, HTTPStatus.OK, [*headers, (b"content-type", kind)])
        body = self._places.lines(self._files[rest]) if rest else self._manifest(at)
        if scope["method"] == "GET":
            async for part in body:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _manifest(self, at: int) -> AsyncIterator[bytes]:
        url = f"{self._places.url}{PATH}"
        yield dumps({
            "transactionTime": format_instant(at),
            "request": url,
            "output": [
                {"type": kind, "url": f"{url}/{kind}.ndjson"} for kind in self._places.types
            ],
            "error": [],
        })  # fmt: skip


def _is_known(scope: Scope, tag: str) -> bool:
    named = [value for name, value in scope["headers"] if name == b"if-none-match"]
    known = etags(b", ".join(named).decode("latin-1")) if named else ()
    return known is None or tag in known


async def _start(send: Send, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
