"""Compressed bodies, both ways: gzip and Brotli out, gzip in, as pure ASGI.

https://www.rfc-editor.org/rfc/rfc9110#name-content-codings
https://www.rfc-editor.org/rfc/rfc7694 (codings of requests)
"""

import asyncio
import zlib
from functools import lru_cache
from typing import Final, Literal, Protocol

import brotli  # type: ignore[import-untyped]  # ships no types
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fhir_server.core.header_values import items, parameters, weight
from fhir_server.rest.inflation import inflated

Coding = Literal["br", "gzip"]
Header = tuple[bytes, bytes]

MIN_SIZE: Final = 1024
"""Bytes; a smaller body fits one packet either way."""

# A page of 50 Observations (49 KB): Brotli 3 makes 1/14 of it in 0.16 ms, gzip 3 1/12 in
# 0.09 ms; two levels more cost three times the time for a tenth of the size.
_BROTLI_QUALITY: Final = 3
_GZIP_LEVEL: Final = 3
_GZIP_WINDOW: Final = 31  # zlib's number for the largest window in gzip's wrapping

_LARGE: Final = 256 * 1024
"""Bytes that would hold the event loop for some milliseconds; a thread takes those."""

# Not text/html: a page may carry a secret beside what its reader typed (BREACH).
_COMPRESSIBLE: Final = (
    b"application/fhir+",
    b"application/json",
    b"application/xml",
    b"application/ndjson",
    b"application/javascript",
    b"text/plain",
    b"text/css",
    b"text/csv",
    b"text/javascript",
    b"image/svg+xml",
)


class Compression:
    """Inflates what comes in and compresses what goes out, as the headers say."""

    def __init__(self, app: ASGIApp, *, max_body: int) -> None:
        """`max_body` bounds a request's body after inflation, in bytes."""
        self._app = app
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on; errors in the body rise where the application reads it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: list[Header] = scope["headers"]
        encoding = _value(headers, b"content-encoding")
        if encoding:
            receive = inflated(receive, encoding.decode("latin-1"), self._max_body)
            # In place: what the application notes in the scope is read outside of here.
            scope["headers"] = _without(headers, b"content-encoding", b"content-length")
        accepted = coding(_value(headers, b"accept-encoding").decode("latin-1"))
        await self._app(scope, receive, _Answer(send, accepted))


@lru_cache(256)  # headers come from clients, so bounded
def coding(accept_encoding: str) -> Coding | None:
    """The best coding for an Accept-Encoding header; None for the body as it is."""
    given: dict[str, float] = {}
    for item in items(accept_encoding):
        name, rest = parameters(item)
        given[name] = weight(rest.get("q", "1"))
    others = given.get("*", 0.0)
    br, gzip = (
        given.get("br", others),
        given.get("gzip", given.get("x-gzip", others)),
    )
    if max(br, gzip, 0.0) < given.get("identity", 0.0):
        return None
    if br > 0 and br >= gzip:
        return "br"
    return "gzip" if gzip > 0 else None


class _Compressor(Protocol):
    def part(self, data: bytes) -> bytes: ...
    def last(self, data: bytes) -> bytes: ...


class _Gzip:
    def __init__(self) -> None:
        self._stream = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)

    def part(self, data: bytes) -> bytes:
        return self._stream.compress(data) + self._stream.flush(zlib.Z_SYNC_FLUSH)

    def last(self, data: bytes) -> bytes:
        return self._stream.compress(data) + self._stream.flush()


class _Brotli:
    def __init__(self) -> None:
        self._stream = brotli.Compressor(mode=brotli.MODE_TEXT, quality=_BROTLI_QUALITY)

    def part(self, data: bytes) -> bytes:
        written: bytes = self._stream.process(data) + self._stream.flush()
        return written

    def last(self, data: bytes) -> bytes:
        written: bytes = self._stream.process(data) + self._stream.finish()
        return written


class _Answer:
    """An ASGI `send` that holds the start back until it has seen the first of the body."""

    def __init__(self, send: Send, accepted: Coding | None) -> None:
        self._send = send
        self._accepted = accepted
        self._start: Message | None = None
        self._compressor: _Compressor | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if self._start is not None:
            start, self._start = self._start, None
            self._choose(start, message)
            if self._compressor is not None and not message.get("more_body", False):
                message = await self._compressed(message)
                start["headers"].append(_length(message["body"]))
                self._compressor = None
            await self._send(start)
        if self._compressor is not None and message["type"] == "http.response.body":
            message = await self._compressed(message)
        await self._send(message)

    def _choose(self, start: Message, first: Message) -> None:
        """Decide by the first of the body; write what was decided into the headers."""
        headers: list[Header] = list(start.get("headers", ()))
        start["headers"] = headers
        if not _value(headers, b"content-type").startswith(_COMPRESSIBLE):
            return
        if _value(headers, b"content-encoding"):
            return
        start["headers"] = headers = _varied(headers)
        whole = not first.get("more_body", False)
        if self._accepted is None or (whole and len(first.get("body", b"")) < MIN_SIZE):
            return
        self._compressor = _Brotli() if self._accepted == "br" else _Gzip()
        kept = [_weakened(each) for each in _without(headers, b"content-length")]
        start["headers"] = [*kept, (b"content-encoding", self._accepted.encode())]

    async def _compressed(self, message: Message) -> Message:
        compressor, body = self._compressor, message.get("body", b"")
        if compressor is None:
            return message
        run = compressor.part if message.get("more_body", False) else compressor.last
        data = await asyncio.to_thread(run, body) if len(body) > _LARGE else run(body)
        return {**message, "body": data}


def _value(headers: list[Header], name: bytes) -> bytes:
    """All values of a header, joined as HTTP joins them."""
    return b", ".join([value for key, value in headers if key == name])


def _without(headers: list[Header], *names: bytes) -> list[Header]:
    return [each for each in headers if each[0] not in names]


def _length(body: bytes) -> Header:
    return b"content-length", str(len(body)).encode()


def _varied(headers: list[Header]) -> list[Header]:
    vary = _value(headers, b"vary")
    if b"accept-encoding" in vary.lower() or vary == b"*":
        return headers
    return [*headers, (b"vary", b"accept-encoding")]


def _weakened(header: Header) -> Header:
    """A strong tag names bytes, and these are others now."""
    name, value = header
    return (name, b"W/" + value) if name == b"etag" and value.startswith(b'"') else header
