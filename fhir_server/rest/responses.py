"""Results and errors as HTTP responses.

https://hl7.org/fhir/R4/http.html#Status-Codes
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Final, Literal

from fhir_server.core.errors import FhirError
from fhir_server.core.messages import Language
from fhir_server.core.outcome import operation_outcome
from fhir_server.core.wire import dumps, indented, loads
from fhir_server.core.xml import to_xml
from fhir_server.interactions.results import Content, Result
from fhir_server.store.port import Stored

Return = Literal["minimal", "representation", "OperationOutcome"]

_JSON: Final = b"application/fhir+json; charset=utf-8"
_XML: Final = b"application/fhir+xml; charset=utf-8"
_MILLISECONDS: Final = 1000
_UNBOUNDED: Final = 10_000  # levels; a body of our own has passed the limit when it came in


@dataclass(frozen=True, slots=True)
class Form:
    """How the client wants its answer written."""

    xml: bool = False
    pretty: bool = False
    language: Language = "en"
    returns: Return = "representation"


@dataclass(frozen=True, slots=True)
class Response:
    """What goes out: `headers` by name, in bytes as ASGI wants them."""

    status: int
    body: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


def of_result(result: Result, form: Form, base_url: str) -> Response:
    """Write `result`: its version or body, or by `Prefer: return` less."""
    headers = [(name.lower().encode(), value.encode()) for name, value in result.headers]
    headers += version_headers(result, base_url)
    # "200 OK if the response contains a payload, or a 204 No Content": http.html#delete.
    told = result.status == HTTPStatus.NO_CONTENT and form.returns == "OperationOutcome"
    status = HTTPStatus.OK if told else result.status
    if status in (204, 304):
        return Response(status, b"", headers)
    if result.content is not None:
        return Response(status, result.content.data, [*headers, *_of_content(result.content)])
    body = _body(result, form)
    return Response(status, body, headers if not body else [*headers, _type(form)])


def _of_content(content: Content) -> list[tuple[bytes, bytes]]:
    return [
        (b"content-type", content.type.encode()),
        (b"content-disposition", f'inline; filename="{content.name}"'.encode()),
        (b"x-content-type-options", b"nosniff"),
    ]


def of_error(error: FhirError, form: Form) -> Response:
    """Write the OperationOutcome of `error`."""
    headers = [(k.lower().encode(), v.encode()) for k, v in error.headers.items()]
    body = written(dumps(operation_outcome(error.issues, form.language)), form)
    return Response(error.status, body, [*headers, _type(form)])


def of_body(body: bytes, form: Form, *, headers: Mapping[str, str] | None = None) -> Response:
    """Write JSON `body` with status 200."""
    named = [(k.encode(), v.encode()) for k, v in (headers or {}).items()]
    return Response(200, written(body, form), [*named, _type(form)])


def written(body: bytes, form: Form) -> bytes:
    """JSON `body` in the form asked for; compact JSON goes through untouched (law 8)."""
    if form.xml:
        return to_xml(loads(body, max_depth=_UNBOUNDED), pretty=form.pretty)
    return indented(body) if form.pretty else body


def _body(result: Result, form: Form) -> bytes:
    if not result.withheld and (result.wanted or form.returns == "representation"):
        body = result.version.body if result.version is not None else result.body
        return written(body, form) if body else b""
    if form.returns != "OperationOutcome":
        return b""
    return written(dumps(operation_outcome(result.said(), form.language)), form)


def _type(form: Form) -> tuple[bytes, bytes]:
    return (b"content-type", _XML if form.xml else _JSON)


def version_headers(result: Result, base_url: str) -> list[tuple[bytes, bytes]]:
    """ETag, Last-Modified and Location, as far as `result` has them."""
    version = result.version
    if version is None:
        return []
    headers = [
        (b"etag", etag(version).encode()),
        (b"last-modified", _http_date(version.at // _MILLISECONDS)),
    ]
    if result.located:
        headers.append((b"location", location(version, base_url).encode()))
    return headers


@lru_cache(maxsize=1024)  # what is written in a second, or read again and again, shares one
def _http_date(seconds: int) -> bytes:
    return formatdate(seconds, usegmt=True).encode()


def etag(version: Stored) -> str:
    """Weak, since another format or `_pretty` gives other bytes: http.html#versioning."""
    return f'W/"{version.number}"'


def location(version: Stored, base_url: str) -> str:
    """`[base]/Patient/1/_history/1`."""
    return f"{base_url}/{version.type}/{version.id}/_history/{version.number}"
