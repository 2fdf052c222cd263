"""And, or and not of plan nodes, with what is always or never true taken out.

Rules of Consents hold for everything or for nothing more often than not; a predicate that
says so plainly costs the database nothing.
"""

from collections.abc import Iterable

from fhir_server.search.nodes import intersection, union
from fhir_server.search.plan import Everything, Node, Not, Nothing


def either(*nodes: Node) -> Node:
    """Any of `nodes`; without any: Nothing."""
    return Everything() if Everything() in nodes else union(nodes)


def every(*nodes: Node) -> Node:
    """All of `nodes`; without any: Everything."""
    return Nothing() if Nothing() in nodes else intersection(nodes)


def any_of(nodes: Iterable[Node]) -> Node:
    """`either`, of as many as there are."""
    return either(*nodes)


def without(node: Node) -> Node:
    """What `node` is not true of."""
    match node:
        case Everything():
            return Nothing()
        case Nothing():
            return Everything()
        case Not(of):
            return of
        case _:
            return Not(node)
