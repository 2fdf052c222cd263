"""References between the entries of a transaction, rewritten to the ids they were given.

"The server SHALL replace all matching links in the bundle, whether they are found in the
resource ids, resource references, elements of type uri, url, oid, uuid, and <a href="" &
<img src="" in the narrative" - and not in elements of type canonical. What an element is,
`spec.structures` knows; no string is rewritten for its looks.

https://hl7.org/fhir/R4/http.html#trules
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from fhir_server.core.types import JsonObject
from fhir_server.spec.structures import TYPES

Links = Mapping[str, str]
"""What an entry is called (`urn:uuid:…`, a fullUrl, `Patient?identifier=1`) -> `Patient/7`."""

Visit = Callable[[Any], Any]

_URIS: Final = frozenset({"uri", "url", "oid", "uuid"})
_NARRATIVE_LINK: Final = re.compile(r"""(\b(?:href|src)\s*=\s*)(["'])([^"']*)\2""")


def rewritten(resource: JsonObject, links: Links) -> JsonObject:
    """A copy of `resource` with its links replaced; parts without links are shared."""
    return _object(resource, resource["resourceType"], links) if links else resource


def references(resource: JsonObject) -> Iterator[tuple[str, str]]:
    """Every `Reference.reference` below `resource` with its path, contained ones too."""
    return _references(resource, resource["resourceType"], resource["resourceType"])


@lru_cache(maxsize=None)  # one row a type of R4: bounded by the standard
def _plan(name: str) -> Mapping[str, str]:
    """JSON property -> what it may hold: `uri`, `xhtml`, or the type to descend into."""
    found: dict[str, str] = {}
    for each in TYPES[name].properties.values():
        code = each.type.code
        if code in _URIS:
            found[each.name] = "uri"
        elif code == "xhtml" or TYPES[code].kind != "primitive":
            found[each.name] = code
        if TYPES[code].kind == "primitive":
            found[f"_{each.name}"] = "Element"
    if name == "Reference":
        found["reference"] = "uri"
    return found


def _object(value: JsonObject, name: str, links: Links) -> JsonObject:
    plan = _plan(name)
    changed = {}
    for key, child in value.items():
        kind = plan.get(key)
        if kind is not None:
            new = _value(child, kind, links)
            if new is not child:
                changed[key] = new
    return {**value, **changed} if changed else value


def _value(value: Any, kind: str, links: Links) -> Any:
    if isinstance(value, list):
        new = [_value(each, kind, links) for each in value]
        return new if any(a is not b for a, b in zip(new, value, strict=True)) else value
    if isinstance(value, dict):
        return _object(value, _type_of(value, kind), links)
    if isinstance(value, str) and kind == "uri":
        return links.get(value, value)
    if isinstance(value, str) and kind == "xhtml":
        return _narrative(value, links)
    return value


def _type_of(value: JsonObject, kind: str) -> str:
    named = value.get("resourceType") if kind == "Resource" else None
    return named if isinstance(named, str) and named in TYPES else kind


def _narrative(markup: str, links: Links) -> str:
    def link(found: re.Match[str]) -> str:
        return f"{found[1]}{found[2]}{links.get(found[3], found[3])}{found[2]}"

    new = _NARRATIVE_LINK.sub(link, markup)
    return markup if new == markup else new


def _references(value: JsonObject, name: str, path: str) -> Iterator[tuple[str, str]]:
    plan = _plan(name)
    for key, child in value.items():
        kind = plan.get(key)
        if kind is None:
            continue
        if isinstance(child, list):
            for index, each in enumerate(child):
                if isinstance(each, dict):
                    yield from _references(each, _type_of(each, kind), f"{path}.{key}[{index}]")
        elif isinstance(child, dict):
            yield from _references(child, _type_of(child, kind), f"{path}.{key}")
        elif name == "Reference" and key == "reference" and isinstance(child, str):
            yield child, f"{path}.reference"
