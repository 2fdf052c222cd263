"""Patient/$everything: the whole compartment of a patient, and what it leans on.

Pages go through the types in order, each by id, so a page is as stable under writes as a
search page. What a page refers to outside the compartment (practitioners, organizations,
medications, …) comes with the page that refers to it.

https://hl7.org/fhir/R4/patient-operation-everything.html
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from fhir_server.core.bundles import search_entry, searchset
from fhir_server.core.datetimes import Interval
from fhir_server.interactions.audit_events import KIND, drained
from fhir_server.interactions.context import Context
from fhir_server.interactions.permits import check_letter
from fhir_server.interactions.read import live
from fhir_server.interactions.results import Result
from fhir_server.operations import parameters
from fhir_server.operations.call import Call
from fhir_server.search.cursor import Place, read_place, write_place
from fhir_server.search.links import link
from fhir_server.search.nodes import intersection
from fhir_server.search.plan import (
    After,
    Compare,
    Compartment,
    Everything,
    Ids,
    Node,
    Not,
    Or,
    Prefix,
    Present,
    Range,
    Search,
    Updated,
)
from fhir_server.search.request import CURSOR
from fhir_server.search.sorting import CHIEF_DATE
from fhir_server.search.values import MAX_TIME, MIN_TIME
from fhir_server.search.values import Interval as Span
from fhir_server.spec.compartments import COMPARTMENTS
from fhir_server.spec.structures import RESOURCE_TYPES
from fhir_server.store.port import Stored

_PARAMETERS: Final = frozenset({"start", "end", "_since", "_type", "_count", CURSOR})
_COMPARTMENT: Final = COMPARTMENTS["Patient"]
_TYPES: Final = frozenset(RESOURCE_TYPES)
_AT_ONCE: Final = 8
"""Types asked for at the same time: more only queue in the connection pool."""
_OVERLAPS: Final = ((Compare("hi", ">", "lo"), Compare("lo", "<", "hi")),)
_SINCE: Final = ((Compare("lo", ">=", "lo"),),)


@dataclass(frozen=True, slots=True)
class _Wish:
    """The parameters, read."""

    during: Span | None
    since: int | None
    types: frozenset[str]
    count: int
    place: Place | None


async def everything(ctx: Context, call: Call) -> Result:
    """A page of one patient's record, or of all patients' records.

    Raises:
        NotFound, Gone: the patient is not there.
        BadValue: a parameter is wrong.
        Forbidden: a type is named that the caller has no scope for.
    """
    call.check_names(_PARAMETERS)
    wish = _wish(ctx, call)
    for kind in sorted(wish.types):  # what is not named is left out in silence
        check_letter(ctx, "s", kind)
    if not wish.types or KIND in wish.types:
        await drained(ctx, call.target.id)
    if call.target.id is not None:
        found = await ctx.reads.read("Patient", call.target.id, within=ctx.rights.read)
        live(found, "Patient", call.target.id)
    rows, more = await _rows(ctx, call, wish)
    entries = [search_entry(each.body, "match", _url(ctx, each)) for each in rows]
    others = await _supporting(ctx, rows, wish)
    entries += [search_entry(each.body, "include", _url(ctx, each)) for each in others]
    body = searchset(
        entries,
        _links(ctx, call, rows[-1] if more else None),
        id_=ctx.services.new_id(),
        at=ctx.services.now(),
    )
    return Result(200, body=body, shown=[*rows, *others], wanted=True)


def _wish(ctx: Context, call: Call) -> _Wish:
    start = parameters.moment("start", call.value("start"))
    end = parameters.moment("end", call.value("end"))
    since = parameters.moment("_since", call.value("_since"))
    count = parameters.count("_count", call.value("_count"), least=1)
    cursor = call.value(CURSOR)
    place = read_place(ctx.services.cursors, str(cursor), _query(call)) if cursor else None
    return _Wish(
        during=_during(start, end),
        since=None if since is None else since.lo,
        types=parameters.types("_type", call.values("_type")),
        count=min(count or ctx.services.limits.page, ctx.services.limits.page),
        place=place,
    )


def _during(start: Interval | None, end: Interval | None) -> Span | None:
    if start is None and end is None:
        return None
    return Span(MIN_TIME if start is None else start.lo, MAX_TIME if end is None else end.hi)


async def _rows(ctx: Context, call: Call, wish: _Wish) -> tuple[list[Stored], bool]:
    """Up to `wish.count` rows, and whether others follow."""
    kinds = await _kinds(ctx, wish)
    found: list[Stored] = []
    for begin in range(0, len(kinds), _AT_ONCE):
        group = kinds[begin : begin + _AT_ONCE]
        wanted = wish.count + 1 - len(found)
        plans = [_plan(call, wish, kind, wanted) for kind in group]
        pages = await asyncio.gather(
            *(ctx.reads.search(plan, within=ctx.rights.search) for plan in plans)
        )
        found.extend(row for page in pages for row in page.rows)
        if len(found) > wish.count:
            return found[: wish.count], True
    return found, False


async def _kinds(ctx: Context, wish: _Wish) -> list[str]:
    """The compartment's types that hold anything, the Patient first."""
    there = await ctx.services.store.kinds()
    kinds = [k for k in sorted({*_COMPARTMENT, "Patient"} & set(there)) if k != "Patient"]
    kinds = ["Patient", *kinds]
    if wish.types:
        kinds = [kind for kind in kinds if kind in wish.types]
    if wish.place is not None and wish.place.type in kinds:
        kinds = kinds[kinds.index(wish.place.type) :]
    return kinds


