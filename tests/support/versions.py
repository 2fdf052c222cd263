"""Versions to be stored, and the Restriction that hides some: what store tests are made of."""

from typing import Any, Literal

from fhir_server.search.plan import Everything, Keys, Node, Not, Restriction
from fhir_server.search.values import IndexValues
from fhir_server.store.port import Stored, Version

SECRET = "_security|~|R"
OPEN = Restriction(otherwise=Not(Keys("tokens", (SECRET,))))
"""Everything but what carries the label SECRET."""


def only(kind: str, node: Node) -> Restriction:
    """`node` on `kind`, everything of the other types."""
    return Restriction({kind: node}, otherwise=Everything())


def version(
    id_: str,
    number: int = 1,
    *,
    kind: str = "Patient",
    at: int = 1_000,
    method: Literal["POST", "PUT", "PATCH"] = "POST",
    body: bytes | None = None,
    **values: Any,
) -> Version:
    """Version `number` of `kind`/`id_`, with index values by field name."""
    text = f'{{"resourceType":"{kind}","id":"{id_}","v":{number}}}'
    written = text.encode() if body is None else body
    return Version(kind, id_, number, at, written, IndexValues(**values), method)


def names(rows: Any) -> list[tuple[str, int]]:
    """(id, number) of each row."""
    found: list[Stored] = list(rows)
    return [(row.id, row.number) for row in found]


def ids(rows: Any) -> list[str]:
    """The id of each row."""
    found: list[Stored] = list(rows)
    return [row.id for row in found]
