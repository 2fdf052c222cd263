"""The second pass: what the gate's schemas leave open of a resource they accepted.

Compiled once a type into closures that visit only what can carry a residual invariant, a
narrative or a resource. Answers yes or no; the walker explains a no.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

from fhir_server.core.types import JsonObject
from fhir_server.fhirpath import Node
from fhir_server.spec.structures import TYPES, Constraint, Property, Type
from fhir_server.validation import constraints, contained, narrative
from fhir_server.validation.contained import Inside
from fhir_server.validation.gate import gate, residual
from fhir_server.validation.invariants import Scene, holds

Check = Callable[[Any, JsonObject, JsonObject, Inside], bool]
"""Of a value, its resource, its root resource and what that contains."""

_Visit = tuple[str, bool, Check]
"""JSON property, whether it is an array, and what is asked of each value."""


def accepts(resource: JsonObject, kind: str) -> bool:
    """Whether a resource of type `kind` is surely valid; a False proves nothing."""
    return _accepts(resource, resource, kind, _contents(resource))


def _contents(resource: JsonObject) -> Inside:
    """What fragments arrive at; where nothing is contained, the gate has refused them."""
    return contained.inside(resource) if "contained" in resource else _NOTHING


def prepare(kind: str) -> None:
    """Compile what resources of type `kind` without contained ones are asked."""
    gate(kind)
    _compiled(kind, False)


def _accepts(resource: JsonObject, root: JsonObject, kind: str, inside: Inside) -> bool:
    fragments = "contained" in root
    try:
        sound = gate(kind, fragments=fragments)(resource)
    except ValueError:  # a number kept in its own digits (`1e3`) is no type the gate knows
        return False
    if not sound:
        return False
    if fragments and resource is root and not contained.are_sound(resource):
        return False
    check = _compiled(kind, fragments)
    return check is None or check(resource, resource, root, inside)


def _nested(value: Any, _: JsonObject, __: JsonObject, ___: Inside) -> bool:
    """A resource of its own in a Bundle or Parameters."""
    return _accepts(value, value, value["resourceType"], _contents(value))


def _inside(value: Any, _: JsonObject, root: JsonObject, inside: Inside) -> bool:
    return _accepts(value, root, value["resourceType"], inside)


def _narrative(value: Any, _: JsonObject, __: JsonObject, ___: Inside) -> bool:
    return narrative.is_safe(value["div"])


def _compiled(kind: str, fragments: bool) -> Check | None:  # the key of a table
    """What is left to ask of a type; None: nothing.

    `fragments`: references may point into the resource, so that their targets are open.
    """
    try:
        return _CHECKS[kind, fragments]
    except KeyError:
        # Given out when all of it is whole: threads may be at the first use of a type.
        making = dict(_CHECKS)
        found = _check(kind, fragments, making)
        _CHECKS.update(making)
        return found


_NOTHING: Final[Inside] = {}
_Checks = dict[tuple[str, bool], Check | None]
_CHECKS: Final[_Checks] = {}


def _check(name: str, fragments: bool, making: _Checks) -> Check | None:  # likewise
    key = (name, fragments)
    if key not in making:
        making[key] = None
        if name == "Narrative":
            making[key] = _narrative
        elif name in _open_types(fragments=fragments):
            _visiting(name, fragments, making)
    return making[key]


def _visiting(name: str, fragments: bool, making: _Checks) -> None:  # likewise
    """Put the check of a type with elements into `making`."""
    visits: list[_Visit] = []
    asked = _residual(name)

    def check(value: Any, resource: JsonObject, root: JsonObject, inside: Inside) -> bool:
        for key, many, visit in visits:
            found = value.get(key)
            if found is None:
                continue
            for each in found if many else (found,):
                if not visit(each, resource, root, inside):
                    return False
        return not asked or _hold(asked, Scene(value, name, resource, root, inside))

    # Filled after the closure stands: types refer to themselves (Questionnaire.item).
    making[name, fragments] = check
    visits.extend(_visits(TYPES[name], fragments, making))


def _hold(asked: tuple[Constraint, ...], scene: Scene) -> bool:
    return all(holds(each, scene) for each in asked)


def _visits(kind: Type, fragments: bool, making: _Checks) -> Iterator[_Visit]:  # likewise
    for name, each in kind.properties.items():
        check = _of_property(each, fragments, making)
        if check is not None:
            yield name, each.element.many, check


def _of_property(each: Property, fragments: bool, making: _Checks) -> Check | None:  # likewise
    code = each.type.code
    if code == "Resource":
        return _inside if each.element.name == "contained" else _nested
    if code == "Reference":
        return _arrives(each.type.targets) if fragments and each.type.targets else None
    if code == "Extension":
        return None
    of_type = _check(code, fragments, making)
    asked = () if "." in code else _residual(each.element.path)
    if not asked:
        return of_type

    def check(value: Any, resource: JsonObject, root: JsonObject, inside: Inside) -> bool:
        if of_type is not None and not of_type(value, resource, root, inside):
            return False
        return _hold(asked, Scene(value, code, resource, root, inside))

    return check


def _arrives(allowed: tuple[str, ...]) -> Check:
    """A `#fragment` that points to a contained resource of an allowed type."""

    def check(value: Any, _: JsonObject, __: JsonObject, inside: Inside) -> bool:
        text = value.get("reference", "")
        return not text.startswith("#") or _type_of(inside.get(text[1:])) in allowed

    return check


def _type_of(found: Node | None) -> str | None:
    return None if found is None else found[0]


def _residual(name: str) -> tuple[Constraint, ...]:
    keys = residual(name)
    return tuple(each for each in constraints.errors_of(name) if each.key in keys)


@cache
def _open_types(*, fragments: bool) -> frozenset[str]:
    """The types that have something left to ask, themselves or below."""
    found = {"Narrative", "Resource"} | {name for name in TYPES if residual(name)}
    if fragments:
        found.add("Reference")
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
    # The gate accepts an Extension only without anything that would have to be visited.
    if each.type.code == "Extension":
        return False
    return each.type.code in found or bool(residual(each.element.path))
