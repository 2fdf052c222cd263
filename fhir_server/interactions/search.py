"""search: of a type, of the system, within a compartment.

Each page stands alone: its matches, what they include, a total where one is asked for, and
the links to the pages around it. Every query carries the restriction of its own type.

https://hl7.org/fhir/R4/http.html#search
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from fhir_server.aside import HEAVY, LARGE, aside
from fhir_server.core.bundles import search_entry, searchset, stored_entries
from fhir_server.core.errors import Issue, NotFound
from fhir_server.core.messages import Text
from fhir_server.core.outcome import operation_outcome
from fhir_server.core.wire import dumps
from fhir_server.interactions.commands import Search as SearchCommand
from fhir_server.interactions.contained import contained_entries, parsed_body
from fhir_server.interactions.context import Context
from fhir_server.interactions.explain import explained
from fhir_server.interactions.included import Included, included
from fhir_server.interactions.named_types import check_named
from fhir_server.interactions.offer import Offer
from fhir_server.interactions.pages import Matches, count, matches
from fhir_server.interactions.results import Result
from fhir_server.search.compile import CompiledSearch
from fhir_server.search.cursor import Place, read_place, write_place
from fhir_server.search.links import link, query_text
from fhir_server.search.merge import turned
from fhir_server.search.nodes import intersection
from fhir_server.search.plan import After, Compartment, SortKey
from fhir_server.search.request import SearchRequest
from fhir_server.search.subset import Subset
from fhir_server.spec.compartments import COMPARTMENTS
from fhir_server.spec.structures import RESOURCE_TYPES
from fhir_server.store.port import Stored

NOT_IN_COMPARTMENT: Final = Text(
    "A {type} is never in the compartment of a {compartment}.",
    "Ресурс {type} никогда не входит в раздел (compartment) ресурса {compartment}.",
    "Ресурс {type} ніколи не входить до розділу (compartment) ресурсу {compartment}.",
)


@dataclass(frozen=True, slots=True)
class SearchPage:
    """A page of results, before it is written as a Bundle."""

    matches: Sequence[Stored] = ()
    included: Sequence[Stored] = ()
    issues: tuple[Issue, ...] = ()
    """What to tell in an entry of mode `outcome`."""
    total: int | None = None
    previous: Place | None = None
    next: Place | None = None


async def search(ctx: Context, command: SearchCommand) -> Result:
    """The page of results that `command` asks for, as a searchset Bundle.

    Raises:
        Invalid: a parameter, modifier or value is unusable; with every problem found.
        NotFound: a type is asked for that its compartment never holds.
    """
    compiled = compile_search(ctx, command)
    if compiled.request.explain:
        return Result(200, body=await explained(ctx, compiled), wanted=True)
    page = await result_page(ctx, compiled, _query(command, compiled.request))
    size = sum([len(row.body) for rows in (page.matches, page.included) for row in rows])
    # What is judged within its container is indexed anew.
    least = HEAVY if compiled.contained else LARGE
    body = await aside(size, _bundle, ctx, command, compiled, page, least=least)
    shown = [*page.matches, *page.included] if ctx.principal is not None else ()
    return Result(200, body=body, shown=shown, wanted=True)


def compile_search(ctx: Context, command: SearchCommand) -> CompiledSearch:
    """`command` as predicates, the compartment among them.

    Raises:
        Invalid: with every problem found.
        NotFound: the type is never in the compartment.
        Forbidden: a type is named that the caller has no scope for.
    """
    kinds = _kinds(ctx.services.offer, command)
    compiled = ctx.services.compiler.search(kinds, command.pairs, lenient=ctx.lenient)
    check_named(ctx, compiled)
    if command.compartment is None:
        return compiled
    inside = Compartment((command.compartment,))
    where = tuple((kind, intersection((inside, node))) for kind, node in compiled.where)
    return replace(compiled, where=where)


def _kinds(offer: Offer, command: SearchCommand) -> Sequence[str]:
    if command.compartment is None:
        return _every(offer) if command.type is None else (command.type,)
    name = command.compartment.partition("/")[0]
    members = COMPARTMENTS[name]
    if command.type is None:
        return tuple(kind for kind in _every(offer) if kind in members)
    if command.type not in members:
        raise NotFound(NOT_IN_COMPARTMENT, type=command.type, compartment=name)
    return (command.type,)


def _every(offer: Offer) -> Sequence[str]:
    return tuple(kind for kind in RESOURCE_TYPES if offer.allows("search-type", kind))


def _query(command: SearchCommand, request: SearchRequest) -> tuple[object, ...]:
    """What a cursor is bound to: all that decides the rows and their order. How many of
    them, and what of them, may change from page to page."""
    return (
        command.compartment,
        command.type,
        request.contained,
        request.types,
        request.sort,
        *request.criteria,
    )


async def result_page(
    ctx: Context, compiled: CompiledSearch, query: Sequence[object]
) -> SearchPage:
    """The page of `compiled` that its cursor, bound to `query`, asks for.

    Raises:
        BadValue: the cursor is not ours.
        TooCostly: a chain meets too many resources.
    """
    request = compiled.request
    if request.summary == "count":
        return SearchPage(total=await count(ctx, compiled), issues=compiled.ignored)
    cursors = ctx.services.cursors
    place = None if request.cursor is None else read_place(cursors, request.cursor, query)
    found = await matches(ctx, compiled, place)
    others = Included()
    if compiled.includes and found.rows:
        others = await included(ctx, compiled.includes, found.rows)
    return SearchPage(
        found.rows,
        others.rows,
        (*compiled.ignored, *others.issues),
        _total(request, found, place),
        *_neighbours(found, place, compiled.sort[0] if compiled.sort else ()),
    )


def _neighbours(
    found: Matches, place: Place | None, sort: Sequence[SortKey]
) -> tuple[Place | None, Place | None]:
    """Where the pages before and behind begin; from a page whose rows are gone one comes back
    to the last row that was seen."""
    back = place is not None and place.after.backward
    if not found.rows:
        returned = None if place is None else turned(place, sort)
        return (None, returned) if back else (returned, None)
    before = found.more if back else place is not None
    behind = place is not None if back else found.more
    return (
        _place(found.rows[0], backward=True) if before else None,
        _place(found.rows[-1], backward=False) if behind else None,
    )


def _total(request: SearchRequest, found: Matches, place: Place | None) -> int | None:
    """Asked for, or known anyway: a first page behind which nothing follows."""
    if found.total is not None:
        return found.total
    whole = place is None and not found.more and request.total is None
    return len(found.rows) if whole else None


def _place(row: Stored, *, backward: bool) -> Place:
    return Place(row.type, After(row.sort_values, row.id, backward))


def _bundle(
    ctx: Context, command: SearchCommand, compiled: CompiledSearch, page: SearchPage
) -> bytes:
    request, services = compiled.request, ctx.services
    subset = Subset(request.summary, request.elements)
    matched = (
        contained_entries(ctx, compiled.contained, page.matches, subset)
        if compiled.contained
        else _entries(ctx, page.matches, "match", subset)
    )
    entries = [
        *matched,
        *_entries(ctx, page.included, "include", subset.without_elements()),
    ]
    if page.issues:
        said = [replace(issue, severity="warning") for issue in page.issues]
        outcome = operation_outcome(said, ctx.language)
        entries.append(search_entry(dumps(outcome), "outcome"))
    return searchset(
        entries,
        _links(ctx, command, request, page),
        id_=services.new_id(),
        at=services.now(),
        total=page.total,
    )


def _entries(
    ctx: Context, rows: Sequence[Stored], mode: Literal["match", "include"], subset: Subset
) -> list[bytes]:
    base = ctx.services.base_url
    if not subset:
        return stored_entries(base, rows, mode)
    return [
        search_entry(
            dumps(subset.of(parsed_body(ctx, row))), mode, f"{base}/{row.type}/{row.id}"
        )
        for row in rows
    ]


def _links(
    ctx: Context, command: SearchCommand, request: SearchRequest, page: SearchPage
) -> dict[str, str]:
    """The self link is a GET even where the search was a POST."""
    parts = [ctx.services.base_url, command.compartment, command.type]
    if command.compartment is not None and command.type is None:
        parts[-1] = "*"
    url = "/".join(part for part in parts if part is not None)
    kept = query_text(request.kept)
    links = {"self": link(url, kept, request.cursor)}
    if request.summary == "count":
        return links
    links["first"] = link(url, kept)
    cursors, query = ctx.services.cursors, _query(command, request)
    for relation, place in (("previous", page.previous), ("next", page.next)):
        if place is not None:
            links[relation] = link(url, kept, write_place(cursors, place, query))
    return links
