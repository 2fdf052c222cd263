"""JSON Patch over a JSON object; what it is applied to is left alone.

https://www.rfc-editor.org/rfc/rfc6902
https://hl7.org/fhir/R4/http.html#patch
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import inf
from types import MappingProxyType
from typing import Any, Final

from fhir_server.core.errors import (
    BadValue,
    FhirError,
    MissingElement,
    TooCostly,
    Unprocessable,
)
from fhir_server.core.json_pointer import (
    NOTHING_THERE,
    Pointer,
    find,
    index_of,
    parse,
    to_text,
)
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import check_depth

NOT_AN_OPERATION: Final = Text(
    "An operation of a JSON Patch is an object.",
    "Операция JSON Patch — это объект.",
    "Операція JSON Patch — це об’єкт.",
)
UNKNOWN_OPERATION: Final = Text(
    "`{op}` is not an operation of JSON Patch; there are: {known}.",
    "В JSON Patch нет операции `{op}`; есть: {known}.",
    "У JSON Patch немає операції `{op}`; є: {known}.",
)
NO_MEMBER: Final = Text(
    "The operation `{op}` needs `{member}`.",
    "Операции `{op}` нужен член `{member}`.",
    "Операції `{op}` потрібен член `{member}`.",
)
NOT_TEXT: Final = Text(
    "`{member}` of an operation is a string.",
    "`{member}` операции — это строка.",
    "`{member}` операції — це рядок.",
)
TOO_MANY: Final = Text(
    "The patch has {count} operations; {limit} are allowed.",
    "В патче {count} операций, а допустимо {limit}.",
    "У патчі {count} операцій, а дозволено {limit}.",
)
TOO_LARGE: Final = Text(
    "The patch copies more than is allowed.",
    "Патч копирует больше допустимого.",
    "Патч копіює більше дозволеного.",
)
TEST_FAILED: Final = Text(
    "The test failed: the value at `{pointer}` is another one.",
    "Проверка не прошла: по указателю `{pointer}` другое значение.",
    "Перевірка не пройшла: за вказівником `{pointer}` інше значення.",
)
INTO_ITSELF: Final = Text(
    "`{from_}` cannot be moved into itself.",
    "`{from_}` нельзя переместить внутрь себя.",
    "`{from_}` не можна перемістити всередину себе.",
)
NOT_AN_OBJECT: Final = Text(
    "A resource can be replaced by an object only.",
    "Ресурс можно заменить только объектом.",
    "Ресурс можна замінити лише об’єктом.",
)

MAX_OPERATIONS: Final = 1000
MAX_NODES: Final = 100_000
"""Values copied by the operations of one patch: thirty times the largest of HL7's examples.
Without a bound thirty operations that copy a value into itself make 2^30 values of it."""
CHARACTERS: Final = 1000
"""Of a text, that count as one value more: texts are shared until they are written."""
MAX_DEPTH: Final = 64


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of a patch."""

    op: str
    path: Pointer
    from_: Pointer = ()
    value: Any = None


def read(document: Iterable[Any]) -> tuple[Operation, ...]:
    """Read a patch; errors carry the index of the operation: `[2].path`.

    Raises:
        MissingElement, BadValue: an operation is not one.
        TooCostly: there are more than `MAX_OPERATIONS`.
    """
    rows = list(document)
    if len(rows) > MAX_OPERATIONS:
        raise TooCostly(TOO_MANY, count=len(rows), limit=MAX_OPERATIONS)
    return tuple(_operation(index, row) for index, row in enumerate(rows))


def apply(resource: JsonObject, operations: Iterable[Operation]) -> JsonObject:
    """What `operations`, in their order, make of `resource`.

    Raises:
        Unprocessable: an operation does not fit; nothing of the patch counts then.
        TooCostly: it grows beyond `MAX_NODES`.
    """
    work = _Work(resource)
    for index, operation in enumerate(operations):
        try:
            _APPLY[operation.op](work, operation)
        except FhirError as error:
            raise error.at(f"[{index}]") from None
    check_depth(work.root, MAX_DEPTH)
    return work.root


def _operation(index: int, row: Any) -> Operation:
    if type(row) is not dict:
        raise BadValue(NOT_AN_OPERATION, expression=f"[{index}]")
    try:
        return _read_row(row)
    except FhirError as error:
        raise error.at(f"[{index}]") from None


def _read_row(row: Mapping[str, Any]) -> Operation:
    op = _text(row, "op", "")
    if op not in _APPLY:
        known = ", ".join(_APPLY)
        raise BadValue(UNKNOWN_OPERATION, op=op[:50], known=known, expression="op")
    path = _pointer(row, "path", op)
    if op in ("move", "copy"):
        return Operation(op, path, from_=_pointer(row, "from", op))
    if op == "remove":
        return Operation(op, path)
    if "value" not in row:
        raise MissingElement(NO_MEMBER, op=op, member="value", expression="value")
    return Operation(op, path, value=row["value"])


