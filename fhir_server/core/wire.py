"""FHIR JSON, read and written without loss.

A decimal keeps the digits it came with (`1.10`, `1e3`, `-0`), an integer of any length stays
an integer, properties keep their order. What FHIR JSON forbids is refused here and met
nowhere else: a property given twice, a control character, half of a surrogate pair, a number
no double can come near, nesting beyond a limit.

https://hl7.org/fhir/R4/json.html
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, Never

import msgspec

from fhir_server.core.errors import BadValue, Malformed
from fhir_server.core.literals import MAX_LENGTH, TOO_LONG, Literal, integer, number
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject

EMPTY: Final = Text(
    "The body is empty; a JSON object is expected.",
    "Тело запроса пусто; ожидается объект JSON.",
    "Тіло запиту порожнє; очікується об’єкт JSON.",
)
NOT_JSON: Final = Text(
    "The body is not JSON: {reason} (line {line}, column {column}).",
    "Тело запроса не JSON: {reason} (строка {line}, столбец {column}).",
    "Тіло запиту не JSON: {reason} (рядок {line}, стовпець {column}).",
)
NOT_UTF_8: Final = Text(
    "The body is not UTF-8 (line {line}, column {column}).",
    "Тело запроса не в кодировке UTF-8 (строка {line}, столбец {column}).",
    "Тіло запиту не в кодуванні UTF-8 (рядок {line}, стовпець {column}).",
)
BYTE_ORDER_MARK: Final = Text(
    "The body starts with a byte order mark; send UTF-8 without it.",
    "Тело запроса начинается с метки порядка байтов; отправьте UTF-8 без неё.",
    "Тіло запиту починається з позначки порядку байтів; надішліть UTF-8 без неї.",
)
NO_SUCH_NUMBER: Final = Text(
    "`{name}` is not a number in JSON.",
    "`{name}` в JSON не число.",
    "`{name}` у JSON не число.",
)
LONE_SURROGATE: Final = Text(
    "The body holds half of a surrogate pair (`\\ud800` to `\\udfff` without its other half).",
    "В теле запроса половина суррогатной пары (от `\\ud800` до `\\udfff` без второй половины).",
    "У тілі запиту половина сурогатної пари (від `\\ud800` до `\\udfff` без другої половини).",
)
NOT_AN_ARRAY: Final = Text(
    "A JSON array is expected, not {found}.",
    "Ожидается массив JSON, а не {found}.",
    "Очікується масив JSON, а не {found}.",
)
NOT_AN_OBJECT: Final = Text(
    "A JSON object is expected, not {found}.",
    "Ожидается объект JSON, а не {found}.",
    "Очікується об’єкт JSON, а не {found}.",
)
TOO_DEEP: Final = Text(
    "The body is nested deeper than {limit} levels.",
    "Вложенность тела запроса больше {limit} уровней.",
    "Вкладеність тіла запиту більша за {limit} рівнів.",
)
GIVEN_TWICE: Final = Text(
    "The property `{name}` is given twice in one object.",
    "Свойство `{name}` указано в одном объекте дважды.",
    "Властивість `{name}` вказано в одному об’єкті двічі.",
)
CONTROL_CHARACTER: Final = Text(
    "A string holds the control character U+{point:04X}; only tab, line feed and carriage "
    "return are allowed.",
    "Строка содержит управляющий символ U+{point:04X}; допустимы только табуляция, перевод "
    "строки и возврат каретки.",
    "Рядок містить керівний символ U+{point:04X}; дозволено лише табуляцію, переведення "
    "рядка та повернення каретки.",
)

_BOM: Final = b"\xef\xbb\xbf"
_WHITESPACE: Final = b" \t\r\n"
# The writer uses these for control characters alone; an escaped backslash before a letter
# looks like one, and the closer look that follows knows better.
_CONTROL_ESCAPE: Final = re.compile(rb"\\[ubf]")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_SHOWN: Final = 200  # characters of a name in a message
_CONTAINERS: Final = frozenset((dict, list))

# An integer of 288 digits or more covers six of these samples in a row, wherever it starts;
# looking at every 48th byte costs a fiftieth of looking at all.
_STRIDE: Final = 48
_LONG_INTEGER: Final = re.compile(rb"[0-9]{6}")


def _verbatim(value: object) -> msgspec.Raw:
    if isinstance(value, Literal):
        return msgspec.Raw(value.text.encode())
    raise TypeError(type(value).__name__)


_decode: Final = msgspec.json.Decoder[Any](float_hook=number).decode
_encode: Final = msgspec.json.Encoder(enc_hook=_verbatim, decimal_format="number").encode


def loads(data: bytes, *, max_depth: int) -> JsonObject:
    """Read one JSON object; `max_depth` counts nested objects and arrays.

    Raises:
        Malformed: not UTF-8, not JSON, not an object, too deep, a property given twice.
        BadValue: a number or a string is outside what FHIR allows.
    """
    found = _read(data, max_depth)
    if type(found) is not dict:
        raise Malformed(NOT_AN_OBJECT, found=_TYPE_NAMES[type(found)])
    return found


def loads_array(data: bytes, *, max_depth: int) -> list[Any]:
    """Read one JSON array, such as a JSON Patch; raises as `loads` does."""
    found = _read(data, max_depth)
    if type(found) is not list:
        raise Malformed(NOT_AN_ARRAY, found=_TYPE_NAMES[type(found)])
    return found


def _read(data: bytes, max_depth: int) -> Any:
    try:
        return _checked(data, max_depth)
    except RecursionError:
        raise Malformed(TOO_DEEP, limit=max_depth) from None


def _checked(data: bytes, max_depth: int) -> Any:
    try:
        found = _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        _refuse(data, error)
    text = _encode(found)
    if text.count(b"{") + text.count(b"[") > max_depth:
        check_depth(found, max_depth)
    if _CONTROL_ESCAPE.search(text):
        _refuse_control_characters(found)
    return found if _is_faithful(data, text) else _read_exactly(data)


def dumps(resource: JsonObject) -> bytes:
    """Write `resource` compactly, its keys in their order, its decimals in their digits."""
    return _encode(resource)


def pretty(resource: JsonObject) -> bytes:
    """Write `resource` for people: indented by two blanks."""
    return indented(_encode(resource))


def indented(data: bytes) -> bytes:
    """Lay out JSON text for people, its values unchanged."""
    return msgspec.json.format(data, indent=2)


def _is_faithful(data: bytes, text: bytes) -> bool:
    """Whether `text`, the value read and written again, is `data` but for whitespace.

    Then nothing was lost: blanks left out, both are the same tokens, so no property was
    there twice and no `-0` became `0`. False says only that one has to look closer.
    """
    # Measured on 2 to 270 KB: this costs as much as the reading, a look at each property in
    # Python three to four times as much; nearly every client writes what passes here.
    same = data == text or _stripped(data) == _stripped(text)
    return same and not _LONG_INTEGER.search(text[::_STRIDE])


def _stripped(data: bytes) -> bytes:
    return data.translate(None, _WHITESPACE)


def _read_exactly(data: bytes) -> Any:
    """Read text known to be JSON, looking at every property and number: four times slower."""
    return json.loads(
        data, object_pairs_hook=_properties, parse_float=number, parse_int=integer
    )


def _properties(pairs: list[tuple[str, Any]]) -> JsonObject:
    found = dict(pairs)
    if len(found) != len(pairs):
        counted = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counted.items() if count > 1)
        raise Malformed(GIVEN_TWICE, name=twice[:_SHOWN])
    return found


def check_depth(value: Any, limit: int) -> None:
    """Raise Malformed where objects and arrays nest deeper than `limit`."""
    level: list[Any] = [value] if type(value) in _CONTAINERS else []
    for _ in range(limit):
        level = [
            value
            for node in level
            for value in (node.values() if type(node) is dict else node)
            if type(value) in _CONTAINERS
        ]
        if not level:
            return
    raise Malformed(TOO_DEEP, limit=limit)


def _refuse_control_characters(found: Any) -> None:
    root = str(found.get("resourceType", "")) if type(found) is dict else ""
    for path, text in _strings(found, root):
        control = _CONTROL.search(text)
        if control:
            # The path may hold the character itself, in a property's name.
            where = _CONTROL.sub("", path)
            raise BadValue(CONTROL_CHARACTER, expression=where, point=ord(control[0]))


def _strings(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Every string below `value`, property names included, with its FHIRPath."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _strings(each, f"{path}[{index}]")
    elif isinstance(value, dict):
        for name, each in value.items():
            below = f"{path}.{name}" if path else name
            yield below, name
            yield from _strings(each, below)


_TYPE_NAMES: Final = {
    dict: "an object",
    list: "an array",
    str: "a string",
    int: "a number",
    Decimal: "a number",
    Literal: "a number",
    bool: "a boolean",
    type(None): "null",
}


def _refuse(data: bytes, error: Exception) -> Never:
    """Say what is wrong with text the reader refused, and where."""
    if not data.strip(_WHITESPACE):
        raise Malformed(EMPTY) from None
    if data.startswith(_BOM):
        raise Malformed(BYTE_ORDER_MARK) from None
    if isinstance(error, msgspec.ValidationError):
        raise BadValue(TOO_LONG, limit=MAX_LENGTH) from None
    try:
        text = data.decode()
    except UnicodeDecodeError as bad:
        line, column = position(data, bad.start)
        raise Malformed(NOT_UTF_8, line=line, column=column) from None
    _refuse_text(text)


def _refuse_text(text: str) -> Never:
    # The standard reader is slower and names the place better.
    try:
        json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse_constant)
    except json.JSONDecodeError as bad:
        raise Malformed(NOT_JSON, reason=bad.msg, line=bad.lineno, column=bad.colno) from None
    # What it lets through, and the strict reader does not, is one thing.
    raise Malformed(LONE_SURROGATE) from None


def _refuse_constant(name: str) -> Never:
    raise BadValue(NO_SUCH_NUMBER, name=name) from None


def position(data: bytes, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of byte `offset`; a column counts characters."""
    before = data[:offset]
    start = before.rfind(b"\n") + 1
    return before.count(b"\n") + 1, len(before[start:].decode(errors="replace")) + 1
