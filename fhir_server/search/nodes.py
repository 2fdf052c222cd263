"""Small algebra of plan nodes: unions without repetition, and what "has a value" means.

https://hl7.org/fhir/R4/search.html#combining
"""

from collections.abc import Iterable

from fhir_server.search.plan import (
    And,
    Everything,
    Ids,
    Keys,
    Node,
    Nothing,
    Or,
    Present,
    ValueField,
)
from fhir_server.spec.search_parameters import SearchType


def union(nodes: Iterable[Node]) -> Node:
    """Any of `nodes`; keys of one field and ids become one lookup."""
    keys: dict[ValueField, dict[str, None]] = {}
    ids: dict[str, None] = {}
    others: dict[Node, None] = {}
    for node in _flat(nodes):
        match node:
            case Keys():
                keys.setdefault(node.field, {}).update(dict.fromkeys(node.keys))
            case Ids():
                ids.update(dict.fromkeys(node.ids))
            case Nothing():
                pass
            case _:
                others[node] = None
    found = [Keys(name, tuple(each)) for name, each in keys.items()]
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


def present(kind: SearchType, code: str) -> Node:
    """A resource has a value for the parameter `code` of this search type."""
    lead = f"{code}|"
    match kind:
        case "token":
            texts = Present("strings", f"{code}:text|")  # a concept of text alone is a value
            return Or((Present("tokens", lead), texts))
        case "string":
            return Present("strings", lead)
        case "reference":
            identified = Present("tokens", f"{code}:identifier|")
            return Or((Present("references", lead), Present("uris", lead), identified))
        case "uri":
            return Present("uris", lead)
        case "date":
            return Present("dates", code)
        case "number" | "quantity":
            return Present("quantities", f"{code}|")
        case "composite" | "special":
            return Present("combined", code)
