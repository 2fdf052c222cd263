"""The narrative's `div` on its way between JSON, a string, and XML, a part of the document.

It is kept letter by letter. What it may contain is the validator's question.

https://hl7.org/fhir/R4/narrative.html#xhtml
"""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from html.entities import name2codepoint
from typing import Final, Never
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from lxml import etree

from fhir_server.core.errors import Malformed, NotAcceptable
from fhir_server.core.messages import Text

NOT_XHTML: Final = Text(
    "The narrative is not one well-formed XHTML `div`: it cannot be written as XML.",
    "Описание (narrative) не является правильным XHTML `div`: его нельзя записать в XML.",
    "Опис (narrative) не є правильним XHTML `div`: його не можна записати в XML.",
)

MANY_ATTRIBUTES: Final = Text(
    "An element of the narrative has more than {most} attributes.",
    "У элемента описания (narrative) больше {most} атрибутов.",
    "В елемента опису (narrative) понад {most} атрибутів.",
)

_MOST_ATTRIBUTES: Final = 100
"""lxml walks all of them for each: 100,000 take minutes."""
_NAMESPACE: Final = "http://www.w3.org/1999/xhtml"
_ENTITY: Final = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_IN_XML: Final = frozenset(("lt", "gt", "amp", "quot", "apos"))


def in_document(div: str) -> str:
    """`div` as it stands in an XML document: HTML's named characters written out.

    Raises:
        NotAcceptable: it is not exactly one well-formed `div`.
    """
    text = _ENTITY.sub(_written_out, div) if "&" in div else div
    tag = _root(text)
    if tag == "div":
        return text.replace("<div", f'<div xmlns="{_NAMESPACE}"', 1)
    if tag != f"{_NAMESPACE} div":
        _refuse()
    return text


def _written_out(entity: re.Match[str]) -> str:
    name = entity[1]
    return chr(name2codepoint[name]) if name in name2codepoint.keys() - _IN_XML else entity[0]


def _root(text: str) -> str:
    """The name of the one element `text` is."""
    tags: list[str] = []
    parser = expat.ParserCreate("utf-8", " ")
    parser.StartDoctypeDeclHandler = _refuse
    parser.XmlDeclHandler = _refuse

    def note(tag: str, _attributes: object) -> None:
        tags.append(tag)
        parser.StartElementHandler = None

    parser.StartElementHandler = note
    try:
        parser.Parse(text.encode(), True)
    except (expat.ExpatError, UnicodeEncodeError):
        _refuse()
    return tags[0]


def _refuse(*_: object) -> Never:
    raise NotAcceptable(NOT_XHTML) from None


#: A start tag that says its namespace itself, as narrative.html asks.
_SAYS_NAMESPACE: Final = re.compile(rf"""<div\s[^>]*?xmlns\s*=\s*["']{_NAMESPACE}["']""")


def out_of_document(text: str, scope: Sequence[tuple[str | None, str]]) -> str:
    """The `div` cut out of a document, in need of nothing from around it.

    `scope` are the namespaces declared there, outermost first, as (prefix, name). A `div`
    that leans on one of them is written anew, without prefixes; any other is kept as it is.
    """
    leans = any(prefix and f"{prefix}:" in text for prefix, _ in scope)
    return _rewritten(text, dict(scope)) if leans or not _SAYS_NAMESPACE.match(text) else text


def _rewritten(text: str, scope: Mapping[str | None, str]) -> str:
    declared = " ".join(
        f"xmlns{':' if prefix else ''}{prefix or ''}={quoteattr(name)}"
        for prefix, name in scope.items()
    )
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    around = etree.fromstring(f"<around {declared}>{text}</around>".encode(), parser)
    return etree.tostring(_copy(around[0]), encoding="unicode", with_tail=False)


# The stubs know prefixes only; None is lxml's word for having none.
_NO_PREFIX: Final[dict[str, str]] = {None: _NAMESPACE}  # type: ignore[dict-item]


def _copy(element: etree._Element) -> etree._Element:
    copied = etree.Element(element.tag, _attributes(element), _NO_PREFIX)
    _fill(copied, element)
    return copied


def _fill(copied: etree._Element, element: etree._Element) -> None:
    copied.text = element.text
    for child in element:
        if isinstance(child.tag, str):
            below = etree.SubElement(copied, child.tag, _attributes(child))
            below.tail = child.tail
            _fill(below, child)
        else:
            copied.append(deepcopy(child))  # a comment or an instruction, with its tail


def _attributes(element: etree._Element) -> dict[str, str]:
    if len(element.attrib) > _MOST_ATTRIBUTES:
        raise Malformed(MANY_ATTRIBUTES, most=_MOST_ATTRIBUTES)
    return {str(name): str(value) for name, value in element.attrib.items()}
