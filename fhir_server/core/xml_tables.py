"""What FHIR XML needs to know of each type, drawn from the definitions once a type.

https://hl7.org/fhir/R4/xml.html
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Final

from fhir_server.core.literals import integer, number
from fhir_server.spec.structures import RESOURCE_TYPES, TYPES, Property, is_a

FHIR: Final = "http://hl7.org/fhir"
XHTML: Final = "http://www.w3.org/1999/xhtml"

Value = object
"""What a primitive is in JSON: str, bool, int or Decimal."""


class Form(Enum):
    """How an element is written in XML."""

    ATTRIBUTE = "attribute"
    """Of its parent: `Element.id`, `Extension.url`."""
    PRIMITIVE = "primitive"
    """An element whose value is an attribute."""
    COMPLEX = "complex"
    """An element with elements."""
    CONTAINER = "container"
    """An element around one resource."""
    RESOURCE = "resource"
    """An element named by the resource's type."""
    NARRATIVE = "narrative"
    """A `div` of another namespace, kept as it is."""


@dataclass(frozen=True, slots=True)
class Row:
    """One JSON property and the XML that carries it."""

    name: str
    extras: str
    """Where JSON keeps id and extensions of a primitive: `_birthDate`."""
    form: Form
    many: bool
    type: str
    """Of what lies below, a key of `TYPES`."""
    read: Callable[[str], Value]
    """Of a primitive: from the attribute's text. Text that is none of the type stays text,
    for the validator to name."""


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one type."""

    by_tag: Mapping[str, Row]
    """By `namespace name` of the XML element."""
    written: Mapping[str, Row]
    """By JSON property, `_birthDate` beside `birthDate`; attributes are not among them."""
    attributes: tuple[str, ...]
    rank: Mapping[str, int]
    """Every JSON property the type may have, to its place in XML."""


def _text(text: str) -> Value:
    return text


def _boolean(text: str) -> Value:
    return {"true": True, "false": False}.get(text, text)


# The same grammar as JSON's: the definitions' regular expressions for numbers are that.
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)", re.ASCII)
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)


def _integer(text: str) -> Value:
    return integer(text) if _INTEGER.fullmatch(text) else text


def _decimal(text: str) -> Value:
    if _INTEGER.fullmatch(text):
        return integer(text)
    return number(text) if _DECIMAL.fullmatch(text) else text


@cache
def _reader(kind: str) -> Callable[[str], Value]:
    if kind == "boolean":
        return _boolean
    if kind == "decimal":
        return _decimal
    return _integer if is_a(kind, "integer") else _text


@cache
def table(kind: str) -> Table:
    """The rows of the type `kind`, a key of `TYPES`."""
    rows = [_row(kind, each) for each in TYPES[kind].properties.values()]
    inside = [row for row in rows if row.form is not Form.ATTRIBUTE]
    written = {name: row for row in inside for name in _json_names(row)}
    attributes = tuple(row.name for row in rows if row.form is Form.ATTRIBUTE)
    first = ["resourceType"] if TYPES[kind].kind == "resource" else []
    return Table(
        by_tag={f"{_namespace(row)} {row.name}": row for row in inside},
        written=written,
        attributes=attributes,
        rank={name: place for place, name in enumerate([*first, *attributes, *written])},
    )


def _json_names(row: Row) -> tuple[str, ...]:
    return (row.name, row.extras) if row.form is Form.PRIMITIVE else (row.name,)


def _row(kind: str, each: Property) -> Row:
    code = each.type.code
    return Row(
        name=each.name,
        extras=f"_{each.name}",
        form=_form(kind, each),
        many=each.element.many,
        type=code,
        read=_reader(code),
    )


def _form(kind: str, each: Property) -> Form:
    target = TYPES[each.type.code]
    if target.name == "xhtml":
        return Form.NARRATIVE
    if target.kind == "resource":
        return Form.CONTAINER
    if each.name == "id" and TYPES[kind].kind != "resource":
        return Form.ATTRIBUTE
    if each.name == "url" and kind == "Extension":
        return Form.ATTRIBUTE
    return Form.PRIMITIVE if target.kind == "primitive" else Form.COMPLEX


def _namespace(row: Row) -> str:
    return XHTML if row.form is Form.NARRATIVE else FHIR


RESOURCES: Final[Mapping[str, Row]] = {
    f"{FHIR} {kind}": Row(kind, "", Form.RESOURCE, many=False, type=kind, read=_text)
    for kind in RESOURCE_TYPES
}
"""By tag: what may stand at the root and in a container."""

ROOT: Final = Row("", "", Form.CONTAINER, many=False, type="Resource", read=_text)
"""Around the document's own resource."""

#: id and extension: all that a primitive may hold beside its value.
OF_PRIMITIVE: Final = table("Element")
