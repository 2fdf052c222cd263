"""What matches refer to, and what refers to them, in bounded rounds.

https://hl7.org/fhir/R4/search.html#include
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from fhir_server.core.errors import Issue, TooCostly
from fhir_server.core.messages import Text
from fhir_server.interactions.context import Context
from fhir_server.search.include import Include, Row, backward, forward, wanted_references
from fhir_server.search.nodes import union
from fhir_server.search.plan import Node, Search
from fhir_server.search.registry import ANY
from fhir_server.spec.interactions import ScopeLetter
from fhir_server.store.port import Stored

CUT: Final = Text(
    "Only {limit} included resources are given; more are related to these results.",
    "Присоединено ресурсов: {limit}; с результатами связаны и другие.",
    "Долучено ресурсів: {limit}; з результатами пов'язані й інші.",
)


@dataclass(slots=True)
class Included:
    """Resources beside the matches, each once."""

    rows: list[Stored] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)


async def included(
    ctx: Context, includes: Sequence[Include], matches: Sequence[Stored]
) -> Included:
    """What `includes` add to `matches`: a round for the matches; then, for those that
    iterate, rounds for what the round before has found."""
    found = Included()
    seen = {(row.type, row.id) for row in matches}
    fresh: Sequence[Stored] = matches
    repeated = [each for each in includes if each.iterate]
    for turn in range(ctx.services.compiler.scope.limits.rounds):
        asked = repeated if turn else includes
        if not asked or not fresh or found.issues:
            break
        wanted = await _wanted(ctx, asked, fresh, seen)
        fresh = await _round(ctx, wanted, repeated, seen, found)
    return found


Wanted = Mapping[tuple[str, ScopeLetter], Node]
"""By type and letter: following a reference is a read, looking for referrers a search."""


async def _wanted(
    ctx: Context, includes: Sequence[Include], rows: Sequence[Row], seen: set[tuple[str, str]]
) -> Wanted:
    registry = ctx.services.registry
    found: dict[tuple[str, ScopeLetter], list[Node]] = {}
    for include in includes:
        if include.reverse:
            every = include.source == ANY
            kinds = await ctx.services.store.kinds() if every else ()
            nodes = backward(registry, include, rows, kinds)
        else:
            nodes = forward(registry, include, rows, seen)
        letter: ScopeLetter = "s" if include.reverse else "r"
        for kind, node in nodes.items():
            found.setdefault((kind, letter), []).append(node)
    return {key: union(nodes) for key, nodes in found.items()}


async def _round(
    ctx: Context,
    wanted: Wanted,
    repeated: Sequence[Include],
    seen: set[tuple[str, str]],
    found: Included,
) -> list[Stored]:
    """Search what is `wanted`; the new rows go into `found`, their names into `seen`."""
    limit = ctx.services.limits.included
    fresh: list[Stored] = []
    for (kind, letter), where in wanted.items():
        if not (ctx.rights.allows(letter, kind) and ctx.services.offer.serves(kind)):
            continue
        references = wanted_references(ctx.services.registry, kind, repeated)
        left = limit - len(found.rows)
        # Rows that are seen already may fill a page, so it has room for them.
        plan = Search(kind, where, (), left + len(seen) + 1, references=references)
        page = await ctx.reads.search(plan, within=ctx.rights.of(letter))
        new = [row for row in page.rows if (row.type, row.id) not in seen]
        if len(new) > left or page.more:
            found.issues.append(Issue(TooCostly.code, CUT, {"limit": limit}))
        fresh += new[:left]
        found.rows += new[:left]
        seen.update((row.type, row.id) for row in new[:left])
        if found.issues:
            break
    return fresh
