"""The value of a FHIRPath Patch operation, as the element it becomes.

A value comes as `value[x]`, as a resource, or, where the definition has no name for its type
(a backbone element), as parts named by its elements.

https://hl7.org/fhir/R4/fhirpatch.html#example
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from fhir_server.core.errors import BadValue, MissingElement, Unprocessable
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.fhirpath.model import PRIMITIVES, Kind
from fhir_server.interactions.patching.places import check_shapes, kinds, set_extra
from fhir_server.spec.structures import TYPES, is_a

NO_VALUE: Final = Text(
    "The part `{name}` needs one value[x], a resource, or parts.",
    "Части `{name}` нужно одно value[x], ресурс или части.",
    "Частині `{name}` потрібне одне value[x], ресурс або частини.",
)
MISFIT: Final = Text(
    "A {got} cannot stand in `{name}`, which is {expected}.",
    "{got} не может стоять в `{name}`: там {expected}.",
    "{got} не може стояти в `{name}`: там {expected}.",
)
NO_ELEMENT: Final = Text(
    "{type} has no element `{name}`.",
    "У {type} нет элемента `{name}`.",
    "У {type} немає елемента `{name}`.",
)
TWICE: Final = Text(
    "The element `{name}` may stand once.",
    "Элемент `{name}` может быть только один.",
    "Елемент `{name}` може бути лише один.",
)


@dataclass(frozen=True, slots=True)
class Value:
    """What to write where: its property, JSON value, and a primitive's id and extensions."""

    kind: Kind
    content: Any
    extra: JsonObject | None = None


def element_kinds(type_name: str, name: str) -> tuple[Kind, ...]:
    """The properties that the element `name` may be.

    Raises:
        Unprocessable: the type has no such element.
    """
    found = kinds(type_name, name)
    if not found:
        raise Unprocessable(NO_ELEMENT, type=type_name, name=name)
    return found


def value_of_part(part: JsonObject, name: str, candidates: tuple[Kind, ...]) -> Value:
    """The value in `part`, for an element `name` that may be any of `candidates`.

    Raises:
        MissingElement: there is none.
        Unprocessable: none of the candidates takes it.
    """
    if type(part.get("part")) is list:
        kind = _only_complex(name, candidates)
        return Value(kind, _object(kind.type, part["part"]))
    if type(part.get("resource")) is dict:
        found = [kind for kind in candidates if kind.resource]
        if not found:
            raise Unprocessable(MISFIT, got="Resource", name=name, expected=_names(candidates))
        return Value(found[0], deepcopy(part["resource"]))
    given = {each.removeprefix("_") for each in part if each.lstrip("_").startswith("value")}
    if len(given) != 1:
        raise MissingElement(NO_VALUE, name=str(part.get("name", "")))
    key = given.pop()
    kind = _taking(key.removeprefix("value"), name, candidates)
    content = part.get(key)
    if not kind.primitive and type(content) is not dict:
        raise BadValue(NO_VALUE, name=str(part.get("name", "")))
    return Value(kind, deepcopy(content), deepcopy(part.get(f"_{key}")))


def _taking(suffix: str, name: str, candidates: tuple[Kind, ...]) -> Kind:
    """The candidate of the type that `valueQuantity` names by its suffix."""
    lower = suffix[:1].lower() + suffix[1:]
    got = lower if lower in PRIMITIVES else suffix
    for kind in candidates:
        if kind.type == got:
            return kind
    if len(candidates) == 1 and got in TYPES and _is_close(got, candidates[0]):
        return candidates[0]
    raise Unprocessable(MISFIT, got=got or "Element", name=name, expected=_names(candidates))


def _is_close(got: str, kind: Kind) -> bool:
    """Whether a value of type `got` may be meant: a string where a code stands, a Quantity
    for an Age. Whether it then is one, validation says."""
    if kind.primitive:
        return got in PRIMITIVES and _json_type(got) == _json_type(kind.type)
    return is_a(kind.type, got) or is_a(got, kind.type)


def _json_type(primitive: str) -> str:
    if primitive == "boolean":
        return "boolean"
    return "number" if primitive == "decimal" or is_a(primitive, "integer") else "string"


def _only_complex(name: str, candidates: tuple[Kind, ...]) -> Kind:
    found = [kind for kind in candidates if not kind.primitive and not kind.resource]
    if len(found) != 1:
        raise Unprocessable(MISFIT, got="part", name=name, expected=_names(candidates))
    return found[0]


def _names(candidates: tuple[Kind, ...]) -> str:
    return ", ".join(kind.type for kind in candidates)


def _object(type_name: str, parts: list[Any]) -> JsonObject:
    made: JsonObject = {}
    for part in _checked(parts):
        name = part["name"]
        value = value_of_part(part, name, element_kinds(type_name, name))
        if not value.kind.many and value.kind.json in made:
            raise Unprocessable(TWICE, name=name)
        append(made, value)
    return made


def _checked(parts: list[Any]) -> Iterator[JsonObject]:
    for part in parts:
        if type(part) is not dict or type(part.get("name")) is not str:
            raise MissingElement(NO_VALUE, name="part")
        yield part


def append(parent: JsonObject, value: Value) -> None:
    """Set the element, or put it behind those of its list."""
    kind = value.kind
    if not kind.many:
        write(parent, value, None)
        return
    check_shapes(parent, kind)
    count = max(len(parent.get(kind.json, ())), len(parent.get(kind.sibling, ())))
    insert(parent, value, count)


def insert(parent: JsonObject, value: Value, index: int) -> None:
    """Put the element before the one at `index` of its list."""
    kind = value.kind
    align(parent, kind)
    if kind.primitive and kind.sibling in parent:
        parent[kind.sibling].insert(index, None)
    parent.setdefault(kind.json, []).insert(index, value.content)
    if kind.primitive:
        set_extra(parent, kind, index, value.extra)


def write(parent: JsonObject, value: Value, index: int | None) -> None:
    """Set the element at `index` of its list, or the one there is."""
    kind = value.kind
    if index is not None:
        align(parent, kind)
        parent[kind.json][index] = value.content
    elif value.content is None:
        parent.pop(kind.json, None)
    else:
        parent[kind.json] = value.content
    if kind.primitive:
        set_extra(parent, kind, index, value.extra)


def align(parent: JsonObject, kind: Kind) -> None:
    """Fill the values of a repeated primitive up to its extensions."""
    check_shapes(parent, kind)
    if kind.primitive and kind.sibling in parent:
        values = parent.setdefault(kind.json, [])
        values.extend([None] * (len(parent[kind.sibling]) - len(values)))
