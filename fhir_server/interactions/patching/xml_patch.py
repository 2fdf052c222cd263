"""XML Patch over the XML form of a resource.

A selector here is what RFC 5261 has of XPath, and one thing more: a predicate may look at an
attribute below, since FHIR's values are attributes: `f:name[f:use/@value='official']`.

https://www.rfc-editor.org/rfc/rfc5261
https://hl7.org/fhir/R4/http.html#patch
"""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from lxml import etree

from fhir_server.core.errors import (
    BadValue,
    FhirError,
    Malformed,
    MissingElement,
    NotSupported,
    TooCostly,
    Unprocessable,
)
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.core.xml import from_xml, to_xml
from fhir_server.interactions.patching.selectors import Selector, read_selector

NOT_XML: Final = Text(
    "The patch is not XML: {reason}.",
    "Патч не XML: {reason}.",
    "Патч не XML: {reason}.",
)
HAS_DTD: Final = Text(
    "A document type declaration is not allowed in a patch.",
    "Объявление типа документа (DTD) в патче недопустимо.",
    "Оголошення типу документа (DTD) у патчі неприпустиме.",
)
NOT_A_DIFF: Final = Text(
    "An XML Patch is a `diff` element of add, replace and remove.",
    "XML Patch — это элемент `diff` из add, replace и remove.",
    "XML Patch — це елемент `diff` з add, replace та remove.",
)
NO_SELECTOR: Final = Text(
    "The operation `{op}` needs a selector `sel`.",
    "Операции `{op}` нужен селектор `sel`.",
    "Операції `{op}` потрібен селектор `sel`.",
)
NOT_ONE: Final = Text(
    "The selector `{sel}` finds {count} nodes; it must find one.",
    "Селектор `{sel}` находит узлов: {count}; нужен один.",
    "Селектор `{sel}` знаходить вузлів: {count}; потрібен один.",
)
MISFIT: Final = Text(
    "`{op}` cannot do this at `{sel}`.",
    "`{op}` не может сделать этого по `{sel}`.",
    "`{op}` не може зробити цього за `{sel}`.",
)
NO_SUCH_KIND: Final = Text(
    "`{value}` is not offered here: an element or an attribute can be added.",
    "`{value}` здесь не предлагается: можно добавить элемент или атрибут.",
    "`{value}` тут не пропонується: можна додати елемент або атрибут.",
)
TOO_MANY: Final = Text(
    "The patch has {count} operations; {limit} are allowed.",
    "В патче {count} операций, а допустимо {limit}.",
    "У патчі {count} операцій, а дозволено {limit}.",
)

MAX_OPERATIONS: Final = 1000


@dataclass(frozen=True, slots=True)
class Operation:
    """One child of `diff`."""

    op: str
    selector: Selector
    content: tuple[etree._Element, ...] = ()
    text: str = ""
    position: str = ""
    """Of add: before, after, prepend, or empty for behind the last child."""
    attribute: str = ""
    """Of add: the name of the attribute to add."""


def read_patch(data: bytes) -> tuple[Operation, ...]:
    """Read a patch; errors carry `diff[n]`.

    Raises:
        Malformed, BadValue: it is not one.
        NotSupported: it asks for what only general XML has.
        TooCostly: it has more than `MAX_OPERATIONS`.
    """
    diff = _parsed(data)
    if etree.QName(diff).localname != "diff":
        raise BadValue(NOT_A_DIFF)
    rows = [row for row in diff if isinstance(row.tag, str)]
    if len(rows) > MAX_OPERATIONS:
        raise TooCostly(TOO_MANY, count=len(rows), limit=MAX_OPERATIONS)
    found: list[Operation] = []
    for index, row in enumerate(rows):
        try:
            found.append(_operation(row))
        except FhirError as error:
            raise error.at(f"diff[{index}]") from None
    return tuple(found)


def apply(resource: JsonObject, operations: Iterable[Operation]) -> JsonObject:
    """What `operations`, in their order, make of `resource`.

    Raises:
        Unprocessable: an operation does not fit; nothing of the patch counts then.
        Malformed: what comes out is no resource.
    """
    root = _parsed(to_xml(resource))
    for index, operation in enumerate(operations):
        try:
            _APPLY[operation.op](root, operation)
        except FhirError as error:
            raise error.at(f"diff[{index}]") from None
    after = from_xml(etree.tostring(root, encoding="utf-8"))
    _restore_narrative(resource, after)
    return after


