"""Composite values: parts joined by `$` that must hold on one occurrence together.

https://hl7.org/fhir/R4/search.html#composite
"""

from dataclasses import replace
from typing import Final

from fhir_server.core.errors import BadValue, NotSupported
from fhir_server.core.messages import Text
from fhir_server.search import keys
from fhir_server.search.escapes import split
from fhir_server.search.plan import (
    Containing,
    Keys,
    Node,
    Nothing,
    Or,
    Prefix,
    Range,
    Together,
)
from fhir_server.search.scope import Parse

WRONG_PARTS: Final = Text(
    "`{value}` has {count} parts joined by $; `{code}` takes {expected}.",
    "В `{value}` частей, соединённых $: {count}; `{code}` ждёт {expected}.",
    "У `{value}` частин, з'єднаних $: {count}; `{code}` очікує {expected}.",
)
NOT_IN_COMPOSITE: Final = Text(
    "A part of this value cannot be used within `{code}`.",
    "Часть этого значения нельзя использовать в `{code}`.",
    "Частину цього значення не можна використати в `{code}`.",
)

_SHOWN: Final = 64  # characters of a refused value that its message repeats


def composite(code: str, parsers: tuple[Parse, ...], text: str) -> Node:
    """One occurrence that satisfies every part of `text`, in the definition's order.

    Raises:
        BadValue: it has too few or too many parts, or one is unusable.
        NotSupported: a part is a search of its own.
    """
    parts = split(text, "$")
    if len(parts) != len(parsers):
        raise BadValue(
            WRONG_PARTS,
            value=text[:_SHOWN],
            count=len(parts),
            code=code,
            expected=len(parsers),
        )
    found = [parse(part) for parse, part in zip(parsers, parts, strict=True)]
    if any(isinstance(node, Nothing) for node in found):
        return Nothing()
    return Together(code, tuple(_numbered(code, n, node) for n, node in enumerate(found)))


def _numbered(code: str, number: int, node: Node) -> Node:
    """`node` over the keys of the part `number` of `code`.

    Raises:
        NotSupported: it asks for more than keys and ranges.
    """
    match node:
        case Keys():
            return replace(node, keys=tuple(keys.part(number, key) for key in node.keys))
        case Prefix() | Containing():
            return replace(node, prefix=keys.part(number, node.prefix))
        case Range():
            return replace(node, key=keys.part(number, node.key))
        case Or():
            return Or(tuple(_numbered(code, number, each) for each in node.of))
        case _:
            raise NotSupported(NOT_IN_COMPOSITE, code=code)
