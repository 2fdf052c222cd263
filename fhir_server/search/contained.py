"""Contained resources: their values are kept with the container, under parameters of their own.

What a contained Medication says of its `code` stands in the container's index as
`#Medication.code`, and, where the container's `medication` refers to it, as
`medication#Medication.code` too. So a chain looks into contained resources, and `_contained`
finds containers, by the predicates that are there already, with other names in their keys.

Criteria are met by the contained resources of a type together: with several of one type, one
may meet the first criterion and another the second.

https://hl7.org/fhir/R4/search.html#contained
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from fhir_server.core.types import JsonObject
from fhir_server.search import keys
from fhir_server.search.nodes import intersection, union
from fhir_server.search.plan import (
    And,
    Chain,
    Containing,
    Everything,
    Keys,
    Node,
    Not,
    Nothing,
    Or,
    Patient,
    Prefix,
    Present,
    Range,
)
from fhir_server.search.values import IndexValues, Ranged

MOST: Final = 64
"""Contained resources of one container that are indexed."""

NEVER_FOLLOWED: Final = frozenset({"Patient"})
"""A contained patient has no record here; a chain does not look for one."""


class Inside(NamedTuple):
    """The contained resources of a type, all of them or those one parameter refers to."""

    kind: str
    code: str = ""

    @property
    def lead(self) -> str:
        """What stands before the parameters of the contained resources."""
        return f"{self.code}#{self.kind}."

    @property
    def marker(self) -> str:
        """The token that every container of such a resource has."""
        return keys.token(f"{self.code}#{self.kind}", None, "")


def add_contained(values: IndexValues, contained: JsonObject, inner: IndexValues) -> None:
    """Add what `inner` says of a `contained` resource to the `values` of its container."""
    for inside in _places(values, contained):
        lead = inside.lead
        values.tokens += (inside.marker, *(lead + key for key in inner.tokens))
        values.strings += (lead + key for key in inner.strings)
        values.references += (lead + key for key in inner.references)
        values.uris += (lead + key for key in inner.uris)
        values.dates += (Ranged(lead + key, lo, hi) for key, lo, hi in inner.dates)
        values.quantities += (Ranged(lead + key, lo, hi) for key, lo, hi in inner.quantities)


def _places(values: IndexValues, contained: JsonObject) -> list[Inside]:
    kind, id_ = contained["resourceType"], contained.get("id")
    end = f"|#{id_}"
    codes = [key[: -len(end)] for key in values.references if key.endswith(end)]
    # `code|#id` and no more: what is contained in this way has no `|` or `.` before it.
    return [Inside(kind), *(Inside(kind, code) for code in codes if "." not in code)]


def inside(node: Node, place: Inside) -> Node | None:
    """`node` asked of contained resources; None where their values do not tell."""
    try:
        found = _renamed(node, place.lead)
    except _Untold:
        return None
    return intersection((Keys("tokens", (place.marker,)), found))


class _Untold(Exception):
    """The values of a contained resource do not tell."""


def _renamed(node: Node, lead: str) -> Node:
    match node:
        case Everything() | Nothing():
            return node
        case Keys():
            return replace(node, keys=tuple(lead + key for key in node.keys))
        case Prefix() | Containing() | Present():
            if node.field == "combined":
                raise _Untold
            return replace(node, prefix=lead + node.prefix)
        case Range():
            return replace(node, key=lead + node.key)
        case Patient(id_):
            return Keys("references", (lead + keys.reference("patient", f"Patient/{id_}"),))
        case Chain():
            return replace(node, param=lead + node.param)
        case Not(of):
            return Not(_renamed(of, lead))
        case And(of):
            return intersection(_renamed(each, lead) for each in of)
        case Or(of):
            return union(_renamed(each, lead) for each in of)
        case _:
            raise _Untold


def contained_resources(resource: JsonObject) -> Iterator[JsonObject]:
    """Those of a resource that are indexed."""
    for each in resource.get("contained", ())[:MOST]:
        if each and "resourceType" in each:
            yield each
