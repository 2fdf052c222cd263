"""Where in a resource a FHIRPath leads: not the value alone, but the object that holds it.

The paths of a patch are "simple": elements, indexes, and functions that choose among the
nodes met. Of those each step keeps the place it came from; criteria inside are FHIRPath in
full.

https://hl7.org/fhir/R4/fhirpatch.html
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from types import MappingProxyType
from typing import Any, Final

from fhir_server.core.errors import NotSupported, Unprocessable
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.fhirpath.code import Truth
from fhir_server.fhirpath.compiler import Scope, build
from fhir_server.fhirpath.environment import CLIENTS_STEPS, Environment
from fhir_server.fhirpath.model import Kind, Node, body, elements, resource_type
from fhir_server.fhirpath.parser import parse
from fhir_server.fhirpath.syntax import (
    Call,
    Constant,
    Index,
    Literal,
    Member,
    This,
    Tree,
    TypeTest,
    qualified_name,
)
from fhir_server.spec.structures import is_a

NOT_SIMPLE: Final = Text(
    "The path of a patch may use elements, indexes, where(), first(), last(), single(), "
    "extension(), ofType() and as().",
    "В пути патча допустимы элементы, индексы, where(), first(), last(), single(), "
    "extension(), ofType() и as().",
    "У шляху патчу дозволені елементи, індекси, where(), first(), last(), single(), "
    "extension(), ofType() та as().",
)

NO_LIST: Final = Text(
    "What stands in `{name}` is not a list.",
    "В `{name}` стоит не список.",
    "У `{name}` стоїть не список.",
)


@dataclass(frozen=True, slots=True)
class Place:
    """A node, and where it hangs."""

    node: Node
    parent: JsonObject | None = None
    """The object that has it as a property; None for the resource itself."""
    kind: Kind | None = None
    """The property."""
    index: int | None = None
    """In the property's array."""
    above: "Place | None" = None

    def content(self) -> JsonObject:
        """The object that holds this node's own elements.

        For a primitive that is the object beside it, made where there is none yet.
        """
        found = body(self.node)
        if found is not None or self.parent is None or self.kind is None:
            return {} if found is None else found
        made: JsonObject = {}
        set_extra(self.parent, self.kind, self.index, made)
        return made


def set_extra(
    parent: JsonObject, kind: Kind, index: int | None, extra: JsonObject | None
) -> None:
    """Set id and extensions of a primitive; the arrays stay aligned."""
    check_shapes(parent, kind)
    if index is None:
        parent[kind.sibling] = extra
    elif extra is not None or kind.sibling in parent:
        extras = parent.setdefault(kind.sibling, [])
        extras.extend([None] * (max(len(parent.get(kind.json, ())), index + 1) - len(extras)))
        extras[index] = extra
    if not _says_something(parent.get(kind.sibling)):
        parent.pop(kind.sibling, None)


def _says_something(extra: Any) -> bool:
    if type(extra) is list:
        return any(each is not None for each in extra)
    return extra is not None


def check_shapes(parent: JsonObject, kind: Kind) -> None:
    """Raise Unprocessable where a patch has put something else for a list of `kind`."""
    for name in (kind.json, kind.sibling) if kind.primitive else (kind.json,):
        if kind.many and type(parent.get(name, [])) is not list:
            raise Unprocessable(NO_LIST, name=name)


@lru_cache(1024)  # paths come from clients, so bounded
def read(path: str) -> Tree:
    """The syntax tree of `path`.

    Raises:
        FhirPathError: it is not FHIRPath.
    """
    return parse(path)


class Finder:
    """Finds places in one resource, for all operations of a patch: they share its budget."""

    def __init__(self, resource: JsonObject) -> None:
        self._root = Place((str(resource.get("resourceType", "")), resource, None))
        self._env = Environment(self._root.node, steps=CLIENTS_STEPS)
        self._criteria: dict[tuple[int, str], Truth] = {}
        """By identity of the tree, which its operation keeps alive: `1` equals `true`."""

    def find(self, tree: Tree) -> list[Place]:
        """Every place that `tree` leads to, in order.

        Raises:
            NotSupported: the path is not simple.
            FhirPathError: a criterion means nothing here, or costs too much.
        """
        match tree:
            case This() | Constant("resource" | "context"):
                return [self._root]
            case Member(This(), name, leading=True) if is_a(self._root.node[0], name):
                return [self._root]
            case Member(of, name):
                return [found for each in self.find(of) for found in below(each, name)]
            case Index(of, Literal(int() as at)):
                return self.find(of)[at : at + 1]
            case TypeTest("as", of, name):
                return _of_type(self.find(of), name)
            case Call(of, name, args):
                return self._call(of, name, args)
        raise NotSupported(NOT_SIMPLE)

    def _call(self, of: Tree, name: str, args: tuple[Tree, ...]) -> list[Place]:
        match name, args:
            case "where", (criteria,):
                return [each for each in self.find(of) if self._holds(criteria, each.node)]
            case "extension", (Literal(str() as url),):
                found = (one for each in self.find(of) for one in below(each, "extension"))
                return [each for each in found if each.node[1].get("url") == url]
            case (("ofType" | "as"), (kind,)):
                return _of_type(self.find(of), qualified_name(kind) or "")
            case _, () if name in _CHOICES:
                return _CHOICES[name](self.find(of))
        raise NotSupported(NOT_SIMPLE)

    def _holds(self, criteria: Tree, node: Node) -> bool:
        key = id(criteria), node[0]
        if key not in self._criteria:
            code = build(criteria, Scope(frozenset({node[0]}), strict=True))
            self._criteria[key] = code.truth
        self._env.spend(1)
        self._env.forget()  # the operation before has changed the resource
        return self._criteria[key](node, self._env) is True


# `single()` of several is left to the caller, who asks for one place anyway.
_CHOICES: Final[Mapping[str, Callable[[list[Place]], list[Place]]]] = MappingProxyType(
    {"first": lambda found: found[:1], "last": lambda found: found[-1:], "single": list}
)


def _of_type(found: list[Place], name: str) -> list[Place]:
    return [each for each in found if is_a(each.node[0], name.removeprefix("FHIR."))]


def below(place: Place, name: str) -> Iterator[Place]:
    """The places of the element `name` of what stands at `place`."""
    parent = body(place.node)
    if parent is None:
        return
    for kind in kinds(place.node[0], name):
        value, extra = parent.get(kind.json), parent.get(kind.sibling)
        if value is None and (extra is None or not kind.primitive):
            continue
        if not kind.many:
            yield Place(_node(kind, value, extra), parent, kind, None, place)
            continue
        values = value if type(value) is list else ()
        extras = extra if type(extra) is list and kind.primitive else ()
        for index, (one, other) in enumerate(zip_longest(values, extras)):
            yield Place(_node(kind, one, other), parent, kind, index, place)


def kinds(type_name: str, name: str) -> tuple[Kind, ...]:
    """The properties an element may be: by its name in FHIRPath, or as JSON spells a choice."""
    known = elements(type_name)
    if name in known:
        return known[name]
    return tuple(kind for each in known.values() for kind in each if kind.json == name)


def _node(kind: Kind, value: Any, extra: Any) -> Node:
    if kind.resource and type(value) is dict:
        return (resource_type(value, kind.type), value, None)
    return (kind.type, value, extra if kind.primitive else None)
