"""What `htmlChecks()` asks of a narrative: yes or no.

The validator says what is wrong, and where; here an expression only needs the answer.

https://hl7.org/fhir/R4/narrative.html
"""

from typing import Any, Final

from lxml import etree

from fhir_server.core.errors import NotAcceptable
from fhir_server.core.xhtml import in_document

_TAGS: Final = frozenset(
    {
        "a", "abbr", "acronym", "address", "area", "b", "bdo", "big", "blockquote",
        "br", "caption", "cite", "code", "col", "colgroup", "dd", "dfn", "div", "dl",
        "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "kbd", "li",
        "map", "ol", "p", "pre", "q", "samp", "small", "span", "strong", "sub", "sup",
        "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "ul", "var",
    }
)  # fmt: skip
_ATTRIBUTES: Final = frozenset(
    {
        "title", "style", "class", "id", "lang", "dir", "accesskey", "tabindex", "span",
        "width", "align", "valign", "char", "charoff", "abbr", "axis", "headers",
        "scope", "rowspan", "colspan", "border", "frame", "rules", "cellspacing",
        "cellpadding", "summary", "nowrap", "start", "type", "cite", "href", "name",
        "hreflang", "rel", "rev", "charset", "shape", "coords", "nohref", "alt", "src",
        "height", "usemap", "longdesc", "ismap", "space",
    }
)  # fmt: skip
_XHTML: Final = "{http://www.w3.org/1999/xhtml}"
_SCHEMES: Final = ("javascript:", "vbscript:")
_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def is_narrative(text: object) -> bool:
    """Whether `text` is XHTML as Narrative.div allows it, with some content.

    "The narrative SHALL contain only the basic html formatting elements and attributes
    described in chapters 7-11 (except section 4 of chapter 9) and 15 of the HTML 4.0
    standard", and "SHALL have some non-whitespace content" (txt-1, txt-2).
    """
    if type(text) is not str:
        return False
    try:
        root = etree.fromstring(in_document(text).encode(), _PARSER)
    except (NotAcceptable, etree.XMLSyntaxError):
        return False
    if root.tag != _XHTML + "div" or not all(map(_allowed, root.iter())):
        return False
    written = any(str(part).strip() for part in root.itertext(etree.Element))
    return written or root.find(f".//{_XHTML}img") is not None


def _allowed(element: Any) -> bool:
    if not isinstance(element.tag, str):
        return element.tag is etree.Comment
    if element.tag.removeprefix(_XHTML) not in _TAGS:
        return False
    return all(
        name.rpartition("}")[2] in _ATTRIBUTES
        and not value.strip().lower().startswith(_SCHEMES)
        for name, value in element.attrib.items()
    )
