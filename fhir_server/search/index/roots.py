"""Where a resource holds what an expression selects: the JSON properties it starts from.

A resource fills a part of its type's elements, and an arm whose property is absent selects
nothing. So the index runs only the arms of the properties that are there: of an Observation's
44 some 20.

https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression
"""

from typing import Final, NamedTuple

from fhir_server.fhirpath.parser import parse
from fhir_server.fhirpath.syntax import Call, Index, Member, This, Tree, TypeTest
from fhir_server.spec.structures import TYPES, is_a

#: Functions that give nothing for nothing; `exists()` or `empty()` would give a value.
_STRICT: Final = frozenset({"where", "as", "ofType", "first", "resolve", "extension"})


class _Start(NamedTuple):
    """The element a path starts with, and the type it is cast to at once."""

    element: str
    cast: str | None = None


def roots(kind: str, expression: str) -> frozenset[str] | None:
    """The JSON properties of `kind` of which `expression` needs one; None: not to be told."""
    start = _start(parse(expression), kind)
    if start is None:
        return None
    names = {
        name
        for name, each in TYPES[kind].properties.items()
        if each.element.name == start.element
        and (start.cast is None or is_a(each.type.code, start.cast))
    }
    return frozenset(names | {f"_{name}" for name in names}) if names else None


def _start(tree: Tree, kind: str) -> _Start | None:
    """How the path starts, if `tree` is nothing but a path."""
    match tree:
        case TypeTest("as", Member(of, name), type_) if _is_resource(of, kind):
            return _Start(name, type_.removeprefix("FHIR."))
        case Member(of, name) if _is_resource(of, kind):
            return _Start(name)
        case Call(of, "extension", _) if _is_resource(of, kind):
            return _Start("extension")
        case Call(of, name, _) if name in _STRICT:
            return _start(of, kind)
        case TypeTest("as", of, _) | Index(of, _) | Member(of, _):
            return _start(of, kind)
        case _:
            return None


def _is_resource(tree: Tree, kind: str) -> bool:
    """Whether `tree` is the resource itself, called by its type or an ancestor of that."""
    match tree:
        case Member(This(), name, leading=True):
            return is_a(kind, name)
        case _:
            return False
