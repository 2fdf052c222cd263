"""FHIRPath Patch: a Parameters resource whose `operation`s change another resource.

https://hl7.org/fhir/R4/fhirpatch.html
"""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from fhir_server.core.errors import (
    BadValue,
    FhirError,
    MissingElement,
    TooCostly,
    Unprocessable,
)
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.fhirpath.model import Kind, elements
from fhir_server.fhirpath.syntax import Member, Tree
from fhir_server.interactions.patching.places import Finder, Place, read
from fhir_server.interactions.patching.values import (
    Value,
    align,
    append,
    element_kinds,
    insert,
    value_of_part,
    write,
)

NOT_PARAMETERS: Final = Text(
    "A FHIRPath Patch is a Parameters resource with parameters named `operation`.",
    "FHIRPath Patch — это ресурс Parameters с параметрами по имени `operation`.",
    "FHIRPath Patch — це ресурс Parameters з параметрами на ім’я `operation`.",
)
NO_PART: Final = Text(
    "The operation `{type}` needs the part `{part}`.",
    "Операции `{type}` нужна часть `{part}`.",
    "Операції `{type}` потрібна частина `{part}`.",
)
UNKNOWN_TYPE: Final = Text(
    "`{type}` is not an operation of FHIRPath Patch; there are: {known}.",
    "В FHIRPath Patch нет операции `{type}`; есть: {known}.",
    "У FHIRPath Patch немає операції `{type}`; є: {known}.",
)
TOO_MANY: Final = Text(
    "The patch has {count} operations; {limit} are allowed.",
    "В патче {count} операций, а допустимо {limit}.",
    "У патчі {count} операцій, а дозволено {limit}.",
)
NOT_ONE: Final = Text(
    "The path `{path}` leads to {count} elements; it must lead to one.",
    "Путь `{path}` ведёт к элементам числом {count}; нужен один.",
    "Шлях `{path}` веде до елементів кількістю {count}; потрібен один.",
)
NOT_A_LIST: Final = Text(
    "The path `{path}` is not that of a list.",
    "Путь `{path}` — не путь списка.",
    "Шлях `{path}` — не шлях списку.",
)
OUT_OF_LIST: Final = Text(
    "The index {index} is outside of the list of {count}.",
    "Индекс {index} вне списка, в котором {count}.",
    "Індекс {index} поза списком, у якому {count}.",
)
ALREADY_THERE: Final = Text(
    "The element `{name}` is there already and may stand once; replace it.",
    "Элемент `{name}` уже есть и может быть только один; замените его (replace).",
    "Елемент `{name}` уже є і може бути лише один; замініть його (replace).",
)
THE_RESOURCE: Final = Text(
    "A patch cannot replace or delete the resource itself.",
    "Патч не может заменить или удалить сам ресурс.",
    "Патч не може замінити або видалити сам ресурс.",
)

MAX_OPERATIONS: Final = 1000
_MAX_INDEX: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Operation:
    """One `operation` parameter."""

    type: str
    path: str
    tree: Tree
    name: str = ""
    value: JsonObject | None = None
    """The part that carries the value; what it means depends on where it goes."""
    index: int = 0
    source: int = 0
    destination: int = 0


@dataclass(frozen=True, slots=True)
class _Type:
    """A row of the table of operations."""

    apply: Callable[[Finder, Operation], None]
    parts: tuple[str, ...]
    """Those it needs beside type and path."""


def read_patch(parameters: JsonObject) -> tuple[Operation, ...]:
    """Read a patch; errors carry `Parameters.parameter[n]`.

    Raises:
        BadValue, MissingElement: it is not one.
        TooCostly: it has more than `MAX_OPERATIONS`.
    """
    rows = parameters.get("parameter")
    if parameters.get("resourceType") != "Parameters" or type(rows) is not list:
        raise BadValue(NOT_PARAMETERS)
    if len(rows) > MAX_OPERATIONS:
        raise TooCostly(TOO_MANY, count=len(rows), limit=MAX_OPERATIONS)
    found: list[Operation] = []
    for index, row in enumerate(rows):
        try:
            found.append(_operation(row))
        except FhirError as error:
            raise error.at(f"Parameters.parameter[{index}]") from None
    return tuple(found)


def apply(resource: JsonObject, operations: Iterable[Operation]) -> JsonObject:
    """What `operations`, in their order, make of a copy of `resource`.

    Raises:
        Unprocessable: an operation does not fit; nothing of the patch counts then.
    """
    work = deepcopy(resource)
    finder = Finder(work)
    for index, operation in enumerate(operations):
        try:
            _TYPES[operation.type].apply(finder, operation)
        except FhirError as error:
            raise error.at(f"Parameters.parameter[{index}]") from None
    return work


