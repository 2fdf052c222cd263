"""Compressed bodies, both ways: RFC 9110 (content codings) and RFC 7694."""

import asyncio
import gzip
import random
from collections.abc import Sequence

import brotli  # type: ignore[import-untyped]  # ships no types
import pytest
from starlette.types import Message, Receive, Scope, Send

from fhir_server.core.errors import BadValue, FhirError, TooLarge, UnsupportedMediaType
from fhir_server.rest.compression import MIN_SIZE, Compression, coding
from fhir_server.rest.inflation import MAX_RATIO

LIMIT = 4 * 1024 * 1024
LONG = b'{"resourceType":"Patient"}' * 100
FHIR_JSON = (b"content-type", b"application/fhir+json; charset=utf-8")
Headers = list[tuple[bytes, bytes]]


class Echo:
    """Answers with given parts, or with the body it was sent."""

    def __init__(self, parts: Sequence[bytes] = (), headers: Headers | None = None) -> None:
        self.parts = parts
        self.headers = headers if headers is not None else [FHIR_JSON]
        self.scope: Scope = {}
        self.body = b""
        self.largest = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        more = True
        while more and scope["type"] == "http":
            message = await receive()
            more = message.get("more_body", False)
            part = message.get("body", b"")
            self.largest = max(self.largest, len(part))
            self.body += part
        parts = self.parts or [self.body]
        length = (b"content-length", str(sum(map(len, parts))).encode())
        headers = [*self.headers, length]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for part in parts[:-1]:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": parts[-1]})


def call(
    app: Echo, headers: Headers, sent: Sequence[bytes] = (b"",)
) -> tuple[dict[bytes, bytes], bytes]:
    """One request through the middleware: the headers and the body of its answer."""
    left = [
        {"type": "http.request", "body": part, "more_body": index < len(sent) - 1}
        for index, part in enumerate(sent)
    ]
    got: list[Message] = []

    async def receive() -> Message:
        return left.pop(0) if left else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        got.append(message)

    scope: Scope = {"type": "http", "headers": headers}
    asyncio.run(Compression(app, max_body=LIMIT)(scope, receive, send))
    return dict(got[0]["headers"]), b"".join(each.get("body", b"") for each in got[1:])


def accepting(accept: str) -> Headers:
    return [(b"accept-encoding", accept.encode())]


def gzipped(*extra: tuple[bytes, bytes]) -> Headers:
    return [(b"content-encoding", b"gzip"), *extra]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", None),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("br", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("gzip;q=0, br;q=0", None),
        ("gzip;q=0", None),
        ("*", "br"),
        ("*;q=0", None),
        ("br;q=0, *", "gzip"),
        ("identity", None),
        ("identity;q=0.5, gzip;q=0.4", None),
        ("identity;q=0.5, gzip", "gzip"),
        ("identity;q=0", None),
        ("deflate", None),
        ("GZIP", "gzip"),
        ("gzip;q=nonsense", None),
    ],
)
def test_accept_encoding(header: str, expected: str | None) -> None:
    assert coding(header) == expected


def test_an_answer_is_compressed() -> None:
    headers, body = call(Echo([LONG]), accepting("gzip"))
    assert gzip.decompress(body) == LONG
    assert headers[b"content-encoding"] == b"gzip"
    assert headers[b"vary"] == b"accept-encoding"
    assert headers[b"content-length"] == str(len(body)).encode()


def test_an_answer_in_brotli() -> None:
    headers, body = call(Echo([LONG]), accepting("br, gzip"))
    assert brotli.decompress(body) == LONG
    assert headers[b"content-encoding"] == b"br"


@pytest.mark.parametrize("accept", ["gzip", "br"])
def test_a_large_and_a_streamed_answer(accept: str) -> None:
    inflate = gzip.decompress if accept == "gzip" else brotli.decompress
    large = random.Random(1).randbytes(300_000)
    assert inflate(call(Echo([large]), accepting(accept))[1]) == large
    headers, body = call(Echo([b"a", b"b" * 5000, b"", b"c"]), accepting(accept))
    assert inflate(body) == b"a" + b"b" * 5000 + b"c"
    assert b"content-length" not in headers


