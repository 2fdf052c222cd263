"""The bodies of OAuth requests: forms, and JSON where the standard has it.

https://www.rfc-editor.org/rfc/rfc6749#appendix-B
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from starlette.requests import ClientDisconnect, Request

from fhir_server.smart.errors import InvalidClientMetadata, InvalidRequest
from fhir_server.smart.parameters import Pairs, parse

MAX_BODY: Final = 256 * 1024
"""Bytes. An authorization request with several hundred scopes has 30 KB."""

FORM: Final = "application/x-www-form-urlencoded"


async def read_form(request: Request) -> Pairs:
    """The pairs of a form; parameters in the URL count for nothing.

    Raises:
        InvalidRequest: the body is no form, or too large.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise InvalidRequest(f"The body has to be {FORM}.")
    return _pairs(await _bounded(request))


def read_query(request: Request) -> Pairs:
    """The pairs of the URL's query.

    Raises:
        InvalidRequest: it is not UTF-8.
    """
    return _pairs(request.scope["query_string"])


def _pairs(data: bytes) -> Pairs:
    try:
        return parse(data.decode())
    except UnicodeDecodeError as error:
        raise InvalidRequest("The parameters are not UTF-8.") from error


async def read_json(request: Request) -> Mapping[str, Any]:
    """The object of a JSON body.

    Raises:
        InvalidClientMetadata: it is none.
    """
    try:
        body = msgspec.json.decode(await _bounded(request))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidClientMetadata("The body is not JSON.") from error
    if not isinstance(body, dict):
        raise InvalidClientMetadata("The body is not a JSON object.")
    return body


async def _bounded(request: Request) -> bytes:
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY:
                raise InvalidRequest("The body is too large.")
    except ClientDisconnect as error:
        raise InvalidRequest("The body did not arrive.") from error
    return bytes(body)
