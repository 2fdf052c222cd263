"""The search criteria in the entries of a transaction: all claimed at once, answered together.

They are answered before the first write, so that they speak of the state that was there
before the transaction.

https://hl7.org/fhir/R4/http.html#trules
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from fhir_server.core.errors import Invalid
from fhir_server.interactions.commands import Pairs
from fhir_server.interactions.conditions import claim_key, compiled
from fhir_server.interactions.context import Context
from fhir_server.interactions.doors import parse_query
from fhir_server.interactions.transaction.bounds import breath
from fhir_server.interactions.transaction.entries import Entry
from fhir_server.interactions.transaction.places import at
from fhir_server.search.plan import Node
from fhir_server.store.port import Stored, Unit

Answer = Sequence[Stored] | Invalid
"""What criteria find, or why that cannot be said."""

_BY_SEARCH: Final = frozenset({"conditional-update", "conditional-patch", "conditional-delete"})


@dataclass(frozen=True, slots=True)
class Criteria:
    """The condition of one entry."""

    entry: Entry
    kind: str
    key: str
    """Of its claim."""
    where: Node

    @property
    def is_many(self) -> bool:
        """Whether it may find many: a conditional delete removes them all."""
        return self.entry.code == "conditional-delete"


async def criteria(ctx: Context, entries: Iterable[Entry]) -> list[Criteria]:
    """The conditions of `entries`, in the order in which every unit claims them: bundles
    that name the same ones in opposite orders would each wait for what the other holds.

    Raises:
        FhirError: one cannot be read; with its place.
    """
    found: list[Criteria] = []
    for place, entry in enumerate(entries):
        with at(f"{entry.path}.request"):
            pairs = _pairs(entry)
            if pairs is not None:
                kind = entry.asked.target.type or ""
                where = compiled(ctx, kind, pairs)
                found.append(Criteria(entry, kind, claim_key(kind, pairs), where))
        await breath(place)
    return sorted(found, key=lambda each: each.key)


def _pairs(entry: Entry) -> Pairs | None:
    if entry.code in _BY_SEARCH:
        return entry.asked.pairs
    if entry.code == "create" and entry.asked.if_none_exist is not None:
        return parse_query(entry.asked.if_none_exist.removeprefix("?"))
    return None


async def answers(
    ctx: Context, unit: Unit, asked: Sequence[Criteria]
) -> list[tuple[Criteria, Answer]]:
    """What each of `asked` finds, in their order."""
    await unit.claim(*[each.key for each in asked if not each.is_many])
    alike: dict[tuple[str, bool], list[Criteria]] = defaultdict(list)
    for each in asked:
        alike[each.kind, each.is_many].append(each)
    found: dict[int, Answer] = {}
    for (kind, is_many), group in alike.items():
        limit = ctx.services.limits.conditional_delete + 1 if is_many else 2
        wheres = [each.where for each in group]
        rows = await matches(ctx, unit, kind, wheres, limit=limit)
        found |= zip((each.entry.index for each in group), rows, strict=True)
    return [(each, found[each.entry.index]) for each in asked]


async def matches(
    ctx: Context, unit: Unit, kind: str, wheres: Sequence[Node], *, limit: int
) -> list[Answer]:
    """Up to `limit` of what each of `wheres` finds."""
    try:
        return [*await unit.find_each(kind, wheres, limit=limit, within=ctx.rights.search)]
    except Invalid as error:
        if len(wheres) == 1:
            return [error]
    # One of them is too costly: each by itself tells which.
    return [
        answer
        for where in wheres
        for answer in await matches(ctx, unit, kind, (where,), limit=limit)
    ]
