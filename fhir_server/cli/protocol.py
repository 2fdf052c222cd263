"""HTTP/1.1 as uvicorn speaks it, with a bound on the head of a request.

The parser bounds the URL and no header: 30 MB of one header held the event loop for 3 s.

https://www.rfc-editor.org/rfc/rfc6585#section-5
"""

from typing import Final

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from fhir_server.core.errors import Issue
from fhir_server.core.messages import Text
from fhir_server.core.outcome import operation_outcome
from fhir_server.core.wire import dumps

LONG_HEAD: Final = Text(
    "The headers of the request have more than {limit} bytes.",
    "Заголовки запроса занимают больше {limit} байт.",
    "Заголовки запиту займають понад {limit} байтів.",
)
MAX_HEAD: Final = 128 * 1024
"""Bytes; what comes in the same reading of the socket as the end may be more."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    _in_head = False
    _head = 0
    """Bytes received of a head that has not ended."""

    @override
    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()

    @override
    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    @override
    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        if not self._in_head:
            self._head = 0
            return
        self._head += len(data)
        if self._head > MAX_HEAD and not self.transport.is_closing():
            self.transport.write(_refusal())
            self.transport.close()


def _refusal() -> bytes:
    issue = Issue("too-long", LONG_HEAD, {"limit": MAX_HEAD})
    body = dumps(operation_outcome((issue,), "en"))
    head = (
        b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
        b"content-type: application/fhir+json; charset=utf-8\r\n"
        b"content-length: %d\r\nconnection: close\r\n\r\n"
    )
    return head % len(body) + body
