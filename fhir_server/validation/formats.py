"""Values of primitive types: JSON type, grammar, calendar, length.

https://hl7.org/fhir/R4/datatypes.html#primitive
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from fhir_server.core import datetimes
from fhir_server.core.errors import Issue
from fhir_server.validation import texts

MAX_STRING: Final = 1024 * 1024
"""Characters: "strings SHALL NOT exceed 1MB (1024*1024 characters) in size"."""
_MAX_INTEGER: Final = 2**31 - 1
_SHOWN: Final = 64  # characters of a refused value that its message repeats

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_BLANK: Final = re.compile(r"[\s\x00-\x1f]")
_CODE: Final = re.compile(r"[^\s\x00-\x1f]++(?: [^\s\x00-\x1f]++)*+")
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
_OID: Final = re.compile(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+", re.ASCII)
_UUID: Final = re.compile(
    r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
)
_WHOLE: Final = re.compile(r"-?[0-9]+", re.ASCII)
_BASE64_ALPHABET: Final = re.compile(r"[0-9a-zA-Z+/]*={0,2}", re.ASCII)
_BASE64_BLANKS: Final = re.compile(r"[ \t\r\n]+")


def problem(kind: str, value: Any, path: str) -> Issue | None:
    """What is wrong with `value` as a primitive of type `kind`; None: nothing."""
    if kind == "boolean":
        return None if isinstance(value, bool) else _wrong_type(kind, value, path)
    if kind in _INTEGERS:
        return _integer(kind, value, path)
    if kind == "decimal":
        number = isinstance(value, (int, Decimal)) and not isinstance(value, bool)
        return None if number else _wrong_type(kind, value, path)
    if not isinstance(value, str):
        return _wrong_type(kind, value, path)
    return _string(kind, value, path)


def describe(value: Any) -> str:
    """The JSON type of `value`, for a message."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | Decimal() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
    return "object"


def _wrong_type(kind: str, value: Any, path: str) -> Issue:
    args = {"type": kind, "found": describe(value)}
    code = "structure" if isinstance(value, (dict, list)) else "value"
    return Issue(code, texts.WRONG_TYPE, args, expression=(path,))


def _bad_format(kind: str, value: object, path: str) -> Issue:
    args = {"type": kind, "value": str(value)[:_SHOWN]}
    return Issue("value", texts.BAD_FORMAT, args, expression=(path,))


def _integer(kind: str, value: Any, path: str) -> Issue | None:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return _wrong_type(kind, value, path)
    # `-0` is an integer by R4's grammar, and the wire keeps its sign in a Decimal.
    whole = isinstance(value, int) or _WHOLE.fullmatch(str(value)) is not None
    if whole and _INTEGERS[kind] <= value <= _MAX_INTEGER:
        return None
    return _bad_format(kind, value, path)


def _string(kind: str, value: str, path: str) -> Issue | None:
    if not value:
        return Issue("structure", texts.EMPTY_STRING, {}, expression=(path,))
    if kind in {"string", "markdown"} and len(value) > MAX_STRING:
        args = {"limit": MAX_STRING, "length": len(value)}
        return Issue("too-long", texts.TOO_LONG, args, expression=(path,))
    return None if _STRINGS[kind](value) else _bad_format(kind, value, path)


def _is_base64(value: str) -> bool:
    # "((\s*([0-9a-zA-Z\+/=]){4}\s*)+)": blanks may stand between groups of four only.
    groups = _BASE64_BLANKS.split(value.strip(" \t\r\n"))
    if groups == [""] or any(len(group) % 4 for group in groups):
        return False
    return _BASE64_ALPHABET.fullmatch("".join(groups)) is not None


def _is_text(value: str) -> bool:
    return _CONTROL.search(value) is None


def _is_uri(value: str) -> bool:
    return _BLANK.search(value) is None


def _whole(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: pattern.fullmatch(value) is not None


_INTEGERS: Final[Mapping[str, int]] = {
    "integer": -(2**31),
    "unsignedInt": 0,
    "positiveInt": 1,
}
"""Type -> its least value."""

_STRINGS: Final[Mapping[str, Callable[[str], bool]]] = {
    "base64Binary": _is_base64,
    "canonical": _is_uri,
    "code": _whole(_CODE),
    "date": datetimes.is_date,
    "dateTime": datetimes.is_date_time,
    "id": _whole(_ID),
    "instant": datetimes.is_instant,
    "markdown": _is_text,
    "oid": _whole(_OID),
    "string": _is_text,
    "time": datetimes.is_time,
    "uri": _is_uri,
    "url": _is_uri,
    "uuid": _whole(_UUID),
    "xhtml": _is_text,
    "Element.id": _is_uri,
}
