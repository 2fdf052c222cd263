"""The matches of a search: one page of them, over one type or several.

https://hl7.org/fhir/R4/search.html#count
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fhir_server.interactions.context import Context
from fhir_server.search.compile import CompiledSearch
from fhir_server.search.cursor import Place
from fhir_server.search.include import wanted_references
from fhir_server.search.merge import first_rows, start
from fhir_server.search.plan import After, Node, Search, SortKey, Total
from fhir_server.store.port import Page, Stored


@dataclass(frozen=True, slots=True)
class Matches:
    """Rows in the order of the sort."""

    rows: Sequence[Stored] = ()
    more: bool = False
    """Rows follow in the direction asked."""
    total: int | None = None


async def matches(ctx: Context, compiled: CompiledSearch, place: Place | None) -> Matches:
    """The rows behind `place` (before it, where it says backward); None: the first.

    Raises:
        TooCostly: a chain meets too many resources.
    """
    if len(compiled.where) == 1:
        ((kind, where),), (sort,) = compiled.where, compiled.sort
        after = None if place is None else place.after
        total = compiled.request.total or "none"
        page = await _page(ctx, compiled, (kind, where, sort), after, total)
        return Matches(page.rows, page.more, page.total)
    branches = await _branches(ctx, compiled)
    is_sorted = any(sort for _, _, sort in branches)
    rows, more = await (_merged if is_sorted else _in_turn)(ctx, compiled, branches, place)
    wants_total = compiled.request.total in ("accurate", "estimate")
    return Matches(rows, more, await count(ctx, compiled) if wants_total else None)


async def count(ctx: Context, compiled: CompiledSearch) -> int:
    """How many resources match."""
    found = 0
    for kind, where, _ in await _branches(ctx, compiled):
        found += await ctx.reads.count(kind, where, within=ctx.rights.search)
    return found


Branch = tuple[str, Node, tuple[SortKey, ...]]


async def _branches(ctx: Context, compiled: CompiledSearch) -> list[Branch]:
    """The types that can have matches for this caller, in the order of their names."""
    rows = zip(compiled.where, compiled.sort, strict=True)
    branches = [(kind, where, sort) for (kind, where), sort in rows]
    if len(branches) > 1 and ctx.unit is None:
        stored = frozenset(await ctx.services.store.kinds())
        branches = [each for each in branches if each[0] in stored]
    return [each for each in branches if ctx.rights.allows("s", each[0])]


async def _page(
    ctx: Context,
    compiled: CompiledSearch,
    branch: Branch,
    after: After | None,
    total: Total = "none",
) -> Page:
    kind, where, sort = branch
    plan = Search(
        kind,
        where,
        sort,
        page_size(ctx, compiled.request.count),
        after,
        total,
        wanted_references(ctx.services.registry, kind, compiled.includes),
    )
    return await ctx.reads.search(plan, within=ctx.rights.search)


def page_size(ctx: Context, asked: int | None) -> int:
    """`_count`, or what this server takes for it; servers "may return less"."""
    limits = ctx.services.limits
    return limits.default_page if asked is None else min(asked, limits.page)


async def _merged(
    ctx: Context, compiled: CompiledSearch, branches: Sequence[Branch], place: Place | None
) -> tuple[Sequence[Stored], bool]:
    """Sorted over all types: each gives a page, the common order decides."""
    pages = [
        await _page(ctx, compiled, branch, start(place, branch[0], branch[2]))
        for branch in branches
    ]
    sort = branches[0][2]
    rows = first_rows((row for page in pages for row in page.rows), sort)
    return _cut(ctx, compiled, rows, pages, place)


async def _in_turn(
    ctx: Context, compiled: CompiledSearch, branches: Sequence[Branch], place: Place | None
) -> tuple[Sequence[Stored], bool]:
    """Not sorted: the types one after the other, each by id."""
    size = page_size(ctx, compiled.request.count)
    back = _is_backward(place)
    rows: list[Stored] = []
    pages: list[Page] = []
    for branch in reversed(branches) if back else branches:
        kind = branch[0]
        passed = place is not None and kind != place.type and (kind > place.type) == back
        if passed:
            continue
        if len(rows) > size:
            break
        page = await _page(ctx, compiled, branch, start(place, kind, ()))
        pages.append(page)
        rows = [*page.rows, *rows] if back else [*rows, *page.rows]
    return _cut(ctx, compiled, rows, pages, place)


def _cut(
    ctx: Context,
    compiled: CompiledSearch,
    rows: Sequence[Stored],
    pages: Sequence[Page],
    place: Place | None,
) -> tuple[Sequence[Stored], bool]:
    size = page_size(ctx, compiled.request.count)
    more = len(rows) > size or any(page.more for page in pages)
    return rows[-size:] if _is_backward(place) else rows[:size], more


def _is_backward(place: Place | None) -> bool:
    return place is not None and place.after.backward
