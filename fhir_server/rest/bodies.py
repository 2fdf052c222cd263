"""The body of a request by its media type: a resource, a patch, or a form.

https://hl7.org/fhir/R4/http.html#mime-type
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fhir_server.core.errors import Malformed, TooLarge, UnsupportedMediaType
from fhir_server.core.messages import Text
from fhir_server.core.negotiation import CANNOT_READ, media_type
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.core.xml import from_xml
from fhir_server.interactions.commands import Change, Pairs
from fhir_server.interactions.doors import parse_query
from fhir_server.interactions.patching.documents import PATCH_TYPES, of_document, of_parameters

NO_TYPE: Final = Text(
    "The body needs a Content-Type, such as application/fhir+json.",
    "У тела запроса должен быть Content-Type, например application/fhir+json.",
    "Тіло запиту повинне мати Content-Type, наприклад application/fhir+json.",
)
NOT_UTF8: Final = Text(
    "The form is not UTF-8.", "Форма записана не в UTF-8.", "Форму записано не в UTF-8."
)

LONG_FORM: Final = Text(
    "A form may have {limit} bytes.",
    "Форма может занимать {limit} байт.",
    "Форма може займати {limit} байтів.",
)

_MAX_FORM: Final = 4 * 1024 * 1024
"""Bytes: the longest search has 200,000 characters, twelve bytes each in percent-encoding."""
_FORM: Final = "application/x-www-form-urlencoded"
_WITH_FORMS: Final = frozenset(
    {"type/_search", "system/_search", "compartment/_search", "operation"}
)


@dataclass(frozen=True, slots=True)
class Body:
    """What the body turned out to be; at most one of the first three is filled."""

    resource: JsonObject | None = None
    change: Change | None = None
    pairs: Pairs = ()
    size: int = 0
    """Bytes."""


NO_BODY: Final = Body()


def read_body(
    data: bytes, method: str, shape: str, headers: Mapping[str, str], depth: int
) -> Body:
    """Read the body of a request with `method` on a path of `shape`.

    Raises:
        UnsupportedMediaType: no or another Content-Type than this request may have.
        Malformed: it does not parse as what it says it is.
        TooLarge: it is a form, and long beyond any search.
    """
    if not data:
        return NO_BODY
    content_type = headers.get("content-type")
    if content_type is None:
        raise UnsupportedMediaType(NO_TYPE)
    kind = media_type(content_type)
    if kind.name == _FORM and shape in _WITH_FORMS:
        return Body(pairs=_form(data), size=len(data))
    if shape.endswith("_search"):
        raise UnsupportedMediaType(CANNOT_READ, type=kind.name)
    if method == "PATCH":
        return Body(change=_change(data, kind.name, depth), size=len(data))
    return Body(_resource(data, kind.name, depth), size=len(data))


def _resource(data: bytes, name: str, depth: int) -> JsonObject:
    match media_type(name).kind:
        case "json":
            return loads(data, max_depth=depth)
        case "xml":
            return from_xml(data, max_depth=depth)
    raise UnsupportedMediaType(CANNOT_READ, type=name)


def _change(data: bytes, name: str, depth: int) -> Change:
    if name in PATCH_TYPES:
        return of_document(name, data)
    return of_parameters(_resource(data, name, depth))


def _form(data: bytes) -> Pairs:
    if len(data) > _MAX_FORM:
        raise TooLarge(LONG_FORM, limit=_MAX_FORM)
    try:
        return parse_query(data.decode())
    except UnicodeDecodeError as error:
        raise Malformed(NOT_UTF8) from error
