"""The compressed body of a request, inflated as it is read and never beyond its limits.

https://www.rfc-editor.org/rfc/rfc7694
"""

import asyncio
import zlib
from typing import Final

from starlette.types import Message, Receive

from fhir_server.core.errors import BadValue, TooLarge, UnsupportedMediaType
from fhir_server.core.messages import Text

NOT_READ: Final = Text(
    "A body with Content-Encoding `{coding}` is not read here; gzip is.",
    "Тело с Content-Encoding `{coding}` здесь не читается; gzip читается.",
    "Тіло з Content-Encoding `{coding}` тут не читається; gzip читається.",
)
BROKEN: Final = Text(
    "The body is not the gzip stream that its Content-Encoding announces.",
    "Тело запроса не является потоком gzip, который объявлен в Content-Encoding.",
    "Тіло запиту не є потоком gzip, який оголошено в Content-Encoding.",
)
TOO_LARGE: Final = Text(
    "The body inflates to more than {limit} bytes.",
    "После распаковки тело больше {limit} байт.",
    "Після розпакування тіло більше за {limit} байт.",
)
TOO_DENSE: Final = Text(
    "The body inflates to more than {ratio} times its size.",
    "После распаковки тело больше исходного более чем в {ratio} раз.",
    "Після розпакування тіло більше за початкове понад у {ratio} разів.",
)

MAX_RATIO: Final = 100
"""Bundles of Synthea shrink to a fifteenth; what gzip can at most is 1,032."""
_RATIO_COUNTS_FROM: Final = 1024 * 1024
"""Bytes out; small bodies may be as dense as they like."""
_PIECE: Final = 256 * 1024
"""Bytes inflated at once, so that other requests get their turn."""
_GZIP_WINDOW: Final = 31


def inflated(receive: Receive, encoding: str, limit: int) -> Receive:
    """An ASGI `receive` that inflates `receive`; `limit` in bytes.

    Raises, when called:
        UnsupportedMediaType: `encoding` is not gzip.
        TooLarge: more than `limit`, or too dense to be honest.
        BadValue: it is not gzip.
    """
    codings = [each.strip().lower() for each in encoding.split(",")]
    if codings == ["identity"]:
        return receive
    if codings not in (["gzip"], ["x-gzip"]):
        return _refusing(encoding)
    return _Inflation(receive, limit)


def _refusing(encoding: str) -> Receive:
    async def refuse() -> Message:
        error = UnsupportedMediaType(NOT_READ, coding=encoding[:50])
        error.headers = {"Accept-Encoding": "gzip"}
        raise error

    return refuse


class _Inflation:
    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._stream = zlib.decompressobj(_GZIP_WINDOW)
        self._waiting = b""
        """Compressed bytes received and not yet inflated."""
        self._cut = False
        """The last piece was full: the stream may hold more without any input."""
        self._more = True
        self._read = self._given = 0

    async def __call__(self) -> Message:
        """The next piece; the last one has `more_body` false."""
        if self._more and not self._waiting and not self._cut:
            message = await self._receive()
            if message["type"] != "http.request":
                return message
            self._waiting = message.get("body", b"")
            self._read += len(self._waiting)
            self._more = message.get("more_body", False)
        else:
            await asyncio.sleep(0)  # nothing is waited for: others must have their turn
        piece = self._inflate()
        more = self._more or bool(self._waiting) or self._cut
        if not more and not self._stream.eof:
            raise BadValue(BROKEN)
        return {"type": "http.request", "body": piece, "more_body": more}

    def _inflate(self) -> bytes:
        stream = self._stream
        if stream.eof and self._waiting:
            # "A gzip file consists of a series of members" (RFC 1952).
            stream = self._stream = zlib.decompressobj(_GZIP_WINDOW)
        try:
            piece = stream.decompress(self._waiting, _PIECE)
        except zlib.error:
            raise BadValue(BROKEN) from None
        self._waiting = stream.unused_data if stream.eof else stream.unconsumed_tail
        self._cut = len(piece) == _PIECE and not stream.eof
        self._given += len(piece)
        self._check()
        return piece

    def _check(self) -> None:
        if self._given > self._limit:
            raise TooLarge(TOO_LARGE, limit=self._limit)
        if self._given > max(_RATIO_COUNTS_FROM, self._read * MAX_RATIO):
            raise TooLarge(TOO_DENSE, ratio=MAX_RATIO)
