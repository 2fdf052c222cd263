"""The Bundle that answers a batch or transaction, its resources as stored bytes.

https://hl7.org/fhir/R4/bundle.html#Bundle.entry.response
"""

from collections.abc import Iterable
from dataclasses import replace
from http import HTTPStatus
from typing import Final, Literal

from fhir_server.core.datetimes import format_instant
from fhir_server.core.errors import FhirError
from fhir_server.core.messages import Language
from fhir_server.core.outcome import operation_outcome
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import dumps
from fhir_server.interactions.results import Result

Returned = Literal["minimal", "representation", "OperationOutcome"]

_HEAD: Final = b'{"resourceType":"Bundle","type":"%b-response","entry":['


def response_bundle(
    kind: Literal["batch", "transaction"],
    results: Iterable[Result | FhirError | bytes],
    *,
    base_url: str,
    language: Language,
    returns: Returned,
) -> bytes:
    """The answers in the order of the entries.

    `returns` is `Prefer: return`, minimal where there is none: what was written comes as the
    resource, an outcome, or not at all; what was read is always there. Entries that are
    written already stand as they are.
    """
    entries = [
        each
        if isinstance(each, bytes)
        else response_entry(each, base_url=base_url, language=language, returns=returns)
        for each in results
    ]
    if not entries:
        return b'{"resourceType":"Bundle","type":"%b-response"}' % kind.encode()
    return _HEAD % kind.encode() + b",".join(entries) + b"]}"


def response_entry(
    result: Result | FhirError, *, base_url: str, language: Language, returns: Returned
) -> bytes:
    """The answer of one entry."""
    if isinstance(result, FhirError):
        outcome = operation_outcome(result.issues, language)
        return b'{"response":' + dumps(_status(result.status) | {"outcome": outcome}) + b"}"
    response = _status(result.status)
    version = result.version
    if version is not None:
        if not version.deleted:
            place = f"{version.type}/{version.id}/_history/{version.number}"
            response["location"] = f"{base_url}/{place}"
        response |= {
            "etag": f'W/"{version.number}"',
            "lastModified": format_instant(version.at),
        }
    body = _body(result, full=returns == "representation")
    told = returns == "OperationOutcome" and not result.wanted
    if told or (not body and result.issues):
        response["outcome"] = operation_outcome(result.said(), language)
    return b"{" + _full_url(result, base_url) + body + b'"response":' + dumps(response) + b"}"


def answered(method: str, result: Result) -> Result:
    """`result` as the answer to `method`: of HEAD, that of GET without the resource."""
    if method != "HEAD":
        return result
    version = result.version and replace(result.version, body=b"")
    return replace(result, version=version, body=None)


def _full_url(result: Result, base_url: str) -> bytes:
    version = result.version
    if version is None or version.deleted:
        return b""
    return f'"fullUrl":"{base_url}/{version.type}/{version.id}",'.encode()


def _body(result: Result, *, full: bool) -> bytes:
    is_shown = (full or result.wanted) and not result.withheld
    if not is_shown or result.status == HTTPStatus.NOT_MODIFIED:
        return b""
    body = result.version.body if result.version is not None else result.body
    return b'"resource":' + body + b"," if body else b""


def _status(status: int) -> JsonObject:
    return {"status": f"{status} {HTTPStatus(status).phrase}"}
