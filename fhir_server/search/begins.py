"""What a comparison of an instant says of the chief date, by which an index sorts.

A page of a calendar from now on, in the order of time, is then a walk that starts where it
should: without it, it would pass everything that lies in the past.

https://hl7.org/fhir/R4/search.html#date
"""

from collections.abc import Iterable, Mapping
from math import inf
from typing import Final

from fhir_server.search.nodes import intersection
from fhir_server.search.plan import And, Begins, Compare, Node, Range
from fhir_server.search.values import Interval

INSTANTS: Final[Mapping[str, str]] = {"Slot": "start"}
"""Type → its chief date, an element of type instant."""

_SECOND: Final = 1000  # milliseconds; the least precise instant


def begun(kind: str, node: Node) -> Node:
    """`node`, with what its comparisons say of when a `kind` begins."""
    code = INSTANTS.get(kind)
    if code is None:
        return node
    found = [
        each
        for part in (node.of if isinstance(node, And) else (node,))
        if isinstance(part, Range) and (part.field, part.key) == ("dates", code)
        for each in [_begins(part)]
        if each != Begins(-inf, inf)
    ]
    return intersection((node, *found)) if found else node


def between(lo: float, hi: float) -> Node:
    """The chief date begins in [`lo`, `hi`), whole milliseconds."""
    return Begins(lo, hi - 1)


def _begins(node: Range) -> Begins:
    arms = [_of_arm(arm, node.value) for arm in node.arms]
    return Begins(min(lo for lo, _ in arms), max(hi for _, hi in arms))


def _of_arm(arm: Iterable[Compare], value: Interval) -> tuple[float, float]:
    lo, hi = -inf, inf
    for each in arm:
        limit: float = getattr(value, each.right)
        if each.op in ("<", "<="):
            hi = min(hi, limit)
        else:
            lo = max(lo, limit if each.left == "lo" else limit - _SECOND)
    return lo, hi
