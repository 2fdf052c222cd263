"""FHIR XML to the JSON value it stands for.

One pass over expat's events; the value grows on a stack of open elements. A DTD is refused
where it starts, so no entity is ever defined, expanded or fetched.

https://hl7.org/fhir/R4/xml.html
"""

import codecs
import re
from collections.abc import Container, Mapping
from typing import Final, Never
from xml.parsers import expat

from fhir_server.core.errors import BadValue, FhirError, Malformed
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.core.xhtml import out_of_document
from fhir_server.core.xml_tables import (
    FHIR,
    OF_PRIMITIVE,
    RESOURCES,
    ROOT,
    Form,
    Row,
    table,
)

EMPTY: Final = Text(
    "The body is empty; an XML document is expected.",
    "Тело запроса пусто; ожидается документ XML.",
    "Тіло запиту порожнє; очікується документ XML.",
)
NOT_XML: Final = Text(
    "The body is not XML: {reason} (line {line}, column {column}).",
    "Тело запроса не XML: {reason} (строка {line}, столбец {column}).",
    "Тіло запиту не XML: {reason} (рядок {line}, стовпець {column}).",
)
NOT_UTF_8: Final = Text(
    "The document says it is in `{encoding}`; FHIR is UTF-8.",
    "Документ объявляет кодировку `{encoding}`; в FHIR это UTF-8.",
    "Документ оголошує кодування `{encoding}`; у FHIR це UTF-8.",
)
HAS_DTD: Final = Text(
    "A document type declaration is not allowed in FHIR XML.",
    "Объявление типа документа (DTD) в FHIR XML недопустимо.",
    "Оголошення типу документа (DTD) у FHIR XML неприпустиме.",
)
TOO_DEEP: Final = Text(
    "The document is nested deeper than {limit} elements.",
    "Вложенность документа больше {limit} элементов.",
    "Вкладеність документа більша за {limit} елементів.",
)
UNKNOWN_ELEMENT: Final = Text(
    "There is no element `{name}` here (line {line}).",
    "Элемента `{name}` здесь нет (строка {line}).",
    "Елемента `{name}` тут немає (рядок {line}).",
)
WRONG_NAMESPACE: Final = Text(
    "The element `{name}` is in the namespace `{namespace}`, which is not expected here "
    "(line {line}).",
    "Элемент `{name}` находится в пространстве имён `{namespace}`, которое здесь не "
    "ожидается (строка {line}).",
    "Елемент `{name}` належить до простору імен `{namespace}`, якого тут не очікується "
    "(рядок {line}).",
)
UNKNOWN_ATTRIBUTE: Final = Text(
    "There is no attribute `{name}` here (line {line}).",
    "Атрибута `{name}` здесь нет (строка {line}).",
    "Атрибута `{name}` тут немає (рядок {line}).",
)
REPEATED: Final = Text(
    "The element `{name}` may stand here once (line {line}).",
    "Элемент `{name}` может стоять здесь один раз (строка {line}).",
    "Елемент `{name}` може стояти тут один раз (рядок {line}).",
)
STRAY_TEXT: Final = Text(
    "Text stands outside of any value (line {line}); a value is an attribute.",
    "Текст стоит вне значения (строка {line}); значение записывается атрибутом.",
    "Текст стоїть поза значенням (рядок {line}); значення записується атрибутом.",
)
NOTHING_INSIDE: Final = Text(
    "The element has neither a value nor anything inside (line {line}).",
    "У элемента нет ни значения, ни содержимого (строка {line}).",
    "Елемент не має ні значення, ні вмісту (рядок {line}).",
)

#: `xsi:schemaLocation`, which many tools write at the root; it says nothing about the data.
_SCHEMA_LOCATION: Final = "http://www.w3.org/2001/XMLSchema-instance "
_ENCODINGS: Final = frozenset(("utf-8", "utf8", "us-ascii", "ascii"))
_TAG_NAME: Final = re.compile(rb"[^\s/>]+")
#: expat would follow these rather than what it was told.
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_OF_PRIMITIVE: Final = ("id", "value")
_NOTHING: Final[Mapping[str, Row]] = {}

_Frame = tuple[Mapping[str, Row], JsonObject, Row]


