"""Guards stand on the write, not on the route (design law 3).

Whatever door a write comes through, it asks here, in its unit of work, before it writes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fhir_server.core.types import JsonObject
from fhir_server.interactions.context import Context, Guard, Intent
from fhir_server.interactions.said import Said
from fhir_server.store.port import Stored, Unit


def together(*tables: Mapping[str, Sequence[Guard]]) -> Mapping[str, Sequence[Guard]]:
    """All guards of all tables, a type's in this order."""
    kinds = dict.fromkeys(kind for each in tables for kind in each)
    return {kind: [guard for each in tables for guard in each.get(kind, ())] for kind in kinds}


@dataclass(frozen=True, slots=True)
class GuardOfSome:
    """A guard that binds some callers. Others write its types as if they had no guard: many at
    once, and without a unit.
    """

    guard: Guard
    binds: Callable[[Context], bool]

    async def __call__(self, ctx: Context, intent: Intent) -> Said | None:
        """What `guard` says to whom it binds."""
        return await self.guard(ctx, intent) if self.binds(ctx) else None


def is_guarded(ctx: Context, kind: str) -> bool:
    """Whether this caller's writes of `kind` need a unit, for their guards to read in."""
    return any(
        not isinstance(each, GuardOfSome) or each.binds(ctx)
        for each in ctx.services.guards.get(kind, ())
    )


def written_with(ctx: Context, kinds: Iterable[str]) -> set[str]:
    """`kinds`, and what the guards of their writes may write besides."""
    found = set(kinds)
    for kind in tuple(found):
        found |= ctx.services.guards_write.get(kind, frozenset())
    return found


async def ask(
    ctx: Context,
    unit: Unit,
    kind: str,
    id_: str,
    *,
    before: Stored | None,
    after: JsonObject | None,
) -> Said:
    """Let every guard of `kind` look at the write; what they have the server say in it.

    Raises:
        FhirError: one forbids it.
    """
    said = Said()
    guards = ctx.services.guards.get(kind)
    if guards:
        live = None if before is None or before.deleted else before
        intent = Intent(kind, id_, live, after)
        inside = ctx if ctx.unit is unit else ctx.inside(unit)
        for guard in guards:
            said |= await guard(inside, intent) or Said()
    return said