@pytest.mark.parametrize(
    ("size", "compressed"), [(0, False), (MIN_SIZE - 1, False), (MIN_SIZE, True)]
)
def test_a_short_answer_goes_as_it_is(size: int, *, compressed: bool) -> None:
    headers, body = call(Echo([b"a" * size]), accepting("gzip"))
    assert (b"content-encoding" in headers) is compressed
    assert headers[b"content-length"] == str(len(body)).encode()
    assert headers[b"vary"] == b"accept-encoding"


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-type", b"image/png")],
        [(b"content-type", b"text/html; charset=utf-8")],
        [],
        [FHIR_JSON, (b"content-encoding", b"zstd")],
    ],
)
def test_what_does_not_gain_or_must_not(headers: Headers) -> None:
    answered, body = call(Echo([LONG], headers), accepting("gzip"))
    assert body == LONG
    assert b"vary" not in answered


def test_without_a_wish_the_answer_still_varies() -> None:
    headers, body = call(Echo([LONG]), [])
    assert body == LONG
    assert headers[b"vary"] == b"accept-encoding"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        (b"vary", b"Accept-Encoding, Origin", b"Accept-Encoding, Origin"),
        (b"vary", b"*", b"*"),
        (b"etag", b'"1"', b'W/"1"'),
        (b"etag", b'W/"1"', b'W/"1"'),
    ],
)
def test_headers_that_compression_touches(name: bytes, value: bytes, expected: bytes) -> None:
    headers, _ = call(Echo([LONG], [FHIR_JSON, (name, value)]), accepting("gzip"))
    assert headers[name] == expected


@pytest.mark.parametrize("step", [1, 7, 100_000])
@pytest.mark.parametrize("coded", [b"gzip", b"x-gzip", b"GZIP"])
def test_a_request_is_inflated(step: int, coded: bytes) -> None:
    data = gzip.compress(LONG)
    parts = [data[start : start + step] for start in range(0, len(data), step)]
    app = Echo()
    length = (b"content-length", str(len(data)).encode())
    call(app, [(b"content-encoding", coded), length, FHIR_JSON], parts)
    assert app.body == LONG
    assert app.scope["headers"] == [FHIR_JSON]


def test_a_request_in_several_members_and_pieces() -> None:
    app = Echo()
    long = random.Random(1).randbytes(600_000)
    call(app, gzipped(), [gzip.compress(long) + gzip.compress(LONG)])
    assert app.body == long + LONG
    assert app.largest <= 256 * 1024
    call(dense := Echo(), gzipped(), [gzip.compress(b"a" * 1024 * 1024)])
    assert dense.body == b"a" * 1024 * 1024


def test_identity_is_no_coding() -> None:
    app = Echo()
    call(app, [(b"content-encoding", b"identity")], [LONG])
    assert app.body == LONG


@pytest.mark.parametrize(
    ("coded", "sent", "kind"),
    [
        (b"gzip", LONG, BadValue),
        (b"gzip", b"", BadValue),
        (b"gzip", gzip.compress(LONG, mtime=0)[:-1], BadValue),
        (b"gzip", gzip.compress(LONG, mtime=0) + b"x", BadValue),
        (b"br", brotli.compress(LONG), UnsupportedMediaType),
        (b"gzip, gzip", gzip.compress(LONG, mtime=0), UnsupportedMediaType),
        (b"gzip", gzip.compress(bytes(LIMIT * 2), mtime=0), TooLarge),
        (b"gzip", gzip.compress(random.Random(1).randbytes(LIMIT + 1), mtime=0), TooLarge),
        (b"gzip", gzip.compress(bytes(1024 * 1024 * 2), mtime=0), TooLarge),
    ],
)
def test_a_request_that_is_not_inflated(
    coded: bytes, sent: bytes, kind: type[FhirError]
) -> None:
    app = Echo()
    with pytest.raises(kind):
        call(app, [(b"content-encoding", coded)], [sent])
    assert len(app.body) <= max(LIMIT, len(sent) * MAX_RATIO)


def test_a_client_that_leaves_is_passed_on() -> None:
    with pytest.raises(FhirError):
        call(Echo(), gzipped(), [gzip.compress(LONG)[:10], b""])


def test_other_traffic_passes() -> None:
    app = Echo([LONG])

    async def nothing() -> Message:
        return {}

    got: list[Message] = []

    async def send(message: Message) -> None:
        got.append(message)

    asyncio.run(Compression(app, max_body=1)({"type": "websocket"}, nothing, send))
    assert got[1]["body"] == LONG