def _plan(call: Call, wish: _Wish, kind: str, count: int) -> Search:
    after = wish.place.after if wish.place is not None and wish.place.type == kind else None
    where = intersection([_whose(call, kind), *_when(wish, kind)])
    return Search(kind, where, count=count, after=after, references=("",))


def _whose(call: Call, kind: str) -> Node:
    if call.target.id is not None:
        return Compartment((f"Patient/{call.target.id}",))
    if kind == "Patient":
        return Everything()
    codes = _COMPARTMENT[kind]
    return Or(tuple(Prefix("references", f"{code}|Patient/") for code in codes))


def _when(wish: _Wish, kind: str) -> Iterable[Node]:
    """Undated resources are always in scope: nothing says that they are outside."""
    code = CHIEF_DATE.get(kind)
    if wish.during is not None and code is not None and kind != "Patient":
        within = Range("dates", code, wish.during, _OVERLAPS)
        yield Or((within, Not(Present("dates", code))))
    if wish.since is not None:
        yield Updated(Span(wish.since, wish.since), _SINCE)


async def _supporting(ctx: Context, rows: Sequence[Stored], wish: _Wish) -> list[Stored]:
    """What `rows` refer to outside the compartment; a `_type` that is asked for narrows it."""
    shown = {f"{each.type}/{each.id}" for each in rows}
    wanted: dict[str, dict[str, None]] = {}
    # The rows of a record refer to the same few resources: each key once.
    for key in dict.fromkeys(key for each in rows for key in each.references):
        target = key.partition("|")[2]
        kind, _, id_ = target.partition("/")
        if kind not in _TYPES or kind in _COMPARTMENT or kind == "Patient" or target in shown:
            continue
        if not wish.types or kind in wish.types:
            wanted.setdefault(kind, {})[id_] = None
    found = await asyncio.gather(
        *(
            ctx.reads.search(
                Search(kind, Ids(tuple(ids)), count=len(ids)), within=ctx.rights.search
            )
            for kind, ids in sorted(wanted.items())
        )
    )
    return [each for page in found for each in page.rows]


def _query(call: Call) -> tuple[object, ...]:
    kept = [(name, call.values(name)) for name in ("start", "end", "_since", "_type")]
    return ("$everything", call.target.id, kept)


def _links(ctx: Context, call: Call, last: Stored | None) -> dict[str, str]:
    names = ("start", "end", "_since", "_type", "_count")
    pairs = [(name, str(value)) for name in names for value in call.values(name)]
    parts = (ctx.services.base_url, "Patient", call.target.id, "$everything")
    url = "/".join(part for part in parts if part is not None)
    links = {"self": link(url, pairs)}
    if last is not None:
        place = Place(last.type, After((), last.id))
        cursor = write_place(ctx.services.cursors, place, _query(call))
        links["next"] = link(url, pairs, cursor)
    return links


def _url(ctx: Context, each: Stored) -> str:
    return f"{ctx.services.base_url}/{each.type}/{each.id}"
