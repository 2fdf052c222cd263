"""Which of many documents answer which of many predicates: one question in place of many.

Only predicates of which a document tells by the values that it holds; for the rest one has
to ask the database. What counts as a value is what `translate` looks for.

https://hl7.org/fhir/R4/http.html#ccreate
"""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from fhir_server.search.plan import (
    And,
    Compare,
    Ids,
    Keys,
    Node,
    Op,
    Or,
    Patient,
    Range,
    ValueField,
)
from fhir_server.store.mongo.documents import WIDE
from fhir_server.store.mongo.leads import token_lead

_PATHS: Final[Mapping[ValueField, str]] = {"references": "ref", "uris": "uri"}
_OPERATORS: Final[Mapping[Op, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

Value = tuple[str, str]
"""A field of a document and one of its values."""


def is_told_by_values(node: Node) -> bool:
    """Whether `Allotment` can tell who answers `node`."""
    match node:
        case Keys(field, _):
            return field == "tokens" or field in _PATHS
        case Ids() | Patient():
            return True
        case Range(field, _, _, _):
            return field == "dates"
        case And(of) | Or(of):
            return bool(of) and all(map(is_told_by_values, of))
        case _:
            return False


def weight(node: Node) -> int:
    """How many values `node` asks for."""
    return sum(1 for _ in _values(node))


class Allotment:
    """The documents `rows`, by the values that `nodes` ask for."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], nodes: Iterable[Node]) -> None:
        self._rows = rows
        wanted = {value for node in nodes for value in _values(node)}
        fields = sorted({field for field, _ in wanted})
        self._holders: dict[Value, set[int]] = {}
        for place, row in enumerate(rows):
            for field in fields:
                held = row.get(field, ())
                for value in (held,) if isinstance(held, str) else held:
                    if (field, value) in wanted:
                        self._holders.setdefault((field, value), set()).add(place)

    def of(self, node: Node) -> list[int]:
        """The places among the rows of those that answer `node`, in order."""
        return sorted(self._of(node))

    def _of(self, node: Node) -> set[int]:
        match node:
            case And(of):
                # Intervals are compared one by one, and so last.
                first, *rest = sorted(of, key=lambda each: isinstance(each, Range))
                found = self._of(first)
                for each in rest:
                    if isinstance(each, Range):
                        found = {place for place in found if self._is_within(place, each)}
                    else:
                        found &= self._of(each)
                return found
            case Or(of):
                return set().union(*map(self._of, of))
            case Range():
                return {
                    place for place in range(len(self._rows)) if self._is_within(place, node)
                }
            case _:
                held = (self._holders.get(value, ()) for value in _values(node))
                return set().union(*held)

    def _is_within(self, place: int, node: Range) -> bool:
        named = (node.key, WIDE + node.key)
        return any(
            each["k"] in named and any(_meets(each, arm, node) for arm in node.arms)
            for each in self._rows[place].get("date", ())
        )


def _meets(interval: Mapping[str, Any], arm: Sequence[Compare], node: Range) -> bool:
    return all(
        _OPERATORS[each.op](interval[each.left], getattr(node.value, each.right))
        for each in arm
    )


def _values(node: Node) -> Iterable[Value]:
    match node:
        case Keys("tokens", wanted):
            return (("tok" if token_lead(key) == key else "tokx", key) for key in wanted)
        case Keys(field, wanted):
            return ((_PATHS[field], key) for key in wanted)
        case Ids(ids):
            return (("_id", id_) for id_ in ids)
        case Patient(id_):
            return (("pt", id_),)
        case Range():
            return ()
        case And(of) | Or(of):
            return (value for each in of for value in _values(each))
        case _:
            raise TypeError(node)
