"""The gate's schemas of the primitive types.

https://hl7.org/fhir/R4/datatypes.html#primitive
"""

from typing import Any, Final

_DAY: Final = (
    r"(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8])"  # 29 February is the walker's
)
_YEAR: Final = r"[12][0-9]{3}"
_TIME: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE: Final = r"(?:Z|[+\-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_B64: Final = "[0-9a-zA-Z+/]"

# "Strings SHALL NOT contain Unicode character points below 32, except for u0009 (horizontal
# tab), u0010 (carriage return) and u0013 (line feed)"; "SHALL NOT exceed 1MB".
_TEXT: Final = r"^[^\x00-\x08\x0B\x0C\x0E-\x1F]+$"
_URI: Final = r"^[^\s\x00-\x1F]+$"
_MAX_STRING: Final = 1024 * 1024
_MAX_INTEGER: Final = 2**31 - 1


def _string(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": pattern}


def _whole(least: int) -> dict[str, Any]:
    # `whole` is the gate's own keyword: JSON Schema calls 1.0 an integer, FHIR does not.
    return {"type": "integer", "minimum": least, "maximum": _MAX_INTEGER, "whole": True}


PRIMITIVES: Final[dict[str, dict[str, Any]]] = {
    "base64Binary": _string(rf"^(?:{_B64}{{4}})*(?:{_B64}{{4}}|{_B64}{{3}}=|{_B64}{{2}}==)$"),
    "boolean": {"type": "boolean"},
    "canonical": _string(_URI),
    "code": _string(r"^[^\s\x00-\x1F]+(?: [^\s\x00-\x1F]+)*$"),
    "date": _string(rf"^{_YEAR}(?:-(?:(?:0[1-9]|1[0-2])|{_DAY}))?$"),
    "dateTime": _string(
        rf"^{_YEAR}(?:-(?:(?:0[1-9]|1[0-2])|(?:{_DAY})(?:T{_TIME}{_ZONE})?))?$"
    ),
    "decimal": {"type": "number"},
    "id": _string(r"^[A-Za-z0-9\-.]{1,64}$"),
    "instant": _string(rf"^{_YEAR}-(?:{_DAY})T{_TIME}{_ZONE}$"),
    "integer": _whole(-(2**31)),
    "markdown": _string(_TEXT) | {"maxLength": _MAX_STRING},
    "oid": _string(r"^urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+$"),
    "positiveInt": _whole(1),
    "string": _string(_TEXT) | {"maxLength": _MAX_STRING},
    "time": _string(rf"^{_TIME}$"),
    "unsignedInt": _whole(0),
    "uri": _string(_URI),
    "url": _string(_URI),
    "uuid": _string(r"^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"),
    "xhtml": {"type": "string", "minLength": 1},
    "Element.id": _string(r"^[^\s\x00-\x1F]+$"),
}
