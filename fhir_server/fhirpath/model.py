"""FHIR's types as FHIRPath sees them: nodes, their elements, and type tests.

A node is a tuple `(type, value, extra)`: the name of its FHIR type (`spec.structures.TYPES`),
its JSON value, and for a primitive the object of its `_` sibling (id and extensions).
Anything that is not a tuple is a System value: str, bool, int, Decimal, Temporal, Quantity.

https://hl7.org/fhir/R4/fhirpath.html
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from itertools import zip_longest
from typing import Any, Final, NamedTuple, TypeAlias

from fhir_server.core.types import JsonObject
from fhir_server.fhirpath.quantity import Quantity
from fhir_server.fhirpath.temporal import Temporal
from fhir_server.spec.structures import RESOURCE_NAMES, TYPES, Property, is_a

Node: TypeAlias = tuple[str, Any, Any]
Item: TypeAlias = Any
"""A Node or a System value."""

FHIR: Final = "FHIR"
SYSTEM: Final = "System"
SYSTEM_TYPES: Final = frozenset(
    {"Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity"}
)
TYPE_INFO: Final = "TypeInfo"
"""The type of what `type()` gives."""

PRIMITIVES: Final = frozenset(each.name for each in TYPES.values() if each.kind == "primitive")
QUANTITIES: Final = frozenset(name for name in TYPES if is_a(name, "Quantity"))
OPEN: Final = frozenset({"Resource", "DomainResource", "Element", "BackboneElement"})
"""Types whose nodes are of another type when met: nothing is known of their elements."""


class Kind(NamedTuple):
    """How to reach an element of a type in JSON, for one of its types."""

    json: str
    type: str
    many: bool
    primitive: bool
    resource: bool
    """A resource of any type: `contained`, `Bundle.entry.resource`."""

    @property
    def sibling(self) -> str:
        return "_" + self.json


@cache
def elements(type_name: str) -> Mapping[str, tuple[Kind, ...]]:
    """The elements of a type by FHIRPath name, in order, each with the types it may have."""
    if type_name == TYPE_INFO:
        return {name: (_part(name),) for name in ("namespace", "name")}
    found: dict[str, tuple[Kind, ...]] = {}
    definition = TYPES.get(type_name)
    for each in definition.properties.values() if definition else ():
        if type_name in PRIMITIVES and each.name == "value":
            continue
        name = each.element.name
        found[name] = (*found.get(name, ()), _kind(each))
    return found


def _kind(each: Property) -> Kind:
    code = each.type.code
    return Kind(each.name, code, each.element.many, code in PRIMITIVES, code in RESOURCE_NAMES)


def _part(name: str) -> Kind:
    """A part of a type's description."""
    return Kind(name, "string", many=False, primitive=True, resource=False)


def body(item: Item) -> JsonObject | None:
    """The object that holds an item's children; None where there is none."""
    if type(item) is not tuple:
        return None
    content = item[1] if type(item[1]) is dict else item[2]
    return content if type(content) is dict else None


def nodes(parent: JsonObject, kinds: Iterable[Kind]) -> Iterator[Node]:
    """The nodes of one element of `parent`."""
    for kind in kinds:
        value = parent.get(kind.json)
        extra = parent.get(kind.sibling) if kind.primitive else None
        if value is None and extra is None:
            continue
        if type(value) is not list and type(extra) is not list:
            yield from _node(kind, value, extra)
            continue
        values = value if type(value) is list else ()
        extras = extra if type(extra) is list else ()
        for one, other in zip_longest(values, extras):
            yield from _node(kind, one, other)


def _node(kind: Kind, value: Any, extra: Any) -> Iterator[Node]:
    if kind.primitive:
        if value is not None or extra is not None:
            yield (kind.type, value, extra)
    elif type(value) is dict:
        yield (resource_type(value, kind.type) if kind.resource else kind.type, value, None)


def resource_type(value: JsonObject, otherwise: str) -> str:
    """The type a resource says it has."""
    name = value.get("resourceType")
    return name if type(name) is str and name in RESOURCE_NAMES else otherwise


def children(item: Item) -> list[Node]:
    """Every child node, in the definition's order."""
    parent = body(item)
    if parent is None:
        return []
    return list(nodes(parent, met(parent, _all_kinds(item[0]))))


Places: TypeAlias = Mapping[str, tuple[int, Kind]]
"""Kinds by each JSON name they may show up under, with their place in the definition."""


def by_name(kinds: Iterable[Kind]) -> Places:
    """`kinds` by JSON name, primitives also by that of their sibling."""
    found = dict(enumerate(kinds))
    names = {kind.json: (place, kind) for place, kind in found.items()}
    names |= {kind.sibling: (at, kind) for at, kind in found.items() if kind.primitive}
    return names


@cache
def _all_kinds(type_name: str) -> Places:
    return by_name(kind for kinds in elements(type_name).values() for kind in kinds)


def met(parent: JsonObject, places: Places) -> list[Kind]:
    """The kinds of element that `parent` has, in the definition's order.

    Objects have few of the properties their type allows: asking each is slower.
    """
    found = dict([places[name] for name in parent if name in places])
    return [found[place] for place in sorted(found)]


def descendants(item: Item) -> Iterator[Node]:
    """Children, and theirs, depth first."""
    for child in children(item):
        yield child
        if body(child) is not None:
            yield from descendants(child)


# --- types


class TypeName(NamedTuple):
    """A type as an expression names it; without a namespace it is looked for in both."""

    namespace: str
    name: str

    @property
    def fhir(self) -> frozenset[str]:
        """The FHIR types that are this one or specialise it."""
        return subtypes(self.name) if self.namespace != SYSTEM else frozenset()

    @property
    def system(self) -> str:
        """The System type it may be."""
        known = self.namespace != FHIR and self.name in SYSTEM_TYPES
        return self.name if known else ""


def type_name(text: str) -> TypeName | None:
    """The type `text` names; None where there is no such type.

    An unknown name in an explicit namespace is a type that nothing has.
    """
    namespace, _, name = text.rpartition(".")
    if namespace in ("", FHIR, SYSTEM):
        found = TypeName(namespace, name)
        if namespace or found.fhir or found.system:
            return found
    return None


@cache
def subtypes(name: str) -> frozenset[str]:
    """`name` and every type derived from it; empty for an unknown name."""
    if name not in TYPES:
        return frozenset()
    return frozenset(each for each in TYPES if is_a(each, name))


def system_type(value: Item) -> str:
    """The System type of a System value."""
    match value:
        case bool():
            return "Boolean"
        case int():
            return "Integer"
        case Decimal():
            return "Decimal"
        case str():
            return "String"
        case Temporal(family):
            return family
        case Quantity():
            return "Quantity"
        case _:
            return ""


def has_type(item: Item, wanted: TypeName) -> bool:
    """Whether `item` is of the type or of one derived from it."""
    if type(item) is tuple:
        return item[0] in wanted.fhir
    return bool(wanted.system) and system_type(item) == wanted.system
