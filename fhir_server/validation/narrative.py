"""XHTML narrative: well formed, of known tags and attributes, without active content.

https://hl7.org/fhir/R4/narrative.html
"""

import re
from collections.abc import Iterator
from typing import Final

from lxml import etree

from fhir_server.core.errors import Issue
from fhir_server.core.messages import Text
from fhir_server.validation import texts

_NAMESPACE: Final = "http://www.w3.org/1999/xhtml"
_ROOT: Final = f"{{{_NAMESPACE}}}div"

TAGS: Final = frozenset(
    "a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd dfn"  # noqa: SIM905  # a table of words
    " div dl dt em h1 h2 h3 h4 h5 h6 hr i img kbd li map ol p pre q samp small span strong sub"
    " sup table tbody td tfoot th thead tr tt ul var".split()
)
"""HTML 4.0, chapters 7 to 11 and 15; what HL7's own validator lets pass."""

_EVERYWHERE: Final = frozenset(
    "id ID class style title lang dir accesskey tabindex span width align valign char charoff"  # noqa: SIM905
    " abbr axis headers scope rowspan colspan".split()
)
_ON_TAG: Final = {
    "a": frozenset("href name charset type hreflang rel rev shape coords".split()),  # noqa: SIM905
    "area": frozenset("shape coords href nohref alt".split()),  # noqa: SIM905
    "blockquote": frozenset({"cite"}),
    "img": frozenset("src alt border longdesc height width usemap ismap".split()),  # noqa: SIM905
    "map": frozenset({"name"}),
    "ol": frozenset({"start", "type"}),
    "pre": frozenset({"space"}),
    "q": frozenset({"cite"}),
    "table": frozenset("summary border frame rules cellspacing cellpadding".split()),  # noqa: SIM905
    "td": frozenset({"nowrap"}),
    "th": frozenset({"nowrap"}),
}
_XML: Final = "{http://www.w3.org/XML/1998/namespace}"
_LINKS: Final = frozenset({"href", "src", "cite", "longdesc", "usemap"})

_MOST_ATTRIBUTES: Final = 100
"""On one tag. lxml walks all of them for each: 10,000 took 1.5 s, 100,000 minutes."""

# A scheme that runs something; blanks and controls inside it are dropped by browsers.
_IDLE: Final = re.compile(r"[\x00-\x20\xa0\u2028\u2029]+")
_ACTIVE_LINK: Final = re.compile(
    r"(?:javascript|vbscript|livescript|mocha|data|file):", re.IGNORECASE
)
_IMAGE: Final = re.compile(r"data:image/(?:png|jpeg|gif|webp|bmp)[;,]", re.IGNORECASE)
_ACTIVE_STYLE: Final = re.compile(
    r"expression\s*\(|javascript:|vbscript:|behaviou?r\s*:|-moz-binding|@import|url\s*\(|\\",
    re.IGNORECASE,
)

# The quick look at a well-formed text: every tag by name, and what stands behind the name.
# Possessive, so that a text of a million letters without a `>` is given up at once.
_OPENING: Final = re.compile(r"<([^\s/<>]++)([^<>]*+)>")
_PLAIN: Final = re.compile(
    r'(?:\s+(?:xmlns="http://www\.w3\.org/1999/xhtml"'
    r'|(?:class|id|title|align|valign|width|border|colspan|rowspan|lang|xml:lang)="[^"<>]*"'
    r'|style="[a-zA-Z0-9\s:;#%.,\-]*"'
    r'|href="(?:https?://|#)[^"<>]*"))*\s*/?'
)
_PARSER: Final = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
)
_START: Final = '<div xmlns="http://www.w3.org/1999/xhtml"'


def is_safe(text: str) -> bool:
    """Whether `text` is surely good; a False proves nothing, `problems` tells."""
    if not text.startswith(_START) or "<!" in text or "<?" in text:
        return False
    opened = set(_OPENING.findall(text))
    for name, rest in opened:
        if name not in TAGS or (rest and _PLAIN.fullmatch(rest) is None):
            return False
    try:
        root = etree.fromstring(text.encode(), _PARSER)
    except etree.XMLSyntaxError:
        return False
    return bool("".join(map(str, root.itertext())).strip())


def problems(text: str, path: str) -> Iterator[Issue]:
    """Everything that is wrong with a `Narrative.div`."""
    if "<?" in text or "<!DOCTYPE" in text or "<!ENTITY" in text:
        yield _issue("structure", texts.FORBIDDEN_DECLARATION, path)
        return
    try:
        root = etree.fromstring(text.encode(), _PARSER)
    except etree.XMLSyntaxError as error:
        yield _issue("structure", texts.NOT_XHTML, path, reason=error.msg)
        return
    if root.tag != _ROOT:
        yield _issue("structure", texts.NOT_A_DIV, path)
        return
    for element in root.iter(etree.Element):
        yield from _element(element, path)
    has_text = "".join(map(str, root.itertext(etree.Element))).strip()
    if not has_text and root.find(f".//{{{_NAMESPACE}}}img") is None:
        yield _issue("invariant", texts.EMPTY_NARRATIVE, path)


def _element(element: "etree._Element", path: str) -> Iterator[Issue]:
    namespace, _, tag = str(element.tag).rpartition("}")
    if namespace != "{" + _NAMESPACE or tag not in TAGS:
        yield _issue("invariant", texts.FORBIDDEN_TAG, path, name=tag)
        return
    if len(element.attrib) > _MOST_ATTRIBUTES:
        yield _issue("too-costly", texts.MANY_ATTRIBUTES, path, tag=tag, most=_MOST_ATTRIBUTES)
        return
    allowed = _ON_TAG.get(tag, frozenset())
    for key, value in element.attrib.items():
        name = str(key).replace(_XML, "xml:")
        if (
            name not in _EVERYWHERE
            and name not in allowed
            and name not in {"xml:lang", "xml:space"}
        ):
            yield _issue("invariant", texts.FORBIDDEN_ATTRIBUTE, path, name=name, tag=tag)
        elif _is_active(tag, name, str(value)):
            yield _issue("invariant", texts.ACTIVE_CONTENT, path, name=name)


def _is_active(tag: str, name: str, value: str) -> bool:
    if name == "style":
        return _ACTIVE_STYLE.search(value) is not None
    if name not in _LINKS:
        return False
    address = _IDLE.sub("", value)
    image = tag == "img" and _IMAGE.match(address) is not None
    return _ACTIVE_LINK.match(address) is not None and not image


def _issue(code: str, text: Text, path: str, **args: object) -> Issue:
    return Issue(code, text, args, expression=(path,))
