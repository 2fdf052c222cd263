"""The second pass: what the gate's schemas leave open of a resource they accepted.

Compiled once a type into closures that visit only what can carry a residual invariant, a
narrative or a resource. Answers yes or no; the walker explains a no.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final

from fhir_server.core.types import JsonObject
from fhir_server.spec.structures import TYPES, Constraint, Property, Type
from fhir_server.validation import constraints, contained, narrative
from fhir_server.validation.gate import gate, residual
from fhir_server.validation.invariants import Scene, holds

Check = Callable[[Any, JsonObject, JsonObject], bool]
"""Of a value, its resource and its root resource."""

_Visit = tuple[str, bool, Check]
"""JSON property, whether it is an array, and what is asked of each value."""

#: The gate accepts these only without anything that would have to be visited.
_CLOSED: Final = frozenset({"Extension", "Reference"})


def accepts(resource: JsonObject, kind: str) -> bool:
    """Whether a resource of type `kind` is surely valid; a False proves nothing."""
    return _accepts(resource, resource, kind)


def _accepts(resource: JsonObject, root: JsonObject, kind: str) -> bool:
    inside = "contained" in root
    if not gate(kind, fragments=inside)(resource):
        return False
    if inside and resource is root and not contained.are_sound(resource):
        return False
    check = _check(kind)
    return check is None or check(resource, resource, root)


def _nested(value: Any, _: JsonObject, __: JsonObject) -> bool:
    """A resource of its own in a Bundle or Parameters."""
    return _accepts(value, value, value["resourceType"])


def _inside(value: Any, _: JsonObject, root: JsonObject) -> bool:
    return _accepts(value, root, value["resourceType"])


def _narrative(value: Any, _: JsonObject, __: JsonObject) -> bool:
    return narrative.is_safe(value["div"])


@cache
def _check(name: str) -> Check | None:
    """What is left to ask of a type; None: nothing."""
    if name not in _open_types():
        return None
    if name == "Narrative":
        return _narrative
    visits: list[_Visit] = []
    asked = _residual(name)
    kind = TYPES[name]

    def check(value: Any, resource: JsonObject, root: JsonObject) -> bool:
        for key, many, visit in visits:
            found = value.get(key)
            if found is None:
                continue
            for each in found if many else (found,):
                if not visit(each, resource, root):
                    return False
        return not asked or _hold(asked, value, name, resource, root)

    # Filled after the closure stands: types refer to themselves (Questionnaire.item).
    _RECURSION[name] = check
    visits.extend(_visits(kind))
    return check


_RECURSION: Final[dict[str, Check]] = {}


def _hold(
    asked: tuple[Constraint, ...],
    value: Any,
    kind: str,
    resource: JsonObject,
    root: JsonObject,
) -> bool:
    scene = Scene(value, kind, resource, root)
    return all(holds(each, scene) for each in asked)


def _visits(kind: Type) -> Iterable[_Visit]:
    for name, each in kind.properties.items():
        check = _of_property(each)
        if check is not None:
            yield name, each.element.many, check


def _of_property(each: Property) -> Check | None:
    code = each.type.code
    if code == "Resource":
        return _inside if each.element.name == "contained" else _nested
    of_type = None if code in _CLOSED else _RECURSION.get(code) or _check(code)
    asked = () if "." in code else _residual(each.element.path)
    if not asked:
        return of_type

    def check(value: Any, resource: JsonObject, root: JsonObject) -> bool:
        if of_type is not None and not of_type(value, resource, root):
            return False
        return _hold(asked, value, code, resource, root)

    return check


def _residual(name: str) -> tuple[Constraint, ...]:
    keys = residual(name)
    return tuple(each for each in constraints.errors_of(name) if each.key in keys)


@cache
def _open_types() -> frozenset[str]:
    """The types that have something left to ask, themselves or below."""
    found = {"Narrative", "Resource"} | {name for name in TYPES if residual(name)}
    grown = True
    while grown:
        more = {
            each.name
            for each in TYPES.values()
            if each.name not in found
            and any(_leads(p, found) for p in each.properties.values())
        }
        found |= more
        grown = bool(more)
    return frozenset(found)


def _leads(each: Property, found: set[str]) -> bool:
    if each.type.code in _CLOSED:
        return False
    return each.type.code in found or bool(residual(each.element.path))