def _parsed(data: bytes) -> etree._Element:
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=False,
        huge_tree=False,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Malformed(NOT_XML, reason=str(error)[:200]) from None
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]  # stubs know less
        raise Malformed(HAS_DTD)
    return root


def _operation(row: etree._Element) -> Operation:
    op = etree.QName(row).localname
    if op not in _APPLY:
        raise BadValue(NOT_A_DIFF)
    sel = row.get("sel", "")
    if not sel:
        raise MissingElement(NO_SELECTOR, op=op)
    kind, position = row.get("type", ""), row.get("pos", "")
    if (kind and not kind.startswith("@")) or position not in ("", *_PLACES):
        raise NotSupported(NO_SUCH_KIND, value=(kind or position)[:50])
    selector = read_selector(sel, dict(row.nsmap))
    content = tuple(child for child in row if isinstance(child.tag, str))
    return Operation(op, selector, content, row.text or "", position, kind[1:])


def _one(root: etree._Element, selector: Selector) -> etree._Element:
    found = selector.find(root)
    if len(found) != 1:
        raise Unprocessable(NOT_ONE, sel=selector.text, count=len(found))
    return found[0]


def _misfit(operation: Operation) -> Unprocessable:
    return Unprocessable(MISFIT, op=operation.op, sel=operation.selector.text)


def _add(root: etree._Element, operation: Operation) -> None:
    target = _one(root, operation.selector)
    if operation.selector.attribute:
        raise _misfit(operation)
    if operation.attribute:
        if operation.attribute in target.attrib:
            raise _misfit(operation)
        _set(target, operation.attribute, operation)
        return
    if not operation.content:
        raise _misfit(operation)
    parent, at = target, len(target)
    if operation.position:
        place = _PLACES[operation.position]
        above = target if place is None else target.getparent()
        if above is None:
            raise _misfit(operation)
        parent, at = above, 0 if place is None else above.index(target) + place
    parent[at:at] = [_clean(each) for each in operation.content]


#: Where to put new elements: an offset beside the target, or None for in front inside.
_PLACES: Final[Mapping[str, int | None]] = MappingProxyType(
    {"before": 0, "after": 1, "prepend": None}
)


def _replace(root: etree._Element, operation: Operation) -> None:
    target, name = _one(root, operation.selector), operation.selector.attribute
    if name:
        if name not in target.attrib or operation.content:
            raise _misfit(operation)
        _set(target, name, operation)
        return
    parent = target.getparent()
    if len(operation.content) != 1 or parent is None:
        raise _misfit(operation)
    parent[parent.index(target)] = _clean(operation.content[0])


def _remove(root: etree._Element, operation: Operation) -> None:
    target, name = _one(root, operation.selector), operation.selector.attribute
    if name:
        if name not in target.attrib:
            raise _misfit(operation)
        del target.attrib[name]
        return
    parent = target.getparent()
    if parent is None:
        raise _misfit(operation)
    parent.remove(target)


_APPLY: Final[Mapping[str, Callable[[etree._Element, Operation], None]]] = MappingProxyType(
    {"add": _add, "replace": _replace, "remove": _remove}
)


def _set(target: etree._Element, name: str, operation: Operation) -> None:
    try:
        target.set(name, operation.text)
    except ValueError:
        raise _misfit(operation) from None


def _clean(element: etree._Element) -> etree._Element:
    """A copy for the resource, without the blanks that followed it in the patch."""
    copied = deepcopy(element)
    copied.tail = None
    return copied


def _restore_narrative(before: JsonObject, after: JsonObject) -> None:
    """Put back the narrative's own spelling where the patch has not touched it."""
    old, new = (each.get("text", {}).get("div") for each in (before, after))
    if type(old) is str and old != new and _reserialised(old) == new:
        after["text"]["div"] = old


def _reserialised(div: str) -> str:
    try:
        return etree.tostring(_parsed(div.encode()), encoding="unicode")
    except Malformed:
        return div
