"""Nodes that lead to other types, replaced by the ids or references they lead to.

Each stage carries the Restriction of its own type: a chain never tells of a resource that
the caller may not see.

https://hl7.org/fhir/R4/search.html#chaining
https://hl7.org/fhir/R4/search.html#has
"""

from collections.abc import Sequence, Sized
from dataclasses import dataclass, field
from typing import Final, Protocol

from fhir_server.core.errors import TooCostly
from fhir_server.core.messages import Text
from fhir_server.search import keys
from fhir_server.search.canonicals import IDENTITY, called, name_of, names, naming
from fhir_server.search.plan import (
    And,
    Chain,
    Everything,
    Has,
    Ids,
    Keys,
    Listed,
    Node,
    Not,
    Nothing,
    Or,
    Restriction,
)
from fhir_server.store.mongo.translate import Filter, to_filter

TOO_MANY: Final = Text(
    "A chain or `_has` over {type} meets more than {most} resources. Narrow its criteria.",
    "Цепочка или `_has` через {type} даёт больше {most} ресурсов. Уточните её условия.",
    "Ланцюжок або `_has` через {type} дає понад {most} ресурсів. Уточніть його умови.",
)
TOO_DEEP: Final = Text(
    "A chain leads through more than {most} types.",
    "Цепочка ведёт более чем через {most} типов.",
    "Ланцюжок веде більш ніж через {most} типів.",
)

_MAX_DEPTH: Final = 12
"""Twice the links a search may ask for: a Restriction may add chains of its own."""
_MAX_NAMES: Final = 500
"""Canonicals that one link may go through; each is a clause of its own."""


class Lookup(Protocol):
    """The questions a stage asks."""

    async def ids(self, kind: str, where: Filter, limit: int) -> Sequence[str]:
        """The ids of up to `limit` live resources."""

    async def referenced(
        self, kind: str, where: Filter, prefix: str, limit: int
    ) -> Sequence[str]:
        """Up to `limit` different reference keys with `prefix` of live resources."""

    async def named(
        self, kind: str, where: Filter, prefixes: tuple[str, ...], limit: int
    ) -> Sequence[Sequence[str]]:
        """The uri and token keys with one of `prefixes` of up to `limit` live resources."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """Resolves the nodes of one search, for one caller."""

    lookup: Lookup
    within: Restriction
    ceiling: int
    among: Filter = field(default_factory=dict)
    """What the live resources are known to be, links apart, of which some are asked for."""
    depth: int = 0

    async def resolve(self, node: Node, kind: str) -> Node:
        """`node`, a predicate on `kind`, without Chain, Has and Listed.

        Raises:
            TooCostly: a stage meets more than the ceiling.
        """
        if not leads_elsewhere(node):
            return node
        match node:
            case Chain(by="url"):
                return await self._chain_by_url(node)
            case Has(by="url"):
                return await self._naming(node)
            case Chain(param, target, of):
                if isinstance(of, Everything):
                    of = await self._referred(kind, param, target)
                return await self._chain(param, target, of)
            case Has(source, param, of):
                return await self._referring(source, f"{param}|{kind}/", of)
            case Listed(list_id):
                return await self._referring("List", f"item|{kind}/", Ids((list_id,)))
            case Not(of):
                return Not(await self.resolve(of, kind))
            case And(of):
                return And(tuple([await self.resolve(each, kind) for each in of]))
            case Or(of):
                return Or(tuple([await self.resolve(each, kind) for each in of]))
            case _:
                return node

    async def _chain(self, param: str, target: str, of: Node) -> Node:
        where = await self._stage(target, of)
        found = await self.lookup.ids(target, where, self.ceiling + 1)
        self._check(found, target)
        wanted = tuple(keys.reference(param, f"{target}/{id_}") for id_ in found)
        return Keys("references", wanted) if wanted else Nothing()

    async def _referred(self, kind: str, param: str, target: str) -> Node:
        """Those that `param` of what is asked for refers to: where everything would do, all
        resources of `target` would have to be looked at otherwise."""
        prefix = keys.reference(param, f"{target}/")
        found = await self.lookup.referenced(kind, self.among, prefix, self.ceiling + 1)
        self._check(found, target)
        return Ids(tuple(key[len(prefix) :] for key in found)) if found else Nothing()

    async def _referring(self, source: str, prefix: str, of: Node) -> Node:
        where = await self._stage(source, of)
        found = await self.lookup.referenced(source, where, prefix, self.ceiling + 1)
        self._check(found, source)
        return Ids(tuple(key[len(prefix) :] for key in found)) if found else Nothing()

    async def _chain_by_url(self, node: Chain) -> Node:
        where = await self._stage(node.type, node.of)
        rows = await self.lookup.named(node.type, where, IDENTITY, self.ceiling + 1)
        self._check(rows, node.type)
        found = {name for row in rows if (name := name_of(row))}
        self._check(found, node.type, _MAX_NAMES)
        return naming(node.param, found)

    async def _naming(self, node: Has) -> Node:
        where = await self._stage(node.type, node.of)
        prefix = keys.uri(node.param, "")
        rows = await self.lookup.named(node.type, where, (prefix,), self.ceiling + 1)
        self._check(rows, node.type)
        found = {name for row in rows for name in names(row, node.param)}
        self._check(found, node.type, _MAX_NAMES)
        return called(found)

    async def _stage(self, kind: str, of: Node) -> Filter:
        if self.depth >= _MAX_DEPTH:
            raise TooCostly(TOO_DEEP, most=_MAX_DEPTH)
        deeper = Resolver(self.lookup, self.within, self.ceiling, {}, self.depth + 1)
        visible = And((of, self.within.of(kind)))
        return to_filter(await deeper.resolve(visible, kind))

    def _check(self, found: Sized, kind: str, most: int | None = None) -> None:
        most = self.ceiling if most is None else most
        if len(found) > most:
            raise TooCostly(TOO_MANY, type=kind, most=most)


def leads_elsewhere(node: Node) -> bool:
    """Whether `node` asks for resources of another type."""
    match node:
        case Chain() | Has() | Listed():
            return True
        case Not(of):
            return leads_elsewhere(of)
        case And(of) | Or(of):
            return any(map(leads_elsewhere, of))
        case _:
            return False