def _operation(row: Any) -> Operation:
    if type(row) is not dict or row.get("name") != "operation":
        raise BadValue(NOT_PARAMETERS)
    rows = row.get("part")
    parts = {
        part["name"]: part
        for part in (rows if type(rows) is list else ())
        if type(part) is dict and type(part.get("name")) is str
    }
    kind = _text(parts, "type", "?")
    if kind not in _TYPES:
        raise BadValue(UNKNOWN_TYPE, type=kind[:50], known=", ".join(_TYPES))
    needed, path = _TYPES[kind].parts, _text(parts, "path", kind)
    if "value" in needed and "value" not in parts:
        raise MissingElement(NO_PART, type=kind, part="value")
    numbers = {
        name: _number(parts, name, kind)
        for name in ("index", "source", "destination")
        if name in needed
    }
    name = _text(parts, "name", kind) if "name" in needed else ""
    value = parts["value"] if "value" in needed else None
    return Operation(kind, path, read(path), name, value, **numbers)


def _text(parts: Mapping[str, JsonObject], name: str, kind: str) -> str:
    value = _simple(parts.get(name, {}))
    if type(value) is not str or not value:
        raise MissingElement(NO_PART, type=kind, part=name)
    return value


def _number(parts: Mapping[str, JsonObject], name: str, kind: str) -> int:
    value = _simple(parts.get(name, {}))
    if type(value) is not int or not 0 <= value <= _MAX_INDEX:
        raise MissingElement(NO_PART, type=kind, part=name)
    return value


def _simple(part: JsonObject) -> Any:
    return next((value for key, value in part.items() if key.startswith("value")), None)


def _one(finder: Finder, tree: Tree, path: str) -> Place:
    found = finder.find(tree)
    if len(found) != 1:
        raise Unprocessable(NOT_ONE, path=path, count=len(found))
    return found[0]


def _value(operation: Operation, name: str, candidates: tuple[Kind, ...]) -> Value:
    return value_of_part(operation.value or {}, name, candidates)


def _add(finder: Finder, operation: Operation) -> None:
    place = _one(finder, operation.tree, operation.path)
    name = operation.name
    candidates = element_kinds(place.node[0], name)
    value = _value(operation, name, candidates)
    parent = place.content()
    if not value.kind.many and any(
        each.json in parent or (each.primitive and each.sibling in parent)
        for each in (candidates if len(candidates) > 1 else (value.kind,))
    ):
        raise Unprocessable(ALREADY_THERE, name=name)
    append(parent, value)


def _insert(finder: Finder, operation: Operation) -> None:
    parent, kind = _list(finder, operation)
    value = _value(operation, kind.json, (kind,))
    align(parent, kind)
    _check_index(operation.index, len(parent.get(kind.json, ())) + 1)
    insert(parent, value, operation.index)


def _replace(finder: Finder, operation: Operation) -> None:
    place = _one(finder, operation.tree, operation.path)
    parent, kind = place.parent, place.kind
    if parent is None or kind is None or place.above is None:
        raise Unprocessable(THE_RESOURCE)
    name = next(n for n, found in elements(place.above.node[0]).items() if kind in found)
    value = _value(operation, name, element_kinds(place.above.node[0], name))
    if value.kind != kind:
        _remove(parent, kind, place.index)
    write(parent, value, place.index)


def _delete(finder: Finder, operation: Operation) -> None:
    # "Remove the content at the specified path, if found": nothing there is no error.
    if finder.find(operation.tree):
        place = _one(finder, operation.tree, operation.path)
        if place.parent is None or place.kind is None:
            raise Unprocessable(THE_RESOURCE)
        _remove(place.parent, place.kind, place.index)


def _remove(parent: JsonObject, kind: Kind, index: int | None) -> None:
    for name in (kind.json, kind.sibling) if kind.primitive else (kind.json,):
        values = parent.get(name)
        if index is None or type(values) is not list:
            parent.pop(name, None)
            continue
        del values[index : index + 1]
        if not any(value is not None for value in values):
            del parent[name]


def _move(finder: Finder, operation: Operation) -> None:
    parent, kind = _list(finder, operation)
    align(parent, kind)
    count = len(parent.get(kind.json, ()))
    _check_index(operation.source, count)
    _check_index(operation.destination, count)
    lists = [parent[kind.json]]
    if kind.primitive and kind.sibling in parent:
        extras = parent[kind.sibling]
        extras.extend([None] * (count - len(extras)))
        lists.append(extras)
    for values in lists:
        values.insert(operation.destination, values.pop(operation.source))


def _list(finder: Finder, operation: Operation) -> tuple[JsonObject, Kind]:
    """The list at the path: the object that has it, and which of its properties."""
    if not isinstance(operation.tree, Member):
        raise Unprocessable(NOT_A_LIST, path=operation.path)
    place = _one(finder, operation.tree.of, operation.path)
    found = element_kinds(place.node[0], operation.tree.name)
    if len(found) != 1 or not found[0].many:
        raise Unprocessable(NOT_A_LIST, path=operation.path)
    return place.content(), found[0]


def _check_index(index: int, count: int) -> None:
    if index >= count:
        raise Unprocessable(OUT_OF_LIST, index=index, count=count)


_TYPES: Final[Mapping[str, _Type]] = MappingProxyType(
    {
        "add": _Type(_add, ("name", "value")),
        "insert": _Type(_insert, ("index", "value")),
        "delete": _Type(_delete, ()),
        "replace": _Type(_replace, ("value",)),
        "move": _Type(_move, ("source", "destination")),
    }
)
