"""Parts of a resource: `_summary` and `_elements`, with the tag that says it is a part.

What belongs to a summary, and what is mandatory, stands in the structure tables.

https://hl7.org/fhir/R4/search.html#summary
https://hl7.org/fhir/R4/search.html#elements
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from fhir_server.core.types import JsonObject
from fhir_server.search.request import Summary
from fhir_server.spec.structures import TYPES, Property

SUBSETTED: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}

_ALWAYS: Final = frozenset({"resourceType", "id", "meta"})


@dataclass(frozen=True, slots=True)
class Subset:
    """What of each resource is wanted."""

    summary: Summary = "false"
    elements: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.summary in ("true", "text", "data") or bool(self.elements)

    def of(self, resource: JsonObject) -> JsonObject:
        """The wanted part of `resource`, tagged; `resource` stays as it is."""
        kind = resource["resourceType"]
        part = self._cut(kind, resource)
        return _tagged(part, resource.get("meta", {}))

    def _cut(self, kind: str, resource: JsonObject) -> JsonObject:
        if self.elements:
            return _kept(resource, _names(kind, self.elements))
        match self.summary:
            case "true":
                return _summary(kind, resource)
            case "text":
                return _kept(resource, _mandatory(kind) | {"text"})
            case "data":
                return {name: value for name, value in resource.items() if name != "text"}
            case _:
                return resource

    def without_elements(self) -> "Subset":
        """For included resources: "the list of elements does not apply" to them."""
        return Subset(self.summary)


def _kept(resource: JsonObject, names: frozenset[str]) -> JsonObject:
    return {
        name: value
        for name, value in resource.items()
        if name in _ALWAYS or name.removeprefix("_") in names
    }


def _names(kind: str, elements: Iterable[str]) -> frozenset[str]:
    """JSON names of `elements`, mandatory ones added; `value` stands for `value[x]`."""
    wanted = {_base_name(kind, each) for each in elements}
    return _mandatory(kind) | {
        name
        for name, each in TYPES[kind].properties.items()
        if name in wanted or each.element.name in wanted
    }


def _base_name(kind: str, element: str) -> str:
    """`Patient.name.family` is `name`: only base elements can be chosen."""
    first, *rest = element.removesuffix("[x]").split(".")
    if first == kind and rest:
        return rest[0]
    return first if first not in TYPES or TYPES[first].kind != "resource" else ""


@cache
def _mandatory(kind: str) -> frozenset[str]:
    """What servers "SHOULD always return", asked for or not."""
    return frozenset(
        name for name, each in TYPES[kind].properties.items() if each.element.min > 0
    )


@cache
def _in_summary(kind: str) -> Mapping[str, Property]:
    return {
        name: each
        for name, each in TYPES[kind].properties.items()
        if each.element.summary or each.element.min > 0
    }


def _summary(kind: str, value: JsonObject) -> JsonObject:
    """The elements marked as summary; below a backbone element too."""
    wanted = _in_summary(kind)
    found: JsonObject = {}
    for name, each in value.items():
        row = wanted.get(name.removeprefix("_"))
        if row is not None:
            found[name] = _below(row, each)
        elif name in _ALWAYS:
            found[name] = each
    return found


def _below(row: Property, value: Any) -> Any:
    below = TYPES.get(row.type.code)
    if below is None or below.kind != "backbone":
        return value
    if isinstance(value, list):
        return [_summary(below.name, each) if each else each for each in value]
    return _summary(below.name, value)


def _tagged(part: JsonObject, meta: JsonObject) -> JsonObject:
    """`part` with the tag SUBSETTED, so that nobody puts it back in place of the whole."""
    tags = [*meta.get("tag", ()), SUBSETTED]
    tagged = {**meta, "tag": tags}
    lead: JsonObject = {name: part[name] for name in ("resourceType", "id") if name in part}
    rest = {name: value for name, value in part.items() if name not in _ALWAYS}
    return {**lead, "meta": tagged, **rest}
