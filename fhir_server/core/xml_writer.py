"""A FHIR JSON value as XML: elements in the definition's order, digits as they were.

https://hl7.org/fhir/R4/xml.html
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from itertools import zip_longest
from typing import Any, Final, Never

from fhir_server.core.errors import FhirError, NotAcceptable
from fhir_server.core.literals import to_text
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.core.xhtml import in_document
from fhir_server.core.xml_tables import FHIR, OF_PRIMITIVE, RESOURCES, Form, Row, Table, table

NOT_FHIR: Final = Text(
    "This cannot be written as XML: it is not what the definition has here.",
    "Это нельзя записать в XML: по определению здесь другое.",
    "Це не можна записати в XML: за визначенням тут інше.",
)
NOT_A_CHARACTER: Final = Text(
    "This cannot be written as XML: it holds U+{point:04X}, which XML does not have.",
    "Это нельзя записать в XML: здесь U+{point:04X}, такого символа в XML нет.",
    "Це не можна записати в XML: тут U+{point:04X}, такого символу в XML немає.",
)

_SPECIAL: Final = re.compile('[&<>"\x00-\x1f\ud800-\udfff\ufffe\uffff]')
# A literal line break in an attribute is read back as a blank.
_ESCAPED: Final = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\t": "&#9;",
    "\n": "&#10;",
    "\r": "&#13;",
}


class Writer:
    """Writes one document; used once."""

    def __init__(self) -> None:
        self._out: list[str] = ['<?xml version="1.0" encoding="UTF-8"?>']

    def document(self, resource: JsonObject, *, pretty: bool) -> bytes:
        """The whole document, with its declaration."""
        kind = _kind(resource)
        margin = "\n" if pretty else ""
        try:
            self._element(kind, f' xmlns="{FHIR}"', resource, table(kind), margin)
        except FhirError as error:
            raise error.at(kind) from None
        return "".join(self._out).encode()

    def _element(
        self, name: str, attributes: str, node: JsonObject, of: Table, margin: str
    ) -> None:
        self._out.append(f"{margin}<{name}{attributes}>")
        inner = margin and f"{margin}  "
        try:
            properties = sorted(node, key=of.rank.__getitem__)
        except KeyError as unknown:
            _refuse(str(unknown.args[0]))
        for each in properties:
            row = of.written.get(each)
            if row is not None:
                try:
                    self._property(node, each, row, inner)
                except FhirError as error:
                    # An item of a list has put itself before its path already.
                    raise error.at(each) from None
        self._out.append(f"{margin}</{name}>")

    def _property(self, node: JsonObject, name: str, row: Row, margin: str) -> None:
        if row.form is Form.PRIMITIVE:
            extras = node.get(row.extras)
            if name == row.extras and row.name in node:
                return
            if row.many:
                self._primitives(node.get(row.name, ()), extras or (), row, margin)
            else:
                self._primitive(node.get(row.name), extras, row, margin)
        elif row.many:
            for value in _list(node[name]):
                self._one(value, row, margin)
        else:
            self._one(node[name], row, margin)

    def _primitives(self, values: object, extras: object, row: Row, margin: str) -> None:
        for value, extra in zip_longest(_list(values), _list(extras)):
            self._primitive(value, extra, row, margin)

    def _primitive(self, value: object, extra: object, row: Row, margin: str) -> None:
        attribute = "" if value is None else f' value="{_literal(value)}"'
        if extra is None:
            self._out.append(f"{margin}<{row.name}{attribute}/>")
        elif type(extra) is dict:
            attribute = _attributes(extra, OF_PRIMITIVE) + attribute
            self._element(row.name, attribute, extra, OF_PRIMITIVE, margin)
        else:
            _refuse(row.extras)

    def _one(self, value: object, row: Row, margin: str) -> None:
        if row.form is Form.NARRATIVE:
            self._out.append(margin + in_document(value if type(value) is str else ""))
        elif type(value) is not dict:
            _refuse()
        elif row.form is Form.CONTAINER:
            kind = _kind(value)
            self._out.append(f"{margin}<{row.name}>")
            self._element(kind, "", value, table(kind), margin and f"{margin}  ")
            self._out.append(f"{margin}</{row.name}>")
        else:
            of = table(row.type)
            self._element(row.name, _attributes(value, of), value, of, margin)


def _kind(node: JsonObject) -> str:
    kind = node.get("resourceType")
    if type(kind) is not str or f"{FHIR} {kind}" not in RESOURCES:
        _refuse("resourceType")
    return kind


def _list(value: Any) -> Sequence[object]:
    if type(value) is not list and value != ():
        _refuse()
    found: Sequence[object] = value
    return found


def _attributes(node: JsonObject, of: Table) -> str:
    return "".join(
        f' {name}="{_literal(node[name])}"' for name in of.attributes if name in node
    )


def _literal(value: object) -> str:
    if type(value) is str:
        return _SPECIAL.sub(_escaped, value) if _SPECIAL.search(value) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return to_text(value)
    return str(value) if isinstance(value, int | float) else _refuse()


def _escaped(special: re.Match[str]) -> str:
    character = special[0]
    if character not in _ESCAPED:
        raise NotAcceptable(NOT_A_CHARACTER, point=ord(character))
    return _ESCAPED[character]


def _refuse(name: str = "") -> Never:
    raise NotAcceptable(NOT_FHIR, expression=name) from None