def _pointer(row: Mapping[str, Any], member: str, op: str) -> Pointer:
    try:
        return parse(_text(row, member, op))
    except BadValue as error:
        raise error if error.issues[0].expression else error.at(member) from None


def _text(row: Mapping[str, Any], member: str, op: str) -> str:
    if member not in row:
        raise MissingElement(NO_MEMBER, op=op, member=member, expression=member)
    value = row[member]
    if type(value) is not str:
        raise BadValue(NOT_TEXT, member=member, expression=member)
    return value


class _Work:
    """A private copy of the resource, and how much the operations may still copy."""

    def __init__(self, resource: JsonObject) -> None:
        self._left = inf
        self.root: JsonObject = self.copy(resource)
        self._left = MAX_NODES

    def copy(self, value: Any, depth: int = 0) -> Any:
        """A copy that shares no object and no array."""
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise TooCostly(TOO_LARGE)
        if type(value) is dict:
            return {name: self.copy(each, depth + 1) for name, each in value.items()}
        if type(value) is list:
            return [self.copy(each, depth + 1) for each in value]
        if type(value) is str:
            self._left -= len(value) // CHARACTERS
        return value

    def put(self, pointer: Pointer, value: Any) -> None:
        """`add`: into an object under its name, into an array before its index."""
        if not pointer:
            if type(value) is not dict:
                raise Unprocessable(NOT_AN_OBJECT, expression="value")
            self.root = value
            return
        parent, last = find(self.root, pointer[:-1]), pointer[-1]
        if type(parent) is dict:
            parent[last] = value
        elif type(parent) is list:
            index = len(parent) if last == "-" else index_of(last)
            if index is None or index > len(parent):
                raise Unprocessable(NOTHING_THERE, pointer=to_text(pointer))
            parent.insert(index, value)
        else:
            raise Unprocessable(NOTHING_THERE, pointer=to_text(pointer))

    def take(self, pointer: Pointer) -> Any:
        """`remove`: what stood there."""
        if not pointer:
            raise Unprocessable(NOT_AN_OBJECT)
        value = find(self.root, pointer)
        parent, last = find(self.root, pointer[:-1]), pointer[-1]
        del parent[last if type(parent) is dict else int(last)]
        return value


def _add(work: _Work, operation: Operation) -> None:
    work.put(operation.path, work.copy(operation.value))


def _remove(work: _Work, operation: Operation) -> None:
    work.take(operation.path)


def _replace(work: _Work, operation: Operation) -> None:
    path, value = operation.path, work.copy(operation.value)
    find(work.root, path)
    parent = find(work.root, path[:-1]) if path else None
    if type(parent) is list:
        parent[int(path[-1])] = value
    else:
        work.put(path, value)


def _move(work: _Work, operation: Operation) -> None:
    from_, path = operation.from_, operation.path
    if from_ == path[: len(from_)] and from_ != path:
        raise Unprocessable(INTO_ITSELF, from_=to_text(from_))
    if from_ == path:
        find(work.root, path)
        return
    work.put(path, work.take(from_))


def _copy(work: _Work, operation: Operation) -> None:
    work.put(operation.path, work.copy(find(work.root, operation.from_)))


def _test(work: _Work, operation: Operation) -> None:
    if not _equal(find(work.root, operation.path), operation.value):
        raise Unprocessable(TEST_FAILED, pointer=to_text(operation.path))


_APPLY: Final[Mapping[str, Callable[[_Work, Operation], None]]] = MappingProxyType(
    {
        "add": _add,
        "remove": _remove,
        "replace": _replace,
        "move": _move,
        "copy": _copy,
        "test": _test,
    }
)


def _equal(left: Any, right: Any, depth: int = 0) -> bool:
    """RFC 6902, 4.6: numbers by value, objects in any order; true is not 1."""
    if depth > MAX_DEPTH:
        raise TooCostly(TOO_LARGE)
    match left, right:
        case dict(), dict():
            return left.keys() == right.keys() and all(
                _equal(value, right[name], depth + 1) for name, value in left.items()
            )
        case list(), list():
            return len(left) == len(right) and all(
                _equal(one, two, depth + 1) for one, two in zip(left, right, strict=True)
            )
        case (bool(), _) | (_, bool()):
            return left is right
        case int() | Decimal(), int() | Decimal():
            return bool(left == right)
        case _:
            return type(left) is type(right) and bool(left == right)
