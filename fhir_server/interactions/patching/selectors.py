"""The selectors of an XML Patch, read by a grammar of their own and run as XPath.

Only child steps and attributes, with predicates by position and by equality: nothing that
could call a function, leave the document or cost more than one look at each node.

https://www.rfc-editor.org/rfc/rfc5261#section-4.1
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from fhir_server.core.errors import BadValue
from fhir_server.core.messages import Text
from fhir_server.core.xml_tables import FHIR

NOT_A_SELECTOR: Final = Text(
    "`{sel}` is not a selector this server reads.",
    "`{sel}` — не селектор, который читает сервер.",
    "`{sel}` — не селектор, який читає сервер.",
)
NO_NAMESPACE: Final = Text(
    "The prefix `{prefix}` is not declared.",
    "Префикс `{prefix}` не объявлен.",
    "Префікс `{prefix}` не оголошено.",
)

MAX_LENGTH: Final = 2000
MAX_STEPS: Final = 64

_NAME: Final = r"(?:[A-Za-z_][\w.\-]*:)?[A-Za-z_][\w.\-]*"
_TEXT: Final = r"""(?:'[^']*'|"[^"]*")"""
_VALUE: Final = rf"(?:\.|@{_NAME}|{_NAME}(?:/{_NAME})*(?:/@{_NAME})?)"
_PREDICATE: Final = rf"\[\s*(?:\d{{1,6}}|{_VALUE}\s*=\s*{_TEXT})\s*\]"
_STEP: Final = re.compile(rf"/?({_NAME}|\*)((?:{_PREDICATE})*)", re.ASCII)
_ATTRIBUTE: Final = re.compile(rf"/@({_NAME})", re.ASCII)
_TOKEN: Final = re.compile(rf"({_TEXT})|(@?)({_NAME})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Selector:
    """A compiled selector."""

    text: str
    xpath: str
    namespaces: Mapping[str, str]
    attribute: str
    """The name where an attribute is selected; `find` then gives its element."""

    def find(self, root: etree._Element) -> list[etree._Element]:
        """The elements selected; the first step is the root itself."""
        found: list[etree._Element] = root.xpath(  # type: ignore[assignment]  # only steps
            self.xpath, namespaces=dict(self.namespaces)
        )
        return [each for each in found if isinstance(each.tag, str)]


def read_selector(text: str, scope: Mapping[str | None, str]) -> Selector:
    """Read a selector with the namespaces in `scope`; a bare name is of the default one,
    or of FHIR's where there is none.

    Raises:
        BadValue: outside the grammar, or an undeclared prefix.
    """
    if len(text) > MAX_LENGTH:
        raise BadValue(NOT_A_SELECTOR, sel=text[:200])
    at, steps = 0, 0
    while step := _STEP.match(text, at):
        if at and not step[0].startswith("/"):
            break
        at, steps = step.end(), steps + 1
    last = _ATTRIBUTE.match(text, at)
    if not 0 < steps <= MAX_STEPS or (last.end() if last else at) != len(text):
        raise BadValue(NOT_A_SELECTOR, sel=text[:200])
    namespaces = {prefix or _DEFAULT: name for prefix, name in scope.items()}
    namespaces.setdefault(_DEFAULT, FHIR)
    path = _TOKEN.sub(lambda found: _qualified(found, namespaces), text[:at])
    return Selector(text, "/" + path.lstrip("/"), namespaces, last[1] if last else "")


#: XPath 1.0 has no default namespace; no document can declare this prefix, it is reserved.
_DEFAULT: Final = "xml-default"


def _qualified(found: re.Match[str], namespaces: Mapping[str, str]) -> str:
    text, attribute, name = found.groups()
    if text:
        return str(text)
    prefix, colon, _ = name.partition(":")
    if colon and prefix not in namespaces and prefix != "xml":
        raise BadValue(NO_NAMESPACE, prefix=prefix[:50])
    return f"{attribute}{name}" if colon or attribute else f"{_DEFAULT}:{name}"
