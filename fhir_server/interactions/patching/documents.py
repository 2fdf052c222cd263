"""A patch as it arrives, in a body or in a Bundle entry, read into a Change.

https://hl7.org/fhir/R4/http.html#patch
"""

from base64 import b64decode
from typing import Any, Final

from fhir_server.core import json_patch
from fhir_server.core.errors import BadValue, MissingElement, UnsupportedMediaType
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads_array
from fhir_server.interactions.commands import Change
from fhir_server.interactions.patching import fhirpath_patch, xml_patch

NO_PATCH: Final = Text(
    "A patch is a Parameters resource, or a Binary with a JSON Patch or an XML Patch.",
    "Патч — это ресурс Parameters или Binary с JSON Patch либо XML Patch.",
    "Патч — це ресурс Parameters або Binary з JSON Patch чи XML Patch.",
)
NOT_BASE64: Final = Text(
    "The data of the Binary is not base64.",
    "Данные Binary записаны не в base64.",
    "Дані Binary записано не в base64.",
)
NOT_A_PATCH: Final = Text(
    "`{type}` is no form of a patch.",
    "`{type}` — не вид патча.",
    "`{type}` — не вид патча.",
)

JSON_PATCH: Final = "application/json-patch+json"
XML_PATCH: Final = "application/xml-patch+xml"
PATCH_TYPES: Final = frozenset({JSON_PATCH, XML_PATCH})

_DEPTH: Final = 64


def of_document(content_type: str, data: bytes) -> Change:
    """A patch document of one of `PATCH_TYPES`.

    Raises:
        FhirError: it cannot be read.
        UnsupportedMediaType: it is none of them.
    """
    if content_type == JSON_PATCH:
        operations = json_patch.read(loads_array(data, max_depth=_DEPTH))
        return lambda resource: without_empty(json_patch.apply(resource, operations))
    if content_type == XML_PATCH:
        changes = xml_patch.read_patch(data)
        return lambda resource: xml_patch.apply(resource, changes)
    raise UnsupportedMediaType(NOT_A_PATCH, type=content_type[:80])


def of_parameters(resource: JsonObject) -> Change:
    """A FHIRPath Patch.

    Raises:
        FhirError: it is not one, or one of its paths is not FHIRPath.
    """
    operations = fhirpath_patch.read_patch(resource)
    return lambda resource: without_empty(fhirpath_patch.apply(resource, operations))


def of_entry(resource: JsonObject | None) -> Change:
    """The patch of a Bundle entry: a Parameters resource, or a Binary around a document.

    Raises:
        FhirError: it is none, or cannot be read.
    """
    if resource is None:
        raise MissingElement(NO_PATCH)
    if resource.get("resourceType") != "Binary":
        return of_parameters(resource)
    try:
        data = b64decode(str(resource.get("data", "")), validate=True)
    except ValueError as error:
        raise BadValue(NOT_BASE64, expression="Binary.data") from error
    return of_document(str(resource.get("contentType", "")).partition(";")[0], data)


def without_empty(resource: JsonObject) -> JsonObject:
    """`resource` without empty arrays and objects, which FHIR does not have.

    A patch that removes the last name means the element `name`, not an empty list of it.
    """
    kept = ((name, _kept(name, each)) for name, each in resource.items())
    return {name: each for name, each in kept if not _is_empty(each)}


def _kept(name: str, value: Any) -> Any:
    if type(value) is dict:
        return without_empty(value)
    if type(value) is not list:
        return value
    items = [_kept("", each) for each in value]
    if name.startswith("_"):
        # An array of extensions is aligned with its values: a gap stays a gap.
        gaps = [None if _is_empty(each) else each for each in items]
        return gaps if any(each is not None for each in gaps) else []
    return [each for each in items if not _is_empty(each)]


def _is_empty(value: Any) -> bool:
    return type(value) in (dict, list) and not value
