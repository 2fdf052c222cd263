"""Small algebra of plan nodes: unions without repetition, and what "has a value" means.

https://hl7.org/fhir/R4/search.html#combining
"""

from collections.abc import Iterable, Iterator
from typing import Final

from fhir_server.core.errors import NotSupported
from fhir_server.core.messages import Text
from fhir_server.search import keys
from fhir_server.search.plan import (
    And,
    Chain,
    Everything,
    Has,
    Ids,
    Keys,
    Node,
    Not,
    Nothing,
    Or,
    Present,
    ValueField,
)
from fhir_server.spec.search_parameters import SearchParameter, SearchType

UNSUPPORTED: Final = Text(
    "`{code}` is not supported by this server.",
    "Этот сервер не поддерживает `{code}`.",
    "Цей сервер не підтримує `{code}`.",
)


def union(nodes: Iterable[Node]) -> Node:
    """Any of `nodes`; keys of one field and ids become one lookup."""
    by_field: dict[ValueField, dict[str, None]] = {}
    ids: dict[str, None] = {}
    others: dict[Node, None] = {}
    for node in _flat(nodes):
        match node:
            case Keys():
                by_field.setdefault(node.field, {}).update(dict.fromkeys(node.keys))
            case Ids():
                ids.update(dict.fromkeys(node.ids))
            case Nothing():
                pass
            case _:
                others[node] = None
    found = [Keys(name, tuple(each)) for name, each in by_field.items()]
    every = (*found, *((Ids(tuple(ids)),) if ids else ()), *others)
    if not every:
        return Nothing()
    return every[0] if len(every) == 1 else Or(every)


def _flat(nodes: Iterable[Node]) -> Iterable[Node]:
    for node in nodes:
        if isinstance(node, Or):
            yield from _flat(node.of)
        else:
            yield node


def intersection(nodes: Iterable[Node]) -> Node:
    """All of `nodes`, in their order."""
    found: dict[Node, None] = {}
    for node in nodes:
        if isinstance(node, And):
            found.update(dict.fromkeys(node.of))
        elif not isinstance(node, Everything):
            found[node] = None
    if not found:
        return Everything()
    every = tuple(found)
    return every[0] if len(every) == 1 else And(every)


def parts(node: Node) -> Iterator[Node]:
    """`node` and everything under it."""
    yield node
    match node:
        case And(of) | Or(of):
            for each in of:
                yield from parts(each)
        case Not(of) | Chain(of=of) | Has(of=of):
            yield from parts(of)
        case _:
            pass


def presence(parameter: SearchParameter) -> Node:
    """A resource has a value for `parameter`.

    Raises:
        NotSupported: the index does not tell.
    """
    if parameter.code in ("_id", "_lastUpdated"):
        return Everything()
    if parameter.expression is None or parameter.type == "special":
        raise NotSupported(UNSUPPORTED, code=f"{parameter.code}:missing")
    return _present(parameter.type, parameter.code)


def _present(kind: SearchType, code: str) -> Node:
    lead = keys.folded(code, "")
    match kind:
        case "token":
            texts = Present(
                "strings", keys.folded(f"{code}:text", "")
            )  # a concept of text alone is a value
            return Or((Present("tokens", lead), texts))
        case "string":
            return Present("strings", lead)
        case "reference":
            identified = Present("tokens", keys.folded(f"{code}:identifier", ""))
            return Or((Present("references", lead), Present("uris", lead), identified))
        case "uri":
            return Present("uris", lead)
        case "date":
            return Present("dates", code)
        case "number" | "quantity":
            return Present("quantities", code)
        case "composite" | "special":
            return Present("combined", code)
