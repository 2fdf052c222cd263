"""References between the entries of a transaction, rewritten to the ids they were given.

"The server SHALL replace all matching links in the bundle, whether they are found in the
resource ids, resource references, elements of type uri, url, oid, uuid, and <a href="" &
<img src="" in the narrative" - and not in elements of type canonical. What an element is,
`spec.structures` knows; no string is rewritten for its looks.

A resource is walked once, for the places that may hold a link; each attempt of the unit of
work then fills these places anew. Walking twice and copying cost 40 µs a resource, this 15.

https://hl7.org/fhir/R4/http.html#trules
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from fhir_server.core.types import JsonObject
from fhir_server.spec.structures import TYPES

Links = Mapping[str, str]
"""What an entry is called (`urn:uuid:…`, a fullUrl, `Patient?identifier=1`) -> `Patient/7`."""

_URIS: Final = frozenset({"uri", "url", "oid", "uuid"})
_NARRATIVE_LINK: Final = re.compile(r"""(\b(?:href|src)\s*=\s*)(["'])([^"']*)\2""")


@dataclass(frozen=True, slots=True)
class Spot:
    """A string of a resource that may be a link, and where it is."""

    holder: dict[str, Any] | list[Any]
    key: str | int
    value: str
    """As the client wrote it."""
    kind: str
    """`reference`, `uri` or `xhtml`."""


@dataclass(frozen=True, slots=True)
class Linked:
    """A resource that this transaction owns, with its spots."""

    resource: JsonObject
    spots: tuple[Spot, ...]

    @classmethod
    def of(cls, resource: JsonObject) -> "Linked":
        """Find the spots of `resource`, contained resources and extensions included."""
        found: list[Spot] = []
        _walk(resource, resource["resourceType"], found)
        return cls(resource, tuple(found))

    def references(self) -> Iterator[str]:
        """Every `Reference.reference`, as the client wrote it."""
        return (spot.value for spot in self.spots if spot.kind == "reference")

    def path(self, reference: str) -> str:
        """The FHIRPath of the first place that holds `reference`."""
        kind = self.resource["resourceType"]
        return next(_paths(self.resource, reference, kind), kind)

    def fill(self, links: Links) -> JsonObject:
        """The resource with its links replaced; what an earlier attempt put is put anew."""
        for spot in self.spots:
            if spot.kind == "xhtml":
                spot.holder[spot.key] = _narrative(spot.value, links)  # type: ignore[index]  # a key of this holder
            else:
                spot.holder[spot.key] = links.get(spot.value, spot.value)  # type: ignore[index]  # likewise
        return self.resource


@cache
def _plan(name: str) -> Mapping[str, str]:
    """JSON property -> what it may hold: a kind of spot, or the type to descend into."""
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
        found["reference"] = "reference"
    return found


def _walk(value: JsonObject, name: str, found: list[Spot]) -> None:
    plan = _plan(name)
    for key, child in value.items():
        kind = plan.get(key)
        if kind is None:
            continue
        if type(child) is dict:
            _walk(child, _type_of(child, kind), found)
        elif type(child) is list:
            for index, each in enumerate(child):
                if type(each) is dict:
                    _walk(each, _type_of(each, kind), found)
                elif type(each) is str:
                    found.append(Spot(child, index, each, kind))
        elif type(child) is str:
            found.append(Spot(value, key, child, kind))


def _type_of(value: JsonObject, kind: str) -> str:
    if kind != "Resource":
        return kind
    named = value.get("resourceType")
    return named if isinstance(named, str) and named in TYPES else kind


def _narrative(markup: str, links: Links) -> str:
    def link(found: re.Match[str]) -> str:
        return f"{found[1]}{found[2]}{links.get(found[3], found[3])}{found[2]}"

    return _NARRATIVE_LINK.sub(link, markup) if links else markup


def _paths(value: Any, reference: str, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from _paths(each, reference, f"{path}[{index}]")
    elif isinstance(value, dict):
        if value.get("reference") == reference:
            yield f"{path}.reference"
        for key, child in value.items():
            yield from _paths(child, reference, f"{path}.{key}")