class Reader:
    """Reads one document; used once."""

    def __init__(self, data: bytes, max_depth: int) -> None:
        self._data = data
        self._limit = max_depth
        self._found: JsonObject = {}
        self._rows = RESOURCES
        self._node = self._found
        self._row = ROOT
        self._open: list[_Frame] = []
        self._lists: list[tuple[JsonObject, Row]] = []
        self._scope: list[tuple[str | None, str]] = []
        self._div = (0, 0)
        self._parser = _parser()

    def resource(self) -> JsonObject:
        """Read the whole document."""
        parser = self._parser
        parser.XmlDeclHandler = _check_encoding
        parser.StartDoctypeDeclHandler = _refuse_dtd
        parser.StartNamespaceDeclHandler = lambda *each: self._scope.append(each)
        parser.EndNamespaceDeclHandler = lambda _: self._scope.pop()
        self._listen()
        if self._data.startswith(_UTF_16):
            raise BadValue(NOT_UTF_8, encoding="utf-16")
        try:
            parser.Parse(self._data, True)
        except expat.ExpatError as error:
            if not self._data.strip():
                raise Malformed(EMPTY) from None
            raise not_xml(error) from None
        for node, row in self._lists:
            _align(node, row)
        found: JsonObject = self._found[ROOT.name]
        return found

    def _listen(self) -> None:
        parser = self._parser
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text

    def _start(self, tag: str, attributes: list[str]) -> None:
        row = self._rows.get(tag)
        if row is None:
            self._refuse_element(tag)
        if len(self._open) >= self._limit:
            raise Malformed(TOO_DEEP, limit=self._limit)
        parent = self._node
        self._open.append((self._rows, parent, self._row))
        self._row = row
        node: JsonObject = {}
        form = row.form
        if form is Form.PRIMITIVE:
            self._node = node
            self._rows = OF_PRIMITIVE.by_tag
            self._start_primitive(parent, row, attributes)
        elif form is Form.COMPLEX:
            self._put(parent, row, node)
            self._node = node
            below = table(row.type)
            self._rows = below.by_tag
            if attributes:
                self._read_attributes(below.attributes, attributes)
        else:
            self._start_other(parent, row, attributes)

    def _start_primitive(self, parent: JsonObject, row: Row, attributes: list[str]) -> None:
        text = None
        if len(attributes) == 2 and attributes[0] == "value":  # noqa: PLR2004  one pair
            text = attributes[1]
        elif attributes:
            text = self._read_attributes(_OF_PRIMITIVE, attributes)
        try:
            value = None if text is None else row.read(text)
        except FhirError as error:
            raise error.at(self._path()) from None
        if row.many:
            parent.setdefault(row.name, []).append(value)
        elif row.name in parent:
            self._refuse(REPEATED, name=row.name)
        else:
            parent[row.name] = value

    def _read_attributes(self, allowed: Container[str], attributes: list[str]) -> str | None:
        """Keep what is allowed in the open element; give back `value`."""
        value = None
        for name, text in zip(attributes[::2], attributes[1::2], strict=True):
            if name not in allowed:
                self._refuse(UNKNOWN_ATTRIBUTE, name=name.rpartition(" ")[2])
            if name == "value":
                value = text
            else:
                self._node[name] = text
        return value

    def _start_other(self, parent: JsonObject, row: Row, attributes: list[str]) -> None:
        self._node = parent
        match row.form:
            case Form.CONTAINER:
                self._rows = RESOURCES
                self._read_attributes((), attributes)
            case Form.RESOURCE:
                self._start_resource(parent, row, attributes)
            case _:
                self._start_narrative(parent, row)

    def _start_resource(self, parent: JsonObject, row: Row, attributes: list[str]) -> None:
        _, _, container = self._open[-1]
        # One resource a container: whatever comes next to it is unknown there.
        self._open[-1] = (_NOTHING, parent, container)
        node: JsonObject = {"resourceType": row.name}
        self._put(parent, container, node)
        self._node = node
        self._rows = table(row.type).by_tag
        kept = [n for n in attributes[::2] if not n.startswith(_SCHEMA_LOCATION)]
        if kept:
            self._refuse(UNKNOWN_ATTRIBUTE, name=kept[0].rpartition(" ")[2])

    def _put(self, parent: JsonObject, row: Row, node: JsonObject) -> None:
        if row.many:
            parent.setdefault(row.name, []).append(node)
        elif row.name in parent:
            self._refuse(REPEATED, name=row.name)
        else:
            parent[row.name] = node

    def _end(self, _tag: str) -> None:
        row, node, rows = self._row, self._node, self._rows
        above, parent, container = self._open[-1]
        if row.form is Form.PRIMITIVE:
            if node:
                self._keep_extras(parent, row, node)
            elif (parent[row.name][-1] if row.many else parent[row.name]) is None:
                self._refuse(NOTHING_INSIDE)
        elif (not node and row.form is Form.COMPLEX) or rows is RESOURCES:
            self._refuse(NOTHING_INSIDE)
        self._open.pop()
        self._rows, self._node, self._row = above, parent, container

    def _keep_extras(self, parent: JsonObject, row: Row, node: JsonObject) -> None:
        if not row.many:
            if parent[row.name] is None:
                del parent[row.name]
            parent[row.extras] = node
            return
        if row.extras not in parent:
            parent[row.extras] = []
            self._lists.append((parent, row))
        extras = parent[row.extras]
        extras.extend([None] * (len(parent[row.name]) - 1 - len(extras)))
        extras.append(node)

    def _text(self, text: str) -> None:
        if not text.isspace():
            self._refuse(STRAY_TEXT)

    def _start_narrative(self, parent: JsonObject, row: Row) -> None:
        if row.name in parent:
            self._refuse(REPEATED, name=row.name)
        self._div = (self._parser.CurrentByteIndex, 0)
        self._parser.StartElementHandler = self._start_in_narrative
        self._parser.EndElementHandler = self._end_in_narrative
        self._parser.CharacterDataHandler = None

    def _start_in_narrative(self, _tag: str, _attributes: list[str]) -> None:
        start, depth = self._div
        if len(self._open) + depth >= self._limit:
            raise Malformed(TOO_DEEP, limit=self._limit)
        self._div = (start, depth + 1)

    def _end_in_narrative(self, tag: str) -> None:
        start, depth = self._div
        if depth:
            self._div = (start, depth - 1)
            return
        # At an end tag the parser stands before it, at an empty element's end behind it.
        end = self._parser.CurrentByteIndex
        name = _TAG_NAME.match(self._data, start + 1)
        if name and self._data.startswith(b"</" + name[0], end):
            end = self._data.index(b">", end) + 1
        text = self._data[start:end].decode()
        self._node[self._row.name] = out_of_document(text, self._scope)
        self._listen()
        self._end(tag)

    def _path(self) -> str:
        """FHIRPath of the open element."""
        path = ""
        rows = [row for _, _, row in self._open] + [self._row]
        for (_, parent, _), row in zip(self._open, rows[1:], strict=True):
            if row.form is Form.RESOURCE:
                path = path or row.name
                continue
            many = row.many and isinstance(parent.get(row.name), list)
            path += f".{row.name}" + (f"[{len(parent[row.name]) - 1}]" if many else "")
        return path

    def _refuse_element(self, tag: str) -> Never:
        namespace, _, name = tag.rpartition(" ")
        expected = {each.rpartition(" ")[0] for each in self._rows} or {FHIR}
        text = UNKNOWN_ELEMENT if namespace in expected else WRONG_NAMESPACE
        path = f"{self._path()}.{name}".lstrip(".")
        raise self._error(text, path, name=name, namespace=namespace)

    def _refuse(self, text: Text, **args: object) -> Never:
        raise self._error(text, self._path(), **args)

    def _error(self, text: Text, path: str, **args: object) -> Malformed:
        line = self._parser.CurrentLineNumber
        return Malformed(text, expression=path, line=line, **args)


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate("utf-8", " ")
    parser.ordered_attributes = True
    parser.buffer_text = True
    return parser


def _align(node: JsonObject, row: Row) -> None:
    """Fill both arrays of a repeated primitive to one length; drop one without values."""
    values, extras = node[row.name], node[row.extras]
    extras.extend([None] * (len(values) - len(extras)))
    if all(value is None for value in values):
        del node[row.name]


def _check_encoding(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding and encoding.lower() not in _ENCODINGS:
        raise BadValue(NOT_UTF_8, encoding=encoding)


def _refuse_dtd(*_: object) -> Never:
    raise Malformed(HAS_DTD)


def not_xml(error: expat.ExpatError) -> Malformed:
    """What the parser found, with its place."""
    reason = expat.ErrorString(error.code)
    return Malformed(NOT_XML, reason=reason, line=error.lineno, column=error.offset + 1)
