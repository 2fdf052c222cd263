"""Binary in its own content type, both ways: what is neither FHIR JSON nor FHIR XML.

https://hl7.org/fhir/R4/binary.html#rest
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from fhir_server.core.errors import NotAcceptable
from fhir_server.core.header_values import items, parameters, weight
from fhir_server.core.messages import Text
from fhir_server.core.negotiation import media_type, names_resource
from fhir_server.core.paths import Target
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.commands import Pairs
from fhir_server.interactions.results import Result
from fhir_server.rest.responses import Response, version_headers

NOT_ITS_TYPE: Final = Text(
    "The content of this Binary is `{type}`.",
    "Содержимое этого Binary — `{type}`.",
    "Вміст цього Binary — `{type}`.",
)

KIND: Final = "Binary"
_READS: Final = frozenset({"read", "vread"})
_WRITES: Final = frozenset({("POST", "type"), ("PUT", "instance")})
#: Parameters that speak of the resource, so that it must be meant.
_OF_RESOURCE: Final = frozenset({"_format", "_pretty", "_summary", "_elements"})
_SECURITY: Final = "x-security-context"
_UNKNOWN: Final = "application/octet-stream"
_SENDABLE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
"""What may stand in a header: neither a `code` nor a reference keeps to ASCII."""
_DEPTH: Final = 10_000  # levels; a body of our own has passed the limit when it came in

#: What is served came from clients: a browser must neither guess nor run it.
_GUARDS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"sandbox; default-src 'none'"),
)


def is_asked(target: Target, code: str, accept: str, pairs: Pairs) -> bool:
    """Whether a request is to be answered by the content, if it accepts its type.

    "when a read request is made for the binary resource that doesn't explicitly specify the
    FHIR content types …, then the content should be returned".
    """
    if target.type != KIND or code not in _READS:
        return False
    return not (names_resource(accept) or any(name in _OF_RESOURCE for name, _ in pairs))


def is_given(method: str, target: Target, headers: Mapping[str, str]) -> bool:
    """Whether the body of this write is the content, not the resource."""
    content_type = headers.get("content-type")
    if target.type != KIND or (method, target.shape) not in _WRITES or content_type is None:
        return False
    return media_type(content_type).kind is None


def resource(data: bytes, target: Target, headers: Mapping[str, str]) -> JsonObject:
    """The Binary that a body of content stands for.

    "The X-Security-Context header … has a reference to the resource" that decides on access.
    """
    found: JsonObject = {"resourceType": KIND}
    if target.id is not None:
        found["id"] = target.id
    found["contentType"] = headers["content-type"]
    if _SECURITY in headers:
        found["securityContext"] = {"reference": headers[_SECURITY]}
    if data:
        found["data"] = b64encode(data).decode()
    return found


def response(result: Result, accept: str, base_url: str) -> Response:
    """The content of the version that was read, as `accept` wants it.

    Raises:
        NotAcceptable: it is of another type.
    """
    headers = version_headers(result, base_url)
    version = result.version
    if version is None or result.status != HTTPStatus.OK:
        return Response(result.status, b"", headers)
    found = loads(version.body, max_depth=_DEPTH)
    content_type = found.get("contentType", "")
    if not _SENDABLE.fullmatch(content_type):
        content_type = _UNKNOWN
    if not _accepts(accept, parameters(content_type)[0]):
        raise NotAcceptable(NOT_ITS_TYPE, type=content_type[:100])
    reference = found.get("securityContext", {}).get("reference", "")
    if _SENDABLE.fullmatch(reference):
        headers.append((_SECURITY.encode(), reference.encode()))
    headers += [(b"content-type", content_type.encode()), *_GUARDS]
    return Response(result.status, b64decode(found.get("data", "")), headers)


def _accepts(accept: str, name: str) -> bool:
    ranges = {name, f"{name.partition('/')[0]}/*", "*/*"}
    asked = (parameters(each) for each in items(accept or "*/*"))
    return any(found in ranges and weight(given.get("q", "1")) > 0 for found, given in asked)
