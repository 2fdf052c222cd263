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
from fhir_server.search.plan import After, Node, Nothing, Search, SortKey
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
        page = await _page(ctx, compiled, (kind, where), sort, after)
        return Matches(page.rows, page.more, page.total)
    branches = await _branches(ctx, compiled)
    if any(sort for _, _, sort in branches):
        return await _merged(ctx, compiled, branches, place)
    return await _in_turn(ctx, compiled, branches, place)


async def count(ctx: Context, compiled: CompiledSearch) -> int:
    """How many resources match."""
    found = 0
    for kind, where, _ in await _branches(ctx, compiled):
        found += await ctx.reads.count(kind, where, within=ctx.within)
    return found


Branch = tuple[str, Node, tuple[SortKey, ...]]


async def _branches(ctx: Context, compiled: CompiledSearch) -> list[Branch]:
    """The types that can have matches for this caller, in the order of their names."""
    rows = zip(compiled.where, compiled.sort, strict=True)
    branches = [(kind, where, sort) for (kind, where), sort in rows]
    if len(branches) > 1 and ctx.unit is None:
        stored = frozenset(await ctx.services.store.kinds())
        branches = [each for each in branches if each[0] in stored]
    return [each for each in branches if not isinstance(ctx.within.of(each[0]), Nothing)]


async def _page(
    ctx: Context,
    compiled: CompiledSearch,
    of: tuple[str, Node],
    sort: tuple[SortKey, ...],
    after: After | None,
) -> Page:
    kind, where = of
    plan = Search(
        kind,
        where,
        sort,
        page_size(ctx, compiled.request.count),
        after,
        compiled.request.total or "none",
        wanted_references(ctx.services.registry, kind, compiled.includes),
    )
    return await ctx.reads.search(plan, within=ctx.within)


def page_size(ctx: Context, asked: int | None) -> int:
    """`_count`, or what this server takes for it; servers "may return less"."""
    limits = ctx.services.limits
    return limits.default_page if asked is None else min(asked, limits.page)


async def _merged(
    ctx: Context, compiled: CompiledSearch, branches: Sequence[Branch], place: Place | None
) -> Matches:
    """Sorted over all types: each gives a page, the common order decides."""
    size = page_size(ctx, compiled.request.count)
    pages = [
        await _page(ctx, compiled, (kind, where), sort, start(place, kind, sort))
        for kind, where, sort in branches
    ]
    rows = first_rows((row for page in pages for row in page.rows), branches[0][2])
    back = place is not None and place.after.backward
    more = len(rows) > size or any(page.more for page in pages)
    return Matches(rows[-size:] if back else rows[:size], more, _sum(pages))


async def _in_turn(
    ctx: Context, compiled: CompiledSearch, branches: Sequence[Branch], place: Place | None
) -> Matches:
    """Not sorted: the types one after the other, each by id."""
    size = page_size(ctx, compiled.request.count)
    back = place is not None and place.after.backward
    rows: list[Stored] = []
    pages: list[Page] = []
    wants_total = compiled.request.total in ("accurate", "estimate")
    for kind, where, sort in reversed(branches) if back else branches:
        if len(rows) > size and not wants_total:
            break
        after = start(place, kind, sort)
        page = await _page(ctx, compiled, (kind, where), sort, after)
        pages.append(page)
        rows = [*page.rows, *rows] if back else [*rows, *page.rows]
    more = len(rows) > size or any(page.more for page in pages)
    return Matches(rows[-size:] if back else rows[:size], more, _sum(pages))


def _sum(pages: Sequence[Page]) -> int | None:
    totals = [page.total for page in pages if page.total is not None]
    return sum(totals) if totals else None
